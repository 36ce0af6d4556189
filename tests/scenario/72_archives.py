"""72_archives.py NIGHTJARD SIGNER: encrypted archives in parts: in order, each
whole, an equal one again; both sides go on where they stopped, even where the
server was killed; what is over goes; quotas hold; nobody sees another's."""
import base64
import os
import random
import sqlite3
import sys
import time
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import Server, Tap  # noqa: E402
from signer import Account, Signer, b64  # noqa: E402

tap = Tap()
PART = 262144


def sql(s, text, *args):
    db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=20)
    try:
        with db:
            return db.execute(text, args).fetchall()
    finally:
        db.close()


def make(s, token, purpose='link', **more):
    return s.rest('POST', '/api/archives', {'purpose': purpose, **more}, token)


def put(s, token, id_, n, data):
    return s.rest('PUT', f'/api/archives/{id_}/parts/{n}', {'data': b64(data)}, token)


def get(s, token, id_, n=None):
    return s.rest('GET', f'/api/archives/{id_}' + ('' if n is None else f'/parts/{n}'), token=token)


def complete(s, token, id_, parts):
    return s.rest('POST', f'/api/archives/{id_}/complete', {'parts': parts}, token)


def whole(s, a, other):
    """Made by one device, read by another one."""
    one, two = a.tokens[1], a.tokens[2]
    parts = [os.urandom(n) for n in (PART, PART, 1, 4097)]
    r = make(s, one, size=sum(map(len, parts)))
    tap.check(r.status == 201, 'an archive is begun', r)
    id_ = r.data['id']
    for n, data in enumerate(parts):
        r = put(s, one, id_, n, data)
        tap.check(r.status == 200 and r.data['parts'] == n + 1, f'part {n}', r)
    r = get(s, two, id_)
    tap.check(r.data['parts'] == 4 and not r.data['complete'] and
              r.data['size'] == sum(map(len, parts)) and r.data['purpose'] == 'link',
              'the other device sees how far it is', r)
    days = sql(s, 'SELECT (expires_at - created_at) / 86400000 FROM archives WHERE id = ?',
               uuid.UUID(id_).bytes)
    tap.check(days == [(7,)], 'it is kept for 7 days', days)
    tap.check(base64.b64decode(get(s, two, id_, 0).data['data']) == parts[0],
              'and reads what is there already')
    for n, want in ((3, 409), (5, 409), (4, 200)):
        r = complete(s, one, id_, n)
        tap.check(r.status == want, f'complete with {n} of 4: {want}', r)
    tap.check(complete(s, one, id_, 4).status == 200, 'said twice')
    r = put(s, one, id_, 4, b'x')
    tap.check(r.status == 409 and r.json['error']['details'] == {'parts': 4, 'complete': True},
              'nothing comes behind it', r)
    r = put(s, one, id_, 1, parts[1])
    tap.check(r.status == 200 and r.data['complete'], 'an equal part again changes nothing', r)
    got = b''.join(base64.b64decode(get(s, two, id_, n).data['data']) for n in range(4))
    tap.check(got == b''.join(parts), 'what comes out is what went in')
    tap.check(get(s, two, id_, 4).status == 404, 'a part that is not there: 404')
    unbound = a.login()
    for who, t, want in (('somebody else', other.tokens[1], 404), ('no device', unbound, 403)):
        for r in (get(s, t, id_), get(s, t, id_, 0)):
            tap.check(r.status == want, f'reading by {who}: {want}', r)
        for r in (put(s, t, id_, 0, parts[0]), put(s, t, id_, 4, b'x'), complete(s, t, id_, 4),
                  s.rest('DELETE', f'/api/archives/{id_}', token=t)):
            tap.check(r.status == want, f'changing by {who}: {want}', r)
    tap.check(make(s, unbound).status == 403 and
              s.rest('GET', '/api/archives', token=unbound).status == 403,
              'no device makes or lists none')
    r = s.rest('GET', '/api/archives', token=two)
    tap.check([x['id'] for x in r.data['archives']] == [id_], 'the list of them', r)
    tap.check(s.rest('GET', '/api/archives', token=other.tokens[1]).data['archives'] == [],
              "nobody else's list has it")
    r = s.rest('DELETE', f'/api/archives/{id_}', token=two)
    tap.check(r.status == 200 and get(s, one, id_).status == 404 and
              get(s, one, id_, 0).status == 404, 'deleted', r)
    tap.check(sql(s, 'SELECT COUNT(*) FROM archive_parts') == [(0,)], 'with all of its bytes')
    tap.check(s.rest('DELETE', f'/api/archives/{id_}', token=two).status == 404, 'once')


