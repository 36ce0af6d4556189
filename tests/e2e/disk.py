#!/usr/bin/python3
"""disk.py NIGHTJARD: the disk is full, or the data directory cannot be written.

A full disk is made by a limit on file size that the running server gets
(setrlimit by prlimit): every write beyond it fails as on a full disk. No send
may be acknowledged then, nothing that was acknowledged may be lost, and the
server goes on by itself once there is room again. Prints TAP.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from server import Server, Tap, free_port  # noqa: E402

tap = Tap()


def file_limit(pid, size):
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def history(s, token, chat):
    texts, after = [], 0
    while True:
        r = s.rest('GET', f'/api/chats/{chat}/messages?after={after}&limit=100',
                   token=token)
        got = r.data['messages']
        if not got:
            return texts
        texts += [m['encryptedContent'] for m in got]
        after = got[-1]['position']


def until(s, path, status, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if s.rest('GET', path).status == status:
            return True
        time.sleep(0.1)
    return False


def full_disk():
    with Server(sys.argv[1]) as s:
        one, token, _ = s.register('disk_one')
        two, other, _ = s.register('disk_two')
        chat = s.chat(token, two)
        acked = []
        for i in range(20):
            if s.send(token, chat, f'before {i}').status == 201:
                acked.append(f'before {i}')
        tap.check(len(acked) == 20, 'sends are acknowledged while there is room')
        biggest = max(os.path.getsize(os.path.join(s.data, f))
                      for f in os.listdir(s.data))
        file_limit(s.child.pid, biggest + 64 * 1024)
        refused = None
        for i in range(2000):
            r = s.send(token, chat, f'during {i} ' + 'x' * 20000)
            if r.status != 201:
                refused = r
                break
            acked.append(f'during {i} ' + 'x' * 20000)
        tap.check(refused is not None and refused.status == 503
                  and refused.code == 'unavailable',
                  'a send on a full disk is refused with 503', repr(refused))
        tap.check(refused is not None and refused.headers['Retry-After'],
                  'with Retry-After')
        tap.check(s.child.poll() is None, 'the server lives on')
        tap.check(s.rest('GET', '/health').status == 200, 'and says so')
        tap.check(until(s, '/ready', 503), '/ready says that it is not ready')
        tap.check('disk' in s.log().lower(), 'the log says what is wrong')
        r = s.send(token, chat, 'still full ' + 'x' * 20000)
        tap.check(r.status == 503, 'it stays refused while it is full', repr(r))
        file_limit(s.child.pid, resource.RLIM_INFINITY)
        tap.check(until(s, '/ready', 200), 'it is ready again when there is room')
        r = s.send(token, chat, 'after')
        tap.check(r.status == 201, 'and takes sends again', repr(r))
        acked.append('after')
        tap.check(history(s, other, chat) == acked,
                  'all that was acknowledged is there, once and in order')
        s.kill()
        s.start()
        tap.check(history(s, other, chat) == acked,
                  'and after a kill and a start as well')


def start_and_fail(data, *flags, wait_s=10):
    """nightjard on a bad directory: (exit status, what it said)."""
    r = subprocess.run([sys.argv[1], 'serve', '--data', data,
                        '--set', f'listen.http=127.0.0.1:{free_port()}',
                        '--set', 'listen.https=', *flags],
                       capture_output=True, text=True, timeout=wait_s,
                       check=False)
    return r.returncode, r.stderr + r.stdout


def bad_directories():
    with tempfile.TemporaryDirectory() as root:
        taken = os.path.join(root, 'file')
        with open(taken, 'w', encoding='utf-8') as f:
            f.write('not a directory')
        status, said = start_and_fail(taken)
        tap.check(status not in (0, None) and taken in said,
                  'a data path that is a file is refused by name', said)
        status, said = start_and_fail(os.path.join(taken, 'below'))
        tap.check(status != 0 and taken in said,
                  'a data path below a file is refused by name', said)
        status, said = start_and_fail('/proc/nightjard')
        tap.check(status != 0 and '/proc/nightjard' in said,
                  'a place that cannot be written is refused by name', said)
        open_dir = os.path.join(root, 'open')
        os.mkdir(open_dir, 0o755)
        os.chmod(open_dir, 0o777)
        status, said = start_and_fail(open_dir)
        tap.check(status != 0 and open_dir in said,
                  'a data directory that others may write is refused', said)


full_disk()
bad_directories()
sys.exit(tap.done())
