"""51_ws_attacks.py NIGHTJARD: handshakes, frames and packets that break a rule.
Each ends its connection with the right close code and a reason that says what
was wrong, is counted, and does nothing else."""
import json
import os
import re
import socket
import struct
import sys

sys.path[:0] = [os.path.dirname(__file__),
                os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import Server, Tap  # noqa: E402
from sio import Closed, Sio, Ws  # noqa: E402

tap = Tap()
KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
FIELDS = {'Host': 'x', 'Upgrade': 'websocket', 'Connection': 'Upgrade',
          'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': KEY}
QUERY = 'EIO=4&transport=websocket'


def handshake(port, query=QUERY, method='GET', version='1.1', path='/socket.io/', **change):
    """(status, body) of a handshake with these fields changed or left out."""
    head = {**FIELDS, **{k.replace('_', '-'): v for k, v in change.items()}}
    text = f'{method} {path}?{query} HTTP/{version}\r\n' + ''.join(
        f'{k}: {x}\r\n' for k, v in head.items() if v is not None
        for x in (v if isinstance(v, list) else [v])) + '\r\n'
    with socket.create_connection(('127.0.0.1', port), 5) as c:
        c.sendall(text.encode())
        got = c.recv(65536)
        if b' 101 ' not in got.split(b'\r\n')[0]:
            try:
                while more := c.recv(65536):
                    got += more
            except ConnectionError:
                pass
    head, _, body = got.partition(b'\r\n\r\n')
    return int(head.split()[1]), body, head.decode('latin-1')


def count(s, name):
    text = s.rest('GET', '/metrics').raw.decode()
    return int(re.search(rf'^{name} (\d+)$', text, re.M)[1])


def handshakes(s):
    tap.check(handshake(s.port)[0] == 101, 'RFC 6455 4.2: a good one')
    status, _, head = handshake(s.port, Connection='keep-alive, UPGRADE', Upgrade='WebSocket')
    tap.check(status == 101 and 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' in head,
              'RFC 6455 4.2.1: names without case; 1.3: the answer to the key', head)
    before = count(s, 'nightjar_bad_handshakes_total')
    n = 0
    for name, want, change in (
            ('RFC 6455 4.2.1: no key', 400, {'Sec_WebSocket_Key': None}),
            ('a short key', 400, {'Sec_WebSocket_Key': 'dGhl'}),
            ('a key that is no base64', 400, {'Sec_WebSocket_Key': '!' * 24}),
            ('two keys', 400, {'Sec_WebSocket_Key': [KEY, KEY]}),
            ('no version', 400, {'Sec_WebSocket_Version': None}),
            ('version 8', 400, {'Sec_WebSocket_Version': '8'}),
            ('no Upgrade', 400, {'Upgrade': None}),
            ('Upgrade to something else', 400, {'Upgrade': 'h2c'}),
            ('no Connection', 400, {'Connection': None}),
            ('HTTP/1.0', 400, {'version': '1.0'}),
            ('POST', 400, {'method': 'POST', 'Content_Length': '0'}),
            ('Engine.IO: no transport', 400, {'query': 'EIO=4'}),
            ('Engine.IO: polling', 400, {'query': 'EIO=4&transport=polling'}),
            ('Engine.IO: another version', 400, {'query': 'EIO=3&transport=websocket'}),
            ('Engine.IO: an unknown sid', 400, {'query': QUERY + '&sid=abcdefgh'}),
            ('Engine.IO: a query that is none', 400, {'query': '%zz'}),
            ('RFC 6455 10.2: a foreign origin', 403, {'Origin': 'https://evil.example'}),
            ('RFC 6455 10.2: a null origin', 403, {'Origin': 'null'}),
            ('RFC 6454 6: a host that only begins alike', 403,
             {'Origin': f'http://127.0.0.1:{s.port}.evil.example'})):
        status, body, head = handshake(s.port, **change)
        n += 1
        tap.check(status == want and b'"message"' in body and 'Connection: close' in head,
                  f'handshake: {name}: {want}', (head, body))
    after = count(s, 'nightjar_bad_handshakes_total')
    tap.check(after - before == n, 'handshakes refused are counted', (before, after, n))


def frame(first, payload=b'', mask=True, length=None):
    """A frame with any first byte and any form of its length."""
    n = len(payload)
    if length is None:
        length = bytes([n]) if n < 126 else b'\x7e' + struct.pack('>H', n)
    head = bytes([first, length[0] | (0x80 if mask else 0)]) + length[1:]
    return head + (b'\0\0\0\0' if mask else b'') + payload


def ends(k):
    """(code, reason) of the close frame; then the end has to come."""
    try:
        while True:
            k.need(2)
            op, n = k.buf[0] & 15, k.buf[1] & 127
            at = 2
            if n == 126:
                k.need(4)
                n, at = struct.unpack('>H', k.buf[2:4])[0], 4
            k.need(at + n)
            data, k.buf = k.buf[at:at + n], k.buf[at + n:]
            if op == 8:
                code = struct.unpack('>H', data[:2])[0] if n >= 2 else None
                try:
                    k.need(1)
                    return code, 'more came behind the close frame'
                except Closed:
                    return code, data[2:].decode()
    except Closed:
        return 'no close frame', ''
    except TimeoutError:
        return 'nothing', ''


BROKEN = [
    ('5.1: unmasked', frame(0x81, b'2', mask=False), 1002),
    ('5.2: RSV1 without an extension', frame(0xc1, b'2'), 1002),
    ('5.2: RSV2', frame(0xa1, b'2'), 1002),
    ('5.2: RSV3', frame(0x91, b'2'), 1002),
    ('5.2: a length that is not the shortest, 16 bits', frame(0x81, b'2', length=b'\x7e\0\x01'), 1002),
    ('5.2: a length that is not the shortest, 64 bits',
     frame(0x81, b'2', length=b'\x7f' + struct.pack('>Q', 1)), 1002),
    ('5.2: a length of 2^63', frame(0x81, length=b'\x7f' + struct.pack('>Q', 1 << 63)), 1002),
    ('7.4.1: a length of 2^62', frame(0x81, length=b'\x7f' + struct.pack('>Q', 1 << 62)), 1009),
    ('7.4.1: a length of 1,000,001', frame(0x81, length=b'\x7f' + struct.pack('>Q', 1000001)), 1009),
    ('7.4.1: too long in fragments', frame(0x01, b'4' * 60000) + frame(0x00, b'4' * 60000) * 17, 1009),
    ('5.4: continuation of nothing', frame(0x80, b'x'), 1002),
    ('5.4: text inside a message', frame(0x01, b'4') + frame(0x81, b'2'), 1002),
    ('5.4: binary inside a message', frame(0x01, b'4') + frame(0x82, b'2'), 1002),
    ('5.5: a fragmented ping', frame(0x09, b'x'), 1002),
    ('5.5: a fragmented close', frame(0x08, b'\x03\xe8'), 1002),
    ('5.5: a ping of 126 bytes', frame(0x89, b'x' * 126), 1002),
    ('5.5: a ping with a 16-bit length', frame(0x89, b'x', length=b'\x7e\0\x01'), 1002),
    ('5.5.1: a close of one byte', frame(0x88, b'\x03'), 1002),
    ('5.5.1: a reason that is no UTF-8', frame(0x88, b'\x03\xe8\xff'), 1007),
    ('8.1: text that is no UTF-8', frame(0x81, b'42["\xc0\xaf"]'), 1007),
    ('8.1: a surrogate in text', frame(0x81, b'42["\xed\xa0\x80"]'), 1007),
    ('8.1: a character cut by the end', frame(0x81, b'42["\xf0\x9f'), 1007),
    ('8.1: no UTF-8, seen before the message ends', frame(0x01, b'42["\xff'), 1007),
] + [
    (f'5.2: opcode {op}', frame(0x80 | op, b''), 1002) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
] + [
    (f'7.4: a close with code {c}', frame(0x88, struct.pack('>H', c)), 1002)
    for c in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65535)
]


