"""58_tls_hostile.py NIGHTJARD: TLS 1.3 against a client that knows the
protocol and breaks it (tests/lib/tls13.py): after a real handshake records
that nobody should send, in every order and every cut; what a handshake may
and may not hold; tickets; what of the secrets stays in the server's memory.
The section is RFC 8446's where nothing else is said."""
import os
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'lib')]
from server import Server, Tap  # noqa: E402

try:
    import tls13
except ImportError:
    print('1..0 # SKIP python3-cryptography is not there')
    sys.exit(0)
from tls13 import (ALERT, CCS, DATA, HANDSHAKE, KEY_UPDATE, P256, SUITES, X25519,
                   Client, Ended, Keys, ext, message, plain, u8, u16)  # noqa: E402

tap = Tap()
GET = b'GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n'
BIG = b'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'
LAST = b'GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
HALF = b'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"a'
CLOSE = b'\1\0'
SPOKE = b'HTTP/1.1 200'


def bent(record, at=-1):
    b = bytearray(record)
    b[at] ^= 1
    return bytes(b)


def skip(c):
    c.write_keys.seq += 1
    return c.seal(DATA, GET)


def replay(c):
    r = c.seal(DATA, b'\r\n')
    return r + r


def swapped(c):
    first, second = c.seal(DATA, GET[:9]), c.seal(DATA, GET[9:])
    return second + first


def many(n, make):
    return lambda c: b''.join(make(c) for _ in range(n))


def old_key(c):
    """A record under the key that a KeyUpdate has ended."""
    old = c.write_keys
    return c.update() + c.seal(DATA, GET, keys=old)


def reseal(c, record):
    """The same sequence number again, by another content."""
    c.write_keys.seq -= 1
    return record


