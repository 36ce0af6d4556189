#!/usr/bin/python3
"""soak.py: mixed clients on nightjar-conformance and on nightjard for a long
time: no error, and memory and descriptors stay where they were once warm.

    soak.py --seconds N CONFORMANCE NIGHTJARD      (or SOAK_SECONDS=N)
"""
import argparse
import asyncio
import logging
import os
import random
import statistics
import sys
import time

import engineio
import socketio

from peer import PROFILE_B, Peer, Tap

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from server import Server   # noqa: E402  (a nightjard of its own)

PATIENCE_S = 20
MIB = 1 << 20
PEER_CLIENTS = 40       # at once, on nightjar-conformance
PEOPLE = 12             # on nightjard, in pairs
MAY_GROW = 0.08         # of the memory of the warm server, and:
MAY_GROW_BYTES = 6 * MIB
PAGES_MAX = 10 * MIB    # of the database that the store's caches hold
KINDS = (['websocket'], ['polling'], ['polling', 'websocket'])


class Tally:
    def __init__(self):
        self.done, self.errors = 0, []

    def wrong(self, who, e):
        self.errors.append(f'{who}: {type(e).__name__}: {e}'[:300])


class Memory:
    """Resident bytes of a process, over time, but for the pages of its
    database that it keeps: those grow with the database up to a limit."""

    def __init__(self, pid, database=None):
        self.pid, self.database, self.seen = pid, database, []

    def look(self):
        with open(f'/proc/{self.pid}/statm', encoding='ascii') as f:
            now = int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
        if self.database:
            now -= min(os.path.getsize(self.database), PAGES_MAX)
        self.seen.append(now)

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def judge(self):
        """The last fifth against the second one: the first is to warm up."""
        n = len(self.seen) // 5
        early = statistics.median(self.seen[n:2 * n] or self.seen)
        late = statistics.median(self.seen[4 * n:])
        print(f'# {early / MIB:.1f} MiB, at the end {late / MIB:.1f} MiB',
              flush=True)
        assert late - early < max(MAY_GROW * early, MAY_GROW_BYTES), \
            f'{(late - early) / MIB:.1f} MiB more than once warm'


class Client(socketio.AsyncClient):
    def __init__(self, *names):
        super().__init__(reconnection=False)
        self.got = asyncio.Queue()
        self.names = names

    async def open(self, url, nsp, transports, auth=None):
        for name in self.names:
            self.on(name, self.put(name), namespace=nsp)
        await self.connect(url, namespaces=[nsp], transports=transports,
                           auth=auth, wait_timeout=PATIENCE_S)
        return self

    def put(self, name):
        return lambda *args: self.got.put_nowait((name, args))

    async def next(self, name):
        while True:
            k, args = await asyncio.wait_for(self.got.get(), PATIENCE_S)
            if k == name:
                return args

    def break_off(self):
        """Without a word: a line that breaks."""
        if self.eio.ws is not None:
            transport = self.eio.ws._response.connection.transport
            transport.abort()


# ---- nightjar-conformance ----

def value(rng):
    return rng.choice([1, None, 'ä' * rng.randrange(300), {'a': [True, 1.5]},
                       b'x' * rng.randrange(3000), [b'', {'b': b'\xff' * 9}],
                       'x' * rng.randrange(60000)])


async def talk(c, nsp, rng):
    """One thing that a client does; wrong answers raise."""
    what = rng.randrange(8)
    v = value(rng)
    if what == 0:
        await c.emit('message', (v, 1), namespace=nsp)
        assert (await c.next('message-back'))[:2] == (v, 1)
    elif what == 1:
        assert await c.call('message-with-ack', v, namespace=nsp,
                            timeout=PATIENCE_S) == v
    elif what == 2:
        room = f'r{rng.randrange(8)}'
        assert await c.call('join', room, namespace=nsp) == 'joined'
        assert await c.call('to-room', (room, v), namespace=nsp) == 'sent'
        assert await c.call('leave', room, namespace=nsp) == 'left'
    elif what == 3:
        await c.emit('broadcast', v, namespace=nsp)
    elif what == 4:
        n = rng.randrange(50)
        await c.emit('emit-n', n, namespace=nsp)
        for i in range(n):
            assert (await c.next('n'))[0] == i
    elif what == 5:
        await c.emit('emit-binary', rng.randrange(20000), namespace=nsp)
        await c.next('binary')
    elif what == 6:
        info = await c.call('info', namespace=nsp)
        assert info['nsp'] == nsp
    else:
        r = await c.call('ask-me', (1, rng.choice([1, 3000])), namespace=nsp)
        assert 'timedOut' in r


