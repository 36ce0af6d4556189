/*
 * account.c: tokens, and the delay after failed logins, for the steps of
 * operations (call.h).
 */
#include "base/sys.h"
#include "crypto/host.h"
#include "server/frame.h"

/*
 * One token into the arena, with the hash that its session keeps. Its number
 * is random where it is not given.
 */
static enum err
account_token(struct call *c, struct jwt *t, struct span *out,
    uint8_t hash[static CALL_HASH_LEN])
{
	uint8_t *p = arena_bytes(&c->arena, JWT_MAX);

	if (p == NULL)
		return ERR_TOO_LARGE;
	struct wr w = wr_init(p, JWT_MAX);
	if (ID_IS_ZERO(t->id))
		call_new_id(c, t->id.b);
	TRY(jwt_encode(frame_of(c)->home->server->keys, t, &w));
	if (!wr_ok(&w))
		return ERR_SPACE;
	*out = wr_done(&w);
	return jwt_hash(*out, hash);
}

/* The number of the first tokens of a session, without chance. */
static enum err
account_first_id(const struct session_id *session, enum jwt_type type,
    struct any_id *out)
{
	uint8_t in[ID_LEN + 1], hash[SHA256_LEN];

	memcpy(in, session->b, ID_LEN);
	in[ID_LEN] = (uint8_t)type;
	TRY(host_sha256(SPAN_OF(in), hash));
	memcpy(out->b, hash, ID_LEN);
	return OK;
}

/* Both tokens; first: the same ones whenever they are made. */
static enum err
account_pair(struct call *c, struct jwt *t, uint64_t issued_ms, bool first,
    struct tokens *out)
{
	t->issued_s = issued_ms / 1000;
	t->type = JWT_ACCESS;
	t->expires_s = (issued_ms + c->conf->accounts_access_ms) / 1000;
	if (first)
		TRY(account_first_id(&t->session, t->type, &t->id));
	TRY(account_token(c, t, &out->access, out->access_hash));
	t->type = JWT_REFRESH;
	t->id = (struct any_id){ .b = { 0 } };
	out->expires_ms = issued_ms + c->conf->accounts_refresh_ms;
	t->expires_s = out->expires_ms / 1000;
	if (first)
		TRY(account_first_id(&t->session, t->type, &t->id));
	return account_token(c, t, &out->refresh, out->refresh_hash);
}

static enum err
account_claims(const struct user_id *user, struct span username,
    const struct session_id *session, struct jwt *out)
{
	*out = (struct jwt){ .user = *user, .session = *session };
	if (username.n > USERNAME_MAX)
		return ERR_INTERNAL;
	memcpy(out->username, username.p, username.n);
	out->username_n = (uint8_t)username.n;
	return OK;
}

enum err
account_tokens(struct call *c, const struct user_id *user, struct span username,
    const struct session_id *session, struct tokens *out)
{
	struct jwt t;

	TRY(account_claims(user, username, session, &t));
	return account_pair(c, &t, c->now_ms, false, out);
}

enum err
account_first_tokens(struct call *c, const struct user_id *user,
    struct span username, const struct session_id *session,
    uint64_t made_ms, struct tokens *out)
{
	struct jwt t;

	TRY(account_claims(user, username, session, &t));
	return account_pair(c, &t, made_ms, true, out);
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
	    account, sys_unix_ms());

	if (s == 0)
		return OK;
	call_retry_after(c, s);
	return call_fail(c, ERR_RATE_LIMITED,
	    "Too many failed logins: wait before the next");
}

void
account_failed(struct call *c, struct span account)
{
	/* From now: while the password was hashed, the call has aged. */
	backoff_failed(frame_of(c)->home->server->backoff, account,
	    sys_unix_ms(), c->conf->accounts_backoff_max_ms);
}

void
account_clear(struct call *c, struct span account)
{
	backoff_clear(frame_of(c)->home->server->backoff, account);
}
