// cases_spaces.mjs: rooms, broadcast, namespaces, middleware, what a socket
// knows of itself.
import assert from 'node:assert/strict';
import { ask, next, silent } from './client.mjs';

export const spaces = {
  async 'rooms: the sender is left out, or not'(t) {
    const nsp = t.fresh();
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => t.open(nsp)));
    assert.deepEqual(await ask(a, 'join', 'r'), ['joined']);
    assert.deepEqual(await ask(b, 'join', 'r'), ['joined']);
    assert.deepEqual(await ask(a, 'to-room', 'r', 1, { x: [2] }), ['sent']);
    assert.deepEqual(await next(b, 'room-message'), [1, { x: [2] }]);
    c.emit('to-room', 'r', 'from outside');
    assert.deepEqual(await next(a, 'room-message'), ['from outside']);
    assert.deepEqual(await next(b, 'room-message'), ['from outside']);
    a.emit('in-room', 'r', 'with me');
    assert.deepEqual(await next(a, 'room-message'), ['with me']);
    assert.deepEqual(await next(b, 'room-message'), ['with me']);
    c.emit('in-room', 'r', 'still not in');
    assert.deepEqual(await next(a, 'room-message'), ['still not in']);
    await silent(c, 'room-message', 50);
    await silent(a, 'room-message', 0);
  },

  async 'rooms: joined twice is joined once; left is left'(t) {
    const nsp = t.fresh();
    const [a, b] = await Promise.all([t.open(nsp), t.open(nsp)]);
    await ask(a, 'join', 'r');
    await ask(a, 'join', 'r');
    await ask(a, 'join', 'other');
    await ask(b, 'to-room', 'r', 1);
    assert.deepEqual(await next(a, 'room-message'), [1]);
    assert.deepEqual(await ask(a, 'leave', 'r'), ['left']);
    assert.deepEqual(await ask(a, 'leave', 'never joined'), ['left']);
    await ask(b, 'to-room', 'r', 2);
    await ask(b, 'to-room', 'other', 3);
    assert.deepEqual(await next(a, 'room-message'), [3]);
    await silent(a, 'room-message', 50);
  },

  async 'rooms: names of any kind, own id, order of info'(t) {
    const s = await t.open(t.fresh());
    const names = ['', ' ', '\u{1f980}', 'a"b', 'x'.repeat(300), '/', '__proto__'];
    for (const n of names) await ask(s, 'join', n);
    const [info] = await ask(s, 'info');
    assert.deepEqual(new Set(info.rooms), new Set([s.id, ...names]));
    const other = await t.open(s.nsp);
    for (const n of [...names, s.id]) {
      other.emit('to-room', n, n);
      assert.deepEqual(await next(s, 'room-message'), [n]);
    }
  },

  async 'rooms: of one namespace are not of another'(t) {
    const [one, two] = [t.fresh(), t.fresh()];
    const a = await t.open(one), b = await t.open(two), c = await t.open(one);
    await Promise.all([a, b, c].map((s) => ask(s, 'join', 'r')));
    await ask(a, 'to-room', 'r', 1);
    assert.deepEqual(await next(c, 'room-message'), [1]);
    await silent(b, 'room-message', 50);
  },

  async 'rooms: one that leaves is out of all of them'(t) {
    const nsp = t.fresh();
    const [a, b] = await Promise.all([t.open(nsp), t.open(nsp)]);
    await ask(a, 'join', 'r');
    const id = a.id;
    a.disconnect();
    a.connect();
    await next(a, 'auth');
    assert.notEqual(a.id, id);
    await ask(b, 'to-room', 'r', 1);
    await ask(b, 'to-room', id, 1);
    await silent(a, 'room-message', 50);
    assert.deepEqual((await ask(a, 'info'))[0].rooms, [a.id]);
  },

  async 'rooms: binary'(t) {
    const nsp = t.fresh();
    const [a, b] = await Promise.all([t.open(nsp), t.open(nsp)]);
    await ask(b, 'join', 'r');
    await ask(a, 'to-room', 'r', Buffer.from([1, 2]), { x: Buffer.from([3]) });
    assert.deepEqual(await next(b, 'room-message'),
      [Buffer.from([1, 2]), { x: Buffer.from([3]) }]);
  },

  async 'broadcast: all others of the namespace, once and in order'(t) {
    const nsp = t.fresh();
    const all = await Promise.all(Array.from({ length: 6 }, () => t.open(nsp)));
    const stranger = await t.open(t.fresh());
    for (let i = 0; i < 20; i++) all[0].emit('broadcast', i, { i });
    all[0].emit('broadcast', Buffer.from([7]));
    for (const s of all.slice(1)) {
      for (let i = 0; i < 20; i++) {
        assert.deepEqual(await next(s, 'broadcast-back'), [i, { i }]);
      }
      assert.deepEqual(await next(s, 'broadcast-back'), [Buffer.from([7])]);
    }
    await silent(all[0], 'broadcast-back', 50);
    await silent(stranger, 'broadcast-back', 0);
    await silent(all[1], 'broadcast-back', 0);
  },

  async 'auth: what the handshake said, or {}'(t) {
    const auth = { a: 1, '\u{1f980}': [null, { x: 'y' }], e: '' };
    const s = await t.open('/', { auth });
    assert.deepEqual(s.greeting, auth);
    assert.deepEqual((await ask(s, 'info'))[0].auth, auth);
    assert.deepEqual((await t.open('/')).greeting, {});
    const f = await t.open('/', { auth: (cb) => cb({ by: 'function' }) });
    assert.deepEqual(f.greeting, { by: 'function' });
  },

  async 'info: id, namespace, transport, query'(t) {
    const query = { x: 'y z', 'a&b': 'c=d', '\u00e4': '\u{1f980}', plus: '1+1',
      percent: '%41', empty: '' };
    const nsp = t.fresh();
    const s = await t.open(nsp, { query });
    await t.settled(s);
    const [info] = await ask(s, 'info');
    assert.equal(info.id, s.id);
    assert.equal(info.recovered, false);
    assert.equal(info.nsp, nsp);
    assert.equal(info.transport,
      t.transport === 'polling' ? 'polling' : 'websocket');
    assert.deepEqual(info.rooms, [s.id]);
    const { EIO, transport, t: stamp, b64, ...rest } = info.query;
    assert.equal(EIO, '4');
    assert.equal(transport, t.transports[0]);
    assert.deepEqual(rest, query);
  },

  async 'namespaces: /custom has two events'(t) {
    const s = await t.open('/custom');
    s.emit('emit-n', 3);
    s.emit('join', 'x');
    s.emit('message', 1);
    assert.deepEqual(await next(s, 'message-back'), [1]);
    assert.deepEqual(await ask(s, 'message-with-ack', 2), [2]);
    assert.equal(s.inbox.count('n'), 0);
  },

  async 'namespaces: unknown ones are refused, the connection stays'(t) {
    const main = await t.open('/');
    for (const nsp of ['/nope', '/dyn-', '/dyn-1x', '/xdyn-1', '/custom/',
      '/Custom', '/dyn-1/2', '/\u{1f980}']) {
      const s = t.also(main, nsp);
      assert.equal((await next(s, ':connect_error'))[0].message,
        'Invalid namespace', nsp);
      assert.equal(s.connected, false);
    }
    assert.deepEqual(await ask(main, 'message-with-ack', 1), [1]);
  },

  async 'namespaces: many over one connection'(t) {
    const main = await t.open('/');
    const names = ['/custom', ...Array.from({ length: 10 }, () => t.fresh())];
    const all = names.map((n) => t.also(main, n, { auth: { n } }));
    for (const s of all) {
      await next(s, ':connect');
      s.emit('message', s.nsp);
    }
    const ids = new Set([main.id]);
    for (const s of all) {
      assert.equal(s.io.engine.id, main.io.engine.id);
      ids.add(s.id);
      await next(s, 'auth');
      assert.deepEqual(await next(s, 'message-back'), [s.nsp]);
    }
    assert.equal(ids.size, all.length + 1);
    all[3].disconnect();
    assert.deepEqual(await ask(all[4], 'message-with-ack', 4), [4]);
    all[3].connect();
    await next(all[3], ':connect');
    assert.deepEqual(await ask(all[3], 'message-with-ack', 3), [3]);
    assert.deepEqual(await ask(main, 'message-with-ack', 0), [0]);
  },

  async 'middleware: refuses with data, and lets in on another try'(t) {
    const s = t.dial('/auth', { auth: { token: 'wrong' } });
    const [err] = await next(s, ':connect_error');
    assert.equal(err.message, 'not authorized');
    assert.deepEqual(err.data, { code: 'E_AUTH', content: { retry: false } });
    s.connect();
    await next(s, ':connect_error');
    s.auth = { token: 'secret' };
    s.connect();
    await next(s, ':connect');
    assert.deepEqual(await next(s, 'auth'), [{ token: 'secret' }]);
    assert.deepEqual(await ask(s, 'message-with-ack', 1), [1]);
  },

  async 'middleware: one refusal touches no other namespace'(t) {
    const main = await t.open('/');
    const s = t.also(main, '/auth');
    assert.equal((await next(s, ':connect_error'))[0].message, 'not authorized');
    assert.deepEqual(await ask(main, 'message-with-ack', 1), [1]);
    s.auth = { token: 'secret', more: 1 };
    s.connect();
    await next(s, ':connect');
    assert.deepEqual(await next(s, 'auth'), [{ token: 'secret', more: 1 }]);
    assert.equal(s.io.engine.id, main.io.engine.id);
  },
};
