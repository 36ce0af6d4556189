"""20_engineio.py PROGRAM | --url http://HOST:PORT: Engine.IO, revision 4, as
raw bytes on /engine.io/ and /socket.io/. Each result cites the section of the
protocol, or of our own rules for it (docs/engineio.md). With
reference/reference.mjs as PROGRAM the suite itself is proven: rows marked
'own' ask for more than Node's engine.io does and are left out. With --url a
server that runs in profile A is asked; our own program is also asked with two
threads, so that requests come to reactors other than their session's."""
import asyncio
import os
import random
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from eio_raw import (ENGINE, SEP, SOCKET, World, equal, head_of, in_time, is_closed, is_free,
                     is_ok, is_packet, opened, refused, text, ws_echoes)  # noqa: E402
from eio_rows import (BAD_BODIES, BAD_PACKETS, ECHOES, ERRORS, GOOD_QUERIES, IGNORED, PROBES,  # noqa: E402
                      WS_ERRORS)
from eio_upgrades import (UPGRADE_S, WS, bad_after_probe, bad_probe, close_while_upgrading,
                          frames_behind_handshake, get_dropped_while_upgrading, nothing_lost,
                          polls_after_upgrade, post_across_upgrade, post_dropped_across_upgrade,
                          probe_lost, second_probe, upgrade, upgrade_ends_get,
                          upgrade_ends_later_get, upgrade_in_one_piece, upgrade_socketio,
                          upgrade_too_slow, websocket_after_upgrade, websocket_of_a_websocket)  # noqa: E402
from peer import Peer, Tap  # noqa: E402
from ws_raw import WAIT_S, Client, Wrong, close, frame, request  # noqa: E402

AT_ONCE = 12
MAX = 1000000
CALM = ('--ping-interval', '60000', '--ping-timeout', '60000', '--max-payload', str(MAX),
        '--connect-timeout', '60000', '--upgrade-timeout', '60000')
BRIEF = CALM[:-1] + ('1500',)
# Node notices some ends by its timeouts alone.
NODE = ('--ping-interval', '4000', '--ping-timeout', '4000', '--upgrade-timeout', '700')
# A second, not profile A's 300 ms: a loaded machine keeps that, too.
BEATS = ('--ping-interval', '1000', '--ping-timeout', '3000', '--max-payload', str(MAX),
         '--connect-timeout', '60000', '--upgrade-timeout', '60000')
POLL = '?EIO=4&transport=polling'


# ---- Handshake ----

async def handshake_polling(w, path, query):
    got = await w.call('GET', path + query)
    is_packet(got)
    data = opened(got.text(), ['websocket'])
    equal(data['maxPayload'], MAX)
    if not all(isinstance(data[k], int) for k in ('pingInterval', 'pingTimeout', 'maxPayload')):
        raise Wrong(f'{data}')


async def handshake_websocket(w, path, query):
    c = await w.ws(path + query)
    equal(c.field('access-control-allow-origin'), '*')
    kind, data = await c.message()
    equal(kind, 'T')
    equal(opened(data.decode(), [])['maxPayload'], MAX)


async def handshake_refused(w, method, target, code, headers, body):
    got = await w.call(method, target, body, headers)
    if method == 'HEAD':
        equal(got.status, 400)
        is_free(got)
    else:
        refused(got, code)


async def websocket_refused(w, target, code, own):
    """The same answer as over polling (Node: as text), or a close."""
    c = Client(w.port)
    await c.open()
    w.open.append(c.writer.transport.abort)
    await c.send(request(target))
    if await c.read_head() == 101:
        if own:
            raise Wrong('switched')
        return
    equal(c.status, 400)
    if not own:
        return
    equal(c.field('content-type'), 'application/json')
    if f'"code":{code}'.encode() not in await c.exactly(int(c.field('content-length'))):
        raise Wrong('another code')


async def sids_differ(w):
    sids = {(await w.polling()).sid for _ in range(60)}
    sids |= {(await w.websocket())[1]['sid'] for _ in range(40)}
    equal(len(sids), 100)
    if len({s[-8:] for s in sids}) < 100:
        raise Wrong('their ends repeat')


