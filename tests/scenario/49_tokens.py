"""49_tokens.py NIGHTJARD: the token form of signing in; tokens by RS256 and
EdDSA and what does not pass for them; new keys; passwords from elsewhere."""
import base64
import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()


def b64(x):
    return base64.urlsafe_b64encode(x).rstrip(b'=').decode()


def un64(x):
    return base64.urlsafe_b64decode(x + '==')


def part(token, n):
    return json.loads(un64(token.split('.')[n]))


# ---- checking signatures without the server's code ----

def rs256(jwk, text, sig):
    """RFC 8017 8.2.2."""
    n, e = (int.from_bytes(un64(jwk[x]), 'big') for x in 'ne')
    size = (n.bit_length() + 7) // 8
    tail = bytes.fromhex('003031300d060960864801650304020105000420') + hashlib.sha256(text).digest()
    return (len(sig) == size and pow(int.from_bytes(sig, 'big'), e, n).to_bytes(size, 'big') ==
            b'\x00\x01' + b'\xff' * (size - 2 - len(tail)) + tail)


P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P


def ed_add(a, b):
    """Extended coordinates, RFC 8032 5.1.4."""
    p, q = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    r, s = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = q - p, s - r, s + r, q + p
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def ed_mul(k, a):
    out = (0, 1, 1, 0)
    while k:
        if k & 1:
            out = ed_add(out, a)
        a, k = ed_add(a, a), k >> 1
    return out


