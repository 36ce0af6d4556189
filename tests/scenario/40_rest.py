"""40_rest.py NIGHTJARD: requests that are wrong in every way that the interface
names: each gets its status and an error that says what was wrong, and the
server goes on."""
import base64
import hashlib
import hmac
import json
import os
import socket
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402

tap = Tap()
JSON = {'Content-Type': 'application/json'}


def b64(x):
    return base64.urlsafe_b64encode(x).rstrip(b'=').decode()


def sign(key, head, claims):
    t = b64(json.dumps(head, separators=(',', ':')).encode()) + '.' + \
        b64(json.dumps(claims, separators=(',', ':')).encode())
    return t + '.' + b64(hmac.new(key, t.encode(), hashlib.sha256).digest())


def is_error(r, status, code):
    e = (r.json or {}).get('error', {})
    return (r.status == status and e.get('code') == code and
            r.json.get('success') is False and bool(e.get('message')) and
            r.json.get('requestId') == r.headers.get('X-Request-Id'))


def fields(r):
    return {d['field'] for d in (r.json or {}).get('error', {}).get('details', [])}


def registration(s):
    good = {'username': 'mallory', 'email': 'm@example.org', 'password': PASSWORD}
    for name, change, field in (
            ('short name', {'username': 'ab'}, 'username'),
            ('long name', {'username': 'a' * 31}, 'username'),
            ('name with a sign', {'username': 'mal-lory'}, 'username'),
            ('name of the wrong type', {'username': 7}, 'username'),
            ('null name', {'username': None}, 'username'),
            ('bad address', {'email': 'nobody'}, 'email'),
            ('short password', {'password': 'aB3$'}, 'password'),
            ('weak password', {'password': 'alllowercase1!'}, 'password'),
            ('common password', {'password': 'P@ssw0rd1!'}, 'password'),
            ('long password', {'password': 'aB3$' * 300}, 'password'),
            ('unknown member', {'admin': True}, 'admin'),
            ('nested wrong type', {'device': {'name': 3}}, 'device.name')):
        r = s.rest('POST', '/api/auth/register', {**good, **change})
        tap.check(is_error(r, 400, 'validation_failed') and field in fields(r),
                  f'register: {name} names the field', r)
    r = s.rest('POST', '/api/auth/register', {})
    tap.check(fields(r) == {'username', 'email', 'password'},
              'register: every missing field is named', r)
    s.register('taken')
    for who, code in (({'username': 'TAKEN'}, 'username_taken'),
                      ({'email': 'TAKEN@example.org'}, 'email_taken')):
        r = s.rest('POST', '/api/auth/register', {**good, **who})
        tap.check(is_error(r, 409, code), f'register: {code} without case', r)


def bodies(s):
    for name, body, head, status, code in (
            ('no JSON', b'hello', JSON, 400, 'bad_request'),
            ('cut JSON', b'{"username":"a', JSON, 400, 'bad_request'),
            ('two values', b'{}{}', JSON, 400, 'bad_request'),
            ('an array', b'[]', JSON, 400, None),
            ('bad UTF-8', b'{"username":"\xff\xfe"}', JSON, 400, 'bad_request'),
            ('lone surrogate', b'{"username":"\\ud800"}', JSON, 400, 'bad_request'),
            ('a NUL byte', b'{"username":"a\x00b"}', JSON, 400, 'bad_request'),
            ('deep nesting', b'{"a":' * 100 + b'1' + b'}' * 100, JSON, 400, None),
            ('a member twice', b'{"username":"abc","username":"abd"}', JSON, 400,
             'validation_failed'),
            ('no media type', b'{}', {}, 415, 'unsupported_media_type'),
            ('another media type', b'{}', {'Content-Type': 'text/plain'}, 415,
             'unsupported_media_type'),
            ('another charset', b'{}',
             {'Content-Type': 'application/json; charset=latin1'}, 415,
             'unsupported_media_type'),
            ('too large', b'{"username":"' + b'a' * 1100000 + b'"}', JSON, 413,
             'too_large')):
        r = s.rest('POST', '/api/auth/login', body, headers=head)
        tap.check(is_error(r, status, code or r.code) and r.code is not None,
                  f'body: {name} gives {status}', r)
    r = s.rest('POST', '/api/auth/login', b'{"username":"a","password":"b"}',
               headers={'Content-Type': 'application/json; charset=utf-8'})
    tap.check(r.status == 401, 'body: charset utf-8 is fine', r)


