"""peer.py: a conformance server of our own for a suite, and TAP output.

    from peer import Peer, Tap, PROFILE_B
    with Peer(sys.argv[1], PROFILE_B) as p: ... p.port ...

The program is nightjar-conformance, or reference/reference.mjs, by which a
suite is proven.
"""
import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
from ports import free_port  # noqa: E402

PROFILE_A = ('--ping-interval', '300', '--ping-timeout', '200',
             '--max-payload', '1000000', '--connect-timeout', '1000')
PROFILE_B = ('--ping-interval', '1000', '--ping-timeout', '2000',
             '--max-payload', '4000000', '--connect-timeout', '5000')
PROFILE_C = PROFILE_B + ('--recovery-ms', '30000')
READY_S = 60


CHILDREN = []


@atexit.register
def kill_all():
    for child in CHILDREN:
        if child.poll() is None:
            child.kill()


class Peer:
    def __init__(self, program, flags=(), port=None):
        self.program, self.flags = program, list(flags)
        self.port = port or free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        self.child = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        command = [self.program, '--port', str(self.port), *self.flags]
        if self.program.endswith('.mjs'):
            command.insert(0, 'node')
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL)
        CHILDREN.append(self.child)
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self.child.poll() is not None:
                raise RuntimeError(f'{self.program} ended at once')
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f'{self.program} does not listen')

    def stop(self, sig=signal.SIGTERM):
        """Its exit status; negative: the signal that ended it."""
        if self.child.poll() is None:
            self.child.send_signal(sig)
        return self.child.wait(60)

    def resident(self):
        """Resident bytes of the process."""
        with open(f'/proc/{self.child.pid}/statm', encoding='ascii') as f:
            return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.child.pid}/fd'))


class Tap:
    """with tap.case('name'): ... A case fails when it raises."""

    def __init__(self):
        self.n, self.bad = 0, 0
        print('TAP version 13', flush=True)

    def case(self, name):
        return Case(self, name)

    def result(self, name, error=None):
        self.n += 1
        self.bad += error is not None
        print(f'{"ok" if error is None else "not ok"} {self.n} - {name}',
              flush=True)
        for line in (error or '').strip().split('\n')[-8:]:
            if line:
                print(f'# {line}', flush=True)

    def done(self):
        print(f'1..{self.n}', flush=True)
        return 1 if self.bad else 0


class Case:
    def __init__(self, tap, name):
        self.tap, self.name = tap, name

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        error = None
        if kind is not None:
            if not issubclass(kind, Exception):
                return False
            error = ''.join(traceback.format_exception(kind, value, trace))
        self.tap.result(self.name, error)
        return True
