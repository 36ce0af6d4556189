"""65_mail.py NIGHTJARD: mail by a real SMTP server: addresses are proved,
forgotten passwords set anew; with STARTTLS and TLS; servers that hang, refuse,
drop, offer no TLS; a process that is killed while mail waits. What is told to
whom, and in which time."""
import hashlib
import os
import re
import sqlite3
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'lib')]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402
from smtp import Smtp  # noqa: E402

tap = Tap()
NEW = 'Other-Battery-8'


def mailing(m, *more, **conf):
    flags = ['--set', f'mail.url={m.url}', '--set', 'mail.from=robot@example.org',
             '--set', f'mail.ca={m.cert}', '--set', 'mail.look=50ms', '--set', 'mail.retry=100ms',
             '--set', 'mail.timeout=1s', '--set', 'limits.mails=0', '--set',
             'accounts.backoff_max=0']
    for k, v in conf.items():
        flags += ['--set', f'{k.replace("__", ".")}={v}']
    return flags + list(more)


def db(s):
    c = sqlite3.connect(f'file:{s.data}/nightjar.db?mode=ro', uri=True, timeout=10)
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
    while time.monotonic() < end:
        x = fn()
        if x:
            return x
        time.sleep(0.05)
    return fn()


def login(s, name='alice', password=PASSWORD, **more):
    return s.rest('POST', '/api/auth/login', {'username': name, 'password': password, **more})


def forgot(s, address):
    return s.rest('POST', '/api/auth/password/forgot', {'email': address})


def reset(s, code, password=NEW):
    return s.rest('POST', '/api/auth/password/reset', {'token': code, 'newPassword': password})


def verify(s, code):
    return s.rest('POST', '/api/auth/verify-email', {'token': code})


def verification(binary):
    with Smtp(tls='starttls', login=('robot', 'geheim: 1')) as m:
        secret = os.path.join(m.root, 'password')
        with open(secret, 'w', encoding='ascii') as f:
            f.write('geheim: 1\nanother line\n')
        with Server(binary, flags=mailing(m, mail__user='robot', mail__password_file=secret,
                                          mail__link='https://chat.example.org/account#')) as s:
            with open(f'/proc/{s.child.pid}/maps', encoding='ascii') as f:
                tap.check('libcurl' not in f.read(), 'before the first mail libcurl is not loaded')
            r = s.rest('POST', '/api/auth/register', {
                'username': 'alice', 'email': 'Alice@Example.org', 'password': PASSWORD})
            tap.check(r.status == 201 and r.data['verifyEmail'] is True and 'tokens' in r.data,
                      'registering says that a mail comes', r)
            got = m.wait(1)
            if not tap.check(len(got) == 1, 'one mail came', (got, s.log()[-1500:])):
                return
            x = got[0]
            tap.check(x.secure and x.user == 'robot', 'over TLS, signed in', vars(x))
            tap.check(all(sec or w.split()[0] in ('EHLO', 'STARTTLS', 'QUIT') for sec, w in m.seen),
                      'RFC 3207: nothing but EHLO and STARTTLS in clear', m.seen)
            tap.check(x.sender == 'robot@example.org' and x.to == ['alice@example.org'] and
                      x.message['To'] == '<alice@example.org>' and
                      x.message['Auto-Submitted'] == 'auto-generated' and
                      re.fullmatch(r'<[0-9a-f-]{36}@example\.org>', x.message['Message-ID']) and
                      re.fullmatch(r'\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000',
                                   x.message['Date']), 'RFC 5322: its headers', x.raw)
            tap.check(x.code and f'https://chat.example.org/account#/verify-email/{x.code}' in x.text,
                      'it has the code, and a link', x.text)
            with open(f'/proc/{s.child.pid}/maps', encoding='ascii') as f:
                tap.check('libcurl' in f.read(), 'libcurl is loaded now')
            tap.check(until(lambda: rows(s, 'SELECT * FROM mail_outbox') == []),
                      'the outbox is empty again')
            raw = open(f'{s.data}/nightjar.db', 'rb').read() + open(f'{s.data}/nightjar.db-wal', 'rb').read()
            tap.check(x.code.encode() not in raw and
                      hashlib.sha256(x.code.encode()).digest() in raw,
                      'the database has the hash of the code, never the code')
            tap.check(x.code not in s.log() and 'alice@' not in s.log().lower(),
                      'neither code nor address is in the log')
            token = r.data['tokens']['accessToken']
            me = s.rest('GET', '/api/auth/me', token=token).data
            tap.check(me['is_verified'] is False, 'the address is not verified yet', me)
            wrong = x.code[:-1] + ('A' if x.code[-1] != 'A' else 'E')
            tap.check(verify(s, wrong).code == 'invalid_token', 'a wrong code is refused')
            tap.check(reset(s, x.code).code == 'invalid_token', 'the code sets no password')
            tap.check(verify(s, x.code).status == 200, 'the code is good')
            tap.check(verify(s, x.code).code == 'invalid_token', 'once')
            tap.check(s.rest('GET', '/api/auth/me', token=token).data['is_verified'] is True,
                      'the address is verified')
            n = len(m.mails)
            r = s.rest('POST', '/api/auth/verify-email/resend', {'email': 'alice@example.org'})
            tap.check(r.status == 200, 'asking for another mail is answered', r)
            time.sleep(0.4)
            tap.check(len(m.mails) == n, 'but a verified address gets none')


