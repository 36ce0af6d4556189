#!/usr/bin/python3
"""picture.py BUILD OUT.svg: the README's picture: a server of its own, people
who talk, and what one of them sees in the full-screen client, as an SVG. By
the harness of its tests (tests/e2e/screen.py: Debian's python3-pyte). Used by
hand when the look changes; rsvg-convert -z 2 makes the PNG.
"""
import html
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'e2e'))
os.environ.setdefault('NIGHTJARD', os.path.join(sys.argv[1], 'nightjard'))
os.environ.setdefault('NIGHTJAR', os.path.join(sys.argv[1], 'nightjar'))
from lib import Client, Server  # noqa: E402
from screen import Tui  # noqa: E402

ROWS, COLS = 30, 146
CELL_W, CELL_H, PAD, BAR = 8.4, 18, 14, 28
GROUND, INK = '#17161e', '#e8e4dc'
NAMED = {'default': INK, 'black': GROUND, 'red': '#fa938d',
         'green': '#52cd86', 'brown': '#f7ab64', 'blue': '#7aa2f7',
         'magenta': '#bcb4f4', 'cyan': '#7ed6d5', 'white': INK}


def colour(name):
    """A little lighter than the terminal's middle tones: the ground is
    dark."""
    if name in NAMED:
        return NAMED[name]
    rgb = [int(name[i:i + 2], 16) for i in (0, 2, 4)]
    return '#' + ''.join(f'{int(c + (255 - c) * 0.28):02x}' for c in rgb)


def picture(screen, title):
    w, h = COLS * CELL_W + 2 * PAD, ROWS * CELL_H + 2 * PAD + BAR
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" '
           f'height="{h}" font-family="DejaVu Sans Mono, Noto Sans Mono CJK '
           'JP, Noto Color Emoji, monospace" font-size="14">',
           f'<rect width="{w:.0f}" height="{h}" rx="9" fill="{GROUND}"/>',
           f'<rect width="{w:.0f}" height="{BAR}" rx="9" fill="#24232e"/>',
           f'<text x="{w / 2:.0f}" y="19" fill="#a2a0ab" font-size="12" '
           f'text-anchor="middle" font-family="DejaVu Sans">{title}</text>']
    for row in range(ROWS):
        top = BAR + PAD + row * CELL_H
        for col in range(COLS):
            c = screen.buffer[row][col]
            x = PAD + col * CELL_W
            fg, bg = colour(c.fg), None
            if c.reverse:
                fg, bg = GROUND, fg
            if bg:
                out.append(f'<rect x="{x:.1f}" y="{top}" width="{CELL_W}" '
                           f'height="{CELL_H}" fill="{bg}"/>')
            if c.data in ('\u2500', '\u2502', '\u2503'):
                # Lines without gaps, whatever the font.
                flat = c.data == '\u2500'
                out.append(
                    f'<rect x="{x if flat else x + 3.6:.1f}" '
                    f'y="{top + 9 if flat else top}" '
                    f'width="{CELL_W if flat else 1.3}" '
                    f'height="{1 if flat else CELL_H}" fill="{fg}" '
                    f'opacity="{0.45 if c.fg != "default" else 0.6}"/>')
            elif c.data.strip():
                out.append(f'<text x="{x:.1f}" y="{top + 13}" fill="{fg}"'
                           + (' font-weight="bold"' if c.bold else '')
                           + (' font-style="italic"' if c.italics else '')
                           + f'>{html.escape(c.data)}</text>')
    return '\n'.join(out) + '\n</svg>\n'


def say(who, to, *texts):
    for text in texts:
        who.run('send', to.name, '-', text=text)


def main():
    with tempfile.TemporaryDirectory() as home:
        server = Server(home).start()
        swift, plover, wren, heron = (
            Client(home, n, server.url)
            for n in ('swift', 'plover', 'wren', 'heron'))
        for p in (swift, plover, wren, heron):
            p.register()
        say(heron, swift, 'Perfect, see you on the roof at nine.')
        say(swift, heron, 'I bring the tea.')
        say(plover, swift, 'This is what `nightjard check` says now: '
            'drained 4112 messages in 51.3 s')
        say(swift, plover, 'Under a minute. Lovely, I\'ll close the ticket.')
        say(plover, swift, 'One more thing',
            '@swift can you look at page 3 before three?')
        s = Tui(swift, 'plover', rows=ROWS, cols=COLS)
        p = Tui(plover, 'swift')
        p.expect('Message swift')
        s.expect('Message plover')
        s.expect('connecting|catching', gone=True)
        s.type('/verify\r')
        s.expect('They match')
        s.keys('enter', 'esc', 'esc')
        s.type('/status\r')
        s.expect('You compared')
        s.keys('f6', 'f6', 'f6')
        say(wren, swift, 'Three ideas, pick one.',
            '1) we draw them all', '2) only the red ones')
        s.type('\u7d20\u6674\u3089\u3057\u3044. Right after this call.')
        s.keys('enter')
        p.expect('Right after this call')
        p.keys('up')
        p.type('a2')
        s.expect('\u2764')
        p.keys('esc')
        p.type('And I will')
        s.expect('is typing')
        s.type('Reading now, give me')
        s.expect('give me')
        s.settle()
        with open(sys.argv[2], 'w', encoding='utf-8') as f:
            f.write(picture(s.screen, 'nightjar chat'))
        print(s.text())
        s.quit()
        p.quit()
        server.stop()


if __name__ == '__main__':
    main()
