"""44_interface.py NIGHTJARD: what a program that was written from docs/api.md
relies on: the members of every answer and event, the claims of a token, the
headers, the log, the metrics, and what an account looks like to others."""
import base64
import http.client
import json
import os
import re
import ssl
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
MESSAGE = {'messageId', 'clientMessageId', 'chatId', 'senderId', 'senderDeviceId',
           'suite', 'encryptedContent', 'encryptedKeys', 'iv', 'timestamp',
           'position', 'prev', 'messageType', 'metadata', 'editedAt', 'deletedAt'}


def has(what, record, *members):
    """The record has these members and no others."""
    tap.check(isinstance(record, dict) and set(record) == set(members),
              f'{what}: its members', record)


def claims(token):
    part = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))


def accounts(s):
    r = s.rest('POST', '/api/auth/register', {
        'username': 'Alice_1', 'email': 'Alice@Example.ORG', 'password': PASSWORD})
    tap.check(r.status == 201 and r.json['success'] is True and
              set(r.data) == {'user', 'tokens', 'knownDevice'}, 'register: 201 in its envelope', r)
    user = r.data['user']
    has('register: user', user, 'id', 'username', 'email', 'created_at')
    has('register: tokens', r.data['tokens'], 'accessToken', 'refreshToken')
    tap.check(UUID.match(user['id']) and TIME.match(user['created_at']) and
              user['username'] == 'Alice_1' and user['email'] == 'alice@example.org',
              'the name keeps its case, the address is in lower case', user)
    r = s.rest('POST', '/api/auth/login', {'username': 'aLICE_1', 'password': PASSWORD})
    has('login: user', r.data['user'], 'id', 'username', 'email', 'last_login', 'role', 'permissions')
    tap.check(r.status == 200 and r.data['user']['role'] == 'user', 'login', r)
    access, refresh = r.data['tokens']['accessToken'], r.data['tokens']['refreshToken']
    c, d = claims(access), claims(refresh)
    has('access token', c, 'userId', 'username', 'sid', 'jti', 'type', 'iat', 'exp')
    tap.check(c['type'] == 'access' and c['userId'] == user['id'] and
              c['exp'] - c['iat'] == 3600, 'an access token lives an hour', c)
    tap.check(d['type'] == 'refresh' and d['sid'] == c['sid'] and 'email' not in d and
              'username' not in d and
              d['exp'] - d['iat'] == 7 * 86400, 'a refresh token 7 days', d)
    r = s.rest('GET', '/api/auth/me', token=access)
    tap.check({'id', 'username', 'email', 'created_at', 'last_login', 'is_active', 'role',
               'permissions', 'mfa', 'sessionId', 'deviceId', 'is_verified'} == set(r.data) and
              r.data['is_active'] is True and r.data['is_verified'] is False and TIME.match(r.data['last_login']),
              'me: its members', r)
    r = s.rest('GET', '/api/auth/sessions', token=access)
    has('a session', r.data['sessions'][0], 'id', 'deviceId', 'name', 'created_at',
        'last_active', 'expires_at', 'ip', 'userAgent', 'current')
    r = s.rest('POST', '/api/auth/refresh', {'refreshToken': refresh})
    has('refresh', r.data, 'accessToken', 'refreshToken')
    access = r.data['accessToken']
    other = s.register('bob')
    r = s.rest('GET', f'/api/users/{user["id"]}', token=other[1])
    has('a user', r.data, 'id', 'username', 'created_at', 'is_active', 'status', 'last_seen')
    r = s.rest('GET', '/api/users/search?q=alice', token=other[1])
    tap.check('users' in r.data and b'example.org' not in r.raw,
              'nobody is shown the address of another', r)
    return (user['id'], access), other


def search(s, token):
    for i in range(25):
        s.register(f'many_{i}')
    s.register('man')
    r = s.rest('GET', '/api/users/search?q=man', token=token)
    tap.check(len(r.data['users']) == 20 and r.data['users'][0]['username'] == 'man',
              'search: at most 20, the exact name first', r)
    r = s.rest('GET', '/api/users/search?q=m', token=token)
    tap.check(r.status == 400, 'search: one character is too little', r)


