/*
 * sessions.c: where am I signed in; sign one out.
 */
#include "server/ops.h"
#include "store/txn.h"

enum err
sessions_list_read(struct call *c, struct txn *t)
{
	struct session_list_rep *out = c->rep;
	struct q_session_list_out row;
	struct cursor cu = { 0 };
	size_t cap = 16;
	enum err e;

	out->sessions.p = arena_alloc(&c->arena,
	    cap * sizeof(struct session_rec));
	if (out->sessions.p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_session_list_open(t, &(struct q_session_list_in){ c->who.user,
	    c->now_ms }, &cu));
	while ((e = q_session_list_next(&cu, &row)) == OK) {
		if (out->sessions.n == cap) {
			struct session_rec *more = arena_alloc(&c->arena,
			    2 * cap * sizeof(*more));

			if (more == NULL) {
				query_close(&cu);
				return ERR_TOO_LARGE;
			}
			memcpy(more, out->sessions.p, cap * sizeof(*more));
			out->sessions.p = more;
			cap *= 2;
		}
		out->sessions.p[out->sessions.n++] = (struct session_rec){
		    .id = row.session, .device_id = row.device,
		    .has_device_id = row.device != 0, .name = row.name,
		    .has_name = row.name.p != NULL,
		    .created_at = row.created_at,
		    .last_active = row.last_used_at,
		    .expires_at = row.expires_at, .ip = row.ip,
		    .has_ip = row.ip.p != NULL, .user_agent = row.info,
		    .has_user_agent = row.info.p != NULL,
		    .current = ID_EQ(row.session, c->who.session) };
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* What has expired goes, now and then. */
enum err
sessions_sweep_write(struct call *c, struct txn *t)
{
	TRY(q_sessions_prune(t, &(struct q_sessions_prune_in){ c->now_ms },
	    NULL));
	return q_send_nonces_prune(t, &(struct q_send_nonces_prune_in){
	    c->now_ms }, NULL);
}

enum err
sessions_delete_write(struct call *c, struct txn *t)
{
	const struct session_end_req *in = c->req;
	uint64_t rows = 0;

	TRY(q_session_delete(t, &(struct q_session_delete_in){ in->id,
	    c->who.user }, &rows));
	return rows == 0 ? ERR_NOT_FOUND : OK;
}

void
sessions_delete_emit(struct call *c)
{
	const struct session_end_req *in = c->req;

	call_sessions_end(c, &c->who.user, &in->id, 1, "signed_out");
}
