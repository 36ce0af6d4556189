/*
 * named.c: the provider of tests: another provider's table with every function
 * passed on, `random` and the optional randomness replaced.
 */
#include "crypto/named.h"

#define UNDER const struct provider *u = ((struct named *)ctx)->under

/* The next block of the stream. */
static enum err
refill(struct named *n)
{
	const struct provider *u = n->under;
	uint8_t counter[8];
	struct wr w = wr_init(counter, sizeof(counter));
	struct span part = SPAN_OF(counter);

	wr_u64(&w, n->counter++);
	TRY(u->hmac_sha256(u->ctx, SPAN_OF(n->key), &part, 1, n->block));
	n->block_left = sizeof(n->block);
	return OK;
}

static enum err
named_random(void *ctx, uint8_t *out, size_t n)
{
	struct named *s = (struct named *)ctx;
	size_t take;

	s->taken += n;
	if (!s->from_seed) {
		if (n > s->queue.n)
			return ERR_PROVIDER;
		if (n > 0)
			memcpy(out, s->queue.p, n);
		s->queue = span_sub(s->queue, n, s->queue.n);
		return OK;
	}
	for (; n > 0; n -= take, out += take) {
		if (s->block_left == 0)
			TRY(refill(s));
		take = n < s->block_left ? n : s->block_left;
		memcpy(out, s->block + sizeof(s->block) - s->block_left, take);
		s->block_left -= take;
	}
	return OK;
}

static enum err
named_sha256(void *ctx, const struct span *parts, size_t n_parts,
    uint8_t out[SHA256_LEN])
{
	UNDER;
	return u->sha256(u->ctx, parts, n_parts, out);
}

static enum err
named_sha512(void *ctx, const struct span *parts, size_t n_parts,
    uint8_t out[SHA512_LEN])
{
	UNDER;
	return u->sha512(u->ctx, parts, n_parts, out);
}

static enum err
named_hmac_sha256(void *ctx, struct span key, const struct span *parts,
    size_t n_parts, uint8_t out[SHA256_LEN])
{
	UNDER;
	return u->hmac_sha256(u->ctx, key, parts, n_parts, out);
}

static enum err
named_gcm_seal(void *ctx, const uint8_t key[AES256_KEY_LEN],
    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
    uint8_t *out)
{
	UNDER;
	return u->gcm_seal(u->ctx, key, nonce, ad, in, out);
}

static enum err
named_gcm_open(void *ctx, const uint8_t key[AES256_KEY_LEN],
    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
    uint8_t *out)
{
	UNDER;
	return u->gcm_open(u->ctx, key, nonce, ad, in, out);
}

static enum err
named_x25519_pub(void *ctx, const uint8_t priv[X25519_LEN],
    uint8_t pub_out[X25519_LEN])
{
	UNDER;
	return u->x25519_pub(u->ctx, priv, pub_out);
}

static enum err
named_x25519(void *ctx, const uint8_t priv[X25519_LEN],
    const uint8_t pub[X25519_LEN], uint8_t out[X25519_LEN])
{
	UNDER;
	return u->x25519(u->ctx, priv, pub, out);
}

static enum err
named_ed25519_pub(void *ctx, const uint8_t seed[ED25519_SEED_LEN],
    uint8_t pub_out[ED25519_PUB_LEN])
{
	UNDER;
	return u->ed25519_pub(u->ctx, seed, pub_out);
}

static enum err
named_ed25519_sign(void *ctx, const uint8_t seed[ED25519_SEED_LEN],
    struct span msg, uint8_t sig_out[ED25519_SIG_LEN])
{
	UNDER;
	return u->ed25519_sign(u->ctx, seed, msg, sig_out);
}

static enum err
named_ed25519_verify(void *ctx, const uint8_t pub[ED25519_PUB_LEN],
    struct span msg, const uint8_t sig[ED25519_SIG_LEN])
{
	UNDER;
	return u->ed25519_verify(u->ctx, pub, msg, sig);
}

static enum err
named_mlkem_pub(void *ctx, const uint8_t seed[MLKEM_SEED_LEN],
    uint8_t ek_out[MLKEM_EK_LEN])
{
	UNDER;
	return u->mlkem_pub(u->ctx, seed, ek_out);
}

static enum err
named_mlkem_encaps(void *ctx, const uint8_t ek[MLKEM_EK_LEN],
    const uint8_t *m, uint8_t ct_out[MLKEM_CT_LEN],
    uint8_t ss_out[MLKEM_SS_LEN])
{
	uint8_t named_m[32];
	UNDER;

	if (m == NULL)
		TRY(named_random(ctx, named_m, sizeof(named_m)));
	return u->mlkem_encaps(u->ctx, ek, m != NULL ? m : named_m, ct_out,
	    ss_out);
}

