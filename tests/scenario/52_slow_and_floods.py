"""52_slow_and_floods.py NIGHTJARD: who sends too slowly, does not read, sends too
much or comes too often. He is cut off and counted, others do not notice, and
the server's memory stays where it was."""
import os
import re
import resource
import select
import socket
import sys
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')]
from server import Server, Tap  # noqa: E402
from sio import Closed, Sio, Ws  # noqa: E402

tap = Tap()
MIB = 1 << 20
LATE_S = 6      # on a loaded machine
# A sanitizer keeps what was freed for a while.
SLACK = 64 * MIB if 'san' in sys.argv[2:] else 16 * MIB
LOGIN = b'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
HEALTH = b'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'


def rss(s):
    with open(f'/proc/{s.child.pid}/status', encoding='ascii') as f:
        return int(re.search(r'VmRSS:\s+(\d+)', f.read())[1]) * 1024


def count(s, name):
    text = s.rest('GET', '/metrics').raw.decode()
    return int(re.search(rf'^{name} (\d+)$', text, re.M)[1])


def swift(s, name):
    began = time.monotonic()
    ok = s.rest('GET', '/health').status == 200
    took = time.monotonic() - began
    tap.check(ok and took < LATE_S, f'{name}: others are served meanwhile', took)


def connect(s):
    return socket.create_connection(('127.0.0.1', s.port), 40)


def until(what, wait_s=40):
    end = time.monotonic() + wait_s
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def flood(c, data, wait_s=1.0, most=256 * MIB):
    """Sends it again and again until nothing is taken for a while; bytes."""
    c.setblocking(False)
    sent = 0
    while sent < most:
        if not select.select([], [c], [], wait_s)[1]:
            break
        try:
            # Goes on where the last piece was cut, so that it stays in step.
            at = sent % len(data)
            sent += c.send(data[at:])
        except BlockingIOError:
            pass
        except ConnectionError:
            break
    return sent


def trickle(s):
    """A byte now and then, head or body: 408 when its time is over."""
    before, bad = rss(s), count(s, 'nightjar_bad_requests_total')
    heads = [connect(s) for _ in range(150)]
    bodies = [connect(s) for _ in range(150)]
    for c in bodies:
        c.sendall(LOGIN + b'Content-Length: 900\r\n\r\n')
    began = time.monotonic()
    said = {}
    text = b'GET /health HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * 200
    at = 0
    while len(said) < 300 and time.monotonic() - began < 30:
        for c in heads + bodies:
            if c in said:
                continue
            try:
                c.send(text[at:at + 1] if c in heads else b' ')
                if select.select([c], [], [], 0)[0]:
                    said[c] = c.recv(4096)
            except ConnectionError:
                said[c] = b''
        at += 1
        time.sleep(0.05)
    took = time.monotonic() - began
    for name, some in (('head', heads), ('body', bodies)):
        got = [said.get(c, b'nothing') for c in some]
        tap.check(all(g.startswith(b'HTTP/1.1 408 ') and b'took too long' in g for g in got),
                  f'RFC 9110 15.5.9: a {name} byte by byte: 408', [g[:80] for g in got if b' 408 ' not in g][:3])
    tap.check(took < 3 + LATE_S, 'all within their time', took)
    tap.check(count(s, 'nightjar_bad_requests_total') - bad == 300, 'each is counted')
    swift(s, 'slow senders')
    for c in heads + bodies:
        c.close()
    idle = [connect(s) for _ in range(20)]
    for c in idle[:10]:
        c.sendall(HEALTH)
        c.recv(4096)
    time.sleep(2.5)
    got = [c.recv(4096)[:12] for c in idle]
    tap.check(got == [b''] * 10 + [b'HTTP/1.1 408'] * 10,
              'RFC 9112 9.3: idle ones are closed, silent ones told', got)
    tap.check(rss(s) - before < SLACK, 'memory is as before', (before, rss(s)))


