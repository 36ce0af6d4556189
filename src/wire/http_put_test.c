/*
 * http_put_test.c: heads and chunks as RFC 9112 writes them, and what may not
 * get into one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/http.h"

static uint8_t out[512];
static struct wr w;

static int
setup(void **state)
{
	(void)state;
	w = wr_init(out, sizeof out);
	return 0;
}

static void
test_http_put_writes_heads(void **state)
{
	(void)state;
	http_put_status(&w, 404);
	http_put_field_str(&w, "A", "b c");
	http_put_field_u64(&w, "Content-Length", 120);
	/* RFC 9110 5.6.7's example. */
	http_put_date(&w, "Date", 784111777000);
	http_put_end(&w);
	assert_true(wr_ok(&w));
	assert_true(span_eq(wr_done(&w), SPAN("HTTP/1.1 404 Not Found\r\n"
	    "A: b c\r\nContent-Length: 120\r\n"
	    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")));
}

static void
test_http_put_writes_requests(void **state)
{
	(void)state;
	http_put_request(&w, "GET", SPAN("/a?b=c"), SPAN("h:1"));
	assert_true(span_eq(wr_done(&w),
	    SPAN("GET /a?b=c HTTP/1.1\r\nHost: h:1\r\n")));
}

static void
test_http_put_writes_chunks(void **state)
{
	(void)state;
	http_put_chunk(&w, 0x1f4a);
	http_put_chunk_end(&w);
	http_put_chunk_last(&w);
	assert_true(span_eq(wr_done(&w), SPAN("1f4a\r\n\r\n0\r\n\r\n")));
}

/* RFC 9110 5.5: a line end in a value would be a second head. */
static void
test_http_put_refuses_line_ends(void **state)
{
	const struct span bad[] = { SPAN("a\rb"), SPAN("a\nb"),
	    SPAN("a\0b"), SPAN("\r\nX: y") };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		w = wr_init(out, sizeof out);
		http_put_field(&w, "A", bad[i]);
		assert_false(wr_ok(&w));
		w = wr_init(out, sizeof out);
		http_put_request(&w, "GET", bad[i], SPAN("h"));
		assert_false(wr_ok(&w));
		w = wr_init(out, sizeof out);
		http_put_request(&w, "GET", SPAN("/"), bad[i]);
		assert_false(wr_ok(&w));
	}
	w = wr_init(out, sizeof out);
	http_put_request(&w, "GET", SPAN("/a b"), SPAN("h"));
	assert_false(wr_ok(&w));
	w = wr_init(out, sizeof out);
	http_put_request(&w, "GET", SPAN(""), SPAN("h"));
	assert_false(wr_ok(&w));
}

static void
test_http_put_refuses_odd_statuses(void **state)
{
	(void)state;
	http_put_status(&w, 99);
	assert_false(wr_ok(&w));
	w = wr_init(out, sizeof out);
	http_put_status(&w, 1000);
	assert_false(wr_ok(&w));
}

static void
test_http_put_codes_values(void **state)
{
	uint8_t back[64];
	size_t n;

	(void)state;
	http_put_coded(&w, SPAN("aZ09-._~ /?%&+\xc3\xa4"));
	assert_true(span_eq(wr_done(&w),
	    SPAN("aZ09-._~%20%2F%3F%25%26%2B%C3%A4")));
	assert_true(http_decode_query(wr_done(&w), back, &n));
	assert_true(span_eq(span_of(back, n), SPAN("aZ09-._~ /?%&+\xc3\xa4")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_http_put_writes_heads, setup),
		cmocka_unit_test_setup(test_http_put_writes_requests, setup),
		cmocka_unit_test_setup(test_http_put_writes_chunks, setup),
		cmocka_unit_test(test_http_put_refuses_line_ends),
		cmocka_unit_test_setup(test_http_put_refuses_odd_statuses,
		    setup),
		cmocka_unit_test_setup(test_http_put_codes_values, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
