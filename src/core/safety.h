/*
 * safety.h: the safety number, by which two people see that nobody stands
 * between them (docs/protocol.md, "Safety number"). It depends on the account
 * keys alone. Freestanding; 5,200 hashes for each person.
 */
#ifndef CORE_SAFETY_H
#define CORE_SAFETY_H

#include "base/id.h"
#include "crypto/composite.h"

#define SAFETY_PRINT_LEN 64
#define SAFETY_DIGITS 60
#define SAFETY_QR_LEN (1 + 32 + 32)
#define SAFETY_QR_TEXT_LEN 87		/* base64url of 65 bytes */
#define SAFETY_HASHES 5200

struct safety_print { uint8_t b[SAFETY_PRINT_LEN]; };

MUST_USE enum err safety_fingerprint(const struct provider *p,
    const uint8_t aik[static COMPOSITE_PUB_LEN], const struct user_id *account,
    struct safety_print *out);
/* 60 digits and a NUL, the same for both; shown in groups of five. */
void safety_number(const struct safety_print *a, const struct safety_print *b,
    char out[static SAFETY_DIGITS + 1]);
void safety_qr(const struct safety_print *own, const struct safety_print *peer,
    uint8_t out[static SAFETY_QR_LEN]);
/* The same as text, base64url, with a NUL. */
void safety_qr_text(const struct safety_print *own,
    const struct safety_print *peer, char out[static SAFETY_QR_TEXT_LEN + 1]);
/*
 * Compares a scanned code (bytes) in constant time. ERR_FORMAT, ERR_VERSION;
 * ERR_UNTRUSTED: not what the peer has to show.
 */
MUST_USE enum err safety_check_qr(const struct safety_print *own,
    const struct safety_print *peer, struct span scanned);
MUST_USE enum err safety_check_qr_text(const struct safety_print *own,
    const struct safety_print *peer, struct span text);

#endif
