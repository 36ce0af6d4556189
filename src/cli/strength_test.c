/*
 * strength_test.c: what is guessed first counts for little, and what may be
 * written in two ways is not taken (UAX #15).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/strength.h"

static unsigned
bits(const char *s)
{
	return strength_bits(span_str(s));
}

static void
test_strength_finds_what_is_weak(void **state)
{
	static const char *const weak[] = { "", "a", "password",
	    "Password1234!", "correct horse battery staple",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "0123456789012345678901",
	    "abcabcabcabcabcabcabcabcabc", "qwertyqwertyqwerty",
	    "zyxwvutsrqponmlkjihgfedcba", "nightjarnightjarnightjar",
	    "tr0ub4dor&3" };

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		assert_true(bits(weak[i]) < STRENGTH_LEAST);
}

static void
test_strength_takes_what_is_strong(void **state)
{
	static const char *const strong[] = {
	    "seven tall otters juggle purple lanterns quietly",
	    "gT7#pQ2!xZ9@vL4$", "xkqwjzptmvbrlwgdhcnfsy",
	    "unwound-scribe-oat-viper-puddle-gloss" };

	(void)state;
	for (size_t i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
		assert_true(bits(strong[i]) >= STRENGTH_LEAST);
}

static void
test_strength_only_grows_with_more(void **state)
{
	char text[65] = "";
	unsigned was = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		text[i] = (char)('!' + (i * 37) % 90);
		text[i + 1] = '\0';
		assert_true(bits(text) >= was);
		was = bits(text);
	}
	assert_true(was <= 999);
}

static bool
stable(const char *s)
{
	uint32_t code;

	return strength_is_stable(span_str(s), &code);
}

static void
test_strength_knows_what_has_one_form(void **state)
{
	uint32_t code = 1;

	(void)state;
	assert_true(stable("plain ASCII, 123 ~"));
	assert_true(stable("caf\xc3\xa9"));			/* U+00E9 */
	assert_true(stable("\xe6\xbc\xa2\xe5\xad\x97"));	/* U+6F22 5B57 */
	assert_false(stable("cafe\xcc\x81"));		/* e and U+0301 */
	assert_false(stable("\xef\xac\x81"));		/* U+FB01, ligature */
	assert_false(stable("\xe2\x85\xa0"));		/* U+2160, Roman one */
	assert_false(stable("\xef\xbc\xa1"));		/* U+FF21, wide A */
	assert_false(stable("\xe2\x84\xab"));		/* U+212B, Angstrom */
	assert_false(stable("\xe1\x84\x80\xe1\x85\xa1"));	/* jamo */
	assert_false(stable("\xee\x80\x80"));		/* private use */
	assert_false(stable("tab\there"));
	assert_false(strength_is_stable(SPAN("\xff"), &code));
	assert_int_equal(code, 0);
	assert_false(strength_is_stable(SPAN("x\xcc\x81"), &code));
	assert_int_equal(code, 0x301);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strength_finds_what_is_weak),
		cmocka_unit_test(test_strength_takes_what_is_strong),
		cmocka_unit_test(test_strength_only_grows_with_more),
		cmocka_unit_test(test_strength_knows_what_has_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
