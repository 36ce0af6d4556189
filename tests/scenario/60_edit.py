"""60_edit.py NIGHTJARD: messages that are edited, events about messages, messages
whose time is over: docs/api.md, "Chats and messages"."""
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
DAY_MS = 86400000


def b64(n, fill=0):
    return base64.b64encode(bytes([fill]) * n).decode()


class World:
    """Alice and Bob with two devices each; Eve."""

    def __init__(self, s):
        self.s, self.p = s, People(s)
        self.alice = self.p.base('alice')
        self.bob, self.eve = self.p.person('bob'), self.p.person('eve')
        for ident in (self.alice, self.bob):
            self.p.device(ident, 1)
            self.p.device(ident, 2)
        self.a1, self.a2 = (self.p.sign_in(self.alice, n)[0] for n in (1, 2))
        self.b1, self.b2 = (self.p.sign_in(self.bob, n)[0] for n in (1, 2))
        self.a0 = self.p.sign_in(self.alice)[0]
        self.e = self.p.sign_in(self.eve)[0]
        self.chat = s.chat(self.a1, self.bob)

    def names(self, but):
        every = [f'{u}.{n}' for u in (self.alice, self.bob) for n in (1, 2)]
        return {x: b64(64, i) for i, x in enumerate(every) if x != but}

    def sealed(self, device, fill=1, **more):
        """A request of the suite ratchet, of Alice's device."""
        return {'encryptedContent': b64(64, fill), 'iv': b64(12), 'clientMessageId': str(uuid.uuid4()),
                'encryptedKeys': self.names(f'{self.alice}.{device}'), **more}

    def send(self, token, device, fill=1, **more):
        return self.s.rest('POST', f'/api/chats/{self.chat}/messages',
                           self.sealed(device, fill, suite='ratchet', **more), token)

    def edit(self, token, ident, body):
        return self.s.rest('PUT', f'/api/messages/{ident}', body, token)

    def get(self, token, ident):
        return self.s.rest('GET', f'/api/messages/{ident}', token=token)

    def sync(self, token, after=0):
        return self.s.rest('GET', f'/api/sync?after={after}&limit=1000', token=token).data['events']

    def unread(self, token):
        return self.s.rest('GET', f'/api/chats/{self.chat}', token=token).data['unreadCount']


def plain(w):
    """The suite other: live, in sync, in the history."""
    s, a, b = w.s, Sio(w.s.port, w.a1), Sio(w.s.port, w.b1)
    other = Sio(w.s.port, w.a2)
    m = s.send(w.a1, w.chat, 'b25l').data
    ident = str(uuid.uuid4())
    head = w.sync(w.b1)[-1]['position']
    r = a.call('message:edit', {'messageId': m['messageId'], 'encryptedContent': 'dHdv', 'iv': 'aXY=',
                                'clientMessageId': ident})
    tap.check(r.get('messageId') == m['messageId'] and r['chatId'] == w.chat and r['position'] > head and
              r['prev'] == head and 'editedAt' in r, 'an edit is acknowledged with its place', r)
    for k, who in ((b, 'the other'), (other, 'her own other socket')):
        e = k.event('message:edited')
        got = e['message']
        tap.check(e['position'] == r['position'] and e['prev'] == head and
                  got['messageId'] == m['messageId'] and got['encryptedContent'] == 'dHdv' and
                  got['iv'] == 'aXY=' and got['editedAt'] == r['editedAt'] and
                  got['position'] == m['position'] and got['clientMessageId'] == ident and
                  got['messageType'] == 'text', f'{who} hears the whole message', e)
    tap.check(a.quiet('message:edited', 0.2), 'the socket that sent it has the acknowledgement')
    again = a.call('message:edit', {'messageId': m['messageId'], 'encryptedContent': 'dHdv',
                                    'iv': 'aXY=', 'clientMessageId': ident})
    tap.check(again == r, 'the same edit again is answered the same', again)
    tap.check(b.quiet('message:edited', 0.2), 'and told nobody')
    ev = [x for x in w.sync(w.b1, m['position']) if x['event'] == 'message:edited']
    tap.check(len(ev) == 1 and ev[0]['position'] == r['position'] and ev[0]['prev'] == head and
              ev[0]['data'] == e, 'sync brings what was told live', ev)
    two = w.edit(w.a2, m['messageId'], {'encryptedContent': 'dHJlaQ==', 'iv': ''})
    tap.check(two.status == 200 and two.data['prev'] == r['position'],
              'edited once more, by her other device; it follows the first', two)
    late = a.call('message:edit', {'messageId': m['messageId'], 'encryptedContent': 'dHdv', 'iv': 'aXY=',
                                   'clientMessageId': ident})
    tap.check(late == r and w.get(w.b1, m['messageId']).data['encryptedContent'] == 'dHJlaQ==',
              'an old edit that comes again does not undo the newer one', late)
    ev = [x['data']['message']['encryptedContent'] for x in w.sync(w.b1, m['position'])
          if x['event'] == 'message:edited']
    tap.check(ev == ['dHJlaQ=='] * 2, 'sync has the message as it is now, for each edit', ev)
    page = s.rest('GET', f'/api/chats/{w.chat}/messages', token=w.b1).data['messages']
    tap.check(page[0]['encryptedContent'] == 'dHJlaQ==' and page[0]['editedAt'], 'so has the history', page[0])
    r = s.send(w.a1, w.chat, 'eA==', clientMessageId=ident)
    tap.check(r.status == 201 and r.data['messageId'] != m['messageId'], 'the id of an edit is no id of a send', r)
    s.rest('DELETE', f'/api/messages/{m["messageId"]}?scope=me', token=w.b1)
    w.edit(w.a1, m['messageId'], {'encryptedContent': 'dmllcg==', 'iv': ''})
    last = other.event('message:edited', lambda d: d['message']['encryptedContent'] == 'dmllcg==')
    e = b.event('message:edited', lambda d: d['position'] == last['position'])
    ev = [x['data'] for x in w.sync(w.b1, m['position']) if x['event'] == 'message:edited'][-1]
    tap.check(e['message']['encryptedContent'] is None and e['message']['deletedAt'] and ev == e,
              'of what he has hidden a reader hears a tombstone, as in sync', (e, ev))
    for k in (a, b, other):
        k.close()


