"""55_tls_clients.py NIGHTJARD: other people's TLS against ours: OpenSSL's
s_client (every suite, keys changed both ways, resumption), curl, Python and
Node, with large bodies both ways, over the records that take OpenSSL's place
after the handshake. And what breaks TLS from outside."""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import Server, Tap  # noqa: E402

tap = Tap()
SUITES = ('TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256')
GET = 'GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n'
NODE = '''
const https = require('https')
const agent = new https.Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })
const body = JSON.stringify({ username: 'x', password: 'y'.repeat(900000) })
const ask = (method, path, data) => new Promise((resolve, reject) => {
  const q = https.request({ host: '127.0.0.1', port: +process.argv[1], method, path, agent,
    headers: data ? { 'Content-Type': 'application/json', 'Content-Length': data.length } : {} },
  r => { let n = 0; r.on('data', d => { n += d.length }); r.on('end', () => resolve([r.statusCode, n])) })
  q.on('error', reject)
  q.end(data)
})
Promise.all([...Array(40).keys()].map(i => i % 4 ? ask('GET', '/metrics') :
  ask('POST', '/api/auth/login', body))).then(all => {
  agent.destroy()
  const bad = all.filter(([s, n], i) => n < 20 || (i % 4 ? s !== 200 : s < 400 || s > 499))
  console.log(bad.length ? JSON.stringify(bad[0]) : 'all answered')
})
'''


def s_client(s, lines, *flags):
    """Talks by s_client: the lines go in with pauses; all that it prints."""
    child = subprocess.Popen(['openssl', 's_client', '-connect', f'127.0.0.1:{s.tls_port}',
                              '-tls1_3', *flags], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(0.4)
    try:
        for line in lines:
            child.stdin.write(line.encode())
            child.stdin.flush()
            time.sleep(0.25)
    except BrokenPipeError:
        child.stdin = None	# it has ended already
    try:
        out = child.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        child.kill()
        out = child.communicate()[0]
    return out.decode('latin-1')


def openssl(s):
    for suite in SUITES:
        out = s_client(s, [GET, 'Q\n'], '-ciphersuites', suite)
        tap.check(f'Cipher is {suite}' in out and 'HTTP/1.1 200' in out, suite, out[-600:])
    # K: new keys of ours, and theirs asked for; k: ours alone.
    out = s_client(s, ['K\n', GET, 'k\n', GET, 'K\n', 'K\n', GET, 'Q\n'])
    tap.check(out.count('HTTP/1.1 200') == 3 and out.count('KEYUPDATE') >= 4,
              'keys change both ways', out[-800:])
    session = os.path.join(s.root, 'session')
    first = s_client(s, [GET, 'Q\n'], '-sess_out', session)
    again = s_client(s, [GET, 'Q\n'], '-sess_in', session)
    tap.check('\nNew, TLSv1.3' in first and '\nReused, TLSv1.3' in again and
              'HTTP/1.1 200' in again, 'a session is resumed', again[-600:])
    tap.check('Max Early Data: 0' in first, 'early data is off', first[-600:])
    out = s_client(s, [GET, 'Q\n'], '-alpn', 'h2,http/1.1')
    tap.check('ALPN protocol: http/1.1' in out, 'ALPN: http/1.1', out[:600])
    out = s_client(s, ['Q\n'], '-alpn', 'h2')
    tap.check('no application protocol' in out, 'ALPN: h2 alone is refused', out[-600:])


def old(s):
    for flag in ('-tls1_2', '-tls1_1'):
        out = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{s.tls_port}', flag],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=10,
                             check=False).stdout.decode('latin-1')
        tap.check('Cipher is (NONE)' in out or 'no peer certificate' in out, f'{flag} is refused')


def curl(s):
    big = os.path.join(s.root, 'big')
    with open(big, 'wb') as f:
        f.write(b'{"username":"x","password":"' + b'y' * 900000 + b'"}')
    url = f'https://127.0.0.1:{s.tls_port}'
    out = subprocess.run(['curl', '-sk', '--http1.1', '-w', '%{http_code} ', f'{url}/ready',
                          f'{url}/ready', '-o', os.devnull, '-o', os.devnull],
                         capture_output=True, text=True, timeout=20, check=False).stdout
    tap.check(out.split() == ['200', '200'], 'curl', out)
    out = subprocess.run(['curl', '-sk', '-w', '%{http_code}', '-o', os.devnull, '-H',
                          'Content-Type: application/json', '--data-binary', f'@{big}',
                          f'{url}/api/auth/login'], capture_output=True, text=True, timeout=20,
                         check=False).stdout
    tap.check(out in ('400', '401', '422'), 'curl sends 900 KB', out)


def python(s):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    with ctx.wrap_socket(socket.create_connection(('127.0.0.1', s.tls_port), 10)) as c:
        for i in range(200):	# each byte its own record now and then
            for piece in ([GET] if i % 20 else list(GET)):
                c.sendall(piece.encode())
            got = b''
            while b'"' not in got or not got.endswith(b'}'):
                got += c.recv(65536)
            if b' 200 ' not in got:
                break
        tap.check(i == 199, 'Python, also byte by byte', got[:200])
        # Pipelined: many requests in one piece, answers in order.
        c.sendall(GET.encode() * 100)
        got = b''
        while got.count(b'HTTP/1.1 200') < 100:
            more = c.recv(65536)
            if not more:
                break
            got += more
        tap.check(got.count(b'HTTP/1.1 200') == 100, 'Python, a hundred at once')
        raw = c.unwrap()
        tap.check(raw.recv(10) == b'', 'both ends say good-bye')


def node(s):
    if not shutil.which('node'):
        return
    out = subprocess.run(['node', '-e', NODE, str(s.tls_port)], capture_output=True, text=True,
                         timeout=60, check=False)
    tap.check(out.stdout.strip() == 'all answered', 'Node: 40 requests, large ones too',
              out.stdout + out.stderr[-500:])


def broken(s):
    """Bytes that are no records, after a good handshake: a fatal alert, and
    only that connection ends."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    for name, junk, alert in [
            ('an open record', b'\x16\x03\x03\x00\x01\x01', 'UNEXPECTED_MESSAGE'),
            ('change_cipher_spec', b'\x14\x03\x03\x00\x01\x01', 'UNEXPECTED_MESSAGE'),
            ('plain HTTP', GET.encode(), 'UNEXPECTED_MESSAGE'),
            ('a record that is too long', b'\x17\x03\x03\x50\x00', 'RECORD_OVERFLOW'),
            ('a record of noise', b'\x17\x03\x03\x00\x40' + os.urandom(64), 'BAD_RECORD_MAC')]:
        c = ctx.wrap_socket(socket.create_connection(('127.0.0.1', s.tls_port), 10))
        c.sendall(GET.encode())
        c.recv(65536)
        os.write(c.fileno(), junk)
        try:
            got = repr(c.recv(100))
        except ssl.SSLError as e:
            got = str(e)
        tap.check(alert in got.upper().replace(' ', '_'), f'{name}: {alert.lower()}', got)
        c.close()
    tap.check(s.rest('GET', '/ready').status == 200, 'the server goes on')


with Server(sys.argv[1]) as server:
    for scenario in (python, node, curl, broken):
        scenario(server)
    if shutil.which('openssl'):
        openssl(server)
        old(server)
sys.exit(tap.done())
