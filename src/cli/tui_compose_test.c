/*
 * tui_compose_test.c: the composer: what each key does to text and cursor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "cli/tui_compose.h"

#define COLS 20

static struct tui_compose *c;
static struct tui_keys keys;

static int
setup(void **state)
{
	(void)state;
	c = calloc(1, sizeof(*c));
	keys = (struct tui_keys){ 0 };
	return c == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	tui_compose_fini(c);
	free(c);
	return 0;
}

/* Feeds bytes of a keyboard; gives what the last key did. */
static enum tui_compose_result
press(const char *bytes)
{
	struct span in = span_str(bytes);
	enum tui_compose_result r = TUI_COMPOSE_NONE;
	while (in.n > 0) {
		struct tui_key k;
		size_t n = tui_keys_feed(&keys, in, &k);
		in = span_sub(in, n, in.n);
		if (k.name != TUI_KEY_NONE && k.name != TUI_KEY_PASTE)
			r = tui_compose_key(c, &k, COLS);
	}
	return r;
}

static void
expect(const char *text, size_t at)
{
	if (!span_eq(tui_compose_text(c), span_str(text)) || c->at != at)
		fail_msg("\"%.*s\" at %zu, not \"%s\" at %zu", (int)c->n,
		    (const char *)c->text, c->at, text, at);
}

static void
test_compose_inserts_and_deletes_whole_characters(void **state)
{
	(void)state;
	press("a漢e\u0301👩‍👩‍👧b");
	press("\x02\x7f");	/* back, then the whole family goes */
	expect("a漢e\u0301b", 7);
	press("\x7f");
	expect("a漢b", 4);
	press("\x02\x04");
	expect("ab", 1);
	press("\x04\x04");
	expect("a", 1);
	assert_int_equal(press("\x7f"), TUI_COMPOSE_CHANGED);
	assert_int_equal(press("\x7f"), TUI_COMPOSE_MOVED);
}

static void
test_compose_moves_by_words_and_lines(void **state)
{
	(void)state;
	press("one two\nthree four");
	press("\033b");
	expect("one two\nthree four", 14);
	press("\033[1;5D");
	expect("one two\nthree four", 8);
	press("\x05");
	expect("one two\nthree four", 18);
	press("\x01");
	expect("one two\nthree four", 8);
	press("\033[A");
	expect("one two\nthree four", 0);
	press("\033f");
	expect("one two\nthree four", 3);
	press("\033[1;5F");
	expect("one two\nthree four", 18);
	press("\033<");
	expect("one two\nthree four", 0);
}

static void
test_compose_leaves_the_first_line_upwards(void **state)
{
	(void)state;
	press("one");
	assert_int_equal(press("\033[A"), TUI_COMPOSE_NONE);
	assert_int_equal(press("\033[B"), TUI_COMPOSE_NONE);
	press("\033\r");
	press("two");
	assert_int_equal(press("\033[A"), TUI_COMPOSE_MOVED);
	assert_int_equal(press("\033[A"), TUI_COMPOSE_NONE);
	assert_int_equal(press("\033[B"), TUI_COMPOSE_MOVED);
}

static void
test_compose_keeps_the_column_over_short_lines(void **state)
{
	(void)state;
	press("longer line\033\rx\033\ranother one");
	press("\033[D\033[D");
	expect("longer line\nx\nanother one", 23);
	press("\033[A");
	expect("longer line\nx\nanother one", 13);
	press("\033[A");
	expect("longer line\nx\nanother one", 9);
}

static void
test_compose_yanks_what_was_cut(void **state)
{
	(void)state;
	press("one two three");
	press("\x17\x17");	/* two words in a row come back together */
	expect("one ", 4);
	press("\x19");
	expect("one two three", 13);
	press("\x15");
	expect("", 0);
	press("\x19\x19");
	expect("one two threeone two three", 26);
	press("\033<\x0b");
	expect("", 0);
	press("a\033\rb\033<\x0b\x0b\x0b\x19");
	expect("a\nb", 3);
}

static void
test_compose_takes_back(void **state)
{
	(void)state;
	press("one");
	press("\x17");
	press("two");
	press("\x1f");
	expect("", 0);
	press("\x1f");
	expect("one", 3);
	press("\x1f");
	expect("", 0);
	assert_int_equal(press("\x1f"), TUI_COMPOSE_MOVED);
}

