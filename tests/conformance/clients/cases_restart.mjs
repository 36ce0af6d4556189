// cases_restart.mjs: a server that is killed and comes back at once, hundreds
// of clients that do, too; the program's end.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { Case, ask, next, within } from './client.mjs';
import { PROFILE_B, Server, sleep } from './server.mjs';

const COMBO = { version: '4.8', io, transport: 'upgrade',
  transports: ['polling', 'websocket'] };

async function alone(program, run) {
  const server = await new Server(program, PROFILE_B).start();
  const t = new Case(COMBO, server);
  try {
    await run(t, server);
  } finally {
    t.end();
    server.child.kill('SIGKILL');
  }
}

export function restart(tap, program) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    tap.add(`restart: ended by ${signal}, back at once, clients return`,
      () => alone(program, async (t, server) => {
        const all = [];
        for (let i = 0; i < 12; i++) {
          all.push(t.open('/', { transports: i % 2 ? ['polling'] : ['websocket'] }));
        }
        const sockets = await Promise.all(all);
        const end = await within(server.stop(signal), 'its end', 20000);
        if (signal === 'SIGTERM') assert.equal(end.code, 0);
        await server.start();
        await Promise.all(sockets.map(async (s) => {
          await next(s, ':disconnect');
          await next(s, ':connect');
          assert.deepEqual(await ask(s, 'message-with-ack', 1), [1]);
        }));
      }));
  }

  tap.add('crowd: 300 clients of one server, over all transports',
    () => alone(program, async (t) => {
      const kinds = [['websocket'], ['polling'], ['polling', 'websocket']];
      const all = [];
      for (let i = 0; i < 300; i++) {
        all.push(t.open('/dyn-1', { transports: kinds[i % 3] }));
        if (i % 20 === 19) await sleep(10);
      }
      const sockets = await Promise.all(all);
      assert.equal(new Set(sockets.map((s) => s.id)).size, 300);
      sockets[0].emit('broadcast', 'all', Buffer.from([1]));
      await Promise.all(sockets.slice(1).map(async (s) => {
        assert.deepEqual(await next(s, 'broadcast-back'), ['all', Buffer.from([1])]);
      }));
      await Promise.all(sockets.map(async (s, i) => {
        assert.deepEqual(await ask(s, 'message-with-ack', i), [i]);
      }));
    }), 150000);
}
