/*
 * prekey.h: this device's prekey batches with their private halves
 * (docs/protocol.md, "Prekey batches"). A batch is signed once for all its
 * leaves. Freestanding; within the host's transaction.
 */
#ifndef CORE_PREKEY_H
#define CORE_PREKEY_H

#include "core/identity.h"
#include "pub/prekey_batch.h"

#define PREKEY_REFILL_BELOW 16
#define PREKEY_REFILL_MS (7ull * 24 * 3600 * 1000)
/* Private halves are kept this long after their batch was replaced. */
#define PREKEY_KEEP_MS (45ull * 24 * 3600 * 1000)

/* What goes up to the server; all in the arena. */
struct prekey_upload {
	struct span header;		/* signed */
	struct span leaves[MERKLE_LEAVES_MAX];
	uint16_t leaves_n;
};

/* The private halves that all set-ups with a batch share. */
struct prekey_batch {
	uint32_t id;
	uint8_t hash[SHA256_LEN];	/* batch_hash */
	uint8_t cert_hash[SHA256_LEN];	/* which certificate it names */
	uint64_t created_ms, expires_ms;
	uint64_t replaced_ms;		/* 0: the newest */
	uint8_t spk_priv[X25519_LEN], spk_pub[X25519_LEN];
	uint8_t lrk_seed[MLKEM_SEED_LEN];
};

struct prekey_otp {
	uint8_t x25519_priv[X25519_LEN];
	uint8_t kem_seed[MLKEM_SEED_LEN];
};

/*
 * prekey_make(c, leaves_n, out):
 * A new batch under the present certificate; the one before counts as
 * replaced from now on.
 *   leaves_n  in   4, 8, ... 128; BATCH_LEAVES_DEFAULT is usual
 * ERR_ARG, ERR_NOT_FOUND: no identity.
 */
MUST_USE enum err prekey_make(struct core *c, uint16_t leaves_n,
    struct prekey_upload *out);
/* Is it time for a new one? left: one-time pairs that the server still has. */
bool prekey_is_due(const struct identity *id, uint32_t left, uint64_t now_ms);
/* ERR_PREKEY_GONE: deleted or never made. Wipe after use. */
MUST_USE enum err prekey_load(struct core *c, uint32_t batch,
    struct prekey_batch *out);
MUST_USE enum err prekey_load_otp(struct core *c, uint32_t batch, uint32_t id,
    struct prekey_otp *out);
MUST_USE enum err prekey_drop_otp(struct core *c, uint32_t batch, uint32_t id);
/* Deletes batches (and their seen sets) replaced more than 45 days ago. */
MUST_USE enum err prekey_tidy(struct core *c);
/* Deletes all batches: the keys that they belong to are given up. */
MUST_USE enum err prekey_drop_all(struct core *c);

#endif
