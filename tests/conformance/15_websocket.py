"""15_websocket.py PROGRAM: RFC 6455 and RFC 7692 as raw bytes, rule by rule,
on /ws-echo, /engine.io/ and /socket.io/. Each result cites its section. With
reference/reference.mjs as PROGRAM the suite itself is proven: rows marked
'own' ask for more than Node's ws does and are left out."""
import asyncio
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ws_deflate as zipped  # noqa: E402
from peer import PROFILE_A, Peer, Tap  # noqa: E402
from ws_raw import (BINARY, KEY, PING, TEXT, WAIT_S, Client, Wrong, accept_of,  # noqa: E402
                    chops, close, frame, nonce, request)
from ws_rows import EVERYWHERE, ROWS, body  # noqa: E402

AT_ONCE = 24
# No ping of Engine.IO between the frames, nor an end by one.
CALM = ('--ping-interval', '120000', '--ping-timeout', '120000', '--connect-timeout', '120000')
EIO = '?EIO=4&transport=websocket'
MAX = 1 << 26           # --ws-max as it is without the flag
LINE = 'GET /ws-echo HTTP/1.1'
B18 = 'dGhlIHNhbXBsZSBub25jZQ'
# (section, what, request, headers that must be in the answer)
ACCEPTED = [
    ('4.2.1', 'the least that is needed', request(), {}),
    ('1.3', 'the answer to the key of the RFC', request(),
     {'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='}),
    ('4.2.2', 'the fields of the answer', request(), {'upgrade': 'websocket', 'connection': 'Upgrade'}),
    ('4.2.1', 'Connection with other options', request(Connection='keep-alive, Upgrade'), {}),
    ('4.2.1', 'Connection in two fields', request(Connection=['keep-alive', 'Upgrade']), {}),
    ('4.2.1', 'Connection without case', request(Connection='upGRADE'), {}),
    ('4.2.1', 'Upgrade without case', request(Upgrade='WebSocket'), {}),
    ('4.2.1', 'names of fields without case', request().replace(b'Upgrade:', b'uPGRADE:').replace(
        b'Sec-WebSocket-Key', b'SEC-WEBSOCKET-KEY').replace(b'Sec-WebSocket-V', b'sec-websocket-v'), {}),
    ('4.2.1', 'a foreign origin', request(Origin='https://other.example'), {}),
    ('4.2.1', 'no blanks behind the colons', request().replace(b': ', b':'), {}),
    ('4.2.1', 'blanks around the values', request().replace(b'\r\nUpgrade: websocket',
                                                           b'\r\nUpgrade: \t websocket \t'), {}),
    ('4.2.1', 'a query', request('/ws-echo?a=b&c=%20'), {}),
    ('4.2.1', 'fields that nobody knows', request(X_One='1', Cookie='a=b', User_Agent='x'), {}),
    ('4.2.1', 'the absolute form', request(line='GET http://x/ws-echo HTTP/1.1'), {}, 'own'),
    ('4.2.2', 'a subprotocol', request(Sec_WebSocket_Protocol='echo.nightjar'),
     {'sec-websocket-protocol': 'echo.nightjar'}),
    ('4.2.2', 'one of several', request(Sec_WebSocket_Protocol='a, b ,echo.nightjar,c'),
     {'sec-websocket-protocol': 'echo.nightjar'}),
    ('4.1', 'subprotocols in two fields', request(Sec_WebSocket_Protocol=['a', 'echo.nightjar']),
     {'sec-websocket-protocol': 'echo.nightjar'}),
    ('4.2.2', 'none of those', request(Sec_WebSocket_Protocol='a, b'), {'sec-websocket-protocol': None}),
    ('4.2.2', 'a subprotocol in another case', request(Sec_WebSocket_Protocol='Echo.Nightjar'),
     {'sec-websocket-protocol': None}),
    ('4.2.2', 'no subprotocol', request(), {'sec-websocket-protocol': None}),
    ('4.2.2', 'no extension', request(), {'sec-websocket-extensions': None}),
    ('9.1', 'an unknown extension', request(Sec_WebSocket_Extensions='x-foo; bar=1; baz="q"'),
     {'sec-websocket-extensions': None}),
    ('9.1', 'unknown extensions in two fields', request(Sec_WebSocket_Extensions=['a, b', 'c; d']),
     {'sec-websocket-extensions': None}),
] + [('4.2.2', f'the answer to key {i}', request(Sec_WebSocket_Key=k),
      {'sec-websocket-accept': accept_of(k)}) for i, k in enumerate(nonce() for _ in range(4))]
