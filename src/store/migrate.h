/*
 * migrate.h: brings a database's schema up to date: runs the files of
 * schema/ that the table `migrations` does not name yet, in order, each in
 * one transaction. NNN_what.sql is for all engines and has type words,
 * NNN_what.DRIVER.sql follows it on that engine.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/driver.h"

struct migrate_file {
	const char *name;	/* "001_first" */
	const char *driver;	/* "": all */
	const char *sql;	/* without comments */
};

/* All files, by name, the general one first; ends with a NULL name. */
extern const struct migrate_file migrate_files[];
/* How PostgreSQL spells the type words; its files are NNN_what.pg.sql. */
extern const struct driver_words migrate_pg_words;

/*
 * Runs `files` (NULL: migrate_files) up to and including the migration `last`
 * (NULL: all). ERR_VERSION: the database has one that is not among them.
 * ERR_STORE and others: one failed (named in err_out) and left no trace.
 */
MUST_USE enum err migrate_run(const struct driver *d, struct db *db,
    const struct migrate_file *files, const char *last, uint64_t now_ms,
    struct store_error *err_out);

/*
 * Spells the type words (@ID @BYTES @TIME @JSON @IP @BOOL @INT) of a text.
 * ERR_FORMAT: an unknown word. ERR_NOMEM, ERR_TOO_LARGE.
 */
MUST_USE enum err migrate_spell(const struct driver_words *w,
    const char *sql, struct buf *out);

#endif