# (section, what, bytes, the alert). Each after one answered request.
BAD = [
    ('5.2', 'the last bit of a tag', lambda c: bent(c.seal(DATA, GET)), 'bad_record_mac'),
    ('5.2', 'the first bit of a body', lambda c: bent(c.seal(DATA, GET), 5), 'bad_record_mac'),
    ('5.2', 'another version in the head', lambda c: bent(c.seal(DATA, GET), 2), 'bad_record_mac'),
    ('5.2', 'bent padding', lambda c: bent(c.seal(DATA, GET, 500), -40), 'bad_record_mac'),
    ('5.3', 'a gap in the numbers', skip, 'bad_record_mac'),
    ('5.3', 'a record twice', replay, 'bad_record_mac'),
    ('5.3', 'two records swapped', swapped, 'bad_record_mac'),
    ('5.3', 'a number twice',
     lambda c: c.seal(DATA, b'\r\n') + reseal(c, b'') + c.seal(DATA, b'\n\r'), 'bad_record_mac'),
    ('7.1', 'under the handshake\'s key',
     lambda c: c.seal(DATA, GET, keys=c.early_keys), 'bad_record_mac'),
    ('7.1', 'under the server\'s key', lambda c: c.seal(
        DATA, GET, keys=Keys(c, c.read_keys.secret)), 'bad_record_mac'),
    ('7.2', 'under the key before a KeyUpdate', old_key, 'bad_record_mac'),
    ('7.2', 'under the next key, unannounced',
     lambda c: c.seal(DATA, GET, keys=c.write_keys.next()), 'bad_record_mac'),
    ('5.2', 'an empty record', lambda c: b'\x17\3\3\0\0', 'bad_record_mac'),
    ('5.2', 'a record too short for a tag', lambda c: b'\x17\3\3\0\x10' + bytes(16),
     'bad_record_mac'),
    ('5.2', 'a record of 2^14 + 257', lambda c: b'\x17\3\3\x41\1', 'record_overflow'),
    ('5.2', 'a length of 65535', lambda c: b'\x17\3\3\xff\xff', 'record_overflow'),
    ('5.4', '2^14 + 1 of content', lambda c: c.seal(DATA, bytes(16384) + b'x'),
     'record_overflow'),
    ('5.4', 'padding beyond 2^14 + 1', lambda c: c.seal(DATA, GET, 16384), 'record_overflow'),
    ('5.4', 'zeros only', lambda c: c.seal(None, b'', 100), 'unexpected_message'),
    ('5.4', 'nothing at all, sealed', lambda c: c.seal(None, b''), 'bad_record_mac'),
    ('5.4', 'one zero', lambda c: c.seal(None, b'\0'), 'unexpected_message'),
    ('5', 'an open alert', lambda c: plain(ALERT, CLOSE), 'unexpected_message'),
    ('5', 'an open change_cipher_spec', lambda c: plain(CCS, b'\1'), 'unexpected_message'),
    ('5', 'an open handshake', lambda c: plain(HANDSHAKE, KEY_UPDATE), 'unexpected_message'),
    ('5', 'plain HTTP', lambda c: GET, 'unexpected_message'),
    ('5', 'a sealed change_cipher_spec', lambda c: c.seal(CCS, b'\1'), 'unexpected_message'),
    ('5', 'heartbeat', lambda c: c.seal(24, b'\1\0\1x'), 'unexpected_message'),
    ('5', 'a type that nobody knows', lambda c: c.seal(99, GET), 'unexpected_message'),
    ('5.1', 'an empty handshake record', lambda c: c.seal(HANDSHAKE), 'unexpected_message'),
    ('5.1', 'an empty alert', lambda c: c.seal(ALERT), 'unexpected_message'),
    ('6', 'half an alert', lambda c: c.seal(ALERT, b'\1'), 'decode_error'),
    ('6', 'two alerts in one', lambda c: c.seal(ALERT, b'\1\x5a\1\0'), 'decode_error'),
    ('4.6.3', 'KeyUpdate of 2', lambda c: c.seal(HANDSHAKE, b'\x18\0\0\1\2'),
     'illegal_parameter'),
    ('4.6.3', 'KeyUpdate without a body', lambda c: c.seal(HANDSHAKE, b'\x18\0\0\0'),
     'decode_error'),
    ('4.6.3', 'a long KeyUpdate', lambda c: c.seal(HANDSHAKE, b'\x18\0\0\2\0\0'),
     'decode_error'),
    ('5.1', 'two KeyUpdates in a record', lambda c: c.seal(HANDSHAKE, KEY_UPDATE * 2),
     'unexpected_message'),
    ('5.1', 'data inside a KeyUpdate', lambda c: c.seal(HANDSHAKE, KEY_UPDATE[:3]) + c.seal(
        DATA, GET), 'unexpected_message'),
    ('5.1', 'no data inside a KeyUpdate', lambda c: c.seal(HANDSHAKE, KEY_UPDATE[:3]) + c.seal(
        DATA), 'unexpected_message'),
    ('5.1', 'an alert inside a KeyUpdate', lambda c: c.seal(HANDSHAKE, KEY_UPDATE[:1]) + c.seal(
        ALERT, CLOSE), 'unexpected_message'),
    ('4.1.2', 'another ClientHello', lambda c: c.seal(HANDSHAKE, message(1, bytes(80))),
     'unexpected_message'),
    ('4.6.1', 'a ticket of the client\'s', lambda c: c.seal(HANDSHAKE, message(4, bytes(40))),
     'unexpected_message'),
    ('4.6.2', 'a certificate that nobody asked for', lambda c: c.seal(
        HANDSHAKE, message(11, b'\0\0\0\0')), 'unexpected_message'),
    ('4.5', 'EndOfEarlyData', lambda c: c.seal(HANDSHAKE, message(5, b'')), 'unexpected_message'),
    ('4', 'Finished once more', lambda c: c.seal(HANDSHAKE, message(20, bytes(48))),
     'unexpected_message'),
    ('4', 'a HelloRequest', lambda c: c.seal(HANDSHAKE, message(0, b'')), 'unexpected_message'),
    ('-', 'a flood of nothing', many(200, lambda c: c.seal(DATA)), 'unexpected_message'),
    ('-', 'a flood of padding', many(200, lambda c: c.seal(DATA, b'', 16000)),
     'unexpected_message'),
    ('-', 'a flood of KeyUpdate', many(200, lambda c: c.update()), 'unexpected_message'),
    ('-', 'a flood of KeyUpdate that asks', many(200, lambda c: c.update(True)),
     'unexpected_message'),
    ('6.1', 'a flood of user_canceled', many(200, lambda c: c.seal(ALERT, b'\1\x5a')),
     'unexpected_message'),
]


