#!/usr/bin/env python3
"""messages.py: everything about a message, with real processes: replies,
mentions, edits, deletions, reactions, pins, timers, marks, blocks, settings,
chats; two people with two devices each; kills between the steps.
"""
import os
import signal
import time

import lib
from lib import Client, Listener, Server, check
from linking import second


class World:
    """A server, Ann and Bob; `second` gives each another device."""

    def __init__(self, home, devices=1):
        self.server = Server(home).start()
        url = self.server.url
        self.ann, self.bob = Client(home, 'ann', url), Client(home, 'bob', url)
        self.ann.register()
        self.bob.register()
        if devices == 2:
            self.ann.run('send', 'bob', 'begin')
            self.bob.run('history', 'ann')
            self.ann2 = second(home, self.ann, 'ann2')
            self.bob2 = second(home, self.bob, 'bob2')

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.server.stop()
        elif self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()


def rows(client, who, *args):
    return client.json('history', who, '--limit', '1000', *args)


def find(client, who, text):
    got = [r for r in rows(client, who) if r.get('text') == text]
    check(len(got) == 1, f'{client.name} has {text!r} {len(got)} times: '
          f'{rows(client, who)}')
    return got[0]


def by_id(client, who, ident):
    got = [r for r in rows(client, who) if r.get('id') == ident]
    check(len(got) <= 1, f'{client.name}: {ident} twice')
    return got[0] if got else None


def eventually(what, text, seconds=15):
    end = time.monotonic() + seconds * lib.SLOW
    while not what():
        check(time.monotonic() < end, text)
        time.sleep(0.1)


def killed(client, *args, after=0.0, text=None):
    """The command, killed after a while; that may be too late."""
    p = client.popen(*args)
    time.sleep(after)
    p.send_signal(signal.SIGKILL)
    p.communicate()


def test_notes_to_oneself(home):
    """With one device they stay there and in the account's chat; a second
    device gets them with the history, and what comes later at once."""
    with World(home) as w:
        sent = w.ann.json('send', 'ann', 'buy milk')
        check(sent[-1]['state'] == 'sent', f'{sent}')
        note = find(w.ann, 'ann', 'buy milk')
        check(note['state'] == 'sent' and note['position'] > 0, f'{note}')
        w.ann.run('edit', 'ann', note['id'], 'buy bread')
        w.ann.run('react', 'ann', note['id'], '+1')
        w.ann.run('send', 'ann', 'a second one')
        w.ann.run('delete', 'ann', find(w.ann, 'ann', 'a second one')['id'],
                  '--both')
        note = find(w.ann, 'ann', 'buy bread')
        chats = {c['with']: c for c in w.ann.json('chats')}
        check(chats['ann']['unread'] == 0, f'{chats}')
        other = second(home, w.ann, 'ann2')
        eventually(lambda: any(r.get('text') == 'buy bread'
                               for r in rows(other, 'ann')),
                   'the new device did not get the note')
        w.ann.run('send', 'ann', 'for both devices')
        find(other, 'ann', 'for both devices')
        other.run('send', 'ann', 'and back')
        find(w.ann, 'ann', 'and back')
        other.run('edit', 'ann', find(other, 'ann', 'and back')['id'],
                  'and back again')
        find(w.ann, 'ann', 'and back again')
        for c in (w.ann, other):
            chats = {x['with']: x for x in c.json('chats')}
            check(chats['ann']['unread'] == 0, f'{c.name}: {chats}')
            check(not [r for r in rows(c, 'ann')
                       if r['kind'] in ('refused', 'gap')], f'{c.name}')
        lib.check_no_plaintext(w.server, ['buy milk', 'buy bread',
                                          'for both devices'])


