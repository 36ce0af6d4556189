#!/usr/bin/python3
"""57_deploy.py NIGHTJARD: as a service of the system. deploy/nightjard.service
is a unit that systemd takes and that closes what can be closed; a nightjard
does all that it does with the system calls and without the memory that the
unit leaves it, as another user; and it reads a certificate's key that root
keeps for its group. What is not on this machine (systemd-analyze, strace,
root) is skipped."""
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from server import Server, Tap   # noqa: E402

BINARY = os.path.abspath(sys.argv[1])
UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..',
                    'deploy', 'nightjard.service')
NOBODY = 65534
SANITIZED = len(sys.argv) > 2
tap = Tap()


def skip(what, why):
    tap.check(True, f'{what} # SKIP {why}')


def run(*words):
    r = subprocess.run(words, capture_output=True, text=True, check=False)
    return r.returncode, r.stdout + r.stderr


def settings():
    with open(UNIT, encoding='utf-8') as f:
        return re.findall(r'^(\w+)=(.*)$', f.read(), re.M)


def unit(root):
    """systemd-analyze verify, with the program where the unit has it."""
    if not shutil.which('systemd-analyze'):
        skip('the unit', 'no systemd-analyze')
        return
    with open(UNIT, encoding='utf-8') as f:
        text = f.read().replace('/usr/local/bin/nightjard', BINARY)
    text = text.replace('Documentation=man:nightjard(8)\n', '')
    path = os.path.join(root, 'nightjard.service')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    status, said = run('systemd-analyze', 'verify', path)
    tap.check(status == 0 and 'nightjard.service' not in said,
              'systemd-analyze verify takes the unit', said)
    status, said = run('systemd-analyze', 'security', '--offline=true',
                       '--threshold=20', path)
    tap.check(status == 0, 'its exposure is at most 2 of 10', said[-300:])


def help_keys():
    _, said = run(BINARY, 'serve', '--help')
    return said


def words():
    """What the unit starts is what nightjard understands."""
    unit_of = dict(settings())
    start = unit_of['ExecStart'].split()
    said = help_keys()
    tap.check(start[1] == 'serve' and all(
        w in said for w in start if w.startswith('--')),
        'ExecStart uses flags that there are', start)
    tap.check('-HUP' in unit_of['ExecReload'], 'reload is SIGHUP')
    most = int(re.search(r'edge\.conns_max .*\[(\d+)\]', said).group(1))
    tap.check(int(unit_of['LimitNOFILE']) >= 4 * most,
              'descriptors for four reactors full of connections')


def allowed():
    """The system calls of the unit's filter."""
    def members(group):
        _, said = run('systemd-analyze', 'syscall-filter', group)
        out = set()
        for word in re.findall(r'^    (\S+)$', said, re.M):
            out |= members(word) if word.startswith('@') else {word}
        return out

    out = set()
    for name, value in settings():
        if name != 'SystemCallFilter':
            continue
        for group in value.lstrip('~').split():
            if value.startswith('~'):
                out -= members(group)
            else:
                out |= members(group)
    return out


def as_service(root):
    """All its life as somebody else, every system call written down."""
    if os.geteuid() != 0 or not shutil.which('strace') or \
            not shutil.which('systemd-analyze') or SANITIZED:
        skip('system calls', 'no root, strace or systemd-analyze')
        return
    trace = os.path.join(root, 'trace')
    with Traced(BINARY, trace, root) as s:
        alice = s.register('alice')
        s.rest('POST', '/api/auth/login',
               {'username': 'alice', 'password': 'Correct-Horse-7'})
        s.rest('GET', '/api/openapi.json')
        s.rest('PUT', '/api/auth/password', {
            'currentPassword': 'Correct-Horse-7',
            'newPassword': 'Correct-Horse-8'}, alice[1])
        ssl.get_server_certificate(('127.0.0.1', s.tls_port))
        os.kill(s.inner(), signal.SIGHUP)
        time.sleep(1.5)
        os.kill(s.inner(), signal.SIGTERM)
        tap.check(s.child.wait(30) == 0, 'it lives and ends as a service',
                  s.log()[-500:])
    with open(trace, encoding='utf-8', errors='replace') as f:
        text = f.read()
    # execve is how strace starts it, before the filter of a unit would be.
    used = set(re.findall(r'^(?:\d+ +)?([a-z_0-9]+)\(', text, re.M))
    used -= {'execve'}
    tap.check(len(used) > 30 and used <= allowed(),
              f'its {len(used)} system calls are those of the unit',
              sorted(used - allowed()))
    bad = re.findall(r'^.*(?:PROT_WRITE\|PROT_EXEC|mprotect\(.*PROT_EXEC).*$',
                     text, re.M)
    tap.check('PROT_READ' in text and not bad,
              'no memory is both written and executed', bad[:3])


