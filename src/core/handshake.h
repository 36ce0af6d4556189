/*
 * handshake.h: session set-up (docs/protocol.md, "Session set-up"): the PQXDH
 * structure over X25519 and ML-KEM-768, bound to a transcript of every public
 * value and both identities. Freestanding; no store.
 */
#ifndef CORE_HANDSHAKE_H
#define CORE_HANDSHAKE_H

#include "core/identity.h"
#include "core/prekey.h"
#include "core/session.h"

#define PREKEY_MSG_TYPE 0x12
#define PREKEY_MSG_HEADER_LEN (1 + 1 + 16 + 4 + 32 + 8 + 8 + 4 + 1 + 4 + 32 + \
	MLKEM_CT_LEN)						/* 1199 */

/* What a server hands out for a device, as received. */
struct bundle_bytes {
	struct span cert;		/* may be empty when it is known */
	struct span header;
	uint16_t index[2];		/* 0, and 1 or >= 2 */
	struct span leaf[2], path[2];
};

/* The same, verified. */
struct bundle {
	struct cert cert;
	uint8_t cert_hash[SHA256_LEN];
	struct batch batch;
	uint8_t batch_hash[SHA256_LEN];
	struct leaf spk, kem;
	uint8_t spk_bytes[LEAF_SPK_LEN];
	uint8_t kem_bytes[LEAF_LEN_MAX];
	size_t kem_n;
};

/* Header of a prekey message. */
struct prekey_msg {
	struct address from;
	uint8_t cert_hash[SHA256_LEN];
	uint64_t created_ms;
	struct session_setup setup;
	struct span inner;		/* the ratchet message */
};

/* Everything that both sides feed into the key derivation. */
struct handshake_keys {
	uint8_t t[SHA256_LEN];
	uint8_t rk[KEY_LEN], seal[KEY_LEN];
	struct session_sid sid;
};

/*
 * handshake_check_bundle(p, list, device, in, now_ms, out):
 * Everything a client MUST verify: certificate in the list, signature of the
 * batch, its expiry, both leaves with their index, type and path.
 *   list  in  verified and accepted (peer.h)
 *   in    in  with its certificate
 * ERR_FORMAT, ERR_VERSION, ERR_AUTH, ERR_FORBIDDEN, ERR_UNTRUSTED: not in the
 * list.  ERR_EXPIRED.  ERR_SUITE: the device does not offer this suite.
 */
MUST_USE enum err handshake_check_bundle(const struct provider *p,
    const struct devlist *list, uint32_t device, const struct bundle_bytes *in,
    uint64_t now_ms, struct bundle *out);

/*
 * handshake_initiate(p, id, b, created_ms, now_ms, out):
 * A session of our own with the device of a verified bundle. It is not
 * confirmed; its first messages are prekey messages. *out is wiped unless OK.
 */
MUST_USE enum err handshake_initiate(const struct provider *p,
    const struct identity *id, const struct bundle *b, uint64_t created_ms,
    uint64_t now_ms, struct session *out);

/* Layout of a prekey message. ERR_FORMAT, ERR_VERSION, ERR_SUITE. */
MUST_USE enum err handshake_decode(struct span msg, struct prekey_msg *out);
/* Appends everything before the inner message. ERR_SPACE. */
MUST_USE enum err handshake_encode(const struct address *from,
    const uint8_t cert_hash[static SHA256_LEN], uint64_t created_ms,
    const struct session_setup *setup, struct wr *w);

/*
 * handshake_accept(p, me, keys, aik_hash, batch, otp, m, peer, now_ms, out):
 * The responder's session for a prekey message. Nothing is authenticated until
 * its inner message has been opened with it.
 *   keys      in   private keys of the certificate that the batch names
 *   otp       in   the one-time pair; NULL for leaf type 2
 *   peer      in   the initiator's certificate, verified
 * ERR_AUTH: a bad point. *out is wiped unless OK.
 */
MUST_USE enum err handshake_accept(const struct provider *p,
    const struct address *me, const struct device_keys *keys,
    const uint8_t aik_hash[static SHA256_LEN],
    const struct prekey_batch *batch, const struct prekey_otp *otp,
    const struct prekey_msg *m, const struct cert *peer, uint64_t now_ms,
    struct session *out);

/* id(X) = account | aik_hash | u32 device | cert_hash. */
#define HANDSHAKE_ID_LEN (16 + 32 + 4 + 32)			/* 84 */
void handshake_id(const struct address *who,
    const uint8_t aik_hash[static SHA256_LEN],
    const uint8_t cert_hash[static SHA256_LEN],
    uint8_t out[static HANDSHAKE_ID_LEN]);

/* The transcript and the derivation alone (also for known answers). */
struct handshake_public {
	uint64_t created_ms;
	const uint8_t *id_i, *id_r;		/* HANDSHAKE_ID_LEN each */
	const uint8_t *batch_hash;		/* SHA256_LEN */
	const uint8_t *ek;			/* X25519_LEN */
	struct span leaf_spk, leaf_kem;
	const uint8_t *ct;			/* MLKEM_CT_LEN */
};
/*
 *   dh    in  n_dh (3 or 4) results of X25519, 32 bytes each
 *   ss    in  the KEM secret
 */
MUST_USE enum err handshake_derive(const struct provider *p,
    const struct handshake_public *pub, const uint8_t *dh, size_t n_dh,
    const uint8_t ss[static MLKEM_SS_LEN], struct handshake_keys *out);

#endif
