/*
 * ratchet.c: sealing and opening with a session's ratchet, see ratchet.h.
 */
#include "core/ratchet.h"

#include "core/pad.h"

/*
 * Implementation notes. Both directions work on a copy of the head (1.7 KiB)
 * and put it back when all has gone well. Skipped keys are not derived before
 * the tag verifies: until then only the chain is stepped (one HMAC a step);
 * afterwards the steps are made again and the keys kept.
 */

#define SUITE 1
#define AD_MAX (SHA256_LEN + RATCHET_HEADER_MAX)

struct header {
	const uint8_t *dh;
	uint32_t pqn, pn, n;
	const uint8_t *salt;
	struct span bytes;		/* all of it */
	struct span sealed;		/* ciphertext || tag */
};

/* What an attempt to open a message found out; secret. */
struct attempt {
	struct ratchet_head h;		/* as it will be */
	uint8_t mk[KEY_LEN];
	bool new_chain, from_skipped;
	uint32_t skipped_i;
	uint8_t start_ck[KEY_LEN];	/* of the chain, at start_n */
	uint32_t start_n;
	uint32_t old_steps, new_steps;	/* keys to keep of each chain */
};

void
ratchet_start_initiator(struct ratchet *r, const uint8_t t[static SHA256_LEN],
    const uint8_t rk[static KEY_LEN], const uint8_t spk[static X25519_LEN],
    const uint8_t ikk_seed[static MLKEM_SEED_LEN], uint64_t now_ms)
{
	memset(&r->h, 0, sizeof(r->h));
	r->skipped_n = 0;
	memcpy(r->t, t, SHA256_LEN);
	memcpy(r->h.rk, rk, KEY_LEN);
	memcpy(r->h.dhr, spk, X25519_LEN);
	r->h.send_pending = true;
	pqm_start_initiator(&r->h.pq, ikk_seed, now_ms);
}

enum err
ratchet_start_responder(const struct provider *p, struct ratchet *r,
    const uint8_t t[static SHA256_LEN], const uint8_t rk[static KEY_LEN],
    const uint8_t spk_priv[static X25519_LEN],
    const uint8_t spk_pub[static X25519_LEN],
    const uint8_t ikk_initiator[static MLKEM_EK_LEN], uint64_t now_ms)
{
	memset(&r->h, 0, sizeof(r->h));
	r->skipped_n = 0;
	memcpy(r->t, t, SHA256_LEN);
	memcpy(r->h.rk, rk, KEY_LEN);
	memcpy(r->h.dhs_priv, spk_priv, X25519_LEN);
	memcpy(r->h.dhs_pub, spk_pub, X25519_LEN);
	r->h.has_dhs = true;
	return pqm_start_responder(p, &r->h.pq, ikk_initiator, now_ms);
}

void
ratchet_wipe(struct ratchet *r)
{
	uint32_t n = r->skipped_n <= RATCHET_SKIPPED_MAX ?
	    r->skipped_n : RATCHET_SKIPPED_MAX;

	wipe(r->skipped, n * sizeof(r->skipped[0]));
	wipe(&r->h, sizeof(r->h));
	wipe(r->t, sizeof(r->t));
	r->skipped_n = 0;
}

/* Own first message of a turn: new key pair, DH step, maybe a mix. */
static enum err
begin_chain(const struct provider *p, struct ratchet_head *h, uint64_t now_ms)
{
	const uint8_t *ss = pqm_mix_out(&h->pq);
	uint32_t e = ss == NULL ? 0 : h->pq.epoch;
	uint8_t dh[X25519_LEN];
	enum err err;

	provider_forget(p, h->dhs_priv, sizeof(h->dhs_priv));
	err = p->random(p->ctx, h->dhs_priv, sizeof(h->dhs_priv));
	if (err == OK)
		err = p->x25519_pub(p->ctx, h->dhs_priv, h->dhs_pub);
	if (err == OK)
		err = p->x25519(p->ctx, h->dhs_priv, h->dhr, dh);
	if (err == OK)
		err = kdf_root(p, h->rk, dh, ss, e, h->cks);
	wipe(dh, sizeof(dh));
	if (err != OK)
		return err;
	h->has_dhs = h->has_cks = true;
	h->turns++;
	h->pn = h->ns;
	h->ns = 0;
	h->pqn_send = e;
	h->send_pending = false;
	if (ss != NULL)
		pqm_advance(&h->pq, now_ms);
	return OK;
}

