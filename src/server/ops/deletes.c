/*
 * deletes.c: deleting a message: for everybody (what it held goes, a tombstone
 * stays) or for oneself (it is hidden). Both are events with a position, so
 * that who was away learns of them by sync.
 */
#include "server/deliver.h"
#include "server/ops.h"
#include "store/msgid.h"
#include "store/txn.h"

struct deletion {
	struct deleted_ev ev;
	bool is_new;		/* it was not deleted before */
	struct user_id *members;	/* who hear of it */
	size_t members_n;
};

static enum err
load_members(struct call *c, struct txn *t, struct deletion *d)
{
	struct q_chat_member_ids_out row;
	struct user_id *more;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	d->members = NULL;
	d->members_n = 0;
	TRY(q_chat_member_ids_open(t, &(struct q_chat_member_ids_in){
	    d->ev.chat_id }, &cu));
	while ((e = q_chat_member_ids_next(&cu, &row)) == OK) {
		more = arena_grow(&c->arena, d->members, d->members_n, &cap,
		    sizeof(*more));
		if (more == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		d->members = more;
		d->members[d->members_n++] = row.user;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* chat NULL: in the caller's own stream. */
static enum err
add_event(struct call *c, struct txn *t, struct deletion *d,
    const struct chat_id *chat, uint64_t prev)
{
	struct q_event_insert_in in = { .prev = prev,
	    .event = SPAN("message:deleted"), .created_at = c->now_ms };

	if (chat != NULL)
		in.chat = *chat;
	else
		in.user = c->who.user;
	d->ev.has_position = d->ev.has_prev = false;
	TRY(shape_encode_arena(&shape_deleted_ev, &d->ev, &c->arena,
	    &in.data));
	in.position = txn_position(t);
	TRY(q_event_insert(t, &in, NULL));
	d->ev.position = in.position;
	d->ev.prev = prev;
	d->ev.has_position = d->ev.has_prev = true;
	d->is_new = true;
	return OK;
}

static enum err
delete_for_all(struct call *c, struct txn *t, struct deletion *d,
    const struct q_message_delete_get_out *row)
{
	const struct msg_delete_req *in = c->req;
	struct q_message_delete_in q = { msgid_position(&in->message_id),
	    in->message_id, c->now_ms };
	uint64_t rows;

	if (!ID_EQ(row->sender, c->who.user) &&
	    !span_eq(row->role, SPAN("admin")))
		return call_fail(c, ERR_FORBIDDEN, "Only its sender and "
		    "admins of the chat delete a message for everybody");
	TRY(q_message_delete(t, &q, &rows));
	if (rows == 0)
		return OK;
	TRY(load_members(c, t, d));
	call_key(c, row->chat.b);
	return add_event(c, t, d, &row->chat, row->last_position);
}

static enum err
delete_for_me(struct call *c, struct txn *t, struct deletion *d)
{
	const struct msg_delete_req *in = c->req;
	struct q_message_hide_in q = { c->who.user,
	    msgid_position(&in->message_id), c->now_ms };
	struct q_user_stream_out own;
	uint64_t rows;

	TRY(q_message_hide(t, &q, &rows));
	if (rows == 0)
		return OK;
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user },
	    &own));
	d->members = &c->who.user;
	d->members_n = 1;
	return add_event(c, t, d, NULL, own.position);
}

enum err
deletes_write(struct call *c, struct txn *t)
{
	const struct msg_delete_req *in = c->req;
	struct q_message_delete_get_in q = { msgid_position(&in->message_id),
	    in->message_id, c->who.user };
	struct q_message_delete_get_out row;
	struct deletion *d = ARENA_NEW(&c->arena, struct deletion);
	bool mine;

	if (d == NULL)
		return ERR_TOO_LARGE;
	c->state = d;
	TRY(q_message_delete_get(t, &q, &row));
	mine = ID_EQ(row.sender, c->who.user);
	/* What is for some devices is not there for all others. */
	if (row.is_partial && !mine)
		return ERR_NOT_FOUND;
	d->ev = (struct deleted_ev){ .message_id = in->message_id,
	    .chat_id = row.chat, .user_id = c->who.user,
	    .scope = in->has_scope ? in->scope : mine ? DELETE_SCOPE_ALL :
	    DELETE_SCOPE_ME, .deleted_at = c->now_ms };
	return d->ev.scope == DELETE_SCOPE_ALL ?
	    delete_for_all(c, t, d, &row) : delete_for_me(c, t, d);
}

void
deletes_emit(struct call *c)
{
	const struct deletion *d = c->state;
	struct deliver_event ev = deliver_event("message:deleted",
	    &shape_deleted_ev, &d->ev);

	if (!d->is_new)
		return;
	deliver_users(c, d->members, d->members_n, &ev, d->ev.position,
	    DELIVER_NOT_SENDER);
	deliver_end(&ev);
}
