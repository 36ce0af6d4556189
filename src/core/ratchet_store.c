/*
 * ratchet_store.c: the stored form of a ratchet: TLV, every tag critical but
 * that of what is only shown (TAG_DONE; without it, it counts from zero).
 * Private keys are seeds; nothing of a primitive's internals is kept
 * (docs/protocol.md, "State at rest").
 */
#include "base/tlv.h"
#include "core/ratchet.h"

enum {
	TAG_T = 2, TAG_RK = 4, TAG_DHS = 6, TAG_DHR = 8, TAG_CKS = 10,
	TAG_RECV = 12, TAG_CLOSED = 14, TAG_COUNTERS = 16,
	TAG_DONE = 17, TAG_PQ = 18,
	TAG_PQ_SECRET = 20, TAG_SKIPPED = 22
};

#define RECV_LEN (X25519_LEN + KEY_LEN + 4 + 4)
#define COUNTERS_LEN (4 + 4 + 4 + 1)
#define DONE_LEN (4 + 4 + 4)
#define PQ_LEN (4 + 1 + 1 + 4 + 4 + 8)
#define SKIPPED_LEN (X25519_LEN + 4 + KEY_LEN + 8)
/* Everything but the skipped keys, with room for tags and lengths. */
#define FIXED_LEN_MAX (32 + 32 + 64 + 32 + 32 + RECV_LEN + 4 * 32 + \
	COUNTERS_LEN + DONE_LEN + PQ_LEN + MLKEM_SS_LEN + MLKEM_CT_LEN + \
	12 * 5)

size_t
ratchet_store_len(const struct ratchet *r)
{
	return FIXED_LEN_MAX + (size_t)r->skipped_n * SKIPPED_LEN;
}

static void
put_head(const struct ratchet *r, struct wr *w)
{
	const struct ratchet_head *h = &r->h;
	uint8_t tmp[X25519_LEN + RECV_LEN];
	struct wr t = wr_init(tmp, sizeof(tmp));

	tlv_put(w, TAG_T, SPAN_OF(r->t));
	tlv_put(w, TAG_RK, SPAN_OF(h->rk));
	if (h->has_dhs) {
		wr_bytes(&t, h->dhs_priv, X25519_LEN);
		wr_bytes(&t, h->dhs_pub, X25519_LEN);
		tlv_put(w, TAG_DHS, wr_done(&t));
	}
	tlv_put(w, TAG_DHR, SPAN_OF(h->dhr));
	if (h->has_cks)
		tlv_put(w, TAG_CKS, SPAN_OF(h->cks));
	if (h->has_recv) {
		t = wr_init(tmp, sizeof(tmp));
		wr_bytes(&t, h->recv_dh, X25519_LEN);
		wr_bytes(&t, h->recv_ck, KEY_LEN);
		wr_u32(&t, h->recv_n);
		wr_u32(&t, h->recv_pqn);
		tlv_put(w, TAG_RECV, wr_done(&t));
	}
	if (h->closed_n != 0)
		tlv_put(w, TAG_CLOSED,
		    span_of(h->closed, (size_t)h->closed_n * X25519_LEN));
	t = wr_init(tmp, sizeof(tmp));
	wr_u32(&t, h->ns);
	wr_u32(&t, h->pn);
	wr_u32(&t, h->pqn_send);
	wr_u8(&t, h->send_pending);
	tlv_put(w, TAG_COUNTERS, wr_done(&t));
	t = wr_init(tmp, sizeof(tmp));
	wr_u32(&t, h->turns);
	wr_u32(&t, h->sent);
	wr_u32(&t, h->received);
	tlv_put(w, TAG_DONE, wr_done(&t));
	wipe(tmp, sizeof(tmp));
}

static void
put_pq(const struct pqm *q, struct wr *w)
{
	uint8_t tmp[MLKEM_SS_LEN + MLKEM_CT_LEN];
	struct wr t = wr_init(tmp, sizeof(tmp));

	wr_u32(&t, q->epoch);
	wr_u8(&t, q->state);
	wr_u8(&t, q->initiator);
	wr_u32(&t, q->due_epoch);
	wr_u32(&t, q->since);
	wr_u64(&t, q->last_mix_ms);
	tlv_put(w, TAG_PQ, wr_done(&t));
	t = wr_init(tmp, sizeof(tmp));
	if (q->state == PQM_EK)
		wr_bytes(&t, q->seed, sizeof(q->seed));
	if (q->state == PQM_READY || q->state == PQM_CT)
		wr_bytes(&t, q->ss, sizeof(q->ss));
	if (q->state == PQM_CT)
		wr_bytes(&t, q->ct, sizeof(q->ct));
	if (t.n != 0)
		tlv_put(w, TAG_PQ_SECRET, wr_done(&t));
	wipe(tmp, sizeof(tmp));
}

enum err
ratchet_store_encode(const struct ratchet *r, struct wr *w)
{
	put_head(r, w);
	put_pq(&r->h.pq, w);
	if (r->skipped_n != 0) {
		wr_varint(w, TAG_SKIPPED);
		wr_varint(w, r->skipped_n * SKIPPED_LEN);
	}
	for (uint32_t i = 0; i < r->skipped_n; i++) {
		const struct skipped_key *k = &r->skipped[i];

		wr_bytes(w, k->dh, X25519_LEN);
		wr_u32(w, k->n);
		wr_bytes(w, k->mk, KEY_LEN);
		wr_u64(w, k->made_ms);
	}
	return wr_ok(w) ? OK : ERR_SPACE;
}

static bool
get_bool(struct rd *r)
{
	uint8_t v = rd_u8(r);

	if (v > 1)
		r->bad = true;
	return v == 1;
}

