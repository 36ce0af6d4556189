"""43_catch_up.py NIGHTJARD: a socket that says `after` hears what it missed:
up to 1,000 events and 2 MiB, in order, before anything live; and when there
is more, sync:now with the position up to which it heard."""
import json
import os
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
IN_FLIGHT = 40


def send(sock, chat, texts):
    """Sends over a socket, many at once; positions by text."""
    done = {}

    def take():
        sock.pump()
        for n in list(sock.acks):
            done[texts[n]] = sock.acks.pop(n)['position']
        sock.events.clear()
    for n, text in enumerate(texts):
        sock.text(f'42{n}' + json.dumps(['message:send', {
            'chatId': chat, 'encryptedContent': text, 'iv': ''}]))
        while len(done) < n - IN_FLIGHT:
            take()
    while len(done) < len(texts):
        take()
    return done


def hear(sock, last, wait_s=20):
    """What comes up to the text `last`: texts, and sync:now's positions."""
    heard, end = [], time.monotonic() + wait_s
    while time.monotonic() < end and last not in heard:
        if not sock.events:
            sock.pump()
        for name, data in sock.events:
            if name == 'message:new':
                heard.append(data['encryptedContent'])
            elif name == 'sync:now':
                heard.append(data['position'])
        sock.events.clear()
    return heard


def missed(s, writer, count, size=1):
    """(whom, texts, positions): somebody new who misses so many messages."""
    who = s.register(f'reader{count}x{size}')
    chat = s.chat(writer[1], who[0])
    texts = [f'{i} ' + 'x' * size for i in range(count)]
    sock = Sio(s.port, writer[1])
    at = send(sock, chat, texts)
    return who, sock, chat, texts, at


def counts(s, writer):
    for count in (1, 220, 999, 1000, 1001, 1500):
        who, sock, chat, texts, at = missed(s, writer, count)
        reader = Sio(s.port, who[1], after=at[texts[0]] - 1)
        # Connected is not read: else the last might be the 1,001st missed.
        while count == 1000 and 'message:new' not in dict(reader.events):
            reader.pump()
        send(sock, chat, ['live'])
        heard = hear(reader, 'live')
        want = texts[:1000] + (['live'] if count <= 1000 else
                               [at[texts[999]], 'live'])
        tap.check(heard == want, f'{count} missed: '
                  + ('all in order, then what is live' if count <= 1000 else
                     'the first 1,000 in order, then sync:now'),
                  f'{len(heard)}: {heard[:2]} .. {heard[-2:]}')
        reader.close()
        sock.close()


def large(s, writer):
    """Messages of 90,000 bytes: 2 MiB are full long before 1,000."""
    who, sock, _, texts, at = missed(s, writer, 60, 90000)
    reader = Sio(s.port, who[1], after=at[texts[0]] - 1)
    heard, end = [], time.monotonic() + 20
    while time.monotonic() < end and not any(
            isinstance(x, int) for x in heard):
        reader.pump()
        for name, data in reader.events:
            if name == 'message:new':
                heard.append(data['encryptedContent'])
            elif name == 'sync:now':
                heard.append(data['position'])
        reader.events.clear()
    n = len(heard) - 1
    tap.check(20 <= n < 60 and heard[:n] == texts[:n] and
              heard[n] == at[texts[n - 1]],
              'many bytes: as many as fit, then sync:now with their last', n)
    r = s.rest('GET', f'/api/sync?after={heard[n]}&limit=1', token=who[1])
    tap.check(r.data['events'][0]['data']['encryptedContent'] == texts[n],
              'and sync goes on from there')
    reader.close()
    sock.close()


def whole_life(s, writer):
    """after: 0 is the whole history: chats that were made, and messages."""
    who, sock, _, texts, _ = missed(s, writer, 219, 700)
    reader = Sio(s.port, who[1], after=0)
    names, end = [], time.monotonic() + 20
    while time.monotonic() < end and names.count('message:new') < len(texts):
        reader.pump()
        names += [name for name, _ in reader.events]
        reader.events.clear()
    tap.check('sync:now' not in names and names.count('chat:created') == 1 and
              names.count('message:new') == len(texts),
              'after: 0 with 220 events: they come, and no sync:now', names[:4])
    reader.close()
    sock.close()


def main():
    with Server(sys.argv[1]) as s:
        writer = s.register('writer')
        counts(s, writer)
        large(s, writer)
        whole_life(s, writer)
    return tap.done()


sys.exit(main())
