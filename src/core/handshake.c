/*
 * handshake.c: session set-up, see handshake.h.
 */
#include "core/handshake.h"

#include "crypto/hash.h"
#include "crypto/hkdf.h"

#define DH_MAX 4

void
handshake_id(const struct address *who,
    const uint8_t aik_hash[static SHA256_LEN],
    const uint8_t cert_hash[static SHA256_LEN],
    uint8_t out[static HANDSHAKE_ID_LEN])
{
	struct wr w = wr_init(out, HANDSHAKE_ID_LEN);

	wr_bytes(&w, who->account.b, ID_LEN);
	wr_bytes(&w, aik_hash, SHA256_LEN);
	wr_u32(&w, who->device);
	wr_bytes(&w, cert_hash, SHA256_LEN);
}

static enum err
transcript(const struct provider *p, const struct handshake_public *pub,
    uint8_t t_out[static SHA256_LEN])
{
	uint8_t head[1 + 1 + 8];
	struct wr w = wr_init(head, sizeof(head));
	struct span parts[8] = { SPAN_OF(head),
	    span_of(pub->id_i, HANDSHAKE_ID_LEN),
	    span_of(pub->id_r, HANDSHAKE_ID_LEN),
	    span_of(pub->batch_hash, SHA256_LEN),
	    span_of(pub->ek, X25519_LEN), pub->leaf_spk, pub->leaf_kem,
	    span_of(pub->ct, MLKEM_CT_LEN) };

	wr_u8(&w, 1);
	wr_u8(&w, SUITE_RATCHET);
	wr_u64(&w, pub->created_ms);
	return hash_tuple(p, "NJ1 pqxdh", parts, 8, t_out);
}

enum err
handshake_derive(const struct provider *p, const struct handshake_public *pub,
    const uint8_t *dh, size_t n_dh, const uint8_t ss[static MLKEM_SS_LEN],
    struct handshake_keys *out)
{
	uint8_t ff[32], okm[96];
	struct span ikm[3] = { SPAN_OF(ff), span_of(dh, n_dh * X25519_LEN),
	    span_of(ss, MLKEM_SS_LEN) };
	struct span info[2] = { SPAN("NJ1 session"), SPAN_OF(out->t) };
	struct rd r;
	enum err e;

	memset(out, 0, sizeof(*out));
	memset(ff, 0xff, sizeof(ff));
	e = transcript(p, pub, out->t);
	if (e == OK)
		e = hkdf_derive_parts(p, (struct span){ 0 }, ikm, 3, info, 2,
		    okm, sizeof(okm));
	if (e == OK) {
		r = rd_init(SPAN_OF(okm));
		rd_bytes(&r, out->rk, KEY_LEN);
		rd_bytes(&r, out->seal, KEY_LEN);
		rd_bytes(&r, out->sid.b, SESSION_SID_LEN);
	}
	wipe(okm, sizeof(okm));
	return e;
}

static enum err
check_batch(const struct provider *p, const struct bundle_bytes *in,
    uint64_t now_ms, struct bundle *b)
{
	TRY(batch_verify(p, in->header, &b->cert, b->cert_hash, &b->batch));
	if (now_ms >= b->batch.expires_ms)
		return ERR_EXPIRED;
	TRY(batch_hash(p, in->header, b->batch_hash));
	if (in->index[0] != 0 || in->index[1] == 0)
		return ERR_FORMAT;
	TRY(batch_leaf_verify(p, &b->batch, in->index[0], in->leaf[0],
	    in->path[0], &b->spk));
	return batch_leaf_verify(p, &b->batch, in->index[1], in->leaf[1],
	    in->path[1], &b->kem);
}

enum err
handshake_check_bundle(const struct provider *p, const struct devlist *list,
    uint32_t device, const struct bundle_bytes *in, uint64_t now_ms,
    struct bundle *out)
{
	enum err e;

