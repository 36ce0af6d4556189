/*
 * auth.c: accounts: register, login, logout, refresh, me, password. Passwords
 * are hashed in the work pool; whoever has no account costs the same time and
 * hears the same words.
 */
#include "base/text.h"
#include "crypto/host.h"
#include "server/audit.h"
#include "server/conf.h"
#include "server/known.h"
#include "server/ops.h"
#include "server/ops/records.h"
#include "server/ops/audits.h"
#include "server/ops/invites.h"
#include "server/ops/mails.h"
#include "server/ops/sessions.h"
#include "server/password.h"
#include "store/txn.h"

#define EMAIL_MAX 254

/* What the steps of one login or registration hand on. */
struct auth {
	struct span login, email;	/* in lower case */
	struct span username;
	struct user_id user;
	struct session_id session;
	struct tokens tokens;
	struct span device;		/* name, or empty */
	enum user_role role;
	uint64_t last_login, set_at;	/* of the password */
	struct span password;		/* what was typed */
	struct span stored;		/* password hash of the account */
	struct span imported;		/* of any account that has such */
	bool is_active, is_verified;
	uint64_t delete_at;		/* 0: it is not to be erased */
	bool cancels;			/* the deletion */
	/* It says that it is a known device: of whom, and which. */
	bool is_known;
	struct user_id known_user;
	uint8_t known[KNOWN_ID_LEN];
	bool is_new_hash;
	char hash[HOST_PHC_MAX];
};

static enum err
auth_new(struct call *c, struct auth **out)
{
	struct auth *a = ARENA_NEW(&c->arena, struct auth);

	if (a == NULL)
		return ERR_TOO_LARGE;
	c->state = a;
	*out = a;
	return OK;
}

/* ASCII in lower case; the rest as it is. */
static enum err
auth_lower(struct call *c, struct span in, struct span *out)
{
	uint8_t *p = arena_bytes(&c->arena, in.n + 1);

	if (p == NULL)
		return ERR_TOO_LARGE;
	text_lower(in, p);
	*out = span_of(p, in.n);
	return OK;
}

/* Hands out new tokens: the one for refreshing as asked, never both ways. */
static enum err
auth_give(struct call *c, const struct auth *a, bool cookie,
    struct tokens_rec *out)
{
	out->access_token = a->tokens.access;
	if (cookie)
		return cookie_set(c, &a->session, a->tokens.refresh);
	out->refresh_token = a->tokens.refresh;
	out->has_refresh_token = true;
	return OK;
}

/* So that the device is known the next time. */
static enum err
auth_known(struct call *c, const struct user_id *user, struct span *out)
{
	char text[KNOWN_LEN + 1];

	TRY(known_make(call_account_key(c), user, text));
	return arena_dup(&c->arena, span_str(text), out);
}

/* ---- register ---- */

enum err
auth_register_check(struct call *c)
{
	const struct register_req *in = c->req;
	const char *fault = password_fault(in->password, in->username);
	struct auth *a;

	if (c->conf->accounts_registration[0] == 'c')
		return call_fail(c, ERR_FORBIDDEN, "Registration is closed");
	if (c->conf->accounts_registration[0] == 'i' && !in->has_invite_code)
		return call_fail(c, ERR_FORBIDDEN,
		    "Registration is by invitation: inviteCode is missing");
	if (fault != NULL)
		return call_invalid(c, "password", fault);
	if (in->cookie)
		TRY(cookie_may(c));
	TRY(auth_new(c, &a));
	a->username = in->username;
	if (in->has_device)
		a->device = in->device.name;
	TRY(auth_lower(c, in->username, &a->login));
	return auth_lower(c, in->email, &a->email);
}

