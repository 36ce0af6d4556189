/* slab_test.c: names find what they named, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/slab.h"

struct thing {
	struct slab_slot slot;
	int value;
	char more[100];
};

static void
test_slab_names_are_for_one_use(void **state)
{
	struct slab s;
	struct thing *a, *b;
	uint32_t index, generation;

	(void)state;
	assert_int_equal(slab_open(&s, sizeof(struct thing), 4), OK);
	a = slab_get(&s);
	assert_non_null(a);
	assert_int_equal(a->value, 0);
	a->value = 5;
	index = a->slot.index;
	generation = a->slot.generation;
	assert_true(generation != 0);
	assert_ptr_equal(slab_find(&s, index, generation), a);
	assert_null(slab_find(&s, index, generation + 1));
	assert_null(slab_find(&s, index + 1, generation));
	assert_null(slab_find(&s, UINT32_MAX, generation));
	slab_put(&s, a);
	assert_null(slab_find(&s, index, generation));
	b = slab_get(&s);
	assert_ptr_equal(a, b);		/* the same place */
	assert_int_equal(b->value, 0);	/* zeroed */
	assert_null(slab_find(&s, index, generation));
	generation = b->slot.generation;
	slab_renew(&s, b);
	assert_null(slab_find(&s, index, generation));
	assert_ptr_equal(slab_find(&s, index, b->slot.generation), b);
	slab_put(&s, b);
	slab_close(&s);
}

static void
test_slab_is_full_at_its_limit(void **state)
{
	struct slab s;
	struct thing *all[4];
	uint32_t at = 0;
	unsigned n = 0;

	(void)state;
	assert_int_equal(slab_open(&s, sizeof(struct thing), 4), OK);
	for (int i = 0; i < 4; i++) {
		all[i] = slab_get(&s);
		assert_non_null(all[i]);
	}
	assert_null(slab_get(&s));
	assert_int_equal(s.n, 4);
	slab_put(&s, all[1]);
	slab_put(&s, all[2]);
	while (slab_next(&s, &at) != NULL)
		n++;
	assert_int_equal(n, 2);
	assert_ptr_equal(slab_get(&s), all[2]);
	assert_ptr_equal(slab_get(&s), all[1]);
	assert_null(slab_get(&s));
	slab_close(&s);
}

static void
test_slab_generation_is_never_zero(void **state)
{
	struct slab s;
	struct thing *a;

	(void)state;
	assert_int_equal(slab_open(&s, sizeof(struct thing), 1), OK);
	s.generation = UINT32_MAX;
	a = slab_get(&s);
	assert_int_equal(a->slot.generation, 1);
	slab_put(&s, a);
	slab_close(&s);
	slab_close(&s);
}

static void
test_slab_refuses_senseless_sizes(void **state)
{
	struct slab s;

	(void)state;
	assert_int_equal(slab_open(&s, 100, 0), ERR_ARG);
	assert_int_equal(slab_open(&s, SIZE_MAX / 2 - 15, 3), ERR_ARG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slab_names_are_for_one_use),
		cmocka_unit_test(test_slab_is_full_at_its_limit),
		cmocka_unit_test(test_slab_generation_is_never_zero),
		cmocka_unit_test(test_slab_refuses_senseless_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
