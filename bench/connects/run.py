"""run.py BUILDDIR [--json]: connections to nightjard: what 10,000 idle ones
cost in memory, plain and by TLS, each authenticated, beside `ws` on Node with
bare ones (npm, once, into BUILDDIR/bench/npm); and how many a second can be
made: plain, by TLS with resumption, by TLS without. The load generator shares
the machine's cores."""
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'echo'))
from run import free_port, modules  # noqa: E402

CONNS = 10000
TARGETS = [('idle, plain', 'bytes_each', 2.5 * 1024, False),
           ('idle, TLS', 'bytes_each', 14 * 1024, False),
           ('connects, plain', 'per_s', 5000, True),
           ('connects, TLS resumed', 'per_s', 1000, True)]


def listening(child, port):
    for _ in range(1000):
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return True
        except OSError:
            if child.poll() is not None:
                return False
            time.sleep(0.02)
    return False


def nightjard(build, data):
    plain, tls = free_port(), free_port()
    binary = os.path.join(build, 'nightjard')
    listed = subprocess.run([binary, 'serve', '--help'], capture_output=True, text=True,
                            check=True).stdout
    off = [x for key in listed.split() if key.startswith('limits.')
           for x in ('--set', key + '=0')]
    child = subprocess.Popen([binary, 'serve', '--data', data, *off, '--set',
                              f'listen.http=127.0.0.1:{plain}', '--set',
                              f'listen.https=127.0.0.1:{tls}'],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    if not listening(child, plain):
        raise SystemExit('connects: nightjard does not start')
    return child, plain, tls


def load(build, scenario, child, port, *flags):
    out = subprocess.run([os.path.join(build, 'bench', 'bench-connects'), '--port', str(port),
                          '--pid', str(child.pid), *map(str, flags), scenario],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(out)


def ours(build, data):
    """Each on a server of its own: memory is not given back for others."""
    results = {}
    rows = [('idle, plain', 'idle', ()), ('idle, TLS', 'idle', ('--tls',)),
            ('connects, plain', 'rate', ('--threads', 8)),
            ('connects, TLS resumed', 'rate', ('--tls', '--threads', 8)),
            ('connects, TLS full', 'rate', ('--tls', '--full', '--threads', 8))]
    for name, scenario, flags in rows:
        child, plain, tls = nightjard(build, data)
        try:
            results[name] = load(build, scenario, child, tls if '--tls' in flags else plain,
                                 '--plain', plain, '--conns', CONNS, *flags)
        finally:
            child.kill()
            child.wait()
    return results


def peers(build, data):
    at, results = modules(build), {}
    if at is None:
        return results
    pair = [os.path.join(data, 'tls.crt'), os.path.join(data, 'tls.key')]
    for name, extra in (('ws on Node: idle, plain', []), ('ws on Node: idle, TLS', pair)):
        port = free_port()
        child = subprocess.Popen(['node', os.path.join(HERE, 'peer.mjs'), at, str(port), *extra],
                                 stdin=subprocess.DEVNULL)
        try:
            if listening(child, port):
                results[name] = load(build, 'idle', child, port, '--path', '/', '--conns', CONNS,
                                     *(['--tls'] if extra else []))
        finally:
            child.kill()
            child.wait()
    return results


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    root = tempfile.mkdtemp(prefix='nightjar-connects-', dir='/var/tmp')
    try:
        data = os.path.join(root, 'data')
        results = ours(build, data)
        results.update(peers(build, data))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if '--json' in sys.argv:
        print(json.dumps({'scenario': 'connects', 'results': results}))
        return 0
    for name, r in results.items():
        if 'idle' in name:
            peer = results.get('ws on Node: ' + name)
            print(f'connects  {name:25s} {r["connections"]} connections, '
                  f'{r["bytes_each"] / 1024:.2f} KiB each'
                  + (f' ({peer["bytes_each"] / r["bytes_each"]:.1f} times less than ws on Node)'
                     if peer else ''))
        else:
            print(f'connects  {name:25s} {r["per_s"]:.0f} a second, {r["per_cpu_s"]:.0f} for each '
                  f'CPU second of the server; {r["resumed"]} of {r["connections"]} resumed')
    for name, what, target, more in TARGETS:
        got = results[name][what]
        ok = got >= target if more else got <= target
        print(f'          target {name}: {what} {">=" if more else "<="} {target:.0f}: '
              f'{got:.0f} {"ok" if ok else "MISSED"}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
