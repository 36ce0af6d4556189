/*
 * openssl_pq.c: ML-KEM-768 (FIPS 203) and ML-DSA-65 (FIPS 204) of the native
 * provider. Private keys are seeds; OpenSSL expands them (openssl_keys.c).
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl_private.h"
#include "crypto/strict.h"

/* The encoded public key of a cached private one. */
static enum err
encoded_pub(struct openssl *o, enum key_type type, const uint8_t *seed,
    uint8_t *out, size_t n)
{
	struct key *k;
	size_t got = n;

	TRY(openssl_keys_get(o, type, seed, &k));
	if (EVP_PKEY_get_raw_public_key(k->pkey, out, &got) != 1 || got != n)
		return openssl_fail(ERR_PROVIDER);
	return OK;
}

static enum err
do_mlkem_pub(void *ctx, const uint8_t seed[MLKEM_SEED_LEN],
    uint8_t ek_out[MLKEM_EK_LEN])
{
	return encoded_pub((struct openssl *)ctx, KEY_MLKEM, seed, ek_out,
	    MLKEM_EK_LEN);
}

static enum err
do_mlkem_check(void *ctx, const uint8_t ek[MLKEM_EK_LEN])
{
	(void)ctx;
	return strict_mlkem(ek) ? OK : ERR_FORMAT;
}

static enum err
encaps(EVP_PKEY *key, const uint8_t *m, uint8_t *ct_out, uint8_t *ss_out)
{
	EVP_PKEY_CTX *op = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t n_ct = MLKEM_CT_LEN, n_ss = MLKEM_SS_LEN;
	uint8_t ikm[32] = { 0 };
	OSSL_PARAM params[2];
	bool good;

	if (m != NULL)
		memcpy(ikm, m, sizeof(ikm));
	params[0] = m == NULL ? OSSL_PARAM_construct_end() :
	    OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, ikm,
		sizeof(ikm));
	params[1] = OSSL_PARAM_construct_end();
	good = op != NULL && EVP_PKEY_encapsulate_init(op, params) == 1 &&
	    EVP_PKEY_encapsulate(op, ct_out, &n_ct, ss_out, &n_ss) == 1 &&
	    n_ct == MLKEM_CT_LEN;
	wipe(ikm, sizeof(ikm));
	EVP_PKEY_CTX_free(op);
	return good ? OK : ERR_PROVIDER;
}

static enum err
do_mlkem_encaps(void *ctx, const uint8_t ek[MLKEM_EK_LEN], const uint8_t *m,
    uint8_t ct_out[MLKEM_CT_LEN], uint8_t ss_out[MLKEM_SS_LEN])
{
	EVP_PKEY *key = NULL;
	enum err e = ERR_FORMAT;

	(void)ctx;
	if (!strict_mlkem(ek))
		goto out;
	key = EVP_PKEY_new_raw_public_key_ex(NULL, "ML-KEM-768", NULL, ek,
	    MLKEM_EK_LEN);
	e = key != NULL ? encaps(key, m, ct_out, ss_out) : ERR_PROVIDER;
out:
	EVP_PKEY_free(key);
	if (e == OK)
		return OK;
	memset(ct_out, 0, MLKEM_CT_LEN);
	wipe(ss_out, MLKEM_SS_LEN);
	return openssl_fail(e);
}

static enum err
do_mlkem_decaps(void *ctx, const uint8_t seed[MLKEM_SEED_LEN],
    const uint8_t ct[MLKEM_CT_LEN], uint8_t ss_out[MLKEM_SS_LEN])
{
	struct key *k;
	size_t n = MLKEM_SS_LEN;
	enum err e;

	/* FIPS 203 6.3: a bad ciphertext gives another secret, not an error. */
	e = openssl_keys_get((struct openssl *)ctx, KEY_MLKEM, seed, &k);
	if (e == OK && EVP_PKEY_decapsulate(k->op, ss_out, &n, ct,
	    MLKEM_CT_LEN) != 1)
		e = openssl_fail(ERR_PROVIDER);
	if (e != OK)
		wipe(ss_out, MLKEM_SS_LEN);
	return e;
}