# (section, what, request, statuses)
REFUSED = [
    ('4.2.1', 'POST', request(line='POST /ws-echo HTTP/1.1'), {400, 405}),
    ('4.2.1', 'PUT', request(line='PUT /ws-echo HTTP/1.1'), {400, 405}),
    ('4.2.1', 'OPTIONS', request(line='OPTIONS /ws-echo HTTP/1.1'), {400, 405}),
    ('4.2.1', 'HTTP/1.0', request(line='GET /ws-echo HTTP/1.0'), {400, 426, 505}, 'own'),
    ('4.2.1', 'no Host', request(Host=None), {400}, 'own'),
    ('4.2.1', 'two Hosts', request(Host=['x', 'y']), {400}, 'own'),
    ('4.2.1', 'Upgrade to something else', request(Upgrade='h2c'), {400, 426}),
    ('4.2.1', 'no key', request(Sec_WebSocket_Key=None), {400}),
    ('4.2.1', 'an empty key', request(Sec_WebSocket_Key=''), {400}),
    ('4.2.1', 'a key of 15 bytes', request(Sec_WebSocket_Key='AAAAAAAAAAAAAAAAAAAA'), {400}),
    ('4.2.1', 'a key of 17 bytes', request(Sec_WebSocket_Key='AAAAAAAAAAAAAAAAAAAAAAA='), {400}),
    ('4.2.1', 'a key without padding', request(Sec_WebSocket_Key=B18), {400}),
    ('4.2.1', 'a key that is no base64', request(Sec_WebSocket_Key='!' * 22 + '=='), {400}),
    ('4.2.1', 'a key in base64 of URLs', request(Sec_WebSocket_Key='_-' * 11 + '=='), {400}),
    ('4.2.1', 'two keys', request(Sec_WebSocket_Key=[KEY, KEY]), {400}),
    ('4.2.1', 'no version', request(Sec_WebSocket_Version=None), {400, 426}),
    ('4.4', 'version 0', request(Sec_WebSocket_Version='0'), {400, 426}),
    ('4.4', 'version 7', request(Sec_WebSocket_Version='7'), {400, 426}),
    ('4.4', 'version 12', request(Sec_WebSocket_Version='12'), {400, 426}),
    ('4.4', 'version 14', request(Sec_WebSocket_Version='14'), {400, 426}),
    ('4.4', 'version 013', request(Sec_WebSocket_Version='013'), {400, 426}, 'own'),
    ('4.4', 'version x', request(Sec_WebSocket_Version='x'), {400, 426}),
    ('4.4', 'two versions', request(Sec_WebSocket_Version=['13', '13']), {400, 426}),
    ('4.1', 'a subprotocol that is no token', request(Sec_WebSocket_Protocol='a b'), {400}),
    ('4.1', 'a subprotocol with a slash', request(Sec_WebSocket_Protocol='a/b'), {400}),
    ('4.1', 'a subprotocol twice', request(Sec_WebSocket_Protocol='a, b, a'), {400}),
    ('4.1', 'a subprotocol twice in two fields', request(Sec_WebSocket_Protocol=['a', 'a']), {400}),
    ('9.1', 'an extension that is no token', request(Sec_WebSocket_Extensions='a b'), {400}),
    ('9.1', 'a semicolon without a parameter', request(Sec_WebSocket_Extensions='a;'), {400}),
    ('9.1', 'a parameter without a name', request(Sec_WebSocket_Extensions='a; =1'), {400}),
    ('9.1', 'a parameter without its value', request(Sec_WebSocket_Extensions='a; b='), {400}),
    ('9.1', 'a quote that does not end', request(Sec_WebSocket_Extensions='a; b="c'), {400}),
    ('9.1', 'an empty quoted value', request(Sec_WebSocket_Extensions='a; b=""'), {400}, 'own'),
    ('9.1', 'a quoted value that is no token', request(Sec_WebSocket_Extensions='a; b="c d"'), {400}),
    ('9.1', 'bad behind good', request(
        Sec_WebSocket_Extensions='permessage-deflate, a; b c'), {400}),
    ('4.2.1', 'a body', request(Content_Length='5') + b'hello', {400}, 'own'),
    ('4.2.1', 'another path', request('/ws-ech'), {404}),
    ('4.2.1', 'a path below it', request('/ws-echo/x'), {404}),
]
# No request to upgrade at all: an HTTP answer, 426 or what the path has.
PLAIN = [
    ('4.2.1', 'no Upgrade', request(Upgrade=None)),
    ('4.2.1', 'no Connection', request(Connection=None)),
    ('4.2.1', 'Connection: close', request(Connection='close')),
    ('4.2.1', 'a plain GET', request(Upgrade=None, Connection=None, Sec_WebSocket_Key=None,
                                    Sec_WebSocket_Version=None)),
]


