"""57_outsiders.py NIGHTJARD: what a stranger on the network or a page on
another site must not be able to do: speak to a session whose id it knows,
stay without authenticating, send much before it has, read the metrics; and
what a file of accounts from elsewhere must not: move the terminal."""
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import Server, Tap  # noqa: E402
from sio import Closed, Ws  # noqa: E402

tap = Tap()
FRIEND, EVIL = 'https://friend.example', 'https://evil.example'
POLL = '/socket.io/?EIO=4&transport=polling'
SWITCH = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}


def ask(port, method, target, body=b'', fields=()):
    """(status, body) of a request on a connection of its own."""
    text = f'{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n'
    text += ''.join(f'{k}: {v}\r\n' for k, v in fields)
    if method == 'POST':
        text += f'Content-Length: {len(body)}\r\n'
    with socket.create_connection(('127.0.0.1', port), 10) as s:
        s.sendall(text.encode() + b'\r\n' + body)
        got = b''
        while b'\r\n\r\n' not in got:
            more = s.recv(65536)
            if not more:
                raise RuntimeError(f'ended: {got[:80]}')
            got += more
        head, _, rest = got.partition(b'\r\n\r\n')
        found = re.search(rb'Content-Length: (\d+)', head)
        while found and len(rest) < int(found[1]):
            rest += s.recv(65536)
    return int(head.split()[1]), rest


def begin(port):
    return json.loads(ask(port, 'GET', POLL)[1][1:])['sid']


def pages(s):
    own = f'http://127.0.0.1:{s.port}'
    for name, fields in (('a foreign page', [('Origin', EVIL)]), ('no page', [('Origin', 'null')]),
                         ('ours, but over TLS', [('Origin', own.replace('http', 'https'))]),
                         ('two pages', [('Origin', own), ('Origin', EVIL)]),
                         ('two pages that may', [('Origin', own), ('Origin', own)])):
        tap.check(ask(s.port, 'GET', POLL, fields=fields)[0] == 403, f'{name}: begins no session')
        # The ids name their reactors, and each request lands on any of them.
        for i in range(4):
            sid = begin(s.port)
            got = [ask(s.port, 'GET', f'{POLL}&sid={sid}', fields=fields)[0],
                   ask(s.port, 'POST', f'{POLL}&sid={sid}', b'40', fields + [('Content-Type', 'text/plain')])[0],
                   ask(s.port, 'GET', f'/socket.io/?EIO=4&transport=websocket&sid={sid}',
                       fields=fields + list(SWITCH.items()))[0]]
            tap.check(got == [403, 403, 403], f'{name}: reaches no session by its id, {i}', got)
            tap.check(ask(s.port, 'POST', f'{POLL}&sid={sid}', b'40') == (200, b'ok') and
                      ask(s.port, 'GET', f'{POLL}&sid={sid}')[1].startswith(b'40{"sid"'),
                      f'{name}: and disturbs none, {i}')
    for name, origin in (('our own', own), ('a listed one', FRIEND)):
        fields = [('Origin', origin)]
        sid = json.loads(ask(s.port, 'GET', POLL, fields=fields)[1][1:])['sid']
        got = [ask(s.port, 'POST', f'{POLL}&sid={sid}', b'40', fields)[0],
               ask(s.port, 'GET', f'{POLL}&sid={sid}', fields=fields)[0],
               ask(s.port, 'GET', f'/socket.io/?EIO=4&transport=websocket&sid={sid}',
                   fields=fields + list(SWITCH.items()))[0]]
        tap.check(got == [200, 200, 101], f'{name}: polls and upgrades', got)


def upgrades_by_tls(s):
    """A page of ours, whichever reactor its requests land on."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    head = f'Host: localhost:{s.tls_port}\r\nOrigin: https://localhost:{s.tls_port}\r\n'

    def one(target, more=''):
        with socket.create_connection(('127.0.0.1', s.tls_port), 10) as raw:
            with context.wrap_socket(raw) as t:
                t.sendall(f'GET {target} HTTP/1.1\r\n{head}{more}\r\n'.encode())
                got = b''
                while b'}' not in got and b'101 ' not in got:
                    got += t.recv(65536) or b'}'
        return got
    more = ''.join(f'{k}: {v}\r\n' for k, v in SWITCH.items())
    got = []
    for _ in range(12):
        sid = re.search(rb'"sid":"([^"]+)"', one(POLL))[1].decode()
        got.append(one(f'/socket.io/?EIO=4&transport=websocket&sid={sid}', more)[:12])
    tap.check(set(got) == {b'HTTP/1.1 101'}, 'a page of ours upgrades over TLS on any reactor', got)


def ends(what, seconds=10):
    """The close code, or what else it was."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            what()
    except Closed as e:
        return e.code
    except OSError as e:
        return repr(e)
    return 'it goes on'


