/*
 * kdf.h: the three key derivations of the ratchet (docs/protocol.md,
 * "Ratchet" and "Messages"). Freestanding; secrets are wiped.
 */
#ifndef CORE_KDF_H
#define CORE_KDF_H

#include "crypto/provider.h"

#define KEY_LEN 32
#define SALT_LEN 8

/*
 * HKDF(salt = rk, ikm = dh || pq, info = "NJ1 root" || u32 epoch, 64)
 *   rk      in/out  the root key; changed only when OK is returned
 *   pq      in      32 bytes, or NULL with epoch 0 when nothing is mixed
 *   ck_out  out     the new chain key; zeroed unless OK
 */
MUST_USE enum err kdf_root(const struct provider *p, uint8_t rk[static KEY_LEN],
    const uint8_t dh[static X25519_LEN], const uint8_t *pq, uint32_t epoch,
    uint8_t ck_out[static KEY_LEN]);
/* mk = HMAC(ck, 0x01). */
MUST_USE enum err kdf_message_key(const struct provider *p,
    const uint8_t ck[static KEY_LEN], uint8_t mk_out[static KEY_LEN]);
/* ck = HMAC(ck, 0x02), in place. */
MUST_USE enum err kdf_chain_step(const struct provider *p,
    uint8_t ck[static KEY_LEN]);
/* key || nonce = HKDF-Expand(mk, "NJ1 msg" || salt, 44). */
MUST_USE enum err kdf_seal_key(const struct provider *p,
    const uint8_t mk[static KEY_LEN], const uint8_t salt[static SALT_LEN],
    uint8_t key_out[static AES256_KEY_LEN],
    uint8_t nonce_out[static GCM_NONCE_LEN]);

#endif
