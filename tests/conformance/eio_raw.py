"""eio_raw.py: an Engine.IO client of raw bytes for suites: requests over
polling as they are told, and the WebSocket of ws_raw.py. Nothing is done by
itself: no poll, no pong, no upgrade."""
import asyncio
import json
import time

from ws_raw import BINARY, TEXT, WAIT_S, Client, Wrong, frame

SEP = '\x1e'
LATE_S = 8              # a loaded machine may be so much late
ENGINE, SOCKET = '/engine.io/', '/socket.io/'
OPEN_KEYS = ['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades']
SID_CHARS = set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
MESSAGES = ('Transport unknown', 'Session ID unknown', 'Bad handshake method', 'Bad request',
            'Forbidden', 'Unsupported protocol version')


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def field(self, name):
        got = self.fields.get(name.lower(), [])
        if len(got) > 1:
            raise Wrong(f'{name} twice: {got}')
        return got[0] if got else None

    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f'{self.status} {self.body[:80]!r}'


def head_of(method, target, body=None, headers=None):
    fields = {'Host': 'x'}
    if body is not None:
        fields['Content-Length'] = str(len(body))
    fields.update(headers or {})
    text = f'{method} {target} HTTP/1.1\r\n'
    for name, value in fields.items():
        if value is not None:
            text += f'{name}: {value}\r\n'
    return (text + '\r\n').encode('latin-1')


