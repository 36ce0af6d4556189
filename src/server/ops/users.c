/*
 * users.c: one person, as another one may see him.
 */
#include "server/ops.h"
#include "store/txn.h"

/* ---- one ---- */

enum err
users_get_read(struct call *c, struct txn *t)
{
	const struct user_get_req *in = c->req;
	struct user_get_rep *out = c->rep;
	struct q_chat_shared_out shared;
	struct q_user_view_out view = { true, true, false };
	struct q_user_get_out row;
	bool near = ID_EQ(in->id, c->who.user);
	enum err e;

	TRY(q_user_get(t, &(struct q_user_get_in){ in->id }, &row));
	if (!near) {
		e = q_chat_shared(t, &(struct q_chat_shared_in){ c->who.user,
		    in->id }, &shared);
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		near = e == OK;
		TRY(q_user_view(t, &(struct q_user_view_in){ in->id,
		    c->who.user }, &view));
		near = near && !view.is_blocked;
	}
	out->id = in->id;
	out->username = row.username;
	out->created_at = row.created_at;
	out->is_active = row.is_active;
	out->status = PRESENCE_OFFLINE;
	if (near && view.last_seen) {
		out->last_seen = row.last_seen;
		out->has_last_seen = row.last_seen != 0;
	}
	/* Presence, too, is for people who share a chat, and may be off. */
	c->state = near && view.presence ? c : NULL;
	call_key(c, in->id.b);
	return OK;
}

/* The directory is the reactor's: the reply is completed there. */
void
users_get_emit(struct call *c)
{
	struct user_get_rep *out = c->rep;

	if (c->state != NULL)
		out->status = call_presence_of(c, &out->id);
}
