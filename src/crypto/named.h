/*
 * named.h: a provider for tests: it passes everything on to another one, but
 * its randomness is named: a queue of given bytes (known answers), or a stream
 * made from a seed (simulations: the same seed gives the same run). Where a
 * caller leaves the randomness of encaps (m) or of ML-DSA signing (rnd) to the
 * provider, 32 bytes of the named randomness are taken for it, so that every
 * output is determined. Never for real keys.
 */
#ifndef CRYPTO_NAMED_H
#define CRYPTO_NAMED_H

#include "crypto/provider.h"

struct named {
	const struct provider *under;
	struct span queue;		/* what is left of it */
	bool from_seed;
	uint8_t key[SHA256_LEN];	/* the stream's state */
	uint64_t counter;
	uint8_t block[SHA256_LEN];
	size_t block_left;
	uint64_t taken;			/* bytes handed out in all */
};

/*
 * Serves `random` from bytes, in order; ERR_PROVIDER when they are used up.
 * under and bytes have to outlive the provider. out is ready for use.
 */
void named_queue(struct named *n, const struct provider *under,
    struct span bytes, struct provider *out);

/* How many bytes of the queue are left. */
size_t named_left(const struct named *n);

/*
 * Serves `random` from a stream: key = HMAC(seed, "nightjar named"), block i =
 * HMAC(key, u64 i). ERR_PROVIDER when `under` fails.
 */
MUST_USE enum err named_seed(struct named *n, const struct provider *under,
    struct span seed, struct provider *out);

#endif