async def sid_altered(w, at):
    s = await w.polling()
    bad = s.sid[:at] + ('A' if s.sid[at] != 'A' else 'B') + s.sid[at + 1:] if at < len(s.sid) else \
        s.sid + 'A'
    refused(await w.call('GET', f'{ENGINE}{POLL}&sid={bad}'), 1)
    await s.echoes()


async def sid_of_another_path(w):
    s = await w.polling(ENGINE)
    refused(await w.call('GET', f'{SOCKET}{POLL}&sid={s.sid}'), 1)
    await s.echoes()


async def sid_of_a_websocket(w, method):
    c, data = await w.websocket()
    refused(await w.call(method, f'{ENGINE}{POLL}&sid={data["sid"]}',
                         '4x' if method == 'POST' else None), 3)
    await ws_echoes(c)


async def other_transport(w):
    s = await w.polling()
    refused(await w.call('GET', s.ws_target), 3)
    await s.echoes()


async def other_revision(w):
    s = await w.polling()
    refused(await w.call('GET', f'{ENGINE}?EIO=3&transport=polling&sid={s.sid}'), 3)
    await s.echoes()


async def other_method(w, method):
    s = await w.polling()
    got = await w.call(method, s.target, '4x')
    is_status(got, {400, 405, 500, 501})
    await s.echoes()


def is_status(answer, statuses):
    if answer is None or answer.status not in statuses:
        raise Wrong(f'{answer}')


# ---- Messages over polling ----

async def echo(w, bodies, want):
    s = await w.polling()
    for b in bodies:
        got = await s.post(b)
        is_ok(got)
        equal(got.field('Cache-Control'), 'no-store')
    equal(await s.packets(len(want)), want)


async def echo_pending(w, body, want):
    s = await w.polling()
    h = await s.pending()
    await s.sends(body)
    got = await h.answer()
    is_packet(got)
    got = got.text().split(SEP)
    equal(got + await s.packets(len(want) - len(got)), want)


async def echo_on_one_connection(w):
    s = await w.polling()
    h = await w.http()
    for i in range(30):
        await h.ask('POST', s.target, f'4{i}')
        is_ok(await h.answer())
        await h.ask('GET', s.target)
        got = await h.answer()
        equal([p for p in got.text().split(SEP) if p != '2'], [f'4{i}'])


async def joined(w):
    """What waits for a GET comes in one payload."""
    s = await w.polling()
    for i in range(5):
        await s.sends(f'4{i}')
    equal((await s.get()).text(), SEP.join(f'4{i}' for i in range(5)))


async def in_order(w, pieces, each):
    s = await w.polling()
    want = [f'4{i}' for i in range(pieces * each)]
    for i in range(0, len(want), each):
        await s.sends(*want[i:i + each])
    equal(await s.packets(len(want)), want)


async def while_polled(w):
    """Packets that come while GETs come and go."""
    s = await w.polling()
    want = [f'4{i}' for i in range(100)]
    fetched = asyncio.ensure_future(s.packets(len(want)))
    for p in want:
        await s.sends(p)
    equal(await fetched, want)


async def chunked(w):
    s = await w.polling()
    h = await w.http()
    await h.send(head_of('POST', s.target, headers={'Transfer-Encoding': 'chunked'}) +
                 b'3\r\n4ab\r\n4\r\nc\x1e4d\r\n0\r\n\r\n')
    is_ok(await h.answer())
    equal(await s.packets(2), ['4abc', '4d'])


async def in_bytes(w):
    s = await w.polling()
    h = await w.http()
    for b in head_of('POST', s.target, b'4hello') + b'4hello':
        await h.send(bytes([b]))
        await asyncio.sleep(0.001)
    is_ok(await h.answer())
    equal(await s.packets(1), ['4hello'])


async def bad_body(w, body, headers, first):
    """Closed: whatever the POST is told."""
    s = await w.polling()
    h = await s.pending()
    got = await s.post(body, **headers)
    is_status(got, {200, 400})
    packets = (await h.answer()).text().split(SEP)
    if first:
        equal(packets[0], first)
    else:
        equal(packets, ['1'])
    await s.is_gone()


async def ignored(w, packet):
    s = await w.polling()
    await s.sends(packet)
    await s.echoes()


async def ignored_websocket(w, packet):
    c, _ = await w.websocket()
    await c.send(text(packet))
    await ws_echoes(c)


