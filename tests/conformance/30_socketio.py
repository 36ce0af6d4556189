#!/usr/bin/env python3
"""30_socketio.py: Socket.IO cases, each over WebSocket and over polling, with
raw packets. Source: Socket.IO protocol, revision 5; where it is silent, what
socket.io 4.8 does.

    30_socketio.py PROGRAM                  servers of its own on free ports
    30_socketio.py --url URL [--recovery-url URL]   servers that run
    ... --word WORD                         only cases with that in their name
"""
import argparse
import asyncio
import json
import re
import sys
import time

import sio_rows as rows
from peer import Peer, Tap
from sio_raw import CLOSED, Client, Wrong

MAIN = ('--ping-interval', '2000', '--ping-timeout', '8000', '--max-payload',
        '1000000', '--connect-timeout', '3000')
RECOVERY = ('--ping-interval', '2000', '--ping-timeout', '8000',
            '--connect-timeout', '30000', '--recovery-ms', '60000')
AT_ONCE = 40
CASE_S = 120
WS, POLL = 'websocket', 'polling'
OFFSET = r'"[^"]{1,64}"'

cases = []      # (name, function of url, recovery?)


def case(section, what, recovery=False, transports=(WS, POLL)):
    def add(fn):
        for t in transports:
            cases.append((f'{section}: {what} ({t})',
                          lambda url, t=t: fn(url, t), recovery))
        return fn
    return add


# ---- rows

class Talk:
    """One connection and what a row's steps need to remember."""

    def __init__(self, client):
        self.c = client
        self.ids = []

    async def alive(self):
        await self.c.send('2["message","alive"]')
        await self.c.expect('2["message-back","alive"]')

    async def question(self, name, data, answer):
        have = await self.c.expect(re.compile(
            r'2([0-9]+)\["%s",%s\]' % (name, re.escape(data))))
        self.ids.append(re.match('2([0-9]+)', have).group(1))
        await self.answer(answer)

    async def answer(self, answer):
        if isinstance(answer, tuple):
            await self.c.send(f'6{len(answer) - 1}-{self.ids[-1]}{answer[0]}',
                              *answer[1:])
        elif answer is not None:
            await self.c.send(f'3{self.ids[-1]}{answer}')

    async def two(self, name):
        """Two questions; the later one is answered first."""
        await self.question(name, '1', None)
        await self.question(name, '2', '["second"]')
        if self.ids[0] == self.ids[1]:
            raise Wrong('one id for two questions')
        self.ids.pop()
        await asyncio.sleep(0.1)
        await self.answer('["first"]')

    async def question_binary(self, part, answer):
        have = await self.c.expect(re.compile(
            r'51-([0-9]+)\["question",\{"_placeholder":true,"num":0\}\]'))
        await self.c.expect(part)
        self.ids.append(re.match('51-([0-9]+)', have).group(1))
        await self.answer(answer)

    async def info(self, nsp):
        [i] = await self.c.ask('info', nsp=nsp)
        want = {'recovered': False, 'nsp': nsp or '/',
                'transport': self.c.transport, 'rooms': [i['id']],
                'auth': {'a': 1} if nsp else {}}
        have = {k: i[k] for k in want}
        if have != want:
            raise Wrong(f'{have} is not {want}')
        if i['query']['EIO'] != '4' or i['query']['transport'] != self.c.transport:
            raise Wrong(f'query {i["query"]}')
        if not 16 <= len(i['id']) <= 64 or i['id'] == self.c.sid:
            raise Wrong(f'id {i["id"]}')

    async def volatile(self, n):
        await self.c.send('2["volatile-n",%d]' % n)
        last = -1
        while (have := await self.c.next()) != '2["v-done"]':
            m = re.fullmatch(r'2\["v",([0-9]+)\]', have)
            if not m or not last < int(m.group(1)) < n:
                raise Wrong(f'{have} after {last}')
            last = int(m.group(1))

    async def step(self, s):
        c = self.c
        if s == rows.ALIVE:
            await self.alive()
        elif s == rows.JOIN:
            await c.join()
        elif s == rows.QUIET:
            await c.silence()
        elif s == CLOSED:
            await c.expect(CLOSED)
        elif isinstance(s, (str, bytes)):
            await c.send(s)
        elif isinstance(s, list):
            await c.send(*s)
        elif s[0] == '<':
            await c.expect(*s[1:])
        elif s[0] == 'sleep':
            await asyncio.sleep(s[1])
        else:
            await {'ask': self.question, 'late': self.answer, 'two': self.two,
                   'ask-binary': self.question_binary, 'info': self.info,
                   'volatile': self.volatile}[s[0]](*s[1:])


