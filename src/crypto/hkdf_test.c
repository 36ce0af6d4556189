/*
 * Tests of hkdf.c: RFC 5869 appendix A, and that parts are concatenated.
 */
#include "base/text.h"
#include "crypto/hkdf.h"
#include "crypto/test_native.h"

/* RFC 5869 A.1. */
static void
test_hkdf_rfc5869_case_1(void **state)
{
	uint8_t ikm[22], salt[13], info[10], want[42], prk[32], got[42];
	struct span ikm_span = SPAN_OF(ikm), info_span = SPAN_OF(info);

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	assert_true(hex_decode(SPAN("000102030405060708090a0b0c"), salt));
	assert_true(hex_decode(SPAN("f0f1f2f3f4f5f6f7f8f9"), info));
	assert_true(hex_decode(SPAN("077709362c2e32df0ddc3f0dc47bba63"
	    "90b6c73bb50f9c3122ec844ad7c2b3e5"), want));
	assert_int_equal(hkdf_extract(&p, SPAN_OF(salt), &ikm_span, 1, prk),
	    OK);
	assert_memory_equal(prk, want, 32);
	assert_true(hex_decode(SPAN("3cb25f25faacd57a90434f64d0362f2a"
	    "2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"), want));
	assert_int_equal(hkdf_expand(&p, SPAN_OF(prk), &info_span, 1, got,
	    sizeof(got)), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(hkdf_derive(&p, SPAN_OF(salt), SPAN_OF(ikm),
	    SPAN_OF(info), got, sizeof(got)), OK);
	assert_memory_equal(got, want, sizeof(want));
}

/* RFC 5869 A.3: no salt, no info. */
static void
test_hkdf_rfc5869_case_3(void **state)
{
	uint8_t ikm[22], want[42], got[42], zeros[32] = { 0 };
	struct span none = { NULL, 0 };

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	assert_true(hex_decode(SPAN("8da4e775a563c18f715f802a063c5a31"
	    "b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"), want));
	assert_int_equal(hkdf_derive(&p, none, SPAN_OF(ikm), none, got,
	    sizeof(got)), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(hkdf_derive(&p, SPAN_OF(zeros), SPAN_OF(ikm), none,
	    got, sizeof(got)), OK);
	assert_memory_equal(got, want, sizeof(want));
}

static void
test_hkdf_parts_are_concatenated(void **state)
{
	struct span ikm[3] = { SPAN("se"), SPAN(""), SPAN("cret") };
	struct span info[2] = { SPAN("in"), SPAN("fo") };
	uint8_t a[100], b[100];

	(void)state;
	assert_int_equal(hkdf_derive_parts(&p, SPAN("salt"), ikm, 3, info, 2,
	    a, sizeof(a)), OK);
	assert_int_equal(hkdf_derive(&p, SPAN("salt"), SPAN("secret"),
	    SPAN("info"), b, sizeof(b)), OK);
	assert_memory_equal(a, b, sizeof(a));
}

/* RFC 5869 2.3: L <= 255 * HashLen. */
static void
test_hkdf_limits(void **state)
{
	static uint8_t out[HKDF_OUT_MAX + 1], zeros[HKDF_OUT_MAX + 1];
	struct span info[HKDF_INFO_PARTS_MAX + 1] = { { NULL, 0 } };
	uint8_t prk[32] = { 1 };

	(void)state;
	assert_int_equal(hkdf_expand(&p, SPAN_OF(prk), info, 1, out,
	    HKDF_OUT_MAX), OK);
	assert_int_equal(hkdf_expand(&p, SPAN_OF(prk), info, 1, out,
	    HKDF_OUT_MAX + 1), ERR_ARG);
	assert_memory_equal(out, zeros, sizeof(out));
	assert_int_equal(hkdf_expand(&p, SPAN_OF(prk), info,
	    HKDF_INFO_PARTS_MAX + 1, out, 32), ERR_ARG);
	assert_int_equal(hkdf_expand(&p, SPAN_OF(prk), info,
	    HKDF_INFO_PARTS_MAX, out, 0), OK);
}

static enum err
broken_hmac(void *ctx, struct span key, const struct span *parts,
    size_t n_parts, uint8_t out[SHA256_LEN])
{
	int *left = (int *)ctx;

	(void)key;
	(void)parts;
	(void)n_parts;
	memset(out, 0x77, SHA256_LEN);
	return (*left)-- > 0 ? OK : ERR_PROVIDER;
}

/* Failing at the 1st, 2nd, ... call leaves no half of a key behind. */
static void
test_hkdf_output_is_zero_when_the_provider_fails(void **state)
{
	uint8_t out[96], zeros[96] = { 0 };
	int fail_at, left;
	struct provider broken = { .ctx = &left, .hmac_sha256 = broken_hmac };

	(void)state;
	for (fail_at = 0; fail_at < 4; fail_at++) {
		left = fail_at;
		memset(out, 1, sizeof(out));
		assert_int_equal(hkdf_derive(&broken, SPAN("s"), SPAN("i"),
		    SPAN("x"), out, sizeof(out)), ERR_PROVIDER);
		assert_memory_equal(out, zeros, sizeof(out));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hkdf_rfc5869_case_1),
		cmocka_unit_test(test_hkdf_rfc5869_case_3),
		cmocka_unit_test(test_hkdf_parts_are_concatenated),
		cmocka_unit_test(test_hkdf_limits),
		cmocka_unit_test(
		    test_hkdf_output_is_zero_when_the_provider_fails),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