def after(s):
    """Bad records: the right alert, then the end; before it nothing else."""
    for i, (section, what, make, want) in enumerate(BAD):
        for fragments in (None, 7) if i % 4 == 0 else (None,):
            with Client(s.tls_port, list(SUITES)[i % 3]) as c:
                c.handshake()
                c.ask(GET)
                try:
                    c.send(make(c), fragments)
                except OSError:
                    pass	# cut while we were still at it
                data, how = c.until_end()
                left, end = ('', how) if how in ('reset', 'end') else c.until_end()
                tap.check(how == want and end in ('end', 'reset') and not left and (
                    not data or b'400' in data), f'{section}: {what}', f'{how} {end} {data[:99]}')


def told(s):
    """What the client tells: the server goes, without a word where none is
    due."""
    for what, alert, want in [
            ('close_notify', CLOSE, 'close_notify'), ('close_notify as fatal', b'\2\0', 'close_notify'),
            ('a fatal alert', b'\2\x28', 'end'), ('an alert of level 1', b'\1\x2e', 'end'),
            ('an unknown alert', b'\1\xff', 'end')]:
        with Client(s.tls_port) as c:
            c.handshake()
            c.ask(GET)
            c.send(c.seal(ALERT, alert))
            data, how = c.until_end()
            tap.check(how == want and not data, f'6: {what} of the client: {want}', how)
    for what, tail in [('data', lambda c: c.seal(DATA, GET)), ('noise', lambda c: os.urandom(99)),
                       ('another key', lambda c: c.update() + c.seal(DATA, GET))]:
        with Client(s.tls_port) as c:
            c.handshake()
            c.send(c.seal(DATA, GET) + c.seal(ALERT, CLOSE) + tail(c))
            data, how = c.until_end()
            tap.check(data.count(SPOKE) == 1 and how in ('close_notify', 'reset'),
                      f'6.1: {what} behind close_notify is nothing', f'{how} {data[:50]}')
    with Client(s.tls_port) as c:
        c.handshake()
        c.send(c.seal(ALERT, b'\1\x5a') + c.seal(DATA, LAST))
        data, how = c.until_end()
        tap.check(SPOKE in data and how == 'close_notify', '6.1: user_canceled, then data', how)
    for what, piece in [
            ('half a body', lambda c: c.seal(DATA, HALF)), ('nothing', lambda c: b''),
            ('half a record', lambda c: c.seal(DATA, GET)[:20]),
            ('half a body, half a record', lambda c: c.seal(DATA, HALF) + c.seal(DATA, GET)[:9]),
            ('a KeyUpdate', lambda c: c.update(True)), ('the head of a record', lambda c: b'\x17\3')]:
        with Client(s.tls_port) as c:
            c.handshake()
            c.ask(GET)
            c.sock.sendall(piece(c))
            c.sock.shutdown(1)
            began = time.monotonic()
            data, how = c.until_end()
            tap.check(not data and how in ('end', 'reset') and time.monotonic() - began < 3,
                      f'6.1: {what}, then a FIN: the end at once', f'{how} {data[:50]}')


def good(s):
    """What looks odd and is right."""
    for suite in SUITES:
        with Client(s.tls_port, suite) as c:
            c.handshake()
            n = 0
            for pad in (0, 1, 255, 1000, 16384 - len(GET)):
                n += SPOKE in c.ask(GET, pieces=c.seal(DATA, GET, pad))
            tap.check(n == 5, f'5.4: {suite:x}: padding')
            n = 0
            for ask in (False, True) * 15:
                n += SPOKE in c.ask(GET, pieces=c.update(ask) + c.seal(DATA, GET))
            tap.check(n == 30 and c.updates == 15, f'4.6.3: {suite:x}: keys change',
                      f'{n} {c.updates}')
            n = SPOKE in c.ask(GET, pieces=c.update_in_pieces() + c.seal(DATA, GET))
            tap.check(n and c.updates == 16, f'5.1: {suite:x}: a KeyUpdate in pieces')
    with Client(s.tls_port) as c:
        c.handshake()
        c.send(c.seal(DATA, LAST[:21] + b'X-Long: ') + b''.join(
            c.update(True) + c.seal(DATA, b'x') for _ in range(500)) + c.seal(DATA, LAST[19:]))
        data, how = c.until_end()
        tap.check(SPOKE in data and how == 'close_notify' and 1 <= c.updates <= 500,
                  '4.6.3: asked 500 times for new keys', f'{how} {c.updates} {data[:60]}')
    with Client(s.tls_port) as c:
        c.handshake()
        c.send(b''.join(c.seal(DATA, bytes([b])) for b in GET) + c.seal(DATA, LAST), 3)
        data, how = c.until_end()
        tap.check(data.count(SPOKE) == 2 and how == 'close_notify', 'a byte a record', how)
    with Client(s.tls_port) as c:
        c.handshake()
        c.send(b'\x17\3\1' + c.seal(DATA, GET)[3:])
        tap.check(c.until_end()[1] == 'bad_record_mac', '5.2: the version is authenticated')


