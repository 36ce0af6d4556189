#!/usr/bin/env python3
"""kill.py: two clients exchange messages while the server is killed
(SIGKILL) at random moments. What was acknowledged is never lost, nothing is
shown twice, everything opens, the order of each writer is kept, and the
plaintext is nowhere in the server.

    kill.py [BUILD]         NJ_MESSAGES (1000), NJ_KILLS (10), NJ_SEED
"""
import json
import os
import random
import subprocess
import threading
import time

import lib
from lib import Client, Failure, Server, check

MESSAGES = int(os.environ.get('NJ_MESSAGES', '1000'))
KILLS = int(os.environ.get('NJ_KILLS', '10'))
SEED = int(os.environ.get('NJ_SEED', '0')) or random.randrange(1 << 32)
CANARY = 'canary-7f3a'


class Chat:
    """nightjar --json chat in a pipe: lines in, entries out."""

    def __init__(self, client, other):
        self.client, self.other = client, other
        self.p = client.popen('--json', 'chat', other, '--limit', '1',
                              stdin=subprocess.PIPE)
        self.lock = threading.Lock()
        self.received, self.sent, self.odd, self.err = [], {}, [], b''
        self.last = time.monotonic()
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self.read, self.read_err)]
        for t in self.threads:
            t.start()

    def read(self):
        for line in self.p.stdout:
            row = json.loads(line)
            with self.lock:
                self.take(row)

    def take(self, row):
        if row['type'] != 'message':
            if row['type'] != 'mark':
                self.odd.append(row)
            return
        self.last = time.monotonic()
        if row['kind'] != 'text' or row['state'] == 'failed':
            self.odd.append(row)
        elif row['state'] == 'received':
            self.received.append((row['position'], row['text']))
        elif row['state'] == 'sent':
            self.sent.setdefault(row['text'], []).append(row['position'])

    def read_err(self):
        for line in self.p.stderr:
            self.err += line

    def write(self, text):
        self.p.stdin.write(text.encode() + b'\n')
        self.p.stdin.flush()

    def counts(self):
        with self.lock:
            return len(self.received), len(self.sent)

    def stop(self):
        """End of input: the program waits for what is not yet sent."""
        self.p.stdin.close()
        try:
            status = self.p.wait(60 * lib.SLOW)
        except subprocess.TimeoutExpired:
            self.p.kill()
            raise Failure(f'chat of {self.client.name} does not end') from None
        for t in self.threads:
            t.join(10)
        self.p.stdout.close()
        self.p.stderr.close()
        check(status == 0, f'chat of {self.client.name} ended with {status}: '
              + self.err.decode(errors='replace'))


def killer(server, done, rng, log):
    """Kills and starts again, spread over the whole exchange."""
    for i in range(KILLS):
        # So many messages are through when the next blow falls.
        goal = int((i + rng.random()) * MESSAGES / KILLS)
        while done() < goal:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.05)
        server.kill()
        log.append(done())
        time.sleep(rng.random() * 0.3)
        server.start()


def text_of(writer, i):
    return f'{CANARY} {writer} {i:05} äöü 漢字'


def wait_until_through(chats, server):
    """Until each side has all, or nothing has moved for a minute."""
    half = MESSAGES // 2
    end = time.monotonic() + 900 * lib.SLOW
    while time.monotonic() < end:
        if all(c.counts() == (half, half) for c in chats):
            return
        for c in chats:
            check(c.p.poll() is None, f'chat of {c.client.name} ended: '
                  + c.err.decode(errors='replace'))
        check(server.process is not None, 'no server')
        idle = min(time.monotonic() - c.last for c in chats)
        check(idle < 90 * lib.SLOW, 'nothing moves any more: '
              f'{[c.counts() for c in chats]} of {half}; odd: '
              f'{[c.odd[:3] for c in chats]}; '
              + chats[0].err.decode(errors='replace')[-500:])
        time.sleep(0.05)
    raise Failure(f'not through in time: {[c.counts() for c in chats]}')


def check_results(a, b):
    half = MESSAGES // 2
    for me, other in ((a, b), (b, a)):
        want = [text_of(other.client.name, i) for i in range(half)]
        got = [t for _, t in sorted(me.received)]
        check(not me.odd, f'{me.client.name} was shown {me.odd[:3]}')
        check(len(got) == len(set(got)), f'{me.client.name}: shown twice')
        check(sorted(got) == want, f'{me.client.name} lacks '
              f'{sorted(set(want) - set(got))[:3]}')
        check(got == want, f'{me.client.name}: not in the writer\'s order')
        check([t for _, t in me.received] == want,
              f'{me.client.name}: shown in another order')
        # Acknowledged once, at the place where the other one sees it.
        places = dict((t, p) for p, t in me.received)
        for text, positions in other.sent.items():
            check(positions == [places[text]], f'{text}: acknowledged at '
                  f'{positions}, received at {places[text]}')


def check_history(client, other):
    """The profile agrees with what was shown, and with the server's order."""
    rows = client.json('history', other, '--limit', str(MESSAGES + 10),
                       timeout=120)
    check(len(rows) == MESSAGES, f'{client.name}: {len(rows)} entries')
    check(all(r['kind'] == 'text' for r in rows), 'an entry is no text')
    positions = [r['position'] for r in rows]
    check(positions == sorted(set(positions)), 'positions are not in order')
    return [r['text'] for r in rows]


memory = []     # what the first test found there, for the second


def test_nothing_is_lost_when_the_server_is_killed(home):
    rng = random.Random(SEED)
    print(f'# seed {SEED}, {MESSAGES} messages, {KILLS} kills', flush=True)
    server = Server(home).start()
    ann, bob = (Client(home, n, server.url) for n in ('ann', 'bob'))
    ann.register()
    bob.register()
    a, b = Chat(ann, 'bob'), Chat(bob, 'ann')

    def done():
        return a.counts()[0] + b.counts()[0]

    kills = []
    failure = []

    def run_killer():
        try:
            killer(server, done, rng, kills)
        except Failure as e:
            failure.append(e)

    thread = threading.Thread(target=run_killer, daemon=True)
    thread.start()
    for i in range(MESSAGES // 2):
        for chat in (a, b):
            chat.write(text_of(chat.client.name, i))
            time.sleep(rng.random() * 0.01)
    wait_until_through((a, b), server)
    thread.join(60)
    check(not failure, f'the server did not come back: {failure}')
    check(len(kills) == KILLS, f'only {len(kills)} kills')
    canaries = [CANARY, text_of('ann', 7)[-8:]]
    lib.check_no_plaintext(server, canaries)
    try:
        lib.check_no_plaintext_in_memory(server, canaries)
        memory.append(None)
    except (Failure, lib.Skip) as e:
        memory.append(e)
    a.stop()
    b.stop()
    check_results(a, b)
    check(check_history(ann, 'bob') == check_history(bob, 'ann'),
          'the two histories differ')
    print(f'# killed after {kills} messages', flush=True)
    server.stop()


def test_the_memory_held_no_plaintext(_home):
    check(memory, 'the test before this one did not come to look')
    if memory[0] is not None:
        raise memory[0]


if __name__ == '__main__':
    lib.main([test_nothing_is_lost_when_the_server_is_killed,
              test_the_memory_held_no_plaintext])
