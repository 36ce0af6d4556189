"""64_account.py NIGHTJARD: the life of an account over REST: invitations and modes
of registration; signing out elsewhere; what is stored, and all of it as an
archive; deletion with its days of grace, and erasure that survives kill -9.
What is stored is compared with the schema, the docs and the archive."""
import io
import json
import os
import re
import sqlite3
import sys
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
DOCS = os.path.join(HERE, '..', '..', 'docs', 'metadata.md')
QUICK = ['--set', 'accounts.backoff_max=0', '--set', 'limits.exports=0']


def db(s, write=False):
    c = sqlite3.connect(f'{s.data}/nightjar.db' if write else
                        f'file:{s.data}/nightjar.db?mode=ro', uri=not write, timeout=10)
    c.row_factory = sqlite3.Row
    return c


def rows(s, sql, *args):
    c = db(s)
    try:
        return [dict(x) for x in c.execute(sql, args)]
    finally:
        c.close()


def until(fn, timeout=15):
    end = time.monotonic() + timeout
    while time.monotonic() < end and not fn():
        time.sleep(0.05)
    return fn()


def register(s, name, **more):
    return s.rest('POST', '/api/auth/register', {
        'username': name, 'email': f'{name}@example.org', 'password': PASSWORD, **more})


def login(s, name, **more):
    return s.rest('POST', '/api/auth/login', {'username': name, 'password': PASSWORD, **more})


def role(s, name, what):
    import subprocess
    s.kill(15)
    r = subprocess.run([s.binary, 'user', 'role', name, what, '--data', s.data],
                       capture_output=True, text=True, check=False)
    s.start()
    return r


