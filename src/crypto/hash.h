/*
 * hash.h: the tuple hash of the protocol (docs/protocol.md, "Keys"),
 *	TH(label, p1..pn) = SHA-256(u8 len(label) || label ||
 *	                            for each i: u32 len(pi) || pi)
 * which no two different tuples share, and SHA-256/512 of one span.
 * Freestanding.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "crypto/provider.h"

#define HASH_PARTS_MAX 32

/*
 * hash_tuple(p, label, parts, n_parts, out):
 *   label    in   a literal of at most 255 bytes
 *   parts    in   each below 2^32 bytes
 *   n_parts  in   at most HASH_PARTS_MAX
 *   out      out  zeroed unless OK
 * ERR_ARG: a limit is exceeded.  ERR_PROVIDER.
 */
MUST_USE enum err hash_tuple(const struct provider *p, const char *label,
    const struct span *parts, size_t n_parts, uint8_t out[static SHA256_LEN]);

/* TH(label, part). */
MUST_USE enum err hash_tuple1(const struct provider *p, const char *label,
    struct span part, uint8_t out[static SHA256_LEN]);
/* TH(label, a, b). */
MUST_USE enum err hash_tuple2(const struct provider *p, const char *label,
    struct span a, struct span b, uint8_t out[static SHA256_LEN]);

MUST_USE enum err hash_sha256(const struct provider *p, struct span in,
    uint8_t out[static SHA256_LEN]);
MUST_USE enum err hash_sha512(const struct provider *p, struct span in,
    uint8_t out[static SHA512_LEN]);

#endif
