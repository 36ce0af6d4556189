/*
 * text.h: UTF-8, base64, hex and time as text. Decoders are strict: what they
 * accept has exactly one encoding. Freestanding.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/* Well-formed UTF-8 (Unicode table 3-7: no surrogates, no overlong form). */
bool utf8_valid(struct span s);

/* The same, as the bytes arrive in pieces (RFC 6455 8.1). */
struct utf8 {
	uint32_t state;		/* 0: between characters */
};
/* False as soon as no continuation can make it valid. */
bool utf8_feed(struct utf8 *u, struct span piece);
bool utf8_end(const struct utf8 *u);
/* The character at the front (U+FFFD for a bad one) and its length >= 1. */
size_t utf8_next(struct span s, uint32_t *code_out);
/* Writes a code point; bytes written, 0 when it is no scalar value. */
size_t utf8_put(uint32_t code, uint8_t out[static 4]);

/* Standard alphabet, padded (RFC 4648 4); unused bits must be zero. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
size_t base64_encode(struct span in, char *out);	/* no NUL; length */
/* Upper bound of the decoded length is in.n / 4 * 3. */
bool base64_decode(struct span in, uint8_t *out, size_t *n_out);
/* URL alphabet, no padding (RFC 4648 5): for JWT and links. */
size_t base64url_encode(struct span in, char *out);
bool base64url_decode(struct span in, uint8_t *out, size_t *n_out);
/*
 * As Node's Buffer and many clients' counterparts read either alphabet: up to
 * the first '=', whatever is no digit passed over. Returns how many bytes.
 */
#define BASE64_ANY_MAX(n) ((n) / 4 * 3 + (n) % 4)
size_t base64_decode_any(struct span in, uint8_t *out);

/* ASCII letters in lower case, all else as it is; out: in.n bytes. */
void text_lower(struct span in, uint8_t *out);

void hex_encode(struct span in, char *out);		/* 2n, no NUL */
bool hex_decode(struct span in, uint8_t *out);		/* n/2 bytes */

/* "2026-11-21T09:08:51.123Z", 24 characters and a NUL. */
#define TIME_TEXT_LEN 24
void time_encode(uint64_t unix_ms, char out[static TIME_TEXT_LEN + 1]);
/* ISO 8601 in UTC, with or without milliseconds. */
bool time_decode(struct span s, uint64_t *unix_ms_out);

#endif
