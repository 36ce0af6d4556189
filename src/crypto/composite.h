/*
 * composite.h: the composite signature id-MLDSA65-Ed25519-SHA512 of
 * draft-ietf-lamps-pq-composite-sigs: both halves must verify, so it holds as
 * long as one of the two does. Ed25519 is strict (strict.h). Freestanding.
 *
 *	L   = "COMPSIG-MLDSA65-Ed25519-SHA512"
 *	M'  = "CompositeAlgorithmSignatures2025" || L ||
 *	      u8 len(context) || context || SHA-512(M)
 *	sig = ML-DSA-65(M', context L) || Ed25519(M')
 */
#ifndef CRYPTO_COMPOSITE_H
#define CRYPTO_COMPOSITE_H

#include "crypto/provider.h"

#define COMPOSITE_PRIV_LEN (MLDSA_SEED_LEN + ED25519_SEED_LEN)	/* 64 */
#define COMPOSITE_PUB_LEN (MLDSA_PUB_LEN + ED25519_PUB_LEN)	/* 1984 */
#define COMPOSITE_SIG_LEN (MLDSA_SIG_LEN + ED25519_SIG_LEN)	/* 3373 */

struct composite_priv { uint8_t b[COMPOSITE_PRIV_LEN]; };	/* two seeds */
struct composite_pub  { uint8_t b[COMPOSITE_PUB_LEN]; };
struct composite_sig  { uint8_t b[COMPOSITE_SIG_LEN]; };

/* A new private key from the provider's randomness; zeroed unless OK. */
MUST_USE enum err composite_generate(const struct provider *p,
    struct composite_priv *priv_out);

/* The public key of a private one; zeroed unless OK. */
MUST_USE enum err composite_make_pub(const struct provider *p,
    const struct composite_priv *priv, struct composite_pub *pub_out);

/*
 * composite_sign(p, priv, context, msg, rnd, sig_out):
 *   context  in   at most 255 bytes; keeps the uses of a key apart
 *   rnd      in   32 bytes for ML-DSA (zeros: deterministic); NULL: hedged
 *   sig_out  out  zeroed unless OK
 * ERR_ARG: the context is too long.  ERR_PROVIDER.
 */
MUST_USE enum err composite_sign(const struct provider *p,
    const struct composite_priv *priv, struct span context, struct span msg,
    const uint8_t *rnd, struct composite_sig *sig_out);

/*
 * composite_verify(p, pub, context, msg, sig):
 * pub and sig are taken as bytes: they stand inside decoded objects.
 * ERR_AUTH: either half does not verify.  ERR_ARG: the context is too long.
 */
MUST_USE enum err composite_verify(const struct provider *p,
    const uint8_t pub[static COMPOSITE_PUB_LEN], struct span context,
    struct span msg, const uint8_t sig[static COMPOSITE_SIG_LEN]);

#endif
