"""behind.py: what has to hold behind a reverse proxy, whichever it is; for
50_nginx.py and 51_haproxy.py, which run the files of deploy/.

A proxy here is an object with a port `one` (a conformance server behind it),
`two` (two of them, sticky by address) and `product` (nightjard), all TLS, and
`rest`: the text of its log.
"""
import asyncio
import json
import logging
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import aiohttp
import engineio
import socketio

from peer import PROFILE_B, Peer, Tap

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from server import Server   # noqa: E402  (a nightjard of its own)

PATIENCE_S = 30
DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..',
                      'deploy')
BLIND = ssl.create_default_context()
BLIND.check_hostname = False
BLIND.verify_mode = ssl.CERT_NONE


def example(name):
    """A file of deploy/."""
    with open(os.path.join(DEPLOY, name), encoding='utf-8') as f:
        return f.read()


def change(text, what, to, times=1):
    """`what` (a pattern) becomes `to`; it has to stand there so many times."""
    text, n = re.subn(what, lambda _: to, text)
    assert n == times, f'{what!r} stands there {n} times'
    return text


def certificate():
    """(certificate, key), PEM, for localhost."""
    with tempfile.TemporaryDirectory() as root:
        key, cert = os.path.join(root, 'key'), os.path.join(root, 'cert')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:prime256v1', '-nodes', '-keyout',
                        key, '-out', cert, '-subj', '/CN=localhost'],
                       check=True, stderr=subprocess.DEVNULL)
        with open(cert, encoding='ascii') as c, \
                open(key, encoding='ascii') as k:
            return c.read(), k.read()


