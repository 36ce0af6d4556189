/* jwt_test.c: tokens that are ours and tokens that are not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "crypto/host.h"
#include "server/jwt.h"

#define NOW 1795255670u

static const struct jwt_key key = { { 1, 2, 3 } };

static struct span
token(enum jwt_type type, uint64_t expires, uint8_t *out)
{
	struct jwt t = { .user = { { 7 } }, .session = { { 8 } },
	    .id = { { 9 } }, .issued_s = NOW - 10, .expires_s = expires,
	    .type = type, .username_n = 5, .username = "alice" };
	struct wr w = wr_init(out, JWT_MAX);

	assert_int_equal(jwt_encode(&key, &t, &w), OK);
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
	assert_int_equal(host_hmac_sha256(SPAN_OF(key.b), wr_done(&w), mac),
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
	enum err e = jwt_decode(&key, text, JWT_ACCESS, NOW, &t);

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
	assert_int_equal(jwt_decode(&key, token(JWT_ACCESS, NOW + 1, text),
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
	assert_int_equal(jwt_decode(&key, token(JWT_REFRESH, NOW + 1, text),
	    JWT_REFRESH, NOW, &t), OK);
	assert_int_equal(t.user.b[0], 7);
	assert_int_equal(t.username_n, 0);
	/* And one that has a name is none of ours. */
	assert_int_equal(jwt_decode(&key, forge(HEADER, "{" CLAIMS
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
	static const struct jwt_key other = { { 1, 2, 4 } };
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
	};

	if (host_init() != OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
