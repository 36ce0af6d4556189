/*
 * prekey_batch.h: a device's signed batch of prekeys (docs/protocol.md,
 * "Prekey batches"): one signature over a Merkle root vouches for a signed
 * prekey (leaf 0), a last-resort key (leaf 1) and one-time pairs. Freestanding.
 *
 *	leaf 0: u8 1 | u32 0 | spk[32]        leaf 1: u8 2 | u32 0 | lrk[1184]
 *	leaf i: u8 3 | u32 i - 1 | x25519[32] | mlkem[1184]
 *	header: u8 1 | account[16] | aik_hash[32] | u32 device | cert_hash[32] |
 *	        u32 batch | u64 created_ms | u64 expires_ms | u16 n | root[32] |
 *	        signature[3373]
 */
#ifndef PUB_PREKEY_BATCH_H
#define PUB_PREKEY_BATCH_H

#include "crypto/merkle.h"
#include "pub/cert.h"

#define BATCH_BODY_LEN (1 + 16 + 32 + 4 + 32 + 4 + 8 + 8 + 2 + 32)
#define BATCH_LEN (BATCH_BODY_LEN + COMPOSITE_SIG_LEN)	/* 3512 */
#define BATCH_LEAVES_DEFAULT 64
#define BATCH_LIFE_MS_MAX (60ull * 24 * 3600 * 1000)

#define LEAF_SPK_LEN (1 + 4 + X25519_LEN)				/* 37 */
#define LEAF_LRK_LEN (1 + 4 + MLKEM_EK_LEN)		/* 1189 */
#define LEAF_OTP_LEN (1 + 4 + X25519_LEN + MLKEM_EK_LEN)	/* 1221 */
#define LEAF_LEN_MAX LEAF_OTP_LEN

enum leaf_type { LEAF_SPK = 1, LEAF_LRK = 2, LEAF_OTP = 3 };

struct leaf {
	enum leaf_type type;
	uint32_t id;			/* one-time: leaf index - 1; else 0 */
	uint8_t x25519[X25519_LEN];	/* types 1 and 3 */
	uint8_t mlkem[MLKEM_EK_LEN];	/* types 2 and 3 */
};

struct batch {
	struct user_id account;
	uint8_t aik_hash[SHA256_LEN];
	uint32_t device;
	uint8_t cert_hash[SHA256_LEN];
	uint32_t id;			/* strictly grows for a device */
	uint64_t created_ms, expires_ms;
	uint16_t leaves_n;		/* 4, 8, ... 128 */
	uint8_t root[SHA256_LEN];
};

/*
 * Layout only; refuses a number of leaves that is not allowed, a life of more
 * than 60 days, device 0, batch 0. ERR_FORMAT, ERR_VERSION.
 */
MUST_USE enum err batch_decode(struct span bytes, struct batch *out);
/* Appends the part that is signed. */
MUST_USE enum err batch_encode(const struct batch *b, struct wr *w);
/* Appends header and signature. */
MUST_USE enum err batch_sign(const struct provider *p,
    const struct composite_priv *dsk, const struct batch *b, struct wr *w);
/*
 * Decodes, then: it names this certificate, its account, device and account
 * key, and the certificate's key signed it.
 * ERR_FORMAT, ERR_VERSION, ERR_FORBIDDEN: another account or device.
 * ERR_UNTRUSTED: another certificate.  ERR_AUTH.  *out is zeroed unless OK.
 */
MUST_USE enum err batch_verify(const struct provider *p, struct span bytes,
    const struct cert *c, const uint8_t cert_hash[static SHA256_LEN],
    struct batch *out);
/* TH("NJ1 batch", header without its signature). */
MUST_USE enum err batch_hash(const struct provider *p, struct span bytes,
    uint8_t out[static SHA256_LEN]);

/* Layout of a leaf. ERR_FORMAT; *out is zeroed then. */
MUST_USE enum err batch_leaf_decode(struct span bytes, struct leaf *out);
MUST_USE enum err batch_leaf_encode(const struct leaf *l, struct wr *w);
/*
 * The leaf belongs at this index (type and id agree with it), its keys are
 * good (canonical point, modulus check) and its path leads to the root.
 * ERR_FORMAT, ERR_AUTH.
 */
MUST_USE enum err batch_leaf_verify(const struct provider *p,
    const struct batch *b, uint16_t index, struct span leaf, struct span path,
    struct leaf *out);
/*
 * The server's check of a whole upload: the n leaves, in order, make the root.
 * ERR_FORMAT: number, order or type.  ERR_AUTH: another root.
 */
MUST_USE enum err batch_check_leaves(const struct provider *p,
    const struct batch *b, const struct span *leaves, size_t n);

#endif
