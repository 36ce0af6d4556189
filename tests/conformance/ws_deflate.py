"""ws_deflate.py: permessage-deflate (RFC 7692) for 15_websocket.py: what is
offered and answered, both directions with every window, and bad data."""
import re
import zlib

from ws_raw import BINARY, PING, TEXT, Client, Wrong, chops, close, frame

TAIL = b'\0\0\xff\xff'
PD = 'permessage-deflate'
# (what, offer, what must be in the answer, what must not); None: no extension
OFFERS = [
    ('7.1', 'no parameters', PD, set(), {'client_max_window_bits'}),
    ('7.1.1.1', 'server_no_context_takeover', f'{PD}; server_no_context_takeover',
     {'server_no_context_takeover'}, set()),
    ('7.1.1.2', 'client_no_context_takeover', f'{PD}; client_no_context_takeover', set(), set()),
    ('7.1.1', 'both without takeover',
     f'{PD}; client_no_context_takeover; server_no_context_takeover',
     {'server_no_context_takeover'}, set()),
    ('7.1.2.2', 'client_max_window_bits', f'{PD}; client_max_window_bits', set(), set()),
] + [('7.1.2.1', f'server_max_window_bits={n}', f'{PD}; server_max_window_bits={n}',
      {'server_max_window_bits'}, {'client_max_window_bits'}) for n in range(9, 16)
] + [('7.1.2.2', f'client_max_window_bits={n}', f'{PD}; client_max_window_bits={n}',
      set(), {'server_max_window_bits'}) for n in range(9, 16)] + [
    ('7.1.2', 'windows of both', f'{PD}; client_max_window_bits=10; server_max_window_bits=11',
     {'server_max_window_bits'}, set()),
    ('7.1', 'all four', f'{PD}; server_no_context_takeover; client_no_context_takeover; '
     'server_max_window_bits=12; client_max_window_bits=13',
     {'server_no_context_takeover', 'server_max_window_bits'}, set()),
    ('7.1', 'blanks everywhere', f' {PD} ;\tserver_max_window_bits = 10 ',
     {'server_max_window_bits'}, set(), 'own'),
    ('RFC 6455 9.1', 'a quoted value', f'{PD}; server_max_window_bits="10"',
     {'server_max_window_bits'}, set()),
    ('5.1', 'a second offer, the first is unknown', f'x-unknown; a=1, {PD}', set(), set()),
    ('5.1', 'the first of two', f'{PD}; server_max_window_bits=10, {PD}',
     {'server_max_window_bits'}, set()),
    ('5.1', 'the second, as the first is bad', f'{PD}; server_max_window_bits=99, {PD}',
     set(), {'server_max_window_bits'}, 'own'),
    ('5.1', 'the third, as two are bad', f'{PD}; what, {PD}; client_max_window_bits=7, '
     f'{PD}; server_no_context_takeover', {'server_no_context_takeover'}, set(), 'own'),
    ('RFC 6455 9.1', 'in a second field', ['x-unknown', PD], set(), set()),
]
DECLINED = [
    ('7.1', 'unknown parameter', f'{PD}; unknown'),
    ('7.1', 'unknown parameter with a value', f'{PD}; unknown=1'),
    ('7.1', 'server_no_context_takeover twice',
     f'{PD}; server_no_context_takeover; server_no_context_takeover'),
    ('7.1', 'client_no_context_takeover twice',
     f'{PD}; client_no_context_takeover; client_no_context_takeover'),
    ('7.1', 'server_max_window_bits twice',
     f'{PD}; server_max_window_bits=10; server_max_window_bits=10'),
    ('7.1', 'client_max_window_bits twice', f'{PD}; client_max_window_bits; client_max_window_bits'),
    ('7.1.1.1', 'server_no_context_takeover with a value', f'{PD}; server_no_context_takeover=1'),
    ('7.1.1.2', 'client_no_context_takeover with a value', f'{PD}; client_no_context_takeover=true'),
    ('7.1.2.1', 'server_max_window_bits without a value', f'{PD}; server_max_window_bits'),
] + [('7.1.2', f'{side}_max_window_bits={v}', f'{PD}; {side}_max_window_bits={v}')
     for side in ('server', 'client') for v in ('7', '16', '0', '08', '010', '1', '100', 'x', '-9',
                                                '10.0')] + [
    ('5', 'another extension', 'permessage-bzip2'),
    ('5', 'a name that only begins so', f'{PD}-2'),
    ('5', 'its name in another case', 'Permessage-Deflate'),
    ('5', 'the old extension', 'x-webkit-deflate-frame'),
]
TEXTS = [bytes(b'the quick brown fox jumps over the lazy dog %d times; ' % i) * 40 for i in range(5)]