static enum err
auth_register_free(struct txn *t, const struct auth *a)
{
	struct q_user_by_name_out by_name;
	struct q_user_by_email_out by_email;
	enum err e;

	e = q_user_by_name(t, &(struct q_user_by_name_in){ a->login },
	    &by_name);
	if (e == OK)
		return ERR_USERNAME_TAKEN;
	if (e != ERR_NOT_FOUND)
		return e;
	e = q_user_by_email(t, &(struct q_user_by_email_in){ a->email },
	    &by_email);
	if (e == OK)
		return ERR_EMAIL_TAKEN;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Taken names are refused before the slow part. */
enum err
auth_register_read(struct call *c, struct txn *t)
{
	const struct register_req *in = c->req;

	if (in->has_invite_code)
		TRY(invites_look(c, t, in->invite_code));
	return auth_register_free(t, c->state);
}

/* Has the address to be proved before the first session? */
static bool
auth_must_verify(const struct call *c)
{
	return mails_are_sent(c) && c->conf->accounts_verification[0] == 'r';
}

enum err
auth_register_work(struct call *c)
{
	const struct register_req *in = c->req;
	struct auth *a = c->state;

	TRY(host_password_hash(in->password, a->hash));
	call_new_id(c, a->user.b);
	call_new_id(c, a->session.b);
	return account_tokens(c, &a->user, a->username, &a->session, &a->tokens);
}

enum err
auth_register_write(struct call *c, struct txn *t)
{
	const struct register_req *in = c->req;
	const struct auth *a = c->state;
	struct register_rep *out = c->rep;

	TRY(auth_register_free(t, a));
	struct q_user_insert_in u = { .user = a->user,
	    .username = a->username, .key = a->login, .email = a->email,
	    .password_hash = span_str(a->hash), .now = c->now_ms };
	TRY(q_user_insert(t, &u, NULL));
	TRY(audit_note(c, t, AUDIT_REGISTERED, &(struct audit_entry){
	    .user = a->user }));
	if (in->has_invite_code)
		TRY(invites_use(c, t, in->invite_code, &a->user));
	out->user.id = a->user;
	out->user.username = a->username;
	out->user.email = a->email;
	out->user.created_at = c->now_ms;
	call_status(c, 201);
	if (mails_are_sent(c) &&
	    strcmp(c->conf->accounts_verification, "off") != 0) {
		TRY(mails_put(c, t, &a->user, a->email, MAIL_VERIFY));
		out->verify_email = out->has_verify_email = true;
	}
	if (auth_must_verify(c))
		return OK;
	TRY(sessions_insert(c, t, &a->user, &a->session, &a->tokens,
	    a->device));
	out->has_tokens = out->has_known_device = true;
	TRY(auth_known(c, &a->user, &out->known_device));
	return auth_give(c, a, in->cookie, &out->tokens);
}

/* ---- login ---- */

static enum err
auth_login_begin(struct call *c, struct span name, struct span password,
    struct span known, struct auth **out)
{
	TRY(auth_new(c, out));
	(*out)->is_known = known_read(call_account_key(c), known,
	    &(*out)->known_user, (*out)->known);
	(*out)->password = password;
	TRY(auth_lower(c, name, &(*out)->login));
	return (*out)->is_known ? OK : account_wait(c, (*out)->login);
}

/* Under which name its failed passwords are counted. */
static struct span
auth_counted(const struct auth *a)
{
	return a->is_known ? SPAN_OF(a->known) : a->login;
}

/* A known device of another account is a stranger to this one. */
static enum err
auth_login_known(struct call *c, struct auth *a)
{
	if (a->is_known && !ID_EQ(a->known_user, a->user))
		a->is_known = false;
	return account_wait(c, auth_counted(a));
}

/*
 * A code is looked at where an account has a second factor; whether it has one
 * may show only behind the right password, so it is no error to send one.
 */
enum err
auth_login_check(struct call *c)
{
	const struct login_req *in = c->req;
	struct auth *a;

	if (in->cookie)
		TRY(cookie_may(c));
	TRY(auth_login_begin(c, in->username, in->password,
	    in->known_device, &a));
	if (in->has_device)
		a->device = in->device.name;
	a->cancels = in->cancel_deletion;
	return OK;
}

/* One hash that came from elsewhere, as long as there are any. */
static enum err
auth_load_imported(struct txn *t, struct auth *a)
{
	struct q_user_imported_any_out any;
	enum err e = q_user_imported_any(t,
	    &(struct q_user_imported_any_in){ .none = 0 }, &any);

	a->imported = e == OK ? any.password_hash : (struct span){ NULL, 0 };
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
auth_login_read(struct call *c, struct txn *t)
{
	struct q_user_login_get_out row;
	struct auth *a = c->state;
	uint32_t role;
	enum err e;

	a->stored = (struct span){ NULL, 0 };
	TRY(auth_load_imported(t, a));
	e = q_user_login_get(t, &(struct q_user_login_get_in){ a->login },
	    &row);
	if (e == ERR_NOT_FOUND)		/* said after the same work */
		return auth_login_known(c, a);
	TRY(e);
	if (!shape_value(&shape_names_user_role, row.role, &role))
		return ERR_STORE;
	a->user = row.user;
	a->username = row.username;
	a->email = row.email;
	a->stored = row.password_hash;
	a->set_at = row.password_set_at;
	a->role = (enum user_role)role;
	a->last_login = row.last_login;
	a->is_active = row.is_active;
	a->is_verified = row.is_verified;
	a->delete_at = row.delete_at;
	return auth_login_known(c, a);
}

/*
 * Every login costs one Argon2id and, as long as accounts have hashes from
 * elsewhere, one bcrypt, whosever name was typed: a bcrypt hash is verified
 * and then either hashed anew or made up for; others verify one beside.
 */
static enum err
auth_verify(const struct auth *a)
{
	bool is_bcrypt = span_starts(a->stored, SPAN("$2"));
	enum err e = a->stored.n > 0 ?
	    host_password_verify(a->password, a->stored) :
	    host_password_absent(a->password), more = OK;

	if (is_bcrypt && e == ERR_INVALID_CREDENTIALS)
		more = host_password_absent(a->password);
	else if (!is_bcrypt && a->imported.n > 0)
		more = host_password_verify(a->password, a->imported);
	if (more != OK && more != ERR_INVALID_CREDENTIALS)
		return more;
	return e == OK && !a->is_active && a->delete_at == 0 ?
	    ERR_INVALID_CREDENTIALS : e;
}

/* What keeps out who has the right password; nobody else hears of it. */
static enum err
auth_login_may(struct call *c, const struct auth *a)
{
	struct deletion_pending_rec when = { .erase_at = a->delete_at };
	struct span json;

	if (a->delete_at != 0 && a->delete_at <= c->now_ms)
		return ERR_INVALID_CREDENTIALS;	/* it is being erased */
	if (a->delete_at != 0 && !a->cancels) {
		TRY(shape_encode_arena(&shape_deletion_pending_rec, &when,
		    &c->arena, &json));
		return call_conflict(c, ERR_DELETION_PENDING, json);
	}
	return auth_must_verify(c) && !a->is_verified ? ERR_EMAIL_UNVERIFIED :
	    OK;
}

enum err
auth_login_work(struct call *c)
{
	struct auth *a = c->state;
	enum err e = auth_verify(a);

	if (e == ERR_INVALID_CREDENTIALS) {
		account_failed(c, auth_counted(a));
		audits_failed(c, &a->user);
	}
	TRY(e);
	account_clear(c, auth_counted(a));
	TRY(auth_login_may(c, a));
	if (!host_password_is_current(a->stored)) {
		TRY(host_password_hash(a->password, a->hash));
		a->is_new_hash = true;
	}
	call_new_id(c, a->session.b);
	return account_tokens(c, &a->user, a->username, &a->session, &a->tokens);
}

/*
 * The session, unless the password was changed meanwhile: that ends all
 * sessions, this one too. The hash is replaced only where it is still the one
 * that was verified.
 */
static enum err
auth_login_store(struct call *c, struct txn *t, const struct auth *a)
{
	struct q_user_login_set_in set = { a->user, c->now_ms, a->set_at };
	struct q_user_password_rehash_in hash = { a->user, span_str(a->hash),
	    a->stored };
	struct audit_entry whose = { .user = a->user };
	uint64_t rows;

	if (a->delete_at != 0) {
		TRY(q_user_delete_cancel(t, &(struct
		    q_user_delete_cancel_in){ a->user, c->now_ms }, &rows));
		if (rows > 0)
			TRY(audit_note(c, t, AUDIT_DELETION_CANCELLED,
			    &whose));
	}
	TRY(q_user_login_set(t, &set, &rows));
	if (rows == 0)
		return ERR_INVALID_CREDENTIALS;
	if (a->is_new_hash)
		TRY(q_user_password_rehash(t, &hash, NULL));
	whose.session = a->session;
	TRY(audit_note(c, t, AUDIT_LOGIN, &whose));
	return sessions_insert(c, t, &a->user, &a->session, &a->tokens,
	    a->device);
}

enum err
auth_login_write(struct call *c, struct txn *t)
{
	const struct login_req *in = c->req;
	const struct auth *a = c->state;
	struct login_rep *out = c->rep;

	TRY(auth_login_store(c, t, a));
	out->user.id = a->user;
	out->user.username = a->username;
	out->user.email = a->email;
	out->user.last_login = a->last_login;
	out->user.has_last_login = a->last_login != 0;
	out->user.role = a->role;
	out->has_known_device = true;
	TRY(auth_known(c, &a->user, &out->known_device));
	return auth_give(c, a, in->cookie, &out->tokens);
}

/* ---- POST /auth/login: the token form ---- */

#define TOKEN_TYPE SPAN("bearer")

enum err
auth_token_login_check(struct call *c)
{
	const struct token_login_req *in = c->req;
	struct auth *a;

	return auth_login_begin(c, in->username, in->password, SPAN(""), &a);
}

enum err
auth_token_login_write(struct call *c, struct txn *t)
{
	const struct auth *a = c->state;
	struct token_login_rep *out = c->rep;

	TRY(auth_login_store(c, t, a));
	out->access_token = a->tokens.access;
	out->refresh_token = a->tokens.refresh;
	out->token_type = TOKEN_TYPE;
	out->expires_in = (uint32_t)(c->conf->accounts_access_ms / 1000);
	out->user.id = a->user;
	out->user.username = a->username;
	out->user.email = a->email;
	out->user.role = a->role;
	return OK;
}

/* ---- logout ---- */

enum err
auth_logout_write(struct call *c, struct txn *t)
{
	TRY(q_session_delete(t, &(struct q_session_delete_in){
	    c->who.session, c->who.user }, NULL));
	return audit_note(c, t, AUDIT_LOGOUT, NULL);
}

void
auth_logout_emit(struct call *c)
{
	cookie_clear(c);
	call_sessions_end(c, &c->who.user, &c->who.session, 1, "logout");
}

/* ---- refresh ---- */

struct refresh {
	struct user_id user;
	struct session_id session;
	uint8_t hash[CALL_HASH_LEN];
	struct tokens tokens;
	bool is_made;		/* tokens are */
	bool is_reused;
	bool is_cookie;		/* the token came as a cookie */
};

static enum err
auth_refresh_begin(struct call *c, struct span token, struct refresh *r)
{
	TRY(account_refresh_token(c, token, &r->user, &r->session, r->hash));
	if (r->is_cookie)
		TRY(cookie_check(c, &r->session));
	call_key(c, r->user.b);
	return OK;
}

enum err
auth_refresh_check(struct call *c)
{
	const struct refresh_req *in = c->req;
	struct refresh *r = ARENA_NEW(&c->arena, struct refresh);

	if (r == NULL)
		return ERR_TOO_LARGE;
	c->state = r;
	r->is_cookie = !in->has_refresh_token && cookie_get(c).n > 0;
	if (!r->is_cookie && !in->has_refresh_token)
		return call_invalid(c, "refreshToken", "is missing");
	if (r->is_cookie)
		cookie_clear(c);	/* when it is refused */
	return auth_refresh_begin(c, r->is_cookie ? cookie_get(c) :
	    in->refresh_token, r);
}

enum err
auth_token_refresh_check(struct call *c)
{
	const struct token_refresh_req *in = c->req;
	struct refresh *r = ARENA_NEW(&c->arena, struct refresh);

	if (r == NULL)
		return ERR_TOO_LARGE;
	c->state = r;
	return auth_refresh_begin(c, in->refresh_token, r);
}

/* The session of the token; is the token its newest? */
static enum err
auth_refresh_get(struct call *c, struct txn *t, const struct refresh *r,
    struct q_session_refresh_get_out *row, bool *newest_out)
{
	enum err e = q_session_refresh_get(t,
	    &(struct q_session_refresh_get_in){ r->session, c->now_ms }, row);

	if (e == ERR_NOT_FOUND)
		return ERR_INVALID_TOKEN;
	TRY(e);
	if (!ID_EQ(row->user, r->user) || !row->is_active)
		return ERR_INVALID_TOKEN;
	*newest_out = row->refresh_hash.n == sizeof(r->hash) &&
	    ct_eq(row->refresh_hash.p, r->hash, sizeof(r->hash));
	return OK;
}

/* Tokens are signed here: RS256 takes too long for the writer. */
enum err
auth_refresh_read(struct call *c, struct txn *t)
{
	struct refresh *r = c->state;
	struct q_session_refresh_get_out row;

	r->is_made = false;
	TRY(auth_refresh_get(c, t, r, &row, &r->is_made));
	if (!r->is_made)
		return OK;
	return account_tokens(c, &r->user, row.username, &r->session,
	    &r->tokens);
}

/*
 * A token of ours that is not the newest of its session was used before: by
 * a thief or by its owner, and we can not know who of them asks. The session
 * ends (RFC 9700 4.14.2).
 */
static enum err
auth_refresh_rotate(struct call *c, struct txn *t, struct refresh *r)
{
	struct q_session_refresh_get_out row;
	bool newest;

	r->is_reused = false;
	TRY(auth_refresh_get(c, t, r, &row, &newest));
	if (newest && r->is_made)
		return q_session_rotate(t, &(struct q_session_rotate_in){
		    r->session, SPAN_OF(r->tokens.access_hash),
		    SPAN_OF(r->tokens.refresh_hash), c->now_ms,
		    r->tokens.expires_ms }, NULL);
	r->is_reused = true;
	TRY(q_session_delete(t, &(struct q_session_delete_in){ r->session,
	    r->user }, NULL));
	TRY(audit_note(c, t, AUDIT_TOKEN_REUSED, &(struct audit_entry){
	    .user = r->user, .session = r->session }));
	return call_refuse_after(c, ERR_TOKEN_REUSED);
}

enum err
auth_refresh_write(struct call *c, struct txn *t)
{
	struct refresh *r = c->state;
	struct refresh_rep *out = c->rep;

	TRY(auth_refresh_rotate(c, t, r));
	if (r->is_reused)
		return OK;
	out->access_token = r->tokens.access;
	if (r->is_cookie)
		return cookie_set(c, &r->session, r->tokens.refresh);
	out->refresh_token = r->tokens.refresh;
	out->has_refresh_token = true;
	return OK;
}

enum err
auth_token_refresh_write(struct call *c, struct txn *t)
{
	struct refresh *r = c->state;
	struct token_refresh_rep *out = c->rep;

	TRY(auth_refresh_rotate(c, t, r));
	if (r->is_reused)
		return OK;
	out->access_token = r->tokens.access;
	out->refresh_token = r->tokens.refresh;
	out->token_type = TOKEN_TYPE;
	out->expires_in = (uint32_t)(c->conf->accounts_access_ms / 1000);
	return OK;
}

void
auth_refresh_emit(struct call *c)
{
	const struct refresh *r = c->state;

	if (r->is_reused)
		call_sessions_end(c, &r->user, &r->session, 1,
		    "token_reused");
}

/* ---- me ---- */

enum err
auth_me_read(struct call *c, struct txn *t)
{
	return records_me(c, t, c->rep);
}

/* ---- password ---- */

struct change {
	uint64_t set_at;		/* of the password that it was */
	struct span stored;
	char hash[HOST_PHC_MAX];
	struct sessions_ended ended;
};

enum err
auth_password_check(struct call *c)
{
	const struct password_put_req *in = c->req;
	struct span name = span_of(c->who.username, c->who.username_n);
	const char *fault = password_fault(in->new_password, name);

	if (fault != NULL)
		return call_invalid(c, "newPassword", fault);
	if (span_eq(in->new_password, in->current_password))
		return call_invalid(c, "newPassword", "must be another one");
	c->state = ARENA_NEW(&c->arena, struct change);
	if (c->state == NULL)
		return ERR_TOO_LARGE;
	/* A signed-in session waits for its own mistakes alone. */
	return account_wait(c, SPAN_OF(c->who.session.b));
}

enum err
auth_password_read(struct call *c, struct txn *t)
{
	struct change *s = c->state;
	struct q_user_password_get_out row;

	TRY(q_user_password_get(t, &(struct q_user_password_get_in){
	    c->who.user }, &row));
	s->stored = row.password_hash;
	s->set_at = row.password_set_at;
	return OK;
}

enum err
auth_password_work(struct call *c)
{
	const struct password_put_req *in = c->req;
	struct change *s = c->state;
	enum err e = host_password_verify(in->current_password, s->stored);

	if (e == ERR_INVALID_CREDENTIALS) {
		account_failed(c, SPAN_OF(c->who.session.b));
		audits_failed(c, &c->who.user);
		return call_fail(c, e, "The current password is wrong");
	}
	TRY(e);
	return host_password_hash(in->new_password, s->hash);
}

enum err
auth_password_write(struct call *c, struct txn *t)
{
	struct change *s = c->state;
	uint64_t rows;

	TRY(q_user_password_set(t, &(struct q_user_password_set_in){
	    c->who.user, span_str(s->hash), c->now_ms > s->set_at ?
	    c->now_ms : s->set_at + 1, s->set_at }, &rows));
	if (rows == 0)
		return call_fail(c, ERR_INVALID_CREDENTIALS,
		    "The password was changed meanwhile");
	TRY(sessions_end_all(c, t, &c->who.user, &c->who.session,
	    &s->ended));
	return audit_note(c, t, AUDIT_PASSWORD_CHANGED, NULL);
}

void
auth_password_emit(struct call *c)
{
	const struct change *s = c->state;

	call_sessions_end(c, &c->who.user, s->ended.p, s->ended.n,
	    "password_changed");
}
