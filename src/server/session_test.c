/* session_test.c: which sessions a reactor remembers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/session.h"

static struct caller
caller(uint8_t n)
{
	struct caller who = { .is_known = true };

	who.session.b[0] = n;
	who.user.b[0] = 1;
	return who;
}

static void
test_session_put_find_drop(void **state)
{
	struct caller a = caller(1);
	struct sessions s;

	(void)state;
	sessions_init(&s, 10, 1);
	assert_null(sessions_find(&s, &a.session));
	sessions_put(&s, &a);
	assert_non_null(sessions_find(&s, &a.session));
	sessions_forget(&s, &a.session);
	assert_null(sessions_find(&s, &a.session));
	sessions_fini(&s);
}

/* Whoever reads a session meanwhile has to see that one ended. */
static void
test_session_end_changes_the_epoch(void **state)
{
	struct caller a = caller(1);
	struct sessions s;

	(void)state;
	sessions_init(&s, 10, 1);
	uint32_t before = s.epoch;
	sessions_forget(&s, &a.session);		/* not even here */
	assert_int_not_equal(s.epoch, before);
	before = s.epoch;
	sessions_set_device(&s, &a.session, 3);
	assert_int_not_equal(s.epoch, before);
	sessions_fini(&s);
}

static void
test_session_device_is_kept(void **state)
{
	struct caller a = caller(1);
	struct sessions s;

	(void)state;
	sessions_init(&s, 10, 1);
	sessions_put(&s, &a);
	sessions_set_device(&s, &a.session, 3);
	assert_int_equal(sessions_find(&s, &a.session)->device, 3);
	sessions_fini(&s);
}

static void
test_session_the_longest_unused_goes(void **state)
{
	struct sessions s;

	(void)state;
	sessions_init(&s, 3, 1);
	for (uint8_t i = 1; i <= 3; i++) {
		struct caller c = caller(i);
		sessions_put(&s, &c);
	}
	struct caller one = caller(1), two = caller(2), four = caller(4);
	assert_non_null(sessions_find(&s, &one.session));
	sessions_put(&s, &four);
	assert_null(sessions_find(&s, &two.session));
	assert_non_null(sessions_find(&s, &one.session));
	assert_non_null(sessions_find(&s, &four.session));
	sessions_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_put_find_drop),
		cmocka_unit_test(test_session_end_changes_the_epoch),
		cmocka_unit_test(test_session_device_is_kept),
		cmocka_unit_test(test_session_the_longest_unused_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
