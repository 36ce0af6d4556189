"""70_devices.py NIGHTJARD SIGNER: devices are added, named and revoked. What a
removed device loses it loses at once; what stays, stays; a session that speaks
for no device, or another account's, can do none of it."""
import os
import sqlite3
import sys
import threading
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import Server, Tap  # noqa: E402
from signer import Account, Signer, b64, send  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()


def names(s, token, user, who):
    """Names of events in sync, of a person, about somebody."""
    r = s.rest('GET', '/api/sync?after=0&limit=1000', token=token)
    return [(e['event'], e['data'].get('deviceId')) for e in r.data['events']
            if e['data'].get('userId') == who and 'device' in e['event']]


def rows(s, sql, *args):
    db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=20)
    try:
        return db.execute(sql, args).fetchall()
    finally:
        db.close()


def raw(user):
    return uuid.UUID(user).bytes


def devices_of(s, token, user):
    return {d['deviceId']: d for d in
            s.rest('GET', f'/api/users/{user}/devices', token=token).data['devices']}


def adding(s, a, bob):
    ears, own = Sio(s.port, bob.tokens[1]), Sio(s.port, a.tokens[1])
    two = {**a.devices, 2: 'alice-two'}
    made = a.make(two)
    body = {'list': made[0], 'cert': made[2][2], 'deviceId': 2, 'name': "Alice's phone"}
    for who, token, status in (('a session without a device', a.login(), 403),
                               ('somebody else', bob.tokens[1], 403)):
        r = s.rest('POST', '/api/devices', body, token)
        tap.check(r.status == status, f'adding by {who}: {status}', r)
    bad = a.make({1: a.devices[1], 3: 'x'})
    for name, more, status in (
            ('a number that the list does not name', {'deviceId': 7}, 400),
            ('a device that was there before', {'deviceId': 1, 'cert': made[2][1]}, 409),
            ('a certificate that the list does not name', {'cert': bad[2][3]}, 400),
            ('no certificate', {'cert': b64(b'x')}, 400),
            ('a list with a bit changed', {'list': made[0][:-8] + 'AAAAAAA='}, 400),
            ('a version left out', {'list': a.make(two, version=3)[0]}, 409),
            ('a list that does not name the speaker',
             {'list': a.make({2: 'alice-two'}, next_id=3)[0]}, 400),
            ('under another account key', {'list': a.make(two, aik='evil')[0]}, (400, 409)),
            ('a name of 65 characters', {'name': 'x' * 65}, 400),
            ('a name with a control character', {'name': 'a\x1b[2J'}, 400)):
        r = s.rest('POST', '/api/devices', {**body, **more}, a.tokens[1])
        tap.check(r.status in (status if isinstance(status, tuple) else (status,)),
                  f'adding with {name}: {status}', r)
    tap.check(list(devices_of(s, a.tokens[1], a.id)) == [1], 'nothing was added')
    r = s.rest('POST', '/api/devices', body, a.tokens[1])
    tap.check(r.status == 201 and r.data == {'deviceId': 2, 'version': 2}, 'a device is added', r)
    a.took(two, made)
    e = ears.event('device:added')
    tap.check(e['userId'] == a.id and e['deviceId'] == 2 and e['version'] == 2,
              'who shares a chat hears of it', e)
    tap.check(own.event('device:added')['deviceId'] == 2, 'and so do the own devices')
    r = s.rest('POST', '/api/devices', body, a.tokens[1])
    tap.check(r.status == 201 and r.data['version'] == 2, 'again, since the answer was lost: the same', r)
    tap.check(ears.quiet('device:added', 0.3), 'and nobody hears of it twice')
    a.tokens[2] = a.bound(2)
    mine, theirs = devices_of(s, a.tokens[2], a.id), devices_of(s, bob.tokens[1], a.id)
    tap.check(mine[2]['name'] == "Alice's phone" and list(theirs) == [1, 2], 'its name', mine)
    tap.check(all(d['name'] is None and d['last_active'] is None for d in theirs.values()),
              'names are for their owner alone', theirs)
    for k in (ears, own):
        k.close()