def invitations(binary):
    with Server(binary, flags=[*QUICK, '--set', 'accounts.registration=open']) as s:
        _, admin, _ = s.register('admin')
        s.register('user')
        tap.check(role(s, 'admin', 'admin').returncode == 0, 'somebody is admin')
        s.flags[-1] = 'accounts.registration=invite'
        s.kill(15)
        import subprocess
        r = subprocess.run([s.binary, 'user', 'invite', '--json', '--data', s.data],
                           capture_output=True, text=True, check=False)
        by_operator = json.loads(r.stdout)['code']
        s.start()
        admin = login(s, 'admin').data['tokens']['accessToken']
        user = login(s, 'user').data['tokens']['accessToken']
        r = register(s, 'eve')
        tap.check(r.status == 403 and 'inviteCode' in r.json['error']['message'],
                  'without an invitation nobody registers', r)
        for bad in ('00000-00000-00000-00000', 'x', 'ÄÄ' * 4, '00000-00000-00000-0000U'):
            r = register(s, 'eve', inviteCode=bad)
            tap.check(r.status in (400, 403), f'{bad}: no invitation', r)
        r = s.rest('POST', '/api/invites', {}, user)
        tap.check(r.status == 403, 'users do not invite unless the configuration says so', r)
        r = s.rest('POST', '/api/invites', {'uses': 2, 'expiresIn': 3600, 'note': 'for the crew'}, admin)
        tap.check(r.status == 201 and re.fullmatch(r'([0-9A-HJKMNP-TV-Z]{5}-?){4}', r.data['code']) and
                  r.data['usesMax'] == 2 and r.data['uses'] == 0 and r.data['valid'], 'an admin does', r)
        code, ident = r.data['code'], r.data['id']
        one = s.rest('GET', f'/api/invites/{code}', token=admin)
        tap.check(one.status == 200 and 'code' not in one.data and one.data['id'] == ident and
                  one.data['note'] == 'for the crew', 'it is found by its code', one)
        tap.check(s.rest('GET', f'/api/invites/{ident}', token=admin).data == one.data, 'and by its id')
        tap.check(s.rest('GET', f'/api/invites/{code}', token=user).status == 404 and
                  s.rest('DELETE', f'/api/invites/{ident}', token=user).status == 404,
                  "others' are not there")
        with open(f'{s.data}/nightjar.db-wal', 'rb') as f:
            tap.check(code.encode() not in f.read(), 'the code is not in the database')
        r = register(s, 'carol', inviteCode=code.lower().replace('-', ''))
        tap.check(r.status == 201, 'a code in small letters without hyphens', r)
        tap.check(register(s, 'carol', inviteCode=code).status == 409 and
                  s.rest('GET', f'/api/invites/{ident}', token=admin).data['uses'] == 1,
                  'a registration that fails uses nothing up')
        tap.check(register(s, 'dave', inviteCode=code).status == 201, 'the second use')
        tap.check(register(s, 'eve', inviteCode=code).status == 403, 'there is no third')
        tap.check(register(s, 'erin', inviteCode=by_operator).status == 201, "the operator's is good")
        r = s.rest('POST', '/api/invites', {}, admin)
        tap.check(s.rest('DELETE', f"/api/invites/{r.data['id']}", token=admin).status == 200 and
                  register(s, 'eve', inviteCode=r.data['code']).status == 403,
                  'a revoked one is not')
        r = s.rest('POST', '/api/invites', {'expiresIn': 60}, admin)
        c = db(s, True)
        c.execute('UPDATE invites SET expires_at = created_at + 1')
        c.commit()
        c.close()
        tap.check(register(s, 'eve', inviteCode=r.data['code']).status == 403, 'nor one that is too old')
        every = s.rest('GET', '/api/invites', token=admin).data['invites']
        tap.check(len(every) == 3 and not any(x['valid'] or 'code' in x for x in every),
                  'the list has them all, without codes', every)
        for bad in ({'uses': 0}, {'uses': 1001}, {'expiresIn': 59}, {'note': ''}, {'code': 'x'}):
            tap.check(s.rest('POST', '/api/invites', bad, admin).status == 400, f'{bad}: refused')
        s.flags += ['--set', 'accounts.invites=users', '--set', 'accounts.invites_max=2']
        s.kill(15)
        s.start()
        user = login(s, 'user').data['tokens']['accessToken']
        got = [s.rest('POST', '/api/invites', {}, user).status for _ in range(3)]
        tap.check(got == [201, 201, 403], 'users invite, so many at once', got)
        s.flags[s.flags.index('accounts.registration=invite')] = 'accounts.registration=closed'
        s.kill(15)
        s.start()
        user = login(s, 'user').data['tokens']['accessToken']
        tap.check(register(s, 'eve').status == 403 and
                  s.rest('POST', '/api/invites', {}, user).status == 403, 'closed is closed')


def sessions(s):
    tokens = [login(s, 'alice').data['tokens']['accessToken'] for _ in range(4)]
    k = Sio(s.port, tokens[1])
    r = s.rest('DELETE', '/api/auth/sessions?others=false', token=tokens[0])
    tap.check(r.status == 400, 'others=false is a mistake', r)
    tap.check(s.rest('DELETE', '/api/auth/sessions', token=tokens[0]).status == 400, 'so is none')
    r = s.rest('DELETE', '/api/auth/sessions?others=true', token=tokens[0])
    tap.check(r.status == 200, 'all others are signed out', r)
    tap.check(k.event('session:ended')['reason'] == 'signed_out', 'their sockets, too')
    k.close()
    got = [s.rest('GET', '/api/auth/me', token=t).status for t in tokens]
    tap.check(got == [200, 401, 401, 401], 'at once', got)
    return tokens[0]


def documented():
    """docs/metadata.md: {table: {field}}."""
    out, table = {}, None
    with open(DOCS, encoding='utf-8') as f:
        for line in f:
            if line.startswith('#'):
                m = re.match(r'### (\w+)$', line)
                table = m.group(1) if m else None
            m = re.match(r'\| `(\w+)` \|', line)
            if table and m:
                out.setdefault(table, set()).add(m.group(1))
    return out


