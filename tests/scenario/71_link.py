"""71_link.py NIGHTJARD SIGNER: mailboxes by which a new device is linked: each
step once, in order, by the right one; everything else is 404. Who waits holds
nothing up; tokens come once, to who has the secret, after the manager's word."""
import base64
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
PROVISIONING = b64(b'\x1c\x01' + os.urandom(500))
ANSWER = b64(os.urandom(6000))


def offer(mailbox, n=1250):
    return b64((b'\x1b\x01' + os.urandom(32 + 1184) + mailbox.bytes + os.urandom(16))[:n])


def reply(n=1122):
    return b64((b'\x1e\x01' + os.urandom(32 + 1088))[:n])


class Box:
    """A mailbox, seen from both sides."""

    def __init__(self, s, name='Laptop', **more):
        self.s, self.id = s, uuid.uuid4()
        self.offer = offer(self.id)
        self.made = s.rest('POST', '/api/link', {
            'mailbox': str(self.id), 'offer': self.offer, 'deviceName': name, **more})
        self.secret = self.made.data['secret'] if self.made.status == 201 else None

    def ask(self, method, what='', body=None, token=None):
        return self.s.rest(method, f'/api/link/{self.id}' + what, body, token)

    def new(self, what, secret=None, method='POST', **more):
        return self.ask(method, '/' + what, {'secret': secret or self.secret, **more})

    def to(self, step, token):
        """All steps before this one."""
        for name, go in (
                ('reply', lambda: self.ask('PUT', '/reply', {'reply': reply()}, token)),
                ('shown', lambda: self.new('reply')),
                ('provisioning', lambda: self.ask('PUT', '/provisioning', {'data': PROVISIONING}, token)),
                ('fetched', lambda: self.new('provisioning')),
                ('answer', lambda: self.new('answer', method='PUT', data=ANSWER))):
            if name == step:
                return self
            r = go()
            if r.status != 200:
                raise RuntimeError(f'{name}: {r}')
            setattr(self, name, r)
        return self


def behind(go):
    """Runs it in a thread; (thread, list that gets the answer, seconds)."""
    out = []

    def run():
        began = time.monotonic()
        out.append(go())
        out.append(time.monotonic() - began)
    t = threading.Thread(target=run)
    t.start()
    return t, out


def sql(s, text, *args):
    db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=20)
    try:
        with db:
            return db.execute(text, args).fetchall()
    finally:
        db.close()


def creating(s):
    box = Box(s)
    tap.check(box.made.status == 201 and len(base64.b64decode(box.secret)) == 32,
              'a mailbox is opened without a token', box.made)
    stored = sql(s, 'SELECT secret_hash FROM link_mailboxes WHERE id = ?', box.id.bytes)[0][0]
    tap.check(stored != base64.b64decode(box.secret) and len(stored) == 32,
              'of the secret only a hash is kept')
    with open(os.path.join(s.data, 'nightjar.db'), 'rb') as f:
        tap.check(base64.b64decode(box.secret) not in f.read(), 'and it is nowhere in the database')
    r = box.ask('POST')
    tap.check(r.status in (404, 405), 'no POST on a mailbox', r)
    again = s.rest('POST', '/api/link', {'mailbox': str(box.id), 'offer': box.offer,
                                         'deviceName': 'x'})
    tap.check(again.status == 409, 'its id is in use', again)
    m = uuid.uuid4()
    good = {'mailbox': str(m), 'offer': offer(m), 'deviceName': 'x'}
    for name, more in (
            ('an offer a byte short', {'offer': b64(base64.b64decode(offer(m))[:-1])}),
            ('an offer a byte long', {'offer': b64(base64.b64decode(offer(m)) + b'x')}),
            ("another mailbox's offer", {'offer': offer(uuid.uuid4())}),
            ('an offer of another type', {'offer': b64(b'\x1a' + base64.b64decode(offer(m))[1:])}),
            ('an offer of another version', {'offer': b64(b'\x1b\x02' + base64.b64decode(offer(m))[2:])}),
            ('no name', {'deviceName': ''}), ('a name of 65', {'deviceName': 'x' * 65}),
            ('a name that moves a terminal', {'deviceName': 'a\x1b[31m'}),
            ('a mailbox of zeros', {'mailbox': str(uuid.UUID(int=0)), 'offer': offer(uuid.UUID(int=0))}),
            ('a mailbox that is no id', {'mailbox': 'x'}), ('more members', {'x': 1})):
        r = s.rest('POST', '/api/link', {**good, **more})
        tap.check(r.status == 400, f'{name}: 400', r)