def required(binary):
    with Smtp(tls='smtps') as m, Server(binary, flags=mailing(
            m, accounts__verification='required')) as s:
        r = s.rest('POST', '/api/auth/register', {
            'username': 'alice', 'email': 'alice@example.org', 'password': PASSWORD})
        tap.check(r.status == 201 and 'tokens' not in r.data and r.data['verifyEmail'],
                  'with verification required registering gives no session', r)
        tap.check(rows(s, 'SELECT * FROM sessions') == [], 'and makes none')
        tap.check(login(s).code == 'email_unverified', 'signing in is refused')
        tap.check(login(s, password='Wrong-Horse-7').code == 'invalid_credentials',
                  'but only the right password hears why')
        got = m.wait(1)
        tap.check(len(got) == 1 and got[0].secure, 'smtps: the mail came over TLS', s.log()[-800:])
        tap.check(verify(s, got[0].code).status == 200 and login(s).status == 200,
                  'with the code of the mail it is let in')


def recovery(binary):
    with Smtp(tls='starttls') as m, Server(binary, flags=mailing(m, accounts__verification='off')) as s:
        _, token, refresh = s.register('alice')
        s.register('bob')
        k = Sio(s.port, token)
        r = forgot(s, 'Alice@example.org')
        none = forgot(s, 'nobody@example.org')
        tap.check(r.status == none.status == 200 and r.json == none.json and
                  'never the end-to-end keys' in r.json['message'],
                  'the same answer whether the address exists; it is honest about keys', (r, none))
        got = m.wait(1)
        tap.check(len(got) == 1 and got[0].to == ['alice@example.org'], 'one mail, to her', got)
        x = got[0]
        tap.check('does not give you your end-to-end keys' in re.sub(r'\s+', ' ', x.text) and
                  'your contacts see that your keys have changed' in re.sub(r'\s+', ' ', x.text),
                  'the mail is honest about keys', x.text)
        forgot(s, 'alice@example.org')
        time.sleep(0.4)
        tap.check(len(m.mails) == 1, 'within a minute there is no second mail')
        tap.check(verify(s, x.code).code == 'invalid_token', 'the code verifies no address')
        for bad in ('short-1A', 'Alice-1234', 'Password-1'):
            r = reset(s, x.code, bad if bad != 'short-1A' else 'aA1-')
            tap.check(r.status == 400 and r.code == 'validation_failed', f'{bad}: no password', r)
        tap.check(login(s).status == 200, 'the old password still holds')
        r = reset(s, x.code)
        tap.check(r.status == 200 and 'keys were not recovered' in r.json['message'],
                  'the code sets a new password, and the answer is honest', r)
        tap.check(k.event('session:ended')['reason'] == 'password_reset', 'her socket ends')
        k.close()
        tap.check(s.rest('GET', '/api/auth/me', token=token).code == 'invalid_token',
                  'her sessions end')
        tap.check(s.rest('POST', '/api/auth/refresh', {'refreshToken': refresh}).code ==
                  'invalid_token', 'their refresh tokens, too')
        tap.check(login(s).status == 401 and login(s, password=NEW).status == 200,
                  'the new password holds')
        tap.check(login(s, 'bob').status == 200, 'nothing happened to Bob')
        tap.check(reset(s, x.code, 'Third-Staple-9').code == 'invalid_token', 'the code is used up')
        got = m.wait(2)
        tap.check(len(got) == 2 and got[1].message['Subject'] == 'Your password was set anew' and
                  got[1].code is None, 'a mail tells her', got)
        me = login(s, password=NEW).data['tokens']['accessToken']
        log = [e['event'] for e in s.rest('GET', '/api/users/me/audit', token=me).data['entries']]
        tap.check('password_reset' in log and 'reset_asked' in log, 'it is in her log', log)
        times(s)