def unfinished(s):
    """Many large bodies that never end: together they have a limit."""
    before = rss(s)
    many = [connect(s) for _ in range(60)]
    answers = []
    piece = b' ' * 900000
    for c in many:
        c.settimeout(3)
        try:
            c.sendall(LOGIN + b'Content-Length: 900001\r\n\r\n' + piece)
        except (ConnectionError, TimeoutError):
            pass
    tap.check(rss(s) - before < 2 * 8 * MIB + SLACK, 'unfinished bodies have a common limit',
              (before, rss(s)))
    swift(s, 'unfinished bodies')
    for c in many:
        try:
            answers.append(c.recv(4096).split(b' ')[1])
        except (ConnectionError, TimeoutError, IndexError):
            answers.append(b'cut')
        c.close()
    tap.check(set(answers) <= {b'503', b'408', b'cut'} and b'503' in answers,
              'too many: 503, the rest 408', answers)
    r = s.rest('POST', '/api/auth/login', b'{"username":"abc","password":"' + b'x' * 900 + b'"}',
               headers={'Content-Type': 'application/json'})
    tap.check(r.status == 401, 'and then bodies are taken again', r)


def deaf_http(s):
    """Requests without end, answers not read."""
    before, slow = rss(s), count(s, 'nightjar_slow_readers_total')
    many, sent = [], []
    for _ in range(20):
        many.append(connect(s))
        sent.append(flood(many[-1], HEALTH * 100, 0.1))
    tap.check(max(sent) < 64 * MIB, 'who does not read is not read from', max(sent))
    tap.check(rss(s) - before < SLACK, 'his answers take no memory', (before, rss(s)))
    swift(s, 'deaf clients')
    tap.check(until(lambda: count(s, 'nightjar_slow_readers_total') - slow >= 20),
              'and he is closed', count(s, 'nightjar_slow_readers_total') - slow)
    for c in many:
        c.close()


def deaf_ws(s, token):
    """RFC 6455 5.5.3: pings without end, pongs not read."""
    before, late = rss(s), count(s, 'nightjar_pings_missed_total')
    ping = b'\x89\xfd\0\0\0\0' + b'x' * 125
    many = [Ws(s.port) for _ in range(5)] + [Sio(s.port, token) for _ in range(5)]
    sent = [flood(k.s, ping * 500, 0.1) for k in many]
    tap.check(max(sent) < 64 * MIB, 'a flood of pings is not read for ever', max(sent))
    tap.check(rss(s) - before < SLACK, 'its pongs take no memory', (before, rss(s)))
    swift(s, 'ping floods')
    tap.check(until(lambda: count(s, 'nightjar_pings_missed_total') - late >= 10),
              'and its connections are closed', count(s, 'nightjar_pings_missed_total') - late)
    for k in many:
        k.close()


def event_flood(s, token):
    """Calls as fast as they go, acknowledgements not read for a while."""
    before = rss(s)
    k = Sio(s.port, token)
    text = b'420["presence:set",{"status":"online"}]'
    frame = b'\x81' + bytes([0x80 | len(text)]) + b'\0\0\0\0' + text
    sent = flood(k.s, frame * 100, 0.3, 8 * MIB)
    tap.check(rss(s) - before < SLACK, 'a flood of events takes no memory', (before, rss(s)))
    swift(s, 'event flood')
    k.s.settimeout(40)
    k.s.setblocking(True)
    want, got = sent // len(frame), 0
    try:
        while got < want:
            m = k.recv()
            got += m.startswith('430')
    except (Closed, TimeoutError) as e:
        tap.check(False, 'reading late', (e, got, want))
    tap.check(got == want, 'who reads late has every acknowledgement', (got, want))
    k.close()


