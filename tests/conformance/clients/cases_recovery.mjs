// cases_recovery.mjs: connection state recovery, by clients that know it, and
// by those that do not.
import assert from 'node:assert/strict';
import { ask, next, silent } from './client.mjs';
import { sleep } from './server.mjs';
import { when } from './when.mjs';

const knows = (c) => c.atLeast(4, 6);

/** A socket behind a proxy of its own, in room r, with one event heard. */
async function start(t, nsp = t.fresh()) {
  const p = await t.proxy();
  const s = await t.open(nsp, { url: p.url });
  const other = await t.open(nsp);
  await t.settled(s);
  await t.settled(other);
  await ask(s, 'join', 'r');
  return { p, s, other, nsp };
}

/**
 * The line breaks where the server sees it at once: by polling, while a GET
 * waits. (This server's pings, which would answer one, come seldom.)
 */
async function away(p, s, meanwhile) {
  await ask(s, 'message-with-ack', 'here');
  const { transport } = s.io.engine;
  const waits = () => transport.polling ?? transport._polling;
  while (transport.name === 'polling' && !waits()) await sleep(10);
  await sleep(200);
  p.refusing = true;
  p.cut();
  await next(s, ':disconnect');
  await meanwhile();
  p.refusing = false;
  await next(s, ':connect');
}

/** The arguments without the offset behind them, which must be a text. */
function unmarked(args) {
  assert.equal(typeof args.at(-1), 'string');
  return args.slice(0, -1);
}

export const recovery = {
  'recovery: what was missed comes, in order': when(knows, async (t) => {
    const { p, s, other } = await start(t);
    const id = s.id;
    assert.equal(s.recovered, false);
    await away(p, s, async () => {
      for (let i = 0; i < 5; i++) {
        await ask(other, 'to-room', 'r', i, { i });
        other.emit('broadcast', i);
        other.emit('to-room', 'not mine', i);
      }
      await ask(other, 'to-room', 'r', Buffer.from([1, 2, 3]));
      await ask(other, 'to-room', id, 'personal');
      other.emit('volatile-n', 1);
      await next(other, 'v-done');
    });
    assert.equal(s.recovered, true);
    assert.equal(s.id, id);
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(unmarked(await next(s, 'room-message')), [i, { i }]);
      assert.deepEqual(unmarked(await next(s, 'broadcast-back')), [i]);
    }
    assert.deepEqual(unmarked(await next(s, 'room-message')),
      [Buffer.from([1, 2, 3])]);
    assert.deepEqual(unmarked(await next(s, 'room-message')), ['personal']);
    const [info] = await ask(s, 'info');
    assert.equal(info.recovered, true);
    assert.deepEqual(new Set(info.rooms), new Set([id, 'r']));
    await ask(other, 'to-room', 'r', 'new');
    assert.deepEqual(unmarked(await next(s, 'room-message')), ['new']);
    await silent(s, 'room-message', 50);
    await silent(s, 'broadcast-back', 0);
  }),

  'recovery: again and again': when(knows, async (t) => {
    const { p, s, other } = await start(t);
    const id = s.id;
    for (let round = 0; round < 4; round++) {
      await away(p, s, async () => {
        if (round !== 2) await ask(other, 'to-room', 'r', round);
      });
      assert.equal(s.recovered, true, `round ${round}`);
      assert.equal(s.id, id);
      if (round !== 2) {
        assert.deepEqual(unmarked(await next(s, 'room-message')), [round]);
      }
      assert.deepEqual(await ask(s, 'message-with-ack', round), [round]);
    }
    await silent(s, 'room-message', 50);
  }),

  'recovery: after the server dropped the connection': when(knows, async (t) => {
    const { s } = await start(t);
    const id = s.id;
    s.emit('drop-me');
    await next(s, ':disconnect');
    await next(s, ':connect');
    assert.equal(s.recovered, true);
    assert.equal(s.id, id);
  }),

  'recovery: several namespaces, each for itself': when(knows, async (t) => {
    const { p, s, other } = await start(t);
    const side = t.also(s, t.fresh());
    await next(side, ':connect');
    await next(side, 'auth');
    const ids = [s.id, side.id];
    await away(p, s, () => ask(other, 'to-room', 'r', 1));
    await next(side, ':connect');
    assert.deepEqual([s.id, side.id], ids);
    assert.deepEqual([s.recovered, side.recovered], [true, true]);
    assert.deepEqual(unmarked(await next(s, 'room-message')), [1]);
    await silent(side, 'room-message', 50);
  }),

  'recovery: the middleware is not asked again': when(knows, async (t) => {
    const p = await t.proxy();
    const s = await t.open('/auth', { url: p.url, auth: { token: 'secret' } });
    await t.settled(s);
    const id = s.id;
    await away(p, s, async () => { s.auth = { token: 'wrong now' }; });
    assert.equal(s.recovered, true);
    assert.equal(s.id, id);
  }),

  'recovery: not after a wanted end': when(knows, async (t) => {
    const { s, other } = await start(t);
    const id = s.id;
    s.disconnect();
    await ask(other, 'to-room', 'r', 'missed for good');
    s.connect();
    await next(s, ':connect');
    assert.equal(s.recovered, false);
    assert.notEqual(s.id, id);
    s.emit('disconnect-me', false);
    await next(s, ':disconnect');
    await next(s, ':disconnect');
    s.connect();
    await next(s, ':connect');
    assert.equal(s.recovered, false);
    await silent(s, 'room-message', 50);
  }),

  'recovery: not by a wrong pid, nor an unknown offset': when(knows, async (t) => {
    const { p, s } = await start(t);
    for (const spoil of [() => { s._pid = 'x'.repeat(20); },
      () => { s._lastOffset = 'unknown'; }, () => { s._lastOffset = ''; }]) {
      const id = s.id;
      await away(p, s, async () => spoil());
      assert.equal(s.recovered, false);
      assert.notEqual(s.id, id);
      assert.deepEqual((await ask(s, 'info'))[0].rooms, [s.id]);
      await next(s, 'auth');
    }
  }),

  async 'recovery: each event carries its offset, acknowledged ones do not'(t) {
    const s = await t.open(t.fresh());
    s.emit('message', 1, Buffer.from([2]));
    const back = await next(s, 'message-back');
    assert.deepEqual(unmarked(back), [1, Buffer.from([2])]);
    s.emit('message', 2);
    assert.notEqual((await next(s, 'message-back')).at(-1), back.at(-1));
    s.on('question', (...args) => args.at(-1)(args.length));
    assert.deepEqual(await ask(s, 'ask-me', 1, 5000),
      [{ timedOut: false, answer: [2] }]);
    s.emit('volatile-n', 1);
    await next(s, 'v-done');
    for (const k of s.inbox.kept.filter((x) => x.name === 'v')) {
      assert.deepEqual(k.args, [0]);
    }
  },

  'recovery: clients that do not know it begin anew': when((c) => !knows(c),
    async (t) => {
      const p = await t.proxy();
      const s = await t.open('/', { url: p.url });
      await t.settled(s);
      const id = s.id;
      await away(p, s, async () => {});
      assert.notEqual(s.id, id);
      assert.deepEqual(await ask(s, 'message-with-ack', 1), [1]);
    }),
};
