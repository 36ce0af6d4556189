"""61_settings.py NIGHTJARD: settings and their flags, which hold everywhere:
marks, typing, presence, last seen, search; what a member sets for himself in a
chat: docs/api.md, "Settings, blocks, reports"."""
import base64
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from people import People  # noqa: E402
from server import Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
FLAGS = ('readReceipts', 'deliveryReceipts', 'typing', 'presence', 'lastSeen', 'searchable')


class World:
    def __init__(self, s):
        self.s, self.p = s, People(s)
        self.alice = self.p.base('alice')
        self.bob, self.eve = self.p.person('bob'), self.p.person('eve')
        self.a, self.a2 = (self.p.sign_in(self.alice)[0] for _ in range(2))
        self.b, self.e = self.p.sign_in(self.bob)[0], self.p.sign_in(self.eve)[0]
        self.chat = s.chat(self.a, self.bob)

    def set(self, token, **flags):
        now = self.s.rest('GET', '/api/settings', token=token).data['version']
        r = self.s.rest('PUT', '/api/settings', {'version': now, 'flags': flags}, token)
        if r.status != 200:
            raise RuntimeError(r)
        return r.data['version']

    def sync(self, token, after=0):
        return self.s.rest('GET', f'/api/sync?after={after}&limit=1000', token=token).data

    def marks(self, token, of):
        r = self.s.rest('GET', f'/api/chats/{self.chat}', token=token).data
        return [m for m in r['members'] if m['userId'] == of][0]


def versions(w):
    s = w.s
    r = s.rest('GET', '/api/settings', token=w.a)
    tap.check(r.data == {'version': 0, 'data': None, 'flags': {f: True for f in FLAGS}},
              'at first others hear everything', r)
    k = Sio(s.port, w.a2)
    blob = base64.b64encode(os.urandom(65536)).decode()
    r = s.rest('PUT', '/api/settings', {'version': 0, 'data': blob}, w.a)
    tap.check(r.status == 200 and r.data == {'version': 1}, 'a sealed blob of 64 KiB', r)
    e = k.event('settings:changed')
    tap.check(e['version'] == 1 and e['position'] > e['prev'], 'her other device hears it', e)
    got = [x for x in w.sync(w.a2)['events'] if x['event'] == 'settings:changed']
    tap.check(len(got) == 1 and got[0]['data'] == e and got[0]['position'] == e['position'],
              'sync brings it', got)
    tap.check(not [x for x in w.sync(w.b)['events'] if x['event'] == 'settings:changed'], 'to nobody else')
    r = s.rest('GET', '/api/settings', token=w.a2)
    tap.check(r.data['data'] == blob and r.data['version'] == 1, 'as it was given', r.status)
    for name, version in (('0', 0), ('2', 2)):
        r = s.rest('PUT', '/api/settings', {'version': version, 'flags': {'typing': False}}, w.a2)
        tap.check(r.status == 409 and r.code == 'conflict' and r.json['error']['details'] == {'version': 1},
                  f'what follows {name} is refused, and told the present one', r)
    r = s.rest('PUT', '/api/settings', {'version': 1, 'flags': {'typing': False}}, w.a2)
    now = s.rest('GET', '/api/settings', token=w.a).data
    tap.check(r.data == {'version': 2} and now['data'] == blob and
              now['flags'] == {**{f: True for f in FLAGS}, 'typing': False},
              'what is not given stays as it was', (r, now['flags']))
    for name, body in (('too much', {'version': 2, 'data': base64.b64encode(bytes(65537)).decode()}),
                       ('an unknown flag', {'version': 2, 'flags': {'shown': True}}),
                       ('no version', {'flags': {}}), ('no base64', {'version': 2, 'data': '%'}),
                       ('a flag that is none', {'version': 2, 'flags': {'typing': 1}})):
        r = s.rest('PUT', '/api/settings', body, w.a)
        tap.check(r.status == 400, f'{name}: 400', r)
    tap.check(s.rest('GET', '/api/settings', token=w.a).data['version'] == 2, 'and nothing has changed')
    tap.check(s.rest('GET', '/api/settings', token=w.b).data['version'] == 0, "nor are Bob's hers")
    w.set(w.a, typing=True)
    k.close()


