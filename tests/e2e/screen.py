"""screen.py: the full-screen client on a real pty, its bytes through a
terminal emulator (pyte): keys and the mouse in, rows and colours out. Needs
Debian's python3-pyte.
"""
import base64
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

import pyte

import lib
from lib import Failure, check

KEYS = {'up': '\x1b[A', 'down': '\x1b[B', 'right': '\x1b[C', 'left': '\x1b[D',
        'home': '\x1b[H', 'end': '\x1b[F', 'pgup': '\x1b[5~',
        'pgdn': '\x1b[6~', 'del': '\x1b[3~', 'esc': '\x1b', 'enter': '\r',
        'tab': '\t', 'back': '\x7f', 'f1': '\x1bOP', 'f2': '\x1bOQ',
        'f3': '\x1bOR', 'f4': '\x1bOS', 'f5': '\x1b[15~', 'f6': '\x1b[17~',
        'alt-enter': '\x1b\r', 'alt-up': '\x1b[1;3A',
        'alt-down': '\x1b[1;3B', 'ctrl-left': '\x1b[1;5D',
        'ctrl-right': '\x1b[1;5C'}


class Screen(pyte.Screen):
    """With what pyte lacks and terminals have (ECMA-48 8.3.147, 8.3.113;
    xterm's REP)."""

    def scroll_up(self, n=1):
        top, bottom = self.margins or (0, self.lines - 1)
        at = self.cursor.x, self.cursor.y
        for _ in range(n or 1):
            self.cursor.y = bottom
            self.index()
        self.cursor.x, self.cursor.y = at

    def scroll_down(self, n=1):
        top, bottom = self.margins or (0, self.lines - 1)
        at = self.cursor.x, self.cursor.y
        for _ in range(n or 1):
            self.cursor.y = top
            self.reverse_index()
        self.cursor.x, self.cursor.y = at

    def repeat(self, n=1):
        self.draw(self.drawn * (n or 1))

    def draw(self, data):
        self.drawn = data[-1:]
        super().draw(data)


class Stream(pyte.ByteStream):
    csi = dict(pyte.ByteStream.csi, S='scroll_up', T='scroll_down',
               b='repeat')
    events = frozenset(pyte.ByteStream.events |
                       {'scroll_up', 'scroll_down', 'repeat'})


