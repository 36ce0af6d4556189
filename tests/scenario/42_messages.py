"""42_messages.py NIGHTJARD: chats, sending, history, marks, sync, devices:
what holds for each, and what wrong input gets."""
import base64
import os
import sys
import time
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()


def fields(r):
    return {d['field'] for d in (r.json or {}).get('error', {}).get('details', [])}


def b64(n):
    return base64.b64encode(os.urandom(n)).decode()


def iso(t):
    return time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(t))


def chats(s, a, b, eve):
    r = s.rest('POST', '/api/chats', {'type': 'direct', 'memberIds': [b[0]]}, a[1])
    tap.check(r.status == 201, 'a direct chat is made', r)
    chat = r.data['chatId']
    tap.check({m['userId'] for m in r.data['members']} == {a[0], b[0]},
              'of the two', r)
    again = s.rest('POST', '/api/chats', {'type': 'direct', 'memberIds': [a[0]]}, b[1])
    tap.check(again.status == 200 and again.data['chatId'] == chat,
              'it exists once, whoever asks', again)
    for name, body, field in (
            ('two others in a direct chat', {'type': 'direct', 'memberIds': [b[0], eve[0]]}, 'memberIds'),
            ('a named direct chat', {'type': 'direct', 'name': 'x', 'memberIds': [b[0]]}, 'name'),
            ('an unnamed group', {'type': 'group', 'memberIds': [b[0]]}, 'name'),
            ('somebody twice', {'type': 'group', 'name': 'x', 'memberIds': [b[0], b[0]]}, 'memberIds'),
            ('oneself', {'type': 'group', 'name': 'x', 'memberIds': [a[0]]}, 'memberIds'),
            ('nobody', {'type': 'group', 'name': 'x', 'memberIds': [str(uuid.uuid4())]}, 'memberIds'),
            ('an unknown type', {'type': 'party', 'memberIds': [b[0]]}, 'type')):
        r = s.rest('POST', '/api/chats', body, a[1])
        tap.check(r.status == 400 and field in fields(r), f'{name}: 400 names {field}', r)
    r = s.rest('POST', '/api/chats', {'type': 'direct', 'memberIds': [str(uuid.uuid4())]}, a[1])
    tap.check(r.status == 404, 'a chat with nobody: 404', r)
    for path in (f'/api/chats/{chat}', f'/api/chats/{chat}/messages'):
        tap.check(s.rest('GET', path, token=eve[1]).status == 404,
                  f'GET {path[:11]}.. of others: 404')
        tap.check(s.rest('GET', path, token=b[1]).status == 200,
                  f'GET {path[:11]}.. of a member: 200')
    r = s.rest('GET', '/api/chats', token=eve[1])
    tap.check(r.data['chats'] == [] and r.data['nextCursor'] is None,
              'others do not see it in their list', r)
    return chat


def sends(s, a, b, eve, chat):
    cid = str(uuid.uuid4())
    one = s.send(a[1], chat, 'hello', clientMessageId=cid)
    tap.check(one.status == 201, 'a send: 201', one)
    two = s.send(a[1], chat, 'hello', clientMessageId=cid)
    tap.check(two.status == 200 and two.data == one.data,
              'again with its clientMessageId: 200 and the same', two)
    other = s.chat(a[1], eve[0])
    r = s.send(a[1], other, 'x', clientMessageId=cid)
    tap.check(r.status == 409 and r.code == 'conflict',
              'the same clientMessageId elsewhere: 409', r)
    r = s.send(b[1], chat, 'mine', clientMessageId=cid)
    tap.check(r.status == 201, 'two people may choose one id', r)
    tap.check(r.data['prev'] == one.data['position'], 'prev is the one before', r)
    r = s.send(eve[1], chat, 'x')
    tap.check(r.status == 404, 'a send to a chat of others: 404', r)
    r = s.rest('GET', f'/api/messages/{one.data["messageId"]}', token=b[1])
    tap.check(r.status == 200 and r.data['encryptedContent'] == 'hello' and
              r.data['position'] == one.data['position'], 'one message by its id', r)
    tap.check(s.rest('GET', f'/api/messages/{one.data["messageId"]}',
                     token=eve[1]).status == 404, 'not for others: 404')
    near = one.data['messageId'][:-1] + ('0' if one.data['messageId'][-1] != '0' else '1')
    tap.check(s.rest('GET', f'/api/messages/{near}', token=b[1]).status == 404,
              'an id that was never given: 404')


