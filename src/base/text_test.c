/*
 * Tests of text.c: what is accepted has exactly one form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"

/* Unicode table 3-7; the classic overlong, surrogate and range cases. */
static void
test_utf8_refuses_what_is_not_well_formed(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xe1\x80", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe",
		"abcdefgh\xc3", "\xe2\x82\xac\xe2\x82", "\xf0\x9f\x98",
	};
	static const char *const good[] = {
		"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"ijklmnop\xe2\x82\xac/ijklmnop\xf0\x9f\x98\x80",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid(span_str(bad[i])));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid(span_str(good[i])));
	assert_true(utf8_valid(SPAN("a\0b")));
}

/* RFC 6455 8.1: a frame is failed as soon as it can not become valid. */
static void
test_utf8_feed_fails_at_the_first_hopeless_byte(void **state)
{
	struct utf8 u = { 0 };

	(void)state;
	assert_true(utf8_feed(&u, SPAN("\xf4")));
	assert_false(utf8_end(&u));
	assert_false(utf8_feed(&u, SPAN("\x90")));
	assert_false(utf8_feed(&u, SPAN("a")));	/* and stays failed */
	assert_false(utf8_end(&u));
}

static bool
valid_by_bytes(struct span s)
{
	struct utf8 u = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		if (!utf8_feed(&u, span_sub(s, i, 1)))
			return false;
	}
	return utf8_end(&u);
}

/* What is looked at in larger steps is judged as byte by byte. */
static void
test_utf8_steps_of_any_size_agree(void **state)
{
	static const uint8_t some[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
	    0xa0, 0xbf, 0xc0, 0xff };
	uint8_t p[80];

	(void)state;
	for (unsigned i = 0; i < 1U << 16; i++) {
		p[0] = (uint8_t)(i >> 8);
		p[1] = (uint8_t)i;
		assert_int_equal(utf8_valid(span_of(p, 2)),
		    valid_by_bytes(span_of(p, 2)));
		for (size_t a = 0; a < sizeof some * sizeof some; a++) {
			p[2] = some[a / sizeof some];
			p[3] = some[a % sizeof some];
			assert_int_equal(utf8_valid(span_of(p, 4)),
			    valid_by_bytes(span_of(p, 4)));
		}
	}
	/* One bad byte anywhere between ASCII ones is seen. */
	for (size_t n = 1; n <= sizeof p; n++) {
		memset(p, 'a', sizeof p);
		assert_true(utf8_valid(span_of(p, n)));
		for (size_t i = 0; i < n; i++) {
			p[i] = 0x80;
			assert_false(utf8_valid(span_of(p, n)));
			p[i] = 'a';
		}
	}
}

static void
test_utf8_next_and_put_agree(void **state)
{
	uint32_t code, got;
	uint8_t out[4];

	(void)state;
	for (code = 0; code <= 0x110000; code += 7) {
		size_t n = utf8_put(code, out);

		if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
			assert_int_equal(n, 0);
			continue;
		}
		assert_true(utf8_valid(span_of(out, n)));
		assert_int_equal(utf8_next(span_of(out, n), &got), n);
		assert_int_equal(got, code);
	}
	assert_int_equal(utf8_next(SPAN("\xe2\x82x"), &got), 2);
	assert_int_equal(got, 0xfffd);
	assert_int_equal(utf8_next(SPAN("\xe2"), &got), 1);
	assert_int_equal(got, 0xfffd);
}

/* RFC 4648 10. */
static void
test_base64_rfc4648_examples(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	char text[16];
	uint8_t back[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		n = base64_encode(span_str(pairs[i][0]), text);
		assert_true(span_eq(span_of(text, n), span_str(pairs[i][1])));
		assert_int_equal(n, BASE64_LEN(strlen(pairs[i][0])));
		assert_true(base64_decode(span_of(text, n), back, &n));
		assert_true(span_eq(span_of(back, n), span_str(pairs[i][0])));
	}
}

/* RFC 4648 3.5: unused bits are zero; 3.3: nothing but the alphabet. */
static void
test_base64_decode_is_strict(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "=", "====",
		"A===", "Zm9v\n", "Zm 9", "Zm-_", "Zg=a", "Zm9vY===", "=AAA",
	};
	uint8_t out[16];
	size_t i, n = 99;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(span_str(bad[i]), out, &n));
	assert_int_equal(n, 99);
}

