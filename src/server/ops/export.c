/*
 * export.c: everything about the caller as one ZIP archive: a file of JSON
 * lines for each table, and a page that says what they are. It is written into
 * a file without a name, a bit in each of many short reads, so that neither
 * memory nor other people's reads wait for somebody's million messages; then
 * it is sent at the pace of its reader.
 */
#include "base/sys.h"
#include "server/audit.h"
#include "server/ops.h"
#include "server/stored.h"
#include "server/zip.h"
#include "store/query.h"

#define EXPORT_ROWS 200			/* of one read */
#define EXPORT_BYTES ((size_t)4 << 20)	/* of one read, about */
#define EXPORT_ROW_ROOM 4096		/* of most rows */

/* Where it is; a read works on a copy, and the last thing it does is this. */
struct export {
	struct zip zip;
	bool has_begun;
	size_t table;
	bool in_table;
	uint64_t after;
};

/* Any row of the stored_* queries fits. */
union export_row {
	struct q_stored_messages_out messages;
#define STORED(table, how, kept, ...) \
	struct q_stored_##table##_out row_##table;
#include "server/stored.def"
#undef STORED
};

static const char export_readme[] =
    "Everything that this Nightjar server has about you\n"
    "==================================================\n\n"
    "One file for each table of the database, one JSON object a line. What\n"
    "each field is for, and how long it is kept, is in fields.json.\n\n"
    "Texts of messages are not readable here, nor on the server: they are\n"
    "encrypted between devices, and the keys are on yours. Your device has\n"
    "your history in the clear (nightjar history).\n\n"
    "Not in here: hashes of secrets (password, tokens, codes), messages of\n"
    "others to you, and the sealed parts of your backup, which you fetch by\n"
    "nightjar backup.\n";

enum err
export_check(struct call *c)
{
	TRY(call_room(c));
	c->state = ARENA_NEW(&c->arena, struct export);
	return c->state == NULL ? ERR_TOO_LARGE : OK;
}

/* ---- one row, one table ---- */

static enum err
export_row_put(struct call *c, struct zip *z, const struct stored_table *t,
    const void *row, size_t *n)
{
	struct arena_mark mark = arena_mark(&c->arena);
	size_t room = EXPORT_ROW_ROOM;
	enum err e = ERR_SPACE;

	while (e == ERR_SPACE && room <= STORED_ROW_MAX) {
		uint8_t *p = arena_bytes(&c->arena, room);
		struct wr w = wr_init(p, p == NULL ? 0 : room);

		if (p == NULL)
			return ERR_TOO_LARGE;
		e = stored_row(t, row, &w);
		if (e == OK) {
			*n += w.n;
			e = zip_write(z, wr_done(&w));
		}
		arena_reset(&c->arena, mark);
		room *= 8;
	}
	return e;
}

static enum err
export_rows(struct call *c, struct txn *t, struct export *x)
{
	size_t tables_n, rows = 0, bytes = 0;
	const struct stored_table *table = &stored_tables(&tables_n)[x->table];
	/* All stored_* queries have the same parameters. */
	struct q_stored_users_in in = { c->who.user, x->after, EXPORT_ROWS };
	union export_row row;
	struct cursor cu = { 0 };
	enum err e;

	TRY(query_open(t, table->query, &in, &cu));
	while ((e = query_next(&cu, &row)) == OK) {
		e = export_row_put(c, &x->zip, table, &row, &bytes);
		if (e != OK)
			break;
		rows++;
		x->after = table->is_keyed ? stored_key(table, &row) :
		    x->after + 1;
		if (bytes >= EXPORT_BYTES)
			break;
	}
	query_close(&cu);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	/* Not full: that was the end of the table. */
	x->in_table = rows == EXPORT_ROWS || bytes >= EXPORT_BYTES;
	return OK;
}

/* ---- all of it ---- */

static enum err
export_text(struct zip *z, const char *name, struct span text)
{
	TRY(zip_open(z, name));
	TRY(zip_write(z, text));
	return zip_close(z);
}

static enum err
export_fields(struct call *c, struct txn *t, struct zip *z)
{
	struct stored_rep rep = { .tables.n = 0 };
	void *before = c->rep;
	struct span json;
	enum err e;

	/* The very record of GET /api/users/me/stored. */
	c->rep = &rep;
	e = stored_mine_read(c, t);
	c->rep = before;
	TRY(e);
	TRY(shape_encode_arena(&shape_stored_rep, &rep, &c->arena, &json));
	return export_text(z, "fields.json", json);
}

static enum err
export_begin(struct call *c, struct txn *t, struct export *x)
{
	int fd;

	TRY(call_spool(c, &fd));
	zip_begin(&x->zip, fd, c->now_ms);
	x->has_begun = true;
	TRY(export_text(&x->zip, "README.txt", span_str(export_readme)));
	return export_fields(c, t, &x->zip);
}

static enum err
export_step(struct call *c, struct txn *t, struct export *x, bool *more_out)
{
	char name[ZIP_NAME_MAX];
	struct wr w = wr_init(name, sizeof(name) - 1);
	const struct stored_table *tables;
	size_t n;

	tables = stored_tables(&n);
	*more_out = true;
	if (!x->has_begun)
		return export_begin(c, t, x);
	if (x->table == n) {
		*more_out = false;
		return OK;
	}
	if (!x->zip.is_open) {
		wr_str(&w, tables[x->table].name);
		wr_str(&w, ".jsonl");
		name[w.n] = '\0';
		TRY(zip_open(&x->zip, name));
		x->after = 0;
	}
	TRY(export_rows(c, t, x));
	if (x->in_table)
		return OK;
	x->table++;
	return zip_close(&x->zip);
}

enum err
export_read(struct call *c, struct txn *t)
{
	struct export *state = c->state;
	struct export *x = ARENA_NEW(&c->arena, struct export);
	uint64_t n;
	bool more;

	if (x == NULL)
		return ERR_TOO_LARGE;
	*x = *state;
	TRY(export_step(c, t, x, &more));
	if (more) {
		call_again(c);
	} else {
		TRY(zip_end(&x->zip, &n));
		call_reply_file(c, n, "application/zip",
		    "nightjar-account.zip");
		call_follow(c, ops_get(OP_exported), NULL, NULL);
	}
	*state = *x;
	return OK;
}

enum err
export_done_write(struct call *c, struct txn *t)
{
	return audit_note(c, t, AUDIT_EXPORTED, &(struct audit_entry){
	    .user = c->who.user, .session = c->who.session });
}
