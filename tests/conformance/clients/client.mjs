// client.mjs: what a case works with: clients of one version over one kind of
// transport, whose events are kept until they are asked for.
import { Proxy, sleep } from './server.mjs';

export const PATIENCE_MS = 60000;

export function within(promise, what, ms = PATIENCE_MS) {
  let timer;
  return Promise.race([promise, new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), ms);
  })]).finally(() => clearTimeout(timer));
}

/** The events of a socket: kept, and taken by name in their order. */
class Inbox {
  constructor(socket) {
    this.kept = [];
    this.waiting = [];
    socket.onAny((name, ...args) => this.put(name, args));
    for (const name of ['connect', 'connect_error', 'disconnect']) {
      socket.on(name, (...args) => this.put(`:${name}`, args));
    }
  }

  put(name, args) {
    const i = this.waiting.findIndex((w) => w.name === name);
    if (i >= 0) this.waiting.splice(i, 1)[0].done(args);
    else this.kept.push({ name, args });
  }

  take(name) {
    const i = this.kept.findIndex((k) => k.name === name);
    if (i >= 0) return Promise.resolve(this.kept.splice(i, 1)[0].args);
    return new Promise((done) => this.waiting.push({ name, done }));
  }

  count(name) {
    return this.kept.filter((k) => k.name === name).length;
  }
}

/** The arguments of the next such event; ':connect' and the like, too. */
export function next(socket, name, ms) {
  return within(socket.inbox.take(name), name, ms);
}

/** The arguments of the acknowledgement. */
export function ask(socket, name, ...args) {
  return within(new Promise((done) => {
    socket.emit(name, ...args, (...answer) => done(answer));
  }), `the answer to ${name}`);
}

/** None of these events is there, also after `ms`. */
export async function silent(socket, name, ms = 150) {
  await sleep(ms);
  const n = socket.inbox.count(name);
  if (n > 0) throw new Error(`${n} times ${name}, none was to come`);
}

let namespaces = 1000;

/** One case's view of one combination of version, transport and server. */
export class Case {
  constructor(combo, server) {
    Object.assign(this, combo);  // version, io, transport, transports
    this.server = server;
    this.sockets = [];
    this.proxies = [];
  }

  atLeast(major, minor) {
    const [a, b] = this.version.split('.').map(Number);
    return a > major || (a === major && b >= minor);
  }

  /** A namespace that no other case uses. */
  fresh() {
    return `/dyn-${namespaces++}`;
  }

  options(more) {
    return { transports: this.transports, forceNew: true, reconnectionDelay: 30,
      reconnectionDelayMax: 100, ...more };
  }

  /** A socket that begins to connect. */
  dial(nsp = '/', more = {}) {
    const { url = this.server.url, ...opts } = more;
    const socket = this.io(url + nsp, this.options(opts));
    return this.keep(socket);
  }

  keep(socket) {
    socket.inbox = new Inbox(socket);
    this.sockets.push(socket);
    return socket;
  }

  /** A socket that has connected and been greeted. */
  async open(nsp, more) {
    const socket = this.dial(nsp, more);
    await next(socket, ':connect');
    socket.greeting = (await next(socket, 'auth'))[0];
    return socket;
  }

  /** Another namespace over the same connection. */
  also(socket, nsp, opts) {
    return this.keep(socket.io.socket(nsp, opts));
  }

  async proxy() {
    const p = await new Proxy(this.server.port).start();
    this.proxies.push(p);
    return p;
  }

  /** The transport is the one that this combination ends with. */
  async settled(socket) {
    const want = this.transport === 'polling' ? 'polling' : 'websocket';
    for (let i = 0; i < 6000; i++) {
      if (socket.io.engine.transport.name === want &&
          !socket.io.engine.upgrading) return;
      await sleep(10);
    }
    throw new Error(`still ${socket.io.engine.transport.name}`);
  }

  end() {
    for (const s of this.sockets) {
      s.io.reconnection(false);
      s.disconnect();
      s.io.engine?.close();
    }
    for (const p of this.proxies) p.stop();
  }
}