def whole(s, a, bob):
    """The way it goes, each side waiting for the other."""
    box = Box(s, 'New laptop')
    wait, got = behind(lambda: box.new('reply'))
    r = box.ask('GET', '', None, a.tokens[1])
    tap.check(r.status == 200 and r.data['offer'] == box.offer and
              r.data['deviceName'] == 'New laptop', 'the manager reads the offer', r)
    time.sleep(0.3)
    tap.check(not got, 'the new device waits')
    mine = reply()
    r = box.ask('PUT', '/reply', {'reply': mine}, a.tokens[1])
    tap.check(r.status == 200, 'the manager replies', r)
    wait.join()
    tap.check(got[0].status == 200 and got[0].data['reply'] == mine and got[1] < 10,
              'and the new device has it at once', got)
    r = box.ask('PUT', '/reply', {'reply': mine}, a.tokens[1])
    tap.check(r.status == 200, 'the same reply again: its answer was lost', r)
    waits = [behind(lambda: box.new('provisioning')) for _ in range(2)]
    time.sleep(0.3)
    tap.check(not any(g for _, g in waits), 'it waits for the provisioning')
    r = box.ask('PUT', '/provisioning', {'data': PROVISIONING}, a.tokens[1])
    tap.check(r.status == 200, 'the manager sends it', r)
    for t, _ in waits:
        t.join()
    got = [g[0] for _, g in waits]
    first = [r.data for r in got if r.status == 200 and r.data['data']]
    tap.check(all(r.status == 200 for r in got) and first and all(x == first[0] for x in first),
              'of two who ask one gets it, the other the same, or asks anew', got)
    d = first[0]
    r = box.new('provisioning')
    tap.check(r.status == 200 and r.data == d, 'who asks again has the same, the tokens too', r)
    r = box.ask('PUT', '/provisioning', {'data': PROVISIONING}, a.tokens[1])
    tap.check(r.status == 200, 'the same provisioning again: its answer was lost', r)
    made = sql(s, 'SELECT COUNT(*) FROM sessions WHERE id = ?', uuid.UUID(d['sessionId']).bytes)
    tap.check(made == [(1,)], 'one session was made', made)
    tap.check(d['data'] == PROVISIONING and d['userId'] == a.id and d['username'] == a.name,
              'with it, whose account it is', d)
    token = d['tokens']['accessToken']
    me = s.rest('GET', '/api/auth/me', token=token)
    tap.check(me.status == 200 and me.data['id'] == a.id and me.data['deviceId'] is None and
              me.data['sessionId'] == d['sessionId'], 'its session speaks for no device yet', me)
    r = s.rest('POST', '/api/auth/refresh', {'refreshToken': d['tokens']['refreshToken']})
    tap.check(r.status == 200, 'it is a session like others', r)
    token = r.data['accessToken']
    r = box.new('provisioning')
    tap.check(r.status == 404, 'tokens that were replaced are not given out', r)
    wait, got = behind(lambda: box.ask('GET', '/answer', None, a.tokens[1]))
    time.sleep(0.3)
    r = box.new('answer', method='PUT', data=ANSWER)
    tap.check(r.status == 200, 'the new device answers', r)
    left = sql(s, 'SELECT provisioning FROM link_mailboxes WHERE id = ?', box.id.bytes)
    tap.check(left == [(None,)], 'the server has the provisioning no more', left)
    wait.join()
    tap.check(got[0].status == 200 and got[0].data['data'] == ANSWER and got[1] < 10,
              'and the manager has it at once', got)
    two = {**a.devices, a.next_id: 'linked'}
    n = a.next_id
    r = a.put(two, a.tokens[1])
    tap.check(r.status == 200, 'the manager lists the new device', r)
    ears = Sio(s.port, token)
    r = a.bind(token, n)
    tap.check(r.status == 200, 'its session speaks for it', r)
    names = {x['deviceId']: x['name'] for x in
             s.rest('GET', f'/api/users/{a.id}/devices', token=token).data['devices']}
    tap.check(names[n] == 'New laptop', 'under the name that it said', names)
    r = s.rest('GET', '/api/auth/sessions', token=token)
    mine = [x for x in r.data['sessions'] if x['current']][0]
    tap.check(mine['name'] == 'New laptop' and mine['deviceId'] == n, 'listed as that', mine)
    ears.close()
    for r in (box.new('reply'), box.new('provisioning'),
              box.ask('PUT', '/provisioning', {'data': PROVISIONING}, a.tokens[1]),
              box.ask('PUT', '/reply', {'reply': reply()}, a.tokens[1]),
              box.new('answer', method='PUT', data=b64(b'x' * 100)),
              box.ask('GET', '/answer', None, bob.tokens[1])):
        tap.check(r.status == 404, 'nothing of it can be done twice', r)


