"""66_audit.py NIGHTJARD: the audit log: what stands in it, who reads it, that it
is bounded; nightjard audit verify, and every kind of tampering with it: changed,
taken out, put in, moved, cut off at either end, forged anew, put back."""
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402

tap = Tap()
NEW = 'Other-Battery-8'
FLAGS = ['--set', 'accounts.backoff_max=0', '--set', 'log.ip=full', '--set', 'sessions.sweep=1s']


def login(s, name, password=PASSWORD):
    return s.rest('POST', '/api/auth/login', {'username': name, 'password': password})


def mine(s, token, path='/api/users/me/audit'):
    out, cursor = [], ''
    while True:
        r = s.rest('GET', f'{path}{"&" if "?" in path else "?"}limit=100{cursor}', token=token)
        if r.status != 200:
            return r
        out += r.data['entries']
        if not r.data['nextCursor']:
            return out
        cursor = f"&cursor={r.data['nextCursor']}"


def until(fn, timeout=10):
    end = time.monotonic() + timeout
    while time.monotonic() < end and not fn():
        time.sleep(0.05)
    return fn()


def verify(binary, data, *args):
    r = subprocess.run([binary, 'audit', 'verify', '--json', *args, '--data', data],
                       capture_output=True, text=True, check=False)
    return r.returncode, json.loads(r.stdout) if r.stdout.startswith('{') else r.stderr


def contents(s):
    alice, t, refresh = s.register('alice')
    _, bob, _ = s.register('bob')
    login(s, 'alice', 'Wrong-Horse-7')
    second = login(s, 'alice').data['tokens']['accessToken']
    sid = [x['id'] for x in s.rest('GET', '/api/auth/sessions', token=second).data['sessions']
           if not x['current']][0]
    s.rest('DELETE', f'/api/auth/sessions/{sid}', token=second)
    third = login(s, 'alice').data['tokens']
    s.rest('POST', '/api/auth/refresh', {'refreshToken': third['refreshToken']})
    s.rest('POST', '/api/auth/refresh', {'refreshToken': third['refreshToken']})
    fourth = login(s, 'alice').data['tokens']['accessToken']
    s.rest('POST', '/api/auth/logout', token=fourth)
    s.rest('PUT', '/api/auth/password', {'currentPassword': PASSWORD, 'newPassword': NEW}, second)
    s.rest('DELETE', '/api/auth/sessions?others=true', token=second)
    login(s, 'nobody-here', 'Wrong-Horse-7')
    want = ['sessions_ended', 'password_changed', 'logout', 'login', 'token_reused', 'login',
            'session_ended', 'login', 'registered']
    until(lambda: len(mine(s, second)) >= len(want) + 1)
    got = mine(s, second)
    tap.check([e['event'] for e in got if e['event'] != 'login_failed'] == want,
              'everything that happened to her account, newest first', [e['event'] for e in got])
    fails = [e for e in got if e['event'] == 'login_failed']
    tap.check(len(fails) == 1 and fails[0]['ip'] == '127.0.0.1' and fails[0]['userId'] == alice,
              'a failed login, with where it came from', fails)
    tap.check(all(e['userId'] == alice for e in got) and
              [e['sequence'] for e in got] == sorted((e['sequence'] for e in got), reverse=True),
              'hers alone', got)
    text = json.dumps(got)
    tap.check('Horse' not in text and 'eyJ' not in text and NEW not in text, 'nothing that was typed')
    tap.check([e['event'] for e in mine(s, bob)] == ['registered'], 'Bob has his own')
    r = mine(s, bob, '/api/audit')
    tap.check(r.status == 403, 'the log of everybody is for auditors', r)
    for bad in ('cursor=x', 'limit=0', 'limit=101', 'user=1'):
        tap.check(s.rest('GET', f'/api/users/me/audit?{bad}', token=bob).status == 400,
                  f'{bad}: refused')
    return second, refresh


def auditor(s):
    s.kill(15)
    r = subprocess.run([s.binary, 'user', 'role', 'bob', 'auditor', '--data', s.data],
                       capture_output=True, text=True, check=False)
    s.start()
    t = login(s, 'bob').data['tokens']['accessToken']
    every = mine(s, t, '/api/audit')
    tap.check(r.returncode == 0 and isinstance(every, list) and
              {'role_changed', 'login_failed'} <= {e['event'] for e in every} and
              len({e['userId'] for e in every}) == 3, 'an auditor reads everything', every)
    tap.check([e for e in every if e['event'] == 'login_failed' and e['userId'] is None],
              'a name that nobody has is not kept', every)
    alice = [e for e in every if e['event'] == 'registered'][-1]['userId']
    one = mine(s, t, f'/api/audit?userId={alice}')
    tap.check({e['userId'] for e in one} == {alice}, 'of one account, too', one)


