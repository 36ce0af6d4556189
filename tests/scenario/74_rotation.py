"""74_rotation.py NIGHTJARD SIGNER: an account key that is renewed with the old
one's word, and one that is not; and verified marks: what the server takes, of
whom, and what it gives to the person's other devices."""
import base64
import os
import sqlite3
import sys
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import PASSWORD, Server, Tap  # noqa: E402
from signer import DAY_MS, Account, Signer, b64, now_ms, send  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()


def flipped(text, at=-1):
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return b64(raw)


def rotations(s, token, user):
    return s.rest('GET', f'/api/users/{user}/devices', token=token).data['rotations']


def renewed(a, aik):
    """The same devices under another account key: certificates made anew."""
    return a.make(dict(a.devices), aik)


def refused(s, a, bob):
    """Nothing but the right rotation for the right list is taken."""
    t, made = a.tokens[1], renewed(a, 'alice-2')
    good = a.rotation('alice-2')
    body = {'list': made[0], 'certs': list(made[2].values()), 'deviceId': 1}
    same = a.make(dict(a.devices))
    mixed = a.make({1: a.devices[1], 2: f'{a.devices[2]}@{a.aik}'}, 'alice-2')
    for name, more, status in (
            ('neither rotation nor password', {}, 400),
            ('a wrong password', {'password': PASSWORD + 'x'}, 401),
            ("a rotation of another's", {'rotation': bob.rotation('alice-2')}, 403),
            ('a rotation from another key', {'rotation': a.rotation('alice-2', old='evil')}, 400),
            ('a rotation to another key', {'rotation': a.rotation('evil')}, 400),
            ('a rotation of a later version', {'rotation': a.rotation('alice-2', version=9)}, 400),
            ('a rotation of the present version', {'rotation': a.rotation('alice-2', version=a.version + 2)}, 400),
            ("the old key's signature changed", {'rotation': flipped(good, -3373 - 1)}, 400),
            ("the new key's signature changed", {'rotation': flipped(good)}, 400),
            ('a rotation cut short', {'rotation': b64(base64.b64decode(good)[:-1])}, 400),
            ('a rotation with a byte behind', {'rotation': b64(base64.b64decode(good) + b'x')}, 400),
            ('old certificates', {'rotation': good, 'certs': []}, 400),
            ('one old certificate', {'rotation': good, 'certs': [made[2][1]]}, 400),
            ('a list that keeps an old certificate',
             {'rotation': good, 'list': mixed[0], 'certs': [mixed[2][1]]}, 400),
            ('certificates under the old key', {'rotation': good, 'certs': list(same[2].values())}, 400),
            ('a list that leaves a version out',
             {'rotation': a.rotation('alice-2', version=a.version + 2),
              'list': a.make(dict(a.devices), 'alice-2', version=a.version + 2)[0]}, 409),
            ('another list before it',
             {'rotation': good, 'list': a.make(dict(a.devices), 'alice-2', prev=b64(bytes([7] * 32)))[0]}, 409),
            ('a rotation though the key stays',
             {'rotation': good, 'list': same[0], 'certs': []}, 400)):
        r = s.rest('PUT', '/api/users/me/device-list', {**body, **more}, t)
        tap.check(r.status == status, f'{name}: {status}', r)
    r = s.rest('GET', '/api/users/me/audit', token=t)
    tap.check(any(x['event'] == 'login_failed' for x in r.data['entries']), 'the wrong password is noted', r)
    tap.check(rotations(s, bob.tokens[1], a.id) == [] and
              s.rest('GET', '/api/auth/me', token=a.tokens[2]).status == 200, 'nothing has changed')