class Tui:
    """nightjar chat on a terminal of its own."""

    def __init__(self, client, *args, rows=24, cols=80, env=None, term=None):
        self.client, self.rows, self.cols = client, rows, cols
        self.master, self.slave = pty.openpty()
        self.size(rows, cols)
        self.before = termios.tcgetattr(self.slave)
        self.screen = Screen(cols, rows)
        self.stream = Stream(self.screen)
        self.raw = b''
        e = dict(client.env)
        e.pop('NO_COLOR', None)
        e['TERM'] = term or 'screen-256color'
        e.update(env or {})
        self.p = subprocess.Popen([lib.program('nightjar'), 'chat', *args],
                                  env=e, stdin=self.slave, stdout=self.slave,
                                  stderr=self.slave, start_new_session=True,
                                  preexec_fn=self._own_terminal)

    @staticmethod
    def _own_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, rows, cols):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack('HHHH', rows, cols, 0, 0))

    def resize(self, rows, cols):
        self.settle()
        self.rows, self.cols = rows, cols
        self.screen.resize(rows, cols)
        self.size(rows, cols)
        self.p.send_signal(signal.SIGWINCH)

    # ---- what is on the screen ----

    def read(self, timeout):
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += piece
        self.stream.feed(piece)
        return bool(piece)

    def settle(self, quiet=0.15):
        """Until nothing more comes."""
        while self.read(quiet * lib.SLOW):
            pass

    def lines(self):
        return [x.rstrip() for x in self.screen.display]

    def text(self):
        return '\n'.join(self.lines())

    def expect(self, pattern, timeout=20, gone=False):
        """Waits until the screen shows the pattern (gone: does not)."""
        end = time.monotonic() + timeout * lib.SLOW
        while time.monotonic() < end:
            m = re.search(pattern, self.text())
            if bool(m) != gone:
                return m
            if not self.read(0.1) and self.p.poll() is not None:
                break
        raise Failure(f'{self.client.name}: {"still " if gone else "no "}'
                      f'{pattern!r} on\n{self.text()}')

    def where(self, text):
        """Row and column of a text on the screen."""
        for row, line in enumerate(self.screen.display):
            if text in line:
                return row, line.index(text)
        raise Failure(f'no {text!r} on\n{self.text()}')

    def cell(self, text, at=0):
        row, col = self.where(text)
        return self.screen.buffer[row][col + at]

    def region(self, row, rows, col, cols):
        return [x[col:col + cols].rstrip()
                for x in self.screen.display[row:row + rows]]

    def copied(self):
        """What was given to the clipboard (OSC 52), newest last."""
        return [base64.b64decode(x) for x in
                re.findall(rb'\x1b\]52;c;([A-Za-z0-9+/=]*)\x07', self.raw)]

    # ---- what a person does ----

    def type(self, text):
        os.write(self.master, text.encode())

    def keys(self, *names):
        for n in names:
            self.type(KEYS.get(n, n))
            # An Escape and a key at once would be Alt and that key.
            time.sleep(0.08 if n == 'esc' else 0.01)

    def paste(self, text):
        self.type('\x1b[200~' + text + '\x1b[201~')

    def click(self, row, col, button=0):
        self.type(f'\x1b[<{button};{col + 1};{row + 1}M')
        if button < 64:
            self.type(f'\x1b[<{button};{col + 1};{row + 1}m')

    def click_on(self, text):
        self.click(*self.where(text))

    def wheel(self, row, col, up):
        self.click(row, col, 64 if up else 65)

    # ---- the end ----

    def wait(self, status=0):
        end = time.monotonic() + 20 * lib.SLOW
        while self.p.poll() is None and time.monotonic() < end:
            self.read(0.1)
        if self.p.poll() is None:
            self.p.kill()
            raise Failure(f'chat does not end:\n{self.text()}')
        while self.read(0):
            pass
        check(self.p.returncode == status,
              f'chat ended with {self.p.returncode}:\n{self.text()}')
        self.check_restored()
        os.close(self.slave)
        os.close(self.master)

    def check_restored(self):
        """Settings, modes, cursor and screen are as they were."""
        check(termios.tcgetattr(self.slave) == self.before,
              'the terminal\'s settings are not as they were')
        raw = self.raw.decode(errors='replace')
        for on, off in (('?1049h', '?1049l'), ('?1000h', '?1000l'),
                        ('?1006h', '?1006l'), ('?2004h', '?2004l'),
                        ('?1004h', '?1004l')):
            check('\x1b[' + on not in raw or raw.rindex('\x1b[' + on) <
                  raw.rfind('\x1b[' + off), f'{on} was left on')
        check('\x1b[?25l' not in raw or raw.rindex('\x1b[?25l') <
              max(raw.rfind('\x1b[?25h'), raw.rfind('\x1b[?12l\x1b[?25h'),
                  raw.rfind('\x1b[34h\x1b[?25h')), 'the cursor stays hidden')

    def quit(self, status=0):
        self.type('\x11')
        self.wait(status)


VOLATILE = [
    (r'\b\d\d:\d\d:\d\d\b', 'hh:mm:ss'),
    (r'\b\d\d:\d\d\b', 'hh:mm'),
    (r'\b\d{5} \d{5} \d{5}\b', '00000 00000 00000'),
    (r'\b[0-9a-f]{16}\b', '0' * 16),
    (r'127\.0\.0\.1:\d{4,5}', '127.0.0.1:port0'),
    (r'\b\d{1,2} [A-Z][a-z]+ \d{4}\b', '12 March 2026'),
    (r'(This device): \S+', r'\1: name'),
    (r'(hh:mm) [\u25cb\u25d0\u25cf]', '\\1 \u25cb'),
    (r'just now|\d+ minutes? ago', 'just now'),
]


def masked(lines):
    out = []
    for line in lines:
        for pattern, text in VOLATILE:
            line = re.sub(pattern, text, line)
        out.append(line.rstrip())
    return out


def golden(name, tui):
    """Compares the screen with the one that is kept (NJ_SCREENS=write keeps
    it); what changes from run to run is masked."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        'screens', name + '.txt')
    tui.settle()
    got = masked(tui.lines())
    if os.environ.get('NJ_SCREENS') == 'write':
        with open(path, 'w', encoding='utf-8') as f:
            f.write('\n'.join(got) + '\n')
        return
    with open(path, encoding='utf-8') as f:
        want = f.read().split('\n')[:-1]
    diff = [f'{i:3} - {w}\n{i:3} + {g}' for i, (w, g) in
            enumerate(zip(want, got)) if w != g]
    check(got == want, f'{name}: the screen is another one\n'
          + '\n'.join(diff) + f'\n{len(want)} and {len(got)} rows')