class Traced(Server):
    """A nightjard under strace, as nobody."""

    def __init__(self, binary, trace, root, flags=()):
        super().__init__(binary, flags=flags, data=tempfile.mkdtemp(dir=root))
        os.chown(self.root, NOBODY, NOBODY)
        self.trace = trace

    def spawn(self):
        command = [self.binary, 'serve', '--data', self.data, *self.flags]
        if self.trace:
            with open(self.trace, 'wb'):
                os.chown(self.trace, NOBODY, NOBODY)
            command = ['strace', '-f', '-qq', '-o', self.trace, *command]
        with open(self.log_path, 'ab') as log:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                user=NOBODY, group=NOBODY, extra_groups=[])

    def inner(self):
        """nightjard itself, the child of strace."""
        pid = self.child.pid
        with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as f:
            return int(f.read().split()[0])


def made(root):
    """(certificate, key) of a first start."""
    data = os.path.join(root, 'made')
    subprocess.run([BINARY, 'init', '--data', data], check=True,
                   stdout=subprocess.DEVNULL)
    return os.path.join(data, 'tls.crt'), os.path.join(data, 'tls.key')


def keys_of_root(root):
    """A key may be read by a group when root keeps it there, by nobody else."""
    if os.geteuid() != 0:
        skip("root's keys", 'not root')
        return
    live = os.path.join(root, 'live')
    os.mkdir(live)
    cert, key = (os.path.join(live, n) for n in ('fullchain.pem', 'privkey.pem'))
    for frm, to in zip(made(root), (cert, key)):
        shutil.copy(frm, to)
    os.chmod(cert, 0o644)
    flags = ('--set', f'tls.cert={cert}', '--set', f'tls.key={key}')
    for name, owner, mode, good in (
            ("root's, 0640, of our group", 0, 0o640, True),
            ("root's, readable by all", 0, 0o644, False),
            ("root's, writable by the group", 0, 0o660, False),
            ('our own, 0640', NOBODY, 0o640, False),
            ('our own, 0600', NOBODY, 0o600, True)):
        os.chown(key, owner, NOBODY)
        os.chmod(key, mode)
        s = Traced(BINARY, None, root, flags)
        try:
            s.start()
            took = True
        except RuntimeError as e:
            took = False
            tap.check('others may read or write' in str(e),
                      f'a key, {name}: it says why not', e)
        tap.check(took == good, f'a key, {name}: '
                  f'{"taken" if good else "refused"}', s.log()[-300:])
        if took and owner == 0:
            renewal(s, root, cert, key)
        s.__exit__()


def renewal(s, root, cert, key):
    """Root replaces both, as at a renewal; nobody tells the server."""
    before = ssl.get_server_certificate(('127.0.0.1', s.tls_port))
    again = os.path.join(root, 'again')
    os.mkdir(again)
    for frm, to, mode in zip(made(again), (cert, key), (0o644, 0o640)):
        shutil.copy(frm, to + '.new')
        os.chown(to + '.new', 0, NOBODY)
        os.chmod(to + '.new', mode)
        os.rename(to + '.new', to)
    end = time.monotonic() + 15
    while time.monotonic() < end and before == ssl.get_server_certificate(
            ('127.0.0.1', s.tls_port)):
        time.sleep(0.2)
    with open(cert, encoding='ascii') as f:
        tap.check(ssl.get_server_certificate(('127.0.0.1', s.tls_port)) ==
                  f.read(), 'renewed by root, it is taken by itself')


def main():
    root = tempfile.mkdtemp(prefix='nightjar-deploy-')
    os.chmod(root, 0o755)
    try:
        words()
        unit(root)
        as_service(root)
        keys_of_root(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
