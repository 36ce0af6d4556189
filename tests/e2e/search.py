#!/usr/bin/env python3
"""search.py: `nightjar search` against a real server: what is found, in which
order, with which marks; what was edited or deleted; an index that is gone; and
that the words lie on no disk in clear.
"""
import pathlib
import sqlite3
import subprocess

import lib
from lib import check
from talk import World


def found(client, *args):
    return [r['text'] for r in client.json('search', *args)]


def test_words_are_found(home):
    with World(home) as w:
        w.register()
        w.ann.run('send', 'bob', 'Die Straße nach Łódź')
        w.bob.run('send', 'ann', 'привет, ЁЛКА!')
        w.ann.run('send', 'bob', 'Zeppelin over the harbour')
        cat = lib.Client(home, 'cat', w.server.url)
        cat.register()
        w.ann.run('send', 'cat', 'note: zeppelin tickets')
        for c in (w.ann, w.bob):
            check(found(c, 'strasse') == ['Die Straße nach Łódź'], 'ss')
            check(found(c, 'lodz', 'DIE') == ['Die Straße nach Łódź'],
                  'two words')
            check(found(c, 'елка') == ['привет, ЁЛКА!'], 'Cyrillic')
            check(found(c, 'harb') == ['Zeppelin over the harbour'],
                  'part of a word')
            check(found(c, 'straße', 'привет') == [], 'all must match')
        check(found(w.ann, 'zeppelin') == ['note: zeppelin tickets',
              'Zeppelin over the harbour'], 'newest first')
        check(found(w.ann, 'zeppelin', '--with', 'bob') ==
              ['Zeppelin over the harbour'], 'with one person')
        check(found(w.ann, 'zeppelin', '--limit', '1') ==
              ['note: zeppelin tickets'], 'a limit')
        row = w.ann.json('search', 'LODZ', '--offline')[0]
        check(row['with'] == 'bob' and row['matches'] ==
              [[len('Die Straße nach '.encode()), len('Łódź'.encode())]],
              f'{row}')
        text = w.bob.run('search', 'harbour')
        check('ann: Zeppelin over the harbour' in text, text)
        check(w.bob.run('search', 'nowhere') == '', 'nothing is nothing')
        w.bob.run('search', ' ', status=2)
        w.bob.run('search', *'a b c d e f g h i'.split(), status=2)
        lib.check_no_plaintext(w.server, ['Zeppelin over', 'ЁЛКА'])
        for path in pathlib.Path(w.bob.data()).rglob('*'):
            if path.is_file():
                held = path.read_bytes().lower()
                check(b'zeppelin' not in held and b'harbour' not in held,
                      f'{path} holds the words in clear')


def test_changes_leave_the_index(home):
    with World(home) as w:
        w.register()
        first = w.ann.json('send', 'bob', 'the old harbour')[0]
        second = w.ann.json('send', 'bob', 'a lighthouse')[0]
        check(found(w.bob, 'old') == ['the old harbour'], 'before')
        w.ann.run('edit', 'bob', first['clientMessageId'], 'the new port')
        w.ann.run('delete', 'bob', second['clientMessageId'], '--both')
        for c in (w.ann, w.bob):
            check(found(c, 'old') == [] and found(c, 'harbour') == [],
                  f'{c.name}: what stood there before the edit is found')
            check(found(c, 'port') == ['the new port'], 'the new text')
            check(found(c, 'lighthouse') == [], 'the deleted one is found')


def test_many_messages_and_pages(home):
    with World(home) as w:
        w.register()
        chat = w.ann.popen('chat', '--plain', 'bob', stdin=subprocess.PIPE)
        lines = ''.join(f'number {i} {"even" if i % 2 == 0 else "odd"}\n'
                        for i in range(150))
        _, err = chat.communicate(lines.encode(), timeout=120 * lib.SLOW)
        check(chat.returncode == 0, f'chat: {err.decode()}')
        got = found(w.bob, 'even', '--limit', '1000')
        check(got == [f'number {i} even' for i in range(148, -1, -2)],
              f'{len(got)}: {got[:3]}')
        check(len(found(w.bob, 'number')) == 50, 'the limit by default')


def test_an_older_history_is_indexed(home):
    """The index is taken away, as it is in a profile of an older program."""
    with World(home) as w:
        w.register()
        for i in range(5):
            w.ann.run('send', 'bob', f'before the index {i}')
        check(len(found(w.bob, 'index')) == 5, 'all')
        db = sqlite3.connect(w.bob.data() + '/profile.db')
        gone = db.execute('DELETE FROM record WHERE kind=80').rowcount
        db.commit()
        db.close()
        check(gone > 0, 'there was an index')
        check(found(w.bob, 'index', '--offline') == [], 'none now')
        check(len(found(w.bob, 'index')) == 5, 'indexed again')
        check(len(found(w.bob, 'index', '--offline')) == 5, 'and it stays')


if __name__ == '__main__':
    lib.main([test_words_are_found, test_changes_leave_the_index,
              test_many_messages_and_pages,
              test_an_older_history_is_indexed])
