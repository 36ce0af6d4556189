"""tls13.py: a TLS 1.3 client (RFC 8446) that does as it is told, right or
wrong: a real handshake by X25519, then any record. Needs python3-cryptography.

    with Client(port) as c:
        c.handshake()
        c.sock.sendall(c.seal(DATA, b'GET / ...', pad=100))
        kind, data = c.read()
"""
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
SUITES = {0x1301: (AESGCM, 16, 'sha256'), 0x1302: (AESGCM, 32, 'sha384'),
          0x1303: (ChaCha20Poly1305, 32, 'sha256')}
ALERTS = {0: 'close_notify', 10: 'unexpected_message', 20: 'bad_record_mac',
          22: 'record_overflow', 40: 'handshake_failure', 47: 'illegal_parameter',
          50: 'decode_error', 51: 'decrypt_error', 70: 'protocol_version',
          80: 'internal_error', 109: 'missing_extension', 120: 'no_application_protocol'}
RETRY = hashlib.sha256(b'HelloRetryRequest').digest()
X25519, P256 = 29, 23
KEY_UPDATE, KEY_UPDATE_ASK = b'\x18\0\0\1\0', b'\x18\0\0\1\1'


def u8(b):
    return bytes([len(b)]) + b


def u16(b):
    return struct.pack('>H', len(b)) + b


def ext(kind, body):
    return struct.pack('>H', kind) + u16(body)


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, 'big') + body


def plain(kind, body):
    return bytes([kind]) + b'\3\3' + u16(body)


class Ended(Exception):
    """The connection is over: why."""


class Keys:
    """One direction."""

    def __init__(self, client, secret):
        self.client, self.secret, self.seq = client, secret, 0
        aead, n, _ = SUITES[client.suite]
        self.key = client.label(secret, b'key', b'', n)
        self.iv = client.label(secret, b'iv', b'', 12)
        self.aead = aead(self.key)

    def nonce(self):
        n = (int.from_bytes(self.iv, 'big') ^ self.seq).to_bytes(12, 'big')
        self.seq += 1
        return n

    def next(self):
        return Keys(self.client, self.client.label(self.secret, b'traffic upd', b'',
                                                   len(self.secret)))


