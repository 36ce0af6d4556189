#!/usr/bin/python3
"""05_program.py PROGRAM: the conformance server as a program: flags, start,
end, restart at once, several threads.
"""
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from peer import PROFILE_A, Peer, Tap

# What is wrong, the flags.
REFUSED = (
    ('an unknown flag', ['--prot', '1']),
    ('an unknown flag among others', ['--port', '0', '--nix', '1']),
    ('a flag without its value', ['--port']),
    ('a flag without its value, at the end', ['--port', '0', '--root']),
    ('a word', ['serve']),
    ('a port that is no number', ['--port', 'x']),
    ('a port above 65535', ['--port', '65536']),
    ('a negative number', ['--ping-interval', '-1']),
    ('a number with something behind', ['--ping-timeout', '5s']),
    ('an empty number', ['--max-payload', '']),
    ('a ping interval of 0', ['--ping-interval', '0']),
    ('a ping timeout of 0', ['--ping-timeout', '0']),
    ('a payload of 0', ['--max-payload', '0']),
    ('a payload above 1 GiB', ['--max-payload', '1073741825']),
    ('0 threads', ['--threads', '0']),
    ('65 threads', ['--threads', '65']),
    ('a hexadecimal number', ['--recovery-ms', '0x10']),
    ('a number with a sign', ['--ws-max', '+5']),
)


def run(program, flags):
    return subprocess.run([program, *flags], capture_output=True, text=True,
                          timeout=20, check=False)


def get(p, path):
    try:
        with urllib.request.urlopen(p.url + path, timeout=5) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def until_up(p):
    for _ in range(100):
        try:
            return get(p, '/healthz') == (200, b'ok\n')
        except OSError:
            time.sleep(0.05)
    return False


def opened(p):
    """The open packet's text."""
    return get(p, '/engine.io/?EIO=4&transport=polling')[1]


def flags(tap, program):
    for what, argv in REFUSED:
        with tap.case(f'refused, exit 2: {what}'):
            r = run(program, argv)
            assert r.returncode == 2, r
            assert 'nightjar-conformance: ' in r.stderr, r
            assert r.stdout == '', r
    with tap.case('--help'):
        r = run(program, ['--help'])
        assert r.returncode == 0 and '--recovery-ms' in r.stdout, r
    with tap.case('a host that is no address: exit 1'):
        r = run(program, ['--port', '0', '--host', 'nowhere'])
        assert r.returncode == 1 and 'nowhere' in r.stderr, r
    with tap.case('a root that is not there: exit 1'):
        r = run(program, ['--port', '0', '--root', '/no/such/folder'])
        assert r.returncode == 1 and r.stderr, r
    with tap.case('a flag given twice: the last one counts'):
        with Peer(program, ('--ping-interval', '5', *PROFILE_A,
                            '--ping-interval', '1234', '--max-payload', '77',
                            '--ping-timeout', '4321')) as p:
            text = opened(p)
            assert b'"pingInterval":1234,"pingTimeout":4321,' \
                b'"maxPayload":77}' in text, text
    with tap.case('defaults'):
        with Peer(program) as p:
            text = opened(p)
            assert b'"pingInterval":300,"pingTimeout":200,' \
                b'"maxPayload":1000000}' in text, text
            assert get(p, '/static/x')[0] == 404
    with tap.case('port 0: any, and it says which'):
        child = subprocess.Popen([program, '--port', '0'],
                                 stdout=subprocess.PIPE, text=True)
        line = child.stdout.readline()
        port = int(line.rsplit(':', 1)[1])
        socket.create_connection(('127.0.0.1', port), 5).close()
        child.terminate()
        assert child.wait(5) == 0


def ends(tap, program):
    for sig in (signal.SIGTERM, signal.SIGINT):
        with tap.case(f'{sig.name} ends it at once, whoever is connected'):
            with Peer(program, PROFILE_A) as p:
                idle = [socket.create_connection(('127.0.0.1', p.port), 5)
                        for _ in range(50)]
                idle[0].sendall(b'POST /echo HTTP/1.1\r\nHost: x\r\n'
                                b'Content-Length: 9\r\n\r\nhalf')
                assert get(p, '/healthz') == (200, b'ok\n')
                began = time.monotonic()
                status = p.stop(sig)
                took = time.monotonic() - began
                assert status == 0, status
                assert took < 1, took
                for c in idle:
                    c.close()
    for sig in (signal.SIGTERM, signal.SIGKILL):
        with tap.case(f'after {sig.name} it is back on the port at once'):
            p = Peer(program, PROFILE_A)
            for _ in range(5):
                p.start()
                c = socket.create_connection(('127.0.0.1', p.port), 5)
                assert get(p, '/healthz') == (200, b'ok\n')
                old = p.child
                old.send_signal(sig)
                p.start()       # before the old one is quite gone
                old.wait(5)
                assert until_up(p), 'it is not back'
                assert p.child.poll() is None
                p.stop(sig)
                c.close()
    with tap.case('a port in use is refused, exit 1'):
        with Peer(program) as p:
            r = run(program, ['--port', str(p.port)])
            assert r.returncode == 1 and 'in use' in r.stderr, r
    with tap.case('nobody listens on another address'):
        with Peer(program, ('--host', '127.0.0.2', '--host', '127.0.0.1')) as p:
            with socket.socket() as c:
                assert c.connect_ex(('127.0.0.2', p.port)) != 0


def threads(tap, program):
    with tap.case('four threads: sessions are found from any of them'):
        with Peer(program, PROFILE_A + ('--threads', '4')) as p:
            for _ in range(40):     # each request a connection of its own
                sid = opened(p).split(b'"sid":"')[1].split(b'"')[0].decode()
                r = get(p, f'/engine.io/?EIO=4&transport=polling&sid={sid}')
                assert r == (200, b'2'), r      # the next ping
            # Main, and what a sanitizer has.
            assert len(os.listdir(f'/proc/{p.child.pid}/task')) >= 5
            assert p.stop() == 0


def main():
    tap = Tap()
    for part in (flags, ends, threads):
        part(tap, sys.argv[1])
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
