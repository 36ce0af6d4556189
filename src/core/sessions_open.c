/*
 * sessions_open.c: which session an incoming message belongs to, and opening
 * it there; accepting set-ups. See sessions.h.
 */
#include "core/pair.h"
#include "crypto/hash.h"

/* SID | u64 when | hash of the set-up as it came first */
#define SEEN_LEN (SESSION_SID_LEN + 8 + SHA256_LEN)

/* One incoming message on its way. */
struct opening {
	struct core *c;
	const struct address *from;
	struct identity id;
	struct pair_view view;
	struct pair_set set;
	struct session *work;		/* decoded: set.record[work_i] */
	uint8_t work_i;
	struct arena_mark before_work;
	uint8_t *plain;
	struct sessions_opened *out;
};

struct seen_key { uint8_t b[4 + X25519_LEN]; };

static struct span
seen_key(const struct session_setup *u, struct seen_key *k)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	wr_u32(&w, u->batch);
	wr_bytes(&w, u->ek, X25519_LEN);
	return wr_done(&w);
}

/*
 * The header without devlist_version, which is a hint that nothing
 * authenticates. An initiator repeats it unchanged, so that a repetition with
 * another one is not its own, although the inner message may be.
 */
static enum err
setup_hash(struct core *c, const struct prekey_msg *m,
    uint8_t out[static SHA256_LEN])
{
	uint8_t header[PREKEY_MSG_HEADER_LEN];
	struct wr w = wr_init(header, sizeof(header));
	struct session_setup u = m->setup;

	u.devlist_version = 0;
	TRY(handshake_encode(&m->from, m->cert_hash, m->created_ms, &u, &w));
	return hash_sha256(c->p, wr_done(&w), out);
}

/*
 * The session of a set-up that was accepted before. ERR_NOT_FOUND; ERR_AUTH:
 * it was another one with the same EK.
 */
static enum err
find_seen(struct core *c, const struct prekey_msg *msg,
    struct session_sid *sid_out)
{
	struct arena_mark m = arena_mark(c->arena);
	uint8_t hash[SHA256_LEN];
	struct seen_key k;
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_SEEN,
	    seen_key(&msg->setup, &k), c->arena, &v);

	if (e == OK && v.n != SEEN_LEN)
		e = ERR_FORMAT;
	if (e == OK)
		e = setup_hash(c, msg, hash);
	if (e == OK && !span_eq(SPAN_OF(hash), span_sub(v, SEEN_LEN -
	    SHA256_LEN, SHA256_LEN)))
		e = ERR_AUTH;
	if (e == OK)
		memcpy(sid_out->b, v.p, SESSION_SID_LEN);
	arena_reset(c->arena, m);
	return e;
}

static enum err
put_seen(struct core *c, const struct prekey_msg *m,
    const struct session_sid *sid)
{
	uint8_t rec[SEEN_LEN], hash[SHA256_LEN];
	struct wr w = wr_init(rec, sizeof(rec));
	struct seen_key k;

	TRY(setup_hash(c, m, hash));
	wr_bytes(&w, sid->b, SESSION_SID_LEN);
	wr_u64(&w, c->now_ms);
	wr_bytes(&w, hash, sizeof(hash));
	return c->store->put(c->store->ctx, RECORD_SEEN,
	    seen_key(&m->setup, &k),
	    wr_done(&w), c->store->generation);
}

static enum err
decode_into_work(struct opening *o, uint8_t i)
{
	if (o->work_i == i)
		return OK;
	o->work_i = PAIR_NONE;
	TRY(session_decode(o->set.record[i], o->work));
	o->work_i = i;
	return OK;
}

