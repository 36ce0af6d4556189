#!/usr/bin/python3
"""50_nginx.py: behind nginx, by deploy/nginx.conf itself: Engine.IO over
WebSocket and polling; two servers with sticky polling; nightjard with trusted
proxy headers.

    50_nginx.py CONFORMANCE NIGHTJARD
"""
import os
import shutil
import subprocess
import sys
import tempfile

import behind
from behind import change, login, same
from peer import free_port

NGINX = shutil.which('nginx') or '/usr/sbin/nginx'

# What Debian's /etc/nginx/nginx.conf has around a file of conf.d. X-Client is,
# for this nginx, where a connection comes from.
AROUND = '''
daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {root}/b; proxy_temp_path {root}/p;
  fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  set_real_ip_from 127.0.0.1; real_ip_header X-Client;
  include {root}/conf.d/*.conf;
}}
'''


class Nginx:
    """deploy/nginx.conf three times, as one, two and product."""

    def __init__(self, a, b, c):
        self.root = tempfile.mkdtemp(prefix='nightjar-nginx-')
        self.one, self.two, self.product, self.plain = (
            free_port() for _ in range(4))
        os.mkdir(os.path.join(self.root, 'conf.d'))
        self.put('nginx.conf', AROUND.format(root=self.root))
        for name, text in zip(('fullchain.pem', 'privkey.pem'),
                              behind.certificate()):
            self.put(name, text)
        self.site('one', self.one, free_port(), [a])
        self.site('two', self.two, free_port(), [a, b])
        self.site('product', self.product, self.plain, [c])
        self.child = None

    def put(self, name, text):
        with open(os.path.join(self.root, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def site(self, name, port, plain, servers):
        """The example, with other ports, names and paths."""
        text = behind.example('nginx.conf')
        text = change(text, r'listen 80;', f'listen 127.0.0.1:{plain};')
        text = change(text, r'listen 443 ', f'listen 127.0.0.1:{port} ')
        text = change(text, r'/etc/letsencrypt/live/chat\.example\.org',
                      self.root, 2)
        text = change(text, r'nightjar_connection', f'{name}_connection', 2)
        text = change(text, r'shared:nightjar:', f'shared:{name}:')
        text = change(text, r'upstream nightjar ', f'upstream {name} ')
        text = change(text, r'http://nightjar;', f'http://{name};', 2)
        line = r'server 127\.0\.0\.1:3000( [^;]*);'
        text = change(text, line, ''.join(
            f'server 127.0.0.1:{p} max_fails=3 fail_timeout=30s;'
            for p in servers))
        if len(servers) > 1:
            text = change(text, r'#     ip_hash;', 'ip_hash;')
        self.put(f'conf.d/{name}.conf', text)

    def run(self, *flags):
        return [NGINX, '-c', os.path.join(self.root, 'nginx.conf'), '-p',
                self.root, '-e', os.path.join(self.root, 'error.log'), *flags]

    def check(self):
        """nginx -t, without a word of warning."""
        r = subprocess.run(self.run('-t'), capture_output=True, text=True,
                           check=False)
        assert r.returncode == 0, r.stderr
        assert '[warn]' not in r.stderr or 'http2' in r.stderr, r.stderr

    def __enter__(self):
        self.child = subprocess.Popen(self.run(), stdin=subprocess.DEVNULL)
        behind.wait_for(self.one)
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(10)
        shutil.rmtree(self.root, ignore_errors=True)


def addresses(tap, nginx):
    with tap.case('nightjard: limits count the forwarded address, '
                  'which only the proxy may name'):
        # All of them come from one client, who writes another address in front
        # of its own each time: that is not believed.
        base = f'https://127.0.0.1:{nginx.product}'
        seen = [login(base, f'nobody{i}', {
            'X-Client': '198.51.100.7', 'X-Forwarded-For': f'9.9.9.{i}'})
            for i in range(20)]
        assert seen[0] == 401, seen
        assert seen[-1] == 429, seen
        same(login(base, 'nobody', {'X-Client': '198.51.100.8',
                                    'X-Forwarded-For': '198.51.100.7'}), 401)


if __name__ == '__main__':
    sys.exit(behind.main(Nginx, 'nginx -t takes deploy/nginx.conf', addresses))