def test_replies_and_mentions(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'shall we?')
        asked = find(w.bob, 'ann', 'shall we?')
        w.bob.run('send', 'ann', '--reply-to', asked['id'], 'yes @ann')
        got = find(w.ann, 'bob', 'yes @ann')
        check(got['replyTo'] == asked['clientMessageId'], f'{got}')
        check(got['mentions'] == ['ann'], f'{got}')
        text = w.ann.run('history', 'bob')
        check('(answers ann: shall we?) yes' in text, text)
        check(got['id'] in w.ann.run('history', '--ids', 'bob'), 'ids')
        w.bob.run('send', 'ann', '--reply-to', 'ffffffff', 'what?', status=1)
        w.bob.run('send', 'ann', '--reply-to', 'zz', 'what?', status=2)
        check('zz' in w.bob.err, w.bob.err)


def test_edits(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'helo')
        m = find(w.ann, 'bob', 'helo')
        w.bob.run('history', 'ann')
        w.ann.run('edit', 'bob', m['id'], 'hello')
        got = by_id(w.bob, 'ann', m['id'])
        check(got['text'] == 'hello' and got['edit'] == 1, f'{got}')
        w.ann.run('edit', 'bob', m['id'], '-', text='hello there\n')
        got = by_id(w.bob, 'ann', m['id'])
        check(got['text'] == 'hello there' and got['edit'] == 2, f'{got}')
        check('otherHistory' not in got, f'{got}')
        check('(edited)' in w.bob.run('history', 'ann'), 'said')
        check(len(rows(w.bob, 'ann')) == 1, f'{rows(w.bob, "ann")}')
        # Not another's, and not what is not there.
        w.bob.run('edit', 'ann', m['id'], 'mine', status=5)
        w.ann.run('edit', 'bob', 'ffffffff', 'none', status=1)
        lib.check_no_plaintext(w.server, ['hello there'])


def test_edit_of_what_the_other_never_saw(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'first')
        w.bob.run('history', 'ann')
        w.ann.run('send', 'bob', 'frist try')
        m = find(w.ann, 'bob', 'frist try')
        w.ann.run('send', 'bob', 'after')
        w.ann.run('edit', 'bob', m['id'], 'second try')
        w.ann.run('edit', 'bob', m['id'], 'third try')
        got = rows(w.bob, 'ann')
        check([r.get('text') for r in got] == ['first', 'third try', 'after'],
              f'{got}')
        check(got[1]['id'] == m['id'] and got[1]['edit'] == 2, f'{got}')


def test_deletions(home):
    with World(home) as w:
        for text in ('a secret', 'keep this', 'for me'):
            w.ann.run('send', 'bob', text)
        secret = find(w.bob, 'ann', 'a secret')
        w.bob.run('react', 'ann', secret['id'], 'hm')
        w.bob.run('delete', 'ann', secret['id'], '--both', status=5)
        w.ann.run('delete', 'bob', secret['id'], '--both')
        for c, other in ((w.ann, 'bob'), (w.bob, 'ann')):
            got = by_id(c, other, secret['id'])
            check(got['kind'] == 'deleted' and 'text' not in got, f'{got}')
        mine = find(w.bob, 'ann', 'for me')
        w.bob.run('delete', 'ann', mine['id'])
        check(by_id(w.bob, 'ann', mine['id']) is None, 'hidden')
        check(by_id(w.ann, 'bob', mine['id'])['text'] == 'for me', 'stays')
        w.ann.run('send', 'bob', 'goes on')
        check([r.get('text') for r in rows(w.bob, 'ann')] ==
              [None, 'keep this', 'goes on'], f'{rows(w.bob, "ann")}')


