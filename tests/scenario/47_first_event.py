"""47_first_event.py NIGHTJARD: sockets that connect without a token and
authenticate by an event: who gets in and who has to go, what is refused before,
and the names and payloads of what they hear, beside those who showed their
token in the handshake."""
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Closed, Sio, Ws  # noqa: E402

tap = Tap()
TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
# Only the handshake's names, only the first event's.
OURS = {'message:new', 'message:read', 'presence:update', 'connection:acknowledged'}
THEIRS = {'message:receive', 'message:read-receipt', 'user:status', 'authenticated'}


class First(Sio):
    """A socket that has emitted `authenticate`."""

    def __init__(self, port, token=None, auth=None, wait=True):
        self.__dict__['auth'] = auth
        super().__init__(port, None)
        if token is not None:
            self.emit('authenticate', {'token': token})
            self.hello = self.event('authenticated') if wait else None


def ends(k):
    """Reads until the server ends the connection; the seconds it took."""
    began = time.monotonic()
    try:
        while True:
            k.pump()
    except Closed:
        return time.monotonic() - began


def getting_in(s, alice):
    for name, connect in (('nothing', '40'), ('an empty object', '40{}'),
                          ('a null token', '40{"token":null}'), ('other members', '40{"x":1}')):
        k = Ws(s.port)
        k.recv()
        k.text(connect)
        got = k.recv()
        tap.check(got.startswith('40{"sid"'), f'CONNECT with {name}: accepted', got)
        k.text('420' + json.dumps(['authenticate', {'token': alice[1]}]))
        got = {k.recv()[:3] for _ in range(2)}
        tap.check(got == {'430', '42['}, 'and may authenticate', got)
        k.close()
    k = First(s.port, alice[1])
    tap.check(k.refused is None and k.hello == {'success': True, 'userId': alice[0]},
              'authenticated {success,userId}', k.hello)
    k.close()
    k = First(s.port)
    ack = k.call('authenticate', {'token': alice[1]})
    tap.check(ack == {'success': True, 'userId': alice[0]} and
              k.event('authenticated') == ack, 'an acknowledgement says the same', ack)
    tap.check(not any(e in OURS for e, _ in k.events), 'no name of the handshake', k.events)
    for token in (alice[1], 'garbage'):
        ack = k.call('authenticate', {'token': token})
        tap.check(ack['error']['code'] == 'conflict', 'a second authenticate is refused', ack)
    k.emit('authenticate', {'token': 'garbage'})
    ack = k.call('presence:set', {'status': 'online'})
    tap.check(ack == {'success': True}, 'and changes nothing', ack)
    k.close()
    k = Sio(s.port, alice[1])
    ack = k.call('authenticate', {'token': alice[1]})
    tap.check(ack['error']['code'] == 'conflict' and k.quiet('authenticated', 0.2),
              'after the handshake it is refused, too', ack)
    k.close()


def being_refused(s, alice, gone):
    old = s.rest('POST', '/api/auth/refresh', {'refreshToken': alice[2]}).data
    for name, payload, code in (
            ('garbage', {'token': 'x'}, 'invalid_token'), ('empty', {'token': ''}, 'invalid_token'),
            ('a refresh token', {'token': old['refreshToken']}, 'invalid_token'),
            ('a number', {'token': 7}, 'invalid_token'), ('no token', {}, 'invalid_token'),
            ('huge', {'token': 'x' * 15000}, 'invalid_token'),
            ('a token signed out', {'token': gone}, 'invalid_token'),
            ('an unknown member', {'token': alice[1], 'admin': True}, 'validation_failed'),
            ('a text', alice[1], 'invalid_token'), ('nothing', None, 'invalid_token')):
        k = First(s.port)
        k.emit('authenticate', payload)
        ev = k.event('authenticated')
        tap.check(ev['success'] is False and ev['error']['code'] == code and 'userId' not in ev,
                  f'authenticate with {name}: {code}', ev)
        tap.check(ends(k) < 20 and ('disconnect', None) in k.events,
                  'and the connection ends', k.events)
        k.close()
    k = First(s.port)
    ack = k.call('authenticate', {'token': 'x'})
    tap.check(ack['success'] is False and ack['error']['code'] == 'invalid_token',
              'the acknowledgement says so, too', ack)
    k.close()


