/*
 * settings.h: the account's settings, sealed for its own devices under the
 * account secret (docs/protocol.md, "Settings"): 32 random bytes, made on the
 * first device, part of what linking and backups hand on. Freestanding.
 *
 *	0x10 | u8 1 | salt[32] | AES-256-GCM(pad(plain)) | tag[16]
 * The version under which the server keeps it is authenticated too, so that
 * an old one is not taken for a newer one.
 */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include "base/id.h"
#include "crypto/provider.h"

#define SETTINGS_SECRET_LEN 32
#define SETTINGS_SEALED_MAX 65536
#define SETTINGS_OVERHEAD (2 + 32 + 16)
/* What can be sealed: padded it fits SETTINGS_SEALED_MAX. */
#define SETTINGS_PLAIN_MAX 61000

/* Appends it. version: the one that this will be. ERR_TOO_LARGE, ERR_SPACE. */
MUST_USE enum err settings_seal(const struct provider *p,
    const uint8_t secret[static SETTINGS_SECRET_LEN],
    const struct user_id *account, uint64_t version, struct span plain,
    struct wr *w);
/*
 * settings_open(p, secret, account, version, sealed, mem, plain_out):
 *   mem        out  at least sealed.n bytes; zeros unless OK
 *   plain_out  out  within mem
 * ERR_AUTH: another secret, account or version, or changed.  ERR_FORMAT,
 * ERR_VERSION.
 */
MUST_USE enum err settings_open(const struct provider *p,
    const uint8_t secret[static SETTINGS_SECRET_LEN],
    const struct user_id *account, uint64_t version, struct span sealed,
    uint8_t *mem, struct span *plain_out);

#endif
