-- The first schema: accounts, login sessions, devices and their public keys,
-- chats, messages, marks, events. Type words (@ID @BYTES @TIME @JSON @IP
-- @BOOL @INT) are spelled by each driver; what one backend alone has is in
-- 001_first.sqlite.sql and 001_first.pg.sql. Times are Unix milliseconds,
-- positions are of the one global sequence.

CREATE TABLE positions (
	id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	value @INT NOT NULL
);
INSERT INTO positions (id, value) VALUES (1, 0);

CREATE TABLE users (
	id @ID NOT NULL PRIMARY KEY,
	username VARCHAR(50) NOT NULL,
	-- The name in lower case: unique without case, searched by prefix.
	username_key VARCHAR(50) NOT NULL UNIQUE,
	email VARCHAR(255) NOT NULL UNIQUE,
	password_hash VARCHAR(255) NOT NULL,
	role VARCHAR(20) NOT NULL DEFAULT 'user'
	    CHECK (role IN ('user', 'auditor', 'operator', 'admin')),
	public_key_ecc TEXT,
	public_key_pqc TEXT,
	status VARCHAR(20) NOT NULL DEFAULT 'offline'
	    CHECK (status IN ('online', 'offline', 'away')),
	last_seen @TIME,
	created_at @TIME NOT NULL,
	updated_at @TIME NOT NULL,
	last_login @TIME,
	is_active @BOOL NOT NULL DEFAULT TRUE,
	is_verified @BOOL NOT NULL DEFAULT FALSE,
	-- Position of the newest event of the person's own stream.
	last_position @INT NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
	id @ID NOT NULL PRIMARY KEY,
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	-- SHA-256 of the tokens, never the tokens.
	token_hash @BYTES NOT NULL,
	refresh_token_hash @BYTES NOT NULL,
	-- The device it speaks for, once bound; no reference: a device that is
	-- removed ends its sessions by code.
	device_id @INT,
	device_name VARCHAR(100),
	device_info VARCHAR(512),
	ip_address @IP,
	created_at @TIME NOT NULL,
	last_used_at @TIME NOT NULL,
	expires_at @TIME NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE device_lists (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	version @INT NOT NULL CHECK (version > 0),
	-- The signed list, and the hash that the next one has to name.
	list @BYTES NOT NULL,
	list_hash @BYTES NOT NULL,
	aik_hash @BYTES NOT NULL,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, version)
);

CREATE TABLE user_devices (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	device_id @INT NOT NULL CHECK (device_id > 0),
	device_name VARCHAR(100),
	-- The certificate, and its hash as in the device list.
	public_key @BYTES NOT NULL,
	device_fingerprint @BYTES NOT NULL UNIQUE,
	is_trusted @BOOL NOT NULL DEFAULT FALSE,
	created_at @TIME NOT NULL,
	last_active @TIME,
	-- Not in the newest list any more; its number is never given again.
	removed_at @TIME,
	-- Everything up to here is stored on it (message:received).
	received_position @INT NOT NULL DEFAULT 0,
	generation @INT NOT NULL DEFAULT 0,
	PRIMARY KEY (user_id, device_id)
);

CREATE TABLE prekey_batches (
	user_id @ID NOT NULL,
	device_id @INT NOT NULL,
	batch_id @INT NOT NULL CHECK (batch_id > 0),
	header @BYTES NOT NULL,
	expires_at @TIME NOT NULL,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, device_id, batch_id),
	FOREIGN KEY (user_id, device_id)
	    REFERENCES user_devices (user_id, device_id) ON DELETE CASCADE
);

-- One row a leaf: 0 the signed prekey, 1 the last-resort key, others once.
CREATE TABLE device_prekeys (
	user_id @ID NOT NULL,
	device_id @INT NOT NULL,
	batch_id @INT NOT NULL,
	leaf_index @INT NOT NULL CHECK (leaf_index BETWEEN 0 AND 127),
	leaf @BYTES NOT NULL,
	path @BYTES NOT NULL,
	used_at @TIME,
	PRIMARY KEY (user_id, device_id, batch_id, leaf_index),
	FOREIGN KEY (user_id, device_id, batch_id) REFERENCES
	    prekey_batches (user_id, device_id, batch_id) ON DELETE CASCADE
);

-- Who was given one-time keys of which device, for the limits.
CREATE TABLE prekey_grants (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	device_id @INT NOT NULL,
	requester_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at @TIME NOT NULL
);
CREATE INDEX prekey_grants_device
    ON prekey_grants (user_id, device_id, created_at);