def before(s, alice, chat):
    k = First(s.port)
    for event, payload in (('message:send', {'chatId': chat, 'encryptedContent': 'eA==', 'iv': ''}),
                           ('chat:join', {'chatId': chat}), ('typing:start', {'chatId': chat}),
                           ('presence:set', {'status': 'online'}), ('message:read', {'chatId': chat, 'position': 1}),
                           ('no:such', {})):
        ack = k.call(event, payload)
        tap.check(ack['error']['code'] == 'invalid_token', f'{event} before: refused', ack)
    k.emit('message:send', {'chatId': chat, 'encryptedContent': 'eA==', 'iv': ''})
    n = len(s.rest('GET', f'/api/chats/{chat}/messages', token=alice[1]).data['messages'])
    tap.check(n == 0, 'nothing was sent', n)
    ack = k.call('authenticate', {'token': alice[1]})
    tap.check(ack['success'] is True, 'and it may still authenticate', ack)
    tap.check(not [e for e in k.events if e[0] not in ('authenticated', 'user:status')],
              'nothing was heard before', k.events)
    k.close()
    k = First(s.port)
    try:
        for _ in range(200):
            k.emit('presence:set', {'status': 'online'})
        ends(k)
    except (Closed, OSError):
        pass
    tap.check(('session:ended', {'reason': 'not_authenticated'}) in k.events or
              ('disconnect', None) in k.events, 'who goes on and on has to go', k.events)
    k.close()
    # Several at once, before the answer to the first came.
    k = First(s.port)
    for _ in range(3):
        k.emit('authenticate', {'token': alice[1]})
    k.event('authenticated')
    tap.check(k.call('presence:set', {'status': 'online'}) == {'success': True} and
              k.quiet('authenticated', 0.3), 'authenticate thrice at once: in, once', k.events)
    k.close()


def events(s, alice, bob, chat):
    a, b = Sio(s.port, alice[1]), First(s.port, bob[1])
    status = a.event('presence:update', lambda d: d['userId'] == bob[0] and d['status'] == 'online')
    tap.check(set(status) == {'userId', 'status', 'timestamp'}, 'others hear presence:update', status)
    tap.check(b.event('user:status', lambda d: d['userId'] == alice[0]) ==
              {'userId': alice[0], 'status': 'online'}, 'who is there is told as user:status')
    ack = a.call('message:send', {'chatId': chat, 'encryptedContent': 'aGk=', 'iv': 'aXY=',
                                  'encryptedKeys': {bob[0]: 'Yg==', alice[0]: 'YQ=='}})
    m = b.event('message:receive')
    want = s.rest('GET', f'/api/messages/{ack["messageId"]}', token=bob[1]).data
    tap.check(m['id'] == m['messageId'] == ack['messageId'] and m['createdAt'] == m['timestamp'] and
              m['senderId'] == alice[0] and m['encryptedContent'] == 'aGk=' and m['iv'] == 'aXY=',
              'message:receive {id,senderId,encryptedContent,iv,createdAt}', m)
    tap.check({x: m[x] for x in m if x not in ('id', 'createdAt')} == want and
              m['encryptedKeys'] == {bob[0]: 'Yg=='}, 'and all else that a message has', (m, want))
    ack = b.call('message:send', {'recipientId': alice[0], 'encryptedContent': 'eW8=', 'iv': 'dg=='})
    tap.check({'messageId', 'chatId', 'timestamp', 'position'} <= set(ack) and ack['chatId'] == chat,
              'message:send by recipient', ack)
    done = b.event('message:delivered')
    tap.check(done == {x: ack[x] for x in ('messageId', 'chatId', 'timestamp', 'position')},
              'message:delivered', done)
    new = a.event('message:new')
    tap.check(new['messageId'] == ack['messageId'] and 'id' not in new and 'createdAt' not in new,
              'the other way it is message:new as ever', new)
    a.call('message:received', {'position': ack['position']})
    r = b.event('message:receipt')
    tap.check(r['kind'] == 'delivered' and r['userId'] == alice[0], 'message:receipt is the same', r)
    a.call('message:read', {'messageId': ack['messageId']})
    r = b.event('message:read-receipt')
    tap.check(set(r) == {'messageId', 'readAt'} and r['messageId'] == ack['messageId'] and
              TIME.match(r['readAt']), 'message:read-receipt {messageId,readAt}', r)
    b.call('message:read', {'messageId': m['messageId']})
    r = a.event('message:read')
    tap.check({'chatId', 'userId', 'messageId', 'position', 'readAt'} <= set(r), 'message:read', r)
    a.call('typing:start', {'chatId': chat})
    tap.check(b.event('typing:indicator') == {'chatId': chat, 'userId': alice[0], 'isTyping': True},
              'typing:indicator is the same')
    b.call('typing:start', {'recipientId': alice[0]})
    tap.check(a.event('typing:indicator')['userId'] == bob[0], 'typing by recipient')
    b.events = [e for e in b.events if e[0] != 'user:status']
    a.call('presence:set', {'status': 'away'})
    tap.check(b.event('user:status') == {'userId': alice[0], 'status': 'online'},
              'user:status {userId,status} knows no away: who is, is online')
    b.events = [e for e in b.events if e[0] != 'user:status']
    b.call('chat:join', {'chatId': chat})
    tap.check(b.event('user:status') == {'userId': alice[0], 'status': 'online'}, 'chat:join tells it so, too')
    r = s.rest('DELETE', f'/api/messages/{m["messageId"]}', token=alice[1])
    d = b.event('message:deleted')
    tap.check(r.status == 200 and d['messageId'] == m['messageId'] and a.event('message:deleted') == d,
              'message:deleted is the same', d)
    bad = b.call('message:send', {'recipientId': alice[0], 'encryptedContent': '', 'iv': ''})
    tap.check(bad['error']['code'] == 'validation_failed' and
              b.event('message:error')['code'] == 'validation_failed', 'message:error', bad)
    a.close()
    tap.check(b.event('user:status', lambda x: x['status'] == 'offline')['userId'] == alice[0],
              'user:status offline')
    tap.check(not any(e in OURS for e, _ in b.events), 'no name of the handshake', b.events)
    b.close()


