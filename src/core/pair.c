/*
 * pair.c: stored sets of sessions and the choice among them, see pair.h.
 */
#include "core/pair.h"

#define FORMAT 1
#define STATE_LEN_MAX (1 + 8 + 8 + 32 + 4 + 1 + PAIR_MADE_MAX * SESSION_SID_LEN)

struct span
pair_key(const struct address *with, const struct session_sid *sid,
    struct pair_key *k)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	wr_bytes(&w, with->account.b, ID_LEN);
	wr_u32(&w, with->device);
	if (sid != NULL)
		wr_bytes(&w, sid->b, SESSION_SID_LEN);
	return wr_done(&w);
}

void
pair_wipe_set(struct pair_set *s)
{
	wipe(s, sizeof(*s));
}

struct loading {
	struct core *c;
	struct pair_set *set;
};

/* Inserts by rank. More than the set holds is never stored. */
static enum err
load_one(void *arg, struct span key, struct span value)
{
	struct loading *l = arg;
	struct pair_set *s = l->set;
	struct session_meta m;
	struct span record, rest;
	uint8_t at = 0;

	(void)key;
	if (s->n == SESSIONS_MAX)
		return ERR_LIMIT;
	TRY(arena_dup(l->c->arena, value, &record));
	TRY(session_peek(record, &m, &rest));
	while (at < s->n && session_order(&s->m[at], &m) > 0)
		at++;
	for (uint8_t i = s->n; i > at; i--) {
		s->m[i] = s->m[i - 1];
		s->record[i] = s->record[i - 1];
	}
	s->m[at] = m;
	s->record[at] = record;
	s->n++;
	wipe(&m, sizeof(m));
	return OK;
}

enum err
pair_load_set(struct core *c, const struct address *with, struct pair_set *out)
{
	struct loading l = { c, out };
	struct pair_key k;

	out->n = 0;
	return c->store->iterate(c->store->ctx, RECORD_SESSION,
	    pair_key(with, NULL, &k), load_one, &l);
}

enum err
pair_load_view(struct core *c, const struct identity *id,
    const struct address *with, struct pair_view *out)
{
	const struct devlist_entry *e;
	struct peer peer;
	enum err err = peer_load(c, &with->account, &peer);

	memset(out, 0, sizeof(*out));
	memcpy(out->own_cert, id->keys.cert_hash, SHA256_LEN);
	out->stale_below = id->stale_below;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	e = devlist_find(&peer.list, with->device);
	if (e != NULL) {
		out->is_listed = true;
		memcpy(out->peer_cert, e->cert_hash, SHA256_LEN);
	}
	return OK;
}

bool
pair_is_current(const struct session_meta *m, const struct pair_view *v)
{
	return m->born >= v->stale_below && v->is_listed &&
	    memcmp(m->own_cert, v->own_cert, SHA256_LEN) == 0 &&
	    memcmp(m->peer_cert, v->peer_cert, SHA256_LEN) == 0;
}

static bool
is_past(uint64_t since_ms, uint64_t life_ms, uint64_t now_ms)
{
	return now_ms > since_ms && now_ms - since_ms > life_ms;
}

static bool
may_send(const struct session_meta *m, const struct pair_view *v,
    uint64_t now_ms)
{
	/* One that is unanswered for 30 days is replaced. */
	return pair_is_current(m, v) && (m->unanswered_ms == 0 ||
	    !is_past(m->unanswered_ms, SESSION_UNANSWERED_MS, now_ms));
}

/*
 * docs/protocol.md, Two sessions at once: the confirmed session with the
 * greatest (created_ms, SID) of those whose two certificates are both listed
 * now, else the own unconfirmed one.
 */
uint8_t
pair_choose(const struct pair_set *s, const struct pair_view *v,
    uint64_t now_ms)
{
	for (uint8_t i = 0; i < s->n; i++)
		if (s->m[i].confirmed && may_send(&s->m[i], v, now_ms))
			return i;
	for (uint8_t i = 0; i < s->n; i++)
		if (!s->m[i].confirmed && may_send(&s->m[i], v, now_ms))
			return i;
	return PAIR_NONE;
}

bool
pair_is_over(const struct session_meta *m, bool sends, uint64_t now_ms)
{
	if (m->peer_gone_ms != 0 &&
	    is_past(m->peer_gone_ms, SESSION_RECEIVE_ONLY_MS, now_ms))
		return true;
	if (m->own_gone_ms != 0 &&
	    is_past(m->own_gone_ms, SESSION_OWN_GONE_MS, now_ms))
		return true;
	return !sends && is_past(m->heard_ms, SESSION_RECEIVE_ONLY_MS, now_ms);
}

