"""48_message_routes.py NIGHTJARD: messages between two, without the notion of
a chat, and deleting a message: the routes, who may not, what everybody hears
live and by sync, paging, marks, and what is left in the database."""
import contextlib
import os
import re
import sqlite3
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
RECORD = {'id', 'senderId', 'recipientId', 'encryptedContent', 'iv', 'createdAt', 'readAt'}


class Person:
    def __init__(self, s, name):
        self.s, self.name = s, name
        self.id, self.token, _ = s.register(name)

    def get(self, path):
        return self.s.rest('GET', path, token=self.token)

    def post(self, to, text, iv='aXY=', **more):
        return self.s.rest('POST', '/api/messages', {
            'recipientId': to, 'encryptedContent': text, 'iv': iv, **more}, self.token)

    def with_(self, other, query=''):
        return self.get(f'/api/messages/conversation/{other}{query}')

    def list(self, query=''):
        return self.get('/api/messages/conversations' + query)

    def delete(self, message, query=''):
        return self.s.rest('DELETE', f'/api/messages/{message}{query}', token=self.token)

    def sync(self, after=0):
        return self.get(f'/api/sync?after={after}&limit=1000').data

    def socket(self):
        k = Sio(self.s.port, self.token)
        k.event('connection:acknowledged')
        return k


def texts(r):
    return [m['encryptedContent'] for m in r.data['messages']]


def posting(s, alice, bob):
    r = alice.list()
    tap.check(r.status == 200 and r.json == {'success': True, 'data': []},
              'conversations: an empty list', r)
    r = alice.with_(bob.id)
    tap.check(r.status == 200 and r.data == {'messages': [], 'total': 0},
              'a conversation without messages: an empty page', r)
    k = bob.socket()
    r = alice.post(bob.id, 'b25l')
    tap.check(r.status == 201 and set(r.data) == {'id', 'senderId', 'recipientId', 'createdAt'} and
              r.data['senderId'] == alice.id and r.data['recipientId'] == bob.id and
              TIME.match(r.data['createdAt']), 'POST: 201 with id, people and time', r)
    first = r.data
    live = k.event('message:new')
    tap.check(live['messageId'] == first['id'] and live['suite'] == 'other' and
              live['encryptedContent'] == 'b25l' and live['iv'] == 'aXY=',
              'it is a message of their direct chat', live)
    tap.check(k.event('chat:created')['chat']['chatId'] == live['chatId'], 'which was made for it')
    r = alice.with_(bob.id)
    tap.check(r.data['total'] == 1 and set(r.data['messages'][0]) == RECORD and
              r.data['messages'][0] == {**first, 'encryptedContent': 'b25l', 'iv': 'aXY=',
                                        'readAt': None}, 'the page has it', r)
    tap.check(bob.with_(alice.id).json == r.json, 'both people see the same')
    r = bob.list()
    tap.check(r.data == [{'userId': alice.id, 'username': 'alice', 'lastMessage': 'b25l',
                          'lastMessageTime': first['createdAt'], 'unreadCount': 1}],
              'the list has it, unread', r)
    r = alice.list()
    tap.check([(c['userId'], c['username'], c['unreadCount']) for c in r.data] ==
              [(bob.id, 'bob', 0)], 'nobody has unread messages of his own', r)
    tap.check(s.chat(alice.token, bob.id) == live['chatId'], 'the chat is the one of /api/chats')
    ack = k.call('message:send', {'chatId': live['chatId'], 'encryptedContent': 'dHdv', 'iv': 'eA=='})
    r = alice.with_(bob.id)
    tap.check(texts(r) == ['dHdv', 'b25l'] and r.data['messages'][0]['id'] == ack['messageId'] and
              r.data['messages'][0]['senderId'] == bob.id and
              r.data['messages'][0]['recipientId'] == alice.id, 'newest first, from both', r)
    mine = str(uuid.uuid4())
    one = alice.post(bob.id, 'dGhyZWU=', clientMessageId=mine)
    two = alice.post(bob.id, 'dGhyZWU=', clientMessageId=mine)
    tap.check(one.status == 201 and two.status == 200 and one.data == two.data and
              alice.with_(bob.id).data['total'] == 3, 'clientMessageId: sent once', (one, two))
    k.close()
    return live['chatId']