	memset(out, 0, sizeof(*out));
	e = cert_decode(in->cert, &out->cert);
	if (e == OK && out->cert.device != device)
		e = ERR_FORBIDDEN;
	if (e == OK)
		e = devlist_check_cert(p, list, in->cert, &out->cert);
	if (e == OK)
		e = cert_check(&out->cert);
	if (e == OK && !cert_has_suite(&out->cert, SUITE_RATCHET))
		e = ERR_SUITE;
	if (e == OK)
		e = cert_hash(p, in->cert, out->cert_hash);
	if (e == OK)
		e = check_batch(p, in, now_ms, out);
	if (e != OK) {
		memset(out, 0, sizeof(*out));
		return e;
	}
	memcpy(out->spk_bytes, in->leaf[0].p, LEAF_SPK_LEN);
	memcpy(out->kem_bytes, in->leaf[1].p, in->leaf[1].n);
	out->kem_n = in->leaf[1].n;
	return OK;
}

/* DH1..DH3, and DH4 with a one-time key. An all-zero result aborts. */
static enum err
initiator_dh(const struct provider *p, const struct identity *id,
    const struct bundle *b, const uint8_t *ek_priv,
    uint8_t dh[static DH_MAX][X25519_LEN], size_t *n_out)
{
	*n_out = 3;
	TRY(p->x25519(p->ctx, id->keys.ikx_priv, b->spk.x25519, dh[0]));
	TRY(p->x25519(p->ctx, ek_priv, b->cert.ikx, dh[1]));
	TRY(p->x25519(p->ctx, ek_priv, b->spk.x25519, dh[2]));
	if (b->kem.type != LEAF_OTP)
		return OK;
	*n_out = 4;
	return p->x25519(p->ctx, ek_priv, b->kem.x25519, dh[3]);
}

static void
fill_meta(struct session_meta *s, const struct handshake_keys *k,
    const struct address *peer, const uint8_t *own_cert,
    const uint8_t *peer_cert, uint64_t created_ms)
{
	s->peer = *peer;
	s->sid = k->sid;
	s->created_ms = created_ms;
	memcpy(s->own_cert, own_cert, SHA256_LEN);
	memcpy(s->peer_cert, peer_cert, SHA256_LEN);
	memcpy(s->seal, k->seal, KEY_LEN);
}

/* With EK and ct in out->m.setup: transcript and keys, then the ratchet. */
static enum err
initiator_finish(const struct provider *p, const struct identity *id,
    const struct bundle *b, const uint8_t *dh, size_t n_dh, const uint8_t *ss,
    uint64_t created_ms, uint64_t now_ms, struct session *out)
{
	struct address peer = { b->cert.account, b->cert.device };
	uint8_t id_i[HANDSHAKE_ID_LEN], id_r[HANDSHAKE_ID_LEN];
	struct handshake_public pub = { created_ms, id_i, id_r, b->batch_hash,
	    out->m.setup.ek, SPAN_OF(b->spk_bytes),
	    span_of(b->kem_bytes, b->kem_n), out->m.setup.ct };
	struct handshake_keys k;
	enum err e;

	handshake_id(&id->me, id->aik_hash, id->keys.cert_hash, id_i);
	handshake_id(&peer, b->cert.aik_hash, b->cert_hash, id_r);
	e = handshake_derive(p, &pub, dh, n_dh, ss, &k);
	if (e == OK) {
		fill_meta(&out->m, &k, &peer, id->keys.cert_hash, b->cert_hash,
		    created_ms);
		out->m.initiator = true;
		out->m.setup.devlist_version = id->list_version;
		out->m.setup.batch = b->batch.id;
		out->m.setup.leaf_type = (uint8_t)b->kem.type;
		out->m.setup.otp_id = b->kem.id;
		ratchet_start_initiator(&out->ratchet, k.t, k.rk,
		    b->spk.x25519, id->keys.ikk_seed, now_ms);
	}
	wipe(&k, sizeof(k));
	return e;
}

enum err
handshake_initiate(const struct provider *p, const struct identity *id,
    const struct bundle *b, uint64_t created_ms, uint64_t now_ms,
    struct session *out)
{
	uint8_t ek_priv[X25519_LEN], ss[MLKEM_SS_LEN];
	uint8_t dh[DH_MAX][X25519_LEN];
	size_t n_dh = 0;
	enum err e;

