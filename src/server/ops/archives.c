/*
 * archives.c: encrypted archives that a person's devices leave for one another
 * (history for a new device) or for themselves (a backup), in parts, so that
 * both sides go on where they stopped. The server knows their size and what
 * they are for, no more. A part is stored whole in one transaction; parts come
 * in order; an equal one may come again.
 */
#include "server/ops/archives.h"

#include "server/conf.h"
#include "server/ops.h"
#include "server/ops/listing.h"
#include "store/txn.h"

#define ARCHIVES_MAX 16		/* of a person */
/* Parts that are deleted in one transaction: 8 MiB. */
#define CUT_PARTS 32

/* Links end, and so do backups that were begun and are named by none. */
static uint64_t
expiry(const struct call *c)
{
	return c->now_ms + c->conf->archives_keep_ms;
}

static enum err
get(struct call *c, struct txn *t, const struct any_id *id,
    struct q_archive_get_out *out)
{
	return q_archive_get(t, &(struct q_archive_get_in){ *id, c->who.user,
	    c->now_ms }, out);
}

static enum err
to_record(const struct any_id *id, const struct q_archive_get_out *row,
    struct archive_rec *out)
{
	uint32_t purpose;

	if (!shape_value(&shape_names_archive_purpose, row->purpose, &purpose))
		return ERR_STORE;
	*out = (struct archive_rec){ .id = *id,
	    .purpose = (enum archive_purpose)purpose, .parts = row->parts,
	    .complete = row->is_complete, .size = row->size,
	    .created_at = row->created_at, .expires_at = row->expires_at,
	    .has_expires_at = row->expires_at != 0 };
	return OK;
}

/* 409 that says which part comes next. */
static enum err
refuse(struct call *c, const struct q_archive_get_out *row,
    const char *message)
{
	struct archive_conflict_rec d = { .parts = row->parts,
	    .complete = row->is_complete };
	struct span json;

	TRY(shape_encode_arena(&shape_archive_conflict_rec, &d, &c->arena,
	    &json));
	(void)call_fail(c, ERR_CONFLICT, message);
	return call_conflict(c, ERR_CONFLICT, json);
}

/*
 * A session without a device reads what the key backup names, for a restore
 * on an empty machine, and nothing else.
 */
static enum err
may_read(struct call *c, const struct q_archive_get_out *row)
{
	if (c->who.device != 0 || row->backups > 0)
		return OK;
	return call_fail(c, ERR_FORBIDDEN,
	    "This session speaks for no device");
}

/* ---- POST /api/archives ---- */

enum err
archives_create_check(struct call *c)
{
	struct any_id *id = ARENA_NEW(&c->arena, struct any_id);

	if (id == NULL)
		return ERR_TOO_LARGE;
	call_new_id(c, id->b);
	c->state = id;
	return OK;
}

enum err
archives_create_write(struct call *c, struct txn *t)
{
	const struct archive_create_req *in = c->req;
	uint64_t size = in->has_size ? in->size : 0;
	uint64_t most = c->conf->archives_user_max;
	struct archive_create_rep *out = c->rep;
	const struct any_id *id = c->state;
	struct q_archive_usage_out used;

	TRY(listing_speaks(c, t));
	TRY(q_archive_usage(t, &(struct q_archive_usage_in){ c->who.user,
	    c->now_ms }, &used));
	if (used.count >= ARCHIVES_MAX)
		return call_fail(c, ERR_CONFLICT,
		    "There are too many archives; delete one");
	if (used.promised >= most || size > most - used.promised)
		return call_fail(c, ERR_TOO_LARGE,
		    "There is not as much room left for archives");
	TRY(q_archive_insert(t, &(struct q_archive_insert_in){ *id,
	    c->who.user, span_str(shape_name(&shape_names_archive_purpose,
	    in->purpose)), size, c->now_ms, expiry(c) }, NULL));
	out->id = *id;
	call_status(c, 201);
	return OK;
}

/* ---- PUT /api/archives/:id/parts/:n ---- */

enum err
archives_part_put_check(struct call *c)
{
	return call_room(c);
}

enum err
archives_part_put_write(struct call *c, struct txn *t)
{
	const struct archive_part_put_req *in = c->req;
	struct q_archive_usage_out used;
	struct q_archive_part_get_out was;
	struct archive_rec *out = c->rep;
	struct q_archive_get_out row;

	TRY(listing_speaks(c, t));
	TRY(get(c, t, &in->id, &row));
	if (in->n < row.parts) {
		TRY(q_archive_part_get(t, &(struct q_archive_part_get_in){
		    in->id, in->n }, &was));
		if (!span_eq(was.data, in->data))
			return refuse(c, &row,
			    "The part is there with other bytes");
		return to_record(&in->id, &row, out);
	}
	if (row.is_complete || in->n > row.parts)
		return refuse(c, &row, row.is_complete ?
		    "The archive is complete" : "A part before it is missing");
	TRY(q_archive_usage(t, &(struct q_archive_usage_in){ c->who.user,
	    c->now_ms }, &used));
	if (used.bytes + in->data.n > c->conf->archives_user_max)
		return call_fail(c, ERR_TOO_LARGE,
		    "There is not as much room left for archives");
	TRY(q_archive_part_insert(t, &(struct q_archive_part_insert_in){
	    in->id, in->n, in->data }, NULL));
	TRY(q_archive_grow(t, &(struct q_archive_grow_in){ in->id,
	    in->data.n }, NULL));
	row.parts++;
	row.size += in->data.n;
	return to_record(&in->id, &row, out);
}

