"""linking.py: both sides of linking a device, driven as people would, with a
kill in any state; for devices.py and backup.py.
"""
import json
import os
import select
import signal
import time

from lib import SLOW, Client, check


class Side:
    """nightjar link in the background; its JSON lines as they come."""

    def __init__(self, client, *args):
        self.client, self.args = client, args
        self.states, self.progress = [], []
        self.start()

    def start(self, resume=False):
        import subprocess
        args = [] if resume else list(self.args)
        self.p = self.client.popen('--json', '--yes', 'link', *args,
                                   stdin=subprocess.PIPE)
        self.buffer = b''

    def next(self, timeout=30):
        end = time.monotonic() + timeout * SLOW
        while b'\n' not in self.buffer:
            left = end - time.monotonic()
            check(left > 0, f'{self.client.name}: nothing more after '
                  f'{self.states}')
            if not select.select([self.p.stdout], [], [], left)[0]:
                continue
            piece = os.read(self.p.stdout.fileno(), 65536)
            if not piece:
                return None
            self.buffer += piece
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def until(self, *states, timeout=30):
        """The line of one of these states; None: the process ended."""
        while True:
            line = self.next(timeout)
            if line is None:
                return None
            if line['type'] == 'progress':
                self.progress.append(line)
                continue
            if line['type'] == 'linking':
                self.states.append(line['state'])
                if line['state'] in states:
                    return line

    def type(self, text):
        self.p.stdin.write(text.encode() + b'\n')
        self.p.stdin.flush()

    def kill(self):
        """As a power cut would."""
        self.p.send_signal(signal.SIGKILL)
        self.p.wait()
        self.close()

    def close(self):
        for f in (self.p.stdin, self.p.stdout, self.p.stderr):
            try:
                f.close()
            except OSError:
                pass

    def end(self, status=0, timeout=60):
        try:
            self.p.stdin.close()
        except OSError:
            pass
        while self.until('no such state', timeout=timeout) is not None:
            pass
        got = self.p.wait(20 * SLOW)
        err = self.p.stderr.read().decode()
        self.close()
        check(got == status, f'{self.client.name}: link ended with {got}, '
              f'not {status}, after {self.states}: {err}')
        return err


def link(manager, new, *options, name='second'):
    """Links `new` to the account of `manager`."""
    b = Side(new, '--device-name', name)
    text = b.until('waits')
    while 'text' not in text:
        text = b.until('waits')
    a = Side(manager, text['text'], *options)
    asks = a.until('asks')
    check(asks['deviceName'] == name, f'the manager sees {asks}')
    code = b.until('code')['code']
    check(len(code) == 6 and code.isdigit(), f'a code {code}')
    a.type(code)
    b.end()
    a.end()
    check(a.states[-1] == 'done' and b.states[-1] == 'done',
          f'{a.states} {b.states}')
    return a, b


def second(home, client, name, *options):
    """A further device of the account of client, linked."""
    new = Client(home, name, client.url)
    link(client, new, *options, name=name)
    return new
