/*
 * backoff.c: the delay of accounts.
 *
 * Implementation notes: a delay is one 64-bit word: failures in a row above,
 * milliseconds (Unix, 48 bits) until which it holds below. Two accounts that
 * fall into one slot share it, which is only stricter; the table is sized so
 * that this is rare.
 */
#include "server/backoff.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/sys.h"

#define BACKOFF_SLOTS ((size_t)65536)
#define BACKOFF_FREE 2		/* failures without a delay */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_TIME_BITS 48
#define BACKOFF_COUNT_MAX 60
/* A row of failures is forgotten after so long without another. */
#define BACKOFF_FORGET_MS 86400000ULL

struct backoff {
	uint64_t seed;
	_Atomic uint64_t slots[BACKOFF_SLOTS];
};

enum err
backoff_open(struct backoff **out)
{
	struct backoff *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ERR_NOMEM;
	sys_random(&b->seed, sizeof(b->seed));
	*out = b;
	return OK;
}

void
backoff_close(struct backoff *b)
{
	free(b);
}

/* FNV-1a over a secret start, with a last mix. */
static _Atomic uint64_t *
backoff_slot(struct backoff *b, struct span account)
{
	uint64_t h = b->seed ^ 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < account.n; i++) {
		uint8_t c = account.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c - 'A' + 'a');
		h = (h ^ c) * 0x100000001b3ULL;
	}
	h ^= h >> 32;
	return &b->slots[h & (BACKOFF_SLOTS - 1)];
}

#define BACKOFF_TIME_MASK ((1ULL << BACKOFF_TIME_BITS) - 1)

uint32_t
backoff_wait_s(struct backoff *b, struct span account, uint64_t now_ms)
{
	uint64_t until = atomic_load(backoff_slot(b, account)) &
	    BACKOFF_TIME_MASK;

	return until <= now_ms ? 0 : (uint32_t)((until - now_ms + 999) / 1000);
}

void
backoff_failed(struct backoff *b, struct span account, uint64_t now_ms,
    uint64_t max_ms)
{
	_Atomic uint64_t *slot = backoff_slot(b, account);
	uint64_t old = atomic_load(slot), next;

	do {
		uint64_t n = old >> BACKOFF_TIME_BITS;
		uint64_t until = old & BACKOFF_TIME_MASK, delay = 0;

		if (now_ms > until + BACKOFF_FORGET_MS)
			n = 0;
		if (n < BACKOFF_COUNT_MAX)
			n++;
		if (n > BACKOFF_FREE) {
			uint64_t doublings = n - BACKOFF_FREE - 1;

			delay = doublings > 20 ? max_ms :
			    (uint64_t)BACKOFF_FIRST_MS << doublings;
			if (delay > max_ms)
				delay = max_ms;
		}
		next = n << BACKOFF_TIME_BITS | (now_ms + delay);
	} while (!atomic_compare_exchange_weak(slot, &old, next));
}

void
backoff_clear(struct backoff *b, struct span account)
{
	atomic_store(backoff_slot(b, account), 0);
}
