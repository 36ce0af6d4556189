/*
 * link.c: mailboxes through which a new device and one that is in the account
 * already talk before the new one has a session (docs/protocol.md, "Linking a
 * device"; docs/api.md). What passes here is sealed by keys that the server
 * does not have; it sees to the order, to each step happening once, and to who
 * may take which. Whatever is not the next step of the right one is 404.
 *
 *	offer (new device) -> reply (manager) -> provisioning (manager)
 *	-> fetched with tokens (new device) -> answer (new device)
 *
 * The new device shows a secret that it alone was given; the manager is the
 * session that replied first, and speaks for a device.
 */
#include "base/sys.h"
#include "base/text.h"
#include "crypto/host.h"
#include "server/audit.h"
#include "server/conf.h"
#include "server/ops.h"
#include "server/ops/listing.h"
#include "server/ops/sessions.h"
#include "store/txn.h"

#define LINK_MS ((uint64_t)5 * 60 * 1000)
#define LINK_WAIT_MS ((uint64_t)25 * 1000)
/* A session made here that speaks for no device by then was left behind. */
#define LINK_GRACE_MS ((uint64_t)10 * 60 * 1000)
#define LINK_SECRET_LEN 32
/* LinkOffer = 0x1B | u8 1 | x25519[32] | mlkem[1184] | mailbox | nonce[16] */
#define OFFER_MAILBOX (2 + 32 + 1184)
/* LinkReply = 0x1E | u8 1 | x25519[32] | mlkem ciphertext[1088] */
/* Provisioning = 0x1C | u8 1 | ciphertext */

static bool
begins(struct span s, uint8_t type)
{
	return s.n > 2 && s.p[0] == type && s.p[1] == 1;
}

/* ---- POST /api/link ---- */

struct link_new {
	uint8_t secret[LINK_SECRET_LEN], hash[SHA256_LEN];
};

enum err
link_create_check(struct call *c)
{
	const struct link_create_req *in = c->req;
	struct link_new *s = ARENA_NEW(&c->arena, struct link_new);

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	if (!begins(in->offer, 0x1b) || memcmp(in->offer.p + OFFER_MAILBOX,
	    in->mailbox.b, ID_LEN) != 0)
		return call_invalid(c, "offer",
		    "must be an offer that names this mailbox");
	if (ID_IS_ZERO(in->mailbox))
		return call_invalid(c, "mailbox", "must be random");
	sys_random(s->secret, sizeof(s->secret));
	return host_sha256(SPAN_OF(s->secret), s->hash);
}

enum err
link_create_write(struct call *c, struct txn *t)
{
	const struct link_create_req *in = c->req;
	const struct link_new *s = c->state;
	struct link_create_rep *out = c->rep;
	struct q_link_count_out open;
	uint64_t rows;

	TRY(q_link_count(t, &(struct q_link_count_in){ c->now_ms }, &open));
	if (open.count >= c->conf->link_mailboxes_max)
		return call_fail(c, ERR_BUSY,
		    "Too many devices are being linked");
	TRY(q_link_insert(t, &(struct q_link_insert_in){ in->mailbox,
	    SPAN_OF(s->hash), in->offer, in->device_name, c->now_ms,
	    c->now_ms + LINK_MS }, &rows));
	if (rows == 0)
		return call_fail(c, ERR_CONFLICT, "The mailbox is in use");
	out->secret = SPAN_OF(s->secret);
	out->expires_at = c->now_ms + LINK_MS;
	call_status(c, 201);
	return OK;
}

/* ---- who may ---- */

/* The new device: by the secret. */
static enum err
find_by_secret(struct call *c, struct txn *t, const struct any_id *mailbox,
    struct span secret, struct q_link_get_out *out)
{
	uint8_t hash[SHA256_LEN];

	TRY(q_link_get(t, &(struct q_link_get_in){ *mailbox, c->now_ms },
	    out));
	TRY(host_sha256(secret, hash));
	if (out->secret_hash.n != sizeof(hash) ||
	    !ct_eq(hash, out->secret_hash.p, sizeof(hash)))
		return ERR_NOT_FOUND;
	return OK;
}

