#!/usr/bin/python3
"""picture.py BUILD OUT.svg: the README's picture: a server of its own, two
people in two panes of tmux, what they see as an SVG. Needs tmux; used by hand
when the look of `nightjar chat` changes (rsvg-convert makes the PNG).
"""
import html
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tests', 'lib'))
from server import PASSWORD, Server  # noqa: E402

WIDTH, HEIGHT = 60, 17
CELL_W, CELL_H, PAD = 8.4, 19, 14
COLOURS = {30: '#3b4252', 31: '#e06c75', 32: '#98c379', 33: '#e5c07b',
           34: '#61afef', 35: '#c678dd', 36: '#56b6c2', 37: '#d7dae0',
           90: '#7f848e', 91: '#e06c75', 92: '#98c379', 93: '#e5c07b',
           94: '#61afef', 95: '#c678dd', 96: '#56b6c2', 97: '#ffffff'}


def tmux(*args, **kw):
    return subprocess.run(['tmux', '-L', 'nightjar-picture', *args],
                          check=True, capture_output=True, text=True, **kw)


def cells(line, state):
    """(column, text, colour, bold, dim) of each cell of one line; attributes
    (state) go on from line to line."""
    (colour, bold, dim), runs, col = state, [], 0
    for part in re.split(r'(\x1b\[[0-9;]*m)', line):
        m = re.match(r'\x1b\[([0-9;]*)m', part)
        if m:
            for code in (int(c or 0) for c in m.group(1).split(';')):
                if code == 0:
                    colour, bold, dim = None, False, False
                elif code == 1:
                    bold = True
                elif code == 2:
                    dim = True
                elif code in (22,):
                    bold = dim = False
                elif code == 39:
                    colour = None
                elif code in COLOURS:
                    colour = COLOURS[code]
            continue
        for ch in part:
            w = 2 if unicodedata.east_asian_width(ch) in 'WF' else 1
            runs.append((col, ch, colour, bold, dim))
            col += w
    state[:] = colour, bold, dim
    return runs


def pane(title, text, x):
    w = WIDTH * CELL_W + 2 * PAD
    h = HEIGHT * CELL_H + 2 * PAD + 26
    out = [f'<g transform="translate({x},0)">',
           f'<rect width="{w}" height="{h}" rx="9" fill="#1e222a"/>',
           f'<rect width="{w}" height="28" rx="9" fill="#2c313a"/>',
           f'<text x="{w / 2}" y="19" fill="#9aa2b1" font-size="12" '
           f'text-anchor="middle" font-family="DejaVu Sans">{title}</text>']
    state = [None, False, False]
    for row, line in enumerate(text.split('\n')[:HEIGHT]):
        y = 28 + PAD + row * CELL_H + 12
        for col, ch, colour, bold, dim in cells(line, state):
            if ch == ' ':
                continue
            out.append(
                f'<text x="{PAD + col * CELL_W:.1f}" y="{y}" '
                f'fill="{colour or "#d7dae0"}"'
                + (' font-weight="bold"' if bold else '')
                + (' opacity="0.6"' if dim else '')
                + f'>{html.escape(ch)}</text>')
    out.append('</g>')
    return '\n'.join(out), w, h


def main():
    build, target = sys.argv[1:3]
    client = os.path.abspath(os.path.join(build, 'nightjar'))
    with Server(os.path.join(build, 'nightjard')) as s, \
            tempfile.TemporaryDirectory() as home:
        env = dict(os.environ, HOME=home, NIGHTJAR_PASSWORD=PASSWORD,
                   TERM='xterm-256color', LC_ALL='C.UTF-8')
        for key in ('XDG_DATA_HOME', 'XDG_STATE_HOME', 'NO_COLOR'):
            env.pop(key, None)
        for name in ('alice', 'bob'):
            subprocess.run([client, '--profile', name, '--server',
                            f'http://127.0.0.1:{s.port}', 'register', '-u',
                            name, '-e', f'{name}@example.org'],
                           env=env, check=True, capture_output=True)
        for name, other in (('alice', 'bob'), ('bob', 'alice')):
            tmux('new-session', '-d', '-s', name, '-x', str(WIDTH), '-y',
                 str(HEIGHT), client, '--profile', name, 'chat', other, env=env)
        time.sleep(2)
        for name, text in (('alice', 'is the line safe?'),
                           ('bob', 'post-quantum and all'),
                           ('alice', '/verify'), ('bob', 'same digits here'),
                           ('alice', '素晴らしい. See you at nine.')):
            tmux('send-keys', '-t', name, '-l', text)
            tmux('send-keys', '-t', name, 'Enter')
            time.sleep(1.5)
        tmux('send-keys', '-t', 'bob', '-l', 'I will bring')
        time.sleep(1)
        panes = [tmux('capture-pane', '-e', '-p', '-t', n).stdout
                 for n in ('alice', 'bob')]
        tmux('kill-server')
    a, w, h = pane('alice — nightjar chat bob', panes[0], 0)
    b, _, _ = pane('bob — nightjar chat alice', panes[1], w + 16)
    with open(target, 'w', encoding='utf-8') as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * w + 16}" '
                f'height="{h}" font-family="DejaVu Sans Mono, Noto Sans Mono '
                f'CJK JP, monospace" font-size="14">\n{a}\n{b}\n</svg>\n')


if __name__ == '__main__':
    main()
