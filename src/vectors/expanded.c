/*
 * expanded.c: ML-KEM and ML-DSA through OpenSSL with expanded keys.
 */
#include "vectors/expanded.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define KEY_MAX EXPANDED_MLDSA_SK_LEN

static enum err
fail(enum err e)
{
	ERR_clear_error();
	return e;
}

static EVP_PKEY *
from(const char *alg, const char *param, struct span bytes, int what)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, alg, NULL);
	uint8_t copy[KEY_MAX];
	OSSL_PARAM params[2];
	EVP_PKEY *k = NULL;

	if (bytes.n > sizeof(copy)) {
		EVP_PKEY_CTX_free(c);
		return NULL;
	}
	if (bytes.n > 0)
		memcpy(copy, bytes.p, bytes.n);
	params[0] = OSSL_PARAM_construct_octet_string(param, copy, bytes.n);
	params[1] = OSSL_PARAM_construct_end();
	if (c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &k, what, params) != 1)
		k = NULL;
	wipe(copy, sizeof(copy));
	EVP_PKEY_CTX_free(c);
	return k;
}

static enum err
expand(const char *alg, struct span seed, uint8_t *out, size_t n)
{
	EVP_PKEY *k = from(alg, OSSL_PKEY_PARAM_ML_KEM_SEED, seed,
	    EVP_PKEY_KEYPAIR);
	size_t got = n;
	bool good = k != NULL &&
	    EVP_PKEY_get_raw_private_key(k, out, &got) == 1 && got == n;

	EVP_PKEY_free(k);
	return good ? OK : fail(ERR_PROVIDER);
}

enum err
expanded_mlkem_dk(const uint8_t seed[static MLKEM_SEED_LEN],
    uint8_t dk_out[static EXPANDED_MLKEM_DK_LEN])
{
	return expand("ML-KEM-768", span_of(seed, MLKEM_SEED_LEN), dk_out,
	    EXPANDED_MLKEM_DK_LEN);
}

enum err
expanded_mldsa_sk(const uint8_t seed[static MLDSA_SEED_LEN],
    uint8_t sk_out[static EXPANDED_MLDSA_SK_LEN])
{
	return expand("ML-DSA-65", span_of(seed, MLDSA_SEED_LEN), sk_out,
	    EXPANDED_MLDSA_SK_LEN);
}

enum err
expanded_mlkem_decaps(struct span dk, struct span ct,
    uint8_t ss_out[static MLKEM_SS_LEN])
{
	EVP_PKEY *k = NULL;
	EVP_PKEY_CTX *c = NULL;
	size_t n = MLKEM_SS_LEN;
	enum err e = ERR_FORMAT;

	if (dk.n != EXPANDED_MLKEM_DK_LEN || ct.n != MLKEM_CT_LEN)
		goto out;
	k = from("ML-KEM-768", OSSL_PKEY_PARAM_PRIV_KEY, dk, EVP_PKEY_KEYPAIR);
	if (k == NULL)
		goto out;
	e = ERR_PROVIDER;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	if (c != NULL && EVP_PKEY_decapsulate_init(c, NULL) == 1 &&
	    EVP_PKEY_decapsulate(c, ss_out, &n, ct.p, ct.n) == 1)
		e = OK;
out:
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(k);
	return e == OK ? OK : fail(e);
}

/* params: room for 4. The other arguments have to outlive them. */
static void
mode_params(OSSL_PARAM *params, enum expanded_mode mode, int *flag,
    uint8_t *context, size_t context_n, uint8_t *rnd)
{
	size_t n = 0;

	*flag = mode == EXPANDED_MU;
	if (mode == EXPANDED_PURE)
		params[n++] = OSSL_PARAM_construct_octet_string(
		    OSSL_SIGNATURE_PARAM_CONTEXT_STRING, context, context_n);
	else if (mode == EXPANDED_INTERNAL)
		params[n++] = OSSL_PARAM_construct_int(
		    OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING, flag);
	else
		params[n++] = OSSL_PARAM_construct_int(
		    OSSL_SIGNATURE_PARAM_MU, flag);
	if (rnd != NULL)
		params[n++] = OSSL_PARAM_construct_octet_string(
		    OSSL_SIGNATURE_PARAM_TEST_ENTROPY, rnd, 32);
	params[n] = OSSL_PARAM_construct_end();
}

enum err
expanded_mldsa_sign(struct span key, enum expanded_mode mode,
    struct span context, struct span msg, const uint8_t rnd[static 32],
    uint8_t sig_out[static MLDSA_SIG_LEN])
{
	bool is_seed = key.n == MLDSA_SEED_LEN;
	EVP_SIGNATURE *alg = EVP_SIGNATURE_fetch(NULL, "ML-DSA-65", NULL);
	uint8_t copy[256], entropy[32];
	OSSL_PARAM params[4];
	EVP_PKEY *k = NULL;
	EVP_PKEY_CTX *c = NULL;
	size_t n = MLDSA_SIG_LEN;
	enum err e = ERR_FORMAT;
	int flag;

	if (context.n > 255 || (!is_seed && key.n != EXPANDED_MLDSA_SK_LEN))
		goto out;
	k = from("ML-DSA-65", is_seed ? OSSL_PKEY_PARAM_ML_DSA_SEED :
	    OSSL_PKEY_PARAM_PRIV_KEY, key, EVP_PKEY_KEYPAIR);
	if (k == NULL)
		goto out;
	if (context.n > 0)
		memcpy(copy, context.p, context.n);
	memcpy(entropy, rnd, sizeof(entropy));
	mode_params(params, mode, &flag, copy, context.n, entropy);
	e = ERR_PROVIDER;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	if (c != NULL && EVP_PKEY_sign_message_init(c, alg, params) == 1 &&
	    EVP_PKEY_sign(c, sig_out, &n, msg.p, msg.n) == 1 &&
	    n == MLDSA_SIG_LEN)
		e = OK;
out:
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(k);
	EVP_SIGNATURE_free(alg);
	return e == OK ? OK : fail(e);
}

enum err
expanded_mldsa_verify(struct span pub, enum expanded_mode mode,
    struct span msg, struct span sig)
{
	EVP_SIGNATURE *alg = EVP_SIGNATURE_fetch(NULL, "ML-DSA-65", NULL);
	uint8_t none[1] = { 0 };
	OSSL_PARAM params[4];
	EVP_PKEY *k = NULL;
	EVP_PKEY_CTX *c = NULL;
	enum err e = ERR_FORMAT;
	int flag;

	if (pub.n != MLDSA_PUB_LEN || sig.n != MLDSA_SIG_LEN)
		goto out;
	k = from("ML-DSA-65", OSSL_PKEY_PARAM_PUB_KEY, pub,
	    EVP_PKEY_PUBLIC_KEY);
	mode_params(params, mode, &flag, none, 0, NULL);
	e = ERR_PROVIDER;
	c = k != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL) : NULL;
	if (c != NULL && EVP_PKEY_verify_message_init(c, alg, params) == 1)
		e = EVP_PKEY_verify(c, sig.p, sig.n, msg.p, msg.n) == 1 ?
		    OK : ERR_AUTH;
out:
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(k);
	EVP_SIGNATURE_free(alg);
	return e == OK ? OK : fail(e);
}
