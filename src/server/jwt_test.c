/* jwt_test.c: tokens that are ours and tokens that are not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "crypto/host.h"
#include "server/jwt.h"

#define NOW 1795255670u

static const struct jwt_keys keys = { .secret = { { 1, 2, 3 } } };

static struct span
token(enum jwt_type type, uint64_t expires, uint8_t *out)
{
	struct jwt t = { .user = { { 7 } }, .session = { { 8 } },
	    .id = { { 9 } }, .issued_s = NOW - 10, .expires_s = expires,
	    .type = type, .username_n = 5, .username = "alice" };
	struct wr w = wr_init(out, JWT_MAX);

	assert_int_equal(jwt_encode(&keys, &t, &w), OK);
	assert_true(wr_ok(&w));
	return wr_done(&w);
}

/* A token signed with our key, of any header and claims. */
static struct span
forge(const char *header, const char *claims, uint8_t *out)
{
	struct wr w = wr_init(out, 1024);
	uint8_t mac[SHA256_LEN];
	char part[1024];

	wr_bytes(&w, part, base64url_encode(span_str(header), part));
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(span_str(claims), part));
	assert_int_equal(host_hmac_sha256(SPAN_OF(keys.secret.b), wr_done(&w), mac),
	    OK);
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(SPAN_OF(mac), part));
	assert_true(wr_ok(&w));
	return wr_done(&w);
}

static enum err
check(struct span text)
{
	struct jwt t;
	enum err e = jwt_decode(&keys, text, JWT_ACCESS, NOW, &t);

	if (e != OK)
		assert_true(ID_IS_ZERO(t.user));
	return e;
}

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define ID "\"07000000-0000-0000-0000-000000000000\""
#define CLAIMS "\"userId\":" ID ",\"username\":\"alice\",\"sid\":" ID \
	",\"jti\":" ID ",\"iat\":1795255000"

static void
test_jwt_round_trip(void **state)
{
	uint8_t text[JWT_MAX];
	struct jwt t;

	(void)state;
	assert_int_equal(jwt_decode(&keys, token(JWT_ACCESS, NOW + 1, text),
	    JWT_ACCESS, NOW, &t), OK);
	assert_int_equal(t.user.b[0], 7);
	assert_int_equal(t.session.b[0], 8);
	assert_int_equal(t.id.b[0], 9);
	assert_int_equal(t.issued_s, NOW - 10);
	assert_int_equal(t.expires_s, NOW + 1);
	assert_int_equal(t.username_n, 5);
	assert_memory_equal(t.username, "alice", 5);
}

static void
test_jwt_refresh_token_has_no_name(void **state)
{
	uint8_t text[JWT_MAX];
	struct jwt t;

	(void)state;
	assert_int_equal(jwt_decode(&keys, token(JWT_REFRESH, NOW + 1, text),
	    JWT_REFRESH, NOW, &t), OK);
	assert_int_equal(t.user.b[0], 7);
	assert_int_equal(t.username_n, 0);
	/* And one that has a name is none of ours. */
	assert_int_equal(jwt_decode(&keys, forge(HEADER, "{" CLAIMS
	    ",\"type\":\"refresh\",\"exp\":1795255671}", text),
	    JWT_REFRESH, NOW, &t), ERR_INVALID_TOKEN);
}

static void
test_jwt_forge_makes_good_ones(void **state)
{
	uint8_t text[1024];

	(void)state;
	assert_int_equal(check(forge(HEADER, "{" CLAIMS
	    ",\"type\":\"access\",\"exp\":1795255671}", text)), OK);
}

static void
test_jwt_expired(void **state)
{
	uint8_t text[JWT_MAX];

	(void)state;
	assert_int_equal(check(token(JWT_ACCESS, NOW, text)),
	    ERR_TOKEN_EXPIRED);
}

static void
test_jwt_other_type(void **state)
{
	uint8_t text[JWT_MAX];

	(void)state;
	assert_int_equal(check(token(JWT_REFRESH, NOW + 9, text)),
	    ERR_INVALID_TOKEN);
}

