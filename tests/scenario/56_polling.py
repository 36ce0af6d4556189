"""56_polling.py NIGHTJARD: the messenger over long polling, plain and TLS, on
four reactors: sessions are found wherever a request lands, and an upgrade
goes to its session with its TLS."""
import json
import os
import re
import socket
import ssl
import sys
import threading

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.join(os.path.dirname(__file__), '..', 'conformance')]
from server import Server, Tap  # noqa: E402
from ws_raw import masked  # noqa: E402

tap = Tap()
FRIEND = 'https://friend.example'
SEP = '\x1e'
POLL = '/socket.io/?EIO=4&transport=polling'


def dial(port, tls):
    s = socket.create_connection(('127.0.0.1', port), 10)
    if not tls:
        return s
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(s)


def ask(s, method, target, body=b'', **fields):
    """(status, head, body) on a connection that stays."""
    fields = {'Host': 'x', 'Content-Length': str(len(body)), **fields}
    text = f'{method} {target} HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in fields.items())
    s.sendall(text.encode() + b'\r\n' + body)
    got = b''
    while b'\r\n\r\n' not in got:
        got += s.recv(65536) or exit_short(got)
    head, _, rest = got.partition(b'\r\n\r\n')
    head = head.decode()
    n = next((int(x[15:]) for x in head.split('\r\n') if x.lower().startswith('content-length:')), 0)
    while len(rest) < n:
        rest += s.recv(65536) or exit_short(rest)
    return int(head.split()[1]), head, rest


def exit_short(got):
    raise RuntimeError(f'the connection ended: {got[:200]}')


class Session:
    def __init__(self, port, tls, token):
        self.port, self.tls, self.waiting = port, tls, []
        self.http = dial(port, tls)
        body = ask(self.http, 'GET', POLL)[2].decode()
        self.sid = json.loads(body[1:])['sid']
        self.post('40' + json.dumps({'token': token}))
        self.until('40{"sid"')

    def post(self, text):
        """Over a connection of its own: it lands on any reactor."""
        with dial(self.port, self.tls) as s:
            got = ask(s, 'POST', f'{POLL}&sid={self.sid}', text.encode())
        if got[0] != 200:
            raise RuntimeError(f'{got}')

    def until(self, start):
        while True:
            for i, p in enumerate(self.waiting):
                if p.startswith(start):
                    return self.waiting.pop(i)
            with dial(self.port, self.tls) as s:
                status, _, body = ask(s, 'GET', f'{POLL}&sid={self.sid}')
            if status != 200:
                raise RuntimeError(f'{status} {body}')
            self.waiting += body.decode().split(SEP)
            if '2' in self.waiting:
                self.waiting.remove('2')
                self.post('3')

    def call(self, n, event, data):
        self.post(f'42{n}' + json.dumps([event, data]))
        return json.loads(self.until(f'43{n}[')[3:])[0] if n < 10 else None

    def upgrade(self):
        """Probe, upgrade and first event in one piece; frames until the answer."""
        s = dial(self.port, self.tls)
        frames = b''
        for t in ('2probe', '5', '427["presence:set",{"status":"online"}]'):
            data = t.encode()
            frames += bytes([0x81, 0x80 | len(data)]) + b'\1\2\3\4' + masked(data, b'\1\2\3\4')
        s.sendall((f'GET /socket.io/?EIO=4&transport=websocket&sid={self.sid} HTTP/1.1\r\nHost: x\r\n'
                   'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                   'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n').encode() + frames)
        got = b''
        while b'437[' not in got:
            got += s.recv(65536) or exit_short(got)
        s.close()
        return b'101 ' in got and b'3probe' in got and b'"success":true' in got


def metric(s, name):
    text = s.rest('GET', '/metrics').raw.decode()
    return int(re.search(rf'^nightjar_edge_{name}_total (\d+)$', text, re.M)[1])


def messenger(s, port, tls, alice, bob):
    kind = 'TLS' if tls else 'plain'
    a, b = Session(port, tls, alice[1]), Session(port, tls, bob[1])
    chat = s.chat(alice[1], bob[0])
    if not tls:         # the second time it is there already
        created = b.until('42["chat:created"')
        tap.check(chat in created, 'chat:created comes by a poll', created)
    for i in range(1, 6):
        answer = a.call(i, 'message:send', {'chatId': chat, 'encryptedContent': f'aGk{i}', 'iv': ''})
        got = json.loads(b.until('42["message:new"')[2:])[1]
        tap.check(answer['messageId'] == got['messageId'] and got['encryptedContent'] == f'aGk{i}',
                  f'{kind}: message {i} from poll to poll', (answer, got))
    tap.check(a.upgrade() and b.upgrade(), f'{kind}: both upgrade')


def upgrades(s, port, tls, token):
    before = metric(s, 'moves')
    good = []

    def one():
        good.append(Session(port, tls, token).upgrade())
    threads = [threading.Thread(target=one) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.check(len(good) == 12 and all(good), f'TLS {tls}: 12 sessions upgrade', good)
    tap.check(metric(s, 'moves') > before, f'TLS {tls}: some went to another reactor')


def cors(port):
    with dial(port, False) as s:
        status, head, _ = ask(s, 'GET', POLL, Origin=FRIEND)
        tap.check(status == 200 and f'Access-Control-Allow-Origin: {FRIEND}\r\n' in head,
                  'a listed origin may read', head)
        status, head, _ = ask(s, 'OPTIONS', POLL, Origin=FRIEND, Access_Control_Request_Method='POST')
        tap.check(status == 204 and 'Access-Control-Allow-Methods: GET, POST' in head,
                  'and its preflight is answered', head)
        status, head, _ = ask(s, 'GET', POLL, Origin='https://evil.example')
        tap.check(status == 403 and 'Access-Control-Allow-Origin' not in head,
                  'a foreign origin may not begin', head)
        status, head, _ = ask(s, 'OPTIONS', POLL, Origin='https://evil.example')
        tap.check('Access-Control-Allow' not in head, 'nor is it let by a preflight', head)


with Server(sys.argv[1], flags=['--set', 'threads.reactors=4', '--set', f'edge.origins={FRIEND}']) as server:
    people = [server.register('alice'), server.register('bob')]
    for port_, tls_ in ((server.port, False), (server.tls_port, True)):
        messenger(server, port_, tls_, *people)
        upgrades(server, port_, tls_, people[0][1])
    cors(server.port)
    tap.check(metric(server, 'forwards') > 0, 'requests went to other reactors')
    tap.check(server.kill(15) == 0, 'SIGTERM ends it with status 0', server.log()[-500:])
sys.exit(tap.done())
