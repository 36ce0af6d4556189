/*
 * call.c: REST calls. The retries of a client live here and in the outbox,
 * and nowhere else: a call that fails for want of a network or by a limit sets
 * a time before which none is made; what made it necessary is still recorded.
 */
#include "client/call.h"

#include "client/item.h"
#include "wire/json.h"

#define CALL_TIMEOUT_MS 60000u
#define TOKEN_LEASE_MS 30000u
#define RETRY_AFTER_MAX_S 3600u

uint64_t
call_token_tag(struct span token)
{
	/* The end of a token is its signature. Zero means "none". */
	struct span tail = span_sub(token, token.n > 10 ? token.n - 10 : 0, 10);
	uint64_t tag = 1;
	size_t i;

	for (i = 0; i < tail.n; i++)
		tag = tag * 257 + tail.p[i];
	return tag != 0 ? tag : 1;
}

bool
call_is_open(const struct client *c, enum call_what what,
    const struct user_id *user)
{
	size_t i;

	for (i = 0; i < CLIENT_CALLS_MAX; i++)
		if (c->calls[i].id != 0 && c->calls[i].what == what &&
		    (user == NULL || ID_EQ(c->calls[i].user, *user)))
			return true;
	return false;
}

bool
call_may(struct step *s)
{
	if (s->now < s->c->rest_at_ms) {
		step_wake(s, s->c->rest_at_ms);
		return false;
	}
	return true;
}

/* A place for a call; NULL when the same is under way or all are taken. */
static struct client_call *
call_slot(struct client *c, const struct call_new *n)
{
	struct client_call *slot = NULL;
	size_t i;

	for (i = 0; i < CLIENT_CALLS_MAX; i++) {
		struct client_call *k = &c->calls[i];

		if (k->id == 0) {
			if (slot == NULL)
				slot = k;
		} else if (k->what == n->what && k->cmd == n->cmd &&
		    ID_EQ(k->user, n->user) && ID_EQ(k->chat, n->chat)) {
			return NULL;
		}
	}
	return slot;
}

enum err
call_make(struct step *s, const struct call_new *n, bool *made_out)
{
	struct client *c = s->c;
	uint64_t tag = call_token_tag(s->m.access);
	struct client_effect *e;
	struct client_call *slot;

	*made_out = false;
	if (!call_may(s))
		return OK;
	if (!n->no_token && (!(s->m.flags & META_SIGNED_IN) ||
	    c->bad_tag == tag))
		return OK;
	slot = call_slot(c, n);
	if (slot == NULL)
		return OK;
	e = step_effect(s, CLIENT_REQUEST);
	if (e == NULL)
		return ERR_TOO_LARGE;
	if (++c->next_id == 0)
		c->next_id = 1;
	*slot = (struct client_call){ .id = c->next_id,
	    .what = (uint8_t)n->what, .cmd = n->cmd, .sent_ms = s->now,
	    .tag = tag, .user = n->user, .chat = n->chat,
	    .number = n->number };
	e->u.request.id = slot->id;
	e->u.request.method = n->method;
	e->u.request.waits = n->what == CALL_LINK_REPLY ||
	    n->what == CALL_LINK_FACTS || n->what == CALL_LINK_ANSWER;
	TRY(arena_dup(s->a, n->path, &e->u.request.path));
	TRY(arena_dup(s->a, n->body, &e->u.request.body));
	if (!n->no_token)
		TRY(arena_dup(s->a, s->m.access, &e->u.request.token));
	step_wake(s, s->now + CALL_TIMEOUT_MS);
	*made_out = true;
	return OK;
}

void
call_expire(struct step *s)
{
	size_t i;

	for (i = 0; i < CLIENT_CALLS_MAX; i++) {
		struct client_call *k = &s->c->calls[i];

		if (k->id == 0)
			continue;
		if (s->now >= k->sent_ms + CALL_TIMEOUT_MS)
			*k = (struct client_call){ .id = 0 };
		else
			step_wake(s, k->sent_ms + CALL_TIMEOUT_MS);
	}
}

/* Sets the time before which no call is made. */
static enum err
call_back_off(struct step *s, uint32_t retry_after_s)
{
	uint64_t ms, jitter;

	TRY(step_backoff(s, s->c->rest_failures, &ms));
	if (retry_after_s != 0) {
		if (retry_after_s > RETRY_AFTER_MAX_S)
			retry_after_s = RETRY_AFTER_MAX_S;
		TRY(step_jitter(s, 1000, &jitter));
		ms = 1000ull * retry_after_s + jitter;
	}
	s->c->rest_failures++;
	s->c->rest_at_ms = s->now + ms;
	step_wake(s, s->c->rest_at_ms);
	return OK;
}