async def run_steps(url, transport, steps, raw):
    c = await Client(url, transport).open()
    try:
        if not raw:
            await c.join()
        talk = Talk(c)
        for s in steps:
            await talk.step(s)
    finally:
        c.cut()


async def run_closing(url, transport, steps, raw):
    """The last step ends this connection, and not one beside it."""
    other = await Client(url, transport).open()
    try:
        await other.join()
        await run_steps(url, transport, [*steps, CLOSED], raw)
        await Talk(other).alive()
    finally:
        other.cut()


def add_rows():
    for table, run, raw in ((rows.CONNECTING, run_steps, True),
                            (rows.MESSAGES, run_steps, False),
                            (rows.BINARY, run_steps, False),
                            (rows.CLOSING, run_closing, False),
                            (rows.CLOSING_RAW, run_closing, True)):
        for section, what, steps in table:
            case(section, what)(lambda url, t, s=steps, run=run, raw=raw:
                                run(url, t, s, raw))


# ---- several clients

class Group:
    """Clients, all joined to a namespace; over both transports."""

    def __init__(self, url, n, nsp='', transports=(WS, POLL)):
        self.clients = [Client(url, transports[i % len(transports)])
                        for i in range(n)]
        self.nsp = nsp
        self.head = nsp + ',' if nsp else ''

    async def __aenter__(self):
        for c in self.clients:
            await c.open()
            await c.join(self.nsp)
        return self

    async def __aexit__(self, *_):
        for c in self.clients:
            c.cut()

    async def room(self, i, room, event='join'):
        done = await self.clients[i].ask(event, room, nsp=self.nsp)
        if done != ['joined' if event == 'join' else 'left']:
            raise Wrong(f'{done}')

    async def send(self, i, text, *more):
        await self.clients[i].send(f'2{self.head}{text}', *more)

    async def all_get(self, who, text):
        for i in who:
            await self.clients[i].expect(f'2{self.head}{text}')

    async def none_get(self, who):
        await asyncio.sleep(0.25)
        for i in who:
            await self.clients[i].silence(0)


serial = iter(range(1, 10**9))


def fresh():
    """A namespace of this case alone."""
    return f'/dyn-{time.time_ns()}{next(serial)}'


def mixed(t):
    """The case's transport first, then the other one."""
    return (t, POLL if t == WS else WS)


@case('Rooms', 'to a room: its members but the sender')
async def _(url, t):
    async with Group(url, 4, fresh(), mixed(t)) as g:
        for i in (0, 1, 2):
            await g.room(i, 'r')
        await g.send(0, '["to-room","r",1,{"a":"b"}]')
        await g.all_get((1, 2), '["room-message",1,{"a":"b"}]')
        await g.none_get((0, 3))


@case('Rooms', 'in a room: the sender, too')
async def _(url, t):
    async with Group(url, 3, fresh(), mixed(t)) as g:
        for i in (0, 1):
            await g.room(i, 'r')
        await g.send(0, '["in-room","r","x"]')
        await g.all_get((0, 1), '["room-message","x"]')
        await g.none_get((2,))


@case('Rooms', 'from outside, to all its members')
async def _(url, t):
    async with Group(url, 3, fresh(), mixed(t)) as g:
        for i in (1, 2):
            await g.room(i, 'r')
        await g.send(0, '["in-room","r"]')
        await g.all_get((1, 2), '["room-message"]')
        await g.none_get((0,))


@case('Rooms', 'who has left gets nothing')
async def _(url, t):
    async with Group(url, 3, fresh(), mixed(t)) as g:
        for i in (1, 2):
            await g.room(i, 'r')
        await g.room(2, 'r', 'leave')
        await g.room(2, 'never joined', 'leave')
        await g.send(0, '["to-room","r",1]')
        await g.all_get((1,), '["room-message",1]')
        await g.none_get((0, 2))