async def accepted(port, text, want):
    c = Client(port)
    await c.open()
    try:
        await c.send(text)
        if await c.read_head() != 101:
            raise Wrong(f'{c.head[:80]!r}')
        for name, value in want.items():
            got = c.field(name)
            if (got or '').lower() != (value or '').lower() or \
                    name == 'sec-websocket-accept' and got != value:
                raise Wrong(f'{name}: {got}')
        if 'content-length' in c.fields or 'transfer-encoding' in c.fields:
            raise Wrong('RFC 9110 8.6: a length in a 101')
        await roundtrip(c)
    finally:
        await c.shut()


async def roundtrip(c):
    await c.send(frame(TEXT, b'hello'))
    if await c.message() != ('T', b'hello'):
        raise Wrong('no echo')


async def refused(port, text, statuses):
    c = Client(port)
    await c.open()
    try:
        await c.send_quietly(text)
        if await c.read_head() not in statuses:
            raise Wrong(f'{c.head[:120]!r}')
        if b'Version: ' in text and b'Version: 13' not in text and \
                '13' not in (c.field('sec-websocket-version') or ''):
            raise Wrong('RFC 6455 4.4: which version would do?')
    finally:
        await c.shut()


async def in_pieces(port, n, with_frame):
    """The handshake in pieces, perhaps with the first frames behind it."""
    c = Client(port)
    await c.open()
    try:
        for piece in chops(request() + (frame(TEXT, b'early') if with_frame else b''), n):
            await c.send(piece, 0.001)
        if await c.read_head() != 101:
            raise Wrong(f'{c.head[:80]!r}')
        if with_frame and await c.message() != ('T', b'early'):
            raise Wrong('the early frame')
        await roundtrip(c)
    finally:
        await c.shut()


async def frames(port, pieces, want, marks, path='/ws-echo', prefix=None):
    """A row of ws_rows.py."""
    c = Client(port, engine=prefix is not None)
    await c.open()
    try:
        await c.handshake(path)
        if prefix is not None:
            opened = await c.message()
            if opened is None or not opened[1].startswith(b'0{'):
                raise Wrong(f'no open packet: {opened}')
        closes = bool(want) and want[-1][0] == 'C'
        sent = asyncio.ensure_future(send_all(c, pieces, marks, closes))
        for expected in want if closes else want + [('O', b'the end?')]:
            got = await c.message()
            if got != expected:
                raise Wrong(f'{short(got)} instead of {short(expected)}')
        await sent
        if closes:
            await c.end()
    finally:
        await c.shut()


