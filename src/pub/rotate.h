/*
 * rotate.h: the renewal of an account key (docs/protocol.md, "Renewing the
 * account key"): old and new key vouch for each other, so that those who know
 * the old one may go on with the new one. Server and clients use the same
 * checks. Freestanding.
 *
 *	u8 1 | account[16] | old aik[1984] | new aik[1984] | u64 version |
 *	u64 time_ms | signature by old[3373] | signature by new[3373]
 * Both signatures cover everything before the first, context NJ1/aik-rotate.
 */
#ifndef PUB_ROTATE_H
#define PUB_ROTATE_H

#include "pub/devlist.h"

#define ROTATE_BODY_LEN (1 + ID_LEN + 2 * COMPOSITE_PUB_LEN + 8 + 8)
#define ROTATE_LEN (ROTATE_BODY_LEN + 2 * COMPOSITE_SIG_LEN)	/* 10747 */
#define ROTATE_CHAIN_MAX 16		/* newest ones that a server gives */

struct rotate {
	struct user_id account;
	uint8_t old_aik[COMPOSITE_PUB_LEN];
	uint8_t new_aik[COMPOSITE_PUB_LEN];
	uint64_t version;	/* of the first list under the new key, >= 2 */
	uint64_t time_ms;
};

/*
 * Layout only: length, version octet, two different keys, version >= 2.
 * ERR_FORMAT, ERR_VERSION; *out is zeroed then.
 */
MUST_USE enum err rotate_decode(struct span bytes, struct rotate *out);
/* Appends the part that is signed. ERR_ARG: decode would refuse it.
 * ERR_SPACE. */
MUST_USE enum err rotate_encode(const struct rotate *r, struct wr *w);
/* Appends body and both signatures; the keys of r belong to the two private
 * ones. ERR_ARG, ERR_SPACE, ERR_PROVIDER. */
MUST_USE enum err rotate_sign(const struct provider *p,
    const struct composite_priv *old_aik, const struct composite_priv *new_aik,
    const struct rotate *r, struct wr *w);
/*
 * Decodes and checks both signatures by the keys that stand in it.
 * ERR_FORMAT, ERR_VERSION, ERR_FORBIDDEN: another account's.  ERR_AUTH: a
 * signature does not hold. *out is zeroed unless OK.
 */
MUST_USE enum err rotate_verify(const struct provider *p, struct span bytes,
    const struct user_id *account, struct rotate *out);
/*
 * Do two renewals (verified) contradict each other: from one old key to two
 * different new ones? Whoever has the old key may have made either.
 */
bool rotate_conflicts(const struct rotate *a, const struct rotate *b);
/*
 * rotate_succeeds(r, known, known_hash, next, next_hash):
 * For the server, which has every list: next (verified) is the version right
 * after known, under the new key of r (verified), which renews known's key
 * from just this version on.
 * ERR_LIST_CONFLICT: it does not follow.  ERR_UNTRUSTED: r is about other
 * keys or another version.  ERR_FORBIDDEN: another account.
 */
MUST_USE enum err rotate_succeeds(const struct rotate *r,
    const struct devlist *known, const uint8_t known_hash[static SHA256_LEN],
    const struct devlist *next, const uint8_t next_hash[static SHA256_LEN]);
/*
 * rotate_lead(p, rotations, n, known, next):
 * For a client that knows one list of an account and is shown another one,
 * under another key: do the renewals (signed objects, in any order, at most
 * ROTATE_CHAIN_MAX) lead from known's key to next's? Each must hold from a
 * version above the one before, the first above known's, the last not above
 * next's. That next follows by devlist_follow_renewed stays to be asked.
 * OK: yes.  ERR_IDENTITY_CHANGED: they do not lead there.  ERR_CONFLICT: two
 * of them contradict each other.  ERR_FORMAT, ERR_VERSION, ERR_FORBIDDEN,
 * ERR_AUTH: one is not valid.  ERR_TOO_LARGE: too many.
 */
MUST_USE enum err rotate_lead(const struct provider *p,
    const struct span *rotations, size_t n, const struct devlist *known,
    const struct devlist *next);

#endif
