/*
 * provider.h: every primitive that the end-to-end core needs, as one table of
 * functions. OpenSSL stands behind it natively (openssl.c), JavaScript's noble
 * in WebAssembly (imports.c), named randomness in known-answer tests. No
 * primitive is written by hand anywhere in the repository.
 *
 * All functions: inputs are not kept; outputs do not overlap inputs unless
 * said; ERR_PROVIDER when the library fails for reasons of its own (memory).
 * Private keys are seeds: ML-KEM 64 bytes (d || z), ML-DSA 32, Ed25519 32,
 * X25519 32, P-256 32 (big-endian scalar).
 */
#ifndef CRYPTO_PROVIDER_H
#define CRYPTO_PROVIDER_H

#include "base/bytes.h"

#define SHA256_LEN 32
#define SHA512_LEN 64
#define AES256_KEY_LEN 32
#define GCM_NONCE_LEN 12
#define GCM_TAG_LEN 16
#define X25519_LEN 32
#define ED25519_SEED_LEN 32
#define ED25519_PUB_LEN 32
#define ED25519_SIG_LEN 64
#define MLKEM_SEED_LEN 64
#define MLKEM_EK_LEN 1184
#define MLKEM_CT_LEN 1088
#define MLKEM_SS_LEN 32
#define MLDSA_SEED_LEN 32
#define MLDSA_PUB_LEN 1952
#define MLDSA_SIG_LEN 3309
#define P256_PRIV_LEN 32
#define P256_PUB_LEN 65			/* uncompressed */
#define P256_Z_LEN 32

struct provider {
	void *ctx;		/* handed to every function */

	MUST_USE enum err (*random)(void *ctx, uint8_t *out, size_t n);

	/* Hash of the concatenation of n_parts spans. */
	MUST_USE enum err (*sha256)(void *ctx, const struct span *parts,
	    size_t n_parts, uint8_t out[SHA256_LEN]);
	MUST_USE enum err (*sha512)(void *ctx, const struct span *parts,
	    size_t n_parts, uint8_t out[SHA512_LEN]);
	/* RFC 2104 over the concatenation of the parts. out may be the key. */
	MUST_USE enum err (*hmac_sha256)(void *ctx, struct span key,
	    const struct span *parts, size_t n_parts, uint8_t out[SHA256_LEN]);

	/*
	 * SP 800-38D. seal writes in.n + 16 bytes (ciphertext, tag). open
	 * takes ciphertext || tag and writes in.n - 16 bytes, all zero on
	 * ERR_AUTH: never a byte that was not authenticated. out may be in.p
	 * in both (after a failed open nothing is left there).
	 */
	MUST_USE enum err (*gcm_seal)(void *ctx,
	    const uint8_t key[AES256_KEY_LEN],
	    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
	    uint8_t *out);
	MUST_USE enum err (*gcm_open)(void *ctx,
	    const uint8_t key[AES256_KEY_LEN],
	    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
	    uint8_t *out);

	/* RFC 7748. ERR_AUTH: all-zero result or a non-canonical point. */
	MUST_USE enum err (*x25519_pub)(void *ctx,
	    const uint8_t priv[X25519_LEN], uint8_t pub_out[X25519_LEN]);
	MUST_USE enum err (*x25519)(void *ctx, const uint8_t priv[X25519_LEN],
	    const uint8_t pub[X25519_LEN], uint8_t out[X25519_LEN]);

	/* RFC 8032. verify is the strict predicate of docs/protocol.md. */
	MUST_USE enum err (*ed25519_pub)(void *ctx,
	    const uint8_t seed[ED25519_SEED_LEN],
	    uint8_t pub_out[ED25519_PUB_LEN]);
	MUST_USE enum err (*ed25519_sign)(void *ctx,
	    const uint8_t seed[ED25519_SEED_LEN], struct span msg,
	    uint8_t sig_out[ED25519_SIG_LEN]);
	MUST_USE enum err (*ed25519_verify)(void *ctx,
	    const uint8_t pub[ED25519_PUB_LEN], struct span msg,
	    const uint8_t sig[ED25519_SIG_LEN]);

	/*
	 * FIPS 203. m: 32 bytes of named randomness in known-answer tests,
	 * else NULL. encaps: ERR_FORMAT when ek fails the modulus check.
	 */
	MUST_USE enum err (*mlkem_pub)(void *ctx,
	    const uint8_t seed[MLKEM_SEED_LEN], uint8_t ek_out[MLKEM_EK_LEN]);
	MUST_USE enum err (*mlkem_encaps)(void *ctx,
	    const uint8_t ek[MLKEM_EK_LEN], const uint8_t *m,
	    uint8_t ct_out[MLKEM_CT_LEN], uint8_t ss_out[MLKEM_SS_LEN]);
	MUST_USE enum err (*mlkem_decaps)(void *ctx,
	    const uint8_t seed[MLKEM_SEED_LEN],
	    const uint8_t ct[MLKEM_CT_LEN], uint8_t ss_out[MLKEM_SS_LEN]);
	/* The modulus check alone (FIPS 203 7.2). ERR_FORMAT. */
	MUST_USE enum err (*mlkem_check)(void *ctx,
	    const uint8_t ek[MLKEM_EK_LEN]);

	/*
	 * FIPS 204 pure mode with a context string (at most 255 bytes). rnd:
	 * 32 bytes (zeros: deterministic), or NULL for hedged signing.
	 */
	MUST_USE enum err (*mldsa_pub)(void *ctx,
	    const uint8_t seed[MLDSA_SEED_LEN], uint8_t pub_out[MLDSA_PUB_LEN]);
	MUST_USE enum err (*mldsa_sign)(void *ctx,
	    const uint8_t seed[MLDSA_SEED_LEN], struct span context,
	    struct span msg, const uint8_t *rnd, uint8_t sig_out[MLDSA_SIG_LEN]);
	MUST_USE enum err (*mldsa_verify)(void *ctx,
	    const uint8_t pub[MLDSA_PUB_LEN], struct span context,
	    struct span msg, const uint8_t sig[MLDSA_SIG_LEN]);

	/* SP 800-56A; points are checked on the curve (ERR_FORMAT). */
	MUST_USE enum err (*p256_pub)(void *ctx,
	    const uint8_t priv[P256_PRIV_LEN], uint8_t pub_out[P256_PUB_LEN]);
	MUST_USE enum err (*p256_ecdh)(void *ctx,
	    const uint8_t priv[P256_PRIV_LEN], const uint8_t pub[P256_PUB_LEN],
	    uint8_t z_out[P256_Z_LEN]);

	/* RFC 9106; for profiles and backups, slow on purpose. */
	MUST_USE enum err (*argon2id)(void *ctx, struct span password,
	    struct span salt, uint32_t m_kib, uint32_t t, uint32_t p,
	    uint8_t *out, size_t n);

	/*
	 * The owner erases this private key: drops what the provider keeps
	 * of it (openssl.h: expanded keys). Any bytes are fine. May be NULL:
	 * call provider_forget.
	 */
	void (*forget)(void *ctx, struct span seed);
};

static inline void
provider_forget(const struct provider *p, const void *seed, size_t n)
{
	if (p->forget != NULL)
		p->forget(p->ctx, span_of(seed, n));
}

#endif