static void
test_base64_any_passes_over_what_is_none(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} rows[] = {
		{ "", 0, "" }, { "Z", 0, "" }, { "Zg", 1, "f" },
		{ "Zm9v\n", 3, "foo" }, { "Zg==Zg==", 1, "f" },
		{ "====", 0, "" }, { "Zm-_", 3, "fo\xbf" },
		{ "Zm+/", 3, "fo\xbf" }, { "!!", 0, "" }, { "Z!m9v", 3, "foo" },
	};
	uint8_t out[BASE64_ANY_MAX(16)];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = base64_decode_any(span_str(rows[i].in), out);

		assert_int_equal(n, rows[i].n);
		assert_memory_equal(out, rows[i].out, n);
	}
}

static void
test_base64url_has_no_padding(void **state)
{
	static const uint8_t in[] = { 0xfb, 0xff, 0xfe, 0xff };
	static const char *const bad[] = { "A", "AA==", "+/8", "-_8\n" };
	char text[8];
	uint8_t out[8];
	size_t i, n;

	(void)state;
	n = base64url_encode(SPAN_OF(in), text);
	assert_true(span_eq(span_of(text, n), SPAN("-__-_w")));
	assert_true(base64url_decode(SPAN("-__-_w"), out, &n));
	assert_true(span_eq(span_of(out, n), SPAN_OF(in)));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64url_decode(span_str(bad[i]), out, &n));
	assert_false(base64url_decode(SPAN("-_9"), out, &n));
}

static void
test_hex_both_ways(void **state)
{
	uint8_t out[4];
	char text[8];

	(void)state;
	assert_true(hex_decode(SPAN("00fFA5c3"), out));
	hex_encode(SPAN_OF(out), text);
	assert_memory_equal(text, "00ffa5c3", 8);
	assert_true(hex_decode(SPAN(""), out));
	assert_false(hex_decode(SPAN("0"), out));
	assert_false(hex_decode(SPAN("0g"), out));
	assert_false(hex_decode(SPAN("0x12"), out));
	assert_false(hex_decode(SPAN(" 1"), out));
}

static void
test_time_both_ways(void **state)
{
	static const struct { uint64_t ms; const char *text; } pairs[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1795252131123, "2026-11-21T09:08:51.123Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	char text[TIME_TEXT_LEN + 1];
	uint64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		time_encode(pairs[i].ms, text);
		assert_string_equal(text, pairs[i].text);
		assert_true(time_decode(span_str(text), &ms));
		assert_true(ms == pairs[i].ms);
	}
	assert_true(time_decode(SPAN("2026-11-21T09:08:51Z"), &ms));
	assert_true(ms == 1795252131000);
	time_encode(UINT64_MAX, text);		/* the last one there is */
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void
test_time_every_day_of_400_years(void **state)
{
	char text[TIME_TEXT_LEN + 1];
	uint64_t day, ms;

	(void)state;
	for (day = 0; day < 146097; day++) {
		time_encode(day * 86400000 + 1, text);
		assert_true(time_decode(span_str(text), &ms));
		assert_true(ms == day * 86400000 + 1);
	}
}

static void
test_time_refuses_what_is_no_time(void **state)
{
	static const char *const bad[] = {
		"", "Z", "2026-11-21", "2026-11-21T09:08:51", "1969-12-31T23:59:59Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z",
		"2026-01-01T00:00:00.12Z", "2026-01-01T00:00:00,123Z",
		"2026-01-01T00:00:00.1234Z", "2026-01-01T00:00:00+00:00",
		"2026-1-01T00:00:00.00Z", "+026-01-01T00:00:00Z",
		"2026-01-01T00:00:00z",
	};
	uint64_t ms = 5;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(time_decode(span_str(bad[i]), &ms));
	assert_true(ms == 5);
}

static void
test_lower_changes_ascii_letters_alone(void **state)
{
	static const char in[] = "AZaz09@[`{\xc3\x84\0Q";
	uint8_t out[sizeof in - 1];

	(void)state;
	text_lower(span_of(in, sizeof in - 1), out);
	assert_memory_equal(out, "azaz09@[`{\xc3\x84\0q", sizeof out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_refuses_what_is_not_well_formed),
		cmocka_unit_test(
		    test_utf8_feed_fails_at_the_first_hopeless_byte),
		cmocka_unit_test(test_utf8_steps_of_any_size_agree),
		cmocka_unit_test(test_utf8_next_and_put_agree),
		cmocka_unit_test(test_base64_rfc4648_examples),
		cmocka_unit_test(test_base64_decode_is_strict),
		cmocka_unit_test(test_base64_any_passes_over_what_is_none),
		cmocka_unit_test(test_base64url_has_no_padding),
		cmocka_unit_test(test_lower_changes_ascii_letters_alone),
		cmocka_unit_test(test_hex_both_ways),
		cmocka_unit_test(test_time_both_ways),
		cmocka_unit_test(test_time_every_day_of_400_years),
		cmocka_unit_test(test_time_refuses_what_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
