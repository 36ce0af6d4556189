#!/usr/bin/env python3
"""talk.py: the commands that end, against a real server: register, send,
history, listen, devices, verify, status, login, logout, exit statuses.
"""
import os
import re
import shutil
import subprocess
import time

import lib
from lib import Client, Listener, Server, check


class World:
    """A server and two people, Ann and Bob."""

    def __init__(self, home, tls=False, **kw):
        self.server = Server(home, **kw).start()
        url = self.server.tls_url if tls else self.server.url
        self.ann, self.bob = Client(home, 'ann', url), Client(home, 'bob', url)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.server.stop()
        elif self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()

    def register(self):
        self.ann.register()
        self.bob.register()
        return self


def messages(rows):
    return [r['text'] for r in rows if r.get('kind') == 'text']


def test_first_conversation(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'Hello Bob, 漢字 🦉')
        w.bob.run('send', 'ann', 'Hello', 'Ann')
        w.ann.run('send', 'bob', '-', text='two\nlines\n')
        want = ['Hello Bob, 漢字 🦉', 'Hello Ann', 'two\nlines']
        for c, other in ((w.ann, 'bob'), (w.bob, 'ann')):
            rows = c.json('history', other)
            check(messages(rows) == want, f'{c.name} has {rows}')
            check(all(r['state'] in ('sent', 'received') for r in rows),
                  f'{rows}')
        check('two\n' in w.bob.run('history', 'ann'), 'text form')
        lib.check_no_plaintext(w.server, ['Hello Bob, 漢字', 'two\nlines'])


def test_memory_holds_no_plaintext(home):
    """The core image, both while the server relays and afterwards."""
    with World(home) as w:
        w.register()
        listen = Listener(w.bob)
        w.ann.run('send', 'bob', 'Hello Bob, 漢字 🦉')
        got = listen.message()
        check(got and got['text'] == 'Hello Bob, 漢字 🦉', f'{got}')
        try:
            lib.check_no_plaintext_in_memory(w.server, ['Hello Bob, 漢字'])
        finally:
            listen.stop()


def test_listen_prints_what_comes(home):
    with World(home) as w:
        w.register()
        listen = Listener(w.bob)
        w.ann.run('send', 'bob', 'one')
        got = listen.message()
        check(got and got['text'] == 'one' and got['from'] == 'ann', f'{got}')
        sent = w.ann.json('send', 'bob', 'two')[0]
        got = listen.message()
        check(got and got['text'] == 'two', f'{got}')
        check(got['clientMessageId'] == sent['clientMessageId'] and
              got['position'] == sent['position'], f'{got} {sent}')
        listen.stop()
        # What came while nobody listened is printed on the next start.
        w.ann.run('send', 'bob', 'three')
        listen = Listener(w.bob, '--count', '1')
        got = listen.message()
        check(got and got['text'] == 'three', f'{got}')
        check(listen.p.wait(20) == 0, 'listen --count ended with an error')


def test_many_sends_in_a_row(home):
    """More than the five sockets a minute that a session may open."""
    with World(home, limits=True) as w:
        w.register()
        for i in range(10):
            w.ann.run('send', 'bob', f'message {i}')
        got = messages(w.bob.json('history', 'ann'))
        check(got == [f'message {i}' for i in range(10)], f'{got}')


def test_processes_share_a_profile(home):
    """Two listeners and senders at once on one profile: all see all, once."""
    with World(home) as w:
        w.register()
        first, second = Listener(w.bob), Listener(w.bob)
        time.sleep(1)
        texts = {f'parallel {i}' for i in range(6)}
        senders = [w.ann.popen('send', 'bob', t) for t in sorted(texts)]
        for s in senders:
            _, err = s.communicate(timeout=90 * lib.SLOW)
            check(s.returncode == 0, f'send: {err.decode()}')
        for listen in (first, second):
            got = [listen.message() for _ in texts]
            check(None not in got and {m['text'] for m in got} == texts,
                  f'{[m and m["text"] for m in got]}')
            check(listen.message(1) is None, 'shown twice')
            listen.stop()