static void
write_header(struct wr *w, const struct ratchet_head *h,
    const uint8_t salt[static SALT_LEN])
{
	wr_u8(w, RATCHET_TYPE);
	wr_u8(w, SUITE);
	wr_bytes(w, h->dhs_pub, X25519_LEN);
	wr_varint(w, h->pqn_send);
	wr_varint(w, h->pn);
	wr_varint(w, h->ns);
	wr_bytes(w, salt, SALT_LEN);
}

static size_t
make_ad(const struct ratchet *r, struct span header, uint8_t ad[static AD_MAX])
{
	struct wr w = wr_init(ad, AD_MAX);

	wr_bytes(&w, r->t, SHA256_LEN);
	wr_span(&w, header);
	return w.n;
}

/* f | key | varint len | content | zeros, into a room of the padded size. */
static void
write_frame(struct wr *w, const struct pqm *q, enum pqm_flag flag,
    struct span key, struct span content)
{
	wr_u8(w, (uint8_t)flag);
	if (key.n != 0) {
		wr_varint(w, q->epoch);
		wr_span(w, key);
	}
	wr_varint(w, (uint32_t)content.n);
	wr_span(w, content);
	if (!w->bad)
		wr_zeros(w, w->cap - w->n);
}

static size_t
frame_size(const struct pqm *q, size_t key_n, size_t content_n)
{
	size_t n = 1 + varint_len((uint32_t)content_n) + content_n;

	if (key_n != 0)
		n += varint_len(q->epoch) + key_n;
	return pad_size(n);
}

/* Header, frame, seal: appended to w. */
static enum err
seal_message(const struct provider *p, const struct ratchet *r,
    struct ratchet_head *h, enum pqm_flag flag, struct span pq_key,
    struct span content, struct wr *w)
{
	uint8_t mk[KEY_LEN], key[AES256_KEY_LEN], nonce[GCM_NONCE_LEN];
	uint8_t salt[SALT_LEN], ad[AD_MAX];
	size_t n = frame_size(&h->pq, pq_key.n, content.n);
	size_t from = w->n, ad_n = 0;
	struct wr frame;
	uint8_t *room = NULL;
	enum err e;

	e = kdf_message_key(p, h->cks, mk);
	if (e == OK)
		e = kdf_chain_step(p, h->cks);
	if (e == OK)
		e = p->random(p->ctx, salt, sizeof(salt));
	if (e == OK)
		e = kdf_seal_key(p, mk, salt, key, nonce);
	if (e != OK)
		goto out;
	write_header(w, h, salt);
	if (wr_ok(w))
		ad_n = make_ad(r, span_sub(wr_done(w), from, w->n - from), ad);
	room = wr_room(w, n + GCM_TAG_LEN);
	if (room == NULL) {
		e = ERR_SPACE;
		goto out;
	}
	frame = wr_init(room, n);
	write_frame(&frame, &h->pq, flag, pq_key, content);
	e = !wr_ok(&frame) ? ERR_INTERNAL : p->gcm_seal(p->ctx, key, nonce,
	    span_of(ad, ad_n), span_of(room, n), room);
	h->ns++;
	h->sent++;
	h->pq.since++;
out:
	if (e != OK) {
		if (room != NULL)
			wipe(room, n);
		w->n = from;
	}
	wipe(mk, sizeof(mk));
	wipe(key, sizeof(key));
	wipe(nonce, sizeof(nonce));
	return e;
}

enum err
ratchet_seal(const struct provider *p, struct ratchet *r, struct span content,
    uint64_t now_ms, struct wr *w)
{
	struct ratchet_head h = r->h;
	uint8_t key[MLKEM_EK_LEN];
	enum pqm_flag flag;
	size_t key_n;
	enum err e = OK;

	if (content.n > RATCHET_CONTENT_MAX)
		e = ERR_TOO_LARGE;
	else if (h.send_pending)
		e = begin_chain(p, &h, now_ms);
	else if (!h.has_cks)
		e = ERR_NO_SESSION;
	if (e == OK)
		e = pqm_send(p, &h.pq, h.ns == 0, now_ms, &flag, key, &key_n);
	if (e == OK)
		e = seal_message(p, r, &h, flag, span_of(key, key_n), content,
		    w);
	if (e == OK)
		r->h = h;
	wipe(&h, sizeof(h));
	return e;
}

