/*
 * openssl_keys.c: the cache of expanded private keys. It belongs to one
 * provider, so to one thread. A seed never leaves an entry but to be compared
 * in constant time; entries are few, so that looking through all of them
 * costs under a microsecond where an expansion costs 30 to 600.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include "crypto/openssl_private.h"

static size_t
seed_len(enum key_type type)
{
	return type == KEY_MLKEM ? MLKEM_SEED_LEN : 32;
}

static void
drop(struct key *k)
{
	if (k->type == KEY_NONE)
		return;
	EVP_PKEY_CTX_free(k->op);
	EVP_PKEY_free(k->pkey);		/* OpenSSL wipes private parts */
	wipe(k, sizeof(*k));
}

/* ML-KEM and ML-DSA from their seeds (FIPS 203 7.1, FIPS 204 6.1). */
static EVP_PKEY *
expand_seed(EVP_PKEY_CTX *from, const char *param, const uint8_t *seed,
    size_t n)
{
	uint8_t copy[OPENSSL_SEED_MAX];
	OSSL_PARAM params[2];
	EVP_PKEY *k = NULL;

	memcpy(copy, seed, n);		/* OSSL_PARAM takes no const */
	params[0] = OSSL_PARAM_construct_octet_string(param, copy, n);
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(from, &k, EVP_PKEY_KEYPAIR, params) != 1)
		k = NULL;
	wipe(copy, sizeof(copy));
	return k;
}

/* The key pair object of scalar d and point q = dG. */
static EVP_PKEY *
p256_pair(const BIGNUM *d, uint8_t q[P256_PUB_LEN])
{
	EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char group[] = "P-256";
	uint8_t native[P256_PRIV_LEN];
	OSSL_PARAM params[4];
	EVP_PKEY *k = NULL;

	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native,
	    sizeof(native));
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
	    q, P256_PUB_LEN);
	params[3] = OSSL_PARAM_construct_end();
	if (from == NULL || EVP_PKEY_fromdata_init(from) != 1 ||
	    BN_bn2nativepad(d, native, sizeof(native)) < 0 ||
	    EVP_PKEY_fromdata(from, &k, EVP_PKEY_KEYPAIR, params) != 1)
		k = NULL;
	wipe(native, sizeof(native));
	EVP_PKEY_CTX_free(from);
	return k;
}

/*
 * EVP does not derive the public point of a given scalar, so it is multiplied
 * here (in constant time: BN_FLG_CONSTTIME, and OpenSSL's own P-256 code).
 */
static enum err
expand_p256(const uint8_t *seed, EVP_PKEY **out)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *q = group != NULL ? EC_POINT_new(group) : NULL;
	BIGNUM *d = BN_secure_new();
	BN_CTX *bn = BN_CTX_secure_new();
	uint8_t enc[P256_PUB_LEN];
	enum err e = ERR_PROVIDER;

	if (q == NULL || d == NULL || bn == NULL ||
	    BN_bin2bn(seed, P256_PRIV_LEN, d) == NULL)
		goto out;
	BN_set_flags(d, BN_FLG_CONSTTIME);
	/* SP 800-56A 5.6.1.2: 1 <= d < n. */
	if (BN_is_zero(d) || BN_ucmp(d, EC_GROUP_get0_order(group)) >= 0) {
		e = ERR_FORMAT;
		goto out;
	}
	if (EC_POINT_mul(group, q, d, NULL, NULL, bn) != 1 ||
	    EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, enc,
		sizeof(enc), bn) != sizeof(enc))
		goto out;
	*out = p256_pair(d, enc);
	e = *out != NULL ? OK : ERR_PROVIDER;
out:
	BN_clear_free(d);
	BN_CTX_free(bn);
	EC_POINT_clear_free(q);
	EC_GROUP_free(group);
	return e;
}

static enum err
expand(struct openssl *o, enum key_type type, const uint8_t *seed,
    EVP_PKEY **out)
{
	switch (type) {
	case KEY_X25519:
		*out = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL,
		    seed, X25519_LEN);
		break;
	case KEY_ED25519:
		*out = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL,
		    seed, ED25519_SEED_LEN);
		break;
	case KEY_MLKEM:
		*out = expand_seed(o->mlkem_from, OSSL_PKEY_PARAM_ML_KEM_SEED,
		    seed, MLKEM_SEED_LEN);
		break;
	case KEY_MLDSA:
		*out = expand_seed(o->mldsa_from, OSSL_PKEY_PARAM_ML_DSA_SEED,
		    seed, MLDSA_SEED_LEN);
		break;
	case KEY_P256:
		return expand_p256(seed, out);
	case KEY_NONE:
	default:
		return ERR_ARG;
	}
	return *out != NULL ? OK : ERR_PROVIDER;
}

/* What every use of the key begins with; signing is set up per message. */
static bool
prepare(struct key *k)
{
	k->op = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (k->op == NULL)
		return false;
	if (k->type == KEY_X25519 || k->type == KEY_P256)
		return EVP_PKEY_derive_init(k->op) == 1;
	if (k->type == KEY_MLKEM)
		return EVP_PKEY_decapsulate_init(k->op, NULL) == 1;
	return true;
}

enum err
openssl_keys_get(struct openssl *o, enum key_type type, const uint8_t *seed,
    struct key **out)
{
	struct key *k, *victim = &o->keys[0];
	size_t n = seed_len(type);
	enum err e;

	o->tick++;
	for (k = o->keys; k < o->keys + OPENSSL_KEYS_MAX; k++) {
		if (k->type == type && ct_eq(k->seed, seed, n)) {
			k->used = o->tick;
			*out = k;
			return OK;
		}
		if (k->used < victim->used)
			victim = k;
	}
	drop(victim);
	victim->type = type;
	victim->used = o->tick;
	memcpy(victim->seed, seed, n);
	e = expand(o, type, seed, &victim->pkey);
	if (e == OK && !prepare(victim))
		e = ERR_PROVIDER;
	if (e != OK) {
		drop(victim);
		return openssl_fail(e);
	}
	*out = victim;
	return OK;
}

void
openssl_keys_forget(struct openssl *o, struct span seed)
{
	struct key *k;

	for (k = o->keys; k < o->keys + OPENSSL_KEYS_MAX; k++)
		if (k->type != KEY_NONE && seed_len(k->type) == seed.n &&
		    ct_eq(k->seed, seed.p, seed.n))
			drop(k);
}

void
openssl_keys_clear(struct openssl *o)
{
	size_t i;

	for (i = 0; i < OPENSSL_KEYS_MAX; i++)
		drop(&o->keys[i]);
}
