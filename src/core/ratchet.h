/*
 * ratchet.h: the Double Ratchet with sparse post-quantum mixing
 * (docs/protocol.md, "Ratchet"). A struct ratchet is plain memory of the
 * caller's, about 155 KiB (2,000 skipped keys); ratchet_store_* make and read
 * its stored form. Freestanding.
 *
 * A failed call leaves the ratchet as it was (but for the oldest skipped keys
 * when the provider fails while new ones take their place). Whoever seals MUST
 * store the new state together with the finished bytes before they leave the
 * device.
 */
#ifndef CORE_RATCHET_H
#define CORE_RATCHET_H

#include "core/pqm.h"

#define RATCHET_TYPE 0x11		/* u8 version << 4 | type */
#define RATCHET_MSG_MAX (128u * 1024)
#define RATCHET_CONTENT_MAX (64u * 1024)
#define RATCHET_HEADER_MAX (2 + X25519_LEN + 3 * 4 + SALT_LEN)
#define RATCHET_STEPS_MAX 2000		/* skipped for one message, in all */
#define RATCHET_SKIPPED_MAX 2000	/* kept for one session */
#define RATCHET_SKIPPED_MS (45ull * 24 * 3600 * 1000)
#define RATCHET_CLOSED_MAX 4
#define SESSION_SID_LEN 16

struct skipped_key {
	uint8_t dh[X25519_LEN];
	uint32_t n;
	uint8_t mk[KEY_LEN];
	uint64_t made_ms;
};

/* What changes with each message, but for the skipped keys. */
struct ratchet_head {
	uint8_t rk[KEY_LEN];
	uint8_t dhs_priv[X25519_LEN], dhs_pub[X25519_LEN];
	uint8_t dhr[X25519_LEN];
	uint8_t cks[KEY_LEN];
	uint8_t recv_dh[X25519_LEN], recv_ck[KEY_LEN];
	uint8_t closed[RATCHET_CLOSED_MAX][X25519_LEN];	/* newest first */
	uint32_t ns, pn, recv_n;
	uint32_t pqn_send, recv_pqn;
	/* What it has done so far, to be shown; nothing depends on it. */
	uint32_t turns, sent, received;
	uint8_t closed_n;
	bool has_dhs, has_cks, has_recv, send_pending;
	struct pqm pq;
};

struct ratchet {
	uint8_t t[SHA256_LEN];		/* transcript hash: in every AD */
	struct ratchet_head h;
	uint32_t skipped_n;		/* oldest first */
	struct skipped_key skipped[RATCHET_SKIPPED_MAX];
};

/* What an opened message was. */
struct ratchet_info {
	bool spoiled;		/* authentic, but its frame is malformed */
	bool from_skipped;	/* later ones of its chain came before */
	enum pqm_flag flag;	/* what it carried */
	uint32_t n;		/* its place in the chain */
};

/* Initiator: the peer's signed prekey is its first ratchet key. */
void ratchet_start_initiator(struct ratchet *r,
    const uint8_t t[static SHA256_LEN], const uint8_t rk[static KEY_LEN],
    const uint8_t spk[static X25519_LEN],
    const uint8_t ikk_seed[static MLKEM_SEED_LEN], uint64_t now_ms);
/* Responder: the own signed prekey pair is the first ratchet key. */
MUST_USE enum err ratchet_start_responder(const struct provider *p,
    struct ratchet *r, const uint8_t t[static SHA256_LEN],
    const uint8_t rk[static KEY_LEN], const uint8_t spk_priv[static X25519_LEN],
    const uint8_t spk_pub[static X25519_LEN],
    const uint8_t ikk_initiator[static MLKEM_EK_LEN], uint64_t now_ms);

/*
 * ratchet_seal(p, r, content, now_ms, w):
 * Encrypt one message and step the sending chain.
 *   content  in   at most RATCHET_CONTENT_MAX bytes
 *   w        out  the message is appended; nothing unless OK
 * ERR_NO_SESSION: nothing can be sent yet.  ERR_TOO_LARGE.  ERR_SPACE.
 */
MUST_USE enum err ratchet_seal(const struct provider *p, struct ratchet *r,
    struct span content, uint64_t now_ms, struct wr *w);

/*
 * ratchet_open(p, r, msg, now_ms, plain_out, content_out, info_out):
 * Decrypt one message and step.
 *   plain_out    out  msg.n bytes of room; the caller wipes it
 *   content_out  out  points into plain_out; empty when info says spoiled
 *   info_out     out
 * OK: the state has changed and has to be stored, also when info_out->spoiled.
 * ERR_FORMAT, ERR_VERSION, ERR_SUITE: malformed.  ERR_DUPLICATE: opened
 * before, or of a chain that is closed.  ERR_PQ_EPOCH.  ERR_LIMIT: too many
 * messages are missing.  ERR_AUTH: not of this session, or altered.
 */
MUST_USE enum err ratchet_open(const struct provider *p, struct ratchet *r,
    struct span msg, uint64_t now_ms, uint8_t *plain_out,
    struct span *content_out, struct ratchet_info *info_out);

/* Does a message with this ratchet key belong here for sure? */
bool ratchet_knows_dh(const struct ratchet *r,
    const uint8_t dh[static X25519_LEN]);
/* The ratchet key in the header of a message. ERR_FORMAT. */
MUST_USE enum err ratchet_peek_dh(struct span msg, const uint8_t **dh_out);
/* Drops skipped keys that are too old. True when there were any. */
bool ratchet_expire(struct ratchet *r, uint64_t now_ms);

/* The stored form, TLV; at most ratchet_store_len bytes. ERR_SPACE. */
size_t ratchet_store_len(const struct ratchet *r);
MUST_USE enum err ratchet_store_encode(const struct ratchet *r, struct wr *w);
/* ERR_FORMAT, ERR_UNKNOWN_CRITICAL; *r is wiped then. */
MUST_USE enum err ratchet_store_decode(struct span record, struct ratchet *r);
/* Makes the provider forget the private keys of a record that is dropped. */
void ratchet_store_forget(const struct provider *p, struct span record);
void ratchet_wipe(struct ratchet *r);

#endif