static enum err
named_mlkem_decaps(void *ctx, const uint8_t seed[MLKEM_SEED_LEN],
    const uint8_t ct[MLKEM_CT_LEN], uint8_t ss_out[MLKEM_SS_LEN])
{
	UNDER;
	return u->mlkem_decaps(u->ctx, seed, ct, ss_out);
}

static enum err
named_mlkem_check(void *ctx, const uint8_t ek[MLKEM_EK_LEN])
{
	UNDER;
	return u->mlkem_check(u->ctx, ek);
}

static enum err
named_mldsa_pub(void *ctx, const uint8_t seed[MLDSA_SEED_LEN],
    uint8_t pub_out[MLDSA_PUB_LEN])
{
	UNDER;
	return u->mldsa_pub(u->ctx, seed, pub_out);
}

static enum err
named_mldsa_sign(void *ctx, const uint8_t seed[MLDSA_SEED_LEN],
    struct span context, struct span msg, const uint8_t *rnd,
    uint8_t sig_out[MLDSA_SIG_LEN])
{
	uint8_t named_rnd[32];
	UNDER;

	if (rnd == NULL)
		TRY(named_random(ctx, named_rnd, sizeof(named_rnd)));
	return u->mldsa_sign(u->ctx, seed, context, msg,
	    rnd != NULL ? rnd : named_rnd, sig_out);
}

static enum err
named_mldsa_verify(void *ctx, const uint8_t pub[MLDSA_PUB_LEN],
    struct span context, struct span msg, const uint8_t sig[MLDSA_SIG_LEN])
{
	UNDER;
	return u->mldsa_verify(u->ctx, pub, context, msg, sig);
}

static enum err
named_p256_pub(void *ctx, const uint8_t priv[P256_PRIV_LEN],
    uint8_t pub_out[P256_PUB_LEN])
{
	UNDER;
	return u->p256_pub(u->ctx, priv, pub_out);
}

static enum err
named_p256_ecdh(void *ctx, const uint8_t priv[P256_PRIV_LEN],
    const uint8_t pub[P256_PUB_LEN], uint8_t z_out[P256_Z_LEN])
{
	UNDER;
	return u->p256_ecdh(u->ctx, priv, pub, z_out);
}

static enum err
named_argon2id(void *ctx, struct span password, struct span salt,
    uint32_t m_kib, uint32_t t, uint32_t p, uint8_t *out, size_t n)
{
	UNDER;
	return u->argon2id(u->ctx, password, salt, m_kib, t, p, out, n);
}

static void
named_forget(void *ctx, struct span seed)
{
	UNDER;
	provider_forget(u, seed.p, seed.n);
}

static void
table(struct named *n, struct provider *out)
{
	*out = (struct provider){
		.ctx = n,
		.random = named_random,
		.sha256 = named_sha256, .sha512 = named_sha512,
		.hmac_sha256 = named_hmac_sha256,
		.gcm_seal = named_gcm_seal, .gcm_open = named_gcm_open,
		.x25519_pub = named_x25519_pub, .x25519 = named_x25519,
		.ed25519_pub = named_ed25519_pub,
		.ed25519_sign = named_ed25519_sign,
		.ed25519_verify = named_ed25519_verify,
		.mlkem_pub = named_mlkem_pub,
		.mlkem_encaps = named_mlkem_encaps,
		.mlkem_decaps = named_mlkem_decaps,
		.mlkem_check = named_mlkem_check,
		.mldsa_pub = named_mldsa_pub, .mldsa_sign = named_mldsa_sign,
		.mldsa_verify = named_mldsa_verify,
		.p256_pub = named_p256_pub, .p256_ecdh = named_p256_ecdh,
		.argon2id = named_argon2id,
		.forget = named_forget,
	};
}

void
named_queue(struct named *n, const struct provider *under, struct span bytes,
    struct provider *out)
{
	*n = (struct named){ .under = under, .queue = bytes };
	table(n, out);
}

size_t
named_left(const struct named *n)
{
	return n->queue.n;
}

enum err
named_seed(struct named *n, const struct provider *under, struct span seed,
    struct provider *out)
{
	struct span label = SPAN("nightjar named");

	*n = (struct named){ .under = under, .from_seed = true };
	TRY(under->hmac_sha256(under->ctx, seed, &label, 1, n->key));
	table(n, out);
	return OK;
}
