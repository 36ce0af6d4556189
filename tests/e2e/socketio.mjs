// socketio.mjs NIGHTJARD: the unmodified socket.io-client from npm against a
// real server, over WebSocket, plain and TLS, with the handshake dialect and the suite
// `other`: two people register, connect, exchange messages and marks.
// Prints TAP; every check can fail.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { freePort } from '../lib/ports.mjs';

const nightjard = process.argv[2];
const LIMITS = ['cheap', 'connects', 'login', 'messages', 'messages_hour',
  'refresh', 'register', 'rest', 'sockets'];
const WAIT_MS = 40000;
let tests = 0, failures = 0;

function check(ok, name, why = '') {
  tests++;
  if (!ok) failures++;
  console.log(`${ok ? 'ok' : 'not ok'} ${tests} - ${name}${ok ? '' : ' # ' + why}`);
}

function rest(port, method, path, body, token) {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const r = request({ host: '127.0.0.1', port, method, path, headers: {
      ...(text && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
      ...(token && { Authorization: `Bearer ${token}` }) } }, (res) => {
      let s = '';
      res.setEncoding('utf8');
      res.on('data', (d) => { s += d; });
      res.on('end', () => {
        try { resolve({ status: res.statusCode, headers: res.headers, body: s ? JSON.parse(s) : null }); }
        catch (e) { resolve({ status: res.statusCode, headers: res.headers, body: s }); }
      });
    });
    r.on('error', reject);
    r.end(text);
  });
}

/** The next `event` for which `want` holds, or a rejection after WAIT_MS. */
function next(socket, event, want = () => true) {
  return new Promise((resolve, reject) => {
    const t = setTimeout(() => { socket.off(event, on); reject(new Error(`no ${event}`)); }, WAIT_MS);
    function on(data) {
      if (!want(data)) return;
      clearTimeout(t);
      socket.off(event, on);
      resolve(data);
    }
    socket.on(event, on);
  });
}

async function start(data, port, tls) {
  const child = spawn(nightjard, ['serve', '--data', data,
    '--set', `listen.http=127.0.0.1:${port}`, '--set', `listen.https=127.0.0.1:${tls}`,
    ...LIMITS.flatMap((l) => ['--set', `limits.${l}=0`])],
  { stdio: ['ignore', 'ignore', process.env.NJ_VERBOSE ? 'inherit' : 'ignore'] });
  for (let i = 0; i < 200; i++) {
    try { if ((await rest(port, 'GET', '/ready')).status === 200) return child; } catch { /* not yet */ }
    await new Promise((r) => setTimeout(r, 50));
  }
  throw new Error('the server did not become ready');
}

async function person(port, name) {
  const r = await rest(port, 'POST', '/api/auth/register', { username: name,
    email: `${name}@example.org`, password: 'Correct-Horse-7' });
  check(r.status === 201, `${name} registers`, JSON.stringify(r.body));
  return { name, id: r.body.data.user.id, token: r.body.data.tokens.accessToken };
}

async function connect(url, who, extra = {}) {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false,
    rejectUnauthorized: false, auth: { token: who.token, ...extra } });
  const hello = await next(socket, 'connection:acknowledged');
  check(hello.userId === who.id, `${who.name}: connection:acknowledged names the user`, JSON.stringify(hello));
  return { socket, hello };
}

