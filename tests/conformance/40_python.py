#!/usr/bin/python3
"""40_python.py: python3-socketio, the other stock client, sync and async,
over both transports and the upgrade, against a conformance server.

    40_python.py PROGRAM    nightjar-conformance, or reference/reference.mjs
"""
import asyncio
import concurrent.futures
import logging
import os
import queue
import sys
import threading

import engineio
import socketio

from peer import PROFILE_B, PROFILE_C, Peer, Tap

PATIENCE_S = 40
# What a loaded machine keeps, too.
CALM = ('--ping-timeout', '10000', '--connect-timeout', '30000')
NAMES = ('auth', 'message-back', 'room-message', 'broadcast-back', 'n', 'v',
         'v-done', 'binary')
VALUES = [None, True, 0, -1, 1.5, '', 'ä\U0001f980\u2028\x00"\\', [], {},
          {'a': [1, {'b': None}]}, 'x' * 70000, b'', b'\x00\x01\xff',
          {'deep': [b'one', {'two': b'2' * 5000}]}]


class Sync:
    """The blocking client; the same verbs as Async below."""

    def __init__(self):
        self.c = socketio.Client(reconnection_delay=0.05,
                                 reconnection_delay_max=0.1)
        self.got = {}
        self.ended = queue.Queue()
        self.begun = queue.Queue()

    def listen(self, nsp):
        for name in NAMES:
            q = self.got[nsp, name] = queue.Queue()
            self.c.on(name, lambda *a, q=q: q.put(a), namespace=nsp)
        self.c.on('question', lambda *a: ('answer', *a), namespace=nsp)
        self.c.on('connect', lambda: self.begun.put(nsp), namespace=nsp)
        self.c.on('disconnect', lambda: self.ended.put(nsp), namespace=nsp)

    async def connect(self, url, nsps, transports, auth=None,
                      wait_s=PATIENCE_S):
        for n in nsps:
            self.listen(n)
        await self.away(self.c.connect, url, namespaces=nsps, auth=auth,
                        transports=transports, wait_timeout=wait_s)

    @staticmethod
    async def away(fn, *args, **kw):
        return await asyncio.get_running_loop().run_in_executor(
            POOL, lambda: fn(*args, **kw))

    async def emit(self, name, args=(), nsp='/'):
        await self.away(self.c.emit, name, tuple(args), namespace=nsp)

    async def call(self, name, args=(), nsp='/'):
        return await self.away(self.c.call, name, tuple(args), namespace=nsp,
                               timeout=PATIENCE_S)

    async def next(self, name, nsp='/'):
        return await self.away(self.got[nsp, name].get, True, PATIENCE_S)

    async def wait(self, q):
        return await self.away(q.get, True, PATIENCE_S)

    async def close(self):
        await self.away(self.c.disconnect)

    def sid(self, nsp='/'):
        return self.c.get_sid(nsp)


class Async:
    """The asyncio client."""

    def __init__(self):
        self.c = socketio.AsyncClient(reconnection_delay=0.05,
                                      reconnection_delay_max=0.1)
        self.got = {}
        self.ended = asyncio.Queue()
        self.begun = asyncio.Queue()

    def listen(self, nsp):
        for name in NAMES:
            q = self.got[nsp, name] = asyncio.Queue()
            self.c.on(name, lambda *a, q=q: q.put_nowait(a), namespace=nsp)
        self.c.on('question', lambda *a: ('answer', *a), namespace=nsp)
        self.c.on('connect', lambda: self.begun.put_nowait(nsp), namespace=nsp)
        self.c.on('disconnect', lambda: self.ended.put_nowait(nsp),
                  namespace=nsp)

    async def connect(self, url, nsps, transports, auth=None,
                      wait_s=PATIENCE_S):
        for n in nsps:
            self.listen(n)
        await self.c.connect(url, namespaces=nsps, auth=auth,
                             transports=transports, wait_timeout=wait_s)

    async def emit(self, name, args=(), nsp='/'):
        await self.c.emit(name, tuple(args), namespace=nsp)

    async def call(self, name, args=(), nsp='/'):
        return await self.c.call(name, tuple(args), namespace=nsp,
                                 timeout=PATIENCE_S)

    async def next(self, name, nsp='/'):
        return await asyncio.wait_for(self.got[nsp, name].get(), PATIENCE_S)

    async def wait(self, q):
        return await asyncio.wait_for(q.get(), PATIENCE_S)

    async def close(self):
        await self.c.disconnect()

    def sid(self, nsp='/'):
        return self.c.get_sid(nsp)


