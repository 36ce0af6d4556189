/*
 * prekey.c: prekey batches and their private halves, see prekey.h.
 */
#include "core/prekey.h"

#define FORMAT 1
#define BATCH_RECORD_LEN (1 + 32 + 32 + 8 + 8 + 8 + 32 + 32 + 64)
#define OTP_RECORD_LEN (X25519_LEN + MLKEM_SEED_LEN)

struct key8 { uint8_t b[8]; };

static struct span
batch_key(uint32_t batch, struct key8 *k)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	wr_u32(&w, batch);
	return wr_done(&w);
}

static struct span
otp_key(uint32_t batch, uint32_t id, struct key8 *k)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	wr_u32(&w, batch);
	wr_u32(&w, id);
	return wr_done(&w);
}

static enum err
put_batch(struct core *c, const struct prekey_batch *b)
{
	uint8_t rec[BATCH_RECORD_LEN];
	struct wr w = wr_init(rec, sizeof(rec));
	struct key8 k;
	enum err e;

	wr_u8(&w, FORMAT);
	wr_bytes(&w, b->hash, SHA256_LEN);
	wr_bytes(&w, b->cert_hash, SHA256_LEN);
	wr_u64(&w, b->created_ms);
	wr_u64(&w, b->expires_ms);
	wr_u64(&w, b->replaced_ms);
	wr_bytes(&w, b->spk_priv, X25519_LEN);
	wr_bytes(&w, b->spk_pub, X25519_LEN);
	wr_bytes(&w, b->lrk_seed, MLKEM_SEED_LEN);
	e = c->store->put(c->store->ctx, RECORD_BATCH, batch_key(b->id, &k),
	    wr_done(&w), c->store->generation);
	wipe(rec, sizeof(rec));
	return e;
}

static enum err
get_batch(struct span v, struct prekey_batch *b)
{
	struct rd r = rd_init(v);
	uint8_t format = rd_u8(&r);

	rd_bytes(&r, b->hash, SHA256_LEN);
	rd_bytes(&r, b->cert_hash, SHA256_LEN);
	b->created_ms = rd_u64(&r);
	b->expires_ms = rd_u64(&r);
	b->replaced_ms = rd_u64(&r);
	rd_bytes(&r, b->spk_priv, X25519_LEN);
	rd_bytes(&r, b->spk_pub, X25519_LEN);
	rd_bytes(&r, b->lrk_seed, MLKEM_SEED_LEN);
	return rd_done(&r) && format == FORMAT ? OK : ERR_FORMAT;
}

enum err
prekey_load(struct core *c, uint32_t batch, struct prekey_batch *out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct key8 k;
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_BATCH,
	    batch_key(batch, &k), c->arena, &v);

	memset(out, 0, sizeof(*out));
	out->id = batch;
	if (e == OK)
		e = get_batch(v, out);
	store_scratch_end(c->arena, m);
	if (e != OK)
		wipe(out, sizeof(*out));
	return e == ERR_NOT_FOUND ? ERR_PREKEY_GONE : e;
}

enum err
prekey_load_otp(struct core *c, uint32_t batch, uint32_t id,
    struct prekey_otp *out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct key8 k;
	struct span v;
	struct rd r;
	enum err e = c->store->get(c->store->ctx, RECORD_OTP,
	    otp_key(batch, id, &k), c->arena, &v);

	memset(out, 0, sizeof(*out));
	if (e == OK) {
		r = rd_init(v);
		rd_bytes(&r, out->x25519_priv, X25519_LEN);
		rd_bytes(&r, out->kem_seed, MLKEM_SEED_LEN);
		e = rd_done(&r) ? OK : ERR_FORMAT;
	}
	store_scratch_end(c->arena, m);
	if (e != OK)
		wipe(out, sizeof(*out));
	return e == ERR_NOT_FOUND ? ERR_PREKEY_GONE : e;
}

enum err
prekey_drop_otp(struct core *c, uint32_t batch, uint32_t id)
{
	struct key8 k;

	return c->store->del(c->store->ctx, RECORD_OTP,
	    otp_key(batch, id, &k));
}

/* What a batch under construction needs besides its record. */
struct making {
	struct core *c;
	struct prekey_batch b;
	struct merkle_hash hashes[MERKLE_LEAVES_MAX];
	struct prekey_upload *up;
};

