"""sio.py: Socket.IO over WebSocket by hand, so that a test can also break the
rules: frames are made here, byte by byte."""
import base64
import json
import os
import socket
import struct
import time

PATIENCE_S = 120        # with a loaded machine


class Closed(Exception):
    """The server ended the connection; .code of its close frame or None."""

    def __init__(self, code):
        super().__init__(f'closed {code}')
        self.code = code


class Ws:
    def __init__(self, port, origin=None, timeout=PATIENCE_S):
        self.s = socket.create_connection(('127.0.0.1', port), timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        head = ('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n'
                f'Host: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n'
                'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                f'Sec-WebSocket-Key: {key}\r\n')
        if origin:
            head += f'Origin: {origin}\r\n'
        self.s.sendall(head.encode() + b'\r\n')
        self.buf = b''
        while b'\r\n\r\n' not in self.buf:
            more = self.s.recv(65536)
            if not more:
                raise Closed(None)
            self.buf += more
        head, self.buf = self.buf.split(b'\r\n\r\n', 1)
        self.status = int(head.split()[1])

    def frame(self, payload, opcode=1, fin=True, mask=True):
        n = len(payload)
        out = bytes([(0x80 if fin else 0) | opcode])
        bit = 0x80 if mask else 0
        if n < 126:
            out += bytes([bit | n])
        elif n < 65536:
            out += bytes([bit | 126]) + struct.pack('>H', n)
        else:
            out += bytes([bit | 127]) + struct.pack('>Q', n)
        if mask:
            k = os.urandom(4)
            pad = (k * (n // 4 + 1))[:n]
            out += k + (int.from_bytes(payload, 'big') ^
                        int.from_bytes(pad, 'big')).to_bytes(n, 'big')
        else:
            out += payload
        self.s.sendall(out)

    def text(self, t):
        self.frame(t.encode() if isinstance(t, str) else t)

    def need(self, n):
        while len(self.buf) < n:
            try:
                more = self.s.recv(65536)
            except ConnectionError:
                raise Closed(None) from None
            if not more:
                raise Closed(None)
            self.buf += more

    def recv(self):
        """The next text message; answers Engine.IO pings itself."""
        while True:
            self.need(2)
            op, n = self.buf[0] & 15, self.buf[1] & 127
            at = 2
            if n == 126:
                self.need(4)
                n, at = struct.unpack('>H', self.buf[2:4])[0], 4
            elif n == 127:
                self.need(10)
                n, at = struct.unpack('>Q', self.buf[2:10])[0], 10
            self.need(at + n)
            data, self.buf = self.buf[at:at + n], self.buf[at + n:]
            if op == 8:
                raise Closed(struct.unpack('>H', data[:2])[0] if n >= 2
                             else None)
            if op == 1:
                if data == b'2':
                    self.text('3')
                    continue
                return data.decode()

    def close(self):
        self.s.close()


class Sio(Ws):
    """A connected, authenticated socket of the default namespace."""

    def __init__(self, port, token=None, after=None, timeout=PATIENCE_S, origin=None):
        super().__init__(port, timeout=timeout, origin=origin)
        self.acks, self.events, self.next_ack = {}, [], 0
        if self.status != 101:
            return
        self.open = json.loads(self.recv()[1:])
        auth = {'token': token}
        if after is not None:
            auth['after'] = after
        self.text('40' + json.dumps(auth))
        self.refused = None
        first = self.recv()
        if first.startswith('44'):
            self.refused = json.loads(first[2:])
        elif not first.startswith('40'):
            raise RuntimeError(first)

    def pump(self):
        m = self.recv()
        if m.startswith('42'):
            e = json.loads(m[2:])
            self.events.append((e[0], e[1] if len(e) > 1 else None))
        elif m.startswith('43'):
            at = m.index('[')
            self.acks[int(m[2:at])] = json.loads(m[at:])[0]
        elif m.startswith('41'):
            self.events.append(('disconnect', None))

    def emit(self, event, payload=None):
        self.text('42' + json.dumps([event] if payload is None
                                    else [event, payload]))

    def call(self, event, payload=None, raw=None):
        """Emits and awaits the acknowledgement."""
        n, self.next_ack = self.next_ack, self.next_ack + 1
        body = raw if raw is not None else json.dumps(
            [event] if payload is None else [event, payload])
        self.text(f'42{n}' + body)
        while n not in self.acks:
            self.pump()
        return self.acks.pop(n)

    def event(self, name, want=lambda d: True, wait_s=PATIENCE_S):
        """The payload of the next such event."""
        self.s.settimeout(wait_s)
        while True:
            for i, (e, d) in enumerate(self.events):
                if e == name and want(d):
                    del self.events[i]
                    return d
            self.pump()

    def quiet(self, name, wait_s):
        """True when no such event comes for so long."""
        end = time.monotonic() + wait_s
        while True:
            left = end - time.monotonic()
            if any(e == name for e, _ in self.events):
                return False
            if left <= 0:
                return True
            self.s.settimeout(left)
            try:
                self.pump()
            except (TimeoutError, socket.timeout):
                self.s.settimeout(PATIENCE_S)
                return not any(e == name for e, _ in self.events)
