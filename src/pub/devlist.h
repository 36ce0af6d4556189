/*
 * devlist.h: the signed list of an account's devices (docs/protocol.md,
 * "Devices"). The account's identity key signs it; a device that is not in it
 * does not exist. Server and clients use the same checks. Freestanding.
 *
 *	u8 1 | account[16] | aik[1984] | u64 version | u64 issued_ms |
 *	u64 expires_ms | prev_hash[32] | u32 next_id | u8 n (1..16) |
 *	n * { u32 device | cert_hash[32] | u8 flags } | signature[3373]
 * Entries stand in ascending order of their device ids.
 */
#ifndef PUB_DEVLIST_H
#define PUB_DEVLIST_H

#include "pub/cert.h"

#define DEVLIST_DEVICES_MAX 16
#define DEVLIST_BODY_MAX (1 + 16 + COMPOSITE_PUB_LEN + 8 + 8 + 8 + 32 + 4 + \
	1 + DEVLIST_DEVICES_MAX * (4 + 32 + 1))
#define DEVLIST_LEN_MAX (DEVLIST_BODY_MAX + COMPOSITE_SIG_LEN)
#define DEVLIST_LIFE_MS_MAX (45ull * 24 * 3600 * 1000)
/* Past its expiry a list may be sent by, with a warning, for this long. */
#define DEVLIST_GRACE_MS (45ull * 24 * 3600 * 1000)
/* A list that was issued further ahead of the own clock is not taken. */
#define DEVLIST_AHEAD_MS (24ull * 3600 * 1000)

struct devlist_entry {
	uint32_t device;
	uint8_t cert_hash[SHA256_LEN];
	uint8_t flags;
};

struct devlist {
	struct user_id account;
	uint8_t aik[COMPOSITE_PUB_LEN];
	uint64_t version;		/* 1, 2, ... */
	uint64_t issued_ms, expires_ms;
	uint8_t prev_hash[SHA256_LEN];	/* zeros in version 1 */
	uint32_t next_id;		/* above every id ever given */
	uint8_t n;
	struct devlist_entry entries[DEVLIST_DEVICES_MAX];
};

enum devlist_age {
	DEVLIST_FRESH,
	DEVLIST_EXPIRED,	/* sending shows a warning */
	DEVLIST_DEAD		/* sending stops */
};

/*
 * The whole signed object, layout only. Refuses none or too many devices, ids
 * out of order or >= next_id, unknown flags, a version of 0, a prev_hash in
 * version 1 or none later, a life of more than 45 days. body_out (may be
 * NULL) gets what the signature covers. ERR_FORMAT, ERR_VERSION; *out is
 * zeroed then.
 */
MUST_USE enum err devlist_decode(struct span bytes, struct devlist *out,
    struct span *body_out);
/* Appends the part that is signed. ERR_SPACE, ERR_ARG. */
MUST_USE enum err devlist_encode(const struct devlist *l, struct wr *w);
/* Appends body and signature; l->aik must belong to aik. */
MUST_USE enum err devlist_sign(const struct provider *p,
    const struct composite_priv *aik, const struct devlist *l, struct wr *w);
/*
 * Decodes and checks the signature by the key that stands in the list.
 * account: whose it has to be. Whether that key is the right one is
 * devlist_follow's matter, or the user's at first sight.
 * ERR_FORMAT, ERR_VERSION, ERR_FORBIDDEN: another account's list.
 * ERR_AUTH: bad signature. *out is zeroed unless OK.
 */
MUST_USE enum err devlist_verify(const struct provider *p, struct span bytes,
    const struct user_id *account, struct devlist *out);
/* TH("NJ1 devlist", signed object without its signature). */
MUST_USE enum err devlist_hash(const struct provider *p, struct span bytes,
    uint8_t out[static SHA256_LEN]);
/*
 * devlist_follow(p, known, known_hash, next, next_hash):
 * May one who knows `known` take `next` (verified) in its place? Versions in
 * between may be missing.
 * OK: yes (a newer version), or it is the same list.
 * ERR_IDENTITY_CHANGED: signed by another account key.
 * ERR_STALE: an older version.
 * ERR_CONFLICT: the same version with other contents: keep the old one, warn.
 * ERR_LIST_CONFLICT: the version after this one does not name its hash, a
 *   device id is given twice, or next_id falls.
 */
MUST_USE enum err devlist_follow(const struct devlist *known,
    const uint8_t known_hash[static SHA256_LEN], const struct devlist *next,
    const uint8_t next_hash[static SHA256_LEN]);
/* The same, whichever account key signed next: what pub/rotate.h leaves to be
 * asked where a renewal leads to that key. */
MUST_USE enum err devlist_follow_renewed(const struct devlist *known,
    const uint8_t known_hash[static SHA256_LEN], const struct devlist *next,
    const uint8_t next_hash[static SHA256_LEN]);
/*
 * As above for the server, which has every version: next must be the version
 * right after known (known NULL: version 1). ERR_LIST_CONFLICT also for a
 * version that was there before or is left out.
 */
MUST_USE enum err devlist_succeeds(const struct devlist *known,
    const uint8_t *known_hash, const struct devlist *next,
    const uint8_t next_hash[static SHA256_LEN]);
enum devlist_age devlist_age(const struct devlist *l, uint64_t now_ms);
/* The entry of a device; NULL when there is none. */
const struct devlist_entry *devlist_find(const struct devlist *l,
    uint32_t device);
/*
 * Is this certificate the one that the list names for its device, of the same
 * account, with the same flags and account key?
 * ERR_UNTRUSTED: no.  ERR_FORBIDDEN: it claims another account.
 */
MUST_USE enum err devlist_check_cert(const struct provider *p,
    const struct devlist *l, struct span cert_bytes, const struct cert *c);

#endif
