/*
 * edit_test.c: keys in, screen out. A small terminal (one row) interprets
 * what edit_draw writes, so the tests see what a person would see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>

#include "base/text.h"
#include "cli/clean.h"
#include "cli/edit.h"

static struct edit e;		/* large */

static int
start(void **state)
{
	(void)state;
	edit_init(&e);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	edit_fini(&e);
	return 0;
}

/* Types all of `keys`; the last event. */
static enum edit_event
type_n(const char *keys, size_t n)
{
	struct span in = span_of(keys, n);
	enum edit_event last = EDIT_NONE;
	while (in.n > 0) {
		enum edit_event ev;
		size_t took = edit_feed(&e, in, &ev);
		assert_true(took > 0);
		if (ev != EDIT_NONE)
			last = ev;
		in = span_sub(in, took, in.n - took);
	}
	return last;
}

#define TYPE(keys) type_n(keys, sizeof(keys) - 1)

static void
expect_line(const char *want)
{
	char text[512] = "";
	assert_true(edit_line(&e).n < sizeof(text));
	memcpy(text, edit_line(&e).p, edit_line(&e).n);
	assert_string_equal(text, want);
}

/* The row of the screen and the cursor's column after drawing. */
static void
expect_screen(size_t cols, const char *want, size_t want_cursor)
{
	struct buf out, row;
	size_t cursor = 0;
	buf_init(&out, 1 << 20);
	buf_init(&row, 1 << 20);
	assert_int_equal(edit_draw(&e, SPAN("> "), cols, &out), OK);
	struct span s = buf_span(&out);
	assert_true(span_starts(s, SPAN(EDIT_WIPE_ROW)));
	s = span_sub(s, sizeof(EDIT_WIPE_ROW) - 1, s.n);
	while (s.n > 0) {
		uint32_t code;
		size_t n = utf8_next(s, &code);
		if (code == 27) {	/* only "move left" is written */
			size_t k = 2, v = 0;
			assert_int_equal(s.p[1], '[');
			for (; s.p[k] != 'D'; k++)
				v = v * 10 + (size_t)(s.p[k] - '0');
			assert_true(v <= cursor);
			cursor -= v;
			n = k + 1;
		} else {
			assert_true(code >= 32);
			cursor += clean_width(code);
			assert_int_equal(buf_add(&row, s.p, n), OK);
		}
		s = span_sub(s, n, s.n - n);
	}
	assert_true(cursor < cols);
	assert_int_equal(buf_add(&row, "", 1), OK);
	assert_string_equal((const char *)row.p, want);
	assert_int_equal(cursor, want_cursor);
	buf_fini(&out);
	buf_fini(&row);
}

static void
test_edit_inserts_at_the_cursor(void **state)
{
	(void)state;
	assert_int_equal(TYPE("helo\033[Dl"), EDIT_NONE);
	expect_line("hello");
	expect_screen(80, "> hello", 6);
}

static void
test_edit_ends_a_line_at_enter(void **state)
{
	(void)state;
	enum edit_event ev;
	size_t took = edit_feed(&e, SPAN("one\rtwo"), &ev);
	assert_int_equal(ev, EDIT_LINE);
	assert_int_equal(took, 4);
	expect_line("one");
	edit_clear(&e, true);
	expect_line("");
}

static void
test_edit_backspace_takes_a_whole_character(void **state)
{
	(void)state;
	TYPE("a漢\x7f");
	expect_line("a");
	TYPE("e\u0301\x7f");		/* letter and combining accent */
	expect_line("a");
	TYPE("👩‍👩‍👧\x7f");		/* tied by joiners */
	expect_line("a");
	TYPE("👍🏽\x7f");		/* a skin tone */
	expect_line("a");
	TYPE("\x7f\x7f\x7f");
	expect_line("");
}

static void
test_edit_moves_over_wide_characters(void **state)
{
	(void)state;
	TYPE("漢字");
	expect_screen(80, "> 漢字", 6);
	TYPE("\033[D");
	expect_screen(80, "> 漢字", 4);
	TYPE("\033OD\033OD");
	expect_screen(80, "> 漢字", 2);
	TYPE("\033[Cx");
	expect_line("漢x字");
}

