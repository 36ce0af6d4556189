-- Triggers of the first schema for SQLite. A message moves its chat's marks
-- by this trigger: it costs no more than the statement that it replaces (one
-- UPDATE by primary key, prepared with the INSERT), and no writer can forget
-- it.
CREATE TRIGGER messages_head AFTER INSERT ON messages
BEGIN
	UPDATE chats SET
	    last_message_at = CASE WHEN NEW.message_type = 'event'
		THEN last_message_at ELSE NEW.created_at END,
	    last_position = CASE WHEN NEW.is_partial
		THEN last_position ELSE NEW.position END,
	    newest_position = NEW.position
	WHERE id = NEW.chat_id;
END;

CREATE TRIGGER events_chat_head AFTER INSERT ON events
WHEN NEW.chat_id IS NOT NULL
BEGIN
	UPDATE chats SET last_position = NEW.position,
	    newest_position = NEW.position WHERE id = NEW.chat_id;
END;

CREATE TRIGGER events_user_head AFTER INSERT ON events
WHEN NEW.user_id IS NOT NULL
BEGIN
	UPDATE users SET last_position = NEW.position WHERE id = NEW.user_id;
END;

CREATE TRIGGER receipts_head AFTER INSERT ON message_receipts
BEGIN
	UPDATE chats SET newest_position = NEW.position WHERE id = NEW.chat_id;
END;

-- updated_at says when what people see of a row last changed: not its heads.
CREATE TRIGGER users_updated AFTER UPDATE OF username, email, password_hash,
    role, public_key_ecc, public_key_pqc, is_active, is_verified ON users
BEGIN
	UPDATE users SET updated_at =
	    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
	WHERE id = NEW.id;
END;

CREATE TRIGGER chats_updated AFTER UPDATE OF name, type ON chats
BEGIN
	UPDATE chats SET updated_at =
	    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
	WHERE id = NEW.id;
END;
