/*
 * tui_keys_test.c: bytes of keyboards and mice as keys (ECMA-48 5.4; xterm's
 * control sequences: modifiers, SGR mouse, focus, bracketed paste).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/tui_keys.h"

/* The one key that these bytes are. */
static struct tui_key
key(const char *bytes)
{
	struct tui_keys k = { 0 };
	struct tui_key out;
	struct span in = span_str(bytes);
	assert_int_equal(tui_keys_feed(&k, in, &out), in.n);
	assert_false(tui_keys_is_waiting(&k));
	return out;
}

static void
expect(const char *bytes, enum tui_key_name name, uint32_t code,
    uint8_t mods)
{
	struct tui_key k = key(bytes);
	if (k.name != name || k.code != code || k.mods != mods)
		fail_msg("%s: name %d code %u mods %u", bytes + 1,
		    (int)k.name, (unsigned)k.code, (unsigned)k.mods);
}

static void
test_keys_of_one_byte(void **state)
{
	(void)state;
	expect("a", TUI_KEY_CHAR, 'a', 0);
	expect("\r", TUI_KEY_ENTER, 0, 0);
	expect("\t", TUI_KEY_TAB, 0, 0);
	expect("\x7f", TUI_KEY_BACKSPACE, 0, 0);
	expect("\b", TUI_KEY_BACKSPACE, 0, 0);
	expect("\x01", TUI_KEY_CTRL, 'a', 0);
	expect("\x1f", TUI_KEY_CTRL, '_', 0);
}

static void
test_keys_of_characters(void **state)
{
	(void)state;
	expect("ü", TUI_KEY_CHAR, 0xfc, 0);
	expect("漢", TUI_KEY_CHAR, 0x6f22, 0);
	expect("🦉", TUI_KEY_CHAR, 0x1f989, 0);
	/* Not UTF-8, overlong, a surrogate, a C1 control: nothing. */
	expect("\xff", TUI_KEY_NONE, 0, 0);
	expect("\xc0\xaf", TUI_KEY_NONE, 0, 0);
	expect("\xed\xa0\x80", TUI_KEY_NONE, 0, 0);
	expect("\xc2\x9b", TUI_KEY_NONE, 0x9b, 0);
	expect("\033\xc2\x9b", TUI_KEY_NONE, 0x9b, 0);
}

static void
test_keys_that_move(void **state)
{
	(void)state;
	expect("\033[A", TUI_KEY_UP, 0, 0);
	expect("\033OA", TUI_KEY_UP, 0, 0);
	expect("\033[1;5D", TUI_KEY_LEFT, 0, TUI_CTRL);
	expect("\033[1;4B", TUI_KEY_DOWN, 0, TUI_SHIFT | TUI_ALT);
	expect("\033[H", TUI_KEY_HOME, 0, 0);
	expect("\033[7~", TUI_KEY_HOME, 0, 0);
	expect("\033[4~", TUI_KEY_END, 0, 0);
	expect("\033[5~", TUI_KEY_PGUP, 0, 0);
	expect("\033[3;5~", TUI_KEY_DELETE, 0, TUI_CTRL);
	expect("\033[Z", TUI_KEY_TAB, 0, TUI_SHIFT);
	/* Escape, then an arrow: Alt with it. */
	expect("\033\033[A", TUI_KEY_UP, 0, TUI_ALT);
}

static void
test_keys_of_functions(void **state)
{
	(void)state;
	expect("\033OP", TUI_KEY_F, 1, 0);
	expect("\033[11~", TUI_KEY_F, 1, 0);
	expect("\033[[A", TUI_KEY_F, 1, 0);	/* the Linux console */
	expect("\033[24~", TUI_KEY_F, 12, 0);
	expect("\033[1;2P", TUI_KEY_F, 1, TUI_SHIFT);
}

static void
test_keys_with_alt(void **state)
{
	(void)state;
	expect("\033b", TUI_KEY_CHAR, 'b', TUI_ALT);
	expect("\033\r", TUI_KEY_ENTER, 0, TUI_ALT);
	expect("\033\x7f", TUI_KEY_BACKSPACE, 0, TUI_ALT);
	expect("\033ü", TUI_KEY_CHAR, 0xfc, TUI_ALT);
	/* CSI u and modifyOtherKeys: Shift Enter, Control a, a sharp s. */
	expect("\033[13;2u", TUI_KEY_ENTER, 0, TUI_SHIFT);
	expect("\033[27;2;13~", TUI_KEY_ENTER, 0, TUI_SHIFT);
	expect("\033[97;5u", TUI_KEY_CTRL, 'a', 0);
	expect("\033[223u", TUI_KEY_CHAR, 0xdf, 0);
	expect("\033[55296u", TUI_KEY_NONE, 0, 0);
}

