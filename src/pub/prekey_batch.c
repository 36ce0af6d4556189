/*
 * prekey_batch.c: codec and checks of prekey batches, see prekey_batch.h.
 */
#include "pub/prekey_batch.h"

#include "crypto/hash.h"
#include "crypto/strict.h"

#define BATCH_VERSION 1
#define CONTEXT SPAN("NJ1/prekeys")

static bool
is_well_formed(const struct batch *b)
{
	/* docs/protocol.md, Prekey batches: expires <= created + 60 days. */
	return b->device >= 1 && b->id >= 1 &&
	    b->expires_ms > b->created_ms &&
	    b->expires_ms - b->created_ms <= BATCH_LIFE_MS_MAX &&
	    merkle_depth(b->leaves_n) != 0;
}

enum err
batch_decode(struct span bytes, struct batch *out)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	if (!r.bad && version != BATCH_VERSION)
		return ERR_VERSION;
	rd_bytes(&r, out->account.b, ID_LEN);
	rd_bytes(&r, out->aik_hash, sizeof(out->aik_hash));
	out->device = rd_u32(&r);
	rd_bytes(&r, out->cert_hash, sizeof(out->cert_hash));
	out->id = rd_u32(&r);
	out->created_ms = rd_u64(&r);
	out->expires_ms = rd_u64(&r);
	out->leaves_n = rd_u16(&r);
	rd_bytes(&r, out->root, sizeof(out->root));
	(void)rd_span(&r, COMPOSITE_SIG_LEN);
	if (rd_done(&r) && is_well_formed(out))
		return OK;
	memset(out, 0, sizeof(*out));
	return ERR_FORMAT;
}

enum err
batch_encode(const struct batch *b, struct wr *w)
{
	if (!is_well_formed(b))
		return ERR_ARG;
	wr_u8(w, BATCH_VERSION);
	wr_bytes(w, b->account.b, ID_LEN);
	wr_bytes(w, b->aik_hash, sizeof(b->aik_hash));
	wr_u32(w, b->device);
	wr_bytes(w, b->cert_hash, sizeof(b->cert_hash));
	wr_u32(w, b->id);
	wr_u64(w, b->created_ms);
	wr_u64(w, b->expires_ms);
	wr_u16(w, b->leaves_n);
	wr_bytes(w, b->root, sizeof(b->root));
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
batch_sign(const struct provider *p, const struct composite_priv *dsk,
    const struct batch *b, struct wr *w)
{
	struct composite_sig sig;
	size_t from = w->n;

	TRY(batch_encode(b, w));
	TRY(composite_sign(p, dsk, CONTEXT,
	    span_sub(wr_done(w), from, w->n - from), NULL, &sig));
	wr_bytes(w, sig.b, sizeof(sig.b));
	return wr_ok(w) ? OK : ERR_SPACE;
}

static enum err
check_names(const struct batch *b, const struct cert *c,
    const uint8_t hash[static SHA256_LEN])
{
	/* docs/protocol.md, Devices: the batch names account and device,
	 * which prevents claiming another account's device. */
	if (!ID_EQ(b->account, c->account) || b->device != c->device)
		return ERR_FORBIDDEN;
	if (memcmp(b->cert_hash, hash, SHA256_LEN) != 0 ||
	    memcmp(b->aik_hash, c->aik_hash, SHA256_LEN) != 0)
		return ERR_UNTRUSTED;
	return OK;
}

enum err
batch_verify(const struct provider *p, struct span bytes, const struct cert *c,
    const uint8_t hash[static SHA256_LEN], struct batch *out)
{
	enum err e;

	TRY(batch_decode(bytes, out));
	e = check_names(out, c, hash);
	if (e == OK)
		e = composite_verify(p, c->dsk, CONTEXT,
		    span_sub(bytes, 0, BATCH_BODY_LEN),
		    span_sub(bytes, BATCH_BODY_LEN, COMPOSITE_SIG_LEN).p);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

enum err
batch_hash(const struct provider *p, struct span bytes,
    uint8_t out[static SHA256_LEN])
{
	if (bytes.n < BATCH_BODY_LEN)
		return ERR_FORMAT;
	return hash_tuple1(p, "NJ1 batch", span_sub(bytes, 0, BATCH_BODY_LEN),
	    out);
}

enum err
batch_leaf_decode(struct span bytes, struct leaf *out)
{
	struct rd r = rd_init(bytes);
	uint8_t type = rd_u8(&r);
	uint32_t id = rd_u32(&r);
	bool good = type >= LEAF_SPK && type <= LEAF_OTP &&
	    (id != 0) == (type == LEAF_OTP);

	memset(out, 0, sizeof(*out));
	if (!good)
		return ERR_FORMAT;
	out->type = (enum leaf_type)type;
	out->id = id;
	if (type != LEAF_LRK)
		rd_bytes(&r, out->x25519, sizeof(out->x25519));
	if (type != LEAF_SPK)
		rd_bytes(&r, out->mlkem, sizeof(out->mlkem));
	if (rd_done(&r))
		return OK;
	memset(out, 0, sizeof(*out));
	return ERR_FORMAT;
}

enum err
batch_leaf_encode(const struct leaf *l, struct wr *w)
{
	wr_u8(w, (uint8_t)l->type);
	wr_u32(w, l->type == LEAF_OTP ? l->id : 0);
	if (l->type != LEAF_LRK)
		wr_bytes(w, l->x25519, sizeof(l->x25519));
	if (l->type != LEAF_SPK)
		wr_bytes(w, l->mlkem, sizeof(l->mlkem));
	return wr_ok(w) ? OK : ERR_SPACE;
}

/* Leaf 0 is the signed prekey, 1 the last resort, i >= 2 pair i - 1. */
static bool
belongs_at(const struct leaf *l, size_t index)
{
	if (index < 2)
		return l->type == (index == 0 ? LEAF_SPK : LEAF_LRK);
	return l->type == LEAF_OTP && l->id == index - 1;
}

static bool
keys_are_good(const struct leaf *l)
{
	return (l->type == LEAF_LRK || strict_x25519(l->x25519)) &&
	    (l->type == LEAF_SPK || strict_mlkem(l->mlkem));
}

enum err
batch_leaf_verify(const struct provider *p, const struct batch *b,
    uint16_t index, struct span leaf, struct span path, struct leaf *out)
{
	enum err e;

	TRY(batch_leaf_decode(leaf, out));
	e = belongs_at(out, index) && keys_are_good(out) ? OK : ERR_FORMAT;
	if (e == OK)
		e = merkle_verify(p, leaf, index, b->leaves_n, path, b->root);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

enum err
batch_check_leaves(const struct provider *p, const struct batch *b,
    const struct span *leaves, size_t n)
{
	struct merkle_hash hashes[MERKLE_LEAVES_MAX], root;
	struct leaf leaf;

	if (n != b->leaves_n || n > MERKLE_LEAVES_MAX)
		return ERR_FORMAT;
	for (size_t i = 0; i < n; i++) {
		TRY(batch_leaf_decode(leaves[i], &leaf));
		if (!belongs_at(&leaf, i) || !keys_are_good(&leaf))
			return ERR_FORMAT;
		TRY(merkle_leaf(p, leaves[i], &hashes[i]));
	}
	TRY(merkle_root(p, hashes, n, &root));
	return memcmp(root.b, b->root, sizeof(root.b)) == 0 ? OK : ERR_AUTH;
}