static enum err
put_record(struct core *c, const struct session_meta *m, const struct wr *w)
{
	struct pair_key k;

	if (!wr_ok(w))
		return ERR_INTERNAL;
	return c->store->put(c->store->ctx, RECORD_SESSION,
	    pair_key(&m->peer, &m->sid, &k), wr_done(w),
	    c->store->generation);
}

enum err
pair_put(struct core *c, const struct session *s)
{
	struct arena_mark mark = arena_mark(c->arena);
	size_t n = session_encoded_len(s);
	uint8_t *mem = arena_bytes(c->arena, n);
	struct wr w = wr_init(mem, n);
	enum err e = mem == NULL ? ERR_TOO_LARGE : session_encode(s, &w);

	if (e == OK)
		e = put_record(c, &s->m, &w);
	store_scratch_end(c->arena, mark);
	return e;
}

enum err
pair_put_meta(struct core *c, const struct session_meta *m,
    struct span ratchet)
{
	struct arena_mark mark = arena_mark(c->arena);
	size_t n = SESSION_META_LEN_MAX + ratchet.n;
	uint8_t *mem = arena_bytes(c->arena, n);
	struct wr w = wr_init(mem, n);
	enum err e = mem == NULL ? ERR_TOO_LARGE :
	    session_encode_meta(m, ratchet, &w);

	if (e == OK)
		e = put_record(c, m, &w);
	store_scratch_end(c->arena, mark);
	return e;
}

enum err
pair_drop(struct core *c, struct span key, struct span record)
{
	struct session_meta m;
	struct span ratchet;

	/* One that cannot be read is deleted all the same. */
	if (session_peek(record, &m, &ratchet) == OK)
		ratchet_store_forget(c->p, ratchet);
	wipe(&m, sizeof(m));
	return c->store->del(c->store->ctx, RECORD_SESSION, key);
}

static enum err
drop_at(struct core *c, const struct pair_set *s, uint8_t i)
{
	struct pair_key k;

	return pair_drop(c, pair_key(&s->m[i].peer, &s->m[i].sid, &k),
	    s->record[i]);
}

enum err
pair_make_room(struct core *c, const struct pair_set *s,
    const struct pair_view *v)
{
	uint8_t sends = pair_choose(s, v, c->now_ms), left = s->n;
	uint8_t least = PAIR_NONE;

	for (uint8_t i = 0; i < s->n; i++) {
		if (pair_is_over(&s->m[i], i == sends, c->now_ms)) {
			TRY(drop_at(c, s, i));
			left--;
		} else if (i != sends) {
			least = i;	/* ranks fall with i */
		}
	}
	if (left < SESSIONS_MAX || least == PAIR_NONE)
		return OK;
	return drop_at(c, s, least);
}

enum err
pair_load_state(struct core *c, const struct address *with,
    struct pair_state *out)
{
	struct arena_mark mark = arena_mark(c->arena);
	struct pair_key k;
	struct span v;
	struct rd r;
	uint8_t format;
	enum err e = c->store->get(c->store->ctx, RECORD_PAIR,
	    pair_key(with, NULL, &k), c->arena, &v);

	memset(out, 0, sizeof(*out));
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r = rd_init(v);
	format = rd_u8(&r);
	out->reinit_ms = rd_u64(&r);
	out->created_ms_max = rd_u64(&r);
	rd_bytes(&r, out->batch_cert, SHA256_LEN);
	out->batch_max = rd_u32(&r);
	out->made_n = rd_u8(&r);
	if (format != FORMAT || out->made_n > PAIR_MADE_MAX)
		r.bad = true;
	else
		rd_bytes(&r, out->made, (size_t)out->made_n * SESSION_SID_LEN);
	arena_reset(c->arena, mark);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
pair_put_state(struct core *c, const struct address *with,
    const struct pair_state *s)
{
	uint8_t rec[STATE_LEN_MAX];
	struct wr w = wr_init(rec, sizeof(rec));
	struct pair_key k;

	wr_u8(&w, FORMAT);
	wr_u64(&w, s->reinit_ms);
	wr_u64(&w, s->created_ms_max);
	wr_bytes(&w, s->batch_cert, SHA256_LEN);
	wr_u32(&w, s->batch_max);
	wr_u8(&w, s->made_n);
	wr_bytes(&w, s->made, (size_t)s->made_n * SESSION_SID_LEN);
	if (!wr_ok(&w))
		return ERR_INTERNAL;
	return c->store->put(c->store->ctx, RECORD_PAIR,
	    pair_key(with, NULL, &k), wr_done(&w), c->store->generation);
}