async function conversation(port, url, label, a, b) {
  const one = await connect(url, a), two = await connect(url, b);
  const chat = (await rest(port, 'POST', '/api/chats', { type: 'direct', memberIds: [b.id] }, a.token)).body.data.chatId;
  const sent = { chatId: chat, encryptedContent: 'aGVsbG8=', iv: 'AAAAAAAAAAAAAAAA', clientMessageId: randomUUID() };
  const arrives = next(two.socket, 'message:new', (m) => m.clientMessageId === sent.clientMessageId);
  const ack = await one.socket.timeout(WAIT_MS).emitWithAck('message:send', sent);
  check(typeof ack.messageId === 'string' && ack.chatId === chat && ack.position > 0, `${label}: the send is acknowledged`, JSON.stringify(ack));
  const got = await arrives;
  check(got.encryptedContent === sent.encryptedContent && got.iv === sent.iv && got.senderId === a.id
    && got.suite === 'other' && got.messageId === ack.messageId && got.position === ack.position,
  `${label}: the recipient gets the same bytes`, JSON.stringify(got));
  const again = await one.socket.timeout(WAIT_MS).emitWithAck('message:send', sent);
  check(again.messageId === ack.messageId, `${label}: the same clientMessageId is the same message`, JSON.stringify(again));

  const read = next(one.socket, 'message:read', (m) => m.chatId === chat);
  two.socket.emit('message:read', { chatId: chat, position: got.position });
  check((await read).userId === b.id, `${label}: the sender hears that it was read`);
  const typing = next(one.socket, 'typing:indicator', (m) => m.chatId === chat && m.isTyping);
  two.socket.emit('typing:start', { chatId: chat });
  check((await typing).userId === b.id, `${label}: typing is seen`);

  const bad = await one.socket.timeout(WAIT_MS).emitWithAck('message:send', { chatId: randomUUID(), encryptedContent: 'x', iv: '' });
  check(bad.error && bad.error.code === 'not_found', `${label}: a foreign chat is not found`, JSON.stringify(bad));
  const typo = await one.socket.timeout(WAIT_MS).emitWithAck('message:send', { ...sent, chatID: chat });
  check(typo.error && typo.error.code === 'validation_failed', `${label}: an unknown member is refused`, JSON.stringify(typo));

  const N = 200, seen = [];
  const all = new Promise((resolve) => two.socket.on('message:new', (m) => {
    if (m.encryptedContent.startsWith('n')) seen.push(Number(m.encryptedContent.slice(1)));
    if (seen.length === N) resolve();
  }));
  const acks = await Promise.all(Array.from({ length: N }, (_, i) =>
    one.socket.timeout(WAIT_MS).emitWithAck('message:send', { chatId: chat, encryptedContent: `n${i}`, iv: '' })));
  await Promise.race([all, new Promise((r) => setTimeout(r, WAIT_MS))]);
  check(acks.every((x, i) => i === 0 || x.position > acks[i - 1].position), `${label}: positions grow in the order of sending`);
  check(seen.length === N && seen.every((x, i) => x === i), `${label}: ${N} messages arrive once and in order`, `${seen.length}: ${seen.slice(0, 20)}`);

  two.socket.disconnect();
  const missed = await one.socket.timeout(WAIT_MS).emitWithAck('message:send', { chatId: chat, encryptedContent: 'missed', iv: '' });
  const back = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, rejectUnauthorized: false,
    auth: { token: b.token, after: missed.position - 1 } });
  const caught = await next(back, 'message:new');
  check(caught.encryptedContent === 'missed', `${label}: what was missed comes with 'after'`, JSON.stringify(caught));
  back.disconnect();
  one.socket.disconnect();
}

const data = mkdtempSync(join(tmpdir(), 'nightjar-sio-'));
const port = await freePort(), tls = await freePort();
let child;
try {
  child = await start(data, port, tls);
  const a = await person(port, 'sio_alice'), b = await person(port, 'sio_bob');
  const wrong = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true, reconnection: false, auth: { token: a.token + 'x' } });
  const refused = await next(wrong, 'connect_error');
  check(refused.message === 'Authentication failed' && refused.data?.code === 'invalid_token', 'a bad token is refused in the handshake', `${refused.message} ${JSON.stringify(refused.data)}`);
  wrong.disconnect();
  await conversation(port, `http://127.0.0.1:${port}`, 'plain', a, b);
  await conversation(port, `https://127.0.0.1:${tls}`, 'TLS', a, b);
  const { socket } = await connect(`http://127.0.0.1:${port}`, a);
  const ended = next(socket, 'session:ended'), gone = next(socket, 'disconnect');
  await rest(port, 'POST', '/api/auth/logout', undefined, a.token);
  check(Boolean(await ended), 'logout tells the socket');
  const reason = await gone;
  check(reason === 'io server disconnect', 'and disconnects it', reason);
  check((await rest(port, 'GET', '/api/auth/me', undefined, a.token)).status === 401, 'and the token is refused');
  const exit = new Promise((r) => child.on('exit', (code, signal) => r(signal ?? code)));
  child.kill('SIGTERM');
  check(await exit === 0, 'SIGTERM ends the server with status 0');
} catch (e) {
  check(false, 'no exception', e.stack ?? String(e));
} finally {
  child?.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
}
console.log(`1..${tests}`);
process.exit(failures === 0 ? 0 : 1);
