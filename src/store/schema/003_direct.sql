-- What people set for themselves, whom they have blocked, what they have
-- reported; edits and the end of messages; parts of names, for the search.

CREATE TABLE user_settings (
	user_id @ID NOT NULL PRIMARY KEY
	    REFERENCES users (id) ON DELETE CASCADE,
	version @INT NOT NULL,
	-- Sealed by the clients.
	data @BYTES,
	-- What others hear of the person; without a row: all of it.
	read_receipts @BOOL NOT NULL DEFAULT TRUE,
	delivery_receipts @BOOL NOT NULL DEFAULT TRUE,
	typing @BOOL NOT NULL DEFAULT TRUE,
	presence @BOOL NOT NULL DEFAULT TRUE,
	last_seen @BOOL NOT NULL DEFAULT TRUE,
	searchable @BOOL NOT NULL DEFAULT TRUE,
	updated_at @TIME NOT NULL
);

CREATE TABLE blocks (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	blocked_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, blocked_id)
);
CREATE INDEX blocks_blocked ON blocks (blocked_id);

CREATE TABLE reports (
	id @ID NOT NULL PRIMARY KEY,
	reporter_id @ID REFERENCES users (id) ON DELETE SET NULL,
	user_id @ID REFERENCES users (id) ON DELETE SET NULL,
	reason VARCHAR(20) NOT NULL,
	comment VARCHAR(2000),
	-- Ids, and as much of their text as the reporter gave.
	messages @JSON NOT NULL,
	created_at @TIME NOT NULL
);
CREATE INDEX reports_time ON reports (created_at, id);
CREATE INDEX reports_reporter ON reports (reporter_id, created_at);
CREATE INDEX reports_user ON reports (user_id);

-- A direct chat in which one has blocked the other: nobody writes there.
ALTER TABLE chats ADD COLUMN is_blocked @BOOL NOT NULL DEFAULT FALSE;

ALTER TABLE chat_members ADD COLUMN is_pinned @BOOL NOT NULL DEFAULT FALSE;
ALTER TABLE chat_members ADD COLUMN is_archived @BOOL NOT NULL DEFAULT FALSE;
ALTER TABLE chat_members ADD COLUMN notify VARCHAR(10) NOT NULL DEFAULT 'all';
-- The marks as the others have heard of them.
ALTER TABLE chat_members ADD COLUMN shown_delivered @INT NOT NULL DEFAULT 0;
ALTER TABLE chat_members ADD COLUMN shown_read @INT NOT NULL DEFAULT 0;
UPDATE chat_members SET shown_delivered = delivered_position,
    shown_read = last_read_position;

-- clientMessageId of the newest edit; client_message_id stays the sending's,
-- so that a send that comes again still finds its message.
ALTER TABLE messages ADD COLUMN edit_client_id @ID;
-- When what it holds goes; NULL: never, or it has gone.
ALTER TABLE messages ADD COLUMN expires_at @TIME;
CREATE INDEX messages_expires ON messages (expires_at)
    WHERE expires_at IS NOT NULL;

-- Edits of the last while, so that one that comes again changes nothing.
CREATE TABLE message_edits (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	client_message_id @ID NOT NULL,
	message_position @INT NOT NULL REFERENCES messages (position)
	    ON DELETE CASCADE,
	-- Of its message:edited.
	position @INT NOT NULL,
	prev @INT NOT NULL,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, client_message_id)
);
CREATE INDEX message_edits_message ON message_edits (message_position);
CREATE INDEX message_edits_time ON message_edits (created_at);

-- 1 to 48: where a part of three characters can begin in a name.
CREATE TABLE name_places (i @INT NOT NULL PRIMARY KEY);
INSERT INTO name_places (i) VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9),
    (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21),
    (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33),
    (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45),
    (46), (47), (48);
