#!/usr/bin/env python3
"""65_differential.py: random clients of nightjar-conformance and of Node's
socket.io side by side.

    python3 65_differential.py PROGRAM [--seed N] [--runs N] [--threads N]

Each run is a script of steps that is drawn from a seed: two clients over
polling or WebSocket that connect to namespaces, emit, acknowledge, join and
leave rooms, send binary, upgrade, and send what is malformed. Both servers get
the same script, and have to be seen to do the same: the packets that come,
who is closed, and the statuses of requests. What comes is read up to the
answer to a question, so that nothing depends on time. A run that differs is
printed with its seed.
"""
import asyncio
import json
import os
import random
import re
import sys
import time
from base64 import b64decode, b64encode

from eio_raw import Http
from peer import Peer, Tap, free_port
from ws_raw import BINARY, TEXT, Client as Socket, frame

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, 'reference', 'reference.mjs')
FLAGS = ('--ping-interval', '60000', '--ping-timeout', '60000',
         '--connect-timeout', '60000', '--max-payload', '100000')
RUNS, LIMIT_S, TOGETHER = 400, 25, 8
CLOSED = 'CLOSED'
SEP = '\x1e'

# Where our server does otherwise than Node's, and why; no script has these.
DIFFER = '''
what                            Node                  ours               why
----------------------------    ------------------    ---------------    ----------------------------------
"1" over a WebSocket            read over             closed             the protocol: "close" ends the session
"b..." as text of a WebSocket   a binary message      closed             the protocol: unknown type of packet
an event behind its CONNECT     closed                heard              Node joins later than it says so
an event behind "41"            read over             closed             not joined: the same, but for Node's tick
attachments past 10             closed                taken              socket.io-parser 4.2.5 and before has no limit
a blank for a number            0                     closed             the protocol: digits
placeholder 0.5, 1e0            null, an index        closed             no index
acknowledgement above 2^53      rounded               closed             an id that nobody can have asked for
bodies that are no UTF-8        U+FFFD                closed             no text at all
/engine.io/x, /socket.io//      served                404                another path
PUT, HEAD... with a sid         500                   400                not an error of the server's
two GETs in one write           closed                one by one         RFC 9112 9.3.2: pipelining
"/socket.io/?...#x"             served                400                RFC 9112 3.2: no fragment
j=0 (JSONP)                     a script              the payload        gone with revision 4
HTTP answers to WebSockets      text/html             JSON               the same for both transports
'''

# ---- scripts ----

TEXTS = ['', 'a', 'hello', 'é', '\U0001f600', '"\\', 'x' * 300, '\u2028', '</script>']
BAD = ['42', '42[]', '42{}', '42[null]', '42[{}]', '42["message",', '42["message",]', "42['a']",
       '42["connect"]', '42["disconnect"]', '42["newListener",1]', '42["connect_error"]',
       '42["disconnecting"]', '42["removeListener"]', '40[]', '40"a"', '40{', '41{"a":1}', '41[]',
       '44{"message":"x"}', '44"x"', '43', '431', '431{}', '431"x"', '431[', '47', '48', '4x', '4',
       '45["message"]', '450-["message"]', '45-1-["message"]', '451-{"a":1}', '461-5{}', '451',
       '42/nope,["message",1]', '42/dyn-x,["message"]', '41/nope,', '43/nope,1[]', '40/custom,',
       '42["message",NaN]', '42["message"]x', '42-1["message"]', '42["message",01]',
       '42["message","\t"]', '42["message",tru]', '451-["message",{"_placeholder":true,"num":1}]',
       '451-["message",{"_placeholder":true}]', '451-["message",{"_placeholder":true,"num":"0"}]',
       '451-["message",{"_placeholder":true,"num":-1}]']
BAD_ENGINE = ['', 'x', '7', '9', '2', '2probe', ' ', 'A']
IDLE_ENGINE = ['3', '3x', '6', '0', '0{}', '5']
SPACES = ['/', '/auth', '/dyn-', '/custom']


def value(r, depth=0):
    kind = r.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return r.choice(TEXTS)
    if kind == 2:
        return r.choice([0, 1, -1, 255, 65536, 2**53 - 1, -2**40])
    if kind == 3:
        return r.choice([0.5, -1.25, 1e-7, 123456.789])
    if kind < 6:
        return r.choice([None, True, False])
    if kind < 8:
        return [value(r, depth + 1) for _ in range(r.randrange(4))]
    return {f'k{i}{r.choice(TEXTS[:4])}': value(r, depth + 1) for i in range(r.randrange(4))}


