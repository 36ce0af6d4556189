/*
 * recovery.c: what a mail proves: an address is somebody's (verify-email), and
 * a new password may be chosen (password/forgot, /reset). Who asks for a mail
 * hears the same, after the same time, whether the account exists: the answer
 * goes out first, and what depends on the account follows it.
 */
#include "base/text.h"
#include "crypto/host.h"
#include "server/audit.h"
#include "server/conf.h"
#include "server/ops.h"
#include "server/ops/mails.h"
#include "server/ops/sessions.h"
#include "server/password.h"
#include "store/txn.h"

/* Mails with a token of one kind that may be valid at once, of one account. */
#define RECOVERY_LIVE_MAX 3
#define RECOVERY_GAP_MS 60000		/* between two of them */

/* ---- asking for a mail ---- */

struct asked {
	struct span email;		/* in lower case */
};

static enum err
recovery_ask(struct call *c, const struct op *then, call_fill_fn fill)
{
	if (!mails_are_sent(c))
		return call_fail(c, ERR_UNAVAILABLE, "This server sends no "
		    "mail: only its operator can help");
	call_follow(c, then, fill, NULL);
	return OK;
}

static enum err
recovery_fill(const struct call *from, const void *arg, struct call *to)
{
	const struct mail_ask_req *in = from->req;
	struct asked *a = ARENA_NEW(&to->arena, struct asked);
	uint8_t *p = arena_bytes(&to->arena, in->email.n + 1);

	(void)arg;
	if (a == NULL || p == NULL)
		return ERR_TOO_LARGE;
	text_lower(in->email, p);
	a->email = span_of(p, in->email.n);
	to->state = a;
	return OK;
}

enum err
recovery_forgot_check(struct call *c)
{
	return recovery_ask(c, ops_get(OP_mail_reset), recovery_fill);
}

enum err
recovery_resend_check(struct call *c)
{
	return recovery_ask(c, ops_get(OP_mail_verify), recovery_fill);
}

/* May one more mail of that kind go to the account? */
static enum err
recovery_may(struct call *c, struct txn *t, const struct user_id *user,
    enum mail_kind kind, bool *may_out)
{
	struct q_account_tokens_live_out row;

	TRY(q_account_tokens_live(t, &(struct q_account_tokens_live_in){
	    *user, span_str(mail_kind_name(kind)), c->now_ms }, &row));
	*may_out = row.n < RECOVERY_LIVE_MAX &&
	    (row.n == 0 || row.newest + RECOVERY_GAP_MS <= c->now_ms);
	return OK;
}

static enum err
recovery_mail(struct call *c, struct txn *t, enum mail_kind kind)
{
	const struct asked *a = c->state;
	struct q_user_by_address_out row;
	bool may;
	enum err e;

	e = q_user_by_address(t, &(struct q_user_by_address_in){ a->email },
	    &row);
	if (e == ERR_NOT_FOUND)
		return OK;		/* nobody hears which it was */
	TRY(e);
	if (kind == MAIL_VERIFY && row.is_verified)
		return OK;
	TRY(recovery_may(c, t, &row.user, kind, &may));
	if (!may)
		return OK;
	if (kind == MAIL_RESET)
		TRY(audit_note(c, t, AUDIT_RESET_ASKED,
		    &(struct audit_entry){ .user = row.user }));
	return mails_put(c, t, &row.user, a->email, kind);
}

enum err
recovery_mail_reset_write(struct call *c, struct txn *t)
{
	return recovery_mail(c, t, MAIL_RESET);
}

enum err
recovery_mail_verify_write(struct call *c, struct txn *t)
{
	return recovery_mail(c, t, MAIL_VERIFY);
}

/* ---- verify-email ---- */

static enum err
recovery_bad_token(struct call *c)
{
	return call_fail(c, ERR_INVALID_TOKEN,
	    "The code is wrong, was used, or is too old: ask for a new mail");
}

