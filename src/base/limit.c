/*
 * limit.c: GCRA. A bucket is the time (us) at which it would be full again;
 * taking a token moves that by one interval, and is refused when it would
 * lie more than `burst` intervals ahead. See limit.h.
 */
#include "base/limit.h"

#include <stdlib.h>

enum err
limit_init(struct limit *l, size_t slots, uint64_t seed)
{
	size_t n = 64;

	while (n < slots)
		n *= 2;
	l->slots = calloc(n, sizeof(*l->slots));
	if (l->slots == NULL)
		return ERR_NOMEM;
	l->n = n;
	l->seed = seed;
	return OK;
}

void
limit_fini(struct limit *l)
{
	free(l->slots);
	*l = (struct limit){ 0 };
}

static _Atomic uint64_t *
limit_slot(const struct limit *l, struct span key)
{
	uint64_t h = l->seed ^ 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ key.p[i]) * 0x100000001b3ULL;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	return &l->slots[h & (l->n - 1)];
}

static uint64_t
rate_interval_us(struct rate r)
{
	uint64_t us = r.period_ms * 1000 / r.burst;

	return us > 0 ? us : 1;
}

static void
limit_tell(struct limit_state *s, struct rate r, uint64_t full_us,
    uint64_t wait_us, uint64_t now_us)
{
	uint64_t interval = rate_interval_us(r);
	uint64_t ahead = full_us > now_us ? full_us - now_us : 0;
	uint64_t used = (ahead + interval - 1) / interval;

	if (s == NULL)
		return;
	s->limit = r.burst;
	s->remaining = used < r.burst ? r.burst - (uint32_t)used : 0;
	s->reset_s = (uint32_t)((ahead + 999999) / 1000000);
	s->retry_s = (uint32_t)((wait_us + 999999) / 1000000);
}

enum err
limit_take(struct limit *l, struct span key, struct rate r, uint32_t cost,
    uint64_t now_us, struct limit_state *state_out)
{
	_Atomic uint64_t *slot;
	uint64_t interval, room, add, was, next;

	if (r.burst == 0) {
		if (state_out != NULL)
			*state_out = (struct limit_state){ 0 };
		return OK;
	}
	slot = limit_slot(l, key);
	interval = rate_interval_us(r);
	room = interval * r.burst;
	was = atomic_load_explicit(slot, memory_order_relaxed);
	/* More than the bucket ever holds is refused, not multiplied out. */
	add = cost <= r.burst ? interval * cost : room + 1;
	do {
		next = (was > now_us ? was : now_us) + add;
		if (next - now_us > room) {
			limit_tell(state_out, r, was, next - now_us - room,
			    now_us);
			return ERR_RATE_LIMITED;
		}
	} while (!atomic_compare_exchange_weak_explicit(slot, &was, next,
	    memory_order_relaxed, memory_order_relaxed));
	limit_tell(state_out, r, next, 0, now_us);
	return OK;
}

void
limit_give(struct limit *l, struct span key, struct rate r, uint32_t cost)
{
	_Atomic uint64_t *slot;
	uint64_t back, was, next;

	if (r.burst == 0)
		return;
	slot = limit_slot(l, key);
	back = rate_interval_us(r) * (cost < r.burst ? cost : r.burst);
	was = atomic_load_explicit(slot, memory_order_relaxed);
	do {
		/* Never below zero, which would be the end of time. */
		next = was > back ? was - back : 0;
	} while (!atomic_compare_exchange_weak_explicit(slot, &was, next,
	    memory_order_relaxed, memory_order_relaxed));
}