def read_receipts(w):
    s = w.s
    a, a2, b = Sio(s.port, w.a), Sio(s.port, w.a2), Sio(s.port, w.b)
    m = s.send(w.b, w.chat, 'eA==').data
    a.call('message:read', {'messageId': m['messageId']})
    e = b.event('message:read')
    tap.check(e['position'] == m['position'], 'with the flag others hear of a mark', e)
    tap.check(w.marks(w.b, w.alice)['read'] == m['position'], 'and see it in the chat')
    seen = a2.event('message:read', lambda d: d['position'] == m['position'])
    tap.check(seen['userId'] == w.alice, 'and her other device', seen)
    w.set(w.a, readReceipts=False)
    before, head = w.sync(w.b)['position'], s.rest('GET', '/api/chats', token=w.b).data['chats'][0]['position']
    m2 = s.send(w.b, w.chat, 'eA==').data
    head = s.rest('GET', '/api/chats', token=w.b).data['chats'][0]['position']
    tap.check(s.rest('GET', '/api/chats', token=w.a2).data['chats'][0]['unreadCount'] == 1, 'one is unread')
    a.call('message:read', {'chatId': w.chat, 'position': m2['position']})
    tap.check(b.quiet('message:read', 0.3), 'without it nobody hears of it')
    seen = a2.event('message:read', lambda d: d['position'] == m2['position'])
    tap.check(seen['eventPosition'] > m2['position'] and 'prev' in seen,
              'but her other device, in her own stream', seen)
    tap.check(s.rest('GET', '/api/chats', token=w.a2).data['chats'][0]['unreadCount'] == 0,
              'which counts the same unread messages')
    got = [x for x in w.sync(w.a2)['events'] if x['event'] == 'message:read'][-1]
    tap.check(got['data'] == seen and got['position'] == seen['eventPosition'] and got['prev'] == seen['prev'],
              'sync brings it to her', (got, seen))
    tap.check(not [x for x in w.sync(w.b, before)['events'] if x['event'] == 'message:read'], 'and not to him')
    tap.check(w.marks(w.b, w.alice)['read'] == m['position'] and
              w.marks(w.a, w.alice)['read'] == m2['position'], 'he still sees the former mark, she her own')
    tap.check(s.rest('GET', '/api/chats', token=w.b).data['chats'][0]['position'] == head,
              'nothing in the chat has moved for him')
    page = s.rest('GET', f'/api/messages/conversation/{w.alice}', token=w.b).data['messages']
    mine = s.rest('GET', f'/api/messages/conversation/{w.bob}', token=w.a).data['messages']
    tap.check(page[0]['id'] == m2['messageId'] and page[0]['readAt'] is None and page[1]['readAt'],
              'nor does he see when she read it', page[:2])
    tap.check(mine[0]['readAt'], 'she does', mine[0])
    w.set(w.a, readReceipts=True)
    m3 = s.send(w.b, w.chat, 'eA==').data
    a.call('message:read', {'messageId': m3['messageId']})
    e = b.event('message:read')
    tap.check(e['position'] == m3['position'], 'with it again he hears of the next', e)
    # His own marks are not hers to hide.
    m4 = s.send(w.a, w.chat, 'eA==').data
    w.set(w.a, readReceipts=False)
    b.call('message:read', {'messageId': m4['messageId']})
    tap.check(a.event('message:read', lambda d: d['userId'] == w.bob)['position'] == m4['position'],
              'she hears of his, whatever her own flag')
    w.set(w.a, readReceipts=True)
    for k in (a, a2, b):
        k.close()


