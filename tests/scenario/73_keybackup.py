"""73_keybackup.py NIGHTJARD SIGNER: the key backup: two devices do not overwrite
each other's, the archive goes with it, it is given out ten times a day, and a
stolen password can neither replace nor delete it."""
import os
import sqlite3
import sys
import threading
import time
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import Server, Tap  # noqa: E402
from signer import Account, Signer, b64  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
PATH = '/api/keybackup'


def sql(s, text, *args):
    db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=20)
    try:
        with db:
            return db.execute(text, args).fetchall()
    finally:
        db.close()


def put(s, token, version, data, archive=None):
    body = {'version': version, 'data': b64(data)}
    if archive:
        body['archiveId'] = archive
    return s.rest('PUT', PATH, body, token)


def state(s, token):
    return s.rest('GET', PATH + '/state', token=token).data


def archive(s, token, purpose='backup', parts=2, done=True):
    id_ = s.rest('POST', '/api/archives', {'purpose': purpose}, token).data['id']
    for n in range(parts):
        s.rest('PUT', f'/api/archives/{id_}/parts/{n}', {'data': b64(b'part %d' % n)}, token)
    if done:
        s.rest('POST', f'/api/archives/{id_}/complete', {'parts': parts}, token)
    return id_


def versions(s, a, bob):
    one, two = a.tokens[1], a.tokens[2]
    tap.check(state(s, one) == {'version': 0, 'exists': False, 'size': 0, 'archiveId': None,
                                'updatedAt': None, 'readsLeft': 10}, 'there is none', state(s, one))
    tap.check(s.rest('GET', PATH, token=one).status == 404 and
              s.rest('DELETE', PATH, token=one).status == 404, 'none to read or delete')
    for name, r in (('an empty one', put(s, one, 0, b'')),
                    ('65537 bytes', put(s, one, 0, bytes(65537))),
                    ('no version', s.rest('PUT', PATH, {'data': 'eA=='}, one))):
        tap.check(r.status == 400, f'{name}: 400', r)
    r = put(s, one, 1, b'first')
    tap.check(r.status == 409 and r.json['error']['details'] == {'version': 0},
              'one that follows what is not there: 409', r)
    own, theirs = Sio(s.port, two), Sio(s.port, bob.tokens[1])
    r = put(s, one, 0, b'first')
    tap.check(r.status == 200 and r.data == {'version': 1}, 'the first', r)
    e = own.event('backup:changed')
    tap.check(e['version'] == 1 and e['exists'] and e['position'] > e['prev'],
              'the other device hears of it', e)
    tap.check(put(s, one, 0, b'first').data == {'version': 1} and
              own.quiet('backup:changed', 0.3), 'the same again: its answer was lost')
    r = put(s, two, 0, b'second')
    tap.check(r.status == 409 and r.json['error']['details'] == {'version': 1},
              'one that does not know of it: 409', r)
    r = put(s, two, 1, os.urandom(65536))
    tap.check(r.status == 200 and r.data == {'version': 2}, '64 KiB, after it', r)
    r = s.rest('GET', PATH, token=one)
    tap.check(r.status == 200 and r.data['version'] == 2 and len(r.data['data']) == 87384, 'it is there')
    for t, who in ((a.login(), 'a password alone'), ):
        tap.check(put(s, t, 2, b'evil').status == 403 and
                  s.rest('DELETE', PATH, token=t).status == 403, f'{who} changes nothing')
        tap.check(s.rest('GET', PATH, token=t).status == 200, f'{who} reads it: that is what it is for')
    tap.check(s.rest('GET', PATH, token=bob.tokens[1]).status == 404, 'to others there is none')
    r = s.rest('DELETE', PATH, token=one)
    tap.check(r.status == 200 and state(s, one)['version'] == 3 and not state(s, one)['exists'],
              'deleted; the versions go on', r)
    tap.check(own.event('backup:changed', lambda d: not d['exists'])['version'] == 3, 'and it is told')
    tap.check(put(s, two, 0, b'old').status == 409 and put(s, two, 2, b'old').status == 409 and
              put(s, two, 3, b'new').data == {'version': 4}, 'nothing of before comes back')
    tap.check(theirs.quiet('backup:changed', 0.2), 'nobody else hears of it')
    r = s.rest('GET', '/api/sync?after=0&limit=1000', token=two)
    got = [e['data']['version'] for e in r.data['events'] if e['event'] == 'backup:changed']
    tap.check(got == [1, 2, 3, 4], 'sync says so, too', got)
    own.close()
    theirs.close()


