"""62_blocks.py NIGHTJARD: who is blocked writes nothing and sees nothing of who
blocks; reports for operators: docs/api.md, "Settings, blocks, reports"."""
import base64
import os
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from people import People  # noqa: E402
from server import Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()


class World:
    """Alice and Bob talk, and are in a group with Carol."""

    def __init__(self, s):
        self.s, self.p = s, People(s)
        self.alice = self.p.base('alice')
        self.bob, self.carol, self.dave = (self.p.person(x) for x in ('bob', 'carol', 'dave'))
        self.a, self.a2 = (self.p.sign_in(self.alice)[0] for _ in range(2))
        self.b, self.c, self.d = (self.p.sign_in(x)[0] for x in (self.bob, self.carol, self.dave))
        self.chat = s.chat(self.a, self.bob)
        self.group = s.rest('POST', '/api/chats', {'type': 'group', 'name': 'three', 'memberIds': [
            self.bob, self.carol]}, self.a).data['chatId']

    def block(self, token, who):
        return self.s.rest('POST', '/api/blocks', {'userId': who}, token)

    def unblock(self, token, who):
        return self.s.rest('DELETE', f'/api/blocks/{who}', token=token)

    def sync(self, token, after=0):
        return self.s.rest('GET', f'/api/sync?after={after}&limit=1000', token=token).data


def hears_of(k, who, wait_s=0.2):
    """Presence of somebody, as this socket hears it in the next while."""
    k.quiet('no such event', wait_s)
    return [d['status'] for e, d in k.events if e == 'presence:update' and d['userId'] == who]


def listing(w):
    k = Sio(w.s.port, w.a2)
    r = w.block(w.a, w.dave)
    tap.check(r.status == 201 and r.data['userId'] == w.dave and r.data['username'] == 'dave', 'a block', r)
    e = k.event('blocks:changed')
    tap.check(e['userId'] == w.dave and e['blocked'] is True and e['position'] > e['prev'],
              'her other device hears it', e)
    again = w.block(w.a, w.dave)
    tap.check(again.status == 200 and again.data == r.data and k.quiet('blocks:changed', 0.2),
              'again: 200, and nothing is told', again)
    w.block(w.a, w.carol)
    got = w.s.rest('GET', '/api/blocks', token=w.a2).data['blocks']
    tap.check([x['username'] for x in got] == ['carol', 'dave'], 'her list, the newest first', got)
    tap.check(w.s.rest('GET', '/api/blocks', token=w.d).data['blocks'] == [], 'which is hers alone')
    r = w.unblock(w.a, w.dave)
    tap.check(r.status == 200, 'not blocked any more', r)
    e2 = k.event('blocks:changed', lambda d: not d['blocked'])
    tap.check(e2['userId'] == w.dave, 'is told, too', e2)
    got = [x['data'] for x in w.sync(w.a2)['events'] if x['event'] == 'blocks:changed']
    tap.check(len(got) == 3 and got[0] == e and got[2] == e2, 'sync brings all of it', got)
    tap.check(not [x for x in w.sync(w.d)['events'] if x['event'] == 'blocks:changed'], 'to nobody else')
    tap.check(w.unblock(w.a, w.dave).status == 404, 'twice: 404')
    tap.check(w.block(w.a, w.alice).status == 400, 'nobody blocks himself')
    tap.check(w.block(w.a, str(uuid.uuid4())).status == 404, 'nor somebody who is not there')
    w.unblock(w.a, w.carol)
    k.close()


def limit(w):
    """A thousand people, and no more."""
    now = 1
    w.p.db.execute('BEGIN IMMEDIATE')
    mine = uuid.UUID(w.dave).bytes
    for i in range(999):
        other = w.p.person(f'many{i}')
        w.p.db.execute('INSERT INTO blocks VALUES (?, ?, ?)', (mine, uuid.UUID(other).bytes, now))
    w.p.db.execute('COMMIT')
    r = [w.block(w.d, x).status for x in (w.carol, w.bob)]
    tap.check(r == [201, 409], 'there is a limit', r)
    got = w.s.rest('GET', '/api/blocks', token=w.d).data['blocks']
    tap.check(len(got) == 1000 and got[0]['username'] == 'carol', 'all of them are listed', len(got))
    w.unblock(w.d, w.carol)


