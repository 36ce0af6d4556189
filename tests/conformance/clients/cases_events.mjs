// cases_events.mjs: events, acknowledgements, binary.
import assert from 'node:assert/strict';
import { ask, next, silent } from './client.mjs';
import { when } from './when.mjs';

const TEXTS = ['', 'a', 'ä', 'e\u0301', '\u4f60\u597d', '\u{1f980}\u{1f3fd}', '\u2028\u2029',
  '\u0000\u0001\u001e\u001f', '"\\/\b\f\n\r\t', '\ufeff', '\uffff', '\u{10ffff}', 'b64', '\u05d0\u202eb',
  '0{"sid":"x"}', '51-["x"]', 'x'.repeat(70000)];
const VALUES = [null, true, false, 0, -1, 1.5, -0.25, 1e300, 5e-324,
  2 ** 53 - 1, -(2 ** 53), ...TEXTS, [], {}, [[]], [{}], [null, [null]],
  { '': '' }, { a: { b: { c: [1, { d: null }] } } },
  { _placeholder: true, num: 0 }, { _placeholder: 1 }, { toString: 1 },
  { constructor: { prototype: 1 } }, Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))];

/** Binary in any form, to compare: clients give Buffers, we may send others. */
function plain(x) {
  if (x instanceof ArrayBuffer) return { bin: Buffer.from(x).toString('hex') };
  if (ArrayBuffer.isView(x)) {
    return { bin: Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString('hex') };
  }
  if (Array.isArray(x)) return x.map(plain);
  if (x && typeof x === 'object') {
    return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)]));
  }
  return x;
}

const same = (a, b) => assert.deepEqual(plain(a), plain(b));
const bytes = (n) => Buffer.from(Array.from({ length: n }, (_, i) => i % 251));

