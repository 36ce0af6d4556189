"""12_files.py PROGRAM: static files below /static/, as raw bytes: paths, kinds
of files, conditions, ranges, content codings (file_rows.py), then files that
change, large ones and slow readers. After every row the connection still
answers."""
import email.utils
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from file_rows import ROWS, TEXT, THEN  # noqa: E402
from peer import PROFILE_A, Peer, Tap  # noqa: E402

HOST = 'Host: localhost\r\n'
WAIT_S = 15
MIB = 1 << 20
SAN = 'san' in sys.argv[2:]


def need(ok, what):
    if not ok:
        raise AssertionError(what)


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def __getitem__(self, name):
        return self.fields.get(name.lower())

    def __repr__(self):
        return f'{self.status} {self.fields} {self.body[:80]!r}'


class Client:
    def __init__(self, port, window=None):
        self.s = socket.socket()
        if window:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.s.settimeout(WAIT_S)
        self.s.connect(('127.0.0.1', port))
        self.have = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, target, fields='', method='GET'):
        self.s.sendall(f'{method} {target} HTTP/1.1\r\n{HOST}{fields}\r\n'.encode('latin-1'))

    def more(self):
        got = self.s.recv(1 << 18)
        need(got, f'the connection ended behind {self.have[-80:]!r}')
        self.have += got

    def head(self):
        while b'\r\n\r\n' not in self.have:
            self.more()
        text, self.have = self.have.split(b'\r\n\r\n', 1)
        lines = text.decode('latin-1').split('\r\n')
        need(re.match(r'HTTP/1\.1 \d{3} ', lines[0]), lines[0])
        fields = {}
        for line in lines[1:]:
            name, value = line.split(': ', 1)
            need(name.lower() not in fields, f'{name} twice')
            fields[name.lower()] = value
        return int(lines[0][9:12]), fields

    def answer(self, no_body=False):
        status, fields = self.head()
        n = 0 if no_body or status in (204, 304) else int(fields['content-length'])
        while len(self.have) < n:
            self.more()
        body, self.have = self.have[:n], self.have[n:]
        return Answer(status, fields, body)

    def get(self, target, fields='', method='GET'):
        self.send(target, fields, method)
        return self.answer(method == 'HEAD')


def write(path, data, when=THEN):
    with open(path, 'wb') as f:
        f.write(data)
    os.utime(path, (when, when))


def make_files(root, top):
    """What the rows ask for. top is outside."""
    for d in ('sub', '.dir'):
        os.mkdir(f'{root}/{d}')
    for name, data in (
            ('hello.txt', TEXT), ('page.html', b'<p>'), ('style.css', b'p{}'), ('app.js', b'1;'),
            ('data.bin', bytes(range(256))), ('data.json', b'{}'), ('pic.svg', b'<svg/>'),
            ('LOUD.TXT', b'!'), ('weird.xyz', b'x'), ('noext', b'n'), ('empty.txt', b''),
            ('sub/in.txt', b'in'), ('large.bin', b'L' * 300000), ('sp ace.txt', b'space'),
            ('plus+.txt', b'plus'), ('\u00fcmlaut.txt', b'umlaut'), ('a%41.txt', b'percent'),
            ('q?.txt', b'question'), ('semi;colon.txt', b'semi'), ('.hidden', b'no'),
            ('sub/.hidden', b'no'), ('.dir/in.txt', b'no'), ('form.js', b'plain form;'),
            ('form.js.br', b'BR-FORM'), ('form.js.zst', b'ZST-FORM!'), ('form.js.gz', b'GZ-FORM!!'),
            ('stale.js', b'new'), ('odd.js', b'odd')):
        write(f'{root}/{name}', data)
    write(f'{root}/stale.js.gz', b'OLD', THEN - 1)
    write(f'{top}/outside.txt', b'outside')
    os.mkdir(f'{top}/outdir')
    write(f'{top}/outdir/outside.txt', b'outside')
    for name, to in (
            ('link.txt', 'hello.txt'), ('sub/up.txt', '../hello.txt'), ('dirlink', 'sub'),
            ('out.txt', f'{top}/outside.txt'), ('out2.txt', '../outside.txt'), ('out3.txt', 'out2.txt'),
            ('outdir', f'{top}/outdir'), ('abs.txt', f'{root}/hello.txt'), ('loop.txt', 'loop.txt'),
            ('dangling.txt', 'nowhere'), ('around.txt', f'../{os.path.basename(root)}/hello.txt'),
            ('proc.txt', '/proc/self/root/etc/passwd'), ('odd.js.br', '../outside.txt')):
        os.symlink(to, f'{root}/{name}')
    os.mkfifo(f'{root}/fifo')
    os.mkfifo(f'{root}/odd.js.gz')
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f'{root}/sock')
    try:
        os.mknod(f'{root}/null', 0o20666, os.makedev(1, 3))
    except PermissionError:
        pass            # then it is not there, and has the same answer


