"""10_http.py PROGRAM: HTTP/1.1 (RFC 9112, 9110) as raw bytes, rule by rule, on
/healthz, /echo and paths that are none. Every row is sent whole, cut at some
places, and byte by byte where it is short, with the same result. What is
accepted leaves the connection in step: a further request on it is answered.
What is refused ends it, and a request behind it is never answered."""
import asyncio
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http_rows import (ACCEPTED, H, LAST, OK, REFUSED, chunked, framed, get,  # noqa: E402
                       post)
from peer import PROFILE_A, Peer, Tap  # noqa: E402

AT_ONCE = 24
WAIT_S = 60
LATE_S = 8               # a loaded machine may be: added to what the server has
SHORT = 400             # bytes: such a row is sent byte by byte, too
DATE = re.compile(r'(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
                  r' \d{4} \d\d:\d\d:\d\d GMT$')


class Wrong(Exception):
    """The server did not do what it has to."""


def need(ok, what):
    if not ok:
        raise Wrong(what)


class Answer:
    def __init__(self, status, head, body):
        self.status, self.head, self.body = status, head, body

    def __repr__(self):
        return f'{self.status} {self.head} {self.body[:200]!r}'


class Client:
    def __init__(self, port):
        self.port = port

    async def __aenter__(self):
        self.r, self.w = await asyncio.open_connection('127.0.0.1', self.port, limit=1 << 22)
        return self

    async def __aexit__(self, *_):
        self.w.close()

    async def send(self, data, pieces=1):
        """In so many pieces; that the server has had enough is no error."""
        size = max(1, -(-len(data) // pieces))
        try:
            for i in range(0, len(data), size):
                self.w.write(data[i:i + size])
                await self.w.drain()
                if pieces > 1:
                    await asyncio.sleep(0)
        except ConnectionError:
            pass

    async def line(self):
        line = await self.r.readuntil(b'\r\n')
        need(b'\r' not in line[:-2] and b'\n' not in line[:-2], f'a bare CR or LF: {line!r}')
        return line[:-2].decode('latin-1')

    async def answer(self, head_only=False):
        """The next one, read by its framing; None at the end."""
        try:
            status = await self.line()
        except (asyncio.IncompleteReadError, ConnectionError) as e:
            need(not getattr(e, 'partial', b''), f'half an answer: {e!r}')
            return None
        need(re.fullmatch(r'HTTP/1\.1 [1-5]\d\d [\x20-\x7e]+', status), f'status line {status!r}')
        code = int(status[9:12])
        head = {}
        while text := await self.line():
            name, _, value = text.partition(': ')
            need(re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name), f'field {text!r}')
            need(name.lower() not in head, f'{name} twice')
            head[name.lower()] = value
        if code == 100:
            need(not head, 'fields of 100')
            return Answer(code, head, b'')
        need(DATE.match(head.get('date', '')), f'RFC 9110 6.6.1: Date {head}')
        need('transfer-encoding' not in head, 'no answer here is chunked')
        if code == 204:
            need('content-length' not in head, 'RFC 9110 8.6: no length in 204')
            return Answer(code, head, b'')
        need(re.fullmatch(r'\d+', head.get('content-length', '')), f'RFC 9110 8.6: a length: {head}')
        n = 0 if head_only else int(head['content-length'])
        return Answer(code, head, await self.r.readexactly(n) if n else b'')

    async def ended(self):
        try:
            rest = await self.r.read(1000)
        except ConnectionError:
            return
        need(rest == b'', f'more than the end: {rest!r}')


async def check(c, wanted, body):
    """The next answer is the one that is wanted."""
    kind = str(wanted)
    a = await c.answer(kind.startswith('HEAD'))
    if a is not None and a.status == 100:
        a = await c.answer(kind.startswith('HEAD'))
    need(a is not None, f'no answer, not {wanted}')
    status = 200 if kind == 'HEAD' else 404 if kind == 'HEAD404' else 405 if kind == '405 POST' else wanted
    need(status is None or a.status == status, f'{a}, not {wanted}')
    need(body is None or a.body == body, f'another body: {a}')
    if kind == 'HEAD':
        need(a.head['content-length'] == '3', 'RFC 9110 9.3.2: the length that GET would have')
    if kind == '405 POST':
        need(a.head.get('allow') == 'POST', f'RFC 9110 15.5.6: Allow: {a.head}')
    return a


async def accepted(port, data, answers, pieces):
    async with Client(port) as c:
        sending = asyncio.ensure_future(c.send(data, pieces))
        for wanted, body in answers:
            a = await check(c, wanted, body)
            need('close' not in a.head.get('connection', ''), f'it closes: {a}')
        await sending
        await c.send(get())
        await check(c, 200, b'ok\n')


async def last(port, data, answers, pieces):
    async with Client(port) as c:
        sending = asyncio.ensure_future(c.send(data, pieces))
        for i, (wanted, body) in enumerate(answers):
            a = await check(c, wanted, body)
        need(a.head.get('connection') == 'close', f'RFC 9112 9.6: it does not say close: {a}')
        await c.ended()
        await sending


async def refused(port, data, statuses, pieces):
    async with Client(port) as c:
        sending = asyncio.ensure_future(c.send(data + get() * 2, pieces))
        a = await c.answer()
        need(a is not None, f'no answer, not {statuses}')
        need(a.status in statuses, f'{a}, not {statuses}')
        need(a.head.get('connection') == 'close', f'RFC 9112 9.6: it does not say close: {a}')
        await c.ended()
        await sending


async def in_all_ways(how, port, data, wanted):
    ways = [1, 2, 3] + ([len(data)] if len(data) <= SHORT else [])
    for pieces in ways:
        try:
            await asyncio.wait_for(how(port, data, wanted, pieces), WAIT_S)
        except Exception as e:
            raise Wrong(f'in {pieces} pieces: {e!r}') from e


# ---- What rows can not say ----

async def continues(port):
    async with Client(port) as c:
        await c.send(framed(b'Content-Length: 5', b'Expect: 100-continue', body=b''))
        a = await c.answer()
        need(a.status == 100, f'{a}')
        await c.send(b'hello')
        await check(c, 200, b'hello')


async def continues_chunked(port):
    async with Client(port) as c:
        await c.send(framed(b'Transfer-Encoding: chunked', b'Expect: 100-continue', body=b''))
        need((await c.answer()).status == 100, 'no 100')
        await c.send(b'5\r\nhello\r\n0\r\n\r\n')
        await check(c, 200, b'hello')


async def no_continue_when_refused(port):
    async with Client(port) as c:
        await c.send(framed(b'Content-Length: 1000001', b'Expect: 100-continue', body=b''))
        a = await c.answer()
        need(a.status == 413, f'{a}')
        await c.ended()


async def no_continue_unasked(port):
    async with Client(port) as c:
        await c.send(framed(b'Content-Length: 5', body=b''))
        await asyncio.sleep(0.3)
        await c.send(b'hello')
        need((await c.answer()).status == 200, '100 without Expect')


async def keeps_order(port):
    async with Client(port) as c:
        bodies = [b'%d' % i * (i % 50) for i in range(500)]
        sending = asyncio.ensure_future(c.send(b''.join(
            chunked(b) if i % 2 and b else post(b) for i, b in enumerate(bodies))))
        for b in bodies:
            await check(c, 200, b)
        await sending


async def half_closed(port):
    async with Client(port) as c:
        await c.send(get() + post(b'x'))
        c.w.write_eof()
        await check(c, 200, b'ok\n')
        await check(c, 200, b'x')
        await c.ended()


async def cut_head(port):
    async with Client(port) as c:
        await c.send(get()[:-2])
        c.w.write_eof()
        a = await c.answer()
        need(a is None or a.status == 400, f'{a}')


async def cut_body(port):
    async with Client(port) as c:
        await c.send(framed(b'Content-Length: 9'))
        c.w.write_eof()
        a = await c.answer()
        need(a is None or a.status == 400, f'{a}')


async def cut_chunks(port):
    async with Client(port) as c:
        await c.send(chunked(b'hello')[:-2])
        c.w.write_eof()
        a = await c.answer()
        need(a is None or a.status == 400, f'{a}')


async def trickle(port, data, least_s, most_s):
    """A byte every 0.2 s: ended between these times, by 408 or without."""
    most_s += LATE_S
    async with Client(port) as c:
        async def drip():
            try:
                for i in range(len(data)):
                    c.w.write(data[i:i + 1])
                    await c.w.drain()
                    await asyncio.sleep(0.2)
            except ConnectionError:
                pass
        began = time.monotonic()
        dripping = asyncio.ensure_future(drip())
        a = await asyncio.wait_for(c.answer(), most_s)
        took = time.monotonic() - began
        dripping.cancel()
        need(a is None or a.status == 408, f'{a}')
        need(least_s <= took <= most_s, f'{took:.1f} s')


async def slow_head(port):
    await trickle(port, b'GET /healthz HTTP/1.1\r\n' + b'X: y\r\n' * 40, 1, 5)


async def silent_head(port):
    await trickle(port, b'G', 1, 5)


async def no_head(port):
    await trickle(port, b'', 1, 90)


async def slow_second_head(port):
    async with Client(port) as c:
        await c.send(get() + b'GET /he')
        await check(c, 200, b'ok\n')
        began = time.monotonic()
        a = await asyncio.wait_for(c.answer(), 6 + LATE_S)
        need(a is None or a.status == 408, f'{a}')
        need(1 <= time.monotonic() - began <= 5 + LATE_S, 'time of the second head')


async def silent_body(port):
    async with Client(port) as c:
        await c.send(framed(b'Content-Length: 9'))
        began = time.monotonic()
        a = await asyncio.wait_for(c.answer(), 9 + LATE_S)
        need(a is None or a.status == 408, f'{a}')
        need(1 <= time.monotonic() - began <= 8.5 + LATE_S, 'silence in a body')


async def silent_chunks(port):
    async with Client(port) as c:
        await c.send(chunked(b'hello')[:-5])
        a = await asyncio.wait_for(c.answer(), 9 + LATE_S)
        need(a is None or a.status == 408, f'{a}')


async def slow_body(port):
    """Slow is not silent."""
    async with Client(port) as c:
        await c.send(framed(b'Content-Length: 10', body=b''))
        for i in range(10):
            await asyncio.sleep(0.9)
            await c.send(b'%d' % i)
        await check(c, 200, b'0123456789')


async def idle(port):
    async with Client(port) as c:
        await c.send(get())
        await check(c, 200, b'ok\n')
        await asyncio.sleep(5.2)
        await c.send(get())
        await check(c, 200, b'ok\n')


async def unread(port):
    """Who does not read is not served without end; who reads late gets all."""
    async with Client(port) as c:
        n = 3000
        sending = asyncio.ensure_future(c.send(post(b'u' * 2000) * n))
        await asyncio.sleep(1.5)
        for _ in range(n):
            await check(c, 200, b'u' * 2000)
        await sending


async def slow_reader(port):
    """A last answer takes the time that its reader needs."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ('127.0.0.1', port))
    await loop.sock_sendall(sock, post(b's' * 900000, b'Connection: close'))
    got = 0
    while piece := await loop.sock_recv(sock, 60000):
        got += len(piece)
        await asyncio.sleep(len(piece) / 150000)
    sock.close()
    need(got > 900000, f'only {got} bytes came')


async def many_connections(port):
    async def one():
        async with Client(port) as c:
            await c.send(get())
            await check(c, 200, b'ok\n')
    await asyncio.gather(*[one() for _ in range(300)])


SINGLE = [
    ('9110 10.1.1', '100 before the body', continues),
    ('9110 10.1.1', '100 before chunks', continues_chunked),
    ('9110 10.1.1', 'no 100 for what is refused', no_continue_when_refused),
    ('9110 10.1.1', 'no 100 that nobody asked for', no_continue_unasked),
    ('9112 9.3.2', '500 pipelined requests in order', keeps_order),
    ('9112 9.6', 'who has ended its half is answered', half_closed),
    ('9112 8', 'a head that was cut', cut_head),
    ('9112 8', 'a body that was cut', cut_body),
    ('9112 8', 'chunks that were cut', cut_chunks),
    ('9112 9.5', 'fields that trickle in do not extend the time', slow_head),
    ('9112 9.5', 'a head that stops', silent_head),
    ('9112 9.5', 'no head at all', no_head),
    ('9112 9.5', 'the second head has its time', slow_second_head),
    ('9112 9.5', 'silence in a body', silent_body),
    ('9112 9.5', 'silence in chunks', silent_chunks),
    ('9112 9.5', 'a slow body is not silent', slow_body),
    ('9112 9.5', 'an idle connection lives 5 s', idle),
    ('9112 9.3.2', 'answers wait for their reader', unread),
    ('9112 9.6', 'the last answer waits for its reader, too', slow_reader),
    ('9112 9.4', '300 connections at once', many_connections),
]


async def run(port, tap):
    gate = asyncio.Semaphore(AT_ONCE)
    results = []

    async def one(name, work):
        try:
            await work
            results.append((name, None))
        except Exception as e:
            results.append((name, f'{type(e).__name__}: {e}'))

    async def gated(name, how, data, wanted):
        async with gate:
            await one(name, in_all_ways(how, port, data, wanted))

    jobs = [one(f'RFC {s}: {what}', asyncio.wait_for(f(port), 100)) for s, what, f in SINGLE]
    for how, word, rows in ((accepted, 'taken', ACCEPTED), (last, 'taken, then the end', LAST),
                            (refused, 'refused', REFUSED)):
        jobs += [gated(f'RFC {s}: {what}: {word}', how, data, wanted) for s, what, data, wanted in rows]
    await asyncio.gather(*jobs)
    for name, error in results:
        tap.result(name, error)


def main():
    tap = Tap()
    with Peer(sys.argv[1], PROFILE_A) as p:
        asyncio.run(run(p.port, tap))
        with tap.case('the server has lived through it'):
            assert p.child.poll() is None
            assert p.resident() < 200 << 20 or 'san' in sys.argv
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