def archives(s, a, bob):
    t, v = a.tokens[1], state(s, a.tokens[1])['version']
    for name, id_ in (('of a link', archive(s, t, 'link')), ('that is not complete', archive(s, t, done=False)),
                      ("that is another's", archive(s, bob.tokens[1])),
                      ('that is not there', str(uuid.uuid4()))):
        r = put(s, t, v, b'with', id_)
        tap.check(r.status == 400, f'an archive {name}: 400', r)
    first, unbound = archive(s, t), a.login()
    tap.check(s.rest('GET', f'/api/archives/{first}', token=unbound).status == 403,
              'a password alone reads no archive')
    r = put(s, t, v, b'with', first)
    tap.check(r.status == 200, 'with an archive', r)
    tap.check(s.rest('GET', f'/api/archives/{first}', token=t).data['expiresAt'] is None,
              'which expires no more')
    tap.check(s.rest('GET', f'/api/archives/{first}/parts/1', token=unbound).status == 200,
              'for a restore it is read by password')
    tap.check(s.rest('DELETE', f'/api/archives/{first}', token=t).status == 409,
              'and not deleted while it is named')
    second = archive(s, t)
    sql(s, 'UPDATE archives SET expires_at = ? WHERE id = ?', int(time.time() * 1000) + 600,
        uuid.UUID(second).bytes)
    r = put(s, t, v + 1, b'with another', second)
    tap.check(r.status == 200 and s.rest('GET', f'/api/archives/{first}', token=t).status == 404,
              'the archive before it goes at once', r)
    r = put(s, t, v + 2, b'the same archive', second)
    time.sleep(2.5)     # its day would have come, and sweeps
    tap.check(r.status == 200 and
              s.rest('GET', f'/api/archives/{second}/parts/0', token=t).status == 200,
              'one that stays named stays', r)
    r = put(s, t, v + 3, b'without')
    tap.check(r.status == 200 and state(s, t)['archiveId'] is None and
              s.rest('GET', f'/api/archives/{second}', token=t).status == 404, 'without one', r)
    third = archive(s, t)
    put(s, t, v + 4, b'x', third)
    s.rest('DELETE', PATH, token=t)
    tap.check(s.rest('GET', f'/api/archives/{third}', token=t).status == 404,
              'deleting the backup deletes its archive')


def reads(s, a):
    t = a.tokens[1]
    put(s, t, state(s, t)['version'], b'kept')
    sql(s, 'DELETE FROM key_backup_reads')
    got = [s.rest('GET', PATH, token=x).status for x in [t, a.login()] * 5]
    tap.check(got == [200] * 10 and state(s, t)['readsLeft'] == 0, 'ten a day, whoever asks', got)
    r = s.rest('GET', PATH, token=t)
    wait = int(r.headers.get('Retry-After', 0))
    tap.check(r.status == 429 and r.code == 'rate_limited' and 86000 < wait <= 86401,
              'then 429, which says when', (r, wait))
    s.kill()
    s.start()
    tap.check(s.rest('GET', PATH, token=t).status == 429, 'a crash gives none back')
    sql(s, 'UPDATE key_backup_reads SET created_at = created_at - 86400000 + 1000 '
        'WHERE created_at = (SELECT MIN(created_at) FROM key_backup_reads)')
    time.sleep(1.2)
    tap.check([s.rest('GET', PATH, token=t).status for _ in range(2)] == [200, 429],
              'each comes back a day after')
    tap.check(put(s, t, state(s, t)['version'], b'anew').status == 200 and
              s.rest('GET', PATH, token=t).status == 429, 'a new backup gives none back')


def at_once(s, a):
    """Two devices at once, again and again: no lost update."""
    t = a.tokens
    for _ in range(8):
        v, got = state(s, t[1])['version'], [None, None]

        def go(i):
            got[i] = put(s, t[i + 1], v, b'by %d' % i)
        ts = [threading.Thread(target=go, args=(i,)) for i in range(2)]
        for x in ts:
            x.start()
        for x in ts:
            x.join()
        if not tap.check(sorted(r.status for r in got) == [200, 409] and
                         state(s, t[1])['version'] == v + 1, 'two at once: one of them', got):
            return


def main():
    signer = Signer(sys.argv[2])
    with Server(sys.argv[1], flags=['--set', 'sessions.sweep=1s']) as s:
        a, bob = Account(s, signer, 'alice', (1, 2)), Account(s, signer, 'bob')
        s.chat(a.tokens[1], bob.id)
        versions(s, a, bob)
        archives(s, a, bob)
        at_once(s, a)
        reads(s, a)
    signer.close()
    return tap.done()


sys.exit(main())
