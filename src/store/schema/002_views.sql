-- Messages that a reader has taken away for themselves alone; what the views
-- of direct chats read (docs/api.md, "Messages between two"); passwords that
-- came from elsewhere.

CREATE TABLE message_hides (
	user_id @ID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	position @INT NOT NULL REFERENCES messages (position)
	    ON DELETE CASCADE,
	created_at @TIME NOT NULL,
	PRIMARY KEY (user_id, position)
);
CREATE INDEX message_hides_position ON message_hides (position);

CREATE INDEX messages_views ON messages (chat_id, position)
    WHERE suite = 'other' AND deleted_at IS NULL AND message_type <> 'event';

-- When the person last chose a password: a login that was checked against an
-- older one fails. A hash made anew of the same password changes it not.
ALTER TABLE users ADD COLUMN password_set_at @TIME NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_imported @BOOL NOT NULL DEFAULT FALSE;
CREATE INDEX users_imported ON users (password_imported)
    WHERE password_imported = TRUE;