class Zip:
    """The client's side of what was agreed on."""

    def __init__(self, answer):
        m = re.search(r'client_max_window_bits=(\d+)', answer)
        self.out_bits = int(m[1]) if m else 15
        m = re.search(r'server_max_window_bits=(\d+)', answer)
        self.in_bits = int(m[1]) if m else 15
        self.out_keeps = 'client_no_context_takeover' not in answer
        self.in_keeps = 'server_no_context_takeover' not in answer
        self.out = self.inp = None

    def pack(self, data, level=6):
        if self.out is None or not self.out_keeps:
            self.out = zlib.compressobj(level, zlib.DEFLATED, -max(self.out_bits, 9))
        z = self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH)
        if not z.endswith(TAIL):
            raise RuntimeError('no tail')
        return z[:-4] or b'\0'

    def unpack(self, data):
        """In small steps, so that a window larger than agreed on shows."""
        if self.inp is None or not self.in_keeps:
            self.inp = zlib.decompressobj(-self.in_bits)
        got, rest = b'', data + TAIL
        while rest:
            more = self.inp.decompress(rest, 64)
            rest = self.inp.unconsumed_tail
            if not more and not rest:
                break
            got += more
        return got + self.inp.decompress(b'')


def parse(answer):
    """{parameter: value or None} of the one extension in the answer."""
    name, *params = [x.strip() for x in answer.split(';')]
    got = {}
    for p in params:
        k, _, v = p.partition('=')
        if k in got:
            raise Wrong(f'RFC 7692 7.1: {k} twice in {answer!r}')
        got[k] = v or None
    if name != PD:
        raise Wrong(f'another extension: {answer!r}')
    return got


def check_answer(offer, answer):
    """RFC 7692 7.1: nothing in it that the offer does not allow."""
    got = parse(answer)
    for k, v in got.items():
        if k not in ('server_no_context_takeover', 'client_no_context_takeover',
                     'server_max_window_bits', 'client_max_window_bits'):
            raise Wrong(f'unknown parameter: {answer!r}')
        if ('bits' in k) != (v is not None):
            raise Wrong(f'value of {k}: {answer!r}')
        if v is not None and not 8 <= int(v) <= 15:
            raise Wrong(f'{k} out of range: {answer!r}')
    text = offer if isinstance(offer, str) else ', '.join(offer)
    m = re.search(r'server_max_window_bits ?= ?"?(\d+)', text)
    if m and 'server_max_window_bits' in got and 8 <= int(m[1]) <= 15 and \
            int(got['server_max_window_bits']) > int(m[1]):
        raise Wrong(f'7.1.2.1: a larger window than asked for: {answer!r}')
    if 'client_max_window_bits' in got and 'client_max_window_bits' not in text:
        raise Wrong(f'7.1.2.2: the client can not do that: {answer!r}')
    return got


async def agree(c, offer):
    await c.handshake('/ws-echo', Sec_WebSocket_Extensions=offer)
    return c.field('sec-websocket-extensions')


async def echo(c, z, op, data, pieces=None, unpacked=None):
    """Sends it compressed; the answer has to be the same."""
    packed = z.pack(data) if unpacked is None else unpacked
    some = chops(packed, pieces) if pieces else [packed]
    await c.send(b''.join(frame(op if i == 0 else 0, x, fin=int(i == len(some) - 1),
                                rsv=4 if i == 0 else 0) for i, x in enumerate(some)))
    return await answer(c, z, op, data)


