/* Tests of clock.h. */
#include "client/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HOUR 3600000u

/* What was a second ahead is a second ahead. */
static void
test_clock_back_takes_times_along(void **state)
{
	struct client c = { .now_ms = 100 * HOUR,
	    .gone_ms = 100 * HOUR + 1000, .heard_ms = 100 * HOUR - 5 };

	(void)state;
	c.waits[3].sent_ms = 100 * HOUR;
	c.calls[1].sent_ms = 100 * HOUR - 7;
	clock_follow(&c, 76 * HOUR);
	assert_int_equal(c.now_ms, 76 * HOUR);
	assert_int_equal(c.gone_ms, 76 * HOUR + 1000);
	assert_int_equal(c.heard_ms, 76 * HOUR - 5);
	assert_int_equal(c.waits[3].sent_ms, 76 * HOUR);
	assert_int_equal(c.calls[1].sent_ms, 76 * HOUR - 7);
}

static void
test_clock_back_keeps_what_is_not_set(void **state)
{
	struct client c = { .now_ms = 100 * HOUR };

	(void)state;
	clock_follow(&c, HOUR);
	assert_int_equal(c.sync_at_ms, 0);
	assert_int_equal(c.rest_at_ms, 0);
	assert_int_equal(c.waits[0].sent_ms, 0);
}

/* 0 would say "never". */
static void
test_clock_back_beyond_a_time_leaves_it_set(void **state)
{
	struct client c = { .now_ms = 100 * HOUR, .sync_at_ms = HOUR };

	(void)state;
	clock_follow(&c, HOUR);
	assert_int_equal(c.sync_at_ms, 1);
}

/* A long sleep looks like a clock that goes ahead: what is due is due. */
static void
test_clock_ahead_changes_nothing(void **state)
{
	struct client c = { .now_ms = HOUR, .gone_ms = HOUR + 1000 };

	(void)state;
	clock_follow(&c, 100 * HOUR);
	assert_int_equal(c.now_ms, 100 * HOUR);
	assert_int_equal(c.gone_ms, HOUR + 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_back_takes_times_along),
		cmocka_unit_test(test_clock_back_keeps_what_is_not_set),
		cmocka_unit_test(test_clock_back_beyond_a_time_leaves_it_set),
		cmocka_unit_test(test_clock_ahead_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
