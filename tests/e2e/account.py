#!/usr/bin/env python3
"""account.py: the life of an account with the real programs: registering by
invitation, the address proved and the password set anew by mail, sessions, what
is stored and all of it as an archive, the log, deletion and having it back;
erasure while the server is killed, and what contacts see."""
import json
import os
import sqlite3
import sys
import time
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402
from lib import PASSWORD, Client, Server, check  # noqa: E402
from smtp import Smtp  # noqa: E402

NEW = 'Other-Battery-8'


class World:
    def __init__(self, home, *sets):
        self.server = Server(home, sets=('limits.mails=0', 'limits.exports=0', *sets))
        self.clients = {n: Client(home, n, self.server.url) for n in ('ann', 'bob', 'eve')}
        self.ann, self.bob, self.eve = self.clients.values()

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()


def events(client):
    return [x['event'] for x in client.json('account', 'log')]


def test_password_and_sessions(home):
    with World(home) as w:
        w.ann.register()
        w.bob.register()
        w.ann.run('send', 'bob', 'before')
        other = Client(home, 'other', w.server.url)
        w.ann.env['NIGHTJAR_NEW_PASSWORD'] = 'weak'
        w.ann.run('password', status=5)
        check('newPassword' in w.ann.err, w.ann.err)
        w.ann.env['NIGHTJAR_NEW_PASSWORD'] = NEW
        w.ann.env['NIGHTJAR_PASSWORD'] = 'Wrong-Horse-7'
        w.ann.run('password', status=5)
        check('wrong' in w.ann.err, w.ann.err)
        w.ann.env['NIGHTJAR_PASSWORD'] = PASSWORD
        check('signed out' in w.ann.run('password'), 'said')
        # Its own session goes on, and so does everything else.
        w.ann.run('send', 'bob', 'after')
        check([x['text'] for x in w.bob.json('history', 'ann') if x['type'] == 'message']
              == ['before', 'after'], 'history')
        secret = os.path.join(home, 'pw')
        with open(secret, 'w', encoding='ascii') as f:
            f.write(NEW + '\n')
        other.env.pop('NIGHTJAR_PASSWORD')
        other.run('login', '--username', 'ann', '--password-file', secret, status=6)
        got = w.ann.json('sessions')
        check(len(got) == 2 and sum(x['current'] for x in got) == 1, f'{got}')
        gone = next(x['id'] for x in got if not x['current'])
        check(gone in w.ann.run('sessions'), 'in words')
        w.ann.run('sessions', 'end', gone)
        w.ann.run('sessions', 'end', gone, status=5)
        w.ann.run('sessions', 'end', '../../me', status=2)
        w.ann.run('sessions', 'stop', 'x', status=2)
        other.run('login', '--username', 'ann', '--password-file', secret, status=6)
        w.ann.run('sessions', '--others')
        check(len(w.ann.json('sessions')) == 1, 'the others are signed out')
        check(events(w.ann)[-1] == 'sessions_ended' and 'password_changed' in events(w.ann),
              f'{events(w.ann)}')
        check('password_changed' in w.ann.run('account', 'log'), 'in words')


def test_invitations(home):
    with World(home, 'accounts.registration=invite', 'accounts.invites=users') as w:
        w.ann.run('register', '--username', 'ann', '--email', 'ann@example.org', status=5)
        check('invitation' in w.ann.err, w.ann.err)
        w.server.stop()
        import subprocess
        r = subprocess.run([lib.program('nightjard'), 'user', 'invite', '--data', w.server.data],
                           capture_output=True, text=True, check=True)
        w.server.start()
        code = r.stdout.split()[0]
        w.ann.run('register', '--username', 'ann', '--email', 'ann@example.org', '--invite', code)
        w.bob.run('register', '--username', 'bob', '--email', 'bob@example.org', '--invite', code,
                  status=5)
        mine = w.ann.json('invite', 'new', '--uses', '2', '--days', '3', '--note', 'family')[0]
        check(mine['usesMax'] == 2 and mine['valid'], f'{mine}')
        w.bob.run('register', '--username', 'bob', '--email', 'bob@example.org', '--invite',
                  mine['code'].lower())
        got = w.ann.json('invite', 'list')
        check(got[0]['uses'] == 1 and got[0]['note'] == 'family' and 'code' not in got[0], f'{got}')
        check('1 of 2 used' in w.ann.run('invite'), 'in words')
        w.bob.run('invite', 'revoke', mine['code'], status=5)
        w.ann.run('invite', 'revoke', mine['code'])
        w.eve.run('register', '--username', 'eve', '--email', 'eve@example.org', '--invite',
                  mine['code'], status=5)
        check(not w.ann.json('invite', 'list')[0]['valid'], 'revoked')
        w.ann.run('invite', 'new', '--uses', '0', status=2)
        w.ann.run('invite', 'give', status=2)
        check(w.ann.run('invite', 'new').count('-') >= 3, 'a code in words')