static bool
get_skipped(struct span v, struct ratchet *r)
{
	struct rd rd = rd_init(v);

	if (v.n % SKIPPED_LEN != 0 || v.n / SKIPPED_LEN > RATCHET_SKIPPED_MAX)
		return false;
	while (rd.n != 0) {
		struct skipped_key *k = &r->skipped[r->skipped_n++];

		rd_bytes(&rd, k->dh, X25519_LEN);
		k->n = rd_u32(&rd);
		rd_bytes(&rd, k->mk, KEY_LEN);
		k->made_ms = rd_u64(&rd);
	}
	return rd_done(&rd);
}

static void
get_pq(struct rd *r, struct pqm *q)
{
	q->epoch = rd_u32(r);
	q->state = rd_u8(r);
	q->initiator = get_bool(r);
	q->due_epoch = rd_u32(r);
	q->since = rd_u32(r);
	q->last_mix_ms = rd_u64(r);
	if (q->epoch == 0 || q->state > PQM_CT)
		r->bad = true;
}

/* Comes after TAG_PQ, so the state says what has to be here. */
static void
get_pq_secret(struct rd *r, struct pqm *q)
{
	if (q->state == PQM_EK)
		rd_bytes(r, q->seed, sizeof(q->seed));
	if (q->state == PQM_READY || q->state == PQM_CT)
		rd_bytes(r, q->ss, sizeof(q->ss));
	if (q->state == PQM_CT)
		rd_bytes(r, q->ct, sizeof(q->ct));
}

static void
get_recv(struct rd *r, struct ratchet_head *h)
{
	rd_bytes(r, h->recv_dh, X25519_LEN);
	rd_bytes(r, h->recv_ck, KEY_LEN);
	h->recv_n = rd_u32(r);
	h->recv_pqn = rd_u32(r);
	h->has_recv = true;
}

static void
get_counters(struct rd *r, struct ratchet_head *h)
{
	h->ns = rd_u32(r);
	h->pn = rd_u32(r);
	h->pqn_send = rd_u32(r);
	h->send_pending = get_bool(r);
}

static void
get_closed(struct rd *r, struct ratchet_head *h)
{
	h->closed_n = (uint8_t)(r->n / X25519_LEN);
	if (r->n == 0 || r->n > sizeof(h->closed))
		r->bad = true;
	else
		rd_bytes(r, h->closed, (size_t)h->closed_n * X25519_LEN);
}

static enum err
get_field(uint32_t tag, struct span v, struct ratchet *r)
{
	struct ratchet_head *h = &r->h;
	struct rd rd = rd_init(v);

	switch (tag) {
	case TAG_T:
		rd_bytes(&rd, r->t, SHA256_LEN);
		break;
	case TAG_RK:
		rd_bytes(&rd, h->rk, KEY_LEN);
		break;
	case TAG_DHS:
		rd_bytes(&rd, h->dhs_priv, X25519_LEN);
		rd_bytes(&rd, h->dhs_pub, X25519_LEN);
		h->has_dhs = true;
		break;
	case TAG_DHR:
		rd_bytes(&rd, h->dhr, X25519_LEN);
		break;
	case TAG_CKS:
		rd_bytes(&rd, h->cks, KEY_LEN);
		h->has_cks = true;
		break;
	case TAG_RECV:
		get_recv(&rd, h);
		break;
	case TAG_CLOSED:
		get_closed(&rd, h);
		break;
	case TAG_COUNTERS:
		get_counters(&rd, h);
		break;
	case TAG_DONE:
		h->turns = rd_u32(&rd);
		h->sent = rd_u32(&rd);
		h->received = rd_u32(&rd);
		break;
	case TAG_PQ:
		get_pq(&rd, &h->pq);
		break;
	case TAG_PQ_SECRET:
		get_pq_secret(&rd, &h->pq);
		break;
	case TAG_SKIPPED:
		return get_skipped(v, r) ? OK : ERR_FORMAT;
	default:
		return tlv_unknown(tag);
	}
	return rd_done(&rd) ? OK : ERR_FORMAT;
}

enum err
ratchet_store_decode(struct span record, struct ratchet *r)
{
	struct tlv t = tlv_init(record);
	struct span v;
	uint32_t tag, seen = 0;
	enum err e = OK;
	const uint32_t needed = 1u << TAG_T | 1u << TAG_RK | 1u << TAG_DHR |
	    1u << TAG_COUNTERS | 1u << TAG_PQ;

	memset(&r->h, 0, sizeof(r->h));
	r->skipped_n = 0;
	while (e == OK && tlv_next(&t, &tag, &v)) {
		if (tag < 32)
			seen |= 1u << tag;
		e = get_field(tag, v, r);
	}
	if (e == OK)
		e = tlv_end(&t);
	if (e == OK && ((seen & needed) != needed ||
	    ((seen >> TAG_PQ_SECRET & 1) != 0) !=
	    (r->h.pq.state != PQM_IDLE)))
		e = ERR_FORMAT;
	if (e != OK)
		ratchet_wipe(r);
	return e;
}

void
ratchet_store_forget(const struct provider *p, struct span record)
{
	struct tlv t = tlv_init(record);
	struct span v;
	uint32_t tag;

	while (tlv_next(&t, &tag, &v)) {
		if (tag == TAG_DHS && v.n == 2 * X25519_LEN)
			provider_forget(p, v.p, X25519_LEN);
		/* The length says the state: this is that of PQM_EK. */
		if (tag == TAG_PQ_SECRET && v.n == MLKEM_SEED_LEN)
			provider_forget(p, v.p, MLKEM_SEED_LEN);
	}
}