def slow_reader(s, alice, bob):
    """A flood at somebody who does not read: he is closed and catches up."""
    chat = s.chat(alice[1], bob[0])
    before, slow = rss(s), count(s, 'nightjar_slow_readers_total')
    deaf, other = Sio(s.port, bob[1]), Sio(s.port, bob[1])
    position = deaf.event('connection:acknowledged')['position']
    deaf.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    a = Sio(s.port, alice[1])
    heard, took = 0, []
    stop = threading.Event()

    def listen():
        nonlocal heard
        while not stop.is_set():
            try:
                heard += other.event('message:new', wait_s=3) is not None
            except (OSError, Closed):
                return
    t = threading.Thread(target=listen)
    t.start()
    n = 150
    for i in range(n):
        began = time.monotonic()
        r = a.call('message:send', {'chatId': chat, 'encryptedContent': f'{i:06d}' + 'x' * 99000,
                                    'iv': ''})
        took.append(time.monotonic() - began)
        if 'error' in r:
            tap.check(False, 'sending', r)
    tap.check(until(lambda: count(s, 'nightjar_slow_readers_total') - slow == 1),
              'a slow reader is closed and counted')
    tap.check(max(took) < LATE_S, 'the sender does not wait for him', max(took))
    tap.check(until(lambda: heard == n), 'the others hear everything', heard)
    stop.set()
    tap.check(rss(s) - before < SLACK + 24 * MIB, 'memory is bounded', (before, rss(s)))
    other.close()
    t.join()
    deaf.close()
    back = Sio(s.port, bob[1], after=position)
    back.event('sync:now')
    seen = [d for e, d in back.events if e == 'message:new']
    live = len(seen)
    while live and len(seen) < n:
        r = s.rest('GET', f'/api/sync?after={seen[-1]["position"]}', token=bob[1])
        seen += [e['data'] for e in r.data['events'] if e['event'] == 'message:new']
        live = len(r.data['events'])
    got = [d['encryptedContent'][:6] for d in seen]
    tap.check(got == [f'{i:06d}' for i in range(n)], 'and he catches up, in order', got[:3])
    back.close()
    a.close()


def too_many(binary):
    """20,000 connections where 500 have room, on each of two reactors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    batch = min(2000, (hard if hard > 0 else 1 << 20) - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, batch + 100), hard))
    with Server(binary, flags=['--set', 'edge.conns_max=500', '--set', 'threads.reactors=2']) as s:
        keep = connect(s)
        keep.sendall(HEALTH)
        keep.recv(4096)
        before = rss(s)
        made = 0
        began = time.monotonic()
        while made < 20000 and time.monotonic() - began < 120:
            some = []
            for _ in range(batch):
                try:
                    some.append(connect(s))
                    made += 1
                except OSError:
                    break
            # Who is in stays in while the others wait.
            keep.sendall(HEALTH)
            if not keep.recv(4096).startswith(b'HTTP/1.1 200'):
                break
            for c in some:
                c.close()
        tap.check(made == 20000, '20,000 connections came', (made, time.monotonic() - began))
        tap.check(rss(s) - before < SLACK, 'memory is bounded', (before, rss(s)))

        def served():
            try:
                return s.rest('GET', '/health', timeout=20).status == 200
            except OSError:
                return False
        tap.check(until(served), 'when they are gone, others get in')
        tap.check(count(s, 'nightjar_edge_accept_paused_total') > 0,
                  'those beyond the limit waited, and it is counted')
        keep.close()
        tap.check(s.kill(15) == 0, 'and it ends in good order', s.log()[-1000:])


def guesses(s):
    """More passwords than may wait: 503 with Retry-After, and it goes on."""
    got, lock = [], threading.Lock()

    def one(i):
        r = s.rest('POST', '/api/auth/login', {'username': f'user{i}', 'password': 'Wrong-Horse-1'})
        with lock:
            got.append((r.status, r.headers.get('Retry-After')))
    many = [threading.Thread(target=one, args=(i,)) for i in range(30)]
    for t in many:
        t.start()
    swift(s, 'guessing')
    for t in many:
        t.join()
    tap.check({x for x, _ in got} == {401, 503} and all(
        after for x, after in got if x == 503), 'a full queue of hashes: 503 with Retry-After', got)


with Server(sys.argv[1], flags=[x for y in (
        'edge.request=1s', 'edge.idle=2s', 'edge.send=1s', 'edge.ping_interval=2s', 'edge.ping_timeout=2s',
        'edge.queue_max=3145728', 'edge.held_max=8388608', 'argon2.queue=2', 'argon2.threads=1',
        'threads.reactors=2', 'accounts.backoff_max=0') for x in ('--set', y)]) as server:
    people = [server.register('alice'), server.register('bob')]
    trickle(server)
    unfinished(server)
    deaf_http(server)
    deaf_ws(server, people[0][1])
    event_flood(server, people[0][1])
    slow_reader(server, *people)
    guesses(server)
    tap.check(until(lambda: count(server, 'nightjar_sockets') == 0), 'no socket is left behind')
    tap.check(server.kill(15) == 0, 'it is well, and ends in good order', server.log()[-2000:])
too_many(sys.argv[1])
sys.exit(tap.done())