def reading(s, alice, bob, chat):
    a, b = alice.socket(), bob.socket()
    page = bob.with_(alice.id).data['messages']
    oldest, newest = page[-1], page[0]
    b.call('message:read', {'messageId': oldest['id']})
    at = a.event('message:read')['readAt']
    seen = {m['id']: m['readAt'] for m in alice.with_(bob.id).data['messages']}
    tap.check(seen[oldest['id']] == at and seen[newest['id']] is None,
              'readAt: when the mark passed it, not before', (seen, at))
    tap.check(bob.list().data[0]['unreadCount'] == 1, 'unreadCount follows the mark', bob.list())
    b.call('message:read', {'messageId': newest['id']})
    later = a.event('message:read')['readAt']
    seen = {m['id']: m['readAt'] for m in alice.with_(bob.id).data['messages']}
    tap.check(seen[oldest['id']] == at and seen[newest['id']] == later,
              'a later mark changes no earlier time', (seen, at, later))
    own = [m for m in page if m['senderId'] == bob.id][0]
    tap.check(seen[own['id']] is None, "one's own mark reads nothing of one's own", seen)
    tap.check(bob.list().data[0]['unreadCount'] == 0, 'nothing is unread')
    a.call('message:read', {'messageId': own['id']})
    b.event('message:read')
    seen = {m['id']: m['readAt'] for m in alice.with_(bob.id).data['messages']}
    tap.check(all(TIME.match(x or '') for x in seen.values()), 'all are read', seen)
    r = s.rest('GET', f'/api/chats/{chat}/messages', token=alice.token)
    tap.check([m['messageId'] for m in r.data['messages']] ==
              [m['id'] for m in alice.with_(bob.id).data['messages']],
              'the chat has the same messages', r)
    a.close()
    b.close()


def paging(s):
    alice, bob = Person(s, 'pager'), Person(s, 'pagee')
    ids = [alice.post(bob.id, f'n{i}').data['id'] for i in range(23)]
    want = [f'n{i}' for i in reversed(range(23))]
    r = bob.with_(alice.id)
    tap.check(texts(r) == want and r.data['total'] == 23, 'one page by default', r)
    got = []
    for offset in range(0, 30, 5):
        r = bob.with_(alice.id, f'?limit=5&offset={offset}')
        got += texts(r)
        tap.check(r.data['total'] == 23 and len(r.data['messages']) == max(0, min(5, 23 - offset)),
                  f'a page at {offset}', r)
    tap.check(got == want, 'the pages are all of it', got)
    for query in ('limit=0', 'limit=101', 'limit=x', 'offset=-1', 'offset=1000001', 'page=1', 'limit=5&limit=6'):
        for path in (f'/api/messages/conversation/{alice.id}?', '/api/messages/conversations?'):
            r = bob.get(path + query)
            tap.check(r.status == 400 and r.code == 'validation_failed', f'{path[:28]} {query}: 400', r)
    b = bob.socket()
    b.call('message:read', {'messageId': ids[11]})
    read = [m['readAt'] is not None for m in alice.with_(bob.id).data['messages']]
    tap.check(read == [False] * 11 + [True] * 12, 'readAt over pages', read)
    part = [m['readAt'] is not None for m in alice.with_(bob.id, '?limit=4&offset=9').data['messages']]
    tap.check(part == [False, False, True, True], 'readAt within a page', part)
    b.close()
    others = [Person(s, f'friend{i}') for i in range(5)]
    for o in others:
        o.post(bob.id, 'hi')
    r = bob.list()
    tap.check([c['username'] for c in r.data] == ['friend4', 'friend3', 'friend2', 'friend1', 'friend0', 'pager'],
              'conversations: the newest first', r)
    got = [c['username'] for q in ('?limit=4', '?limit=4&offset=4', '?limit=4&offset=8')
           for c in bob.list(q).data]
    tap.check(got == [c['username'] for c in r.data], 'conversations in pages', got)
    # Large ones: a page ends early rather than never.
    big = '\u20ac' * 100000
    for _ in range(32):
        alice.post(bob.id, big)
    r = bob.with_(alice.id, '?limit=100')
    tap.check(r.status == 200 and 0 < len(r.data['messages']) < 32 and r.data['total'] == 55,
              'a page has at most some megabytes', r.status)
    got = []
    while len(got) < 55:
        part = bob.with_(alice.id, f'?limit=100&offset={len(got)}').data['messages']
        if not part:
            break
        got += [m['id'] for m in part]
    tap.check(len(set(got)) == 55, 'the next ones go on behind it', len(got))
    chat = s.chat(alice.token, bob.id)
    got, cursor = [], ''
    while True:
        r = bob.get(f'/api/chats/{chat}/messages?limit=100{cursor}').data
        got += [m['messageId'] for m in r['messages']]
        if r['nextCursor'] is None:
            break
        cursor = '&cursor=' + r['nextCursor']
    tap.check(len(set(got)) == 55 and len(got) == 55, 'and so does the history of the chat', len(got))