def naming(s, a, bob):
    for who, token, want in (('a session without a device', a.login(), 403),
                             ('somebody else, who has no such device', bob.tokens[1], 404)):
        r = s.rest('PUT', '/api/devices/2', {'name': 'Evil'}, token)
        tap.check(r.status == want, f'renaming by {who}: {want}', r)
    for body in ({}, {'name': ''}, {'name': 'x' * 65}, {'name': None}, {'is_trusted': 'yes'}):
        r = s.rest('PUT', '/api/devices/2', body, a.tokens[1])
        tap.check(r.status == 400, f'renaming with {body}: 400', r)
    r = s.rest('PUT', '/api/devices/9', {'name': 'x'}, a.tokens[1])
    tap.check(r.status == 404, 'a device that is not there: 404', r)
    r = s.rest('PUT', '/api/devices/2', {'name': 'Tablet'}, a.tokens[1])
    tap.check(r.status == 200 and r.data['name'] == 'Tablet' and r.data['is_trusted'], 'renamed', r)
    r = s.rest('PUT', '/api/devices/2', {'is_trusted': False}, a.tokens[2])
    tap.check(r.status == 200 and r.data['name'] == 'Tablet' and not r.data['is_trusted'],
              'trust is set alone', r)
    d = devices_of(s, a.tokens[1], a.id)
    tap.check(d[2]['name'] == 'Tablet' and not d[2]['is_trusted'] and d[1]['is_trusted'], 'kept', d)


def kept(s, a):
    """A really new list, which renews one device, leaves the other's batch."""
    for d in (1, 2):
        r = a.upload(d, leaves=8)
        tap.check(r.status == 200 and r.data['left'] == 6, f'a batch of device {d}', r)
    asker = s.register(f'asker{a.name}')[1]
    taken = s.rest('POST', f'/api/users/{a.id}/prekey-bundles', {'deviceIds': [2]}, asker)
    first = taken.data['bundles'][0]['leaves'][1]
    r = a.put({1: 'alice-renewed', 2: a.devices[2]})
    tap.check(r.status == 200, 'device 1 gets a new certificate', r)
    tap.check(a.left(1).data['left'] == 0, "the replaced certificate's batch is void", a.left(1))
    tap.check(a.left(2).data['left'] == 5, 'the other one keeps its batch', a.left(2))
    again = s.rest('POST', f'/api/users/{a.id}/prekey-bundles', {}, asker).data['bundles']
    tap.check([b['deviceId'] for b in again] == [2] and again[0]['leaves'][1]['leaf'] != first['leaf'],
              'and no one-time pair comes again', again)
    # Both certificates in the list that is sent, though one is known already.
    r = a.put(dict(a.devices), certs=list(a.make(a.devices)[2].values()))
    tap.check(r.status == 200 and a.left(2).data['left'] == 4,
              'a certificate that is known replaces nothing', a.left(2))
    r = a.upload(1, number=1, leaves=8)
    tap.check(r.status == 200 and r.data['left'] == 6, 'the renewed device begins anew', r)


def low(s, a):
    """prekeys/count, and keys:low from the sixteenth on."""
    ears, other = Sio(s.port, a.tokens[1]), Sio(s.port, a.tokens[2])
    r = a.upload(1, number=2, leaves=32)
    tap.check(r.status == 200 and r.data['left'] == 30, '30 pairs', r)
    for token, device, want in ((a.tokens[2], 1, 200), (a.tokens[1], 9, 404)):
        r = a.left(device, token)
        tap.check(r.status == want, f'prekeys/count of device {device}: {want}', r)
    heard = []
    for i in range(16):
        _, t, _ = s.register(f'drain{i}')
        r = s.rest('POST', f'/api/users/{a.id}/prekey-bundles', {'deviceIds': [1]}, t)
        left = a.left(1).data['left']
        if left != 29 - i:
            tap.check(False, 'each takes one', (i, left))
            return
        if left < 16:
            heard.append(ears.event('keys:low'))
        elif not ears.quiet('keys:low', 0.05):
            tap.check(False, f'{left} are enough', ears.events)
    tap.check([h['left'] for h in heard] == [15, 14] and heard[0]['deviceId'] == 1,
              'below 16 the device hears of it', heard)
    tap.check(other.quiet('keys:low', 0.2), 'the other device does not')
    for k in (ears, other):
        k.close()