def dumps(v):
    return json.dumps(v, ensure_ascii=False, separators=(',', ':'))


def head(kind, nsp, ack=None):
    return f'4{kind}' + ('' if nsp == '/' else nsp + ',') + ('' if ack is None else str(ack))


def an_event(r, nsp):
    """Text packet and attachments."""
    ack = r.choice([None, 0, 7, 123456789])
    args = [value(r) for _ in range(r.randrange(4))]
    room = r.choice(['r', 'room 2', 'é'])
    n = r.randrange(20)
    choice = [['message', *args], ['message-with-ack', *args], ['info'], ['emit-n', n],
              ['emit-binary', n * 40], ['nothing', *args], ['ask-me', value(r), 50000]]
    if nsp.startswith('/dyn-'):         # of this script alone
        choice += [['join', room], ['join', room], ['leave', room], ['to-room', room, *args],
                   ['in-room', room, *args], ['broadcast', *args]]
    name, *more = r.choice(choice)
    if name not in ('message', 'message-with-ack', 'broadcast', 'to-room', 'in-room') or \
            r.random() < 0.7:
        return [head(2, nsp, ack) + dumps([name, *more])]
    parts = [r.randbytes(r.choice([0, 1, 5, 300])) for _ in range(r.randrange(1, 4))]
    for i in range(len(parts)):
        place = {'_placeholder': True, 'num': i}
        more.append(place if r.random() < 0.5 else {'deep': [place, i]})
    text = head(2, nsp, ack) + dumps([name, *more])
    return [f'45{len(parts)}-' + text[2:], *parts]


def a_packet(r, number):
    nsp = r.choice(SPACES)
    nsp += str(number) if nsp == '/dyn-' else ''
    kind = r.random()
    if kind < 0.72:
        return an_event(r, '/dyn-%d' % number if r.random() < 0.7 else nsp)
    if kind < 0.80:
        auth = r.choice([None, {}, {'token': 'secret'}, {'token': 'x'}, {'a': value(r)}])
        return [head(0, r.choice([nsp, nsp, '/nope', '/dyn-', '/Custom'])) +
                ('' if auth is None else dumps(auth))]
    if kind < 0.84:
        # Not what sync() goes by.
        return [head(1, '/' if nsp == '/custom' else nsp)]
    if kind < 0.88:
        return [head(3, nsp, r.randrange(99)) + dumps([value(r)])]
    if kind < 0.91:
        return [head(2, nsp) + r.choice(['["disconnect-me"]', '["disconnect-me",true]',
                                         '["drop-me"]'])]
    if kind < 0.95:
        return [r.choice(BAD)]
    if kind < 0.98:
        return [r.choice(IDLE_ENGINE)]
    return [r.choice([*BAD_ENGINE, b'\1\2'])]


def a_script(seed):
    """(kind, steps): a step is (client, 'send', packets) or (client, 'upgrade')."""
    r = random.Random(seed)
    number = 1000 + seed
    if r.random() < 0.15:
        return 'requests', [a_request(r) for _ in range(8)]
    bare = r.random() < 0.15
    steps = []
    for _ in range(r.randrange(4, 14)):
        who = r.randrange(2)
        if r.random() < 0.08:
            steps.append((who, 'upgrade', None))
        elif bare:
            steps.append((who, 'send', [r.choice(
                ['4' + r.choice(TEXTS), r.randbytes(r.randrange(40)), '4' + 'z' * 5000,
                 *(IDLE_ENGINE if r.random() < 0.3 else [])])
                for _ in range(r.randrange(1, 5))] if r.random() < 0.95 else
                [r.choice(BAD_ENGINE)]))
        else:
            steps.append((who, 'send', a_packet(r, number)))
    return ('bare' if bare else number), [r.choice(['polling', 'websocket']) for _ in '12'] + steps