def test_reactions_and_pins(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'news')
        m = find(w.bob, 'ann', 'news')
        listener = Listener(w.ann)
        time.sleep(0.5)
        w.bob.run('react', 'ann', m['id'], '👍')
        end = time.monotonic() + 15 * lib.SLOW
        got = listener.next()
        while got is not None and got['type'] != 'reaction':
            check(time.monotonic() < end, 'no reaction came')
            got = listener.next()
        check(got and got['text'] == '👍' and got['id'] == m['id'] and
              got['from'] == 'bob', f'{listener.seen}')
        listener.stop()
        w.ann.run('react', 'bob', m['id'], '🎉')
        for c, other in ((w.ann, 'bob'), (w.bob, 'ann')):
            r = by_id(c, other, m['id'])['reactions']
            check(sorted(x['text'] for x in r) == sorted(['👍', '🎉']),
                  f'{c.name} {r}')
        w.bob.run('react', 'ann', m['id'], '😀')
        w.ann.run('react', 'bob', m['id'])
        for c, other in ((w.ann, 'bob'), (w.bob, 'ann')):
            r = by_id(c, other, m['id'])['reactions']
            check(r == [{'from': 'bob', 'text': '😀'}], f'{c.name} {r}')
        w.bob.run('pin', 'ann', m['id'])
        pins = w.ann.json('pin', 'bob')
        check([p['id'] for p in pins] == [m['id']], f'{pins}')
        check(by_id(w.ann, 'bob', m['id'])['pinned'], 'flag')
        w.ann.run('pin', 'bob', m['id'], '--off')
        check(w.bob.json('pin', 'ann') == [], 'unpinned')


def test_timers(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'before')
        w.bob.run('history', 'ann')
        w.ann.run('timer', 'bob', '3s')
        check(w.bob.json('timer', 'ann') == [{'expiresIn': 3}], 'told')
        check(w.ann.run('timer', 'bob').strip() == '3s', 'shown')
        w.ann.run('send', 'bob', 'burns')
        m = find(w.bob, 'ann', 'burns')
        check(m['expiresIn'] == 3 and 'expiresTime' not in m, f'{m}')
        time.sleep(3.5)
        check(by_id(w.ann, 'bob', m['id']) is None, 'gone at the sender')
        check(by_id(w.bob, 'ann', m['id']) is not None, 'not read yet')
        w.bob.run('read', 'ann')
        check('expiresTime' in by_id(w.bob, 'ann', m['id']), 'started')
        time.sleep(3.5)
        check(by_id(w.bob, 'ann', m['id']) is None, 'gone at the reader')
        check('burns' not in w.bob.run('history', 'ann', '--offline'), 'text')
        w.bob.run('timer', 'ann', 'off')
        w.ann.run('history', 'bob')
        w.ann.run('send', 'bob', '--expire', '1h', 'an hour')
        check(find(w.bob, 'ann', 'an hour')['expiresIn'] == 3600, 'own timer')
        w.ann.run('timer', 'bob', '2y', status=2)


def test_unread_marks_and_chats(home):
    with World(home) as w:
        for i in range(3):
            w.ann.run('send', 'bob', f'n{i} @bob' if i == 2 else f'n{i}')
        w.bob.run('history', 'ann')
        chat = w.bob.json('chats')[0]
        check(chat['unread'] == 3 and chat['mentions'] == 1, f'{chat}')
        w.bob.run('read', 'ann', find(w.bob, 'ann', 'n0')['id'])
        check(w.bob.json('chats')[0]['unread'] == 2, 'up to one')
        w.bob.run('read', 'ann')
        check(w.bob.json('chats')[0]['unread'] == 0, 'all')
        eventually(lambda: find(w.ann, 'bob', 'n1')['read'],
                   'the read mark came')
        w.bob.run('mute', 'ann')
        w.bob.run('archive', 'ann')
        w.bob.run('draft', 'ann', 'dear', 'Ann')
        chat = w.bob.json('chats')[0]
        check(chat['muted'] and chat['archived'] and
              chat['draft'] == 'dear Ann', f'{chat}')
        check(w.bob.run('draft', 'ann').strip() == 'dear Ann', 'draft')
        w.bob.run('unmute', 'ann')
        w.bob.run('unarchive', 'ann')
        w.bob.run('draft', 'ann', '--off')
        chat = w.bob.json('chats')[0]
        check(not chat['muted'] and not chat['archived'] and
              'draft' not in chat, f'{chat}')


