#!/usr/bin/python3
"""tui.py: the full-screen client in a real terminal (screen.py): what is on
the screen at 80x24 and 200x60, keys, mouse, colours, signals, a server that
goes away, hostile messages. Screens that are kept stand in screens/.
"""
import os
import re
import signal
import time

import lib
from lib import Client, Server, check
from screen import Tui, golden


def start(home, *more):
    server = Server(home).start()
    people = [Client(home, n, server.url) for n in ('ann', 'bob') + more]
    for p in people:
        p.register()
    return (server, *people)


def talk(*lines):
    """(from, to, text) one after the other."""
    for who, to, text in lines:
        who.run('send', to.name, '-', text=text)


def last(client, other):
    return client.json('history', other)[-1]


def wait_for(what, text, timeout=20):
    end = time.monotonic() + timeout * lib.SLOW
    while not what():
        check(time.monotonic() < end, text)
        time.sleep(0.05)


# ---- what is on the screen ----

def test_screens_of_80_by_24(home):
    server, ann, bob, eve = start(home, 'eve')
    talk((bob, ann, 'Can you look at page 3 before three?'),
         (ann, bob, 'Yes, right after this call.'),
         (bob, ann, 'Gr\u00fc\u00dfe aus \u6f22\u5b57 \U0001f989 and '
          'a line that is long enough to be broken between its words.'),
         (eve, ann, 'Three ideas, pick one'))
    a = Tui(ann)
    a.expect(r'Three ideas')
    a.expect(r'connecting|catching', gone=True)
    golden('list-80x24', a)
    a.keys('down', 'enter')
    a.expect(r'Message bob')
    a.type('half a thou')
    a.expect(r'half a thou')
    golden('chat-80x24', a)
    a.keys('f1')
    a.expect(r'Keys and commands')
    golden('help-80x24', a)
    a.quit()
    # The same without signs, for a locale that has none.
    a = Tui(ann, 'bob', env={'LC_ALL': 'C'})
    a.expect(r'half a thou')
    a.expect(r'connecting|catching', gone=True)
    golden('ascii-80x24', a)
    check(all(b < 0x80 for b in a.raw), 'bytes beyond ASCII in a C locale')
    a.quit()
    server.stop()


def test_screens_of_200_by_60(home):
    server, ann, bob, eve = start(home, 'eve')
    talk((bob, ann, 'This is what `nightjard check` says now:\n```\n'
          'store  ok   12.4 GiB\nbus    ok    0.8 ms\n```'),
         (ann, bob, 'Under a minute. Lovely.'),
         (bob, ann, 'And @ann, see https://example.org/page'),
         (eve, ann, 'Three ideas, pick one'))
    a = Tui(ann, 'bob', rows=60, cols=200)
    a.expect(r'Only you and bob can read this chat')
    a.expect(r'connecting|catching', gone=True)
    golden('chat-200x60', a)
    check(a.cell('@ann').fg != 'default', 'a mention without a colour')
    a.type('/verify\r')
    a.expect(r'Are you talking to bob')
    digits = ' '.join(re.findall(r'\b\d{5}\b', a.text()))
    check(digits == ann.json('verify', '--offline',
                               'bob')[0]['safetyNumber'],
          f'other digits: {digits}')
    a.quit()
    server.stop()


def test_resize_in_the_middle(home):
    server, ann, bob = start(home)
    talk(*[(bob, ann, f'message {i} of some that fill the screen')
           for i in range(12)])
    a = Tui(ann, 'bob', rows=24, cols=80)
    a.expect(r'message 11')
    a.type('unsent')
    for rows, cols, sees in ((60, 200, 'Chats'), (10, 40, 'unsent'),
                             (5, 20, 'bob'), (2, 8, ''), (24, 100, 'Chats'),
                             (24, 80, 'message 11')):
        a.resize(rows, cols)
        a.settle()
        a.expect(sees)
    a.expect(r'unsent')
    check('Chats' not in a.text(), 'two panes at 80 columns')
    golden('resized-80x24', a)
    a.quit()
    server.stop()


