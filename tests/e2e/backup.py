"""backup.py: the encrypted backup: made, renewed, verified, deleted, restored
on an empty machine, with kills in between and with everything that can be
wrong. A real server, command-line clients.
"""
import json
import os
import signal
import time

from lib import Client, Failure, Listener, Server, check, main
from linking import second

PHRASE = 'seven tall otters juggle purple lanterns quietly'


def world(home, *sets):
    server = Server(home, sets=sets).start()
    anna, bert = Client(home, 'anna', server.url), Client(home, 'bert',
                                                          server.url)
    anna.register()
    bert.register()
    return server, anna, bert


def texts(client, who, *more):
    return [m['text'] for m in client.json('history', who, '--limit', '20000',
                                           *more) if m['kind'] == 'text']


def write(home, name, text):
    path = os.path.join(home, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text + '\n')
    return path


def talked(home, *sets):
    server, anna, bert = world(home, *sets)
    anna.run('send', 'bert', 'one')
    bert.run('send', 'anna', 'two')
    check(texts(anna, 'bert') == ['one', 'two'], 'they talk')
    return server, anna, bert


def restored(home, server, name, *args, **kw):
    c = Client(home, name, server.url)
    out = c.json('restore', '--username', 'anna', '--yes', *args, **kw)
    return c, out


def test_restore_with_a_recovery_key(home):
    server, anna, bert = talked(home)
    try:
        out = anna.json('backup', 'create')
        key = [x for x in out if 'recoveryKey' in x and 'type' not in x][0]
        path = write(home, 'key', key['recoveryKey'].lower())
        check(out[-1]['event'] == 'created' and out[-1]['messages'] == 2,
              f'{out}')
        made = anna.json('backup', 'verify', '--key-file', path)[-1]
        check(made['event'] == 'verified' and made['messages'] == 2, f'{made}')
        # What comes after the backup is not in it, and is not lost here.
        anna.run('send', 'bert', 'three')
        c, out = restored(home, server, 'again', '--key-file', path)
        opened = [x for x in out if x.get('event') == 'opened'][0]
        check(opened['number'] == 1 and opened['listVersion'] == 1,
              f'{opened}')
        check(texts(c, 'bert') == ['one', 'two'], 'history')
        check(all(m['origin'] == 'archive' for m in c.json(
            'history', 'bert', '--offline')), 'origin')
        c.run('send', 'bert', 'four')
        bert.run('send', 'anna', 'five')
        check(texts(c, 'bert') == ['one', 'two', 'four', 'five'], 'goes on')
        check(texts(bert, 'anna') == ['one', 'two', 'three', 'four', 'five'],
              'bert has all')
        d = c.json('devices')[0]
        check([x['device'] for x in d] == [1, 2] and d[1]['manager'],
              f'a new device, {d}')
        # The restored device goes on with the backup.
        check(c.json('backup', 'refresh')[-1]['number'] == 2, 'refreshed')
        check(c.json('backup', 'verify', '--key-file', path)[-1]['messages']
              == 4, 'with what is new')
        # And the old device, which has not heard of that, leaves it alone.
        anna.run('backup', 'refresh')
    finally:
        server.stop()


def test_wrong_keys_are_refused(home):
    server, anna, bert = talked(home)
    try:
        phrase = write(home, 'phrase', PHRASE)
        anna.run('backup', 'create', '--passphrase', '--key-file', phrase)
        for text in ('another phrase that is long enough, though',
                     PHRASE + ' '):
            wrong = write(home, 'wrong', text)
            c = Client(home, 'again', server.url)
            c.run('restore', '--username', 'anna', '--yes', '--key-file',
                  wrong, status=6)
            anna.run('backup', 'verify', '--key-file', wrong, status=6)
        # A recovery key where there is none, and one mistyped.
        other = anna.json('backup', 'create', '--file',
                          os.path.join(home, 'b'))[0]['recoveryKey']
        anna.run('backup', 'verify', '--key-file', write(home, 'o', other),
                 status=5)
        typo = other[:-1] + ('0' if other[-1] != '0' else '1')
        anna.run('backup', 'verify', '--file', os.path.join(home, 'b'),
                 '--key-file', write(home, 't', typo), status=5)
        check(len(anna.json('devices')[0]) == 1, 'a device came')
        c, _ = restored(home, server, 'again', '--key-file', phrase)
        check(texts(c, 'bert') == ['one', 'two'], 'the right one opens it')
    finally:
        server.stop()


def test_weak_or_doubtful_passphrases_are_refused(home):
    server, anna, _ = world(home)
    try:
        for text in ('password', 'Password1234', 'aaaaaaaaaaaaaaaaaaaaaaaa',
                     'abcdefghijklmnopqrstuvwxyz', '12345678901234567890',
                     'cafe\u0301 ' + PHRASE, '\u2160 ' + PHRASE,
                     '\ufb01nal ' + PHRASE):
            anna.run('backup', 'create', '--passphrase', '--key-file',
                     write(home, 'weak', text), status=2)
        anna.run('backup', 'create', '--passphrase', '--key-file',
                 write(home, 'good', 'caf\u00e9 ' + PHRASE))
        anna.run('backup', 'verify', '--key-file',
                 write(home, 'good', 'caf\u00e9 ' + PHRASE))
        anna.run('backup', 'create', '--passphrase', '--recovery-key',
                 status=2)
    finally:
        server.stop()


