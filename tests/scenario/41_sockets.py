"""41_sockets.py NIGHTJARD: Socket.IO connections: who gets in, who is put out,
what one hears of others, and frames that break the rules."""
import json
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Closed, Sio, Ws  # noqa: E402

tap = Tap()


def ends(ws):
    """The close code with which the server ends this connection."""
    try:
        while True:
            ws.recv()
    except Closed as e:
        return e.code


def getting_in(s, alice):
    for name, token in (('garbage', 'x'), ('empty', ''), ('a number', 7)):
        k = Sio(s.port, token)
        tap.check(k.refused is not None and
                  k.refused['message'] == 'Authentication failed' and
                  k.refused['data'] == {'code': 'invalid_token'},
                  f'connect: token {name} is refused', k.refused)
    k = Sio(s.port, alice[1])
    hello = k.event('connection:acknowledged')
    tap.check(hello['userId'] == alice[0] and hello['deviceId'] is None,
              'connect: acknowledged says who', hello)
    k.close()
    for origin, ok in ((f'http://127.0.0.1:{s.port}', True),
                       ('https://evil.example', False),
                       ('https://friend.example', True), ('null', False)):
        try:
            status = Ws(s.port, origin=origin).status
        except Closed:
            status = None
        tap.check((status == 101) == ok, f'connect: origin {origin}', status)


def events(s, alice, bob):
    a, b = Sio(s.port, alice[1]), Sio(s.port, bob[1])
    chat = s.chat(alice[1], bob[0])
    tap.check(b.event('chat:created')['chat']['chatId'] == chat,
              'chat:created reaches the other')
    r = a.call('message:send', {'chatId': chat, 'encryptedContent': 'aGk=', 'iv': ''})
    m = b.event('message:new')
    tap.check(r.get('position') == m['position'] and m['encryptedContent'] == 'aGk=',
              'a message comes with the position of its acknowledgement', (r, m))
    tap.check(a.event('message:delivered')['messageId'] == r['messageId'],
              'the sender hears message:delivered')
    tap.check(a.quiet('message:new', 0.3), 'the sending socket hears no message:new')
    a2 = Sio(s.port, alice[1])
    a2.event('connection:acknowledged')
    a.call('message:send', {'chatId': chat, 'encryptedContent': 'aGo=', 'iv': ''})
    tap.check(a2.event('message:new')['encryptedContent'] == 'aGo=',
              "the sender's other socket hears message:new")
    for name, event, payload, code in (
            ('unknown event', 'message:steal', {}, 'not_found'),
            ('unknown member', 'typing:start', {'chatId': chat, 'x': 1},
             'validation_failed'),
            ('wrong type', 'typing:start', {'chatId': 5}, 'validation_failed'),
            ('neither of two', 'typing:start', {}, 'validation_failed'),
            ('no payload', 'typing:start', None, 'validation_failed'),
            ('a list', 'typing:start', [], None),
            ('foreign chat', 'typing:start', {'chatId': alice[0]}, 'not_found'),
            ('foreign chat', 'chat:join', {'chatId': alice[0]}, 'not_found'),
            ('wrong status', 'presence:set', {'status': 'gone'}, 'validation_failed')):
        r = a.call(event, payload)
        tap.check('error' in r and code in (None, r['error']['code']),
                  f'{event}: {name} is refused', r)
    r = a.call('message:send', {'chatId': chat, 'encryptedContent': 'x' * 100001,
                                'iv': '', 'clientMessageId': chat})
    e = a.event('message:error')
    tap.check(r['error']['code'] == e['code'] == 'validation_failed' and
              e['clientMessageId'] == chat, 'a send that fails is named', (r, e))
    return a, a2, b, chat


def typing_and_presence(s, a, b, alice, chat):
    a.call('typing:start', {'chatId': chat})
    tap.check(b.event('typing:indicator')['isTyping'] is True, 'typing begins')
    t = b.event('typing:indicator')
    tap.check(t == {'chatId': chat, 'userId': alice[0], 'isTyping': False},
              'typing ends by itself', t)
    a.call('typing:start', {'chatId': chat})
    b.event('typing:indicator')
    a.call('chat:leave', {'chatId': chat})
    tap.check(b.event('typing:indicator')['isTyping'] is False,
              'who leaves the chat does not type')
    stranger = Sio(s.port, s.register('mallory')[1])
    stranger.event('connection:acknowledged')
    b.events.clear()
    a.call('presence:set', {'status': 'away'})
    tap.check(b.quiet('presence:update', 0.3), 'away on one socket of two is no news')
    a.call('presence:set', {'status': 'online'})
    return stranger