@case('Rooms', 'joined twice: one copy; left once: out')
async def _(url, t):
    async with Group(url, 2, fresh(), mixed(t)) as g:
        await g.room(1, 'r')
        await g.room(1, 'r')
        await g.send(0, '["to-room","r",1]')
        await g.all_get((1,), '["room-message",1]')
        await g.none_get((1,))
        await g.room(1, 'r', 'leave')
        await g.send(0, '["to-room","r",2]')
        await g.none_get((1,))


@case('Rooms', 'of one name in two namespaces are two')
async def _(url, t):
    async with Group(url, 2, fresh(), mixed(t)) as g, \
            Group(url, 1, fresh(), mixed(t)) as h:
        await g.room(1, 'r')
        await h.room(0, 'r')
        await g.send(0, '["to-room","r",1]')
        await g.all_get((1,), '["room-message",1]')
        await h.none_get((0,))


@case('Rooms', 'one that nobody is in: sent to nobody, and acknowledged')
async def _(url, t):
    async with Group(url, 1, fresh(), mixed(t)) as g:
        if await g.clients[0].ask('to-room', 'empty', 1, nsp=g.nsp) != ['sent']:
            raise Wrong('not acknowledged')


@case('Rooms', "a socket's id is a room of its own")
async def _(url, t):
    async with Group(url, 3, fresh(), mixed(t)) as g:
        [info] = await g.clients[1].ask('info', nsp=g.nsp)
        await g.send(0, '["to-room","%s","psst"]' % info['id'])
        await g.all_get((1,), '["room-message","psst"]')
        await g.none_get((0, 2))


@case('Rooms', 'info names them, the own one first')
async def _(url, t):
    async with Group(url, 1, fresh(), mixed(t)) as g:
        for name in ('b', 'a', 'ž ☃'):
            await g.room(0, name)
        await g.room(0, 'a', 'leave')
        [info] = await g.clients[0].ask('info', nsp=g.nsp)
        if info['rooms'] != [info['id'], 'b', 'ž ☃']:
            raise Wrong(f'{info["rooms"]}')


@case('Rooms', 'end with DISCONNECT')
async def _(url, t):
    async with Group(url, 2, fresh(), mixed(t)) as g:
        c = g.clients[1]
        await g.room(1, 'r')
        await c.send(f'1{g.nsp},')
        await asyncio.sleep(0.1)
        await c.join(g.nsp)
        await g.send(0, '["to-room","r",1]')
        await g.none_get((1,))
        [info] = await c.ask('info', nsp=g.nsp)
        if info['rooms'] != [info['id']]:
            raise Wrong(f'{info["rooms"]}')


@case('Rooms', 'binary to a room over both transports')
async def _(url, t):
    async with Group(url, 4, fresh(), mixed(t)) as g:
        for i in (1, 2, 3):
            await g.room(i, 'r')
        await g.clients[0].send(
            f'51-{g.nsp},["to-room","r",{rows.P0}]', rows.BYTES)
        for i in (1, 2, 3):
            await g.clients[i].expect(
                f'51-{g.nsp},["room-message",{rows.P0}]', rows.BYTES)


@case('Broadcast', 'to all others of the namespace')
async def _(url, t):
    async with Group(url, 4, fresh(), mixed(t)) as g, \
            Group(url, 1, fresh(), mixed(t)) as h:
        await g.send(2, '["broadcast",{"n":1}]')
        await g.all_get((0, 1, 3), '["broadcast-back",{"n":1}]')
        await g.none_get((2,))
        await h.none_get((0,))


@case('Broadcast', 'binary, to all others')
async def _(url, t):
    async with Group(url, 3, fresh(), mixed(t)) as g:
        await g.clients[0].send(
            f'52-{g.nsp},["broadcast",{rows.P0},[{rows.P1}]]', b'', b'\0\xff')
        for i in (1, 2):
            await g.clients[i].expect(
                f'52-{g.nsp},["broadcast-back",{rows.P0},[{rows.P1}]]',
                b'', b'\0\xff')