def apart(s):
    """Connections of a reactor share cipher contexts: what one breaks is its
    own, whatever the others were in the middle of."""
    for suite in SUITES:
        cs = [Client(s.tls_port, suite) for _ in range(6)]
        for c in cs:
            c.handshake()
        n = 0
        for i in range(60):
            c = cs[i % 6]
            if i % 7 == 3:
                c.sock.sendall(bent(c.seal(DATA, GET, i * 9)))
                n += c.until_end()[1] == 'bad_record_mac'
                c.sock.close()
                cs[i % 6] = c = Client(s.tls_port, suite)
                c.handshake()
            half = c.seal(DATA, GET, i * 11)
            c.sock.sendall(half[:i + 3])
            other = cs[(i + 1) % 6]
            n += SPOKE in other.ask(GET, pieces=other.update(i % 2 == 0) + other.seal(DATA, GET))
            n += SPOKE in c.ask(GET, pieces=half[i + 3:])
        tap.check(n == 129, f'{suite:x}: connections side by side, some of them broken', n)
        for c in cs:
            c.sock.close()


def flights(s):
    """What comes right behind Finished, in one piece or cut: the records that
    OpenSSL read no more are ours."""
    def early(what, tail, want, fragments=None):
        with Client(s.tls_port) as c:
            finished = c.handshake(finish=False)
            out = plain(CCS, b'\1') + c.seal(HANDSHAKE, finished)
            c.finish()
            try:
                c.send(out + tail(c), fragments)
            except OSError:
                pass
            data, how = c.until_end()
            tap.check((data.count(SPOKE), how) == want,
                      f'behind Finished: {what}' + (f' by {fragments}' if fragments else ''),
                      f'{data.count(SPOKE)} {how}')
    for n in (None, 1, 5, 100):
        early('a request', lambda c: c.seal(DATA, LAST), (1, 'close_notify'), n)
        early('many requests', lambda c: b''.join(
            c.seal(DATA, GET) for _ in range(9)) + c.seal(DATA, LAST), (10, 'close_notify'), n)
        early('new keys, a request', lambda c: c.update(True) + c.seal(DATA, LAST),
              (1, 'close_notify'), n)
        early('new keys, thrice', lambda c: c.update() + c.update(True) + c.seal(
            DATA, GET) + c.update() + c.seal(DATA, LAST), (2, 'close_notify'), n)
        early('close_notify', lambda c: c.seal(ALERT, CLOSE), (0, 'close_notify'), n)
        early('noise', lambda c: b'\x17\3\3\0\x20' + bytes(32), (0, 'bad_record_mac'), n)
        early('change_cipher_spec', lambda c: plain(CCS, b'\1'), (0, 'unexpected_message'), n)
    with Client(s.tls_port) as c:
        finished = c.handshake(finish=False)
        out = c.seal(HANDSHAKE, finished)
        c.finish()
        rest = c.seal(DATA, LAST)
        c.send(out + rest[:9])
        time.sleep(0.2)
        c.send(rest[9:])
        tap.check(c.until_end()[1] == 'close_notify', 'behind Finished: half a record, the rest late')
    for what, tail in [('KeyUpdate', KEY_UPDATE), ('half a message', b'\x18\0')]:
        with Client(s.tls_port) as c:
            finished = c.handshake(finish=False)
            c.send(c.seal(HANDSHAKE, finished + tail))
            c.finish()
            how = c.until_end()[1]
            tap.check(how == 'unexpected_message', f'5.1: {what} in the record of Finished', how)
    with Client(s.tls_port) as c:
        finished = c.handshake(finish=False)
        c.send(c.seal(HANDSHAKE, finished[:7]) + c.seal(HANDSHAKE, finished[7:]))
        c.finish()
        tap.check(SPOKE in c.ask(GET), '5.1: Finished in two records')
    with Client(s.tls_port) as c:
        finished = c.handshake(finish=False)
        c.send(c.seal(HANDSHAKE, bent(finished)))
        c.finish()
        how = c.until_end()[1]
        tap.check(how == 'decrypt_error', '4.4.4: a wrong Finished', how)
    with Client(s.tls_port) as c:
        c.handshake(finish=False)
        c.send(c.seal(DATA, GET))
        c.finish()
        data, how = c.until_end()
        tap.check(how == 'unexpected_message' and not data, 'data in the place of Finished', how)