def writing(w):
    """Neither of the two writes in their chat; both hear the same words."""
    s = w.s
    ident = str(uuid.uuid4())
    old = s.send(w.b, w.chat, 'b2xk', clientMessageId=ident).data
    mine = s.send(w.a, w.chat, 'b2xk').data
    w.block(w.a, w.bob)
    before = w.sync(w.a)['position']
    a, b = Sio(s.port, w.a), Sio(s.port, w.b)
    said = set()
    for who, token, k, other, last in (('the blocked one', w.b, b, w.alice, old),
                                       ('the one who blocks', w.a, a, w.bob, mine)):
        for what, r in (
                ('send', s.send(token, w.chat, 'eA==')),
                ('send to the person', s.rest('POST', '/api/messages', {
                    'recipientId': other, 'encryptedContent': 'eA==', 'iv': ''}, token)),
                ('edit', s.rest('PUT', f'/api/messages/{last["messageId"]}',
                                {'encryptedContent': 'eA==', 'iv': ''}, token))):
            tap.check(r.status == 403 and r.code == 'forbidden', f'{who} can not {what}', r)
            said.add(r.json['error']['message'])
        r = k.call('message:send', {'chatId': w.chat, 'encryptedContent': 'eA==', 'iv': ''})
        tap.check(r['error']['code'] == 'forbidden', f'{who}: nor by event', r)
        said.add(r['error']['message'])
    tap.check(len(said) == 1 and 'block' not in ''.join(said), 'all in the same words, which name no block', said)
    r = s.send(w.b, w.chat, 'b2xk', clientMessageId=ident)
    tap.check(r.status == 200 and r.data['messageId'] == old['messageId'],
              'what was sent before is acknowledged all the same', r)
    tap.check(w.sync(w.a)['position'] == before and a.quiet('message:new', 0.2), 'Alice has heard of none of it')
    r = s.rest('GET', f'/api/chats/{w.chat}/messages', token=w.b)
    tap.check(r.status == 200 and len(r.data['messages']) == 2, 'what there was stays readable', r)
    r = s.send(w.b, w.group, 'eA==')
    tap.check(r.status == 201 and a.event('message:new')['chatId'] == w.group, 'in a group he still writes', r)
    r = s.rest('DELETE', f'/api/messages/{old["messageId"]}', token=w.b)
    tap.check(r.status == 200, 'and takes back what he wrote', r)
    # A chat that is not there yet.
    w.block(w.a, w.dave)
    for who, token, other in (('the blocked one', w.d, w.alice), ('the one who blocks', w.a, w.dave)):
        r = s.rest('POST', '/api/chats', {'type': 'direct', 'memberIds': [other]}, token)
        tap.check(r.status == 403 and r.json['error']['message'] in said, f'{who} begins no chat', r)
        r = s.rest('POST', '/api/messages', {'recipientId': other, 'encryptedContent': 'eA==', 'iv': ''}, token)
        tap.check(r.status == 403, f'{who}: nor with a message', r)
    for who, token, other in (('the blocked one', w.d, w.alice), ('the one who blocks', w.a, w.dave)):
        r = s.rest('POST', '/api/chats', {'type': 'group', 'name': 'us', 'memberIds': [w.carol, other]}, token)
        tap.check(r.status == 403 and r.json['error']['message'] in said,
                  f'{who} brings the other into no group', r)
    r = s.rest('POST', '/api/chats', {'type': 'direct', 'memberIds': [w.alice]}, w.b)
    tap.check(r.status == 200 and r.data['chatId'] == w.chat, 'one that is there is found', r)
    w.unblock(w.a, w.dave)
    # Both have blocked each other: one word is not enough.
    w.block(w.b, w.alice)
    w.unblock(w.a, w.bob)
    tap.check(s.send(w.a, w.chat, 'eA==').status == 403, 'as long as one of the two blocks, nobody writes')
    w.unblock(w.b, w.alice)
    r = s.send(w.b, w.chat, 'eA==')
    tap.check(r.status == 201, 'then they do again', r)
    a.close()
    b.close()


