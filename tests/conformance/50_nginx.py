#!/usr/bin/python3
"""50_nginx.py: behind nginx, as people run it: Engine.IO over WebSocket and
polling through a reverse proxy; two servers with sticky polling; nightjard
with trusted proxy headers.

    50_nginx.py CONFORMANCE [NIGHTJARD]
"""
import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import engineio
import socketio

from peer import PROFILE_B, Peer, Tap, free_port

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from server import Server   # noqa: E402  (a nightjard of its own)

PATIENCE_S = 10
NGINX = shutil.which('nginx') or '/usr/sbin/nginx'

CONFIG = '''
daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {root}/b; proxy_temp_path {root}/p;
  fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  client_max_body_size 8m;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream one {{ server 127.0.0.1:{a}; keepalive 16; }}
  upstream two {{ ip_hash; server 127.0.0.1:{a}; server 127.0.0.1:{b}; }}
  upstream product {{ server 127.0.0.1:{c}; keepalive 16; }}
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_read_timeout 60s; proxy_buffering off;
  server {{ listen 127.0.0.1:{one}; location / {{ proxy_pass http://one; }} }}
  server {{ listen 127.0.0.1:{two}; set_real_ip_from 127.0.0.1;
    real_ip_header X-Client; location / {{ proxy_pass http://two; }} }}
  server {{ listen 127.0.0.1:{product}; set_real_ip_from 127.0.0.1;
    real_ip_header X-Client;
    location / {{ proxy_pass http://product; }} }}
}}
'''


class Nginx:
    """Its ports: one, two, product."""

    def __init__(self, **ports):
        self.root = tempfile.mkdtemp(prefix='nightjar-nginx-')
        self.one, self.two, self.product = (free_port() for _ in range(3))
        path = os.path.join(self.root, 'nginx.conf')
        text = CONFIG.format(root=self.root, one=self.one, two=self.two,
                             product=self.product, **ports)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        self.child = subprocess.Popen(
            [NGINX, '-c', path, '-p', self.root, '-e',
             os.path.join(self.root, 'error.log')], stdin=subprocess.DEVNULL)

    def __enter__(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                get(f'http://127.0.0.1:{self.one}/healthz')
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError('nginx does not listen')

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(10)
        shutil.rmtree(self.root, ignore_errors=True)


def get(url, headers=None, body=None):
    """(status, body)"""
    req = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(req, timeout=PATIENCE_S) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


class Client:
    def __init__(self):
        self.c = socketio.AsyncClient(reconnection=False)
        self.got = asyncio.Queue()
        for name in ('message-back', 'broadcast-back'):
            self.c.on(name, lambda *a: self.got.put_nowait(a))

    async def open(self, port, transports, headers=None):
        await self.c.connect(f'http://127.0.0.1:{port}', headers=headers or {},
                             transports=transports, wait_timeout=PATIENCE_S)
        return self

    async def next(self):
        return await asyncio.wait_for(self.got.get(), PATIENCE_S)


def same(a, b):
    assert a == b, f'{a!r:.300} is not {b!r:.300}'


async def talk(port, transports, headers=None, rounds=30):
    """Everything comes back; what the server says of the transport."""
    c = await Client().open(port, transports, headers)
    for i in range(rounds):
        await c.c.emit('message', (i, b'x' * i))
    for i in range(rounds):
        same(await c.next(), (i, b'x' * i))
    big = 'y' * 1000000
    await c.c.emit('message', big)
    same(await c.next(), (big,))
    info = await c.c.call('info', timeout=PATIENCE_S)
    await c.c.disconnect()
    return info


async def through_one(tap, nginx):
    for transports in (['websocket'], ['polling'], ['polling', 'websocket']):
        with tap.case(f'through nginx by {" and ".join(transports)}'):
            info = await talk(nginx.one, transports)
            same(info['transport'], transports[-1])
    with tap.case('through nginx: many at once'):
        kinds = (['websocket'], ['polling'], ['polling', 'websocket'])
        await asyncio.gather(*(talk(nginx.one, kinds[i % 3], rounds=10)
                               for i in range(30)))


async def through_two(tap, nginx, peers):
    with tap.case('two servers, sticky by address: polling and upgrades stay'):
        jobs = []
        for i in range(24):
            headers = {'X-Client': f'10.{i}.7.{i + 1}'}
            kind = (['polling'], ['polling', 'websocket'])[i % 2]
            jobs.append(talk(nginx.two, kind, headers, rounds=10))
        for info in await asyncio.gather(*jobs):
            assert info['id']
    with tap.case('two servers: a session of the other one is unknown (400)'):
        status, body = get(f'http://127.0.0.1:{peers[0].port}'
                           '/socket.io/?EIO=4&transport=polling')
        same(status, 200)
        sid = json.loads(body[1:])['sid']
        status, body = get(f'http://127.0.0.1:{peers[1].port}'
                           f'/socket.io/?EIO=4&transport=polling&sid={sid}')
        same((status, json.loads(body)['code']), (400, 1))


async def product(tap, nginx):
    """nightjard behind nginx: the client's address is the forwarded one."""
    base = f'http://127.0.0.1:{nginx.product}'
    with tap.case('nightjard through nginx: REST'):
        same(get(base + '/ready')[0], 200)
        person = json.dumps({'username': 'behind', 'password':
                             'Correct-Horse-7', 'email': 'b@example.org'})
        status, body = get(base + '/api/auth/register',
                           {'Content-Type': 'application/json'},
                           person.encode())
        same(status, 201)
        token = json.loads(body)['data']['tokens']['accessToken']
    for transports in (['websocket'], ['polling'], ['polling', 'websocket']):
        with tap.case(f'nightjard through nginx by {transports[-1]} '
                      f'from {transports[0]}'):
            c = socketio.AsyncClient(reconnection=False)
            await c.connect(base, transports=transports,
                            auth={'token': token}, wait_timeout=PATIENCE_S)
            assert c.get_sid()
            await c.disconnect()
    with tap.case('nightjard: limits count the forwarded address, '
                  'which only the proxy may name'):
        # All of them come from one client, who writes another address in front
        # of its own each time: that is not believed.
        seen = [login(base, '198.51.100.7', f'9.9.9.{i}', f'nobody{i}')
                for i in range(20)]
        assert seen[0] == 401, seen
        assert seen[-1] == 429, seen
        same(login(base, '198.51.100.8', '198.51.100.7', 'nobody'), 401)


def login(base, client, claims, name):
    """X-Client is, for this nginx, where a connection comes from."""
    return get(base + '/api/auth/login', {
        'Content-Type': 'application/json', 'X-Client': client,
        'X-Forwarded-For': claims}, json.dumps(
            {'username': name, 'password': 'wrong'}).encode())[0]


async def run(tap, conformance, nightjard):
    with Peer(conformance, PROFILE_B) as a, Peer(conformance, PROFILE_B) as b:
        if nightjard is None:
            with Nginx(a=a.port, b=b.port, c=a.port) as nginx:
                await through_one(tap, nginx)
                await through_two(tap, nginx, (a, b))
            return
        with Server(nightjard, limits=True, flags=(
                '--set', 'edge.trusted=127.0.0.1')) as server:
            with Nginx(a=a.port, b=b.port, c=server.port) as nginx:
                await through_one(tap, nginx)
                await through_two(tap, nginx, (a, b))
                await product(tap, nginx)


def main():
    logging.disable(logging.CRITICAL)
    engineio.payload.Payload.max_decode_packets = 1000
    tap = Tap()
    nightjard = sys.argv[2] if len(sys.argv) > 2 else None
    asyncio.run(run(tap, sys.argv[1], nightjard))
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