def test_who_is_there_and_how_chats_are_kept(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'hi')
        w.bob.run('history', 'ann')

        def chat(*args):
            return w.bob.json('chats', *args)[0]

        def status():
            return w.bob.json('status', 'ann')[0]

        ears = Listener(w.ann)
        eventually(lambda: status()['presence'] == 'online', 'ann is there')
        check('Presence       online' in w.bob.run('status', 'ann'), 'words')
        eventually(lambda: chat().get('presence') == 'online', 'in the list')
        check(' online' in w.bob.run('chats'), f'{w.bob.run("chats")}')
        ears.stop()
        eventually(lambda: status()['presence'] == 'offline' and
                   status()['lastSeen'], 'ann has gone')
        check('Last seen      ' in w.bob.run('status', 'ann'), 'when')
        own = Listener(w.bob)           # who listens remembers it
        w.ann.popen('--json', 'listen', '--count', '1')
        eventually(lambda: chat('--offline').get('lastSeen'), 'heard once')
        w.bob.run('send', 'ann', 'that ends it')
        own.stop()
        check('presence' not in chat('--offline'), 'not asked')
        check(' seen ' in w.bob.run('chats', '--offline'), 'in words')
        ears = Listener(w.ann, '--away')
        eventually(lambda: status()['presence'] == 'away', 'a silent one')
        eventually(lambda: chat().get('presence') == 'away', 'in the list')
        ears.stop()
        w.ann.run('settings', 'presence=off', 'last-seen=off')
        ears = Listener(w.ann)
        w.ann.run('history', 'bob')
        check(status()['presence'] == 'offline', 'she does not say')
        ears.stop()
        # How a chat is kept, on all devices.
        for word, how in (('mentions', 'mentions-only'), ('none', 'quiet')):
            w.bob.run('notify', 'ann', word)
            check(w.bob.run('notify', 'ann').strip() == word, word)
            check(chat()['notify'] == word and
                  how in w.bob.run('chats', '--offline'), how)
        check(w.bob.json('notify', 'ann') == [{'notify': 'none'}], 'JSON')
        w.bob.run('notify', 'ann', 'some', status=2)
        w.bob.run('pin', 'ann', '--chat')
        check(chat()['pinned'], 'pinned')
        other = second(home, w.bob, 'bob2')
        there = other.json('chats')[0]
        check(there['pinned'] and there['notify'] == 'none', f'{there}')
        w.bob.run('pin', 'ann', '--chat', '--off')
        w.bob.run('notify', 'ann', 'all')
        there = other.json('chats')[0]
        check(not there['pinned'] and there['notify'] == 'all', f'{there}')
        w.bob.run('pin', 'ann', 'abc', '--chat', status=2)


def test_blocks_reports_and_people(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'hello')
        m = find(w.bob, 'ann', 'hello')
        w.bob.run('block', 'ann')
        check([p['username'] for p in w.bob.json('blocks')] == ['ann'], 'list')
        w.bob.run('send', 'ann', 'no', status=5)
        check('blocked' in w.bob.err, w.bob.err)
        w.ann.run('send', 'bob', 'let me in', status=5)
        check('cannot be written to' in w.ann.err, w.ann.err)
        check(len(rows(w.bob, 'ann')) == 1, 'nothing came')
        w.bob.run('unblock', 'ann')
        check(w.bob.json('blocks') == [], 'empty')
        w.bob.run('unblock', 'ann')
        check('ann is not blocked' in w.bob.err, w.bob.err)
        w.ann.run('send', 'bob', 'thanks')
        find(w.bob, 'ann', 'thanks')
        w.bob.run('report', 'ann', 'spam', m['id'], '--comment', 'too loud')
        w.bob.run('report', 'ann', 'nonsense', status=2)
        check('impersonation' in w.bob.err, 'reasons are not named')
        w.bob.run('people', 'a', status=2)
        check('two characters' in w.bob.err, 'why "a" is not looked for')
        check([p['username'] for p in w.ann.json('people', 'bo')] == ['bob'],
              'by a part of the name')
        w.ann.run('people', 'nobody_x', status=1)