def leaving(s, a, a2, b, stranger, alice):
    a2.close()
    a.call('presence:set', {'status': 'away'})
    is_alice = lambda d: d['userId'] == alice[0]  # noqa: E731
    tap.check(b.event('presence:update', is_alice)['status'] == 'away',
              'away is told to people who share a chat')
    again = s.rest('POST', '/api/auth/login', {'username': 'alice', 'password': PASSWORD})
    other = Sio(s.port, again.data['tokens']['accessToken'])
    tap.check(b.event('presence:update', is_alice)['status'] == 'online',
              'another session makes it online')
    r = s.rest('POST', '/api/auth/logout', token=alice[1])
    tap.check(r.status == 200 and a.event('session:ended') == {'reason': 'logout'},
              'logout tells the socket')
    try:
        while True:
            a.pump()
    except Closed:
        tap.check(True, 'and ends it')
    for _ in range(8):      # whichever reactor gets it
        k = Sio(s.port, alice[1])
        tap.check(k.refused is not None and
                  s.rest('GET', '/api/auth/me', token=alice[1]).status == 401,
                  'the token is refused everywhere', k.refused)
    other.close()
    tap.check(b.event('presence:update', is_alice)['status'] == 'offline',
              'the last one gone is offline')
    tap.check(stranger.quiet('presence:update', 0.2), 'strangers hear nothing')


def catch_up(s, bob, chat, alice_token):
    b = Sio(s.port, bob[1])
    position = b.event('connection:acknowledged')['position']
    b.close()
    for i in range(30):
        s.send(alice_token, chat, f'bWlzc2Vk{i:04d}')
    b = Sio(s.port, bob[1], after=position)
    got = [b.event('message:new') for _ in range(30)]
    tap.check([m['encryptedContent'] for m in got] ==
              [f'bWlzc2Vk{i:04d}' for i in range(30)], 'after: what was missed, in order')
    tap.check(all(x['position'] < y['position'] and y['prev'] == x['position']
                  for x, y in zip(got, got[1:])), 'each names the one before')
    b.close()


def rules(s, token):
    def fresh():
        return Sio(s.port, token)
    for name, break_it, code in (
            ('unmasked frame', lambda k: k.frame(b'2', mask=False), 1002),
            ('reserved opcode', lambda k: k.frame(b'', opcode=3), 1002),
            ('bad UTF-8', lambda k: k.frame(b'42["\xff"]'), 1007),
            ('long control frame', lambda k: k.frame(b'x' * 126, opcode=9), 1002),
            ('continuation of nothing', lambda k: k.frame(b'x', opcode=0), 1002),
            ('message too large', lambda k: k.text('42["x","' + 'a' * 1100000 + '"]'),
             1009)):
        k = fresh()
        try:
            break_it(k)
        except ConnectionError:
            pass
        got = ends(k)
        tap.check(got == code, f'frame: {name} closes with {code}', got)
    for packet in ('9', '4', '42', '42{}', '42[]', '42[1]', '42["a"', '4299999999999999999999["a"]',
                   '43', '47', '42/x,["a"]', '40{"token":1'):
        k = fresh()
        k.text(packet)
        k.text('42' + json.dumps(['presence:set', {'status': 'online'}]))
        tap.check(s.rest('GET', '/health').status == 200,
                  f'packet {packet!r} does no harm')
        k.close()
    k = Sio(s.port, token)
    k.event('connection:acknowledged')
    tap.check(k.call('presence:set', {'status': 'online'}) == {'success': True},
              'the server goes on')
    k.close()


with Server(sys.argv[1], flags=['--set', 'threads.reactors=4', '--set',
                                'edge.origins=https://friend.example']) as server:
    people = [server.register('alice'), server.register('bob')]
    getting_in(server, people[0])
    sockets = events(server, *people)
    outsider = typing_and_presence(server, sockets[0], sockets[2], people[0], sockets[3])
    leaving(server, *sockets[:3], outsider, people[0])
    fresh_token = server.rest('POST', '/api/auth/login', {
        'username': 'alice', 'password': PASSWORD}).data['tokens']['accessToken']
    catch_up(server, people[1], sockets[3], fresh_token)
    rules(server, fresh_token)
    tap.check(server.kill(15) == 0, 'SIGTERM ends it with status 0', server.log()[-500:])
sys.exit(tap.done())