	memset(&out->m, 0, sizeof(out->m));
	out->ratchet.skipped_n = 0;
	e = p->random(p->ctx, ek_priv, sizeof(ek_priv));
	if (e == OK)
		e = p->x25519_pub(p->ctx, ek_priv, out->m.setup.ek);
	if (e == OK)
		e = p->mlkem_encaps(p->ctx, b->kem.mlkem, NULL, out->m.setup.ct,
		    ss);
	if (e == OK)
		e = initiator_dh(p, id, b, ek_priv, dh, &n_dh);
	if (e == OK)
		e = initiator_finish(p, id, b, dh[0], n_dh, ss, created_ms,
		    now_ms, out);
	if (e != OK)
		session_wipe(out);
	provider_forget(p, ek_priv, sizeof(ek_priv));
	wipe(ek_priv, sizeof(ek_priv));
	wipe(ss, sizeof(ss));
	wipe(dh, sizeof(dh));
	return e;
}

enum err
handshake_decode(struct span msg, struct prekey_msg *out)
{
	struct rd r = rd_init(msg);
	struct session_setup *u = &out->setup;
	uint8_t type = rd_u8(&r), suite = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	if (msg.n > RATCHET_MSG_MAX || r.bad)
		return ERR_FORMAT;
	if (type != PREKEY_MSG_TYPE)
		return (type & 0xf0) != (PREKEY_MSG_TYPE & 0xf0) ?
		    ERR_VERSION : ERR_FORMAT;
	if (suite != SUITE_RATCHET)
		return ERR_SUITE;
	rd_bytes(&r, out->from.account.b, ID_LEN);
	out->from.device = rd_u32(&r);
	rd_bytes(&r, out->cert_hash, SHA256_LEN);
	u->devlist_version = rd_u64(&r);
	out->created_ms = rd_u64(&r);
	u->batch = rd_u32(&r);
	u->leaf_type = rd_u8(&r);
	u->otp_id = rd_u32(&r);
	rd_bytes(&r, u->ek, X25519_LEN);
	rd_bytes(&r, u->ct, MLKEM_CT_LEN);
	out->inner = rd_rest(&r);
	if (r.bad || out->from.device == 0 || u->batch == 0 ||
	    (u->leaf_type != LEAF_LRK && u->leaf_type != LEAF_OTP) ||
	    (u->leaf_type == LEAF_OTP) != (u->otp_id != 0))
		return ERR_FORMAT;
	return OK;
}

enum err
handshake_encode(const struct address *from,
    const uint8_t cert_hash[static SHA256_LEN], uint64_t created_ms,
    const struct session_setup *u, struct wr *w)
{
	wr_u8(w, PREKEY_MSG_TYPE);
	wr_u8(w, SUITE_RATCHET);
	wr_bytes(w, from->account.b, ID_LEN);
	wr_u32(w, from->device);
	wr_bytes(w, cert_hash, SHA256_LEN);
	wr_u64(w, u->devlist_version);
	wr_u64(w, created_ms);
	wr_u32(w, u->batch);
	wr_u8(w, u->leaf_type);
	wr_u32(w, u->otp_id);
	wr_bytes(w, u->ek, X25519_LEN);
	wr_bytes(w, u->ct, MLKEM_CT_LEN);
	return wr_ok(w) ? OK : ERR_SPACE;
}

static enum err
responder_dh(const struct provider *p, const struct device_keys *keys,
    const struct prekey_batch *batch, const struct prekey_otp *otp,
    const struct prekey_msg *m, const struct cert *peer,
    uint8_t dh[static DH_MAX][X25519_LEN], uint8_t ss[static MLKEM_SS_LEN])
{
	const uint8_t *ek = m->setup.ek;

	TRY(p->x25519(p->ctx, batch->spk_priv, peer->ikx, dh[0]));
	TRY(p->x25519(p->ctx, keys->ikx_priv, ek, dh[1]));
	TRY(p->x25519(p->ctx, batch->spk_priv, ek, dh[2]));
	if (otp != NULL)
		TRY(p->x25519(p->ctx, otp->x25519_priv, ek, dh[3]));
	return p->mlkem_decaps(p->ctx, otp != NULL ? otp->kem_seed :
	    batch->lrk_seed, m->setup.ct, ss);
}