/* The message on the session in work; what that tells is noted and stored. */
static enum err
open_on_work(struct opening *o, struct span msg)
{
	struct session *s = o->work;
	struct ratchet_info info;
	struct span content;

	TRY(ratchet_open(o->c->p, &s->ratchet, msg, o->c->now_ms, o->plain,
	    &content, &info));
	/* A message of the peer proves that it has the session. */
	if (!s->m.confirmed)
		wipe(&s->m.setup, sizeof(s->m.setup));
	s->m.confirmed = true;
	s->m.heard_ms = o->c->now_ms;
	s->m.unanswered_ms = 0;
	o->out->content = content;
	o->out->refused = info.spoiled ? ERR_FORMAT : OK;
	o->out->late = info.from_skipped;
	o->out->sid = s->m.sid;
	o->out->confirmed = true;
	return pair_put(o->c, s);
}

static enum err
open_at(struct opening *o, uint8_t i, struct span msg)
{
	TRY(decode_into_work(o, i));
	return open_on_work(o, msg);
}

/* The worse news wins: what a trial on an unrelated session said is nothing. */
static enum err
try_all(struct opening *o, struct span msg)
{
	uint8_t first = pair_choose(&o->set, &o->view, o->c->now_ms);
	enum err e = ERR_AUTH, one;

	if (first != PAIR_NONE) {
		e = open_at(o, first, msg);
		if (e == OK)
			return OK;
	}
	for (uint8_t i = 0; i < o->set.n; i++) {
		if (i == first)
			continue;
		one = open_at(o, i, msg);
		if (one == OK)
			return OK;
		if (e == ERR_AUTH)
			e = one;
	}
	return e;
}

/*
 * docs/protocol.md, Two sessions at once: a ratchet message by its dh
 * (current, closed or skipped in any session of that peer); an unknown dh is
 * tried on the sending session, then on the others, newest first.
 */
static enum err
open_ratchet(struct opening *o, struct span msg)
{
	const uint8_t *dh;

	TRY(ratchet_peek_dh(msg, &dh));
	if (o->set.n == 0)
		return ERR_NO_SESSION;
	for (uint8_t i = 0; i < o->set.n; i++) {
		TRY(decode_into_work(o, i));
		if (ratchet_knows_dh(&o->work->ratchet, dh))
			return open_on_work(o, msg);
	}
	return try_all(o, msg);
}

/* The initiator's certificate: it MUST be in the newest list that R knows. */
static enum err
find_initiator(struct opening *o, const struct prekey_msg *m,
    struct cert *cert_out)
{
	const struct devlist_entry *e;
	struct peer peer;

	TRY(peer_load(o->c, &m->from.account, &peer));
	e = devlist_find(&peer.list, m->from.device);
	if (e == NULL || memcmp(e->cert_hash, m->cert_hash, SHA256_LEN) != 0)
		return m->setup.devlist_version > peer.list.version ?
		    ERR_NOT_FOUND : ERR_UNTRUSTED;
	return peer_load_cert(o->c, m->cert_hash, cert_out);
}

/* Private halves, then the handshake into o->work. */
static enum err
accept_setup(struct opening *o, const struct prekey_msg *m,
    const struct cert *peer)
{
	struct prekey_batch batch = { 0 };
	struct prekey_otp otp = { 0 };
	struct device_keys keys = { 0 };
	struct cert own;
	bool has_otp = m->setup.leaf_type == LEAF_OTP;
	enum err e = prekey_load(o->c, m->setup.batch, &batch);

	if (e == OK && has_otp)
		e = prekey_load_otp(o->c, m->setup.batch, m->setup.otp_id,
		    &otp);
	if (e == OK)
		e = identity_load_keys(o->c, batch.cert_hash, &keys);
	if (e == ERR_NOT_FOUND)
		e = ERR_PREKEY_GONE;
	/* The account key of that time: it may have been renewed since. */
	if (e == OK)
		e = cert_decode(span_of(keys.cert, keys.cert_n), &own);
	if (e == OK)
		e = handshake_accept(o->c->p, &o->id.me, &keys,
		    own.aik_hash, &batch, has_otp ? &otp : NULL, m, peer,
		    o->c->now_ms, o->work);
	identity_wipe_keys(&keys);
	wipe(&batch, sizeof(batch));
	wipe(&otp, sizeof(otp));
	return e;
}

