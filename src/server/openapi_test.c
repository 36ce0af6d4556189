/* openapi_test.c: the document is whole. (What is in it: 55_openapi.py.) */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/openapi.h"
#include "wire/json.h"

static void
test_openapi_is_json_and_fits(void **state)
{
	uint8_t *text = malloc(OPENAPI_MAX);
	struct wr w = wr_init(text, OPENAPI_MAX);

	(void)state;
	assert_non_null(text);
	openapi_write(&w);
	assert_true(wr_ok(&w));
	assert_true(w.n < OPENAPI_MAX / 2);
	assert_int_equal(json_check(wr_done(&w)), OK);
	free(text);
}

static void
test_openapi_without_room_is_bad(void **state)
{
	static uint8_t text[1000];
	struct wr w = wr_init(text, sizeof(text));

	(void)state;
	openapi_write(&w);
	assert_false(wr_ok(&w));
}

/* Every record by itself is a schema, whether a route has it or not. */
static void
test_openapi_every_record(void **state)
{
	static uint8_t text[65536];
	const struct shape *s;

	(void)state;
	for (size_t i = 0; (s = shape_at(i)) != NULL; i++) {
		struct wr w = wr_init(text, sizeof(text));

		openapi_schema(s, NULL, NULL, &w);
		assert_true(wr_ok(&w));
		if (json_check(wr_done(&w)) != OK)
			fail_msg("%s: %.*s", s->name, (int)w.n,
			    (const char *)text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openapi_is_json_and_fits),
		cmocka_unit_test(test_openapi_without_room_is_bad),
		cmocka_unit_test(test_openapi_every_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
