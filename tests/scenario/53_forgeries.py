"""53_forgeries.py NIGHTJARD [NIGHTJAR]: tokens that nobody gave out, and devices
that one only claims to be; signing out ends a token everywhere at once. With
NIGHTJAR real devices are in it, too. Who may do what with a good token:
53_authorization.py."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
PROOF = base64.b64encode(bytes(3373)).decode()
LEAF = base64.b64encode(b'x').decode()


class World:
    """Alice and Bob talk; Eve is a stranger to both."""

    def __init__(self, s):
        self.s = s
        self.alice, self.alice_token, self.alice_refresh = s.register('alice')
        self.bob, self.bob_token, _ = s.register('bob')
        self.eve, self.eve_token, _ = s.register('eve')
        self.chat = s.chat(self.alice_token, self.bob)
        self.message = s.send(self.alice_token, self.chat, 'c2VjcmV0').data['messageId']
        self.session = s.rest('GET', '/api/auth/sessions',
                              token=self.alice_token).data['sessions'][0]['id']
        with open(os.path.join(s.data, 'jwt.key'), encoding='ascii') as f:
            self.key = bytes.fromhex(f.read().strip())

    def forge(self, token, hash_=hashlib.sha256, head=None, **claims):
        """The token with other claims, signed by the server's own key."""
        def un(x):
            return json.loads(base64.urlsafe_b64decode(x + '=='))

        def b64(x):
            return base64.urlsafe_b64encode(x).rstrip(b'=').decode()
        h, c = token.split('.')[:2]
        text = '.'.join(b64(json.dumps(x, separators=(',', ':')).encode())
                        for x in (head or un(h), {**un(c), **claims}))
        return text + '.' + b64(hmac.new(self.key, text.encode(), hash_).digest())


def more_bad_tokens(w):
    """Forgeries by somebody who even has the key, or thinks to."""
    t = w.alice_token
    head, body, sig = t.split('.')

    def as_head(**x):
        return base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b'=').decode()
    pem = b'-----BEGIN PUBLIC KEY-----'
    cases = [(f'alg {a}', as_head(alg=a, typ='JWT') + f'.{body}.{s_}')
             for a in ('none', 'None', 'NONE', 'nOnE', '') for s_ in ('', sig)]
    cases += [(f'alg {a}, signed by the key', w.forge(t, h, {'alg': a, 'typ': 'JWT'}))
              for a, h in (('HS512', hashlib.sha512), ('HS384', hashlib.sha384),
                           ('RS256', hashlib.sha256), ('hs256', hashlib.sha256),
                           ('ES256', hashlib.sha256))]
    cases += [
        ('no alg', w.forge(t, head={'typ': 'JWT'})),
        ('a key id', w.forge(t, head={'alg': 'HS256', 'typ': 'JWT', 'kid': '../../dev/null'})),
        ('a key of its own', w.forge(t, head={'alg': 'HS256', 'typ': 'JWT', 'jwk': {'kty': 'oct', 'k': 'AA'}})),
        ("another's user id", w.forge(w.eve_token, userId=w.alice)),
        ("another's session", w.forge(w.eve_token, sid=w.session)),
        ('a type of its own', w.forge(t, type='admin')),
        ('an expiry that is a string', w.forge(t, exp='9999999999')),
        ('no expiry', w.forge(t, exp=None)), ('an expiry of 2^63', w.forge(t, exp=2**63)),
        ('a negative expiry', w.forge(t, exp=-1)),
        ('RS256 confusion', head + '.' + body + '.' + base64.urlsafe_b64encode(
            hmac.new(pem, f'{head}.{body}'.encode(), hashlib.sha256).digest()).rstrip(b'=').decode()),
        ('a bit of the signature', f'{head}.{body}.{("B" if sig[0] == "A" else "A") + sig[1:]}'),
        ('other unused bits of the signature', t[:-1] + chr(ord(t[-1]) + 1)),
        ('padding', t + '='), ('four parts', t + '.x'), ('two parts', f'{head}.{body}'),
        ('white space within', f'{head}. {body}.{sig}'), ('a comma', t + ',' + t)]
    for name, bad in cases:
        if bad == t:
            continue
        r = w.s.rest('GET', '/api/auth/me', token=bad)
        tap.check(r.status == 401 and r.code in ('invalid_token', 'token_expired') and
                  r.headers.get('WWW-Authenticate') == 'Bearer',
                  f'RFC 8725 3.1: {name}: refused', r)
        k = Sio(w.s.port, bad)
        tap.check(k.refused and k.refused['message'] == 'Authentication failed' and
                  k.refused['data']['code'] == r.code, f'{name}: no socket either', k.refused)
        k.close()
    r = w.s.rest('POST', '/api/auth/refresh', {'refreshToken': t})
    tap.check(r.status == 401 and r.code == 'invalid_token', 'an access token refreshes nothing', r)


