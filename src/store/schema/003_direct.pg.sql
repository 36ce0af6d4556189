-- Every part of three characters of each name in lower case, for PostgreSQL.
CREATE TABLE user_trigrams (
	trigram VARCHAR(3) COLLATE "C" NOT NULL,
	user_id UUID NOT NULL,
	PRIMARY KEY (trigram, user_id)
);
INSERT INTO user_trigrams (trigram, user_id)
    SELECT DISTINCT substr(u.username_key, p.i::integer, 3), u.id FROM users u
    JOIN name_places p ON p.i <= length(u.username_key) - 2;

CREATE FUNCTION users_trigrams() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		DELETE FROM user_trigrams WHERE user_id = OLD.id
		    AND trigram IN (SELECT
		    substr(OLD.username_key, p.i::integer, 3)
		    FROM name_places p
		    WHERE p.i <= length(OLD.username_key) - 2);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		INSERT INTO user_trigrams (trigram, user_id)
		    SELECT DISTINCT substr(NEW.username_key, p.i::integer, 3),
		    NEW.id FROM name_places p
		    WHERE p.i <= length(NEW.username_key) - 2;
	END IF;
	RETURN NULL;
END $body$;
CREATE TRIGGER users_trigrams AFTER INSERT OR DELETE
    OR UPDATE OF username_key ON users
    FOR EACH ROW EXECUTE FUNCTION users_trigrams();
