/*
 * clean_test.c: nothing that a message holds may steer the terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>

#include "base/text.h"
#include "cli/clean.h"

static void
expect_text(const char *in, size_t in_n, size_t indent, size_t col,
    size_t cols, const char *want)
{
	struct buf b;
	buf_init(&b, 4096);
	assert_int_equal(clean_text(span_of(in, in_n), indent, col, cols, &b),
	    OK);
	assert_int_equal(buf_add(&b, "", 1), OK);
	assert_string_equal((const char *)b.p, want);
	buf_fini(&b);
}

#define EXPECT(in, want) expect_text(in, sizeof(in) - 1, 2, 0, 0, want)

static void
test_clean_keeps_ordinary_text(void **state)
{
	(void)state;
	EXPECT("Grüße, 漢字 🦉!", "Grüße, 漢字 🦉!");
	EXPECT("👩‍👩‍👧 नमस्ते", "👩‍👩‍👧 नमस्ते");
	EXPECT("", "");
}

static void
test_clean_shows_escape_as_picture(void **state)
{
	(void)state;
	EXPECT("\x1b[2J\x1b]0;title\a", "␛[2J␛]0;title␇");
	EXPECT("a\bb\x7f\x00z", "a␈b␡␀z");
}

static void
test_clean_replaces_c1_controls(void **state)
{
	(void)state;
	/* U+009B is CSI: as good as ESC [ to some terminals. */
	EXPECT("\xc2\x9b" "2J", "\xef\xbf\xbd" "2J");
	EXPECT("\xc2\x85", "\xef\xbf\xbd");
	/* The raw byte, which is no UTF-8. */
	EXPECT("\x9b" "2J", "\xef\xbf\xbd" "2J");
}

static void
test_clean_replaces_bidi_controls(void **state)
{
	(void)state;
	EXPECT("a\u202Eb\u2066c\u200Fd\u061Ce",
	    "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe");
}

static void
test_clean_replaces_invisible_characters(void **state)
{
	(void)state;
	EXPECT("a\u200Bb\uFEFFc\U000E0041d\u2028e",
	    "a\uFFFDb\uFFFDc\uFFFDd\uFFFDe");
	EXPECT("\xf3\xbf\xbf\xbf", "\uFFFD");	/* a noncharacter */
}

static void
test_clean_indents_lines_of_a_message(void **state)
{
	(void)state;
	EXPECT("a\n12:00 bob: forged", "a\n  12:00 bob: forged");
	EXPECT("a\r\nb", "a\n  b");
	EXPECT("a\rb", "a␍b");
}

static void
test_clean_breaks_lines_itself(void **state)
{
	(void)state;
	expect_text("abcdefgh", 8, 2, 3, 6, "abc\n  defg\n  h");
	/* A wide character does not straddle the edge. */
	expect_text("ab漢", 5, 0, 0, 3, "ab\n漢");
	/* No room for the indent: it is left out instead of looping. */
	expect_text("abcd", 4, 9, 0, 2, "ab\ncd");
}

static void
test_clean_line_keeps_to_one_line(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 64);
	assert_int_equal(clean_line(SPAN("a\nb\x1b"), &b), OK);
	assert_true(span_eq(buf_span(&b), SPAN("a␤b␛")));
	buf_fini(&b);
}

static void
test_clean_limits_piled_marks(void **state)
{
	(void)state;
	struct buf in, out;
	buf_init(&in, 4096);
	buf_init(&out, 4096);
	assert_int_equal(buf_add_str(&in, "o"), OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_add_str(&in, "\u0301"), OK);
	assert_int_equal(clean_text(buf_span(&in), 0, 0, 80, &out), OK);
	assert_int_equal(out.n, 1 + 2 * CLEAN_MARKS_MAX);
	buf_fini(&in);
	buf_fini(&out);
}

static void
test_clean_every_byte_string_comes_out_printable(void **state)
{
	(void)state;
	/* All pairs of bytes: no control byte survives but the line feed. */
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t in[2] = { (uint8_t)(i >> 8), (uint8_t)i };
		struct buf b;
		buf_init(&b, 64);
		assert_int_equal(clean_text(SPAN_OF(in), 0, 0, 0, &b), OK);
		assert_true(utf8_valid(buf_span(&b)));
		for (size_t k = 0; k < b.n; k++) {
			assert_true(b.p[k] >= 0x20 || b.p[k] == '\n');
			assert_true(b.p[k] != 0x7f);
		}
		buf_fini(&b);
	}
}

static void
test_clean_measures_columns(void **state)
{
	(void)state;
	assert_int_equal(clean_columns(SPAN("abc")), 3);
	assert_int_equal(clean_columns(SPAN("漢字")), 4);
	assert_int_equal(clean_columns(SPAN("e\u0301")), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean_keeps_ordinary_text),
		cmocka_unit_test(test_clean_shows_escape_as_picture),
		cmocka_unit_test(test_clean_replaces_c1_controls),
		cmocka_unit_test(test_clean_replaces_bidi_controls),
		cmocka_unit_test(test_clean_replaces_invisible_characters),
		cmocka_unit_test(test_clean_indents_lines_of_a_message),
		cmocka_unit_test(test_clean_breaks_lines_itself),
		cmocka_unit_test(test_clean_line_keeps_to_one_line),
		cmocka_unit_test(test_clean_limits_piled_marks),
		cmocka_unit_test(
		    test_clean_every_byte_string_comes_out_printable),
		cmocka_unit_test(test_clean_measures_columns),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