static void
test_compose_swaps_characters(void **state)
{
	(void)state;
	press("a漢\x14");
	expect("漢a", 4);
	press("\x01\x14");
	expect("漢a", 0);
	press("\033[C\x14");
	expect("a漢", 4);
}

static void
test_compose_finds_what_was_sent(void **state)
{
	(void)state;
	press("first");
	tui_compose_clear(c, true);
	press("second\nline");
	tui_compose_clear(c, true);
	press("dra");
	press("\x10");
	expect("second\nline", 11);
	press("\x10\x10");
	expect("first", 5);
	press("\x0e\x0e");
	expect("dra", 3);
	assert_int_equal(press("\x0e"), TUI_COMPOSE_MOVED);
	/* Many of them: the oldest go, the newest stay. */
	for (int i = 0; i < 3000; i++) {
		tui_compose_set(c, SPAN("a text of more than forty bytes, "
		    "again and again"));
		tui_compose_clear(c, true);
	}
	assert_true(c->past_n <= TUI_PAST_BYTES);
	press("\x10");
	assert_int_equal(c->n, 48);
}

static void
test_compose_pastes_as_text(void **state)
{
	(void)state;
	press("\033[200~a\rb\tc\x01\033[201~");
	expect("a\nb\tc", 5);
	assert_int_equal(press("\r"), TUI_COMPOSE_NONE);	/* sends */
	assert_int_equal(press("\t"), TUI_COMPOSE_NONE);
	/* One undo takes the paste back. */
	press("\x1f");
	expect("", 0);
}

static void
test_compose_is_bounded(void **state)
{
	(void)state;
	static uint8_t big[TUI_COMPOSE_MAX + 10];
	memset(big, 'x', sizeof(big));
	/* Cut between characters: an "ü" straddles the end. */
	memcpy(big + TUI_COMPOSE_MAX - 1, "\xc3\xbc", 2);
	tui_compose_set(c, SPAN_OF(big));
	assert_int_equal(c->n, TUI_COMPOSE_MAX - 1);
	assert_int_equal(press("y"), TUI_COMPOSE_CHANGED);
	assert_int_equal(press("y"), TUI_COMPOSE_FULL);
	assert_int_equal(c->n, TUI_COMPOSE_MAX);
	assert_false(tui_compose_insert(c, SPAN("z")));
}

/* Each byte but line feeds is on exactly one line; the cursor is in it. */
static void
check_view(size_t cols)
{
	size_t at = 0, bytes = 0, lines = 0, feeds = 0;
	bool more = true;
	struct span line;
	while (tui_compose_line(c, cols, &at, &more, &line)) {
		bytes += line.n;
		lines++;
	}
	for (size_t i = 0; i < c->n; i++)
		feeds += c->text[i] == '\n';
	assert_int_equal(bytes + feeds, c->n);
	struct tui_compose_view v = tui_compose_view(c, cols);
	assert_int_equal(v.lines, lines);
	assert_true(v.line < v.lines);
	assert_true(v.col <= cols);
}

static void
test_compose_is_drawn_where_its_cursor_is(void **state)
{
	(void)state;
	press("the quick brown fox jumps over\033\rthe 漢字 dog");
	for (size_t cols = 2; cols < 40; cols++) {
		for (size_t i = 0; i <= c->n; i++) {
			if (i < c->n && (c->text[i] & 0xc0) == 0x80)
				continue;
			c->at = i;
			check_view(cols);
			struct tui_compose_view v = tui_compose_view(c, cols);
			size_t back = tui_compose_place(c, cols, v.line,
			    v.col);
			/* A space that hangs over the edge has no column. */
			if (v.col < cols)
				assert_int_equal(back, i);
		}
	}
	tui_compose_clear(c, false);
	check_view(10);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_compose_inserts_and_deletes_whole_characters),
		TEST(test_compose_moves_by_words_and_lines),
		TEST(test_compose_leaves_the_first_line_upwards),
		TEST(test_compose_keeps_the_column_over_short_lines),
		TEST(test_compose_yanks_what_was_cut),
		TEST(test_compose_takes_back),
		TEST(test_compose_swaps_characters),
		TEST(test_compose_finds_what_was_sent),
		TEST(test_compose_pastes_as_text),
		TEST(test_compose_is_bounded),
		TEST(test_compose_is_drawn_where_its_cursor_is),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
