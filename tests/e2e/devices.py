"""devices.py: several devices of an account: linking from both sides with a
kill in every state, history, names, revocation, verified marks, renewed keys.
Four command-line devices of two accounts on a real server.
"""
import os
import threading
import time

from chat import Terminal
from lib import (Client, Failure, Listener, Server, check,
                 check_no_plaintext, main)
from linking import Side, link, second


def world(home, *sets):
    server = Server(home, sets=sets).start()
    anna, bert = Client(home, 'anna', server.url), Client(home, 'bert',
                                                          server.url)
    anna.register()
    bert.register()
    return server, anna, bert


def texts(client, who):
    return [m['text'] for m in client.json('history', who, '--limit', '20000')
            if m.get('kind') == 'text']


def eventually(what, text, seconds=15):
    end = time.monotonic() + seconds
    while not what():
        check(time.monotonic() < end, text)
        time.sleep(0.2)


def test_four_devices_of_two_people_see_the_same(home):
    """docs/protocol.md, Linking a device: what is said reaches all devices."""
    server, anna, bert = world(home)
    try:
        secret = 'before the second device came, this was said'
        anna.run('send', 'bert', secret)
        bert.run('send', 'anna', 'before two')
        check(texts(anna, 'bert') == [secret, 'before two'], 'first')
        anna2 = second(home, anna, 'anna2')
        bert2 = second(home, bert, 'bert2', '--manager')
        old = anna2.json('history', 'bert', '--offline')
        check([m['text'] for m in old] == [secret, 'before two'],
              f'history came as {old}')
        check(all(m.get('origin') == 'archive' for m in old), 'its origin')
        for i, (who, to) in enumerate(((anna2, 'bert'), (bert2, 'anna'),
                                       (anna, 'bert'), (bert, 'anna'))):
            who.run('send', to, f'live {i}')
        want = [secret, 'before two'] + [f'live {i}' for i in range(4)]
        for c, who in ((anna, 'bert'), (anna2, 'bert'), (bert, 'anna'),
                       (bert2, 'anna')):
            got = texts(c, who)
            check(got == want, f'{c.name} has {got}')
        live = [m for m in anna2.json('history', 'bert')
                if m['text'].startswith('live')]
        check(all('origin' not in m for m in live), 'live marked as archive')
        own = anna.json('devices')[0]
        check([d['device'] for d in own] == [1, 2] and own[1]['name'] ==
              'anna2' and not own[1]['manager'], f'devices {own}')
        check(bert.json('devices')[0][1]['manager'], 'bert2 is a manager')
        check_no_plaintext(server, [secret])
    finally:
        server.stop()


def test_what_is_no_code_is_asked_for_again(home):
    """At a terminal; it is no try."""
    server, anna, bert = world(home)
    try:
        b = Side(Client(home, 'anna2', server.url), '--device-name', 'two')
        text = b.until('waits')
        while 'text' not in text:
            text = b.until('waits')
        a = Terminal(anna, text['text'], words=('link',))
        code = b.until('code')['code']
        for word in ('what?', '12345', ''):
            a.expect('shows: ')
            a.type(word + '\r')
            a.expect('six digits')
        a.expect('shows: ')
        a.type(code[:3] + ' ' + code[3:] + '\r')
        b.end()
        a.wait()
        check(len(anna.json('devices')[0]) == 2, 'it was not linked')
    finally:
        server.stop()


def test_the_code_has_one_try(home):
    server, anna, bert = world(home)
    try:
        new = Client(home, 'anna2', server.url)
        b = Side(new, '--device-name', 'thief')
        text = b.until('waits')
        while 'text' not in text:
            text = b.until('waits')
        a = Side(anna, text['text'])
        a.until('asks')
        code = b.until('code')['code']
        a.type(f'{(int(code) + 1) % 1000000:06}')
        a.end(status=6)
        check(a.states[-1] == 'wrong_code', f'{a.states}')
        b.end(status=5)
        check(b.states[-1] in ('gone', 'expired'), f'{b.states}')
        check(len(anna.json('devices')[0]) == 1, 'a device came')
        new.run('send', 'bert', 'x', status=3)
        # And what is no text, or a text that was changed.
        anna.run('link', 'nightjar:link?m=x', status=5)
        b = Side(new, '--device-name', 'second')
        text = b.until('waits')
        while 'text' not in text:
            text = b.until('waits')
        bad = text['text'][:-1] + ('A' if text['text'][-1] != 'A' else 'B')
        a = Side(anna, bad[:-3] + ('AAA' if bad[-3:] != 'AAA' else 'BBB'))
        a.until('bad_offer', 'gone', 'expired')
        a.kill()
        anna.run('link', '--cancel', status=5)
        b.kill()
        new.run('link', '--cancel')
    finally:
        server.stop()


