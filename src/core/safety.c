/*
 * safety.c: safety numbers, see safety.h.
 */
#include "core/safety.h"

#include "base/text.h"
#include "crypto/hash.h"

#define HALF_DIGITS 30
#define QR_VERSION 1

enum err
safety_fingerprint(const struct provider *p,
    const uint8_t aik[static COMPOSITE_PUB_LEN], const struct user_id *account,
    struct safety_print *out)
{
	static const uint8_t version[2] = { 0, 1 };
	uint8_t k[SHA512_LEN], h[SHA512_LEN], next[SHA512_LEN];
	struct span key[2] = { SPAN("NJ1 safety"),
	    span_of(aik, COMPOSITE_PUB_LEN) };
	struct span first[4] = { SPAN_OF(version), SPAN_OF(k),
	    ID_SPAN(*account), SPAN_OF(k) };
	struct span more[2] = { SPAN_OF(h), SPAN_OF(k) };

	TRY(p->sha512(p->ctx, key, 2, k));
	TRY(p->sha512(p->ctx, first, 4, h));
	for (int i = 1; i < SAFETY_HASHES; i++) {
		TRY(p->sha512(p->ctx, more, 2, next));
		memcpy(h, next, sizeof(h));
	}
	memcpy(out->b, h, SAFETY_PRINT_LEN);
	return OK;
}

/* Six groups of five digits: 5-byte integers mod 100000. */
static void
half_digits(const struct safety_print *f, char out[static HALF_DIGITS])
{
	struct rd r = rd_init(SPAN_OF(f->b));

	for (size_t g = 0; g < HALF_DIGITS / 5; g++) {
		uint64_t v = (uint64_t)rd_u8(&r) << 32;

		v = (v | rd_u32(&r)) % 100000;
		for (size_t d = 5; d-- > 0; v /= 10)
			out[g * 5 + d] = (char)('0' + v % 10);
	}
}

void
safety_number(const struct safety_print *a, const struct safety_print *b,
    char out[static SAFETY_DIGITS + 1])
{
	char x[HALF_DIGITS], y[HALF_DIGITS];
	bool x_first;

	half_digits(a, x);
	half_digits(b, y);
	x_first = memcmp(x, y, HALF_DIGITS) <= 0;
	memcpy(out, x_first ? x : y, HALF_DIGITS);
	memcpy(&out[HALF_DIGITS], x_first ? y : x, HALF_DIGITS);
	out[SAFETY_DIGITS] = '\0';
}

void
safety_qr(const struct safety_print *own, const struct safety_print *peer,
    uint8_t out[static SAFETY_QR_LEN])
{
	struct wr w = wr_init(out, SAFETY_QR_LEN);

	wr_u8(&w, QR_VERSION);
	wr_bytes(&w, own->b, 32);
	wr_bytes(&w, peer->b, 32);
}

void
safety_qr_text(const struct safety_print *own, const struct safety_print *peer,
    char out[static SAFETY_QR_TEXT_LEN + 1])
{
	uint8_t qr[SAFETY_QR_LEN];

	safety_qr(own, peer, qr);
	out[base64url_encode(SPAN_OF(qr), out)] = '\0';
}

enum err
safety_check_qr(const struct safety_print *own,
    const struct safety_print *peer, struct span scanned)
{
	uint8_t want[SAFETY_QR_LEN];

	if (scanned.n != SAFETY_QR_LEN)
		return ERR_FORMAT;
	if (scanned.p[0] != QR_VERSION)
		return ERR_VERSION;
	/* The peer shows itself first: both halves are swapped. */
	safety_qr(peer, own, want);
	return ct_eq(want, scanned.p, sizeof(want)) ? OK : ERR_UNTRUSTED;
}

enum err
safety_check_qr_text(const struct safety_print *own,
    const struct safety_print *peer, struct span text)
{
	uint8_t qr[SAFETY_QR_LEN + 3];
	size_t n;

	if (text.n != SAFETY_QR_TEXT_LEN || !base64url_decode(text, qr, &n))
		return ERR_FORMAT;
	return safety_check_qr(own, peer, span_of(qr, n));
}