def frames(s, token):
    before = count(s, 'nightjar_bad_frames_total') + count(s, 'nightjar_messages_too_large_total')
    for name, data, want in BROKEN:
        k = Sio(s.port, token, timeout=40)
        try:
            k.s.sendall(data)
        except ConnectionError:
            pass
        code, reason = ends(k)
        tap.check(code == want and reason, f'RFC 6455 {name}: {want}', (code, reason))
        k.close()
    after = count(s, 'nightjar_bad_frames_total') + count(s, 'nightjar_messages_too_large_total')
    tap.check(after - before == len(BROKEN), 'frames refused are counted',
              (before, after, len(BROKEN)))
    for name, data, want in (
            ('with 1000', struct.pack('>H', 1000), 1000), ('with 4999', struct.pack('>H', 4999), 4999),
            ('with a reason', struct.pack('>H', 1001) + b'bye', 1001), ('without a code', b'', None)):
        k = Sio(s.port, token, timeout=40)
        k.s.sendall(frame(0x88, data) + frame(0x81, b'2') * 10)
        code, _ = ends(k)
        tap.check(code == want, f'RFC 6455 5.5.1: a close {name} is answered alike', code)
    k = Sio(s.port, token, timeout=40)
    k.s.sendall(frame(0x01, b'420["presence') + frame(0x89, b'abc') + frame(0x00, b'') +
                frame(0x80, b':set",{"status":"online"}]'))
    got = b''
    while b'430[' not in got:
        got += k.s.recv(4096)
    tap.check(b'\x8a\x03abc' in got and b'"success":true' in got,
              'RFC 6455 5.4: a ping between fragments is answered, the message whole', got)
    k.close()


