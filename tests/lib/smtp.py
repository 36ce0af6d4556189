"""smtp.py: a mail server for tests, of the standard library alone: keeps what it
is given, with STARTTLS or TLS from the first byte, and faults on demand.

    with Smtp(tls='starttls', login=('u', 'p')) as m: ... m.wait(1)
"""
import base64
import email
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time


def certificate(root):
    """A certificate for localhost; (certificate, key) as paths."""
    cert, key = os.path.join(root, 'mail.crt'), os.path.join(root, 'mail.key')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                    '-keyout', key, '-out', cert], check=True, capture_output=True)
    return cert, key


class Smtp:
    """fault: None, 'hang' (says nothing), 'refuse' (550 for every recipient),
    'later' (451), 'drop' (closes after DATA), 'plain' (offers no STARTTLS)."""

    def __init__(self, tls=None, login=None, fault=None):
        self.tls, self.login, self.fault = tls, login, fault
        self.root = tempfile.mkdtemp(prefix='nightjar-mail-')
        self.cert, self.key = certificate(self.root)
        self.mails, self.connections, self.seen = [], 0, []
        self.sock = socket.create_server(('127.0.0.1', 0))
        self.port = self.sock.getsockname()[1]
        self.lock = threading.Lock()
        self.open = True

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.open = False
        self.sock.close()
        subprocess.run(['rm', '-rf', self.root], check=False)

    @property
    def url(self):
        return f'{"smtps" if self.tls == "smtps" else "smtp"}://localhost:{self.port}'

    def run(self):
        while self.open:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            Talk(self, c).run()
        except (OSError, ValueError):
            pass
        finally:
            c.close()

    def context(self):
        x = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        x.load_cert_chain(self.cert, self.key)
        return x

    def wait(self, n, timeout=15):
        """Until there are n mails; all of them."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self.lock:
                if len(self.mails) >= n:
                    return list(self.mails)
            time.sleep(0.02)
        return list(self.mails)


class Mail:
    def __init__(self, sender, to, raw, secure, user):
        self.sender, self.to, self.raw = sender, to, raw
        self.secure, self.user = secure, user
        self.message = email.message_from_bytes(raw)
        self.text = self.message.get_payload(decode=True).decode()

    @property
    def code(self):
        """The line that stands alone and has 43 characters."""
        return next((x.strip() for x in self.text.splitlines() if len(x.strip()) == 43
                     and ' ' not in x.strip()), None)


class Talk:
    """One connection (RFC 5321, 3207, 4954)."""

    def __init__(self, server, sock):
        self.s, self.sock, self.secure, self.user = server, sock, False, None
        self.buf = b''

    def say(self, text):
        self.sock.sendall(text.encode() + b'\r\n')

    def line(self):
        while b'\r\n' not in self.buf:
            got = self.sock.recv(65536)
            if not got:
                raise OSError('gone')
            self.buf += got
        line, self.buf = self.buf.split(b'\r\n', 1)
        return line.decode()

    def data(self):
        while b'\r\n.\r\n' not in self.buf:
            got = self.sock.recv(65536)
            if not got:
                raise OSError('gone')
            self.buf += got
        raw, self.buf = self.buf.split(b'\r\n.\r\n', 1)
        return raw.replace(b'\r\n..', b'\r\n.')

    def upgrade(self):
        self.sock = self.s.context().wrap_socket(self.sock, server_side=True)
        self.secure = True

    def greet(self):
        offers = ['localhost', '8BITMIME', 'SIZE 1000000']
        if self.s.tls == 'starttls' and not self.secure and self.s.fault != 'plain':
            offers.append('STARTTLS')
        if self.s.login:
            offers.append('AUTH PLAIN')
        for x in offers[:-1]:
            self.say('250-' + x)
        self.say('250 ' + offers[-1])

    def auth(self, words):
        if len(words) < 3:
            self.say('334 ')
            text = self.line()
        else:
            text = words[2]
        _, user, password = base64.b64decode(text).decode().split('\0')
        if (user, password) != self.s.login:
            self.say('535 5.7.8 wrong')
            return
        self.user = user
        self.say('235 2.7.0 good')

    def run(self):
        if self.s.tls == 'smtps':
            self.upgrade()
        if self.s.fault == 'hang':
            time.sleep(30)
            return
        self.say('220 localhost ESMTP')
        sender, to = None, []
        while True:
            line = self.line()
            with self.s.lock:
                self.s.seen.append((self.secure, line))
            words = line.split(' ')
            verb = words[0].upper()
            if verb == 'EHLO':
                self.greet()
            elif verb == 'STARTTLS':
                self.say('220 go ahead')
                self.upgrade()
            elif verb == 'AUTH':
                self.auth(words)
            elif verb == 'MAIL':
                if self.s.login and not self.user:
                    self.say('530 5.7.0 who are you')
                    continue
                sender = line[10:].split('>')[0].strip('<')
                self.say('250 ok')
            elif verb == 'RCPT':
                if self.s.fault in ('refuse', 'later'):
                    self.say('550 5.1.1 nobody' if self.s.fault == 'refuse' else '451 4.3.0 later')
                    continue
                to.append(line[8:].split('>')[0].strip('<'))
                self.say('250 ok')
            elif verb == 'DATA':
                self.say('354 go ahead')
                raw = self.data()
                if self.s.fault == 'drop':
                    return
                with self.s.lock:
                    self.s.mails.append(Mail(sender, to, raw, self.secure, self.user))
                self.say('250 2.0.0 kept')
                to = []
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('250 ok')