async def peer_client(p, end, tally, seed):
    rng = random.Random(seed)
    while time.monotonic() < end:
        c = Client('message-back', 'n', 'binary')
        c.on('question', lambda *a: a)
        nsp = rng.choice(['/', '/dyn-1', '/dyn-2', f'/dyn-{seed}'])
        try:
            await c.open(p.url, nsp, rng.choice(KINDS))
            for _ in range(rng.randrange(1, 40)):
                await talk(c, nsp, rng)
                tally.done += 1
        except Exception as e:      # whatever it is, it is to be shown
            tally.wrong('conformance', e)
        if rng.randrange(3) == 0:
            c.break_off()
        try:
            await asyncio.wait_for(c.disconnect(), PATIENCE_S)
        except Exception as e:
            tally.wrong('conformance, at the end', e)


# ---- nightjard ----

async def pair(s, people, end, tally, seed):
    """Two people who write to each other, over connections that come and go."""
    rng = random.Random(seed)
    loop = asyncio.get_running_loop()
    (_, a, _), (b_id, b, _) = people
    chat = await loop.run_in_executor(None, s.chat, a, b_id)
    url = f'http://127.0.0.1:{s.port}'
    while time.monotonic() < end:
        one, two = Client(), Client('message:new')
        try:
            await one.open(url, '/', rng.choice(KINDS), {'token': a})
            await two.open(url, '/', rng.choice(KINDS), {'token': b})
            for i in range(rng.randrange(1, 30)):
                text = f'{seed}.{i}.'.encode().hex()
                r = await one.call('message:send', {
                    'chatId': chat, 'encryptedContent': text, 'iv': ''},
                    timeout=PATIENCE_S)
                m = (await two.next('message:new'))[0]
                assert m['encryptedContent'] == text, m
                assert m['position'] == r['position'], (m, r)
                tally.done += 1
                if rng.randrange(4) == 0:
                    r = await loop.run_in_executor(
                        None, lambda: s.rest('GET', f'/api/chats/{chat}/'
                                             'messages?limit=20', token=b))
                    assert r.status == 200, r
        except Exception as e:
            tally.wrong('nightjard', e)
        if rng.randrange(3) == 0:
            one.break_off()
        for c in (one, two):
            try:
                await asyncio.wait_for(c.disconnect(), PATIENCE_S)
            except Exception as e:
                tally.wrong('nightjard, at the end', e)


async def look(memories, end):
    step = max((end - time.monotonic()) / 200, 0.05)
    while time.monotonic() < end:
        for m in memories:
            m.look()
        await asyncio.sleep(step)


async def gone(m, files):
    for _ in range(200):
        if m.descriptors() <= files:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f'{m.descriptors()} descriptors, {files} before')


async def soak(tap, seconds, conformance, nightjard):
    # Recovery keeps events for a minute: only a long run gets warm with it.
    flags = PROFILE_B + (('--recovery-ms', '2000') if seconds >= 600 else ())
    with Peer(conformance, flags) as p, Server(nightjard) as s:
        loop = asyncio.get_running_loop()
        people = [await loop.run_in_executor(None, s.register, f'soak{i}')
                  for i in range(PEOPLE)]
        memories = {'nightjar-conformance': Memory(p.child.pid),
                    'nightjard': Memory(
                        s.child.pid, os.path.join(s.data, 'nightjar.db'))}
        files = {name: m.descriptors() for name, m in memories.items()}
        tallies = {name: Tally() for name in memories}
        end = time.monotonic() + seconds
        await asyncio.gather(
            look(memories.values(), end),
            *(peer_client(p, end, tallies['nightjar-conformance'], 100 + i)
              for i in range(PEER_CLIENTS)),
            *(pair(s, people[i:i + 2], end, tallies['nightjard'], i)
              for i in range(0, PEOPLE, 2)))
        for name, m in memories.items():
            t = tallies[name]
            with tap.case(f'{name}: {t.done} things done in {seconds:.0f} s, '
                          'none went wrong'):
                assert t.done > seconds and not t.errors, \
                    f'{len(t.errors)} errors:\n' + '\n'.join(t.errors[:5])
            with tap.case(f'{name}: memory is flat'):
                m.judge()
            with tap.case(f'{name}: no descriptor is left'):
                await gone(m, files[name] + 1)
        with tap.case('nightjar-conformance ends well'):
            assert p.stop() == 0
        with tap.case('nightjard ends well'):
            assert s.kill(15) == 0


def main():
    args = argparse.ArgumentParser()
    args.add_argument('--seconds', type=float,
                      default=float(os.environ.get('SOAK_SECONDS', 1800)))
    args.add_argument('conformance')
    args.add_argument('nightjard')
    a = args.parse_args()
    logging.disable(logging.CRITICAL)
    engineio.payload.Payload.max_decode_packets = 1000
    tap = Tap()
    asyncio.run(soak(tap, a.seconds, a.conformance, a.nightjard))
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
