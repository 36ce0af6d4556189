/*
 * sessions.c: sending on the right session, and keeping the set of sessions
 * with each device, see sessions.h. Opening is in sessions_open.c.
 */
#include "core/sessions.h"

#include "core/pad.h"
#include "core/pair.h"

static enum pq_auth
auth_of(const struct session_meta *m, uint32_t epoch)
{
	/*
	 * docs/protocol.md, Session set-up: R is authenticated post-quantum at
	 * once by its composite-signed prekeys, I after epoch 1.
	 */
	if (epoch > 1)
		return PQ_AUTH_MUTUAL;
	return m->initiator ? PQ_AUTH_PEER : PQ_AUTH_NONE;
}

static void
fill_info(const struct session *s, uint8_t count, struct sessions_info *out)
{
	*out = (struct sessions_info){ .exists = true,
	    .confirmed = s->m.confirmed, .initiator = s->m.initiator,
	    .sid = s->m.sid, .created_ms = s->m.created_ms,
	    .epoch = s->ratchet.h.pq.epoch, .suite = SUITE_RATCHET,
	    .pq_auth = auth_of(&s->m, s->ratchet.h.pq.epoch), .count = count,
	    .skipped = s->ratchet.skipped_n, .turns = s->ratchet.h.turns,
	    .sent = s->ratchet.h.sent, .received = s->ratchet.h.received,
	    .last_mix_ms = s->ratchet.h.pq.last_mix_ms };
}

/* Everything about the other device that sending depends on. */
struct sending {
	struct identity id;
	struct pair_view view;
	struct pair_set set;
	struct session *work;
	struct arena_mark before_work;
};

/* The big scratch goes back, so that the host has little to wipe. */
static void
sending_wipe(struct core *c, struct sending *s)
{
	identity_wipe(&s->id);
	pair_wipe_set(&s->set);
	if (s->work == NULL)
		return;
	session_wipe(s->work);
	arena_reset(c->arena, s->before_work);
}

static enum err
sending_load(struct core *c, const struct address *with, struct sending *s)
{
	memset(s, 0, sizeof(*s));
	TRY(identity_load(c, &s->id));
	TRY(pair_load_view(c, &s->id, with, &s->view));
	TRY(pair_load_set(c, with, &s->set));
	s->before_work = arena_mark(c->arena);
	s->work = session_new(c->arena);
	return s->work == NULL ? ERR_TOO_LARGE : OK;
}

/* May we send to this device at all? */
static enum err
check_listed(struct core *c, const struct address *to)
{
	struct peer peer;

	TRY(peer_load(c, &to->account, &peer));
	if (devlist_find(&peer.list, to->device) == NULL)
		return ERR_UNTRUSTED;
	return devlist_age(&peer.list, c->now_ms) == DEVLIST_DEAD ?
	    ERR_EXPIRED : OK;
}

/* Room for any message with this content, taken before the scratch. */
static enum err
sealed_room(struct core *c, struct span content, struct wr *out)
{
	size_t cap = PREKEY_MSG_HEADER_LEN + RATCHET_HEADER_MAX +
	    pad_size(content.n) + 4096;
	uint8_t *mem = content.n > RATCHET_CONTENT_MAX ? NULL :
	    arena_bytes(c->arena, cap);

	*out = wr_init(mem, cap);
	return mem == NULL ? ERR_TOO_LARGE : OK;
}

/* Prekey header while unconfirmed, then the ratchet message; stored. */
static enum err
seal_on(struct core *c, const struct identity *id, struct session *s,
    struct span content, struct wr *w)
{
	/* docs/protocol.md, Session set-up: I sends PrekeyMsg until it has
	 * decrypted one message of R on this session. */
	if (s->m.initiator && !s->m.confirmed)
		TRY(handshake_encode(&id->me, s->m.own_cert, s->m.created_ms,
		    &s->m.setup, w));
	TRY(ratchet_seal(c->p, &s->ratchet, content, c->now_ms, w));
	if (s->m.unanswered_ms == 0)
		s->m.unanswered_ms = c->now_ms;
	return pair_put(c, s);
}

enum err
sessions_seal(struct core *c, const struct address *to, struct span content,
    struct span *out, struct sessions_info *info_out)
{
	struct sending s;
	struct wr w;
	uint8_t i = PAIR_NONE;
	enum err e = check_listed(c, to);

