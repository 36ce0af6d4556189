// ports.mjs: loopback ports for servers of tests; ports.py in JavaScript.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FIRST = 10000;

/** The first port that the kernel gives to outgoing connections. */
function ephemeral() {
  try {
    return Number.parseInt(
      readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'), 10);
  } catch {
    return 32768;
  }
}

function tryPort(port) {
  return new Promise((done) => {
    const s = createServer();
    s.on('error', () => done(0));
    s.listen(port, '127.0.0.1', () => {
      const got = s.address().port;
      s.close(() => done(got));
    });
  });
}

/**
 * One that is free, and that no outgoing connection of a test beside us is
 * given before the server listens, or while it is started again.
 */
export async function freePort() {
  const end = ephemeral();
  for (let i = 0; i < 200 && end > FIRST + 2000; i++) {
    const port = FIRST + Math.floor(Math.random() * (end - FIRST));
    if (await tryPort(port)) return port;
  }
  return tryPort(0);
}
