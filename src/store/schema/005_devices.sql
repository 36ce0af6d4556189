-- Linking of devices, encrypted archives, the key backup, verified people,
-- renewed account keys (docs/protocol.md, "What the server keeps of devices").

-- From a removed device nothing is read but what tells it from a new one.
ALTER TABLE users ADD COLUMN backup_version @INT NOT NULL DEFAULT 0;

-- What the old account key said of the new one.
CREATE TABLE account_rotations (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	-- Of the first list under the new key.
	version @INT NOT NULL CHECK (version > 1),
	rotation @BYTES NOT NULL,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, version)
);

-- One for each device that is being linked, a few minutes long.
CREATE TABLE link_mailboxes (
	id @ID NOT NULL PRIMARY KEY,
	-- SHA-256 of what the new device reads by.
	secret_hash @BYTES NOT NULL,
	offer @BYTES NOT NULL,
	device_name VARCHAR(100) NOT NULL,
	-- The session that replied; it goes, and with it the mailbox.
	manager_id @ID REFERENCES sessions (id) ON DELETE CASCADE,
	reply @BYTES,
	-- Gone as soon as it was fetched.
	provisioning @BYTES,
	-- The session that was made for the new device when it fetched it.
	session_id @ID REFERENCES sessions (id) ON DELETE CASCADE,
	answer @BYTES,
	created_at @TIME NOT NULL,
	expires_at @TIME NOT NULL
);
CREATE INDEX link_mailboxes_expires ON link_mailboxes (expires_at);
CREATE INDEX link_mailboxes_manager ON link_mailboxes (manager_id);
CREATE INDEX link_mailboxes_session ON link_mailboxes (session_id);

CREATE TABLE archives (
	id @ID NOT NULL PRIMARY KEY,
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	purpose VARCHAR(10) NOT NULL CHECK (purpose IN ('link', 'backup')),
	-- What is here of it.
	parts @INT NOT NULL DEFAULT 0,
	size @INT NOT NULL DEFAULT 0,
	-- What its maker said would come; 0: nothing.
	announced @INT NOT NULL DEFAULT 0,
	is_complete @BOOL NOT NULL DEFAULT FALSE,
	created_at @TIME NOT NULL,
	-- NULL: kept as long as the key backup names it.
	expires_at @TIME
);
CREATE INDEX archives_user ON archives (user_id);
CREATE INDEX archives_expires ON archives (expires_at)
    WHERE expires_at IS NOT NULL;

CREATE TABLE archive_parts (
	archive_id @ID NOT NULL REFERENCES archives (id) ON DELETE CASCADE,
	part @INT NOT NULL CHECK (part BETWEEN 0 AND 4095),
	data @BYTES NOT NULL,
	PRIMARY KEY (archive_id, part)
);

-- Key material of an account, sealed by what the server does not have. Its
-- version is kept in users: it goes on after a deletion.
CREATE TABLE key_backups (
	user_id @ID NOT NULL PRIMARY KEY
	    REFERENCES users (id) ON DELETE CASCADE,
	data @BYTES NOT NULL,
	archive_id @ID REFERENCES archives (id),
	updated_at @TIME NOT NULL
);
CREATE INDEX key_backups_archive ON key_backups (archive_id);

-- When it was fetched, as far as the limit looks back.
CREATE TABLE key_backup_reads (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at @TIME NOT NULL
);
CREATE INDEX key_backup_reads_user ON key_backup_reads (user_id, created_at);

-- Whom a person has verified, as one of their devices signed it.
CREATE TABLE security_verifications (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	peer_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	device_id @INT NOT NULL,
	key_hash @BYTES NOT NULL,
	method VARCHAR(10) NOT NULL CHECK (method IN ('number', 'code')),
	record @BYTES NOT NULL,
	signed_at @TIME NOT NULL,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, peer_id)
);
CREATE INDEX security_verifications_peer ON security_verifications (peer_id);

-- What is queued for single devices: a device that is removed loses it.
CREATE INDEX messages_partial ON messages (chat_id, position)
    WHERE is_partial = TRUE;
