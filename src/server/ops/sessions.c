/*
 * sessions.c: where am I signed in; sign one out.
 */
#include "server/audit.h"
#include "server/ops.h"
#include "server/ops/audits.h"
#include "server/ops/invites.h"
#include "server/ops/mails.h"
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
	TRY(q_send_nonces_prune(t, &(struct q_send_nonces_prune_in){
	    c->now_ms }, NULL));
	TRY(mails_sweep(c, t));
	TRY(invites_sweep(c, t));
	return audits_sweep(c, t);
}

enum err
sessions_delete_write(struct call *c, struct txn *t)
{
	const struct session_end_req *in = c->req;
	uint64_t rows = 0;

	TRY(q_session_delete(t, &(struct q_session_delete_in){ in->id,
	    c->who.user }, &rows));
	if (rows == 0)
		return ERR_NOT_FOUND;
	return audit_note(c, t, AUDIT_SESSION_ENDED, &(struct audit_entry){
	    .user = c->who.user, .session = in->id });
}

void
sessions_delete_emit(struct call *c)
{
	const struct session_end_req *in = c->req;

	call_sessions_end(c, &c->who.user, &in->id, 1, "signed_out");
}

/* ---- all others ---- */

#define SESSIONS_END_MAX 1000	/* told at once; more are found to be over */

struct ended {
	struct session_id *p;
	size_t n;
};

enum err
sessions_others_check(struct call *c)
{
	const struct sessions_end_req *in = c->req;

	if (!in->others)
		return call_invalid(c, "others", "must be true");
	c->state = ARENA_NEW(&c->arena, struct ended);
	return c->state == NULL ? ERR_TOO_LARGE : OK;
}

enum err
sessions_others_write(struct call *c, struct txn *t)
{
	struct q_session_list_out row;
	struct ended *s = c->state;
	struct cursor cu = { 0 };
	enum err e;

	s->n = 0;
	s->p = arena_alloc(&c->arena, SESSIONS_END_MAX * sizeof(*s->p));
	if (s->p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_session_list_open(t, &(struct q_session_list_in){ c->who.user,
	    c->now_ms }, &cu));
	while ((e = q_session_list_next(&cu, &row)) == OK)
		if (!ID_EQ(row.session, c->who.session) &&
		    s->n < SESSIONS_END_MAX)
			s->p[s->n++] = row.session;
	if (e != ERR_NOT_FOUND)
		return e;
	TRY(q_sessions_delete_others(t, &(struct
	    q_sessions_delete_others_in){ c->who.user, c->who.session },
	    NULL));
	return audit_note(c, t, AUDIT_SESSIONS_ENDED, NULL);
}

void
sessions_others_emit(struct call *c)
{
	const struct ended *s = c->state;

	call_sessions_end(c, &c->who.user, s->p, s->n, "signed_out");
}
