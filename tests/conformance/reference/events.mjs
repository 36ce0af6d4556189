// events.mjs: the namespaces and events of the conformance server, on Node's
// socket.io.
import { Server } from 'socket.io';

/** The arguments without the acknowledgement, and that (or nothing). */
function split(all) {
  const args = [...all];
  const cb = typeof args.at(-1) === 'function' ? args.pop() : undefined;
  return [args, cb];
}

const BASIC = {
  'message': (socket, args) => socket.emit('message-back', ...args),
  'message-with-ack': (socket, args, cb) => cb?.(...args),
};

const ALL = {
  ...BASIC,

  'info': (socket, args, cb) => cb?.({
    id: socket.id,
    recovered: socket.recovered,
    nsp: socket.nsp.name,
    transport: socket.conn.transport.name,
    rooms: [...socket.rooms],
    auth: socket.handshake.auth,
    query: { ...socket.handshake.query },
  }),

  'ask-me': (socket, [data, ms], cb) => {
    socket.timeout(Number(ms)).emit('question', data, (err, ...answer) => {
      cb?.(err ? { timedOut: true } : { timedOut: false, answer });
    });
  },

  'join': (socket, [room], cb) => {
    socket.join(room);
    cb?.('joined');
  },

  'leave': (socket, [room], cb) => {
    socket.leave(room);
    cb?.('left');
  },

  'to-room': (socket, [room, ...args], cb) => {
    socket.to(room).emit('room-message', ...args);
    cb?.('sent');
  },

  'in-room': (socket, [room, ...args]) => {
    socket.nsp.in(room).emit('room-message', ...args);
  },

  'broadcast': (socket, args) => {
    socket.broadcast.emit('broadcast-back', ...args);
  },

  'emit-n': (socket, [n]) => {
    for (let i = 0; i < n; i++) socket.emit('n', i);
  },

  'volatile-n': (socket, [n]) => {
    for (let i = 0; i < n; i++) socket.volatile.emit('v', i);
    socket.emit('v-done');
  },

  'emit-binary': (socket, [size]) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) bytes[i] = i % 251;
    socket.emit('binary', bytes, { nested: bytes.subarray(0, 3) });
  },

  'disconnect-me': (socket, [close]) => socket.disconnect(close === true),

  'drop-me': (socket) => socket.conn.close(),
};

function serve(nsp, events) {
  nsp.on('connection', (socket) => {
    for (const [name, handler] of Object.entries(events)) {
      socket.on(name, (...all) => handler(socket, ...split(all)));
    }
    socket.emit('auth', socket.handshake.auth);
  });
}

export function socketServer(engine, opts) {
  const io = new Server({
    connectTimeout: opts['connect-timeout'],
    ...(opts['recovery-ms'] > 0 && { connectionStateRecovery: {
      maxDisconnectionDuration: opts['recovery-ms'],
      skipMiddlewares: true,
    } }),
  });
  io.bind(engine);
  serve(io.of('/'), ALL);
  serve(io.of('/custom'), BASIC);
  serve(io.of('/auth').use((socket, next) => {
    if (socket.handshake.auth.token === 'secret') return next();
    const err = new Error('not authorized');
    err.data = { code: 'E_AUTH', content: { retry: false } };
    next(err);
  }), ALL);
  serve(io.of(/^\/dyn-[0-9]+$/), ALL);
}
