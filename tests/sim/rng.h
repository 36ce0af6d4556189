/*
 * rng.h: the simulator's randomness: xoshiro256**, seeded by SplitMix64
 * (Blackman and Vigna, public domain algorithms). Nothing here is secret: a
 * seed has to give the same run again.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include "base/bytes.h"

struct rng { uint64_t s[4]; };

static inline uint64_t
rng_mix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A stream of its own for each purpose, so that one does not shift others. */
static inline struct rng
rng_init(uint64_t seed, uint64_t purpose)
{
	uint64_t x = seed ^ (purpose * 0xd1342543de82ef95u);
	struct rng r;

	for (int i = 0; i < 4; i++)
		r.s[i] = rng_mix(&x);
	return r;
}

static inline uint64_t
rng_u64(struct rng *r)
{
	uint64_t x = r->s[1] * 5, out = ((x << 7) | (x >> 57)) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = (r->s[3] << 45) | (r->s[3] >> 19);
	return out;
}

/* 0 .. n - 1; n > 0. */
static inline uint64_t
rng_below(struct rng *r, uint64_t n)
{
	return rng_u64(r) % n;
}

/* lo .. hi. */
static inline uint64_t
rng_between(struct rng *r, uint64_t lo, uint64_t hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

static inline bool
rng_permille(struct rng *r, unsigned p)
{
	return rng_below(r, 1000) < p;
}

static inline void
rng_bytes(struct rng *r, void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		uint64_t x = rng_u64(r);
		size_t k = n < sizeof(x) ? n : sizeof(x);

		memcpy(p, &x, k);
		p += k;
		n -= k;
	}
}

#endif