def delivery_receipts(w):
    s = w.s
    a, b = Sio(s.port, w.a), Sio(s.port, w.b)
    m = s.send(w.b, w.chat, 'eA==').data
    a.call('message:received', {'position': m['position']})
    tap.check(b.event('message:receipt')['position'] == m['position'], 'with the flag others hear what she has')
    w.set(w.a, deliveryReceipts=False)
    m2 = s.send(w.b, w.chat, 'eA==').data
    a.call('message:received', {'position': m2['position']})
    tap.check(b.quiet('message:receipt', 0.3), 'without it not')
    tap.check(w.marks(w.b, w.alice)['delivered'] == m['position'] and
              w.marks(w.a, w.alice)['delivered'] == m2['position'], 'nor do they see it in the chat')
    got = [x['data']['position'] for x in w.sync(w.b)['events'] if x['event'] == 'message:receipt'
           and x['data']['userId'] == w.alice]
    tap.check(m2['position'] not in got, 'nor by sync', got)
    w.set(w.a, deliveryReceipts=True)
    a.close()
    b.close()


def typing(w):
    a, b = Sio(w.s.port, w.a), Sio(w.s.port, w.b)
    a.call('typing:start', {'chatId': w.chat})
    tap.check(b.event('typing:indicator')['isTyping'], 'with the flag others hear her typing')
    a.call('typing:stop', {'chatId': w.chat})
    b.event('typing:indicator')
    w.set(w.a, typing=False)
    r = [a.call('typing:start', {'chatId': w.chat}), a.call('typing:start', {'recipientId': w.bob}),
         a.call('typing:stop', {'chatId': w.chat}), a.call('chat:leave', {'chatId': w.chat})]
    tap.check(all('error' not in x for x in r), 'without it she may say so all the same', r)
    tap.check(b.quiet('typing:indicator', 0.3), 'but nobody hears it')
    w.set(w.a, typing=True)
    a.close()
    b.close()


def status(w, token, of):
    r = w.s.rest('GET', f'/api/users/{of}', token=token).data
    return r['status'], r['last_seen']


def gone(w):
    """Her sockets of before have ended, and that has been said."""
    end = time.monotonic() + 10
    while time.monotonic() < end and status(w, w.b, w.alice)[0] != 'offline':
        time.sleep(0.02)
    time.sleep(0.1)


def presence(w):
    s = w.s
    gone(w)
    b = Sio(s.port, w.b)
    a = Sio(s.port, w.a)
    e = b.event('presence:update', lambda d: d['userId'] == w.alice and d['status'] == 'online')
    tap.check(e, 'with the flag others see her come', e)
    tap.check(status(w, w.b, w.alice)[0] == 'online', 'and that she is there')
    w.set(w.a, presence=False)
    e = b.event('presence:update', lambda d: d['userId'] == w.alice)
    tap.check(e['status'] == 'offline', 'who hides is gone at once', e)
    tap.check(status(w, w.b, w.alice)[0] == 'offline' and status(w, w.a, w.alice)[0] == 'online',
              'for all but herself')
    boot = s.rest('GET', '/api/bootstrap', token=w.b).data['presence']
    tap.check(w.alice not in [x['userId'] for x in boot], 'in what a client begins with, too', boot)
    b.call('chat:join', {'chatId': w.chat})
    e = b.event('presence:update', lambda d: d['userId'] == w.alice)
    tap.check(e['status'] == 'offline', 'and for who looks at the chat', e)
    b2 = Sio(s.port, w.b)
    a.call('presence:set', {'status': 'away'})
    a.close()
    a = Sio(s.port, w.a)
    tap.check(b.quiet('presence:update', 0.3) and b2.quiet('presence:update', 0.1),
              'her coming and going is told nobody, nor a new socket that she is there')
    w.set(w.a, presence=True)
    e = b.event('presence:update', lambda d: d['userId'] == w.alice)
    tap.check(e['status'] == 'online', 'who shows herself again is there', e)
    for k in (a, b, b2):
        k.close()


def last_seen(w):
    def until(want):
        end = time.monotonic() + 10
        while time.monotonic() < end and (status(w, w.b, w.alice)[1] is not None) != want:
            time.sleep(0.05)
        return status(w, w.b, w.alice)[1] is not None
    Sio(w.s.port, w.a).close()
    tap.check(until(True) is True, 'when she was there is kept')
    w.set(w.a, lastSeen=False)
    tap.check(status(w, w.b, w.alice)[1] is None and status(w, w.a, w.alice)[1] is None,
              'without the flag it is forgotten')
    Sio(w.s.port, w.a).close()
    gone(w)
    row = w.p.db.execute("SELECT last_seen FROM users WHERE username = 'alice'").fetchone()
    tap.check(row == (None,), 'and not written down any more', row)
    w.set(w.a, lastSeen=True)
    Sio(w.s.port, w.a).close()
    tap.check(until(True) is True, 'with it, it is again')