class Http:
    """One connection for requests, one after the other."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection('127.0.0.1', self.port,
                                                                 limit=1 << 22)
        return self

    def shut(self):
        if self.writer is not None:
            self.writer.transport.abort()

    async def send(self, data):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), WAIT_S)

    async def ask(self, method, target, body=None, headers=None):
        if isinstance(body, str):
            body = body.encode()
        await self.send(head_of(method, target, body, headers) + (body or b''))

    async def answer(self, head=False, wait_s=WAIT_S):
        """The next answer; None: the connection was ended instead."""
        try:
            text = await asyncio.wait_for(self.reader.readuntil(b'\r\n\r\n'), wait_s)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        lines = text.decode('latin-1').split('\r\n')
        fields = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(':')
            fields.setdefault(name.lower(), []).append(value.strip())
        status = int(lines[0].split()[1])
        n = int(fields.get('content-length', ['0'])[0])
        if 'transfer-encoding' in fields:
            body = await self.chunks()
        else:
            body = b'' if head or status in (204, 304) else \
                await asyncio.wait_for(self.reader.readexactly(n), wait_s)
        return Answer(status, fields, body)

    async def chunks(self):
        body = b''
        while True:
            line = await asyncio.wait_for(self.reader.readline(), WAIT_S)
            n = int(line.split(b';')[0], 16)
            body += (await asyncio.wait_for(self.reader.readexactly(n + 2), WAIT_S))[:-2]
            if n == 0:
                return body

    async def ends(self):
        """Nothing more comes but the end."""
        try:
            return await asyncio.wait_for(self.reader.read(1), WAIT_S) == b''
        except ConnectionError:
            return True


class World:
    """The server and the connections of one case, all shut at its end."""

    def __init__(self, port):
        self.port, self.open = port, []

    async def http(self):
        h = await Http(self.port).open()
        self.open.append(h.shut)
        return h

    async def call(self, method, target, body=None, headers=None):
        h = await self.http()
        await h.ask(method, target, body, headers)
        got = await h.answer(head=method == 'HEAD')
        h.shut()
        return got

    async def ws(self, target):
        c = Client(self.port)
        await c.open()
        self.open.append(c.writer.transport.abort)
        await c.handshake(target)
        return c

    async def polling(self, path=ENGINE, query='EIO=4&transport=polling', **headers):
        got = await self.call('GET', f'{path}?{query}', headers=headers)
        is_packet(got)
        return Session(self, path, opened(got.text(), ['websocket']))

    async def websocket(self, path=ENGINE):
        c = await self.ws(f'{path}?EIO=4&transport=websocket')
        kind, data = await c.message()
        if kind != 'T':
            raise Wrong(f'{kind} instead of the open packet')
        return c, opened(data.decode(), [])

    def shut(self):
        for f in self.open:
            f()


class Session:
    """One over polling. Its requests each have a connection of their own."""

    def __init__(self, world, path, data):
        self.world, self.path, self.data = world, path, data
        self.sid = data['sid']
        self.target = f'{path}?EIO=4&transport=polling&sid={self.sid}'
        self.ws_target = f'{path}?EIO=4&transport=websocket&sid={self.sid}'

    async def get(self):
        return await self.world.call('GET', self.target)

    async def post(self, body, **headers):
        return await self.world.call('POST', self.target, body, headers)

    async def sends(self, *packets):
        """By one POST."""
        is_ok(await self.post(SEP.join(packets)))

    async def pending(self):
        """A GET that waits: its connection."""
        h = await self.world.http()
        await h.ask('GET', self.target)
        await asyncio.sleep(0.05)
        return h

    async def packets(self, n):
        """The next n that are no ping, by as many GETs as that takes."""
        got = []
        while len(got) < n:
            answer = await self.get()
            is_packet(answer)
            for p in answer.text().split(SEP):
                if p == '2':
                    await self.sends('3')
                elif p != '6':
                    got.append(p)
        return got

    async def echoes(self, text='4alive?'):
        """It lives: what is sent comes back."""
        await self.sends(text)
        equal(await self.packets(1), [text])

    async def is_gone(self):
        refused(await self.get(), 1)
        refused(await self.post('4x'), 1)

    async def probe(self):
        """A WebSocket that is probed: 2probe and 3probe are exchanged."""
        c = await self.world.ws(self.ws_target)
        await c.send(text('2probe'))
        equal(await c.message(), ('T', b'3probe'))
        return c

    async def upgrade(self):
        c = await self.probe()
        await c.send(text('5'))
        return c


def text(s):
    return frame(TEXT, s.encode() if isinstance(s, str) else s)


def binary(data):
    return frame(BINARY, data)


async def ws_packet(c):
    """The next that is no ping, which is answered."""
    while True:
        got = await c.message()
        if got != ('T', b'2'):
            return got
        await c.send(text('3'))


async def ws_echoes(c, data='4alive?'):
    await c.send(text(data))
    equal(await ws_packet(c), ('T', data.encode()))


async def is_closed(c):
    """A close frame or the end, and no more packets."""
    while True:
        got = await c.message()
        if got is None or got[0] == 'C':
            return
        if got != ('T', b'2'):
            raise Wrong(f'{got} instead of a close')


# ---- what has to be so ----

def equal(got, want):
    if got != want:
        raise Wrong(f'{str(got)[:300]} instead of {str(want)[:300]}')


def opened(packet, upgrades):
    if not packet.startswith('0'):
        raise Wrong(f'no open packet: {packet[:80]}')
    data = json.loads(packet[1:])
    equal(sorted(data), OPEN_KEYS)
    equal(data['upgrades'], upgrades)
    if len(data['sid']) < 16 or set(data['sid']) - SID_CHARS:
        raise Wrong(f'sid {data["sid"]}')
    return data


def is_free(answer):
    """What every answer of these paths has."""
    if answer is None:
        raise Wrong('the connection was ended instead of an answer')
    equal(answer.field('Access-Control-Allow-Origin'), '*')


def is_packet(answer):
    is_free(answer)
    equal(answer.status, 200)
    equal(answer.field('Content-Type'), 'text/plain; charset=UTF-8')
    equal(answer.field('Cache-Control'), 'no-store')


def is_ok(answer):
    is_free(answer)
    equal((answer.status, answer.body), (200, b'ok'))


def refused(answer, code, status=400):
    is_free(answer)
    equal(answer.status, status)
    equal((answer.field('Content-Type') or '').split(';')[0], 'application/json')
    equal(json.loads(answer.text()), {'code': code, 'message': MESSAGES[code]})


def in_time(began, least):
    took = time.monotonic() - began
    if not least * 0.9 < took < least + LATE_S:
        raise Wrong(f'after {took:.3f} s instead of {least}')