def order(s, a, bob):
    """Every step at every point, by everybody: only the next one goes on."""
    at, ab = a.tokens[1], bob.tokens[1]
    bad = b64(os.urandom(32))
    for step, allowed in (('reply', {'wait'}), ('shown', {'shown', 'answer wait', 'reply again'}),
                          ('provisioning', {'shown', 'provisioning'}),
                          ('fetched', {'fetched'}), ('answer', {'answer'})):
        box = Box(s).to(step, at)
        tries = {
            "another's look": lambda: box.ask('GET', '', None, ab) if step != 'reply' else None,
            "another's reply": lambda: box.ask('PUT', '/reply', {'reply': reply()}, ab) if step != 'reply' else None,
            'another reply': lambda: box.ask('PUT', '/reply', {'reply': reply()}, at) if step != 'reply' else None,
            "another's provisioning": lambda: box.ask('PUT', '/provisioning', {'data': PROVISIONING}, ab),
            'provisioning too early': lambda: box.ask('PUT', '/provisioning', {'data': PROVISIONING}, at)
            if step == 'reply' else None,
            'other provisioning': lambda: box.ask('PUT', '/provisioning', {'data': b64(b'\x1c\x01' + bytes(99))}, at)
            if step in ('fetched', 'answer') else None,
            "another's answer": lambda: box.ask('GET', '/answer', None, ab),
            'fetching too early': lambda: box.new('provisioning') if step == 'reply' else None,
            'fetching with another secret': lambda: box.new('provisioning', bad) if step == 'answer' else None,
            'answering too early': lambda: box.new('answer', method='PUT', data=ANSWER)
            if step != 'answer' else None,
            'waiting for the answer too early': lambda: box.ask('GET', '/answer', None, at)
            if step in ('reply', 'shown', 'provisioning') else None,
            'reply, wrong secret': lambda: box.new('reply', bad),
            'provisioning, wrong secret': lambda: box.new('provisioning', bad),
            'answer, wrong secret': lambda: box.new('answer', bad, 'PUT', data=ANSWER),
            "another's giving up": lambda: box.ask('DELETE', '', None, ab),
        }
        for name, go in tries.items():
            r = go()
            if r is not None:
                tap.check(r.status == 404, f'before {step}: {name}: 404', r)
        # What came to nothing has changed nothing: it goes on from here.
        if step == 'reply':
            tap.check(box.ask('PUT', '/reply', {'reply': reply()}, at).status == 200, 'on: reply')
        elif step in ('shown', 'provisioning'):
            r = box.ask('PUT', '/provisioning', {'data': PROVISIONING}, at)
            tap.check(r.status == 200, f'on from {step}: provisioning', r)
        elif step == 'fetched':
            r = box.new('provisioning')
            tap.check(r.status == 200 and r.data['data'] == PROVISIONING, 'on: fetched', r)
        else:
            r = box.new('answer', method='PUT', data=ANSWER)
            tap.check(r.status == 200, 'on: answer', r)
    unknown = Box(s)
    unknown.id = uuid.uuid4()
    for r in (unknown.ask('GET', '', None, at), unknown.new('reply'), unknown.new('provisioning'),
              unknown.ask('PUT', '/reply', {'reply': reply()}, at), unknown.ask('DELETE', '', None, at)):
        tap.check(r.status == 404, 'a mailbox that is not there: 404', r)


