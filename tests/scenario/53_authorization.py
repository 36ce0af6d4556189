"""53_authorization.py NIGHTJARD NIGHTJAR: authorization.tsv, each cell of it.

A row is a name by which an operation is called, a column is who calls it, a
cell the status that is expected. An operation or name without a row, a row
without a cell, and a cell that is no status fail. After each call that was
refused the database has to be as it was, to the bit. Answers to who may not
see a thing hold nothing of it, and look as if it were not there.

The things that a row names are Alice's:
  nobody        no token; a socket that has not authenticated
  expired       a token of Alice's that has expired
  stranger      Eve, who has to do with nobody
  member        Bob, of Alice's chat; his session speaks for no device
  blocked       Mallory, whom Alice has blocked; the chat and the message are
                then those of these two
  no_device     Alice, a session without a device
  own_device    Alice, a session that speaks for her device 1
  other_device  Bob, a session that speaks for his device 1
  auditor, operator, admin   strangers with that role
Columns: operation, name (`METHOD /path`, or an event), the cells, the request
(JSON, or -). `{x}` in name and request is OBJECTS['x'], made anew for every
call. A name that begins with ! is called with a session of its own (it ends
sessions), with !! by a person of its own (it ends accounts). What no name
reaches has the name - and no cells (-)."""
import base64
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(HERE, '..', '..', 'src', 'server')
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from people import People  # noqa: E402
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
WHO = ('nobody', 'expired', 'stranger', 'member', 'blocked', 'no_device', 'own_device',
       'other_device', 'auditor', 'operator', 'admin')
SECRETS = 60            # messages of Alice to Mallory, from before the block
# What moves while nobody does anything: a session's last use, who was seen.
NOISE = {'sessions': {'last_used_at'}, 'users': {'last_seen', 'updated_at'}}
# That somebody was refused is noted there, behind the answer.
NOTES = ('audit_logs', 'audit_head')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def statuses():
    """Status of each error's code, from base/err.def."""
    text = read(os.path.join(SERVER, '..', 'base', 'err.def'))
    return {code: int(status) for status, code in
            re.findall(r'^ERR\(\w+,\s*(\d+),\s*\w+,\s*"(\w+)"', text, re.M)}


def names():
    """{operation: names}; an operation that no name reaches has none."""
    ops = {op: set() for op in re.findall(r'^OP\((\w+),', read(os.path.join(SERVER, 'ops.def')), re.M)}
    text = read(os.path.join(SERVER, 'names.def'))
    for name, op in re.findall(r'^(?:HTTP|EVENT)\(\w+,\s*"([^"]+)",\s*(\w+)', text, re.M):
        ops[op].add(name)
    return ops


def shape(name):
    """A name without what its parameters are called or filled with."""
    name = name.lstrip('!').split('?')[0]
    return re.sub(r':\w+|\{\w+\}|(?<=/)\d+', '*', name)


class Row:
    def __init__(self, number, text):
        parts = text.split('\t')
        self.at = f'line {number}'
        self.good = len(parts) == 3 + len(WHO)
        if not self.good:
            return
        self.op, self.name, self.request = parts[0], parts[1], parts[-1]
        self.cells = dict(zip(WHO, parts[2:-1]))
        self.fresh = len(self.name) - len(self.name.lstrip('!'))
        self.call = self.name.lstrip('!')
        self.is_route = ' ' in self.call
        self.at = self.call if self.call != '-' else self.op


def load():
    rows = []
    for i, line in enumerate(read(os.path.join(HERE, 'authorization.tsv')).splitlines(), 1):
        if line and not line.startswith('#'):
            rows.append(Row(i, line))
    return rows