def mixed(s, alice, bob, chat):
    """Both kinds of one person, on any reactor: each hears its own, once."""
    ours = [Sio(s.port, bob[1]) for _ in range(6)]
    theirs = [First(s.port, bob[1]) for _ in range(6)]
    for k in ours:
        k.event('connection:acknowledged')
    a = First(s.port, alice[1])
    a2 = Sio(s.port, alice[1])
    a2.event('connection:acknowledged')
    time.sleep(0.2)
    ids = [a.call('message:send', {'chatId': chat, 'encryptedContent': f'n{i}', 'iv': ''})['messageId']
           for i in range(20)]
    for kind, socks, name in (('handshake', [*ours, a2], 'message:new'), ('first event', theirs, 'message:receive')):
        for k in socks:
            got = [k.event(name)['messageId'] for _ in ids]
            tap.check(got == ids, f'{kind}: every message once, in order', got)
    tap.check(a.quiet('message:receive', 0.2), 'the sending socket has its acknowledgements')
    for k in (*ours, *theirs, a, a2):
        wrong = THEIRS if k in ours or k is a2 else OURS
        tap.check(k.quiet('message:new', 0.01) and k.quiet('message:receive', 0.01) and
                  not any(e in wrong for e, _ in k.events), 'and nothing by the other names', k.events)
        k.close()


def leaving(s):
    user = s.register('leaver')
    k = First(s.port, user[1])
    k2 = First(s.port)
    r = s.rest('POST', '/api/auth/logout', token=user[1])
    tap.check(r.status == 200 and k.event('session:ended') == {'reason': 'logout'} and ends(k) < 20,
              'signing out ends it')
    ack = k2.call('authenticate', {'token': user[1]})
    tap.check(ack['error']['code'] == 'invalid_token', 'and the token lets nobody in', ack)
    for x in (k, k2):
        x.close()


class Poll:
    """Engine.IO by long polling, by hand."""

    def __init__(self, s):
        self.s, self.path = s, '/socket.io/?EIO=4&transport=polling'
        self.path += '&sid=' + json.loads(self.get()[0][1:])['sid']
        self.post('40')

    def get(self):
        r = self.s.rest('GET', self.path)
        return r.raw.decode().split('\x1e') if r.status == 200 else [f'status {r.status}']

    def post(self, text):
        return self.s.rest('POST', self.path, text, headers={'Content-Type': 'text/plain;charset=UTF-8'})