# ---- talking ----

def test_two_people_talk(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'from before'))
    a, b = Tui(ann, 'bob'), Tui(bob, 'ann')
    a.expect(r'\u2502 from before')
    b.expect(r'from before.*\u25cf')            # read, once shown
    a.type('Hello \u6f22\u5b57')
    b.expect(r'ann is typing')
    a.keys('enter')
    b.expect(r'\u2502 Hello \u6f22\u5b57')
    b.expect(r'is typing', gone=True)
    a.expect(r'Hello \u6f22\u5b57 +\d\d:\d\d \u25cf')
    # A reply, from the selected message.
    b.keys('up')
    b.expect(r'r reply')
    b.type('r')
    b.expect(r'Reply to ann: Hello')
    b.type('my answer\r')
    a.expect(r'\u250a You: Hello \u6f22\u5b57')
    a.expect(r'my answer')
    # A reaction, and it is taken back.
    a.keys('up')
    a.type('a')
    a.expect(r'React with')
    a.type('1')
    a.expect(r'\[\U0001f44d\]')
    b.expect(r' \U0001f44d')
    a.type('a0')
    b.expect(r'\U0001f44d', gone=True)
    a.keys('esc')
    # An edit of the last one; the draft comes back after it.
    b.type('a draft')
    b.type('\x1be')
    b.expect(r'Editing: my answer')
    b.type(', edited\r')
    a.expect(r'my answer, edited +Edited')
    b.expect(r'\u203a a draft')
    # Deleted for both.
    b.keys('home')
    b.type('\x15')
    b.keys('up')
    b.type('d')
    b.expect(r'k Keep   m For me   b For both')
    b.type('k')
    b.expect(r'k Keep', gone=True)
    b.type('db')
    b.expect(r'You deleted this message')
    a.expect(r'bob deleted this message')
    a.quit()
    b.quit()
    server.stop()


def test_the_list_follows(home):
    server, ann, bob, eve = start(home, 'eve')
    talk((bob, ann, 'b1'))
    a = Tui(ann, 'bob', rows=30, cols=110)
    a.expect(r'\u2502 b1')
    talk((eve, ann, 'e1'), (eve, ann, 'e2'))
    a.expect(r'e2 +2')                          # preview and how many
    check(a.cell(' 2 ', 1).reverse, 'the badge is not set off')
    a.keys('alt-up')
    a.expect(r'Message eve')
    a.expect(r'2 new messages')
    a.expect(r'e2 +2', gone=True)
    wait_for(lambda: last(eve, 'ann')['read'], 'not told as read')
    # Mute, pin and archive in the list.
    a.keys('f2')
    a.type('m')
    a.expect(r'eve mute')
    a.type('p')
    a.expect(r'eve \u2191 mute')
    a.type('mp')
    a.expect(r'eve +\d\d:\d\d')
    a.keys('down')
    a.type('a')
    a.expect(r'Archived\.')
    a.expect(r'bob +\d\d:\d\d', gone=True)
    a.type('A')
    a.expect(r'bob arch')
    a.quit()
    server.stop()


