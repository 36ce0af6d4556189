/*
 * meta.h: the one record that every step reads: who is signed in, how far
 * set-up came, the cursor and the counters. Called by step.c and wherever a
 * field is needed; it is stored when it differs from what was read.
 */
#ifndef CLIENT_META_H
#define CLIENT_META_H

#include "client/client.h"

#define META_TOKEN_MAX 2048u

enum meta_flag {
	META_SIGNED_IN = 1,	/* there are tokens */
	META_KEYS = 2,		/* account and device keys are in this profile */
	META_LIST_SENT = 4,	/* the server has the first device list */
	META_KEYS_MISSING = 8,	/* the account has keys, but not here */
	META_CHECK_KEYS = 16,	/* signed in without keys: ask for a list */
	META_STALE = 32,	/* a rollback was found: ask, then renew */
	META_OVER = 64,		/* start over once the old list is here */
	META_RENEW = 128,	/* clone alarm: new batch, new sessions */
	META_LINKING = 65536,	/* keys are here, no list names them yet */
	META_REVOKED = 131072,	/* the newest list has not this device */
	META_TRUST_ASK = 524288, /* ask for verified people */
	META_OFFERED = 1048576,	/* new keys wait for a manager's list */
	META_RENEW_DUE = 262144, /* a manager was removed: renew the account */
	META_REFUSED = 256,	/* the newest own list was: go back first */
};

struct meta {
	uint32_t flags;
	struct user_id user;
	uint32_t device;
	struct session_id session;	/* of the access token */
	struct session_id bound;	/* the session that speaks for us */
	uint64_t generation;
	uint64_t journal;		/* last number given */
	uint64_t out;			/* last outbox number given */
	uint64_t cursor;		/* everything up to there is here */
	uint64_t stream;		/* last position of the own stream */
	uint64_t applied;		/* highest position seen */
	uint64_t token_lease_ms;	/* a process refreshes until then */
	uint64_t signed_ms;		/* when the own list was last signed */
	uint64_t published_ms;		/* when the server took it */
	uint64_t batch_ms;		/* when the present batch was made */
	uint32_t batch;			/* its number */
	uint64_t pruned_ms;
	uint64_t signed_up_ms;		/* this device did not exist before */
	uint32_t out_n, inbox_n;
	uint64_t over_cmd;		/* command that starts over */
	uint64_t alarm_ms;		/* when an alarm renewed this device */
	uint64_t list_cmd;		/* command that a list is made for */
	uint64_t stale_ms;		/* when META_STALE was set */
	struct span name;
	struct span access, refresh;
	struct span password;		/* only while starting over */
};

/* ERR_FORMAT, ERR_VERSION. Spans point into bytes. */
MUST_USE enum err meta_decode(struct span bytes, struct meta *out);
/* ERR_SPACE. */
MUST_USE enum err meta_encode(const struct meta *m, struct wr *w);
#define META_LEN_MAX 8192u

#endif