static void
test_jwt_other_key(void **state)
{
	static const struct jwt_keys other = {
		.secret = { { 1, 2, 4 } } };
	uint8_t text[JWT_MAX];
	struct jwt t;

	(void)state;
	assert_int_equal(jwt_decode(&other, token(JWT_ACCESS, NOW + 9, text),
	    JWT_ACCESS, NOW, &t), ERR_INVALID_TOKEN);
}

/* RFC 8725 2.1, 3.1: no other algorithm, whatever its signature is. */
static void
test_jwt_rejects_other_algorithms(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"typ\":\"JWT\"}",
		"{\"alg\":\"None\"}", "{\"alg\":\"HS512\",\"typ\":\"JWT\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
		"{\"typ\":\"JWT\",\"alg\":\"HS256\"}", "{}", "" };
	uint8_t text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_int_equal(check(forge(headers[i], "{" CLAIMS
		    ",\"type\":\"access\",\"exp\":1795255671}", text)),
		    ERR_INVALID_TOKEN);
}

static void
test_jwt_rejects_unsigned(void **state)
{
	uint8_t text[JWT_MAX];
	struct span t = token(JWT_ACCESS, NOW + 9, text);

	(void)state;
	assert_int_equal(check(span_sub(t, 0, t.n - 43)), ERR_INVALID_TOKEN);
	assert_int_equal(check(span_sub(t, 0, t.n - 44)), ERR_INVALID_TOKEN);
}

static void
test_jwt_every_changed_byte_is_seen(void **state)
{
	uint8_t text[JWT_MAX];
	struct span t = token(JWT_ACCESS, NOW + 9, text);

	(void)state;
	for (size_t i = 0; i < t.n; i++) {
		text[i] ^= 1;
		assert_int_equal(check(t), ERR_INVALID_TOKEN);
		text[i] ^= 1;
	}
	assert_int_equal(check(t), OK);
}

static void
test_jwt_every_cut_is_seen(void **state)
{
	uint8_t text[JWT_MAX];
	struct span t = token(JWT_ACCESS, NOW + 9, text);

	(void)state;
	for (size_t n = 0; n < t.n; n++)
		assert_int_equal(check(span_sub(t, 0, n)),
		    ERR_INVALID_TOKEN);
}

static void
test_jwt_rejects_wrong_claims(void **state)
{
	static const char *const claims[] = {
		"", "[]", "null", "{}", "{" CLAIMS "}",
		"{" CLAIMS ",\"type\":\"access\"}",
		"{" CLAIMS ",\"type\":\"admin\",\"exp\":1795255671}",
		"{" CLAIMS ",\"type\":\"access\",\"exp\":\"1795255671\"}",
		"{" CLAIMS ",\"type\":\"access\",\"exp\":-1}",
		"{" CLAIMS ",\"type\":\"access\",\"exp\":1795255671,"
		    "\"role\":\"admin\"}",
		"{" CLAIMS ",\"type\":\"access\",\"exp\":1795255671,"
		    "\"exp\":1795255671}",
		"{" CLAIMS ",\"type\":\"access\",\"exp\":1795255671} ." };
	uint8_t text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		assert_int_equal(check(forge(HEADER, claims[i], text)),
		    ERR_INVALID_TOKEN);
}

/* ---- keys of RS256 and EdDSA ---- */

static struct jwt_keys both[2];		/* RS256, EdDSA */
static struct buf pems[2];

static int
make_keys(void **state)
{
	struct host_signer *k;

	(void)state;
	for (int i = 0; i < 2; i++) {
		both[i].secret = keys.secret;
		both[i].alg = i == 0 ? JWT_RS256 : JWT_EDDSA;
		buf_init(&pems[i], HOST_SIGNER_PEM_MAX);
		if (host_signer_make(i == 0 ? HOST_SIGNER_RS256 :
		    HOST_SIGNER_EDDSA, &pems[i]) != OK ||
		    host_signer_open(buf_span(&pems[i]), &k) != OK ||
		    jwt_public_init(&both[i].own, k) != OK)
			return -1;
	}
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		jwt_keys_fini(&both[i]);
		buf_fini(&pems[i]);
	}
	return 0;
}