@case('Broadcast', 'order of one sender is kept')
async def _(url, t):
    async with Group(url, 3, fresh(), mixed(t)) as g:
        await g.room(1, 'r')
        await g.clients[0].send(*[
            f'2{g.nsp},["{"broadcast" if i % 2 else "to-room"}",'
            f'{"" if i % 2 else chr(34) + "r" + chr(34) + ","}{i}]'
            for i in range(40)])
        for i in range(40):
            await g.clients[1].expect(
                f'2{g.nsp},["{"broadcast-back" if i % 2 else "room-message"}",{i}]')
        for i in range(1, 40, 2):
            await g.clients[2].expect(f'2{g.nsp},["broadcast-back",{i}]')


@case('Broadcast', 'who is gone gets nothing and hurts nobody')
async def _(url, t):
    async with Group(url, 4, fresh(), mixed(t)) as g:
        g.clients[1].cut()
        await g.clients[2].send('1' + g.nsp + ',')
        await asyncio.sleep(0.1)
        await g.send(0, '["broadcast",1]')
        await g.all_get((3,), '["broadcast-back",1]')
        await g.none_get((0, 2))


@case('Connection to a namespace', '100 on one connection')
async def _(url, t):
    c = await Client(url, t).open()
    try:
        names = [fresh() for _ in range(100)]
        ids = {(await c.join(n))['sid'] for n in names}
        if len(ids) != 100:
            raise Wrong('ids are not unique')
        for n in names[::9]:
            await c.send(f'2{n},["message","{n}"]')
            await c.expect(f'2{n},["message-back","{n}"]')
    finally:
        c.cut()


@case('Connection to a namespace', 'ids are of one connection alone')
async def _(url, t):
    async with Group(url, 6, '', mixed(t)) as g:
        infos = [(await c.ask('info'))[0]['id'] for c in g.clients]
        if len(set(infos)) != 6:
            raise Wrong('ids are not unique')


@case('S4 info', "the handshake's query, decoded")
async def _(url, t):
    c = await Client(url, t, '&room=a%20b%2Fc&x=%C5%BE&empty=').open()
    try:
        await c.join()
        [info] = await c.ask('info')
        have = {k: info['query'].get(k) for k in ('room', 'x', 'empty')}
        if have != {'room': 'a b/c', 'x': 'ž', 'empty': ''}:
            raise Wrong(f'{have}')
    finally:
        c.cut()


# ---- recovery

def event(text):
    """An event with one more argument: its offset."""
    return re.compile(r'(2(?:/[^,]*,)?)%s,(%s)\]' % (re.escape(text[:-1]), OFFSET))


class Back:
    """A client that goes away and comes back, and one that stays."""

    def __init__(self, url, t, nsp=None):
        self.url, self.t = url, t
        self.nsp = fresh() if nsp is None else nsp
        self.head = self.nsp + ',' if self.nsp else ''

    async def __aenter__(self):
        self.stays = await Client(self.url, WS).open()
        await self.stays.join(self.nsp)
        await self.come()
        return self

    async def __aexit__(self, *_):
        self.stays.cut()
        self.c.cut()

    async def come(self):
        self.c = await Client(self.url, self.t).open()
        answer = await self.c.join(self.nsp)
        self.sid, self.pid = answer['sid'], answer['pid']
        self.offset = answer['heard'][-1]

    async def say(self, *texts):
        """By who stays; it is waited for until the server has sent them."""
        for text in texts:
            await self.stays.send(f'2{self.head}{text}')
        await self.stays.ask('info', nsp=self.nsp)

    async def hear(self, text):
        have = await self.c.expect(event(text))
        self.offset = json.loads(event(text).fullmatch(have).group(2))

    async def away(self):
        self.c.cut()
        await asyncio.sleep(0.2 if self.t == WS else 0.3)

    async def again(self, auth=None):
        self.c = await Client(self.url, self.t).open()
        auth = auth or {'pid': self.pid, 'offset': self.offset}
        await self.c.send(f'0{self.head}{json.dumps(auth)}')

    async def recovered(self):
        """The CONNECT answer with the same ids."""
        have = await self.c.next()
        want = {'sid': self.sid, 'pid': self.pid}
        if not have.startswith('0' + self.head) or \
                json.loads(have[1 + len(self.head):]) != want:
            raise Wrong(f'{have} is not {want}')
        heard = await self.c.next()     # auth, as on every connection
        self.offset = json.loads(heard[1 + len(self.head):])[-1]

    async def anew(self):
        have = await self.c.next()
        if not have.startswith('0' + self.head):
            raise Wrong(f'{have} came')
        answer = json.loads(have[1 + len(self.head):])
        if answer['sid'] == self.sid or answer['pid'] == self.pid:
            raise Wrong('the former ids')
        await self.c.next()
        [info] = await self.c.ask('info', nsp=self.nsp)
        if info['recovered'] or info['rooms'] != [answer['sid']]:
            raise Wrong(f'{info}')