def who_may(s, alice, bob, eve):
    good = {'recipientId': bob.id, 'encryptedContent': 'eA==', 'iv': ''}
    for path, body, method in (
            ('/api/messages/conversations', None, 'GET'),
            (f'/api/messages/conversation/{bob.id}', None, 'GET'),
            ('/api/messages', good, 'POST'), (f'/api/messages/{uuid.uuid4()}', None, 'DELETE')):
        r = s.rest(method, path, body)
        tap.check(r.status == 401 and r.code == 'invalid_token', f'{method} {path[:26]} by nobody: 401', r)
    r = eve.post(str(uuid.uuid4()), 'eA==')
    tap.check(r.status == 404 and r.code == 'not_found', 'a recipient who is not there: 404', r)
    r = eve.with_(str(uuid.uuid4()))
    tap.check(r.status == 404 and r.code == 'not_found', 'a conversation with nobody: 404', r)
    for change, field in (({'recipientId': 'x'}, 'recipientId'), ({'recipientId': None}, 'recipientId'),
                          ({'encryptedContent': ''}, 'encryptedContent'),
                          ({'encryptedContent': 'x' * 100001}, 'encryptedContent'),
                          ({'iv': None}, 'iv'), ({'iv': 'x' * 65}, 'iv'), ({'iv': 5}, 'iv'),
                          ({'clientMessageId': 'x'}, 'clientMessageId'),
                          ({'chatId': str(uuid.uuid4())}, 'chatId'), ({'suite': 'ratchet'}, 'suite'),
                          ({'plaintext': 'x'}, 'plaintext')):
        r = s.rest('POST', '/api/messages', {**good, **change}, eve.token)
        tap.check(r.status == 400 and field in {d['field'] for d in r.json['error']['details']},
                  f'POST with {change}: 400 names {field}'[:70], r)
    r = eve.with_('not-an-id')
    tap.check(r.status == 400, 'a bad id in the path: 400', r)
    r = eve.with_(alice.id)
    tap.check(r.status == 200 and r.data == {'messages': [], 'total': 0} and eve.list().data == [],
              "nobody sees others' messages", r)
    r = s.rest('POST', '/api/messages', good, eve.token)
    mine = r.data['id']
    tap.check(mine not in {m['id'] for m in alice.with_(bob.id).data['messages']} and
              bob.with_(eve.id).data['total'] == 1, 'each pair has its own')
    r = eve.post(eve.id, 'bm90ZQ==')
    tap.check(r.status == 201 and eve.with_(eve.id).data['messages'][0]['recipientId'] == eve.id and
              [c['userId'] for c in eve.list().data][0] == eve.id, 'notes to oneself', r)


