/*
 * hist.c: a latency histogram with relative precision.
 */
#include "load.h"

void
hist_add(struct hist *h, uint64_t us)
{
	size_t at = us;

	if (us >= HIST_SUB) {
		size_t shift = 63U - (size_t)__builtin_clzll(us) - 6;

		at = HIST_SUB * (shift + 1) + (us >> shift) - HIST_SUB;
	}
	if (at >= HIST_BUCKETS)
		at = HIST_BUCKETS - 1;
	h->count[at]++;
	h->n++;
	if (us > h->max)
		h->max = us;
}

uint64_t
hist_at(const struct hist *h, double q)
{
	uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen > want || (seen == h->n && seen > 0)) {
			if (i < HIST_SUB)
				return i;
			return ((i % HIST_SUB) + HIST_SUB) << (i / HIST_SUB - 1);
		}
	}
	return 0;
}