def times(s):
    """The answer is out before anything is looked up."""
    took = {}
    for who in ('bob@example.org', 'nobody2@example.org') * 15:
        began = time.perf_counter()
        forgot(s, who)
        took.setdefault(who, []).append(time.perf_counter() - began)
    a, b = (statistics.median(x) for x in took.values())
    tap.check(abs(a - b) < 0.003 + 0.5 * max(a, b), 'the same time whether the address exists', (a, b))
    bob = [x for x in rows(s, "SELECT * FROM account_tokens WHERE purpose = 'reset'")]
    tap.check(len(bob) == 1, 'asking often makes no more codes', bob)


def expiry(binary):
    with Smtp() as m, Server(binary, flags=mailing(m, accounts__reset='60s', mail__tls='off')) as s:
        s.register('alice')
        m.wait(1)
        forgot(s, 'alice@example.org')
        code = m.wait(2)[-1].code
        c = sqlite3.connect(f'{s.data}/nightjar.db', timeout=10)
        c.execute('UPDATE account_tokens SET expires_at = created_at + 1')
        c.commit()
        c.close()
        tap.check(reset(s, code).code == 'invalid_token', 'a code that is too old is refused')


def faults(binary):
    """What the mail server does is nobody else's trouble."""
    with Smtp(fault='hang') as m, Server(binary, flags=mailing(m, mail__tls='off', mail__timeout='60s')) as s:
        for i in range(5):
            s.register(f'user{i}')
        until(lambda: m.connections > 0)
        slow, tap_ok = 0, True
        for _ in range(8):
            began = time.perf_counter()
            tap_ok = tap_ok and login(s, 'user1').status == 200
            slow = max(slow, time.perf_counter() - began)
        tap.check(tap_ok and slow < 30, 'a mail server that hangs keeps nobody waiting', slow)
        began = time.monotonic()
        status = s.kill(15)
        tap.check(status == 0 and time.monotonic() - began < 20,
                  'a try under way does not hold up the end', (status, time.monotonic() - began))
    with Smtp(fault='hang') as m, Server(binary, flags=mailing(
            m, mail__tls='off', mail__timeout='300ms', mail__retry='20ms', mail__attempts=2)) as s:
        s.register('alice')
        x = until(lambda: rows(s, 'SELECT * FROM mail_outbox WHERE is_dead'), 25)
        tap.check(x and x[0]['attempts'] == 2 and 'imeout' in x[0]['last_error'],
                  'after so many tries it is given up, and the reason is kept', x)
    for fault, tries in (('refuse', 1), ('later', 3), ('drop', 3)):
        with Smtp(fault=fault) as m, Server(binary, flags=mailing(m, mail__tls='off', mail__attempts=3,
                                                                  mail__timeout='200ms', mail__retry='20ms')) as s:
            s.register('alice')
            x = until(lambda: rows(s, 'SELECT * FROM mail_outbox WHERE is_dead'), 20)
            tap.check(x and x[0]['attempts'] == tries and m.connections == tries,
                      f'{fault}: {tries} tries', (x, m.connections, s.log()[-600:]))
            tap.check('alice@' not in s.log(), f'{fault}: the log names no address')
    with Smtp(tls='starttls', fault='plain') as m, Server(binary, flags=mailing(m, mail__attempts=1)) as s:
        s.register('alice')
        x = until(lambda: rows(s, 'SELECT * FROM mail_outbox WHERE is_dead'))
        tap.check(x and m.mails == [], 'without STARTTLS nothing is sent', (x, m.seen))
    with Smtp(tls='starttls') as m, Server(binary, flags=[*mailing(m, mail__attempts=1), '--set', 'mail.ca=']) as s:
        s.register('alice')
        x = until(lambda: rows(s, 'SELECT * FROM mail_outbox WHERE is_dead'))
        tap.check(x and m.mails == [], 'a certificate of nobody we know: nothing is sent', x)


def durable(binary):
    """Killed while mail waits: it is sent after the next start."""
    with Smtp() as m:
        m.fault = 'later'
        with Server(binary, flags=mailing(m, mail__tls='off', mail__timeout='500ms')) as s:
            s.register('alice')
            until(lambda: m.connections > 0)
            s.kill(9)
            m.fault = None
            s.start()
            got = m.wait(1)
            tap.check(len(got) == 1 and verify(s, got[0].code).status == 200,
                      'a mail that waited outlives kill -9', s.log()[-800:])


def none_sent(binary):
    with Server(binary) as s:
        s.register('alice')
        r = forgot(s, 'alice@example.org')
        tap.check(r.status == 503 and r.code == 'unavailable' and 'operator' in r.json['error']['message'],
                  'a server without mail says so', r)
        with open(f'/proc/{s.child.pid}/maps', encoding='ascii') as f:
            tap.check('libcurl' not in f.read(), 'and has nothing of libcurl in its memory')


for scenario in (verification, required, recovery, expiry, faults, durable, none_sent):
    scenario(sys.argv[1])
sys.exit(tap.done())