void
call_refused_token(struct step *s, uint64_t tag)
{
	if (tag == call_token_tag(s->m.access))
		s->c->bad_tag = tag;
	s->c->dirty = true;
}

/* Reads the envelope; what is not one counts as the server being down. */
static void
call_open_envelope(struct step *s, struct span body, struct call_answer *out)
{
	struct success_rep rep;

	out->data = SPAN("{}");
	if (shape_decode(&shape_success_rep, body, s->a, &rep, NULL) != OK) {
		out->err = out->status >= 500 || out->status < 400 ?
		    ERR_UNAVAILABLE : ERR_BAD_REQUEST;
		return;
	}
	if (rep.success && out->status < 300) {
		out->err = OK;
		if (rep.has_data)
			out->data = rep.data;
		return;
	}
	out->err = ERR_INTERNAL;
	if (rep.has_error) {
		out->error = rep.error;
		out->err = err_by_code((const char *)rep.error.code.p,
		    rep.error.code.n);
	}
}

enum err
call_answer(struct step *s, const struct client_input *in,
    struct client_call *call_out, struct call_answer *out)
{
	struct client *c = s->c;
	size_t i;

	*call_out = (struct client_call){ .id = 0 };
	for (i = 0; i < CLIENT_CALLS_MAX; i++)
		if (c->calls[i].id != 0 && c->calls[i].id == in->u.answer.id) {
			*call_out = c->calls[i];
			c->calls[i] = (struct client_call){ .id = 0 };
		}
	*out = (struct call_answer){ .call = call_out,
	    .status = in->u.answer.status,
	    .retry_after_s = in->u.answer.retry_after_s };
	if (call_out->id == 0)
		return ERR_NOT_FOUND;
	c->dirty = true;
	if (out->status == 0) {
		out->err = ERR_UNAVAILABLE;
		return call_back_off(s, 0);
	}
	call_open_envelope(s, in->u.answer.body, out);
	if (out->status == 429 || out->status >= 500)
		return call_back_off(s, out->retry_after_s);
	c->rest_failures = 0;
	if (out->status == 401 && (out->err == ERR_TOKEN_EXPIRED ||
	    out->err == ERR_INVALID_TOKEN))
		call_refused_token(s, call_out->tag);
	return OK;
}

enum err
call_signed_out(struct step *s, struct span reason)
{
	struct client_show *show = step_show(s, SHOW_SIGNED_OUT, 0);

	if (show == NULL)
		return ERR_TOO_LARGE;
	s->m.flags &= ~(uint32_t)META_SIGNED_IN;
	s->m.access = s->m.refresh = (struct span){ NULL, 0 };
	s->m.bound = (struct session_id){ .b = { 0 } };
	s->c->ready = false;
	s->c->dirty = true;
	return arena_dup(s->a, reason, &show->u.reason);
}

enum err
call_refresh(struct step *s)
{
	struct call_new n = { .what = CALL_REFRESH, .method = "POST",
	    .path = SPAN("/api/auth/refresh"), .no_token = true };
	struct refresh_req req = { .has_refresh_token = true,
	    .refresh_token = s->m.refresh };
	bool made;

	if (!(s->m.flags & META_SIGNED_IN) ||
	    s->c->bad_tag != call_token_tag(s->m.access))
		return OK;
	/* A refresh token works once: two processes must not both use it. */
	if (s->now < s->m.token_lease_ms &&
	    s->m.token_lease_ms - s->now <= TOKEN_LEASE_MS) {
		step_wake(s, s->m.token_lease_ms);
		return OK;
	}
	if (s->m.refresh.n == 0)
		return call_signed_out(s, SPAN("expired"));
	TRY(step_json(s, &shape_refresh_req, &req, &n.body));
	TRY(call_make(s, &n, &made));
	if (made)
		s->m.token_lease_ms = s->now + TOKEN_LEASE_MS;
	return OK;
}

enum err
call_path(struct step *s, const char *head, const uint8_t id[static ID_LEN],
    const char *tail, struct span *out)
{
	char text[ID_TEXT_LEN + 1];
	struct wr w;

	id_encode(id, text);
	TRY(step_wr(s, strlen(head) + ID_TEXT_LEN + strlen(tail), &w));
	wr_str(&w, head);
	wr_str(&w, text);
	wr_str(&w, tail);
	*out = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_SPACE;
}