def renewing(s, a, bob, chat):
    for d in (1, 2):
        a.upload(d, leaves=8)
    unbound = a.login()
    made, rotation = renewed(a, 'alice-2'), a.rotation('alice-2')
    ears, own = Sio(s.port, bob.tokens[1]), Sio(s.port, a.tokens[2])
    r = a.put(dict(a.devices), a.tokens[1], 'alice-2', made=made, rotation=rotation)
    tap.check(r.status == 200 and r.data['version'] == 2, 'renewed, without a password', r)
    for k, who in ((ears, 'contacts'), (own, 'own devices')):
        e = k.event('keys:changed')
        tap.check(e['userId'] == a.id and e['rotated'] is True and e['version'] == 2,
                  f'{who} hear that the old key signed it', e)
    got = [s.rest('GET', '/api/auth/me', token=a.tokens[d]).status for d in (1, 2)]
    tap.check(got == [200, 200], 'sessions of listed devices live on', got)
    tap.check(s.rest('GET', '/api/auth/me', token=unbound).status == 401,
              'one that speaks for no device ends')
    r = s.rest('GET', '/api/sync?after=0&limit=1000', token=bob.tokens[1])
    told = [e['data'].get('rotated') for e in r.data['events'] if e['event'] == 'keys:changed']
    tap.check(told == [True], 'and so does sync say', told)
    tap.check(ears.quiet('device:removed', 0.2) and ears.quiet('device:added', 0.1),
              'no device has come or gone')
    d = s.rest('GET', f'/api/users/{a.id}/devices', token=bob.tokens[1]).data
    tap.check(d['rotations'] == [rotation] and d['list'] == made[0] and
              d['certs'] == [made[2][1], made[2][2]], 'contacts get it, the list and the certificates')
    tap.check([a.left(d).data['left'] for d in (1, 2)] == [0, 0], 'prekeys are made anew')
    r = a.upload(2, number=2, leaves=8)
    tap.check(r.status == 200, 'under the new certificate', r)
    r = send(s, a.tokens[2], chat, [a.address(1), bob.address(1)])
    tap.check(r.status == 201, 'sending goes on', r)
    body = {'list': made[0], 'certs': list(made[2].values()), 'deviceId': 1, 'rotation': rotation}
    r = s.rest('PUT', '/api/users/me/device-list', body, a.tokens[1])
    tap.check(r.status == 200 and rotations(s, bob.tokens[1], a.id) == [rotation] and
              ears.quiet('keys:changed', 0.2), 'again, since the answer was lost: the same', r)
    second = a.rotation('alice-3')
    r = a.put(dict(a.devices), a.tokens[1], 'alice-3', made=renewed(a, 'alice-3'), rotation=second)
    tap.check(r.status == 200 and rotations(s, bob.tokens[1], a.id) == [rotation, second],
              'renewed again: both, the oldest first', r)
    # A lost manager goes with the key.
    third, one = a.rotation('alice-4'), {1: a.devices[1]}
    r = a.put(one, a.tokens[1], 'alice-4', made=a.make(one, 'alice-4', next_id=3), rotation=third)
    tap.check(r.status == 200 and s.rest('GET', '/api/auth/me', token=a.tokens[2]).status == 401 and
              own.event('session:ended')['reason'] == 'device_removed', 'a device left out is revoked', r)
    for k in (ears, own):
        k.close()
    s.kill()
    s.start()
    tap.check(rotations(s, bob.tokens[1], a.id) == [rotation, second, third], 'a crash loses none')