static enum err
do_mldsa_pub(void *ctx, const uint8_t seed[MLDSA_SEED_LEN],
    uint8_t pub_out[MLDSA_PUB_LEN])
{
	return encoded_pub((struct openssl *)ctx, KEY_MLDSA, seed, pub_out,
	    MLDSA_PUB_LEN);
}

#define CONTEXT_MAX 255		/* FIPS 204 5.2 */

/* params: room for 3. copy: where the context is copied (no const there). */
static void
message_params(OSSL_PARAM *params, uint8_t *copy, struct span context,
    uint8_t *rnd)
{
	size_t n = 0;

	if (context.n > 0)
		memcpy(copy, context.p, context.n);
	params[n++] = OSSL_PARAM_construct_octet_string(
	    OSSL_SIGNATURE_PARAM_CONTEXT_STRING, copy, context.n);
	if (rnd != NULL)
		params[n++] = OSSL_PARAM_construct_octet_string(
		    OSSL_SIGNATURE_PARAM_TEST_ENTROPY, rnd, 32);
	params[n] = OSSL_PARAM_construct_end();
}

static enum err
do_mldsa_sign(void *ctx, const uint8_t seed[MLDSA_SEED_LEN],
    struct span context, struct span msg, const uint8_t *rnd,
    uint8_t sig_out[MLDSA_SIG_LEN])
{
	struct openssl *o = (struct openssl *)ctx;
	uint8_t copy[CONTEXT_MAX + 1], entropy[32] = { 0 };
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *op;
	struct key *k;
	size_t n = MLDSA_SIG_LEN;
	bool good;

	if (context.n > CONTEXT_MAX)
		return ERR_ARG;
	TRY(openssl_keys_get(o, KEY_MLDSA, seed, &k));
	if (rnd != NULL)
		memcpy(entropy, rnd, sizeof(entropy));
	message_params(params, copy, context, rnd != NULL ? entropy : NULL);
	/* A new context: given randomness must not outlive the signature. */
	op = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	good = op != NULL &&
	    EVP_PKEY_sign_message_init(op, o->mldsa, params) == 1 &&
	    EVP_PKEY_sign(op, sig_out, &n, msg.p, msg.n) == 1 &&
	    n == MLDSA_SIG_LEN;
	EVP_PKEY_CTX_free(op);
	wipe(entropy, sizeof(entropy));
	if (good)
		return OK;
	memset(sig_out, 0, MLDSA_SIG_LEN);
	return openssl_fail(ERR_PROVIDER);
}

static enum err
do_mldsa_verify(void *ctx, const uint8_t pub[MLDSA_PUB_LEN],
    struct span context, struct span msg, const uint8_t sig[MLDSA_SIG_LEN])
{
	struct openssl *o = (struct openssl *)ctx;
	uint8_t copy[CONTEXT_MAX + 1];
	OSSL_PARAM params[3];

	if (context.n > CONTEXT_MAX)
		return ERR_ARG;
	message_params(params, copy, context, NULL);
	return openssl_verify("ML-DSA-65", span_of(pub, MLDSA_PUB_LEN),
	    o->mldsa, params, msg, span_of(sig, MLDSA_SIG_LEN));
}

void
openssl_pq_table(struct provider *p)
{
	p->mlkem_pub = do_mlkem_pub;
	p->mlkem_encaps = do_mlkem_encaps;
	p->mlkem_decaps = do_mlkem_decaps;
	p->mlkem_check = do_mlkem_check;
	p->mldsa_pub = do_mldsa_pub;
	p->mldsa_sign = do_mldsa_sign;
	p->mldsa_verify = do_mldsa_verify;
}