# What is sent before CONNECT, and behind it, with the close code.
BEFORE = [
    ('an event before CONNECT', '42["presence:set",{"status":"online"}]'),
    ('an acknowledgement before CONNECT', '430[]'), ('DISCONNECT before CONNECT', '41'),
    ('a ping', '2'), ('a probe', '2probe'),
    ('an unknown Engine.IO packet', '8'), ('an empty message', ''), ('no Socket.IO packet', '4'),
    ('an unknown Socket.IO packet', '49'), ('CONNECT with half an object', '40{"token":'),
    ('CONNECT with a list', '40[]'), ('CONNECT with a string', '40"x"'),
    ('CONNECT_ERROR', '44{}'), ('a binary event', '451-["a",{"_placeholder":true,"num":0}]'),
]
BEHIND = [
    ('CONNECT again', '40{}'), ('no name', '42[]'), ('a reserved name', '42["disconnect"]'),
    ('no list', '42{}'), ('half a list', '42["a"'), ('something behind', '42["a"]x'),
    ('an id of 22 digits', '429999999999999999999999["a"]'),
    ('another namespace', '42/admin,["a"]'), ('a reserved packet', '47'),
    ('10,000 levels', '42["a",' + '[' * 10000 + ']' * 10000 + ']'),
    ('a binary event', '451-["a",{"_placeholder":true,"num":0}]'),
    ('a binary event of a billion', '451000000000-["a"]'),
]


def packets(s, token):
    before = count(s, 'nightjar_bad_frames_total')
    n = 0
    for packets_, opened in ((BEFORE, False), (BEHIND, True)):
        for name, text in packets_:
            k = Sio(s.port, token, timeout=40) if opened else Ws(s.port, timeout=40)
            k.text(text)
            code, reason = ends(k)
            n += 1
            tap.check(code == 1008 and reason, f'packet: {name}: 1008', (code, reason))
            k.close()
    k = Sio(s.port, token, timeout=40)
    k.frame(b'\x04attachment', opcode=2)
    code, reason = ends(k)
    tap.check(code == 1008 and reason, 'packet: an attachment that is not due: 1008', (code, reason))
    after = count(s, 'nightjar_bad_frames_total')
    tap.check(after - before == n + 1, 'packets refused are counted', (before, after, n + 1))
    k = Ws(s.port, timeout=40)
    k.recv()
    k.text('40' + json.dumps({'token': 'x' * 20000}))
    code, reason = ends(k)
    tap.check(code == 1009 and reason, 'a message of 20 KB before a socket is in: 1009', (code, reason))
    for name, text in (('another namespace', '40/admin,{}'), ('an empty token', '40{"token":""}'),
                       ('a token that is a number', '40{"token":5}'),
                       ('a token that is an object', '40{"token":{}}'),
                       ('an unknown member', '40{"token":"x","admin":true}'),
                       ('a position that is a string', '40' + json.dumps({'token': token, 'after': 'x'}))):
        k = Ws(s.port, timeout=40)
        k.recv()
        k.text(text)
        got = k.recv()
        tap.check(got.startswith('44') and '"message"' in got, f'CONNECT with {name}: refused', got)
        k.close()


def calls(s, token, chat):
    """Bad payloads of events: an error that names the field, and no more."""
    k = Sio(s.port, token)
    good = {'chatId': chat, 'encryptedContent': 'eA==', 'iv': ''}
    for name, event, payload in (
            ('without chatId', 'message:send', {'encryptedContent': 'x', 'iv': ''}),
            ('with a bad chatId', 'message:send', {**good, 'chatId': 'x'}),
            ('with a number', 'message:send', {**good, 'iv': 5}),
            ('with an unknown member', 'message:send', {**good, 'senderId': chat}),
            ('with a sequence', 'message:read', [1, 2]), ('with null', 'typing:start', None),
            ('with a text', 'typing:start', 'x'), ('with too much', 'presence:set',
                                                   {'status': 'invisible'})):
        r = k.call(event, payload)
        tap.check('error' in r and r['error']['message'] and r['error']['code'] in
                  ('validation_failed', 'bad_request'), f'{event} {name} is refused', r)
    for event in ('nothing', 'connection', 'message:new', 'x' * 5000, '__proto__'):
        r = k.call(event, {})
        tap.check('error' in r, f'event {event[:20]!r} does not exist', r)
    r = k.call('presence:set', {'status': 'online'})
    tap.check(r == {'success': True}, 'and the socket goes on', r)
    k.close()
    r = s.rest('GET', f'/api/chats/{chat}/messages', token=token)
    tap.check(r.data['messages'] == [], 'nothing was stored', r)


with Server(sys.argv[1], flags=['--set', 'threads.reactors=2']) as server:
    _, access, _ = server.register('alice')
    bob, _, _ = server.register('bob')
    chat_id = server.chat(access, bob)
    handshakes(server)
    frames(server, access)
    packets(server, access)
    calls(server, access, chat_id)
    tap.check(count(server, 'nightjar_sockets') == 0, 'no socket is left behind')
    tap.check(server.kill(15) == 0, 'the server is well, and ends in good order',
              server.log()[-2000:])
sys.exit(tap.done())