def starting_over(s, a, bob):
    """Without the old key's word: everybody hears that it is another one."""
    ears, t = Sio(s.port, bob.tokens[1]), a.login()
    n, known = a.next_id, rotations(s, bob.tokens[1], a.id)
    new = {n: 'alice-anew'}
    guesses = []
    while len(guesses) < 9 and 429 not in guesses:
        guesses.append(s.rest('POST', '/api/auth/login',
                              {'username': a.name, 'password': PASSWORD + 'y'}).status)
    tap.check(429 in guesses, 'strangers guess until they have to wait', guesses)
    r = a.put(new, t, 'alice-anew-aik', password=PASSWORD, made=a.make(new, 'alice-anew-aik'))
    tap.check(r.status == 200, 'a new key by password, whoever guessed meanwhile', r)
    e = ears.event('keys:changed')
    tap.check('rotated' not in e, 'contacts hear that nobody vouches for it', e)
    tap.check(s.rest('GET', '/api/auth/me', token=a.tokens[1]).status == 401, 'other sessions end')
    tap.check(s.rest('GET', '/api/auth/me', token=t).status == 200 and a.bind(t, n).status == 200,
              'the one that did it goes on')
    tap.check(rotations(s, bob.tokens[1], a.id) == known, 'the chain of before does not lead there')
    a.tokens = {n: t}
    # From a session that spoke for a device of before.
    b = Account(s, a.signer, 'boris')
    new = {2: 'boris-2'}
    r = b.put(new, b.tokens[1], 'boris-aik-2', password=PASSWORD, made=b.make(new, 'boris-aik-2'))
    tap.check(r.status == 200 and s.rest('GET', '/api/auth/me', token=b.tokens[1]).status == 401,
              'a session of a device that is gone ends, even the one that did it', r)
    ears.close()


def many(s, signer, bob):
    """The newest sixteen are given."""
    c, all_ = Account(s, signer, 'carol'), []
    for i in range(18):
        all_.append(c.rotation(f'carol-{i}'))
        r = c.put(dict(c.devices), c.tokens[1], f'carol-{i}',
                  made=renewed(c, f'carol-{i}'), rotation=all_[-1])
        if r.status != 200:
            tap.check(False, f'renewal {i}', r)
            return
    got = rotations(s, bob.tokens[1], c.id)
    tap.check(got == all_[2:], 'of 18 renewals the 16 newest, the oldest first', len(got))


def marks(s, signer, bob):
    a = Account(s, signer, 'vera', (1, 2))
    path = '/api/verifications'
    own, theirs = Sio(s.port, a.tokens[2]), Sio(s.port, bob.tokens[1])
    at = now_ms()
    good = a.verified(1, bob.id, bob.aik, at=at)
    post = lambda body, token=a.tokens[1]: s.rest('POST', path, body, token)  # noqa: E731
    nobody = str(uuid.uuid4())
    for name, body, token, status in (
            ('a session without a device', good, a.login(), 403),
            ('another device of hers', good, a.tokens[2], 403),
            ('somebody else', good, bob.tokens[1], 403),
            ('a changed signature', {**good, 'record': flipped(good['record'])}, a.tokens[1], 400),
            ('another person', {**good, 'userId': a.verified(1, nobody, 'x')['userId']}, a.tokens[1], 404),
            ('another key', {**good, 'keyHash': b64(bytes(32))}, a.tokens[1], 400),
            ('another method', {**good, 'method': 'code'}, a.tokens[1], 400),
            ('a method that is none', {**good, 'method': 'guess'}, a.tokens[1], 400),
            ('a key that is not the device\'s', a.verified(1, bob.id, bob.aik, key='evil'), a.tokens[1], 400),
            ('a record cut short', {**good, 'record': b64(base64.b64decode(good['record'])[:-1])}, a.tokens[1], 400),
            ('a record of the day after tomorrow',
             a.verified(1, bob.id, bob.aik, at=at + 2 * DAY_MS + 60000), a.tokens[1], 400),
            ('herself', {**good, 'userId': a.id}, a.tokens[1], 400)):
        r = post(body, token)
        tap.check(r.status == status, f'a mark by {name}: {status}', r)
    tap.check(s.rest('GET', path, token=a.tokens[1]).data['verifications'] == [], 'none is kept')
    r = post(good)
    tap.check(r.status == 200, 'a verified mark', r)
    e = own.event('verification:changed')
    tap.check(e['userId'] == bob.id and e['exists'], 'the other device hears of it', e)
    r = s.rest('GET', path, token=a.tokens[2])
    v = r.data['verifications'][0]
    tap.check(v['record'] == good['record'] and v['deviceId'] == 1 and v['keyHash'] == good['keyHash'] and
              v['method'] == 'number' and r.data['nextCursor'] is None, 'and gets it', r)
    tap.check(post(good).status == 200 and own.quiet('verification:changed', 0.2),
              'again, since the answer was lost: nothing new')
    r = post(a.verified(1, bob.id, bob.aik, at=at - 1000))
    tap.check(r.status == 409, 'an older one does not replace it', r)
    back = a.verified(2, bob.id, bob.aik, method=2, withdrawn=1, at=at + 1)
    tap.check(post(back, a.tokens[2]).status == 200 and post(good).status == 409,
              'taken back by the other device, which a replay does not undo')
    for who, token, want in (('no device', a.login(), 403), ('somebody else', bob.tokens[1], 404)):
        r = s.rest('DELETE', f'{path}/{bob.id}', token=token)
        tap.check(r.status == want, f'deleting by {who}: {want}', r)
    tap.check(s.rest('GET', path, token=a.login()).status == 403 and
              s.rest('GET', path, token=bob.tokens[1]).data['verifications'] == [],
              'nobody else reads them')
    tap.check(theirs.quiet('verification:changed', 0.2), 'who was verified does not hear of it')
    r = s.rest('DELETE', f'{path}/{bob.id}', token=a.tokens[1])
    tap.check(r.status == 200 and not own.event('verification:changed', lambda d: not d['exists'])['exists']
              and s.rest('DELETE', f'{path}/{bob.id}', token=a.tokens[1]).status == 404, 'deleted, once', r)
    pages(s, a, post)
    # What a revoked device has signed counts no more.
    post(a.verified(2, bob.id, bob.aik), a.tokens[2])
    r = a.put({1: a.devices[1]}, a.tokens[1], made=a.make({1: a.devices[1]}, next_id=3))
    db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=20)
    n = db.execute('SELECT COUNT(*) FROM security_verifications WHERE user_id = ? AND device_id = 2',
                   (uuid.UUID(a.id).bytes,)).fetchall()
    db.close()
    tap.check(r.status == 200 and n == [(0,)], 'marks of a revoked device go', n)
    own.close()
    theirs.close()
    return a


