/* password_test.c: which passwords are refused, and in which words. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/password.h"

static const char *
fault(const char *password)
{
	return password_fault(span_str(password), SPAN("alice_42"));
}

static void
test_password_good_ones(void **state)
{
	(void)state;
	assert_null(fault("Zr4!kkmQpw"));
	assert_null(fault("vier Zebras im 7. Stock"));
	assert_null(fault("aB3\xc3\xa4xyzt"));	/* a letter beyond ASCII */
}

static void
test_password_names_what_is_missing(void **state)
{
	(void)state;
	assert_non_null(strstr(fault("Zr4!kkm"), "8 characters"));
	assert_non_null(strstr(fault("zr4!kkmqpw"), "upper"));
	assert_non_null(strstr(fault("ZR4!KKMQPW"), "lower"));
	assert_non_null(strstr(fault("Zrx!kkmQpw"), "digit"));
	assert_non_null(strstr(fault("Zr4xkkmQpw"), "neither"));
}

/* Characters are counted, not bytes. */
static void
test_password_counts_characters(void **state)
{
	(void)state;
	assert_non_null(strstr(fault("aB3\xc3\xa4\xc3\xa4\xc3\xa4"),
	    "8 characters"));
}

static void
test_password_common_ones(void **state)
{
	static const char *const bad[] = { "Password1!", "P@ssw0rd",
		"P@ssw0rd2024!", "Passw0rd!", "Welcome1!", "Qwerty123!",
		"!!Letmein99", "Admin123!", "Iloveyou2!", "Qwertyuiop1!",
		"1!Dragon1!", "Abcdefgh1!", "Aaaaaaaa1!", "Nightjar1!",
		"Monkey#123", "Summer2024!", "Alice_42!", "Passwords1!" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (fault(bad[i]) == NULL)
			fail_msg("%s is accepted", bad[i]);
	}
}

static void
test_password_limits(void **state)
{
	static uint8_t text[1025];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "Zr4!kkmQpw", 10);
	assert_null(password_fault(span_of(text, 1024), SPAN("alice")));
	assert_non_null(password_fault(span_of(text, 1025), SPAN("alice")));
	assert_non_null(password_fault(span_of("Zr4!kk\0Qpw", 10),
	    SPAN("alice")));
	assert_non_null(password_fault(span_of("Zr4!kk\xffQpw", 10),
	    SPAN("alice")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password_good_ones),
		cmocka_unit_test(test_password_names_what_is_missing),
		cmocka_unit_test(test_password_counts_characters),
		cmocka_unit_test(test_password_common_ones),
		cmocka_unit_test(test_password_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
