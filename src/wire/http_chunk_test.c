/* http_chunk_test.c: the chunked coding (RFC 9112 7.1), in every split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/http_in.h"

#define EXTRA_MAX 40

/* "data" and how it ended: END, 400, 431 or MORE; bytes behind it. */
struct seen {
	char data[256];
	size_t n, left;
	enum http_ev ev;
	unsigned status;
};

static void
run(struct span in, size_t cut, struct seen *s)
{
	struct http_chunks c;
	struct http_bad bad = { 0, NULL };
	size_t at = 0, to = cut, used;
	struct span piece;

	*s = (struct seen){ .ev = HTTP_EV_MORE };
	http_chunk_init(&c);
	for (;;) {
		s->ev = http_chunk_next(&c, span_sub(in, at, to - at),
		    EXTRA_MAX, &used, &piece, &bad);
		if (s->ev == HTTP_EV_BAD)
			break;
		at += used;
		assert_true(at <= to);
		if (s->ev == HTTP_EV_BODY) {
			assert_true(s->n + piece.n < sizeof s->data);
			memcpy(&s->data[s->n], piece.p, piece.n);
			s->n += piece.n;
		} else if (s->ev == HTTP_EV_END || to == in.n) {
			break;
		} else {
			assert_int_equal(at, to);	/* it takes all */
			to = in.n;
		}
	}
	s->left = in.n - at;
	s->status = bad.status;
	assert_int_equal(bad.status != 0, bad.why != NULL);
}

static void
expect_n(struct span in, enum http_ev ev, unsigned status, const char *data,
    size_t left)
{
	struct seen s;

	for (size_t cut = 0; cut <= in.n; cut++) {
		run(in, cut, &s);
		assert_int_equal(s.ev, ev);
		assert_int_equal(s.status, status);
		assert_string_equal(s.data, data);
		if (ev == HTTP_EV_END)
			assert_int_equal(s.left, left);
	}
}

#define TAKEN(text, data, left) \
	expect_n(SPAN(text), HTTP_EV_END, 0, data, left)
#define REFUSED(text, data) expect_n(SPAN(text), HTTP_EV_BAD, 400, data, 0)
#define LARGE(text, data) expect_n(SPAN(text), HTTP_EV_BAD, 431, data, 0)
#define UNFINISHED(text, data) expect_n(SPAN(text), HTTP_EV_MORE, 0, data, 0)

static void
test_http_chunk_takes(void **state)
{
	(void)state;
	TAKEN("0\r\n\r\n", "", 0);
	TAKEN("3\r\nabc\r\n00\r\n\r\nGET /", "abc", 5);
	TAKEN("3;a\r\nabc\r\nC;b=c\r\n0123456789ab\r\n0;x\r\nT: u\r\n\r\n",
	    "abc0123456789ab", 0);
	TAKEN("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0);
	TAKEN("1;\ta\t=\t\"\\\"\t\"\t;b\r\nx\r\n0\r\n\r\n", "x", 0);
	UNFINISHED("", "");
	UNFINISHED("3\r\nab", "ab");
	UNFINISHED("3\r\nabc\r\n0\r\n\r", "abc");
	UNFINISHED("3fffffffffffffff", "");
}

static void
test_http_chunk_refuses(void **state)
{
	(void)state;
	REFUSED("\r\n", "");
	REFUSED(";a\r\n", "");
	REFUSED("1\r\nab", "a");
	REFUSED("1\r\na\r\n0\r\n\n", "a");
	REFUSED("1\ra\r\n", "");
	REFUSED("00000000000000001\r\n", "");
	REFUSED("4000000000000000\r\n", "");
	REFUSED("1 \r\na\r\n", "");
	REFUSED("0\r\nA: b\r\nHOST : c\r\n", "");
	REFUSED("0\r\nHOST: c\r\n\r\n", "");
	REFUSED("0\r\nTransfer-encoding:\r\n\r\n", "");
}

/* Extensions and trailers together have one limit. */
static void
test_http_chunk_limits_what_is_dropped(void **state)
{
	(void)state;
	TAKEN("0;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n", "", 0);
	LARGE("0;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n", "");
	LARGE("1;aaaaaaaaaaaaaaaaaaaa\r\nx\r\n1;aaaaaaaaaaaaaaaaaaaa\r\ny\r\n",
	    "x");
	LARGE("1;aaaaaaaaaaaaaaaaaaaa\r\nx\r\n0\r\nA: bbbbbbbbbbbbbbbbbbbb\r\n",
	    "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_chunk_takes),
		cmocka_unit_test(test_http_chunk_refuses),
		cmocka_unit_test(test_http_chunk_limits_what_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