def bodies(s, a):
    box, t = Box(s), a.tokens[1]
    raw = base64.b64decode(reply())
    for name, what, body in (
            ('a reply a byte short', 'reply', {'reply': b64(raw[:-1])}),
            ('a reply a byte long', 'reply', {'reply': b64(raw + b'x')}),
            ('an offer for a reply', 'reply', {'reply': b64(b'\x1b' + raw[1:])}),
            ('provisioning of 17 bytes', 'provisioning', {'data': b64(b'\x1c\x01' + bytes(15))}),
            ('provisioning of 4097', 'provisioning', {'data': b64(b'\x1c\x01' + bytes(4095))}),
            ('a reply for provisioning', 'provisioning', {'data': b64(b'\x1e\x01' + bytes(500))})):
        r = box.ask('PUT', '/' + what, body, t)
        tap.check(r.status == 400, f'{name}: 400', r)
    box.to('fetched', t)
    r = box.new('provisioning', b64(bytes(31)))
    tap.check(r.status == 400, 'a secret of 31 bytes: 400', r)
    r = box.new('provisioning')
    tap.check(r.status == 200, 'fetched', r)
    for n, want in ((16, 400), (8193, 400), (8192, 200)):
        r = box.new('answer', method='PUT', data=b64(bytes(n)))
        tap.check(r.status == want, f'an answer of {n} bytes: {want}', r)


def outsiders(s, a):
    """A session that speaks for no device links none."""
    box, t = Box(s), a.login()
    for method, what, body in (('GET', '', None), ('PUT', '/reply', {'reply': reply()}),
                               ('PUT', '/provisioning', {'data': PROVISIONING}),
                               ('GET', '/answer', None), ('DELETE', '', None)):
        r = box.ask(method, what, body, t)
        tap.check(r.status == 403, f'{method} {what} without a device: 403', r)
        r = box.ask(method, what, body)
        tap.check(r.status == 401, f'{method} {what} without a token: 401', r)
    # Two managers at once: one of them.
    for _ in range(4):
        box = Box(s)
        got = [behind(lambda tok=tok: box.ask('PUT', '/reply', {'reply': reply()}, tok))
               for tok in (a.tokens[1], a.bound(1))]
        for th, _ in got:
            th.join()
        codes = sorted(g[0].status for _, g in got)
        if not tap.check(codes == [200, 404], 'two managers at once: one of them', codes):
            break


