/*
 * txn_private.h: a transaction and its connection from the inside; for the
 * store's own files (query.c, txn.c, store.c, migrate.c).
 */
#ifndef STORE_TXN_PRIVATE_H
#define STORE_TXN_PRIVATE_H

#include "store/driver.h"
#include "store/txn.h"

/* A connection with its prepared statements, made when first used. */
struct link {
	const struct driver *d;
	struct db *db;
	struct stmt *stmts[QUERY_MAX];
	bool is_open[QUERY_MAX];	/* a cursor is on it */
	unsigned open_n;
};

struct txn {
	struct link *l;
	struct arena *arena;	/* of the job that runs */
	bool can_write;
	bool has_begun;		/* BEGIN was said */
	bool keeps;		/* savepoints: a step is undone alone */
	bool has_savepoint;	/* of the step that runs */
	bool wrote;		/* the step that runs changed something */
	enum err lost;		/* not OK: the transaction can't go on */
	uint64_t position;	/* newest given */
	uint64_t step_position;	/* as it was when the step began */
};

/* Did the engine lose the transaction, beyond this statement? */
static inline bool
txn_is_lost(enum err e)
{
	return e == ERR_DISK_FULL || e == ERR_IO || e == ERR_NOMEM ||
	    e == ERR_STORE || e == ERR_BUSY;
}

/*
 * BEGIN where it was not said yet; called before each statement. For a write
 * statement also the savepoint of the step.
 */
MUST_USE enum err txn_enter(struct txn *t, bool writes);
/* A step begins; its end, undone unless e is OK. */
void txn_step_begin(struct txn *t, struct arena *a);
/*
 * OK: kept or undone as asked. ERR_CONFLICT: it has to be undone but there
 * is no savepoint: the whole batch must be run again. Else: lost.
 */
MUST_USE enum err txn_step_end(struct txn *t, enum err e);
/* Ends all of it. */
MUST_USE enum err txn_commit(struct txn *t);
void txn_rollback(struct txn *t);

/* Closes what cursors a step left open. */
void link_close_cursors(struct link *l);
/* Ends the connection; it may be opened again. */
void link_close(struct link *l);
MUST_USE enum err link_open(struct link *l, const struct driver *d,
    const char *path, enum db_use use, struct store_error *err_out);

#endif
