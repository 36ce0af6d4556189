/*
 * jwt_fuzz.c: tokens from outside. Bytes as they are: none has our signature.
 * The same bytes as claims under a right signature: what is accepted survives
 * encode and decode.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "base/text.h"
#include "crypto/host.h"
#include "server/jwt.h"

#define HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
#define NOW 1000000

static const struct jwt_keys keys = { .secret = { { 1, 2, 3 } } };

static void
check(struct span text, enum jwt_type type)
{
	uint8_t again[JWT_MAX];
	struct wr w = wr_init(again, sizeof(again));
	struct jwt t, u;

	if (jwt_decode(&keys, text, type, NOW, &t) != OK)
		return;
	if (t.type != type || t.expires_s <= NOW ||
	    jwt_encode(&keys, &t, &w) != OK || !wr_ok(&w) ||
	    jwt_decode(&keys, wr_done(&w), type, NOW, &u) != OK)
		abort();
	if (!ID_EQ(t.user, u.user) || !ID_EQ(t.session, u.session) ||
	    !ID_EQ(t.id, u.id) || t.issued_s != u.issued_s ||
	    t.expires_s != u.expires_s || t.username_n != u.username_n ||
	    memcmp(t.username, u.username, t.username_n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char part[2 * JWT_MAX];
	uint8_t text[4 * JWT_MAX], mac[SHA256_LEN];
	struct wr w = wr_init(text, sizeof(text));
	struct jwt t;

	if (size > JWT_MAX)
		return 0;
	if (jwt_decode(&keys, span_of(data, size), JWT_ACCESS, NOW, &t) == OK)
		abort();	/* a forgery */
	wr_str(&w, HEADER);
	wr_bytes(&w, part, base64url_encode(span_of(data, size), part));
	if (host_hmac_sha256(SPAN_OF(keys.secret.b), wr_done(&w), mac) != OK)
		abort();
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(SPAN_OF(mac), part));
	check(wr_done(&w), JWT_ACCESS);
	check(wr_done(&w), JWT_REFRESH);
	return 0;
}