def gone(s, a, signer):
    """Giving up, time, a manager that is revoked."""
    t = a.tokens[1]
    box = Box(s).to('provisioning', t)
    wait, got = behind(lambda: box.new('provisioning'))
    time.sleep(0.3)
    r = box.ask('DELETE', '', None, t)
    tap.check(r.status == 200, 'the manager gives up', r)
    wait.join()
    tap.check(got[0].status == 404 and got[1] < 10, 'the new device hears so at once', got)
    box = Box(s)
    sql(s, 'UPDATE link_mailboxes SET expires_at = 1 WHERE id = ?', box.id.bytes)
    for r in (box.ask('GET', '', None, t), box.ask('PUT', '/reply', {'reply': reply()}, t), box.new('reply')):
        tap.check(r.status == 404, 'after five minutes: 404', r)
    tap.check(time.time() + 240 < sql(s, 'SELECT MAX(expires_at) FROM link_mailboxes')[0][0] / 1000
              < time.time() + 301, 'five minutes it is')
    m = Account(s, signer, 'mira', (1, 2))
    box = Box(s).to('fetched', m.tokens[2])
    wait, got = behind(lambda: box.ask('GET', '/answer', None, m.tokens[2]))
    time.sleep(0.2)
    r = m.put({1: m.devices[1]}, m.tokens[1], made=m.make({1: m.devices[1]}, next_id=3))
    tap.check(r.status == 200, 'the manager is revoked', r)
    r = box.new('provisioning')
    tap.check(r.status == 404, 'what it sent is given to nobody', r)
    box2 = Box(s)
    r = box2.ask('PUT', '/reply', {'reply': reply()}, m.tokens[2])
    tap.check(r.status == 401, 'and it links none', r)
    return wait, got


def races(s, a):
    """What is put just when somebody begins to wait is missed by nobody."""
    slow = 0
    for i in range(100):
        box = Box(s)
        wait, got = behind(lambda: box.new('reply'))
        time.sleep((i % 25) / 10000)
        mine = reply()
        r = box.ask('PUT', '/reply', {'reply': mine}, a.tokens[1])
        wait.join()
        if r.status != 200 or got[0].status != 200 or got[0].data['reply'] != mine:
            tap.check(False, 'a reply just when somebody waits', (r, got))
            return
        slow = max(slow, got[1])
    tap.check(slow < 5, f'100 replies just when somebody begins to wait: at most {slow:.2f} s')


def cookies(s, a):
    """A browser gets the refresh token as a cookie, never both ways."""
    box = Box(s).to('fetched', a.tokens[1])
    r = s.rest('POST', f'/api/link/{box.id}/provisioning', {'secret': box.secret, 'cookie': True},
               headers={'Origin': f'http://127.0.0.1:{s.port}'})
    cookies_ = ' '.join(v for k, v in r.headers.items() if k.lower() == 'set-cookie')
    tap.check(r.status == 200 and 'refreshToken' not in r.data['tokens'] and 'nj_refresh=' in cookies_ and
              'HttpOnly' in cookies_, 'a refresh token as a cookie', (r, cookies_))
    box = Box(s).to('fetched', a.tokens[1])
    r = s.rest('POST', f'/api/link/{box.id}/provisioning', {'secret': box.secret, 'cookie': True},
               headers={'Origin': 'https://evil.example'})
    tap.check(r.status == 403 and box.new('provisioning').status == 200,
              'not to another origin, and nothing is lost by asking', r)


def left_behind(s, a):
    """A session whose device was never listed ends."""
    box = Box(s).to('answer', a.tokens[1])
    token = box.fetched.data['tokens']['accessToken']
    k = Sio(s.port, token)
    other = Box(s).to('answer', a.tokens[1])
    used = other.fetched.data['tokens']['accessToken']
    n = a.next_id
    a.put({**a.devices, n: f'second-{n}'}, a.tokens[1])
    tap.check(a.bind(used, n).status == 200, 'one of two is listed')
    sql(s, 'UPDATE link_mailboxes SET expires_at = 1 WHERE id IN (?, ?)', box.id.bytes, other.id.bytes)
    tap.check(k.event('session:ended')['reason'] == 'link_expired', 'the other hears that it is over')
    tap.check(s.rest('GET', '/api/auth/me', token=token).status == 401, 'its session ends')
    tap.check(s.rest('GET', '/api/auth/me', token=used).status == 200, 'the listed one stays')
    for _ in range(100):
        if sql(s, 'SELECT COUNT(*) FROM link_mailboxes WHERE expires_at = 1') == [(0,)]:
            break
        time.sleep(0.1)
    tap.check(sql(s, 'SELECT COUNT(*) FROM link_mailboxes WHERE expires_at = 1') == [(0,)],
              'mailboxes that are over go')
    k.close()