POOL = concurrent.futures.ThreadPoolExecutor(128)
KINDS = {'websocket': ['websocket'], 'polling': ['polling'],
         'upgrade': ['polling', 'websocket']}


def same(a, b):
    assert a == b, f'{a!r:.300} is not {b!r:.300}'


# ---- cases: (client maker, url, transports) ----

async def every_value(t):
    c = await t.open()
    for v in VALUES:
        await c.emit('message', [v, 'x'])
    for v in VALUES:
        same(await c.next('message-back'), (v, 'x'))


async def many_in_order(t):
    c = await t.open()
    for i in range(200):
        await c.emit('message', [i, bytes(i)] if i % 3 == 0 else [i])
    for i in range(200):
        same((await c.next('message-back'))[0], i)
    await c.emit('emit-n', [100])
    for i in range(100):
        same(await c.next('n'), (i,))


async def acks(t):
    c = await t.open()
    for v in VALUES:
        same(await c.call('message-with-ack', [v, 1]), (v, 1))
    same(await c.call('message-with-ack', ['one']), 'one')
    same(await c.call('message-with-ack'), None)


async def asked(t):
    c = await t.open()
    same(await c.call('ask-me', [{'x': [1]}, 5000]),
         {'timedOut': False, 'answer': ['answer', {'x': [1]}]})
    same(await c.call('ask-me', [b'\x01', 5000]),
         {'timedOut': False, 'answer': ['answer', b'\x01']})


async def from_the_server(t):
    c = await t.open()
    for n in (0, 1, 5, 100000):
        data = bytes(i % 251 for i in range(n))
        await c.emit('emit-binary', [n])
        same(await c.next('binary'), (data, {'nested': data[:3]}))
    await c.emit('volatile-n', [20])
    await c.next('v-done')


async def rooms(t):
    nsp = t.fresh()
    a, b = await t.open(nsp), await t.open(nsp)
    same(await a.call('join', ['r'], nsp), 'joined')
    same(await b.call('join', ['r'], nsp), 'joined')
    same(await a.call('to-room', ['r', 1, b'2'], nsp), 'sent')
    same(await b.next('room-message', nsp), (1, b'2'))
    await b.emit('in-room', ['r', 'all'], nsp)
    same(await a.next('room-message', nsp), ('all',))
    same(await b.next('room-message', nsp), ('all',))
    await a.emit('broadcast', ['hear', {'x': b'3'}], nsp)
    same(await b.next('broadcast-back', nsp), ('hear', {'x': b'3'}))
    same(await b.call('leave', ['r'], nsp), 'left')
    info = await b.call('info', [], nsp)
    same(info['rooms'], [b.sid(nsp)])
    same(info['nsp'], nsp)


async def namespaces(t):
    names = ['/', '/custom', t.fresh()]
    c = t.client()
    await c.connect(t.url, names, t.transports, {'me': 1})
    for n in names:
        same(await c.next('auth', n), ({'me': 1},))
        await c.emit('message', [n], n)
        same(await c.next('message-back', n), (n,))
    same(len({c.sid(n) for n in names}), 3)


