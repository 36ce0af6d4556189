/*
 * rate.c: keys of the buckets.
 */
#include "server/rate.h"

#include "base/id.h"
#include "server/conf.h"

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
#define RATE_KEY_limits_archives conf->limits_archives,
#define RATE_KEY_limits_cheap conf->limits_cheap,
#define RATE_KEY_limits_connects conf->limits_connects,
#define RATE_KEY_limits_exports conf->limits_exports,
#define RATE_KEY_limits_links conf->limits_links,
#define RATE_KEY_limits_login conf->limits_login,
#define RATE_KEY_limits_mails conf->limits_mails,
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
