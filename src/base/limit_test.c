/*
 * Tests of limit.c: burst, refill, what callers are told, extremes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limit.h"

#define SECOND ((uint64_t)1000000)

static struct limit l;
static const struct rate five_a_minute = { 5, 60000 };

static int
setup(void **state)
{
	(void)state;
	return limit_init(&l, 1024, 1) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	limit_fini(&l);
	return 0;
}

static void
test_limit_lets_a_burst_through_and_then_refuses(void **state)
{
	struct limit_state s;
	uint64_t now = 1000 * SECOND;
	uint32_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_int_equal(limit_take(&l, SPAN("a"), five_a_minute, 1,
		    now, &s), OK);
		assert_int_equal(s.limit, 5);
		assert_int_equal(s.remaining, 4 - i);
		assert_int_equal(s.reset_s, 12 * (i + 1));
		assert_int_equal(s.retry_s, 0);
	}
	assert_int_equal(limit_take(&l, SPAN("a"), five_a_minute, 1, now, &s),
	    ERR_RATE_LIMITED);
	assert_int_equal(s.remaining, 0);
	assert_int_equal(s.retry_s, 12);
	/* Refusals take nothing, so the wait does not grow. */
	assert_int_equal(limit_take(&l, SPAN("a"), five_a_minute, 1, now, &s),
	    ERR_RATE_LIMITED);
	assert_int_equal(s.retry_s, 12);
	/* Exactly one comes back each 12 seconds. */
	now += 12 * SECOND - 1;
	assert_int_equal(limit_take(&l, SPAN("a"), five_a_minute, 1, now, &s),
	    ERR_RATE_LIMITED);
	assert_int_equal(s.retry_s, 1);
	now += 1;
	assert_int_equal(limit_take(&l, SPAN("a"), five_a_minute, 1, now, &s),
	    OK);
	assert_int_equal(limit_take(&l, SPAN("a"), five_a_minute, 1, now,
	    NULL), ERR_RATE_LIMITED);
}

static void
test_limit_never_saves_up_more_than_the_burst(void **state)
{
	uint64_t now = 1000 * SECOND;
	uint32_t i;

	(void)state;
	assert_int_equal(limit_take(&l, SPAN("b"), five_a_minute, 1, now,
	    NULL), OK);
	now += 1000000 * SECOND;
	for (i = 0; i < 5; i++)
		assert_int_equal(limit_take(&l, SPAN("b"), five_a_minute, 1,
		    now, NULL), OK);
	assert_int_equal(limit_take(&l, SPAN("b"), five_a_minute, 1, now,
	    NULL), ERR_RATE_LIMITED);
}

static void
test_limit_keys_are_apart_and_costs_count(void **state)
{
	uint64_t now = 1000 * SECOND;

	(void)state;
	assert_int_equal(limit_take(&l, SPAN("c"), five_a_minute, 5, now,
	    NULL), OK);
	assert_int_equal(limit_take(&l, SPAN("d"), five_a_minute, 4, now,
	    NULL), OK);
	assert_int_equal(limit_take(&l, SPAN("d"), five_a_minute, 2, now,
	    NULL), ERR_RATE_LIMITED);
	assert_int_equal(limit_take(&l, SPAN("d"), five_a_minute, 1, now,
	    NULL), OK);
}

static void
test_limit_give_returns_tokens(void **state)
{
	uint64_t now = 1000 * SECOND;

	(void)state;
	assert_int_equal(limit_take(&l, SPAN("e"), five_a_minute, 5, now,
	    NULL), OK);
	limit_give(&l, SPAN("e"), five_a_minute, 1);
	assert_int_equal(limit_take(&l, SPAN("e"), five_a_minute, 1, now,
	    NULL), OK);
	assert_int_equal(limit_take(&l, SPAN("e"), five_a_minute, 1, now,
	    NULL), ERR_RATE_LIMITED);
}

/* Giving to an empty bucket must not wrap into the far future. */
static void
test_limit_give_more_than_was_taken_stays_open(void **state)
{
	(void)state;
	limit_give(&l, SPAN("f"), five_a_minute, 3);
	limit_give(&l, SPAN("f"), five_a_minute, UINT32_MAX);
	assert_int_equal(limit_take(&l, SPAN("f"), five_a_minute, 1, 1, NULL),
	    OK);
}

static void
test_limit_cost_beyond_the_burst_is_refused(void **state)
{
	const struct rate daily = { 10, 86400000 };
	struct limit_state s;

	(void)state;
	assert_int_equal(limit_take(&l, SPAN("g"), daily, 11, SECOND, &s),
	    ERR_RATE_LIMITED);
	assert_int_equal(limit_take(&l, SPAN("g"), daily, UINT32_MAX, SECOND,
	    &s), ERR_RATE_LIMITED);
	assert_int_equal(s.remaining, 10);
	assert_int_equal(limit_take(&l, SPAN("g"), daily, 10, SECOND, &s), OK);
}

static void
test_limit_zero_burst_is_no_limit(void **state)
{
	const struct rate off = { 0, 1000 };
	struct limit_state s = { 1, 1, 1, 1 };
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(limit_take(&l, SPAN("h"), off, 1, SECOND, &s),
		    OK);
	assert_int_equal(s.limit, 0);
	limit_give(&l, SPAN("h"), off, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_limit_lets_a_burst_through_and_then_refuses),
		cmocka_unit_test(test_limit_never_saves_up_more_than_the_burst),
		cmocka_unit_test(test_limit_keys_are_apart_and_costs_count),
		cmocka_unit_test(test_limit_give_returns_tokens),
		cmocka_unit_test(
		    test_limit_give_more_than_was_taken_stays_open),
		cmocka_unit_test(test_limit_cost_beyond_the_burst_is_refused),
		cmocka_unit_test(test_limit_zero_burst_is_no_limit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
