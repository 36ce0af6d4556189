/* pool_test.c: pieces come back and are used again; spare ones are bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/pool.h"

static void
test_pool_uses_pieces_again(void **state)
{
	struct pool p;
	void *a, *b;

	(void)state;
	pool_init(&p, 40, 4);
	a = pool_get(&p);
	b = pool_get(&p);
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	memset(a, 0xff, 40);
	memset(b, 0xff, 40);
	pool_put(&p, a);
	assert_ptr_equal(pool_get(&p), a);
	pool_put(&p, a);
	pool_put(&p, b);
	pool_put(&p, NULL);
	assert_int_equal(p.n_used, 0);
	assert_int_equal(p.n_free, 2);
	pool_fini(&p);
}

static void
test_pool_keeps_only_so_many(void **state)
{
	struct pool p;
	void *all[10];

	(void)state;
	pool_init(&p, 16, 3);
	for (int i = 0; i < 10; i++)
		all[i] = pool_get(&p);
	assert_int_equal(p.n_used, 10);
	for (int i = 0; i < 10; i++)
		pool_put(&p, all[i]);
	assert_int_equal(p.n_free, 3);
	pool_fini(&p);
	assert_null(p.free);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_uses_pieces_again),
		cmocka_unit_test(test_pool_keeps_only_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
