/* counters_test.c: no counter of the edge is left out of /metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/counters.h"

static void
test_counters_name_every_field_once(void **state)
{
	bool seen[sizeof(struct edge_stats) / sizeof(uint64_t)] = { false };

	(void)state;
	for (size_t i = 0; i < counters_n(); i++) {
		size_t at = counters_get(i)->at / sizeof(uint64_t);

		assert_false(seen[at]);
		seen[at] = true;
		assert_true(strlen(counters_get(i)->help) > 5);
	}
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		assert_true(seen[i]);	/* else: a row in counters.def */
}

static void
test_counters_are_added(void **state)
{
	struct edge_stats all[3] = { { .accepted = 1, .moves = 7 },
	    { .accepted = 10 }, { .accepted = 100, .moves = 70 } };

	(void)state;
	for (size_t i = 0; i < counters_n(); i++) {
		const struct counter *c = counters_get(i);
		uint64_t sum = counters_sum(c, all, 3);

		if (strcmp(c->name, "nightjar_edge_accepted_total") == 0)
			assert_int_equal(sum, 111);
		else if (strcmp(c->name, "nightjar_edge_moves_total") == 0)
			assert_int_equal(sum, 77);
		else
			assert_int_equal(sum, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters_name_every_field_once),
		cmocka_unit_test(test_counters_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