def handshakes(s):
    def one(what, check, suite=0x1302, session=None, **options):
        with Client(s.tls_port, suite, session) as c:
            try:
                c.handshake(**options)
                spoke = SPOKE in c.ask(GET)
                tap.check(spoke and check(c), what, f'{c.seen} {c.extensions}')
            except (Ended, AssertionError) as e:
                tap.check(check is None or check == str(e), what, f'ended: {e}')
    full, resumed = [8, 11, 15, 20], [8, 20]
    for fragments in (1, 3, 64):
        one(f'bytes by {fragments}', lambda c: c.seen == full, fragments=fragments)
    retry = {'shares': [(P256, b'\4' + bytes(64))], 'groups': (P256, X25519)}
    one('4.1.4: HelloRetryRequest', lambda c: c.retried and c.seen == full, **retry)
    one('4.1.4: and without any share', lambda c: c.retried, shares=[], fragments=1)
    one('4.2.7: no group of ours', 'handshake_failure', groups=(P256,), shares=[])
    one('4.2.1: TLS 1.2 alone', 'protocol_version', versions=(0x0303,))
    one('4.2.1: no versions at all', 'protocol_version', versions=())
    one('4.6.2: nobody asks for a certificate of the client', lambda c: 13 not in c.seen,
        more=ext(49, b''))
    one('4.2.10: early data without a ticket', lambda c: 42 not in c.extensions, early=True)
    one('7301 3.2: h2 alone', 'no_application_protocol', more=ext(16, u16(u8(b'h2'))))
    one('7301 3.2: http/1.1', lambda c: c.extensions[16] == u16(u8(b'http/1.1')),
        more=ext(16, u16(u8(b'h2') + u8(b'http/1.1'))))
    # Tickets.
    with Client(s.tls_port) as c:
        c.handshake()
        c.ask(GET)
        tap.check(len(c.tickets) == 1 and 0 < c.tickets[0]['life'] <= 7 * 86400,
                  '4.6.1: one ticket, for seven days at most', repr(c.tickets)[:99])
        tap.check(c.tickets[0]['extensions'] == b'\0\0', '4.2.10: none for early data')
        session = c.tickets[0]['session']
    one('a ticket: resumed, and another for the next time', lambda c: c.resumed and
        c.seen == resumed and len(c.tickets) == 1 and c.tickets[0]['session'][0] != session[0],
        session=session)
    one('and again', lambda c: c.resumed, session=session)
    one('resumed by another name and protocol', lambda c: c.resumed, session=session,
        more=ext(16, u16(u8(b'http/1.1'))))
    one('resumed with HelloRetryRequest', lambda c: c.resumed and c.retried, session=session,
        **retry)
    one('resumed by pieces', lambda c: c.resumed, session=session, fragments=1)
    one('4.2.10: early data is not taken', lambda c: c.resumed and 42 not in c.extensions,
        session=session, early=True, between=b'\x17\3\3\0\x40' + os.urandom(64))
    one('4.2.10: nor much of it', lambda c: c.resumed, session=session, early=True,
        between=(b'\x17\3\3\4\0' + os.urandom(1024)) * 12)
    one('4.2.9: psk_ke alone is not resumed', lambda c: not c.resumed, session=session,
        modes=b'\0')
    one('4.2.11: a wrong binder', 'decrypt_error', session=session, binder=bytes(48))
    one('a ticket that nobody made', lambda c: not c.resumed,
        session=(os.urandom(len(session[0])), session[1], session[2]))
    one('a ticket that was changed', lambda c: not c.resumed,
        session=(bent(session[0], 60), session[1], session[2]))
    one('a ticket of no length to speak of', lambda c: not c.resumed,
        session=(b'x', session[1], session[2]))
    one('a ticket of another hash', lambda c: not c.resumed, suite=0x1301, session=(
        session[0], session[1][:32], session[2]))
    with Server(sys.argv[1]) as other:
        with Client(other.tls_port, session=session) as c:
            c.handshake()
            tap.check(SPOKE in c.ask(GET) and not c.resumed, 'a ticket of another server')


