"""50_lifecycle.py NIGHTJARD: sessions from login to logout, the limits as they
are by default, configuration, start and stop."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import PASSWORD, Server, Tap, free_port  # noqa: E402
from sio import Closed, Sio  # noqa: E402

tap = Tap()
BINARY = sys.argv[1]


def login(s, name, password=PASSWORD):
    return s.rest('POST', '/api/auth/login', {'username': name, 'password': password})


def refreshing(s):
    _, access, refresh = s.register('alice')
    k = Sio(s.port, access)
    k.event('connection:acknowledged')
    r = s.rest('POST', '/api/auth/refresh', {'refreshToken': refresh})
    second = r.data
    tap.check(r.status == 200 and second['refreshToken'] != refresh,
              'refresh gives another refresh token', r)
    tap.check(s.rest('GET', '/api/auth/me', token=second['accessToken']).status == 200,
              'and an access token that works')
    r = s.rest('POST', '/api/auth/refresh-token', {'refreshToken': second['refreshToken']})
    third = r.data
    tap.check(r.status == 200, 'the alias refreshes, too', r)
    r = s.rest('POST', '/api/auth/refresh', {'refreshToken': refresh})
    tap.check(r.status == 401 and r.code == 'token_reused', 'a used one is refused', r)
    tap.check(k.event('session:ended') == {'reason': 'token_reused'},
              'and its session ends')
    for name, r in (
            ('access', s.rest('GET', '/api/auth/me', token=third['accessToken'])),
            ('refresh', s.rest('POST', '/api/auth/refresh',
                               {'refreshToken': third['refreshToken']}))):
        tap.check(r.status == 401 and r.code == 'invalid_token',
                  f'with its newest {name} token', r)
    for name, body in (('access token', {'refreshToken': access}),
                       ('garbage', {'refreshToken': 'x'})):
        r = s.rest('POST', '/api/auth/refresh', body)
        tap.check(r.status == 401 and r.code == 'invalid_token', f'refresh by {name}', r)
    r = s.rest('POST', '/api/auth/refresh', {})
    tap.check(r.status == 400, 'refresh by nothing', r)


def sessions(s):
    a = login(s, 'alice').data['tokens']['accessToken']
    b = login(s, 'ALICE@example.org').data['tokens']['accessToken']
    k = Sio(s.port, b)
    k.event('connection:acknowledged')
    r = s.rest('GET', '/api/auth/sessions', token=a)
    mine = [x for x in r.data['sessions'] if x['current']]
    tap.check(len(r.data['sessions']) == 2 and len(mine) == 1, 'two sessions, one mine', r)
    other = [x['id'] for x in r.data['sessions'] if not x['current']][0]
    tap.check(s.rest('DELETE', f'/api/auth/sessions/{other}', token=a).status == 200 and
              k.event('session:ended') == {'reason': 'signed_out'},
              'one signs the other out')
    tap.check(s.rest('GET', '/api/auth/me', token=b).status == 401, 'its token is refused')
    c = login(s, 'alice').data['tokens']['accessToken']
    bad = s.rest('PUT', '/api/auth/password', {
        'currentPassword': 'wrong', 'newPassword': 'Zr4!kkmQpw'}, a)
    tap.check(bad.status == 401 and bad.code == 'invalid_credentials',
              'a password changes only by the present one', bad)
    r = s.rest('PUT', '/api/auth/password', {
        'currentPassword': PASSWORD, 'newPassword': 'Zr4!kkmQpw'}, a)
    tap.check(r.status == 200 and
              s.rest('GET', '/api/auth/me', token=a).status == 200 and
              s.rest('GET', '/api/auth/me', token=c).status == 401,
              'a changed password ends the other sessions', r)
    tap.check(login(s, 'alice').status == 401 and
              login(s, 'alice', 'Zr4!kkmQpw').status == 200, 'only the new one signs in')


def same_words(s):
    """Whoever does not exist hears the same as who mistyped, as late."""
    def took(name):
        began = time.monotonic()
        r = login(s, name, 'Wrong-Horse-7')
        return time.monotonic() - began, r
    times = {'alice': [], 'nobody': []}
    answers = {}
    # The least of each is compared: others may use the processor, too.
    for i in range(20):
        for name, all_of in times.items():
            t, r = took(name)
            all_of.append(t)
            answers[name] = (r.status, r.json['error'])
        a, n = min(times['alice']), min(times['nobody'])
        if i >= 3 and 0.5 < a / n < 2:
            break
    tap.check(answers['alice'] == answers['nobody'] and answers['alice'][0] == 401,
              'the same words', answers)
    tap.check(0.5 < a / n < 2, 'about the same time', times)


def limits():
    with Server(BINARY, limits=True) as s:
        status = [login(s, f'nobody{i}').status for i in range(6)]
        tap.check(status == [401] * 5 + [429], 'five logins per address', status)
        r = login(s, 'x')
        tap.check(r.code == 'rate_limited' and int(r.headers['Retry-After']) > 0 and
                  r.headers['RateLimit-Limit'] == '5' and
                  r.headers['RateLimit-Remaining'] == '0', 'and it says how long', r.headers)
        for i in range(3):
            token = s.register(f'user{i}')[1]
        r = s.rest('POST', '/api/auth/register', {
            'username': 'user9', 'email': 'u9@example.org', 'password': PASSWORD})
        tap.check(r.status == 429, 'three registrations per address', r)
        left = [int(s.rest('GET', '/api/auth/me', token=token).headers['RateLimit-Remaining'])
                for _ in range(3)]
        tap.check(left == [99, 98, 97], 'RateLimit-Remaining counts', left)
        status = {s.rest('GET', '/api/auth/me', token=token).status for _ in range(98)}
        tap.check(status == {200, 429}, 'a hundred requests per user', status)
        socks = [Sio(s.port, token) for _ in range(6)]
        refused = [k for k in socks if k.refused]
        tap.check(len(refused) == 1 and refused[0].refused['data']['code'] == 'rate_limited',
                  'five connections a minute', [k.refused for k in socks])
        bad = [s.rest('GET', '/api/auth/me', token='x').status for _ in range(101)]
        tap.check(bad[0] == 401 and bad[-1] == 429, 'guessing tokens is limited', bad[-3:])


def backoff(s):
    s.register('victim')
    status = [login(s, 'victim', 'Wrong-Horse-7').status for _ in range(4)]
    tap.check(status == [401, 401, 401, 429], 'from the third failure an account waits', status)
    r = login(s, 'victim')
    tap.check(r.status == 429 and 1 <= int(r.headers['Retry-After']) <= 2,
              'even with the right password', r)
    time.sleep(int(r.headers['Retry-After']) + 0.1)
    tap.check(login(s, 'victim').status == 200, 'and then signs in')


def start(*flags, env=None):
    """Runs nightjard, which is expected to end: (status, what it said)."""
    r = subprocess.run([BINARY, *flags], capture_output=True, text=True, timeout=30,
                       env={**os.environ, **(env or {})}, check=False)
    return r.returncode, r.stdout + r.stderr


def starting(s):
    with tempfile.TemporaryDirectory() as root:
        d = os.path.join(root, 'data')
        off = ('--set', 'listen.https=', '--set', f'listen.http=127.0.0.1:{free_port()}')
        off_port = free_port()
        conf = os.path.join(root, 'conf.json')
        with open(conf, 'w', encoding='utf-8') as f:
            f.write('{"limits":{"loginn":"5/1m"}}')
        for name, flags, env, says in (
                ('unknown flag', ('--what',), {}, '--what'),
                ('unknown command', ('dance',), {}, 'serve, init'),
                ('unknown key', ('--set', 'limits.loginn=0'), {}, 'limits.loginn'),
                ('bad value', ('--set', 'limits.login=often'), {}, 'limits.login'),
                ('unknown variable', (), {'NIGHTJARD_LOGIN': '1'}, 'NIGHTJARD_LOGIN'),
                ('unknown key in the file', ('--config', conf), {}, 'limits.loginn'),
                ('file that is not', ('--config', '/nowhere.json'), {}, '/nowhere.json'),
                ('port in use', ('--data', d, '--set', 'listen.https=', '--set',
                                 f'listen.http=127.0.0.1:{s.port}'), {}, str(s.port)),
                ('one of its own twice', ('--data', d, '--set', 'listen.https=', '--set',
                                          f'listen.http=[::]:{off_port},0.0.0.0:{off_port}'),
                 {}, '[::] alone is IPv4, too'),
                ('data in use', ('--data', s.data, *off), {}, s.data),
                ('no address', ('--data', d, '--set', 'listen.http=3000', '--set',
                                'listen.https='), {}, 'listen.http')):
            status, said = start(*flags, env=env)
            tap.check(status != 0 and says in said and len(said.splitlines()) == 1,
                      f'start: {name} is refused in one line', (status, said))
        status, said = start('init', '--data', d)
        modes = {n: oct(os.stat(os.path.join(d, n)).st_mode & 0o777)
                 for n in ('jwt.key', 'tls.key')}
        tap.check(status == 0 and set(modes.values()) == {'0o600'} and
                  os.stat(d).st_mode & 0o777 == 0o700, 'init makes private secrets', modes)
        os.chmod(os.path.join(d, 'jwt.key'), 0o644)
        status, said = start('serve', '--data', d, *off)
        tap.check(status != 0 and 'jwt.key' in said, 'a secret that others read is refused',
                  said)
    status, said = start('--version')
    tap.check(status == 0 and said.startswith('nightjard '), '--version', said)
    status, said = start('--help')
    tap.check(status == 0 and 'limits.login' in said, '--help has the keys', said[:200])
    status, said = start('health', '--set', f'listen.http=127.0.0.1:{s.port}')
    tap.check(status == 0, 'health of a running server', said)
    status, said = start('health', '--set', f'listen.http=127.0.0.1:{free_port()}')
    tap.check(status == 1, 'health of none', said)


def reload_and_stop():
    with tempfile.TemporaryDirectory() as root:
        conf = os.path.join(root, 'conf.json')

        def write(x):
            with open(conf, 'w', encoding='utf-8') as f:
                f.write(json.dumps(x))
        write({'accounts': {'registration': 'open'}})
        with Server(BINARY, flags=['--config', conf]) as s:
            token = s.register('alice')[1]

            def until(status):
                for _ in range(400):
                    r = s.rest('POST', '/api/auth/register', {
                        'username': 'ab_c', 'email': 'b@example.org',
                        'password': 'P@ssw0rd1'})
                    if r.status == status:
                        return True
                    time.sleep(0.05)
                return False
            write({'accounts': {'registration': 'closed'}})
            s.child.send_signal(signal.SIGHUP)
            tap.check(until(403), 'SIGHUP takes live keys over')
            write({'accounts': {'registration': 'ajar'}})
            s.child.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            tap.check(until(403) and 'reload_refused' in s.log(), 'a bad file is refused')
            write({'accounts': {'registration': 'open'}})
            for i in range(80):
                before = s.log().count('"reload')
                s.child.send_signal(signal.SIGHUP)
                end = time.monotonic() + 20
                while s.log().count('"reload') == before and time.monotonic() < end:
                    time.sleep(0.002)
            tap.check('too many reloads' in s.log() and s.rest('GET', '/ready').status == 200,
                      'reloads without end are refused by name, and the server goes on')
            k = Sio(s.port, token)
            k.event('connection:acknowledged')
            began = time.monotonic()
            s.child.send_signal(signal.SIGTERM)
            try:
                while True:
                    k.pump()
            except Closed as e:
                tap.check(e.code == 1001, 'SIGTERM closes sockets with 1001', e.code)
            status = s.child.wait(30)
            s.child = None
            tap.check(status == 0 and time.monotonic() - began < 30,
                      'and ends soon with status 0', (status, s.log()[-300:]))
            write({'accounts': {'registration': 'open'}})
            took = s.start()
            tap.check(s.rest('GET', '/api/auth/me', token=token).status == 200,
                      'a session outlives a restart')
            s.kill(signal.SIGKILL)
            s.start()
            tap.check(s.rest('GET', '/api/auth/me', token=token).status == 200,
                      f'and a SIGKILL (ready after {took:.3f} s)')


with Server(BINARY, flags=['--set', 'accounts.backoff_max=0s']) as server:
    refreshing(server)
    sessions(server)
    same_words(server)
    starting(server)
with Server(BINARY) as server:
    backoff(server)
limits()
reload_and_stop()
sys.exit(tap.done())