def signs(w):
    """Presence, typing, marks: nothing passes between the two."""
    s = w.s
    a, b, c = Sio(s.port, w.a), Sio(s.port, w.b), Sio(s.port, w.c)
    m = s.send(w.a, w.group, 'eA==').data
    b.event('message:new', lambda d: d['messageId'] == m['messageId'])
    b.event('presence:update', lambda d: d['userId'] == w.alice and d['status'] == 'online')
    w.block(w.a, w.bob)
    e = b.event('presence:update', lambda d: d['userId'] == w.alice and d['status'] == 'offline')
    tap.check(e, 'to the blocked one she has gone', e)
    e = a.event('presence:update', lambda d: d['userId'] == w.bob and d['status'] == 'offline')
    tap.check(e, 'and he to her', e)
    for name, token, other in (('he', w.b, w.alice), ('she', w.a, w.bob)):
        r = s.rest('GET', f'/api/users/{other}', token=token)
        tap.check(r.data['status'] == 'offline' and r.data['last_seen'] is None, f'{name} sees nobody there', r)
        boot = s.rest('GET', '/api/bootstrap', token=token).data['presence']
        tap.check([x['userId'] for x in boot] == [w.carol], f'{name}: not at the beginning either', boot)
    tap.check(s.rest('GET', f'/api/users/{w.alice}', token=w.c).data['status'] == 'online', 'Carol does')
    b.events.clear()
    b.call('chat:join', {'chatId': w.group})
    got = {d['userId']: d['status'] for e, d in b.events if e == 'presence:update'}
    tap.check(got == {w.alice: 'offline', w.carol: 'online'}, 'nor by looking at the chat', got)
    for k in (a, b, c):
        k.events.clear()
    a.call('presence:set', {'status': 'away'})
    tap.check(c.event('presence:update', lambda d: d['userId'] == w.alice and d['status'] == 'away') and
              hears_of(b, w.alice) == [], 'he hears of no change', (b.events, c.events))
    for chat in (w.chat, w.group):
        a.call('typing:start', {'chatId': chat})
        b.call('typing:start', {'chatId': chat})
    tap.check(b.quiet('typing:indicator', 0.2) and a.quiet('typing:indicator', 0.1),
              'neither hears the other type')
    tap.check({c.event('typing:indicator')['userId'] for _ in range(2)} == {w.alice, w.bob}, 'Carol hears both')
    x = s.send(w.c, w.group, 'eA==').data
    for k in (a, b):
        k.call('message:received', {'position': x['position']})
        k.call('message:read', {'messageId': x['messageId']})
    c.event('message:read', lambda d: d['userId'] == w.alice)
    c.event('message:read', lambda d: d['userId'] == w.bob)
    tap.check(b.quiet('message:read', 0.2) and b.quiet('message:receipt', 0.1) and
              a.quiet('message:read', 0.1) and a.quiet('message:receipt', 0.1), 'neither hears of marks')
    for token, other in ((w.a, w.bob), (w.b, w.alice)):
        got = [e for e in w.sync(token, x['position'] - 1)['events']
               if e['event'] in ('message:read', 'message:receipt') and e['data']['userId'] == other]
        tap.check(not got, 'nor by sync', got)
        mem = [m for m in s.rest('GET', f'/api/chats/{w.group}', token=token).data['members']
               if m['userId'] == other][0]
        tap.check('read' not in mem and 'delivered' not in mem, 'nor in the group', mem)
    mem = [m for m in s.rest('GET', f'/api/chats/{w.group}', token=w.c).data['members'] if m['userId'] == w.alice]
    tap.check(mem[0]['read'] == x['position'], 'Carol sees them', mem)
    names = [u['username'] for u in s.rest('GET', '/api/users/search?q=alice', token=w.b).data['users']]
    tap.check(names == [], 'the blocked one does not find her', names)
    names = [u['username'] for u in s.rest('GET', '/api/users/search?q=bob', token=w.a).data['users']]
    tap.check(names == ['bob'], 'she finds him', names)
    a.call('presence:set', {'status': 'online'})
    b.events.clear()
    w.unblock(w.a, w.bob)
    e = b.event('presence:update', lambda d: d['userId'] == w.alice)
    tap.check(e['status'] == 'online', 'when it is over he sees her again', e)
    a.events.clear()
    b.call('typing:start', {'chatId': w.group})
    tap.check(a.event('typing:indicator')['userId'] == w.bob, 'and she hears him type')
    for k in (a, b, c):
        k.close()


def coming(w):
    """Who comes while he is blocked, or blocks, is not announced; not even
    when he hides himself beside."""
    s = w.s
    end = time.monotonic() + 20
    while time.monotonic() < end and 'online' in [
            s.rest('GET', f'/api/users/{x}', token=w.c).data['status'] for x in (w.alice, w.bob)]:
        time.sleep(0.02)
    time.sleep(0.2)             # and that it has been said
    w.block(w.a, w.bob)
    b = Sio(s.port, w.b)
    a = Sio(s.port, w.a)
    tap.check(not hears_of(b, w.alice, 0.3) and not hears_of(a, w.bob, 0.1), 'nobody is announced')
    r = s.rest('PUT', '/api/settings', {'version': 0, 'flags': {'presence': False}}, w.a)
    w.unblock(w.a, w.bob)
    tap.check(r.status == 200 and not hears_of(b, w.alice, 0.3), 'who hides is not shown by the end of a block')
    s.rest('PUT', '/api/settings', {'version': 1, 'flags': {'presence': True}}, w.a)
    tap.check(b.event('presence:update', lambda d: d['userId'] == w.alice)['status'] == 'online',
              'but by her own word')
    a.close()
    b.close()