def found(w, token, q):
    return [x['username'] for x in w.s.rest('GET', f'/api/users/search?q={q}', token=token).data['users']]


def searchable(w):
    tap.check(found(w, w.e, 'alice') == ['alice'] == found(w, w.e, 'lice'), 'she is found')
    w.set(w.a, searchable=False)
    tap.check(found(w, w.e, 'alice') == [] == found(w, w.e, 'ali') == found(w, w.e, 'lice'),
              'without the flag not: neither by name nor by a part of it')
    tap.check(found(w, w.b, 'alice') == ['alice'] == found(w, w.b, 'lice'), 'but by who shares a chat')
    tap.check(found(w, w.a, 'alice') == ['alice'], 'and by herself')
    w.set(w.a, searchable=True)


def chat_me(w):
    s = w.s
    path = f'/api/chats/{w.chat}/me'
    k, b = Sio(s.port, w.a2), Sio(s.port, w.b)
    first = s.rest('GET', f'/api/chats/{w.chat}', token=w.a).data
    tap.check((first['muted'], first['pinned'], first['archived'], first['notify']) ==
              (False, False, False, 'all'), 'a chat at first', first)
    r = s.rest('PATCH', path, {'muted': True, 'pinned': True, 'notify': 'mentions'}, w.a)
    tap.check(r.status == 200 and r.data['muted'] and r.data['pinned'] and not r.data['archived'] and
              r.data['notify'] == 'mentions', 'muted, pinned', r)
    e = k.event('chat:me')
    tap.check(e == r.data and e['position'] > e['prev'], 'her other device hears it', e)
    got = [x for x in w.sync(w.a2)['events'] if x['event'] == 'chat:me']
    tap.check([x['data'] for x in got] == [e] and got[0]['position'] == e['position'], 'sync brings it', got)
    tap.check(b.quiet('chat:me', 0.2) and not [x for x in w.sync(w.b)['events'] if x['event'] == 'chat:me'],
              'nobody else')
    for where in (s.rest('GET', f'/api/chats/{w.chat}', token=w.a2).data,
                  s.rest('GET', '/api/chats', token=w.a2).data['chats'][0]):
        tap.check((where['muted'], where['pinned'], where['archived'], where['notify']) ==
                  (True, True, False, 'mentions'), 'it is shown', where)
    other = s.rest('GET', f'/api/chats/{w.chat}', token=w.b).data
    tap.check((other['muted'], other['pinned'], other['archived'], other['notify']) ==
              (False, False, False, 'all'), 'and is hers alone', other)
    r = s.rest('PATCH', path, {'muted': True}, w.a)
    tap.check(r.status == 200 and 'position' not in r.data and k.quiet('chat:me', 0.2),
              'what was so already is told nobody', r)
    r = s.rest('PATCH', path, {'archived': True, 'muted': False, 'notify': 'none'}, w.a)
    tap.check(r.data['archived'] and r.data['pinned'] and not r.data['muted'] and
              k.event('chat:me')['prev'] == e['position'], 'one after the other', r)
    for name, body in (('nonsense', {'notify': 'loud'}), ('no flag', {'pinned': 1}), ('an unknown one', {'x': 1})):
        tap.check(s.rest('PATCH', path, body, w.a).status == 400, f'{name}: 400')
    k.close()
    b.close()


def main():
    with Server(sys.argv[1], flags=['--set', 'threads.reactors=3']) as s:
        w = World(s)
        for part in (versions, read_receipts, delivery_receipts, typing, presence, last_seen, searchable,
                     chat_me):
            part(w)
        tap.check(s.kill(15) == 0, 'the server is well, and ends in good order', s.log()[-2000:])
    return tap.done()


sys.exit(main())