def deleting(s, alice, bob, eve, chat):
    ids = [alice.post(bob.id, f'del{i}').data['id'] for i in range(4)]
    theirs = bob.post(alice.id, 'YmFjaw==').data['id']
    a, b, a2 = alice.socket(), bob.socket(), alice.socket()
    before = bob.sync()['position']
    total = alice.with_(bob.id).data['total']
    r = eve.delete(ids[0])
    tap.check(r.status == 404 and r.code == 'not_found', "a stranger's DELETE: 404", r)
    r = eve.delete(ids[0], '?scope=me')
    tap.check(r.status == 404, 'nor hides it', r)
    r = alice.delete(str(uuid.uuid4()))
    tap.check(r.status == 404, 'a message that is not there: 404', r)
    r = alice.delete('x')
    tap.check(r.status == 400, 'a bad id: 400', r)
    r = alice.delete(ids[0], '?scope=everybody')
    tap.check(r.status == 400 and r.json['error']['details'][0]['field'] == 'scope', 'a bad scope: 400', r)
    r = bob.delete(ids[0], '?scope=all')
    tap.check(r.status == 403 and r.code == 'forbidden', "nobody deletes another's message for all", r)
    tap.check(bob.sync()['position'] == before and b.quiet('message:deleted', 0.2),
              'what was refused has changed nothing')

    r = alice.delete(ids[0])
    tap.check(r.status == 200 and r.json == {'success': True, 'message': 'Message deleted successfully'},
              'its sender deletes it', r)
    for who, k in (('the recipient', b), ("the sender's other socket", a2), ('and the first', a)):
        ev = k.event('message:deleted')
        tap.check(ev['messageId'] == ids[0] and ev['chatId'] == chat and ev['userId'] == alice.id and
                  ev['scope'] == 'all' and TIME.match(ev['deletedAt']) and ev['position'] > before,
                  f'message:deleted to {who}', ev)
    for p in (alice, bob):
        r = p.with_(alice.id if p is bob else bob.id)
        tap.check(ids[0] not in {m['id'] for m in r.data['messages']} and r.data['total'] == total - 1,
                  'it is in no view', r)
        m = p.get(f'/api/messages/{ids[0]}').data
        tap.check(m['encryptedContent'] is None and m['iv'] is None and m['encryptedKeys'] == {} and
                  m['metadata'] is None and m['deletedAt'] == ev['deletedAt'], 'a tombstone stays', m)
    got = [e for e in bob.sync(before)['events'] if e['event'] == 'message:deleted']
    tap.check(len(got) == 1 and got[0]['data'] == ev and got[0]['position'] == ev['position'] and
              got[0]['prev'] == ev['prev'], 'sync has the event as it came live', got)
    old = [e for e in bob.sync(0)['events'] if e['event'] == 'message:new' and
           e['data']['messageId'] == ids[0]]
    tap.check(len(old) == 1 and old[0]['data']['encryptedContent'] is None and
              old[0]['data']['deletedAt'] == ev['deletedAt'],
              'who was away gets the tombstone in its place', old)
    r = alice.delete(ids[0])
    tap.check(r.status == 200 and bob.sync()['position'] == ev['position'], 'again: no second event', r)
    live = b.call('message:send', {'chatId': chat, 'encryptedContent': 'bmV4dA==', 'iv': ''})
    tap.check(a.event('message:new')['prev'] == ev['position'], 'the next message follows the event')

    r = bob.delete(ids[1])
    tap.check(r.status == 200, 'others hide it', r)
    ev = b.event('message:deleted')
    tap.check(ev['messageId'] == ids[1] and ev['scope'] == 'me' and ev['userId'] == bob.id,
              'their own sockets hear of it', ev)
    tap.check(a.quiet('message:deleted', 0.3), 'nobody else does')
    tap.check(ids[1] not in {m['id'] for m in bob.with_(alice.id).data['messages']} and
              ids[1] in {m['id'] for m in alice.with_(bob.id).data['messages']},
              'hidden for one, not for the other')
    r = bob.get(f'/api/messages/{ids[1]}')
    tap.check(r.status == 404, 'it is not there for him', r)
    for query in ('', '?after=0'):
        mine = bob.get(f'/api/chats/{chat}/messages{query}').data['messages']
        other = alice.get(f'/api/chats/{chat}/messages{query}').data['messages']
        tap.check(ids[1] not in {m['messageId'] for m in mine} and
                  ids[1] in {m['messageId'] for m in other}, f'nor in the history {query}', mine)
    old = {e['data']['messageId']: e['data'] for e in bob.sync(0)['events'] if e['event'] == 'message:new'}
    tap.check(old[ids[1]]['encryptedContent'] is None and old[ids[1]]['deletedAt'] == ev['deletedAt'],
              'in sync it is a tombstone', old[ids[1]])
    tap.check([e['data']['scope'] for e in bob.sync(before)['events'] if e['event'] == 'message:deleted']
              == ['all', 'me'] and
              [e['data']['scope'] for e in alice.sync(before)['events'] if e['event'] == 'message:deleted']
              == ['all'], 'the event is in his stream alone')
    position = bob.sync()['position']
    tap.check(bob.delete(ids[1]).status == 200 and bob.sync()['position'] == position,
              'hidden again: no second event')
    r = alice.delete(ids[2], '?scope=me')
    tap.check(r.status == 200 and ids[2] in {m['id'] for m in bob.with_(alice.id).data['messages']},
              'a sender may hide her own for herself', r)
    r = alice.delete(ids[2])
    tap.check(r.status == 200 and b.event('message:deleted')['messageId'] == ids[2],
              'and delete it for all afterwards', r)
    unread = bob.list().data[0]['unreadCount']
    bob.delete(ids[3])
    tap.check(bob.list().data[0]['unreadCount'] == unread - 1, 'what is hidden is not unread',
              (unread, bob.list()))
    r = a.call('message:delete', {'messageId': theirs})
    tap.check(r == {'success': True} and theirs not in
              {m['id'] for m in alice.with_(bob.id).data['messages']}, 'message:delete over a socket', r)
    r = b.call('message:delete', {'messageId': theirs, 'scope': 'all'})
    tap.check(r == {'success': True} and a.event('message:deleted', lambda d: d['messageId'] == theirs and
                                                 d['scope'] == 'all'), 'by its sender for all', r)
    b.quiet('message:deleted', 0.2)
    tap.check(not any(d['messageId'] == theirs for e, d in b.events if e == 'message:deleted'),
              'the socket that asked has the answer instead')
    r = b.call('message:delete', {'messageId': ids[3], 'scope': 'all'})
    tap.check(r['error']['code'] == 'forbidden', 'not for all by others', r)
    tap.check(bob.list().data[0]['lastMessage'] == 'bmV4dA==' and live['messageId'] ==
              bob.with_(alice.id).data['messages'][0]['id'],
              'the last message is the last that is there', bob.list())
    for k in (a, b, a2):
        k.close()
    return ids[0]