enum err
recovery_verify_write(struct call *c, struct txn *t)
{
	const struct mail_token_req *in = c->req;
	struct q_account_token_take_out row;
	uint8_t hash[32];
	enum err e;

	TRY(mails_token_hash(in->token, hash));
	e = q_account_token_take(t, &(struct q_account_token_take_in){
	    SPAN_OF(hash), SPAN("verify"), c->now_ms }, &row);
	if (e == ERR_NOT_FOUND)
		return recovery_bad_token(c);
	TRY(e);
	TRY(q_user_verified(t, &(struct q_user_verified_in){ row.user },
	    NULL));
	TRY(q_account_tokens_drop(t, &(struct q_account_tokens_drop_in){
	    row.user, SPAN("verify") }, NULL));
	return audit_note(c, t, AUDIT_EMAIL_VERIFIED,
	    &(struct audit_entry){ .user = row.user });
}

/* ---- password/reset ---- */

struct reset {
	uint8_t token_hash[32];
	struct user_id user;
	struct span username, email;
	uint64_t set_at;		/* of the password before */
	char hash[HOST_PHC_MAX];
	struct sessions_ended ended;
};

enum err
recovery_reset_check(struct call *c)
{
	const struct password_reset_req *in = c->req;
	struct reset *r = ARENA_NEW(&c->arena, struct reset);
	const char *fault = password_fault(in->new_password, SPAN(""));

	if (r == NULL)
		return ERR_TOO_LARGE;
	if (fault != NULL)
		return call_invalid(c, "newPassword", fault);
	c->state = r;
	return mails_token_hash(in->token, r->token_hash);
}

/* The account of the token, which stays as it is: it is used up in write. */
enum err
recovery_reset_read(struct call *c, struct txn *t)
{
	struct reset *r = c->state;
	struct q_account_token_get_out row;
	enum err e;

	e = q_account_token_get(t, &(struct q_account_token_get_in){
	    SPAN_OF(r->token_hash), SPAN("reset"), c->now_ms }, &row);
	if (e == ERR_NOT_FOUND)
		return recovery_bad_token(c);
	TRY(e);
	r->user = row.user;
	r->username = row.username;
	r->email = row.email;
	r->set_at = row.password_set_at;
	call_key(c, row.user.b);
	return OK;
}

enum err
recovery_reset_work(struct call *c)
{
	const struct password_reset_req *in = c->req;
	struct reset *r = c->state;
	const char *fault = password_fault(in->new_password, r->username);

	if (fault != NULL)
		return call_invalid(c, "newPassword", fault);
	return host_password_hash(in->new_password, r->hash);
}

enum err
recovery_reset_write(struct call *c, struct txn *t)
{
	const struct session_id none = { { 0 } };
	struct reset *r = c->state;
	struct q_account_token_take_out row;
	uint64_t rows;
	enum err e;

	e = q_account_token_take(t, &(struct q_account_token_take_in){
	    SPAN_OF(r->token_hash), SPAN("reset"), c->now_ms }, &row);
	if (e == ERR_NOT_FOUND || (e == OK && !ID_EQ(row.user, r->user)))
		return recovery_bad_token(c);
	TRY(e);
	TRY(q_account_tokens_drop(t, &(struct q_account_tokens_drop_in){
	    r->user, SPAN("reset") }, NULL));
	TRY(q_user_password_set(t, &(struct q_user_password_set_in){
	    r->user, span_str(r->hash), c->now_ms > r->set_at ?
	    c->now_ms : r->set_at + 1, r->set_at }, &rows));
	if (rows == 0)
		return call_fail(c, ERR_INVALID_CREDENTIALS,
		    "The password was changed meanwhile");
	/* Who reads the mail of the address has proved that it is theirs. */
	TRY(q_user_verified(t, &(struct q_user_verified_in){ r->user },
	    NULL));
	TRY(sessions_end_all(c, t, &r->user, &none, &r->ended));
	TRY(audit_note(c, t, AUDIT_PASSWORD_RESET,
	    &(struct audit_entry){ .user = r->user }));
	return mails_put(c, t, &r->user, r->email, MAIL_RESET_DONE);
}

void
recovery_reset_emit(struct call *c)
{
	const struct reset *r = c->state;
	uint8_t name[USERNAME_MAX];

	/* Failures are counted under the name in lower case. */
	if (r->username.n <= sizeof(name)) {
		text_lower(r->username, name);
		account_clear(c, span_of(name, r->username.n));
	}
	call_sessions_end(c, &r->user, r->ended.p, r->ended.n,
	    "password_reset");
}