/* The session that replied, as long as its device is listed. */
static enum err
find_by_manager(struct call *c, struct txn *t, const struct any_id *mailbox,
    struct q_link_get_out *out)
{
	TRY(q_link_get(t, &(struct q_link_get_in){ *mailbox, c->now_ms },
	    out));
	return ID_EQ(out->manager, c->who.session) ? listing_speaks(c, t) :
	    ERR_NOT_FOUND;
}

/* ---- GET /api/link/:mailbox ---- */

enum err
link_get_read(struct call *c, struct txn *t)
{
	const struct link_id_req *in = c->req;
	struct link_get_rep *out = c->rep;
	struct q_link_get_out l;

	TRY(listing_speaks(c, t));
	TRY(q_link_get(t, &(struct q_link_get_in){ in->mailbox, c->now_ms },
	    &l));
	if (!ID_IS_ZERO(l.manager) && !ID_EQ(l.manager, c->who.session))
		return ERR_NOT_FOUND;
	out->offer = l.offer;
	out->device_name = l.device_name;
	out->expires_at = l.expires_at;
	return OK;
}

/* ---- PUT /api/link/:mailbox/reply ---- */

enum err
link_reply_check(struct call *c)
{
	const struct link_reply_put_req *in = c->req;

	return begins(in->reply, 0x1e) ? OK : call_invalid(c, "reply",
	    "must be the reply to an offer");
}

enum err
link_reply_write(struct call *c, struct txn *t)
{
	const struct link_reply_put_req *in = c->req;
	struct q_link_get_out l;
	uint64_t rows;

	TRY(listing_speaks(c, t));
	TRY(q_link_get(t, &(struct q_link_get_in){ in->mailbox, c->now_ms },
	    &l));
	/* Again, since the answer was lost: nothing happens. */
	if (ID_EQ(l.manager, c->who.session) && span_eq(l.reply, in->reply))
		return OK;
	TRY(q_link_reply(t, &(struct q_link_reply_in){ in->mailbox,
	    in->reply, c->who.session }, &rows));
	return rows == 0 ? ERR_NOT_FOUND : OK;
}

void
link_reply_emit(struct call *c)
{
	const struct link_reply_put_req *in = c->req;

	wait_wake(c, in->mailbox.b);
}

/* ---- POST /api/link/:mailbox/reply ---- */

enum err
link_reply_get_check(struct call *c)
{
	const struct link_secret_req *in = c->req;

	return wait_begin(c, in->mailbox.b, LINK_WAIT_MS);
}

enum err
link_reply_get_read(struct call *c, struct txn *t)
{
	const struct link_secret_req *in = c->req;
	struct link_reply_rep *out = c->rep;
	struct q_link_get_out l;

	TRY(find_by_secret(c, t, &in->mailbox, in->secret, &l));
	if (!ID_IS_ZERO(l.session))
		return ERR_NOT_FOUND;	/* that step is over */
	out->reply = l.reply;
	out->has_reply = l.reply.p != NULL;
	if (!out->has_reply)
		wait_more(c);
	return OK;
}

/* ---- PUT /api/link/:mailbox/provisioning ---- */

enum err
link_provision_check(struct call *c)
{
	const struct link_provisioning_put_req *in = c->req;

	return begins(in->data, 0x1c) ? OK : call_invalid(c, "data",
	    "must be provisioning");
}

enum err
link_provision_write(struct call *c, struct txn *t)
{
	const struct link_provisioning_put_req *in = c->req;
	struct q_link_get_out l;

	TRY(find_by_manager(c, t, &in->mailbox, &l));
	if (l.provisioning.p != NULL)
		return span_eq(l.provisioning, in->data) ? OK : ERR_NOT_FOUND;
	if (!ID_IS_ZERO(l.session))
		return ERR_NOT_FOUND;
	TRY(q_link_provision(t, &(struct q_link_provision_in){ in->mailbox,
	    in->data }, NULL));
	return audit_note(c, t, AUDIT_LINK_ANSWERED, &(struct audit_entry){
	    .device = c->who.device });
}

void
link_provision_emit(struct call *c)
{
	const struct link_provisioning_put_req *in = c->req;

	wait_wake(c, in->mailbox.b);
}

/* ---- POST /api/link/:mailbox/provisioning ---- */

/*
 * Until the new device has answered it may ask again, after a crash or when
 * what it was sent got lost on the way: it gets the same once more, tokens too.
 */
struct link_fetch {
	bool is_there;
	bool again;			/* the session is there already */
	uint64_t made_ms;
	struct user_id user;
	struct span username, device_name;
	struct session_id session;
	struct tokens tokens;
};