def test_a_file_is_checked_to_the_last_byte(home):
    server, anna, bert = talked(home)
    try:
        path, key = os.path.join(home, 'file'), os.path.join(home, 'key')
        anna.run('backup', 'create', '--file', path, '--key-file', key)
        check(os.stat(path).st_mode & 0o77 == 0, 'others can read it')
        anna.run('backup', 'create', '--file', path, '--key-file', key + '2',
                 status=1)
        with open(path, 'rb') as f:
            whole = f.read()
        check(b'one' not in whole, 'plaintext')
        bad = os.path.join(home, 'bad')
        for i in range(0, len(whole), max(1, len(whole) // 24)):
            with open(bad, 'wb') as f:
                f.write(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1:])
            p = anna.popen('backup', 'verify', '--file', bad, '--key-file',
                           key)
            p.communicate(timeout=60)
            check(p.returncode in (1, 5, 6), f'byte {i} of {len(whole)}: '
                  f'{p.returncode}')
        for n in (0, 8, 17, len(whole) // 2, len(whole) - 1):
            with open(bad, 'wb') as f:
                f.write(whole[:n])
            p = anna.popen('backup', 'verify', '--file', bad, '--key-file',
                           key)
            p.communicate(timeout=60)
            check(p.returncode in (1, 5, 6), f'cut at {n}: {p.returncode}')
        anna.run('backup', 'verify', '--file', path, '--key-file', key)
        c, _ = restored(home, server, 'again', '--file', path, '--key-file',
                        key)
        check(texts(c, 'bert') == ['one', 'two'], 'restored')
    finally:
        server.stop()


def kill_at(client, args, count, text=None):
    """Kills the command after so many lines of its JSON output."""
    p = client.popen('--json', *args)
    seen = []
    while len(seen) < count:
        line = p.stdout.readline()
        if not line:
            break
        seen.append(json.loads(line))
    p.send_signal(signal.SIGKILL)
    p.wait()
    p.stdout.close()
    p.stderr.close()
    return seen


def test_a_kill_while_it_is_made_or_restored(home):
    server, anna, bert = talked(home)
    try:
        chat = anna.popen('--json', 'chat', 'bert', '--plain', stdin=-1)
        chat.communicate(''.join(f'message {i} {"x" * 900}\n'
                                 for i in range(400)).encode(), timeout=200)
        n = len(texts(anna, 'bert', '--offline'))
        check(n == 402, f'{n} messages')
        key = os.path.join(home, 'key')
        for count in (0, 1, 2):
            if os.path.exists(key):
                os.unlink(key)
            kill_at(anna, ('backup', 'create', '--key-file', key), count)
        if not os.path.exists(key):
            anna.run('backup', 'create', '--key-file', key)
        out = anna.json('backup', 'refresh')
        check(out[-1]['messages'] == n, f'{out[-1]}')
        out = anna.json('backup', 'verify', '--key-file', key)
        check(out[-1]['messages'] == n, f'{out[-1]}')
        again = Client(home, 'again', server.url)
        args = ('restore', '--username', 'anna', '--yes', '--key-file', key)
        for count in (0, 1, 2, 3):
            kill_at(again, args, count)
        p = again.popen('--json', *args)
        p.communicate(timeout=60)
        # It was at its end already, or this was the end.
        check(p.returncode in (0, 1), f'status {p.returncode}')
        check(len(texts(again, 'bert', '--offline')) == n, 'all of it')
        again.run('send', 'bert', 'last')
        check(texts(bert, 'anna')[-1] == 'last', 'goes on')
        check(len(again.json('devices')[0]) == 2, 'one new device')
    finally:
        server.stop()


def test_it_is_renewed_and_deleted(home):
    server, anna, bert = talked(home)
    try:
        key = os.path.join(home, 'key')
        anna.run('backup', 'create', '--key-file', key)
        check(anna.json('backup', 'status')[0]['number'] == 1, 'the first')
        again = anna.json('backup', 'refresh')[-1]
        check(again['number'] == 2, 'the second')
        # Deleted: nothing is there to restore, and a new one begins anew.
        anna.run('backup', 'delete', status=1)
        anna.run('backup', 'delete', '--yes')
        c = Client(home, 'again', server.url)
        c.run('restore', '--username', 'anna', '--yes', '--key-file', key,
              status=5)
        anna.run('backup', 'status', status=1)
        anna.run('backup', 'refresh', status=5)
        check(anna.json('backup', 'create', '--key-file', key + '2')[-1]
              ['exists'], 'made again')
    finally:
        server.stop()


def test_an_old_backup_and_what_came_after_it(home):
    server, anna, bert = talked(home)
    try:
        key, path = os.path.join(home, 'key'), os.path.join(home, 'file')
        anna.run('backup', 'create', '--file', path, '--key-file', key)
        # Devices came and went: the newest signed list holds.
        second(home, anna, 'anna2')
        anna.run('device', 'revoke', '2', '--yes')
        c, out = restored(home, server, 'again', '--file', path,
                          '--key-file', key)
        opened = [x for x in out if x.get('event') == 'opened'][0]
        check(opened['listVersion'] == 1 and
              opened['newestListVersion'] == 3, f'{opened}')
        check([x['device'] for x in c.json('devices')[0]] == [1, 3],
              'numbers are not given again')
        # The account key is another one now: that backup is of no use.
        c.run('keys', 'renew-account', '--yes')
        late = Client(home, 'late', server.url)
        late.run('restore', '--username', 'anna', '--yes', '--file', path,
                 '--key-file', key, status=6)
        check('renewed' in late.err, late.err)
        check(len(c.json('devices')[0]) == 1, 'a device came')
    finally:
        server.stop()


if __name__ == '__main__':
    main([test_restore_with_a_recovery_key,
          test_wrong_keys_are_refused,
          test_weak_or_doubtful_passphrases_are_refused,
          test_a_file_is_checked_to_the_last_byte,
          test_a_kill_while_it_is_made_or_restored,
          test_it_is_renewed_and_deleted,
          test_an_old_backup_and_what_came_after_it])
