/*
 * invites.c: invitations: made, listed, looked at, revoked, used. A code is
 * shown once, when it is made; the database has its hash.
 */
#include "server/ops/invites.h"

#include "base/sys.h"
#include "base/text.h"
#include "crypto/host.h"
#include "server/audit.h"
#include "server/conf.h"
#include "server/ops.h"
#include "store/txn.h"

#define INVITE_DIGITS 20	/* of five bits each */
#define INVITE_GROUP 5
#define INVITE_DEFAULT_S (7 * 86400)
#define INVITE_ADMIN_MAX 100	/* what a list can show */
/* Kept for their maker's list after they ended. */
#define INVITE_KEPT_MS ((uint64_t)30 * 86400000)

/* Crockford's base 32: no I, L, O, U. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum err
invites_code_make(char out[static INVITE_CODE_LEN + 1],
    uint8_t hash_out[static 32])
{
	uint8_t rnd[INVITE_DIGITS];
	size_t n = 0;

	sys_random(rnd, sizeof(rnd));
	for (size_t i = 0; i < INVITE_DIGITS; i++) {
		if (i > 0 && i % INVITE_GROUP == 0)
			out[n++] = '-';
		out[n++] = digits[rnd[i] & 31];
	}
	out[n] = '\0';
	wipe(rnd, sizeof(rnd));
	return invites_code_hash(span_str(out), hash_out) ? OK : ERR_PROVIDER;
}

bool
invites_code_hash(struct span code, uint8_t hash_out[static 32])
{
	char plain[INVITE_DIGITS];
	size_t n = 0;

	for (size_t i = 0; i < code.n; i++) {
		char ch = (char)code.p[i];

		if (ch == '-')
			continue;
		if (ch >= 'a' && ch <= 'z')
			ch = (char)(ch - 'a' + 'A');
		ch = ch == 'O' ? '0' : ch == 'I' || ch == 'L' ? '1' : ch;
		if (n == sizeof(plain) || strchr(digits, ch) == NULL)
			return false;
		plain[n++] = ch;
	}
	return n == sizeof(plain) &&
	    host_sha256(span_of(plain, n), hash_out) == OK;
}

/* ---- registering ---- */

static enum err
invites_bad(struct call *c)
{
	return call_fail(c, ERR_FORBIDDEN,
	    "The invitation is not valid: it was used, revoked, or is too old");
}

enum err
invites_look(struct call *c, struct txn *t, struct span code)
{
	const struct any_id none = { { 0 } };
	struct q_invite_get_out row;
	uint8_t hash[32];
	enum err e;

	if (!invites_code_hash(code, hash))
		return invites_bad(c);
	e = q_invite_get(t, &(struct q_invite_get_in){ none, SPAN_OF(hash) },
	    &row);
	if (e == ERR_NOT_FOUND)
		return invites_bad(c);
	TRY(e);
	return row.uses < row.uses_max && row.revoked_at == 0 &&
	    row.expires_at > c->now_ms ? OK : invites_bad(c);
}

enum err
invites_use(struct call *c, struct txn *t, struct span code,
    const struct user_id *user)
{
	struct q_invite_use_out row;
	char id[ID_TEXT_LEN + 1];
	uint8_t hash[32];
	enum err e;

	if (!invites_code_hash(code, hash))
		return invites_bad(c);
	e = q_invite_use(t, &(struct q_invite_use_in){ SPAN_OF(hash),
	    c->now_ms }, &row);
	if (e == ERR_NOT_FOUND)
		return invites_bad(c);
	TRY(e);
	id_encode(row.id.b, id);
	TRY(audit_note(c, t, AUDIT_INVITE_USED, &(struct audit_entry){
	    .user = *user, .detail = span_of(id, ID_TEXT_LEN) }));
	if (ID_IS_ZERO(row.user))
		return OK;
	return audit_note(c, t, AUDIT_INVITE_USED, &(struct audit_entry){
	    .user = row.user, .detail = span_of(id, ID_TEXT_LEN) });
}

enum err
invites_sweep(struct call *c, struct txn *t)
{
	uint64_t before = c->now_ms > INVITE_KEPT_MS ?
	    c->now_ms - INVITE_KEPT_MS : 0;

	return q_invites_prune(t, &(struct q_invites_prune_in){ before },
	    NULL);
}

/* ---- POST /api/invites ---- */

static bool
invites_is_admin(const struct call *c)
{
	return c->who.role == USER_ROLE_ADMIN ||
	    c->who.role == USER_ROLE_OPERATOR;
}

enum err
invites_post_check(struct call *c)
{
	if (c->conf->accounts_registration[0] == 'c')
		return call_fail(c, ERR_FORBIDDEN, "Registration is closed");
	if (!invites_is_admin(c) && c->conf->accounts_invites[0] != 'u')
		return call_fail(c, ERR_FORBIDDEN,
		    "Only admins invite on this server");
	return OK;
}