def pages(s, a, post):
    people = sorted(s.register(f'person{i}')[0] for i in range(5))
    for p in people:
        if post(a.verified(1, p, 'whoever')).status != 200:
            tap.check(False, 'a mark for each')
            return
    got, cursor = [], None
    for _ in range(4):
        r = s.rest('GET', '/api/verifications?limit=2' + (f'&cursor={cursor}' if cursor else ''),
                   token=a.tokens[1]).data
        got += [v['userId'] for v in r['verifications']]
        cursor = r['nextCursor']
        if cursor is None:
            break
    tap.check(got == people, 'pages of two', got)
    r = s.rest('GET', '/api/verifications?cursor=x', token=a.tokens[1])
    tap.check(r.status == 400, 'a cursor that is none: 400', r)


def noted(s, a, vera):
    """docs/metadata.md, The audit log: what happened to somebody's keys."""
    for who, want in ((a, {'registered', 'device_added', 'device_bound', 'device_removed', 'key_rotated',
                           'identity_reset'}), (vera, {'device_added', 'device_removed', 'verification'})):
        got, at = set(), ''
        while at is not None:
            r = s.rest('GET', f'/api/users/me/audit?limit=100{at}', token=who.login())
            got |= {(e['event'], e['userId']) for e in r.data['entries']}
            at = f"&cursor={r.data['nextCursor']}" if r.data['nextCursor'] else None
        tap.check(want <= {e for e, _ in got} and {u for _, u in got} == {who.id},
                  f'the log of {who.name} has {", ".join(sorted(want))}', got)


def main():
    signer = Signer(sys.argv[2])
    with Server(sys.argv[1]) as s:
        a, bob = Account(s, signer, 'alice', (1, 2)), Account(s, signer, 'bob')
        chat = s.chat(a.tokens[1], bob.id)
        refused(s, a, bob)
        renewing(s, a, bob, chat)
        starting_over(s, a, bob)
        many(s, signer, bob)
        noted(s, a, marks(s, signer, bob))
    signer.close()
    return tap.done()


sys.exit(main())
