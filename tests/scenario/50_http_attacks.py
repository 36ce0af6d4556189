"""50_http_attacks.py NIGHTJARD: bytes that no honest client sends. Each is
refused with its status, the connection ends, the error names what was wrong,
a counter moves, no operation runs, and the server goes on."""
import json
import os
import re
import socket
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import Server, Tap  # noqa: E402

tap = Tap()
HOST = b'Host: x\r\n'
JSON = b'Content-Type: application/json\r\n'
END = b'Connection: close\r\n\r\n'
LOGIN = b'POST /api/auth/login HTTP/1.1\r\n' + HOST + JSON
CHUNKED = LOGIN + b'Transfer-Encoding: chunked\r\n' + END


def get(target, *fields, method=b'GET', host=HOST):
    return (method + b' ' + target + b' HTTP/1.1\r\n' + host +
            b''.join(f + b'\r\n' for f in fields) + END)


class Reply:
    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        self.status = int(lines[0].split()[1]) if raw else None
        self.head = dict(x.split(': ', 1) for x in lines[1:] if ': ' in x)
        try:
            self.error = json.loads(self.body)['error']
        except (ValueError, KeyError):
            self.error = {}

    def __repr__(self):
        return repr(self.raw[:400])


def exchange(port, data, half=False, wait_s=40):
    """What comes back until the server ends the connection."""
    got = b''
    with socket.create_connection(('127.0.0.1', port), wait_s) as c:
        try:
            c.sendall(data)
            if half:
                c.shutdown(socket.SHUT_WR)
            while more := c.recv(65536):
                got += more
        except ConnectionError:
            got += b'' if got else b'HTTP/1.1 0 reset\r\n\r\n'
    return Reply(got)


def counters(s):
    text = s.rest('GET', '/metrics').raw.decode()

    def total(pattern):
        return sum(int(float(v)) for v in
                   re.findall(rf'^{pattern} ([0-9.e+]+)$', text, re.M))
    return {'bad': total('nightjar_bad_requests_total'),
            'login': total(r'nightjar_call_duration_seconds_count\{op="login"\}'),
            'rss': total('process_resident_memory_bytes')}