def bounded(s):
    """A flood of wrong passwords fills no disk."""
    for name, n in (('bob', 6), ('ghost', 20)):
        for _ in range(n):
            login(s, name, 'Wrong-Horse-7')
    t = login(s, 'bob').data['tokens']['accessToken']
    time.sleep(0.3)
    every = mine(s, t, '/api/audit')
    fails = [e for e in every if e['event'] == 'login_failed']
    bob = [e for e in fails if e['userId'] and e['userId'] == every[0]['userId']]
    tap.check(len(fails) == 20 and len(bob) == 3 and all(any('more of this hour' in (e['detail'] or '') for e in x) for x in (fails, bob)),
              'so many failed logins an hour are noted, of one account fewer, and that there were more',
              (len(fails), len(bob)))


@contextlib.contextmanager
def copy(s):
    to = s.root + '/copy'
    shutil.copytree(s.data, to)
    os.chmod(to, 0o700)
    db = sqlite3.connect(to + '/nightjar.db')
    db.row_factory = sqlite3.Row
    try:
        yield to, db
    finally:
        db.close()
        shutil.rmtree(to)


def sha(x):
    return hashlib.sha256(x).digest()


def u(n, v):
    return v.to_bytes(n, 'big')


def entry_hash(r, prev):
    e = r['event'].encode()
    return sha(b'NJ1 audit' + u(8, r['sequence']) + u(8, r['created_at']) + u(1, len(e)) + e +
               r['private_hash'] + prev)


def private_hash(r):
    d, a = (r['detail'] or '').encode(), (r['ip_address'] or '').encode()
    return hmac.digest(r['salt'], (r['user_id'] or bytes(16)) + u(4, r['device_id'] or 0) +
                       (r['session_id'] or bytes(16)) + u(1, len(d)) + d + u(1, len(a)) + a, 'sha256')


def model(db, data):
    """The chain by the words of server/audit.h, without its code."""
    prev = bytes(32)
    for r in db.execute('SELECT * FROM audit_logs ORDER BY sequence'):
        if r['previous_hash'] != prev or private_hash(r) != r['private_hash'] or \
                entry_hash(r, prev) != r['hash']:
            return f'entry {r["sequence"]}'
        prev = r['hash']
    h = db.execute('SELECT * FROM audit_head').fetchone()
    with open(data + '/account.key', encoding='ascii') as f:
        key = hmac.digest(bytes.fromhex(f.read().strip()), b'NJ1 audit head', 'sha256')
    mac = hmac.digest(key, b'NJ1 audit head' + u(8, h['first_sequence']) + h['first_previous'] +
                      u(8, h['last_sequence']) + h['last_hash'] + u(8, h['redacted']), 'sha256')
    return None if h['last_hash'] == prev and h['mac'] == mac else 'head'


def rechain(db, start=None):
    """What somebody who knows all of this, but not the key, would do."""
    prev = start or bytes(32)
    n = last = 0
    for n, r in enumerate(db.execute('SELECT * FROM audit_logs ORDER BY sequence').fetchall(), 1):
        x = dict(r) | {'sequence': n}
        if x['salt']:
            x['private_hash'] = private_hash(x)
        last = entry_hash(x, prev)
        db.execute('UPDATE audit_logs SET sequence = ?, private_hash = ?, previous_hash = ?, hash = ?'
                   ' WHERE sequence = ?', (n, x['private_hash'], prev, last, r['sequence']))
        prev = last
    db.execute('UPDATE audit_head SET first_sequence = 1, last_sequence = ?, last_hash = ?', (n, prev))


CASES = [
    ('an event changed', "UPDATE audit_logs SET event = 'login' WHERE sequence = 3", 'it was changed'),
    ('a time changed', 'UPDATE audit_logs SET created_at = created_at + 1 WHERE sequence = 5',
     'it was changed'),
    ('an address changed', "UPDATE audit_logs SET ip_address = '10.9.8.7' WHERE sequence = 2",
     'who or what was changed'),
    ('whose it is changed', 'UPDATE audit_logs SET user_id = zeroblob(16) WHERE sequence = 2',
     'who or what was changed'),
    ('an address taken out', 'UPDATE audit_logs SET ip_address = NULL WHERE sequence = 2',
     'who or what was changed'),
    ('an entry deleted', 'DELETE FROM audit_logs WHERE sequence = 4', 'entries before it are missing'),
    ('the first deleted', 'DELETE FROM audit_logs WHERE sequence = 1', 'entries before it are missing'),
    ('the last deleted', 'DELETE FROM audit_logs WHERE sequence = (SELECT MAX(sequence) FROM audit_logs)',
     'entries at the end are missing'),
    ('all deleted', 'DELETE FROM audit_logs', 'entries at the end are missing'),
    ('two swapped', 'PRAGMA ignore_check_constraints = 1; UPDATE audit_logs SET sequence = -sequence WHERE sequence IN (3, 4);'
     'UPDATE audit_logs SET sequence = 7 + sequence WHERE sequence < 0', 'it does not follow'),
    ('one put in at the end', 'INSERT INTO audit_logs SELECT (SELECT MAX(sequence) + 1 FROM audit_logs),'
     ' event, created_at, user_id, device_id, session_id, detail, ip_address, salt, private_hash,'
     ' previous_hash, hash FROM audit_logs WHERE sequence = 2', 'it does not follow'),
    ('one made nameless', 'UPDATE audit_logs SET user_id = NULL, device_id = NULL, session_id = NULL,'
     ' detail = NULL, ip_address = NULL, salt = NULL WHERE sequence = 2', 'no erasure accounts for'),
    ('half of one taken out', 'UPDATE audit_logs SET salt = NULL WHERE sequence = 2',
     'taken out in part'),
    ('the head moved back', 'UPDATE audit_head SET last_sequence = last_sequence - 1', 'MAC'),
    ('the head emptied', 'DELETE FROM audit_logs; UPDATE audit_head SET first_sequence = 1,'
     ' last_sequence = 0, last_hash = NULL, mac = NULL, redacted = 0', 'seen before is missing'),
    ('the head without its MAC', 'UPDATE audit_head SET mac = NULL', 'MAC'),
]


