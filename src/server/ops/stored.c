/*
 * stored.c: which fields the server holds about the caller, and why.
 */
#include "server/stored.h"

#include "server/ops.h"
#include "store/txn.h"

static enum err
stored_add(struct call *c, struct txn *t, size_t i,
    const struct stored_table *table, struct stored_table_rec *out)
{
	*out = (struct stored_table_rec){ .table = span_str(table->name),
	    .kept = span_str(table->kept) };
	TRY(stored_count(t, i, &c->who.user, &out->rows));
	out->fields.p = arena_alloc(&c->arena,
	    table->fields_n * sizeof(*out->fields.p));
	if (out->fields.p == NULL)
		return ERR_TOO_LARGE;
	for (size_t j = 0; j < table->fields_n; j++)
		out->fields.p[out->fields.n++] = (struct stored_field_rec){
		    .field = span_str(table->fields[j].name),
		    .why = span_str(table->fields[j].why) };
	return OK;
}

enum err
stored_mine_read(struct call *c, struct txn *t)
{
	struct stored_rep *out = c->rep;
	const struct stored_table *tables;
	size_t n;

	tables = stored_tables(&n);
	out->tables.p = arena_alloc(&c->arena, n * sizeof(*out->tables.p));
	if (out->tables.p == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < n; i++)
		TRY(stored_add(c, t, i, &tables[i],
		    &out->tables.p[out->tables.n++]));
	out->not_stored = SPAN("Never here: the text of messages, their "
	    "files' names, reactions, drafts, the safety numbers, private "
	    "keys, recovery keys and passphrases. In the log of the process: "
	    "ids of calls and addresses as far as log.ip allows, for as long "
	    "as the operator keeps it.");
	return OK;
}
