/* pages_test.c: documents with their ETags. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "crypto/host.h"
#include "server/jwt.h"
#include "server/pages.h"

static struct page pages[CALL_PAGE_MAX];

static int
setup(void **state)
{
	static const struct jwt_keys keys = { .secret = { { 1 } } };

	(void)state;
	return pages_init(pages, &keys) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	pages_fini(pages);
	pages_fini(pages);		/* once more is nothing */
	return 0;
}

/* A field of the page's ETag between two texts. */
static bool
known(const char *before, const char *after)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%s%s", before, pages[0].etag, after);
	return pages_is_known(&pages[0], span_str(text));
}

/* RFC 9110 8.8.3 */
static void
test_pages_etags(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALL_PAGE_MAX; i++) {
		size_t n = strlen(pages[i].etag);

		assert_int_equal(n, PAGES_ETAG_LEN);
		assert_int_equal(pages[i].etag[0], '"');
		assert_int_equal(pages[i].etag[n - 1], '"');
		assert_true(pages[i].body->n > 0);
	}
	assert_string_not_equal(pages[0].etag, pages[1].etag);
}

/* RFC 9110 13.1.2, 8.8.3.2: the weak comparison. */
static void
test_pages_if_none_match(void **state)
{
	(void)state;
	assert_true(known("", ""));
	assert_true(known("W/", ""));
	assert_true(known("\"a\", ", ""));
	assert_true(known("\"a\",\t", " ,\"b\""));
	assert_true(pages_is_known(&pages[0], SPAN("*")));
	assert_false(pages_is_known(&pages[0], SPAN("")));
	assert_false(pages_is_known(&pages[0], SPAN("\"a\"")));
	assert_false(pages_is_known(&pages[0], span_of(pages[0].etag, 5)));
	assert_false(known("x", ""));
	assert_false(known("", "x"));
	assert_false(known("w/", ""));
	assert_false(pages_is_known(&pages[1], span_str(pages[0].etag)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_etags),
		cmocka_unit_test(test_pages_if_none_match),
	};

	if (host_init() != OK)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