class Client:
    def __init__(self, port, suite=0x1302, session=None):
        self.sock = socket.create_connection(('127.0.0.1', port), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.suite, self.session = suite, session
        self.buf, self.inner, self.seen = b'', b'', []
        self.transcript, self.tickets, self.updates = b'', [], 0
        self.read_keys = self.write_keys = None
        self.resumed = self.retried = False
        self.extensions = {}	# the server's, of EncryptedExtensions
        self.random = os.urandom(32)
        self.private = X25519PrivateKey.generate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    # ---- Key schedule (RFC 8446 7.1) ----

    def hash(self, data):
        return hashlib.new(SUITES[self.suite][2], data).digest()

    def label(self, secret, label, context, n):
        info = struct.pack('>H', n) + u8(b'tls13 ' + label) + u8(context)
        algorithm = hashes.SHA384() if SUITES[self.suite][2] == 'sha384' else hashes.SHA256()
        return HKDFExpand(algorithm, n, info).derive(secret)

    def derive(self, secret, label, messages):
        h = self.hash(messages)
        return self.label(secret, label, h, len(h))

    def extract(self, salt, key):
        return hmac.new(salt, key, SUITES[self.suite][2]).digest()

    def mac(self, secret, messages):
        key = self.label(secret, b'finished', b'', len(secret))
        return hmac.new(key, self.hash(messages), SUITES[self.suite][2]).digest()

    # ---- Hello ----

    def hello(self, *, versions=(0x0304,), shares=None, groups=(X25519,), modes=b'\1', more=b'',
              early=False, binder=None, sid=None):
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        if shares is None:
            shares = [(X25519, public)]
        e = ext(43, u8(b''.join(struct.pack('>H', v) for v in versions))) if versions else b''
        e += ext(10, u16(b''.join(struct.pack('>H', g) for g in groups)))
        e += ext(13, u16(bytes.fromhex('040308040805080604010501060105030603')))
        e += ext(51, u16(b''.join(struct.pack('>H', g) + u16(k) for g, k in shares)))
        e += ext(45, u8(modes)) + ext(0, u16(b'\0' + u16(b'localhost'))) + more
        if early:
            e += ext(42, b'')
        start = b'\3\3' + self.random + u8(os.urandom(32) if sid is None else sid) + u16(
            struct.pack('>H', self.suite)) + b'\1\0'
        if self.session is None:
            return message(1, start + u16(e))
        ticket, psk, add = self.session
        n = len(self.hash(b''))
        identity = u16(u16(ticket) + struct.pack('>I', add))
        binders = u16(u8(bytes(n)))
        whole = message(1, start + u16(e + ext(41, identity + binders)))
        if binder is None:
            early_secret = self.extract(bytes(n), psk)
            key = self.derive(early_secret, b'res binder', b'')
            binder = self.mac(key, self.transcript + whole[:-len(binders)])
        return whole[:-len(binders)] + u16(u8(binder))

    def handshake(self, *, fragments=None, finish=True, hello=None, between=b'', **options):
        """To our Finished (sent, unless finish is False: then it is returned).
        fragments: bytes a piece of the hello on the wire."""
        first = hello or self.hello(**options)
        self.send(plain(HANDSHAKE, first) + between, fragments)
        self.transcript += first
        kind, body, raw = self.next_message()
        assert kind == 2, kind
        if body[2:34] == RETRY:
            self.retried = True
            self.transcript = message(254, self.hash(first)) + raw
            options.pop('shares', None)
            second = self.hello(**{**options, 'sid': first[39:39 + first[38]], 'early': False})
            self.send(plain(CCS, b'\1') + plain(HANDSHAKE, second), fragments)
            self.transcript += second
            kind, body, raw = self.next_message()
        self.transcript += raw
        self.server_hello(body)
        while True:
            kind, body, raw = self.next_message()
            before = self.transcript
            self.seen.append(kind)
            self.transcript += raw
            if kind == 8:
                self.read_extensions(body[2:])
            if kind == 20:
                assert body == self.mac(self.server_secret, before), 'Finished of the server'
                break
        self.read_keys = Keys(self, self.derive(self.master, b's ap traffic', self.transcript))
        self.application = self.derive(self.master, b'c ap traffic', self.transcript)
        finished = message(20, self.mac(self.client_secret, self.transcript))
        self.transcript += finished
        if not finish:
            return finished
        self.send(plain(CCS, b'\1') + self.seal(HANDSHAKE, finished), fragments)
        self.finish()
        return finished

    def finish(self):
        self.early_keys, self.write_keys = self.write_keys, Keys(self, self.application)

    def server_hello(self, body):
        at = 35 + body[34]
        assert struct.unpack('>H', body[at:at + 2])[0] == self.suite
        at += 5
        share, psk = None, None
        while at < len(body):
            kind, n = struct.unpack('>HH', body[at:at + 4])
            if kind == 51:
                share = body[at + 8:at + 4 + n]
            if kind == 41:
                psk = self.session[1]
            at += 4 + n
        self.resumed = psk is not None
        zero = bytes(len(self.hash(b'')))
        early = self.extract(zero, psk or zero)
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(share))
        secret = self.extract(self.derive(early, b'derived', b''), shared)
        self.server_secret = self.derive(secret, b's hs traffic', self.transcript)
        self.client_secret = self.derive(secret, b'c hs traffic', self.transcript)
        self.master = self.extract(self.derive(secret, b'derived', b''), zero)
        self.read_keys = Keys(self, self.server_secret)
        self.write_keys = Keys(self, self.client_secret)

    def read_extensions(self, b):
        while b:
            kind, n = struct.unpack('>HH', b[:4])
            self.extensions[kind], b = b[4:4 + n], b[4 + n:]

    # ---- Records ----

    def send(self, data, fragments=None):
        for i in range(0, len(data), fragments or len(data)):
            self.sock.sendall(data[i:i + (fragments or len(data))])

    def seal(self, kind, data=b'', pad=0, keys=None):
        keys = keys or self.write_keys
        body = data + (b'' if kind is None else bytes([kind])) + bytes(pad)
        head = b'\x17\3\3' + struct.pack('>H', len(body) + 16)
        return head + keys.aead.encrypt(keys.nonce(), body, head)

    def update(self, ask=False):
        """A KeyUpdate, sealed; the next record is under the new key."""
        out = self.seal(HANDSHAKE, KEY_UPDATE_ASK if ask else KEY_UPDATE)
        self.write_keys = self.write_keys.next()
        return out

    def update_in_pieces(self):
        out = self.seal(HANDSHAKE, KEY_UPDATE_ASK[:2]) + self.seal(
            HANDSHAKE, KEY_UPDATE_ASK[2:4], 9) + self.seal(HANDSHAKE, KEY_UPDATE_ASK[4:])
        self.write_keys = self.write_keys.next()
        return out

    def need(self, n):
        while len(self.buf) < n:
            try:
                more = self.sock.recv(65536)
            except socket.timeout as e:
                raise Ended('silence') from e
            except OSError as e:
                raise Ended('reset') from e
            if not more:
                raise Ended('half a record' if self.buf else 'end')
            self.buf += more
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def record(self):
        """(type, content) of one record, whatever it is."""
        head = self.need(5)
        body = self.need(struct.unpack('>H', head[3:])[0])
        if head[0] != DATA or self.read_keys is None:
            return head[0], body
        self.size = len(body)
        inner = self.read_keys.aead.decrypt(self.read_keys.nonce(), body, head).rstrip(b'\0')
        return inner[-1], inner[:-1]

    def next_message(self):
        while True:
            n = 4 + int.from_bytes(self.inner[1:4], 'big')
            if len(self.inner) >= 4 and len(self.inner) >= n:
                raw, self.inner = self.inner[:n], self.inner[n:]
                return raw[0], raw[4:], raw
            kind, data = self.record()
            if kind == ALERT:
                raise Ended(ALERTS.get(data[1], str(data[1])))
            if kind != CCS:
                assert kind == HANDSHAKE, kind
                self.inner += data

    def read(self):
        """(type, content) of the next record that is not for this layer;
        tickets are kept, keys change."""
        while True:
            kind, data = self.record()
            if kind != HANDSHAKE:
                return kind, data
            if data[0] == 4:
                self.tickets.append(self.ticket(data[4:]))
            else:
                assert data[:4] == KEY_UPDATE[:4], data[:8]
                self.updates += 1
                self.read_keys = self.read_keys.next()

    def ticket(self, b):
        life, add = struct.unpack('>II', b[:8])
        at = 9 + b[8]
        n = struct.unpack('>H', b[at:at + 2])[0]
        master = self.derive(self.master, b'res master', self.transcript)
        return {'life': life, 'extensions': b[at + 2 + n:], 'session': (
            b[at + 2:at + 2 + n], self.label(master, b'resumption', b[9:at], len(master)), add)}

    def until_end(self, patience=10):
        """(data, how it ended): the alert, or as Ended says."""
        data = b''
        self.sock.settimeout(patience)
        try:
            while True:
                kind, more = self.read()
                if kind == ALERT:
                    return data, ALERTS.get(more[1], str(more[1]))
                data += more
        except Ended as e:
            return data, str(e)

    def ask(self, request, pieces=None):
        """The answer's head and body, both short; the connection stays."""
        self.send(self.seal(DATA, request) if pieces is None else pieces)
        data = b''
        while True:
            kind, more = self.read()
            if kind == ALERT:
                raise Ended(ALERTS.get(more[1], str(more[1])))
            data += more
            head, end, body = data.partition(b'\r\n\r\n')
            if end:
                fields = [f for f in head.lower().split(b'\r\n') if f.startswith(b'content-length:')]
                if fields and len(body) >= int(fields[0].split(b':')[1]):
                    return data
