"""55_openapi.py NIGHTJARD SIGNER: /api/openapi.json: is it a document of OpenAPI 3.1
(structure, references, every route of names.def and no other), and does the
server do as it says: real answers and errors fit their schemas, requests that
the schemas refuse are refused."""
import json
import os
import re
import sqlite3
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from people import People  # noqa: E402
from server import PASSWORD, Server, Tap  # noqa: E402
from signer import Account, Signer, b64  # noqa: E402
from smtp import Smtp  # noqa: E402

tap = Tap()
NAMES = os.path.join(HERE, '..', '..', 'src', 'server', 'names.def')
METHODS = {'get', 'post', 'put', 'delete', 'patch', 'head', 'options', 'trace'}
FORMATS = {
    'uuid': r'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    'date-time': r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$',
    'email': r'^[^@\s]+@[^@\s]+$',
}
TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'null': type(None)}
# What this validator knows of JSON Schema 2020-12; anything else is a mistake.
WORDS = {'$ref', 'type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'propertyNames',
         'items', 'anyOf', 'allOf', 'minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'format',
         'contentEncoding', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'description',
         'x-minBytes', 'x-maxBytes'}


def resolve(doc, ref):
    at = doc
    for part in ref.removeprefix('#/').split('/'):
        at = at[part]
    return at


def is_type(v, t):
    if t == 'integer':
        return isinstance(v, int) and not isinstance(v, bool)
    return isinstance(v, TYPES[t])