enum err
link_fetch_check(struct call *c)
{
	const struct link_provisioning_req *in = c->req;

	c->state = ARENA_NEW(&c->arena, struct link_fetch);
	if (c->state == NULL)
		return ERR_TOO_LARGE;
	if (in->cookie)
		TRY(cookie_may(c));
	return wait_begin(c, in->mailbox.b, LINK_WAIT_MS);
}

/* It was fetched before: is it still there, and with it the session? */
static enum err
fetch_again(struct call *c, struct txn *t, const struct q_link_get_out *l)
{
	struct link_fetch *s = c->state;
	struct q_session_made_out made;

	if (l->provisioning.p == NULL)
		return ERR_NOT_FOUND;	/* that step is over */
	TRY(q_session_made(t, &(struct q_session_made_in){ l->session,
	    c->now_ms }, &made));
	s->again = true;
	s->session = l->session;
	s->made_ms = made.created_at;
	return OK;
}

enum err
link_fetch_read(struct call *c, struct txn *t)
{
	const struct link_provisioning_req *in = c->req;
	struct link_fetch *s = c->state;
	struct q_link_get_out l;

	s->is_there = s->again = false;
	TRY(find_by_secret(c, t, &in->mailbox, in->secret, &l));
	if (l.reply.p == NULL)
		return ERR_NOT_FOUND;
	if (!ID_IS_ZERO(l.session))
		TRY(fetch_again(c, t, &l));
	if (l.provisioning.p == NULL) {
		wait_more(c);
		return OK;
	}
	if (!l.is_active)
		return ERR_NOT_FOUND;
	s->user = l.user;
	s->username = l.username;
	s->device_name = l.device_name;
	s->is_there = true;
	return OK;
}

enum err
link_fetch_work(struct call *c)
{
	struct link_fetch *s = c->state;

	if (!s->is_there)
		return OK;
	if (!s->again) {
		call_new_id(c, s->session.b);
		s->made_ms = c->now_ms;
	}
	return account_first_tokens(c, &s->user, s->username, &s->session,
	    s->made_ms, &s->tokens);
}

/* The session that the new device goes on with. */
static enum err
insert_session(struct call *c, struct txn *t, const struct link_fetch *s)
{
	TRY(sessions_insert(c, t, &s->user, &s->session, &s->tokens,
	    s->device_name));
	return audit_note(c, t, AUDIT_LOGIN, &(struct audit_entry){
	    .user = s->user, .session = s->session,
	    .detail = SPAN("by a link") });
}

/* The same tokens as the first time, as long as they are the session's. */
static enum err
check_session(struct call *c, struct txn *t, const struct link_fetch *s)
{
	struct q_session_made_out made;

	TRY(q_session_made(t, &(struct q_session_made_in){ s->session,
	    c->now_ms }, &made));
	return made.token_hash.n == CALL_HASH_LEN &&
	    made.refresh_hash.n == CALL_HASH_LEN &&
	    ct_eq(made.token_hash.p, s->tokens.access_hash, CALL_HASH_LEN) &&
	    ct_eq(made.refresh_hash.p, s->tokens.refresh_hash,
	    CALL_HASH_LEN) ? OK : ERR_NOT_FOUND;
}

static enum err
open_session(struct call *c, struct txn *t, const struct link_fetch *s,
    const struct any_id *mailbox)
{
	TRY(insert_session(c, t, s));
	return q_link_fetched(t, &(struct q_link_fetched_in){ *mailbox,
	    s->session }, NULL);
}

/*
 * Only who has the secret gets it. The mailbox is looked at again: it, its
 * manager or the provisioning may have gone while the tokens were signed. Of
 * two who asked at once (one of them may be a connection that is dead) the
 * second asks anew, and has what the first one had.
 */