def refused(w):
    s = w.s
    m = s.send(w.a1, w.chat, 'b25l', clientMessageId=str(uuid.uuid4())).data
    own = w.get(w.a1, m['messageId']).data['clientMessageId']
    other = s.send(w.a1, w.chat, 'b25l').data
    body = {'encryptedContent': 'dHdv', 'iv': ''}
    ident = str(uuid.uuid4())
    tap.check(w.edit(w.a1, other['messageId'], {**body, 'clientMessageId': ident}).status == 200,
              'an edit', other)
    before = w.sync(w.a1)[-1]['position']
    for name, token, target, more, status, code in (
            ('not by the other', w.b1, m, {}, 403, 'forbidden'),
            ('not by a stranger', w.e, m, {}, 404, 'not_found'),
            ('not what is not there', w.a1, {'messageId': str(uuid.uuid4())}, {}, 404, 'not_found'),
            ('not under the id of a message', w.a1, m, {'clientMessageId': own}, 409, 'conflict'),
            ('not under the id of another edit', w.a1, m, {'clientMessageId': ident}, 409, 'conflict'),
            ('not with nothing', w.a1, m, {'encryptedContent': ''}, 400, 'validation_failed'),
            ('not with metadata', w.a1, m, {'metadata': {}}, 400, 'validation_failed'),
            ('not with a suite', w.a1, m, {'suite': 'other'}, 400, 'validation_failed'),
            ('not with what was meant long ago', w.a1, m, {'sentAt': '2020-01-01T00:00:00.000Z'},
             409, 'replayed')):
        r = w.edit(token, target['messageId'], {**body, **more})
        tap.check(r.status == status and r.code == code, name, r)
    r = w.edit(w.a1, m['messageId'], {**body, 'nonce': 'n' * 16})
    tap.check(r.status == 200, 'a nonce', r)
    r = w.edit(w.a1, m['messageId'], {**body, 'nonce': 'n' * 16})
    tap.check(r.status == 409 and r.code == 'replayed', 'is taken once', r)
    tap.check(w.sync(w.a1)[-1]['position'] > before and
              w.get(w.a1, other['messageId']).data['encryptedContent'] == 'dHdv', 'what was refused did nothing')
    w.p.db.execute('UPDATE messages SET created_at = created_at - ? WHERE id = ?',
                   (DAY_MS + 1000, uuid.UUID(m['messageId']).bytes))
    r = w.edit(w.a1, m['messageId'], body)
    tap.check(r.status == 403 and r.code == 'forbidden' and 'late' in r.json['error']['message'],
              'after 24 hours it is too late', r)
    s.rest('DELETE', f'/api/messages/{other["messageId"]}', token=w.a1)
    r = w.edit(w.a1, other['messageId'], body)
    tap.check(r.status == 404, 'what was deleted is not edited', r)
    r = w.edit(w.a1, other['messageId'], {**body, 'clientMessageId': ident})
    tap.check(r.status == 404, 'not even by an edit that was done before', r)