def date(t):
    return email.utils.formatdate(t, usegmt=True)


def check_field(name, want, got):
    if want is None or isinstance(want, str):
        need(got == want, f'{name}: {got!r}, not {want!r}')
    else:
        need(got is not None and want.match(got), f'{name}: {got!r}')


def run_row(port, row):
    section, what, target, fields, status, want = row
    with Client(port) as c:
        if '{tag}' in fields:
            fields = fields.replace('{tag}', c.get('/static/' + target)['ETag'])
        for name, t in (('then', THEN), ('before', THEN - 1), ('after', THEN + 1)):
            fields = fields.replace('{%s}' % name, date(t))
        a = c.get('/static/' + target, fields, want.get('method', 'GET'))
        need(a.status == status, f'{a}, not {status}')
        need('date' in a.fields, 'no Date')
        for key, value in want.items():
            if key == 'body':
                need(a.body == value, f'{a.body[:100]!r}, not {value[:100]!r}')
            elif key.startswith('f_'):
                name = key[2:].replace('_', '-')
                check_field(name, value, a[name])
        if status == 404:
            need(b'outside' not in a.body and b'root:' not in a.body, 'it tells')
        need(c.get('/healthz').body == b'ok\n', 'the connection is out of step')


# ---- Several ranges ----

def parts_of(a, plain_type):
    m = re.fullmatch(r'multipart/byteranges; boundary=([0-9A-Za-z_-]{1,70})', a['Content-Type'])
    need(m, a['Content-Type'])
    need(a['Content-Range'] is None, 'Content-Range beside parts')
    mark = b'--' + m.group(1).encode()
    need(a.body.endswith(b'\r\n' + mark + b'--\r\n'), a.body[-60:])
    pieces = (b'\r\n' + a.body[:-len(mark) - 6]).split(b'\r\n' + mark + b'\r\n')
    need(pieces[0] == b'', pieces[0])
    out = []
    for p in pieces[1:]:
        head, body = p.split(b'\r\n\r\n', 1)
        lines = dict(line.split(': ', 1) for line in head.decode().split('\r\n'))
        need(lines['Content-Type'] == plain_type, lines)
        out.append((lines['Content-Range'], body))
    return out