	if (e != OK)
		return e;
	TRY(sealed_room(c, content, &w));
	e = sending_load(c, to, &s);
	if (e == OK)
		i = pair_choose(&s.set, &s.view, c->now_ms);
	if (e == OK && i == PAIR_NONE)
		e = ERR_NO_SESSION;
	if (e == OK)
		e = session_decode(s.set.record[i], s.work);
	if (e == OK)
		e = seal_on(c, &s.id, s.work, content, &w);
	if (e == OK)
		*out = wr_done(&w);
	if (e == OK && info_out != NULL)
		fill_info(s.work, s.set.n, info_out);
	sending_wipe(c, &s);
	return e;
}

enum err
sessions_info(struct core *c, const struct address *with,
    struct sessions_info *out)
{
	struct sending s;
	uint8_t i = PAIR_NONE;
	enum err e = sending_load(c, with, &s);

	memset(out, 0, sizeof(*out));
	if (e == OK)
		i = pair_choose(&s.set, &s.view, c->now_ms);
	if (e == OK && i != PAIR_NONE)
		e = session_decode(s.set.record[i], s.work);
	if (e == OK && i != PAIR_NONE)
		fill_info(s.work, s.set.n, out);
	out->count = s.set.n;
	sending_wipe(c, &s);
	return e;
}

/* The certificate of the bundle, or the one that is known. */
static enum err
bundle_cert(struct core *c, const struct devlist *list, uint32_t device,
    struct span given, struct span *out)
{
	const struct devlist_entry *e = devlist_find(list, device);

	if (e == NULL)
		return ERR_UNTRUSTED;
	if (given.n != 0) {
		*out = given;
		return OK;
	}
	return c->store->get(c->store->ctx, RECORD_CERT,
	    SPAN_OF(e->cert_hash), c->arena, out);
}

/*
 * docs/protocol.md, Prekey batches: a client refuses a batch below the
 * highest it has seen from that certificate.
 */
static enum err
check_batch_id(const struct bundle *b, struct pair_state *st)
{
	if (memcmp(st->batch_cert, b->cert_hash, SHA256_LEN) == 0 &&
	    b->batch.id < st->batch_max)
		return ERR_STALE;
	memcpy(st->batch_cert, b->cert_hash, SHA256_LEN);
	st->batch_max = b->batch.id;
	return OK;
}

static void
note_made(struct pair_state *st, const struct session_meta *m)
{
	if (st->made_n == PAIR_MADE_MAX) {
		memmove(st->made[0], st->made[1],
		    sizeof(st->made) - sizeof(st->made[0]));
		st->made_n--;
	}
	memcpy(st->made[st->made_n++], m->sid.b, SESSION_SID_LEN);
	st->created_ms_max = m->created_ms;
}

static enum err
initiate(struct core *c, struct sending *s, const struct bundle *b,
    struct pair_state *st)
{
	uint64_t created_ms = c->now_ms;

	/* max(own clock, 1 + the greatest of any session with that device) */
	if (created_ms <= st->created_ms_max)
		created_ms = st->created_ms_max + 1;
	TRY(check_batch_id(b, st));
	TRY(handshake_initiate(c->p, &s->id, b, created_ms, c->now_ms,
	    s->work));
	s->work->m.born = c->store->generation;
	s->work->m.heard_ms = c->now_ms;
	note_made(st, &s->work->m);
	TRY(pair_make_room(c, &s->set, &s->view));
	TRY(pair_put(c, s->work));
	return pair_put_state(c, &s->work->m.peer, st);
}

enum err
sessions_initiate(struct core *c, const struct address *to,
    const struct bundle_bytes *in)
{
	struct bundle_bytes whole = *in;
	struct bundle *b = ARENA_NEW(c->arena, struct bundle);
	struct pair_state st;
	struct peer peer;
	struct sending s;
	bool known;
	enum err e;

	if (b == NULL)
		return ERR_TOO_LARGE;
	TRY(check_listed(c, to));
	TRY(peer_load(c, &to->account, &peer));
	TRY(bundle_cert(c, &peer.list, to->device, in->cert, &whole.cert));
	TRY(handshake_check_bundle(c->p, &peer.list, to->device, &whole,
	    c->now_ms, b));
	TRY(peer_has_cert(c, b->cert_hash, &known));
	if (!known)
		TRY(peer_accept_cert(c, &to->account, whole.cert));
	TRY(pair_load_state(c, to, &st));
	e = sending_load(c, to, &s);
	if (e == OK)
		e = initiate(c, &s, b, &st);
	sending_wipe(c, &s);
	return e;
}