def ratchet(w):
    """Sealed: exact devices, each reader his own keys; the old text is gone."""
    m = w.send(w.a1, 1, 1).data
    body = w.sealed(1, 2)
    few = dict(list(body['encryptedKeys'].items())[:-1])
    r = w.edit(w.a1, m['messageId'], {**body, 'encryptedKeys': few})
    tap.check(r.status == 409 and r.code == 'devices_changed' and
              len(r.json['error']['details']['missing']) == 1, 'a device is missing: 409 names it', r)
    for name, more, status in (('without an id of its own', {'clientMessageId': None}, 400),
                               ('that is not sealed', {'encryptedContent': 'eA=='}, 400),
                               ('with another iv', {'iv': 'eA=='}, 400)):
        bad = {k: v for k, v in {**body, **more}.items() if v is not None}
        r = w.edit(w.a1, m['messageId'], bad)
        tap.check(r.status == status, f'an edit {name}: {status}', r)
    r = w.edit(w.a0, m['messageId'], body)
    tap.check(r.status == 403, 'a session without a device edits nothing that is sealed', r)
    b1, b2, a2 = Sio(w.s.port, w.b1), Sio(w.s.port, w.b2), Sio(w.s.port, w.a2)
    r = w.edit(w.a1, m['messageId'], body)
    tap.check(r.status == 200, 'a sealed edit', r)
    for k, who, ident in ((b1, 'Bob', w.bob), (b2, "Bob's other device", w.bob),
                          (a2, "Alice's other device", w.alice)):
        got = k.event('message:edited')['message']
        tap.check(got['encryptedContent'] == b64(64, 2) and got['encryptedKeys'] and
                  all(x.startswith(ident) for x in got['encryptedKeys']) and got['senderDeviceId'] == 1 and
                  got['clientMessageId'] == body['clientMessageId'], f'{who} has his own keys alone', got)
    by_two = w.sealed(2, 3)
    r = w.edit(w.a2, m['messageId'], by_two)
    got = w.get(w.b1, m['messageId']).data
    tap.check(r.status == 200 and got['senderDeviceId'] == 2 and got['encryptedContent'] == b64(64, 3) and
              got['clientMessageId'] == by_two['clientMessageId'],
              'by her other device: the message names the device whose ciphertext it is', got)
    w.p.db.execute('PRAGMA wal_checkpoint(FULL)')
    row = w.p.db.execute('SELECT encrypted_content, encrypted_keys, client_message_id FROM messages'
                         ' WHERE id = ?', (uuid.UUID(m['messageId']).bytes,)).fetchone()
    tap.check(row[0] == b64(64, 3) and b64(64, 1) not in row[1] + row[0], 'the old ciphertext is dropped')
    first = w.sealed(1, 1, clientMessageId=str(uuid.UUID(bytes=row[2])), suite='ratchet')
    r = w.s.rest('POST', f'/api/chats/{w.chat}/messages', first, w.a1)
    tap.check(r.status == 200 and r.data['messageId'] == m['messageId'],
              'the first sending, come again, still finds its message', r)
    tap.check(w.get(w.b1, m['messageId']).data['encryptedContent'] == b64(64, 3), 'and does not undo the edit')
    for k in (b1, b2, a2):
        k.close()


def events(w):
    """An event about something is everybody's; another one, of those it names."""
    target = w.send(w.a1, 1).data
    unread = w.unread(w.b1)
    b2 = Sio(w.s.port, w.b2)
    r = w.send(w.a1, 1, 4, messageType='event', metadata={'relatesTo': target['messageId']})
    tap.check(r.status == 201, 'a reaction', r)
    tap.check(r.data['prev'] == target['position'], 'stands in the chain of the chat', r)
    got = b2.event('message:new')
    tap.check(got['messageType'] == 'event' and got['metadata']['relatesTo'] == target['messageId'] and
              got['prev'] == target['position'], 'all devices hear it', got)
    tap.check(w.unread(w.b1) == unread, "and nobody's unread messages count it", w.unread(w.b1))
    at = w.s.rest('GET', f'/api/chats/{w.chat}', token=w.b1).data['lastMessageAt']
    tap.check(at == target['timestamp'], 'the chat does not move up for it', (at, target))
    body = w.sealed(1, 5, suite='ratchet', messageType='event', metadata={'relatesTo': target['messageId']})
    del body['encryptedKeys'][f'{w.bob}.2']
    r2 = w.s.rest('POST', f'/api/chats/{w.chat}/messages', body, w.a1)
    tap.check(r2.status == 409 and r2.code == 'devices_changed' and
              r2.json['error']['details']['missing'] == [f'{w.bob}.2'],
              'it names exactly the current devices', r2)
    del body['metadata']
    r3 = w.s.rest('POST', f'/api/chats/{w.chat}/messages', body, w.a1)
    tap.check(r3.status == 201, 'an event about nothing may name fewer', r3)
    tap.check(b2.quiet('message:new', 0.3), 'and is not for those whom it does not name')
    tap.check(w.get(w.b2, r3.data['messageId']).status == 404 and
              w.get(w.b1, r3.data['messageId']).status == 200, 'nor later')
    r4 = w.send(w.a1, 1, 6)
    tap.check(r4.data['prev'] == r.data['position'], "it is nobody's prev", r4)
    for ident, name in ((r.data['messageId'], 'about something'), (r3.data['messageId'], 'of some devices')):
        x = w.edit(w.a1, ident, w.sealed(1, 7))
        tap.check(x.status == 403, f'an event {name} is not edited', x)
    b2.close()