def test_settings(home):
    with World(home) as w:
        w.bob.run('settings', 'read-receipts=off', 'pref.theme=dark-as-the-night')
        got = w.bob.json('settings')[0]
        check(not got['readReceipts'] and got['typing'] and
              got['preferences'] == {'theme': 'dark-as-the-night'}, f'{got}')
        check('read-receipts=off' in w.bob.run('settings'), 'text')
        w.bob.run('settings', 'colour=red', status=2)
        # Nobody hears what is read, but the own count.
        w.ann.run('send', 'bob', 'psst')
        w.bob.run('history', 'ann')
        w.bob.run('read', 'ann')
        check(w.bob.json('chats')[0]['unread'] == 0, 'own count')
        time.sleep(1)
        check(not find(w.ann, 'bob', 'psst')['read'], 'nobody is told')
        lib.check_no_plaintext(w.server, ['dark-as-the-night'])


def test_two_devices_each(home):
    """All that one device does is so on all of them."""
    with World(home, devices=2) as w:
        all4 = ((w.ann, 'bob'), (w.ann2, 'bob'), (w.bob, 'ann'),
                (w.bob2, 'ann'))
        w.ann.run('send', 'bob', 'from ann 1')
        w.ann2.run('send', 'bob', 'from ann 2')
        for c, other in all4:
            find(c, other, 'from ann 1')
            m = find(c, other, 'from ann 2')
            want = 'sent' if other == 'bob' else 'received'
            check(m['state'] == want, f'{c.name} {m}')
        check(w.ann.json('chats')[0]['unread'] == 0, 'own are not unread')
        check(w.bob2.json('chats')[0]['unread'] >= 2, 'unread')
        w.bob.run('read', 'ann')
        eventually(lambda: w.bob2.json('chats')[0]['unread'] == 0,
                   'read on one device, unread on the other')
        # Edited on the device that did not write it, reacted on the others.
        w.ann2.run('edit', 'bob', find(w.ann2, 'bob', 'from ann 1')['id'],
                   'edited on 2')
        w.ann.run('edit', 'bob', find(w.ann, 'bob', 'edited on 2')['id'],
                  'edited on 1')
        w.bob2.run('react', 'ann', m['id'], '👋')
        w.bob.run('react', 'ann', m['id'], '🙂')
        w.ann2.run('timer', 'bob', '1h')
        for c, other in all4:
            got = find(c, other, 'edited on 1')
            check(got['edit'] == 2 and 'otherHistory' not in got, f'{got}')
            r = by_id(c, other, m['id'])['reactions']
            check(r == [{'from': 'bob', 'text': '🙂'}], f'{c.name} {r}')
            check(c.json('timer', other) == [{'expiresIn': 3600}], c.name)
        # Hidden for one person, on both devices of that person only.
        w.bob.run('delete', 'ann', got['id'])
        check(by_id(w.bob, 'ann', got['id']) is None, 'hidden here')
        check(by_id(w.bob2, 'ann', got['id']) is None, 'hidden there')
        check(by_id(w.ann, 'bob', got['id']) is not None, 'not for ann')
        w.ann.run('delete', 'bob', m['id'], '--both')
        for c, other in all4:
            check(by_id(c, other, m['id'])['kind'] == 'deleted', c.name)
        w.ann.run('settings', 'typing=off', 'pref.sound=bell')
        w.ann.run('mute', 'bob')
        got = w.ann2.json('settings')[0]
        check(not got['typing'] and got['preferences'] == {'sound': 'bell'},
              f'{got}')
        check(w.ann2.json('chats')[0]['muted'], 'muted on the other device')
        w.bob2.run('block', 'ann')
        check([p['username'] for p in w.bob.json('blocks')] == ['ann'],
              'blocked on the other device')
        for c, other in all4:
            causes = c.json('status')[0].get('causes', {})
            bad = [x for x in causes if x.startswith('refused')]
            check(not bad, f'{c.name}: {causes}')


