/*
 * verification.h: SecurityVerification, what a device signs when its user has
 * compared a safety number (docs/protocol.md, "Verified marks"), so that the
 * user's other devices may believe it and the server can not make one up.
 * Server and clients use the same checks. Freestanding.
 *
 *	u8 1 | account[16] | u32 device | cert_hash[32] | peer account[16] |
 *	peer aik_hash[32] | u8 method | u8 flags | u64 time_ms |
 *	signature[3373] by the device's key, context NJ1/verified
 *
 * It counts only while the certificate that it names is the one that the
 * account's newest list has for its device: whoever renews a certificate
 * signs the marks that still hold anew.
 */
#ifndef PUB_VERIFICATION_H
#define PUB_VERIFICATION_H

#include "pub/cert.h"

#define VERIFICATION_BODY_LEN (1 + ID_LEN + 4 + 32 + ID_LEN + 32 + 1 + 1 + 8)
#define VERIFICATION_LEN (VERIFICATION_BODY_LEN + COMPOSITE_SIG_LEN) /* 3484 */

enum verification_method {
	VERIFICATION_NUMBER = 1,	/* the digits were compared */
	VERIFICATION_CODE = 2		/* the other's code was scanned or
					 * pasted */
};

#define VERIFICATION_WITHDRAWN 1u	/* flag: the mark is taken back */

struct verification {
	struct user_id account;			/* whose device signs */
	uint32_t device;
	uint8_t cert_hash[SHA256_LEN];
	struct user_id peer;			/* who was verified */
	uint8_t peer_aik_hash[SHA256_LEN];	/* and with which key */
	uint8_t method;				/* enum verification_method */
	bool withdrawn;
	uint64_t time_ms;
};

/*
 * Layout only: length, version octet, device >= 1, a known method and flags,
 * a peer that is another account. ERR_FORMAT, ERR_VERSION; *out is zeroed
 * then.
 */
MUST_USE enum err verification_decode(struct span bytes,
    struct verification *out);
/* Appends the part that is signed. ERR_ARG: decode would refuse it. */
MUST_USE enum err verification_encode(const struct verification *v,
    struct wr *w);
/* Appends body and signature. ERR_ARG, ERR_SPACE, ERR_PROVIDER. */
MUST_USE enum err verification_sign(const struct provider *p,
    const struct composite_priv *dsk, const struct verification *v,
    struct wr *w);
/*
 * Decodes, then: it names this certificate (its account, device and hash) and
 * the certificate's key signed it. Whether the certificate is listed now is
 * for the caller to ask (devlist_check_cert).
 * ERR_FORMAT, ERR_VERSION, ERR_FORBIDDEN: another account or device.
 * ERR_UNTRUSTED: another certificate.  ERR_AUTH.  *out is zeroed unless OK.
 */
MUST_USE enum err verification_verify(const struct provider *p,
    struct span bytes, const struct cert *c,
    const uint8_t cert_hash[static SHA256_LEN], struct verification *out);
/*
 * Of two records about the same peer (both verified), does a replace b? The
 * later one does; at the same time the one that takes the mark back.
 */
bool verification_replaces(const struct verification *a,
    const struct verification *b);

#endif
