/*
 * Tests of err.c: every row is complete, and codes can be told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"

static void
test_err_rows_are_complete(void **state)
{
	int e;

	(void)state;
	for (e = 0; e < ERR_MAX; e++) {
		const char *code = err_code((enum err)e), *c;
		int status = err_status((enum err)e);

		assert_true(strlen(err_name((enum err)e)) > 1);
		assert_true(strlen(err_text((enum err)e)) > 1);
		assert_true(strlen(code) > 1);
		for (c = code; *c != '\0'; c++)
			assert_true(*c == '_' || (*c >= 'a' && *c <= 'z'));
		assert_true(status == 200 || (status >= 400 && status < 600));
		assert_true(err_level((enum err)e) <= LOG_FATAL);
	}
}

static void
test_err_rows_are_sorted(void **state)
{
	int e;

	(void)state;
	for (e = 2; e < ERR_MAX; e++)
		assert_true(strcmp(err_name((enum err)(e - 1)),
		    err_name((enum err)e)) < 0);
}

static void
test_err_by_code_finds_an_error_of_that_code(void **state)
{
	int e;

	(void)state;
	for (e = 1; e < ERR_MAX; e++) {
		const char *code = err_code((enum err)e);

		assert_string_equal(err_code(err_by_code(code, strlen(code))),
		    code);
	}
	assert_int_equal(err_by_code("no_such_code", 12), ERR_INTERNAL);
	assert_int_equal(err_by_code("", 0), ERR_INTERNAL);
	assert_int_equal(err_by_code("busyx", 4), err_by_code("busy", 4));
}

static void
test_err_unknown_numbers_are_internal(void **state)
{
	(void)state;
	assert_int_equal(err_status((enum err)9999), 500);
	assert_string_equal(err_name((enum err)-1), "INTERNAL");
	assert_string_equal(err_name(OK), "OK");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_rows_are_complete),
		cmocka_unit_test(test_err_rows_are_sorted),
		cmocka_unit_test(test_err_by_code_finds_an_error_of_that_code),
		cmocka_unit_test(test_err_unknown_numbers_are_internal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