async def send_all(c, pieces, marks, closes):
    for i, piece in enumerate(pieces):
        await c.send_quietly(piece)
        if 'slow' in marks:
            await asyncio.sleep(0.001 if i < 200 else 0)
    if not closes:
        await c.send_quietly(frame(PING, b'the end?'))


def short(m):
    return m and (m[0], m[1] if m[0] == 'C' else f'{len(m[1])}: {m[1][:40]!r}')


async def engine_echo(port, op, data):
    """/engine.io/: text behind its type digit, binary as it is."""
    text = op == TEXT
    sent = (b'4' if text else b'') + data
    await frames(port, [frame(op, sent, mask=b'\0\0\0\0')], [('T' if text else 'B', sent)], set(),
                 '/engine.io/' + EIO, b'')


async def end_without_close(port):
    """7.1.1: the peer ends the connection; the server does so, too."""
    c = Client(port)
    await c.open()
    try:
        await c.handshake('/ws-echo')
        await roundtrip(c)
        c.writer.write_eof()
        while await c.frame() is not None:
            pass
    finally:
        await c.shut()


async def largest(port, n, kind, want):
    """--ws-max: the largest message, and one byte more."""
    c = Client(port)
    await c.open()
    try:
        await c.handshake('/ws-echo')
        data = body(n)
        op = TEXT if kind == 'T' else BINARY
        sent = asyncio.ensure_future(c.send_quietly(frame(op, data, mask=b'\0\0\0\0')))
        got = await asyncio.wait_for(c.message(), 3 * WAIT_S)
        sent.cancel()
        if want is None and got != (kind, data) or want is not None and got != ('C', want):
            raise Wrong(short(got))
    finally:
        await c.shut()


async def unread(port):
    """A peer that does not read its echoes is not read; nothing is lost."""
    c = Client(port)
    await c.open()
    try:
        await c.handshake('/ws-echo')
        one, n = body(1 << 20), 48
        sent = asyncio.ensure_future(flood(c, frame(BINARY, one, mask=b'\0\0\0\0'), n))
        await asyncio.sleep(1.0)
        if sent.done():
            raise Wrong('48 MiB were taken although nothing was read')
        for _ in range(n):
            if await c.message() != ('B', one):
                raise Wrong('not the same')
        await sent
    finally:
        await c.shut()


async def flood(c, data, n):
    for _ in range(n):
        c.writer.write(data)
        await c.writer.drain()


def rows(port, own):
    """(name, coroutine function, arguments) of each case."""
    for section, what, text, want, *marks in ACCEPTED:
        if own or not marks:
            yield f'RFC 6455 {section}: accepts {what}', accepted, (port, text, want)
    for section, what, text, statuses, *marks in REFUSED:
        if own or not marks:
            yield f'RFC 6455 {section}: refuses {what}', refused, (port, text, statuses)
    for section, what, text in PLAIN:
        yield (f'RFC 6455 {section}: {what} is no handshake', refused,
               (port, text, {400, 426} if own else {400, 404, 426}))
    for section, what, pieces, want, marks in ROWS:
        if own or 'own' not in marks:
            yield f'RFC 6455 {section}: {what}', frames, (port, pieces, want, marks)
    for path in ('/engine.io/', '/socket.io/'):
        for section, what, data, code in EVERYWHERE:
            yield (f'RFC 6455 {section}: {path}: {what}', frames,
                   (port, [data], [('C', code)], set(), path + EIO, b''))
    for n in (0, 1, 124, 125, 65534, 65535, 999999):
        yield f'RFC 6455 5.2: /engine.io/: text of {n}', engine_echo, (port, TEXT, body(n))
        yield f'RFC 6455 5.2: /engine.io/: binary of {n + 1}', engine_echo, (port, BINARY, body(n + 1))
    yield 'RFC 6455 7.1.1: the end without a close', end_without_close, (port,)
    yield from deflate_rows(port, own)