static struct span
signed_by(const struct jwt_keys *k, enum jwt_type type, uint8_t *out)
{
	struct jwt t = { .user = { { 7 } }, .session = { { 8 } },
	    .id = { { 9 } }, .issued_s = NOW - 10, .expires_s = NOW + 9,
	    .type = type, .username_n = 5, .username = "alice" };
	struct wr w = wr_init(out, JWT_MAX);

	assert_int_equal(jwt_encode(k, &t, &w), OK);
	assert_true(wr_ok(&w));
	return wr_done(&w);
}

/* A token of any header and claims, signed by a key pair. */
static struct span
forge_by(const struct jwt_keys *k, const char *header, const char *claims,
    uint8_t *out)
{
	struct wr w = wr_init(out, 2048);
	uint8_t sig[HOST_SIG_MAX];
	char part[2048];
	size_t n;

	wr_bytes(&w, part, base64url_encode(span_str(header), part));
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(span_str(claims), part));
	assert_int_equal(host_signer_sign(k->own.key, wr_done(&w), sig, &n),
	    OK);
	wr_u8(&w, '.');
	wr_bytes(&w, part, base64url_encode(span_of(sig, n), part));
	assert_true(wr_ok(&w));
	return wr_done(&w);
}

static void
header_of(const struct jwt_keys *k, char *out, size_t max)
{
	int n = snprintf(out, max, "{\"alg\":\"%s\",\"typ\":\"JWT\","
	    "\"kid\":\"%s\"}", k->alg == JWT_RS256 ? "RS256" : "EdDSA",
	    k->own.kid);

	assert_in_range(n, 1, (int)max - 1);
}

static enum err
check_by(const struct jwt_keys *k, struct span text)
{
	struct jwt t;
	enum err e = jwt_decode(k, text, JWT_ACCESS, NOW, &t);

	if (e != OK)
		assert_true(ID_IS_ZERO(t.user));
	return e;
}

#define GOOD "{" CLAIMS ",\"type\":\"access\",\"exp\":1795255671}"

/* RFC 7518 3.3, RFC 8037 3.1 */
static void
test_jwt_by_key_pairs(void **state)
{
	uint8_t text[2048];
	char header[256];
	struct jwt t;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct span s = signed_by(&both[i], JWT_ACCESS, text);

		assert_int_equal(jwt_decode(&both[i], s, JWT_ACCESS, NOW, &t),
		    OK);
		assert_int_equal(t.session.b[0], 8);
		assert_int_equal(t.username_n, 5);
		assert_int_equal(jwt_decode(&both[i], s, JWT_REFRESH, NOW,
		    &t), ERR_INVALID_TOKEN);
		assert_int_equal(jwt_decode(&both[i], s, JWT_ACCESS, NOW + 9,
		    &t), ERR_TOKEN_EXPIRED);
		for (size_t k = 0; k < s.n; k += 3) {
			text[k] ^= 1;
			assert_int_equal(check_by(&both[i], s),
			    ERR_INVALID_TOKEN);
			text[k] ^= 1;
			assert_int_equal(check_by(&both[i], span_sub(s, 0,
			    k)), ERR_INVALID_TOKEN);
		}
		/* This is how the next tests forge. */
		header_of(&both[i], header, sizeof(header));
		assert_int_equal(check_by(&both[i], forge_by(&both[i], header,
		    GOOD, text)), OK);
	}
}