static void
test_edit_has_the_usual_control_keys(void **state)
{
	(void)state;
	TYPE("one two\001X\005Y");		/* Ctrl-A, Ctrl-E */
	expect_line("Xone twoY");
	TYPE("\027");				/* Ctrl-W */
	expect_line("Xone ");
	TYPE("two\002\002\013");		/* Ctrl-B twice, Ctrl-K */
	expect_line("Xone t");
	TYPE("\002\025");			/* Ctrl-B, Ctrl-U */
	expect_line("t");
	TYPE("\004");				/* Ctrl-D deletes */
	expect_line("");
	assert_int_equal(TYPE("\004"), EDIT_END);
	assert_int_equal(TYPE("\003"), EDIT_INTERRUPT);
	assert_int_equal(TYPE("\014"), EDIT_REDRAW);
}

static void
test_edit_home_end_delete_and_words(void **state)
{
	(void)state;
	TYPE("one two\033[H\033[3~");
	expect_line("ne two");
	TYPE("\033[F!\033[1~?\033[4~.");
	expect_line("?ne two!.");
	TYPE("\033b-\033b\033b+\033f~");
	expect_line("+?ne~ -two!.");
	TYPE("\033[1;5D\033[1;5D^");
	expect_line("^+?ne~ -two!.");
}

static void
test_edit_finds_earlier_lines(void **state)
{
	(void)state;
	TYPE("first");
	edit_clear(&e, true);
	TYPE("second");
	edit_clear(&e, true);
	TYPE("draft\033[A");
	expect_line("second");
	TYPE("\033[A\033[A\033[A");
	expect_line("first");
	TYPE("\033[B");
	expect_line("second");
	TYPE("\033[B\033[B");
	expect_line("draft");
}

static void
test_edit_forgets_what_it_is_told_to(void **state)
{
	(void)state;
	TYPE("/secret");
	edit_clear(&e, false);
	TYPE("\033[A");
	expect_line("");
}

static void
test_edit_drops_oldest_lines_when_full(void **state)
{
	(void)state;
	static char big[30000];
	memset(big, 'a', sizeof(big));
	for (int i = 0; i < 3; i++) {
		big[0] = (char)('0' + i);
		type_n(big, sizeof(big));
		edit_clear(&e, true);
	}
	TYPE("\033[A\033[A\033[A\033[A");
	assert_int_equal(edit_line(&e).n, sizeof(big));
	assert_int_equal(edit_line(&e).p[0], '1');
}

static void
test_edit_takes_a_paste_as_text(void **state)
{
	(void)state;
	assert_int_equal(TYPE("\033[200~two\rlines\x03\033[A\033[201~!"),
	    EDIT_NONE);
	expect_line("two\nlines!");
	expect_screen(80, "> two↵lines!", 12);
	assert_int_equal(TYPE("\r"), EDIT_LINE);
}

static void
test_edit_survives_keys_cut_anywhere(void **state)
{
	(void)state;
	static const char keys[] = "a漢\033[D\033[1;5Cb\033[3~\033[200~x\ny"
	    "\033[201~é\177";
	type_n(keys, sizeof(keys) - 1);
	char want[64] = "";
	memcpy(want, edit_line(&e).p, edit_line(&e).n);
	edit_init(&e);
	for (size_t i = 0; i < sizeof(keys) - 1; i++)
		type_n(keys + i, 1);
	expect_line(want);
}

static void
test_edit_drops_bad_bytes(void **state)
{
	(void)state;
	TYPE("a\xff\xc3(\xc0\x80\xed\xa0\x80z");
	expect_line("a(z");
}

static void
test_edit_ignores_unknown_keys(void **state)
{
	(void)state;
	TYPE("a\033[15~\033[<0;1;2Mb\033xc\001\034\036\005d");
	expect_line("abcd");
	TYPE("\033[1111111111111111111111111111111111");
	edit_timeout(&e);
	assert_false(edit_is_waiting(&e));
}

