/*
 * tui_text_test.c: what takes a cell, where lines break, how cells are put.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>

#include "cli/tui_grid.h"

/* Glyphs of a text, each as "cols:codes". */
static void
expect_glyph(const char *text, unsigned cols, unsigned codes, size_t bytes)
{
	struct tui_glyph g;
	assert_int_equal(tui_text_next(span_str(text), &g), bytes);
	assert_int_equal(g.cols, cols);
	assert_int_equal(g.n, codes);
}

static void
test_text_takes_whole_glyphs(void **state)
{
	(void)state;
	expect_glyph("abc", 1, 1, 1);
	expect_glyph("漢字", 2, 1, 3);
	expect_glyph("e\u0301x", 1, 2, 3);
	/* Piled up marks: three stay. */
	expect_glyph("o\u0301\u0302\u0303\u0304\u0305", 1, 4, 11);
	/* A mark without a base stands on a space. */
	expect_glyph("\u0301", 1, 2, 2);
}

static void
test_text_gives_emoji_the_same_columns_everywhere(void **state)
{
	(void)state;
	assert_int_equal(tui_text_columns(span_str("👩‍👩‍👧")), 6);
	assert_int_equal(tui_text_columns(span_str("👍🏽")), 2);
	assert_int_equal(tui_text_columns(span_str("❤️")), 1);
	/* A joiner in a script stays with its letter. */
	expect_glyph("\u0915\u094d\u200d\u0937", 1, 3, 9);
}

static void
test_text_lets_nothing_steer_the_terminal(void **state)
{
	(void)state;
	struct tui_glyph g;
	static const char *const bad[] = { "\x1b[2J", ("\x9b" "2J"), "\xc2\x9b",
	    "\u202e", "\u2066", "\u200b", "\x07", "\x7f", "\xff", "\ue000",
	    "\U000e0041" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tui_text_next(span_str(bad[i]), &g);
		for (size_t k = 0; k < g.n; k++) {
			assert_true(g.code[k] >= 0x20);
			assert_false(g.code[k] >= 0x7f && g.code[k] < 0xa0);
			assert_true(g.code[k] == 0xfffd ||
			    (g.code[k] >= 0x2400 && g.code[k] <= 0x2426) ||
			    g.code[k] == ' ');
		}
	}
}

static void
test_text_steps_back_over_what_it_stepped_on(void **state)
{
	(void)state;
	struct span s = span_str("a漢e\u0301👩‍👩x");
	size_t at = 0, starts[16], n = 0;
	while (at < s.n) {
		struct tui_glyph g;
		starts[n++] = at;
		at += tui_text_next(span_sub(s, at, s.n), &g);
	}
	while (n > 0) {
		at = tui_text_back(s, at);
		assert_int_equal(at, starts[--n]);
	}
}

static void
expect_lines(const char *text, size_t cols, const char *want)
{
	struct tui_wrap w = tui_wrap_init(span_str(text));
	struct span line;
	struct buf b;
	buf_init(&b, 4096);
	while (tui_wrap_next(&w, cols, &line)) {
		assert_int_equal(buf_add_span(&b, line), OK);
		assert_int_equal(buf_add(&b, "|", 1), OK);
		assert_true(tui_text_columns(line) <= cols);
	}
	assert_int_equal(buf_add(&b, "", 1), OK);
	assert_string_equal((const char *)b.p, want);
	buf_fini(&b);
}

static void
test_text_breaks_between_words(void **state)
{
	(void)state;
	expect_lines("the quick brown fox", 10, "the quick|brown fox|");
	expect_lines("the quick brown", 9, "the quick|brown|");
	expect_lines("abcdefghij", 4, "abcd|efgh|ij|");
	expect_lines("a bcdefgh", 4, "a|bcde|fgh|");
	expect_lines("漢字漢字", 5, "漢字|漢字|");
	expect_lines("", 5, "|");
	expect_lines("a\n\nb\n", 5, "a||b||");
	expect_lines("a\r\nb", 5, "a|b|");
	assert_int_equal(tui_wrap_count(SPAN("a\nb\nc"), 9, 2), 2);
}