def interrupted(home, server, anna, state, side):
    """Links with a kill when `side` is in `state`; it goes on."""
    name = f'{side}-{state}'
    new = Client(home, name, server.url)
    b = Side(new, '--device-name', name)
    text = b.until('waits')
    while 'text' not in text:
        text = b.until('waits')
    if (side, state) == ('new', 'waits'):
        b.kill()
        b.start(resume=True)
    a = Side(anna, text['text'])
    a.until('asks')
    if (side, state) == ('manager', 'asks'):
        a.kill()
        a.start(resume=True)
        a.until('asks')
    code = b.until('code')['code']
    if (side, state) == ('new', 'code'):
        b.kill()
        b.start(resume=True)
        check(b.until('code')['code'] == code, 'the code changed')
        # The server still waits with the killed process' question, and
        # answers each once: when that time is over the next one counts.
        time.sleep(27)
    if (side, state) == ('server', 'code'):
        server.kill()
        server.start()
    a.type(code)
    for which, s in (('manager', 'told'), ('manager', 'signs'),
                     ('manager', 'history')):
        if (side, state) == (which, s):
            a.until(s)
            a.kill()
            a.start(resume=True)
    for s in ('confirm', 'signs', 'history'):
        if (side, state) == ('new', s):
            b.until(s, 'done')
            b.kill()
            b.start(resume=True)
    if (side, state) == ('server', 'signs'):
        b.until('signs', 'history', 'done')
        server.kill()
        server.start()
    for s in (b, a):
        try:
            s.end(timeout=60)
        except Failure:
            # Ended before it could be killed: done is done.
            check(s.states and s.states[-1] in ('done',), f'{name}: '
                  f'{a.states} {b.states}')
    check(texts(new, 'bert') == texts(anna, 'bert'), f'{name}: history')
    new.run('send', 'bert', name)


def test_a_kill_in_any_state_of_linking(home):
    server, anna, bert = world(home)
    try:
        for i in range(30):
            anna.run('send', 'bert', f'message {i}') if i < 3 else None
        for side, state in (('new', 'waits'), ('manager', 'asks'),
                            ('new', 'code'), ('server', 'code'),
                            ('manager', 'told'), ('new', 'confirm'),
                            ('new', 'signs'), ('manager', 'signs'),
                            ('server', 'signs'), ('manager', 'history'),
                            ('new', 'history')):
            interrupted(home, server, anna, state, side)
        got = texts(bert, 'anna')
        check(len(got) == len(set(got)) == 14, f'{len(got)} messages')
    finally:
        server.stop()


def test_what_is_sent_meanwhile_is_neither_lost_nor_doubled(home):
    """docs/protocol.md, What an archive holds: nothing falls between."""
    server, anna, bert = world(home)
    sent, stop = [], threading.Event()

    def talk():
        while not stop.is_set():
            text = f'meanwhile {len(sent)}'
            bert.run('send', 'anna', text)
            sent.append(text)

    try:
        bert.run('send', 'anna', 'first')
        texts(anna, 'bert')
        thread = threading.Thread(target=talk)
        thread.start()
        try:
            anna2 = second(home, anna, 'anna2')
            anna3 = second(home, anna, 'anna3', '--all')
        finally:
            stop.set()
            thread.join()
        want = ['first'] + sent
        check(len(sent) > 1, f'only {len(sent)} were sent')
        for c in (anna, anna2, anna3):
            got = texts(c, 'bert')
            check(got == want, f'{c.name}: {len(got)} of {len(want)}: '
                  f'{sorted(set(want) - set(got))}')
            kinds = {m['kind'] for m in c.json('history', 'bert')}
            check(kinds == {'text'}, f'{c.name} shows {kinds}')
    finally:
        server.stop()


