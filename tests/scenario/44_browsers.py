"""44_browsers.py NIGHTJARD: what browsers add: refresh tokens in cookies,
CSRF tokens, origins, CORS."""
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import PASSWORD, Server, Tap  # noqa: E402

tap = Tap()
LISTED, OTHER = 'https://chat.example.org', 'https://evil.example.net'


def cookies(r):
    """{name: (value, attributes in lower case)} of Set-Cookie."""
    out = {}
    for line in r.headers.get_all('Set-Cookie') or []:
        pair, *rest = line.split('; ')
        name, value = pair.split('=', 1)
        out[name] = (value, {x.lower() for x in rest})
    return out


def jar(got):
    return 'theme=dark; ' + '; '.join(f'{k}={v[0]}' for k, v in got.items())


def signing_in(s):
    r = s.rest('POST', '/api/auth/register', {
        'username': 'alice', 'email': 'alice@example.org',
        'password': PASSWORD, 'cookie': True})
    got = cookies(r)
    tap.check(r.status == 201 and set(got) == {'nj_refresh', 'nj_csrf'},
              'register with cookie: two cookies', r.headers)
    tap.check(r.data['tokens'].keys() == {'accessToken'},
              'and no refresh token in the body', r)
    tap.check({'path=/api/auth', 'secure', 'httponly', 'samesite=strict'} <=
              got['nj_refresh'][1], 'the refresh token: for /api/auth alone, '
              'no script, TLS, no other site', got['nj_refresh'][1])
    tap.check({'path=/', 'secure', 'samesite=strict'} <= got['nj_csrf'][1] and
              'httponly' not in got['nj_csrf'][1],
              'the CSRF token can be read', got['nj_csrf'][1])
    ages = [x for x in got['nj_refresh'][1] if x.startswith('max-age=')]
    tap.check(ages == ['max-age=604800'], 'it lives as long as the token', ages)
    r = s.rest('POST', '/api/auth/login', {
        'username': 'alice', 'password': PASSWORD, 'cookie': True})
    tap.check(r.status == 200 and set(cookies(r)) == {'nj_refresh', 'nj_csrf'}
              and 'refreshToken' not in r.data['tokens'],
              'login with cookie: the same', r)
    plain = s.rest('POST', '/api/auth/login', {
        'username': 'alice', 'password': PASSWORD, 'cookie': False})
    tap.check(not cookies(plain) and 'refreshToken' in plain.data['tokens'],
              'without: no cookie', plain)
    for path, body in (('login', {}), ('register', {'email': 'm@example.org'})):
        r = s.rest('POST', f'/api/auth/{path}', {
            'username': 'alice' if path == 'login' else 'mallory',
            'password': PASSWORD, 'cookie': True, **body},
            headers={'Origin': OTHER})
        tap.check(r.status == 403 and not cookies(r),
                  f'{path} with cookie from another origin: 403', r)
    return got, plain.data['tokens']['refreshToken']


def refresh(s, got, csrf, origin=None, body=None, cookie=None):
    h = {'Cookie': cookie or jar(got)}
    if csrf is not None:
        h['X-CSRF-Token'] = csrf
    if origin:
        h['Origin'] = origin
    return s.rest('POST', '/api/auth/refresh', body, headers=h)


