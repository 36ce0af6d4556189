/*
 * hkdf.h: HKDF-SHA-256 (RFC 5869) over the provider's HMAC. Inputs that are
 * concatenations are given in parts, so that secrets are not copied about.
 * Freestanding; what it holds in between is wiped.
 */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include "crypto/provider.h"

#define HKDF_PRK_LEN SHA256_LEN
#define HKDF_OUT_MAX (255 * SHA256_LEN)		/* RFC 5869 2.3 */
#define HKDF_INFO_PARTS_MAX 8

/* RFC 5869 2.2. An empty salt is 32 zero bytes. prk_out is zeroed unless OK. */
MUST_USE enum err hkdf_extract(const struct provider *p, struct span salt,
    const struct span *ikm, size_t n_ikm, uint8_t prk_out[static HKDF_PRK_LEN]);

/*
 * RFC 5869 2.3 over the concatenation of the info parts. out holds n bytes,
 * zeroed unless OK. prk may have any length. ERR_ARG: n > HKDF_OUT_MAX or
 * n_info > HKDF_INFO_PARTS_MAX.
 */
MUST_USE enum err hkdf_expand(const struct provider *p, struct span prk,
    const struct span *info, size_t n_info, uint8_t *out, size_t n);

/* Extract, then expand, with single spans. out may be ikm.p. */
MUST_USE enum err hkdf_derive(const struct provider *p, struct span salt,
    struct span ikm, struct span info, uint8_t *out, size_t n);

/* The same with parts on both sides. */
MUST_USE enum err hkdf_derive_parts(const struct provider *p, struct span salt,
    const struct span *ikm, size_t n_ikm, const struct span *info,
    size_t n_info, uint8_t *out, size_t n);

#endif
