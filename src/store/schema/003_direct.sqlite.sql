-- Every part of three characters of each name in lower case, for SQLite: one
-- tree, kept by triggers, so that no writer can forget it.
CREATE TABLE user_trigrams (
	trigram VARCHAR(3) NOT NULL,
	user_id BLOB NOT NULL,
	PRIMARY KEY (trigram, user_id)
) WITHOUT ROWID;
INSERT INTO user_trigrams (trigram, user_id)
    SELECT DISTINCT substr(u.username_key, p.i, 3), u.id FROM users u
    JOIN name_places p ON p.i <= length(u.username_key) - 2;

CREATE TRIGGER users_trigrams_add AFTER INSERT ON users
BEGIN
	INSERT INTO user_trigrams (trigram, user_id)
	    SELECT DISTINCT substr(NEW.username_key, p.i, 3), NEW.id
	    FROM name_places p WHERE p.i <= length(NEW.username_key) - 2;
END;

CREATE TRIGGER users_trigrams_drop AFTER DELETE ON users
BEGIN
	DELETE FROM user_trigrams WHERE user_id = OLD.id AND trigram IN (
	    SELECT substr(OLD.username_key, p.i, 3) FROM name_places p
	    WHERE p.i <= length(OLD.username_key) - 2);
END;

CREATE TRIGGER users_trigrams_change AFTER UPDATE OF username_key ON users
WHEN NEW.username_key <> OLD.username_key
BEGIN
	DELETE FROM user_trigrams WHERE user_id = OLD.id AND trigram IN (
	    SELECT substr(OLD.username_key, p.i, 3) FROM name_places p
	    WHERE p.i <= length(OLD.username_key) - 2);
	INSERT INTO user_trigrams (trigram, user_id)
	    SELECT DISTINCT substr(NEW.username_key, p.i, 3), NEW.id
	    FROM name_places p WHERE p.i <= length(NEW.username_key) - 2;
END;