async def bad_websocket(w, data):
    c, opened_with = await w.websocket()
    await c.send(data)
    await is_closed(c)
    refused(await w.call('GET', f'{ENGINE}{POLL}&sid={opened_with["sid"]}'), 1)


# ---- Requests that overlap or break off ----

async def two_gets(w):
    s = await w.polling()
    first = await s.pending()
    second = await s.get()
    is_status(second, {400, 500})
    equal((await first.answer()).text(), '1')
    await s.is_gone()


async def two_posts(w):
    s = await w.polling()
    first = await w.http()
    await first.send(head_of('POST', s.target, b'4hello') + b'4he')
    await asyncio.sleep(0.1)
    got = await s.post('4x')
    is_status(got, {400})
    await s.is_gone()


async def get_and_post(w):
    """They are no overlap."""
    s = await w.polling()
    h = await s.pending()
    await s.sends('4a')
    equal((await h.answer()).text(), '4a')
    await s.echoes()


async def get_dropped(w, how):
    s = await w.polling()
    h = await s.pending()
    if how == 'half':
        h.writer.write_eof()
    else:
        h.shut()
    await asyncio.sleep(0.15)
    await s.is_gone()


async def post_dropped(w):
    s = await w.polling()
    h = await w.http()
    await h.send(head_of('POST', s.target, b'4hello') + b'4he')
    await asyncio.sleep(0.05)
    h.shut()
    await asyncio.sleep(0.15)
    await s.is_gone()


async def answered_dropped(w):
    """A connection that ends after its answer ends nothing else."""
    s = await w.polling()
    h = await s.pending()
    await s.sends('4a')
    equal((await h.answer()).text(), '4a')
    h.shut()
    await asyncio.sleep(0.1)
    await s.echoes()


# ---- Limits ----

async def post_of(w, n, headers=None):
    s = await w.polling()
    body = b'4' + b'x' * (n - 1)
    got = await s.post(body, **(headers or {}))
    if n > MAX:
        is_free(got)
        equal(got.status, 413)
        await s.echoes()
        return
    is_ok(got)
    equal(await s.packets(1), [body.decode()])