def reports(w):
    s = w.s
    op, admin, auditor = (w.p.sign_in(w.p.person(x, x))[0] for x in ('operator', 'admin', 'auditor'))
    m = [s.send(w.b, w.chat, base64.b64encode(os.urandom(24)).decode()).data['messageId'] for _ in range(21)]
    mine = s.send(w.a, w.chat, 'eA==').data['messageId']
    body = {'userId': w.bob, 'reason': 'abuse', 'comment': 'every day', 'messages': [
        {'messageId': m[0], 'text': 'what he wrote'}, {'messageId': m[1]}]}
    r = s.rest('POST', '/api/reports', body, w.a)
    tap.check(r.status == 201 and list(r.data) == ['id'], 'a report', r)
    got = s.rest('GET', '/api/reports', token=op).data
    tap.check(len(got['reports']) == 1 and got['nextCursor'] is None, 'operators see it', got)
    x = got['reports'][0]
    tap.check(x['id'] == r.data['id'] and x['reporter'] == 'alice' and x['username'] == 'bob' and
              x['reason'] == 'abuse' and x['comment'] == 'every day' and x['messages'] == body['messages'],
              'as it was given, and no more than that', x)
    raw = repr(w.p.db.execute('SELECT * FROM reports').fetchall())
    sealed = w.p.db.execute('SELECT encrypted_content FROM messages WHERE id = ?',
                            (uuid.UUID(m[1]).bytes,)).fetchone()[0]
    tap.check(sealed not in raw, 'the server adds nothing to it')
    for name, more in (
            ("of one's own message", {'messages': [{'messageId': mine}]}),
            ("of a message that is not there", {'messages': [{'messageId': str(uuid.uuid4())}]}),
            ('that names one twice', {'messages': [{'messageId': m[0]}] * 2}),
            ('of too many', {'messages': [{'messageId': x} for x in m]}),
            ('too long', {'messages': [{'messageId': m[0], 'text': 'x' * 4001}]}),
            ('with too much to say', {'comment': 'x' * 2001}),
            ('for no reason', {'reason': 'dislike'}), ('of oneself', {'userId': w.alice, 'messages': []})):
        r = s.rest('POST', '/api/reports', {**body, **more}, w.a)
        tap.check(r.status == 400, f'a report {name}: 400', r)
    r = s.rest('POST', '/api/reports', {**body, 'messages': [{'messageId': m[0]}]}, w.c)
    tap.check(r.status == 400, 'a message that the reporter does not have: 400', r)
    r = s.rest('POST', '/api/reports', {'userId': str(uuid.uuid4()), 'reason': 'spam'}, w.a)
    tap.check(r.status == 404, 'nobody: 404', r)
    made = [s.rest('POST', '/api/reports', {'userId': w.bob, 'reason': 'spam'}, w.a) for _ in range(20)]
    tap.check([x.status for x in made] == [201] * 19 + [429] and made[-1].headers.get('Retry-After'),
              'twenty in a day', made[-1])
    page = s.rest('GET', '/api/reports?limit=12', token=admin).data
    rest = s.rest('GET', f'/api/reports?limit=12&cursor={page["nextCursor"]}', token=admin).data
    ids = [x['id'] for x in page['reports'] + rest['reports']]
    tap.check(len(ids) == len(set(ids)) == 20 and ids[0] == x_id(got) and rest['nextCursor'] is None,
              'in pages, the oldest first', (len(ids), rest['nextCursor']))
    for who, token in (('the reporter', w.a), ('the reported', w.b), ('an auditor', auditor)):
        tap.check(s.rest('GET', '/api/reports', token=token).status == 403 and
                  s.rest('DELETE', f'/api/reports/{ids[0]}', token=token).status == 403, f'not for {who}')
    r = s.rest('DELETE', f'/api/reports/{ids[0]}', token=op)
    left = s.rest('GET', '/api/reports', token=op).data['reports']
    tap.check(r.status == 200 and ids[0] not in [x['id'] for x in left], 'closed, it is gone', r)
    tap.check(s.rest('DELETE', f'/api/reports/{ids[0]}', token=op).status == 404, 'twice: 404')


def x_id(got):
    return got['reports'][0]['id']


def main():
    with Server(sys.argv[1], flags=['--set', 'threads.reactors=3']) as s:
        w = World(s)
        for part in (listing, limit, writing, signs, coming, reports):
            part(w)
        tap.check(s.kill(15) == 0, 'the server is well, and ends in good order', s.log()[-2000:])
    return tap.done()


sys.exit(main())
