/*
 * http_test.c: RFC 9112 framing, RFC 9110 fields; mostly what is refused. All
 * inputs are read whole and byte by byte, with the same result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "wire/http.h"

static struct http_msg last;
static struct http_limits limits;

struct seen {
	char text[4096];	/* H GET /x; B<bytes>; E; X400 */
	size_t n;
	size_t left;		/* bytes not taken */
};

static void
note(struct seen *s, const char *p, size_t n)
{
	assert_true(s->n + n < sizeof s->text);
	memcpy(&s->text[s->n], p, n);
	s->n += n;
	s->text[s->n] = '\0';
}

static void
note_head(struct seen *s, const struct http_in *h)
{
	char line[600];
	int n;

	n = h->role == HTTP_SERVER ? snprintf(line, sizeof line, "H%.*s %.*s;",
	    (int)last.method_text.n, (const char *)last.method_text.p,
	    (int)last.path.n, (const char *)last.path.p) :
	    snprintf(line, sizeof line, "H%d;", last.status);
	note(s, line, (size_t)n);
}

static bool
step(struct http_in *h, struct seen *s, struct span in, size_t *used)
{
	static bool in_body;
	struct span body;
	char line[32];
	enum http_ev ev = http_next(h, in, &last, used, &body);

	switch (ev) {
	case HTTP_EV_MORE:
		return false;
	case HTTP_EV_HEAD:
		in_body = false;
		note_head(s, h);
		return true;
	case HTTP_EV_BODY:
		assert_true(body.n > 0);
		if (!in_body)
			note(s, "B", 1);
		in_body = true;
		note(s, (const char *)body.p, body.n);
		return true;
	case HTTP_EV_END:
		note(s, in_body ? ";E;" : "E;", in_body ? 3 : 2);
		in_body = false;
		return true;
	case HTTP_EV_BAD:
		note(s, line, (size_t)snprintf(line, sizeof line, "X%d",
		    h->bad_status));
		return false;
	}
	return false;
}

/* Feeds text in reads of `each` bytes, keeping what is not taken. */
static void
run(enum http_role role, bool head_answer, const char *text, size_t n,
    size_t each, struct seen *s)
{
	struct http_in h;
	size_t from = 0, to = 0, used;
	bool on;

	memset(s, 0, sizeof *s);
	http_in_init(&h, role, &limits);
	http_in_expect_head(&h, head_answer);
	do {
		to = n - to < each ? n : to + each;
		do {
			on = step(&h, s, span_of(&text[from], to - from),
			    &used);
			from += used;
		} while (on);
	} while (to < n && h.bad_status == 0);
	s->left = n - from;
	if (role == HTTP_CLIENT && s->left == 0 &&
	    http_eof(&h) == HTTP_EV_END)
		note(s, "EOF;", 4);
}

static void
expect_n(enum http_role role, bool head_answer, const char *text, size_t n,
    const char *want)
{
	struct seen s;

	limits = http_limits_default;
	for (size_t each = n; each > 0; each = each == 1 ? 0 : each / 3 + 1) {
		if (each < n && each > 1 && each == each / 3 + 1)
			each = 1;
		run(role, head_answer, text, n, each, &s);
		if (strcmp(s.text, want) != 0)
			print_message("for: %s\n", text);
		assert_string_equal(s.text, want);
	}
	run(role, head_answer, text, n, 1, &s);
	assert_string_equal(s.text, want);
}

#define SERVER(text, want) \
	expect_n(HTTP_SERVER, false, text, sizeof(text) - 1, want)
