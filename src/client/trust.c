/*
 * trust.c: see trust.h. A record of another device counts when the newest own
 * list names the certificate that signed it, and for the account key it names
 * alone; what the server says about it counts for nothing.
 */
#include "client/trust.h"

#include "client/person.h"
#include "client/setup.h"
#include "core/renew.h"

#define TRUST_VERSION 1
#define ASK_AGAIN_MS 60000u

enum { TRUST_UNSENT = 1, TRUST_WAITS = 2 };	/* for that person's list */

struct trust {
	uint8_t flags;
	struct span record;
};

static enum err
trust_get(struct step *s, const struct user_id *user, struct trust *out)
{
	struct span value;
	struct rd r;
	uint8_t version;

	TRY(rec_get(&s->r, REC_TRUST, ID_SPAN(*user), &value));
	r = rd_init(value);
	version = rd_u8(&r);
	out->flags = rd_u8(&r);
	out->record = rd_rest(&r);
	if (version != TRUST_VERSION)
		return ERR_VERSION;
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
trust_save(struct step *s, const struct user_id *user, const struct trust *t)
{
	struct wr w;

	TRY(step_wr(s, 2 + t->record.n, &w));
	wr_u8(&w, TRUST_VERSION);
	wr_u8(&w, t->flags);
	wr_span(&w, t->record);
	s->c->dirty = true;
	s->c->trust_sent = false;
	return !wr_ok(&w) ? ERR_SPACE : rec_put(&s->r, REC_TRUST,
	    ID_SPAN(*user), wr_done(&w));
}

enum err
trust_load(struct step *s, const struct user_id *user,
    struct verification *out)
{
	struct trust t;

	TRY(trust_get(s, user, &t));
	return verification_decode(t.record, out);
}

enum err
trust_is_told(struct step *s, const struct user_id *user, bool *out)
{
	struct trust t;
	enum err err = trust_get(s, user, &t);

	*out = err == ERR_NOT_FOUND || (err == OK &&
	    !(t.flags & TRUST_UNSENT));
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- signing ---- */

static enum err
trust_sign(struct step *s, struct verification *v, struct span *out)
{
	struct arena_mark mark = step_scratch(s);
	struct identity id;
	struct wr w;
	enum err err;

	TRY(step_wr(s, VERIFICATION_LEN, &w));
	err = identity_load(&s->core, &id);
	if (err == OK) {
		v->account = id.me.account;
		v->device = id.me.device;
		memcpy(v->cert_hash, id.keys.cert_hash, SHA256_LEN);
		err = verification_sign(s->pv, &id.keys.dsk, v, &w);
	}
	identity_wipe(&id);
	step_scratch_end(s, mark);
	*out = wr_done(&w);
	return err;
}

enum err
trust_set(struct step *s, const struct user_id *user, bool on,
    enum client_verify_method method)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct verification v = { .peer = *user, .withdrawn = !on,
	    .method = (uint8_t)method, .time_ms = s->now }, was;
	struct trust t = { .flags = TRUST_UNSENT };
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, user, peer);
	if (err == OK)
		memcpy(v.peer_aik_hash, peer->aik_hash, SHA256_LEN);
	if (err == OK)
		err = peer_set_verified(&s->core, user, on);
	step_scratch_end(s, mark);
	TRY(err);
	/* Later than what is there, whatever a clock says. */
	if (trust_load(s, user, &was) == OK && was.time_ms >= v.time_ms)
		v.time_ms = was.time_ms + 1;
	TRY(trust_sign(s, &v, &t.record));
	return trust_save(s, user, &t);
}

enum err
trust_code(struct step *s, const struct client_input *in)
{
	const struct user_id *user = &in->u.verify_code.user;
	struct arena_mark mark = step_scratch(s);
	struct peer_safety *n = ARENA_NEW(&s->scratch, struct peer_safety);
	enum err err;

	if (n == NULL)
		return ERR_TOO_LARGE;
	err = peer_safety(&s->core, user, n);
	if (err == OK)
		err = safety_check_qr_text(&n->own, &n->peer,
		    in->u.verify_code.code);
	step_scratch_end(s, mark);
	if (step_is_fatal(err))
		return err;
	if (err == ERR_FORMAT)
		return step_show_error(s, in->cmd, ERR_VALIDATION,
		    SPAN("That is no code of a safety number"));
	if (err != OK)
		return step_show_error(s, in->cmd, err == ERR_UNTRUSTED ?
		    ERR_UNTRUSTED : err, err == ERR_UNTRUSTED ?
		    SPAN("The code is another one: somebody may stand between "
		    "you") : (struct span){ NULL, 0 });
	err = trust_set(s, user, true, VERIFY_CODE);
	if (step_is_fatal(err))
		return err;
	return err == OK ? step_show_done(s, in->cmd) :
	    step_show_error(s, in->cmd, err, (struct span){ NULL, 0 });
}