static enum err
read_header(struct span msg, struct header *out)
{
	struct rd r = rd_init(msg);
	uint8_t type = rd_u8(&r), suite = rd_u8(&r);

	if (msg.n > RATCHET_MSG_MAX || r.bad)
		return ERR_FORMAT;
	if (type != RATCHET_TYPE)
		return (type & 0xf0) != (RATCHET_TYPE & 0xf0) ?
		    ERR_VERSION : ERR_FORMAT;
	if (suite != SUITE)
		return ERR_SUITE;
	out->dh = rd_span(&r, X25519_LEN).p;
	out->pqn = rd_varint(&r);
	out->pn = rd_varint(&r);
	out->n = rd_varint(&r);
	out->salt = rd_span(&r, SALT_LEN).p;
	out->bytes = span_sub(msg, 0, msg.n - r.n);
	out->sealed = rd_rest(&r);
	/* A frame is never empty: at least one padded unit and a tag. */
	if (r.bad || out->sealed.n < GCM_TAG_LEN + pad_size(1))
		return ERR_FORMAT;
	return OK;
}

enum err
ratchet_peek_dh(struct span msg, const uint8_t **dh_out)
{
	struct header m;

	TRY(read_header(msg, &m));
	*dh_out = m.dh;
	return OK;
}

static bool
same_dh(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, X25519_LEN) == 0;
}

static bool
is_closed(const struct ratchet_head *h, const uint8_t *dh)
{
	for (uint8_t i = 0; i < h->closed_n; i++)
		if (same_dh(h->closed[i], dh))
			return true;
	return false;
}

static bool
is_old(const struct skipped_key *k, uint64_t now_ms)
{
	return now_ms > k->made_ms && now_ms - k->made_ms > RATCHET_SKIPPED_MS;
}

/* The index of a skipped key that is still good; skipped_n if there is none. */
static uint32_t
find_skipped(const struct ratchet *r, const uint8_t *dh, uint32_t n,
    uint64_t now_ms)
{
	uint32_t i;

	for (i = 0; i < r->skipped_n; i++)
		if (r->skipped[i].n == n && same_dh(r->skipped[i].dh, dh) &&
		    !is_old(&r->skipped[i], now_ms))
			break;
	return i;
}

bool
ratchet_knows_dh(const struct ratchet *r, const uint8_t dh[static X25519_LEN])
{
	if (r->h.has_recv && same_dh(r->h.recv_dh, dh))
		return true;
	if (is_closed(&r->h, dh))
		return true;
	for (uint32_t i = 0; i < r->skipped_n; i++)
		if (same_dh(r->skipped[i].dh, dh))
			return true;
	return false;
}

/* Steps the receiving chain to place n, gives that message key, steps past. */
static enum err
step_chain(const struct provider *p, struct attempt *a, uint32_t n)
{
	struct ratchet_head *h = &a->h;

	memcpy(a->start_ck, h->recv_ck, KEY_LEN);
	a->start_n = h->recv_n;
	a->new_steps = n - h->recv_n;
	for (; h->recv_n < n; h->recv_n++)
		TRY(kdf_chain_step(p, h->recv_ck));
	TRY(kdf_message_key(p, h->recv_ck, a->mk));
	TRY(kdf_chain_step(p, h->recv_ck));
	h->recv_n++;
	return OK;
}

static void
close_chain(struct ratchet_head *h)
{
	if (!h->has_recv)
		return;
	memmove(h->closed[1], h->closed[0],
	    (RATCHET_CLOSED_MAX - 1) * sizeof(h->closed[0]));
	memcpy(h->closed[0], h->recv_dh, X25519_LEN);
	if (h->closed_n < RATCHET_CLOSED_MAX)
		h->closed_n++;
}

