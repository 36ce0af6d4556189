/*
 * strict.h: the checks of received public values that libraries disagree
 * about, written once for every provider (docs/protocol.md, "Keys"). Public
 * data only, so nothing here needs constant time. Freestanding.
 */
#ifndef CRYPTO_STRICT_H
#define CRYPTO_STRICT_H

#include "crypto/provider.h"

/* Canonical: below 2^255 - 19 and the top bit 0 (RFC 7748 5 tolerates both). */
bool strict_x25519(const uint8_t pub[static X25519_LEN]);

/*
 * What has to hold before the cofactorless equation of RFC 8032 5.1.7 is
 * asked: S < L, A and R canonical encodings and not of small order.
 */
bool strict_ed25519(const uint8_t pub[static ED25519_PUB_LEN],
    const uint8_t sig[static ED25519_SIG_LEN]);

/* FIPS 203 7.2, modulus check: every coefficient is below 3329. */
bool strict_mlkem(const uint8_t ek[static MLKEM_EK_LEN]);

#endif