/* RFC 8725 2.1, 3.1: nothing in a token chooses how it is checked. */
static void
test_jwt_no_algorithm_confusion(void **state)
{
	static const char *const headers[] = { "{\"alg\":\"none\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
		"{\"alg\":\"ES256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"PS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"x\"}" };
	uint8_t text[2048];
	char header[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct jwt_keys *k = &both[i];

		for (size_t h = 0; h < sizeof(headers) / sizeof(headers[0]);
		    h++)
			assert_int_equal(check_by(k, forge_by(k, headers[h],
			    GOOD, text)), ERR_INVALID_TOKEN);
		/* A right header over the signature of another key. */
		header_of(k, header, sizeof(header));
		assert_int_equal(check_by(k, forge_by(&both[1 - i], header,
		    GOOD, text)), ERR_INVALID_TOKEN);
		/* The secret of HS256 signs nothing here. */
		assert_int_equal(check_by(k, forge(HEADER, GOOD, text)),
		    ERR_INVALID_TOKEN);
		assert_int_equal(check_by(k, forge(header, GOOD, text)),
		    ERR_INVALID_TOKEN);
		/* And with HS256 no key pair does. */
		assert_int_equal(check(signed_by(k, JWT_ACCESS, text)),
		    ERR_INVALID_TOKEN);
	}
}

/* What everybody can read as the key of HS256: the public key, as PEM too. */
static void
test_jwt_public_key_is_no_secret(void **state)
{
	static const char *const heads[] = { HEADER, NULL };
	uint8_t text[2048], mac[SHA256_LEN];
	char part[2048], header[256], set[JWT_SET_MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct wr jwks = wr_init(set, sizeof(set));

		assert_int_equal(jwt_set(&both[i], &jwks), OK);
		header_of(&both[i], header, sizeof(header));
		for (size_t h = 0; h < 2; h++) {
			const char *head = heads[h] ? heads[h] : header;
			struct span as_key[] = { wr_done(&jwks),
			    buf_span(&pems[i]), SPAN(""),
			    span_str(both[i].own.kid) };

			for (size_t k = 0; k < 4; k++) {
				struct wr w = wr_init(text, sizeof(text));

				wr_bytes(&w, part, base64url_encode(
				    span_str(head), part));
				wr_u8(&w, '.');
				wr_bytes(&w, part, base64url_encode(
				    SPAN(GOOD), part));
				assert_int_equal(host_hmac_sha256(as_key[k],
				    wr_done(&w), mac), OK);
				wr_u8(&w, '.');
				wr_bytes(&w, part, base64url_encode(
				    SPAN_OF(mac), part));
				assert_int_equal(check_by(&both[i],
				    wr_done(&w)), ERR_INVALID_TOKEN);
			}
		}
	}
}

static void
test_jwt_claims_twice_and_huge(void **state)
{
	static const char *const claims[] = {
		"{" CLAIMS ",\"type\":\"access\",\"exp\":1795255671,"
		    "\"exp\":1795255671}",
		"{" CLAIMS ",\"userId\":" ID ",\"type\":\"access\","
		    "\"exp\":1795255671}",
		"{" CLAIMS ",\"type\":\"access\",\"exp\":1795255671,"
		    "\"role\":\"admin\"}", "{}", "[]", "" };
	uint8_t text[2048];
	char header[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		header_of(&both[i], header, sizeof(header));
		for (size_t k = 0; k < sizeof(claims) / sizeof(claims[0]);
		    k++)
			assert_int_equal(check_by(&both[i], forge_by(&both[i],
			    header, claims[k], text)), ERR_INVALID_TOKEN);
		memset(text, 'A', sizeof(text));
		memcpy(text, both[i].own.header, both[i].own.header_n);
		assert_int_equal(check_by(&both[i], SPAN_OF(text)),
		    ERR_INVALID_TOKEN);
		text[700] = '.';
		assert_int_equal(check_by(&both[i], span_of(text, JWT_MAX)),
		    ERR_INVALID_TOKEN);
	}
}

