/*
 * expanded.h: what vectors ask of ML-KEM and ML-DSA that the provider has no
 * use for: expanded private keys in place of seeds, and the internal
 * interface of FIPS 204. Straight to OpenSSL, for the runner only.
 */
#ifndef VECTORS_EXPANDED_H
#define VECTORS_EXPANDED_H

#include "crypto/provider.h"

#define EXPANDED_MLKEM_DK_LEN 2400
#define EXPANDED_MLDSA_SK_LEN 4032

enum expanded_mode {
	EXPANDED_PURE,		/* FIPS 204 5.2, with a context */
	EXPANDED_INTERNAL,	/* 6.2: the message is M' itself */
	EXPANDED_MU		/* 6.2, the message is mu (64 bytes) */
};

/* The expanded key of a seed (FIPS 203 7.1, FIPS 204 6.1). */
MUST_USE enum err expanded_mlkem_dk(const uint8_t seed[static MLKEM_SEED_LEN],
    uint8_t dk_out[static EXPANDED_MLKEM_DK_LEN]);
MUST_USE enum err expanded_mldsa_sk(const uint8_t seed[static MLDSA_SEED_LEN],
    uint8_t sk_out[static EXPANDED_MLDSA_SK_LEN]);

/* ERR_FORMAT: dk or ct has a wrong length, or dk contradicts itself. */
MUST_USE enum err expanded_mlkem_decaps(struct span dk, struct span ct,
    uint8_t ss_out[static MLKEM_SS_LEN]);

/* key: a seed or an expanded key. ERR_FORMAT: it is neither. */
MUST_USE enum err expanded_mldsa_sign(struct span key, enum expanded_mode mode,
    struct span context, struct span msg, const uint8_t rnd[static 32],
    uint8_t sig_out[static MLDSA_SIG_LEN]);
/* ERR_AUTH: does not verify.  ERR_FORMAT: pub or sig has a wrong length. */
MUST_USE enum err expanded_mldsa_verify(struct span pub,
    enum expanded_mode mode, struct span msg, struct span sig);

#endif