def cite(section):
    return section if section.startswith('RFC') else f'RFC 7692 {section}'


def deflate_rows(port, own):
    for section, what, offer, must, may_not, *marks in zipped.OFFERS:
        if own or not marks:
            yield (f'{cite(section)}: offers {what}', zipped.offered,
                   (port, offer, must, may_not, own))
    if own:
        for side, must in (('server', {'server_max_window_bits'}), ('client', set())):
            yield (f'RFC 7692 7.1.2: offers {side}_max_window_bits=8', zipped.offered,
                   (port, f'{zipped.PD}; {side}_max_window_bits=8', must, set(), own))
    for section, what, offer in zipped.DECLINED:
        if not own and 'bits' in what:
            continue        # ws refuses the handshake instead
        if own or section == '5':
            yield f'{cite(section)}: declines {what}', zipped.declined, (port, offer)
    for section, what, data, want, *marks in zipped.WIRE:
        if own or not marks:
            yield f'{cite(section)}: {what}', zipped.on_wire, (port, data, want)
    for offer in (zipped.PD, f'{zipped.PD}; client_max_window_bits; server_max_window_bits=9',
                  f'{zipped.PD}; client_no_context_takeover; server_no_context_takeover'):
        for n, level, pieces in ((100000, 1, None), (300000, 9, 1000), (1 << 20, 0, None)):
            yield (f'RFC 7692 7.2: {n} bytes at level {level}, {offer[20:] or "as it is"}',
                   zipped.large, (port, n, offer, level, pieces))


def alone(port, own):
    """Those that need the machine for themselves."""
    for n in (1, 10, 100):
        yield f'RFC 6455 4.2: in pieces of {n}', in_pieces, (port, n, False)
        yield f'RFC 6455 4.2: in pieces of {n}, a frame behind it', in_pieces, (port, n, True)
    yield 'RFC 6455 4.2: in one write, a frame behind it', in_pieces, (port, 9999, True)
    yield 'RFC 6455 5.4: the largest text', largest, (port, MAX, 'T', None)
    yield 'RFC 6455 5.4: the largest binary message', largest, (port, MAX, 'B', None)
    yield 'RFC 6455 7.4.1: a byte more is 1009', largest, (port, MAX + 1, 'B', 1009)
    yield 'RFC 7692 8: the largest message from 65 KB', zipped.bombed, (port, MAX, 'B')
    yield 'RFC 7692 8: a byte more is 1009', zipped.bombed, (port, MAX + 1, 1009)
    yield 'RFC 7692 8: 1 GiB from 1 MB is 1009', zipped.bombed, (port, 1 << 30, 1009)
    if own:
        yield 'RFC 6455 5.4: a peer that does not read is not read', unread, (port,)


async def run(tap, cases, at_once):
    gate = asyncio.Semaphore(at_once)

    async def one(name, fn, args):
        async with gate:
            try:
                await asyncio.wait_for(fn(*args), 4 * WAIT_S)
            except Exception as e:      # noqa: BLE001: any is this case's failure
                return name, f'{type(e).__name__}: {e}'
            return name, None

    for done in await asyncio.gather(*(one(*c) for c in cases)):
        tap.result(*done)


def main():
    own = not sys.argv[1].endswith('.mjs')
    tap = Tap()
    with Peer(sys.argv[1], PROFILE_A + CALM) as p:
        asyncio.run(run(tap, rows(p.port, own), AT_ONCE))
        asyncio.run(run(tap, alone(p.port, own), 1))
        with tap.case('it lives after all that'):
            asyncio.run(accepted(p.port, request(), {}))
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