def partials(s, a, bob, chat):
    """Events for device 2 alone, for both, for 1 alone, that wait for them."""
    ids = []
    for keys in ([a.address(2)], [a.address(1), a.address(2)], [a.address(1)]):
        r = send(s, bob.tokens[1], chat, keys, 'event')
        tap.check(r.status == 201, 'an event for single devices', r)
        ids.append(r.data['messageId'])
    return ids


def revoking(s, a, bob, chat):
    r = send(s, a.tokens[2], chat, [a.address(1), bob.address(1)])
    tap.check(r.status == 201, 'device 2 sends', r)
    ids = partials(s, a, bob, chat)
    old_token = a.tokens[2]
    again = a.bound(2)          # a second session of the same device
    sock, ears, mine = Sio(s.port, old_token), Sio(s.port, bob.tokens[1]), Sio(s.port, a.tokens[1])
    one = {1: a.devices[1]}
    made = a.make(one, next_id=3)
    for name, token, path, body, want in (
            ('a session without a device', a.login(), 2, {'list': made[0]}, 403),
            ('somebody else', bob.tokens[1], 2, {'list': made[0]}, 403),
            ('a list that still names it', a.tokens[1], 2,
             {'list': a.make(a.devices)[0]}, 400),
            ('a device that is not there', a.tokens[1], 9, {'list': made[0]}, 404),
            ('next_id that falls', a.tokens[1], 2, {'list': a.make(one, next_id=2)[0]}, 409),
            ('another prev_hash', a.tokens[1], 2,
             {'list': a.make(one, prev=b64(bytes([1] * 32)), next_id=3)[0]}, 409),
            ('a list under another key', a.tokens[1], 2,
             {'list': a.make(one, aik='evil', next_id=3)[0]}, 400),
            ('no list', a.tokens[1], 2, {}, 400)):
        r = s.rest('DELETE', f'/api/devices/{path}', body, token)
        tap.check(r.status == want, f'revoking with {name}: {want}', r)
    tap.check(s.rest('GET', '/api/auth/me', token=old_token).status == 200, 'nothing has ended')
    r = s.rest('DELETE', '/api/devices/2', {'list': made[0]}, a.tokens[1])
    tap.check(r.status == 200 and r.data['version'] == a.version + 1, 'revoked', r)
    a.took(one, made)
    got = {s.rest('GET', '/api/auth/me', token=t).status for t in [old_token, again] * 6}
    tap.check(got == {401}, 'no reactor takes a token of it', got)
    tap.check(sock.event('session:ended')['reason'] == 'device_removed', 'its socket hears why')
    tap.check(ears.event('device:removed')['deviceId'] == 2 and
              mine.event('device:removed')['deviceId'] == 2, 'the others hear of it')
    r = send(s, old_token, chat, [a.address(1), bob.address(1)])
    tap.check(r.status == 401, 'it can not send', r)
    r = a.bind(a.login(), 2, 'alice-two')
    tap.check(r.status == 404, 'nor come back by its key', r)
    r = send(s, bob.tokens[1], chat, [a.address(1), a.address(2)])
    tap.check(r.status == 409 and r.json['error']['details']['extra'] == [a.address(2)],
              'nobody can send to it', r)
    r = s.rest('POST', f'/api/users/{a.id}/prekey-bundles', {}, bob.tokens[1])
    tap.check([b['deviceId'] for b in r.data['bundles']] == [1], 'its prekeys are gone', r)
    stays_of_it(s, a, ids)
    r = s.rest('DELETE', '/api/devices/2', {'list': made[0]}, a.tokens[1])
    tap.check(r.status == 200, 'again, since the answer was lost: the same', r)
    r = s.rest('PUT', '/api/devices/2', {'name': 'x'}, a.tokens[1])
    tap.check(r.status == 404, 'it has no name any more', r)
    for k in (sock, ears, mine):
        k.close()


