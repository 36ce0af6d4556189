#!/usr/bin/python3
"""http.py BUILD [--json] [--rounds N]: GET of a file of 1 KiB over kept-alive
connections from nightjar-conformance and from nginx (if it is installed), in
turns in the same run, the best of N rounds each: requests per second and per
CPU second of the server. One worker or thread on one core with the generator
on another, then one for each core.

nginx is set as one would for this: its cache of open files on (it then looks
at a file once a minute; ours asks the file system at every request), no logs,
no limit of requests per connection; once with sendfile and tcp_nopush (nginx),
once with neither, which suits small files (nginx-read).
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

CORES = sorted(os.sched_getaffinity(0))
SECONDS = 2
NGINX = shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin')
CONF = '''
worker_processes %(workers)d; daemon off; pid %(dir)s/pid; error_log stderr crit;
events { worker_connections 4096; multi_accept on; }
http {
	types { application/octet-stream bin; }
	access_log off; sendfile %(sendfile)s; tcp_nopush %(sendfile)s; tcp_nodelay on;
	keepalive_requests 1000000000; keepalive_timeout 75;
	open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
	client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p; fastcgi_temp_path %(dir)s/f;
	uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
	server { listen 127.0.0.1:%(port)d reuseport backlog=4096; location /static/ { alias %(root)s/; } }
}
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def children(pid):
    out = subprocess.run(['pgrep', '-P', str(pid)], capture_output=True, text=True, check=False)
    return [int(x) for x in out.stdout.split()]


class Server:
    """One of the two, on the given cores."""

    def __init__(self, name, build, root, workers, cores):
        self.dir = tempfile.mkdtemp(prefix='nightjar-bench.')
        self.port = free_port()
        if name != 'nightjar':
            conf = os.path.join(self.dir, 'conf')
            with open(conf, 'w', encoding='ascii') as f:
                f.write(CONF % {'workers': workers, 'dir': self.dir, 'port': self.port, 'root': root,
                                'sendfile': 'on' if name == 'nginx' else 'off'})
            command = [NGINX, '-p', self.dir, '-c', conf]
        else:
            command = [os.path.join(build, 'nightjar-conformance'), '--port', str(self.port),
                       '--root', root, '--threads', str(workers)]
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or self.child.poll() is not None:
                    sys.exit(f'{name} does not start')
                time.sleep(0.02)
        self.pids = [self.child.pid] + children(self.child.pid)

    def stop(self):
        self.child.terminate()
        self.child.wait(10)
        shutil.rmtree(self.dir)


def measure(build, server, depth, cores):
    out = subprocess.run(
        [os.path.join(build, 'bench/bench-http'), '--port', str(server.port), '--depth', str(depth),
         '--seconds', str(SECONDS), '--pids', ','.join(map(str, server.pids)), '--json'],
        capture_output=True, text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    return json.loads(out.stdout)


def compare(build, root, workers, depth, rounds):
    """The best round of each, in turns, so that a busy moment hits both."""
    alone = workers == 1 and len(CORES) > 1
    theirs = {CORES[0]} if alone else set(CORES)
    ours = set(CORES) - theirs if alone else set(CORES)
    names = ['nightjar'] + (['nginx', 'nginx-read'] if NGINX else [])
    servers = {n: Server(n, build, root, workers, theirs) for n in names}
    best = {}
    for _ in range(rounds):
        for n in names:
            got = measure(build, servers[n], depth, ours)
            if n not in best or got['per_cpu_s'] > best[n]['per_cpu_s']:
                best[n] = {**got, 'per_s': max(got['per_s'], best.get(n, got)['per_s'])}
            else:
                best[n]['per_s'] = max(got['per_s'], best[n]['per_s'])
    for s in servers.values():
        s.stop()
    return best


def show(workers, depth, best):
    ours = best['nightjar']
    for name, b in best.items():
        ratio = '' if name == 'nightjar' else (
            f"; nightjar has {ours['per_s'] / b['per_s']:.2f} of its rate, "
            f"{ours['per_cpu_s'] / b['per_cpu_s']:.2f} per CPU second")
        print(f"http      {name:10} {workers} thread{'s' if workers > 1 else ''}, {depth:2} under way on each of "
              f"{b['conns']}: {b['per_s']:,.0f} requests/s, {b['per_cpu_s']:,.0f} per CPU second "
              f"(limited by {b['limited_by']}){ratio}")


def main():
    build = sys.argv[1]
    rounds = int(sys.argv[sys.argv.index('--rounds') + 1]) if '--rounds' in sys.argv else 2
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        with open(f'{root}/1k.bin', 'wb') as f:
            f.write(os.urandom(1024))
        os.utime(f'{root}/1k.bin', (1e9, 1e9))
        time.sleep(3)           # nothing is kept that was written just now
        for workers in sorted({1, len(CORES)}):
            for depth in (1, 16):
                best = compare(build, root, workers, depth, rounds)
                if '--json' in sys.argv:
                    print(json.dumps({'scenario': 'http', 'threads': workers, 'depth': depth, **best}))
                else:
                    show(workers, depth, best)


main()
