"""lib.py: real processes for the end-to-end tests: one nightjard on free
ports with a data directory of its own, and nightjar profiles below one home.
Python's standard library only. Programs come from NIGHTJARD and NIGHTJAR in
the environment, or from the build directory given as the first argument.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
from ports import free_port  # noqa: E402

PASSWORD = 'Correct-Horse-9-Battery'
# Every limit that would make a test wait is off; one test turns them on.
NO_LIMITS = ['limits.connects=0', 'limits.login=0', 'limits.messages=0',
             'limits.messages_hour=0', 'limits.register=0', 'limits.rest=0',
             'limits.cheap=0', 'limits.sockets=0', 'limits.refresh=0',
             'limits.prekeys_pair=0', 'limits.prekeys_device=0']
SLOW = 4 if os.environ.get('NJ_SLOW') else 1    # sanitizers, valgrind
# A zone where it is noon now (POSIX TZ, west is +): what was said is said
# today for hours to come, whatever time the tests run at.
NOON = f'<noon>{time.gmtime().tm_hour - 12:+d}'


class Failure(Exception):
    pass


class Skip(Exception):
    """The test can not look here: said so in TAP, never counted as passed."""


def check(what, text):
    if not what:
        raise Failure(text)


def program(name):
    path = os.environ.get(name.upper())
    if not path and len(sys.argv) > 1:
        path = os.path.join(sys.argv[1], name)
    check(path and os.access(path, os.X_OK),
          f'{name} is not there: set {name.upper()} or give a build folder')
    return os.path.abspath(path)


class Server:
    """nightjard; `start` and `kill` may be called many times."""

    def __init__(self, home, limits=False, sets=()):
        self.data = os.path.join(home, 'server')
        self.log = os.path.join(home, 'server.log')
        self.http, self.https = free_port(), free_port()
        self.sets = [f'listen.http=127.0.0.1:{self.http}',
                     f'listen.https=127.0.0.1:{self.https}',
                     'threads.reactors=2', 'accounts.backoff_max=0']
        self.sets += [] if limits else NO_LIMITS
        self.sets += list(sets)
        self.process = None

    @property
    def url(self):
        return f'http://127.0.0.1:{self.http}'

    @property
    def tls_url(self):
        return f'https://localhost:{self.https}'

    def start(self):
        args = [program('nightjard'), 'serve', '--data', self.data]
        for s in self.sets:
            args += ['--set', s]
        env = {k: v for k, v in os.environ.items()
               if not k.startswith('NIGHTJAR_')}
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=env)
        end = time.monotonic() + 20 * SLOW
        while time.monotonic() < end:
            check(self.process.poll() is None,
                  'nightjard ended at its start:\n' + self.tail())
            try:
                with urllib.request.urlopen(self.url + '/ready',
                                            timeout=2) as r:
                    if r.status == 200:
                        return self
            except OSError:
                time.sleep(0.02)
        raise Failure('nightjard is not ready:\n' + self.tail())

    def kill(self):
        """As a power cut would: no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            status = self.process.wait(35 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure('nightjard did not end at SIGTERM') from None
        check(status == 0, f'nightjard ended with {status}:\n' + self.tail())

    def tail(self):
        with open(self.log, 'rb') as f:
            return f.read()[-3000:].decode(errors='replace')

    def memory(self):
        """What a core image would hold; None where that is not allowed."""
        pieces = []
        try:
            with open(f'/proc/{self.process.pid}/maps') as maps, \
                    open(f'/proc/{self.process.pid}/mem', 'rb', 0) as mem:
                for line in maps:
                    span, mode = line.split()[:2]
                    if 'w' not in mode or '[v' in line:
                        continue
                    first, last = (int(x, 16) for x in span.split('-'))
                    try:
                        mem.seek(first)
                        pieces.append(mem.read(last - first))
                    except OSError:
                        continue
        except PermissionError:
            return None
        check(pieces, 'no memory of nightjard could be read')
        return pieces


class Client:
    """A profile of nightjar: commands that end, and ones that go on."""

    def __init__(self, home, name, url):
        self.name, self.url, self.home = name, url, home
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(('NIGHTJAR', 'XDG_'))}
        self.env.update(HOME=home, NIGHTJAR_PROFILE=name,
                        NIGHTJAR_SERVER=url, NIGHTJAR_PASSWORD=PASSWORD,
                        LC_ALL='C.UTF-8', TZ=NOON, NO_COLOR='1')

    def popen(self, *args, **kw):
        kw.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.Popen([program('nightjar'), *args], env=self.env,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                start_new_session=True, **kw)

    def run(self, *args, text=None, status=0, timeout=60):
        """The standard output; fails unless the exit status is `status`."""
        p = self.popen(*args, stdin=subprocess.PIPE)
        try:
            out, err = p.communicate(text.encode() if text else None,
                                     timeout * SLOW)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            raise Failure(f'{self.name}: {args} hangs\n{out.decode()}'
                          f'{err.decode()}') from None
        self.err = err.decode()
        check(p.returncode == status,
              f'{self.name}: {" ".join(args)}: status {p.returncode}, not '
              f'{status}\n{out.decode(errors="replace")}{self.err}')
        return out.decode()

    def json(self, *args, **kw):
        return [json.loads(x) for x in
                self.run('--json', *args, **kw).splitlines()]

    def register(self, user=None):
        return self.run('register', '--username', user or self.name,
                        '--email', f'{user or self.name}@example.org')

    def data(self):
        return os.path.join(self.home, '.local/share/nightjar', self.name)


