/*
 * erase_test.c: messages that disappear (docs/protocol.md, "Events").
 */
#include "client/test_chat.h"

static void
test_erase_timer_starts_at_send_and_at_read(void **state)
{
	struct fake *f = ready(31);

	(void)state;
	send_text(f, 0, 1, "hello");
	set_timer(f, 0, 1, 60);
	send_text(f, 0, 1, "burn this");
	assert_int_equal(get(f, 1, 0, 2).expire_s, 60);
	assert_int_equal(get(f, 1, 0, 2).expires_at_ms, 0);
	fake_run(f, 61 * 1000);
	/* Gone at the sender; the other has not read it yet. */
	assert_false(holds(f, 0, "burn this"));
	check_end(f, 0, 1, 2);
	check_text(f, 1, 0, 2, "burn this");
	read_all(f, 1, 0);
	assert_true(get(f, 1, 0, 2).expires_at_ms != 0);
	/* A restart, and a clock that steps back: late, but for good. */
	stop(f, 1);
	start(f, 1);
	check_text(f, 1, 0, 2, "burn this");
	fake_run(f, 61 * 1000);
	assert_false(holds(f, 1, "burn this"));
	check_end(f, 1, 0, 2);
	f->now -= 10 * HOUR_MS;
	stop(f, 1);
	start(f, 1);
	check_end(f, 1, 0, 2);
	assert_false(holds(f, 1, "burn this"));
	check_text(f, 1, 0, 0, "hello");
	fake_close(f);
}

static void
test_erase_timer_the_smaller_one_wins(void **state)
{
	struct fake *f = ready(32);

	(void)state;
	send_text(f, 0, 1, "hello");
	set_timer(f, 0, 1, 3600);
	send_with(f, 0, 1, "short", NULL, 10);
	send_with(f, 0, 1, "long", NULL, 7200);
	assert_int_equal(get(f, 1, 0, 2).expire_s, 10);
	assert_int_equal(get(f, 1, 0, 3).expire_s, 3600);
	set_timer(f, 1, 0, 0);
	send_text(f, 0, 1, "for ever");
	assert_int_equal(get(f, 1, 0, 5).expire_s, 0);
	fake_run(f, 24 * HOUR_MS);
	read_all(f, 1, 0);
	fake_run(f, 24 * HOUR_MS);
	/* Two notes of the timer, and what has none. */
	check_text(f, 1, 0, 3, "for ever");
	check_end(f, 1, 0, 4);
	set_timer(f, 0, 1, 366 * 24 * 3600);
	assert_int_equal(f->node[0].error, ERR_VALIDATION);
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_erase_timer_starts_at_send_and_at_read),
		cmocka_unit_test(test_erase_timer_the_smaller_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
