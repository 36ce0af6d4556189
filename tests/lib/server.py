"""server.py: a nightjard of its own for a test: a temporary data directory,
free loopback ports, limits off; REST calls; and TAP output.

    from server import Server, Tap
    with Server(sys.argv[1]) as s: ...
"""
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from ports import free_port

LIMITS = ('cheap', 'connects', 'exports', 'links', 'login', 'mails', 'messages', 'messages_hour', 'refresh',
          'register', 'rest', 'sockets')
READY_S = 60
PASSWORD = 'Correct-Horse-7'


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None

    @property
    def data(self):
        return self.json['data']

    @property
    def code(self):
        return (self.json or {}).get('error', {}).get('code')

    def __repr__(self):
        return f'{self.status} {self.raw[:300]!r}'


class Server:
    def __init__(self, binary, limits=False, flags=(), data=None):
        self.binary = binary
        self.root = data or tempfile.mkdtemp(prefix='nightjar-test-')
        self.data = os.path.join(self.root, 'data')
        self.port, self.tls_port = free_port(), free_port()
        self.flags = ['--set', f'listen.http=127.0.0.1:{self.port}',
                      '--set', f'listen.https=127.0.0.1:{self.tls_port}']
        if not limits:
            for x in LIMITS:
                self.flags += ['--set', f'limits.{x}=0']
        self.flags += flags
        self.log_path = os.path.join(self.root, 'log')
        self.child = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def spawn(self):
        with open(self.log_path, 'ab') as log:
            self.child = subprocess.Popen(
                [self.binary, 'serve', '--data', self.data, *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        """Starts, and returns once /ready says so; seconds it took."""
        began = time.monotonic()
        self.spawn()
        while time.monotonic() - began < READY_S:
            if self.child.poll() is not None:
                raise RuntimeError('nightjard ended: ' + self.log()[-2000:])
            try:
                if self.rest('GET', '/ready').status == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError('nightjard is not ready: ' + self.log()[-2000:])

    def kill(self, how=signal.SIGKILL, wait_s=60):
        """Ends it; the exit status (negative: by signal)."""
        if self.child is None:
            return None
        if self.child.poll() is None:
            self.child.send_signal(how)
        status = self.child.wait(wait_s)
        self.child = None
        return status

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def rest(self, method, path, body=None, token=None, headers=None,
             timeout=120):
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            h = dict(headers or {})
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                h.setdefault('Content-Type', 'application/json')
            if token:
                h['Authorization'] = f'Bearer {token}'
            c.request(method, path, body, h)
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            c.close()

    def register(self, name):
        """(user id, access token, refresh token) of a new person."""
        r = self.rest('POST', '/api/auth/register', {
            'username': name, 'email': f'{name}@example.org',
            'password': PASSWORD})
        if r.status != 201:
            raise RuntimeError(f'register {name}: {r}')
        return (r.data['user']['id'], r.data['tokens']['accessToken'],
                r.data['tokens']['refreshToken'])

    def chat(self, token, other):
        """The direct chat's id."""
        r = self.rest('POST', '/api/chats',
                      {'type': 'direct', 'memberIds': [other]}, token)
        if r.status not in (200, 201):
            raise RuntimeError(f'chat: {r}')
        return r.data['chatId']

    def send(self, token, chat, text, **more):
        return self.rest('POST', f'/api/chats/{chat}/messages',
                         {'encryptedContent': text, 'iv': '', **more}, token)


class Tap:
    """Checks, printed as TAP; exit status by done()."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, ok, name, why=''):
        self.count += 1
        self.failed += not ok
        print(f'{"ok" if ok else "not ok"} {self.count} - {name}'
              + ('' if ok else f' # {why}'), flush=True)
        return ok

    def done(self):
        print(f'1..{self.count}')
        return 1 if self.failed or not self.count else 0