def stays_of_it(s, a, ids):
    me = raw(a.id)
    found = {str(uuid.UUID(bytes=x)): k for x, k in
             rows(s, 'SELECT id, encrypted_keys FROM messages WHERE is_partial = TRUE')}
    tap.check(ids[0] not in found, 'what waited for it alone is gone')
    tap.check(a.address(2) not in found[ids[1]] and a.address(1) in found[ids[1]],
              "its entry is gone from what waits for two, the other's is there", found[ids[1]])
    tap.check(a.address(1) in found[ids[2]], 'what waits for another is untouched')
    for table in ('prekey_batches', 'device_prekeys', 'prekey_grants'):
        n = rows(s, f'SELECT COUNT(*) FROM {table} WHERE user_id = ? AND device_id = 2', me)
        tap.check(n == [(0,)], f'nothing of it in {table}', n)
    n = rows(s, 'SELECT COUNT(*) FROM sessions WHERE user_id = ? AND device_id = 2', me)
    tap.check(n == [(0,)], 'no session of it', n)
    r = rows(s, 'SELECT device_name, last_active, removed_at FROM user_devices '
             'WHERE user_id = ? AND device_id = 2', me)
    tap.check(r[0][:2] == (None, None) and r[0][2], 'its number stays, its name does not', r)
    n = rows(s, 'SELECT COUNT(*) FROM prekey_batches WHERE user_id = ? AND device_id = 1', me)
    tap.check(n[0][0] > 0, "the other device's are there", n)


def itself(s, signer):
    """A device takes itself out; a list that drops one does the same."""
    c = Account(s, signer, 'carol', (1, 2, 3))
    made = c.make({1: c.devices[1], 3: c.devices[3]}, next_id=4)
    k = Sio(s.port, c.tokens[2])
    r = s.rest('DELETE', '/api/devices/2', {'list': made[0]}, c.tokens[2])
    tap.check(r.status == 200, 'a device takes itself out', r)
    c.took({1: c.devices[1], 3: c.devices[3]}, made)
    tap.check(s.rest('GET', '/api/auth/me', token=c.tokens[2]).status == 401, 'its session ends')
    tap.check(k.event('session:ended')['reason'] == 'device_removed', 'and so do its sockets')
    k.close()
    r = c.put({1: c.devices[1]}, c.tokens[1], made=c.make({1: c.devices[1]}, next_id=4))
    tap.check(r.status == 200 and
              s.rest('GET', '/api/auth/me', token=c.tokens[3]).status == 401,
              'a list put with one less ends its session, too', r)
    tap.check(s.rest('GET', '/api/auth/me', token=c.tokens[1]).status == 200, 'the speaker stays')
    # A session by password that puts a signed list (a restore) stays, too.
    t = c.login()
    r = c.put({1: c.devices[1], 4: 'carol-4'}, t, speaker=4)
    tap.check(r.status == 200 and c.bind(t, 4).status == 200, 'a device added by the account key', r)


def at_once(s, signer):
    """Two managers put different lists at the same time: one is taken."""
    d = Account(s, signer, 'dora', (1, 2))
    for _ in range(5):
        made = [d.make({**d.devices, d.next_id: f'dora-{d.next_id}-{i}'}) for i in range(2)]
        got = [None, None]

        def put(i):
            got[i] = s.rest('POST', '/api/devices', {
                'list': made[i][0], 'cert': made[i][2][d.next_id], 'deviceId': d.next_id},
                d.tokens[i + 1])
        ts = [threading.Thread(target=put, args=(i,)) for i in range(2)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        codes = sorted(r.status for r in got)
        if not tap.check(codes == [201, 409], 'two lists at once: one is taken', got):
            return
        i = [r.status for r in got].index(201)
        conflict = got[1 - i].json['error']
        tap.check(conflict['code'] in ('list_conflict', 'conflict'), 'the other is told', conflict)
        d.took({**d.devices, d.next_id: f'dora-{d.next_id}-{i}'}, made[i])


def main():
    signer = Signer(sys.argv[2])
    with Server(sys.argv[1]) as s:
        a, bob = Account(s, signer, 'alice'), Account(s, signer, 'bob')
        chat = s.chat(a.tokens[1], bob.id)
        adding(s, a, bob)
        naming(s, a, bob)
        kept(s, a)
        low(s, a)
        revoking(s, a, bob, chat)
        itself(s, signer)
        at_once(s, signer)
        # After a crash the same is true.
        s.kill()
        s.start()
        r = a.bind(a.login(), 2, 'alice-two')
        tap.check(r.status == 404 and list(devices_of(s, bob.tokens[1], a.id)) == [1],
                  'after a crash the revoked device is still revoked', r)
    signer.close()
    return tap.done()


sys.exit(main())