static void
test_text_fits_in_columns(void **state)
{
	(void)state;
	assert_int_equal(tui_text_fit(span_str("漢字x"), 3).n, 3);
	assert_int_equal(tui_text_fit(span_str("ab\nc"), 9).n, 2);
	assert_int_equal(tui_text_fit(span_str("abc"), 0).n, 0);
}

/* ---- the grid ---- */

static void
expect_grid(const struct tui_grid *g, const char *want)
{
	struct buf b;
	buf_init(&b, 65536);
	assert_int_equal(tui_grid_text(g, &b), OK);
	assert_int_equal(buf_add(&b, "", 1), OK);
	assert_string_equal((const char *)b.p, want);
	buf_fini(&b);
}

static void
test_grid_cuts_at_the_edges(void **state)
{
	(void)state;
	struct tui_grid g = { 0 };
	assert_int_equal(tui_grid_size(&g, 3, 6), OK);
	struct tui_box b = tui_box_all(&g);
	tui_box_str(b, 0, 0, TUI_TEXT, "abcdefghi");
	tui_box_str(b, 1, 3, TUI_TEXT, "漢字");	/* the second has no room */
	tui_box_str(b, 9, 0, TUI_TEXT, "nowhere");
	tui_box_cut(b, 2, 1, 4, TUI_TEXT, SPAN("abcdef"));
	expect_grid(&g, "abcdef\n   漢\n abc…\n");
	struct tui_box part = tui_box_part(b, 1, 4, 9, 9);
	assert_int_equal(part.rows, 2);
	assert_int_equal(part.cols, 2);
	tui_grid_fini(&g);
}

static void
test_grid_mends_halves_of_wide_glyphs(void **state)
{
	(void)state;
	struct tui_grid g = { 0 };
	assert_int_equal(tui_grid_size(&g, 1, 6), OK);
	struct tui_box b = tui_box_all(&g);
	tui_box_str(b, 0, 0, TUI_TEXT, "漢字漢");
	tui_box_str(b, 0, 1, TUI_TEXT, "x");
	tui_box_str(b, 0, 4, TUI_TEXT, "y");
	expect_grid(&g, " x字y\n");
	tui_grid_fini(&g);
}

static void
test_grid_finds_what_is_under_the_mouse(void **state)
{
	(void)state;
	struct tui_grid g = { 0 };
	assert_int_equal(tui_grid_size(&g, 10, 10), OK);
	struct tui_box b = tui_box_all(&g);
	tui_box_hit(b, 0, 0, 10, 10, TUI_HIT_LOG, 0);
	tui_box_hit(b, 2, 2, 3, 3, TUI_HIT_ITEM, 7);
	assert_int_equal(tui_grid_find(&g, 4, 4).kind, TUI_HIT_ITEM);
	assert_int_equal(tui_grid_find(&g, 4, 4).index, 7);
	assert_int_equal(tui_grid_find(&g, 5, 4).kind, TUI_HIT_LOG);
	assert_int_equal(tui_grid_find(&g, 40, 4).kind, TUI_HIT_NONE);
	tui_grid_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_takes_whole_glyphs),
		cmocka_unit_test(
		    test_text_gives_emoji_the_same_columns_everywhere),
		cmocka_unit_test(test_text_lets_nothing_steer_the_terminal),
		cmocka_unit_test(test_text_steps_back_over_what_it_stepped_on),
		cmocka_unit_test(test_text_breaks_between_words),
		cmocka_unit_test(test_text_fits_in_columns),
		cmocka_unit_test(test_grid_cuts_at_the_edges),
		cmocka_unit_test(test_grid_mends_halves_of_wide_glyphs),
		cmocka_unit_test(test_grid_finds_what_is_under_the_mouse),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