def recovery(what, **how):
    return case('S5 Recovery', what, recovery=True, **how)


@recovery('CONNECT is answered with sid and pid')
async def _(url, t):
    c = await Client(url, t).open()
    try:
        await c.send('0')
        await c.expect(re.compile(r'0\{"sid":"[\w-]{16,}","pid":"[\w-]{16,}"\}'))
        await c.expect(event('["auth",{}]'))
    finally:
        c.cut()


@recovery('events carry an offset, and no two the same')
async def _(url, t):
    async with Back(url, t) as b:
        seen = {b.offset}
        await b.c.send(f'2{b.head}["emit-n",20]')
        for i in range(20):
            await b.hear(f'["n",{i}]')
            seen.add(b.offset)
        if len(seen) != 21:
            raise Wrong('an offset twice')


@recovery('acknowledgements, questions and volatile events have none')
async def _(url, t):
    async with Back(url, t) as b:
        if await b.c.ask('message-with-ack', 1, nsp=b.nsp) != [1]:
            raise Wrong('ack')
        await b.c.send(f'2{b.head}1["ask-me",1,1000]')
        have = await b.c.expect(re.compile(r'2\S*?,[0-9]+\["question",1\]'))
        await b.c.send(f'3{b.head}{re.search(r",([0-9]+)", have).group(1)}[]')
        await b.c.next()
        await b.c.send(f'2{b.head}["volatile-n",1]')
        await b.c.expect(f'2{b.head}["v",0]')
        await b.hear('["v-done"]')


@recovery('what was missed comes before the CONNECT answer, in order')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.say('["broadcast",1]', '["broadcast",{"a":2}]', '["broadcast",3]')
        await b.again()
        for text in ('["broadcast-back",1]', '["broadcast-back",{"a":2}]',
                     '["broadcast-back",3]'):
            await b.hear(text)
        await b.recovered()
        [info] = await b.c.ask('info', nsp=b.nsp)
        if not info['recovered'] or info['id'] != b.sid:
            raise Wrong(f'{info}')


@recovery('nothing was missed: nothing comes twice')
async def _(url, t):
    async with Back(url, t) as b:
        await b.say('["broadcast",1]')
        await b.hear('["broadcast-back",1]')
        await b.away()
        await b.again()
        await b.recovered()
        await b.c.silence()


@recovery('from an older offset on')
async def _(url, t):
    async with Back(url, t) as b:
        old = b.offset
        await b.say('["broadcast",1]', '["broadcast",2]')
        await b.hear('["broadcast-back",1]')
        await b.hear('["broadcast-back",2]')
        await b.away()
        await b.again({'pid': b.pid, 'offset': old})
        await b.hear('["broadcast-back",1]')
        await b.hear('["broadcast-back",2]')
        await b.recovered()


@recovery('rooms are those of before, and what went to them comes')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.ask('join', 'r', nsp=b.nsp)
        await b.away()
        await b.say('["to-room","r","missed"]', '["to-room","other","no"]')
        await b.again()
        await b.hear('["room-message","missed"]')
        await b.recovered()
        [info] = await b.c.ask('info', nsp=b.nsp)
        if sorted(info['rooms']) != sorted([b.sid, 'r']):
            raise Wrong(f'{info["rooms"]}')
        await b.say('["to-room","r","live"]')
        await b.hear('["room-message","live"]')


@recovery('what went to its own room comes, and still finds it')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.say(f'["to-room","{b.sid}","missed"]')
        await b.again()
        await b.hear('["room-message","missed"]')
        await b.recovered()
        await b.say(f'["to-room","{b.sid}","live"]')
        await b.hear('["room-message","live"]')