def refreshing(s, got, other):
    csrf = got['nj_csrf'][0]
    for name, token in (('no X-CSRF-Token', None), ('an empty one', ''),
                        ('a wrong one', csrf[:-1] + '_'),
                        ('one cut short', csrf[:-1])):
        r = refresh(s, got, token)
        tap.check(r.status == 403 and r.code == 'forbidden' and
                  not cookies(r), f'refresh by cookie with {name}: 403', r)
    r = refresh(s, got, 'own', cookie=f'nj_refresh={got["nj_refresh"][0]}; '
                'nj_csrf=own')
    tap.check(r.status == 403, 'a CSRF cookie that was planted: 403', r)
    for origin in (OTHER, 'null'):
        r = refresh(s, got, csrf, origin)
        tap.check(r.status == 403, f'from the origin {origin}: 403', r)
    own = f'http://127.0.0.1:{s.port}'
    r = refresh(s, got, csrf, own)
    new = cookies(r)
    tap.check(r.status == 200 and r.data.keys() == {'accessToken'} and
              new['nj_refresh'][0] != got['nj_refresh'][0],
              'with it, from our own origin: a new cookie', r)
    me = s.rest('GET', '/api/auth/me', token=r.data['accessToken'])
    tap.check(me.status == 200, 'and an access token that works', me)
    r = refresh(s, new, new['nj_csrf'][0], LISTED, body={})
    newer = cookies(r)
    tap.check(r.status == 200 and newer, 'from a configured origin: too', r)
    r = refresh(s, newer, newer['nj_csrf'][0], body={'refreshToken': other})
    tap.check(r.status == 200 and 'refreshToken' in r.data and
              not cookies(r), 'a token in the body goes before the cookie', r)
    r = refresh(s, new, new['nj_csrf'][0])
    gone = cookies(r)
    tap.check(r.status == 401 and r.code == 'token_reused',
              'the old cookie again: reused', r)
    tap.check(all(v[0] == '' and 'max-age=0' in v[1] for v in gone.values())
              and len(gone) == 2, 'and both cookies are taken away', gone)
    r = refresh(s, newer, newer['nj_csrf'][0])
    tap.check(r.status == 401, 'the session is over with it', r)
    r = refresh(s, {'nj_refresh': ('x.y.z', ())}, csrf)
    tap.check(r.status == 401, 'a cookie that is no token: 401', r)
    r = s.rest('POST', '/api/auth/refresh', {})
    tap.check(r.status == 400, 'neither cookie nor body: 400', r)


def leaving(s):
    r = s.rest('POST', '/api/auth/login', {
        'username': 'alice', 'password': PASSWORD, 'cookie': True})
    got, token = cookies(r), r.data['tokens']['accessToken']
    r = s.rest('POST', '/api/auth/logout', token=token,
               headers={'Cookie': jar(got)})
    gone = cookies(r)
    tap.check(r.status == 200 and len(gone) == 2 and
              all(v[0] == '' and 'max-age=0' in v[1] for v in gone.values()),
              'logout takes the cookies away', r.headers)
    r = refresh(s, got, got['nj_csrf'][0])
    tap.check(r.status == 401, 'and what somebody kept of them is worth nothing', r)


def cors(s):
    ask = {'Access-Control-Request-Method': 'PUT',
           'Access-Control-Request-Headers': 'authorization,content-type'}
    path = '/api/auth/password'
    r = s.rest('OPTIONS', path, headers={'Origin': LISTED, **ask})
    tap.check(r.status == 204 and r.raw == b'', 'a preflight: 204', r)
    tap.check(r.headers['Access-Control-Allow-Origin'] == LISTED and
              r.headers['Access-Control-Allow-Credentials'] == 'true' and
              'PUT' in r.headers['Access-Control-Allow-Methods'] and
              'authorization' in
              r.headers['Access-Control-Allow-Headers'].lower() and
              r.headers['Vary'] == 'Origin', 'it says what may be', r.headers)
    r = s.rest('OPTIONS', path, headers={'Origin': OTHER, **ask})
    tap.check(r.status == 403 and
              r.headers['Access-Control-Allow-Origin'] is None,
              'of another origin: 403, and no permission', r)
    r = s.rest('OPTIONS', path, headers={'Origin': LISTED})
    tap.check(r.status == 405, 'OPTIONS that asks nothing: 405', r)
    r = s.rest('OPTIONS', '/nowhere', headers={'Origin': LISTED, **ask})
    tap.check(r.status == 404, 'of a path that is not there: 404', r)
    for what, path in (('an answer', '/api/health'), ('a refusal', '/api/chats')):
        r = s.rest('GET', path, headers={'Origin': LISTED})
        tap.check(r.headers['Access-Control-Allow-Origin'] == LISTED and
                  'Retry-After' in r.headers['Access-Control-Expose-Headers'],
                  f'{what} may be read by a configured origin', r.headers)
        r = s.rest('GET', path, headers={'Origin': OTHER})
        tap.check(r.headers['Access-Control-Allow-Origin'] is None and
                  r.headers['Vary'] == 'Origin', f'{what}: not by another', r.headers)


def main():
    with Server(sys.argv[1], flags=['--set',
                f'edge.origins=https://x.example.org, {LISTED}']) as s:
        got, other = signing_in(s)
        refreshing(s, got, other)
        leaving(s)
        cors(s)
    return tap.done()


sys.exit(main())
