/*
 * known_fuzz.c: the small texts that come from outside in the life of an
 * account: a known device, the code of an invitation, a head of the audit log.
 * What is taken is written as it was; case and hyphens of a code do not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fuzz.h"
#include "base/text.h"
#include "crypto/host.h"
#include "server/audit_check.h"
#include "server/known.h"
#include "server/ops/invites.h"

static const uint8_t key[32] = { 5 };

static void
one_known(struct span s)
{
	uint8_t id[KNOWN_ID_LEN], raw[KNOWN_LEN];
	char again[2 * KNOWN_LEN];
	struct user_id user;
	size_t n = 0;

	/* Nobody makes one without the key, unless by chance of 2^-256. */
	if (known_read(key, s, &user, id))
		abort();
	/* Ours with the bytes of the input changed in it is none either. */
	memset(user.b, 3, ID_LEN);
	if (known_make(key, &user, again) != OK)
		abort();
	if (s.n > 0)
		again[s.p[0] % KNOWN_LEN] ^= (char)(s.p[s.n - 1] & 0x7f);
	bool same = s.n == 0 || (s.p[s.n - 1] & 0x7f) == 0;
	if (known_read(key, span_of(again, KNOWN_LEN), &user, id) != same)
		abort();
	if (same && (!base64url_decode(span_of(again, KNOWN_LEN), raw, &n) ||
	    memcmp(raw, user.b, ID_LEN) != 0))
		abort();
}

static void
one_code(struct span s)
{
	uint8_t a[32], b[32], text[128];
	size_t n = 0;

	if (!invites_code_hash(s, a))
		return;
	for (size_t i = 0; i < s.n && n + 2 < sizeof(text); i++) {
		uint8_t ch = s.p[i];

		text[n++] = ch >= 'A' && ch <= 'Z' ? (uint8_t)(ch + 32) : ch;
		text[n++] = '-';
	}
	if (s.n <= 40 && (!invites_code_hash(span_of(text, n), b) ||
	    memcmp(a, b, sizeof(a)) != 0))
		abort();
}

static void
one_head(struct span s)
{
	struct audit_head h = { .first_sequence = 1 }, again = h;
	char text[AUDIT_HEAD_TEXT];

	if (!audit_head_decode(s, &h.last_sequence, h.last_hash))
		return;
	audit_head_encode(&h, text);
	if (!audit_head_decode(span_str(text), &again.last_sequence,
	    again.last_hash) || memcmp(&h, &again, sizeof(h)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_of(data, size);

	one_known(s);
	one_code(s);
	one_head(s);
	return 0;
}