def complete(rows):
    """Every operation and name has its row, every row its cells."""
    for r in rows:
        tap.check(r.good, f'{r.at}: has {3 + len(WHO)} columns')
    rows = [r for r in rows if r.good]
    ops = names()
    tap.check(len(ops) > 40, 'the operations are read', len(ops))
    for op, want in ops.items():
        mine = [r for r in rows if r.op == op]
        have = {shape(r.name) for r in mine}
        if not want and have == {'-'}:
            tap.check(all(c == '-' for c in mine[0].cells.values()),
                      f'{op}: is reached by no name, and has no cells')
            continue
        missing = {n for n in want if shape(n) not in have}
        tap.check(have and not missing, f'{op}: every name has its row', missing or 'none at all')
    for r in rows:
        tap.check(r.op in ops and (r.name in ('-', '@connect', '@authenticate') or
                  shape(r.name) in {shape(n) for n in ops[r.op]}),
                  f'{r.at}: the row is of a name that there is')
        if r.name != '-':
            bad = {k: v for k, v in r.cells.items() if not re.fullmatch(r'[1-5]\d\d', v)}
            tap.check(not bad, f'{r.at}: every cell is a status', bad)
    return rows


class Person:
    def __init__(self, w, ident, device=0):
        self.w, self.id, self.device = w, ident, device
        self.token, self.session = w.sign_in(ident, device)
        self.socket = None

    def sio(self):
        if self.socket is None:
            self.socket = Sio(self.w.s.port, self.token)
        return self.socket


