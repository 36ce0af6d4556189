/*
 * session.h: one session with one device of a peer: its ratchet, and what the
 * choice between sessions needs (docs/protocol.md, "Two sessions at once").
 * The stored form is u8 format | vec16 TLV | TLV of the ratchet.
 * Freestanding; about 160 KiB of caller's memory.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "core/ratchet.h"
#include "core/store.h"

#define SESSION_FORMAT 1
#define SESSION_CREATED_AHEAD_MS (24ull * 3600 * 1000)
#define SESSION_RECEIVE_ONLY_MS (7ull * 24 * 3600 * 1000)
#define SESSION_OWN_GONE_MS (45ull * 24 * 3600 * 1000)
#define SESSION_UNANSWERED_MS (30ull * 24 * 3600 * 1000)

struct session_sid { uint8_t b[SESSION_SID_LEN]; };

/* What an initiator repeats until it is answered. */
struct session_setup {
	uint64_t devlist_version;	/* of the own list then */
	uint32_t batch;
	uint8_t leaf_type;		/* LEAF_LRK or LEAF_OTP */
	uint32_t otp_id;
	uint8_t ek[X25519_LEN];
	uint8_t ct[MLKEM_CT_LEN];
};

/* All of it but the ratchet. */
struct session_meta {
	struct address peer;
	struct session_sid sid;
	uint64_t created_ms;		/* as T has it */
	uint64_t born;			/* store generation */
	bool initiator;
	bool confirmed;			/* the peer has it for certain */
	bool reset_sent;		/* told on this one of a newer */
	uint8_t own_cert[SHA256_LEN], peer_cert[SHA256_LEN];
	uint8_t seal[KEY_LEN];		/* for the sealed layer */
	uint64_t heard_ms;		/* last message opened, or made */
	uint64_t unanswered_ms;		/* first sent since then; 0: none */
	uint64_t own_gone_ms, peer_gone_ms;	/* certificate left its list */
	struct session_setup setup;	/* initiator, until confirmed */
};

struct session {
	struct session_meta m;
	struct ratchet ratchet;
};

/* Greatest (created_ms, SID) wins: < 0, 0, > 0. */
int session_order(const struct session_meta *a, const struct session_meta *b);
size_t session_encoded_len(const struct session *s);
MUST_USE enum err session_encode(const struct session *s, struct wr *w);
/* ERR_FORMAT, ERR_VERSION, ERR_UNKNOWN_CRITICAL; *s is wiped then. */
MUST_USE enum err session_decode(struct span record, struct session *s);
/* Wipes what is in use; the rest of the memory never held a secret. */
void session_wipe(struct session *s);
/* Room for one, empty; its skipped keys are not zeroed, since that would cost
 * more than most calls. NULL when the arena is full. */
struct session *session_new(struct arena *a);

/*
 * Without touching the ratchet: meta alone, and the stored form with another
 * meta. ratchet_out: the rest of the record.
 */
MUST_USE enum err session_peek(struct span record, struct session_meta *m,
    struct span *ratchet_out);
MUST_USE enum err session_encode_meta(const struct session_meta *m,
    struct span ratchet, struct wr *w);
/* What session_encode_meta adds to the ratchet's bytes, at most. */
#define SESSION_META_LEN_MAX 1600

#endif