def fragments(s):
    """RFC 6066 4: max_fragment_length binds both ends."""
    for mode, most in ((1, 512), (2, 1024), (3, 2048), (4, 4096)):
        with Client(s.tls_port) as c:
            c.handshake(more=ext(1, bytes([mode])))
            agreed = c.extensions.get(1) == bytes([mode])
            c.send(c.seal(DATA, BIG))
            sizes, got = set(), b''
            while b'\r\n\r\n' not in got or len(got) < 9000:
                got += c.read()[1]
                sizes.add(c.size - 17)
            tap.check(agreed and max(sizes) == most, f'6066 4: no more than {most}', repr(sizes))
            while not c_quiet(c):
                pass
            c.send(c.seal(DATA, b'\r\n' * (most // 2)) + c.seal(DATA, b'\r\n' * (most // 2 + 1)))
            how = c.until_end()[1]
            tap.check(how == 'record_overflow', f'6066 4: {most + 2} bytes are refused', how)


def c_quiet(c):
    c.sock.settimeout(0.3)
    try:
        c.read()
        return False
    except Ended:
        return True
    finally:
        c.sock.settimeout(10)


def memory(s):
    """No secret of a connection outlives it in the server's memory, and while
    it lives there are those that its records need, no others."""
    def count(needles):
        n = dict.fromkeys(needles, 0)
        with open(f'/proc/{s.child.pid}/maps', encoding='ascii') as maps, \
                open(f'/proc/{s.child.pid}/mem', 'rb') as mem:
            for line in maps:
                a, b = (int(x, 16) for x in line.split()[0].split('-'))
                # What is larger is a sanitizer's.
                if 'w' not in line.split()[1] or b - a > 1 << 28:
                    continue
                try:
                    mem.seek(a)
                    block = mem.read(b - a)
                except OSError:
                    continue
                for k in n:
                    n[k] += block.count(needles[k])
        return {k for k in n if n[k]}
    for suite in SUITES:
        with Client(s.tls_port, suite) as c:
            c.handshake()
            c.ask(GET)
            old = c.application
            needles = {'client handshake': c.client_secret, 'server handshake': c.server_secret,
                       'master': c.master, 'client': c.application, 'server': c.read_keys.secret,
                       'client, as a text': c.application.hex().encode(), 'key': c.write_keys.key,
                       'resumption': c.derive(c.master, b'res master', c.transcript),
                       'ticket': c.tickets[0]['session'][1]}
            try:
                live = count(needles)
            except PermissionError:
                print('# the memory of the server can not be read here')
                return
            tap.check(live == {'client', 'server', 'key'}, f'{suite:x}: secrets while it lives',
                      repr(live))
            c.ask(GET, pieces=c.update(True) + c.seal(DATA, GET))
            tap.check(not count({'client': old, 'server': needles['server']}),
                      f'7.2: {suite:x}: the secrets before a KeyUpdate are gone')
            needles['next'] = c.write_keys.secret
            c.send(c.seal(ALERT, CLOSE))
            c.until_end()
        time.sleep(0.1)
        left = count(needles)
        tap.check(not left, f'{suite:x}: no secret outlives its connection', repr(left))


keylog = os.path.join('/tmp', f'nightjar-keylog-{os.getpid()}')
os.environ['SSLKEYLOGFILE'] = keylog
with Server(sys.argv[1]) as server:
    for scenario in (good, after, told, apart, flights, handshakes, fragments, memory):
        scenario(server)
    tap.check(not os.path.exists(keylog), 'SSLKEYLOGFILE gets nothing')
    tap.check(server.rest('GET', '/ready').status == 200, 'the server goes on')
    for connection in ('good', 'again'):
        with Client(server.tls_port) as last:
            last.handshake()
            tap.check(SPOKE in last.ask(GET), f'and so does TLS, {connection}')
sys.exit(tap.done())
