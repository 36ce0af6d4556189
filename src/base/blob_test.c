/*
 * Tests of blob.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/blob.h"

static void
test_blob_lives_until_the_last_reference(void **state)
{
	struct blob *b = blob_dup(SPAN("hello"));

	(void)state;
	assert_non_null(b);
	assert_ptr_equal(blob_ref(b), b);
	blob_unref(b);
	assert_true(span_eq(blob_span(b), SPAN("hello")));
	blob_unref(b);
	blob_unref(NULL);
}

static void
test_blob_sizes(void **state)
{
	struct blob *b = blob_dup((struct span){ NULL, 0 });

	(void)state;
	assert_non_null(b);
	assert_int_equal(b->n, 0);
	blob_unref(b);
	assert_null(blob_new((size_t)UINT32_MAX + 1));
	assert_null(blob_new(SIZE_MAX));
}

static void
test_blob_wipe_takes_the_only_reference(void **state)
{
	struct blob *b = blob_dup(SPAN("secret"));

	(void)state;
	assert_non_null(b);
	(void)blob_ref(b);
	blob_unref(b);
	blob_wipe(b);
	blob_wipe(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blob_lives_until_the_last_reference),
		cmocka_unit_test(test_blob_sizes),
		cmocka_unit_test(test_blob_wipe_takes_the_only_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