def ends_at_once(w):
    """Signing out ends the token on every reactor, and its sockets."""
    login = {'username': 'alice', 'password': PASSWORD}
    for _ in range(5):
        t = w.s.rest('POST', '/api/auth/login', login).data['tokens']['accessToken']
        k = Sio(w.s.port, t)
        for _ in range(8):
            w.s.rest('GET', '/api/auth/me', token=t)
        w.s.rest('POST', '/api/auth/logout', token=t)
        got = [w.s.rest('GET', '/api/auth/me', token=t).status for _ in range(12)]
        tap.check(set(got) == {401}, 'after signing out no reactor takes the token', got)
        tap.check(k.event('session:ended')['reason'] == 'logout', 'and its socket hears of it')
        k.close()


def cli(s, program, name, *args):
    home = os.path.join(s.root, 'home')
    os.makedirs(home, exist_ok=True)
    return subprocess.run(
        [program, '--server', f'http://127.0.0.1:{s.port}', '--profile', name, *args],
        env={**os.environ, 'HOME': home, 'NIGHTJAR_PASSWORD': PASSWORD}, timeout=60,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def flipped(text):
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()


def devices(w, program):
    """Carol has a device. Her password alone does not make her that device."""
    r = cli(w.s, program, 'carol', 'register', '--username', 'carol', '--email', 'carol@example.org')
    if not tap.check(r.returncode == 0, 'a client registers with a device', r):
        return
    login = w.s.rest('POST', '/api/auth/login', {'username': 'carol', 'password': PASSWORD}).data
    t, carol = login['tokens']['accessToken'], login['user']['id']
    left = w.s.rest('GET', '/api/devices/1/prekeys/count', token=t)
    tap.check(left.status == 200 and left.data['left'] > 0, 'it has prekeys', left)
    objects = w.s.rest('GET', f'/api/users/{carol}/devices', token=t).data
    for name, r, status, code in (
            ('a wrong proof', w.s.rest('POST', '/api/auth/device', {
                'deviceId': 1, 'proof': PROOF}, t), (400, 401, 403), None),
            ('a proof of another length', w.s.rest('POST', '/api/auth/device', {
                'deviceId': 1, 'proof': 'AAAA'}, t), (400,), 'validation_failed'),
            ('a device that is not there', w.s.rest('POST', '/api/auth/device', {
                'deviceId': 9, 'proof': PROOF}, t), (404,), 'not_found'),
            ('prekeys without a device', w.s.rest('PUT', '/api/devices/1/prekeys', {
                'header': LEAF, 'leaves': [LEAF] * 4}, t), (403,), 'forbidden'),
            ("prekeys of Carol's by a stranger", w.s.rest('PUT', '/api/devices/1/prekeys', {
                'header': LEAF, 'leaves': [LEAF] * 4}, w.bob_token), (403,), 'forbidden'),
            ("Carol's list as a stranger's own", w.s.rest('PUT', '/api/users/me/device-list', {
                'list': objects['list'], 'certs': objects['certs'], 'deviceId': 1}, w.bob_token),
             (403,), 'forbidden'),
            ('her list again, which changes nothing', w.s.rest('PUT', '/api/users/me/device-list', {
                'list': objects['list'], 'certs': [], 'deviceId': 1}, t), (200,), None),
            ('her list, one bit other', w.s.rest('PUT', '/api/users/me/device-list', {
                'list': flipped(objects['list']), 'certs': [], 'deviceId': 1}, t), (400, 409), None)):
        tap.check(r.status in status and (code is None or r.code == code) and
                  (status == (200,) or r.json['error']['message']), f'{name}: {status[0]}', r)
    after = w.s.rest('GET', '/api/devices/1/prekeys/count', token=t)
    tap.check(after.data == left.data, 'her prekeys are as before', after)
    tap.check(w.s.rest('GET', f'/api/users/{carol}/devices', token=t).data == objects,
              'and so is her list')
    me = w.s.rest('GET', '/api/auth/sessions', token=t).data['sessions']
    tap.check(sum(x.get('deviceId') is not None for x in me) == 1,
              'her session by password speaks for no device', me)


with Server(sys.argv[1], flags=['--set', 'threads.reactors=4', '--set',
                                'accounts.backoff_max=0']) as server:
    world = World(server)
    more_bad_tokens(world)
    ends_at_once(world)
    if len(sys.argv) > 2:
        devices(world, sys.argv[2])
    tap.check(server.kill(15) == 0, 'the server is well, and ends in good order',
              server.log()[-2000:])
sys.exit(tap.done())