#define CLIENT(text, want) \
	expect_n(HTTP_CLIENT, false, text, sizeof(text) - 1, want)
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void
test_http_reads_requests(void **state)
{
	(void)state;
	SERVER(GET "\r\n", "HGET /;E;");
	SERVER("GET /a/b?c=d HTTP/1.1\r\nHost: x.y:80\r\n\r\n",
	    "HGET /a/b;E;");
	assert_true(span_eq(last.query, SPAN("c=d")));
	assert_true(span_eq(last.host, SPAN("x.y:80")));
	assert_true(last.keep_alive);
	SERVER("\r\n\r\n" GET "\r\n", "HGET /;E;");	/* RFC 9112 2.2 */
	SERVER(GET "\r\n" GET "\r\n", "HGET /;E;HGET /;E;");
	SERVER("HEAD / HTTP/1.0\r\n\r\n", "HHEAD /;E;");
	assert_false(last.keep_alive);
	SERVER("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "HOPTIONS *;E;");
	/* RFC 9112 3.2.2: absolute form, whose authority replaces Host. */
	SERVER("GET HTTP://b:1/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
	    "HGET /p;E;");
	assert_true(span_eq(last.host, SPAN("b:1")));
	/* RFC 9112 3.2.4: the server as a whole */
	SERVER("OPTIONS http://b:1 HTTP/1.1\r\nHost: a\r\n\r\n",
	    "HOPTIONS *;E;");
	SERVER(POST "Content-Length: 002\r\n\r\nab", "HPOST /;Bab;E;");
	SERVER("GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n", "HGET /;E;");
	assert_true(span_eq(last.query, SPAN("q")));
}

static void
test_http_reads_bodies(void **state)
{
	(void)state;
	SERVER(POST "Content-Length: 5\r\n\r\nhello" GET "\r\n",
	    "HPOST /;Bhello;E;HGET /;E;");
	SERVER(POST "Content-Length: 0\r\n\r\n", "HPOST /;E;");
	SERVER(POST "Transfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n"
	    GET "\r\n", "HPOST /;Babc0123456789;E;HGET /;E;");
	SERVER(POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
	    "HPOST /;E;");
}

/* RFC 9112 6.1, 6.3; RFC 9110 8.6: two ways to see where a body ends. */
static void
test_http_refuses_smuggling(void **state)
{
	(void)state;
	SERVER(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n", "X400");
	SERVER(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
	    "0\r\n\r\n", "X400");
	SERVER(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	    "X400");
	SERVER(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
	    "X400");
	SERVER(POST "Content-Length: 5, 5\r\n\r\nhello", "X400");
	SERVER(POST "Content-Length: +5\r\n\r\nhello", "X400");
	SERVER(POST "Content-Length: -5\r\n\r\nhello", "X400");
	SERVER(POST "Content-Length: 0x5\r\n\r\nhello", "X400");
	SERVER(POST "Content-Length:\r\n\r\nhello", "X400");
	SERVER(POST "Content-Length: 99999999999999999999\r\n\r\n", "X400");
	SERVER(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	    "X400");
	SERVER(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
	    "X400");
	SERVER(POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	    "X400");
	SERVER(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "X400");
	SERVER(POST "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n", "X400");
	SERVER(POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "X400");
	SERVER(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
	    "X400");
	SERVER(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
	    "X400");
	SERVER(POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
	    "X400");
	SERVER(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	    "X501");
	SERVER(POST "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "X400");
	SERVER(POST "Transfer-Encoding: gzip\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "X501");
	SERVER(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "X501");
	SERVER(POST "Transfer-Encoding: identity\r\n\r\n", "X501");
	SERVER(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "X400");
	SERVER("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n", "X400");
}

/* RFC 9112 2.2, 5.1, 5.2: line ends, space before the colon, folding. */
static void
test_http_refuses_malformed_lines(void **state)
{
	(void)state;
	SERVER("GET / HTTP/1.1\nHost: a\n\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a\n\r\n", "X400");
	SERVER(GET "A: b\r\n c\r\n\r\n", "X400");
	SERVER(GET "A: b\r\n\tc\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "X400");
	SERVER(GET "A : b\r\n\r\n", "X400");
	SERVER(GET "A\r\n\r\n", "X400");
	SERVER(GET ": b\r\n\r\n", "X400");
	SERVER(GET "A: b\0c\r\n\r\n", "X400");
	SERVER(GET "A: b\rc\r\n\r\n", "X400");
	SERVER(GET "A(: b\r\n\r\n", "X400");
	SERVER(GET "A: b\x7f\r\n\r\n", "X400");
	SERVER("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.10\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET / http/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\rHost: a\r\n\r\n", "X400");
	SERVER("GET /\r\nHost: a\r\n\r\n", "X400");
	SERVER("\n" GET "\r\n", "X400");
	SERVER("\r\n\r\n\r\n\r\n\r\n" GET "\r\n", "X400");
	SERVER("\rGET / HTTP/1.1\r\n\r\n", "X400");
}

static void
test_http_refuses_bad_requests(void **state)
{
	(void)state;
	/* RFC 9112 3.2: exactly one Host. */
	SERVER("GET / HTTP/1.1\r\n\r\n", "X400");
	SERVER(GET "Host: a\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "HGET /;E;");
	SERVER("GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n", "HGET /;E;");
	SERVER("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "HGET /;E;");
	SERVER("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: [x::1]\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a[::1]\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a%4\r\n\r\n", "X400");
	SERVER("GET / HTTP/1.1\r\nHost: a%41\r\n\r\n", "HGET /;E;");
	SERVER("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "X400");
	/* RFC 9110 9.1, 2.5. */
	SERVER("get / HTTP/1.1\r\nHost: a\r\n\r\n", "X501");
	SERVER("FOO / HTTP/1.1\r\nHost: a\r\n\r\n", "X501");
	SERVER("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "X505");
	SERVER("GET / HTTP/0.9\r\nHost: a\r\n\r\n", "X505");
	SERVER("GET / HTTP/1.2\r\nHost: a\r\n\r\n", "X505");
	SERVER("GET / HTTP/3.7\r\nHost: a\r\n\r\n", "X505");
	/* RFC 9112 3.2: the forms of a target. */
	SERVER("GET a HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "X501");
	SERVER("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
	    "X400");
	SERVER("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "X505");
	SERVER("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	SERVER("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "X400");
	/* RFC 9110 10.1.1 */
	SERVER(POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", "X417");
	SERVER(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na",
	    "HPOST /;Ba;E;");
	assert_true(last.expect_continue);
}

/* RFC 9112 7.1: chunks. */
static void
test_http_refuses_bad_chunks(void **state)
{
#define CH POST "Transfer-Encoding: chunked\r\n\r\n"
	(void)state;
	SERVER(CH "g\r\n", "HPOST /;X400");
	SERVER(CH "-1\r\n", "HPOST /;X400");
	SERVER(CH "0x1\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1\na\r\n", "HPOST /;X400");
	SERVER(CH "1\r\nab\r\n", "HPOST /;BaX400");
	SERVER(CH "1\r\na\n0\r\n\r\n", "HPOST /;BaX400");
	SERVER(CH "1 \r\na\r\n0\r\n\r\n", "HPOST /;X400");
	SERVER(CH "11111111111111111\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nA : b\r\n\r\n", "HPOST /;X400");
	SERVER(CH "\r\n", "HPOST /;X400");
	SERVER(CH "4000000000000000\r\n", "HPOST /;X400");
	SERVER(CH "1\r\na\r\n\r\n", "HPOST /;BaX400");
	SERVER(CH "1 ;a\r\na\r\n0\r\n\r\n", "HPOST /;Ba;E;");
	/* 7.1.1: extensions to the letter of the grammar */
	SERVER(CH "1;\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;a \r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;a=\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;a=b c\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;a=\"b\r\n\"\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;a=\"b\"c\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;a\nb\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1;\0\r\na\r\n", "HPOST /;X400");
	SERVER(CH "1 ; a = \"b;\\\"\xc3\" ;c=d;e\r\na\r\n0\r\n\r\n",
	    "HPOST /;Ba;E;");
	/* 7.1.2: trailers */
	SERVER(CH "0\r\nA: b\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nA: b\rc\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nA: \0\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\n A: b\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nA: b\r\n c\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\n: b\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nA\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\n\rX", "HPOST /;X400");
	/* RFC 9110 6.5.1: none that say how the message is framed */
	SERVER(CH "0\r\nHost: b\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nContent-length: 1\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nTRANSFER-ENCODING: x\r\n\r\n", "HPOST /;X400");
	SERVER(CH "0\r\nHosts: b\r\nHos: c\r\n\r\n", "HPOST /;E;");
#undef CH
}

static void
test_http_keep_alive_by_version(void **state)
{
	(void)state;
	SERVER(GET "Connection: x, Close\r\n\r\n", "HGET /;E;");
	assert_false(last.keep_alive);
	SERVER(GET "Connection: keep-alive\r\nConnection: close\r\n\r\n",
	    "HGET /;E;");
	assert_false(last.keep_alive);
	SERVER("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
	    "HGET /;E;");
	assert_false(last.keep_alive);
	/* RFC 9110 7.8: 1.0 has no Upgrade */
	SERVER("GET / HTTP/1.0\r\nConnection: upgrade\r\n\r\n", "HGET /;E;");
	assert_false(last.upgrade);
	SERVER("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	    "HGET /;E;");
	assert_true(last.keep_alive);
	SERVER(GET "Connection: keep-alive, Upgrade\r\nUpgrade: websocket"
	    "\r\n\r\nrest", "HGET /;E;");
	assert_true(last.upgrade);
}

static void
run_limited(const char *text, size_t n, const char *want)
{
	struct seen s;

	run(HTTP_SERVER, false, text, n, n, &s);
	assert_string_equal(s.text, want);
	run(HTTP_SERVER, false, text, n, 1, &s);
	assert_string_equal(s.text, want);
}

/* RFC 9110 15.5.14, 15.5.15; RFC 6585 5. */
static void
test_http_keeps_its_limits(void **state)
{
	static char text[3000];
	int n;

	(void)state;
	limits = (struct http_limits){ 1024, 256, 8, 10 };
	n = snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n"
	    "\r\n", 256, 0);
	run_limited(text, (size_t)n, "X414");
	n = snprintf(text, sizeof text, "GET /%0*d", 1500, 0);
	run_limited(text, (size_t)n, "X414");
	n = snprintf(text, sizeof text, "%0*d", 1500, 0);
	run_limited(text, (size_t)n, "X501");
	n = snprintf(text, sizeof text, GET "A: %0*d\r\n\r\n", 1000, 0);
	run_limited(text, (size_t)n, "X431");
	n = snprintf(text, sizeof text, GET "A: %0*d", 1500, 0);
	run_limited(text, (size_t)n, "X431");
	n = snprintf(text, sizeof text, GET "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
	    "A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n\r\n");
	run_limited(text, (size_t)n, "X431");
	n = snprintf(text, sizeof text, POST "Content-Length: 11\r\n\r\n");
	run_limited(text, (size_t)n, "X413");
	n = snprintf(text, sizeof text, POST "Transfer-Encoding: chunked\r\n"
	    "\r\nb\r\n");
	run_limited(text, (size_t)n, "HPOST /;");
	n = snprintf(text, sizeof text, POST "Transfer-Encoding: chunked\r\n"
	    "\r\n1;%0*d\r\na\r\n", 1500, 0);
	run_limited(text, (size_t)n, "HPOST /;X431");
	n = snprintf(text, sizeof text, POST "Transfer-Encoding: chunked\r\n"
	    "\r\n0\r\nA: %0*d\r\n\r\n", 1500, 0);
	run_limited(text, (size_t)n, "HPOST /;X431");
}

static void
test_http_limits_chunked_bodies(void **state)
{
	static const char text[] = POST "Transfer-Encoding: chunked\r\n\r\n"
	    "b\r\n01234567890\r\n";
	struct seen s;

	(void)state;
	limits = (struct http_limits){ 1024, 256, 8, 10 };
	run(HTTP_SERVER, false, text, sizeof text - 1, sizeof text, &s);
	assert_string_equal(s.text, "HPOST /;X413");
	run(HTTP_SERVER, false, text, sizeof text - 1, 1, &s);
	assert_string_equal(s.text, "HPOST /;B0123456789X413");
}

#define ANSWER "HTTP/1.1 200 OK\r\n"

static void
test_http_reads_answers(void **state)
{
	(void)state;
	CLIENT(ANSWER "Content-Length: 2\r\n\r\nok" ANSWER
	    "Content-Length: 0\r\n\r\n", "H200;Bok;E;H200;E;");
	CLIENT(ANSWER "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	    "H200;Bok;E;");
	/* RFC 9112 6.3 item 8: until the connection closes. */
	CLIENT(ANSWER "\r\nall", "H200;BallEOF;");
	assert_false(last.keep_alive);
	CLIENT("HTTP/1.1 204 No Content\r\n\r\n", "H204;E;");
	CLIENT("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	    "H304;E;");
	/* RFC 9110 15.2: interim answers. */
	CLIENT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n"
	    "\r\n" ANSWER "Content-Length: 1\r\n\r\nx", "H200;Bx;E;");
	CLIENT("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	    "Upgrade: websocket\r\n\r\n", "H101;E;");
	expect_n(HTTP_CLIENT, true, ANSWER "Content-Length: 9\r\n\r\n" ANSWER
	    "Transfer-Encoding: chunked\r\n\r\n", sizeof(ANSWER
	    "Content-Length: 9\r\n\r\n" ANSWER
	    "Transfer-Encoding: chunked\r\n\r\n") - 1, "H200;E;H200;E;");
}

static void
test_http_refuses_bad_answers(void **state)
{
	(void)state;
	CLIENT("HTTP/1.1 2000 OK\r\n\r\n", "X502");
	CLIENT("HTTP/2.0 200 OK\r\n\r\n", "X502");
	CLIENT("HELLO\r\n\r\n", "X502");
	CLIENT(ANSWER "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
	    "X502");
	CLIENT(ANSWER "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n0\r\n\r\n", "X502");
	CLIENT(ANSWER "Transfer-Encoding: gzip\r\n\r\n", "X502");
	CLIENT(ANSWER "Content-Length: 1000001\r\n\r\n", "X502");
}

static void
test_http_tells_a_cut_message(void **state)
{
	static const char *const cut[] = { "HTTP/1.1 200", ANSWER
	    "Content-Length: 2\r\n\r\no", ANSWER
	    "Transfer-Encoding: chunked\r\n\r\n2\r\no" };
	struct http_in h;
	struct http_msg m;
	struct span body, in;
	size_t used;

	(void)state;
	for (size_t i = 1; i < 3; i++) {
		http_in_init(&h, HTTP_CLIENT, &http_limits_default);
		in = span_str(cut[i]);
		while (http_next(&h, in, &m, &used, &body) != HTTP_EV_MORE)
			in = span_sub(in, used, in.n);
		assert_int_equal(http_eof(&h), HTTP_EV_BAD);
		assert_int_equal(http_next(&h, in, &m, &used, &body),
		    HTTP_EV_BAD);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_reads_requests),
		cmocka_unit_test(test_http_reads_bodies),
		cmocka_unit_test(test_http_refuses_smuggling),
		cmocka_unit_test(test_http_refuses_malformed_lines),
		cmocka_unit_test(test_http_refuses_bad_requests),
		cmocka_unit_test(test_http_refuses_bad_chunks),
		cmocka_unit_test(test_http_keep_alive_by_version),
		cmocka_unit_test(test_http_keeps_its_limits),
		cmocka_unit_test(test_http_limits_chunked_bodies),
		cmocka_unit_test(test_http_reads_answers),
		cmocka_unit_test(test_http_refuses_bad_answers),
		cmocka_unit_test(test_http_tells_a_cut_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