def test_writing(home):
    server, ann, bob, eve = start(home, 'eve')
    talk((bob, ann, 'x'), (eve, ann, 'y'))
    a = Tui(ann, 'bob')
    a.expect(r'Message bob')
    a.paste('first line\rsecond \x1b[31mline')
    a.expect(r'first line\n +second line')
    a.keys('alt-enter')
    a.type('third\u0301 \U0001f469\u200d\U0001f469\u200d\U0001f467x')
    a.keys('back', 'back')                      # x, and the whole family
    a.keys('ctrl-left')
    a.type('\x17')                              # ^W: a line feed too? no
    a.type('\x1f')                              # undo
    a.keys('enter')
    want = 'first line\nsecond line\nthird\u0301 '
    wait_for(lambda: last(bob, 'ann')['text'] == want,
             f'sent: {last(bob, "ann")["text"]!r}')
    a.type('one two\x17\x17')
    a.expect(r'Message bob')
    a.type('\x19')
    a.expect(r'\u203a one two')
    a.type('\x15//slash\r')
    a.expect(r'/slash')
    check(last(bob, 'ann')['text'] == '/slash', 'a slash was not sent')
    a.type('\x10')
    a.expect(r'\u203a /slash')
    a.type('\x15/nonsense\r')
    a.expect(r'no such command')
    # Tab: the two names of the chat, where a name can stand.
    a.type('\x15hi @\tand @A\tok')
    a.expect(r'\u203a hi @bob and @Ann ok')
    a.type('\r')
    wait_for(lambda: last(bob, 'ann')['text'] == 'hi @bob and @Ann ok' and
             sorted(last(bob, 'ann')['mentions']) == ['ann', 'bob'],
             f'mentions: {last(bob, "ann")}')
    a.expect(r'Message bob')
    # Drafts are kept for each chat, over leaving and over a crash.
    a.type('\x15to bob')
    a.keys('alt-down')
    a.expect(r'Message eve')
    a.type('to eve')
    a.keys('alt-up')
    a.expect(r'\u203a to bob')
    a.type(', still')
    a.settle(0.6)
    a.p.kill()
    a.p.wait()
    a = Tui(ann, 'bob')
    a.expect(r'\u203a to bob, still')
    a.keys('f2')
    a.expect(r'Draft: to eve')
    a.quit()
    server.stop()


def test_a_long_history(home):
    server, ann, bob = start(home)
    lines = [f'line {i} ' + 'word ' * (i % 17) for i in range(400)]
    lines[3] += 'needle'
    bob.run('chat', 'ann', text='\n'.join(lines), timeout=240)
    ann.run('history', 'bob', '--limit', '1')
    a = Tui(ann, 'bob', rows=24, cols=80)
    a.expect(r'\d+ new messages|line ')
    a.keys('esc')
    a.expect(r'line 399')
    check('line 1 ' not in a.text(), 'more than a screen')
    seen = set(re.findall(r'line (\d+)\b', a.text()))
    for _ in range(400):
        was = a.text()
        a.keys('pgup')
        for _ in range(40):
            if a.text() != was:
                break
            a.read(0.1)
        a.settle(0.02)
        seen |= set(re.findall(r'line (\d+)\b', a.text()))
        if 'line 0 ' in a.text() or re.search('line 0$', a.text(), re.M):
            break
    a.expect(r'line 0\b')
    check(len(seen) == 400, f'only {len(seen)} lines were seen')
    # What comes meanwhile does not move the view, and is counted.
    a.settle()
    before = a.region(6, 14, 0, 60)
    talk((bob, ann, 'news'))
    a.expect(r'\u2193 1 new')
    after = a.region(6, 14, 0, 60)
    check(after == before, f'the view moved: {before} {after}')
    a.keys('esc')
    a.expect(r'\u2502 news')
    # Search finds the oldest, and goes there.
    a.keys('f3')
    a.type('eedl')                              # a part of a word
    a.expect(r'bob, .*line 3 word word word needle')
    a.keys('enter')
    a.expect(r'Message bob')
    a.expect(r'\u2502 line 3 word word word needle')
    check('\u2502 news' not in a.text(), 'it did not go there')
    a.quit()
    server.stop()


def test_people(home):
    server, ann, bob = start(home)
    a = Tui(ann)
    a.expect(r'Quiet so far')
    a.type('n')
    a.expect(r'New chat')
    a.type('bob')
    a.expect(r'Write to the person called "bob"')
    a.keys('enter')
    a.expect(r'Say hello to bob')
    a.type('hello\r')
    a.expect(r'hello +\d\d:\d\d [\u25cb\u25d0]')
    a.type('/new nobody-of-that-name\r')
    a.expect(r'There is nobody of that name')
    check(last(bob, 'ann')['text'] == 'hello', 'not sent')
    a.quit()
    server.stop()