def polling(s, alice, bob, chat):
    k = Poll(s)
    tap.check(k.get()[0].startswith('40{"sid"'), 'polling: CONNECT without a token')
    k.post('420["presence:set",{"status":"away"}]')
    tap.check('"invalid_token"' in k.get()[0], 'polling: refused before')
    k.post('421' + json.dumps(['authenticate', {'token': alice[1]}]))
    want = json.dumps({'success': True, 'userId': alice[0]}, separators=(',', ':'))
    got = k.get()
    tap.check(got[:2] == [f'431[{want}]', f'42["authenticated",{want}]'], 'polling: authenticated', got)
    mid = s.send(bob[1], chat, 'cG9sbA==').data['messageId']
    got = k.get()
    tap.check(any(p.startswith('42["message:receive"') and f'"id":"{mid}"' in p for p in got),
              'polling: message:receive', got)
    k = Poll(s)
    k.get()
    k.post('42["authenticate",{"token":"x"}]')
    got = k.get()
    tap.check('"success":false' in got[0] and got[-1] in ('41', '1') and
              ('1' in got or k.get()[0] in ('1', 'status 400')), 'polling: a bad token ends it', got)


def late(binary):
    with Server(binary, flags=['--set', 'edge.authenticate=3s']) as s:
        token = s.register('late')[1]
        began = time.monotonic()
        k = First(s.port)
        ends(k)
        took = time.monotonic() - began
        tap.check(2.5 < took < 20 and ('session:ended', {'reason': 'authentication_timeout'}) in k.events,
                  'who does not authenticate in time has to go', (took, k.events))
        k = First(s.port, token)
        time.sleep(3.6)
        tap.check(k.call('presence:set', {'status': 'online'}) == {'success': True},
                  'who has is not troubled')
        k.close()


def limits(binary):
    flags = ['--set', 'limits.connects=3/1h', '--set', 'limits.sockets=2', '--set', 'limits.rest=40/1h',
             '--set', 'limits.messages=2/1h']
    with Server(binary, flags=flags) as s:
        uid, token, _ = s.register('many')
        one, two = First(s.port, token), First(s.port, token)
        three = First(s.port, token)
        tap.check(one.hello['success'] and two.hello['success'] and
                  three.hello.get('error', {}).get('code') == 'rate_limited' and ends(three) < 20,
                  'sockets at once: as with the handshake', three.hello)
        got = [one.call('message:send', {'recipientId': uid, 'encryptedContent': 'eA==', 'iv': ''})
               for _ in range(3)]
        tap.check([('error' in g) for g in got] == [False, False, True] and
                  got[2]['error']['code'] == 'rate_limited', 'messages a minute', got)
        for k in (one, two, three):
            k.close()
        time.sleep(0.3)
        k = First(s.port, token)
        tap.check(k.hello.get('error', {}).get('code') == 'rate_limited', 'new ones a minute', k.hello)
        codes = []
        for _ in range(45):
            k = First(s.port)
            codes.append(k.call('authenticate', {'token': 'x'})['error']['code'])
            k.close()
        tap.check(codes[0] == 'invalid_token' and codes[-1] == 'rate_limited',
                  'guessing tokens is limited by address', codes)


with Server(sys.argv[1], flags=['--set', 'threads.reactors=3']) as server:
    one_, two_ = server.register('alice'), server.register('bob')
    gone_ = server.rest('POST', '/api/auth/login', {'username': 'bob', 'password': PASSWORD}
                        ).data['tokens']['accessToken']
    server.rest('POST', '/api/auth/logout', token=gone_)
    chat_ = server.chat(one_[1], two_[0])
    getting_in(server, one_)
    before(server, one_, chat_)
    events(server, one_, two_, chat_)
    mixed(server, one_, two_, chat_)
    polling(server, one_, two_, chat_)
    leaving(server)
    being_refused(server, one_, gone_)
    tap.check(server.kill(15) == 0, 'the server ends in good order')
late(sys.argv[1])
limits(sys.argv[1])
sys.exit(tap.done())
