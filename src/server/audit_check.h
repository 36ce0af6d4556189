/*
 * audit_check.h: is the chain of the audit log whole? Pure: fed entry by entry.
 */
#ifndef SERVER_AUDIT_CHECK_H
#define SERVER_AUDIT_CHECK_H

#include "server/audit.h"
#include "store/txn.h"

#define AUDIT_PROBLEMS_MAX 100

struct audit_problem {
	uint64_t sequence;	/* 0: of the whole */
	const char *what;	/* a literal */
};

struct audit_check {
	struct audit_head head;		/* as the database has it */
	uint64_t next;			/* sequence that comes */
	uint8_t previous[AUDIT_HASH_LEN];
	uint64_t entries, redacted;
	/* A head from elsewhere: entry `seen` had this hash; 0: none. */
	uint64_t seen;
	uint8_t seen_hash[AUDIT_HASH_LEN];
	bool seen_found;
	struct audit_problem problems[AUDIT_PROBLEMS_MAX];
	size_t problems_n;		/* those kept */
	uint64_t problems_all;
};

/* mac_ok: did audit_head_get say OK? seen, seen_hash: as in the struct. */
void audit_check_begin(struct audit_check *k, const struct audit_head *head,
    bool mac_ok, uint64_t seen, const uint8_t seen_hash[AUDIT_HASH_LEN]);
/* The next entry, in order of its sequence. ERR_PROVIDER. */
MUST_USE enum err audit_check_entry(struct audit_check *k,
    const struct q_audit_walk_out *row);
/* No more entries. True: all is well. */
bool audit_check_end(struct audit_check *k);

/* "SEQUENCE:HEX", as audit verify prints it and audit.head keeps it. */
#define AUDIT_HEAD_TEXT (20 + 1 + 2 * AUDIT_HASH_LEN + 1)
bool audit_head_decode(struct span text, uint64_t *sequence_out,
    uint8_t hash_out[AUDIT_HASH_LEN]);
void audit_head_encode(const struct audit_head *h,
    char out[static AUDIT_HEAD_TEXT]);

#endif
