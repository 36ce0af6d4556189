/*
 * account.c: tokens, and the delay after failed logins, for the steps of
 * operations (call.h).
 */
#include "server/frame.h"

/* One token into the arena, with the hash that its session keeps. */
static enum err
account_token(struct call *c, struct jwt *t, struct span *out,
    uint8_t hash[static CALL_HASH_LEN])
{
	uint8_t *p = arena_bytes(&c->arena, JWT_MAX);

	if (p == NULL)
		return ERR_TOO_LARGE;
	struct wr w = wr_init(p, JWT_MAX);
	call_new_id(c, t->id.b);
	TRY(jwt_encode(frame_of(c)->home->server->keys, t, &w));
	if (!wr_ok(&w))
		return ERR_SPACE;
	*out = wr_done(&w);
	return jwt_hash(*out, hash);
}

enum err
account_tokens(struct call *c, const struct user_id *user, struct span username,
    const struct session_id *session, struct tokens *out)
{
	struct jwt t = { .user = *user, .session = *session,
	    .issued_s = c->now_ms / 1000, .type = JWT_ACCESS };

	if (username.n > USERNAME_MAX)
		return ERR_INTERNAL;
	memcpy(t.username, username.p, username.n);
	t.username_n = (uint8_t)username.n;
	t.expires_s = (c->now_ms + c->conf->accounts_access_ms) / 1000;
	TRY(account_token(c, &t, &out->access, out->access_hash));
	t.type = JWT_REFRESH;
	out->expires_ms = c->now_ms + c->conf->accounts_refresh_ms;
	t.expires_s = out->expires_ms / 1000;
	return account_token(c, &t, &out->refresh, out->refresh_hash);
}

enum err
account_refresh_token(struct call *c, struct span text,
    struct user_id *user_out, struct session_id *session_out,
    uint8_t hash_out[static CALL_HASH_LEN])
{
	struct jwt t;

	TRY(jwt_decode(frame_of(c)->home->server->keys, text, JWT_REFRESH,
	    c->now_ms / 1000, &t));
	TRY(jwt_hash(text, hash_out));
	*user_out = t.user;
	*session_out = t.session;
	return OK;
}

enum err
account_wait(struct call *c, struct span account)
{
	uint32_t s = backoff_wait_s(frame_of(c)->home->server->backoff,
	    account, c->now_ms);

	if (s == 0)
		return OK;
	call_retry_after(c, s);
	return call_fail(c, ERR_RATE_LIMITED,
	    "Too many failed logins: wait before the next");
}

void
account_failed(struct call *c, struct span account)
{
	backoff_failed(frame_of(c)->home->server->backoff, account,
	    c->now_ms, c->conf->accounts_backoff_max_ms);
}

void
account_clear(struct call *c, struct span account)
{
	backoff_clear(frame_of(c)->home->server->backoff, account);
}