struct each {
	struct core *c;
	const struct identity *id;
	struct session *work;
};

static enum err
rekey_one(void *arg, struct span key, struct span value)
{
	struct each *x = arg;
	enum err e;

	(void)key;
	e = session_decode(value, x->work);
	if (e == OK) {
		pqm_rekey(&x->work->ratchet.h.pq);
		e = pair_put(x->c, x->work);
	}
	session_wipe(x->work);
	return e;
}

static enum err
rekey_prefix(struct core *c, struct span prefix)
{
	struct arena_mark m = arena_mark(c->arena);
	struct each x = { c, NULL, session_new(c->arena) };
	enum err e = x.work == NULL ? ERR_TOO_LARGE :
	    c->store->iterate(c->store->ctx, RECORD_SESSION, prefix,
	    rekey_one, &x);

	arena_reset(c->arena, m);
	return e;
}

enum err
sessions_rekey(struct core *c, const struct address *with)
{
	struct pair_key k;

	return rekey_prefix(c, pair_key(with, NULL, &k));
}

enum err
sessions_rekey_all(struct core *c)
{
	return rekey_prefix(c, (struct span){ 0 });
}

enum err
sessions_may_reinitiate(struct core *c, const struct address *with, bool *out)
{
	struct pair_state st;

	TRY(pair_load_state(c, with, &st));
	/* At most one automatic re-initiation for each peer and hour. */
	*out = st.reinit_ms == 0 || (c->now_ms > st.reinit_ms &&
	    c->now_ms - st.reinit_ms >= SESSIONS_REINIT_MS);
	if (!*out)
		return OK;
	st.reinit_ms = c->now_ms;
	return pair_put_state(c, with, &st);
}

/* The newest confirmed session below the one in use that was not told. */
static bool
find_untold(const struct sending *s, uint64_t now_ms,
    struct sessions_reset *out)
{
	uint8_t i = pair_choose(&s->set, &s->view, now_ms);
	const struct session_meta *use, *m;

	memset(out, 0, sizeof(*out));
	if (i == PAIR_NONE)
		return false;
	use = &s->set.m[i];
	/* In use means: something came or went on it. */
	if (!use->confirmed && use->unanswered_ms == 0)
		return false;
	for (uint8_t k = (uint8_t)(i + 1); k < s->set.n; k++) {
		m = &s->set.m[k];
		if (!m->confirmed || m->born < s->view.stale_below)
			continue;
		if (m->reset_sent)
			return false;
		out->due = true;
		memcpy(out->reset.sid, use->sid.b, SESSION_SID_LEN);
		out->reset.receiver_initiated = !use->initiator;
		out->old = m->sid;
		return true;
	}
	return false;
}

enum err
sessions_reset_due(struct core *c, const struct address *with,
    struct sessions_reset *out)
{
	struct sending s;
	enum err e = sending_load(c, with, &s);

	memset(out, 0, sizeof(*out));
	if (e == OK)
		(void)find_untold(&s, c->now_ms, out);
	sending_wipe(c, &s);
	return e;
}

enum err
sessions_seal_reset(struct core *c, const struct address *with,
    const struct sessions_reset *r, struct span content, struct span *out)
{
	struct sessions_reset now;
	struct sending s;
	struct wr w;
	uint8_t i;
	enum err e;

	TRY(sealed_room(c, content, &w));
	e = sending_load(c, with, &s);

	if (e == OK && (!find_untold(&s, c->now_ms, &now) ||
	    memcmp(now.old.b, r->old.b, SESSION_SID_LEN) != 0))
		e = ERR_NO_SESSION;
	for (i = 0; e == OK && i < s.set.n; i++)
		if (memcmp(s.set.m[i].sid.b, r->old.b, SESSION_SID_LEN) == 0)
			break;
	if (e == OK)
		e = session_decode(s.set.record[i], s.work);
	if (e == OK) {
		s.work->m.reset_sent = true;
		e = seal_on(c, &s.id, s.work, content, &w);
	}
	if (e == OK)
		*out = wr_done(&w);
	sending_wipe(c, &s);
	return e;
}

enum err
sessions_heard_reset(struct core *c, const struct address *from,
    const struct event_reset *r, bool *clone_out)
{
	struct pair_state st;

	TRY(pair_load_state(c, from, &st));
	/* Only a session that is said to be begun by us can show a clone: one
	 * that the other began may simply not have arrived yet. */
	*clone_out = r->receiver_initiated;
	for (uint8_t i = 0; i < st.made_n; i++)
		if (memcmp(st.made[i], r->sid, SESSION_SID_LEN) == 0)
			*clone_out = false;
	return OK;
}