async def refused(t):
    for nsp, auth in (('/nope', None), ('/auth', {'token': 'no'})):
        c = t.client()
        try:
            # It waits so long for what was refused.
            await c.connect(t.url, [nsp], t.transports, auth, 1)
        except socketio.exceptions.ConnectionError:
            continue
        raise AssertionError(f'{nsp} let us in')
    c = t.client()
    await c.connect(t.url, ['/auth'], t.transports, {'token': 'secret'})
    same(await c.next('auth', '/auth'), ({'token': 'secret'},))


async def ended_by_server(t):
    c = await t.open()
    await c.emit('disconnect-me', [True])
    same(await c.wait(c.ended), '/')


async def comes_back(t):
    c = await t.open()
    same(await c.wait(c.begun), '/')
    before = c.sid()
    await c.emit('drop-me')
    if t.transports == ['polling']:     # to this client, a close packet is final
        same(await c.wait(c.ended), '/')
        return
    same(await c.wait(c.begun), '/')
    await c.next('auth')
    assert c.sid() != before
    same(await c.call('message-with-ack', [1]), 1)


async def idle(t):
    c = await t.open()
    await asyncio.sleep(3.5)
    assert c.ended.empty()
    same(await c.call('message-with-ack', [1]), 1)


async def large(t):
    c = await t.open()
    for data in ('x' * 1500000, b'y' * 1500000):
        await c.emit('message', [data])
        same(await c.next('message-back'), (data,))


CASES = (every_value, many_in_order, acks, asked, from_the_server, rooms,
         namespaces, refused, ended_by_server, comes_back, idle, large)


class Here:
    """One case: its clients, over one kind of transport."""
    spaces = 5000
    lock = threading.Lock()

    def __init__(self, make, url, transports):
        self.make, self.url, self.transports = make, url, transports
        self.clients = []

    def fresh(self):
        with Here.lock:
            Here.spaces += 1
            return f'/dyn-{Here.spaces}'

    def client(self):
        c = self.make()
        self.clients.append(c)
        return c

    async def open(self, nsp='/'):
        c = self.client()
        await c.connect(self.url, [nsp], self.transports)
        same((await c.next('auth', nsp))[0], {})
        return c

    async def close(self):
        for c in self.clients:
            await asyncio.wait_for(c.close(), PATIENCE_S)


async def one(tap, gate, name, case, here):
    async with gate:
        error = None
        try:
            await asyncio.wait_for(case(here), 3 * PATIENCE_S)
            await here.close()
        except Exception as e:      # a case's failure, whatever it is
            error = f'{type(e).__name__}: {e}'
            if not str(e):
                error += ' (waited in vain)'
        tap.result(name, error)


async def run(tap, program):
    gate = asyncio.Semaphore(16)
    with Peer(program, PROFILE_B + CALM) as plain, \
            Peer(program, PROFILE_C + CALM) as recovering:
        jobs = []
        for make in (Sync, Async):
            for kind, transports in KINDS.items():
                for case in CASES:
                    here = Here(make, plain.url, transports)
                    jobs.append(one(tap, gate, f'{make.__name__} {kind}: '
                                    f'{case.__name__}', case, here))
                here = Here(make, recovering.url, transports)
                jobs.append(one(tap, gate, f'{make.__name__} {kind}: acks, with '
                                'recovery on', acks, here))
        await asyncio.gather(*jobs)
        for p in (plain, recovering):
            with tap.case('the server ends well'):
                same(p.stop(), 0)


def main():
    # Its own limit is 16 packets of an answer, too few for these cases.
    engineio.payload.Payload.max_decode_packets = 1000
    logging.disable(logging.CRITICAL)   # of lines that break off on purpose
    tap = Tap()
    asyncio.run(run(tap, sys.argv[1]))
    return tap.done()


if __name__ == '__main__':
    code = main()
    # Threads of clients may still wait for a dead line: not for us.
    sys.stdout.flush()
    POOL.shutdown(wait=False, cancel_futures=True)
    os._exit(code)