def test_revoked_is_out_at_once(home):
    server, anna, bert = world(home)
    try:
        anna.run('send', 'bert', 'hello')
        anna2 = second(home, anna, 'anna2')
        anna3 = second(home, anna, 'anna3', '--manager')
        listening = Listener(anna2)
        anna2.run('send', 'bert', 'from two')
        # No manager: it may not; and nobody removes himself.
        anna2.run('device', 'revoke', '1', '--yes', status=5)
        anna.run('device', 'revoke', '1', '--yes', status=5)
        anna.run('device', 'revoke', '77', status=5)
        check('no device 77' in anna.err, 'it is not said what is wrong')
        anna.run('device', 'rename', '2', 'old phone')
        check(anna.json('devices')[0][1]['name'] == 'old phone', 'renamed')
        anna.run('device', 'revoke', '2', '--yes')
        eventually(lambda: listening.p.poll() is not None,
                   'the revoked device listens on')
        check(listening.p.wait() == 3, 'it ended otherwise')
        anna2.run('send', 'bert', 'too late', status=3)
        # It is signed out; what it has is still its owner's.
        got = anna2.json('history', 'bert', '--offline')
        check([m['text'] for m in got if m['kind'] == 'text'] ==
              ['hello', 'from two'], f'{got}')
        check(not anna2.json('status', '--offline')[0]['signedIn'], 'is it?')
        bert.run('send', 'anna', 'not for two')
        anna2.run('login', '--yes', status=6)
        check(anna2.json('status')[0]['revoked'], 'it does not know')
        check('not for two' not in [m.get('text') for m in
                                    anna2.json('history', 'bert',
                                               '--offline')], 'it reads on')
        # A manager that is removed makes the account key's renewal due.
        anna.run('device', 'revoke', '3', '--yes')
        check('renew-account' in anna.err, 'no word about the key')
        check(anna.json('status')[0]['renewAccount'], 'not due')
        # And the number is never given again.
        second(home, anna, 'anna4')
        check([d['device'] for d in anna.json('devices')[0]] == [1, 4],
              'a number came again')
        # A revoked one keeps its history and may be linked again.
        link(anna, anna2, name='anna2')
        check(texts(anna2, 'bert')[:2] == ['hello', 'from two'], 'kept')
        check('not for two' in texts(anna2, 'bert'), 'caught up')
    finally:
        server.stop()


def test_verified_marks_are_on_all_devices(home):
    server, anna, bert = world(home)
    try:
        anna.run('send', 'bert', 'hello')
        bert.run('send', 'anna', 'hello too')
        texts(anna, 'bert')
        anna2 = second(home, anna, 'anna2')
        code = bert.json('verify', 'anna')[0]['code']
        wrong = anna.json('verify', 'bert')[0]['code']
        anna.run('verify', 'bert', '--code', wrong, status=6)
        anna.run('verify', 'bert', '--code', 'no code', status=5)
        check(not anna.json('status', 'bert')[0]['verified'], 'too early')
        anna.run('verify', 'bert', '--code', code)
        p = anna.json('status', 'bert')[0]
        check(p['verified'] and p['verifiedBy'] == 'code', f'{p}')

        def seen():
            return anna2.json('status', 'bert')[0]['verified']
        eventually(seen, 'the other device has no mark')
        check(anna2.json('status', 'bert')[0]['verifiedDevice'] == 1, 'by')
        anna3 = second(home, anna, 'anna3')
        check(anna3.json('status', 'bert')[0]['verified'],
              'a new device has no mark')
        anna2.run('verify', 'bert', '--withdraw')
        eventually(lambda: not anna.json('status', 'bert')[0]['verified'],
                   'the mark stays')
    finally:
        server.stop()


