/*
 * store.h: how the core keeps what it knows: records of (kind, key, value) in
 * a store of the host's, which seals them and makes them durable. Freestanding:
 * the core has neither files nor transactions of its own.
 *
 * Every call into the core stands within ONE transaction that the host opens
 * before and commits after it. A call that fails has normally put nothing, but
 * the host rolls back all the same (ERR_STORE may come half-way). Bytes that a
 * call produced leave the device only after the commit (docs/protocol.md,
 * "Sealing").
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "base/arena.h"
#include "base/id.h"
#include "crypto/provider.h"

enum record_kind {
	RECORD_ACCOUNT = 1,	/* key empty: account, account key, state */
	RECORD_DEVICE = 2,	/* cert hash[32]: private keys, certificate */
	RECORD_LIST = 3,	/* account[16]: newest signed device list */
	RECORD_CERT = 4,	/* cert hash[32]: a peer's certificate */
	RECORD_BATCH = 5,	/* u32 batch: private halves that all share */
	RECORD_OTP = 6,		/* u32 batch | u32 id: a one-time pair */
	RECORD_SESSION = 7,	/* account[16] | u32 device | SID[16] */
	RECORD_PAIR = 8,	/* account[16] | u32 device: about a device */
	RECORD_SEEN = 9,	/* u32 batch | EK[32]: set-ups accepted */
	RECORD_EVENT = 10,	/* conv[16] | account[16] | event id[16] */
	RECORD_SENT = 11,	/* event id[16] | account[16] | u32 device */
	RECORD_ASKED = 12,	/* event id[16]: retries that we asked for */
	RECORD_ANSWERED = 13,	/* event id[16] | account[16] | u32 device */
	RECORD_TRUST = 14,	/* account[16]: verified account key */
	RECORD_RENEWED = 15,	/* account[16] | hash of an old account
				 * key[32]: hash of the one that renewed it */
	RECORD_CORE_MAX = 16	/* the client's own kinds start at 32 */
};

#define RECORD_KEY_MAX 64
#define RECORD_VALUE_MAX (256u * 1024)

/* Called for each record; value is good until it returns. */
typedef enum err (*store_each_fn)(void *arg, struct span key,
    struct span value);

struct store {
	void *ctx;		/* handed to every function */
	/*
	 * Number of the present transaction, set by the host when it opens
	 * one: greater by at least one than that of any before. It goes with
	 * every record put; the greatest ever used is kept in a second place
	 * too (see identity_check_generation).
	 */
	uint64_t generation;
	/* Value in the arena. ERR_NOT_FOUND, ERR_STORE, ERR_TOO_LARGE. */
	MUST_USE enum err (*get)(void *ctx, uint8_t kind, struct span key,
	    struct arena *arena, struct span *value_out);
	/* Puts or replaces. Key and value are not kept. */
	MUST_USE enum err (*put)(void *ctx, uint8_t kind, struct span key,
	    struct span value, uint64_t generation);
	/* Fine when it is not there. */
	MUST_USE enum err (*del)(void *ctx, uint8_t kind, struct span key);
	/*
	 * All records of a kind whose key begins with prefix, in the order of
	 * their keys, as they stand now: fn may put and del records of this
	 * very kind. Stops at fn's first error and returns it.
	 */
	MUST_USE enum err (*iterate)(void *ctx, uint8_t kind,
	    struct span prefix, store_each_fn fn, void *arg);
};

/*
 * What a call of the core works with. The arena holds results and scratch:
 * 1 MiB is enough for any call; secrets pass through it, so the host puts it
 * back with store_scratch_end after each transaction.
 */
struct core {
	const struct provider *p;
	const struct store *store;
	struct arena *arena;
	uint64_t now_ms;
};

#define CORE_ARENA_BYTES (1024u * 1024)

/*
 * Ends the use of scratch that may hold secrets: wipes what was taken since
 * the mark and gives it back. (arena_wipe would wipe all that is left of the
 * arena as well: a megabyte for each record that is read.)
 */
static inline void
store_scratch_end(struct arena *a, struct arena_mark m)
{
	if (a->p == m.p && a->used >= m.used && m.p != NULL) {
		wipe(&m.p[m.used], a->used - m.used);
		arena_reset(a, m);
	} else {
		arena_wipe(a, m);
	}
}

/* A device of an account. */
struct address {
	struct user_id account;
	uint32_t device;
};

#define ADDRESS_LEN (ID_LEN + 4)

static inline bool
address_eq(const struct address *a, const struct address *b)
{
	return ID_EQ(a->account, b->account) && a->device == b->device;
}

#endif