def schema(s):
    return {t['name']: {c['name'] for c in rows(s, f'PRAGMA table_info({t["name"]})')}
            for t in rows(s, "SELECT name FROM sqlite_master WHERE type = 'table'"
                          " AND name NOT LIKE 'sqlite_%'")}


# Of nobody: counters, the ends of the log, places in names.
OF_NOBODY = {'positions', 'migrations', 'audit_head', 'name_places'}


def stored(s, token):
    r = s.rest('GET', '/api/users/me/stored', token=token)
    if not tap.check(r.status == 200, 'what is stored about me', r):
        return {}
    said = {t['table']: {f['field'] for f in t['fields']} for t in r.data['tables']}
    real, docs = schema(s), documented()
    for name, other in (('the schema', {k: v for k, v in real.items() if k not in OF_NOBODY}),
                        ('docs/metadata.md', docs)):
        diff = {t: said.get(t, set()) ^ other.get(t, set()) for t in set(said) | set(other)
                if said.get(t, set()) ^ other.get(t, set())}
        tap.check(not diff, f'what /stored says and {name} are the same', diff)
    tap.check(OF_NOBODY <= set(real), 'what is about nobody is there, too', set(real))
    tap.check(all(f['why'] and len(f['why']) > 3 for t in r.data['tables'] for f in t['fields']) and
              all(t['kept'] for t in r.data['tables']), 'each says why and how long')
    n = {t['table']: t['rows'] for t in r.data['tables']}
    tap.check(n['users'] == 1 and n['messages'] == 40 and n['chats'] == 1 and n['sessions'] >= 1,
              'with the number of rows about me', n)
    return n


def export(s, token, n):
    r = s.rest('GET', '/api/users/me/export', token=token)
    if not tap.check(r.status == 200 and r.headers['Content-Type'] == 'application/zip' and
                     'attachment' in r.headers['Content-Disposition'] and
                     r.headers['Cache-Control'] == 'no-store', 'an archive of everything', r):
        return
    z = zipfile.ZipFile(io.BytesIO(r.raw))
    tap.check(z.testzip() is None, 'every checksum in it is right')
    lines = {}
    for name in z.namelist():
        if name.endswith('.jsonl'):
            lines[name[:-6]] = [json.loads(x) for x in z.read(name).decode().splitlines()]
    # The archive is made after the count: the session log may have grown.
    diff = {t: (len(lines.get(t, [])), n[t]) for t in n if len(lines.get(t, [])) != n[t]}
    tap.check(not diff, 'as many rows of each table as were said', diff)
    tap.check(lines['users'][0]['email'] == 'alice@example.org' and
              lines['users'][0]['username'] == 'alice' and 'password_hash' not in lines['users'][0],
              'my account, without the hash of the password', lines['users'])
    tap.check([m['encrypted_content'] for m in lines['messages']] ==
              [f'alice-{i}' for i in range(40)], 'my messages, in order')
    text = b''.join(z.read(x) for x in z.namelist()).decode()
    tap.check('bob-secret' not in text and 'bob@example.org' not in text and '$argon2id$' not in text,
              'nothing of others, and no hash of a secret')
    tap.check('README.txt' in z.namelist() and json.loads(z.read('fields.json'))['tables'],
              'and what all of it means')
    schemas = schema(s)
    for t, got in lines.items():
        if got and not set(got[0]) <= schemas[t]:
            tap.check(False, f'{t}: fields are named as in the database', got[0])
    r = s.rest('GET', '/api/users/me/export')
    tap.check(r.status == 401, 'nobody else has it', r)
    log = s.rest('GET', '/api/users/me/audit', token=token).data['entries']
    tap.check(until(lambda: 'exported' in [e['event'] for e in s.rest(
        'GET', '/api/users/me/audit', token=token).data['entries']]), 'it is in my log', log)