def test_renewed_keys_are_told(home):
    server, anna, bert = world(home)
    try:
        anna.run('send', 'bert', 'one')
        bert.run('send', 'anna', 'two')
        texts(anna, 'bert')
        bert.run('verify', 'anna', '--confirm')
        anna2 = second(home, anna, 'anna2')
        before = anna.json('keys')[0]
        anna.run('keys', 'renew')
        after = anna.json('keys')[0]
        check(after['device'] > before['device'], 'the device has old keys')
        anna.run('send', 'bert', 'three')
        bert.run('send', 'anna', 'four')
        check(bert.json('status', 'anna')[0]['verified'], 'still verified')
        # A device that is no manager offers its new certificate to one.
        before = anna2.json('keys')[0]['device']
        anna2.run('keys', 'renew')

        def renewed():
            anna.json('keys')
            return anna2.json('keys')[0]['device'] > before
        eventually(renewed, 'the other device has old keys', 30)
        bert.run('send', 'anna', 'four and a half')
        check(any(x.get('turns', 0) > 0 and x['messagesSealed'] > 0 for x in
                  bert.json('status', 'anna')[0]['protection']),
              'no turns of the ratchet are shown')
        anna2.run('send', 'bert', 'from renewed keys')
        check(texts(anna2, 'bert')[-2:] == ['four and a half',
                                            'from renewed keys'], 'anna2')
        # The account key: cross-signed, so that sending goes on.
        listening = Listener(bert)
        time.sleep(1)
        anna.run('keys', 'renew-account', '--yes')
        check('device 2' in anna.err and 'linked again' in anna.err,
              f'not said who leaves: {anna.err}')
        line = None
        for _ in range(10):
            line = listening.next()
            if line is None or line['type'] == 'renewed':
                break
        check(line is not None and line['type'] == 'renewed' and
              line['wasVerified'], f'bert is told {listening.seen}')
        listening.stop()
        p = bert.json('status', 'anna')[0]
        check(not p['verified'] and not p['blocked'] and
              not p['identityChanged'], f'{p}')
        check('keyRenewed' in p, 'since when')
        bert.run('send', 'anna', 'five')
        anna.run('send', 'bert', 'six')
        want = ['one', 'two', 'three', 'four', 'four and a half',
                'from renewed keys', 'five', 'six']
        check(texts(anna, 'bert') == want, 'anna has all')
        check(texts(bert, 'anna') == want, 'bert has all')
        check(len(anna.json('devices')[0]) == 1, 'others are to be linked')
        link(anna, anna2, name='anna2')
        check(texts(anna2, 'bert') == want, 'linked again')
    finally:
        server.stop()


def test_starting_over_is_said_and_blocks_a_verified_person(home):
    server, anna, bert = world(home)
    try:
        anna.run('send', 'bert', 'one')
        texts(bert, 'anna')
        bert.run('verify', 'anna', '--confirm')
        new = Client(home, 'elsewhere', server.url)
        new.run('login', '--username', 'anna', status=6)
        check('link' in new.err and 'restore' in new.err, new.err)
        new.run('login', '--username', 'anna', '--start-over')
        p = bert.json('status', 'anna')[0]
        check(p['blocked'] and not p['verified'], f'{p}')
        bert.run('send', 'anna', 'stop', status=6)
        bert.run('verify', 'anna', '--confirm')
        bert.run('send', 'anna', 'go')
    finally:
        server.stop()


def test_ten_thousand_messages_go_over(home):
    """A history of ten thousand (NJ_HISTORY) comes in less than 10 s, or in
    little more than linking alone takes."""
    n = int(os.environ.get('NJ_HISTORY', '500'))
    server, anna, bert = world(home)
    try:
        chat = anna.popen('--json', 'chat', 'bert', '--plain',
                          stdin=-1)
        lines = ''.join(f'a message of some length, number {i}\n'
                        for i in range(n))
        chat.communicate(lines.encode(), timeout=900)
        check(len(texts(bert, 'anna')) == n, 'not all were sent')
        begin = time.monotonic()
        second(home, anna, 'anna2')
        took = time.monotonic() - begin
        got = len(Client(home, 'anna2', server.url).json(
            'history', 'bert', '--offline', '--limit', '20000'))
        check(got == n, f'{got} of {n} came')
        begin = time.monotonic()
        second(home, anna, 'anna3', '--no-history')
        bare = time.monotonic() - begin
        print(f'# {n} messages: {took:.2f} s, without history {bare:.2f} s',
              flush=True)
        # On a machine that has more to do the linking itself takes long.
        check(took < 10 or took < bare + 5, f'{took:.1f} s, {bare:.1f} s')
    finally:
        server.stop()


if __name__ == '__main__':
    main([test_four_devices_of_two_people_see_the_same,
          test_what_is_no_code_is_asked_for_again,
          test_the_code_has_one_try,
          test_a_kill_in_any_state_of_linking,
          test_what_is_sent_meanwhile_is_neither_lost_nor_doubled,
          test_revoked_is_out_at_once,
          test_verified_marks_are_on_all_devices,
          test_renewed_keys_are_told,
          test_starting_over_is_said_and_blocks_a_verified_person,
          test_ten_thousand_messages_go_over])