# (name, bytes, status, part of the message)
FRAMING = [
    ('RFC 9112 6.3: two Content-Length', LOGIN + b'Content-Length: 2\r\n' * 2 + b'\r\n{}',
     400, 'Content-Length'),
    ('RFC 9112 6.3: a list of Content-Length', LOGIN + b'Content-Length: 2, 2\r\n\r\n{}',
     400, 'Content-Length'),
    ('RFC 9112 6.3: Content-Length and Transfer-Encoding', LOGIN +
     b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'Transfer-Encoding'),
    ('RFC 9112 6.3: in the other order', LOGIN +
     b'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n', 400, ''),
    ('RFC 9112 6.1: an unknown coding', LOGIN + b'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
     501, 'coding'),
    ('RFC 9112 6.1: chunked is not last', LOGIN +
     b'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n', 400, 'coding'),
    ('RFC 9112 6.1: two Transfer-Encoding', LOGIN +
     b'Transfer-Encoding: chunked\r\n' * 2 + b'\r\n0\r\n\r\n', 400, 'coding'),
    ('RFC 9112 6.1: Transfer-Encoding in HTTP/1.0', LOGIN.replace(b'/1.1', b'/1.0') +
     b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'HTTP/1.0'),
    ('RFC 9112 5.2: a folded line', get(b'/health', b'X: a\r\n b'), 400, 'folded'),
    ('RFC 9112 2.2: white space before the first field',
     b'GET /health HTTP/1.1\r\n X: y\r\n' + HOST + b'\r\n', 400, 'folded'),
    ('RFC 9112 2.2: bare LF', b'GET /health HTTP/1.1\nHost: x\n\n', 400, 'CR'),
    ('RFC 9112 2.2: bare CR in a value', get(b'/health', b'X: a\rb: c'), 400, 'LF'),
    ('RFC 9112 5.1: a space before the colon', get(b'/health', b'X : a'), 400, 'token'),
    ('RFC 9112 5.1: the same for Transfer-Encoding', LOGIN +
     b'Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}', 400, ''),
    ('RFC 9110 5.5: NUL in a value', get(b'/health', b'X: a\0b'), 400, 'value'),
    ('RFC 9110 5.1: NUL in a name', get(b'/health', b'X\0: a'), 400, 'token'),
    ('RFC 9110 5.1: no name', get(b'/health', b': a'), 400, ''),
    ('RFC 9110 5.1: no colon', get(b'/health', b'abc'), 400, ''),
    ('RFC 9112 3.2: no Host', get(b'/health', host=b''), 400, 'Host'),
    ('RFC 9112 3.2: two Hosts', get(b'/health', b'Host: y'), 400, 'Host'),
    ('RFC 9112 3.2: a Host that is none', get(b'/health', host=b'Host: a/b\r\n'), 400, 'Host'),
    ('RFC 9112 3: two spaces', b'GET  /health HTTP/1.1\r\n' + HOST + b'\r\n', 400, 'line'),
    ('RFC 9112 3: no version', b'GET /health\r\n\r\n', 400, 'line'),
    ('RFC 9112 2.3: version 2.0', b'GET /health HTTP/2.0\r\n' + HOST + b'\r\n', 505, 'version'),
    ('RFC 9112 2.3: version 1.2', b'GET /health HTTP/1.2\r\n' + HOST + b'\r\n', 505, 'version'),
    ('RFC 9113 3.4: the preface of HTTP/2', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'version'),
    ('RFC 8446: TLS where there is none', b'\x16\x03\x01\x00\xc8\x01', 400, 'TLS'),
    ('RFC 9110 9.1: an unknown method', get(b'/health', method=b'BREW'), 501, 'method'),
    ('RFC 9110 9.1: a method in lower case', get(b'/health', method=b'get'), 501, 'method'),
    ('RFC 9110 9.3.6: CONNECT', get(b'x:443', method=b'CONNECT'), 501, 'method'),
    ('RFC 9112 3.2.1: a target without a slash', get(b'health'), 400, ''),
    ('RFC 9112 3.2: a fragment', get(b'/health#f'), 400, 'target'),
    ('RFC 9112 3.2: a byte above 127', get(b'/hea\xff'), 400, ''),
    ('RFC 9110 4.2.4: user information', get(b'http://u@x/health'), 400, 'target'),
    ('RFC 9110 10.1.1: another expectation', LOGIN +
     b'Content-Length: 2\r\nExpect: 200-ok\r\n\r\n', 417, 'expectation'),
    ('RFC 9112 3: a target of 9,000 bytes', get(b'/' + b'a' * 9000), 414, 'too long'),
    ('RFC 9112 3: a target without an end', b'GET /' + b'a' * 60000, 414, 'too long'),
    ('RFC 6585 5: a field of 40,000 bytes', get(b'/health', b'X: ' + b'a' * 40000),
     431, 'too long'),
    ('RFC 6585 5: 200 fields', get(b'/health', *[b'X: a'] * 200), 431, 'fields'),
    ('RFC 9110 15.5.14: a body of 1 GB', LOGIN + b'Content-Length: 1000000000\r\n\r\n{',
     413, 'too large'),
] + [
    (f'RFC 9110 8.6: Content-Length {v!r}', LOGIN + b'Content-Length: ' + v + b'\r\n\r\n{}',
     400, 'Content-Length')
    for v in (b'+2', b'-1', b'0x2', b'2;', b'', b'9' * 30)
] + [
    (f'RFC 9112 7.1: a chunk, {name}', CHUNKED + data, status, 'chunk')
    for name, data, status in (
        ('negative', b'-1\r\n{}\r\n0\r\n\r\n', 400),
        ('with 0x', b'0x2\r\n{}\r\n0\r\n\r\n', 400),
        ('of 2^72', b'f' * 18 + b'\r\n{}', 400),
        ('without a size', b'\r\n{}\r\n', 400),
        ('with bare LF', b'2\n{}\n0\n\n', 400),
        ('with a space', b'2 \r\n{}\r\n0\r\n\r\n', 400),
        ('longer than it says', b'2\r\n{}{}\r\n0\r\n\r\n', 400),
        ('ended by CR X', b'2\r\n{}\rX0\r\n\r\n', 400),
        ('with an extension and LF', b'2;a\n{}\r\n0\r\n\r\n', 400),
        ('with 70,000 bytes of extension', b'2;' + b'a' * 70000 + b'\r\n{}\r\n0\r\n\r\n', 431),
        ('with a folded trailer', b'2\r\n{}\r\n0\r\nX: y\r\n z\r\n\r\n', 400),
        ('with Content-Length as trailer', b'2\r\n{}\r\n0\r\nContent-Length: 3\r\n\r\n', 400),
        ('with 60,000 bytes of trailers', b'2\r\n{}\r\n0\r\n' + b'X: aaaaaa\r\n' * 6000, 431))
]