def test_two_devices_at_once(home):
    """Both send, edit and react at the same moment: all come to the same."""
    with World(home, devices=2) as w:
        w.ann.run('send', 'bob', 'target')
        m = find(w.ann, 'bob', 'target')
        w.ann2.run('history', 'bob')
        for i in range(3):
            ps = [c.popen('send', 'bob', f'{c.name} {i}')
                  for c in (w.ann, w.ann2)]
            ps += [c.popen('edit', 'bob', m['id'], f'{c.name} edit {i}')
                   for c in (w.ann, w.ann2)]
            ps += [c.popen('react', 'bob', m['id'], f'{c.name}{i}')
                   for c in (w.ann, w.ann2)]
            for p in ps:
                out, err = p.communicate(timeout=60 * lib.SLOW)
                check(p.returncode == 0, f'{out} {err}')
        views = []
        for c, other in ((w.ann, 'bob'), (w.ann2, 'bob'), (w.bob, 'ann'),
                         (w.bob2, 'ann')):
            got = [(r['kind'], r.get('text'), r.get('reactions'))
                   for r in rows(c, other)]
            views.append((c.name, got))
        for name, got in views[1:]:
            check(got == views[0][1], f'{name} has {got}, and not '
                  f'{views[0][1]}')
        check(len(views[0][1]) == 8, f'{views[0]}')


def work_us(client, *args):
    """What the steps of the client took in that command, commits apart."""
    client.run('--verbose', *args)
    got = [x for x in client.err.splitlines() if 'us of client work' in x]
    check(len(got) == 1, client.err)
    return int(got[0].split(': ')[-1].split()[0])


def test_send_to_five_devices(home):
    """Less than 5 ms of client work, with sessions established."""
    with World(home) as w:
        w.ann.run('send', 'bob', 'begin')
        w.bob.run('history', 'ann')
        for i in range(2, 6):
            second(home, w.bob, f'bob{i}')
        check(len(w.bob.json('devices')[0]) == 5, 'five of them')
        for i in range(3):
            w.ann.run('send', 'bob', f'warm {i}')
        times = sorted(work_us(w.ann, 'send', 'bob', f'm {i}')
                       for i in range(15))
        print(f'# work of a send to 5 devices, whole command: median '
              f'{times[7]} us, least {times[0]} us, most {times[-1]} us',
              flush=True)
        check(times[7] < 5000 * lib.SLOW, f'{times}')


def test_kills_between_the_steps(home):
    with World(home) as w:
        w.ann.run('send', 'bob', 'base')
        m = find(w.ann, 'bob', 'base')
        w.bob.run('history', 'ann')
        for i in range(12):
            wait = 0.01 * i
            killed(w.ann, 'edit', 'bob', m['id'], f'edit {i}', after=wait)
            killed(w.ann, 'react', 'bob', m['id'], f'r{i}', after=wait)
            killed(w.bob, 'history', 'ann', after=wait)
            if i == 6:
                w.server.kill()
                w.server.start()
        w.ann.run('send', 'bob', 'end')
        w.ann.run('history', 'bob')
        a, b = rows(w.ann, 'bob'), rows(w.bob, 'ann')
        check([(r['kind'], r.get('text'), r.get('edit'), r.get('reactions'))
               for r in a] ==
              [(r['kind'], r.get('text'), r.get('edit'), r.get('reactions'))
               for r in b], f'{a}\n{b}')
        check(len(b) == 2 and 'otherHistory' not in b[0], f'{b}')


if __name__ == '__main__':
    os.environ.setdefault('LC_ALL', 'C.UTF-8')
    lib.main([
        test_notes_to_oneself,
        test_replies_and_mentions,
        test_edits,
        test_edit_of_what_the_other_never_saw,
        test_deletions,
        test_reactions_and_pins,
        test_timers,
        test_unread_marks_and_chats,
        test_who_is_there_and_how_chats_are_kept,
        test_blocks_reports_and_people,
        test_settings,
        test_two_devices_each,
        test_two_devices_at_once,
        test_send_to_five_devices,
        test_kills_between_the_steps,
    ])
