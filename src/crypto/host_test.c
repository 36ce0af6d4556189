/*
 * Tests of host.c: published answers and limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "crypto/host.h"

static void
same(const uint8_t *got, const char *want_hex)
{
	uint8_t want[64];
	struct span text = span_str(want_hex);

	assert_true(hex_decode(text, want));
	assert_memory_equal(got, want, text.n / 2);
}

static void
test_host_init_may_be_called_again(void **state)
{
	(void)state;
	assert_int_equal(host_init(), OK);
	assert_int_equal(host_init(), OK);
}

static void
test_host_sha256(void **state)
{
	uint8_t out[32];

	(void)state;
	assert_int_equal(host_sha256(SPAN("abc"), out), OK);
	same(out, "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(host_sha256((struct span){ NULL, 0 }, out), OK);
	same(out, "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
}

/* RFC 2202 3 (SHA-1), RFC 4231 4.3 (others): key "Jefe". */
static void
test_host_hmac(void **state)
{
	struct span key = SPAN("Jefe"), msg =
	    SPAN("what do ya want for nothing?"), none = { NULL, 0 };
	uint8_t out[64], zeros[64] = { 0 }, other[32];

	(void)state;
	assert_int_equal(host_hmac_sha1(key, msg, out), OK);
	same(out, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	assert_int_equal(host_hmac_sha256(key, msg, out), OK);
	same(out, "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	assert_int_equal(host_hmac_sha512(key, msg, out), OK);
	same(out, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea25"
	    "05549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	assert_int_equal(host_hmac_sha256(none, none, out), OK);
	assert_int_equal(host_hmac_sha256(SPAN_OF(zeros), none, other), OK);
	assert_memory_equal(out, other, 32);
}

static void
test_host_pbkdf2_limits(void **state)
{
	uint8_t out[32], big[1025];

	(void)state;
	assert_int_equal(host_pbkdf2_sha256(SPAN("p"), SPAN("s"), 0, out, 32),
	    ERR_ARG);
	assert_int_equal(host_pbkdf2_sha256(SPAN("p"), SPAN("s"), 10000001,
	    out, 32), ERR_ARG);
	assert_int_equal(host_pbkdf2_sha256(SPAN("p"), SPAN("s"), 1, out, 0),
	    ERR_ARG);
	assert_int_equal(host_pbkdf2_sha512(SPAN("p"), SPAN("s"), 1, big,
	    sizeof(big)), ERR_ARG);
	assert_int_equal(host_pbkdf2_sha256(SPAN("passwd"), SPAN("salt"), 1,
	    out, 32), OK);
	same(out, "55ac046e56e3089fec1691c22544b605");	/* RFC 7914 11 */
}

static void
test_host_hkdf_sha512_limit(void **state)
{
	static uint8_t out[255 * 64 + 1];

	(void)state;
	assert_int_equal(host_hkdf_sha512(SPAN("s"), SPAN("i"), SPAN(""), out,
	    sizeof(out)), ERR_ARG);
	assert_int_equal(host_hkdf_sha512(SPAN("s"), SPAN("i"), SPAN(""), out,
	    sizeof(out) - 1), OK);
}

/* RFC 4226 appendix D. */
static void
test_host_hotp(void **state)
{
	struct span key = SPAN("12345678901234567890");
	char out[9];

	(void)state;
	assert_int_equal(host_hotp(HOST_SHA1, key, 0, 6, out), OK);
	assert_string_equal(out, "755224");
	assert_int_equal(host_hotp(HOST_SHA1, key, 9, 6, out), OK);
	assert_string_equal(out, "520489");
	assert_int_equal(host_hotp(HOST_SHA1, key, 0, 5, out), ERR_ARG);
	assert_int_equal(host_hotp(HOST_SHA1, key, 0, 9, out), ERR_ARG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_init_may_be_called_again),
		cmocka_unit_test(test_host_sha256),
		cmocka_unit_test(test_host_hmac),
		cmocka_unit_test(test_host_pbkdf2_limits),
		cmocka_unit_test(test_host_hkdf_sha512_limit),
		cmocka_unit_test(test_host_hotp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