def envelopes(s, a, b, chat):
    key = {f'{b[0]}.1': b64(40)}
    ratchet = {'suite': 'ratchet', 'encryptedContent': b64(100), 'iv': b64(12),
               'encryptedKeys': key, 'clientMessageId': str(uuid.uuid4())}
    for name, change, field in (
            ('plaintext beside it', {'metadata': {'plaintextPreview': 'x'}}, 'metadata.plaintextPreview'),
            ('a file name beside it', {'metadata': {'fileName': 'x'}}, 'metadata'),
            ('mentions beside it', {'metadata': {'mentions': [b[0]]}}, 'metadata'),
            ('an image', {'messageType': 'image'}, 'messageType'),
            ('content that is no base64', {'encryptedContent': 'hello!'}, 'encryptedContent'),
            ('content too short to be sealed', {'encryptedContent': b64(20)}, 'encryptedContent'),
            ('a nonce of 8 bytes', {'iv': b64(8)}, 'iv'),
            ('no entry', {'encryptedKeys': {}}, 'encryptedKeys'),
            ('an entry for a person', {'encryptedKeys': {b[0]: b64(40)}}, 'encryptedKeys'),
            ('an entry for no address', {'encryptedKeys': {'x': b64(40)}}, 'encryptedKeys'),
            ('an entry that is no base64', {'encryptedKeys': {f'{b[0]}.1': '?'}}, 'encryptedKeys'),
            ('101 entries', {'encryptedKeys': {f'{b[0]}.{i + 1}': b64(4) for i in range(101)}}, 'encryptedKeys'),
            ('an unknown suite', {'suite': 'rot13'}, 'suite')):
        r = s.rest('POST', f'/api/chats/{chat}/messages', {**ratchet, **change}, a[1])
        tap.check(r.status == 400 and field in fields(r), f'ratchet: {name} names {field}', r)
    no_id = {k: v for k, v in ratchet.items() if k != 'clientMessageId'}
    r = s.rest('POST', f'/api/chats/{chat}/messages', no_id, a[1])
    tap.check(r.status == 400 and 'clientMessageId' in fields(r),
              'ratchet: clientMessageId is needed', r)
    r = s.rest('POST', f'/api/chats/{chat}/messages', ratchet, a[1])
    tap.check(r.status == 403, 'ratchet: a session without a device: 403', r)
    r = s.rest('POST', f'/api/chats/{chat}/messages', {'encryptedContent': 'x'}, a[1])
    tap.check(r.status == 400 and 'iv' in fields(r), 'iv is needed', r)
    r = s.send(a[1], chat, 'x' * 100001)
    tap.check(r.status == 400 and 'encryptedContent' in fields(r), '100,001 characters: 400', r)
    tap.check(s.send(a[1], chat, 'x' * 100000).status == 201, '100,000 characters are taken')


def replays(s, a, chat):
    r = s.send(a[1], chat, 'x', sentAt=iso(time.time() - 400))
    tap.check(r.status == 409 and r.code == 'replayed', 'a send of 400 s ago: replayed', r)
    tap.check(s.send(a[1], chat, 'x', sentAt=iso(time.time() - 200)).status == 201,
              'one of 200 s ago is taken')
    nonce = uuid.uuid4().hex
    tap.check(s.send(a[1], chat, 'x', nonce=nonce).status == 201, 'a new nonce is taken')
    r = s.send(a[1], chat, 'x', nonce=nonce)
    tap.check(r.status == 409 and r.code == 'replayed', 'a nonce seen before: replayed', r)


def readers(s, a, b, chat):
    keys = {a[0]: 'for a', f'{b[0]}.1': 'for b1', f'{b[0]}.2': 'for b2'}
    live = Sio(s.port, b[1])
    r = s.send(a[1], chat, 'keyed', encryptedKeys=keys)
    want_b = {f'{b[0]}.1': 'for b1', f'{b[0]}.2': 'for b2'}
    path = f'/api/messages/{r.data["messageId"]}'
    tap.check(s.rest('GET', path, token=b[1]).data['encryptedKeys'] == want_b,
              'a reader gets its own entries only')
    tap.check(s.rest('GET', path, token=a[1]).data['encryptedKeys'] == {a[0]: 'for a'},
              'so does the sender')
    got = live.event('message:new', lambda m: m['messageId'] == r.data['messageId'])
    tap.check(got['encryptedKeys'] == want_b, 'live as well', got)
    after = s.rest('GET', f'/api/sync?after={r.data["position"] - 1}', token=b[1])
    got = [e['data'] for e in after.data['events'] if e['event'] == 'message:new']
    tap.check(got and got[0]['encryptedKeys'] == want_b, 'and by sync', after)
    live.close()


