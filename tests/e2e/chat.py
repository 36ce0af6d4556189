#!/usr/bin/env python3
"""chat.py: `nightjar chat --plain` in a terminal (a pty) and in a pipe."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import lib
from lib import Client, Failure, Server, check

ROWS, COLS = 24, 60


class Terminal:
    """nightjar chat on a terminal; `screen` is all that it has written."""

    def __init__(self, client, *args, words=('chat', '--plain')):
        self.client = client
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack('HHHH', ROWS, COLS, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.p = subprocess.Popen(
            [lib.program('nightjar'), *words, *args], env=client.env,
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.screen = b''

    def text(self):
        return self.screen.decode(errors='replace')

    def read(self, timeout):
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            return False
        self.screen += piece
        return bool(piece)

    def expect(self, pattern, timeout=20):
        """Reads until the pattern was written after the last match."""
        end = time.monotonic() + timeout * lib.SLOW
        while time.monotonic() < end:
            m = re.search(pattern, self.text(), re.S)
            if m:
                self.screen = self.text()[m.end():].encode()
                return m
            if not self.read(0.2) and self.p.poll() is not None:
                break
        raise Failure(f'{self.client.name}: no {pattern!r} in '
                      f'{self.text()[-1500:]!r}')

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self, status=0):
        end = time.monotonic() + 20 * lib.SLOW
        while self.p.poll() is None and time.monotonic() < end:
            self.read(0.1)
        if self.p.poll() is None:
            self.p.kill()
            raise Failure(f'chat does not end: {self.text()[-500:]!r}')
        check(self.p.returncode == status, f'chat ended with '
              f'{self.p.returncode}: {self.text()[-500:]!r}')
        while self.read(0):
            pass
        after = termios.tcgetattr(self.slave)
        check(after == self.before, 'the terminal is not as it was')
        os.close(self.slave)
        os.close(self.master)


def start(home):
    server = Server(home).start()
    ann, bob = (Client(home, n, server.url) for n in ('ann', 'bob'))
    ann.register()
    bob.register()
    return server, ann, bob


def test_two_people_chat(home):
    server, ann, bob = start(home)
    bob.run('send', 'ann', 'from before')
    a, b = Terminal(ann, 'bob'), Terminal(bob, 'ann')
    a.expect(r'bob: from before')
    b.expect(r'ann[^>]*> ')
    a.type('Hello \u6f22\u5b57\r')
    b.expect(r'\d\d:\d\d ann: Hello \u6f22\u5b57')
    a.expect(r'\d\d:\d\d \w+: Hello \u6f22\u5b57')
    a.expect(r'\[read\]> ')            # b has shown it
    b.type('Hi')
    a.expect(r'bob \(typing\)')
    b.type('!\r')
    a.expect(r'bob: Hi!')
    a.type('/quit\r')
    a.wait()
    b.type('\x04')
    b.wait()
    server.stop()


def test_colours_and_signs_are_modest(home):
    server, ann, bob = start(home)
    bob.run('send', 'ann', 'one')
    ann.run('send', 'bob', 'two')
    ann.run('history', 'bob')
    ann.env.update(TERM='xterm', NO_COLOR='')
    for color, lang, want in (
            ('', 'C.UTF-8', '\x1b\\[1mbob\x1b\\[0m: one.*two\x1b\\[2m \u25cb'),
            ('1', 'C.UTF-8', '\\d\\d:\\d\\d bob: one.*ann: two \u25cb'),
            ('1', 'C', '\\d\\d:\\d\\d bob: one.*ann: two\r')):
        ann.env.update(NO_COLOR=color, LC_ALL=lang)
        a = Terminal(ann, 'bob')
        a.expect(want)
        a.expect(r'Ctrl-D ends')
        a.type('\x04')
        a.wait()
    check('\x1b' not in ann.run('history', 'bob'), 'colours in a pipe')
    server.stop()


def test_first_message_is_shown_at_once(home):
    """Both sides open a chat that is new: no message of it is held back."""
    server, ann, bob = start(home)
    a, b = Terminal(ann, 'bob'), Terminal(bob, 'ann')
    a.expect(r'Ctrl-D ends')
    b.expect(r'Ctrl-D ends')
    begin = time.monotonic()
    a.type('first\r')
    b.expect(r'ann: first')
    took = time.monotonic() - begin
    check(took < 0.7 * lib.SLOW, f'the first message took {took:.2f} s')
    for t in (a, b):
        t.type('\x04')
        t.wait()
    server.stop()


def test_typing_survives_a_message(home):
    """The line that is being written is drawn again below a new message."""
    server, ann, bob = start(home)
    a = Terminal(ann, 'bob')
    a.expect(r'end-to-end encrypted')
    a.type('half a li')
    a.expect(r'half a li')
    bob.run('send', 'ann', 'in between')
    a.expect(r'bob: in between\r\n.*bob[^>]*> half a li')
    a.type('ne\r')
    a.expect(r'ann: half a line')
    got = [r['text'] for r in bob.json('history', 'ann')]
    check(got == ['in between', 'half a line'], f'{got}')
    a.type('\x03')
    a.wait()
    server.stop()


def test_messages_cannot_steer_the_terminal(home):
    server, ann, bob = start(home)
    a = Terminal(ann, 'bob')
    a.expect(r'bob[^>]*> ')
    bob.run('send', 'ann', '-', text='\x1b[2Jx\x9b2J\u202etxt\n99:99 ann: y')
    m = a.expect(r'bob: (.*)99:99 ann: y')
    for bad in ('\x1b[2J', '\x9b', '\u202e'):
        check(bad not in m.group(1), f'{bad!r} reached the terminal')
    check('\u241b[2J' in m.group(1), f'{m.group(1)!r}')
    # The forged line stands indented below the text that it belongs to.
    check(re.search(r'\n {8,}$', m.group(1)), f'{m.group(1)!r}')
    a.p.send_signal(signal.SIGTERM)
    a.wait()
    server.stop()


def test_commands_of_a_chat(home):
    server, ann, bob = start(home)
    bob.run('send', 'ann', 'x')
    a = Terminal(ann, 'bob')
    a.expect(r'bob: x')             # so its keys are known
    a.expect(r'bob[^>]*> ')
    a.type('/verify\r')
    digits = a.expect(r'Safety number with bob:\s+((?:\d{5}\s+){12})')
    want = bob.json('verify', 'ann')[0]['safetyNumber']
    check(digits.group(1).split() == want.split(' '), 'other digits')
    a.type('/confirm\r')
    a.expect(r'marked as verified')
    a.type('/status\r')
    a.expect(r'1 device, verified')
    a.type('/nonsense\r')
    a.expect(r'no such command')
    a.type('//slash\r')
    a.expect(r'ann: /slash')
    a.type('/history\r')
    a.expect(r'bob: x')
    a.type('/help\r')
    a.expect(r'/verify')
    a.type('/quit\r')
    a.wait()
    check(ann.json('status', 'bob')[0]['verified'], 'not verified')
    server.stop()


def test_chat_in_a_pipe(home):
    server, ann, bob = start(home)
    lines = [f'line {i}' for i in range(100)]
    ann.run('chat', 'bob', text='\n'.join(lines), timeout=120)
    got = [r['text'] for r in bob.json('history', 'ann', '--limit', '200')]
    check(got == lines, f'{len(got)} lines: {got[:3]}')
    server.stop()


def test_chat_goes_on_after_the_server_was_away(home):
    server, ann, bob = start(home)
    a = Terminal(ann, 'bob')
    a.expect(r'bob[^>]*> ')
    server.kill()
    a.expect(r'no connection')
    a.type('written while it was away\r')
    a.expect(r'sending')
    server.start()
    a.expect(r'ann: written while it was away', 60)
    check(bob.json('history', 'ann')[-1]['text'] ==
          'written while it was away', 'lost')
    a.type('\x04')
    a.wait()
    server.stop()


if __name__ == '__main__':
    lib.main([v for k, v in list(globals().items())
              if k.startswith('test_')])
