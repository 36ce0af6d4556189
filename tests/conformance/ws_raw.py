"""ws_raw.py: a WebSocket client of raw bytes for suites: it frames and masks
as it is told, right or wrong, and checks every frame that it gets."""
import asyncio
import base64
import hashlib
import os
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
WAIT_S = 40


class Wrong(Exception):
    """The server did not do what it has to."""


def masked(data, mask):
    if mask == b'\0\0\0\0' or not data:
        return bytes(data)
    n = len(data)
    pad = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(data, 'big') ^ int.from_bytes(pad, 'big')).to_bytes(n, 'big')


def frame(op, data=b'', fin=1, rsv=0, mask=b'\x37\xfa\x21\x3d', form=None):
    """mask None: unmasked. form: 7, 16 or 64 bits of length; None: the least."""
    n = len(data)
    form = form or (7 if n < 126 else 16 if n < 65536 else 64)
    bit = 0x80 if mask is not None else 0
    head = bytes([fin << 7 | rsv << 4 | op])
    head += (bytes([bit | n]) if form == 7 else
             bytes([bit | 126]) + struct.pack('>H', n) if form == 16 else
             bytes([bit | 127]) + struct.pack('>Q', n))
    return head + (data if mask is None else mask + masked(data, mask))


def close(code=None, reason=b'', **how):
    return frame(CLOSE, b'' if code is None else struct.pack('>H', code) + reason, **how)


def request(path='/ws-echo', line=None, **change):
    """A handshake; fields changed, left out (None) or repeated (a list)."""
    fields = {'Host': 'x', 'Upgrade': 'websocket', 'Connection': 'Upgrade',
              'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': KEY}
    fields.update({k.replace('_', '-'): v for k, v in change.items()})
    text = (line or f'GET {path} HTTP/1.1') + '\r\n'
    for k, v in fields.items():
        for x in v if isinstance(v, list) else [] if v is None else [v]:
            text += f'{k}: {x}\r\n'
    return (text + '\r\n').encode('latin-1')


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def chops(data, n):
    return [data[i:i + n] for i in range(0, len(data), n)]


class Client:
    """One connection. Its own pings of Engine.IO are answered and passed over."""

    def __init__(self, port, engine=False):
        self.port, self.engine = port, engine
        self.reader = self.writer = None
        self.head, self.fields, self.status = b'', {}, 0
        self.rsv1 = []          # of each message that came

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(
            '127.0.0.1', self.port, limit=1 << 20)

    async def shut(self):
        if self.writer is not None:
            self.writer.transport.abort()

    async def send(self, data, pause=0.0):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), WAIT_S)
        if pause:
            await asyncio.sleep(pause)

    async def send_quietly(self, data):
        """The server may have had enough of us meanwhile."""
        try:
            await self.send(data)
        except (ConnectionError, OSError):
            pass

    async def read_head(self):
        self.head = await asyncio.wait_for(self.reader.readuntil(b'\r\n\r\n'), WAIT_S)
        lines = self.head.decode('latin-1').split('\r\n')
        self.status = int(lines[0].split()[1])
        self.fields = {}
        for line in lines[1:-2]:
            k, _, v = line.partition(':')
            self.fields.setdefault(k.lower(), []).append(v.strip())
        return self.status

    def field(self, name):
        got = self.fields.get(name, [])
        if len(got) > 1:
            raise Wrong(f'{name} twice: {got}')
        return got[0] if got else None

    async def handshake(self, path, **change):
        await self.send(request(path, **change))
        if await self.read_head() != 101:
            raise Wrong(f'handshake: {self.head[:200]!r}')

    async def exactly(self, n):
        return await asyncio.wait_for(self.reader.readexactly(n), WAIT_S)

    async def frame(self):
        """(fin, rsv, op, payload) of the next frame; None at the end."""
        try:
            b0, b1 = await self.exactly(2)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        n = b1 & 127
        if b1 & 128:
            raise Wrong('RFC 6455 5.1: a masked frame from the server')
        if n == 126:
            n = struct.unpack('>H', await self.exactly(2))[0]
            least = 126
        elif n == 127:
            n = struct.unpack('>Q', await self.exactly(8))[0]
            least = 65536
        else:
            least = 0
        if n < least:
            raise Wrong('RFC 6455 5.2: length not minimal')
        op = b0 & 15
        if op >= 8 and (n > 125 or not b0 & 128):
            raise Wrong('RFC 6455 5.5: control frame long or fragmented')
        return b0 >> 7, b0 >> 4 & 7, op, await self.exactly(n)

    async def message(self):
        """('T' | 'B' | 'P' | 'O' | 'C', payload or code), or None at the end."""
        parts, kind, zipped = [], None, False
        while True:
            got = await self.frame()
            if got is None:
                return None
            fin, rsv, op, data = got
            if op in (PING, PONG):
                return 'P' if op == PING else 'O', data
            if op == CLOSE:
                if len(data) == 1:
                    raise Wrong('RFC 6455 5.5.1: close of one byte')
                data[2:].decode()       # 5.5.1: UTF-8
                return 'C', struct.unpack('>H', data[:2])[0] if data else 1005
            if (op == 0) != (kind is not None):
                raise Wrong('RFC 6455 5.4: fragments out of order')
            if rsv & 3 or rsv and op == 0:
                raise Wrong('RFC 6455 5.2, RFC 7692 6: reserved bits')
            if kind is None:
                kind, zipped = op, rsv == 4
            parts.append(data)
            if not fin:
                continue
            data = b''.join(parts)
            if self.engine and kind == TEXT and data == b'2':
                await self.send_quietly(frame(TEXT, b'3'))
                parts, kind = [], None
                continue
            self.rsv1.append(zipped)
            return 'T' if kind == TEXT else 'B', data

    async def end(self):
        """Nothing more comes but the end of the connection."""
        try:
            more = await asyncio.wait_for(self.reader.read(100), WAIT_S)
        except ConnectionError:
            return
        if more:
            raise Wrong(f'more after the close: {more!r}')


def nonce():
    return base64.b64encode(os.urandom(16)).decode()