static void
test_keys_of_a_mouse(void **state)
{
	(void)state;
	struct tui_key k = key("\033[<0;12;5M");
	assert_int_equal(k.name, TUI_KEY_MOUSE);
	assert_int_equal(k.button, TUI_BUTTON_LEFT);
	assert_int_equal(k.col, 11);
	assert_int_equal(k.row, 4);
	assert_false(k.released);
	assert_true(key("\033[<0;12;5m").released);
	assert_int_equal(key("\033[<64;1;1M").button, TUI_WHEEL_UP);
	assert_int_equal(key("\033[<65;1;1M").button, TUI_WHEEL_DOWN);
	assert_int_equal(key("\033[<16;1;1M").mods, TUI_CTRL);
	/* Moving, no place, beyond any screen: nothing. */
	expect("\033[<32;1;1M", TUI_KEY_NONE, 0, 0);
	expect("\033[<0;0;1M", TUI_KEY_NONE, 0, 0);
	expect("\033[<0;1M", TUI_KEY_NONE, 0, 0);
	expect("\033[<0;99999;1M", TUI_KEY_NONE, 0, 0);
}

static void
test_keys_of_focus(void **state)
{
	(void)state;
	expect("\033[I", TUI_KEY_FOCUS, 1, 0);
	expect("\033[O", TUI_KEY_FOCUS, 0, 0);
}

static void
test_keys_in_pieces(void **state)
{
	(void)state;
	struct tui_keys k = { 0 };
	struct tui_key out;
	static const char *const pieces[] = { "\033", "[", "1;", "5" };
	for (size_t i = 0; i < 4; i++) {
		tui_keys_feed(&k, span_str(pieces[i]), &out);
		assert_int_equal(out.name, TUI_KEY_NONE);
		assert_true(tui_keys_is_waiting(&k));
	}
	tui_keys_feed(&k, SPAN("C"), &out);
	assert_int_equal(out.name, TUI_KEY_RIGHT);
	assert_int_equal(out.mods, TUI_CTRL);
}

static void
test_keys_alone_after_a_while(void **state)
{
	(void)state;
	struct tui_keys k = { 0 };
	struct tui_key out;
	tui_keys_feed(&k, SPAN("\033"), &out);
	tui_keys_timeout(&k, &out);
	assert_int_equal(out.name, TUI_KEY_ESC);
	tui_keys_feed(&k, SPAN("\033["), &out);
	tui_keys_timeout(&k, &out);
	assert_int_equal(out.name, TUI_KEY_CHAR);
	assert_int_equal(out.code, '[');
	assert_int_equal(out.mods, TUI_ALT);
	tui_keys_timeout(&k, &out);
	assert_int_equal(out.name, TUI_KEY_NONE);
}

static void
test_keys_of_a_paste_are_text(void **state)
{
	(void)state;
	struct tui_keys k = { 0 };
	struct tui_key out;
	struct span in = SPAN("\033[200~a\r\033[31mb\x03\x1b[<0;1;1M"
	    "\033[201~c");
	struct { enum tui_key_name name; uint32_t code; bool pasted; } want[] =
	{ { TUI_KEY_PASTE, 1, false }, { TUI_KEY_CHAR, 'a', true },
	    { TUI_KEY_ENTER, 0, true }, { TUI_KEY_CHAR, 'b', true } };
	for (size_t i = 0; i < 4; i++) {
		size_t n = tui_keys_feed(&k, in, &out);
		in = span_sub(in, n, in.n);
		assert_int_equal(out.name, want[i].name);
		assert_int_equal(out.code, want[i].code);
		assert_int_equal(out.pasted, want[i].pasted);
	}
	/* Nothing in it is a key: no colour, no ^C, no click. */
	size_t took = tui_keys_feed(&k, in, &out);
	in = span_sub(in, took, in.n);
	assert_int_equal(out.name, TUI_KEY_PASTE);
	assert_int_equal(out.code, 0);
	tui_keys_feed(&k, in, &out);
	assert_int_equal(out.code, 'c');
	assert_false(out.pasted);
}

static void
test_keys_drop_sequences_that_are_too_long(void **state)
{
	(void)state;
	struct tui_keys k = { 0 };
	struct tui_key out;
	uint8_t in[200];
	memset(in, '1', sizeof(in));
	in[0] = 27;
	in[1] = '[';
	in[198] = 'A';
	in[199] = 'x';
	assert_int_equal(tui_keys_feed(&k, SPAN_OF(in), &out), 200);
	assert_int_equal(out.name, TUI_KEY_CHAR);
	assert_int_equal(out.code, 'x');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_of_one_byte),
		cmocka_unit_test(test_keys_of_characters),
		cmocka_unit_test(test_keys_that_move),
		cmocka_unit_test(test_keys_of_functions),
		cmocka_unit_test(test_keys_with_alt),
		cmocka_unit_test(test_keys_of_a_mouse),
		cmocka_unit_test(test_keys_of_focus),
		cmocka_unit_test(test_keys_in_pieces),
		cmocka_unit_test(test_keys_alone_after_a_while),
		cmocka_unit_test(test_keys_of_a_paste_are_text),
		cmocka_unit_test(test_keys_drop_sequences_that_are_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
