#!/usr/bin/python3
"""51_haproxy.py: behind HAProxy, by deploy/haproxy.cfg itself: Engine.IO over
WebSocket and polling; two servers with sticky polling; nightjard with trusted
proxy headers.

    51_haproxy.py CONFORMANCE NIGHTJARD
"""
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile

import behind
from behind import change, same
from peer import free_port

HAPROXY = shutil.which('haproxy') or '/usr/sbin/haproxy'


class Haproxy:
    """deploy/haproxy.cfg three times, as one, two and product: a process for
    each. Two servers are told apart by X-Client, in the place of the client's
    address, since all of ours are 127.0.0.1."""

    def __init__(self, a, b, c):
        self.root = tempfile.mkdtemp(prefix='nightjar-haproxy-')
        self.one, self.two, self.product, self.plain = (
            free_port() for _ in range(4))
        os.mkdir(os.path.join(self.root, 'certs'))
        self.put('certs/it.pem', ''.join(behind.certificate()))
        self.sites = [self.site('one', self.one, free_port(), [a]),
                      self.site('two', self.two, free_port(), [a, b]),
                      self.site('product', self.product, self.plain, [c])]
        self.children = []

    def put(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def site(self, name, port, plain, servers):
        """The example, with other ports and paths, as who we are."""
        text = behind.example('haproxy.cfg')
        text = change(text, r'\n\tuser haproxy\n\tgroup haproxy', '')
        text = change(text, r'\tlog /dev/log .*\n', '')
        text = change(text, r'maxconn 20000', 'maxconn 1000')
        text = change(text, r'bind :80\n', f'bind 127.0.0.1:{plain}\n')
        text = change(text, r'bind :443 ', f'bind 127.0.0.1:{port} ')
        text = change(text, r'/etc/haproxy/certs',
                      os.path.join(self.root, 'certs'), 2)
        line = r'\tserver one 127\.0\.0\.1:3000 '
        if name != 'product':   # it has a page of its own that says it is well
            text = change(text, r'httpchk GET /ready', 'httpchk GET /healthz')
        if len(servers) > 1:
            text = change(text, line, '\tbalance hdr(x-client)\n' + ''.join(
                f'\tserver s{p} 127.0.0.1:{p}\n' for p in servers[1:]) +
                f'\tserver one 127.0.0.1:{servers[0]} ')
        else:
            text = change(text, line,
                          f'\tserver one 127.0.0.1:{servers[0]} ')
        return self.put(f'{name}.cfg', text)

    def check(self):
        """haproxy -c, without a word of warning."""
        for path in self.sites:
            r = subprocess.run([HAPROXY, '-c', '-f', path], check=False,
                               capture_output=True, text=True)
            assert r.returncode == 0, r.stderr
            assert 'WARNING' not in r.stderr, r.stderr

    def __enter__(self):
        for path in self.sites:
            self.children.append(subprocess.Popen(
                [HAPROXY, '-db', '-f', path], stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        behind.wait_for(self.one)
        behind.wait_for(self.two)
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(10)
        shutil.rmtree(self.root, ignore_errors=True)


def login_from(address, port, name, **fields):
    """A sign-in by a connection from that address of ours: its status."""
    c = http.client.HTTPSConnection(
        '127.0.0.1', port, context=behind.BLIND, timeout=behind.PATIENCE_S,
        source_address=(address, 0))
    try:
        c.request('POST', '/api/auth/login', json.dumps(
            {'username': name, 'password': 'wrong'}),
            {**behind.JSON, **fields})
        return c.getresponse().status
    finally:
        c.close()


def addresses(tap, proxy):
    with tap.case('nightjard: limits count the forwarded address, '
                  'which only the proxy may name'):
        seen = [login_from('127.0.0.2', proxy.product, f'nobody{i}', **{
            'X-Forwarded-For': f'9.9.9.{i}', 'Forwarded': f'for=9.9.9.{i}'})
            for i in range(20)]
        same((seen[0], seen[-1]), (401, 429))
        same(login_from('127.0.0.3', proxy.product, 'nobody', **{
            'X-Forwarded-For': '127.0.0.2'}), 401)
    with tap.case('nightjard: by https, as it is told'):
        base = f'https://127.0.0.1:{proxy.product}'
        status, _, fields = behind.person(base, 'cookies', cookie=True)
        same(status, 201)
        assert 'Secure' in fields['Set-Cookie'], fields['Set-Cookie']


if __name__ == '__main__':
    sys.exit(behind.main(Haproxy, 'haproxy -c takes deploy/haproxy.cfg',
                         addresses))