async def answer(c, z, op, data):
    got = await c.message()
    if got is None or got[0] != ('T' if op == TEXT else 'B'):
        raise Wrong(f'instead of an echo: {got and (got[0], got[1][:50] if got[0] != "C" else got[1])}')
    back = z.unpack(got[1]) if c.rsv1[-1] else got[1]
    if back != data:
        raise Wrong(f'{len(data)} bytes became {len(back)}')
    return len(got[1])


async def offered(port, offer, must, may_not, strict):
    c = Client(port)
    await c.open()
    try:
        answered = await agree(c, offer)
        if answered is None:
            raise Wrong('not accepted')
        got = check_answer(offer, answered)
        if must - set(got):
            raise Wrong(f'{must - set(got)} is missing: {answered!r}')
        if may_not & set(got):
            raise Wrong(f'{may_not & set(got)} was not offered so: {answered!r}')
        z = Zip(answered)
        for data in TEXTS + [body for body in (b'x' * 3000, bytes(range(256)) * 30)]:
            await echo(c, z, BINARY, data)
            await echo(c, z, TEXT, TEXTS[0], pieces=7)
        if strict:
            await echo(c, z, TEXT, b'')
            await echo(c, z, TEXT, b'short')
            if not all(c.rsv1):
                raise Wrong('not every answer is compressed')
        await c.send(close(1000))
        if await c.message() != ('C', 1000):
            raise Wrong('no close')
    finally:
        await c.shut()


async def declined(port, offer):
    c = Client(port)
    await c.open()
    try:
        answered = await agree(c, offer)
        if answered is not None:
            raise Wrong(f'accepted: {answered!r}')
        await c.send(frame(TEXT, b'plain') + frame(TEXT, b'x', rsv=4))
        if await c.message() != ('T', b'plain') or c.rsv1 != [False]:
            raise Wrong('no plain echo')
        if await c.message() != ('C', 1002):
            raise Wrong('RFC 6455 5.2: reserved bit without an extension')
    finally:
        await c.shut()