def guest(port):
    w = Ws(port)
    w.recv()
    w.text('40')
    w.recv()
    return w


def unauthenticated(s):
    w = guest(s.port)

    def rejoin():
        time.sleep(0.3)
        w.text('41')
        w.text('40')
        w.recv()
    began = time.monotonic()
    got = ends(rejoin)
    tap.check(got == 1000 and time.monotonic() - began < 3, 'who leaves to join again has to connect again', got)
    w = guest(s.port)

    def early():
        w.text('421["message:send",{}]')
        w.recv()
    tap.check(ends(early) in (1000, None), 'events that come too early end it')
    w = guest(s.port)
    w.text('421["message:send","' + 'x' * 20000 + '"]')
    got = ends(w.recv)
    tap.check(got == 1009, 'a long message before authenticate ends it', got)
    sid = begin(s.port)
    ask(s.port, 'POST', f'{POLL}&sid={sid}', b'40')
    got = ask(s.port, 'POST', f'{POLL}&sid={sid}', b'421["message:send","' + b'x' * 20000 + b'"]')[0]
    tap.check(got == 413, 'and over polling is refused', got)
    token = s.register('alice')[1]
    w = guest(s.port)
    w.text('420' + json.dumps(['authenticate', {'token': token}]))
    got = w.recv()
    tap.check(got.startswith('430[{"success":true'), 'authenticate', got)
    w.text('421' + json.dumps(['message:send', {'chatId': 'x' * 20000}]))
    while not got.startswith('431['):
        got = w.recv()
    tap.check('validation_failed' in got, 'from then on messages may be long', got)


def files(binary):
    with tempfile.TemporaryDirectory() as folder:
        data, file = os.path.join(folder, 'data'), os.path.join(folder, 'file')
        subprocess.run([binary, 'init', '--data', data], check=True, stdout=subprocess.DEVNULL)
        for text in (b'username,email,password_hash,\x1b]0;pwned\x07\x9b2J\nabc,d@e.fg,x,y\n',
                     b'{"username":"abc","email":"a@b.cd","password_hash":"x","\\u001b[2J\\u009b":1}\n'):
            with open(file, 'wb') as f:
                f.write(text)
            got = subprocess.run([binary, 'user', 'import', file, '--data', data], capture_output=True, timeout=60)
            tap.check(got.returncode == 1 and b'\\x1b' in got.stderr and
                      not [c for c in got.stderr if c != 10 and not 32 <= c < 127],
                      'names in a bad file are shown without what moves a terminal', got.stderr)


def metrics(binary):
    with Server(binary, flags=['--set', 'edge.trusted=127.0.0.1']) as s:
        for at, status in (('203.0.113.7', 403), ('127.0.0.1, 203.0.113.7', 403), ('2001:db8::1', 403),
                           ('::ffff:203.0.113.7', 403), ('127.0.0.1', 200), ('::1', 200), ('::ffff:127.0.0.2', 200)):
            got = s.rest('GET', '/metrics', headers={'X-Forwarded-For': at})
            tap.check(got.status == status and (b'nightjar_' in got.raw) == (status == 200),
                      f'/metrics for {at}: {status}', got)


with Server(sys.argv[1], flags=['--set', 'threads.reactors=3', '--set', f'edge.origins={FRIEND}',
                                '--set', 'edge.authenticate=5s']) as server:
    pages(server)
    upgrades_by_tls(server)
    unauthenticated(server)
    tap.check(server.kill(15) == 0, 'the server ends in good order', server.log()[-500:])
metrics(sys.argv[1])
files(sys.argv[1])
sys.exit(tap.done())