def test_safety_numbers_agree(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'x')
        a = w.ann.json('verify', 'bob')[0]
        b = w.bob.json('verify', 'ann')[0]
        digits = a['safetyNumber'].split(' ')
        check(a['safetyNumber'] == b['safetyNumber'], f'{a} {b}')
        check(len(digits) == 12 and
              all(len(d) == 5 and d.isdigit() for d in digits), f'{digits}')
        check(not a['verified'], 'verified before anybody said so')
        w.ann.run('verify', 'bob', '--confirm')
        check(w.ann.json('verify', 'bob')[0]['verified'], 'not kept')
        check(w.ann.json('status', 'bob')[0]['verified'], 'status')
        w.ann.run('verify', 'bob', '--withdraw')
        check(not w.ann.json('verify', 'bob')[0]['verified'], 'not undone')
        check(' '.join(digits[:4]) in w.bob.run('verify', 'ann'), 'text form')


def test_devices_and_status(home):
    with World(home) as w:
        w.register()
        own = w.ann.json('devices')[0]
        check(len(own) == 1 and own[0]['own'] and own[0]['primary'], f'{own}')
        w.ann.run('send', 'bob', 'x')
        other = w.ann.json('devices', 'bob')[0]
        check(len(other) == 1 and other[0]['hasSession'], f'{other}')
        s = w.ann.json('status')[0]
        check(s['ready'] and s['username'] == 'ann' and s['outbox'] == 0,
              f'{s}')
        check(w.ann.run('whoami') == 'ann\n', 'whoami')


def test_mistakes_have_their_status(home):
    with World(home) as w:
        w.ann.run('status', status=3)
        w.ann.register()
        for command in ('send', 'history', 'verify', 'status', 'chat'):
            w.ann.run(command, 'nobody_there',
                      *(['x'] if command == 'send' else []), status=5)
            check('no person called "nobody_there"' in w.ann.err, w.ann.err)
        w.ann.run('send', 'ann', text='', status=2)
        w.ann.run('send', 'bob', 'x' * 70000, status=2)
        w.ann.run('frobnicate', status=2)
        w.ann.run('register', '--username', 'x', '--email', 'x@example.org',
                  status=1)            # this profile has an account
        w.bob.run('register', '--username', 'ann', '--email',
                  'a2@example.org', status=5)
        check('ser name' in w.bob.err, w.bob.err)
        w.bob.env['NIGHTJAR_PASSWORD'] = 'short'
        w.bob.run('register', '--username', 'bob', '--email',
                  'b@example.org', status=5)
        check('assword' in w.bob.err, w.bob.err)


def test_help_fits_a_terminal(home):
    c = Client(home, 'ann', 'http://127.0.0.1:1')
    texts = [c.run('help')]
    names = [x.split()[0] for x in
             texts[0].split('Commands:\n')[1].split('\n\n')[0].splitlines()]
    check('chat' in names and 'verify' in names, f'{names}')
    texts += [c.run('help', n) for n in names + ['exit-codes']]
    for line in '\n'.join(texts).splitlines():
        check(len(line) <= 80, f'wider than 80 columns: {line!r}')
    check('not reached in time' in texts[-1], texts[-1])
    c.run('help', 'no-such-thing', status=2)


def test_hints_name_profile_and_person(home):
    with World(home) as w:
        for c in (w.ann, w.bob):
            del c.env['NIGHTJAR_PROFILE']
            out = c.run('--profile', c.name, 'register', '--username', c.name,
                        '--email', f'{c.name}@example.org')
            check(f'nightjar --profile {c.name} chat NAME' in out, out)
        w.ann.run('-p', 'ann', 'send', 'bob', 'x')
        out = w.ann.run('-p', 'ann', 'verify', 'bob')
        check('nightjar --profile ann verify --confirm bob' in out, out)


def test_history_asks_at_once(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'x')
        took = []
        for _ in range(5):
            begin = time.monotonic()
            w.bob.run('history', 'ann')
            took.append(time.monotonic() - begin)
        check(min(took) < 0.15 * lib.SLOW, f'history took {took} s')


def test_same_name_anew_is_no_rollback(home):
    with World(home) as w:
        w.register()
        for i in range(5):
            w.ann.run('send', 'bob', str(i))
        before = w.ann.json('status')[0]['generation']
        shutil.rmtree(w.ann.data())
        w.ann.run('register', '--username', 'ann2', '--email',
                  'ann2@example.org')
        # A rollback would go on above the highest that was ever seen.
        after = w.ann.json('status')[0]['generation']
        check(0 < after < before, f'{before}, then {after}')
        w.ann.run('send', 'bob', 'anew')
        check(messages(w.bob.json('history', 'ann2')) == ['anew'], 'lost')