def grace(s):
    me, token, _ = s.register('gina')
    k = Sio(s.port, token)
    r = s.rest('DELETE', '/api/users/me', {'password': 'Wrong-Horse-7'}, token)
    tap.check(r.status == 401 and s.rest('GET', '/api/auth/me', token=token).status == 200,
              'deletion asks for the password', r)
    r = s.rest('DELETE', '/api/users/me', {'password': PASSWORD}, token)
    tap.check(r.status == 200 and r.data['eraseAt'], 'and is promised', r)
    tap.check(k.event('session:ended')['reason'] == 'account_deleted', 'all sessions end')
    k.close()
    tap.check(s.rest('GET', '/api/auth/me', token=token).status == 401, 'their tokens, too')
    r = login(s, 'gina')
    tap.check(r.status == 403 and r.code == 'deletion_pending' and
              r.json['error']['details']['eraseAt'], 'signing in asks first', r)
    r = s.rest('POST', '/api/auth/login', {'username': 'gina', 'password': 'Wrong-Horse-7',
                                           'cancelDeletion': True})
    tap.check(r.status == 401 and r.code == 'invalid_credentials', 'a wrong password cancels nothing', r)
    _, other, _ = s.register('hank')
    r = s.rest('GET', f'/api/users/{me}', token=other)
    tap.check(r.status == 200 and r.data['is_active'] is False, 'others see that it is not active', r)
    r = s.rest('GET', '/api/users/search?q=gina', token=other)
    tap.check(r.data['users'] == [], 'and do not find it', r)
    r = login(s, 'gina', cancelDeletion=True)
    tap.check(r.status == 200, 'it can be had back', r)
    token = r.data['tokens']['accessToken']
    log = [e['event'] for e in s.rest('GET', '/api/users/me/audit', token=token).data['entries']]
    tap.check(log[:3] == ['login', 'deletion_cancelled', 'login_failed'] and 'deletion_asked' in log,
              'all of it is in the log', log)
    tap.check(login(s, 'gina').status == 200, 'and then it is as before')


def erasure(binary):
    """Killed in the middle again and again; it ends, and others go on."""
    with Server(binary, flags=[*QUICK, '--set', 'accounts.grace=0ms', '--set', 'sessions.sweep=1s']) as s:
        alice, ta, _ = s.register('alice')
        bob, tb, _ = s.register('bob')
        carol, tc, _ = s.register('carol')
        chat = s.chat(ta, bob)
        r = s.rest('POST', '/api/chats', {'type': 'group', 'name': 'crew',
                                         'memberIds': [bob, carol]}, ta)
        group = r.data['chatId'] if r.status == 201 else None
        for i in range(30):
            s.send(ta, chat, f'alice-{i}')
            s.send(tb, chat, f'bob-{i}')
        s.rest('GET', f'/api/users/{alice}', token=tb)
        s.kill(15)
        c = db(s, True)
        # Many more messages than one step takes, as they would be.
        row = dict(c.execute('SELECT * FROM messages WHERE sender_id = ? LIMIT 1',
                             (bytes.fromhex(alice.replace('-', '')),)).fetchone())
        last = c.execute('SELECT value FROM positions').fetchone()[0]
        names = list(row)
        for i in range(20000):
            row['position'] = last + 1 + i
            row['id'] = os.urandom(16)
            row['client_message_id'] = os.urandom(16) if i % 2 else None
            c.execute(f'INSERT INTO messages ({",".join(names)}) VALUES ({",".join("?" * len(names))})',
                      [row[x] for x in names])
        c.execute('UPDATE positions SET value = ?', (last + 20001,))
        c.commit()
        c.close()
        s.start()
        ta = login(s, 'alice').data['tokens']['accessToken']
        k = Sio(s.port, tb)
        tap.check(s.rest('DELETE', '/api/users/me', {'password': PASSWORD}, ta).status == 200,
                  'with a grace of nothing it is due at once')
        raw = bytes.fromhex(alice.replace('-', ''))

        def left():
            return rows(s, 'SELECT COUNT(*) AS n FROM messages WHERE sender_id = ? AND'
                        ' encrypted_content IS NOT NULL', raw)[0]['n']
        seen = []
        for _ in range(4):
            until(lambda: left() < (seen[-1] if seen else 20030), 20)
            s.kill(9)
            seen.append(left())
            s.start()
        tap.check(0 < seen[0] < 20030 and seen == sorted(seen, reverse=True),
                  'kill -9 in the middle, four times', seen)
        tap.check(until(lambda: rows(s, 'SELECT erased_at FROM users WHERE id = ?', raw)[0]['erased_at'],
                        40), 'it ends all the same', (left(), s.log()[-500:]))
        k.close()
        gone(s, raw, alice)
        others(s, tb, chat, group, alice, bob, carol)
        r = register(s, 'alice')
        tap.check(r.status == 201 and r.data['user']['id'] != alice, 'the name is free again', r)
        tap.check(login(s, 'alice').status == 200, 'and is somebody else')
        s.kill(15)
        import subprocess
        r = subprocess.run([s.binary, 'audit', 'verify', '--json', '--data', s.data],
                           capture_output=True, text=True, check=False)
        tap.check(r.returncode == 0 and json.loads(r.stdout)['erased'] > 0,
                  'the audit log is whole without her', r)


