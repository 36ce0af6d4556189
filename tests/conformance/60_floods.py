#!/usr/bin/python3
"""60_floods.py: who does not read, does not finish, sends too much or comes too
often: memory stays within the limits, others are served meanwhile, and
afterwards everything is given back.

    60_floods.py PROGRAM [san]     one row a case at the end of the file
"""
import base64
import multiprocessing
import os
import resource
import select
import socket
import struct
import sys
import time
import urllib.request
import zlib

from peer import PROFILE_A, PROFILE_B, PROFILE_C, Peer, Tap

MIB = 1 << 20
SAN = 'san' in sys.argv[2:]
# A sanitizer keeps what was freed for a while, and its shadow.
SLACK = 400 * MIB if SAN else 24 * MIB
SCALE = 4 if SAN else 1         # and is slow: fewer of everything
LATE_S = 6                      # others wait at most; a loaded machine is slow, too
MASK = b'\x11\x22\x33\x44'


# ---- bytes ----

def masked(data):
    n = len(data)
    mask = int.from_bytes((MASK * (n // 4 + 1))[:n], 'big')
    return (int.from_bytes(data, 'big') ^ mask).to_bytes(n, 'big')


def frame(data, op=1, fin=True, rsv1=False):
    """A client's frame; op 1: text."""
    data = data.encode() if isinstance(data, str) else data
    n = len(data)
    head = bytes([(0x80 if fin else 0) | (0x40 if rsv1 else 0) | op])
    if n < 126:
        head += bytes([0x80 | n])
    elif n < 65536:
        head += b'\xfe' + struct.pack('>H', n)
    else:
        head += b'\xff' + struct.pack('>Q', n)
    return head + MASK + masked(data)


def dial(p, timeout=40):
    return socket.create_connection(('127.0.0.1', p.port), timeout)


def read_head(c):
    data = b''
    while b'\r\n\r\n' not in data:
        piece = c.recv(4096)
        if not piece:
            raise EOFError(data[:200])
        data += piece
    return data


def ws(p, path, fields=''):
    """An open WebSocket; what came with the 101 is dropped."""
    c = dial(p)
    key = base64.b64encode(os.urandom(16)).decode()
    c.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'
              f'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
              f'Sec-WebSocket-Key: {key}\r\n{fields}\r\n'.encode())
    head = read_head(c)
    if not head.startswith(b'HTTP/1.1 101'):
        c.close()
        raise EOFError(head[:100])
    return c


def sio(p, nsp=''):
    """A Socket.IO socket that has joined `nsp` and heard so."""
    c = ws(p, '/socket.io/?EIO=4&transport=websocket')
    c.sendall(frame(f'40{nsp}'))
    data = b''
    while b'"auth"' not in data:
        piece = c.recv(4096)
        if not piece:
            raise EOFError(data[:200])
        data += piece
    return c


def pour(socks, data, most, wait_s=0.7):
    """Sends `data` on each again and again, without reading, until nothing is
    taken any more or `most` bytes were; bytes taken in all."""
    left = {c: most for c in socks}
    view = {c: memoryview(data) for c in socks}
    sent = 0
    for c in socks:
        c.setblocking(False)
    while left:
        ready = select.select([], list(left), [], wait_s)[1]
        if not ready:
            break
        for c in ready:
            try:
                n = c.send(view[c])
            except BlockingIOError:
                continue
            except OSError:
                del left[c]
                continue
            sent += n
            left[c] -= n
            view[c] = view[c][n:] or memoryview(data)
            if left[c] <= 0:
                del left[c]
    return sent


def trickle(socks):
    """Nothing is read; whoever was ended is noticed. How many are alive."""
    alive = 0
    for c in socks:
        c.setblocking(False)
        try:
            while c.recv(1 << 20):
                pass
        except BlockingIOError:
            alive += 1
        except OSError:
            pass
    return alive


def shut(socks):
    for c in socks:
        # A reset: the server is not to wait for anything.
        try:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
        except OSError:
            pass
        c.close()


def until(what, wait_s=40):
    end = time.monotonic() + wait_s
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


# ---- watching ----

class Watch:
    """Another client's view during an attack, from a process of its own: is
    it served in time? And the most memory that the server took."""

    def __init__(self, p):
        self.p, self.stop = p, multiprocessing.Event()
        self.before = p.resident()
        self.peak = multiprocessing.Value('q', 0)
        self.slowest = multiprocessing.Value('d', 0)
        self.unserved = multiprocessing.Value('i', 0)
        self.child = multiprocessing.Process(target=self.run, daemon=True)

    def run(self):
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                with urllib.request.urlopen(self.p.url + '/healthz',
                                            timeout=40) as r:
                    assert r.read() == b'ok\n'
            except (OSError, AssertionError):
                self.unserved.value += 1
            took = time.monotonic() - began
            self.slowest.value = max(self.slowest.value, took)
            self.peak.value = max(self.peak.value, self.p.resident())
            self.stop.wait(0.02)

    def __enter__(self):
        self.child.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.child.join()

    def judge(self, budget):
        grown = max(self.peak.value, self.p.resident()) - self.before
        late = self.slowest.value
        if os.environ.get('TIMES'):
            print(f'#   {grown / MIB:.1f} MiB, {late:.2f} s')
        assert not self.unserved.value, 'others were not served'
        assert late < LATE_S, f'others waited {late:.2f} s'
        assert grown < budget * MIB + SLACK, \
            f'{grown // MIB} MiB more, at most {budget}'


# ---- attacks: (peer) -> sockets to be shut at the end ----

def deaf_to_events(p):
    """They ask for all the events they can and read none."""
    socks = [sio(p) for _ in range(20)]
    for c in socks:
        c.sendall(frame('42["emit-n",100000]') * 20)
    time.sleep(1.5)
    return socks


def deaf_echo(p):
    """They send without end on /ws-echo and read nothing."""
    socks = [ws(p, '/ws-echo') for _ in range(10)]
    sent = pour(socks, frame(b'x' * 100000, op=2), 40 * MIB)
    # Buffers of two kernels, and what the server lets wait.
    assert sent < 10 * 24 * MIB, f'{sent // MIB} MiB were taken'
    return socks


def deaf_engine_echo(p):
    """The same on /engine.io/."""
    socks = [ws(p, '/engine.io/?EIO=4&transport=websocket') for _ in range(10)]
    sent = pour(socks, frame('4' + 'x' * 50000), 40 * MIB)
    assert sent < 10 * 24 * MIB, f'{sent // MIB} MiB were taken'
    return socks


def deaf_requests(p):
    """They pipeline requests and read no answer."""
    socks = [dial(p) for _ in range(20)]
    sent = pour(socks, b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n' * 1000,
                20 * MIB)
    assert sent < 20 * 16 * MIB, f'{sent // MIB} MiB were taken'
    return socks


def deaf_to_broadcast(p):
    """Fifty that do not read hear twenty MB each: one copy for all."""
    socks = [sio(p, '/dyn-1,') for _ in range(50)]
    speaker = sio(p, '/dyn-1,')
    pour([speaker], frame('42/dyn-1,["broadcast","' + 'x' * 100000 + '"]'),
         20 * MIB)
    return socks + [speaker]


def half_open(p):
    """Nothing, or half a head, on two thousand connections."""
    socks = [dial(p) for _ in range(2000 // SCALE)]
    for c in socks[::2]:
        c.send(b'GET /healthz HTTP/1.1\r\nHost: x\r\nX-')
    assert until(lambda: trickle(socks[::2]) == 0, 40), 'half a head may stay'
    return socks


def half_bodies(p):
    """200 bodies of 1 MB, all but the last byte."""
    socks = [dial(p) for _ in range(200 // SCALE)]
    data = b'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n' \
        + b'x' * 999999
    pour(socks, data, len(data), 0.3)
    return socks


def polling_sessions(p):
    """Handshakes as fast as they go; nobody ever polls."""
    socks = [dial(p) for _ in range(8)]
    pour(socks, b'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n'
         b'Host: x\r\n\r\n' * 50, MIB // SCALE, 0.3)
    for _ in range(40):
        trickle(socks)
        time.sleep(0.05)
    return socks


def never_joined(p):
    """A thousand WebSockets that join no namespace, and answer no ping."""
    socks = [ws(p, '/socket.io/?EIO=4&transport=websocket')
             for _ in range(1000 // SCALE)]
    assert until(lambda: trickle(socks) == 0, 40), 'they live on'
    return socks


def ack_ids(p):
    """Acknowledgements that nobody waits for, and ids beyond all numbers."""
    a, b = sio(p), sio(p)
    many = b''.join(frame(f'43{i * 7919 % (1 << 53)}["x"]') for i in range(1000))
    pour([a], many, 3 * MIB)
    b.sendall(frame('42' + '9' * 100000 + '["message-with-ack"]'))
    return [a, b]


def attachments(p):
    """They announce ten attachments, send nine of 900 kB, and wait."""
    socks = [sio(p) for _ in range(100 // SCALE)]
    text = ','.join('{"_placeholder":true,"num":%d}' % i for i in range(10))
    data = frame(f'4510-["message",{text}]') + \
        frame(b'y' * 900000, op=2) * 9
    pour(socks, data, len(data), 0.5)
    for count in ('451000000000-', '4599999999999999999999-', '4511-'):
        c = sio(p)
        c.sendall(frame(count + '["message",{"_placeholder":true,"num":0}]'))
        socks.append(c)
    return socks


def bombs(p):
    """A gigabyte of zeros for a megabyte of deflate, on thirty connections."""
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = z.compress(bytes(MIB)) + z.flush(zlib.Z_FULL_FLUSH)
    again = z.compress(bytes(MIB)) + z.flush(zlib.Z_FULL_FLUSH)
    bomb = part + again * 1000
    socks = [ws(p, '/ws-echo', 'Sec-WebSocket-Extensions: permessage-deflate'
                '\r\n') for _ in range(30 // SCALE)]
    data = frame(bomb, op=2, rsv1=True)
    pour(socks, data, len(data), 0.5)
    assert until(lambda: trickle(socks) == 0), 'a bomb was taken'
    return socks


def fragments(p):
    """A message in pieces of one byte, with pings between, never finished."""
    socks = [ws(p, '/ws-echo') for _ in range(10)]
    for c in socks:
        c.sendall(frame(b'x', op=2, fin=False))
    pour(socks, (frame(b'y', op=0, fin=False) + frame(b'', op=9)) * 2000,
         3 * MIB // SCALE)
    return socks


def namespaces(p):
    """Ten sessions that join two thousand namespaces each."""
    socks = [sio(p) for _ in range(10)]
    for k, c in enumerate(socks):
        data = b''.join(frame(f'40/dyn-{k * 2000 + i},') for i in range(2000))
        pour([c], data, len(data), 0.3)
        trickle([c])
    return socks


def rooms(p):
    """Twenty sockets that join rooms of long names without end."""
    socks = [sio(p) for _ in range(20)]
    for k, c in enumerate(socks):
        data = b''.join(frame(f'42["join","{k}-{i}-{"r" * 900}"]')
                        for i in range(2000 // SCALE))
        pour([c], data, len(data), 0.3)
        trickle([c])
    return socks


def questions(p):
    """They have themselves asked, and never answer."""
    socks = [sio(p) for _ in range(20)]
    data = frame('421["ask-me","q",60000000]') * 20000
    pour(socks, data, MIB // SCALE, 0.3)
    return socks


def logged(p):
    """Recovery: a gigabyte of events to be kept, one after the other."""
    c = sio(p, '/dyn-7,')
    pour([c], frame('42/dyn-7,["to-room","nobody","' + 'x' * 500000 + '"]'),
         500 * MIB // SCALE, 1)
    return [c]


def kept(p):
    """Recovery: three thousand sockets that break off one after the other."""
    for _ in range(3000 // SCALE):
        c = sio(p, '/dyn-8,')
        shut([c])
    return []


# what, flags of the server, MiB that it may take more meanwhile
ROWS = (
    (half_open, PROFILE_A, 16),
    (deaf_to_events, PROFILE_A, 20 * 8),
    (deaf_echo, PROFILE_A, 16),
    (deaf_engine_echo, PROFILE_B, 16),
    (deaf_requests, PROFILE_A, 16),
    (deaf_to_broadcast, PROFILE_A, 48),
    (half_bodies, PROFILE_A, 256),
    (polling_sessions, PROFILE_A, 24),
    (never_joined, PROFILE_A, 16),
    (ack_ids, PROFILE_A, 8),
    (attachments, PROFILE_A, 256 + 32),
    (bombs, PROFILE_A + ('--ws-max', '2000000'), 96),
    (fragments, PROFILE_A, 32),
    (namespaces, PROFILE_A, 24),
    (rooms, PROFILE_A, 40),
    (questions, PROFILE_A, 24),
    (logged, PROFILE_C, 96),
    (kept, PROFILE_C, 24),
)


def one(program, attack, flags, budget):
    with Peer(program, flags) as p:
        shut([sio(p), ws(p, '/ws-echo')])
        assert until(lambda: p.descriptors() > 0)
        time.sleep(0.2)
        files = p.descriptors()
        with Watch(p) as watch:
            socks = attack(p)
            time.sleep(0.3)
        watch.judge(budget)
        shut(socks)
        assert until(lambda: p.descriptors() <= files), \
            f'{p.descriptors()} descriptors, {files} before'
        c = sio(p)
        c.sendall(frame('421["message-with-ack","alive"]'))
        data = b''
        while b'431["alive"]' not in data:
            data += c.recv(4096)
        shut([c])
        status = p.stop()
        assert status == 0, f'it ended with {status}'


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    tap = Tap()
    only = os.environ.get('ONLY')
    for attack, flags, budget in ROWS:
        if only and only not in attack.__name__:
            continue
        began = time.monotonic()
        with tap.case(attack.__doc__.split('\n')[0].rstrip('.')
                      if attack.__doc__ else attack.__name__):
            one(sys.argv[1], attack, flags, budget)
        if os.environ.get('TIMES'):
            print(f'# {attack.__name__} {time.monotonic() - began:.1f} s')
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
