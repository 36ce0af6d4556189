/*
 * seal.h: one value of the profile, encrypted (docs/protocol.md, "State at
 * rest"):
 *	salt (32, random) || AES-256-GCM(key, nonce, AD, value)
 *	key || nonce = HKDF(salt, profile key, "NJ1 store", 44)
 *	AD = u8 kind || record key || u64 generation
 * so a value opens only in its own place and at its own generation. A fresh
 * salt for each writing makes key and nonce fresh, too.
 */
#ifndef CLI_SEAL_H
#define CLI_SEAL_H

#include "crypto/provider.h"

#define SEAL_SALT_LEN 32
#define SEAL_OVERHEAD (SEAL_SALT_LEN + GCM_TAG_LEN)
#define SEAL_KEY_LEN 32		/* the profile key */
#define SEAL_NAME_MAX 255	/* bytes of a record's key */

struct seal_key {
	uint8_t b[SEAL_KEY_LEN];
};

/* Which record a value belongs to. */
struct seal_place {
	uint8_t kind;
	struct span key;		/* at most SEAL_NAME_MAX bytes */
	uint64_t generation;
};

/*
 * seal_close(pv, k, at, value, out):
 * Adds value.n + SEAL_OVERHEAD bytes to `out`.
 * ERR_ARG: at->key too long.  ERR_TOO_LARGE, ERR_NOMEM: of the buffer.
 * ERR_PROVIDER.
 */
MUST_USE enum err seal_close(const struct provider *pv,
    const struct seal_key *k, const struct seal_place *at, struct span value,
    struct buf *out);
/*
 * seal_open(pv, k, at, sealed, value_out, n_out):
 *   value_out  out  room for sealed.n bytes; nothing is written unless OK
 * ERR_AUTH: another key, place or generation, or changed bytes.
 */
MUST_USE enum err seal_open(const struct provider *pv,
    const struct seal_key *k, const struct seal_place *at, struct span sealed,
    uint8_t *value_out, size_t *n_out);

/*
 * Names the profile without telling anything of its key: HKDF(no salt, profile
 * key, "NJ1 profile id", 16). Another key: another profile. ERR_PROVIDER.
 */
#define SEAL_ID_LEN 16
MUST_USE enum err seal_id(const struct provider *pv,
    const struct seal_key *k, uint8_t out[static SEAL_ID_LEN]);

#endif