def gone(s, raw, alice):
    """No row that names her but the few that hold others' chats together."""
    may = {('users', 'id'), ('messages', 'sender_id'), ('chat_members', 'user_id'),
           ('chats', 'created_by'), ('user_trigrams', 'user_id'), ('chats', 'direct_key')}
    found = {}
    for t, columns in schema(s).items():
        for col in columns:
            n = rows(s, f'SELECT COUNT(*) AS n FROM {t} WHERE {col} = ?', raw)[0]['n']
            if n and (t, col) not in may:
                found[(t, col)] = n
    tap.check(not found, 'no table has a row of hers', found)
    u = rows(s, 'SELECT * FROM users WHERE id = ?', raw)[0]
    tap.check(u['username'] == '[deleted]' and 'alice' not in json.dumps(u, default=str).replace(alice, '')
              and u['password_hash'] == '' and not u['is_active'], 'her account is an id alone', u)
    m = rows(s, 'SELECT * FROM messages WHERE sender_id = ?', raw)
    tap.check(len(m) == 20030 and all(
        x['encrypted_content'] is None and x['encrypted_keys'] is None and x['metadata'] is None and
        x['client_message_id'] is None and x['sender_device_id'] is None and x['deleted_at'] and
        x['iv'] is None for x in m), 'her messages are tombstones')
    c = db(s, True)
    c.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    c.close()
    e = rows(s, "SELECT * FROM events WHERE data LIKE '%alice@%' OR data LIKE '%\"alice\"%'")
    tap.check(not e, 'no event has her name', e)