def wait_for(port):
    """A port behind which somebody answers."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if get(f'https://127.0.0.1:{port}/healthz')[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError('the proxy does not listen')


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(url, headers=None, body=None):
    """(status, body, fields); redirects are not followed."""
    req = urllib.request.Request(url, data=body, headers=headers or {})
    opener = urllib.request.build_opener(
        Stay, urllib.request.HTTPSHandler(context=BLIND))
    try:
        with opener.open(req, timeout=PATIENCE_S) as r:
            return r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


def get(url, headers=None, body=None):
    """(status, body)"""
    return ask(url, headers, body)[:2]


class Client:
    """headers: in each of its requests."""

    def __init__(self, headers=None):
        self.http = aiohttp.ClientSession(headers=headers)
        self.c = socketio.AsyncClient(reconnection=False, ssl_verify=False,
                                      http_session=self.http)
        self.got = asyncio.Queue()
        for name in ('message-back', 'broadcast-back'):
            self.c.on(name, lambda *a: self.got.put_nowait(a))

    async def open(self, port, transports, auth=None):
        await self.c.connect(f'https://127.0.0.1:{port}', auth=auth,
                             transports=transports, wait_timeout=PATIENCE_S)
        return self

    async def close(self):
        await self.c.disconnect()
        await self.http.close()

    async def next(self):
        return await asyncio.wait_for(self.got.get(), PATIENCE_S)


def same(a, b):
    assert a == b, f'{a!r:.300} is not {b!r:.300}'


async def talk(port, transports, headers=None, rounds=30):
    """Everything comes back; what the server says of the transport."""
    c = await Client(headers).open(port, transports)
    for i in range(rounds):
        await c.c.emit('message', (i, b'x' * i))
    for i in range(rounds):
        same(await c.next(), (i, b'x' * i))
    big = 'y' * 1000000
    await c.c.emit('message', big)
    same(await c.next(), (big,))
    info = await c.c.call('info', timeout=PATIENCE_S)
    await c.close()
    return info


async def through_one(tap, proxy):
    for transports in (['websocket'], ['polling'], ['polling', 'websocket']):
        with tap.case(f'through it by {" and ".join(transports)}'):
            info = await talk(proxy.one, transports)
            same(info['transport'], transports[-1])
    with tap.case('through it: many at once'):
        kinds = (['websocket'], ['polling'], ['polling', 'websocket'])
        await asyncio.gather(*(talk(proxy.one, kinds[i % 3], rounds=10)
                               for i in range(30)))


async def through_two(tap, proxy, peers, claim):
    """claim(i): fields by which the i-th client has an address of its own."""
    with tap.case('two servers, sticky by address: polling and upgrades stay'):
        jobs = []
        for i in range(24):
            kind = (['polling'], ['polling', 'websocket'])[i // 2 % 2]
            jobs.append(talk(proxy.two, kind, claim(i), rounds=10))
        for info in await asyncio.gather(*jobs):
            assert info['id']
    with tap.case('two servers: both are used, and a session of the other one '
                  'is unknown (400)'):
        polling = '/socket.io/?EIO=4&transport=polling'
        knows = {0: set(), 1: set()}
        for i in range(24):
            _, body = get(f'https://127.0.0.1:{proxy.two}' + polling, claim(i))
            sid = json.loads(body[1:])['sid']
            for k in knows:
                status, body = get(f'http://127.0.0.1:{peers[k].port}{polling}'
                                   f'&sid={sid}', body=b'40')
                if status == 200:
                    knows[k].add(i)
                else:
                    same((status, json.loads(body)['code']), (400, 1))
        same(sorted([*knows[0], *knows[1]]), list(range(24)))
        assert knows[0] and knows[1], knows


JSON = {'Content-Type': 'application/json'}


def person(base, name, **more):
    """(status, answer, fields) of a registration."""
    status, body, fields = ask(
        base + '/api/auth/register', JSON, json.dumps(
            {'username': name, 'password': 'Correct-Horse-7',
             'email': f'{name}@example.org', **more}).encode())
    return status, json.loads(body), fields


async def product(tap, proxy):
    """nightjard behind it, with everything that a client uses."""
    base = f'https://127.0.0.1:{proxy.product}'
    with tap.case('nightjard: REST; it knows that the client came by https'):
        status, _, fields = ask(base + '/ready')
        same((status, 'Strict-Transport-Security' in fields), (200, True))
        status, answer, _ = person(base, 'behind')
        same(status, 201)
        token = answer['data']['tokens']['accessToken']
    with tap.case('nightjard: a page of the same host is our own origin'):
        origin = {'Origin': base}
        same(get(base + '/socket.io/?EIO=4&transport=polling', origin)[0], 200)
        foreign = {'Origin': 'https://elsewhere.example'}
        same(get(base + '/socket.io/?EIO=4&transport=polling', foreign)[0],
             403)
    for transports in (['websocket'], ['polling'], ['polling', 'websocket']):
        with tap.case(f'nightjard by {transports[-1]} from {transports[0]}'):
            c = await Client().open(proxy.product, transports,
                                    auth={'token': token})
            assert c.c.get_sid()
            await c.close()
    with tap.case('nightjard: what is too large is said by it (413)'):
        status, body = get(base + '/api/auth/login', JSON, b' ' * 1500000)
        same((status, json.loads(body)['error']['code']), (413, 'too_large'))
    with tap.case('/metrics are not for outside'):
        same(get(base + '/metrics')[0], 404)
    with tap.case('http is sent to https'):
        status, _, fields = ask(f'http://127.0.0.1:{proxy.plain}/a?b=c')
        same(status, 308)
        assert fields['Location'].startswith('https://'), fields['Location']
        assert fields['Location'].endswith('/a?b=c'), fields['Location']


def login(base, name, fields):
    return get(base + '/api/auth/login', {**JSON, **fields}, json.dumps(
        {'username': name, 'password': 'wrong'}).encode())[0]


async def through(tap, make, taken, addresses, programs):
    conformance, nightjard = programs
    with Peer(conformance, PROFILE_B) as a, Peer(conformance, PROFILE_B) as b, \
            Server(nightjard, limits=True, flags=(
                '--set', 'edge.trusted=127.0.0.1')) as server:
        proxy = make(a.port, b.port, server.port)
        with tap.case(taken):
            proxy.check()
        with proxy:
            await through_one(tap, proxy)
            await through_two(tap, proxy, (a, b), lambda i: {
                'X-Client': f'10.{i}.7.{i + 1}'})
            await product(tap, proxy)
            addresses(tap, proxy)


def main(make, taken, addresses):
    """All of it: make(a, b, c) is the proxy before the servers at these
    ports; addresses(tap, proxy) are the cases that only it can say."""
    logging.disable(logging.CRITICAL)
    engineio.payload.Payload.max_decode_packets = 1000
    tap = Tap()
    asyncio.run(through(tap, make, taken, addresses, sys.argv[1:3]))
    return tap.done()