class World(People):
    """People, their chats and devices."""

    def __init__(self, s, nightjar):
        super().__init__(s)
        self.nightjar, self.named = nightjar, None
        # As it was at `hold`: a snapshot that stays while others write.
        self.past = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), isolation_level=None)
        self.ids = {n: self.client(n) for n in ('alice', 'bob', 'mallory')}
        self.ids['eve'] = self.base('eve')
        for role in ('auditor', 'operator', 'admin'):
            self.ids[role] = self.person(role, role)
        a = self.alice = Person(self, self.ids['alice'])
        self.chats = {n: s.chat(a.token, self.ids[n]) for n in ('bob', 'mallory')}
        self.secrets = [s.send(a.token, self.chats['mallory'], 'c2VjcmV0').data['messageId']
                        for _ in range(SECRETS)]
        r = s.rest('POST', '/api/blocks', {'userId': self.ids['mallory']}, a.token)
        tap.check(r.status == 201, 'Alice blocks Mallory', r)
        self.people = {
            'stranger': Person(self, self.ids['eve']), 'member': Person(self, self.ids['bob']),
            'blocked': Person(self, self.ids['mallory']), 'no_device': a,
            'own_device': Person(self, self.ids['alice'], 1),
            'other_device': Person(self, self.ids['bob'], 1),
            **{x: Person(self, self.ids[x]) for x in ('auditor', 'operator', 'admin')}}
        self.version = None

    def client(self, name):
        """An account with a device, keys and all, made by the client."""
        home = os.path.join(self.s.root, 'home')
        os.makedirs(home, exist_ok=True)
        r = subprocess.run(
            [self.nightjar, '--server', f'http://127.0.0.1:{self.s.port}', '--profile', name,
             'register', '--username', name, '--email', f'{name}@example.org'],
            env={**os.environ, 'HOME': home, 'NIGHTJAR_PASSWORD': PASSWORD}, timeout=60,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if r.returncode != 0:
            raise RuntimeError(f'{name}: {r}')
        row = self.db.execute('SELECT id FROM users WHERE username = ?', (name,)).fetchone()
        return str(uuid.UUID(bytes=row[0]))

    # ---- who calls ----

    def caller(self, who, fresh):
        if who == 'nobody':
            return None
        if who == 'expired':
            p = Person(self, self.ids['alice'])
            p.token = self.forge(userId=p.id, sid=p.session, exp=int(time.time()) - 3)
            return p
        p = self.people[who]
        if fresh == 1:
            return Person(self, p.id, p.device)
        if fresh == 2:
            role = who if who in ('auditor', 'operator', 'admin') else 'user'
            ident = self.person('p' + uuid.uuid4().hex[:20], role)
            if p.device:
                self.device(ident)
            return Person(self, ident, p.device)
        return p

    # ---- what is there ----

    @staticmethod
    def dump(db):
        """Everything in the database, but for what moves by itself."""
        tables = [x[0] for x in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        out = {}
        for t in set(tables) - set(NOTES):
            cols = [x[1] for x in db.execute(f'PRAGMA table_info("{t}")') if x[1] not in NOISE.get(t, ())]
            rows = db.execute('SELECT {} FROM "{}"'.format(','.join(f'"{c}"' for c in cols), t))
            out[t] = sorted(map(repr, rows))
        return out

    def written(self):
        """Changes when somebody else has committed something."""
        return self.db.execute('PRAGMA data_version').fetchone()[0]

    def hold(self):
        """From here on: `changed` compares with what is there now."""
        if self.past.in_transaction:
            self.past.execute('COMMIT')
        self.past.execute('BEGIN')
        self.past.execute('SELECT COUNT(*) FROM users').fetchone()
        self.version = self.written()

    def changed(self):
        """What has changed since hold: {table: rows before or after}."""
        if self.written() == self.version:
            return {}
        before, after = self.dump(self.past), self.dump(self.db)
        return {t: [x for x in before.get(t, []) + after.get(t, [])
                    if (x in before.get(t, [])) != (x in after.get(t, []))][:4]
                for t in {*before, *after} if before.get(t) != after.get(t)}


def chat_of(w, who):
    return w.chats['mallory' if who == 'blocked' else 'bob']


def message(w, who):
    if who == 'blocked':
        return w.secrets.pop()
    return w.s.send(w.alice.token, w.chats['bob'], 'c2VjcmV0').data['messageId']


def report(w, _):
    return w.s.rest('POST', '/api/reports', {'userId': w.ids['mallory'], 'reason': 'spam'},
                    w.alice.token).data['id']


def blocked_by(w, who):
    """Somebody new, whom this caller has blocked."""
    ident = w.person('b' + uuid.uuid4().hex[:20])
    if who in w.people:
        w.s.rest('POST', '/api/blocks', {'userId': ident}, w.people[who].token)
    return ident


def enemy(w, _):
    """Somebody new, whom Alice has blocked."""
    return blocked_by(w, 'no_device')


def blocker(w, who):
    """Somebody new, who has blocked this caller."""
    p = Person(w, w.person('c' + uuid.uuid4().hex[:20]))
    if who in w.people:
        w.s.rest('POST', '/api/blocks', {'userId': w.people[who].id}, p.token)
    return p.id


def addressee(w, who):
    """Whom this caller writes to: Mallory to Alice, others to somebody new."""
    return w.ids['alice'] if who == 'blocked' else w.person('s' + uuid.uuid4().hex[:20])


def invite(w, _):
    """An invitation of Alice's, as if the configuration had let her."""
    ident, now = uuid.uuid4(), int(time.time() * 1000)
    w.db.execute('INSERT INTO invites (id, code_hash, created_by, uses_max, created_at, expires_at)'
                 ' VALUES (?, ?, ?, 1, ?, ?)', (ident.bytes, os.urandom(32),
                                               uuid.UUID(w.ids['alice']).bytes, now, now + 3600000))
    w.db.commit()
    return str(ident)


# ---- of devices and of linking one ----

SECRET = bytes(range(32))       # what a new device reads its mailbox by


def archive(w, _, named=False):
    """An archive of Alice's, with one part."""
    if named and w.named:
        return w.named
    ident, now = uuid.uuid4(), int(time.time() * 1000)
    w.db.execute('INSERT INTO archives (id, user_id, purpose, parts, size, is_complete, created_at, expires_at)'
                 ' VALUES (?, ?, ?, 1, 2, ?, ?, ?)',
                 (ident.bytes, uuid.UUID(w.ids['alice']).bytes, 'backup' if named else 'link', named, now,
                  None if named else now + 3600000))
    w.db.execute('INSERT INTO archive_parts (archive_id, part, data) VALUES (?, 0, ?)', (ident.bytes, b'xx'))
    return str(ident)


def named(w, who):
    """The archive that Alice's key backup names."""
    w.named = archive(w, who, True)
    w.db.execute('INSERT INTO key_backups (user_id, data, archive_id, updated_at) VALUES (?, ?, ?, 1)'
                 ' ON CONFLICT (user_id) DO NOTHING',
                 (uuid.UUID(w.ids['alice']).bytes, b'sealed', uuid.UUID(w.named).bytes))
    return w.named


def backup(w, who):
    """The version that a key backup of this caller has to follow."""
    row = w.db.execute('SELECT backup_version FROM users WHERE id = ?', (uuid.UUID(
        w.people[who].id if who in w.people else w.ids['alice']).bytes,)).fetchone()
    return str(row[0])


def offer(mailbox):
    return base64.b64encode(b'\x1b\x01' + os.urandom(1216) + mailbox.bytes + os.urandom(16)).decode()


def mailbox_offer(_, __):
    ident = uuid.uuid4()
    return f'"mailbox":"{ident}","offer":"{offer(ident)}"'


def mailbox(step):
    """A mailbox of which Alice's device 1 is the manager, so far on."""
    def make(w, _):
        ident, now = uuid.uuid4(), int(time.time() * 1000)
        at = ('open', 'claimed', 'provisioned', 'fetched', 'answered').index(step)
        manager = uuid.UUID(w.people['own_device'].session).bytes if at > 0 else None
        new = uuid.UUID(w.sign_in(w.ids['alice'])[1]).bytes if at > 2 else None
        w.db.execute(
            'INSERT INTO link_mailboxes (id, secret_hash, offer, device_name, manager_id, reply,'
            ' provisioning, session_id, answer, created_at, expires_at)'
            ' VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            (ident.bytes, hashlib.sha256(SECRET).digest(), base64.b64decode(offer(ident)), 'x', manager,
             bytes(1122) if at > 0 else None, bytes(99) if at == 2 else None, new,
             bytes(99) if at > 3 else None, now, now + 200000))
        return str(ident)
    return make


def verified(w, _):
    """Somebody whom Alice has verified."""
    ident = w.person('v' + uuid.uuid4().hex[:20])
    w.db.execute('INSERT INTO security_verifications (user_id, peer_id, device_id, key_hash, method, record,'
                 " signed_at, created_at) VALUES (?, ?, 1, ?, 'code', ?, 1, 1)",
                 (uuid.UUID(w.ids['alice']).bytes, uuid.UUID(ident).bytes, bytes(32), b'x'))
    return ident


# What {x} stands for: a function of the world and the column.
OBJECTS = {
    'invite': invite,
    **{n: (lambda w, who, n=n: w.ids[n]) for n in ('alice', 'bob', 'mallory', 'eve')},
    'addressee': addressee, 'block': blocked_by, 'blocker': blocker, 'enemy': enemy,
    'chat': chat_of, 'message': message, 'report': report,
    'me': lambda w, who: w.people[who].id if who in w.people else w.ids['alice'],
    'nobody': lambda w, who: str(uuid.uuid4()),
    'somebody': lambda w, who: w.person('s' + uuid.uuid4().hex[:20]),
    'session': lambda w, who: w.sign_in(w.ids['alice'])[1],
    'settings': lambda w, who: str(w.s.rest('GET', '/api/settings', token=w.people[who].token)
                                   .data['version'] if who in w.people else 0),
    'uuid': lambda w, who: str(uuid.uuid4()),
    'proof': lambda w, who: base64.b64encode(bytes(3373)).decode(),
    'password': lambda w, who: PASSWORD,
    'archive': archive, 'named': named, 'backup': backup, 'verified': verified,
    'mailbox_offer': mailbox_offer, **{x: mailbox(x) for x in (
        'open', 'claimed', 'provisioned', 'fetched', 'answered')},
    'secret': lambda w, who: base64.b64encode(SECRET).decode(),
    'guess': lambda w, who: base64.b64encode(os.urandom(32)).decode(),
    'reply': lambda w, who: base64.b64encode(b'\x1e\x01' + bytes(1120)).decode(),
    'provisioning': lambda w, who: base64.b64encode(b'\x1c\x01' + bytes(99)).decode(),
    'answer': lambda w, who: base64.b64encode(os.urandom(99)).decode(),
}


def fill(w, who, text):
    made = {}

    def one(m):
        if m[1] not in made:
            made[m[1]] = OBJECTS[m[1]](w, who)
        return made[m[1]]
    return re.sub(r'\{(\w+)\}', one, text), made


def ask(w, row, who, status_of):
    """(status, text of the answer, what was made for it)"""
    p = w.caller(who, row.fresh)
    line, made = fill(w, who, row.call + '\n' + row.request)
    w.hold()
    name, request = line.split('\n', 1)
    body = None if request == '-' else json.loads(request)
    token = p.token if p else None
    if row.is_route:
        r = w.s.rest(*name.split(' '), body, token)
        return r.status, r.raw.decode(errors='replace'), made
    if who in ('nobody', 'expired') or name.startswith('@'):
        k = Sio(w.s.port, token)
        if k.refused:
            k.close()
            return status_of[k.refused['data']['code']], '', made
    elif row.fresh:
        k = Sio(w.s.port, token)
    else:
        k = p.sio()
    w.hold()
    if name == '@authenticate':
        k.close()
        k = Sio(w.s.port, None)
        k.emit('authenticate', {'token': token or 'x'})
        got = k.event('authenticated')
        k.close()
        return (200 if got['success'] else status_of[got['error']['code']]), '', made
    a = k.call('presence:set' if name == '@connect' else name,
               {'status': 'online'} if name == '@connect' else body)
    code = (a.get('error') or {}).get('code')
    if who in ('nobody', 'expired') or row.fresh:
        k.close()
    return status_of[code] if code else 200, json.dumps(a), made


def check_cell(w, row, who, status_of):
    want = int(row.cells[who])
    status, text, made = ask(w, row, who, status_of)
    tap.check(status == want, f'{row.call} by {who}: {want}', (status, text[:300]))
    if status < 400:
        return
    changed = w.changed()
    tap.check(not changed, f'{row.call} by {who}: nothing has changed', changed)
    hidden = ['c2VjcmV0', 'alice@']
    if status == 404:
        hidden += [v for k, v in made.items() if k in ('chat', 'message', 'session', 'report')]
    tap.check(not any(x in text for x in hidden), f'{row.call} by {who}: and nothing is told', text)


def bad_tokens(w, row):
    """A route that asks for a token takes neither one that renews others nor
    one that was signed out."""
    p = Person(w, w.ids['alice'])
    w.s.rest('POST', '/api/auth/logout', token=p.token)
    renews = w.forge(userId=w.alice.id, sid=w.alice.session, type='refresh')
    for what, token in (('a refresh token', renews), ('a token signed out', p.token)):
        line, _ = fill(w, 'nobody', row.call + '\n' + row.request)
        name, request = line.split('\n', 1)
        r = w.s.rest(*name.split(' '), None if request == '-' else json.loads(request), token)
        tap.check(r.status == 401 and r.code == 'invalid_token', f'{row.call} with {what}: 401', r)


def not_there(w):
    """What is not there and what is not mine look the same."""
    eve = w.people['stranger'].token
    for path, mine in (('/api/chats/{}', chat_of(w, '')), ('/api/chats/{}/messages', chat_of(w, '')),
                       ('/api/messages/{}', message(w, ''))):
        other = mine[:-4] + ('0000' if mine[-4:] != '0000' else '1111')
        a, b = (w.s.rest('GET', path.format(x), token=eve) for x in (mine, other))
        tap.check(a.status == b.status == 404 and a.json['error'] == b.json['error'],
                  f'{path}: not mine and not there look the same', (a, b))


def main():
    rows = complete(load())
    with Server(sys.argv[1], flags=['--set', 'threads.reactors=2', '--set',
                                    'accounts.backoff_max=0', '--set', 'messages.sweep=1d']) as s:
        w = World(s, sys.argv[2])
        status_of = statuses()
        for row in rows:
            for who in WHO if row.name != '-' else ():
                check_cell(w, row, who, status_of)
            if row.is_route and row.cells['nobody'] == '401' == row.cells['expired'] and \
                    row.cells['stranger'] != '401':
                bad_tokens(w, row)
        not_there(w)
        for p in w.people.values():
            if p.socket is not None:
                p.socket.close()
        tap.check(s.kill(15) == 0, 'the server is well, and ends in good order', s.log()[-2000:])
    return tap.done()


sys.exit(main())
