/*
 * Tests of list.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
	int n;
	struct list link;
};

static void
test_list_keeps_order_and_removal(void **state)
{
	struct item items[3] = { { .n = 0 }, { .n = 1 }, { .n = 2 } };
	struct list head, *l;
	int i;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	assert_null(list_pop(&head));
	for (i = 0; i < 3; i++) {
		assert_false(list_is_in(&items[i].link));
		list_push(&head, &items[i].link);
		assert_true(list_is_in(&items[i].link));
	}
	list_remove(&items[1].link);
	assert_false(list_is_in(&items[1].link));
	list_remove(&items[1].link);		/* twice does nothing */
	list_push(&head, &items[1].link);
	for (i = 0; i < 3; i++) {
		l = list_pop(&head);
		assert_non_null(l);
		assert_int_equal(LIST_ITEM(l, struct item, link)->n,
		    i == 0 ? 0 : 3 - i);
	}
	assert_true(list_is_empty(&head));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_keeps_order_and_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