/* docs/protocol.md, Opening, 4: a ratchet key not seen before. */
static enum err
enter_chain(const struct provider *p, struct attempt *a,
    const struct header *m, uint64_t now_ms)
{
	struct ratchet_head *h = &a->h;
	uint32_t have = h->has_recv ? h->recv_n : 0;
	const uint8_t *ss = NULL;
	uint8_t dh[X25519_LEN];
	enum err e;

	if (m->pqn != 0 && (ss = pqm_mix_in(&h->pq, m->pqn)) == NULL)
		return ERR_PQ_EPOCH;
	if (!h->has_dhs || m->pn < have || (!h->has_recv && m->pn != 0))
		return ERR_AUTH;
	a->old_steps = m->pn - have;
	if (a->old_steps > RATCHET_STEPS_MAX ||
	    m->n > RATCHET_STEPS_MAX - a->old_steps)
		return ERR_LIMIT;
	e = p->x25519(p->ctx, h->dhs_priv, m->dh, dh);
	close_chain(h);
	if (e == OK)
		e = kdf_root(p, h->rk, dh, ss, m->pqn, h->recv_ck);
	wipe(dh, sizeof(dh));
	if (e != OK)
		return e;
	memcpy(h->recv_dh, m->dh, X25519_LEN);
	memcpy(h->dhr, m->dh, X25519_LEN);
	h->recv_n = 0;
	h->recv_pqn = m->pqn;
	h->has_recv = h->send_pending = true;
	if (ss != NULL)
		pqm_advance(&h->pq, now_ms);
	h->turns++;
	a->new_chain = true;
	return step_chain(p, a, m->n);
}

/* docs/protocol.md, Opening, 2-4: finds the message key. */
static enum err
find_key(const struct provider *p, const struct ratchet *r,
    const struct header *m, uint64_t now_ms, struct attempt *a)
{
	uint32_t i = find_skipped(r, m->dh, m->n, now_ms);

	if (i < r->skipped_n) {
		a->from_skipped = true;
		a->skipped_i = i;
		memcpy(a->mk, r->skipped[i].mk, KEY_LEN);
		return OK;
	}
	if (a->h.has_recv && same_dh(a->h.recv_dh, m->dh)) {
		if (m->pqn != a->h.recv_pqn)
			return ERR_PQ_EPOCH;
		if (m->n < a->h.recv_n)
			return ERR_DUPLICATE;
		if (m->n - a->h.recv_n > RATCHET_STEPS_MAX)
			return ERR_LIMIT;
		return step_chain(p, a, m->n);
	}
	/* A closed chain MUST never be stepped, whatever n is. */
	if (is_closed(&a->h, m->dh))
		return ERR_DUPLICATE;
	return enter_chain(p, a, m, now_ms);
}

static enum err
open_sealed(const struct provider *p, const struct ratchet *r,
    const struct header *m, const struct attempt *a, uint8_t *plain_out)
{
	uint8_t key[AES256_KEY_LEN], nonce[GCM_NONCE_LEN], ad[AD_MAX];
	size_t ad_n = make_ad(r, m->bytes, ad);
	enum err e = kdf_seal_key(p, a->mk, m->salt, key, nonce);

	if (e == OK)
		e = p->gcm_open(p->ctx, key, nonce, span_of(ad, ad_n),
		    m->sealed, plain_out);
	wipe(key, sizeof(key));
	wipe(nonce, sizeof(nonce));
	return e;
}

/* Splits a frame; false when it is not as docs/protocol.md, Messages says. */
static bool
read_frame(struct span frame, uint32_t n, enum pqm_flag *flag_out,
    uint32_t *epoch_out, struct span *key_out, struct span *content_out)
{
	struct rd r = rd_init(frame);
	uint8_t f = rd_u8(&r);
	bool has_key = f == PQM_SENDS_EK || f == PQM_SENDS_CT;

	if (f > PQM_ASKS || (has_key && n != 0))
		return false;
	if (has_key) {
		*epoch_out = rd_varint(&r);
		*key_out = rd_span(&r, f == PQM_SENDS_EK ?
		    MLKEM_EK_LEN : MLKEM_CT_LEN);
	}
	*content_out = rd_span(&r, rd_varint(&r));
	*flag_out = (enum pqm_flag)f;
	return pad_ends(&r, frame.n);
}