def groups(s, alice, bob, eve):
    """An admin of a chat deletes for everybody; others do not."""
    group = s.rest('POST', '/api/chats', {'type': 'group', 'name': 'all of us', 'memberIds': [bob.id, eve.id]},
                   alice.token).data['chatId']
    one, two = (s.send(bob.token, group, x).data['messageId'] for x in ('MQ==', 'Mg=='))
    r = eve.delete(one, '?scope=all')
    tap.check(r.status == 403, 'a member of a group: 403', r)
    e = eve.socket()
    r = alice.delete(one, '?scope=all')
    tap.check(r.status == 200 and e.event('message:deleted')['userId'] == alice.id, 'its admin may', r)
    r = alice.delete(two)
    tap.check(r.status == 200 and eve.get(f'/api/messages/{two}').data['encryptedContent'] == 'Mg==' and
              alice.get(f'/api/messages/{two}').status == 404, 'without scope she only hides it', r)
    tap.check(bob.with_(eve.id).data['total'] == 1, 'a group is in no conversation of two')
    e.close()


def left_over(s, gone):
    """After a deletion the database does not hold the text any more."""
    with contextlib.closing(sqlite3.connect(f'file:{s.data}/nightjar.db?mode=ro', uri=True)) as db:
        rows = db.execute('SELECT encrypted_content, encrypted_keys, iv, metadata FROM messages '
                          'WHERE id = ?', (uuid.UUID(gone).bytes,)).fetchall()
    tap.check(rows == [(None, None, None, None)], 'the row holds nothing', rows)
    tap.check(s.kill(15) == 0, 'the server ends in good order')
    text = b''.join(open(os.path.join(s.data, f), 'rb').read() for f in os.listdir(s.data))
    tap.check(b'del3' in text and b'del0' not in text, 'nor does any file, once the log is folded in',
              [(f, os.path.getsize(os.path.join(s.data, f))) for f in os.listdir(s.data) if b'del0' in open(os.path.join(s.data, f), 'rb').read()])


with Server(sys.argv[1]) as server:
    alice_, bob_, eve_ = (Person(server, n) for n in ('alice', 'bob', 'eve'))
    chat_ = posting(server, alice_, bob_)
    reading(server, alice_, bob_, chat_)
    paging(server)
    who_may(server, alice_, bob_, eve_)
    gone_ = deleting(server, alice_, bob_, eve_, chat_)
    groups(server, alice_, bob_, eve_)
    left_over(server, gone_)
sys.exit(tap.done())