def test_what_is_not_seen_is_not_read(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'x'))
    a, b = Tui(ann, 'bob'), Tui(bob, 'ann')
    b.expect(r'x +\d\d:\d\d \u25cf')
    a.type('\x1b[O')                            # another window has the focus
    a.settle()
    b.type('while you look away\r')
    a.expect(r'\u2502 while you look away')
    b.expect(r'look away +\d\d:\d\d \u25d0')
    b.settle(1)
    b.expect(r'look away +\d\d:\d\d \u25d0')    # delivered, not read
    a.type('\x1b[I')
    b.expect(r'look away +\d\d:\d\d \u25cf')
    a.quit()
    b.quit()
    server.stop()


def test_timers_pins_and_panels(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'keep this'), (ann, bob, 'y'))
    a, b = Tui(ann, 'bob', cols=100), Tui(bob, 'ann', cols=100)
    b.expect(r'\u2502 y')
    a.expect(r'\u2502 keep this')
    a.type('/pin\r')
    a.expect(r'keep this +Pinned')
    b.expect(r'keep this +Pinned')
    b.type('/pins\r')
    b.expect(r'Pinned messages[^$]*keep this')
    b.keys('enter')
    b.expect(r'keep this +Pinned')
    a.type('/timer 1h\r')
    a.expect(r'You set messages to disappear 1 hour after reading')
    b.expect(r'ann set messages to disappear 1 hour after reading')
    a.expect(r'disappearing after 1 hour')
    a.type('/timer nonsense\r')
    a.expect(r'how long after reading')
    a.keys('f5')
    a.expect(r'Your devices')
    a.expect(r'This device')
    a.keys('esc', 'up')
    a.type('i')
    a.expect(r'Number at the server')
    a.keys('esc')
    a.type('/block\r')
    a.expect(r'y Block   n Keep')
    a.type('y')
    a.expect(r'Blocked\.')
    a.expect(r'bob.* blocked')
    a.type('/unblock\r')
    a.expect(r'Not blocked any more')
    a.quit()
    b.quit()
    server.stop()


# ---- the mouse ----

def test_the_mouse(home):
    server, ann, bob, eve = start(home, 'eve')
    talk(*[(bob, ann, f'bob {i}') for i in range(30)])
    talk((eve, ann, 'from eve'))
    a = Tui(ann, 'bob', rows=24, cols=110)
    a.expect(r'\u2502 bob 29')
    a.expect(r'connecting|catching', gone=True)
    a.expect(r'from eve')
    a.click_on('from eve')
    a.expect(r'Message eve')
    a.click_on('bob 29')                        # the preview in the list
    a.expect(r'Message bob')
    row, col = a.where('\u2502 bob 29')
    a.wheel(row, col, True)
    a.expect(r'\u2502 bob 29', gone=True)
    a.wheel(row, col, False)
    a.expect(r'\u2502 bob 29')
    a.click(row, col + 3)
    a.expect(r'r reply')
    a.type('r')
    a.expect(r'Reply to bob: bob 29')
    a.type('quoting\r')
    a.expect(r'\u250a bob: bob 29')
    a.type('\x1bl')
    a.click_on('Message bob')
    a.type('typed after a click')
    a.expect(r'\u203a typed after a click')
    a.click_on('Encrypted')
    a.expect(r'Only you and bob can read this chat')
    a.keys('esc')
    a.expect(r'typed after a click')
    a.quit()
    server.stop()


def test_copying(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'copy \u6f22\u5b57\nme'))
    a = Tui(ann, 'bob')
    a.expect(r'\u2502 copy')
    a.keys('up')
    a.type('c')
    a.expect(r'Copied')
    check(a.copied() == ['copy \u6f22\u5b57\nme'.encode()],
          f'{a.copied()}')
    a.quit()
    server.stop()


# ---- looks ----

