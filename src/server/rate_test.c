/* rate_test.c: whom a limit counts, and the delay of accounts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/backoff.h"
#include "server/conf.h"
#include "server/rate.h"

#define US 1000000ull

static struct conf *conf;
static struct limit limit;

static int
setup(void **state)
{
	struct conf_set sets[] = { { "limits.rest", "2/1m" },
	    { "limits.login", "1/1m" }, { "limits.messages", "3/1m" },
	    { "limits.messages_hour", "4/1h" }, { "limits.cheap", "0" } };
	struct conf_source src = { .sets = sets, .sets_n = 5 };
	struct conf_error e;

	(void)state;
	assert_int_equal(conf_load(&src, &conf, &e), OK);
	return limit_init(&limit, 4096, 1) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	conf_free(conf);
	limit_fini(&limit);
	return 0;
}

static enum err
take(enum rate_class class, uint8_t user, const char *ip, uint64_t now_us)
{
	struct caller who = { .is_known = user != 0 };
	struct limit_state st;
	struct sys_addr addr;

	who.user.b[0] = user;
	assert_true(sys_addr_decode(ip, 1, &addr));
	return rate_take(&limit, conf, class, &who, &addr, now_us, &st);
}

static void
test_rate_counts_users_wherever_they_are(void **state)
{
	(void)state;
	assert_int_equal(take(RATE_REST, 1, "10.0.0.1", US), OK);
	assert_int_equal(take(RATE_REST, 1, "10.0.0.2", US), OK);
	assert_int_equal(take(RATE_REST, 1, "10.0.0.3", US),
	    ERR_RATE_LIMITED);
	assert_int_equal(take(RATE_REST, 2, "10.0.0.3", US), OK);
}

static void
test_rate_counts_addresses_without_user(void **state)
{
	(void)state;
	assert_int_equal(take(RATE_REST, 0, "10.1.0.1", US), OK);
	assert_int_equal(take(RATE_REST, 0, "10.1.0.1", US), OK);
	assert_int_equal(take(RATE_REST, 0, "10.1.0.1", US),
	    ERR_RATE_LIMITED);
	assert_int_equal(take(RATE_REST, 0, "10.1.0.2", US), OK);
}

static void
test_rate_login_is_by_address_even_with_user(void **state)
{
	(void)state;
	assert_int_equal(take(RATE_LOGIN, 5, "10.2.0.1", US), OK);
	assert_int_equal(take(RATE_LOGIN, 6, "10.2.0.1", US),
	    ERR_RATE_LIMITED);
}

static void
test_rate_ipv6_is_by_64(void **state)
{
	(void)state;
	assert_int_equal(take(RATE_LOGIN, 0, "2001:db8::1", US), OK);
	assert_int_equal(take(RATE_LOGIN, 0, "2001:db8::ffff:2", US),
	    ERR_RATE_LIMITED);
	assert_int_equal(take(RATE_LOGIN, 0, "2001:db8:0:1::1", US), OK);
}

static void
test_rate_zero_is_no_limit(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(RATE_CHEAP, 9, "10.3.0.1", US), OK);
}

/* 3 a minute and 4 an hour: after a minute only one is left. */
static void
test_rate_messages_have_two_buckets(void **state)
{
	uint64_t later = US + 60 * US;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(RATE_MESSAGE, 11, "10.4.0.1", US), OK);
	assert_int_equal(take(RATE_MESSAGE, 11, "10.4.0.1", US),
	    ERR_RATE_LIMITED);
	assert_int_equal(take(RATE_MESSAGE, 11, "10.4.0.1", later), OK);
	assert_int_equal(take(RATE_MESSAGE, 11, "10.4.0.1", later),
	    ERR_RATE_LIMITED);
}

static void
test_rate_given_back_is_there_again(void **state)
{
	struct caller who = { .is_known = true, .user = { { 12 } } };
	struct sys_addr addr;

	(void)state;
	assert_true(sys_addr_decode("10.5.0.1", 1, &addr));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(take(RATE_MESSAGE, 12, "10.5.0.1", US), OK);
		rate_give(&limit, conf, RATE_MESSAGE, &who, &addr);
	}
}

/* From the third failure 1 s, 2 s, 4 s ... up to the longest. */
static void
test_backoff_doubles(void **state)
{
	struct backoff *b;
	uint64_t now = 1000000;

	(void)state;
	assert_int_equal(backoff_open(&b), OK);
	backoff_failed(b, SPAN("bob"), now, 900000);
	backoff_failed(b, SPAN("bob"), now, 900000);
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), now), 0);
	backoff_failed(b, SPAN("bob"), now, 900000);
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), now), 1);
	assert_int_equal(backoff_wait_s(b, SPAN("BoB"), now), 1);
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), now + 1000), 0);
	backoff_failed(b, SPAN("bob"), now, 900000);
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), now), 2);
	for (int i = 0; i < 100; i++)
		backoff_failed(b, SPAN("bob"), now, 900000);
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), now), 900);
	assert_int_equal(backoff_wait_s(b, SPAN("eve"), now), 0);
	backoff_clear(b, SPAN("bob"));
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), now), 0);
	backoff_close(b);
}

static void
test_backoff_can_be_off(void **state)
{
	struct backoff *b;

	(void)state;
	assert_int_equal(backoff_open(&b), OK);
	for (int i = 0; i < 10; i++)
		backoff_failed(b, SPAN("bob"), 5000, 0);
	assert_int_equal(backoff_wait_s(b, SPAN("bob"), 5000), 0);
	backoff_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_counts_users_wherever_they_are),
		cmocka_unit_test(test_rate_counts_addresses_without_user),
		cmocka_unit_test(test_rate_login_is_by_address_even_with_user),
		cmocka_unit_test(test_rate_ipv6_is_by_64),
		cmocka_unit_test(test_rate_zero_is_no_limit),
		cmocka_unit_test(test_rate_messages_have_two_buckets),
		cmocka_unit_test(test_rate_given_back_is_there_again),
		cmocka_unit_test(test_backoff_doubles),
		cmocka_unit_test(test_backoff_can_be_off),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