def framing(s):
    before = counters(s)
    for name, data, status, says in FRAMING:
        r = exchange(s.port, data)
        tap.check(r.status == status and r.head.get('Connection') == 'close' and
                  r.error.get('code') in ('bad_request', 'too_large') and
                  len(r.error.get('message', '')) > len('The request is malformed') - 12 and
                  says.lower() in r.error.get('message', '').lower(),
                  f'{name}: {status}', r)
    after = counters(s)
    tap.check(after['bad'] - before['bad'] == len(FRAMING), 'each was counted',
              (before, after, len(FRAMING)))
    tap.check(after['login'] == before['login'], 'none of them ran anything',
              (before, after))


def smuggled(s):
    """What follows a refused request is never taken for a request."""
    inner = b'GET /health HTTP/1.1\r\n' + HOST + b'\r\n'
    for name, data in (
            ('two lengths', LOGIN + b'Content-Length: 0\r\nContent-Length: 46\r\n\r\n' + inner),
            ('length and chunked', LOGIN +
             b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' + inner),
            ('a bad chunk', CHUNKED + b'zz\r\n' + inner),
            ('too large', LOGIN + b'Content-Length: 5000000\r\n\r\n' + inner)):
        r = exchange(s.port, data)
        tap.check(r.raw.count(b'HTTP/1.1 ') == 1 and r.status >= 400,
                  f'RFC 9112 11.2: nothing is smuggled behind {name}', r)
    r = exchange(s.port, LOGIN + b'Content-Length: 2\r\n\r\n{}' + get(b'/health'))
    tap.check(re.findall(rb'HTTP/1.1 (\d+)', r.raw) == [b'400', b'200'],
              'RFC 9112 9.3.2: pipelined requests are answered in order', r)
    r = exchange(s.port, inner * 500 + get(b'/nothing') + inner)
    tap.check(re.findall(rb'HTTP/1.1 (\d+)', r.raw) == [b'200'] * 500 + [b'404'],
              'RFC 9112 9.6: nothing is answered after close', r.raw[-300:])


def accepted(s):
    for name, data, status in (
            ('RFC 9112 2.2: an empty line before', b'\r\n\r\n' + get(b'/health'), 200),
            ('RFC 9112 3.2.2: absolute form', get(b'http://y/health'), 200),
            ('RFC 9112 2.3: HTTP/1.0 without Host', b'GET /health HTTP/1.0\r\n\r\n', 200),
            ('RFC 9112 7.1: chunks', CHUNKED + b'1\r\n{\r\n001;a="b"\r\n}\r\n0\r\nX: y\r\n\r\n', 400),
            ('RFC 9110 9.3.2: HEAD', get(b'/health', method=b'HEAD'), 200)):
        r = exchange(s.port, data)
        tap.check(r.status == status and 'malformed' not in r.error.get('message', ''),
                  f'{name} is fine', r)
    for method, path, allow in ((b'OPTIONS', b'/api/auth/login', 'POST'),
                                (b'HEAD', b'/api/auth/login', 'POST'),
                                (b'DELETE', b'/health', 'GET, HEAD'),
                                (b'TRACE', b'/health', 'GET, HEAD'),
                                (b'PATCH', b'/api/users/me/device-list', 'PUT')):
        r = exchange(s.port, get(path, method=method))
        tap.check(r.status == 405 and r.head.get('Allow', '').startswith(allow) and
                  (r.body == b'') == (method == b'HEAD'),
                  f'RFC 9110 15.5.6: {method.decode()} {path.decode()} says Allow', r)
    r = exchange(s.port, b'GET /health HTTP/1.1\r\n' + HOST + b'\r\n', half=True)
    tap.check(r.status == 200, 'RFC 9112 9.6: who has ended its half is answered', r)
    for part in (b'GET /health HTT', b'GET /health HTTP/1.1\r\nX', LOGIN +
                 b'Content-Length: 9\r\n\r\n{'):
        r = exchange(s.port, part, half=True)
        tap.check(r.status in (None, 400), 'RFC 9112 8: a cut request runs nothing', r)
    with socket.create_connection(('127.0.0.1', s.port), 5) as c:
        c.sendall(LOGIN + b'Content-Length: 2\r\nExpect: 100-continue\r\n\r\n')
        first = c.recv(1000)
        c.sendall(b'{}')
        tap.check(first.startswith(b'HTTP/1.1 100 ') and b' 400 ' in c.recv(4000),
                  'RFC 9110 10.1.1: 100 before the body', first)


def targets(s, token):
    auth = b'Authorization: Bearer ' + token.encode()
    for target in (b'/%68ealth', b'/health%', b'/health%00', b'/health/', b'//health',
                   b'/./health', b'/api/../health', b'/api/%2e%2e/health', b'/health;x',
                   b'/api/auth%2fme'):
        r = exchange(s.port, get(target, auth))
        tap.check(r.status == 404, f'{target.decode()} is no other name of anything', r)
    for target, status, code in (
            (b'/health?%', 400, 'bad_request'), (b'/health?%zz=1', 400, 'bad_request'),
            (b'/health?x=1', 400, 'validation_failed'),
            (b'/api/users/%00', 400, 'bad_request'),
            (b'/api/users/%ff%fe', 400, 'bad_request'),
            (b'/api/users/' + b'a' * 5000, 400, 'validation_failed'),
            (b'/api/users/search?q=%ff%fe', 400, 'bad_request'),
            (b'/api/users/search?q=%ed%a0%80aa', 400, 'bad_request'),
            (b'/api/users/search?q=ab&q=cd', 400, 'validation_failed'),
            (b'/api/users/search?q=ab&limit=1&limit=2', 400, 'validation_failed'),
            (b'/api/users/search?q=ab&limit=99999999999999999999', 400, 'validation_failed'),
            (b'/api/users/search?q=ab&limit=-1', 400, 'validation_failed'),
            (b'/api/users/search?q=ab&limit=1e1', 400, 'validation_failed'),
            (b'/api/users/search?' + b'&'.join(b'a%d=1' % i for i in range(40)), 400, None),
            (b'/api/sync?after=9007199254740993', 400, 'validation_failed')):
        r = exchange(s.port, get(target, auth))
        tap.check(r.status == status and r.error.get('code') == (code or r.error.get('code')) and
                  r.error.get('message'), f'{target[:60].decode()}: {status}', r)
    r = exchange(s.port, get(b'/api/auth/me', auth))
    tap.check(r.status == 200, 'one token is taken', r)
    for name, two in (('two tokens', auth), ('a token and another', b'Authorization: Bearer x')):
        r = exchange(s.port, get(b'/api/auth/me', auth, two))
        tap.check(r.status == 400 and 'Authorization' in r.error.get('message', ''),
                  f'RFC 9110 5.3: {name}: refused', r)
    r = exchange(s.port, LOGIN + b'Content-Type: text/plain\r\nContent-Length: 2\r\n' + END + b'{}')
    tap.check(r.status == 400 and 'Content-Type' in r.error.get('message', ''),
              'RFC 9110 5.3: two media types: refused', r)


def polluted(s):
    """A member that names something twice, in path, query and body."""
    a, ta, _ = s.register('alice')
    b, tb, _ = s.register('bob')
    c, tc, _ = s.register('carol')
    mine, theirs = s.chat(ta, b), s.chat(tb, c)
    for name, path in (('query', f'/api/chats/{mine}?chatId={theirs}'),
                       ('query of history', f'/api/chats/{mine}/messages?chatId={theirs}')):
        r = s.rest('GET', path, token=ta)
        tap.check(r.status == 400 and r.code == 'validation_failed',
                  f'a {name} does not override the path', r)
    r = s.rest('POST', f'/api/chats/{mine}/messages',
               {'chatId': theirs, 'encryptedContent': 'x', 'iv': ''}, ta)
    tap.check(r.status == 400, 'nor does the body', r)
    r = s.rest('GET', f'/api/chats/{theirs}/messages', token=tb)
    tap.check(r.data['messages'] == [], 'and nothing came of it', r)
    return ta, mine


def bodies(s, token, chat):
    path = f'/api/chats/{chat}/messages'
    good = '"encryptedContent":"eA==","iv":""'
    for name, body, code in (
            ('cut', '{' + good, 'bad_request'), ('a comma at the end', '{' + good + ',}', 'bad_request'),
            ('single quotes', "{'iv':''}", 'bad_request'), ('a comment', '{/**/' + good + '}', 'bad_request'),
            ('a byte order mark', '\ufeff{' + good + '}', 'bad_request'),
            ('NaN', '{' + good + ',"sentAt":NaN}', 'bad_request'),
            ('something behind', '{' + good + '}x', 'bad_request'),
            ('a control character', '{"iv":"\x01",' + good + '}', 'bad_request'),
            ('a lone surrogate', r'{"encryptedContent":"\udc00","iv":""}', 'bad_request'),
            ('an escaped NUL', r'{"encryptedContent":"\u0000","iv":""}', None),
            ('10,000 levels', '{"metadata":' + '[' * 10000 + ']' * 10000 + ',' + good + '}', None),
            ('10,000 open brackets', '[' * 10000, 'bad_request'),
            ('a member twice', '{' + good + ',"iv":"a"}', 'validation_failed'),
            ('a member twice, once escaped', '{' + good + r',"\u0069v":"a"}', 'validation_failed'),
            ('20,000 members', '{' + ','.join(f'"a{i}":1' for i in range(20000)) + '}', None),
            ('a number for a string', '{"encryptedContent":1,"iv":""}', 'validation_failed'),
            ('a huge number', '{"encryptedContent":1e999999,"iv":""}', None),
            ('a list', '[]', None), ('a string', '"x"', None), ('null', 'null', None),
            ('nothing', '', None), ('true', 'true', None)):
        r = s.rest('POST', path, body.encode(), token, {'Content-Type': 'application/json'})
        tap.check(r.status == 400 and r.code in ((code,) if code else
                  ('bad_request', 'validation_failed')) and
                  (r.json['error'].get('details') or len(r.json['error']['message']) > 8),
                  f'RFC 8259: a body with {name}: 400', r)
    r = s.rest('GET', path, token=token)
    tap.check(r.data['messages'] == [], 'none of them was stored', r)


with Server(sys.argv[1]) as server:
    framing(server)
    smuggled(server)
    accepted(server)
    access, chat_id = polluted(server)
    targets(server, access)
    bodies(server, access, chat_id)
    tap.check(server.kill(15) == 0, 'the server is well, and ends in good order',
              server.log()[-2000:])
sys.exit(tap.done())