/* Keys of `steps` places from (ck, n) on, appended. ck is used up. */
static enum err
keep_keys(const struct provider *p, struct ratchet *r, const uint8_t *dh,
    const uint8_t *start_ck, uint32_t n, uint32_t steps, uint64_t now_ms)
{
	uint8_t ck[KEY_LEN];
	enum err e = OK;

	memcpy(ck, start_ck, sizeof(ck));
	for (uint32_t i = 0; e == OK && i < steps; i++) {
		struct skipped_key *k = &r->skipped[r->skipped_n];

		e = kdf_message_key(p, ck, k->mk);
		if (e == OK)
			e = kdf_chain_step(p, ck);
		memcpy(k->dh, dh, X25519_LEN);
		k->n = n + i;
		k->made_ms = now_ms;
		r->skipped_n++;
	}
	wipe(ck, sizeof(ck));
	return e;
}

static void
drop_skipped(struct ratchet *r, uint32_t from, uint32_t n)
{
	memmove(&r->skipped[from], &r->skipped[from + n],
	    (r->skipped_n - from - n) * sizeof(r->skipped[0]));
	r->skipped_n -= n;
	wipe(&r->skipped[r->skipped_n], n * sizeof(r->skipped[0]));
}

bool
ratchet_expire(struct ratchet *r, uint64_t now_ms)
{
	uint32_t before = r->skipped_n;

	for (uint32_t i = r->skipped_n; i-- > 0; )
		if (is_old(&r->skipped[i], now_ms))
			drop_skipped(r, i, 1);
	return r->skipped_n != before;
}

/* docs/protocol.md, Opening, 5: what was skipped is kept, the state taken. */
static enum err
commit(const struct provider *p, struct ratchet *r, struct attempt *a,
    uint64_t now_ms)
{
	uint32_t add = a->old_steps + a->new_steps, before, over = 0;
	enum err e;

	if (a->from_skipped) {
		drop_skipped(r, a->skipped_i, 1);
		r->h = a->h;
		return OK;
	}
	if (add != 0)
		(void)ratchet_expire(r, now_ms);
	if (r->skipped_n + add > RATCHET_SKIPPED_MAX)
		over = r->skipped_n + add - RATCHET_SKIPPED_MAX;
	drop_skipped(r, 0, over);
	before = r->skipped_n;
	e = keep_keys(p, r, r->h.recv_dh, r->h.recv_ck, r->h.recv_n,
	    a->old_steps, now_ms);
	if (e == OK)
		e = keep_keys(p, r, a->h.recv_dh, a->start_ck, a->start_n,
		    a->new_steps, now_ms);
	if (e != OK)
		drop_skipped(r, before, r->skipped_n - before);
	else
		r->h = a->h;
	return e;
}

enum err
ratchet_open(const struct provider *p, struct ratchet *r, struct span msg,
    uint64_t now_ms, uint8_t *plain_out, struct span *content_out,
    struct ratchet_info *info_out)
{
	struct attempt a = { .h = r->h };
	struct header m = { 0 };
	struct span key = { 0 }, content = { 0 }, frame = { 0 };
	enum pqm_flag flag = PQM_NONE;
	uint32_t epoch = 0;
	bool good = false;
	enum err e = read_header(msg, &m);

	if (e == OK)
		e = find_key(p, r, &m, now_ms, &a);
	if (e == OK)
		e = open_sealed(p, r, &m, &a, plain_out);
	if (e != OK)
		goto out;
	frame = span_of(plain_out, m.sealed.n - GCM_TAG_LEN);
	a.h.received++;
	a.h.pq.since++;
	good = read_frame(frame, m.n, &flag, &epoch, &key, &content);
	if (good)
		e = pqm_receive(p, &a.h.pq, flag, epoch, key);
	if (e == OK)
		e = commit(p, r, &a, now_ms);
out:
	/* An authenticated frame that is malformed is an error of the peer:
	 * the message is spent, key and content are dropped. */
	if (frame.p != NULL && (e != OK || !good))
		wipe(plain_out, frame.n);
	if (e == OK) {
		*content_out = good ? content : (struct span){ 0 };
		*info_out = (struct ratchet_info){ .spoiled = !good,
		    .from_skipped = a.from_skipped,
		    .flag = good ? flag : PQM_NONE, .n = m.n };
	}
	wipe(&a, sizeof(a));
	return e;
}