const BINARIES = {
  'one Buffer': [bytes(10)],
  'an empty one': [Buffer.alloc(0)],
  'an ArrayBuffer': [new Uint8Array([1, 2, 3]).buffer],
  'views': [new Uint8Array([1, 2, 3]), new Uint16Array([1, 258]),
    new Uint8Array([9, 8, 7, 6]).subarray(1, 3), new DataView(new ArrayBuffer(3))],
  'nested': [{ a: [{ b: bytes(3) }], c: { d: bytes(2), e: [null, bytes(1)] } }],
  'between text': ['x', bytes(1), { t: '\u{1f980}' }, bytes(2), null, 5],
  'the same twice': (() => { const b = bytes(5); return [b, b, { b }]; })(),
  'all bytes': [Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  'nine': [Array.from({ length: 9 }, (_, i) => bytes(i))],
  'large': [bytes(300000), { more: bytes(200000) }],
};

export const events = {
  async 'events: every JSON value comes back'(t) {
    const s = await t.open('/');
    for (const v of VALUES) s.emit('message', v);
    for (const v of VALUES) same(await next(s, 'message-back'), [v]);
  },

  async 'events: any number of arguments'(t) {
    const s = await t.open('/');
    const all = [[], [1], [1, 2], VALUES, Array(200).fill('x')];
    for (const args of all) s.emit('message', ...args);
    for (const args of all) same(await next(s, 'message-back'), args);
  },

  async 'events: a thousand stay in order'(t) {
    const s = await t.open('/');
    for (let i = 0; i < 1000; i++) s.emit('message', i);
    for (let i = 0; i < 1000; i++) same(await next(s, 'message-back'), [i]);
    await silent(s, 'message-back');
  },

  async 'events: those before the connection wait for it'(t) {
    const s = t.dial('/');
    for (let i = 0; i < 20; i++) s.emit('message', i);
    for (let i = 0; i < 20; i++) same(await next(s, 'message-back'), [i]);
    await silent(s, 'message-back', 50);
  },

  async 'events: unknown ones are ignored'(t) {
    const s = await t.open('/');
    s.emit('no such event', 1);
    s.emit('', 1);
    s.emit('Message', 1);
    s.emit('\u{1f980}', 1);
    s.emit('toString', 1);
    s.emit('message', 'still here');
    same(await next(s, 'message-back'), ['still here']);
  },

  async 'events: emit-n in order'(t) {
    const s = await t.open('/');
    s.emit('emit-n', 700);
    for (let i = 0; i < 700; i++) same(await next(s, 'n'), [i]);
    await silent(s, 'n', 50);
  },

  async 'events: volatile ones come in order and once, or not'(t) {
    const s = await t.open('/');
    s.emit('volatile-n', 200);
    await next(s, 'v-done');
    const seen = s.inbox.kept.filter((k) => k.name === 'v').map((k) => k.args[0]);
    assert.ok(seen.length <= 200);
    seen.forEach((v, i) => assert.ok(i === 0 || v > seen[i - 1], String(seen)));
    s.volatile.emit('message', 'volatile from here');
    s.emit('message', 'and not');
    const first = await next(s, 'message-back');
    if (first[0] !== 'and not') same(await next(s, 'message-back'), ['and not']);
  },

  async 'events: as large as the limit allows'(t) {
    const s = await t.open('/');
    await t.settled(s);
    const text = 'x'.repeat(3900000);
    s.emit('message', text);
    assert.equal((await next(s, 'message-back'))[0], text);
  },

  async 'events: one above the limit ends the connection'(t) {
    const s = await t.open('/');
    await t.settled(s);
    s.emit('message', 'x'.repeat(4100000));
    const [why] = await next(s, ':disconnect');
    assert.match(why, /^transport (error|close)$/);
    await next(s, ':connect');
  },

  async 'acks: the same arguments'(t) {
    const s = await t.open('/');
    for (const v of VALUES) same(await ask(s, 'message-with-ack', v), [v]);
    same(await ask(s, 'message-with-ack'), []);
    same(await ask(s, 'message-with-ack', 1, [2], { 3: 4 }), [1, [2], { 3: 4 }]);
  },

  async 'acks: hundreds at once find their way'(t) {
    const s = await t.open('/');
    const all = await Promise.all(Array.from({ length: 500 },
      (_, i) => ask(s, 'message-with-ack', i)));
    same(all, all.map((_, i) => [i]));
  },

  'acks: timeout of the client': when((c) => c.atLeast(4, 4), async (t) => {
    const s = await t.open('/custom');
    const err = await new Promise((done) => {
      s.timeout(100).emit('info', (e) => done(e));
    });
    assert.ok(err instanceof Error);
    const [none, x] = await new Promise((done) => {
      s.timeout(5000).emit('message-with-ack', 7, (...a) => done(a));
    });
    assert.equal(none, null);
    assert.equal(x, 7);
  }),

  'acks: emitWithAck': when((c) => c.atLeast(4, 6), async (t) => {
    const s = await t.open('/');
    same(await s.emitWithAck('message-with-ack', { a: 1 }), { a: 1 });
    await assert.rejects(s.timeout(50).emitWithAck('nobody answers this'));
  }),

  'acks: retries of the client, each event once and in order': when(
    (c) => c.atLeast(4, 6), async (t) => {
      const s = await t.open('/', { retries: 2, ackTimeout: 3000 });
      const all = [];
      for (let i = 0; i < 20; i++) {
        all.push(new Promise((done) => {
          s.emit('message-with-ack', i, (err, x) => done([err, x]));
        }));
      }
      same(await Promise.all(all), all.map((_, i) => [null, i]));
    }),

  async 'asks: the server asks and hears the answer'(t) {
    const s = await t.open('/');
    s.on('question', (data, cb) => cb('one', data, null));
    same(await ask(s, 'ask-me', { q: [1] }, 5000),
      [{ timedOut: false, answer: ['one', { q: [1] }, null] }]);
    s.off('question');
    s.on('question', (data, cb) => cb());
    same(await ask(s, 'ask-me', 1, 5000), [{ timedOut: false, answer: [] }]);
  },

  async 'asks: no answer in time; a late and a second one change nothing'(t) {
    const s = await t.open('/');
    let late;
    s.on('question', (data, cb) => { late = cb; });
    same(await ask(s, 'ask-me', 1, 60), [{ timedOut: true }]);
    late('late');
    late('twice');
    s.off('question');
    s.on('question', (data, cb) => { cb('first'); cb('second'); });
    same(await ask(s, 'ask-me', 1, 5000),
      [{ timedOut: false, answer: ['first'] }]);
    same(await ask(s, 'message-with-ack', 'alive'), ['alive']);
  },

  async 'asks: many at once, answered in another order'(t) {
    const s = await t.open('/');
    const kept = [];
    s.on('question', (data, cb) => {
      kept.push(() => cb(data * 2));
      if (kept.length === 50) kept.reverse().forEach((f) => f());
    });
    const all = await Promise.all(Array.from({ length: 50 },
      (_, i) => ask(s, 'ask-me', i, 10000)));
    same(all, all.map((_, i) => [{ timedOut: false, answer: [i * 2] }]));
  },

  async 'asks: binary both ways'(t) {
    const s = await t.open('/');
    s.on('question', (data, cb) => cb(data.b, { again: [data.b] }));
    same(await ask(s, 'ask-me', { b: bytes(4) }, 5000),
      [{ timedOut: false, answer: [bytes(4), { again: [bytes(4)] }] }]);
  },

  ...Object.fromEntries(Object.entries(BINARIES).flatMap(([name, args]) => [
    [`binary: ${name}, back as an event`, async (t) => {
      const s = await t.open('/');
      s.emit('message', ...args);
      s.emit('message', 'after');
      same(await next(s, 'message-back'), args);
      same(await next(s, 'message-back'), ['after']);
    }],
    [`binary: ${name}, back as an acknowledgement`, async (t) => {
      const s = await t.open('/custom');
      same(await ask(s, 'message-with-ack', ...args), args);
    }],
  ])),

  async 'binary: mixed with text, all in order'(t) {
    const s = await t.open('/');
    for (let i = 0; i < 100; i++) {
      s.emit('message', i, ...(i % 3 === 0 ? [bytes(i)] : []));
    }
    for (let i = 0; i < 100; i++) {
      same(await next(s, 'message-back'), [i, ...(i % 3 === 0 ? [bytes(i)] : [])]);
    }
  },

  async 'binary: from the server'(t) {
    const s = await t.open('/');
    for (const n of [0, 1, 2, 3, 1000, 500000]) {
      s.emit('emit-binary', n);
      same(await next(s, 'binary'), [bytes(n), { nested: bytes(Math.min(n, 3)) }]);
    }
  },
};