def history(s, a, b):
    c = s.register('histo')
    chat = s.chat(c[1], b[0])
    sent = [s.send(c[1], chat, f'm{i}').data for i in range(25)]
    pages, cursor = [], ''
    while True:
        r = s.rest('GET', f'/api/chats/{chat}/messages?limit=10{cursor}', token=b[1])
        pages.append([m['encryptedContent'] for m in r.data['messages']])
        if r.data['nextCursor'] is None:
            break
        cursor = f'&cursor={r.data["nextCursor"]}'
    tap.check(sum(pages, []) == [f'm{i}' for i in reversed(range(25))] and
              [len(p) for p in pages] == [10, 10, 5], 'history: newest first, in pages', pages)
    r = s.rest('GET', f'/api/chats/{chat}/messages?after={sent[19]["position"]}', token=b[1])
    tap.check([m['encryptedContent'] for m in r.data['messages']] == [f'm{i}' for i in range(20, 25)],
              'history: behind a position, oldest first', r)
    prevs = [sent[0]['prev']] + [x['position'] for x in sent[:-1]]
    tap.check([x['prev'] for x in sent] == prevs, 'every prev is the position before')
    for q in ('limit=0', 'limit=101', 'limit=x', 'cursor=abc', 'after=-1', 'after=1&cursor=2', 'wrong=1'):
        r = s.rest('GET', f'/api/chats/{chat}/messages?{q}', token=b[1])
        tap.check(r.status == 400, f'history: {q}: 400', r)
    return chat, sent


def syncs(s, b, chat, sent):
    seen, after, more = [], sent[0]['position'] - 1, True
    while more:
        r = s.rest('GET', f'/api/sync?after={after}&limit=7', token=b[1])
        seen += [e['data']['encryptedContent'] for e in r.data['events']
                 if e['event'] == 'message:new' and e['data']['chatId'] == chat]
        tap.check(all(x['position'] < y['position'] for x, y in
                      zip(r.data['events'], r.data['events'][1:])), 'sync: positions rise')
        after, more = r.data['position'], r.data['more']
    tap.check(seen == [f'm{i}' for i in range(25)], 'sync: all, once, in order', seen)
    r = s.rest('GET', f'/api/sync?after={after}', token=b[1])
    tap.check(r.data['events'] == [] and not r.data['more'] and r.data['position'] == after,
              'sync: at the end there is nothing more', r)
    r = s.rest('GET', '/api/sync?after=0&limit=1000', token=b[1])
    made = [e for e in r.data['events'] if e['event'] == 'chat:created']
    tap.check(any(e['data']['chat']['chatId'] == chat for e in made),
              'sync: tells of chats that were made', r)
    for q in ('', 'after=x', 'after=0&limit=1001'):
        tap.check(s.rest('GET', f'/api/sync?{q}', token=b[1]).status == 400, f'sync: {q!r}: 400')