def rules(s, a):
    t = a.tokens[1]
    id_ = make(s, t).data['id']
    r = put(s, t, id_, 1, b'x')
    tap.check(r.status == 409 and r.json['error']['details'] == {'parts': 0, 'complete': False},
              'a part before it is missing: 409 says which comes', r)
    r = put(s, t, id_, 0, b'abc')
    tap.check(r.status == 200, 'the first', r)
    for other in (b'abd', b'ab', b'abcd', b'\0'):
        r = put(s, t, id_, 0, other)
        tap.check(r.status == 409, f'other bytes {other}: 409', r)
    tap.check(base64.b64decode(get(s, t, id_, 0).data['data']) == b'abc', 'it is as it was')
    for name, method, path, body in (
            ('a part of a byte too much', 'PUT', f'{id_}/parts/1', {'data': b64(bytes(PART + 1))}),
            ('an empty part', 'PUT', f'{id_}/parts/1', {'data': ''}),
            ('no base64', 'PUT', f'{id_}/parts/1', {'data': '****'}),
            ('part 4096', 'PUT', f'{id_}/parts/4096', {'data': 'eA=='}),
            ('part -1', 'PUT', f'{id_}/parts/-1', {'data': 'eA=='}),
            ('another purpose', 'POST', '', {'purpose': 'fun'}),
            ('a size of 0', 'POST', '', {'purpose': 'link', 'size': 0}),
            ('complete with 0 parts', 'POST', f'{id_}/complete', {'parts': 0})):
        r = s.rest(method, '/api/archives' + (f'/{path}' if path else ''), body, t)
        tap.check(r.status == 400, f'{name}: 400', r)
    empty = make(s, t).data['id']
    tap.check(complete(s, t, empty, 1).status == 409, 'an empty one is not complete')
    for x in (id_, empty):
        s.rest('DELETE', f'/api/archives/{x}', token=t)


def quota(s, a, other):
    """limits: 1 MiB and 16 archives of a person."""
    t = a.tokens[1]
    tap.check(make(s, t, size=(1 << 20) + 1).status == 413, 'more than all of the room: 413 at once')
    one = make(s, t, size=1 << 19).data['id']
    tap.check(make(s, t, size=(1 << 19) + 1).status == 413, 'what another will need counts')
    two = make(s, t, size=1 << 19)
    tap.check(two.status == 201, 'the other half', two)
    two = two.data['id']
    s.rest('DELETE', f'/api/archives/{one}', token=t)
    for n in range(4):
        r = put(s, t, two, n, bytes([n]) * PART)
        tap.check(r.status == 200, f'part {n}', r)
    r = put(s, t, two, 4, b'x')
    tap.check(r.status == 413, 'a byte beyond: 413', r)
    tap.check(get(s, t, two).data['parts'] == 4, 'nothing of it is kept')
    tap.check(make(s, t).status == 413, 'nor is there room for another')
    tap.check(put(s, other.tokens[1], make(s, other.tokens[1]).data['id'], 0, b'x').status == 200,
              "others' room is their own")
    s.rest('DELETE', f'/api/archives/{two}', token=t)
    ids = [make(s, t) for _ in range(17)]
    tap.check([r.status for r in ids] == [201] * 16 + [409], '16 of them at once', ids[-1])
    for r in ids[:16]:
        s.rest('DELETE', f'/api/archives/{r.data["id"]}', token=t)


def over(s, a):
    """What is over is not there, and goes, however large."""
    t = a.tokens[1]
    ids = [make(s, t, p).data['id'] for p in ('link', 'backup', 'link')]
    for id_ in ids[:2]:
        for n in range(3):
            put(s, t, id_, n, bytes(10))
    # As if it had 80 parts.
    key = uuid.UUID(ids[0]).bytes
    for n in range(3, 80):
        sql(s, 'INSERT INTO archive_parts (archive_id, part, data) VALUES (?, ?, ?)', key, n, b'x')
    sql(s, 'UPDATE archives SET parts = 80 WHERE id = ?', key)
    tap.check(s.rest('DELETE', f'/api/archives/{ids[0]}', token=t).status == 200 and
              get(s, t, ids[0]).status == 404 and get(s, t, ids[0], 0).status == 404,
              'a large one that is deleted is seen no more')
    sql(s, 'UPDATE archives SET expires_at = ? WHERE id = ?', int(time.time() * 1000) - 1,
        uuid.UUID(ids[1]).bytes)
    for r in (get(s, t, ids[1]), get(s, t, ids[1], 0), put(s, t, ids[1], 3, b'x'),
              complete(s, t, ids[1], 3), s.rest('DELETE', f'/api/archives/{ids[1]}', token=t)):
        tap.check(r.status == 404, 'one that is over is not there', r)
    left = None
    for _ in range(100):
        left = sql(s, 'SELECT COUNT(*) FROM archives WHERE user_id = ?', uuid.UUID(a.id).bytes)
        if left == [(1,)]:
            break
        time.sleep(0.1)
    parts = sql(s, 'SELECT COUNT(*) FROM archive_parts WHERE archive_id IN (?, ?)', key,
                uuid.UUID(ids[1]).bytes)
    tap.check(left == [(1,)] and parts == [(0,)], 'their bytes go', (left, parts))
    s.rest('DELETE', f'/api/archives/{ids[2]}', token=t)