enum err
link_fetch_write(struct call *c, struct txn *t)
{
	const struct link_provisioning_req *in = c->req;
	const struct link_fetch *s = c->state;
	struct link_provisioning_rep *out = c->rep;
	struct q_link_get_out l;

	if (!s->is_there)
		return OK;
	TRY(find_by_secret(c, t, &in->mailbox, in->secret, &l));
	if (l.provisioning.p == NULL || !ID_EQ(l.user, s->user) ||
	    !l.is_active)
		return ERR_NOT_FOUND;
	if (!s->again && !ID_IS_ZERO(l.session))
		return OK;
	TRY(s->again ? check_session(c, t, s) :
	    open_session(c, t, s, &in->mailbox));
	out->data = l.provisioning;
	out->has_data = out->has_tokens = true;
	out->session_id = s->session;
	out->user_id = s->user;
	out->username = s->username;
	out->has_session_id = out->has_user_id = out->has_username = true;
	out->tokens.access_token = s->tokens.access;
	if (in->cookie)
		return cookie_set(c, &s->session, s->tokens.refresh);
	out->tokens.refresh_token = s->tokens.refresh;
	out->tokens.has_refresh_token = true;
	return OK;
}

/* ---- PUT /api/link/:mailbox/answer ---- */

enum err
link_answer_write(struct call *c, struct txn *t)
{
	const struct link_answer_put_req *in = c->req;
	struct q_link_get_out l;

	TRY(find_by_secret(c, t, &in->mailbox, in->secret, &l));
	if (ID_IS_ZERO(l.session))
		return ERR_NOT_FOUND;
	if (l.answer.p != NULL)
		return span_eq(l.answer, in->data) ? OK : ERR_NOT_FOUND;
	return q_link_answer(t, &(struct q_link_answer_in){ in->mailbox,
	    in->data }, NULL);
}

void
link_answer_emit(struct call *c)
{
	const struct link_answer_put_req *in = c->req;

	wait_wake(c, in->mailbox.b);
}

/* ---- GET /api/link/:mailbox/answer ---- */

enum err
link_answer_get_check(struct call *c)
{
	const struct link_id_req *in = c->req;

	return wait_begin(c, in->mailbox.b, LINK_WAIT_MS);
}

enum err
link_answer_get_read(struct call *c, struct txn *t)
{
	const struct link_id_req *in = c->req;
	struct link_answer_rep *out = c->rep;
	struct q_link_get_out l;

	TRY(find_by_manager(c, t, &in->mailbox, &l));
	if (l.provisioning.p == NULL && ID_IS_ZERO(l.session))
		return ERR_NOT_FOUND;
	out->data = l.answer;
	out->has_data = l.answer.p != NULL;
	if (!out->has_data)
		wait_more(c);
	return OK;
}

/* ---- DELETE /api/link/:mailbox ---- */

enum err
link_delete_write(struct call *c, struct txn *t)
{
	const struct link_id_req *in = c->req;
	struct q_link_get_out l;

	TRY(find_by_manager(c, t, &in->mailbox, &l));
	return q_link_delete(t, &(struct q_link_delete_in){ in->mailbox },
	    NULL);
}

void
link_delete_emit(struct call *c)
{
	const struct link_id_req *in = c->req;

	wait_wake(c, in->mailbox.b);
}

/* ---- what is over, one at a time ---- */

struct link_gone {
	bool is_more;
	struct user_id user;
	struct session_id session;	/* zero: none ends */
};

enum err
link_sweep_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct link_gone);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

/*
 * A session that was given to a device which never came to be listed ends:
 * nobody but the code's right reader was to have one.
 */
enum err
link_sweep_write(struct call *c, struct txn *t)
{
	struct link_gone *s = c->state;
	struct q_link_expired_out l;
	enum err e;

	memset(s, 0, sizeof(*s));
	e = q_link_expired(t, &(struct q_link_expired_in){ c->now_ms -
	    LINK_GRACE_MS }, &l);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	s->is_more = true;
	TRY(q_link_delete(t, &(struct q_link_delete_in){ l.mailbox }, NULL));
	if (ID_IS_ZERO(l.session) || l.device != 0)
		return OK;
	s->user = l.user;
	s->session = l.session;
	TRY(q_session_delete(t, &(struct q_session_delete_in){ l.session,
	    l.user }, NULL));
	return audit_note(c, t, AUDIT_SESSION_ENDED, &(struct audit_entry){
	    .user = l.user, .session = l.session,
	    .detail = SPAN("a link that was not completed") });
}

void
link_sweep_emit(struct call *c)
{
	struct link_gone *s = c->state;

	if (s->is_more)
		call_follow(c, c->op, NULL, NULL);
	if (!ID_IS_ZERO(s->session))
		call_sessions_end(c, &s->user, &s->session, 1,
		    "link_expired");
}
