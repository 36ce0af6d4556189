// cases_life.mjs: ends and new beginnings, upgrades, crowds.
import assert from 'node:assert/strict';
import { ask, next, silent, within } from './client.mjs';
import { sleep } from './server.mjs';
import { when } from './when.mjs';

const upgrades = (c) => c.transport === 'upgrade';

export const life = {
  async 'ends: the server ends a namespace, the connection stays'(t) {
    const main = await t.open('/');
    const s = t.also(main, t.fresh());
    await next(s, 'auth');
    s.emit('disconnect-me', false);
    assert.equal((await next(s, ':disconnect'))[0], 'io server disconnect');
    assert.deepEqual(await ask(main, 'message-with-ack', 1), [1]);
    s.connect();
    await next(s, 'auth');
    assert.deepEqual(await ask(s, 'message-with-ack', 2), [2]);
  },

  async 'ends: the server ends them all'(t) {
    const main = await t.open('/');
    const s = t.also(main, t.fresh());
    await next(s, 'auth');
    s.emit('disconnect-me', true);
    assert.equal((await next(s, ':disconnect'))[0], 'io server disconnect');
    const [why] = await next(main, ':disconnect');
    assert.match(why, /^(io server disconnect|transport close)$/);
  },

  async 'ends: the server drops the transport, the client comes back'(t) {
    const s = await t.open('/');
    await t.settled(s);
    const id = s.id;
    s.emit('drop-me');
    assert.equal((await next(s, ':disconnect'))[0], 'transport close');
    await next(s, ':connect');
    assert.notEqual(s.id, id);
    assert.deepEqual(await ask(s, 'message-with-ack', 1), [1]);
  },

  async 'ends: disconnect and connect, over and over'(t) {
    const s = await t.open('/');
    const seen = new Set([s.id]);
    for (let i = 0; i < 10; i++) {
      s.disconnect();
      s.connect();
      await next(s, ':connect');
      await next(s, 'auth');
      seen.add(s.id);
      assert.deepEqual(await ask(s, 'message-with-ack', i), [i]);
    }
    assert.equal(seen.size, 11);
  },

  async 'ends: a cut line is taken up again, with what was kept'(t) {
    const p = await t.proxy();
    const s = await t.open('/', { url: p.url });
    await t.settled(s);
    p.refusing = true;
    p.cut();
    await next(s, ':disconnect');
    for (let i = 0; i < 5; i++) s.emit('message', i);
    p.refusing = false;
    await next(s, ':connect');
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(await next(s, 'message-back'), [i]);
    }
  },

  async 'ends: a dead line is found by its pings, on both sides'(t) {
    const p = await t.proxy();
    const nsp = t.fresh();
    const s = await t.open(nsp, { url: p.url });
    const witness = await t.open(nsp);
    await t.settled(s);
    await ask(s, 'join', 'r');
    const old = s.id;
    p.held = true;
    p.refusing = true;
    const [why] = await next(s, ':disconnect');
    assert.match(why, /^(ping timeout|transport error)$/);
    p.cut();
    p.held = false;
    p.refusing = false;
    await next(s, ':connect');
    await next(s, 'auth');
    await sleep(1500);
    await ask(witness, 'to-room', old, 'nobody');
    await silent(s, 'room-message', 50);
  },

  async 'ends: idle through many pings'(t) {
    const s = await t.open('/');
    await sleep(4500);
    assert.equal(s.inbox.count(':disconnect'), 0);
    assert.deepEqual(await ask(s, 'message-with-ack', 1), [1]);
  },

  'upgrade: nothing is lost, doubled or out of order': when(upgrades, async (t) => {
    const s = t.dial('/');
    let sent = 0, after = 0;
    const dead = Date.now() + 40000;
    await next(s, ':connect');
    s.emit('emit-n', 200);
    while (after < 40 && Date.now() < dead) {
      s.emit('message', sent++, 'x'.repeat(sent % 7 === 0 ? 5000 : 10));
      if (sent % 3 === 0) s.emit('message', sent++, Buffer.alloc(sent % 50));
      await new Promise(setImmediate);
      if (s.io.engine.transport.name === 'websocket') after++;
    }
    assert.equal(s.io.engine.transport.name, 'websocket');
    for (let i = 0; i < sent; i++) {
      assert.equal((await next(s, 'message-back'))[0], i);
    }
    for (let i = 0; i < 200; i++) assert.deepEqual(await next(s, 'n'), [i]);
    await silent(s, 'message-back', 50);
    await silent(s, 'n', 0);
  }),

  'upgrade: from the server, too': when(upgrades, async (t) => {
    const nsp = t.fresh();
    const speaker = await t.open(nsp);
    await t.settled(speaker);
    const s = await t.open(nsp);
    let sent = 0;
    while (s.io.engine.transport.name === 'polling' || sent < 100) {
      speaker.emit('broadcast', sent++);
      await new Promise(setImmediate);
    }
    const first = (await next(s, 'broadcast-back'))[0];
    for (let i = first + 1; i < sent; i++) {
      assert.equal((await next(s, 'broadcast-back'))[0], i);
    }
    await silent(s, 'broadcast-back', 50);
  }),

  'upgrade: large messages across it': when(upgrades, async (t) => {
    const s = t.dial('/');
    const text = (i) => `${i}`.padEnd(600000, '.');
    for (let i = 0; i < 6; i++) s.emit('message', text(i));
    await t.settled(s);
    for (let i = 6; i < 8; i++) s.emit('message', text(i));
    for (let i = 0; i < 8; i++) {
      assert.equal((await next(s, 'message-back'))[0], text(i));
    }
  }),

  'upgrade: one that can not be done leaves polling as it is': when(upgrades,
    async (t) => {
      const p = await t.proxy();
      p.noUpgrade = true;
      const s = await t.open('/', { url: p.url });
      for (let i = 0; i < 30; i++) {
        assert.deepEqual(await ask(s, 'message-with-ack', i), [i]);
      }
      await sleep(200);
      assert.equal(s.io.engine.transport.name, 'polling');
      assert.equal((await ask(s, 'info'))[0].transport, 'polling');
      assert.equal(s.inbox.count(':disconnect'), 0);
    }),

  async 'crowd: one speaks, all others hear it'(t) {
    const nsp = t.fresh();
    const all = [];
    for (let i = 0; i < 40; i++) all.push(t.open(nsp));
    const sockets = await Promise.all(all);
    await Promise.all(sockets.map((s, i) => ask(s, 'join', `r${i % 4}`)));
    sockets[0].emit('broadcast', 'hear');
    await ask(sockets[0], 'to-room', 'r1', 'some');
    await Promise.all(sockets.slice(1).map(async (s, i) => {
      assert.deepEqual(await next(s, 'broadcast-back'), ['hear']);
      if ((i + 1) % 4 === 1) {
        assert.deepEqual(await next(s, 'room-message'), ['some']);
      }
    }));
    await silent(sockets[2], 'room-message', 50);
    await within(Promise.all(sockets.map((s) => ask(s, 'message-with-ack', s.id)
      .then(([x]) => assert.equal(x, s.id)))), 'all of them');
  },
};