/*
 * docs/protocol.md, Session set-up: only when the inner message has opened is
 * the session stored, the one-time pair deleted, the set-up noted as seen.
 */
static enum err
open_new(struct opening *o, const struct prekey_msg *m)
{
	struct core *c = o->c;
	struct pair_state st;
	struct cert *peer = ARENA_NEW(c->arena, struct cert);

	if (peer == NULL)
		return ERR_TOO_LARGE;
	/* R refuses one that is more than 24 h ahead of its clock. */
	if (m->created_ms > c->now_ms &&
	    m->created_ms - c->now_ms > SESSION_CREATED_AHEAD_MS)
		return ERR_EXPIRED;
	TRY(find_initiator(o, m, peer));
	o->work_i = PAIR_NONE;
	TRY(accept_setup(o, m, peer));
	o->work->m.born = c->store->generation;
	TRY(open_on_work(o, m->inner));
	TRY(pair_make_room(c, &o->set, &o->view));
	if (m->setup.leaf_type == LEAF_OTP)
		TRY(prekey_drop_otp(c, m->setup.batch, m->setup.otp_id));
	TRY(put_seen(c, m, &o->work->m.sid));
	TRY(pair_load_state(c, o->from, &st));
	if (m->created_ms > st.created_ms_max) {
		st.created_ms_max = m->created_ms;
		TRY(pair_put_state(c, o->from, &st));
	}
	o->out->new_session = true;
	return OK;
}

static enum err
open_prekey(struct opening *o, struct span msg)
{
	struct prekey_msg m;
	struct session_sid sid;
	enum err e;

	TRY(handshake_decode(msg, &m));
	if (!address_eq(&m.from, o->from))
		return ERR_FORBIDDEN;
	e = find_seen(o->c, &m, &sid);
	if (e == ERR_NOT_FOUND)
		return open_new(o, &m);
	TRY(e);
	/* A second one goes to its session or is a replay; it never makes
	 * another session. */
	for (uint8_t i = 0; i < o->set.n; i++)
		if (memcmp(o->set.m[i].sid.b, sid.b, SESSION_SID_LEN) == 0)
			return open_at(o, i, m.inner);
	return ERR_REPLAY;
}

static enum err
opening_load(struct opening *o, struct span msg)
{
	struct core *c = o->c;

	if (msg.n == 0 || msg.n > RATCHET_MSG_MAX)
		return ERR_FORMAT;
	/* The result first, the scratch behind it. */
	o->plain = arena_bytes(c->arena, msg.n);
	TRY(identity_load(c, &o->id));
	TRY(pair_load_view(c, &o->id, o->from, &o->view));
	TRY(pair_load_set(c, o->from, &o->set));
	o->before_work = arena_mark(c->arena);
	o->work = session_new(c->arena);
	o->work_i = PAIR_NONE;
	return o->plain == NULL || o->work == NULL ? ERR_TOO_LARGE : OK;
}

enum err
sessions_open(struct core *c, const struct address *from, struct span msg,
    struct sessions_opened *out)
{
	struct opening o = { .c = c, .from = from, .out = out };
	struct sessions_reset due;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = opening_load(&o, msg);
	if (e == OK)
		e = msg.p[0] == PREKEY_MSG_TYPE ? open_prekey(&o, msg) :
		    open_ratchet(&o, msg);
	if (o.work != NULL) {
		session_wipe(o.work);
		arena_reset(c->arena, o.before_work);
	}
	identity_wipe(&o.id);
	if (e == OK && o.set.n + (out->new_session ? 1u : 0u) > 1) {
		e = sessions_reset_due(c, from, &due);
		out->reset_due = due.due;
	}
	pair_wipe_set(&o.set);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}