/* ---- POST /api/archives/:id/complete ---- */

enum err
archives_complete_write(struct call *c, struct txn *t)
{
	const struct archive_complete_req *in = c->req;
	struct archive_rec *out = c->rep;
	struct q_archive_get_out row;

	TRY(listing_speaks(c, t));
	TRY(get(c, t, &in->id, &row));
	if (in->parts != row.parts)
		return refuse(c, &row, "It has another number of parts");
	TRY(q_archive_complete(t, &(struct q_archive_complete_in){ in->id },
	    NULL));
	row.is_complete = true;
	return to_record(&in->id, &row, out);
}

/* ---- GET ---- */

enum err
archives_get_read(struct call *c, struct txn *t)
{
	const struct archive_id_req *in = c->req;
	struct q_archive_get_out row;

	TRY(get(c, t, &in->id, &row));
	TRY(may_read(c, &row));
	return to_record(&in->id, &row, c->rep);
}

enum err
archives_part_get_read(struct call *c, struct txn *t)
{
	const struct archive_part_req *in = c->req;
	struct archive_part_rep *out = c->rep;
	struct q_archive_part_get_out part;
	struct q_archive_get_out row;

	TRY(get(c, t, &in->id, &row));
	TRY(may_read(c, &row));
	TRY(q_archive_part_get(t, &(struct q_archive_part_get_in){ in->id,
	    in->n }, &part));
	out->data = part.data;
	return OK;
}

enum err
archives_list_read(struct call *c, struct txn *t)
{
	struct archive_list_rep *out = c->rep;
	struct q_archive_list_out row;
	struct cursor cu;
	enum err e;

	out->archives.p = arena_alloc(&c->arena,
	    ARCHIVES_MAX * sizeof(*out->archives.p));
	if (out->archives.p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_archive_list_open(t, &(struct q_archive_list_in){ c->who.user,
	    c->now_ms }, &cu));
	while ((e = q_archive_list_next(&cu, &row)) == OK &&
	    out->archives.n < ARCHIVES_MAX) {
		struct q_archive_get_out as = { row.purpose, row.parts,
		    row.size, row.is_complete, row.created_at,
		    row.expires_at, 0 };

		e = to_record(&row.id, &as,
		    &out->archives.p[out->archives.n++]);
		if (e != OK)
			break;
	}
	if (e != ERR_NOT_FOUND)
		query_close(&cu);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- DELETE ---- */

enum err
archives_drop(struct call *c, struct txn *t, const struct any_id *id)
{
	struct q_archive_get_out row;
	enum err e = get(c, t, id, &row);

	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	/* A transaction holds up all others: the sweep takes what is large
	 * in pieces, and nobody sees it from now on. */
	if (row.parts > CUT_PARTS)
		return q_archive_expire(t, &(struct q_archive_expire_in){ *id,
		    1 }, NULL);
	return q_archive_delete(t, &(struct q_archive_delete_in){ *id },
	    NULL);
}

enum err
archives_delete_write(struct call *c, struct txn *t)
{
	const struct archive_id_req *in = c->req;
	struct q_archive_get_out row;

	TRY(listing_speaks(c, t));
	TRY(get(c, t, &in->id, &row));
	if (row.backups > 0)
		return call_fail(c, ERR_CONFLICT,
		    "The key backup names it: replace or delete that");
	return archives_drop(c, t, &in->id);
}

/* ---- for the key backup ---- */

enum err
archives_keep(struct call *c, struct txn *t, const struct any_id *id)
{
	struct q_archive_get_out row;
	enum err e = get(c, t, id, &row);

	if (e == OK && (!row.is_complete ||
	    !span_eq(row.purpose, SPAN("backup"))))
		e = ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return call_invalid(c, "archiveId",
		    "must be a complete archive for a backup");
	TRY(e);
	return q_archive_keep(t, &(struct q_archive_keep_in){ *id }, NULL);
}

/* ---- what is over ---- */

enum err
archives_sweep_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, bool);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

enum err
archives_sweep_write(struct call *c, struct txn *t)
{
	struct q_archive_expired_out a;
	enum err e;

	*(bool *)c->state = false;
	e = q_archive_expired(t, &(struct q_archive_expired_in){ c->now_ms },
	    &a);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	*(bool *)c->state = true;
	if (a.parts <= CUT_PARTS)
		return q_archive_delete(t, &(struct q_archive_delete_in){
		    a.id }, NULL);
	TRY(q_archive_parts_cut(t, &(struct q_archive_parts_cut_in){ a.id,
	    a.parts - CUT_PARTS }, NULL));
	return q_archive_parts_set(t, &(struct q_archive_parts_set_in){ a.id,
	    a.parts - CUT_PARTS }, NULL);
}

/* One piece, then others' calls, then the next. */
void
archives_sweep_emit(struct call *c)
{
	if (*(const bool *)c->state)
		call_follow(c, c->op, NULL, NULL);
}
