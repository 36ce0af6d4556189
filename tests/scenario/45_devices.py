"""45_devices.py NIGHTJARD NIGHTJAR: real devices, made by the command line:
what is given out of their prekeys, what a send to other devices than the
present ones gets, and who hears of changes, how often."""
import base64
import os
import sqlite3
import subprocess
import sys
import threading
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib'),
                os.path.dirname(__file__)]
from server import PASSWORD, Server, Tap  # noqa: E402
from sio import Sio  # noqa: E402

tap = Tap()
PAIR, HOUR = 5, 30      # limits.prekeys_pair, limits.prekeys_device


def cli(s, profile, *args):
    home = os.path.join(s.root, 'home')
    os.makedirs(home, exist_ok=True)
    r = subprocess.run(
        [sys.argv[2], '--server', f'http://127.0.0.1:{s.port}', '--profile',
         profile, *args], env={**os.environ, 'HOME': home,
                               'NIGHTJAR_PASSWORD': PASSWORD},
        timeout=120, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False)
    if r.returncode != 0:
        raise RuntimeError(f'{profile} {args}: {r.returncode} {r.stderr}')


def join(s, name):
    """(user id, token of a session by password) of somebody with a device."""
    cli(s, name, 'register', '--username', name, '--email', f'{name}@example.org')
    d = s.rest('POST', '/api/auth/login',
               {'username': name, 'password': PASSWORD}).data
    return d['user']['id'], d['tokens']['accessToken']


def speak_for(s, token, user, device):
    """A session by password made to speak for a device, past its proof."""
    db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=20)
    session = token.split('.')[1]
    session = base64.urlsafe_b64decode(session + '=' * (-len(session) % 4))
    sid = uuid.UUID(__import__('json').loads(session)['sid']).bytes
    with db:
        n = db.execute('UPDATE sessions SET device_id = ? WHERE id = ? AND '
                       'user_id = ?', (device, sid, uuid.UUID(user).bytes)).rowcount
    db.close()
    tap.check(n == 1, 'a session speaks for a device', n)



def ask(s, whom, token):
    r = s.rest('POST', f'/api/users/{whom}/prekey-bundles', {}, token)
    if r.status != 200 or len(r.data['bundles']) != 1:
        raise RuntimeError(repr(r))
    return r.data['bundles'][0]['leaves']


def left(s, token):
    return s.rest('GET', '/api/devices/1/prekeys/count', token=token).data['left']


def prekeys(s):
    bob, t = join(s, 'bobby')
    full = left(s, t)
    last, given, asked = None, [], 0
    for n in range(8):
        who = s.register(f'asker{n}')
        for i in range(PAIR + 2):
            leaves = ask(s, bob, who[1])
            asked += 1
            one = leaves[1]['leaf']
            if i < PAIR and len(given) < HOUR:
                given.append(one)
                continue
            last = last or one
            if one != last or one in given:
                tap.check(False, f'asked {i + 1} times, after {len(given)}: '
                          'the last-resort key')
                return
    tap.check(len(given) == HOUR and len(set(given)) == HOUR,
              '30 one-time keys an hour, each given once', len(given))
    tap.check(last is not None and last not in given,
              f'5 to one person, 30 in all; then the last-resort key ({asked} asked)')
    tap.check(left(s, t) == full - HOUR, 'the rest is there', (full, left(s, t)))
    hears = Sio(s.port, t)
    tap.check(hears.refused is None, 'its owner comes')
    hears.close()


def at_once(s):
    """Six people ask at the same moment: none gets what another one got."""
    carla, t = join(s, 'carla')
    full, got = left(s, t), []
    askers = [s.register(f'hasty{n}')[1] for n in range(6)]

    def run(token):
        for _ in range(PAIR):
            got.append(ask(s, carla, token)[1]['leaf'])
    threads = [threading.Thread(target=run, args=(x,)) for x in askers]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    tap.check(len(got) == HOUR and len(set(got)) == HOUR and left(s, t) == full - HOUR,
              '30 of them asked for by six at once: each given once', (len(got), len(set(got))))


def send(s, token, chat, keys, **more):
    return s.rest('POST', f'/api/chats/{chat}/messages', {
        'suite': 'ratchet', 'clientMessageId': str(uuid.uuid4()),
        'encryptedContent': base64.b64encode(bytes(100)).decode(),
        'iv': base64.b64encode(bytes(12)).decode(),
        'encryptedKeys': {k: base64.b64encode(bytes(40)).decode()
                          for k in keys}, **more}, token)


