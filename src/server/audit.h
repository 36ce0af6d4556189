/*
 * audit.h: the log of what matters to an account's safety, written in the same
 * transaction as what it tells. Never key material, never what was typed.
 *
 * Entries are numbered 1, 2, 3 ... and chained (docs/metadata.md, "The audit
 * log"): with H = SHA-256, integers big-endian, texts with a u8 length before
 *
 *	private = HMAC-SHA-256(salt, user || u32 device || session ||
 *	    u8 n || detail || u8 n || address)
 *	hash = H("NJ1 audit" || u64 sequence || u64 created_at ||
 *	    u8 n || event || private || hash of the entry before)
 *
 * so that the private part of an erased account can be taken out with its salt
 * while the chain stays whole. The ends of the chain (struct audit_head) stand
 * under a MAC in the database, and now and then in the file audit.head of the
 * data directory, so that entries cut off at the end are missed.
 */
#ifndef SERVER_AUDIT_H
#define SERVER_AUDIT_H

#include "server/call.h"

enum audit_event {
#define AUDIT(NAME, name, help) AUDIT_##NAME,
#include "server/audit.def"
#undef AUDIT
	AUDIT_MAX
};

#define AUDIT_HASH_LEN 32
#define AUDIT_SALT_LEN 16
#define AUDIT_DETAIL_MAX 200	/* bytes */
#define AUDIT_ADDRESS_MAX 64

/* Keys the MAC of the head; from the data directory's account.key. */
struct audit_key {
	uint8_t b[AUDIT_HASH_LEN];
};

/* What an entry says beside its event. All zero: nothing. */
struct audit_entry {
	struct user_id user;		/* whose account */
	uint32_t device;
	struct session_id session;
	struct span detail;		/* few words, for people; UTF-8 */
	struct span address;		/* call_address */
};

/*
 * audit_note(c, t, event, more):
 * For the write step of an operation: one entry, with the caller's address.
 *   more  in  may be NULL. Where its user is zero it is the caller's, and
 *             where its session is zero too, that is the caller's as well;
 *             address is not looked at.
 * Errors of the store, ERR_TOO_LARGE, ERR_PROVIDER: hand them on.
 *
 *	TRY(audit_note(c, t, AUDIT_DEVICE_REMOVED,
 *	    &(struct audit_entry){ .device = in->id }));
 */
MUST_USE enum err audit_note(struct call *c, struct txn *t,
    enum audit_event event, const struct audit_entry *more);

/* The same from where there is no call (operator's commands). */
MUST_USE enum err audit_append(struct txn *t, const struct audit_key *key,
    enum audit_event event, const struct audit_entry *entry,
    uint64_t now_ms);

const char *audit_name(enum audit_event event);

/* ---- the chain, for who writes and who verifies ---- */

struct audit_head {
	uint64_t first_sequence;	/* oldest that is kept */
	uint8_t first_previous[AUDIT_HASH_LEN];
	uint64_t last_sequence;		/* 0: no entry yet */
	uint8_t last_hash[AUDIT_HASH_LEN];
	uint64_t redacted;		/* entries without a private part */
};

/* Makes the key of the secret that account.key holds. ERR_PROVIDER. */
MUST_USE enum err audit_key_init(struct audit_key *key,
    const uint8_t secret[static 32]);
/* ERR_PROVIDER. */
MUST_USE enum err audit_private_hash(const struct audit_entry *e,
    struct span salt, uint8_t out[static AUDIT_HASH_LEN]);
MUST_USE enum err audit_hash(uint64_t sequence, uint64_t created_at,
    struct span event, const uint8_t private_hash[static AUDIT_HASH_LEN],
    const uint8_t previous[static AUDIT_HASH_LEN],
    uint8_t out[static AUDIT_HASH_LEN]);
MUST_USE enum err audit_mac(const struct audit_key *key,
    const struct audit_head *h, uint8_t out[static AUDIT_HASH_LEN]);
/*
 * The head as the database has it. ERR_AUTH: its MAC is not ours. An empty log
 * without a MAC is fine.
 */
MUST_USE enum err audit_head_get(struct txn *t, const struct audit_key *key,
    struct audit_head *out);
MUST_USE enum err audit_head_set(struct txn *t, const struct audit_key *key,
    const struct audit_head *h);
/*
 * In a write: takes the private part out of at most max entries of that
 * account. *n_out: how many it were; fewer than max: there are no more.
 */
MUST_USE enum err audit_redact(struct txn *t, const struct audit_key *key,
    const struct user_id *user, uint32_t max, uint64_t *n_out);
/* In a write: drops the oldest entries, at most max, made before that time. */
MUST_USE enum err audit_prune(struct txn *t, const struct audit_key *key,
    uint64_t before_ms, uint32_t max);

#endif
