"""sio_raw.py: a Socket.IO client of raw packets for suites, over WebSocket or
polling, that sends what it is told, right or wrong. A packet is a str without
Engine.IO's message digit, an attachment is bytes."""
import asyncio
import base64
import json
import re
from urllib.parse import urlsplit

import ws_raw

WAIT_S = 40
CLOSED = 'CLOSED'
SEPARATOR = '\x1e'


class Wrong(Exception):
    """The server did not do what it has to."""


class Http:
    """One kept-alive connection; one request at a time."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.reader = self.writer = None

    async def ask(self, method, target, body=None):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(
                self.host, self.port, limit=1 << 24)
        head = f'{method} {target} HTTP/1.1\r\nHost: x\r\n'
        if body is not None:
            head += ('Content-Type: text/plain;charset=UTF-8\r\n'
                     f'Content-Length: {len(body)}\r\n')
        self.writer.write(head.encode() + b'\r\n' + (body or b''))
        status = await self.reader.readline()
        if not status:
            raise ConnectionError
        size, close = 0, False
        while (line := (await self.reader.readline()).strip()):
            name, _, value = line.partition(b':')
            if name.lower() == b'content-length':
                size = int(value)
            close |= name.lower() == b'connection' and b'close' in value.lower()
        data = await self.reader.readexactly(size)
        if close:
            self.close()
        return int(status.split()[1]), data

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Client:
    """`got` has what came, in order, and CLOSED at the end."""

    def __init__(self, url, transport, query=''):
        at = urlsplit(url)
        self.host, self.port = at.hostname, at.port
        self.transport = transport
        self.query = query
        self.got = asyncio.Queue()
        self.task = self.sid = None
        self.turn = asyncio.Lock()      # a pong and a case's POST

    async def open(self):
        target = f'/socket.io/?EIO=4&transport={self.transport}{self.query}'
        await (self.open_ws if self.transport == 'websocket' else
               self.open_polling)(target)
        return self

    def take(self, packet):
        """An Engine.IO packet: str, or bytes of an attachment."""
        if isinstance(packet, bytes):
            self.got.put_nowait(packet)
        elif packet[:1] == '4':
            self.got.put_nowait(packet[1:])
        elif packet[:1] == '2':
            return '3'
        elif packet[:1] == '1':
            raise ConnectionError
        elif packet[:1] not in ('0', '6'):
            raise Wrong(f'packet {packet!r}')
        return None

    async def run(self, loop):
        try:
            await loop()
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        except Wrong as e:
            self.got.put_nowait(f'WRONG {e}')
        self.got.put_nowait(CLOSED)

    # -- WebSocket

    async def open_ws(self, target):
        self.reader, self.writer = await asyncio.open_connection(
            self.host, self.port, limit=1 << 24)
        self.writer.write(ws_raw.request(target))
        head = await self.reader.readuntil(b'\r\n\r\n')
        if b' 101 ' not in head.split(b'\r\n')[0]:
            raise Wrong(f'handshake: {head!r}')
        first = await self.frame()
        self.sid = json.loads(first[1:])['sid']
        self.task = asyncio.create_task(self.run(self.read_ws))

    async def frame(self):
        """str, bytes, or None for a frame of no message."""
        head = await self.reader.readexactly(2)
        n = head[1] & 127
        if n >= 126:
            n = int.from_bytes(await self.reader.readexactly(
                2 if n == 126 else 8), 'big')
        data = await self.reader.readexactly(n)
        op = head[0] & 15
        if head[0] & 0x70 or head[1] & 0x80 or not head[0] & 0x80:
            raise Wrong(f'frame {head!r}')
        if op == ws_raw.CLOSE:
            raise ConnectionError
        return data.decode() if op == 1 else data if op == 2 else None

    async def read_ws(self):
        while True:
            packet = await self.frame()
            answer = None if packet is None else self.take(packet)
            if answer is not None:
                self.writer.write(ws_raw.frame(1, answer.encode()))

    # -- polling

    async def open_polling(self, target):
        self.http, self.post = (Http(self.host, self.port) for _ in '12')
        status, body = await self.http.ask('GET', target)
        if status != 200:
            raise Wrong(f'handshake: {status} {body!r}')
        self.sid = json.loads(body[1:])['sid']
        self.target = target + '&sid=' + self.sid
        self.task = asyncio.create_task(self.run(self.read_polls))

    async def read_polls(self):
        while True:
            status, body = await self.http.ask('GET', self.target)
            if status != 200:
                return
            for packet in body.decode().split(SEPARATOR):
                if packet[:1] == 'b':
                    packet = base64.b64decode(packet[1:], validate=True)
                answer = self.take(packet)
                if answer is not None:
                    await self.posts(answer)

    async def posts(self, body):
        async with self.turn:
            await self.post.ask('POST', self.target, body.encode())

    # -- what a case does

    async def send(self, *packets):
        """All in one write."""
        if self.transport == 'websocket':
            self.writer.write(b''.join(
                ws_raw.frame(2, p) if isinstance(p, bytes) else
                ws_raw.frame(1, b'4' + p.encode()) for p in packets))
            return
        body = SEPARATOR.join(
            'b' + base64.b64encode(p).decode() if isinstance(p, bytes) else
            '4' + p for p in packets)
        try:
            await self.posts(body)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.post.close()

    async def next(self):
        try:
            return await asyncio.wait_for(self.got.get(), WAIT_S)
        except asyncio.TimeoutError:
            raise Wrong('nothing came') from None

    async def expect(self, *wanted):
        """Exact packets, or patterns that the whole packet matches."""
        for want in wanted:
            have = await self.next()
            if isinstance(want, re.Pattern):
                if not isinstance(have, str) or not want.fullmatch(have):
                    raise Wrong(f'{have!r:.300} is not {want.pattern}')
            elif have != want:
                raise Wrong(f'{have!r:.300} is not {want!r:.300}')
        return have

    async def silence(self, seconds=0.25):
        await asyncio.sleep(seconds)
        if not self.got.empty():
            raise Wrong(f'{self.got.get_nowait()!r:.300} came')

    async def join(self, nsp='', auth=None):
        """CONNECT; the answer as an object."""
        head = nsp + ',' if nsp else ''
        await self.send('0' + head + (json.dumps(auth) if auth else ''))
        answer = await self.next()
        if answer[:1 + len(head)] != '0' + head:
            raise Wrong(f'{answer!r} for CONNECT')
        text = json.dumps(auth or {}, separators=(',', ':'))
        heard = await self.next()
        if not heard.startswith(f'2{head}["auth",{text}'):
            raise Wrong(f'{heard!r} after CONNECT')
        answer = json.loads(answer[1 + len(head):])
        answer['heard'] = json.loads(heard[1 + len(head):])
        return answer

    async def ask(self, event, *args, nsp='', ack=77):
        """An event that is acknowledged; the arguments of that."""
        head = nsp + ',' if nsp else ''
        await self.send(f'2{head}{ack}' + json.dumps([event, *args]))
        answer = await self.next()
        if not answer.startswith(f'3{head}{ack}['):
            raise Wrong(f'{answer!r} for {event}')
        return json.loads(answer[len(f'3{head}{ack}'):])

    def cut(self):
        """Ends it without a word."""
        if self.task is not None:
            self.task.cancel()
        if self.transport == 'websocket':
            self.writer.transport.abort()
        else:
            self.http.close()
            self.post.close()
