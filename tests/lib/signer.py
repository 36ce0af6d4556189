"""signer.py: accounts with devices for tests that speak the interface by hand:
their lists, certificates, batches and proofs are made by tests/lib/signer.c."""
import base64
import json
import subprocess
import time
import uuid

from server import PASSWORD

DAY_MS = 86400 * 1000


def now_ms():
    return int(time.time() * 1000)


def b64(data):
    return base64.b64encode(data).decode()


def session_of(token):
    body = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(body + '=' * (-len(body) % 4)))['sid']


class Signer:
    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.child.stdin.write(' '.join(str(w) for w in words) + '\n')
        self.child.stdin.flush()
        line = self.child.stdout.readline().rstrip('\n')
        if not line or line[0] == '!':
            raise RuntimeError(f'{words}: {line}')
        return line.split(' ')

    def close(self):
        self.child.stdin.close()
        self.child.wait(10)


class Account:
    """Somebody with the devices {number: key name}; aik names the account key."""

    def __init__(self, s, signer, name, devices=(1,)):
        self.s, self.signer, self.name = s, signer, name
        self.id, self.token, self.refresh = s.register(name)
        self.aik, self.version, self.prev, self.next_id = f'{name}-aik', 0, '-', 1
        self.devices, self.tokens = {}, {}
        if devices:
            r = self.put({d: f'{name}-{d}' for d in devices}, token=self.token)
            if r.status != 200:
                raise RuntimeError(f'{name}: {r}')
            for d in devices:
                self.tokens[d] = self.bound(d)

    def make(self, devices, aik=None, version=None, prev=None, next_id=None,
             account=None, issued=None):
        """(list, hash, certificates by number), all base64."""
        n = next_id or max([self.next_id - 1, *devices]) + 1
        got = self.signer.ask(
            'list', account or self.id, aik or self.aik, version or self.version + 1, n,
            prev or self.prev, issued or now_ms(),
            ','.join(f'{d}:{devices[d]}' for d in sorted(devices)))
        return got[0], got[1], dict(zip(sorted(devices), got[2].split(',')))

    def took(self, devices, made, aik=None):
        self.version += 1
        self.prev = made[1]
        self.next_id = max([self.next_id - 1, *devices]) + 1
        self.devices = dict(devices)
        self.aik = aik or self.aik

    def put(self, devices, token=None, aik=None, speaker=None, certs=None, made=None, **more):
        """PUT device-list with what is new; our state follows when it is taken."""
        made = made or self.make(devices, aik)
        if certs is None:
            certs = [c for d, c in made[2].items()
                     if aik or self.devices.get(d) != devices[d]]
        r = self.s.rest('PUT', '/api/users/me/device-list', {
            'list': made[0], 'certs': certs,
            'deviceId': speaker or min(devices), **more}, token or self.tokens[min(self.tokens)])
        if r.status == 200:
            self.took(devices, made, aik)
        return r

    def login(self):
        """The token of a session by password, which speaks for no device."""
        r = self.s.rest('POST', '/api/auth/login', {
            'username': self.name, 'password': PASSWORD})
        return r.data['tokens']['accessToken']

    def bind(self, token, device, key=None):
        proof, = self.signer.ask('bind', self.id, session_of(token), device,
                                 key or self.devices[device])
        return self.s.rest('POST', '/api/auth/device', {
            'deviceId': device, 'proof': proof}, token)

    def bound(self, device):
        token = self.login()
        r = self.bind(token, device)
        if r.status != 200:
            raise RuntimeError(f'{self.name}.{device}: {r}')
        return token

    def batch(self, device, number=1, leaves=4, created=None, key=None):
        """A body for PUT prekeys."""
        header, leaves_ = self.signer.ask(
            'batch', self.id, self.aik, device, key or self.devices[device], number,
            created or now_ms(), leaves)
        return {'header': header, 'leaves': leaves_.split(',')}

    def upload(self, device, number=1, leaves=4, token=None, **more):
        return self.s.rest('PUT', f'/api/devices/{device}/prekeys',
                           self.batch(device, number, leaves, **more),
                           token or self.tokens[device])

    def left(self, device, token=None):
        return self.s.rest('GET', f'/api/devices/{device}/prekeys/count',
                           token=token or self.tokens[device])

    def rotation(self, new_aik, version=None, old=None, account=None):
        got, = self.signer.ask('rotate', account or self.id, old or self.aik, new_aik,
                               version or self.version + 1, now_ms())
        return got

    def verified(self, device, peer, peer_aik, method=1, withdrawn=0, at=None, key=None):
        """A body for POST verifications."""
        record, hash_ = self.signer.ask(
            'verified', self.id, self.aik, device, key or self.devices[device], peer, peer_aik,
            method, withdrawn, at or now_ms())
        return {'userId': peer, 'keyHash': hash_, 'record': record,
                'method': 'number' if method == 1 else 'code'}

    def address(self, device):
        return f'{self.id}.{device}'


def send(s, token, chat, keys, kind='text', **more):
    """A message in the suite of devices, to these addresses."""
    return s.rest('POST', f'/api/chats/{chat}/messages', {
        'suite': 'ratchet', 'messageType': kind, 'clientMessageId': str(uuid.uuid4()),
        'encryptedContent': b64(bytes(100)), 'iv': b64(bytes(12)),
        'encryptedKeys': {k: b64(bytes(40)) for k in keys}, **more}, token)