async def post_chunks_of(w, n):
    s = await w.polling()
    h = await w.http()
    await h.send(head_of('POST', s.target, headers={'Transfer-Encoding': 'chunked'}))
    try:
        for _ in range(n // 10000):
            await h.send(b'2710\r\n' + b'4' * 10000 + b'\r\n')
        await h.send(b'1\r\n4\r\n0\r\n\r\n')
    except ConnectionError:
        pass
    got = await h.answer()
    is_free(got)
    equal(got.status, 413)
    await s.echoes()


async def payloads_limited(w):
    """What waits comes in payloads of at most maxPayload bytes."""
    s = await w.polling()
    want = [f'4{i}' + 'x' * 99000 for i in range(25)]
    for i in range(0, 25, 5):
        await s.sends(*want[i:i + 5])
    got = []
    while len(got) < 25:
        answer = await s.get()
        is_packet(answer)
        if len(answer.body) > MAX:
            raise Wrong(f'{len(answer.body)} bytes')
        got += [p for p in answer.text().split(SEP) if p != '2']
    equal(got, want)


async def unread_is_bounded(w):
    """Who never polls does not fill the server: at last the session ends."""
    s = await w.polling()
    for _ in range(40):
        got = await s.post('4' + 'x' * 999000)
        if got is None or got.status != 200:
            break
    else:
        raise Wrong('40 MB wait for who does not poll')
    await s.is_gone()


async def websocket_too_large(w):
    c, data = await w.websocket()
    await c.send_quietly(text('4' + 'x' * MAX))
    got = await c.message()
    equal(got, ('C', 1009))
    refused(await w.call('GET', f'{ENGINE}{POLL}&sid={data["sid"]}'), 1)


# ---- Close ----

async def close_packet(w, pending):
    s = await w.polling()
    h = await s.pending() if pending else None
    await s.sends('1')
    if pending:
        got = await h.answer()
        is_packet(got)
        equal(got.text(), '6')
    await s.is_gone()


async def close_behind_messages(w):
    s = await w.polling()
    h = await s.pending()
    await s.sends('4a', '1', '4b')
    got = (await h.answer()).text()
    if got not in ('6', '4a', '4a' + SEP + '6'):
        raise Wrong(got)
    await s.is_gone()


async def close_websocket(w, how):
    c, data = await w.websocket()
    if how == 'packet':
        await c.send(text('1'))
        await is_closed(c)
    elif how == 'frame':
        await c.send(close(1000))
        await is_closed(c)
    await c.shut()
    await asyncio.sleep(0.1)
    refused(await w.call('GET', f'{ENGINE}{POLL}&sid={data["sid"]}'), 1)


async def closed_by_the_server(w):
    """The app closes: the next GET still hears what waits, and of the end."""
    s = await w.polling(SOCKET)
    await s.sends('40')
    await s.packets(2)          # its CONNECT and auth
    await s.sends('42["emit-n",3]', '42["disconnect-me",true]')
    await asyncio.sleep(0.1)
    got = []
    while '1' not in got:
        answer = await s.get()
        is_packet(answer)
        got += answer.text().split(SEP)
    equal([p for p in got if p[0] != '6'], ['42["n",0]', '42["n",1]', '42["n",2]', '41', '1'])
    await s.is_gone()


# ---- CORS ----

async def preflight(w, path, query, asked):
    got = await w.call('OPTIONS', path + query, headers={
        'Origin': 'https://other.example', 'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked})
    is_free(got)
    equal(got.status, 204)
    methods = got.field('Access-Control-Allow-Methods') or ''
    if 'POST' not in methods or 'GET' not in methods:
        raise Wrong(f'methods {methods}')
    if asked and (got.field('Access-Control-Allow-Headers') or '').lower() != asked:
        raise Wrong(f'headers {got.field("Access-Control-Allow-Headers")}')


async def foreign_origin(w):
    """Answers of any kind may be read by pages of any site."""
    o = {'Origin': 'https://other.example'}
    got = await w.call('GET', ENGINE + POLL, headers=o)
    is_packet(got)
    sid = opened(got.text(), ['websocket'])['sid']
    is_ok(await w.call('POST', f'{ENGINE}{POLL}&sid={sid}', '4a', o))
    is_packet(await w.call('GET', f'{ENGINE}{POLL}&sid={sid}', headers=o))
    refused(await w.call('GET', f'{ENGINE}{POLL}&sid=unknown', headers=o), 1)


# ---- Heartbeat ----

def beats(data):
    """(interval, timeout) of a session in seconds, as its handshake says."""
    return data['pingInterval'] / 1000, data['pingTimeout'] / 1000


async def ping_pending(w):
    s = await w.polling()
    for _ in range(4):
        begin = time.monotonic()
        got = await s.get()
        in_time(begin, 0)
        is_packet(got)
        equal(got.text(), '2')
        await s.sends('3')


async def ping_fetched(w):
    """A ping waits for its GET like any packet."""
    s = await w.polling()
    interval, timeout = beats(s.data)
    for _ in range(2):
        await asyncio.sleep(interval + timeout * 0.2)
        begin = time.monotonic()
        equal((await s.get()).text(), '2')
        if time.monotonic() - begin > interval * 0.9:
            raise Wrong('it did not wait there')
        await s.sends('3')


async def no_pong_polling(w, method):
    s = await w.polling()
    equal((await s.get()).text(), '2')
    await asyncio.sleep(beats(s.data)[1] * 2)
    refused(await (s.get() if method == 'GET' else s.post('3')), 1)


async def no_pong_pending(w):
    """The GET that waits then hears of the end."""
    s = await w.polling()
    equal((await s.get()).text(), '2')
    begin = time.monotonic()
    got = await s.get()
    is_packet(got)
    equal(got.text(), '1')
    in_time(begin, beats(s.data)[1] * 0.8)
    await s.is_gone()


async def no_poll(w):
    s = await w.polling()
    await asyncio.sleep(1.5 * sum(beats(s.data)))
    await s.is_gone()


async def ping_websocket(w):
    c, data = await w.websocket()
    for _ in range(4):
        begin = time.monotonic()
        equal(await c.message(), ('T', b'2'))
        # We may have been late to look, or the pong to be sent.
        in_time(begin, beats(data)[0] * 0.4)
        await c.send(text('3'))


async def no_pong_websocket(w, with_messages):
    c, data = await w.websocket()
    begin = time.monotonic()
    equal(await c.message(), ('T', b'2'))
    if with_messages:
        await ws_echoes(c)
    await is_closed(c)
    in_time(begin, sum(beats(data)) * 0.8)
    refused(await w.call('GET', f'{ENGINE}{POLL}&sid={data["sid"]}'), 1)


async def pong_of_nothing(w):
    """A pong that nobody asked for changes nothing."""
    c, _ = await w.websocket()
    await c.send(text('3'))
    await ws_echoes(c)
    equal(await c.message(), ('T', b'2'))


async def ping_while_upgrading(w):
    s = await w.polling()
    c = await s.probe()
    interval, timeout = beats(s.data)
    await asyncio.sleep(interval + timeout * 0.2)
    await c.send(text('5'))
    equal(await c.message(), ('T', b'2'))
    await c.send(text('3'))
    await ws_echoes(c)


async def ping_after_upgrade(w):
    s = await w.polling()
    c = await s.upgrade()
    for _ in range(3):
        equal(await c.message(), ('T', b'2'))
        await c.send(text('3'))
    await ws_echoes(c)


# ---- Many, and anything ----

async def many_sessions(w):
    async def one(i):
        s = await w.polling()
        await s.echoes(f'4{i}')
        if i % 2:
            await ws_echoes(await s.upgrade(), f'4{i} again')
    await asyncio.gather(*(one(i) for i in range(60)))


async def garbage_bodies(w, seed):
    r = random.Random(seed)
    for _ in range(25):
        s = await w.polling()
        body = bytes(r.choice(b'0123456b\x1e=A{"\xff\x00z') for _ in range(r.randrange(40)))
        got = await s.post(body)
        is_status(got or await w.call('GET', '/healthz'), {200, 400})


async def garbage_probes(w, seed):
    r = random.Random(seed)
    for _ in range(10):
        s = await w.polling()
        c = await w.ws(s.ws_target)
        for _ in range(3):
            data = bytes(r.choice(b'0123456probe\xff') for _ in range(r.randrange(8)))
            await c.send_quietly(frame(r.choice((1, 2)), data))
        await c.shut()


async def garbage_queries(w, seed):
    r = random.Random(seed)
    for _ in range(40):
        query = ''.join(r.choice(['EIO=4', '&', 'transport=polling', 'sid=', '%41', '%', '=', '+', 'x', '?'])
                        for _ in range(r.randrange(8)))
        got = await w.call(r.choice(('GET', 'POST')), f'{ENGINE}?{query}')
        is_status(got, {200, 400})


def rows(own):
    """(section, what, coroutine function, arguments) of each case."""
    for path in (ENGINE, SOCKET):
        for what, query in GOOD_QUERIES:
            yield 'Handshake', f'{path}: polling, {what}', handshake_polling, (path, POLL + query)
            yield 'Handshake', f'{path}: websocket, {what}', handshake_websocket, (path, WS + query)
        for what, method, query, code, *marks in ERRORS:
            if own or not marks:
                yield 'Handshake', f'{path}: {what}', handshake_refused, (
                    method, path + query, code, {}, '4x' if method in ('POST', 'PUT') else None)
        for what, query, code in WS_ERRORS:
            yield 'Handshake', f'{path}: WebSocket, {what}', websocket_refused, (path + query, code, own)
        for asked in ('content-type', 'x-one,x-two', None):
            yield 'CORS', f'{path}: preflight for {asked}', preflight, (path, POLL, asked)
    yield 'Handshake', '100 ids, all different', sids_differ, ()
    for at in (0, 2, 5, 15, 19, 99):
        yield 'Handshake', f'an id altered at {at}', sid_altered, (at,)
    yield 'Handshake', 'an id of another path', sid_of_another_path, ()
    for m in ('GET', 'POST'):
        yield 'Handshake', f'{m} for a WebSocket session', sid_of_a_websocket, (m,)
    yield 'Handshake', 'another transport without an upgrade', other_transport, ()
    yield 'Handshake', 'another revision for a session', other_revision, ()
    for m in ('PUT', 'DELETE', 'PATCH'):
        yield 'HTTP long-polling', f'{m} for a session', other_method, (m,)
    yield 'CORS', 'answers for a foreign origin', foreign_origin, ()
    for what, bodies, want in ECHOES:
        yield 'Packet encoding', what, echo, (bodies, want)
        if len(bodies) == 1:
            yield 'HTTP long-polling', f'{what}, a GET waits', echo_pending, (bodies[0], want)
    yield 'HTTP long-polling', 'all on one connection', echo_on_one_connection, ()
    yield 'HTTP long-polling', 'what waits comes in one payload', joined, ()
    for pieces, each in ((50, 1), (5, 100), (1, 1000)):
        yield 'HTTP long-polling', f'{pieces} POSTs of {each}, in order', in_order, (pieces, each)
    yield 'HTTP long-polling', '100 packets while it is polled', while_polled, ()
    yield 'HTTP long-polling', 'a body in chunks', chunked, ()
    yield 'HTTP long-polling', 'a POST byte by byte', in_bytes, ()
    for what, body, headers, first, *marks in BAD_BODIES:
        if own or not marks:
            yield 'Packet encoding', f'{what}: closed', bad_body, (body, headers, first)
    for what, data in BAD_PACKETS:
        yield 'Packet encoding', f'WebSocket, {what}: closed', bad_websocket, (data,)
    for p in IGNORED:
        yield 'Packet encoding', f'{p} says nothing', ignored, (p,)
        yield 'Packet encoding', f'WebSocket: {p} says nothing', ignored_websocket, (p,)
    yield 'HTTP long-polling', 'two GETs at once: closed', two_gets, ()
    yield 'HTTP long-polling', 'two POSTs at once: closed', two_posts, ()
    yield 'HTTP long-polling', 'a GET and a POST at once', get_and_post, ()
    for how in ('half', 'all'):
        yield 'HTTP long-polling', f'a GET that is dropped ({how}): closed', get_dropped, (how,)
    yield 'HTTP long-polling', 'a POST that is dropped: closed', post_dropped, ()
    yield 'HTTP long-polling', 'an answered GET is nothing to drop', answered_dropped, ()
    for n in (1, 2, 65536, MAX - 1, MAX, MAX + 1, MAX + 65536):
        yield 'maxPayload', f'a POST of {n}', post_of, (n,)
    yield 'maxPayload', 'too many chunks', post_chunks_of, (MAX,)
    yield 'maxPayload', 'a WebSocket message above it', websocket_too_large, ()
    if own:
        yield 'maxPayload', 'payloads of the server', payloads_limited, ()
        yield 'maxPayload', 'what nobody fetches', unread_is_bounded, ()
    for pending in (True, False):
        yield 'Close', f'by POST, a GET waits: {pending}', close_packet, (pending,)
    yield 'Close', 'behind messages', close_behind_messages, ()
    for how in ('packet', 'frame', 'end'):
        yield 'Close', f'WebSocket, {how}', close_websocket, (how,)
    yield 'Close', 'by the server, over polling', closed_by_the_server, ()
    yield from upgrade_rows(own)
    for i in range(4):
        yield 'Packet encoding', f'any body, {i}', garbage_bodies, (i,)
        yield 'Upgrade', f'any probe, {i}', garbage_probes, (i,)
        yield 'Handshake', f'any query, {i}', garbage_queries, (i,)


def upgrade_rows(own):
    yield 'Upgrade', 'as it should be', upgrade, ()
    yield 'Upgrade', 'a waiting GET ends', upgrade_ends_get, ()
    yield 'Upgrade', 'later GETs end at once', upgrade_ends_later_get, ()
    yield 'Upgrade', 'all in one piece', upgrade_in_one_piece, (('2probe', '5', '4a', '4b'),)
    yield 'Upgrade', 'probed twice', upgrade_in_one_piece, (('2probe', '2probe', '5', '4a'),)
    yield 'Upgrade', 'not probed', upgrade_in_one_piece, (('5', '4a'),)
    yield 'Upgrade', 'frames behind the request', frames_behind_handshake, ()
    for when in ((), ('fetch before',), ('fetch during',), ('fetch before', 'fetch during')):
        yield 'Upgrade', f'nothing lost, doubled or reordered {when}', nothing_lost, (when,)
    if own:
        yield 'Upgrade', 'a POST that goes across it', post_across_upgrade, ()
        yield 'Upgrade', 'a POST that is dropped across it', post_dropped_across_upgrade, ()
    for what, data in PROBES:
        yield 'Upgrade', f'{what} instead of a probe', bad_probe, (data,)
        yield 'Upgrade', f'{what} instead of 5', bad_after_probe, (data,)
    for probed in (False, True):
        for how in ('frame', 'end'):
            yield 'Upgrade', f'the WebSocket is lost by {how}, probed: {probed}', probe_lost, (how, probed)
        yield 'Upgrade', f'a second WebSocket, probed: {probed}', second_probe, (probed,)
    yield 'Upgrade', 'polls afterwards', polls_after_upgrade, ()
    yield 'Upgrade', 'a WebSocket afterwards', websocket_after_upgrade, ()
    yield 'Upgrade', 'of what is a WebSocket', websocket_of_a_websocket, ()
    yield 'Upgrade', 'closed meanwhile', close_while_upgrading, ()
    yield 'Upgrade', 'a GET is dropped meanwhile', get_dropped_while_upgrading, ()
    yield 'Upgrade', 'of Socket.IO', upgrade_socketio, ()
    yield 'Upgrade', '60 sessions at once', many_sessions, ()


def heartbeat_rows(own):
    yield 'Heartbeat', 'pings and pongs over polling', ping_pending, ()
    yield 'Heartbeat', 'a ping waits for its GET', ping_fetched, ()
    for m in ('GET', 'POST'):
        yield 'Heartbeat', f'no pong over polling, then {m}', no_pong_polling, (m,)
    yield 'Heartbeat', 'no pong, a GET waits', no_pong_pending, ()
    yield 'Heartbeat', 'no poll at all', no_poll, ()
    yield 'Heartbeat', 'pings and pongs over WebSocket', ping_websocket, ()
    yield 'Heartbeat', 'no pong over WebSocket', no_pong_websocket, (False,)
    if own:
        yield 'Heartbeat', 'messages are no pong', no_pong_websocket, (True,)
    yield 'Heartbeat', 'a pong of nothing', pong_of_nothing, ()
    yield 'Heartbeat', 'while it is upgraded', ping_while_upgrading, ()
    yield 'Heartbeat', 'after an upgrade', ping_after_upgrade, ()


def brief_rows():
    for probed in (False, True):
        yield 'Upgrade', f'too slow, probed: {probed}', upgrade_too_slow, (probed,)


async def run(port, cases, where):
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(section, what, fn, args):
        name = f'Engine.IO 4, {section}: {what}{where}'
        async with gate:
            w = World(port)
            try:
                await asyncio.wait_for(fn(w, *args), 3 * WAIT_S)
            except Exception as e:      # noqa: BLE001: any is this case's failure
                return name, f'{type(e).__name__}: {e}'
            finally:
                w.shut()
            return name, None

    return await asyncio.gather(*(one(*c) for c in cases))


def tell(tap, results):
    for result in results:
        tap.result(*result)


def run_program(tap, program, own, more, where):
    async def all_three():
        return await asyncio.gather(run(calm.port, rows(own), where),
                                    run(beat.port, heartbeat_rows(own), where),
                                    run(brief.port, brief_rows(), where))
    with Peer(program, CALM + more + (() if own else NODE)) as calm, Peer(program, BEATS + more) as beat, \
            Peer(program, BRIEF + more) as brief:
        for results in asyncio.run(all_three()):
            tell(tap, results)
        for p in (calm, beat, brief):
            with tap.case(f'it lives after all that{where}'):
                assert p.child.poll() is None
                asyncio.run(handshake_polling(World(p.port), ENGINE, POLL))


def main():
    tap = Tap()
    if sys.argv[1] == '--url':
        port = urllib.parse.urlparse(sys.argv[2]).port
        own = 'own' in sys.argv
        tell(tap, asyncio.run(run(port, rows(own), '')))
        tell(tap, asyncio.run(run(port, heartbeat_rows(own), '')))
        return tap.done()
    own = not sys.argv[1].endswith('.mjs')
    run_program(tap, sys.argv[1], own, (), '')
    if own:
        run_program(tap, sys.argv[1], own, ('--threads', '2'), ', two threads')
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