def test_colours_are_modest(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'one'), (ann, bob, 'two'))
    sgr = rb'\x1b\[[0-9;]*m'

    def colours(**kw):
        a = Tui(ann, 'bob', **kw)
        a.expect(r'two')
        a.settle()
        # A background of its own is only what is set off.
        check(a.cell('one').bg == 'default', 'a background behind text')
        check(a.cell('one').fg == 'default', 'a colour of plain text')
        a.quit()
        codes = b';'.join(x[2:-1] for x in re.findall(sgr, a.raw))
        return set(codes.split(b';'))

    full = colours()
    check(b'38' in full, f'no colour of 256: {full}')
    for env, term in (({'NO_COLOR': '1'}, None), ({}, 'vt220')):
        got = colours(env=env, term=term)
        check(not got & {b'38', b'48'} and not any(
            re.fullmatch(rb'3[0-7]|4[0-7]|9[0-7]', c) for c in got),
            f'colours with {env or term}: {got}')
    eight = colours(term='linux')
    check(b'38' not in eight and any(re.fullmatch(rb'3[0-7]', c)
                                     for c in eight), f'{eight}')
    server.stop()


def test_where_there_is_no_screen(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'one'))
    for kw, args in (({'term': 'dumb'}, ()), ({}, ('--plain',))):
        a = Tui(ann, 'bob', *args, **kw)
        a.expect(r'\d\d:\d\d bob: one')
        a.expect(r'bob[^>]*>')
        check(b'?1049h' not in a.raw, 'a full screen')
        a.type('\x04')
        a.wait()
    a = Tui(ann, '--plain')
    a.expect(r'with whom\?')
    a.wait(2)
    ann.run('chat', status=2)
    ann.run('chat', 'bob', text='from a pipe')
    check(last(bob, 'ann')['text'] == 'from a pipe', 'the pipe is broken')
    server.stop()


def test_messages_cannot_steer_the_terminal(home):
    server, ann, bob = start(home)
    a = Tui(ann, 'bob')
    a.expect(r'Message bob')
    a.settle()
    a.raw = b''
    evil = ('\x1b[2J\x1b]0;owned\x07\x9b2J\u202etxet\u2066 \x1b[?1049l'
            '\x1b]52;c;ZXZpbA==\x07\r\x00\x08 end\u200b\n\u2502 forged')
    bob.run('send', 'ann', '-', text=evil)
    a.expect(r'\u241b\[2J')
    a.expect(r' end')
    a.settle()
    for bad in (b'\x1b[2J', b'owned\x07', b'\xc2\x9b', '\u202e'.encode(),
                b'\x1b[?1049l', b'\x1b]52', b'\x00', '\u200b'.encode()):
        check(bad not in a.raw, f'{bad!r} reached the terminal')
    # What looks like a row of ours stands inside of its own message.
    check(re.search(r'^ \u2502 \u2502 forged', a.text(), re.M), a.text())
    check(a.screen.title in ('', 'Nightjar'), f'{a.screen.title}')
    # Piled up marks stay in their cell, and many of everything in the log.
    bob.run('send', 'ann', '-', text='z' + '\u0301' * 500 + 'y\n' * 60)
    a.expect(r'Enter shows all of it')
    a.expect(r'Message bob')
    a.quit()
    server.stop()


# ---- trouble ----

def test_the_server_goes_and_comes(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'x'))
    a = Tui(ann, 'bob')
    a.expect(r'\u2502 x')
    a.expect(r'connecting|catching', gone=True)
    server.kill()
    a.expect(r"The server doesn't answer")
    a.expect(r'offline')
    a.type('written while it was away\r')
    a.expect(r'written while it was away +\d\d:\d\d \u2026')
    server.start()
    a.expect(r'written while it was away +\d\d:\d\d [\u25cb\u25d0]', 60)
    a.expect(r"doesn't answer", gone=True)
    check(last(bob, 'ann')['text'] == 'written while it was away', 'lost')
    server.stop()
    # And it opens, with all that is here, when there is no server at all.
    a.quit()
    a = Tui(ann, 'bob')
    a.expect(r'written while it was away')
    a.expect(r'offline')
    a.quit()