def ed_point(raw):
    y = int.from_bytes(raw, 'little')
    sign, y = y >> 255, y & ((1 << 255) - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def eddsa(jwk, text, sig):
    raw = un64(jwk['x'])
    k = int.from_bytes(hashlib.sha512(sig[:32] + raw + text).digest(), 'little')
    base = ed_point((4 * pow(5, P - 2, P) % P).to_bytes(32, 'little'))
    a, b = ed_mul(int.from_bytes(sig[32:], 'little'), base), ed_add(ed_point(sig[:32]), ed_mul(k, ed_point(raw)))
    return len(sig) == 64 and (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def der(tag, body):
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return bytes([tag]) + size + body


def public_pem(jwk):
    """RFC 5280 4.1.2.7 SubjectPublicKeyInfo."""
    if jwk['kty'] == 'RSA':
        key = der(0x30, b''.join(der(2, b'\x00' * (un64(jwk[x])[0] >> 7) + un64(jwk[x])) for x in 'ne'))
        alg = bytes.fromhex('300d06092a864886f70d0101010500')
    else:
        key, alg = un64(jwk['x']), bytes.fromhex('300506032b6570')
    text = base64.encodebytes(der(0x30, alg + der(3, b'\x00' + key))).decode()
    return f'-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n'


# ---- POST /auth/login, /auth/refresh ----

def token_form(s):
    uid, _, _ = s.register('alice')
    for name, more in (('', {}), (' with a code', {'totp_code': '123456'})):
        r = s.rest('POST', '/auth/login', {'username': 'alice', 'password': PASSWORD, **more})
        tap.check(r.status == 200 and set(r.json) == {'access_token', 'refresh_token', 'token_type', 'expires_in', 'user'},
                  f'POST /auth/login{name}: no envelope', r)
        tap.check(r.json['token_type'] == 'bearer' and r.json['expires_in'] == 3600 and r.json['user'] == {
            'id': uid, 'username': 'alice', 'email': 'alice@example.org', 'role': 'user', 'permissions': []},
            'type, lifetime and user', r)
    tap.check(r.headers['Cache-Control'] == 'no-store' and r.headers['Content-Type'].startswith('application/json'),
              'RFC 6749 5.1: not to be stored', r.headers)
    me = s.rest('GET', '/api/auth/me', token=r.json['access_token'])
    tap.check(me.status == 200 and me.data['id'] == uid, 'the access token works')
    again = s.rest('POST', '/api/auth/login', {'username': 'alice', 'password': PASSWORD, 'totpCode': '000000'})
    tap.check(again.status == 200, 'a code is not looked at without a second factor, in either form', again)
    for body, status, code in (
            ({'username': 'alice', 'password': 'Wrong-Horse-7'}, 401, 'invalid_credentials'),
            ({'username': 'nobody', 'password': PASSWORD}, 401, 'invalid_credentials'),
            ({'username': 'alice'}, 400, 'validation_failed'),
            ({'username': 'alice', 'password': PASSWORD, 'totpCode': '123456'}, 400, 'validation_failed'),
            ({'username': 'alice', 'password': PASSWORD, 'totp_code': '1'}, 400, 'validation_failed'),
            ({'username': 'alice', 'password': PASSWORD, 'cookie': True}, 400, 'validation_failed')):
        bad = s.rest('POST', '/auth/login', body)
        tap.check(bad.status == status and bad.code == code and bad.json['success'] is False,
                  f'/auth/login {str(body)[:60]}: {status}, in the envelope of errors', bad)
    first = r.json
    r = s.rest('POST', '/auth/refresh', {'refresh_token': first['refresh_token']})
    tap.check(r.status == 200 and set(r.json) == {'access_token', 'refresh_token', 'token_type', 'expires_in'} and
              r.json['expires_in'] == 3600 and r.json['refresh_token'] != first['refresh_token'],
              'POST /auth/refresh', r)
    tap.check(s.rest('GET', '/api/auth/me', token=r.json['access_token']).status == 200, 'the new one works')
    k = Sio(s.port, r.json['access_token'])
    k.event('connection:acknowledged')
    mixed = s.rest('POST', '/api/auth/refresh', {'refreshToken': r.json['refresh_token']})
    tap.check(mixed.status == 200, 'both forms are of one session', mixed)
    bad = s.rest('POST', '/auth/refresh', {'refresh_token': first['refresh_token']})
    tap.check(bad.status == 401 and bad.code == 'token_reused', 'used twice: token_reused', bad)
    tap.check(k.event('session:ended') == {'reason': 'token_reused'}, 'and its session ends')
    k.close()
    tap.check(s.rest('GET', '/api/auth/me', token=mixed.data['accessToken']).status == 401 and
              s.rest('POST', '/auth/refresh', {'refresh_token': mixed.data['refreshToken']}).code == 'invalid_token',
              'with all of its tokens')
    for body, status in (({}, 400), ({'refreshToken': 'x'}, 400), ({'refresh_token': 'x'}, 401),
                         ({'refresh_token': first['access_token']}, 401)):
        bad = s.rest('POST', '/auth/refresh', body)
        tap.check(bad.status == status, f'/auth/refresh {str(body)[:40]}: {status}', bad)


def refresh_at_once(s):
    """One token shown many times at once: one gets new ones, or nobody."""
    t = s.rest('POST', '/auth/login', {'username': 'alice', 'password': PASSWORD}).json['refresh_token']
    got = at_once(8, lambda _: s.rest('POST', '/auth/refresh', {'refresh_token': t}))
    won = [r for r in got if r.status == 200]
    tap.check(len(won) <= 1 and all(r.code in ('token_reused', 'invalid_token') for r in got if r.status != 200),
              'a refresh token is used once', got)
    if won:
        tap.check(s.rest('GET', '/api/auth/me', token=won[0].json['access_token']).status == 401,
                  'and who won has lost, too', won)


def at_once(n, what):
    got = [None] * n

    def run(i):
        got[i] = what(i)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return got


# ---- RS256, EdDSA ----

class Kept(Server):
    """A server whose folder stays."""

    def __exit__(self, *_):
        self.kill()


def jwks(s):
    return s.rest('GET', '/.well-known/jwks.json')


def default_keys(s):
    r = jwks(s)
    tap.check(r.status == 200 and r.json == {'keys': []} and
              r.headers['Content-Type'] == 'application/jwk-set+json', 'with HS256 there is no public key', r)
    access = s.register('plain')[1]
    tap.check(part(access, 0) == {'alg': 'HS256', 'typ': 'JWT'}, 'HS256 is the default', part(access, 0))


def key_pair(binary, alg, root):
    verify = rs256 if alg == 'RS256' else eddsa
    file = {'RS256': 'jwt-rs256.pem', 'EdDSA': 'jwt-eddsa.pem'}[alg]
    with Kept(binary, flags=['--set', f'tokens.algorithm={alg}'], data=root) as s:
        path = os.path.join(s.data, file)
        tap.check(os.stat(path).st_mode & 0o777 == 0o600, f'{alg}: the key is private', oct(os.stat(path).st_mode))
        r = jwks(s)
        tap.check(r.status == 200 and r.headers['Cache-Control'] == 'public, max-age=300' and
                  r.headers['ETag'].startswith('"'), 'RFC 9111: may be kept for a while', r.headers)
        for tag in (r.headers['ETag'], 'W/' + r.headers['ETag'], '"x", ' + r.headers['ETag'], '*'):
            known = s.rest('GET', '/.well-known/jwks.json', headers={'If-None-Match': tag})
            tap.check(known.status == 304 and known.raw == b'' and known.headers['ETag'] == r.headers['ETag'],
                      f'RFC 9110 13.1.2: If-None-Match {tag[:9]}: 304', known)
        tap.check(s.rest('GET', '/.well-known/jwks.json', headers={'If-None-Match': '"x"'}).status == 200,
                  'another one: 200')
        (jwk,) = r.json['keys']
        want = ({'kty', 'n', 'e', 'use', 'alg', 'kid'} if alg == 'RS256' else {'kty', 'crv', 'x', 'use', 'alg', 'kid'})
        tap.check(set(jwk) == want and jwk['alg'] == alg and jwk['use'] == 'sig', 'RFC 7517 4, 8037 2: a public JWK', jwk)
        thumb = {x: jwk[x] for x in sorted(want - {'use', 'alg', 'kid'})}
        tap.check(jwk['kid'] == b64(hashlib.sha256(json.dumps(thumb, separators=(',', ':')).encode()).digest()),
                  'RFC 7638 3: kid is its thumbprint', jwk)
        uid, access, refresh = s.register('alice')
        for name, token in (('access', access), ('refresh', refresh)):
            head, body, sig = token.split('.')
            tap.check(part(token, 0) == {'alg': alg, 'typ': 'JWT', 'kid': jwk['kid']} and
                      verify(jwk, f'{head}.{body}'.encode(), un64(sig)), f'{alg}: the {name} token verifies', part(token, 0))
        tap.check(s.rest('GET', '/api/auth/me', token=access).data['id'] == uid, 'and lets in')
        k = Sio(s.port, access)
        tap.check(k.event('connection:acknowledged')['userId'] == uid, 'a socket, too')
        k.close()
        forged(s, jwk, access, refresh)
        r = s.rest('POST', '/api/auth/refresh', {'refreshToken': refresh})
        tap.check(r.status == 200 and part(r.data['accessToken'], 0)['kid'] == jwk['kid'], 'refreshing signs so', r)
        r = s.rest('POST', '/auth/login', {'username': 'alice', 'password': PASSWORD})
        kept = r.json
        tap.check(s.rest('POST', '/api/auth/login', {'username': 'alice', 'password': PASSWORD, 'cookie': True}).status == 200,
                  'cookies hold the longer tokens')
        tap.check(s.kill(15) == 0, 'the server ends in good order')
        s.start()
        tap.check(jwks(s).json['keys'] == [jwk] and s.rest('GET', '/api/auth/me', token=kept['access_token']).status == 200,
                  'the key stays over a restart')
        s.kill(15)
    return jwk, kept


def forged(s, jwk, access, refresh):
    head, body, sig = access.split('.')
    with open(os.path.join(s.data, 'jwt.key'), encoding='ascii') as f:
        secret = bytes.fromhex(f.read().strip())
    good = part(access, 0)

    def hs(key, header, claims=None):
        text = b64(json.dumps(header, separators=(',', ':')).encode()) + '.' + (claims or body)
        return text + '.' + b64(hmac.new(key, text.encode(), hashlib.sha256).digest())

    def headed(**change):
        h = {k: v for k, v in {**good, **change}.items() if v is not None}
        return b64(json.dumps(h, separators=(',', ':')).encode()) + f'.{body}.{sig}'
    pem = public_pem(jwk)
    twice = b64(un64(body)[:-1] + b',"exp":9999999999}')
    cases = [
        ('none', b64(b'{"alg":"none","typ":"JWT"}') + f'.{body}.'),
        ('none with the signature', b64(b'{"alg":"none","typ":"JWT"}') + f'.{body}.{sig}'),
        ('none with our kid', headed(alg='none').rsplit('.', 1)[0] + '.'),
        ("HS256 by the server's secret", hs(secret, {'alg': 'HS256', 'typ': 'JWT'})),
        ("HS256 by the secret, with our kid", hs(secret, {**good, 'alg': 'HS256'})),
        ('our header over HMAC by the secret', hs(secret, good)),
        ('HS256 by the public key as PEM', hs(pem.encode(), {'alg': 'HS256', 'typ': 'JWT'})),
        ('HS256 by the PEM with our kid', hs(pem.encode(), {**good, 'alg': 'HS256'})),
        ('HS256 by the PEM without its last newline', hs(pem.strip().encode(), {'alg': 'HS256', 'typ': 'JWT'})),
        ('HS256 by the JWK', hs(json.dumps(jwk, separators=(',', ':')).encode(), {'alg': 'HS256', 'typ': 'JWT'})),
        ('our header over HMAC by the PEM', hs(pem.encode(), good)),
        ('another kid', headed(kid='x' * 43)), ('a kid that is a path', headed(kid='../../../dev/null')),
        ('no kid', headed(kid=None)), ('ES256', headed(alg='ES256')), ('PS256', headed(alg='PS256')),
        ('RS512', headed(alg='RS512')), ('Ed448', headed(alg='Ed448')),
        ('the other of RS256 and EdDSA', headed(alg='EdDSA' if good['alg'] == 'RS256' else 'RS256')),
        ('a key of its own', headed(jwk=jwk)), ('a key elsewhere', headed(jku='https://evil.example/jwks')),
        ('crit', headed(crit=['exp'])), ('a claim twice', f'{head}.{twice}.{sig}'),
        ('other claims', f'{head}.{refresh.split(".")[1]}.{sig}'),
        ('a refresh token', refresh), ('no signature', f'{head}.{body}.'), ('a short one', access[:-4]),
        ('a long one', access + 'AAAA'), ('huge', f'{head}.{"A" * 20000}.{sig}'), ('padding', access + '=='),
        ('a header twice', f'{head}.{access}'), ('upper case', access.upper())]
    for name, bad in cases:
        r = s.rest('GET', '/api/auth/me', token=bad)
        tap.check(r.status in (401, 431) and (r.code == 'invalid_token' or r.status == 431),
                  f'RFC 8725 3.1, {good["alg"]}: {name}: refused', r)


def new_keys(binary, root, old, kept):
    """EdDSA from now on; what RS256 has signed is still taken."""
    pem = os.path.join(root, 'old.pem')
    with open(pem, 'w', encoding='ascii') as f:
        f.write(public_pem(old))
    flags = ['--set', 'tokens.algorithm=EdDSA']
    with Kept(binary, flags=[*flags, '--set', f'tokens.previous={pem}'], data=root) as s:
        keys = jwks(s).json['keys']
        tap.check([k['alg'] for k in keys] == ['EdDSA', 'RS256'] and keys[1] == old, 'both keys are shown', keys)
        r = s.rest('GET', '/api/auth/me', token=kept['access_token'])
        tap.check(r.status == 200, 'tokens of the former key are taken', r)
        forged(s, old, kept['access_token'], kept['refresh_token'])
        r = s.rest('POST', '/auth/refresh', {'refresh_token': kept['refresh_token']})
        tap.check(r.status == 200 and part(r.json['access_token'], 0)['alg'] == 'EdDSA', 'new ones are of the new key', r)
        after = r.json
        s.kill(15)
        s.flags = s.flags[:-2]
        s.start()
        tap.check(s.rest('GET', '/api/auth/me', token=kept['access_token']).code == 'invalid_token' and
                  s.rest('GET', '/api/auth/me', token=after['access_token']).status == 200,
                  'without it they are not')
        s.kill(15)


def bad_keys(binary, root, jwk):
    def start(*sets):
        flags = [x for v in sets for x in ('--set', v)]
        return subprocess.run([binary, 'init', '--data', os.path.join(root, 'data'), *flags],
                              capture_output=True, text=True, timeout=60, check=False)
    pem = os.path.join(root, 'some.pem')
    with open(os.open(pem, os.O_CREAT | os.O_WRONLY, 0o600), 'w', encoding='ascii') as f:
        f.write(public_pem(jwk))
    key = os.path.join(root, 'data', 'jwt-eddsa.pem')
    for name, sets, words in (
            ('an algorithm that is none', ['tokens.algorithm=HS512'], 'tokens.algorithm'),
            ('none', ['tokens.algorithm=none '], 'tokens.algorithm'),
            ('a public key', ['tokens.algorithm=RS256', f'tokens.key={pem}'], 'public'),
            ('a key of the other kind', ['tokens.algorithm=RS256', f'tokens.key={key}'], 'tokens.algorithm'),
            ('a key that is not there', ['tokens.algorithm=RS256', 'tokens.key=/nonexistent'], '/nonexistent'),
            ('a file that is no key', ['tokens.algorithm=RS256', f'tokens.key={os.path.join(root, "data", "jwt.key")}'], 'PEM'),
            ('a former key that is none', ['tokens.previous=/dev/null'], '/dev/null'),
            ('too many former keys', ['tokens.previous=' + ','.join([pem] * 9)], 'tokens.previous')):
        r = start(*sets)
        tap.check(r.returncode != 0 and words in r.stderr, f'the server refuses {name}', r)
    os.chmod(key, 0o644)
    r = start('tokens.algorithm=EdDSA')
    tap.check(r.returncode != 0 and 'others may read' in r.stderr, 'a key that others may read is refused', r)
    os.chmod(key, 0o600)
    tap.check(start('tokens.algorithm=EdDSA').returncode == 0, 'and taken when they may not')


# ---- passwords from elsewhere ----

SALT = 'abcdefghijklmnopqrstuu'
CRYPT = ctypes.CDLL('libcrypt.so.1').crypt   # Python 3.13 has no crypt module
CRYPT.restype = ctypes.c_char_p
CRYPT.argtypes = (ctypes.c_char_p, ctypes.c_char_p)


def bcrypt(kind, cost, password=PASSWORD):
    return CRYPT(password.encode(), f'${kind}${cost:02}${SALT}'.encode()).decode()


def admin(s, *words):
    r = subprocess.run([s.binary, 'user', *words, '--data', s.data], capture_output=True, text=True,
                       timeout=60, check=False)
    return r


def stored(s, name):
    with contextlib.closing(sqlite3.connect(f'file:{s.data}/nightjar.db?mode=ro', uri=True)) as db:
        return db.execute('SELECT password_hash, password_imported, role FROM users WHERE username_key = ?',
                          (name,)).fetchone()


def login(s, name, password=PASSWORD):
    return s.rest('POST', '/auth/login', {'username': name, 'password': password})


def importing(s):
    path = os.path.join(s.root, 'users')

    def write(text):
        with open(path, 'w', encoding='utf-8', newline='') as f:
            f.write(text)

    def line(name, hash_):
        return json.dumps({'username': name, 'email': f'{name}@old.example', 'password_hash': hash_}) + '\n'
    hashes = {'ann': bcrypt('2b', 10), 'Ben': bcrypt('2a', 11), 'cid': bcrypt('2y', 10), 'dot': bcrypt('2b', 10)}
    write(''.join(line(n, h) for n, h in hashes.items()))
    r = admin(s, 'import', path)
    tap.check(r.returncode != 0 and 'another nightjard' in r.stderr, 'import: not while the server runs', r)
    s.kill(15)
    r = admin(s, 'import', path, '--json')
    tap.check(r.returncode == 0 and json.loads(r.stdout) == {'imported': 4, 'errors': []}, 'import of JSON lines', r)
    r = admin(s, 'import', path, '--json')
    out = json.loads(r.stdout)
    tap.check(r.returncode == 1 and out['imported'] == 0 and {(e['line'], e['field']) for e in out['errors']} ==
              {(i, f) for i in range(1, 5) for f in ('username', 'email')}, 'again: every line is taken', r)
    write('email,password_hash,username\r\neve@old.example,"' + bcrypt('2b', 10) + '",eve\r\n')
    r = admin(s, 'import', path)
    tap.check(r.returncode == 0 and '1 accounts' in r.stdout, 'import of CSV', r)
    write(line('good', bcrypt('2b', 10)) + line('weak', bcrypt('2b', 4)))
    r = admin(s, 'import', path)
    tap.check(r.returncode == 1 and 'line 2: password_hash' in r.stderr and stored(s, 'good') is None,
              'one bad line: it is named and nothing is imported', r)
    write(line('good', bcrypt('2b', 10)) + line('ANN', bcrypt('2b', 10)))
    r = admin(s, 'import', path)
    tap.check(r.returncode == 1 and 'line 2: username is taken' in r.stderr and stored(s, 'good') is None,
              'a name that is taken: the same', r)
    for words, status, say in ((['import'], 2, 'takes'), ([], 2, 'takes'), (['import', '/nonexistent'], 1, 'can not be read'),
                               (['role', 'nobody', 'admin'], 1, 'no account'), (['role', 'ann', 'king'], 1, 'none of')):
        r = admin(s, *words)
        tap.check(r.returncode == status and say in r.stderr, f'user {" ".join(words)}: refused', r)
    r = admin(s, 'role', 'ANN', 'auditor', '--json')
    tap.check(r.returncode == 0 and stored(s, 'ann')[2] == 'auditor', 'user role', r)
    tap.check(all(stored(s, n.lower())[:2] == (h, 1) for n, h in hashes.items()), 'hashes as they came')
    s.start()
    return hashes


def used_ms(s, what, n=4):
    """Processor time of the server for one of n such calls."""
    def ticks():
        with open(f'/proc/{s.child.pid}/stat', encoding='ascii') as f:
            x = f.read().rsplit(')', 1)[1].split()
        return int(x[11]) + int(x[12])
    before = ticks()
    for i in range(n):
        what(i)
    return (ticks() - before) * 1000 / os.sysconf('SC_CLK_TCK') / n


def rehashing(s, hashes):
    bad = 'Wrong-Horse-7'
    s.register('argon')
    kinds = {
        'an unknown name': lambda i: login(s, f'nobody{i}', bad),
        'Argon2id': lambda i: login(s, 'argon', bad),
        'bcrypt': lambda i: login(s, 'dot', bad),
        'Argon2id, right': lambda i: login(s, 'argon'),
    }
    # The least of each is compared: memory and caches have other users, too.
    times = {k: used_ms(s, what) for k, what in kinds.items()}
    for _ in range(5):
        if max(times.values()) < 1.5 * min(times.values()):
            break
        times = {k: min(times[k], used_ms(s, what)) for k, what in kinds.items()}
    tap.check(max(times.values()) < 1.5 * min(times.values()), 'all logins cost the same', times)
    tap.check(stored(s, 'dot')[0] == hashes['dot'], 'a wrong password changes no hash')
    r = login(s, 'ann')
    tap.check(r.status == 200 and r.json['user']['role'] == 'auditor', 'a $2b$ hash verifies', r)
    got = stored(s, 'ann')
    tap.check(got[0].startswith('$argon2id$v=19$m=65536,t=3,p=4$') and got[1] == 0, 'and is Argon2id from then on', got)
    tap.check(login(s, 'ann').status == 200 and login(s, 'ann', bad).status == 401 and stored(s, 'ann') == got,
              'it lets in as before, and is made anew once')
    for name, kind in (('BEN', '$2a$'), ('cid', '$2y$'), ('eve', 'from CSV')):
        r = login(s, name)
        tap.check(r.status == 200 and stored(s, name.lower())[0].startswith('$argon2id$'), f'{kind}: the same', r)
    got = at_once(6, lambda _: login(s, 'dot'))
    tap.check([r.status for r in got] == [200] * 6 and stored(s, 'dot')[0].startswith('$argon2id$') and
              all(s.rest('GET', '/api/auth/me', token=r.json['access_token']).status == 200 for r in got),
              'six first logins at once: all are in', got)
    tap.check(login(s, 'dot').status == 200, 'and the hash is good')
    plain = used_ms(s, lambda i: login(s, f'nobody{i}', bad))
    tap.check(plain < times['an unknown name'], 'without imported hashes a login costs less', (plain, times))
    tap.check(s.kill(9) == -9, 'killed')
    s.start()
    tap.check(login(s, 'ann').status == 200 and stored(s, 'ann')[0].startswith('$argon2id$'), 'it was durable')


def changing(s):
    """A login by the old password loses against a change under way."""
    _, token, _ = s.register('racer')
    new, got = 'Other-Horse-8', []

    def one(i):
        if i == 3:
            time.sleep(0.05)
            return s.rest('PUT', '/api/auth/password', {'currentPassword': PASSWORD, 'newPassword': new}, token)
        time.sleep(0.02 * i)
        return login(s, 'racer')
    got = at_once(7, one)
    change = got.pop(3)
    tap.check(change.status == 200 and all(r.status in (200, 401) for r in got), 'logins during a change', got)
    still = [r for r in got if r.status == 200 and
             s.rest('GET', '/api/auth/me', token=r.json['access_token']).status == 200]
    tap.check(not still and s.rest('GET', '/api/auth/me', token=token).status == 200,
              'no session of the old password is left', still)
    tap.check(login(s, 'racer').status == 401 and login(s, 'racer', new).status == 200, 'the new one holds')


def sweeping(binary):
    """Sessions that are over go by themselves."""
    with Server(binary, flags=['--set', 'sessions.sweep=1s']) as s:
        tokens = [s.register(n) for n in ('old', 'young')]
        with contextlib.closing(sqlite3.connect(f'{s.data}/nightjar.db', timeout=60)) as db:
            db.execute('UPDATE sessions SET expires_at = ? WHERE user_id = (SELECT id FROM users WHERE '
                       "username = 'old')", (int(time.time() * 1000) - 1000,))
            db.commit()
            end = time.monotonic() + 40
            while (left := db.execute('SELECT COUNT(*) FROM sessions').fetchone()[0]) > 1 and time.monotonic() < end:
                time.sleep(0.1)
        tap.check(left == 1, 'an expired session is removed', left)
        got = [s.rest('POST', '/api/auth/refresh', {'refreshToken': t[2]}).status for t in tokens]
        tap.check(got == [401, 200], 'its tokens refresh nothing; the other goes on', got)


sweeping(sys.argv[1])
with Server(sys.argv[1], flags=['--set', 'accounts.backoff_max=0s']) as server:
    token_form(server)
    refresh_at_once(server)
    default_keys(server)
    changing(server)
    rehashing(server, importing(server))
    text = server.log()
    tap.check('$2b$' not in text and '$argon2' not in text and 'eyJ' not in text, 'no hash and no token is in the log')
    tap.check(server.kill(15) == 0, 'the server ends in good order')

with tempfile.TemporaryDirectory() as folder:
    one, two = os.path.join(folder, 'one'), os.path.join(folder, 'two')
    for x in (one, two):
        os.mkdir(x)
    rsa, signed = key_pair(sys.argv[1], 'RS256', one)
    new_keys(sys.argv[1], one, rsa, signed)
    bad_keys(sys.argv[1], one, rsa)
    key_pair(sys.argv[1], 'EdDSA', two)
sys.exit(tap.done())
