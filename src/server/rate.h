/*
 * rate.h: which limit a call falls under (rates.def). Shared by all reactors: everything is one
 * 64-bit atomic a bucket (base/limit.h).
 */
#ifndef SERVER_RATE_H
#define SERVER_RATE_H

#include "base/limit.h"
#include "base/sys.h"
#include "server/call.h"

enum rate_class {
#define RATE(name, scope, key) RATE_##name,
#include "server/rates.def"
#undef RATE
	RATE_MAX
};

enum rate_scope { SCOPE_ADDRESS, SCOPE_SESSION, SCOPE_USER };

enum rate_scope rate_scope(enum rate_class c);
/* Its present setting; burst 0: no limit. */
struct rate rate_setting(const struct conf *conf, enum rate_class c);

/*
 * One call of class c by that caller, or from that address where nobody is
 * signed in or the class counts addresses (IPv6: the /64). state_out->limit is
 * 0 when the class has no limit. MESSAGE has a second bucket for the long
 * run (limits.messages_hour). ERR_RATE_LIMITED.
 */
MUST_USE enum err rate_take(struct limit *l, const struct conf *conf,
    enum rate_class c, const struct caller *who,
    const struct sys_addr *addr, uint64_t now_us,
    struct limit_state *state_out);
/* Gives it back: the call failed and is not counted. */
void rate_give(struct limit *l, const struct conf *conf, enum rate_class c,
    const struct caller *who, const struct sys_addr *addr);

#endif