def crashes(s, a):
    """Killed between any two steps it goes on from there."""
    for step in ('reply', 'shown', 'provisioning', 'fetched', 'answer'):
        box = Box(s).to(step, a.tokens[1])
        s.kill()
        s.start()
        names = ['reply', 'shown', 'provisioning', 'fetched', 'answer']
        ok = True
        for name in names[names.index(step):]:
            r = {'reply': lambda: box.ask('PUT', '/reply', {'reply': reply()}, a.tokens[1]),
                 'shown': lambda: box.new('reply'),
                 'provisioning': lambda: box.ask('PUT', '/provisioning', {'data': PROVISIONING}, a.tokens[1]),
                 'fetched': lambda: box.new('provisioning'),
                 'answer': lambda: box.new('answer', method='PUT', data=ANSWER)}[name]()
            ok = ok and r.status == 200
        r = box.ask('GET', '/answer', None, a.tokens[1])
        tap.check(ok and r.data['data'] == ANSWER, f'killed before {step}: goes on', r)
    box = Box(s).to('answer', a.tokens[1])
    first = box.fetched.data
    s.kill()
    s.start()
    r = box.new('provisioning')
    tap.check(r.status == 200 and r.data == first, 'killed after it was fetched: the same once more', r)
    token = r.data['tokens']['accessToken']
    tap.check(s.rest('GET', '/api/auth/me', token=token).status == 200, 'and its tokens are good')


def stops(s, a):
    """Who waits does not hold up a server that stops."""
    box = Box(s)
    wait, got = behind(lambda: box.new('reply'))
    time.sleep(0.3)
    began = time.monotonic()
    status = s.kill(15)
    took = time.monotonic() - began
    wait.join()
    tap.check(status == 0 and took < 15 and got[0].status == 200 and got[0].data['reply'] is None,
              'a server that stops answers who waits', (status, took, got))
    s.start()


def bounded(binary):
    with Server(binary, limits=True, flags=['--set', 'limits.links=6/15m',
                '--set', 'link.mailboxes_max=4', '--set', 'edge.answer=3s']) as s:
        boxes = [Box(s) for _ in range(8)]
        got = [b.made.status for b in boxes]
        tap.check(got == [201] * 4 + [503] * 2 + [429] * 2,
                  'so many at once, so many of an address', got)
        tap.check(boxes[4].made.headers.get('Retry-After') and boxes[7].made.headers.get('Retry-After'),
                  'and both say when to try again')
        r = boxes[0].new('reply')
        tap.check(r.status == 200 and r.data['reply'] is None, 'who waits too long: not yet', r)
        many = [behind(lambda: boxes[1].new('reply')) for _ in range(40)]
        time.sleep(0.3)
        began = time.monotonic()
        tap.check(s.rest('GET', '/api/health').status == 200 and time.monotonic() - began < 2,
                  '40 who wait hold nobody up')
        for t, _ in many:
            t.join()
        codes = {g[0].status for _, g in many}
        tap.check(codes <= {200, 429}, 'and all are answered', codes)


def main():
    signer = Signer(sys.argv[2])
    with Server(sys.argv[1], flags=['--set', 'limits.links=0', '--set', 'sessions.sweep=1s',
                '--set', 'edge.answer=8s']) as s:
        a, bob = Account(s, signer, 'alice'), Account(s, signer, 'bob')
        creating(s)
        whole(s, a, bob)
        order(s, a, bob)
        bodies(s, a)
        outsiders(s, a)
        wait, got = gone(s, a, signer)
        races(s, a)
        cookies(s, a)
        left_behind(s, a)
        wait.join()
        tap.check(got[0].status == 404, 'a revoked manager waits for nothing', got)
        crashes(s, a)
        stops(s, a)
    bounded(sys.argv[1])
    signer.close()
    return tap.done()


sys.exit(main())
