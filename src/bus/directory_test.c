/* directory_test.c: who is online where. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bus/directory.h"

static const struct user_id alice = { { 1 } }, bob = { { 2 } };

static void
test_directory_add_and_remove(void **state)
{
	struct directory_conn a = { 0 }, b = { 0 };
	struct directory d;

	(void)state;
	directory_init(&d, 0, 7);
	assert_int_equal(directory_state(&d, &alice), DIRECTORY_OFFLINE);
	assert_int_equal(directory_add(&d, &alice, &a), OK);
	assert_int_equal(directory_add(&d, &alice, &b), OK);
	assert_int_equal(directory_state(&d, &alice), DIRECTORY_ONLINE);
	assert_int_equal(directory_conns(&d, &alice), 2);
	assert_int_equal(d.here, 1);
	directory_remove(&d, &a);
	directory_remove(&d, &a);		/* once more is nothing */
	assert_int_equal(directory_state(&d, &alice), DIRECTORY_ONLINE);
	directory_remove(&d, &b);
	assert_null(directory_find(&d, &alice));
	assert_int_equal(d.here, 0);
	directory_fini(&d);
}

/* Away is what all of somebody's connections say; online wins. */
static void
test_directory_away(void **state)
{
	struct directory_conn a = { 0 }, b = { 0 };
	struct directory d;

	(void)state;
	directory_init(&d, 3, 7);
	assert_int_equal(directory_add(&d, &alice, &a), OK);
	assert_int_equal(directory_add(&d, &alice, &b), OK);
	directory_set_away(&d, &a, true);
	assert_int_equal(directory_state(&d, &alice), DIRECTORY_ONLINE);
	directory_set_away(&d, &b, true);
	assert_int_equal(directory_state(&d, &alice), DIRECTORY_AWAY);
	directory_remove(&d, &a);
	directory_set_away(&d, &b, false);
	assert_int_equal(directory_state(&d, &alice), DIRECTORY_ONLINE);
	directory_remove(&d, &b);
	directory_fini(&d);
}

static void
test_directory_hears_others(void **state)
{
	enum directory_state before, after;
	struct directory_conn a = { 0 };
	struct directory d;

	(void)state;
	directory_init(&d, 0, 7);
	assert_int_equal(directory_hear(&d, 1, &bob, DIRECTORY_AWAY, 1, 1,
	    &before, &after), OK);
	assert_int_equal(before, DIRECTORY_OFFLINE);
	assert_int_equal(after, DIRECTORY_AWAY);
	assert_int_equal(directory_here(&d, &bob), DIRECTORY_OFFLINE);
	assert_int_equal(directory_find(&d, &bob)->away, 2);
	assert_int_equal(directory_add(&d, &bob, &a), OK);
	assert_int_equal(directory_conns(&d, &bob), 2);
	assert_int_equal(directory_hear(&d, 1, &bob, DIRECTORY_OFFLINE, 0, -1,
	    &before, &after), OK);
	assert_int_equal(before, DIRECTORY_ONLINE);
	assert_int_equal(after, DIRECTORY_ONLINE);
	directory_remove(&d, &a);
	assert_null(directory_find(&d, &bob));
	directory_fini(&d);
}

/* Which kinds of connections are where, here and on other reactors. */
static void
test_directory_kinds(void **state)
{
	struct directory_conn a = { 0 }, b = { .kind = 1 };
	enum directory_state before, after;
	const struct directory_user *u;
	struct directory d;

	(void)state;
	directory_init(&d, 2, 7);
	assert_int_equal(directory_kinds(&d, &bob), 0);
	assert_int_equal(directory_add(&d, &bob, &a), OK);
	assert_int_equal(directory_kinds(&d, &bob), 1);
	assert_int_equal(directory_add(&d, &bob, &b), OK);
	assert_int_equal(directory_kinds(&d, &bob), 3);
	assert_int_equal(directory_hear(&d, 5, &bob, DIRECTORY_ONLINE, 2, 1,
	    &before, &after), OK);
	u = directory_find(&d, &bob);
	assert_int_equal(u->kinds[0], 1 << 2);
	assert_int_equal(u->kinds[1], 1 << 2 | 1 << 5);
	/* Away is no kind. */
	directory_set_away(&d, &b, true);
	assert_int_equal(directory_kinds(&d, &bob), 3);
	directory_remove(&d, &a);
	assert_int_equal(directory_kinds(&d, &bob), 2);
	directory_remove(&d, &b);
	assert_int_equal(directory_kinds(&d, &bob), 0);
	assert_int_equal(u->kinds[0], 0);
	assert_int_equal(u->kinds[1], 1 << 5);
	assert_int_equal(directory_hear(&d, 5, &bob, DIRECTORY_OFFLINE, 0, -1,
	    &before, &after), OK);
	assert_null(directory_find(&d, &bob));
	directory_fini(&d);
}

/* To hear that somebody unknown is gone makes no entry. */
static void
test_directory_hears_of_nobody(void **state)
{
	enum directory_state before, after;
	struct directory d;

	(void)state;
	directory_init(&d, 0, 7);
	assert_int_equal(directory_hear(&d, 5, &bob, DIRECTORY_OFFLINE, 0, -1,
	    &before, &after), OK);
	assert_int_equal(before, DIRECTORY_OFFLINE);
	assert_int_equal(after, DIRECTORY_OFFLINE);
	assert_null(directory_find(&d, &bob));
	directory_fini(&d);
}

/* Against a count of every reactor's connections. */
static void
test_directory_random_history(void **state)
{
	enum directory_state before, after;
	struct directory_conn conns[8] = { 0 };
	unsigned others[3] = { 0 }, here = 0;
	struct directory d;
	uint32_t x = 12345;

	(void)state;
	directory_init(&d, 0, 7);
	for (int i = 0; i < 20000; i++) {
		x = x * 1664525 + 1013904223;
		unsigned k = x >> 16 & 7, r = x >> 20 & 3;

		if (r == 0) {
			if (conns[k].user == NULL) {
				assert_int_equal(directory_add(&d, &bob,
				    &conns[k]), OK);
				here++;
			} else {
				directory_remove(&d, &conns[k]);
				here--;
			}
		} else {
			int delta = (k & 1) != 0 ? 1 : -1;

			if (delta < 0 && others[r - 1] == 0)
				continue;
			others[r - 1] += (unsigned)delta;
			assert_int_equal(directory_hear(&d, r, &bob,
			    others[r - 1] > 0 ? DIRECTORY_ONLINE :
			    DIRECTORY_OFFLINE, others[r - 1] > 0, delta, &before,
			    &after), OK);
		}
		unsigned all = here + others[0] + others[1] + others[2];
		assert_int_equal(directory_conns(&d, &bob), all);
		assert_int_equal(directory_state(&d, &bob), all > 0 ?
		    DIRECTORY_ONLINE : DIRECTORY_OFFLINE);
	}
	directory_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directory_add_and_remove),
		cmocka_unit_test(test_directory_away),
		cmocka_unit_test(test_directory_hears_others),
		cmocka_unit_test(test_directory_hears_of_nobody),
		cmocka_unit_test(test_directory_kinds),
		cmocka_unit_test(test_directory_random_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