def wrong(doc, s, v, where='$'):
    """What of v does not fit the schema s: the first thing, or None."""
    if set(s) - WORDS:
        return f'{where}: the schema has {set(s) - WORDS}'
    if '$ref' in s:
        return wrong(doc, resolve(doc, s['$ref']), v, where)
    for part in s.get('allOf', ()):
        if bad := wrong(doc, part, v, where):
            return bad
    if 'anyOf' in s and all(wrong(doc, x, v, where) for x in s['anyOf']):
        return f'{where}: none of anyOf: {wrong(doc, s["anyOf"][0], v, where)}'
    types = s.get('type', [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(v, t) for t in types):
        return f'{where}: {str(v)[:60]} is no {types}'
    if 'enum' in s and v not in s['enum'] or 'const' in s and v != s['const']:
        return f'{where}: {v} is not among the values'
    if isinstance(v, str):
        return wrong_text(s, v, where)
    if isinstance(v, int) and not isinstance(v, bool) and not s.get('minimum', v) <= v <= s.get('maximum', v):
        return f'{where}: {v} is out of range'
    if isinstance(v, list):
        return wrong_list(doc, s, v, where)
    if isinstance(v, dict):
        return wrong_object(doc, s, v, where)
    return None


def wrong_text(s, v, where):
    if not s.get('minLength', 0) <= len(v) <= s.get('maxLength', len(v)):
        return f'{where}: {len(v)} characters'
    for rule in (s.get('pattern'), FORMATS.get(s.get('format'))):
        if rule and not re.search(rule, v):
            return f'{where}: {v[:60]} does not match {rule}'
    return None


def wrong_list(doc, s, v, where):
    if not s.get('minItems', 0) <= len(v) <= s.get('maxItems', len(v)):
        return f'{where}: {len(v)} items'
    for i, x in enumerate(v):
        if bad := wrong(doc, s.get('items', {}), x, f'{where}[{i}]'):
            return bad
    return None


def wrong_object(doc, s, v, where):
    if missing := set(s.get('required', ())) - set(v):
        return f'{where}: {missing} missing'
    if not s.get('minProperties', 0) <= len(v) <= s.get('maxProperties', len(v)):
        return f'{where}: {len(v)} members'
    known = s.get('properties', {})
    more = s.get('additionalProperties', True)
    for k, x in v.items():
        if bad := wrong_text(s.get('propertyNames', {}), k, f'{where}.{k}'):
            return bad
        if k not in known and more is False:
            return f'{where}: {k} is not known'
        rule = known.get(k, more if isinstance(more, dict) else {})
        if bad := wrong(doc, rule, x, f'{where}.{k}'):
            return bad
    return None


# ---- the document by itself ----

def operations(doc):
    return [(m, p, op) for p, item in doc['paths'].items() for m, op in item.items()]


def walk(x, path=''):
    yield path, x
    if isinstance(x, dict):
        for k, v in x.items():
            yield from walk(v, f'{path}/{k}')
    elif isinstance(x, list):
        for i, v in enumerate(x):
            yield from walk(v, f'{path}/{i}')


def structure(doc):
    tap.check(doc['openapi'] == '3.1.0' and doc['info']['title'] and re.match(r'^\d+\.\d+\.\d+', doc['info']['version']),
              'OpenAPI 3.1.0, 4.8.1: openapi and info', doc.get('info'))
    allowed = {'openapi', 'info', 'servers', 'paths', 'components'}
    tap.check({k for k in doc if not k.startswith('x-')} == allowed, '4.8.1: no other member', list(doc))
    bad = [p for p in doc['paths'] if not re.match(r'^/([^{}]|\{\w+\})*$', p)]
    tap.check(not bad, '4.8.8: paths begin with a slash', bad)
    ids = [op['operationId'] for _, _, op in operations(doc)]
    tap.check(len(ids) == len(set(ids)) and all(re.match(r'^\w+$', i) for i in ids), '4.8.10: operation ids are unique', ids)
    bad = [(m, p) for m, p, op in operations(doc) if m not in METHODS or not op['responses'] or not op['summary'] or
           {k for k in op if not k.startswith('x-')} - {'operationId', 'summary', 'tags', 'security', 'parameters',
                                                        'requestBody', 'responses'}]
    tap.check(not bad, '4.8.10: operations', bad)
    for m, p, op in operations(doc):
        params = op.get('parameters', [])
        in_path = {x['name'] for x in params if x['in'] == 'path'}
        ok = (in_path == set(re.findall(r'\{(\w+)\}', p)) and all(x['required'] is True for x in params if x['in'] == 'path')
              and len({(x['name'], x['in']) for x in params}) == len(params)
              and all(x['in'] in ('path', 'query') and 'schema' in x for x in params)
              and not {x['name'] for x in params if x['in'] == 'query'} & {'password', 'secret', 'list', 'data'}
              and ('requestBody' not in op or m != 'get'))
        if not ok:
            tap.check(False, f'4.8.12: parameters of {m} {p}', params)
    tap.check(True, '4.8.12: path parameters are those of the path')
    bad = [(p, s) for p, x in walk(doc['paths']) if p.endswith('/responses')
           for s, r in x.items() if not re.match(r'^[1-5]\d\d$', s) or
           not (r.keys() == {'$ref'} or {'description'} <= r.keys() <= {'description', 'headers', 'content'})]
    tap.check(not bad, '4.8.17: answers by status, described', bad)
    bad = []
    for path, x in walk(doc):
        if isinstance(x, dict) and isinstance(x.get('$ref'), str):
            try:
                resolve(doc, x['$ref'])
            except KeyError:
                bad.append((path, x['$ref']))
    tap.check(not bad, '4.8.23: every reference resolves', bad)
    names = [(k, n) for k, c in doc['components'].items() for n in c]
    tap.check(all(re.match(r'^[a-zA-Z0-9._-]+$', n) for _, n in names), '4.8.7: names of components', names)
    refs = {x['$ref'] for _, x in walk(doc) if isinstance(x, dict) and isinstance(x.get('$ref'), str)}
    unused = [n for k, n in names if k != 'securitySchemes' and f'#/components/{k}/{n}' not in refs]
    tap.check(not unused, 'every component is used', unused)
    schemes = set(doc['components']['securitySchemes'])
    used = {n for _, _, op in operations(doc) for one in op['security'] for n in one}
    tap.check(used == schemes and doc['components']['securitySchemes']['bearer'] ==
              {'type': 'http', 'scheme': 'bearer', 'bearerFormat': 'JWT', 'description': 'an access token'},
              '4.8.27: security schemes', (used, schemes))
    bad = [p for p, x in walk(doc['components']['schemas']) if isinstance(x, dict) and 'type' in x and
           set(x) - WORDS and not re.search(r'/properties$', p)]
    tap.check(not bad, '4.8.24: schemas in words of JSON Schema', bad)
    bad = [p for p, x in walk(doc) if isinstance(x, dict) and x.get('type') in ('string', 'array', 'integer') and
           not re.search(r'/properties$|/headers/|/content/|/envelope|/message$', p) and
           not {'enum', 'const', 'format', 'maxLength', 'maxItems', 'maximum', 'minimum'} & set(x)]
    tap.check(not bad, 'everything has a limit', bad)


def routes(doc):
    with open(NAMES, encoding='utf-8') as f:
        text = f.read()
    want = set()
    for name in re.findall(r'^HTTP\(\w+,\s*"([^"]+)"', text, re.M):
        method, path = name.split(' ')
        want.add((method.lower(), re.sub(r':(\w+)', r'{\1}', path)))
    got = {(m, p) for m, p, _ in operations(doc)}
    tap.check(want == got and len(want) > 30, 'every route is in it, and no other', want ^ got)
    want = set(re.findall(r'^EVENT\(\w+,\s*"([^"]+)"', text, re.M))
    got = {e['event'] for e in doc['x-socketio']['events']}
    tap.check(want == got and len(want) > 5, 'every event, too', want ^ got)
    limits = {op['x-rate-limit']['key'] for _, _, op in operations(doc) if 'x-rate-limit' in op}
    tap.check({'limits.rest', 'limits.login', 'limits.messages', 'limits.register', 'limits.refresh'} <= limits and
              all(re.match(r'^\d+/\d+[smhd]$', op['x-rate-limit']['default']) and
                  op['x-rate-limit']['per'] in ('user', 'address', 'session') and '429' in op['responses']
                  for _, _, op in operations(doc) if 'x-rate-limit' in op), 'rate limits', limits)
    send = doc['paths']['/api/messages']['post']['requestBody']['content']['application/json']['schema']
    send = resolve(doc, send['$ref'])
    tap.check(send['properties']['encryptedContent'] == {'type': 'string', 'minLength': 1, 'maxLength': 100000} and
              send['required'] == ['recipientId', 'encryptedContent', 'iv'] and send['additionalProperties'] is False and
              send['properties']['recipientId'] == {'type': 'string', 'format': 'uuid'}, 'limits of a message', send)
    statuses = {p: set(doc['paths'][p]['post']['responses']) & {'200', '201'} for p in
                ('/api/auth/register', '/api/auth/login', '/api/messages', '/api/chats')}
    tap.check(statuses == {'/api/auth/register': {'201'}, '/api/auth/login': {'200'},
                           '/api/messages': {'200', '201'}, '/api/chats': {'200', '201'}}, '200 and 201', statuses)


def serving(s):
    r = s.rest('GET', '/api/openapi.json')
    tap.check(r.status == 200 and r.headers['Content-Type'] == 'application/json' and
              r.headers['Cache-Control'] == 'no-cache', 'served as JSON, looked at anew', r.headers)
    again = s.rest('GET', '/api/openapi.json', headers={'If-None-Match': r.headers['ETag']})
    tap.check(again.status == 304 and again.raw == b'', 'If-None-Match: 304', again)
    head = s.rest('HEAD', '/api/openapi.json')
    tap.check(head.status == 200 and head.raw == b'' and head.headers['ETag'] == r.headers['ETag'] and
              head.headers['Content-Length'] == str(len(r.raw)), 'HEAD', head.headers)
    tap.check(r.raw == s.rest('GET', '/api/openapi.json').raw, 'the same each time')
    json.loads(r.raw, object_pairs_hook=no_doubles)
    tap.check(True, 'no member stands twice')
    print(f'# {len(r.raw)} bytes')
    return r.json


def no_doubles(pairs):
    names = [k for k, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f'a member twice: {names}')
    return dict(pairs)


# ---- the server against the document ----

def find(doc, method, path):
    """The operation of a path, a literal part before a parameter."""
    hits = []
    for template, item in doc['paths'].items():
        if method.lower() in item and re.fullmatch(re.sub(r'\{\w+\}', '[^/]+', template), path):
            hits.append((template.count('{'), template))
    return doc['paths'][min(hits)[1]][method.lower()]


class World:
    def __init__(self, s, doc):
        self.s, self.doc, self.seen = s, doc, set()

    def ask(self, method, path, body=None, token=None, status=None):
        """The answer, which has to fit; also what was sent, when it was taken."""
        r = self.s.rest(method, path, body, token)
        op = find(self.doc, method, path.split('?')[0])
        how = op['responses'].get(str(r.status))
        name = f'{method} {path.split("?")[0][:44]} {r.status}'
        if not how:
            return tap.check(False, f'{name}: the status is in the document', (list(op['responses']), r)), r
        how = resolve(self.doc, how['$ref']) if '$ref' in how else how
        media, rule = next(iter(how['content'].items()))
        kind = r.headers['Content-Type'].split(';')[0]
        bad = wrong(self.doc, rule['schema'], r.json if media.endswith('json') else
                    r.raw.decode(errors='replace'))
        if r.status < 300 and body is not None:
            bad = bad or wrong(self.doc, op['requestBody']['content']['application/json']['schema'], body)
        tap.check(kind == media and not bad and (status is None or r.status == status), f'{name}: as in the document',
                  (bad, kind, media, r))
        if r.status < 400:
            self.seen.add(op['operationId'])
        return True, r

    def get(self, *args, **kw):
        return self.ask(*args, **kw)[1]


class Through:
    """A server for Account whose answers have to fit, too."""

    def __init__(self, w):
        self.w, self.register = w, w.s.register

    def rest(self, method, path, body=None, token=None):
        return self.w.get(method, path, body, token)


def linking(w, s, a):
    """A device is linked through a mailbox; a second mailbox is given up."""
    def mailbox():
        ident = uuid.uuid4()
        offer = b64(b'\x1b\x01' + bytes(1216) + ident.bytes + bytes(16))
        r = w.get('POST', '/api/link', {'mailbox': str(ident), 'offer': offer, 'deviceName': 'new'})
        return f'/api/link/{ident}', r.data['secret']
    (box, secret), t = mailbox(), a.tokens[1]
    w.get('GET', box, token=t)
    w.get('PUT', box + '/reply', {'reply': b64(b'\x1e\x01' + bytes(1120))}, t)
    w.get('POST', box + '/reply', {'secret': secret})
    w.get('PUT', box + '/provisioning', {'data': b64(b'\x1c\x01' + bytes(99))}, t)
    new = w.get('POST', box + '/provisioning', {'secret': secret}).data['tokens']['accessToken']
    w.get('PUT', box + '/answer', {'secret': secret, 'data': b64(bytes(99))})
    w.get('GET', box + '/answer', token=t)
    made = a.make({**a.devices, 3: 'third'})
    w.get('POST', '/api/devices', {'list': made[0], 'cert': made[2][3], 'deviceId': 3}, t, 201)
    a.took({**a.devices, 3: 'third'}, made)
    a.bind(new, 3)
    w.get('PUT', '/api/devices/3', {'name': 'Third', 'is_trusted': False}, t)
    box, _ = mailbox()
    w.get('PUT', box + '/reply', {'reply': b64(b'\x1e\x01' + bytes(1120))}, t)
    w.get('DELETE', box, token=t)


def devices(w, s, program):
    """What only devices do."""
    signer = Signer(program)
    a, bob = Account(Through(w), signer, 'dora', (1, 2)), Account(Through(w), signer, 'egon')
    t = a.tokens[1]
    a.upload(1, leaves=8)
    a.left(1)
    w.get('POST', f'/api/users/{a.id}/prekey-bundles', {}, bob.tokens[1])
    linking(w, s, a)
    made = a.make({d: a.devices[d] for d in (1, 2)}, next_id=4)
    w.get('DELETE', '/api/devices/3', {'list': made[0]}, t)
    a.took({d: a.devices[d] for d in (1, 2)}, made)
    a.put(dict(a.devices), t, 'dora-2', rotation=a.rotation('dora-2'))
    w.get('GET', f'/api/users/{a.id}/devices', token=bob.tokens[1])
    w.get('POST', '/api/verifications', a.verified(1, bob.id, bob.aik), t)
    w.get('GET', '/api/verifications', token=t)
    w.get('DELETE', f'/api/verifications/{bob.id}', token=t)
    for purpose in ('link', 'backup'):
        ident = w.get('POST', '/api/archives', {'purpose': purpose, 'size': 3}, t, 201).data['id']
        w.get('PUT', f'/api/archives/{ident}/parts/0', {'data': 'eHg='}, t)
        w.get('PUT', f'/api/archives/{ident}/parts/0', {'data': 'eA=='}, t, 409)
        w.get('POST', f'/api/archives/{ident}/complete', {'parts': 1}, t)
        w.get('GET', f'/api/archives/{ident}', token=t)
        w.get('GET', f'/api/archives/{ident}/parts/0', token=t)
        w.get('GET', '/api/archives', token=t)
        if purpose == 'link':
            w.get('DELETE', f'/api/archives/{ident}', token=t)
    w.get('GET', '/api/keybackup/state', token=t)
    w.get('PUT', '/api/keybackup', {'version': 0, 'data': 'eHg=', 'archiveId': ident}, t)
    w.get('PUT', '/api/keybackup', {'version': 0, 'data': 'eA=='}, t, 409)
    for path in ('/api/keybackup', '/api/keybackup/state', '/api/sync?after=0'):
        w.get('GET', path, token=t)
    w.get('DELETE', '/api/keybackup', token=t)
    signer.close()


def private(w, s, ta, bob, tb, chat, message):
    """What people set, block and report; edits; all at once."""
    w.get('GET', '/api/settings', token=ta)
    w.get('PUT', '/api/settings', {'version': 0, 'data': 'eA==', 'flags': {'typing': False, 'searchable': True}}, ta)
    w.get('GET', '/api/settings', token=ta)
    w.get('PUT', '/api/settings', {'version': 0}, ta, 409)
    w.get('PATCH', f'/api/chats/{chat}/me', {'muted': True, 'pinned': True, 'notify': 'mentions'}, ta)
    w.get('PUT', f'/api/messages/{message}', {'encryptedContent': 'eQ==', 'iv': '', 'clientMessageId':
                                              str(uuid.uuid4())}, ta)
    w.get('POST', '/api/blocks', {'userId': bob}, ta, 201)
    w.get('POST', '/api/blocks', {'userId': bob}, ta, 200)
    w.get('GET', '/api/blocks', token=ta)
    w.get('GET', '/api/bootstrap', token=ta)
    w.get('DELETE', f'/api/blocks/{bob}', token=ta)
    w.get('GET', '/api/bootstrap?chats=3&messages=2', token=tb)
    w.get('GET', '/api/sync?after=0&limit=1000', token=ta)
    ident = w.get('POST', '/api/reports', {'userId': bob, 'reason': 'spam', 'comment': 'why'}, ta, 201).data['id']
    p = People(s)
    p.base('office')
    op = p.sign_in(p.person('operator', 'operator'))[0]
    w.get('GET', '/api/reports?limit=5', token=op)
    w.get('DELETE', f'/api/reports/{ident}', token=op)


def account(w, m):
    """The life of an account, with the codes of its mails."""
    def code(words):
        for _ in range(300):
            for x in m.wait(1):
                if 'lena' in str(x.to) and words in x.text:
                    return x.code
            time.sleep(0.05)
        return None
    who = {'username': 'lena', 'email': 'lena@example.org', 'password': PASSWORD}
    t = w.get('POST', '/api/auth/register', who, status=201).data['tokens']['accessToken']
    w.get('POST', '/api/auth/verify-email/resend', {'email': who['email']})
    w.get('POST', '/api/auth/verify-email', {'token': code('verify-email') or code('')})
    w.get('DELETE', '/api/auth/sessions?others=true', token=t)
    for path in ('/api/users/me/audit', '/api/users/me/stored', '/api/users/me/export'):
        w.get('GET', path, token=t)
    made = w.get('POST', '/api/invites', {'note': 'for a friend', 'uses': 2}, t, 201).data
    w.get('GET', '/api/invites', token=t)
    w.get('GET', f'/api/invites/{made["id"]}', token=t)
    w.get('DELETE', f'/api/invites/{made["id"]}', token=t)
    n = len(m.mails)
    w.get('POST', '/api/auth/password/forgot', {'email': who['email']})
    mails = m.wait(n + 1)
    w.get('POST', '/api/auth/password/reset', {'token': mails[-1].code, 'newPassword': 'Another-Horse-8'})
    login = {'username': 'lena', 'password': 'Another-Horse-8'}
    db = sqlite3.connect(os.path.join(w.s.data, 'nightjar.db'), timeout=20)
    with db:
        db.execute("UPDATE users SET role = 'auditor' WHERE username = 'lena'")
    db.close()
    t = w.get('POST', '/api/auth/login', login).data['tokens']['accessToken']
    w.get('GET', '/api/audit?limit=5', token=t)
    w.get('DELETE', '/api/users/me', {'password': 'Another-Horse-8'}, t)


def answers(s, doc, signer):
    w = World(s, doc)
    devices(w, s, signer)
    account(w, mails)
    people = {}
    for name in ('alice', 'bob'):
        r = w.get('POST', '/api/auth/register', {'username': name, 'email': f'{name}@example.org',
                                                 'password': PASSWORD, 'device': {'name': 'here'}})
        people[name] = (r.data['user']['id'], r.data['tokens']['accessToken'])
    (alice, ta), (bob, tb) = people['alice'], people['bob']
    login = {'username': 'alice', 'password': PASSWORD}
    r = w.get('POST', '/api/auth/login', login)
    w.get('POST', '/api/auth/refresh', {'refreshToken': r.data['tokens']['refreshToken']})
    r = w.get('POST', '/api/auth/login', {**login, 'cookie': True})
    r = w.get('POST', '/auth/login', {**login, 'totp_code': '123456'})
    r = w.get('POST', '/auth/refresh', {'refresh_token': r.json['refresh_token']})
    w.get('POST', '/api/auth/refresh-token', {'refreshToken': r.json['refresh_token']})
    for path in ('/api/auth/me', '/api/auth/sessions', '/api/chats', '/api/messages/conversations',
                 f'/api/messages/conversation/{bob}', f'/api/users/{bob}', f'/api/users/{bob}/devices',
                 '/api/users/search?q=bo&limit=5', '/api/sync?after=0&limit=10'):
        w.get('GET', path, token=ta)
    for path in ('/', '/health', '/ready', '/api/health', '/metrics', '/.well-known/jwks.json', '/api/openapi.json'):
        w.get('GET', path)
    chat = w.get('POST', '/api/chats', {'type': 'direct', 'memberIds': [bob]}, ta, 201).data['chatId']
    w.get('POST', '/api/chats', {'type': 'direct', 'memberIds': [bob]}, ta, 200)
    w.get('POST', '/api/chats', {'type': 'group', 'name': 'us', 'memberIds': [bob]}, ta, 201)
    message = w.get('POST', f'/api/chats/{chat}/messages', {
        'encryptedContent': 'eA==', 'iv': 'aXY=', 'encryptedKeys': {bob: 'aw=='}, 'messageType': 'file',
        'metadata': {'fileName': 'a b', 'fileSize': 5, 'mentions': [bob], 'expiresIn': 60},
        'clientMessageId': str(uuid.uuid4())}, ta, 201).data['messageId']
    w.get('POST', f'/api/chats/{chat}/messages', {'encryptedContent': 'eA==', 'iv': '', 'metadata': None}, ta, 201)
    sent = {'recipientId': bob, 'encryptedContent': 'eA==', 'iv': '', 'clientMessageId': str(uuid.uuid4())}
    other = w.get('POST', '/api/messages', sent, ta, 201).data['id']
    w.get('POST', '/api/messages', sent, ta, 200)
    for path in (f'/api/chats/{chat}', '/api/chats?limit=2', f'/api/chats/{chat}/messages?limit=2',
                 f'/api/chats/{chat}/messages?after=0', f'/api/messages/{message}', '/api/messages/conversations',
                 f'/api/messages/conversation/{alice}?limit=5&offset=0', '/api/sync?after=0'):
        w.get('GET', path, token=tb)
    private(w, s, ta, bob, tb, chat, message)
    w.get('DELETE', f'/api/messages/{other}?scope=all', token=ta)
    for path in (f'/api/messages/{other}', f'/api/chats/{chat}/messages', '/api/sync?after=0'):
        w.get('GET', path, token=tb)
    w.get('PUT', '/api/auth/password', {'currentPassword': PASSWORD, 'newPassword': 'Another-Horse-8'}, ta)
    old = w.get('GET', '/api/auth/sessions', token=tb).data['sessions'][0]['id']
    w.get('DELETE', f'/api/auth/sessions/{uuid.uuid4()}', token=tb, status=404)
    w.get('DELETE', f'/api/auth/sessions/{old}', token=tb)
    # What is refused: its errors are in the document, too.
    for method, path, body, token, status in (
            ('GET', '/api/auth/me', None, 'x', 401), ('GET', '/api/chats/x', None, ta, 400),
            ('GET', f'/api/chats/{uuid.uuid4()}', None, ta, 404), ('POST', '/api/auth/login', {}, None, 400),
            ('POST', '/api/auth/login', {**login, 'password': 'x'}, None, 401),
            ('POST', '/api/auth/register', {'username': 'bob', 'email': 'c@example.org', 'password': PASSWORD}, None, 409),
            ('POST', '/api/chats', b'{', ta, 400), ('POST', '/api/messages', {**sent, 'recipientId': str(uuid.uuid4())}, ta, 404),
            ('PUT', '/api/devices/1/prekeys', {'header': 'eA==', 'leaves': ['eA=='] * 4}, ta, 403),
            ('GET', '/api/devices/1/prekeys/count', None, ta, 404),
            ('POST', f'/api/users/{bob}/prekey-bundles', {}, ta, 404),
            ('PUT', '/api/users/me/device-list', {'list': 'eA==', 'certs': [], 'deviceId': 1}, ta, 400),
            ('POST', '/auth/refresh', {'refresh_token': 'x'}, None, 401)):
        if isinstance(body, bytes):
            r = s.rest(method, path, body, token, {'Content-Type': 'application/json'})
            tap.check(r.status == status and not wrong(doc, doc['components']['schemas']['error_rep'], r.json),
                      f'{method} {path}: {status}, an error as in the document', r)
        else:
            w.get(method, path, body, token, status)
    w.get('POST', '/api/auth/logout', token=ta)
    ids = {op['operationId'] for _, _, op in operations(doc)}
    left = ids - w.seen
    tap.check(not left, 'every operation has succeeded once', left)


def requests(s, doc):
    """What a schema refuses the server refuses, and names it."""
    token = s.register('prober')[1]
    n = 0
    for method, path, op in operations(doc):
        if op['security'] == [] and method == 'get':
            continue
        url = re.sub(r'\{(\w+)\}', lambda m: '1' if 'devices' in path else str(uuid.uuid4()), path)
        bodies = []
        if 'requestBody' in op:
            schema = op['requestBody']['content']['application/json']['schema']
            schema = resolve(doc, schema['$ref']) if '$ref' in schema else schema
            for name in schema.get('required', ()):
                bodies.append((name, {}))
            bodies.append(('unknownMember', {'unknownMember': 1}))
            for name, rule in schema['properties'].items():
                for value in (7.5, [[]], {'x': {}}, '\x00' * 3, 'x' * 200000):
                    if wrong(doc, rule, value) and not (isinstance(value, str) and 'x-maxBytes' in rule):
                        bodies.append((name, {name: value}))
        for name, body in bodies:
            r = s.rest(method.upper(), url, body, token)
            if op.get('x-device') and r.status == 403:
                continue
            fields = {re.split(r'[.\[]', d['field'])[0] for d in (r.json['error'].get('details') or [])} if r.json else set()
            n += 1
            if not (r.status == 400 and (name in fields or len(fields) == 8 or len(body) == 0 and fields)):
                tap.check(False, f'{method} {path}: {name} of {str(body)[:40]} is refused', r)
        for x in op.get('parameters', []):
            if x['in'] == 'query':
                r = s.rest(method.upper(), f'{url}?{x["name"]}=%00', None if method == 'get' else None, token)
                n += 1
                if not (r.status == 400):
                    tap.check(False, f'{method} {path}: {x["name"]} in the query is refused', r)
    tap.check(n > 150, f'{n} requests that the schemas refuse are refused by name')


with Smtp() as mails, Server(sys.argv[1], flags=[
        '--set', 'accounts.backoff_max=0s', '--set', 'accounts.invites=users', '--set', f'mail.url={mails.url}',
        '--set', 'mail.from=robot@example.org', '--set', 'mail.tls=off', '--set', 'mail.look=50ms']) as server:
    page = serving(server)
    structure(page)
    routes(page)
    answers(server, page, sys.argv[2])
    requests(server, page)
    tap.check(server.kill(15) == 0, 'the server ends in good order')
sys.exit(tap.done())
