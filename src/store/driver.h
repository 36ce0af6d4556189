/*
 * driver.h: the seam to a database engine. A driver has connections and
 * prepared statements and knows no query; texts are in queries.def and
 * schema/, logic is above. A connection is used by one thread at a time.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/kinds.h"
#include "store/store.h"

struct db;	/* a connection */
struct stmt;	/* a prepared statement of one */

enum db_use { DB_WRITE, DB_READ, DB_CHECKPOINT };

/* A value on its way: ID, TEXT, BYTES, JSON, IP in s; the others in n. */
struct value {
	enum kind kind;
	bool is_null;
	uint64_t n;
	struct span s;
};

/* How schema files spell the type words. */
struct driver_words {
	const char *id, *bytes, *time, *json, *ip, *boolean, *integer;
};

struct driver {
	const char *name;		/* "sqlite": of the schema files */
	struct driver_words words;

	/*
	 * ERR_IO: not there or not usable, with the reason in err_out.
	 * ERR_NOMEM.
	 */
	enum err (*open)(const char *path, enum db_use use, struct db **out,
	    struct store_error *err_out);
	/* Finalises what was prepared. NULL does nothing. */
	void (*close)(struct db *db);
	enum err (*prepare)(struct db *db, const char *sql, struct stmt **out);
	/* Parameter $(i + 1); what v points to outlives the next reset. */
	enum err (*bind)(struct stmt *st, unsigned i, const struct value *v);
	/*
	 * Runs up to the next row. ERR_CONFLICT: a constraint. ERR_BUSY: may
	 * be run again. ERR_DISK_FULL, ERR_IO, ERR_NOMEM, ERR_STORE: the
	 * transaction is lost.
	 */
	enum err (*step)(struct stmt *st, bool *row_out);
	/* Column i of the present row, borrowed until the next step. */
	void (*column)(struct stmt *st, unsigned i, enum kind kind,
	    struct value *out);
	/* Ends the run, forgets parameters. Rows that it changed. */
	uint64_t (*reset)(struct stmt *st);
	/* Statements without parameters: BEGIN, COMMIT, DDL. */
	enum err (*run)(struct db *db, const char *sql);
	/*
	 * Moves the log into the database: without stopping the writer, or
	 * (hard) so that the log starts anew. Pages of the log that are not
	 * moved yet. An engine that does this itself says 0.
	 */
	enum err (*checkpoint)(struct db *db, bool hard, uint64_t *left_out);
	/* Pages in the log after the last commit of this connection. */
	uint64_t (*log_pages)(const struct db *db);
	/*
	 * Makes the log's file this long with zeros behind what is in it, so
	 * that commits write in place: one that makes a file longer waits for
	 * the file system's journal as well. Does what it can: without room
	 * the log grows as it goes.
	 */
	void (*log_reserve)(struct db *db, uint64_t bytes);
	/* The engine's own words about the last failure, for the operator. */
	const char *(*why)(struct db *db);
};

extern const struct driver sqlite_driver;

#endif