enum err
trust_sign_again(struct step *s)
{
	struct span key = { NULL, 0 }, value;
	struct verification v;
	struct user_id user;
	struct trust t;
	struct rd r;
	enum err err;

	while ((err = rec_seek(&s->r, REC_TRUST, (struct span){ NULL, 0 }, key,
	    false, &key, &value)) == OK) {
		r = rd_init(key);
		rd_bytes(&r, user.b, ID_LEN);
		TRY(trust_get(s, &user, &t));
		if (verification_decode(t.record, &v) != OK ||
		    v.device != s->m.device)
			continue;
		v.time_ms++;
		t.flags |= TRUST_UNSENT;
		TRY(trust_sign(s, &v, &t.record));
		TRY(trust_save(s, &user, &t));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The account key that a person has now, as far as known here. */
static enum err
trust_key(struct step *s, const struct user_id *user,
    uint8_t out[static SHA256_LEN])
{
	struct arena_mark mark = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	enum err err;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, user, peer);
	memcpy(out, peer->aik_hash, SHA256_LEN);
	step_scratch_end(s, mark);
	return err;
}

enum err
trust_end(struct step *s, const struct user_id *user)
{
	uint8_t key[SHA256_LEN];
	struct verification v;
	struct trust t = { .flags = TRUST_UNSENT };
	enum err err = trust_load(s, user, &v);

	if (err == OK)
		err = trust_key(s, user, key);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (v.withdrawn || memcmp(v.peer_aik_hash, key, sizeof(key)) == 0)
		return OK;
	/* Right behind the mark: one for the new key may be there already. */
	v.withdrawn = true;
	v.time_ms++;
	err = trust_sign(s, &v, &t.record);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	return trust_save(s, user, &t);
}

/* ---- what others of the own devices signed ---- */

/* The certificate of an own device by the newest list, which signed it. */
static enum err
trust_check(struct step *s, struct span record, struct verification *v)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *own = ARENA_NEW(&s->scratch, struct peer);
	struct cert *cert = ARENA_NEW(&s->scratch, struct cert);
	const struct devlist_entry *e = NULL;
	enum err err;

	if (own == NULL || cert == NULL)
		return ERR_TOO_LARGE;
	err = verification_decode(record, v);
	if (err == OK)
		err = peer_load(&s->core, &s->m.user, own);
	if (err == OK && (e = devlist_find(&own->list, v->device)) == NULL)
		err = ERR_UNTRUSTED;
	if (err == OK)
		err = peer_load_cert(&s->core, e->cert_hash, cert);
	if (err == OK)
		err = verification_verify(s->pv, record, cert, e->cert_hash,
		    v);
	step_scratch_end(s, mark);
	return err;
}