@recovery('what was sent for others does not come')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.send(f'2{b.head}["broadcast","mine"]')
        await b.stays.expect(event('["broadcast-back","mine"]'))
        await b.away()
        await b.stays.send(f'2{b.head}["emit-n",3]')
        for i in range(3):
            await b.stays.expect(event(f'["n",{i}]'))
        await b.again()
        await b.recovered()


@recovery('binary events are missed, too')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.stays.send(f'51-{b.head}["broadcast",{rows.P0}]', b'\1\2\3')
        await b.stays.ask('info', nsp=b.nsp)
        await b.again()
        await b.c.expect(re.compile(r'51-%s\["broadcast-back",%s,%s\]' % (
            re.escape(b.head), re.escape(rows.P0), OFFSET)), b'\1\2\3')
        await b.recovered()


@recovery('twice in a row')
async def _(url, t):
    async with Back(url, t) as b:
        for i in range(2):
            await b.away()
            await b.say(f'["broadcast",{i}]')
            await b.again()
            await b.hear(f'["broadcast-back",{i}]')
            await b.recovered()


@recovery('in the main namespace')
async def _(url, t):
    async with Back(url, t, '') as b:
        await b.c.ask('join', 'mine' + t)
        await b.away()
        await b.say(f'["to-room","mine{t}",1]')
        await b.again()
        await b.hear('["room-message",1]')
        await b.recovered()


@recovery('after drop-me, which is no wanted end')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.send(f'2{b.head}["drop-me"]')
        await b.c.expect(CLOSED)
        await b.again()
        await b.recovered()


@recovery('after a broken rule, which is no wanted end')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.send(f'2{b.head}{{}}')
        await b.c.expect(CLOSED)
        await b.again()
        await b.recovered()


@recovery('not after DISCONNECT by the client')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.send('1' + b.head)
        await asyncio.sleep(0.1)
        await b.away()
        await b.again()
        await b.anew()


@recovery('not after DISCONNECT by the server')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.send(f'2{b.head}["disconnect-me",false]')
        await b.c.expect('1' + b.head)
        await b.away()
        await b.again()
        await b.anew()


@recovery('not after the server has closed')
async def _(url, t):
    async with Back(url, t) as b:
        await b.c.send(f'2{b.head}["disconnect-me",true]')
        await b.c.expect('1' + b.head, CLOSED)
        await b.again()
        await b.anew()


@recovery('not with another pid')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.again({'pid': 'x' * 20, 'offset': b.offset})
        await b.anew()


@recovery('not with an unknown offset')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.again({'pid': b.pid, 'offset': 'abcdefghijkl'})
        await b.anew()


@recovery('not without an offset')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.again({'pid': b.pid})
        await b.anew()


@recovery('not with ids of another type')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        await b.again({'pid': [b.pid], 'offset': 1})
        await b.anew()


@recovery('not in another namespace')
async def _(url, t):
    async with Back(url, t) as b:
        await b.away()
        b.nsp = fresh()
        b.head = b.nsp + ','
        await b.again()
        await b.anew()


# ---- all of it

async def run_one(tap, at_once, name, fn, url):
    async with at_once:
        error = None
        try:
            await asyncio.wait_for(fn(url), CASE_S)
        except Wrong as e:
            error = str(e)
        except asyncio.TimeoutError:
            error = f'not done after {CASE_S} s'
        except Exception as e:          # one case's, not the suite's end
            error = f'{type(e).__name__}: {e}'
        tap.result(name, error)


async def run_all(url, recovery_url, word):
    tap = Tap()
    at_once = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(
        run_one(tap, at_once, name, fn, recovery_url if again else url)
        for name, fn, again in cases
        if word in name and (recovery_url or not again)))
    return tap.done()


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('program', nargs='?')
    p.add_argument('san', nargs='?')    # the program is sanitized: no matter
    p.add_argument('--url')
    p.add_argument('--recovery-url')
    p.add_argument('--word', default='')
    p.add_argument('--threads', default='1')
    a = p.parse_args()
    add_rows()
    if a.url:
        return asyncio.run(run_all(a.url, a.recovery_url, a.word))
    if not a.program:
        p.error('a program or --url')
    more = ('--threads', a.threads)
    with Peer(a.program, MAIN + more) as one, \
            Peer(a.program, RECOVERY + more) as two:
        return asyncio.run(run_all(one.url, two.url, a.word))


if __name__ == '__main__':
    sys.exit(main())
