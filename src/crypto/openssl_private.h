/*
 * openssl_private.h: shared by the files of the native provider: openssl.c
 * (life, hashes, AES-GCM), openssl_keys.c (cache of private keys),
 * openssl_curve.c (X25519, Ed25519, P-256) and openssl_pq.c (ML-KEM, ML-DSA).
 */
#ifndef CRYPTO_OPENSSL_PRIVATE_H
#define CRYPTO_OPENSSL_PRIVATE_H

#include <openssl/evp.h>

#include "crypto/provider.h"

#define OPENSSL_KEYS_MAX 32
#define OPENSSL_SEED_MAX MLKEM_SEED_LEN
/* EVP counts in int: no input may be longer. Ours are far shorter. */
#define OPENSSL_INPUT_MAX ((size_t)1 << 30)

enum key_type {
	KEY_NONE, KEY_X25519, KEY_ED25519, KEY_P256, KEY_MLKEM, KEY_MLDSA
};

/* A private key as OpenSSL expanded it. */
struct key {
	enum key_type type;
	uint8_t seed[OPENSSL_SEED_MAX];
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *op;	/* its private operation, initialised */
	uint64_t used;		/* tick of the last use */
};

struct openssl {
	EVP_MD *sha256, *sha512;
	EVP_MD_CTX *md256, *md512;
	EVP_CIPHER *gcm;
	EVP_CIPHER_CTX *seal, *open;
	EVP_SIGNATURE *ed25519, *mldsa;
	EVP_PKEY_CTX *mlkem_from, *mldsa_from;	/* ready for fromdata */
	struct key keys[OPENSSL_KEYS_MAX];
	uint64_t tick;
};

/* Clears OpenSSL's error queue and gives e. */
enum err openssl_fail(enum err e);
/*
 * Verifies sig over msg under a raw public key of the named type, with a
 * fetched algorithm and its parameters (or NULL). ERR_AUTH, ERR_PROVIDER.
 */
MUST_USE enum err openssl_verify(const char *type, struct span pub,
    EVP_SIGNATURE *alg, const OSSL_PARAM *params, struct span msg,
    struct span sig);

/*
 * The key of a seed, from the cache or newly expanded (then the least recently
 * used one is evicted). Good until the next call. ERR_PROVIDER; ERR_FORMAT: the
 * scalar is no P-256 private key.
 */
MUST_USE enum err openssl_keys_get(struct openssl *o, enum key_type type,
    const uint8_t *seed, struct key **out);
void openssl_keys_forget(struct openssl *o, struct span seed);
void openssl_keys_clear(struct openssl *o);

/* Fill in their part of the table. */
void openssl_curve_table(struct provider *p);
void openssl_pq_table(struct provider *p);

#endif