def chats(s, a, b):
    alice, bob = Sio(s.port, a[1]), Sio(s.port, b[1])
    has('connection:acknowledged', bob.event('connection:acknowledged'),
        'userId', 'sessionId', 'deviceId', 'position', 'generation')
    r = s.rest('POST', '/api/chats', {'type': 'direct', 'memberIds': [b[0]]}, a[1])
    chat = r.data['chatId']
    tap.check({'chatId', 'type', 'name', 'createdAt', 'lastMessageAt', 'position',
               'unreadCount', 'role', 'muted', 'memberCount', 'members'} <= set(r.data) and
              r.data['lastMessageAt'] is None, 'a chat: its members', r)
    keys = {b[0]: 'd3JhcHBlZA==', a[0]: 'bWluZQ=='}
    ack = alice.call('message:send', {
        'chatId': chat, 'encryptedContent': 'aGVsbG8=', 'encryptedKeys': keys, 'iv': 'AAAA',
        'messageType': 'image'})
    tap.check({'messageId', 'chatId', 'timestamp', 'position'} <= set(ack), 'message:send', ack)
    new, done = bob.event('message:new'), alice.event('message:delivered')
    has('message:new', new, *MESSAGE)
    tap.check(new['encryptedKeys'] == {b[0]: keys[b[0]]} and new['messageType'] == 'image' and
              UUID.match(new['messageId']) and TIME.match(new['timestamp']), 'as it was sent', new)
    has('message:delivered', done, 'messageId', 'chatId', 'timestamp', 'position')
    r = s.rest('GET', f'/api/messages/{ack["messageId"]}', token=b[1])
    tap.check(r.data == new, 'one message: as it came live', (r, new))
    r = s.rest('GET', f'/api/chats/{chat}/messages', token=b[1])
    tap.check(r.data['messages'] == [new], 'history: as it came live', r)
    r = s.rest('GET', '/api/chats', token=b[1])
    tap.check(r.data['chats'][0]['lastMessageAt'] == new['timestamp'] and
              r.data['chats'][0]['unreadCount'] == 1, 'a message moves its chat', r)
    bob.call('message:read', {'messageId': ack['messageId']})
    has('message:read', alice.event('message:read'), 'chatId', 'userId', 'messageId', 'position', 'readAt', 'eventPosition')
    bob.call('typing:start', {'recipientId': a[0]})
    has('typing:indicator', alice.event('typing:indicator'), 'chatId', 'userId', 'isTyping')
    bob.call('presence:set', {'status': 'away'})
    seen = alice.event('presence:update', lambda d: d['status'] == 'away')
    tap.check(set(seen) == {'userId', 'status', 'timestamp'} and TIME.match(seen['timestamp']),
              'presence:update', seen)
    bob.close()
    seen = alice.event('presence:update', lambda d: d['status'] == 'offline')
    r = s.rest('GET', f'/api/users/{b[0]}', token=a[1])
    tap.check(r.data['status'] == 'offline' and TIME.match(r.data['last_seen'] or ''),
              'last seen is shown to who shares a chat', (seen, r))


def headers(s):
    c = http.client.HTTPSConnection('127.0.0.1', s.tls_port,
                                    context=ssl._create_unverified_context())
    c.request('GET', '/health')
    r = c.getresponse()
    r.read()
    tap.check(c.sock.version() == 'TLSv1.3', 'TLS 1.3', c.sock.version())
    tap.check(r.headers['Strict-Transport-Security'] ==
              'max-age=31536000; includeSubDomains; preload', 'HSTS over TLS', r.headers)
    csp = r.headers['Content-Security-Policy']
    tap.check("default-src 'self'" in csp and "'unsafe-inline'" not in csp and "'unsafe-eval'" not in csp, 'a strict CSP', csp)
    tap.check(r.headers['X-XSS-Protection'] == '0', 'the old filter is off', r.headers)
    c.close()
    plain = s.rest('GET', '/health')
    tap.check('Strict-Transport-Security' not in plain.headers, 'no HSTS without TLS', plain.headers)
    for path in ('/health', '/ready', '/api/health'):
        r = s.rest('GET', path)
        tap.check(r.status == 200 and r.json['status'] == 'ok' and TIME.match(r.json['timestamp']) and
                  r.json['services'] == {'database': 'ok'} and ('uptime' in r.json) == ('api' in path),
                  f'{path}: its members', r)


def metrics(s):
    page = open(os.path.join(os.path.dirname(__file__), '..', '..', 'docs', 'api.md'),
                encoding='utf-8').read()
    text = s.rest('GET', '/metrics').raw.decode()
    names = set(re.findall(r'^# TYPE (\S+) ', text, re.M))
    tap.check(len(names) > 30, 'metrics have types', names)
    lacking = sorted(n for n in names if f'`{n}`' not in page)
    tap.check(not lacking, 'docs/api.md names every metric', lacking)
    stale = sorted(n for n in re.findall(r'`(nightjar_[a-z_]+|process_[a-z_]+)`', page) if n not in names)
    tap.check(not stale, 'and none that is not there', stale)


def tokens(s, who):
    """The database has hashes of tokens, not the tokens."""
    pieces = []
    for name in os.listdir(s.data):
        with open(os.path.join(s.data, name), 'rb') as f:
            pieces.append(f.read())
    files = b''.join(pieces)
    mark = who[1].split('.')[2].encode()
    tap.check(b'bob@example.org' in files and mark not in files and
              who[2].split('.')[2].encode() not in files, 'no token is in the database')
    r = s.rest('POST', '/api/auth/logout', token=who[1])
    tap.check(r.status == 200 and r.json == {
        'success': True, 'message': 'Logged out successfully'}, 'logout says so', r)


def sockets(binary):
    with Server(binary, flags=['--set', 'limits.sockets=2']) as s:
        token = s.register('alice')[1]
        socks = [Sio(s.port, token) for _ in range(3)]
        tap.check([bool(k.refused) for k in socks] == [False, False, True] and
                  socks[2].refused['data']['code'] == 'rate_limited',
                  'the cap on sockets at once', [k.refused for k in socks])


def log(s):
    rows = [json.loads(x) for x in s.log().splitlines() if x.startswith('{')]
    tap.check(rows and all('event' in r and 'level' in r for r in rows),
              'every line of the log is an object with level and event', s.log()[:300])


with Server(sys.argv[1]) as server:
    one, two = accounts(server)
    search(server, two[1])
    chats(server, one, two)
    headers(server)
    metrics(server)
    log(server)
    tokens(server, two)
    tap.check(server.kill(15) == 0, 'the server ends in good order')
sockets(sys.argv[1])
sys.exit(tap.done())