static struct invite_rec
invites_rec(const struct call *c, const struct q_invite_list_out *row)
{
	return (struct invite_rec){ .id = row->id, .uses = row->uses,
	    .uses_max = row->uses_max, .valid = row->uses < row->uses_max &&
	    row->revoked_at == 0 && row->expires_at > c->now_ms,
	    .created_at = row->created_at, .expires_at = row->expires_at,
	    .revoked_at = row->revoked_at,
	    .has_revoked_at = row->revoked_at != 0, .note = row->note,
	    .has_note = row->note.p != NULL };
}

enum err
invites_post_write(struct call *c, struct txn *t)
{
	const struct invite_post_req *in = c->req;
	struct invite_rec *out = c->rep;
	uint32_t s = in->has_expires_in ? in->expires_in : INVITE_DEFAULT_S;
	uint32_t max = invites_is_admin(c) ? INVITE_ADMIN_MAX :
	    c->conf->accounts_invites_max;
	struct q_invite_list_out row = { .uses_max = in->has_uses ?
	    in->uses : 1, .created_at = c->now_ms,
	    .expires_at = c->now_ms + (uint64_t)s * 1000 };
	struct q_invites_live_out live;
	char code[INVITE_CODE_LEN + 1], id[ID_TEXT_LEN + 1];
	uint8_t hash[32];

	TRY(q_invites_live(t, &(struct q_invites_live_in){ c->who.user,
	    c->now_ms }, &live));
	if (live.n >= max)
		return call_fail(c, ERR_FORBIDDEN, "Too many invitations of "
		    "yours are valid: revoke one, or wait until one ends");
	call_new_id(c, row.id.b);
	TRY(invites_code_make(code, hash));
	if (in->has_note)
		row.note = in->note;
	TRY(q_invite_insert(t, &(struct q_invite_insert_in){ row.id,
	    SPAN_OF(hash), c->who.user, row.note, row.uses_max, c->now_ms,
	    row.expires_at }, NULL));
	id_encode(row.id.b, id);
	TRY(audit_note(c, t, AUDIT_INVITE_MADE, &(struct audit_entry){
	    .detail = span_of(id, ID_TEXT_LEN) }));
	*out = invites_rec(c, &row);
	out->code = call_text(c, code);
	out->has_code = true;
	wipe(code, sizeof(code));
	call_status(c, 201);
	return OK;
}

/* ---- GET /api/invites ---- */

enum err
invites_list_read(struct call *c, struct txn *t)
{
	struct invite_list_rep *out = c->rep;
	struct q_invite_list_out row;
	struct cursor cu = { 0 };
	size_t cap = 0;
	enum err e;

	TRY(q_invite_list_open(t, &(struct q_invite_list_in){ c->who.user },
	    &cu));
	while ((e = q_invite_list_next(&cu, &row)) == OK) {
		out->invites.p = arena_grow(&c->arena, out->invites.p,
		    out->invites.n, &cap, sizeof(*out->invites.p));
		if (out->invites.p == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->invites.p[out->invites.n++] = invites_rec(c, &row);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- one, by its code or its id ---- */

static enum err
invites_find(struct call *c, struct txn *t, struct span code,
    struct q_invite_get_out *row)
{
	struct q_invite_get_in in = { .id = { { 0 } } };
	uint8_t hash[32] = { 0 };

	if (!id_decode(code, in.id.b) && !invites_code_hash(code, hash))
		return ERR_NOT_FOUND;
	in.code_hash = SPAN_OF(hash);
	TRY(q_invite_get(t, &in, row));
	/* Of somebody else's it is not even said that they are there. */
	return ID_EQ(row->user, c->who.user) || invites_is_admin(c) ? OK :
	    ERR_NOT_FOUND;
}

enum err
invites_get_read(struct call *c, struct txn *t)
{
	const struct invite_code_req *in = c->req;
	struct invite_rec *out = c->rep;
	struct q_invite_get_out row;

	TRY(invites_find(c, t, in->code, &row));
	*out = invites_rec(c, &(struct q_invite_list_out){ row.id, row.note,
	    row.uses, row.uses_max, row.created_at, row.expires_at,
	    row.revoked_at });
	return OK;
}

enum err
invites_delete_write(struct call *c, struct txn *t)
{
	const struct invite_code_req *in = c->req;
	struct q_invite_get_out row;
	char id[ID_TEXT_LEN + 1];
	uint64_t rows;

	TRY(invites_find(c, t, in->code, &row));
	TRY(q_invite_revoke(t, &(struct q_invite_revoke_in){ row.id,
	    c->now_ms }, &rows));
	if (rows == 0)
		return OK;		/* it was already */
	id_encode(row.id.b, id);
	return audit_note(c, t, AUDIT_INVITE_REVOKED, &(struct audit_entry){
	    .detail = span_of(id, ID_TEXT_LEN) });
}
