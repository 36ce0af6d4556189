/*
 * cert_test.c: device certificates (docs/protocol.md, "Devices").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pub/cert.h"

static struct cert
good(void)
{
	return (struct cert){ .account = { { 1, 2, 3 } }, .device = 3,
	    .created_ms = 5, .flags = DEVICE_PRIMARY | DEVICE_MANAGER,
	    .suites_n = 2, .suites = { 1, 2 }, .vmin = 1, .vmax = 1 };
}

static void
test_cert_round_trip(void **state)
{
	struct cert c = good(), got;
	uint8_t mem[CERT_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	assert_int_equal(cert_encode(&c, &w), OK);
	assert_int_equal(w.n, 3269);
	assert_int_equal(cert_decode(wr_done(&w), &got), OK);
	assert_memory_equal(&c, &got, sizeof(c));
	assert_true(cert_has_suite(&got, SUITE_RATCHET));
	assert_false(cert_has_suite(&got, SUITE_RSA));
	assert_int_equal(cert_check(&got), OK);
}

static void
test_cert_refuses_wrong_lengths(void **state)
{
	struct cert c = good(), got;
	uint8_t mem[CERT_LEN_MAX + 1] = { 0 };
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	assert_int_equal(cert_encode(&c, &w), OK);
	for (size_t n = 0; n <= w.n + 1; n++)
		if (n != w.n)
			assert_int_equal(cert_decode(span_of(mem, n), &got),
			    ERR_FORMAT);
}

static void
test_cert_refuses_another_version(void **state)
{
	struct cert c = good(), got;
	uint8_t mem[CERT_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	assert_int_equal(cert_encode(&c, &w), OK);
	mem[0] = 2;
	assert_int_equal(cert_decode(wr_done(&w), &got), ERR_VERSION);
}

static void
test_cert_encode_refuses_bad_fields(void **state)
{
	struct cert c[7];
	uint8_t mem[CERT_LEN_MAX];

	(void)state;
	for (size_t i = 0; i < 7; i++)
		c[i] = good();
	c[0].device = 0;
	c[1].flags = 8;
	c[2].suites_n = 0;
	c[3].suites_n = CERT_SUITES_MAX + 1;
	c[4].suites[1] = 1;
	c[5].vmin = 2;
	c[6].vmin = 0;
	for (size_t i = 0; i < 7; i++) {
		struct wr w = wr_init(mem, sizeof(mem));

		assert_int_equal(cert_encode(&c[i], &w), ERR_ARG);
	}
}

/* docs/protocol.md, Keys: X25519 values MUST be canonical, ML-KEM keys MUST
 * pass the modulus check. */
static void
test_cert_check_refuses_bad_keys(void **state)
{
	struct cert c = good();

	(void)state;
	c.ikx[31] = 0x80;
	assert_int_equal(cert_check(&c), ERR_FORMAT);
	c = good();
	memset(c.ikx, 0xff, 31);
	c.ikx[31] = 0x7f;
	assert_int_equal(cert_check(&c), ERR_FORMAT);
	c = good();
	c.ikk[0] = 0xff;
	c.ikk[1] = 0x0f;
	assert_int_equal(cert_check(&c), ERR_FORMAT);
	c = good();
	c.vmin = c.vmax = 2;
	assert_int_equal(cert_check(&c), ERR_VERSION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cert_round_trip),
		cmocka_unit_test(test_cert_refuses_wrong_lengths),
		cmocka_unit_test(test_cert_refuses_another_version),
		cmocka_unit_test(test_cert_encode_refuses_bad_fields),
		cmocka_unit_test(test_cert_check_refuses_bad_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