static void
test_edit_timeout_ends_a_lone_escape(void **state)
{
	(void)state;
	TYPE("\033");
	assert_true(edit_is_waiting(&e));
	edit_timeout(&e);
	TYPE("[A");
	expect_line("[A");
}

static void
test_edit_scrolls_sideways(void **state)
{
	(void)state;
	TYPE("abcdefghijkl");
	expect_screen(10, "> fghijkl", 9);
	TYPE("\001");
	expect_screen(10, "> abcdefg", 2);
	TYPE("\005\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f");
	expect_screen(10, "> abcd", 6);
}

static void
test_edit_scrolls_wide_characters_whole(void **state)
{
	(void)state;
	TYPE("漢漢漢漢漢");
	expect_screen(10, "> 漢漢漢", 8);
	TYPE("\001");
	expect_screen(10, "> 漢漢漢", 2);
}

static void
test_edit_draws_no_control_character(void **state)
{
	(void)state;
	TYPE("\033[200~a\tb\u202Ec\xc2\x9b" "d\033[201~");
	expect_screen(80, "> a b\uFFFDc\uFFFDd", 9);
}

static void
test_edit_refuses_more_than_fits(void **state)
{
	(void)state;
	static char big[EDIT_LINE_MAX];
	memset(big, 'a', sizeof(big));
	assert_int_equal(type_n(big, sizeof(big)), EDIT_NONE);
	assert_int_equal(TYPE("x"), EDIT_FULL);
	assert_int_equal(TYPE("漢"), EDIT_FULL);
	assert_int_equal(edit_line(&e).n, EDIT_LINE_MAX);
	TYPE("\x7f");
	assert_int_equal(TYPE("漢"), EDIT_FULL);
	assert_int_equal(TYPE("x"), EDIT_NONE);
}

/* 70 columns broken at 40: the cursor is in the second row. */
static void
test_edit_resize_goes_back_to_the_first_row(void **state)
{
	(void)state;
	static struct edit l;
	struct buf out;
	enum edit_event ev;
	edit_init(&l);
	buf_init(&out, 4096);
	for (int i = 0; i < 64; i++)
		edit_feed(&l, SPAN("x"), &ev);
	assert_int_equal(edit_draw(&l, SPAN("alice>"), 80, &out), OK);
	buf_clear(&out);
	assert_int_equal(edit_resize(&l, 40, &out), OK);
	assert_true(span_eq(buf_span(&out), SPAN("\r\033[1A\033[J")));
	buf_clear(&out);
	assert_int_equal(edit_draw(&l, SPAN("alice>"), 40, &out), OK);
	buf_clear(&out);
	/* What fits a row needs no way up. */
	assert_int_equal(edit_resize(&l, 200, &out), OK);
	assert_true(span_eq(buf_span(&out), SPAN("\r\033[J")));
	buf_fini(&out);
	edit_fini(&l);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		T(test_edit_inserts_at_the_cursor),
		T(test_edit_ends_a_line_at_enter),
		T(test_edit_backspace_takes_a_whole_character),
		T(test_edit_moves_over_wide_characters),
		T(test_edit_has_the_usual_control_keys),
		T(test_edit_home_end_delete_and_words),
		T(test_edit_finds_earlier_lines),
		T(test_edit_forgets_what_it_is_told_to),
		T(test_edit_drops_oldest_lines_when_full),
		T(test_edit_takes_a_paste_as_text),
		T(test_edit_survives_keys_cut_anywhere),
		T(test_edit_drops_bad_bytes),
		T(test_edit_ignores_unknown_keys),
		T(test_edit_timeout_ends_a_lone_escape),
		T(test_edit_scrolls_sideways),
		T(test_edit_scrolls_wide_characters_whole),
		T(test_edit_draws_no_control_character),
		T(test_edit_refuses_more_than_fits),
		T(test_edit_resize_goes_back_to_the_first_row),
	};
#undef T
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