def test_mail(home):
    with Smtp(tls='starttls') as m, World(
            home, f'mail.url={m.url}', 'mail.from=robot@example.org', f'mail.ca={m.cert}',
            'mail.look=50ms', 'accounts.verification=required') as w:
        w.ann.run('register', '--username', 'ann', '--email', 'ann@example.org', status=5)
        check('verify-email' in w.ann.err, w.ann.err)
        w.ann.run('login', '--username', 'ann', status=5)
        check('verified' in w.ann.err, w.ann.err)
        code = m.wait(1)[0].code
        w.ann.run('account', 'verify-email', 'A' * 43, status=5)
        check('verified' in w.ann.run('account', 'verify-email', code), 'verified')
        w.ann.run('login', '--username', 'ann', '--start-over', '--yes')
        check(w.ann.json('account', 'show')[0]['is_verified'] is True, 'show')
        check('ann@example.org (verified)' in w.ann.run('account'), 'in words')
        w.ann.run('account', 'forgot', 'ann@example.org')
        code = m.wait(2)[1].code
        w.ann.env['NIGHTJAR_NEW_PASSWORD'] = NEW
        out = w.ann.run('account', 'reset', code)
        check('keys were not recovered' in out and 'not part of this' in w.ann.err, (out, w.ann.err))
        w.ann.run('account', 'reset', code, status=5)
        check('too old' in w.ann.err, w.ann.err)
        w.ann.run('account', 'show', status=3)
        w.ann.env['NIGHTJAR_PASSWORD'] = NEW
        # The keys are in the profile still: signing in is enough.
        w.ann.run('login')
        check(w.ann.json('account', 'show')[0]['username'] == 'ann', 'signed in again')
        check('password_reset' in events(w.ann), 'log')
        w.ann.run('account', 'reset', status=2)
        w.ann.run('account', 'nonsense', status=2)


def test_stored_and_export(home):
    with World(home) as w:
        w.ann.register()
        w.bob.register()
        for i in range(25):
            w.ann.run('send', 'bob', f'number {i}') if i < 3 else None
        got = w.ann.json('account', 'stored')[0]
        users = next(x for x in got['tables'] if x['table'] == 'users')
        check(users['rows'] == 1 and any(f['field'] == 'email' for f in users['fields']), f'{users}')
        check('Never here' in w.ann.run('account', 'stored'), 'in words')
        path = os.path.join(home, 'mine.zip')
        w.ann.run('account', 'export', path)
        check(os.stat(path).st_mode & 0o77 == 0, 'private')
        with zipfile.ZipFile(path) as z:
            check(z.testzip() is None, 'checksums')
            sent = [json.loads(x) for x in z.read('messages.jsonl').decode().splitlines()]
            check(len(sent) >= 3 and all(x['encrypted_content'] for x in sent), f'{sent}')
            check(json.loads(z.read('users.jsonl'))['email'] == 'ann@example.org', 'users')
        w.ann.run('account', 'export', path, status=1)
        check('exists' in w.ann.err.lower(), w.ann.err)
        check(not os.path.exists(path + '.part'), 'nothing is left over')
        w.ann.run('account', 'export', status=2)
        lib.check_no_plaintext(w.server, ['number 1'])


def test_delete_and_have_it_back(home):
    with World(home) as w:
        w.ann.register()
        w.bob.register()
        w.ann.run('send', 'bob', 'hello')
        w.ann.run('account', 'delete', status=1)
        check('nothing was deleted' in w.ann.err, w.ann.err)
        w.ann.env['NIGHTJAR_PASSWORD'] = 'Wrong-Horse-7'
        w.ann.run('account', 'delete', '--yes', status=5)
        w.ann.env['NIGHTJAR_PASSWORD'] = PASSWORD
        out = w.ann.json('account', 'delete', '--yes')
        check('eraseAt' in out[0], f'{out}')
        w.ann.run('send', 'bob', 'from nowhere', status=3)
        w.ann.run('login', status=5)
        check('account undelete' in w.ann.err, w.ann.err)
        w.ann.run('account', 'undelete')
        w.ann.run('send', 'bob', 'back again')
        got = [x['text'] for x in w.bob.json('history', 'ann') if x['type'] == 'message']
        check(got == ['hello', 'back again'] or got == ['hello', 'from nowhere', 'back again'],
              f'{got}')
        check('deletion_cancelled' in events(w.ann), 'log')


def test_erased_while_killed(home):
    with World(home, 'accounts.grace=0ms', 'sessions.sweep=1s') as w:
        w.ann.register()
        w.bob.register()
        w.ann.run('send', 'bob', 'stays with bob')
        w.bob.run('send', 'ann', 'and this')
        check(len(w.bob.json('history', 'ann')) >= 2, 'before')
        w.ann.run('account', 'delete', '--yes')
        w.server.kill()
        w.server.start()
        end = time.monotonic() + 20 * lib.SLOW
        while time.monotonic() < end:
            c = sqlite3.connect(f'file:{w.server.data}/nightjar.db?mode=ro', uri=True)
            n = c.execute('SELECT COUNT(*) FROM users WHERE erased_at IS NOT NULL').fetchone()[0]
            c.close()
            if n:
                break
            time.sleep(0.1)
        check(n == 1, 'erased')
        # What Bob has read is his; the server has nothing of it any more.
        got = [x['text'] for x in w.bob.json('history', 'ann', '--offline') if x['type'] == 'message']
        check(got == ['stays with bob', 'and this'], f'{got}')
        w.bob.run('history', 'ann')
        w.bob.run('account', 'show')
        w.ann.run('login', status=5)
        w.eve.run('register', '--username', 'ann', '--email', 'ann@example.org')
        check(w.eve.json('account', 'show')[0]['username'] == 'ann', 'the name is free')


if __name__ == '__main__':
    lib.main([v for k, v in list(globals().items())
              if k.startswith('test_')])
