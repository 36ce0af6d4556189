// cases_engine.mjs: bare Engine.IO by its own client, bare WebSocket by ws.
import assert from 'node:assert/strict';
import { Socket } from 'engine.io-client';
import { WebSocket } from 'ws';
import { within } from './client.mjs';
import { sleep } from './server.mjs';

const KINDS = { websocket: ['websocket'], polling: ['polling'],
  upgrade: ['polling', 'websocket'] };
const SIZES = [0, 1, 2, 3, 125, 126, 127, 65535, 65536, 200000];

function collect(socket, n) {
  const got = [];
  return within(new Promise((done) => {
    socket.on('message', (data) => {
      got.push(data);
      if (got.length === n) done(got);
    });
  }), `${n} messages`);
}

async function echoes(url, transports) {
  const s = new Socket(url, { path: '/engine.io/', transports });
  s.binaryType = 'arraybuffer';
  const sent = SIZES.flatMap((n) => ['\u00e4'.repeat(n), Buffer.alloc(n, 7)]);
  const all = collect(s, sent.length * 2);
  await within(new Promise((done) => { s.once('open', done); }), 'open');
  for (const x of sent) s.send(x);
  await sleep(300);
  for (const x of sent) s.send(x);
  const got = await all;
  [...sent, ...sent].forEach((x, i) => {
    if (typeof x === 'string') assert.equal(got[i] ?? '', x);
    else assert.deepEqual(Buffer.from(got[i]), x);
  });
  s.close();
}

async function wsEcho(url, opts, protocols, check) {
  const s = new WebSocket(url.replace('http', 'ws') + '/ws-echo', protocols, opts);
  s.on('error', () => {});
  const got = [];
  let wake = () => {};
  s.on('message', (data, isBinary) => { got.push([data, isBinary]); wake(); });
  await within(new Promise((done) => { s.once('open', done); }), 'open');
  check(s);
  const sent = [...SIZES, 3000000].flatMap((n) =>
    [['\u00e4'.repeat(n), false], [Buffer.alloc(n, n % 251), true]]);
  for (const [data] of sent) s.send(data);
  await within((async () => {
    while (got.length < sent.length) {
      await new Promise((done) => { wake = done; });
    }
  })(), 'echoes');
  sent.forEach(([data, isBinary], i) => {
    assert.equal(got[i][1], isBinary);
    assert.ok(got[i][0].equals(Buffer.from(data)), `message ${i}`);
  });
  const closed = new Promise((done) => { s.on('close', done); });
  s.close(1000);
  assert.equal(await within(closed, 'the end'), 1000);
}

export function engine(tap, server) {
  for (const [name, transports] of Object.entries(KINDS)) {
    tap.add(`engine.io ${name}: text and binary come back in order`,
      () => echoes(server.url, transports));
  }
  const deflate = { perMessageDeflate: { threshold: 0 } };
  tap.add('ws: echoes, no extension, no subprotocol', () => wsEcho(server.url,
    { perMessageDeflate: false }, [], (s) => {
      assert.equal(s.protocol, '');
      assert.equal(s.extensions, '');
    }));
  tap.add('ws: permessage-deflate, subprotocol', () => wsEcho(server.url,
    deflate, ['other', 'echo.nightjar'], (s) => {
      assert.equal(s.protocol, 'echo.nightjar');
      assert.match(s.extensions, /^permessage-deflate/);
    }));
  tap.add('ws: permessage-deflate without context, small windows',
    () => wsEcho(server.url, { perMessageDeflate: { threshold: 0,
      serverNoContextTakeover: true, clientNoContextTakeover: true,
      serverMaxWindowBits: 9, clientMaxWindowBits: 9 } }, [], (s) => {
      const { params } = s._extensions['permessage-deflate'];
      assert.equal(params.server_no_context_takeover, true);
      assert.ok(params.server_max_window_bits <= 9);
    }));
}