def marks(s, a, b, chat):
    one, two = Sio(s.port, a[1]), Sio(s.port, b[1])
    sent = [s.send(a[1], chat, f'mark{i}').data for i in range(3)]
    unread = lambda: next(c['unreadCount'] for c in s.rest(  # noqa: E731
        'GET', '/api/chats', token=b[1]).data['chats'] if c['chatId'] == chat)
    tap.check(unread() >= 3, 'what others sent is unread')
    tap.check('error' not in (two.call('message:received', {'position': sent[1]['position']}) or {}),
              'message:received is taken')
    r = one.event('message:receipt')
    tap.check(r['position'] == sent[1]['position'] and r['userId'] == b[0] and
              r['kind'] == 'delivered', 'the sender hears: delivered up to there', r)
    two.call('message:received', {'position': sent[1]['position']})
    tap.check(one.quiet('message:receipt', 0.3), 'and hears it once')
    two.call('message:received', {'position': 2 ** 53 - 1})
    r = one.event('message:receipt')
    tap.check(r['position'] == sent[2]['position'], 'nobody has what does not exist yet', r)
    new = s.send(a[1], chat, 'later').data
    two.call('message:received', {'position': new['position']})
    tap.check(one.event('message:receipt')['position'] == new['position'],
              'so later ones still count')
    two.call('message:read', {'messageId': sent[0]['messageId']})
    r = one.event('message:read')
    tap.check(r['position'] == sent[0]['position'] and r['messageId'] == sent[0]['messageId'],
              'read: by its id', r)
    tap.check(unread() == 3, 'what lies before it is read')
    two.call('message:read', {'messageIds': [sent[2]['messageId'], sent[1]['messageId']]})
    tap.check(one.event('message:read')['position'] == sent[2]['position'], 'read: the newest of several')
    two.call('message:read', {'chatId': chat, 'position': new['position']})
    tap.check(one.event('message:read')['position'] == new['position'], 'read: by position')
    tap.check(unread() == 0, 'nothing is left')
    for body in ({}, {'chatId': chat}, {'position': 1}, {'messageId': sent[0]['messageId'], 'chatId': chat, 'position': 1}):
        r = two.call('message:read', body)
        tap.check(r['error']['code'] == 'validation_failed', f'read: {sorted(body)} is no form', r)
    r = two.call('message:read', {'messageId': str(uuid.uuid4())})
    tap.check(r['error']['code'] == 'not_found', 'read: a message that is not there', r)
    r = s.rest('GET', f'/api/sync?after={sent[0]["position"] - 1}&limit=1000', token=a[1])
    kinds = [e['event'] for e in r.data['events']]
    tap.check(kinds.count('message:receipt') == 3 and kinds.count('message:read') == 3,
              'who was away hears of the marks by sync', kinds)
    one.close()
    two.close()


def devices(s, a, b):
    r = s.rest('GET', f'/api/users/{b[0]}/devices', token=a[1])
    tap.check(r.status == 200 and r.data == {'list': None, 'certs': [], 'devices': [], 'rotations': []},
              'no device yet: an empty answer', r)
    tap.check(s.rest('GET', f'/api/users/{uuid.uuid4()}/devices', token=a[1]).status == 404,
              'nobody: 404')
    tap.check(s.rest('POST', f'/api/users/{b[0]}/prekey-bundles', {}, a[1]).status == 404,
              'no bundles of who has no device')
    put = {'certs': [], 'deviceId': 1}
    for name, lst in (('zeros', base64.b64encode(bytes(5472)).decode()), ('noise', b64(5472)), ('one byte', b64(1))):
        r = s.rest('PUT', '/api/users/me/device-list', {**put, 'list': lst}, a[1])
        tap.check(r.status == 400, f'a device list of {name}: 400', r)
    r = s.rest('PUT', '/api/users/me/device-list', {**put, 'list': 'no base64'}, a[1])
    tap.check(r.status == 400 and 'list' in fields(r), 'a device list that is no base64 names it', r)
    r = s.rest('POST', '/api/auth/device', {'deviceId': 1, 'proof': b64(3373)}, a[1])
    tap.check(r.status == 404, 'binding to a device that is not there: 404', r)
    r = s.rest('POST', '/api/auth/device', {'deviceId': 1, 'proof': b64(64)}, a[1])
    tap.check(r.status == 400 and 'proof' in fields(r), 'a proof of another length names it', r)
    r = s.rest('PUT', '/api/devices/1/prekeys', {'header': b64(3512), 'leaves': [b64(37)] * 4}, a[1])
    tap.check(r.status == 403, 'prekeys from a session without a device: 403', r)
    tap.check(s.rest('GET', '/api/devices/1/prekeys/count', token=a[1]).status == 404,
              'the count of a device that is not there: 404')


def channels(s, a, b):
    r = s.rest('POST', '/api/chats', {'type': 'channel', 'name': 'News', 'memberIds': [b[0]]}, a[1])
    tap.check(r.status == 201 and r.data['role'] == 'admin', 'a channel is made', r)
    chat = r.data['chatId']
    tap.check(s.send(a[1], chat, 'news').status == 201, 'its admin writes')
    r = s.send(b[1], chat, 'me too')
    tap.check(r.status == 403, 'its members read', r)


def main():
    with Server(sys.argv[1]) as s:
        a, b, eve = (s.register(x) for x in ('alice', 'bobby', 'evelyn'))
        chat = chats(s, a, b, eve)
        sends(s, a, b, eve, chat)
        envelopes(s, a, b, chat)
        replays(s, a, chat)
        readers(s, a, b, chat)
        syncs(s, b, *history(s, a, b))
        marks(s, a, b, chat)
        devices(s, a, b)
        channels(s, a, b)
    return tap.done()


sys.exit(main())
