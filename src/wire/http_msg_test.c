/*
 * http_msg_test.c: fields (RFC 9110 5, 11; RFC 6265 5.4), targets (RFC 3986).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/http.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

static struct http_msg last;

static void
read_head(const char *text)
{
	struct http_in h;
	struct span body;
	size_t used;

	http_in_init(&h, HTTP_SERVER, &http_limits_default);
	assert_int_equal(http_next(&h, span_str(text), &last, &used, &body),
	    HTTP_EV_HEAD);
}

static void
test_http_finds_fields(void **state)
{
	(void)state;
	read_head(GET "Cookie: a=1; b=2;c=\r\nCOOKIE: d=4\r\n"
	    "authorization: bearer  abc \r\nX: \r\nX: 2\r\n"
	    "Content-Type: Application/JSON; charset=utf-8\r\n"
	    "Accept:a ,b,  c\r\n\r\n");
	assert_true(span_eq(http_cookie(&last, "a"), SPAN("1")));
	assert_true(span_eq(http_cookie(&last, "d"), SPAN("4")));
	assert_non_null(http_cookie(&last, "c").p);
	assert_null(http_cookie(&last, "e").p);
	assert_true(span_eq(http_bearer(&last), SPAN("abc")));
	assert_int_equal(http_count(&last, "x"), 2);
	assert_int_equal(http_find(&last, "x").n, 0);
	assert_non_null(http_find(&last, "x").p);
	assert_null(http_find(&last, "y").p);
	assert_true(http_is_type(&last, "application/json"));
	assert_false(http_is_type(&last, "application/jso"));
	assert_true(http_has_token(&last, "accept", "B"));
	assert_false(http_has_token(&last, "accept", "d"));
	read_head(GET "Authorization: Basic abc\r\n\r\n");
	assert_null(http_bearer(&last).p);
	read_head(GET "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"
	    "\r\n");
	assert_null(http_bearer(&last).p);
}

/* RFC 3986 2.1, 2.4: decoded once, after it was divided. */
static void
test_http_decodes_targets_once(void **state)
{
	uint8_t out[64];
	size_t n;
	struct span path = SPAN("/api/a%2Fb//c/"), raw;
	static const char *const want[] = { "api", "a%2Fb", "", "c", "" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(http_segment(&path, &raw));
		assert_true(span_eq(raw, span_str(want[i])));
	}
	assert_false(http_segment(&path, &raw));
	assert_true(http_decode_path(SPAN("a%2fb+%25"), out, &n));
	assert_true(span_eq(span_of(out, n), SPAN("a/b+%")));
	assert_true(http_decode_query(SPAN("a+b%2B"), out, &n));
	assert_true(span_eq(span_of(out, n), SPAN("a b+")));
	assert_false(http_decode_path(SPAN("%"), out, &n));
	assert_false(http_decode_path(SPAN("%4"), out, &n));
	assert_false(http_decode_path(SPAN("%4g"), out, &n));
	assert_false(http_decode_path(SPAN("%00"), out, &n));
	assert_false(http_decode_path(SPAN("%c3"), out, &n));
	assert_false(http_decode_path(SPAN("%c0%80"), out, &n));
}

static void
test_http_divides_queries(void **state)
{
	static const char *const want[][2] = { { "q", "a%20b" }, { "x", "" },
		{ "y", "" }, { "", "z" }, { "w", "1=2" } };
	struct span query = SPAN("&q=a%20b&&x&y=&=z&w=1=2&"), name, value;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		assert_true(http_param(&query, &name, &value));
		assert_true(span_eq(name, span_str(want[i][0])));
		assert_true(span_eq(value, span_str(want[i][1])));
	}
	assert_false(http_param(&query, &name, &value));
}

/* WHATWG URL 5.1: nothing is refused. */
static void
test_http_decodes_forms(void **state)
{
	static const struct {
		const char *raw;
		struct span text;
	} rows[] = {
		{ "", { NULL, 0 } },
		{ "a+b%2B%c3%a9", { (const uint8_t *)"a b+\xc3\xa9", 6 } },
		{ "%", { (const uint8_t *)"%", 1 } },
		{ "%4", { (const uint8_t *)"%4", 2 } },
		{ "%zz%41", { (const uint8_t *)"%zzA", 4 } },
		{ "%00", { (const uint8_t *)"", 1 } },
		{ "%ff%fe", { (const uint8_t *)
		    "\xef\xbf\xbd\xef\xbf\xbd", 6 } },
		{ "%e2%82x", { (const uint8_t *)"\xef\xbf\xbdx", 4 } },
	};
	uint8_t out[HTTP_FORM_MAX(32)];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = http_decode_form(span_str(rows[i].raw), out);

		if (!span_eq(span_of(out, n), rows[i].text))
			fail_msg("%s", rows[i].raw);
	}
	memset(out, 0xff, 32);
	uint8_t raw[32];
	memset(raw, 0xff, 32);
	assert_int_equal(http_decode_form(SPAN_OF(raw), out), sizeof out);
}

static void
test_http_names_statuses(void **state)
{
	(void)state;
	assert_string_equal(http_reason(404), "Not Found");
	assert_string_equal(http_reason(299), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_finds_fields),
		cmocka_unit_test(test_http_decodes_targets_once),
		cmocka_unit_test(test_http_divides_queries),
		cmocka_unit_test(test_http_decodes_forms),
		cmocka_unit_test(test_http_names_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