/* The leaves of our own that T names, made again from the private halves. */
static enum err
own_leaves(const struct provider *p, const struct prekey_batch *batch,
    const struct prekey_otp *otp, const struct prekey_msg *m, struct wr *spk,
    struct wr *kem)
{
	struct leaf l = { .type = LEAF_SPK };

	memcpy(l.x25519, batch->spk_pub, X25519_LEN);
	TRY(batch_leaf_encode(&l, spk));
	l.type = otp != NULL ? LEAF_OTP : LEAF_LRK;
	l.id = m->setup.otp_id;
	if (otp != NULL)
		TRY(p->x25519_pub(p->ctx, otp->x25519_priv, l.x25519));
	TRY(p->mlkem_pub(p->ctx, otp != NULL ? otp->kem_seed :
	    batch->lrk_seed, l.mlkem));
	return batch_leaf_encode(&l, kem);
}

static enum err
responder_finish(const struct provider *p, const struct address *me,
    const struct device_keys *keys, const uint8_t *aik_hash,
    const struct prekey_batch *batch, const struct prekey_otp *otp,
    const struct prekey_msg *m, const struct cert *peer, const uint8_t *dh,
    const uint8_t *ss, uint64_t now_ms, struct session *out)
{
	uint8_t id_i[HANDSHAKE_ID_LEN], id_r[HANDSHAKE_ID_LEN];
	uint8_t spk[LEAF_SPK_LEN], kem[LEAF_LEN_MAX];
	struct wr w_spk = wr_init(spk, sizeof(spk));
	struct wr w_kem = wr_init(kem, sizeof(kem));
	struct handshake_public pub = { m->created_ms, id_i, id_r, batch->hash,
	    m->setup.ek, SPAN_OF(spk), { 0 }, m->setup.ct };
	struct handshake_keys k = { 0 };
	enum err e;

	handshake_id(&m->from, peer->aik_hash, m->cert_hash, id_i);
	handshake_id(me, aik_hash, keys->cert_hash, id_r);
	e = own_leaves(p, batch, otp, m, &w_spk, &w_kem);
	pub.leaf_kem = wr_done(&w_kem);
	if (e == OK)
		e = handshake_derive(p, &pub, dh, otp != NULL ? 4 : 3, ss, &k);
	if (e == OK) {
		fill_meta(&out->m, &k, &m->from, keys->cert_hash, m->cert_hash,
		    m->created_ms);
		e = ratchet_start_responder(p, &out->ratchet, k.t, k.rk,
		    batch->spk_priv, batch->spk_pub, peer->ikk, now_ms);
	}
	wipe(&k, sizeof(k));
	return e;
}

enum err
handshake_accept(const struct provider *p, const struct address *me,
    const struct device_keys *keys, const uint8_t aik_hash[static SHA256_LEN],
    const struct prekey_batch *batch, const struct prekey_otp *otp,
    const struct prekey_msg *m, const struct cert *peer, uint64_t now_ms,
    struct session *out)
{
	uint8_t dh[DH_MAX][X25519_LEN], ss[MLKEM_SS_LEN];
	enum err e;

	memset(&out->m, 0, sizeof(out->m));
	out->ratchet.skipped_n = 0;
	e = responder_dh(p, keys, batch, otp, m, peer, dh, ss);
	if (e == OK)
		e = responder_finish(p, me, keys, aik_hash, batch, otp, m,
		    peer, dh[0], ss, now_ms, out);
	if (e != OK)
		session_wipe(out);
	if (otp != NULL) {
		provider_forget(p, otp->x25519_priv, sizeof(otp->x25519_priv));
		provider_forget(p, otp->kem_seed, sizeof(otp->kem_seed));
	}
	wipe(dh, sizeof(dh));
	wipe(ss, sizeof(ss));
	return e;
}
