-- The life of an account: proof of its address, resets, invitations, mail that
-- waits, deletion with a grace; and the chained log of what matters to its
-- safety (server/audit.h, docs/metadata.md).

-- When the account is due to be erased; when that was done. What is left of
-- an erased one is its id, so that chats of others still stand.
ALTER TABLE users ADD COLUMN delete_at @TIME;
ALTER TABLE users ADD COLUMN erased_at @TIME;
CREATE INDEX users_delete ON users (delete_at) WHERE delete_at IS NOT NULL;

-- What a mail proves: used once, short-lived. The token itself is kept
-- nowhere: it is made of the mail's id and a key outside the database.
CREATE TABLE account_tokens (
	token_hash @BYTES NOT NULL PRIMARY KEY,
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	purpose VARCHAR(10) NOT NULL CHECK (purpose IN ('verify', 'reset')),
	created_at @TIME NOT NULL,
	expires_at @TIME NOT NULL
);
CREATE INDEX account_tokens_user ON account_tokens (user_id, purpose);
CREATE INDEX account_tokens_expires ON account_tokens (expires_at);

-- Mail that is to be sent; what was sent is gone from here.
CREATE TABLE mail_outbox (
	id @ID NOT NULL PRIMARY KEY,
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind VARCHAR(20) NOT NULL,
	recipient VARCHAR(255) NOT NULL,
	created_at @TIME NOT NULL,
	-- Not before; after expires_at it is of no use any more.
	next_at @TIME NOT NULL,
	expires_at @TIME NOT NULL,
	attempts @INT NOT NULL DEFAULT 0,
	is_dead @BOOL NOT NULL DEFAULT FALSE,
	last_error VARCHAR(200)
);
CREATE INDEX mail_outbox_next ON mail_outbox (next_at)
    WHERE is_dead = FALSE;
CREATE INDEX mail_outbox_user ON mail_outbox (user_id, kind, created_at);

CREATE TABLE invites (
	id @ID NOT NULL PRIMARY KEY,
	-- SHA-256 of the code, never the code.
	code_hash @BYTES NOT NULL UNIQUE,
	-- NULL: made by the operator on the command line.
	created_by @ID REFERENCES users (id) ON DELETE CASCADE,
	note VARCHAR(100),
	uses @INT NOT NULL DEFAULT 0,
	uses_max @INT NOT NULL CHECK (uses_max > 0),
	created_at @TIME NOT NULL,
	expires_at @TIME NOT NULL,
	revoked_at @TIME,
	CHECK (uses <= uses_max)
);
CREATE INDEX invites_creator ON invites (created_by, created_at);

-- The chain. Who and what are under a salted hash that the chain is made
-- over, so that they can be taken out (an erased account) and the rest still
-- be verified.
CREATE TABLE audit_logs (
	sequence @INT NOT NULL PRIMARY KEY CHECK (sequence > 0),
	event VARCHAR(40) NOT NULL,
	created_at @TIME NOT NULL,
	user_id @ID,
	device_id @INT,
	session_id @ID,
	detail VARCHAR(200),
	-- Text and not an address type: its exact form is hashed.
	ip_address VARCHAR(64),
	-- NULL: the five fields above were taken out.
	salt @BYTES,
	private_hash @BYTES NOT NULL,
	previous_hash @BYTES NOT NULL,
	hash @BYTES NOT NULL
);
CREATE INDEX audit_logs_user ON audit_logs (user_id, sequence)
    WHERE user_id IS NOT NULL;
CREATE INDEX audit_logs_event ON audit_logs (event, created_at);

-- Both ends of the chain, under a MAC whose key is outside the database.
CREATE TABLE audit_head (
	id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	-- The first entry that is kept, and the hash of the one before it.
	first_sequence @INT NOT NULL,
	first_previous @BYTES,
	last_sequence @INT NOT NULL,
	last_hash @BYTES,
	-- Entries whose private part was taken out.
	redacted @INT NOT NULL,
	mac @BYTES
);
INSERT INTO audit_head (id, first_sequence, last_sequence, redacted)
    VALUES (1, 1, 0, 0);