def a_request(r):
    params = [r.choice(['EIO=4', 'EIO=4', 'EIO=4', 'EIO=3', 'EIO=', 'EIO=%34', 'E%49O=4']),
              r.choice(['transport=polling'] * 4 + ['transport=websocket', 'transport=x',
                                                    'transport=', 'transport=p%6flling'])]
    params += r.sample(['sid=', 'sid=nope', 't=abc', 'b64=1', 'x=%zz', 'y=%ff', 'z', '&', '=1',
                        'EIO=4', 'transport=polling', 'transport=websocket', 'a=' + 'x' * 3000,
                        'sid=__proto__', 'p=+%2B'], r.randrange(5))
    if r.random() < 0.2:
        params.pop(r.randrange(2))
    r.shuffle(params)
    path = r.choice(['/engine.io/', '/socket.io/'] * 4 + ['/engine.io', '/socket.io', '/ENGINE.IO/'])
    return r.choice(['GET'] * 5 + ['POST', 'PUT', 'DELETE', 'OPTIONS']), f'{path}?{"&".join(params)}'


# ---- clients ----

class Player:
    """One client; what it got is in `got` until it is taken."""

    def __init__(self, port, path, transport):
        self.port, self.path, self.transport = port, path, transport
        self.got, self.over, self.marks = [], False, 0
        self.ws = self.sid = None

    def target(self, transport):
        sid = f'&sid={self.sid}' if self.sid else ''
        return f'{self.path}?EIO=4&transport={transport}{sid}'

    async def call(self, method, body=None):
        h = await Http(self.port).open()
        try:
            await h.ask(method, self.target('polling'), body)
            return await h.answer()
        finally:
            h.shut()

    async def open_ws(self):
        ws = Socket(self.port)
        await ws.open()
        await ws.handshake(self.target('websocket'))
        return ws

    async def open(self):
        if self.transport == 'polling':
            first = (await self.call('GET')).text()
        else:
            self.ws = await self.open_ws()
            first = (await self.ws.message())[1].decode()
        self.sid = json.loads(first[1:])['sid']

    async def send(self, packets):
        if self.over:
            return
        if self.ws is not None:
            await self.ws.send_quietly(b''.join(
                frame(BINARY, p) if isinstance(p, bytes) else frame(TEXT, p.encode())
                for p in packets))
            return
        answer = await self.call('POST', SEP.join(
            'b' + b64encode(p).decode() if isinstance(p, bytes) else p for p in packets))
        if answer is None or answer.status != 200:
            self.end()

    def end(self):
        if not self.over:
            self.got.append(CLOSED)
        self.over = True

    async def read(self):
        """Some packets more."""
        if self.ws is not None:
            m = await self.ws.message()
            if m is None or m[0] == 'C':
                self.end()
                return []
            return [m[1].decode() if m[0] == 'T' else m[1]]
        answer = await self.call('GET')
        if answer is None or answer.status != 200:
            self.end()
            return []
        packets = [b64decode(p[1:]) if p[:1] == 'b' else p for p in answer.text().split(SEP)]
        if '1' in packets:
            self.end()
        return [p for p in packets if p not in ('1', '6')]

    async def sync(self):
        """All that comes, when the server had time to turn round twice."""
        await self.turn()
        await self.turn()

    async def turn(self):
        """All that comes before the answer to a question of ours."""
        self.marks += 1
        bare = self.path == '/engine.io/'
        mark = f'4mark{self.marks}' if bare else f'43/custom,{99000 + self.marks}["mark"]'
        await self.send([mark if bare else
                         f'42/custom,{99000 + self.marks}["message-with-ack","mark"]'])
        while not self.over:
            packets = await self.read()
            self.got += [p for p in packets if p != mark]
            await self.answer(packets)
            if mark in packets:
                return

    async def join(self, nsp):
        """Node hears nothing for a namespace before it has said `auth`."""
        await self.send([head(0, nsp)])
        last = head(2, nsp) + '["auth",{}]'
        while last not in self.got and not self.over:
            self.got += await self.read()

    async def answer(self, packets):
        for p in packets:
            m = re.match(r'4(?:2|5\d+-)(/[^,]*,)?(\d+)\["question"', p if isinstance(p, str) else '')
            if m:
                await self.send([f'43{m[1] or ""}{m[2]}["yes",{{"n":1}}]'])

    async def upgrade(self):
        if self.ws is not None or self.over:
            return
        ws = await self.open_ws()
        await ws.send(frame(TEXT, b'2probe'))
        if await ws.message() != ('T', b'3probe'):
            self.got.append('no probe')
        await ws.send(frame(TEXT, b'5'))
        self.ws = ws

    def take(self):
        got, self.got = [plain(p) for p in self.got], []
        return got

    def shut(self):
        if self.ws is not None:
            self.ws.writer.transport.abort()


