/*
 * limit.h: GCRA rate limits (a token bucket's equal) that threads share: one
 * 64-bit atomic a bucket in a table of fixed size. Two keys that fall into one
 * bucket share it (the table is sized so that this is rare and only stricter).
 */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stdatomic.h>

#include "base/bytes.h"

/* `burst` at once, refilled evenly within period_ms. burst 0: no limit. */
struct rate {
	uint32_t burst;
	uint64_t period_ms;
};

struct limit {
	_Atomic uint64_t *slots;	/* theoretical arrival time, us */
	size_t n;			/* a power of two */
	uint64_t seed;
};

/* What a caller is told (RateLimit-* headers, Retry-After). */
struct limit_state {
	uint32_t limit;
	uint32_t remaining;
	uint32_t reset_s;	/* until the bucket is full again */
	uint32_t retry_s;	/* until the next one is allowed; 0 if now */
};

MUST_USE enum err limit_init(struct limit *l, size_t slots, uint64_t seed);
void limit_fini(struct limit *l);
/*
 * Takes `cost` tokens of key's bucket. now_us is a monotonic clock.
 * ERR_RATE_LIMITED takes nothing. state_out may be NULL.
 */
MUST_USE enum err limit_take(struct limit *l, struct span key, struct rate r,
    uint32_t cost, uint64_t now_us, struct limit_state *state_out);
/* Gives `cost` tokens back (a call that failed and is not counted). */
void limit_give(struct limit *l, struct span key, struct rate r, uint32_t cost);

#endif