def tampering(s):
    code, out = verify(s.binary, s.data)
    tap.check(code == 0 and out['ok'] and out['entries'] == out['last'] > 20 and not out['problems'],
              'the log of a server that was stopped is whole', out)
    head = out['head']
    with open(s.data + '/audit.head', encoding='ascii') as f:
        tap.check(f.read().strip() == head, 'audit.head has its end', head)
    r = subprocess.run([s.binary, 'audit', 'verify', '--data', s.data], capture_output=True, text=True,
                       check=False)
    tap.check(r.returncode == 0 and 'The chain is whole.' in r.stdout and head in r.stdout, 'in words', r)
    with copy(s) as (data, db):
        tap.check(model(db, data) is None, 'another reader of the same words finds it whole',
                  model(db, data))
    for name, sql, what in CASES:
        with copy(s) as (data, db):
            db.executescript(sql)
            db.commit()
            db.close()
            code, out = verify(s.binary, data)
            tap.check(code == 1 and not out['ok'] and any(what in p['what'] for p in out['problems']),
                      f'{name}: found', out)
    with copy(s) as (data, db):
        db.execute('DELETE FROM audit_logs WHERE sequence = 3')
        rechain(db)
        db.commit()
        db.close()
        code, out = verify(s.binary, data)
        tap.check(code == 1 and any('MAC' in p['what'] for p in out['problems']),
                  'a whole chain made anew, without the key: found', out)
    with copy(s) as (data, db):
        db.close()
        s.start()
        login(s, 'bob')
        s.kill(15)
        code, now = verify(s.binary, s.data)
        tap.check(code == 0 and now['last'] > out['last'] - 2, 'the server went on', now)
        shutil.copy(s.data + '/audit.head', data + '/audit.head')
        code, out = verify(s.binary, data)
        tap.check(code == 1 and any('older state' in p['what'] for p in out['problems']),
                  'a database put back to an older state: found', out)
        os.remove(data + '/audit.head')
        tap.check(verify(s.binary, data)[0] == 0, 'nothing tells that without a second place')
        code, out = verify(s.binary, data, now['head'])
        tap.check(code == 1 and any('older state' in p['what'] for p in out['problems']),
                  'but a head that somebody kept', out)
        tap.check(verify(s.binary, data, head)[0] == 0, 'an older one fits')
        tap.check(verify(s.binary, data, 'x:y')[0] == 2, 'nonsense is a mistake')
    r = subprocess.run([s.binary, 'audit', 'export', '--data', s.data], capture_output=True, text=True,
                       check=False)
    lines = [json.loads(x) for x in r.stdout.splitlines()]
    prev = '0' * 64
    ok = True
    for x in lines:
        ok = ok and x['previousHash'] == prev
        prev = x['hash']
    tap.check(r.returncode == 0 and len(lines) == now['last'] and ok and now['head'].endswith(prev),
              'the export has all of it, chained', r.stderr)


def pruning(binary):
    with Server(binary, flags=[*FLAGS, '--set', 'audit.keep=2s']) as s:
        s.register('alice')
        for _ in range(5):
            login(s, 'alice')

        def first():
            c = sqlite3.connect(f'file:{s.data}/nightjar.db?mode=ro', uri=True)
            try:
                return c.execute('SELECT first_sequence FROM audit_head').fetchone()[0]
            finally:
                c.close()
        tap.check(until(lambda: first() == 7), 'what is older than audit.keep goes', first())
        login(s, 'alice')
        s.kill(15)
        code, out = verify(binary, s.data)
        tap.check(code == 0 and out['first'] == 7 and out['entries'] == 1, 'and the rest is whole', out)


with Server(sys.argv[1], flags=[*FLAGS, '--set', 'audit.failed_max=20']) as server:
    contents(server)
    auditor(server)
    bounded(server)
    tap.check(server.kill(15) == 0, 'the server ends in good order', server.log()[-1500:])
    tampering(server)
pruning(sys.argv[1])
sys.exit(tap.done())
