"""54_reload.py NIGHTJARD: what changes while the server runs. The certificate
under load, with connections open (none is dropped, new ones get the new one,
tickets stay good); bad files; limits, origins and the log's level live; what
waits for a restart; limits of handshakes; trusted proxies; the listener that
sends everybody to https."""
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import Server, Tap, free_port  # noqa: E402

BINARY = sys.argv[1]
tap = Tap()
ROOT = tempfile.mkdtemp(prefix='nightjar-reload-')
CTX = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CTX.check_hostname = False
CTX.verify_mode = ssl.CERT_NONE


def until(what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def make_pair(name):
    """A certificate and key of their own: as a first start makes them."""
    data = os.path.join(ROOT, name)
    subprocess.run([BINARY, 'init', '--data', data], check=True,
                   stdout=subprocess.DEVNULL)
    with open(os.path.join(data, 'tls.crt'), 'rb') as f:
        cert = f.read()
    with open(os.path.join(data, 'tls.key'), 'rb') as f:
        key = f.read()
    der = ssl.PEM_cert_to_DER_cert(cert.decode())
    return cert, key, hashlib.sha256(der).hexdigest()


def put(path, data, mode=0o600):
    fd = os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    os.write(fd, data)
    os.close(fd)
    os.rename(path + '.new', path)


class Tls:
    """One TLS connection with requests on it."""

    def __init__(self, port, session=None):
        raw = socket.create_connection(('127.0.0.1', port), 40)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s = CTX.wrap_socket(raw, session=session)
        self.print = hashlib.sha256(self.s.getpeercert(True)).hexdigest()

    def get(self, path='/ready'):
        self.s.sendall(f'GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        got = b''
        while b'\r\n\r\n' not in got:
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError('ended')
            got += more
        head, _, body = got.partition(b'\r\n\r\n')
        n = int(re.search(rb'Content-Length: (\d+)', head).group(1))
        while len(body) < n:
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError('ended')
            body += more
        return int(head.split()[1])

    def websocket(self):
        self.s.sendall(b'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n'
                       b'Host: localhost\r\nUpgrade: websocket\r\n'
                       b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                       b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
        got = b''
        while b'"sid"' not in got:
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError('ended')
            got += more

    def ping(self):
        """A WebSocket ping comes back as a pong."""
        self.s.sendall(b'\x89\x84\0\0\0\0ping')
        got = b''
        while b'\x8a\x04ping' not in got:
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError('ended')
            got += more

    def close(self):
        self.s.close()


def metric(s, name):
    text = s.rest('GET', '/metrics').raw.decode()
    found = re.search(rf'^{name} (\d+)$', text, re.M)
    return int(found.group(1)) if found else None


def certificates():
    a, b, c = make_pair('a'), make_pair('b'), make_pair('c')
    cert, key = os.path.join(ROOT, 'cert.pem'), os.path.join(ROOT, 'key.pem')
    put(cert, a[0])
    put(key, a[1])
    with Server(BINARY, flags=['--set', f'tls.cert={cert}', '--set',
                               f'tls.key={key}', '--set', 'edge.idle=1h',
                               '--set', 'edge.requests_max=1000000000']) as s:
        loud = [Tls(s.tls_port) for _ in range(8)]
        still = [Tls(s.tls_port) for _ in range(24)]
        for t in still:
            t.websocket()
        tap.check(all(t.print == a[2] for t in loud), 'the first certificate')
        stop, errors, done = threading.Event(), [], [0]

        def load(t):
            try:
                while not stop.is_set():
                    if t.get() != 200:
                        errors.append('status')
                    done[0] += 1
            except OSError as e:
                errors.append(repr(e))
        threads = [threading.Thread(target=load, args=(t,)) for t in loud]
        for t in threads:
            t.start()
        first = Tls(s.tls_port)
        first.get()
        session = first.s.session
        first.close()
        # The files change, one after the other, and nobody is told.
        put(cert, b[0])
        time.sleep(0.2)
        put(key, b[1])
        tap.check(until(lambda: Tls(s.tls_port).print == b[2]),
                  'a changed file: new connections get the new certificate', s.log()[-500:])
        tap.check('certificate_refused' not in s.log(),
                  'files that change one after the other are read when they rest')
        # At once, by SIGHUP.
        put(cert, c[0])
        put(key, c[1])
        s.child.send_signal(signal.SIGHUP)
        tap.check(until(lambda: Tls(s.tls_port).print == c[2], 20), 'SIGHUP reads them at once')
        again = Tls(s.tls_port, session)
        tap.check(again.s.session_reused and again.get() == 200,
                  'a ticket of the first certificate still resumes')
        tap.check(again.s.version() == 'TLSv1.3', 'by TLS 1.3', again.s.version())
        again.close()
        # Bad files: each is refused by name, and the last good pair stays.
        for name, bad_cert, bad_key, mode, says in [
                ('a key that is none', c[0], b'garbage', 0o600, 'can not be read'),
                ('the key of another', c[0], a[1], 0o600, 'is not the key of'),
                ('a certificate that is none', b'', c[1], 0o600, 'can not be read'),
                ('a key that others may read', c[0], c[1], 0o644, 'others may read')]:
            before = s.log().count('certificate_refused')
            put(cert, bad_cert)
            put(key, bad_key)
            os.chmod(key, mode)
            s.child.send_signal(signal.SIGHUP)
            ok = until(lambda: s.log().count('certificate_refused') > before, 20)
            line = [x for x in s.log().split('\n') if 'certificate_refused' in x][-1:]
            tap.check(ok and says in line[0], f'{name}: refused, with the reason', line)
            tap.check(Tls(s.tls_port).print == c[2], f'{name}: the old one goes on')
        put(key, b[1])
        put(cert, b[0])
        s.child.send_signal(signal.SIGHUP)
        tap.check(until(lambda: Tls(s.tls_port).print == b[2], 20), 'and a good one is taken again')
        before = done[0]
        tap.check(until(lambda: done[0] > before + 100), 'the load goes on')
        stop.set()
        for t in threads:
            t.join()
        tap.check(not errors and done[0] > 500, 'no request on an open connection failed',
                  (errors[:3], done[0]))
        lost = 0
        for t in still:
            try:
                t.ping()
            except OSError:
                lost += 1
        tap.check(lost == 0, 'no open WebSocket was dropped', lost)
        for t in loud + still:
            t.close()


def configuration():
    conf = os.path.join(ROOT, 'conf.json')

    def write(x):
        put(conf, json.dumps(x).encode())
    base = {'log': {'level': 'info'}}
    write(base)
    with Server(BINARY, flags=['--config', conf]) as s:
        body = {'username': 'x' * 5000, 'email': 'x@example.org', 'password': 'y'}

        def status():
            return s.rest('POST', '/api/auth/login', body).status

        def preflight():
            return s.rest('OPTIONS', '/api/auth/login', headers={
                'Origin': 'https://chat.example', 'Access-Control-Request-Method': 'POST'}).status
        tap.check(status() != 413 and preflight() == 403, 'before: 5 KB pass, the origin does not',
                  (status(), preflight()))
        large = metric(s, 'nightjar_edge_body_large_total')
        # Nobody is told: the file changes.
        write({**base, 'edge': {'payload_max': 4096, 'origins': 'https://chat.example'}})
        tap.check(until(lambda: status() == 413), 'a changed file: a limit holds')
        tap.check(metric(s, 'nightjar_edge_body_large_total') > large, 'and is counted')
        tap.check(until(lambda: preflight() == 204), 'an origin is allowed', preflight())
        # A bad file is refused whole: nothing of it holds.
        refused = s.log().count('reload_refused')
        for bad in [b'{', json.dumps({'edge': {'payload_max': 1000000, 'fields_max': 5}}).encode(),
                    json.dumps({'edge': {'payload_max': 1000000, 'nonsense': 1}}).encode(),
                    json.dumps({'edge': {'payload_max': 1000000, 'trusted': 'x'}}).encode(),
                    json.dumps({'edge': {'payload_max': 1000000},
                                'tls': {'cert': '/nowhere'}}).encode()]:
            put(conf, bad)
            s.child.send_signal(signal.SIGHUP)
            refused += 1
            tap.check(until(lambda: s.log().count('reload_refused') >= refused, 20) and
                      status() == 413 and preflight() == 204,
                      f'refused whole: {bad.decode()[:70]}', s.log()[-300:])
        # What can not change live is said.
        write({**base, 'edge': {'ping_interval': '26s', 'polls_max': 77}})
        s.child.send_signal(signal.SIGHUP)
        ok = until(lambda: 'restart_needed' in s.log(), 20)
        line = [x for x in s.log().split('\n') if 'restart_needed' in x][-1:]
        tap.check(ok and 'edge.ping_interval' in line[0] and 'edge.polls_max' in line[0] and
                  'payload' not in line[0], 'what waits for a restart is named', line)
        tap.check(until(lambda: status() != 413), 'and the rest of that file holds')
        # The level of the log.
        write({'log': {'level': 'error'}})
        s.child.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        before = len(s.log())
        write({'log': {'level': 'error'}, 'edge': {'idle': '61s'}})
        s.child.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        tap.check(len(s.log()) == before, "the log's level", s.log()[before:])
        tap.check(s.rest('GET', '/ready').status == 200, 'the server goes on')


def feed(conf, first, then):
    """The server, which reads a fifo there, gets `first`; while it still waits
    for that, a file with `then` takes the fifo's place."""
    end = time.monotonic() + 30
    while True:
        try:
            fd = os.open(conf, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:         # nobody reads it yet
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
    put(conf, then)
    os.write(fd, first)
    os.close(fd)


def changed_while_read():
    """A change while the file before it is read is not lost."""
    conf = os.path.join(ROOT, 'slow.json')

    def limit(n):
        return json.dumps({'edge': {'payload_max': n}}).encode()

    def status(s):
        return s.rest('POST', '/api/auth/login', {'username': 'x' * 5000,
                      'email': 'x@example.org', 'password': 'y'}).status
    os.mkfifo(conf)
    feeder = threading.Thread(target=feed, args=(conf, limit(1000000), limit(4096)))
    feeder.start()
    with Server(BINARY, flags=['--config', conf]) as s:
        feeder.join()
        tap.check(until(lambda: status(s) == 413), 'a change during the start is not lost')
        put(conf, limit(900000))
        tap.check(until(lambda: status(s) != 413), 'a later one is seen as ever')
        fifo = conf + '.fifo'
        os.mkfifo(fifo)
        os.rename(fifo, conf)
        s.child.send_signal(signal.SIGHUP)
        feed(conf, limit(800000), limit(4096))
        tap.check(until(lambda: status(s) == 413), 'nor one during a reload')
    # Another certificate of the same key comes while the first is read.
    old, private, _ = make_pair('d')
    cert, key, new = (os.path.join(ROOT, x) for x in ('slow.pem', 'slow.key', 'new.pem'))
    put(key, private)
    subprocess.run(['openssl', 'req', '-x509', '-key', key, '-subj', '/CN=localhost',
                    '-out', new], check=True, stderr=subprocess.DEVNULL)
    with open(new, 'rb') as f:
        renewed = f.read()
    want = hashlib.sha256(ssl.PEM_cert_to_DER_cert(renewed.decode())).hexdigest()
    os.mkfifo(cert, 0o600)
    feeder = threading.Thread(target=feed, args=(cert, old, renewed))
    feeder.start()
    with Server(BINARY, flags=['--set', f'tls.cert={cert}', '--set', f'tls.key={key}']) as s:
        feeder.join()
        tap.check(until(lambda: Tls(s.tls_port).print == want),
                  'nor one of the certificate during the start', s.log()[-500:])


def handshakes():
    flags = ['--set', 'threads.reactors=1', '--set', 'edge.handshakes_max=4',
             '--set', 'edge.handshake=2s']
    with Server(BINARY, flags=flags) as s:
        silent = [socket.create_connection(('127.0.0.1', s.tls_port), 40) for _ in range(4)]
        time.sleep(0.3)
        began = time.monotonic()
        extra = Tls(s.tls_port)
        took = time.monotonic() - began
        tap.check(extra.get() == 200 and 0.8 < took < 20, 'one too many waits its turn', took)
        tap.check(metric(s, 'nightjar_edge_handshakes_over_total') >= 1, 'and is counted')
        for c in silent:
            c.settimeout(40)
            try:
                got = c.recv(10)
            except ConnectionError:
                got = b''
            tap.check(got == b'', 'a handshake that does not begin ends in time')
        tap.check(metric(s, 'nightjar_edge_tls_late_total') == 4, 'and is counted',
                  metric(s, 'nightjar_edge_tls_late_total'))
        tap.check(Tls(s.tls_port).get() == 200, 'others get in')


def proxies():
    def logins(s, forwarded):
        return [s.rest('POST', '/api/auth/login', {'username': 'no_one', 'password': 'Wrong-1234'},
                       headers={'X-Forwarded-For': forwarded}).status for _ in range(3)]
    flags = ['--set', 'limits.login=2/15m', '--set', 'accounts.backoff_max=0']
    with Server(BINARY, flags=flags) as s:
        tap.check(logins(s, '192.0.2.1')[2] == 429 and logins(s, '192.0.2.2') == [429] * 3,
                  'without trusted proxies nobody can choose an address')
    with Server(BINARY, flags=flags + ['--set', 'edge.trusted=127.0.0.0/8']) as s:
        one, two = logins(s, '192.0.2.1'), logins(s, '192.0.2.2')
        tap.check(one[2] == 429 and 429 not in two[:2] and two[2] == 429,
                  'behind a trusted proxy each client has its own limit', (one, two))
        three = logins(s, '198.51.100.9, 192.0.2.2')
        tap.check(three == [429] * 3, 'what a client writes itself is not believed', three)


def sent_to(port, host):
    """Where the redirecting listener sends who asks for that host."""
    with socket.create_connection(('127.0.0.1', port), 40) as c:
        c.sendall(f'GET /a?b=c HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n'.encode())
        got = b''
        while more := c.recv(65536):
            got += more
    place = [x[10:] for x in got.decode().split('\r\n') if x.startswith('Location: ')]
    return (got.split(b' ')[1], *place)


def redirect():
    port = free_port()
    listen = ('--set', f'listen.redirect=127.0.0.1:{port}')
    with Server(BINARY, flags=[*listen]) as s:
        for asked, led in (('localhost', 'localhost'), ('localhost:80', 'localhost'),
                           ('[::1]', '[::1]'), ('evil.example', 'localhost')):
            got = sent_to(port, asked)
            tap.check(got == (b'308', f'https://{led}:{s.tls_port}/a?b=c'),
                      f'http of {asked} is sent to https of {led}', got)
        tap.check(metric(s, 'nightjar_edge_redirects_total') == 4, 'and counted')
    with Server(BINARY, flags=[*listen, '--set', 'tls.names=chat.example,::1']) as s:
        for asked, led in (('chat.example', 'chat.example'), ('evil.example', 'chat.example'),
                           ('[::1]:80', '[::1]')):
            got = sent_to(port, asked)
            tap.check(got == (b'308', f'https://{led}:{s.tls_port}/a?b=c'),
                      f'by tls.names: {asked} to {led}', got)
    cert, key, _ = make_pair('redirect')
    files = [os.path.join(ROOT, n) for n in ('redirect.crt', 'redirect.key')]
    put(files[0], cert)
    put(files[1], key)
    with Server(BINARY, flags=[*listen, '--set', f'tls.cert={files[0]}', '--set',
                               f'tls.key={files[1]}']) as s:
        got = sent_to(port, 'my.example')
        tap.check(got == (b'308', f'https://my.example:{s.tls_port}/a?b=c'),
                  'with a certificate from elsewhere and no names: the host that was asked for', got)
    r = subprocess.run([BINARY, 'serve', '--data', os.path.join(ROOT, 'names'), *listen,
                        '--set', 'listen.http=', '--set', f'listen.https=127.0.0.1:{free_port()}',
                        '--set', 'tls.names=chat example'], capture_output=True, text=True,
                       check=False, timeout=20)
    tap.check(r.returncode != 0 and 'tls.names' in r.stderr, 'a name that is none is refused', r)


try:
    for scenario in (certificates, configuration, changed_while_read, handshakes,
                     proxies, redirect):
        scenario()
finally:
    shutil.rmtree(ROOT, ignore_errors=True)
sys.exit(tap.done())
