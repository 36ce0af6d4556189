// server.mjs: a conformance server of our own for a suite: the program under
// test, or the one in JavaScript where that is what argv names.
import { spawn } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { freePort } from '../../lib/ports.mjs';

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Timeouts that a loaded machine keeps, too.
export const PROFILE_B = ['--ping-interval', '1000', '--ping-timeout', '10000',
  '--max-payload', '4000000', '--connect-timeout', '30000'];
export const PROFILE_C = [...PROFILE_B, '--recovery-ms', '30000'];

const children = new Set();
process.on('exit', () => children.forEach((c) => c.kill('SIGKILL')));
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => process.exit(1));
}

export class Server {
  constructor(program, flags) {
    this.program = program;
    this.flags = flags;
  }

  async start() {
    this.port ??= await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const isNode = this.program.endsWith('.mjs');
    this.child = spawn(isNode ? process.execPath : this.program,
      [...(isNode ? [this.program] : []), '--port', this.port, ...this.flags],
      { stdio: ['ignore', 'ignore', 'inherit'] });
    const { child } = this;
    children.add(child);
    child.on('exit', () => children.delete(child));
    this.ended = new Promise((done) => {
      this.child.on('exit', (code, signal) => done({ code, signal }));
    });
    for (let i = 0; i < 3000; i++) {
      if (await this.isUp()) return this;
      await sleep(20);
    }
    throw new Error(`${this.program} does not listen`);
  }

  isUp() {
    return new Promise((done) => {
      const req = http.get(`${this.url}/healthz`, { agent: false }, (res) => {
        res.resume();
        done(res.statusCode === 200);
      });
      req.on('error', () => done(false));
    });
  }

  /** How it ended: {code, signal}. */
  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }
}

/** TCP in between, which can cut, hold and refuse connections. */
export class Proxy {
  constructor(port) {
    this.to = port;
    this.pairs = new Set();
    this.held = false;
    this.refusing = false;
    this.noUpgrade = false;
  }

  async start() {
    this.server = net.createServer({ allowHalfOpen: false }, (a) => this.pair(a));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  pair(a) {
    if (this.refusing) return a.destroy();
    const b = net.connect(this.to, '127.0.0.1');
    const p = { a, b };
    this.pairs.add(p);
    a.setNoDelay(true);
    b.setNoDelay(true);
    const end = () => {
      if (this.held) return;    // nobody hears of it
      this.pairs.delete(p);
      a.destroy();
      b.destroy();
    };
    for (const [from, to] of [[a, b], [b, a]]) {
      from.on('error', end);
      from.on('close', end);
      from.on('data', (data) => {
        if (this.noUpgrade && from === a && /^upgrade: *websocket/im
          .test(data.toString('latin1'))) {
          return end();
        }
        if (!this.held) to.write(data);
        return undefined;
      });
    }
    return undefined;
  }

  /** Every connection breaks off. */
  cut() {
    for (const { a, b } of this.pairs) {
      a.resetAndDestroy?.();
      b.resetAndDestroy?.();
      a.destroy();
      b.destroy();
    }
    this.pairs.clear();
  }

  stop() {
    this.cut();
    this.server.close();
  }
}
