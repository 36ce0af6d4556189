/*
 * stored.h: what the server has about a person: the tables of stored.def, how
 * many rows of each are about somebody, and the rows themselves as JSON.
 */
#ifndef SERVER_STORED_H
#define SERVER_STORED_H

#include "store/txn.h"

struct stored_field {
	const char *name, *why;
	bool is_secret;		/* not in the archive */
};

struct stored_table {
	const char *name, *kept;
	bool is_keyed;		/* read on behind the first column, a U64 */
	unsigned query;		/* enum query_id of its rows */
	const struct stored_field *fields;
	size_t fields_n;
};

/* All of them, in the order of stored.def. */
const struct stored_table *stored_tables(size_t *n_out);

/* How many rows of the table are about that person. */
MUST_USE enum err stored_count(struct txn *t, size_t table,
    const struct user_id *user, uint64_t *n_out);

/* Longest JSON of one row (a message with all its keys, escaped). */
#define STORED_ROW_MAX ((size_t)4 << 20)
/*
 * A row of a table's query as a JSON object and a line feed, by the columns'
 * names. ERR_SPACE: w is full.
 *   row  in  struct q_stored_*_out
 */
MUST_USE enum err stored_row(const struct stored_table *table,
    const void *row, struct wr *w);
/* The first column of such a row, where the table is keyed. */
uint64_t stored_key(const struct stored_table *table, const void *row);

#endif