def test_a_changed_key_waits_for_a_word(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'x'), (ann, bob, 'y'))
    a = Tui(ann, 'bob')
    a.expect(r'\u2502 x')
    a.type('/verify\r')
    a.expect(r'They match')
    a.keys('enter')
    a.expect(r'Marked as verified')
    a.keys('esc')
    a.expect(r'\u2713 Verified')
    # Bob loses everything and starts over.
    other = Client(home, 'bob2', server.url)
    other.run('login', '--username', 'bob', '--start-over', '--yes')
    a.type('before anybody knew\r')
    other.run('send', 'ann', 'hello from new keys')
    a.expect(r"bob's safety number is different now", 40)
    a.expect(r'\u25b2 Key changed')
    a.type('does this wait?\r')
    a.expect(r'Kept here until you decide')
    a.settle(0.5)
    check(last(other, 'ann')['text'] != 'does this wait?', 'it was sent')
    a.type('\x1bw')
    a.expect(r'y Write   n Wait')
    a.type('n')
    a.expect(r'n Wait', gone=True)
    a.type('\x1bw')
    a.expect(r'y Write   n Wait')
    a.type('y')
    a.expect(r'different now', gone=True)
    a.expect(r'does this wait\? +\d\d:\d\d [\u25cb\u25d0\u25cf]', 40)
    check(last(other, 'ann')['text'] == 'does this wait?', 'it is not there')
    a.quit()
    server.stop()


def test_signals(home):
    server, ann, bob = start(home)
    talk((bob, ann, 'x'))
    for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        a = Tui(ann, 'bob')
        a.expect(r'Message bob')
        a.p.send_signal(sig)
        a.wait()
    # A crash of it: the terminal is put back all the same.
    a = Tui(ann, 'bob')
    a.expect(r'Message bob')
    a.p.send_signal(signal.SIGABRT)
    a.wait(-signal.SIGABRT)
    # Job control.
    a = Tui(ann, 'bob')
    a.expect(r'Message bob')

    def state():
        with open(f'/proc/{a.p.pid}/stat') as f:
            return f.read().rsplit(')', 1)[1].split()[0]

    def stopped():
        a.read(0)       # else it may wait for room to write
        return state() == 'T'
    for stop in (lambda: a.type('\x1a'),
                 lambda: a.p.send_signal(signal.SIGTSTP)):
        stop()
        wait_for(stopped, f'it does not stop: {stop}')
        a.settle()
        a.check_restored()
        a.screen.reset()
        a.p.send_signal(signal.SIGCONT)
        a.expect(r'Message bob')
        a.expect(r'\u2502 x')
    a.type('back again\r')
    a.expect(r'back again')
    a.quit()
    server.stop()


def test_the_terminal_goes_away(home):
    server, ann, bob = start(home)
    a = Tui(ann, 'bob')
    a.expect(r'Message bob')
    a.type('a draft')
    a.expect(r'a draft')
    os.close(a.slave)
    os.close(a.master)
    end = time.monotonic() + 10 * lib.SLOW
    while a.p.poll() is None:
        check(time.monotonic() < end, 'it goes on without a terminal')
        time.sleep(0.05)
    a = Tui(ann, 'bob')
    a.expect(r'\u203a a draft')
    a.quit()
    server.stop()


def test_only_what_changed_is_written(home):
    server, ann, bob = start(home)
    talk(*[(bob, ann, f'message {i}') for i in range(20)])
    a = Tui(ann, 'bob', rows=60, cols=200)
    a.expect(r'message 19')
    a.expect(r'connecting|catching', gone=True)
    a.settle(0.5)
    a.raw = b''
    a.type('x')
    a.expect(r'\u203a x')
    a.settle()
    check(len(a.raw) < 200, f'{len(a.raw)} bytes for one key: {a.raw!r}')
    a.raw = b''
    a.settle(1.5)
    check(a.raw == b'', f'written without a reason: {a.raw!r}')
    a.quit()
    server.stop()


if __name__ == '__main__':
    only = os.environ.get('NJ_ONLY', '')
    lib.main([v for k, v in list(globals().items())
              if k.startswith('test_') and only in k])
