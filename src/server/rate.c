/*
 * rate.c: keys of the buckets, and the delay of accounts.
 *
 * Implementation notes: a delay is one 64-bit word: failures in a row above,
 * milliseconds (Unix, 48 bits) until which it holds below. Two accounts that
 * fall into one slot share it, which is only stricter; the table is sized so
 * that this is rare.
 */
#include "server/rate.h"

#include <stdlib.h>

#include "base/id.h"
#include "server/conf.h"

#define BACKOFF_SLOTS ((size_t)65536)
#define BACKOFF_FREE 2		/* failures without a delay */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_TIME_BITS 48
#define BACKOFF_COUNT_MAX 60
/* A row of failures is forgotten after so long without another. */
#define BACKOFF_FORGET_MS 86400000ULL

static const struct { enum rate_scope scope; } classes[] = {
#define RATE(name, scope, key) { SCOPE_##scope },
#include "server/rates.def"
#undef RATE
};

enum rate_scope
rate_scope(enum rate_class c)
{
	return classes[c].scope;
}

struct rate
rate_setting(const struct conf *conf, enum rate_class c)
{
	const struct rate none = { 0, 1000 };
	const struct rate all[] = {
#define RATE(name, scope, key) RATE_KEY_##key
#define RATE_KEY_none none,
#define RATE_KEY_limits_cheap conf->limits_cheap,
#define RATE_KEY_limits_connects conf->limits_connects,
#define RATE_KEY_limits_login conf->limits_login,
#define RATE_KEY_limits_messages conf->limits_messages,
#define RATE_KEY_limits_refresh conf->limits_refresh,
#define RATE_KEY_limits_register conf->limits_register,
#define RATE_KEY_limits_rest conf->limits_rest,
#include "server/rates.def"
#undef RATE
	};

	return all[c];
}

#define RATE_KEY_MAX (1 + ID_LEN)
#define RATE_CLASS_HOUR 255	/* the second bucket of MESSAGE */

/* Class and whom it counts, as bytes. */
static struct span
rate_key(uint8_t key[static RATE_KEY_MAX], uint8_t class,
    enum rate_scope scope, const struct caller *who,
    const struct sys_addr *addr)
{
	key[0] = class;
	if (scope != SCOPE_ADDRESS && who->is_known) {
		memcpy(key + 1, scope == SCOPE_SESSION ? who->session.b :
		    who->user.b, ID_LEN);
		return span_of(key, 1 + ID_LEN);
	}
	memcpy(key + 1, addr->ip, ID_LEN);
	if (!sys_addr_is_v4(addr))
		memset(key + 1 + 8, 0, 8);	/* one customer has a /64 */
	key[0] |= 0x80;		/* no address is somebody's id */
	return span_of(key, 1 + ID_LEN);
}

enum err
rate_take(struct limit *l, const struct conf *conf, enum rate_class c,
    const struct caller *who, const struct sys_addr *addr, uint64_t now_us,
    struct limit_state *state_out)
{
	uint8_t key[RATE_KEY_MAX];
	struct rate r = rate_setting(conf, c);
	struct limit_state hour;
	enum err e;

	memset(state_out, 0, sizeof(*state_out));
	if (r.burst > 0)
		TRY(limit_take(l, rate_key(key, (uint8_t)c, rate_scope(c),
		    who, addr), r, 1, now_us, state_out));
	if (c != RATE_MESSAGE || conf->limits_messages_hour.burst == 0)
		return OK;
	e = limit_take(l, rate_key(key, RATE_CLASS_HOUR, SCOPE_USER, who,
	    addr), conf->limits_messages_hour, 1, now_us, &hour);
	if (e == OK)
		return OK;
	*state_out = hour;
	if (r.burst > 0)
		limit_give(l, rate_key(key, (uint8_t)c, rate_scope(c), who,
		    addr), r, 1);
	return e;
}

void
rate_give(struct limit *l, const struct conf *conf, enum rate_class c,
    const struct caller *who, const struct sys_addr *addr)
{
	uint8_t key[RATE_KEY_MAX];
	struct rate r = rate_setting(conf, c);

	if (r.burst > 0)
		limit_give(l, rate_key(key, (uint8_t)c, rate_scope(c), who,
		    addr), r, 1);
	if (c == RATE_MESSAGE && conf->limits_messages_hour.burst > 0)
		limit_give(l, rate_key(key, RATE_CLASS_HOUR, SCOPE_USER, who,
		    addr), conf->limits_messages_hour, 1);
}

/* ---- accounts ---- */

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