def deletions(w):
    """message:deleted reaches the sender's own other devices, too."""
    a1, a2, b1 = Sio(w.s.port, w.a1), Sio(w.s.port, w.a2), Sio(w.s.port, w.b1)
    m = w.send(w.a1, 1).data
    before = w.unread(w.b1)
    r = a1.call('message:delete', {'messageId': m['messageId']})
    tap.check('error' not in r, 'deleted', r)
    for k, who in ((a2, "Alice's other device"), (b1, 'Bob')):
        e = k.event('message:deleted')
        tap.check(e['messageId'] == m['messageId'] and e['scope'] == 'all', f'{who} hears it', e)
    tap.check(w.unread(w.b1) == before - 1, 'it is unread no more', (before, w.unread(w.b1)))
    m = w.send(w.a1, 1).data
    a1.call('message:delete', {'messageId': m['messageId'], 'scope': 'me'})
    e = a2.event('message:deleted')
    tap.check(e['scope'] == 'me', 'what is hidden is hidden on her other device', e)
    tap.check(b1.quiet('message:deleted', 0.2), 'and nobody else hears of it')
    n = w.unread(w.b1)
    w.s.rest('DELETE', f'/api/messages/{m["messageId"]}?scope=me', token=w.b1)
    tap.check(w.unread(w.b1) == n - 1 == w.unread(w.b2),
              'what a reader hides is unread on none of his devices', (n, w.unread(w.b2)))
    for k in (a1, a2, b1):
        k.close()


def expiry(w):
    m = w.send(w.a1, 1, 8, metadata={'expiresIn': 2})
    kept = w.send(w.a1, 1, 8, metadata={'expiresIn': 31536000})
    tap.check(m.status == 201 == kept.status, 'messages that are to stay for a while', (m, kept))
    ident = m.data['messageId']
    got = w.get(w.b1, ident).data
    tap.check(got['encryptedContent'] and got['metadata'] == {'expiresIn': 2}, 'it is there', got)
    unread = w.unread(w.b1)
    end = time.monotonic() + 30
    while time.monotonic() < end and w.get(w.b1, ident).data['encryptedContent'] is not None:
        time.sleep(0.1)
    for token in (w.a1, w.b1, w.b2):
        got = w.get(token, ident).data
        tap.check(got['encryptedContent'] is None and got['encryptedKeys'] == {} and got['iv'] is None and
                  got['deletedAt'] and got['metadata'] == {'expiresIn': 2},
                  'when its time is over nothing is left but how long that was', got)
    ev = [x['data'] for x in w.sync(w.b1) if x['data'].get('messageId') == ident]
    tap.check(len(ev) == 1 and ev[0]['encryptedContent'] is None, 'sync has a tombstone, and tells nothing more', ev)
    tap.check(w.unread(w.b1) == unread - 1, 'it is unread no more', (unread, w.unread(w.b1)))
    tap.check(w.get(w.b1, kept.data['messageId']).data['encryptedContent'] is not None, 'others stay')
    r = w.edit(w.a1, ident, w.sealed(1, 9))
    tap.check(r.status == 404, 'a tombstone is not edited', r)
    many = [w.s.send(w.a1, w.chat, 'eA==', metadata={'expiresIn': 1}).data['messageId'] for _ in range(300)]
    end = time.monotonic() + 30
    left = many
    while left and time.monotonic() < end:
        time.sleep(0.2)
        left = [x for x in left if w.get(w.b1, x).data['encryptedContent'] is not None]
    tap.check(not left, 'however many they are', len(left))


def main():
    with Server(sys.argv[1], flags=['--set', 'threads.reactors=2', '--set', 'messages.sweep=500ms']) as s:
        w = World(s)
        plain(w)
        refused(w)
        ratchet(w)
        events(w)
        deletions(w)
        expiry(w)
        tap.check(s.kill(15) == 0, 'the server is well, and ends in good order', s.log()[-2000:])
    return tap.done()


sys.exit(main())
