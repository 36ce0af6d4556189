#!/usr/bin/env python3
"""tamper.py: a server that alters what it keeps. Its database is changed while
it is stopped, then the recipient reads: the altered message is refused by
name, nothing false is shown, and the next one opens; then the two clients mend it between them.
"""
import json
import os
import sqlite3

import lib
from lib import Client, Listener, Server, check

SECRET = 'pay ten'
REFUSED = '(a message was refused: '


def altered(text):
    """The same Base64 with one character in the middle exchanged."""
    at = len(text) // 2
    return text[:at] + ('A' if text[at] != 'A' else 'B') + text[at + 1:]


def change(server, position, column):
    """One character of a message's content, or of each of its keys."""
    with sqlite3.connect(os.path.join(server.data, 'nightjar.db')) as db:
        old, = db.execute(f'SELECT {column} FROM messages WHERE position = ?',
                          (position,)).fetchone()
        if column == 'encrypted_keys':
            new = json.dumps({k: altered(v)
                              for k, v in json.loads(old).items()},
                             separators=(',', ':'))
        else:
            new = altered(old)
        check(new != old and len(new) == len(old), f'{column}: {old}')
        done = db.execute(f'UPDATE messages SET {column} = ? '
                          'WHERE position = ?', (new, position))
        check(done.rowcount == 1, 'the message is not in the database')
    db.close()


def check_refused(row, sent, cause):
    check(row and row['kind'] == 'refused' and row['cause'] == cause and
          row['from'] == 'ann' and row['position'] == sent['position'] and
          row['time'] and 'text' not in row, f'not named: {row}')


def check_repaired(ann, bob, sent):
    """Bob's device asks for it again, Ann's sends it again: the true text, in
    its place, with both in touch a few times."""
    for _ in range(10):
        ann.run('history', 'bob')
        rows = bob.json('history', 'ann')
        if rows[1]['kind'] == 'text':
            break
    check([r.get('text') for r in rows] == ['before', SECRET, 'after'] and
          rows[1]['clientMessageId'] == sent['clientMessageId'],
          f'not repaired: {rows}')
    check(REFUSED not in bob.run('history', 'ann'), 'still refused as text')


def run(home, column, cause):
    server = Server(home).start()
    ann = Client(home, 'ann', server.url)
    bob = Client(home, 'bob', server.url)
    try:
        ann.register()
        bob.register()
        ann.run('send', 'bob', 'before')
        check(bob.json('history', 'ann')[-1]['text'] == 'before', 'no start')
        sent = ann.json('send', 'bob', SECRET)[0]
        ann.run('send', 'bob', 'after')
        server.stop()
        change(server, sent['position'], column)
        server.start()
        listen = Listener(bob)
        check_refused(listen.message(), sent, cause)
        got = listen.message()
        check(got and got.get('text') == 'after', f'the next one: {got}')
        listen.stop()
        rows = bob.json('history', 'ann')
        check([r.get('text') for r in rows] == ['before', None, 'after'],
              f'{rows}')
        check_refused(rows[1], sent, cause)
        lines = bob.run('history', 'ann').splitlines()
        check(len(lines) == 3 and f' ann: {REFUSED}' in lines[1] and
              SECRET not in lines[1] and lines[2].endswith(' ann: after'),
              f'text form: {lines}')
        check_repaired(ann, bob, sent)
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()


def test_an_altered_content_is_refused(home):
    run(home, 'encrypted_content', 'decrypt')


def test_altered_keys_are_refused(home):
    run(home, 'encrypted_keys', 'auth')


if __name__ == '__main__':
    lib.main([test_an_altered_content_is_refused,
              test_altered_keys_are_refused])