def paths(s):
    r = s.rest('GET', '/api/nothing')
    tap.check(is_error(r, 404, 'not_found'), 'path: unknown is 404', r)
    r = s.rest('GET', '/api/auth/login')
    tap.check(is_error(r, 405, 'method_not_allowed') and
              r.headers.get('Allow') == 'POST', 'path: 405 says Allow', r)
    r = s.rest('GET', '/health', headers={'X-Request-Id': 'my-id.1'})
    tap.check(r.headers.get('X-Request-Id') == 'my-id.1',
              'X-Request-Id: a sane one is kept', r.headers)
    for bad in ('a b', 'x' * 65, '<script>'):
        r = s.rest('GET', '/health', headers={'X-Request-Id': bad})
        tap.check(r.headers.get('X-Request-Id') not in (bad, None),
                  'X-Request-Id: another one is replaced', r.headers)
    r = s.rest('HEAD', '/health')
    tap.check(r.status == 200 and r.raw == b'', 'HEAD has no body', r)
    for path in ('/', '/health', '/api/nothing', '/api/auth/me'):
        h = s.rest('GET', path).headers
        tap.check("frame-ancestors 'none'" in h.get('Content-Security-Policy', '')
                  and h.get('X-Content-Type-Options') == 'nosniff'
                  and h.get('X-Frame-Options') == 'DENY'
                  and h.get('Referrer-Policy') == 'no-referrer',
                  f'security headers on {path}', h)


def tokens(s):
    uid, access, refresh = s.register('alice')
    with open(os.path.join(s.data, 'jwt.key'), encoding='ascii') as f:
        key = bytes.fromhex(f.read().strip())
    head, claims = (json.loads(base64.urlsafe_b64decode(p + '=='))
                    for p in access.split('.')[:2])
    tap.check(s.rest('GET', '/api/auth/me', token=access).data['id'] == uid,
              'token: a good one works')
    tap.check(s.rest('GET', '/api/auth/me',
                     token=sign(key, head, claims)).status == 200,
              'token: this test signs as the server does')
    other = {**claims, 'sid': '01a1fd93-9698-7234-83dc-b6160554aff8'}
    gone = {**claims, 'exp': int(time.time()) - 5}
    for name, t, code in (
            ('none', None, 'invalid_token'), ('garbage', 'x.y.z', 'invalid_token'),
            ('refresh for access', refresh, 'invalid_token'),
            ('cut', access[:-1], 'invalid_token'),
            ('without signature', access.rsplit('.', 1)[0] + '.', 'invalid_token'),
            ('alg none', b64(b'{"alg":"none","typ":"JWT"}') + '.' +
             access.split('.')[1] + '.', 'invalid_token'),
            ('alg HS512', sign(key, {**head, 'alg': 'HS512'}, claims), 'invalid_token'),
            ('another key', sign(b'k' * 32, head, claims), 'invalid_token'),
            ('a session that is not', sign(key, head, other), 'invalid_token'),
            ('expired', sign(key, head, gone), 'token_expired'),
            ('more claims', sign(key, head, {**claims, 'role': 'admin'}),
             'invalid_token'),
            ('huge', 'a' * 4000, 'invalid_token')):
        r = s.rest('GET', '/api/auth/me', token=t)
        tap.check(is_error(r, 401, code) and
                  r.headers.get('WWW-Authenticate') == 'Bearer',
                  f'token: {name} is refused', r)
    r = s.rest('GET', '/api/auth/me', headers={'Authorization': 'Basic YTpi'})
    tap.check(is_error(r, 401, 'invalid_token'), 'token: Basic is refused', r)


