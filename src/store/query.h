/*
 * query.h: how a row of queries.def runs: bind, step, read the columns. Steps
 * of operations use the typed functions of queries.h instead.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/kinds.h"

struct stmt;
struct txn;

/* One parameter or column. */
struct query_field {
	const char *name;
	enum kind_row row;
	size_t at;		/* offset in the struct */
};

enum query_form { QUERY_ONE, QUERY_MANY, QUERY_EXEC, QUERY_EXEC_ONE };

#define QUERY_FIELDS_MAX 32

struct query {
	const char *name;
	const char *sql;
	enum query_form form;
	const struct query_field *(*in)(size_t *n_out);
	const struct query_field *(*out)(size_t *n_out); /* NULL for EXEC */
	size_t out_bytes;
};

/* Row of a query; id < QUERY_MAX of queries.h. */
const struct query *query_row(unsigned id);
unsigned query_count(void);

/* An open MANY. All zero: closed. */
struct cursor {
	struct txn *t;
	struct stmt *stmt;
	unsigned id;
};

MUST_USE enum err query_exec(struct txn *t, unsigned id, const void *in,
    uint64_t *rows_out);
MUST_USE enum err query_one(struct txn *t, unsigned id, const void *in,
    void *out);
MUST_USE enum err query_open(struct txn *t, unsigned id, const void *in,
    struct cursor *c);
MUST_USE enum err query_next(struct cursor *c, void *out);
/* Does nothing to a closed one. */
void query_close(struct cursor *c);

#endif
