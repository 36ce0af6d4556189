// peers.mjs WHICH PORT: the echo servers of Node that run.py compares with:
// `ws` (bare WebSocket on /ws-echo) and `socket.io`, as their manuals show.
import http from 'node:http';
import { createRequire } from 'node:module';

const [which, port] = process.argv.slice(2);
const require = createRequire(`${process.env.ECHO_MODULES}/`);
const server = http.createServer();

if (which === 'ws') {
  const { WebSocketServer } = require('ws');
  new WebSocketServer({ server, path: '/ws-echo' }).on('connection', (ws) => {
    ws.on('message', (data, binary) => ws.send(data, { binary }));
  });
} else {
  const { Server } = require('socket.io');
  new Server(server).on('connection', (socket) => {
    socket.on('message', (...args) => socket.emit('message-back', ...args));
  });
}
server.listen(Number(port), '127.0.0.1');
