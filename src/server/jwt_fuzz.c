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
static struct jwt_keys pair;	/* EdDSA */

/* A key pair, once. */
static void
begin(void)
{
	struct host_signer *k;
	struct buf pem;

	if (pair.own.key != NULL)
		return;
	buf_init(&pem, HOST_SIGNER_PEM_MAX);
	pair.alg = JWT_EDDSA;
	if (host_init() != OK || host_signer_make(HOST_SIGNER_EDDSA, &pem) !=
	    OK || host_signer_open(buf_span(&pem), &k) != OK ||
	    jwt_public_init(&pair.own, k) != OK)
		abort();
	buf_fini(&pem);
}

static void
check(const struct jwt_keys *by, struct span text, enum jwt_type type)
{
	uint8_t again[JWT_MAX];
	struct wr w = wr_init(again, sizeof(again));
	struct jwt t, u;

	if (jwt_decode(by, text, type, NOW, &t) != OK)
		return;
	if (t.type != type || t.expires_s <= NOW ||
	    jwt_encode(by, &t, &w) != OK || !wr_ok(&w) ||
	    jwt_decode(by, wr_done(&w), type, NOW, &u) != OK)
		abort();
	if (!ID_EQ(t.user, u.user) || !ID_EQ(t.session, u.session) ||
	    !ID_EQ(t.id, u.id) || t.issued_s != u.issued_s ||
	    t.expires_s != u.expires_s || t.username_n != u.username_n ||
	    memcmp(t.username, u.username, t.username_n) != 0)
		abort();
}

/* The same claims by the key pair: they count as much, and to it alone. */
static void
sign_by_pair(struct span claims)
{
	char part[2 * JWT_MAX];
	uint8_t text[4 * JWT_MAX], sig[HOST_SIG_MAX];
	struct wr w = wr_init(text, sizeof(text));
	struct jwt t;
	size_t n;

	wr_bytes(&w, pair.own.header, pair.own.header_n);
	wr_bytes(&w, part, base64url_encode(claims, part));
	if (host_signer_sign(pair.own.key, wr_done(&w), sig, &n) != OK)
		abort();
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(span_of(sig, n), part));
	check(&pair, wr_done(&w), JWT_ACCESS);
	check(&pair, wr_done(&w), JWT_REFRESH);
	if (jwt_decode(&keys, wr_done(&w), JWT_ACCESS, NOW, &t) == OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char part[2 * JWT_MAX];
	uint8_t text[4 * JWT_MAX], mac[SHA256_LEN];
	struct wr w = wr_init(text, sizeof(text));
	struct jwt t;

	begin();
	if (size > JWT_MAX)
		return 0;
	if (jwt_decode(&pair, span_of(data, size), JWT_ACCESS, NOW, &t) == OK)
		abort();	/* a forgery */
	if (jwt_decode(&keys, span_of(data, size), JWT_ACCESS, NOW, &t) == OK)
		abort();	/* a forgery */
	wr_str(&w, HEADER);
	wr_bytes(&w, part, base64url_encode(span_of(data, size), part));
	if (host_hmac_sha256(SPAN_OF(keys.secret.b), wr_done(&w), mac) != OK)
		abort();
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(SPAN_OF(mac), part));
	check(&keys, wr_done(&w), JWT_ACCESS);
	check(&keys, wr_done(&w), JWT_REFRESH);
	sign_by_pair(span_of(data, size));
	return 0;
}
