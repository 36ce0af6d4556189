/*
 * Tests of strict.c: the edges of each range, value by value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "crypto/strict.h"

/* 2^255 - 19 + i, for -2 <= i <= 18, little-endian. */
static void
near_p(int i, uint8_t out[32])
{
	memset(out, 0xff, 32);
	out[0] = (uint8_t)(0xed + i);
	out[31] = 0x7f;
}

static void
test_strict_x25519_edge_of_the_field(void **state)
{
	uint8_t u[32];
	int i;

	(void)state;
	for (i = -2; i <= 18; i++) {
		near_p(i, u);
		assert_int_equal(strict_x25519(u), i < 0);
		u[31] |= 0x80;		/* RFC 7748 5 would mask this bit */
		assert_false(strict_x25519(u));
	}
	memset(u, 0, sizeof(u));
	assert_true(strict_x25519(u));	/* zero: the result is what fails */
	u[31] = 0x80;
	assert_false(strict_x25519(u));
}

static const char *const good_pub =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

static void
test_strict_ed25519_edge_of_s(void **state)
{
	uint8_t pub[32], sig[64];

	(void)state;
	assert_true(hex_decode(span_str(good_pub), pub));
	memcpy(sig, pub, 32);
	assert_true(hex_decode(SPAN("ecd3f55c1a631258d69cf7a2def9de14"
	    "00000000000000000000000000000010"), sig + 32));
	assert_true(strict_ed25519(pub, sig));		/* L - 1 */
	sig[32]++;
	assert_false(strict_ed25519(pub, sig));		/* L */
	sig[63] = 0x20;
	assert_false(strict_ed25519(pub, sig));
	memset(sig + 32, 0, 32);
	assert_true(strict_ed25519(pub, sig));
}

/* RFC 8032 5.1.3: y < p. Either sign of x. For A and for R. */
static void
test_strict_ed25519_refuses_non_canonical_points(void **state)
{
	uint8_t pub[32], sig[64] = { 0 }, bad[32];
	int i, sign;

	(void)state;
	assert_true(hex_decode(span_str(good_pub), pub));
	for (i = 0; i <= 18; i++) {
		for (sign = 0; sign < 2; sign++) {
			near_p(i, bad);
			bad[31] |= (uint8_t)(sign << 7);
			memcpy(sig, pub, 32);
			assert_false(strict_ed25519(bad, sig));
			memcpy(sig, bad, 32);
			assert_false(strict_ed25519(pub, sig));
		}
	}
	memcpy(sig, pub, 32);
	assert_true(strict_ed25519(pub, sig));
}

static void
test_strict_ed25519_refuses_small_orders(void **state)
{
	static const char *const small[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	};
	uint8_t pub[32], sig[64] = { 0 }, bad[32];
	size_t i;

	(void)state;
	assert_true(hex_decode(span_str(good_pub), pub));
	for (i = 0; i < 2 * sizeof(small) / sizeof(small[0]); i++) {
		assert_true(hex_decode(span_str(small[i / 2]), bad));
		bad[31] |= (uint8_t)(i % 2 << 7);
		memcpy(sig, pub, 32);
		assert_false(strict_ed25519(bad, sig));
		memcpy(sig, bad, 32);
		assert_false(strict_ed25519(pub, sig));
	}
}

/* FIPS 203 7.2: 3328 passes, 3329 does not, at every one of 768 places. */
static void
test_strict_mlkem_every_coefficient(void **state)
{
	static uint8_t ek[MLKEM_EK_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < 768; i++) {
		uint8_t *at = ek + i / 2 * 3;
		unsigned v;

		for (v = 3328; v <= 4095; v += v == 3329 ? 766 : 1) {
			memset(at, 0, 3);
			if (i % 2 == 0) {
				at[0] = (uint8_t)v;
				at[1] = (uint8_t)(v >> 8);
			} else {
				at[1] = (uint8_t)(v << 4);
				at[2] = (uint8_t)(v >> 4);
			}
			assert_int_equal(strict_mlkem(ek), v < 3329);
		}
		memset(at, 0, 3);
	}
	memset(ek + 1152, 0xff, 32);	/* the seed rho may be anything */
	assert_true(strict_mlkem(ek));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict_x25519_edge_of_the_field),
		cmocka_unit_test(test_strict_ed25519_edge_of_s),
		cmocka_unit_test(
		    test_strict_ed25519_refuses_non_canonical_points),
		cmocka_unit_test(test_strict_ed25519_refuses_small_orders),
		cmocka_unit_test(test_strict_mlkem_every_coefficient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