def others(s, tb, chat, group, alice, bob, carol):
    """Bob's chats stand."""
    r = s.rest('GET', f'/api/chats/{chat}', token=tb)
    tap.check(r.status == 200 and {m['username'] for m in r.data['members']} == {'[deleted]', 'bob'},
              'the direct chat is there, with somebody deleted', r)
    m = s.rest('GET', f'/api/chats/{chat}/messages?limit=100', token=tb)
    tap.check(m.status == 200 and all(x['encryptedContent'] is None for x in m.data['messages']
                                      if x['senderId'] == alice), 'her messages are gone', m)
    pages, after, bobs = 0, None, 0
    while pages < 400:
        q = f'&cursor={after}' if after else ''
        m = s.rest('GET', f'/api/chats/{chat}/messages?limit=100{q}', token=tb).data
        bobs += sum((x['encryptedContent'] or '').startswith('bob-') for x in m['messages'])
        after, pages = m['nextCursor'], pages + 1
        if not after:
            break
    tap.check(bobs == 30, 'his own are all there', bobs)
    e = [x for x in s.rest('GET', '/api/sync?after=0&limit=100', token=tb).data['events']]
    pos, told = 0, False
    for _ in range(400):
        x = s.rest('GET', f'/api/sync?after={pos}&limit=100', token=tb).data
        told = told or any(y['event'] == 'user:erased' and y['data']['userId'] == alice
                           for y in x['events'])
        if not x['more']:
            break
        pos = x['position']
    tap.check(told, 'and he was told, by sync, too', e[-1:])
    r = s.rest('GET', f'/api/users/{alice}', token=tb)
    tap.check(r.status == 200 and r.data['is_active'] is False and r.data['username'] == '[deleted]',
              'she is nobody', r)
    if group:
        r = s.rest('GET', f'/api/chats/{group}', token=tb)
        members = {m['userId']: m['role'] for m in r.data['members']}
        tap.check(alice not in members and sorted(members.values()) == ['admin', 'member'],
                  'the group goes on under its oldest member', members)
    r = s.send(tb, chat, 'into-the-void')
    tap.check(r.status in (201, 403, 404), 'writing there is answered in good order', r)


def known_devices(binary):
    """Strangers who guess do not lock out a device that was here before."""
    with Server(binary, flags=['--set', 'accounts.backoff_max=1h']) as s:
        s.register('alice')
        s.register('mallory')
        mine = login(s, 'alice').data['knownDevice']
        other = login(s, 'mallory').data['knownDevice']

        def tries(n, password='Wrong-Horse-7', path='/api/auth/login', **more):
            """Until one has to wait: a slow machine may not be there in time."""
            got = []
            while len(got) < n and 429 not in got:
                got.append(s.rest('POST', path, {'username': 'alice', 'password': password,
                                                 **more}).status)
            return got
        got = tries(9)
        tap.check(got[:3] == [401] * 3 and got[-1] == 429, 'strangers have to wait', got)
        tap.check(tries(1, PASSWORD) == [429], 'whatever they say')
        tap.check(tries(1, PASSWORD, knownDevice=other) == [429], "a device of another account's, too")
        bad = ('B' if mine[0] == 'A' else 'A') + mine[1:]
        tap.check(tries(1, PASSWORD, knownDevice=bad) == [429], 'a forged one, too')
        r = login(s, 'alice', knownDevice=mine)
        tap.check(r.status == 200, 'a known device comes in', r)
        again = r.data['knownDevice']
        got = tries(9, knownDevice=mine)
        tap.check(got[:3] == [401] * 3 and got[-1] == 429, 'but may not guess for ever either', got)
        tap.check(login(s, 'alice', knownDevice=again).status == 200, 'each device by itself')
        token = login(s, 'alice', knownDevice=again).data['tokens']['accessToken']
        r = s.rest('PUT', '/api/auth/password', {'currentPassword': PASSWORD,
                                                 'newPassword': 'Other-Battery-8'}, token)
        tap.check(r.status == 200, 'and who is signed in can change the password', r)
        got = tries(9, path='/auth/login')
        tap.check(got[-1] == 429 and tries(1, 'Other-Battery-8') == [429],
                  'the token form waits with the strangers', got)


invitations(sys.argv[1])
known_devices(sys.argv[1])
with Server(sys.argv[1], flags=QUICK) as server:
    server.register('alice')
    bob_id, bob_token, _ = server.register('bob')
    mine = sessions(server)
    talk = server.chat(mine, bob_id)
    for number in range(40):
        server.send(mine, talk, f'alice-{number}')
        server.send(bob_token, talk, f'bob-secret-{number}')
    counts = stored(server, mine)
    export(server, mine, counts)
    grace(server)
    tap.check(server.kill(15) == 0, 'the server ends in good order', server.log()[-1500:])
erasure(sys.argv[1])
sys.exit(tap.done())