CREATE INDEX prekey_grants_requester ON prekey_grants (requester_id);

CREATE TABLE chats (
	id @ID NOT NULL PRIMARY KEY,
	name VARCHAR(255),
	type VARCHAR(20) NOT NULL
	    CHECK (type IN ('direct', 'group', 'channel')),
	created_by @ID REFERENCES users (id) ON DELETE SET NULL,
	created_at @TIME NOT NULL,
	updated_at @TIME NOT NULL,
	last_message_at @TIME,
	-- Newest event that is somebody's `prev`; newest of all.
	last_position @INT NOT NULL DEFAULT 0,
	newest_position @INT NOT NULL DEFAULT 0,
	-- Both people of a direct chat, the lower id first: it exists once.
	direct_key @BYTES UNIQUE
);

CREATE TABLE chat_members (
	chat_id @ID NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	role VARCHAR(20) NOT NULL DEFAULT 'member'
	    CHECK (role IN ('admin', 'member')),
	joined_at @TIME NOT NULL,
	-- Nothing at or before it is seen.
	joined_position @INT NOT NULL DEFAULT 0,
	last_read_at @TIME,
	last_read_position @INT NOT NULL DEFAULT 0,
	-- Highest mark of any device of theirs.
	delivered_position @INT NOT NULL DEFAULT 0,
	is_muted @BOOL NOT NULL DEFAULT FALSE,
	PRIMARY KEY (chat_id, user_id)
);
CREATE INDEX chat_members_user ON chat_members (user_id, chat_id);

-- Keyed by position, so that inserts append; an id carries its position
-- (store/msgid.h) and needs no index.
CREATE TABLE messages (
	position @INT NOT NULL PRIMARY KEY,
	id @ID NOT NULL,
	chat_id @ID NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	sender_id @ID REFERENCES users (id) ON DELETE SET NULL,
	sender_device_id @INT,
	client_message_id @ID,
	suite VARCHAR(10) NOT NULL,
	message_type VARCHAR(20) NOT NULL DEFAULT 'text',
	encrypted_content TEXT,
	encrypted_keys @JSON,
	iv VARCHAR(64),
	metadata @JSON,
	-- The position before it in this chat.
	prev @INT NOT NULL,
	-- An event for the devices that encrypted_keys names, for no other.
	is_partial @BOOL NOT NULL DEFAULT FALSE,
	created_at @TIME NOT NULL,
	edited_at @TIME,
	deleted_at @TIME
);
CREATE INDEX messages_chat ON messages (chat_id, position);
-- Makes sending idempotent, and finds a sender's messages.
CREATE UNIQUE INDEX messages_client
    ON messages (sender_id, client_message_id);

-- One row for each advance of a mark; position is the row's own.
CREATE TABLE message_receipts (
	position @INT NOT NULL PRIMARY KEY,
	chat_id @ID NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	device_id @INT,
	kind VARCHAR(10) NOT NULL CHECK (kind IN ('delivered', 'read')),
	up_to @INT NOT NULL,
	message_id @ID,
	created_at @TIME NOT NULL
);
CREATE INDEX message_receipts_chat ON message_receipts (chat_id, position);
CREATE INDEX message_receipts_user ON message_receipts (user_id);

-- What has a position and is neither message nor mark: of a chat or a person.
CREATE TABLE events (
	position @INT NOT NULL PRIMARY KEY,
	chat_id @ID REFERENCES chats (id) ON DELETE CASCADE,
	user_id @ID REFERENCES users (id) ON DELETE CASCADE,
	prev @INT NOT NULL,
	event VARCHAR(40) NOT NULL,
	data @JSON NOT NULL,
	created_at @TIME NOT NULL,
	CHECK ((chat_id IS NULL) <> (user_id IS NULL))
);
CREATE INDEX events_chat ON events (chat_id, position)
    WHERE chat_id IS NOT NULL;
CREATE INDEX events_user ON events (user_id, position)
    WHERE user_id IS NOT NULL;

-- Nonces of sends within the replay window.
CREATE TABLE send_nonces (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	nonce VARCHAR(64) NOT NULL,
	expires_at @TIME NOT NULL,
	PRIMARY KEY (user_id, nonce)
);
CREATE INDEX send_nonces_expires ON send_nonces (expires_at);