def check_parts(port, root):
    """RFC 9110 14.6, 15.3.7.2: multipart/byteranges, from memory and from a disk"""
    with Client(port) as c:
        a = c.get('/static/hello.txt', 'Range: bytes=20-21, -1,0-2\r\n')
        need(a.status == 206, a)
        got = parts_of(a, 'text/plain; charset=utf-8')
        need(got == [('bytes 20-21/26', b'uv'), ('bytes 25-25/26', b'z'),
                     ('bytes 0-2/26', b'abc')], got)
        with open(f'{root}/parts.bin', 'wb') as f:
            data = os.urandom(500000)
            f.write(data)
        for spec in ('0-99999,200000-299999,-7', '499999-,0-0', '1-70000,100000-100000,90000-99990'):
            a = c.get('/static/parts.bin', f'Range: bytes={spec}\r\n')
            need(a.status == 206, a)
            for where, body in parts_of(a, 'application/octet-stream'):
                first, last = re.fullmatch(r'bytes (\d+)-(\d+)/500000', where).groups()
                need(body == data[int(first):int(last) + 1], f'{where} has other bytes')
        most = ','.join(f'{i * 1000}-{i * 1000 + 9}' for i in range(16))
        a = c.get('/static/parts.bin', f'Range: bytes={most}\r\n')
        need(a.status == 206 and len(parts_of(a, 'application/octet-stream')) == 16, a)
        a = c.get('/static/parts.bin', f'Range: bytes={most},499999-\r\n')
        need(a.status == 200 and a.body == data, a)
        a = c.get('/static/form.js', 'Accept-Encoding: br\r\nRange: bytes=0-0,6-6\r\n')
        need(a['Content-Encoding'] == 'br' and [b for _, b in parts_of(
            a, 'text/javascript; charset=utf-8')] == [b'B', b'M'], a)


def check_tags(port, root):
    """RFC 9110 8.8.3.3: each coding has a tag of its own, which 304s"""
    with Client(port) as c:
        tags = {}
        for coding in ('identity', 'gzip', 'br', 'zstd'):
            field = f'Accept-Encoding: {coding}\r\n'
            tags[coding] = c.get('/static/form.js', field)['ETag']
            a = c.get('/static/form.js', f'{field}If-None-Match: {tags[coding]}\r\n')
            need(a.status == 304 and a['ETag'] == tags[coding], a)
        need(len(set(tags.values())) == 4, tags)
        a = c.get('/static/form.js', f'Accept-Encoding: br\r\nIf-None-Match: {tags["gzip"]}\r\n')
        need(a.status == 200, a)
        need(c.get('/static/app.js')['ETag'] != c.get('/static/page.html')['ETag'], 'tags')


def check_never_stale(port, root):
    """RFC 9111 4: what was written a moment ago is what is answered"""
    with Client(port) as c:
        for i in range(300):
            data = b'%05d' % i              # same length, often the same tick
            with open(f'{root}/now.txt', 'wb') as f:
                f.write(data)
            need(c.get('/static/now.txt').body == data, f'stale at {i}')
        old = time.time() - 3600
        write(f'{root}/rest.txt', b'one', old)
        os.utime(f'{root}/rest.txt', (old, old))
        time.sleep(3)                       # so that it is kept
        for _ in range(3):
            need(c.get('/static/rest.txt').body == b'one', 'one')
        write(f'{root}/rest.txt', b'two', old)      # same size, same time
        need(c.get('/static/rest.txt').body == b'two', 'a change behind an old time')
        write(f'{root}/rest.new', b'three', old)
        os.rename(f'{root}/rest.new', f'{root}/rest.txt')
        need(c.get('/static/rest.txt').body == b'three', 'replaced')
        os.remove(f'{root}/rest.txt')
        need(c.get('/static/rest.txt').status == 404, 'removed')
        os.symlink('../outside.txt', f'{root}/rest.txt')
        need(c.get('/static/rest.txt').status == 404, 'now a link out')
        os.remove(f'{root}/rest.txt')
        os.mkfifo(f'{root}/rest.txt')
        need(c.get('/static/rest.txt').status == 404, 'now a fifo')


def check_pipelined(port, root):
    """RFC 9112 9.3.2: answers in the order of requests, small and large"""
    targets = ['hello.txt', 'large.bin', 'none', 'empty.txt', 'sub/in.txt', 'large.bin'] * 20
    with Client(port) as c:
        def ask():
            for t in targets:
                c.send('/static/' + t)
        t = threading.Thread(target=ask)
        t.start()
        want = {'hello.txt': TEXT, 'large.bin': b'L' * 300000, 'none': None, 'empty.txt': b'',
                'sub/in.txt': b'in'}
        for name in targets:
            a = c.answer()
            need(a.status == (404 if name == 'none' else 200), f'{name}: {a}')
            need(want[name] is None or a.body == want[name], name)
        t.join()