def plain(p):
    """A packet without what is drawn by lot."""
    m = re.fullmatch(r'(4\d(?:\d+-)?(?:/[^,]*,)?)(\d*)([\[{].*)', p, re.S) \
        if isinstance(p, str) else None
    if m is None:
        return p
    data = json.loads(m[3])
    ack = '#' if isinstance(data, list) and data[:1] == ['question'] else m[2]
    if isinstance(data, dict) and 'sid' in data:
        data['sid'] = '*'
    if isinstance(data, list) and data and isinstance(data[0], dict) and 'rooms' in data[0]:
        info = data[0]
        info['rooms'] = ['*' if room == info['id'] else room for room in info['rooms']]
        info['id'] = '*'
        info['query'].pop('sid', None)
    return m[1], ack, dumps(data)


async def play(port, script):
    """What is seen of a script, step by step."""
    kind, steps = script
    if kind == 'requests':
        return [await request(port, *step) for step in steps]
    path = '/engine.io/' if kind == 'bare' else '/socket.io/'
    players = [Player(port, path, t) for t in steps[:2]]
    seen = []
    try:
        for p in players:
            await p.open()
            if kind != 'bare':
                for nsp in ('/custom', '/', f'/dyn-{kind}'):
                    await p.join(nsp)
            await p.sync()
            seen.append(p.take())
        for who, what, packets in steps[2:]:
            if what == 'upgrade':
                await players[who].upgrade()
            else:
                await players[who].send(packets)
            for p in (players[who], players[1 - who]):
                await p.sync()
            seen.append([p.take() for p in players])
    finally:
        for p in players:
            p.shut()
    return seen


async def request(port, method, target):
    h = await Http(port).open()
    try:
        await h.ask(method, target, 'x' if method in ('POST', 'PUT') else None)
        a = await h.answer()
    finally:
        h.shut()
    if a is None:
        return CLOSED
    return (a.status, a.field('Access-Control-Allow-Origin'),
            re.sub(r'"sid":"[^"]*"', '"sid":"*"', a.text()))


async def both(ports, seed):
    script = a_script(seed)
    seen = await asyncio.gather(*(asyncio.wait_for(play(p, script), 20) for p in ports))
    if seen[0] == seen[1]:
        return None
    at = next(i for i in range(len(seen[0])) if i >= len(seen[1]) or seen[0][i] != seen[1][i])
    return (f'seed {seed}: {script[0]}, {script[1][:2]}, step {at}: {script[1][at]!r:.600}\n'
            f'ours {seen[0][at]!r:.900}\nNode {seen[1][at]!r:.900}')


async def suite(tap, ports, first, runs):
    end = time.monotonic() + LIMIT_S
    todo = list(range(first, first + runs))[::-1]
    wrong, done = [], 0

    async def worker():
        nonlocal done
        while todo and time.monotonic() < end:
            seed = todo.pop()
            try:
                text = await both(ports, seed)
            except Exception as e:          # whatever it was, its seed is told
                text = f'seed {seed}: {type(e).__name__} {e}'
            done += 1
            if text:
                wrong.append(text)
    await asyncio.gather(*(worker() for _ in range(TOGETHER)))
    with tap.case(f'{done} random scripts from seed {first}: no difference'):
        for text in wrong[:-5]:
            print('\n'.join('# ' + line for line in text.split('\n')))
        if wrong:
            raise AssertionError(f'{len(wrong)} differ\n' + '\n'.join(wrong[-5:]))
        assert done >= min(runs, 20), done


def number_of(flag, default):
    return int(sys.argv[sys.argv.index(flag) + 1]) if flag in sys.argv else default


def main():
    tap = Tap()
    first, runs = number_of('--seed', 1), number_of('--runs', RUNS)
    threads = number_of('--threads', 1)
    with Peer(sys.argv[1], (*FLAGS, '--threads', str(threads)), free_port()) as ours, \
            Peer(REFERENCE, FLAGS, free_port()) as node:
        asyncio.run(suite(tap, (ours.port, node.port), first, runs))
        with tap.case('both live'):
            assert ours.child.poll() is None and node.child.poll() is None
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