def crashes(s, a):
    """Both sides go on where they stopped, a server killed again and again."""
    rnd = random.Random(7)
    parts = [rnd.randbytes(rnd.randrange(1, 60000)) for _ in range(24)]
    up, down = a.tokens[1], a.tokens[2]
    id_ = make(s, up).data['id']
    got, kills, at = [], 0, 0
    while len(got) < len(parts):
        try:
            if at < len(parts):
                # The sender may have lost an answer: it sends one again.
                at = max(0, at - rnd.randrange(2))
                if rnd.random() < 0.2:
                    s.kill()
                    kills += 1
                    s.start()
                    at = get(s, up, id_).data['parts']
                r = put(s, up, id_, at, parts[at])
                if r.status != 200:
                    tap.check(False, f'part {at}', r)
                    return
                at = r.data['parts'] if at + 1 >= r.data['parts'] else at + 1
            elif not complete(s, up, id_, len(parts)).status == 200:
                tap.check(False, 'complete')
                return
            r = get(s, down, id_, len(got))
            if r.status == 200:
                got.append(base64.b64decode(r.data['data']))
        except OSError:
            continue
    r = get(s, down, id_)
    tap.check(got == parts and r.data['size'] == sum(map(len, parts)) and kills > 1,
              f'all of it came, the server killed {kills} times', r)
    s.rest('DELETE', f'/api/archives/{id_}', token=up)


def fast(s, a):
    """10,000 messages of about 600 bytes, there and back, in less than 10 s."""
    up, down = a.tokens[1], a.tokens[2]
    id_ = make(s, up).data['id']
    data = os.urandom(PART)
    began = time.monotonic()
    for n in range(24):
        put(s, up, id_, n, data)
    complete(s, up, id_, 24)
    ok = all(base64.b64decode(get(s, down, id_, n).data['data']) == data for n in range(24))
    took = time.monotonic() - began
    tap.check(ok and took < 10, f'6 MiB there and back in {took:.2f} s')
    s.rest('DELETE', f'/api/archives/{id_}', token=up)


def full_disk(s, a, other):
    """What can wait leaves room for messages."""
    up = a.tokens[1]
    id_ = make(s, up).data['id']
    chat = s.chat(up, other.id)
    put(s, up, id_, 0, b'while there is room')
    s.kill()
    s.flags += ['--set', 'store.reserve=4294967295']
    s.start()
    r = put(s, up, id_, 1, b'x')
    tap.check(r.status == 503 and r.code == 'unavailable' and r.headers['Retry-After'],
              'no part is taken when the disk is nearly full', r)
    r = s.rest('GET', '/api/users/me/export', token=up)
    tap.check(r.status == 503 and r.code == 'unavailable', 'nor an export', r)
    r = s.send(up, chat, 'but this')
    tap.check(r.status == 201, 'but messages are', r)
    r = get(s, up, id_, 0)
    tap.check(r.status == 200, 'what is there can be read', r)
    s.kill()
    s.flags[-1] = 'store.reserve=0'
    s.start()
    r = put(s, up, id_, 1, b'x')
    tap.check(r.status == 200 and r.data['parts'] == 2, 'and it goes on when there is room', r)


def main():
    signer = Signer(sys.argv[2])
    flags = ['--set', 'sessions.sweep=1s']
    with Server(sys.argv[1], flags=flags) as s:
        a, other = Account(s, signer, 'alice', (1, 2)), Account(s, signer, 'bob')
        whole(s, a, other)
        rules(s, a)
        over(s, a)
        fast(s, a)
        crashes(s, a)
        full_disk(s, a, other)
    with Server(sys.argv[1], flags=flags + ['--set', 'archives.user_max=1048576']) as s:
        quota(s, Account(s, signer, 'alice'), Account(s, signer, 'bob'))
    signer.close()
    return tap.done()


sys.exit(main())
