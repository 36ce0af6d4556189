"""people.py: accounts, devices and sessions that a test writes into the
server's database itself, since it needs many, or none that could prove who it
is: they cost no password hash and have no keys.

    p = People(server)
    p.base('eve')                       # registered; the others share its hash
    token, sid = p.sign_in(p.person('bob'), device=1)
"""
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
import uuid


class People:
    def __init__(self, s):
        self.s = s
        self.db = sqlite3.connect(os.path.join(s.data, 'nightjar.db'), timeout=30,
                                  isolation_level=None)
        with open(os.path.join(s.data, 'jwt.key'), encoding='ascii') as f:
            self.key = bytes.fromhex(f.read().strip())
        self.template = None

    def base(self, name):
        """The one account that is registered; its id."""
        ident, self.template, _ = self.s.register(name)
        self.hash_of = uuid.UUID(ident).bytes
        return ident

    def person(self, name, role='user'):
        """An account in the database, with everybody's password."""
        ident, now = uuid.uuid4(), int(time.time() * 1000)
        self.db.execute(
            'INSERT INTO users (id, username, username_key, email, password_hash, role, created_at,'
            ' updated_at) SELECT ?, ?, ?, ?, password_hash, ?, ?, ? FROM users WHERE id = ?',
            (ident.bytes, name, name.lower(), f'{name.lower()}@example.org', role, now, now,
             self.hash_of))
        return str(ident)

    def device(self, ident, number=1):
        """A device that nobody could speak for: its certificate is none."""
        self.db.execute(
            'INSERT INTO user_devices (user_id, device_id, public_key, device_fingerprint, created_at)'
            ' VALUES (?, ?, ?, ?, ?)', (uuid.UUID(ident).bytes, number, b'x', os.urandom(32),
                                        int(time.time() * 1000)))

    def sign_in(self, ident, device=0):
        """(token, id) of a new session."""
        sid, now = uuid.uuid4(), int(time.time() * 1000)
        self.db.execute(
            'INSERT INTO sessions (id, user_id, token_hash, refresh_token_hash, device_id, created_at,'
            ' last_used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
            (sid.bytes, uuid.UUID(ident).bytes, os.urandom(32), os.urandom(32), device or None, now,
             now, now + 3600000))
        return self.forge(userId=ident, sid=str(sid)), str(sid)

    @staticmethod
    def claims(token):
        return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))

    def forge(self, **claims):
        """A token signed by the server's own key."""
        def b64(x):
            return base64.urlsafe_b64encode(x).rstrip(b'=').decode()
        now = int(time.time())
        claims = {**self.claims(self.template), 'iat': now, 'exp': now + 3600,
                  'jti': str(uuid.uuid4()), **claims}
        text = self.template.split('.')[0] + '.' + b64(json.dumps(claims, separators=(',', ':')).encode())
        return text + '.' + b64(hmac.new(self.key, text.encode(), hashlib.sha256).digest())