static void
test_jwt_former_keys_still_verify(void **state)
{
	struct jwt_keys now = both[1], hs = keys;
	uint8_t text[2048];
	struct span s = signed_by(&both[0], JWT_ACCESS, text);

	(void)state;
	assert_int_equal(check_by(&now, s), ERR_INVALID_TOKEN);
	now.old[0] = both[0].own;
	now.old_n = 1;
	assert_int_equal(check_by(&now, s), OK);
	hs.old[0] = both[0].own;
	hs.old_n = 1;
	assert_int_equal(check_by(&hs, s), OK);
	/* But never again sign: what is new is of the new key. */
	s = signed_by(&now, JWT_ACCESS, text);
	assert_int_equal(check_by(&both[1], s), OK);
	assert_int_equal(check_by(&both[0], s), ERR_INVALID_TOKEN);
}

static bool
has(struct span s, const char *text)
{
	for (size_t i = 0; i < s.n; i++)
		if (span_starts(span_sub(s, i, s.n), span_str(text)))
			return true;
	return false;
}

/* RFC 7517 4, 5, 9.2: the public parts and nothing else. */
static void
test_jwt_set_has_public_parts_alone(void **state)
{
	struct jwt_keys now = both[1];
	char text[JWT_SET_MAX];
	struct wr w = wr_init(text, sizeof(text));

	(void)state;
	assert_int_equal(jwt_set(&keys, &w), OK);
	assert_true(span_eq(wr_done(&w), SPAN("{\"keys\":[]}")));
	now.old[0] = both[0].own;
	now.old_n = 1;
	w = wr_init(text, sizeof(text));
	assert_int_equal(jwt_set(&now, &w), OK);
	assert_true(wr_ok(&w));
	assert_true(has(wr_done(&w), "\"crv\":\"Ed25519\",\"kty\":\"OKP\""));
	assert_true(has(wr_done(&w), "\"kty\":\"RSA\""));
	assert_true(has(wr_done(&w), both[0].own.kid));
	assert_true(has(wr_done(&w), both[1].own.kid));
	for (const char *const *m = (const char *const[]){ "\"d\"", "\"p\"",
	    "\"q\"", "\"k\"", "\"dp\"", NULL }; *m != NULL; m++)
		assert_false(has(wr_done(&w), *m));
}

/* RFC 7638 3.1: the example's key has this thumbprint. */
static void
test_jwt_thumbprint_of_the_rfc(void **state)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
	    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX\n"
	    "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\n"
	    "oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt\n"
	    "7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n"
	    "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f\n"
	    "M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n"
	    "gwIDAQAB\n"
	    "-----END PUBLIC KEY-----\n";
	struct jwt_public p;
	struct host_signer *k;

	(void)state;
	assert_int_equal(host_signer_open(span_str(pem), &k), OK);
	assert_int_equal(jwt_public_init(&p, k), OK);
	assert_string_equal(p.kid,
	    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	host_signer_close(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jwt_round_trip),
		cmocka_unit_test(test_jwt_refresh_token_has_no_name),
		cmocka_unit_test(test_jwt_forge_makes_good_ones),
		cmocka_unit_test(test_jwt_expired),
		cmocka_unit_test(test_jwt_other_type),
		cmocka_unit_test(test_jwt_other_key),
		cmocka_unit_test(test_jwt_rejects_other_algorithms),
		cmocka_unit_test(test_jwt_rejects_unsigned),
		cmocka_unit_test(test_jwt_every_changed_byte_is_seen),
		cmocka_unit_test(test_jwt_every_cut_is_seen),
		cmocka_unit_test(test_jwt_rejects_wrong_claims),
		cmocka_unit_test(test_jwt_by_key_pairs),
		cmocka_unit_test(test_jwt_no_algorithm_confusion),
		cmocka_unit_test(test_jwt_public_key_is_no_secret),
		cmocka_unit_test(test_jwt_claims_twice_and_huge),
		cmocka_unit_test(test_jwt_former_keys_still_verify),
		cmocka_unit_test(test_jwt_set_has_public_parts_alone),
		cmocka_unit_test(test_jwt_thumbprint_of_the_rfc),
	};

	if (host_init() != OK)
		return 1;
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
