/*
 * blocks.c: who blocks somebody is not written to by them, and neither of the
 * two sees presence, typing or marks of the other. The blocked one is not
 * told; he sees somebody who is not there, and a chat that takes no messages
 * (which is all that a deleted account or his own block would look like, too).
 */
#include "server/ops/blocks.h"

#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/records.h"
#include "server/ops/settings.h"
#include "server/presence.h"

struct blocking {
	struct blocks_ev ev;
	bool is_new;		/* it was not so before */
	/* Does the one see the other's presence, but for the block? */
	bool sees, is_seen;
};

enum err
blocks_load(struct call *c, struct txn *t, struct block_rec_list *out)
{
	struct q_block_list_in in = { c->who.user, BLOCKS_MAX };
	struct q_block_list_out row;
	struct block_rec *more;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	*out = (struct block_rec_list){ NULL, 0 };
	TRY(q_block_list_open(t, &in, &cu));
	while ((e = q_block_list_next(&cu, &row)) == OK) {
		more = arena_grow(&c->arena, out->p, out->n, &cap,
		    sizeof(*more));
		if (more == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->p = more;
		out->p[out->n++] = (struct block_rec){ row.blocked,
		    row.username, row.created_at };
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
blocks_list_read(struct call *c, struct txn *t)
{
	struct block_list_rep *out = c->rep;

	return blocks_load(c, t, &out->blocks);
}

/* ---- the two of them ---- */

/* In their chat nobody writes while one of them has blocked the other. */
static enum err
set_chat(struct call *c, struct txn *t, const struct user_id *other)
{
	uint8_t key[RECORDS_DIRECT_KEY_LEN];
	struct q_chat_block_set_in in = { .direct_key = SPAN_OF(key) };
	struct q_block_between_out now;

	TRY(q_block_between(t, &(struct q_block_between_in){ c->who.user,
	    *other }, &now));
	in.is_blocked = now.by_user || now.by_other;
	records_direct_key(&c->who.user, other, key);
	return q_chat_block_set(t, &in, NULL);
}

/* blocks:changed, in the person's own stream. */
static enum err
add_event(struct call *c, struct txn *t, struct blocks_ev *ev)
{
	struct q_event_insert_in in = { .user = c->who.user,
	    .event = SPAN("blocks:changed"), .created_at = c->now_ms };
	struct q_user_stream_out own;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user }, &own));
	TRY(shape_encode_arena(&shape_blocks_ev, ev, &c->arena, &in.data));
	in.prev = own.position;
	in.position = txn_position(t);
	TRY(q_event_insert(t, &in, NULL));
	ev->position = in.position;
	ev->prev = in.prev;
	ev->has_position = ev->has_prev = true;
	return OK;
}

/*
 * Who of the two has seen the other's presence up to now, or will from now on:
 * those who share a chat, when it is shown, and no other block is between.
 */
static enum err
load_views(struct call *c, struct txn *t, struct blocking *s)
{
	const struct user_id *me = &c->who.user, *other = &s->ev.user_id;
	struct q_user_view_out mine, theirs;
	struct q_block_between_out between;
	struct q_chat_shared_out shared;
	enum err e;

	e = q_chat_shared(t, &(struct q_chat_shared_in){ *me, *other },
	    &shared);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	TRY(q_block_between(t, &(struct q_block_between_in){ *me, *other },
	    &between));
	if (between.by_other)
		return OK;
	TRY(q_user_view(t, &(struct q_user_view_in){ *me, *other }, &mine));
	TRY(q_user_view(t, &(struct q_user_view_in){ *other, *me }, &theirs));
	s->is_seen = mine.presence;
	s->sees = theirs.presence;
	return OK;
}

static enum err
changed(struct call *c, struct txn *t, struct blocking *s)
{
	s->is_new = true;
	TRY(set_chat(c, t, &s->ev.user_id));
	TRY(load_views(c, t, s));
	return add_event(c, t, &s->ev);
}

static struct blocking *
begin(struct call *c, bool blocked)
{
	const struct block_req *in = c->req;
	struct blocking *s = ARENA_NEW(&c->arena, struct blocking);

	if (s == NULL)
		return NULL;
	s->ev = (struct blocks_ev){ .user_id = in->user_id,
	    .blocked = blocked };
	c->state = s;
	return s;
}

/* ---- POST /api/blocks ---- */

enum err
blocks_add_check(struct call *c)
{
	const struct block_req *in = c->req;

	if (ID_EQ(in->user_id, c->who.user))
		return call_invalid(c, "userId", "must be somebody else");
	return OK;
}

enum err
blocks_add_write(struct call *c, struct txn *t)
{
	const struct block_req *in = c->req;
	struct block_rec *out = c->rep;
	struct blocking *s = begin(c, true);
	struct q_block_get_in get = { c->who.user, in->user_id };
	struct q_block_insert_in add = { c->who.user, in->user_id, c->now_ms,
	    BLOCKS_MAX };
	struct q_block_get_out row;
	struct q_user_stream_out user;
	uint64_t rows;
	enum err e;

	if (s == NULL)
		return ERR_TOO_LARGE;
	e = q_user_stream(t, &(struct q_user_stream_in){ in->user_id },
	    &user);
	if (e == ERR_NOT_FOUND)
		return call_fail(c, e, "There is no such person");
	TRY(e);
	e = q_block_get(t, &get, &row);
	if (e == ERR_NOT_FOUND) {
		TRY(q_block_insert(t, &add, &rows));
		if (rows == 0)
			return call_fail(c, ERR_CONFLICT,
			    "So many people can not be blocked");
		TRY(changed(c, t, s));
		call_status(c, 201);
		e = q_block_get(t, &get, &row);
	}
	TRY(e);
	*out = (struct block_rec){ in->user_id, row.username,
	    row.created_at };
	return OK;
}

/* ---- DELETE /api/blocks/:userId ---- */

enum err
blocks_drop_write(struct call *c, struct txn *t)
{
	const struct block_req *in = c->req;
	struct blocking *s = begin(c, false);
	struct q_block_delete_in q = { c->who.user, in->user_id };
	uint64_t rows;

	if (s == NULL)
		return ERR_TOO_LARGE;
	TRY(q_block_delete(t, &q, &rows));
	return rows == 0 ? ERR_NOT_FOUND : changed(c, t, s);
}

/*
 * The one who is blocked, and the one who blocks, see the other go; when it is
 * over, how he is.
 */
void
blocks_emit(struct call *c)
{
	const struct blocking *s = c->state;
	const struct user_id *me = &c->who.user, *other;
	struct deliver_event out;

	if (!s->is_new)
		return;
	other = &s->ev.user_id;
	out = deliver_event("blocks:changed", &shape_blocks_ev, &s->ev);
	deliver_user(c, me, &out, s->ev.position, DELIVER_NOT_SENDER);
	deliver_end(&out);
	if (s->is_seen)
		presence_tell(c, me, s->ev.blocked ? PRESENCE_OFFLINE :
		    call_presence_of(c, me), other, 1);
	if (s->sees)
		presence_tell(c, other, s->ev.blocked ? PRESENCE_OFFLINE :
		    call_presence_of(c, other), me, 1);
}