def test_no_server_is_said(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'first')
        w.server.kill()
        w.ann.run('--timeout', '2', 'send', 'bob', 'later', status=4)
        check('waits in this profile' in w.ann.err, w.ann.err)
        w.server.start()
        # The outbox goes out with the next command.
        w.ann.run('send', 'bob', 'last')
        got = messages(w.bob.json('history', 'ann'))
        check(got == ['first', 'later', 'last'], f'{got}')


def test_certificate_has_to_be_pinned(home):
    with World(home, tls=True) as w:
        w.ann.run('register', '--username', 'ann', '--email',
                  'ann@example.org', status=6)
        check('SHA-256' in w.ann.err, w.ann.err)
        rows = re.findall(r'(?:[0-9A-F]{2}:){15}[0-9A-F]{2}:?', w.ann.err)
        check(len(rows) == 2, w.ann.err)
        pin = ''.join(rows)
        wrong = ('00' if pin[:2] != '00' else '01') + pin[2:]
        w.ann.run('--pin', wrong, 'register', '--username', 'ann',
                  '--email', 'ann@example.org', status=6)
        w.ann.run('--pin', '\n  '.join(rows), 'register', '--username', 'ann',
                  '--email', 'ann@example.org')
        w.ann.run('status')         # the pin is in the profile
        w.ann.run('--pin', wrong, 'status', status=6)
        w.bob.run('--pin', pin.replace(':', '').lower(), 'register',
                  '--username', 'bob', '--email', 'bob@example.org')
        w.ann.run('send', 'bob', 'over TLS')
        check(messages(w.bob.json('history', 'ann')) == ['over TLS'], 'TLS')


def test_login_where_the_keys_are_not(home):
    with World(home) as w:
        w.register()
        w.bob.run('send', 'ann', 'to the old keys')
        w.ann.run('history', 'bob')
        w.bob.run('verify', 'ann', '--confirm')
        new = Client(home, 'ann2', w.ann.url)
        new.run('login', '--username', 'ann', status=6)
        check('start over' in new.err, new.err)
        new.run('login', '--username', 'ann', '--start-over')
        # Bob is told, and decides.
        w.bob.run('send', 'ann', 'who are you?', status=6)
        check('identity' in w.bob.err, w.bob.err)
        w.bob.run('verify', 'ann', '--confirm')
        w.bob.run('send', 'ann', 'to the new keys')
        got = messages(new.json('history', 'bob'))
        check('to the new keys' in got and 'to the old keys' not in got,
              f'{got}')


def test_logout_and_login_again(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'before')
        w.ann.run('logout')
        w.ann.run('send', 'bob', 'x', status=3)
        w.ann.run('login')
        w.ann.run('send', 'bob', 'after')
        got = messages(w.bob.json('history', 'ann'))
        check(got == ['before', 'after'], f'{got}')
        w.ann.run('logout', '--forget', '--yes')
        check(not os.path.exists(w.ann.data()), 'the profile is still there')


def test_profile_is_private_and_guarded(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'canary in the profile')
        for folder, _, names in os.walk(w.ann.data()):
            check(os.stat(folder).st_mode & 0o77 == 0, folder)
            for n in names:
                path = os.path.join(folder, n)
                check(os.stat(path).st_mode & 0o77 == 0, path)
                with open(path, 'rb') as f:
                    check(b'canary in the profile' not in f.read(), path)
        os.chmod(os.path.join(w.ann.data(), 'key'), 0o644)
        w.ann.run('whoami', status=7)
        os.chmod(os.path.join(w.ann.data(), 'key'), 0o600)
        # Two writers at once with a passphrase: none is asked in a pipe.
        w.bob.env['NIGHTJAR_PASSPHRASE'] = 'not needed here'
        check(w.bob.run('whoami') == 'bob\n', 'whoami')


def test_restored_profile_is_noticed(home):
    """A copy of the profile put back: sessions are made anew, nothing that
    was encrypted once is encrypted again with the same key."""
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'one')
        w.bob.run('history', 'ann')
        subprocess.run(['cp', '-a', w.ann.data(), w.ann.data() + '.old'],
                       check=True)
        w.ann.run('send', 'bob', 'two')
        check(messages(w.bob.json('history', 'ann')) == ['one', 'two'], 'two')
        subprocess.run(['rm', '-r', w.ann.data()], check=True)
        os.rename(w.ann.data() + '.old', w.ann.data())
        w.ann.run('send', 'bob', 'three')
        got = messages(w.bob.json('history', 'ann'))
        check(got == ['one', 'two', 'three'], f'{got}')


if __name__ == '__main__':
    lib.main([v for k, v in list(globals().items())
              if k.startswith('test_')])
