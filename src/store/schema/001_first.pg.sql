-- Triggers and collations of the first schema for PostgreSQL.
ALTER TABLE users ALTER COLUMN username_key TYPE VARCHAR(50) COLLATE "C";

CREATE FUNCTION messages_head() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
	UPDATE chats SET
	    last_message_at = CASE WHEN NEW.message_type = 'event'
		THEN last_message_at ELSE NEW.created_at END,
	    last_position = CASE WHEN NEW.is_partial
		THEN last_position ELSE NEW.position END,
	    newest_position = NEW.position
	WHERE id = NEW.chat_id;
	RETURN NULL;
END $body$;
CREATE TRIGGER messages_head AFTER INSERT ON messages
    FOR EACH ROW EXECUTE FUNCTION messages_head();

CREATE FUNCTION events_head() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
	IF NEW.chat_id IS NOT NULL THEN
		UPDATE chats SET last_position = NEW.position,
		    newest_position = NEW.position WHERE id = NEW.chat_id;
	ELSE
		UPDATE users SET last_position = NEW.position
		WHERE id = NEW.user_id;
	END IF;
	RETURN NULL;
END $body$;
CREATE TRIGGER events_head AFTER INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION events_head();

CREATE FUNCTION receipts_head() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
	UPDATE chats SET newest_position = NEW.position
	WHERE id = NEW.chat_id;
	RETURN NULL;
END $body$;
CREATE TRIGGER receipts_head AFTER INSERT ON message_receipts
    FOR EACH ROW EXECUTE FUNCTION receipts_head();

CREATE FUNCTION touch_updated() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
	NEW.updated_at := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
	RETURN NEW;
END $body$;
CREATE TRIGGER users_updated BEFORE UPDATE OF username, email, password_hash,
    role, public_key_ecc, public_key_pqc, is_active, is_verified ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated();
CREATE TRIGGER chats_updated BEFORE UPDATE OF name, type ON chats
    FOR EACH ROW EXECUTE FUNCTION touch_updated();
