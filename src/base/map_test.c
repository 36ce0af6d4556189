/*
 * Tests of map.c: against a plain array under a long random history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/map.h"

static uint64_t
next(uint64_t *s)		/* splitmix64: the same run every time */
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void
test_map_agrees_with_an_array(void **state)
{
	static uint32_t model[512];	/* index is the key; 0: absent */
	static uint32_t values[100000];
	struct map m;
	uint64_t seed = 7;
	uint32_t i;
	size_t n = 0;

	(void)state;
	map_init(&m, sizeof(uint32_t), 512, 42);
	for (i = 1; i < 100000; i++) {
		uint32_t key = (uint32_t)(next(&seed) % 512);
		uint32_t *had = (uint32_t *)map_find(&m, &key);

		assert_int_equal(had != NULL ? *had : 0, model[key]);
		if (next(&seed) % 5 < 2) {
			assert_ptr_equal(map_remove(&m, &key), had);
			n -= model[key] != 0;
			model[key] = 0;
		} else {
			values[i] = i;
			assert_int_equal(map_put(&m, &key, &values[i]), OK);
			n += model[key] == 0;
			model[key] = i;
		}
		assert_int_equal(m.n, n);
		assert_true(m.cap == 0 || m.n * 4 <= m.cap * 3);
	}
	map_fini(&m);
}

static void
test_map_next_walks_each_once(void **state)
{
	bool seen[100] = { false };
	struct map m;
	const void *key;
	void *value;
	size_t at = 0;
	uint8_t i, n = 0;

	(void)state;
	map_init(&m, 1, 200, 1);
	assert_false(map_next(&m, &at, &key, &value));
	for (i = 0; i < 100; i++)
		assert_int_equal(map_put(&m, &i, &seen[i]), OK);
	for (at = 0; map_next(&m, &at, &key, &value); n++) {
		i = *(const uint8_t *)key;
		assert_ptr_equal(value, &seen[i]);
		assert_false(seen[i]);
		seen[i] = true;
	}
	assert_int_equal(n, 100);
	map_fini(&m);
}

static void
test_map_holds_at_most_max(void **state)
{
	struct map m;
	uint8_t i;

	(void)state;
	map_init(&m, 1, 20, 1);
	for (i = 0; i < 20; i++)
		assert_int_equal(map_put(&m, &i, &m), OK);
	assert_int_equal(map_put(&m, &i, &m), ERR_LIMIT);
	assert_null(map_find(&m, &i));
	i = 3;
	assert_int_equal(map_put(&m, &i, &i), OK);	/* replacing is fine */
	assert_ptr_equal(map_find(&m, &i), &i);
	map_fini(&m);
	assert_null(map_find(&m, &i));
	assert_null(map_remove(&m, &i));
	map_fini(&m);
}

static void
test_map_long_keys_differ_in_any_byte(void **state)
{
	uint8_t keys[37][36];
	struct map m;
	size_t i;

	(void)state;
	memset(keys, 0, sizeof(keys));
	map_init(&m, 36, 100, 9);
	for (i = 0; i < 37; i++) {
		if (i < 36)
			keys[i][i] = 1;
		assert_int_equal(map_put(&m, keys[i], keys[i]), OK);
	}
	for (i = 0; i < 37; i++)
		assert_ptr_equal(map_find(&m, keys[i]), keys[i]);
	map_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_agrees_with_an_array),
		cmocka_unit_test(test_map_next_walks_each_once),
		cmocka_unit_test(test_map_holds_at_most_max),
		cmocka_unit_test(test_map_long_keys_differ_in_any_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