HELLO = bytes.fromhex('f248cdc9c90700')
# (section, what, bytes, what comes): the examples and what is no data
WIRE = [
    ('7.2.3.1', 'Hello in one frame', frame(TEXT, HELLO, rsv=4), ('T', b'Hello')),
    ('7.2.3.1', 'Hello in two frames', frame(TEXT, HELLO[:3], fin=0, rsv=4) + frame(0, HELLO[3:]),
     ('T', b'Hello')),
    ('7.2.3.2', 'Hello again, with the window', frame(TEXT, HELLO, rsv=4) +
     frame(TEXT, bytes.fromhex('f200110000'), rsv=4), ('T', b'Hello', 2)),
    ('7.2.3.3', 'a block without compression', frame(TEXT, bytes.fromhex(
        '000500faff48656c6c6f00'), rsv=4), ('T', b'Hello')),
    ('7.2.3.4', 'a block that says it is the last', frame(TEXT, bytes.fromhex(
        'f348cdc9c9070000'), rsv=4), ('T', b'Hello')),
    ('7.2.3.5', 'two blocks', frame(TEXT, bytes.fromhex('f248050000 00ffffcac9c90700'.replace(' ', '')),
                                    rsv=4), ('T', b'Hello')),
    ('7.2.3.6', 'an empty message', frame(TEXT, b'\0', rsv=4), ('T', b'')),
    ('6', 'a ping inside a compressed message', frame(TEXT, HELLO[:2], fin=0, rsv=4) +
     frame(PING, b'p') + frame(0, HELLO[2:]), ('T', b'Hello')),
    ('6', 'an empty last fragment', frame(TEXT, HELLO, fin=0, rsv=4) + frame(0), ('T', b'Hello')),
    ('6', 'an empty first fragment', frame(TEXT, b'', fin=0, rsv=4) + frame(0, HELLO), ('T', b'Hello')),
    ('6', 'a message without compression', frame(TEXT, b'plain'), ('T', b'plain')),
    ('6.1', 'RSV1 on a continuation', frame(TEXT, HELLO[:2], fin=0, rsv=4) +
     frame(0, HELLO[2:], rsv=4), ('C', 1002)),
    ('6.1', 'RSV1 on a ping', frame(PING, b'p', rsv=4), ('C', 1002)),
    ('6.1', 'RSV1 on a pong', frame(10, b'p', rsv=4), ('C', 1002)),
    ('6.1', 'RSV1 on a close', frame(8, b'', rsv=4), ('C', 1002)),
    ('6', 'RSV2', frame(TEXT, HELLO, rsv=6), ('C', 1002)),
    ('6', 'RSV3', frame(TEXT, HELLO, rsv=5), ('C', 1002)),
    ('7.2.2', 'no DEFLATE data', frame(TEXT, b'\xff' * 20, rsv=4), ('C', 1007)),
    ('7.2.2', 'a block of the reserved type', frame(BINARY, b'\x07\0', rsv=4), ('C', 1007)),
    ('7.2.2', 'a stored block with a wrong complement', frame(BINARY, b'\0\5\0\0\0Hello', rsv=4),
     ('C', 1007)),
    ('7.2.2', 'a distance beyond the beginning', frame(BINARY, bytes.fromhex('f200110000'), rsv=4),
     ('C', 1007)),
    ('7.2.2', 'cut short', frame(BINARY, HELLO[:4], rsv=4), ('C', 1007), 'own'),
    ('RFC 6455 8.1', 'text that is not UTF-8', frame(TEXT, zlib.compressobj(
        6, zlib.DEFLATED, -15).compress(b'') + b'\0\2\0\xfd\xff\xc3(\0', rsv=4), ('C', 1007)),
    ('RFC 6455 8.1', 'text that ends inside a character', frame(
        TEXT, b'\0\1\0\xfe\xff\xc3\0', rsv=4), ('C', 1007)),
    ('RFC 6455 8.1', 'binary may be so', frame(BINARY, b'\0\2\0\xfd\xff\xc3(\0', rsv=4),
     ('B', b'\xc3(')),
    ('RFC 6455 8.1', 'text, at once when it is certain', frame(
        TEXT, b'\0\2\0\xfd\xff\xc3(\0', fin=0, rsv=4), ('C', 1007), 'own'),
]


async def on_wire(port, data, want):
    c = Client(port)
    await c.open()
    try:
        z = Zip(await agree(c, PD))
        await c.send(data)
        times = want[2] if len(want) > 2 else 1
        while times:
            got = await c.message()
            if got is not None and got[0] == 'O':
                continue
            if got is not None and got[0] in 'TB' and c.rsv1[-1]:
                got = got[0], z.unpack(got[1])
            if got != want[:2]:
                raise Wrong(f'{got} instead of {want}')
            times -= 1
        if want[0] == 'C':
            await c.end()
    finally:
        await c.shut()


def bomb(n):
    """n zeros, compressed."""
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (z.compress(bytes(n)) + z.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def bombed(port, n, want):
    c = Client(port)
    await c.open()
    try:
        z = Zip(await agree(c, PD))
        await c.send_quietly(frame(BINARY, bomb(n), rsv=4))
        got = await c.message()
        if want == 'B':
            back = zlib.decompressobj(-15).decompress(got[1] + TAIL) if c.rsv1[-1] else got[1]
            if got[0] != 'B' or back != bytes(n):
                raise Wrong(f'{got[0]} {len(back)}')
        elif got != ('C', want):
            raise Wrong(f'{got[0]} {len(got[1]) if got[0] != "C" else got[1]}')
        del z
    finally:
        await c.shut()


async def large(port, n, offer, level, pieces):
    """Random and repeating data of n bytes through both directions."""
    import random
    r = random.Random(n)
    data = b''.join(r.randbytes(1000) + b'abcdefgh' * 125 for _ in range(n // 2000 + 1))[:n]
    c = Client(port)
    await c.open()
    try:
        z = Zip(await agree(c, offer))
        z.out = zlib.compressobj(level, zlib.DEFLATED, -max(z.out_bits, 9))
        for _ in range(2):
            await echo(c, z, BINARY, data, pieces=pieces)
    finally:
        await c.shut()