static enum err
drop_one(void *arg, struct span key, struct span value)
{
	return pair_drop(arg, key, value);
}

enum err
sessions_drop(struct core *c, const struct address *with)
{
	struct pair_key k;

	return c->store->iterate(c->store->ctx, RECORD_SESSION,
	    pair_key(with, NULL, &k), drop_one, c);
}

enum err
sessions_drop_all(struct core *c)
{
	return c->store->iterate(c->store->ctx, RECORD_SESSION,
	    (struct span){ 0 }, drop_one, c);
}

enum err
sessions_drop_account(struct core *c, const struct user_id *account)
{
	return c->store->iterate(c->store->ctx, RECORD_SESSION,
	    ID_SPAN(*account), drop_one, c);
}

static enum err
mark_one(void *arg, struct span key, struct span value)
{
	struct each *x = arg;
	struct pair_view v;
	struct session_meta m;
	struct span rest;
	bool own_gone, peer_gone;
	enum err e = session_peek(value, &m, &rest);

	(void)key;
	if (e == OK)
		e = pair_load_view(x->c, x->id, &m.peer, &v);
	if (e != OK)
		goto out;
	own_gone = memcmp(m.own_cert, v.own_cert, SHA256_LEN) != 0;
	peer_gone = !v.is_listed ||
	    memcmp(m.peer_cert, v.peer_cert, SHA256_LEN) != 0;
	if (own_gone == (m.own_gone_ms != 0) &&
	    peer_gone == (m.peer_gone_ms != 0))
		goto out;
	if (own_gone && m.own_gone_ms == 0)
		m.own_gone_ms = x->c->now_ms;
	if (peer_gone && m.peer_gone_ms == 0)
		m.peer_gone_ms = x->c->now_ms;
	e = pair_put_meta(x->c, &m, rest);
out:
	wipe(&m, sizeof(m));
	return e;
}

enum err
sessions_mark_gone(struct core *c, struct span prefix)
{
	struct identity id;
	struct each x = { c, &id, NULL };
	enum err e = identity_load(c, &id);

	if (e == OK)
		e = c->store->iterate(c->store->ctx, RECORD_SESSION, prefix,
		    mark_one, &x);
	identity_wipe(&id);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Late keys of a session that stays. */
static enum err
expire_keys(struct core *c, struct span record, struct session *work)
{
	enum err e = session_decode(record, work);

	if (e == OK && ratchet_expire(&work->ratchet, c->now_ms))
		e = pair_put(c, work);
	session_wipe(work);
	return e;
}

static enum err
tidy_one(void *arg, struct span key, struct span value)
{
	struct each *x = arg;
	struct arena_mark mark = arena_mark(x->c->arena);
	struct session_meta m;
	struct pair_view v;
	struct pair_set set = { 0 };
	struct span rest;
	uint8_t i;
	bool sends = false;
	enum err e = session_peek(value, &m, &rest);

	if (e == OK)
		e = pair_load_view(x->c, x->id, &m.peer, &v);
	if (e == OK)
		e = pair_load_set(x->c, &m.peer, &set);
	if (e == OK) {
		i = pair_choose(&set, &v, x->c->now_ms);
		sends = i != PAIR_NONE && memcmp(set.m[i].sid.b, m.sid.b,
		    SESSION_SID_LEN) == 0;
	}
	if (e == OK && pair_is_over(&m, sends, x->c->now_ms))
		e = pair_drop(x->c, key, value);
	else if (e == OK)
		e = expire_keys(x->c, value, x->work);
	wipe(&m, sizeof(m));
	pair_wipe_set(&set);
	store_scratch_end(x->c->arena, mark);
	return e;
}

enum err
sessions_tidy(struct core *c)
{
	struct arena_mark m = arena_mark(c->arena);
	struct identity id;
	struct each x = { c, &id, session_new(c->arena) };
	enum err e = x.work == NULL ? ERR_TOO_LARGE :
	    sessions_mark_gone(c, (struct span){ 0 });

	if (e == OK)
		e = identity_load(c, &id);
	if (e == OK)
		e = c->store->iterate(c->store->ctx, RECORD_SESSION,
		    (struct span){ 0 }, tidy_one, &x);
	identity_wipe(&id);
	arena_reset(c->arena, m);
	return e;
}