# ---- Large files ----

def make_sparse(path, n):
    with open(path, 'wb') as f:
        f.truncate(n)
        for at in (0, n // 2, n - 8):
            f.seek(at)
            f.write(b'MARKMARK')


def check_large(p, root):
    """RFC 9110 8.6: 200 MiB, read fast, with memory bounded"""
    n = 200 * MIB
    make_sparse(f'{root}/huge.bin', n)
    before = p.resident()
    with Client(p.port) as c:
        c.send('/static/huge.bin')
        status, fields = c.head()
        need(status == 200 and fields['content-length'] == str(n), fields)
        got, marks, tail = len(c.have), c.have.count(b'MARKMARK'), c.have[-7:]
        while got < n:
            more = c.s.recv(1 << 20)
            need(more, f'ended at {got}')
            marks += (tail + more).count(b'MARKMARK')
            tail = more[-7:]
            got += len(more)
        need(got == n and marks == 3 and tail == b'ARKMARK', (got, marks, tail))
        c.have = b''
        need(c.get('/healthz').body == b'ok\n', 'out of step')
    grown = p.resident() - before
    need(grown < 8 * MIB or SAN, f'{grown} bytes more')


def check_slow_readers(p, root):
    """RFC 9112 9.5: 30 slow readers cost no memory, others are served, nothing leaks"""
    before, fds = p.resident(), p.descriptors()
    readers = [Client(p.port, window=4096) for _ in range(30)]
    for r in readers:
        r.send('/static/huge.bin')
        r.s.recv(1000)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for r in readers:
            need(r.s.recv(512), 'a reader that reads was cut off')
        with Client(p.port) as c:
            began = time.monotonic()
            need(c.get('/static/hello.txt').body == TEXT, 'hello')
            need(time.monotonic() - began < 1, 'others have to wait')
        time.sleep(0.1)
    grown = p.resident() - before
    need(grown < 8 * MIB or SAN, f'{grown} bytes more')
    need(p.descriptors() <= fds + 62, 'descriptors')
    for r in readers:
        r.s.close()
    end = time.monotonic() + 5
    while p.descriptors() > fds and time.monotonic() < end:
        time.sleep(0.05)
    need(p.descriptors() <= fds, 'descriptors are left')


def check_slow_then_closed(p, root):
    """RFC 9112 9.6: with Connection: close a slow reader gets all of it, too"""
    n = 32 * MIB
    make_sparse(f'{root}/close.bin', n)
    with Client(p.port, window=4096) as c:
        c.send('/static/close.bin', 'Connection: close\r\n')
        status, fields = c.head()
        need(status == 200 and fields['connection'] == 'close', fields)
        end = time.monotonic() + 6      # longer than it would linger
        while time.monotonic() < end:
            c.more()
            time.sleep(0.2)
        got = read_all(c, n + 1)
        need(len(got) == n and got.endswith(b'MARKMARK'), f'{len(got)} of {n}')


def check_one_at_a_time(p, root):
    """RFC 9112 9.3.2: pipelined large files do not pile up descriptors"""
    fds = p.descriptors()
    with Client(p.port, window=4096) as c:
        for _ in range(200):
            c.send('/static/huge.bin')
        time.sleep(0.5)
        need(p.descriptors() <= fds + 3, p.descriptors() - fds)


def read_all(c, n):
    """Bytes until n of the body, or the end of the connection."""
    got = [c.have]
    size = len(c.have)
    while size < n:
        try:
            more = c.s.recv(1 << 20)
        except ConnectionResetError:
            break
        if not more:
            break
        got.append(more)
        size += len(more)
    return b''.join(got)


def check_changed_on_the_way(p, root):
    """RFC 9112 8: cut or rewritten on the way ends the connection; replaced does not"""
    n = 32 * MIB
    data = os.urandom(MIB) * 32

    def begin(name):
        with open(f'{root}/{name}', 'wb') as f:
            f.write(data)
        c = Client(p.port, window=65536)
        c.send(f'/static/{name}')
        status, fields = c.head()
        need(status == 200 and int(fields['content-length']) == n, fields)
        return c

    with begin('cut.bin') as c:
        os.truncate(f'{root}/cut.bin', MIB)
        got = read_all(c, n)
        need(len(got) < n, 'all of a file that is not there any more')
        whole = len(got) // 4096 * 4096     # the kernel clears a cut page
        need(got[:min(whole, MIB)] == data[:min(whole, MIB)], 'wrong bytes')
    with begin('again.bin') as c:
        with open(f'{root}/again.bin', 'r+b') as f:
            f.seek(20 * MIB)
            f.write(b'X' * 4096)
        got = read_all(c, n)
        need(len(got) < n and got == data[:len(got)], 'rewritten: mixed or whole')
    with begin('renamed.bin') as c:
        write(f'{root}/renamed.new', b'new')
        os.rename(f'{root}/renamed.new', f'{root}/renamed.bin')
        need(read_all(c, n) == data, 'replaced: the old one is due, whole')
        c.have = b''
        need(c.get('/static/renamed.bin').body == b'new', 'and then the new one')
    with begin('removed.bin') as c:
        os.remove(f'{root}/removed.bin')
        need(read_all(c, n) == data, 'removed: the old one is due, whole')
    with Client(p.port) as c:
        need(c.get('/healthz').body == b'ok\n', 'it is still there')


def check_fifo_never_waits(p, root):
    """RFC 9110 17.3: neither a fifo's reader nor its writer is disturbed"""
    writer = subprocess.Popen(['sh', '-c', f'echo x > {root}/fifo'])
    try:
        for _ in range(20):
            with Client(p.port) as c:
                began = time.monotonic()
                need(c.get('/static/fifo').status == 404, 'fifo')
                need(time.monotonic() - began < 1, 'it waited')
        need(writer.poll() is None, 'its writer was let go')
    finally:
        writer.kill()
        writer.wait()


def check_root_stays(p, root):
    """The root is the folder that was there at the start"""
    os.rename(root, root + '.moved')
    try:
        os.mkdir(root)
        write(f'{root}/hello.txt', b'another root')
        with Client(p.port) as c:
            need(c.get('/static/hello.txt').body == TEXT, 'the root was exchanged')
    finally:
        os.remove(f'{root}/hello.txt')
        os.rmdir(root)
        os.rename(root + '.moved', root)


def check_no_root(program):
    """Without a root there are no files"""
    with Peer(program, PROFILE_A) as p, Client(p.port) as c:
        need(c.get('/static/hello.txt').status == 404, 'what is served?')


def main():
    tap = Tap()
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as top:
        root = f'{top}/root'
        os.mkdir(root)
        make_files(root, top)
        with Peer(program, PROFILE_A + ('--root', root)) as p:
            for row in ROWS:
                with tap.case(f'{row[0]}: {row[1]} ({row[2][:40]})'):
                    run_row(p.port, row)
            for f in (check_parts, check_tags, check_never_stale, check_pipelined):
                with tap.case(f.__doc__):
                    f(p.port, root)
            for f in (check_large, check_slow_readers, check_slow_then_closed,
                      check_one_at_a_time, check_changed_on_the_way,
                      check_fifo_never_waits, check_root_stays):
                with tap.case(f.__doc__):
                    f(p, root)
            with tap.case('it ends in good order'):
                need(p.stop() == 0, 'exit status')
        with tap.case(check_no_root.__doc__):
            check_no_root(program)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