class Listener:
    """nightjar --json listen in the background; lines as they come."""

    def __init__(self, client, *args):
        self.client = client
        self.p = client.popen('--json', 'listen', *args)
        self.buffer = b''
        self.seen = []

    def next(self, timeout=20):
        """The next JSON line, or None when the time is over."""
        end = time.monotonic() + timeout * SLOW
        while b'\n' not in self.buffer:
            left = end - time.monotonic()
            if left <= 0:
                return None
            if not select.select([self.p.stdout], [], [], left)[0]:
                return None
            piece = os.read(self.p.stdout.fileno(), 65536)
            check(piece, f'listen of {self.client.name} ended: '
                  + self.p.stderr.read().decode() if not piece else '')
            self.buffer += piece
        line, self.buffer = self.buffer.split(b'\n', 1)
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def message(self, timeout=20):
        """The next message, past other events."""
        end = time.monotonic() + timeout * SLOW
        while time.monotonic() < end:
            got = self.next(max(end - time.monotonic(), 0.01) / SLOW)
            if got is not None and got['type'] == 'message':
                return got
        return None

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10 * SLOW)
        except subprocess.TimeoutExpired:
            self.p.kill()
            raise Failure('listen did not end at SIGTERM') from None
        self.p.stdout.close()
        self.p.stderr.close()


def search(pieces, needles):
    """The needle that is in one of the byte strings, or None."""
    for piece in pieces:
        for n in needles:
            if n in piece:
                return n
    return None


def canary_forms(text):
    """A plaintext as it might lie about."""
    import base64
    raw = text.encode()
    forms = [raw, text.encode('utf-16-le'), raw.hex().encode(),
             raw.hex().upper().encode()]
    # Base64 at each of the three offsets, without the uncertain ends.
    for shift in range(3):
        forms.append(base64.b64encode(b'x' * shift + raw)[4:-4])
    return forms


def check_no_plaintext(server, canaries):
    """In no file of the server and not in its log."""
    needles = [f for c in canaries for f in canary_forms(c)]
    files = [server.log]
    for folder, _, names in os.walk(server.data):
        files += [os.path.join(folder, n) for n in names]
    check(len(files) > 2, 'the server has no files')
    for path in files:
        with open(path, 'rb') as f:
            found = search([f.read()], needles)
        check(found is None, f'plaintext in {path}: {found}')


def check_no_plaintext_in_memory(server, canaries):
    """Nor in what a core image of it would hold; for a test of its own."""
    memory = server.memory()
    if memory is None:
        check(os.geteuid() != 0, 'root may not read the server\'s memory')
        raise Skip('the memory of the server may be read by root only')
    # The search itself can find something: a string that has to be there.
    check(search(memory, [b'nightjar']) is not None,
          'the memory of the server was not read')
    found = search(memory, [f for c in canaries for f in canary_forms(c)])
    check(found is None, f'plaintext in the memory of the server: {found}')


def main(tests):
    """Runs the tests (functions of a home folder) and prints TAP."""
    print(f'1..{len(tests)}', flush=True)
    bad = 0
    for i, test in enumerate(tests, 1):
        home = tempfile.mkdtemp(prefix='nightjar-e2e-')
        begin = time.monotonic()
        try:
            test(home)
            print(f'ok {i} - {test.__name__} '
                  f'# {time.monotonic() - begin:.1f} s', flush=True)
        except Skip as e:
            print(f'ok {i} - {test.__name__} # SKIP {e}', flush=True)
        except Failure as e:
            bad += 1
            print(f'not ok {i} - {test.__name__}')
            print(''.join(f'# {x}\n' for x in str(e).splitlines()),
                  flush=True)
        finally:
            shutil.rmtree(home, ignore_errors=True)
    sys.exit(1 if bad else 0)