static enum err
add_leaf(struct making *mk, const struct leaf *l)
{
	uint8_t *mem = arena_bytes(mk->c->arena, LEAF_LEN_MAX);
	struct wr w = wr_init(mem, LEAF_LEN_MAX);
	uint16_t i = mk->up->leaves_n;

	if (mem == NULL)
		return ERR_TOO_LARGE;
	TRY(batch_leaf_encode(l, &w));
	mk->up->leaves[i] = wr_done(&w);
	mk->up->leaves_n++;
	return merkle_leaf(mk->c->p, wr_done(&w), &mk->hashes[i]);
}

static enum err
make_shared(struct making *mk)
{
	const struct provider *p = mk->c->p;
	struct prekey_batch *b = &mk->b;
	struct leaf l = { .type = LEAF_SPK };

	TRY(p->random(p->ctx, b->spk_priv, sizeof(b->spk_priv)));
	TRY(p->x25519_pub(p->ctx, b->spk_priv, b->spk_pub));
	memcpy(l.x25519, b->spk_pub, X25519_LEN);
	TRY(add_leaf(mk, &l));
	TRY(p->random(p->ctx, b->lrk_seed, sizeof(b->lrk_seed)));
	l.type = LEAF_LRK;
	TRY(p->mlkem_pub(p->ctx, b->lrk_seed, l.mlkem));
	return add_leaf(mk, &l);
}

/* Leaf index i is one-time pair i - 1. */
static enum err
make_pair(struct making *mk, uint32_t id)
{
	const struct provider *p = mk->c->p;
	struct store const *s = mk->c->store;
	struct leaf l = { .type = LEAF_OTP, .id = id };
	uint8_t rec[OTP_RECORD_LEN];
	struct prekey_otp o;
	struct wr w = wr_init(rec, sizeof(rec));
	struct key8 k;
	enum err e;

	e = p->random(p->ctx, o.x25519_priv, sizeof(o.x25519_priv));
	if (e == OK)
		e = p->x25519_pub(p->ctx, o.x25519_priv, l.x25519);
	if (e == OK)
		e = p->random(p->ctx, o.kem_seed, sizeof(o.kem_seed));
	if (e == OK)
		e = p->mlkem_pub(p->ctx, o.kem_seed, l.mlkem);
	if (e == OK)
		e = add_leaf(mk, &l);
	if (e == OK) {
		wr_bytes(&w, o.x25519_priv, X25519_LEN);
		wr_bytes(&w, o.kem_seed, MLKEM_SEED_LEN);
		e = s->put(s->ctx, RECORD_OTP, otp_key(mk->b.id, id, &k),
		    wr_done(&w), s->generation);
	}
	provider_forget(p, o.x25519_priv, sizeof(o.x25519_priv));
	provider_forget(p, o.kem_seed, sizeof(o.kem_seed));
	wipe(&o, sizeof(o));
	wipe(rec, sizeof(rec));
	return e;
}

static enum err
sign_header(struct making *mk, const struct identity *id)
{
	struct core *c = mk->c;
	struct batch h = { .account = id->me.account, .device = id->me.device,
	    .id = mk->b.id, .created_ms = mk->b.created_ms,
	    .expires_ms = mk->b.expires_ms, .leaves_n = mk->up->leaves_n };
	struct merkle_hash root;
	uint8_t *mem = arena_bytes(c->arena, BATCH_LEN);
	struct wr w = wr_init(mem, BATCH_LEN);

	if (mem == NULL)
		return ERR_TOO_LARGE;
	memcpy(h.aik_hash, id->aik_hash, SHA256_LEN);
	memcpy(h.cert_hash, id->keys.cert_hash, SHA256_LEN);
	TRY(merkle_root(c->p, mk->hashes, h.leaves_n, &root));
	memcpy(h.root, root.b, sizeof(h.root));
	TRY(batch_sign(c->p, &id->keys.dsk, &h, &w));
	mk->up->header = wr_done(&w);
	return batch_hash(c->p, mk->up->header, mk->b.hash);
}

static enum err
replace_last(struct core *c, uint32_t last)
{
	struct prekey_batch b;
	enum err e;

	if (last == 0)
		return OK;
	e = prekey_load(c, last, &b);
	if (e == OK) {
		b.replaced_ms = c->now_ms;
		e = put_batch(c, &b);
	}
	wipe(&b, sizeof(b));
	return e == ERR_PREKEY_GONE ? OK : e;
}

