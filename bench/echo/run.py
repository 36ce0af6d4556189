"""run.py BUILDDIR [--json]: echo over WebSocket, 256 bytes, 100 connections, in
messages per CPU second of the server, side by side: a bare epoll loop,
nightjar-conformance, `ws` and `socket.io` on Node (npm, once, into
BUILDDIR/bench/npm). The servers take turns, so that whatever else the machine
does meets them alike; a figure is the median of the rounds."""
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS, SECONDS = 7, '1.0'
MODULES = ('ws@8', 'socket.io@4.8')
TARGETS = [('nightjar ws', 'bare', 0.8), ('nightjar ws', 'ws', 3.0),
           ('nightjar socket.io', 'socket.io', 5.0)]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def modules(build):
    """The folder that has the packages of Node, or None without them."""
    at = os.path.join(build, 'bench', 'npm')
    if not shutil.which('node') or not shutil.which('npm'):
        return None
    if not os.path.isdir(os.path.join(at, 'node_modules', 'socket.io')):
        os.makedirs(at, exist_ok=True)
        with open(os.path.join(at, 'package.json'), 'w', encoding='ascii') as f:
            f.write('{"private":true}')
        done = subprocess.run(['npm', 'install', '--no-audit', '--no-fund', *MODULES],
                              cwd=at, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return None
    return at


def start(command, env):
    """(process, port) of a server that listens."""
    port = free_port()
    child = subprocess.Popen([x.replace('PORT', str(port)) for x in command], env=env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(500):
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return child, port
        except OSError:
            if child.poll() is not None:
                break
            time.sleep(0.02)
    raise SystemExit(f'echo: {command[0]} does not listen')


def main():
    build = os.path.abspath(sys.argv[1])
    load = os.path.join(build, 'bench', 'echo-load')
    ours = [os.path.join(build, 'nightjar-conformance'), '--port', 'PORT',
            '--ping-interval', '25000', '--ping-timeout', '20000']
    servers = {'bare': ([os.path.join(build, 'bench', 'echo-bare'), 'PORT'], ('ws',)),
               'nightjar': (ours, ('ws', 'sio'))}
    npm = modules(build)
    env = dict(os.environ, ECHO_MODULES=npm or '')
    if npm:
        node = ['node', os.path.join(HERE, 'peers.mjs')]
        servers['ws'] = (node + ['ws', 'PORT'], ('ws',))
        servers['socket.io'] = (node + ['socket.io', 'PORT'], ('sio',))
    else:
        print('echo: no npm: without ws and socket.io', file=sys.stderr)
    running = {name: start(command, env) for name, (command, _) in servers.items()}
    got = {}
    try:
        for _ in range(ROUNDS):
            for name, (_, kinds) in servers.items():
                child, port = running[name]
                for kind in kinds:
                    out = subprocess.run(
                        [load, '--port', str(port), '--pid', str(child.pid), '--kind', kind,
                         '--seconds', SECONDS], check=True, stdout=subprocess.PIPE, text=True).stdout
                    messages, seconds, user, kernel = map(float, out.split())
                    label = f'nightjar {"ws" if kind == "ws" else "socket.io"}' \
                        if name == 'nightjar' else name
                    got.setdefault(label, []).append(
                        (messages / (user + kernel), messages / seconds, kernel / (user + kernel)))
    finally:
        for child, _ in running.values():
            child.terminate()
    report(got)


def report(got):
    per_cpu = {k: statistics.median(x[0] for x in v) for k, v in got.items()}
    if '--json' in sys.argv:
        print(json.dumps({'echo_per_cpu_second': {k: round(v) for k, v in per_cpu.items()}}))
        return
    print('echo, 256 bytes, 100 connections: messages per CPU second of the server')
    for name, v in got.items():
        rate = statistics.median(x[1] for x in v)
        kernel = statistics.median(x[2] for x in v)
        print(f'  {name:20} {per_cpu[name]:10,.0f}   ({rate:,.0f} a second; '
              f'{kernel:.0%} of its time in the kernel)')
    for a, b, least in TARGETS:
        if a in per_cpu and b in per_cpu:
            ratio = per_cpu[a] / per_cpu[b]
            print(f'  {a} / {b}: {ratio:.2f} (at least {least}: '
                  f'{"yes" if ratio >= least else "NO"})')


if __name__ == '__main__':
    main()
