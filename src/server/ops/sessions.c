/*
 * sessions.c: where am I signed in; sign one out. How sessions begin and end.
 */
#include "server/ops/sessions.h"

#include "base/text.h"
#include "server/audit.h"
#include "server/ops.h"
#include "server/ops/audits.h"
#include "server/ops/invites.h"
#include "server/ops/mails.h"
#include "store/txn.h"

#define SESSIONS_AGENT_MAX 256

enum err
sessions_insert(struct call *c, struct txn *t, const struct user_id *user,
    const struct session_id *session, const struct tokens *tokens,
    struct span name)
{
	struct span agent = span_sub(call_agent(c), 0, SESSIONS_AGENT_MAX);
	struct span ip = call_address(c);
	struct q_session_insert_in in = { .session = *session, .user = *user,
	    .token_hash = SPAN_OF(tokens->access_hash),
	    .refresh_hash = SPAN_OF(tokens->refresh_hash), .name = name,
	    .now = c->now_ms, .expires_at = tokens->expires_ms };

	/* What has no text is NULL. */
	if (agent.n > 0 && utf8_valid(agent))
		in.info = agent;
	if (ip.n > 0)
		in.ip = ip;
	return q_session_insert(t, &in, NULL);
}

enum err
sessions_end_all(struct call *c, struct txn *t, const struct user_id *user,
    const struct session_id *except, struct sessions_ended *out)
{
	struct q_session_list_out row;
	struct cursor cu = { 0 };
	size_t cap = 0;
	enum err e;

	*out = (struct sessions_ended){ NULL, 0 };
	/* Those that are over already have no token that is taken still. */
	TRY(q_session_list_open(t, &(struct q_session_list_in){ *user,
	    c->now_ms }, &cu));
	while ((e = q_session_list_next(&cu, &row)) == OK) {
		if (ID_EQ(row.session, *except))
			continue;
		out->p = arena_grow(&c->arena, out->p, out->n, &cap,
		    sizeof(*out->p));
		if (out->p == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->p[out->n++] = row.session;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	return q_sessions_delete_others(t, &(struct
	    q_sessions_delete_others_in){ *user, *except }, NULL);
}

enum err
sessions_list_read(struct call *c, struct txn *t)
{
	struct session_list_rep *out = c->rep;
	struct q_session_list_out row;
	struct cursor cu = { 0 };
	size_t cap = 0;
	enum err e;

	TRY(q_session_list_open(t, &(struct q_session_list_in){ c->who.user,
	    c->now_ms }, &cu));
	while ((e = q_session_list_next(&cu, &row)) == OK) {
		out->sessions.p = arena_grow(&c->arena, out->sessions.p,
		    out->sessions.n, &cap, sizeof(*out->sessions.p));
		if (out->sessions.p == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
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

enum err
sessions_others_check(struct call *c)
{
	const struct sessions_end_req *in = c->req;

	if (!in->others)
		return call_invalid(c, "others", "must be true");
	c->state = ARENA_NEW(&c->arena, struct sessions_ended);
	return c->state == NULL ? ERR_TOO_LARGE : OK;
}

enum err
sessions_others_write(struct call *c, struct txn *t)
{
	TRY(sessions_end_all(c, t, &c->who.user, &c->who.session, c->state));
	return audit_note(c, t, AUDIT_SESSIONS_ENDED, NULL);
}

void
sessions_others_emit(struct call *c)
{
	const struct sessions_ended *s = c->state;

	call_sessions_end(c, &c->who.user, s->p, s->n, "signed_out");
}
