/*
 * http_head_test.c: heads as text; characters and authorities one by one.
 * Whole messages are in http_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/http_in.h"

static struct http_msg msg;

/* 0 or the status of the refusal. */
static unsigned
parse(const char *before, uint8_t byte, const char *behind)
{
	uint8_t text[512];
	struct wr w = wr_init(text, sizeof text);
	struct http_bad bad = { 0, NULL };

	wr_str(&w, before);
	wr_u8(&w, byte);
	wr_str(&w, behind);
	assert_true(wr_ok(&w));
	if (http_head_parse(wr_done(&w), HTTP_SERVER, &http_limits_default,
	    &msg, &bad))
		return 0;
	assert_non_null(bad.why);
	return bad.status;
}

/* RFC 9110 5.6.2: tchar. */
static void
test_http_head_names_are_tokens(void **state)
{
	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		bool token = b > 0x20 && b < 0x7f &&
		    strchr("\"(),/:;<=>?@[\\]{}", (int)b) == NULL;
		unsigned got = parse("GET / HTTP/1.1\r\nHost: a\r\nX",
		    (uint8_t)b, "Y: z\r\n\r\n");

		/* a colon ends the name */
		assert_int_equal(got, token || b == ':' ? 0 : 400);
	}
}

/* RFC 9110 5.5: VCHAR, obs-text, SP and HTAB; at every place in a word. */
static void
test_http_head_values_have_no_controls(void **state)
{
	char before[64];

	(void)state;
	for (unsigned at = 0; at < 20; at++) {
		snprintf(before, sizeof before, "GET / HTTP/1.1\r\nHost: a"
		    "\r\nX: %.*s", (int)at, "12345678901234567890");
		for (unsigned b = 0; b < 256; b++) {
			bool fine = (b >= 0x20 && b != 0x7f) || b == '\t';

			assert_int_equal(parse(before, (uint8_t)b,
			    "abcdefghijk\r\n\r\n"), fine ? 0 : 400);
			if (fine && b != ' ' && b != '\t')
				assert_int_equal(msg.field[1].value.n,
				    at + 12);
		}
	}
}

static void
test_http_head_targets_are_visible(void **state)
{
	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		bool fine = b > 0x20 && b < 0x7f &&
		    strchr("\"#<>", (int)b) == NULL;

		assert_int_equal(parse("GET /a", (uint8_t)b, "b HTTP/1.1\r\n"
		    "Host: a\r\n\r\n"), fine ? 0 : 400);
	}
}

/* RFC 3986 3.2 */
static void
test_http_head_authorities(void **state)
{
	static const char *const good[] = { "a", "a.b", "a:1", "a:", "a:0080",
	    "a:65535", "127.0.0.1", "[::1]", "[::1]:8", "[2001:DB8::1.2.3.4]",
	    "%41", "a-._~!$&'()*+,;=b", "xn--a" };
	static const char *const bad[] = { "", ":", ":1", "a b", "a/b", "a?b",
	    "u@a", "a:b", "a:1:2", "a:65536", "a:-1", "a:+1", "[", "]", "[]",
	    "[::1", "::1", "[::1]1", "[::1]:x", "[a]", "[1]", "[::g]", "%",
	    "%4", "%4g", "a%", "a\\b", "a\"", "a<", "a\x7f", "a\x80", "a\t" };
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!http_is_authority(span_str(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (http_is_authority(span_str(bad[i])))
			fail_msg("%s", bad[i]);
	memset(text, 'a', sizeof text);
	assert_true(http_is_authority(span_of(text, 255)));
	assert_false(http_is_authority(span_of(text, 256)));
	memset(text, ':', sizeof text);
	text[0] = '[';
	text[60] = ']';
	assert_false(http_is_authority(span_of(text, 61)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_head_names_are_tokens),
		cmocka_unit_test(test_http_head_values_have_no_controls),
		cmocka_unit_test(test_http_head_targets_are_visible),
		cmocka_unit_test(test_http_head_authorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
