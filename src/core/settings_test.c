/*
 * settings_test.c: sealed settings (docs/protocol.md, "Settings").
 */
#include "crypto/test_native.h"

#include "core/settings.h"

static const uint8_t secret[SETTINGS_SECRET_LEN] = { 4, 5 };
static const struct user_id me = { { 7 } }, other = { { 8 } };
static uint8_t mem[SETTINGS_SEALED_MAX + 64], plain[SETTINGS_SEALED_MAX];
static uint8_t big[SETTINGS_PLAIN_MAX + 1];

static struct span
seal(struct span x, uint64_t version)
{
	struct wr w = wr_init(mem, sizeof(mem));

	assert_int_equal(settings_seal(&p, secret, &me, version, x, &w), OK);
	return wr_done(&w);
}

static void
test_settings_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 4000, SETTINGS_PLAIN_MAX };
	struct span got, s;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		s = seal(span_of(big, sizes[i]), 3);
		assert_true(s.n <= SETTINGS_SEALED_MAX);
		assert_int_equal(settings_open(&p, secret, &me, 3, s, plain,
		    &got), OK);
		assert_int_equal(got.n, sizes[i]);
	}
	assert_int_equal(seal(SPAN(""), 1).n, seal(SPAN("theme=dark"), 1).n);
}

static void
test_settings_bind_account_version_and_secret(void **state)
{
	uint8_t wrong[SETTINGS_SECRET_LEN] = { 4, 6 };
	struct span got, s = seal(SPAN("theme=dark"), 3);

	(void)state;
	assert_int_equal(settings_open(&p, secret, &me, 4, s, plain, &got),
	    ERR_AUTH);
	assert_int_equal(settings_open(&p, secret, &other, 3, s, plain, &got),
	    ERR_AUTH);
	assert_int_equal(settings_open(&p, wrong, &me, 3, s, plain, &got),
	    ERR_AUTH);
}

static void
test_settings_refuse_changes(void **state)
{
	struct span got, s = seal(SPAN("theme=dark"), 3);
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	for (size_t i = 0; i < s.n * 8; i++) {
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(settings_open(&p, secret, &me, 3, s,
		    plain, &got), OK);
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < s.n; n++)
		assert_int_not_equal(settings_open(&p, secret, &me, 3,
		    span_of(mem, n), plain, &got), OK);
	mem[1] = 2;
	assert_int_equal(settings_open(&p, secret, &me, 3, s, plain, &got),
	    ERR_VERSION);
	assert_int_equal(settings_seal(&p, secret, &me, 1, SPAN_OF(big), &w),
	    ERR_TOO_LARGE);
	w = wr_init(mem, 100);
	assert_int_equal(settings_seal(&p, secret, &me, 1, SPAN("x"), &w),
	    ERR_SPACE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_come_back),
		cmocka_unit_test(
		    test_settings_bind_account_version_and_secret),
		cmocka_unit_test(test_settings_refuse_changes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
