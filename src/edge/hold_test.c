/* hold_test.c: unfinished messages: small ones from the pool, large ones not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/hold.h"

#define CHUNK 4096

static void
test_hold_small_comes_from_the_pool(void **state)
{
	struct hold *h = NULL;
	struct pool p;
	struct holds all = { .chunks = &p, .max = 0 };

	(void)state;
	pool_init(&p, CHUNK, 2);
	assert_int_equal(hold_add(&all, &h, SPAN("")), OK);
	assert_null(h);
	assert_int_equal(hold_add(&all, &h, SPAN("abc")), OK);
	assert_int_equal(hold_add(&all, &h, SPAN("def")), OK);
	assert_int_equal(p.n_used, 1);
	assert_true(span_eq(hold_span(h), SPAN("abcdef")));
	hold_drop(&all, &h);
	assert_null(h);
	assert_int_equal(p.n_used, 0);
	assert_int_equal(hold_span(h).n, 0);
	hold_drop(&all, &h);
	pool_fini(&p);
}

static void
test_hold_grows_and_gives_all_back(void **state)
{
	static uint8_t piece[1000];
	struct hold *h = NULL;
	struct pool p;
	struct holds all = { .chunks = &p, .max = 0 };

	(void)state;
	pool_init(&p, CHUNK, 2);
	for (unsigned i = 0; i < 300; i++) {
		memset(piece, (int)i, sizeof piece);
		assert_int_equal(hold_add(&all, &h, SPAN_OF(piece)), OK);
	}
	assert_int_equal(h->n, 300000);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(h->p[i * 1000 + 999], (uint8_t)i);
	assert_int_equal(p.n_used, 0);	/* left when it grew */
	hold_drop(&all, &h);
	pool_fini(&p);
}

/* All together have a limit; what is there stays as it was. */
static void
test_hold_all_together_are_limited(void **state)
{
	static uint8_t piece[30000];
	struct hold *a = NULL, *b = NULL;
	struct pool p;
	struct holds all = { .chunks = &p, .max = 65536 + CHUNK };

	(void)state;
	pool_init(&p, CHUNK, 2);
	assert_int_equal(hold_add(&all, &a, SPAN_OF(piece)), OK);
	assert_int_equal(hold_add(&all, &b, SPAN_OF(piece)), OK);
	assert_int_equal(all.bytes, 65536);
	assert_int_equal(hold_add(&all, &b, SPAN_OF(piece)), ERR_NOMEM);
	assert_int_equal(hold_span(b).n, sizeof piece);
	hold_drop(&all, &a);
	assert_int_equal(all.bytes, 32768);
	hold_drop(&all, &b);
	assert_int_equal(all.bytes, 0);
	pool_fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_small_comes_from_the_pool),
		cmocka_unit_test(test_hold_grows_and_gives_all_back),
		cmocka_unit_test(test_hold_all_together_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