static enum err
make_batch(struct making *mk, struct identity *id, uint16_t leaves_n)
{
	struct core *c = mk->c;

	mk->b.id = id->batch_last + 1;
	mk->b.created_ms = c->now_ms;
	mk->b.expires_ms = c->now_ms + BATCH_LIFE_MS_MAX;
	memcpy(mk->b.cert_hash, id->keys.cert_hash, SHA256_LEN);
	TRY(make_shared(mk));
	for (uint32_t i = 2; i < leaves_n; i++)
		TRY(make_pair(mk, i - 1));
	TRY(sign_header(mk, id));
	TRY(replace_last(c, id->batch_last));
	TRY(put_batch(c, &mk->b));
	id->batch_last = mk->b.id;
	id->batch_ms = c->now_ms;
	return identity_save(c, id);
}

enum err
prekey_make(struct core *c, uint16_t leaves_n, struct prekey_upload *out)
{
	struct making mk = { .c = c, .up = out };
	struct identity id;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (merkle_depth(leaves_n) == 0)
		return ERR_ARG;
	e = identity_load(c, &id);
	if (e == OK)
		e = make_batch(&mk, &id, leaves_n);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	identity_wipe(&id);
	wipe(&mk.b, sizeof(mk.b));
	return e;
}

bool
prekey_is_due(const struct identity *id, uint32_t left, uint64_t now_ms)
{
	return id->batch_last == 0 || left < PREKEY_REFILL_BELOW ||
	    (now_ms > id->batch_ms && now_ms - id->batch_ms > PREKEY_REFILL_MS);
}

struct dropping {
	struct core *c;
	uint8_t kind;
};

static enum err
drop_record(void *arg, struct span key, struct span value)
{
	struct dropping *d = arg;

	if (d->kind == RECORD_OTP && value.n == OTP_RECORD_LEN) {
		provider_forget(d->c->p, value.p, X25519_LEN);
		provider_forget(d->c->p, value.p + X25519_LEN,
		    MLKEM_SEED_LEN);
	}
	return d->c->store->del(d->c->store->ctx, d->kind, key);
}

/* A batch, what is left of its one-time pairs, and its seen set. */
static enum err
drop_batch(struct core *c, struct span key, const struct prekey_batch *b)
{
	const struct store *s = c->store;
	struct dropping otp = { c, RECORD_OTP }, seen = { c, RECORD_SEEN };

	provider_forget(c->p, b->spk_priv, sizeof(b->spk_priv));
	provider_forget(c->p, b->lrk_seed, sizeof(b->lrk_seed));
	TRY(s->iterate(s->ctx, RECORD_OTP, key, drop_record, &otp));
	TRY(s->iterate(s->ctx, RECORD_SEEN, key, drop_record, &seen));
	return s->del(s->ctx, RECORD_BATCH, key);
}

/*
 * docs/protocol.md, Prekey batches: private halves are kept 45 days after
 * they were replaced, and the seen set as long as they are.
 */
static enum err
tidy_batch(void *arg, struct span key, struct span value)
{
	struct core *c = arg;
	struct prekey_batch b = { 0 };
	enum err e = get_batch(value, &b);

	if (e == OK && b.replaced_ms != 0 && c->now_ms > b.replaced_ms &&
	    c->now_ms - b.replaced_ms > PREKEY_KEEP_MS)
		e = drop_batch(c, key, &b);
	wipe(&b, sizeof(b));
	return e;
}

static enum err
drop_any_batch(void *arg, struct span key, struct span value)
{
	struct prekey_batch b = { 0 };
	enum err e = get_batch(value, &b);

	if (e == OK)
		e = drop_batch(arg, key, &b);
	wipe(&b, sizeof(b));
	return e;
}

enum err
prekey_tidy(struct core *c)
{
	return c->store->iterate(c->store->ctx, RECORD_BATCH,
	    (struct span){ 0 }, tidy_batch, c);
}

enum err
prekey_drop_all(struct core *c)
{
	return c->store->iterate(c->store->ctx, RECORD_BATCH,
	    (struct span){ 0 }, drop_any_batch, c);
}
