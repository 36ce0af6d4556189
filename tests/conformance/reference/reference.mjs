// reference.mjs: the conformance server on Node's socket.io, engine.io and ws:
// the same flags and paths as nightjar-conformance, so that a suite can be run
// against it to prove the suite itself. Not a product: of HTTP it has what
// Node gives, and a plain reading of files.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Server as Engine } from 'engine.io';
import { WebSocketServer } from 'ws';
import { flags } from './flags.mjs';
import { socketServer } from './events.mjs';

const ECHO_MAX = 1000000;
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8', '.txt': 'text/plain; charset=utf-8',
  '.bin': 'application/octet-stream',
};

const opts = flags(process.argv.slice(2));

function engine() {
  return new Engine({
    pingInterval: opts['ping-interval'],
    pingTimeout: opts['ping-timeout'],
    upgradeTimeout: opts['upgrade-timeout'],
    maxHttpBufferSize: opts['max-payload'],
    cors: { origin: '*' },
    // As ws 8.18 and before, which engine.io was made for, had it.
    wsEngine: class extends WebSocketServer {
      constructor(o) { super({ ...o, maxFragments: 0, maxBufferedChunks: 0 }); }
    },
  });
}

const bare = engine();
bare.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data));
});
const io = engine();
socketServer(io, opts);

const echo = new WebSocketServer({
  noServer: true, perMessageDeflate: true, maxPayload: opts['ws-max'],
  maxFragments: 0, maxBufferedChunks: 0, maxPendingAutoPongs: 0,
  handleProtocols: (offered) =>
    offered.has('echo.nightjar') ? 'echo.nightjar' : false,
});
echo.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on('error', () => {});
});

function answer(res, status, headers = {}, body = '') {
  res.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

function echoBody(req, res) {
  if (req.method !== 'POST') return answer(res, 405, { Allow: 'POST' });
  const parts = [];
  let n = 0;
  req.on('data', (part) => {
    n += part.length;
    if (n > ECHO_MAX) {
      answer(res, 413, { Connection: 'close' });
      req.removeAllListeners('data');
      req.resume();
      return;
    }
    parts.push(part);
  });
  req.on('end', () => {
    if (n <= ECHO_MAX) answer(res, 200, {}, Buffer.concat(parts));
  });
}

/** The real path of a regular file below the root, or null. */
function staticFile(target) {
  try {
    const name = decodeURIComponent(target.slice('/static/'.length));
    const parts = name.split('/');
    if (name.includes('\0') || parts.some((p) => p.startsWith('.'))) return null;
    const root = fs.realpathSync(opts.root);
    const file = fs.realpathSync(path.join(root, name));
    if (!file.startsWith(root + path.sep)) return null;
    return !name.endsWith('/') && fs.statSync(file).isFile() ? file : null;
  } catch {
    return null;
  }
}

function serveStatic(req, res, target) {
  if (opts.root === null) return answer(res, 404);
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    return answer(res, 405, { Allow: 'GET, HEAD' });
  }
  const file = staticFile(target);
  if (file === null) return answer(res, 404);
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  answer(res, 200, { 'Content-Type': type }, fs.readFileSync(file));
}

function under(target, prefix) {
  return target === prefix || target.startsWith(prefix + '?');
}

const server = http.createServer({
  maxHeaderSize: 32768, headersTimeout: 3000, requestTimeout: 7000,
  keepAliveTimeout: 30000, connectionsCheckingInterval: 250,
}, (req, res) => {
  const target = req.url.split('?')[0];
  if (target.startsWith('/engine.io/')) return bare.handleRequest(req, res);
  if (target.startsWith('/socket.io/')) return io.handleRequest(req, res);
  if (target === '/echo') return echoBody(req, res);
  if (target.startsWith('/static/')) return serveStatic(req, res, target);
  if (target === '/healthz') {
    return answer(res, 200, { 'Content-Type': 'text/plain' }, 'ok\n');
  }
  answer(res, 404);
});

server.on('upgrade', (req, socket, head) => {
  socket.on('error', () => {});
  if (under(req.url, '/engine.io/')) return bare.handleUpgrade(req, socket, head);
  if (under(req.url, '/socket.io/')) return io.handleUpgrade(req, socket, head);
  if (under(req.url, '/ws-echo')) {
    return echo.handleUpgrade(req, socket, head,
      (ws) => echo.emit('connection', ws, req));
  }
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n' +
    'Content-Length: 0\r\n\r\n');
});

server.on('error', (e) => {
  process.stderr.write(`reference: ${e.message}\n`);
  process.exit(1);
});
// What Node's libraries let through of a hostile request must not end a suite.
process.on('uncaughtException', (e) => {
  process.stderr.write(`reference: ${e.stack}\n`);
});
process.on('SIGTERM', () => process.exit(0));
server.listen(opts.port, opts.host);
