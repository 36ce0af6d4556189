/*
 * keyfile.h: the profile key in a file of its own (mode 0600), plain or
 * wrapped by a passphrase:
 *	"NJPK" || u8 1 || u8 form || ...
 *	form 0:	key (32)
 *	form 1:	salt (16) || u32 m_kib || u32 t || u32 p || wrapped (48)
 *		wrapped = AES-256-GCM(key, nonce, all bytes before, profile key)
 *		key || nonce = Argon2id(passphrase, salt, m, t, p, 44)
 * A plain one protects a copied profile.db only, not a copied folder.
 */
#ifndef CLI_KEYFILE_H
#define CLI_KEYFILE_H

#include "cli/seal.h"

#define KEYFILE_PASSPHRASE_MAX 1024

/* Argon2id: 128 MiB, about a third of a second (RFC 9106 4). */
#define KEYFILE_M_KIB 131072u
#define KEYFILE_T 3u
#define KEYFILE_P 4u

/*
 * Asks for the passphrase: writes at most KEYFILE_PASSPHRASE_MAX bytes.
 * ERR_FORBIDDEN: there is nobody to ask.
 */
typedef enum err (*keyfile_ask_fn)(void *ctx, char *out, size_t *n_out);

/*
 * Makes a random key and a file for it; an empty passphrase: plain.
 * ERR_CONFLICT: the file is there already. ERR_IO, ERR_PROVIDER.
 */
MUST_USE enum err keyfile_make(const struct provider *pv, const char *path,
    struct span passphrase, struct seal_key *key_out);
/*
 * Reads it. ask may be NULL (then a wrapped one is ERR_FORBIDDEN).
 * ERR_NOT_FOUND. ERR_FORMAT: no key file. ERR_INVALID_CREDENTIALS: another
 * passphrase. ERR_UNTRUSTED: others may read the file. ERR_IO, ERR_PROVIDER.
 */
MUST_USE enum err keyfile_read(const struct provider *pv, const char *path,
    keyfile_ask_fn ask, void *ctx, struct seal_key *key_out);

#endif