def notes(s):
    """For no device: in the chat with oneself, from the only one there is."""
    dora, t = join(s, 'dora')
    eve, _ = join(s, 'eve')
    speak_for(s, t, dora, 1)
    own, other = s.chat(t, dora), s.chat(t, eve)
    r = send(s, t, own, [])
    tap.check(r.status == 201, 'a note to oneself, from the only device', r)
    note = r.data['messageId']
    r = s.rest('PUT', f'/api/messages/{note}', {
        'encryptedContent': base64.b64encode(bytes(80)).decode(),
        'iv': base64.b64encode(bytes(12)).decode(), 'encryptedKeys': {},
        'clientMessageId': str(uuid.uuid4())}, t)
    tap.check(r.status == 200, 'and its edit', r)
    r = send(s, t, own, [f'{dora}.2'])
    tap.check(r.status == 409 and r.code == 'devices_changed',
              'to a device that is none: 409', r)
    for what, chat, more in (
            ('a message to somebody for no device', other, {}),
            ('an event between devices for none', own,
             {'messageType': 'event'})):
        r = send(s, t, chat, [], **more)
        tap.check(r.status == 400 and
                  r.json['error']['details'][0]['field'] == 'encryptedKeys',
                  f'{what}: 400', r)


def changes(s):
    alice, ta = join(s, 'alice')
    carol, tc = join(s, 'carol')
    speak_for(s, ta, alice, 1)
    chat = s.chat(ta, carol)
    one = f'{carol}.1'
    r = send(s, ta, chat, [one])
    tap.check(r.status == 201, 'a send to the present devices is taken', r)
    for name, keys, missing, extra in (
            ('to none of them', [f'{alice}.7'], [one], [f'{alice}.7']),
            ('to one too many', [one, f'{carol}.2'], [], [f'{carol}.2']),
            ('to the sending device', [one, f'{alice}.1'], [], [f'{alice}.1'])):
        r = send(s, ta, chat, keys)
        d = (r.json.get('error') or {}).get('details') or {}
        tap.check(r.status == 409 and r.code == 'devices_changed' and
                  d.get('missing') == missing and d.get('extra') == extra and
                  d.get('listVersions') == {alice: 1, carol: 1},
                  f'{name}: 409 says which', r)
    # Alice shares three chats with Carol, who starts over.
    group = {'type': 'group', 'name': 'All', 'memberIds': [carol]}
    for _ in range(2):
        s.rest('POST', '/api/chats', group, ta)
    ears = Sio(s.port, ta)
    cli(s, 'carol2', 'login', '--username', 'carol', '--start-over', '--yes')
    hears = [ears.event('keys:changed'), ears.event('device:removed'),
             ears.event('device:added')]
    tap.check(all(h['userId'] == carol for h in hears) and
              hears[1]['deviceId'] == 1 and hears[2]['deviceId'] == 2,
              'who starts over: contacts hear of key and devices', hears)
    tap.check(all(ears.quiet(n, 0.3) for n in
                  ('keys:changed', 'device:removed', 'device:added')),
              'and once, though they share three chats', ears.events)
    r = s.rest('GET', '/api/sync?after=0&limit=1000', token=ta)
    names = [e['event'] for e in r.data['events'] if
             e['data'].get('userId') == carol]
    tap.check(names.count('keys:changed') == 1 and
              names.count('device:removed') == 1, 'so does sync say', names)
    r = send(s, ta, chat, [one])
    d = r.json['error']['details']
    tap.check(r.status == 409 and d['missing'] == [f'{carol}.2'] and
              d['extra'] == [one] and d['listVersions'][carol] == 2,
              'a send to the old device: 409 names the new one', r)
    r = send(s, ta, chat, [f'{carol}.2'])
    tap.check(r.status == 201, 'to the new one: taken', r)
    tap.check(s.rest('GET', '/api/auth/me', token=tc).status == 401,
              'sessions of before have ended')
    ears.close()


def main():
    with Server(sys.argv[1], flags=['--set', f'limits.prekeys_pair={PAIR}/1d',
                '--set', f'limits.prekeys_device={HOUR}/1h']) as s:
        prekeys(s)
        at_once(s)
        changes(s)
        notes(s)
    return tap.done()


sys.exit(main())