def foreign(s):
    _, access, _ = s.register('carol')
    a, ta, _ = s.register('dave')
    b, tb, _ = s.register('erin')
    chat = s.chat(ta, b)
    for name, r in (
            ('a chat', s.rest('GET', f'/api/chats/{chat}', token=access)),
            ('its history', s.rest('GET', f'/api/chats/{chat}/messages', token=access)),
            ('a send', s.send(access, chat, 'aGk=')),
            ('a person', s.rest('GET', '/api/users/' + chat, token=access)),
            ('a session', s.rest('DELETE', '/api/auth/sessions/' + chat, token=access))):
        tap.check(is_error(r, 404, 'not_found'),
                  f'{name} that is not mine is not there', r)
    mine = s.rest('GET', '/api/auth/sessions', token=ta).data['sessions'][0]['id']
    r = s.rest('DELETE', f'/api/auth/sessions/{mine}', token=tb)
    tap.check(r.status == 404 and s.rest('GET', '/api/auth/me', token=ta).status == 200,
              "nobody ends another one's session", r)
    r = s.rest('GET', '/api/users/not-an-id', token=access)
    tap.check(is_error(r, 400, 'validation_failed') and fields(r) == {'id'},
              'a bad id in a path is named', r)
    for query, field in (('q=a', 'q'), ('q=abc&limit=0', 'limit'),
                         ('q=abc&limit=x', 'limit'), ('q=abc&x=1', 'x'), ('', 'q')):
        r = s.rest('GET', '/api/users/search?' + query, token=access)
        tap.check(is_error(r, 400, 'validation_failed') and field in fields(r),
                  f'query: {query!r} names {field}', r)
    r = s.rest('GET', '/api/users/search?q=%zz', token=access)
    tap.check(r.status == 400, 'query: bad percent coding', r)
    r = s.rest('GET', '/api/users/search?q=DAV', token=access)
    tap.check([u['username'] for u in r.data['users']] == ['dave'],
              'search finds by prefix without case', r)
    r = s.rest('GET', '/api/users/search?q=rol', token=access)
    tap.check([u['username'] for u in r.data['users']] == ['carol'],
              'search finds within a name', r)
    r = s.rest('GET', f'/api/users/{a}', token=access)
    tap.check(r.data['status'] == 'offline' and r.data['last_seen'] is None,
              'strangers hear no presence', r)


def slow(s):
    """A body that does not come ends in 408, and the server serves others."""
    with socket.create_connection(('127.0.0.1', s.port), 10) as c:
        c.sendall(b'POST /api/auth/login HTTP/1.1\r\nHost: x\r\n'
                  b'Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{')
        tap.check(s.rest('GET', '/health').status == 200,
                  'slow: others are served meanwhile')
        c.settimeout(40)
        got = c.recv(4096)
        tap.check(b' 408 ' in got.split(b'\r\n')[0] + b' ', 'slow: 408', got[:200])


def metrics(s):
    r = s.rest('GET', '/metrics')
    text = r.raw.decode()
    tap.check(r.status == 200 and
              'nightjar_call_duration_seconds_count{op="login"}' in text and
              'nightjar_calls_failed_total{op="me",by="caller"}' in text,
              'metrics has operations', text[:300])
    value = [x for x in text.splitlines()
             if x.startswith('process_resident_memory_bytes')][0].split()[1]
    tap.check(0 < int(value), 'metrics has the memory', value)


with Server(sys.argv[1], flags=['--set', 'edge.request=2s',
                                '--set', 'accounts.backoff_max=0s']) as server:
    for scenario in (registration, bodies, paths, tokens, foreign, slow, metrics):
        scenario(server)
    log = server.log()
    tap.check(PASSWORD not in log and 'eyJ' not in log,
              'no password and no token is in the log')
    tap.check(server.kill(15) == 0, 'SIGTERM ends it with status 0')
sys.exit(tap.done())
