/* watch_test.c: changes of files, seen once and when they are over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/watch.h"

static char path[64], other[96];
static struct watch w;

static void
put(const char *p, const char *text)
{
	assert_int_equal(sys_file_write(p, span_str(text), 0600), OK);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/watch_test.%ld", (long)getpid());
	snprintf(other, sizeof(other), "%s.link", path);
	w = (struct watch){ .n = 0 };
	put(path, "one");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	return 0;
}

static void
test_watch_says_nothing_of_what_rests(void **state)
{
	(void)state;
	watch_set(&w, 0, path);
	for (int i = 0; i < 3; i++)
		assert_false(watch_look(&w, 0));
}

/* Seen at once, said when it rests, and said once. */
static void
test_watch_says_a_change_once(void **state)
{
	(void)state;
	watch_set(&w, 0, path);
	put(path, "two");
	assert_false(watch_look(&w, 0));
	assert_true(watch_look(&w, 0));
	assert_false(watch_look(&w, 0));
	put(path, "three");
	assert_false(watch_look(&w, 0));
	put(path, "four");
	assert_false(watch_look(&w, 0));
	assert_true(watch_look(&w, 0));
	assert_false(watch_look(&w, 0));
}

static void
test_watch_a_file_that_comes_and_goes(void **state)
{
	(void)state;
	(void)unlink(path);
	watch_set(&w, 1, path);
	assert_false(watch_look(&w, 1));
	put(path, "here");
	assert_false(watch_look(&w, 1));
	assert_true(watch_look(&w, 1));
	(void)unlink(path);
	for (int i = 0; i < 3; i++)
		assert_false(watch_look(&w, 1));
	put(path, "here");
	assert_false(watch_look(&w, 1));
	assert_true(watch_look(&w, 1));
}

/* As certificate tools do it: a link that is turned to the next file. */
static void
test_watch_follows_a_link(void **state)
{
	char next[96];

	(void)state;
	snprintf(next, sizeof(next), "%s.2", path);
	put(next, "two");
	assert_int_equal(symlink(path, other), 0);
	watch_set(&w, 0, other);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink(next, other), 0);
	assert_false(watch_look(&w, 0));
	assert_true(watch_look(&w, 0));
	(void)unlink(next);
}

static void
test_watch_of_nothing(void **state)
{
	char deep[WATCH_PATH_MAX + 10];

	(void)state;
	memset(deep, 'x', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	watch_set(&w, 0, NULL);
	watch_set(&w, 1, deep);
	assert_false(watch_look(&w, 0));
	assert_false(watch_look(&w, 1));
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_watch_says_nothing_of_what_rests),
		T(test_watch_says_a_change_once),
		T(test_watch_a_file_that_comes_and_goes),
		T(test_watch_follows_a_link),
		T(test_watch_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
