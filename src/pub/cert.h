/*
 * cert.h: the device certificate (docs/protocol.md, "Devices"): the public
 * keys of one device. It is not signed: the account's device list signs its
 * hash, and the device shows possession by signing its prekey batches.
 * Freestanding; client, core and server share these checks.
 *
 *	u8 1 | account[16] | aik_hash[32] | u32 device >= 1 | u64 created_ms |
 *	u8 flags | dsk[1984] | ikx[32] | ikk[1184] | u8 n | u16 suite[n] |
 *	u8 vmin | u8 vmax
 */
#ifndef PUB_CERT_H
#define PUB_CERT_H

#include "base/id.h"
#include "crypto/composite.h"

#define CERT_SUITES_MAX 16
#define CERT_LEN_MAX (1 + 16 + 32 + 4 + 8 + 1 + COMPOSITE_PUB_LEN + \
	X25519_LEN + MLKEM_EK_LEN + 1 + 2 * CERT_SUITES_MAX + 2)

/* Flags of a device, equal in its list entry and in its certificate. */
#define DEVICE_PRIMARY 1u
#define DEVICE_MANAGER 2u		/* holds the account key */
#define DEVICE_WEB 4u
#define DEVICE_FLAGS 7u			/* all that exist */

/* Suites (docs/protocol.md, "Devices"). */
#define SUITE_RATCHET 1
#define SUITE_GROUP 2
#define SUITE_HYBRID 3
#define SUITE_RSA 4

struct cert {
	struct user_id account;
	uint8_t aik_hash[SHA256_LEN];
	uint32_t device;
	uint64_t created_ms;
	uint8_t flags;
	uint8_t dsk[COMPOSITE_PUB_LEN];
	uint8_t ikx[X25519_LEN];
	uint8_t ikk[MLKEM_EK_LEN];
	uint8_t suites_n;			/* preferred first */
	uint16_t suites[CERT_SUITES_MAX];
	uint8_t vmin, vmax;
};

/*
 * Layout only: lengths, version, known flags, device >= 1, distinct suites,
 * vmin <= vmax, nothing behind. ERR_FORMAT, ERR_VERSION; *out is zeroed then.
 */
MUST_USE enum err cert_decode(struct span bytes, struct cert *out);
/* Appends the encoding, at most CERT_LEN_MAX bytes. ERR_ARG: decode would
 * refuse it. ERR_SPACE. */
MUST_USE enum err cert_encode(const struct cert *c, struct wr *w);
/*
 * What goes beyond the layout: the X25519 key is canonical (one of small order
 * ends every set-up with it), the ML-KEM key passes the modulus check, version
 * 1 is offered. ERR_FORMAT, ERR_VERSION.
 */
MUST_USE enum err cert_check(const struct cert *c);
/* TH("NJ1 cert", bytes). */
MUST_USE enum err cert_hash(const struct provider *p, struct span bytes,
    uint8_t out[static SHA256_LEN]);
/* TH("NJ1 aik", account key). */
MUST_USE enum err cert_aik_hash(const struct provider *p,
    const uint8_t aik[static COMPOSITE_PUB_LEN],
    uint8_t out[static SHA256_LEN]);
bool cert_has_suite(const struct cert *c, uint16_t suite);

#endif