/* Makes the core's mark what the record says, where it is about this key. */
static enum err
trust_apply(struct step *s, const struct user_id *user, struct trust *t,
    bool *other_out)
{
	struct arena_mark mark = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct verification v;
	bool same, over = false;
	enum err err;

	*other_out = false;
	if (peer == NULL)
		return ERR_TOO_LARGE;
	TRY(verification_decode(t->record, &v));
	err = peer_load(&s->core, user, peer);
	t->flags |= TRUST_WAITS;
	if (err == OK) {
		t->flags &= (uint8_t)~TRUST_WAITS;
		same = memcmp(peer->aik_hash, v.peer_aik_hash,
		    SHA256_LEN) == 0;
		*other_out = !same && !v.withdrawn;
		/* That key was renewed since, and the mark ended with it. */
		if (*other_out)
			err = renew_is_over(&s->core, user, v.peer_aik_hash,
			    &over);
		*other_out = *other_out && !over;
		if (same)
			err = peer_set_verified(&s->core, user, !v.withdrawn);
	}
	step_scratch_end(s, mark);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
trust_take(struct step *s, struct span record)
{
	struct verification v, was;
	struct trust t = { .record = record };
	bool other;
	enum err err = trust_check(s, record, &v);

	/* Of a device that is not listed, or not what it says: not taken. */
	if (err != OK)
		return step_is_fatal(err) ? err : OK;
	err = trust_load(s, &v.peer, &was);
	if (err == OK && !verification_replaces(&v, &was))
		return OK;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	TRY(trust_apply(s, &v.peer, &t, &other));
	/* The own person compared another key than this device was shown: the
	 * newest list decides what that means. */
	if (other)
		t.flags |= TRUST_WAITS;
	if (t.flags & TRUST_WAITS)
		TRY(person_want(s, &v.peer));
	return trust_save(s, &v.peer, &t);
}

enum err
trust_heard_list(struct step *s, const struct user_id *user, bool *other_out)
{
	struct trust t;
	enum err err = trust_get(s, user, &t);

	*other_out = false;
	if (err == ERR_NOT_FOUND || (err == OK && !(t.flags & TRUST_WAITS)))
		return OK;
	TRY(err);
	TRY(trust_apply(s, user, &t, other_out));
	return trust_save(s, user, &t);
}

/* ---- the server ---- */

void
trust_ask(struct step *s)
{
	s->m.flags |= META_TRUST_ASK;
	s->c->trust_at_ms = 0;
	s->c->dirty = true;
}

static enum err
trust_put(struct step *s, const struct user_id *user, const struct trust *t)
{
	struct call_new n = { .what = CALL_TRUST_PUT, .method = "POST",
	    .path = SPAN("/api/verifications"), .user = *user };
	struct verification_put_req req = { .user_id = *user,
	    .record = t->record };
	struct verification v;
	bool made;

	TRY(verification_decode(t->record, &v));
	req.key_hash = SPAN_OF(v.peer_aik_hash);
	req.method = v.method == VERIFICATION_CODE ? VERIFY_METHOD_CODE :
	    VERIFY_METHOD_NUMBER;
	TRY(step_json(s, &shape_verification_put_req, &req, &n.body));
	return call_make(s, &n, &made);
}

enum err
trust_pump(struct step *s)
{
	struct call_new n = { .what = CALL_TRUST_GET, .method = "GET",
	    .path = SPAN("/api/verifications") };
	struct span key = { NULL, 0 }, value;
	struct user_id user;
	struct trust t;
	struct rd r;
	bool made, busy;
	enum err err;

	if (!setup_is_ready(s))
		return OK;
	if ((s->m.flags & META_TRUST_ASK) && s->now < s->c->trust_at_ms)
		step_wake(s, s->c->trust_at_ms);
	else if (s->m.flags & META_TRUST_ASK)
		TRY(call_make(s, &n, &made));
	if (s->c->trust_sent)
		return OK;	/* looked through, nothing is unsent */
	/* A record may name the certificate that the list brings. */
	TRY(setup_is_publishing(s, &busy));
	if (busy)
		return OK;
	while ((err = rec_seek(&s->r, REC_TRUST, (struct span){ NULL, 0 }, key,
	    false, &key, &value)) == OK) {
		r = rd_init(key);
		rd_bytes(&r, user.b, ID_LEN);
		TRY(trust_get(s, &user, &t));
		if (t.flags & TRUST_UNSENT)
			return trust_put(s, &user, &t);
	}
	s->c->trust_sent = true;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
trust_heard_put(struct step *s, const struct call_answer *a)
{
	struct trust t;
	enum err err;

	/* Refused for good (that person is gone): it stays a mark here. */
	if (a->err != OK && (a->status < 400 || a->status >= 500 ||
	    a->status == 401 || a->status == 429))
		return OK;
	err = trust_get(s, &a->call->user, &t);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	t.flags &= (uint8_t)~TRUST_UNSENT;
	return trust_save(s, &a->call->user, &t);
}

/* The next page of them. */
static enum err
trust_more(struct step *s, struct span cursor)
{
	struct call_new n = { .what = CALL_TRUST_GET, .method = "GET" };
	struct wr w;
	bool made;

	TRY(step_wr(s, 64 + cursor.n, &w));
	wr_str(&w, "/api/verifications?cursor=");
	wr_span(&w, cursor);
	n.path = wr_done(&w);
	return call_make(s, &n, &made);
}

enum err
trust_heard(struct step *s, const struct call_answer *a)
{
	struct verification_list_rep rep;
	size_t i;

	if (a->call->what == CALL_TRUST_PUT)
		return trust_heard_put(s, a);
	if (a->err != OK || shape_decode(&shape_verification_list_rep,
	    a->data, s->a, &rep, NULL) != OK) {
		s->c->trust_at_ms = s->now + ASK_AGAIN_MS;
		step_wake(s, s->c->trust_at_ms);
		return OK;
	}
	for (i = 0; i < rep.verifications.n; i++)
		TRY(trust_take(s, rep.verifications.p[i].record));
	if (rep.has_next_cursor)
		return trust_more(s, rep.next_cursor);
	s->m.flags &= ~(uint32_t)META_TRUST_ASK;
	return OK;
}

/* ---- archives ---- */

enum err
trust_export(struct span key, struct span value, struct wr *w)
{
	wr_span(w, key);
	wr_span(w, span_sub(value, 2, value.n));
	return value.n > 2 ? OK : ERR_FORMAT;
}

/* Signed by a device that may be gone by now: what is in an archive is a
 * starting point, which the account's own word replaces. */
enum err
trust_import(struct step *s, struct rd *r, bool keep)
{
	struct trust t = { .flags = 0 };
	struct verification v, was;
	struct user_id user;
	bool other;
	enum err err;

	rd_bytes(r, user.b, ID_LEN);
	t.record = rd_rest(r);
	err = verification_decode(t.record, &v);
	if (err != OK || !ID_EQ(v.peer, user) || !rd_done(r))
		return ERR_FORMAT;
	if (!keep)
		return OK;
	if (!ID_EQ(v.account, s->m.user))
		return ERR_FORMAT;
	err = trust_load(s, &user, &was);
	if (err == OK && !verification_replaces(&v, &was))
		return OK;
	TRY(trust_apply(s, &user, &t, &other));
	if (t.flags & TRUST_WAITS)
		TRY(person_want(s, &user));
	return trust_save(s, &user, &t);
}
