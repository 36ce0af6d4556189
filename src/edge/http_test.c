/* http_test.c: requests and answers over a connection, as bytes. */
#include "edge/rig.h"

#define H "Host: localhost\r\n"

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void
test_http_answers(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	rig_send(fd, SPAN("POST /now?x=1 HTTP/1.1\r\n" H
	    "Content-Length: 5\r\n\r\nhello"));
	got = rig_text(fd, &ended);
	assert_non_null(strstr(got, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(got, "\r\nContent-Length: 5\r\n"));
	assert_non_null(strstr(got, "\r\nX-Test: yes\r\n"));
	assert_non_null(strstr(got, "\r\nDate: "));
	assert_null(strstr(got, "Connection"));
	assert_non_null(strstr(got, "\r\n\r\nhello"));
	assert_int_equal(count(got, "HTTP/1.1"), 1);
	assert_false(ended);
	assert_true(rig_logged("request POST /now?x=1"));
	sys_close(fd);
}

/* However the input is split, the answers are the same. */
static void
test_http_every_split_is_the_same(void **state)
{
	static const char in[] = "POST /now HTTP/1.1\r\n" H
	    "Content-Length: 5\r\n\r\nhello"
	    "GET /host HTTP/1.1\r\nHost: some.where\r\n\r\n"
	    "POST /now HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
	    "GET /close HTTP/1.1\r\n" H "\r\n";
	struct span all = span_of(in, sizeof in - 1);

	(void)state;
	for (size_t cut = 0; cut <= all.n; cut++) {
		int fd = rig_client();
		const char *got;
		bool ended;

		rig_send(fd, span_sub(all, 0, cut));
		rig_send(fd, span_sub(all, cut, all.n));
		got = rig_text(fd, &ended);
		assert_true(ended);
		assert_int_equal(count(got, "HTTP/1.1 200 OK"), 4);
		assert_non_null(strstr(got, "\r\n\r\nhelloHTTP"));
		assert_non_null(strstr(got, "\r\n\r\nsome.whereHTTP"));
		assert_non_null(strstr(got, "\r\n\r\nabcdefgHTTP"));
		assert_non_null(strstr(got, "Connection: close"));
		sys_close(fd);
		rig_run(2);
	}
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	assert_int_equal(reactor_pool_chunks(rig.reactor)->n_used, 0);
}

static void
test_http_byte_by_byte(void **state)
{
	static const char in[] = "POST /now HTTP/1.1\r\n" H
	    "Content-Length: 5\r\n\r\nhelloGET /host HTTP/1.1\r\n" H "\r\n";
	int fd = rig_client();
	const char *got;

	(void)state;
	for (size_t i = 0; i < sizeof in - 1; i++)
		rig_send(fd, span_of(in + i, 1));
	got = rig_text(fd, NULL);
	assert_int_equal(count(got, "HTTP/1.1 200 OK"), 2);
	assert_non_null(strstr(got, "hello"));
	sys_close(fd);
}

/* RFC 9112 9.3.2: answers come in the order of the requests. */
static void
test_http_pipelined_requests_wait(void **state)
{
	struct edge_answer a = { .status = 200, .body = SPAN("slow") };
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("GET /later HTTP/1.1\r\n" H "\r\n"
	    "GET /host HTTP/1.1\r\n" H "\r\n"));
	rig_send(fd, SPAN("GET /host HTTP/1.1\r\n" H "\r\n"));
	assert_string_equal(rig_text(fd, NULL), "");
	assert_int_equal(rig_log_lines(), 1);
	edge_answer(rig.later, &a);
	rig_run(3);
	got = rig_text(fd, NULL);
	assert_int_equal(count(got, "HTTP/1.1 200 OK"), 3);
	assert_non_null(strstr(got, "slowHTTP/1.1"));
	/* The reference is used up. */
	edge_answer(rig.later, &a);
	assert_string_equal(rig_text(fd, NULL), "");
	sys_close(fd);
}

static void
test_http_late_answer_to_a_gone_client(void **state)
{
	struct edge_answer a = { .status = 200 };
	int fd = rig_client();

	(void)state;
	rig_send(fd, SPAN("GET /later HTTP/1.1\r\n" H "\r\n"));
	sys_close(fd);
	rig_run(5);
	edge_answer(rig.later, &a);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
}

/* RFC 9110 9.3.2: an answer to HEAD has the length and no body. */
static void
test_http_head_has_no_body(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("HEAD /host HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "Content-Length: 9\r\n"));
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
	sys_close(fd);
}

static void
test_http_204_has_no_length(void **state)
{
	int fd = rig_client();

	(void)state;
	rig_send(fd, SPAN("GET /empty HTTP/1.1\r\n" H "\r\n"));
	assert_null(strstr(rig_text(fd, NULL), "Content-Length"));
	sys_close(fd);
}

static void
test_http_blob_body(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("GET /blob HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "Content-Length: 11\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nfrom a blob"));
	sys_close(fd);
}

/* RFC 9110 5.5: a field that would split the answer is our fault, not sent. */
static void
test_http_answer_splitting_is_500(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	rig_send(fd, SPAN("GET /bad-field HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, &ended);
	assert_non_null(strstr(got, "HTTP/1.1 500"));
	assert_null(strstr(got, "b: c"));
	assert_true(ended);
	sys_close(fd);
}

static void
test_http_10_closes_unless_asked(void **state)
{
	int fd = rig_client();
	bool ended;

	(void)state;
	rig_send(fd, SPAN("GET /host HTTP/1.0\r\n" H "\r\n"));
	assert_non_null(strstr(rig_text(fd, &ended), "Connection: close"));
	assert_true(ended);
	sys_close(fd);
	fd = rig_client();
	rig_send(fd, SPAN("GET /host HTTP/1.0\r\n" H
	    "Connection: keep-alive\r\n\r\n"));
	assert_non_null(strstr(rig_text(fd, &ended),
	    "Connection: keep-alive"));
	assert_false(ended);
	sys_close(fd);
}

/* RFC 9110 10.1.1 */
static void
test_http_expect_continue(void **state)
{
	int fd = rig_client();

	(void)state;
	rig_send(fd, SPAN("POST /now HTTP/1.1\r\n" H "Content-Length: 3\r\n"
	    "Expect: 100-continue\r\n\r\n"));
	assert_string_equal(rig_text(fd, NULL),
	    "HTTP/1.1 100 Continue\r\n\r\n");
	rig_send(fd, SPAN("abc"));
	assert_non_null(strstr(rig_text(fd, NULL), "\r\n\r\nabc"));
	sys_close(fd);
}

static void
test_http_expect_continue_refused_early(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("POST /now HTTP/1.1\r\n" H
	    "Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"));
	got = rig_text(fd, NULL);
	assert_null(strstr(got, "100 Continue"));
	assert_non_null(strstr(got, "HTTP/1.1 413"));
	sys_close(fd);
}

static void
expect_refusal(const char *in, const char *status)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	rig_send(fd, span_str(in));
	rig_run(3);
	got = rig_text(fd, &ended);
	if (strstr(got, status) == NULL)
		fail_msg("%s, not %s, for %s", got, status, in);
	assert_non_null(strstr(got, "Connection: close"));
	assert_int_equal(count(got, "HTTP/1.1 "), 1);
	assert_true(ended);
	sys_close(fd);
	rig_run(3);
}

/* RFC 9112 6.3, 3.2, 2.2: what is framed wrongly ends the connection. */
static void
test_http_refuses_bad_framing(void **state)
{
	(void)state;
	expect_refusal("GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", "HTTP/1.1 400");
	expect_refusal("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400");
	expect_refusal("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
	    "Content-Length: 6\r\n\r\nhello!GET /host HTTP/1.1\r\n" H
	    "\r\n", "HTTP/1.1 400");
	expect_refusal("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400");
	expect_refusal("POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 400");
	assert_true(edge_stats(rig.edge)->bad_requests >= 5);
	assert_int_equal(rig_log_lines(), 0);
	assert_true(rig.refused_n >= 5);
}

static void
test_http_app_words_its_refusals(void **state)
{
	(void)state;
	rig.own_refusals = true;
	expect_refusal("nonsense\r\n\r\n", "{\"refused\":true}");
}

static void
test_http_body_limit(void **state)
{
	static char big[3000];

	(void)state;
	rig.body_max = 1000;
	expect_refusal("POST /now HTTP/1.1\r\n" H "Content-Length: 1001\r\n"
	    "\r\n", "HTTP/1.1 413");
	memset(big, 'x', sizeof big);
	snprintf(big, sizeof big, "POST /now HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\n\r\n3e9\r\n%01001d\r\n0\r\n\r\n",
	    0);
	expect_refusal(big, "HTTP/1.1 413");
	assert_int_equal(edge_stats(rig.edge)->body_large, 2);
	assert_int_equal(rig_log_lines(), 0);
}

static void
test_http_head_limit(void **state)
{
	static char big[40000];
	int n = snprintf(big, sizeof big, "GET / HTTP/1.1\r\n" H "X: ");

	(void)state;
	memset(big + n, 'x', sizeof big - (size_t)n - 1);
	expect_refusal(big, "HTTP/1.1 431");
	assert_int_equal(edge_stats(rig.edge)->head_large, 1);
}

static void
test_http_large_body_in_pieces(void **state)
{
	static uint8_t body[900000];
	int fd = rig_client();
	const char *got;

	(void)state;
	memset(body, 'q', sizeof body);
	rig_send(fd, SPAN("POST /now HTTP/1.1\r\n" H
	    "Content-Length: 900000\r\n\r\n"));
	for (size_t i = 0; i < 9; i++)
		rig_send(fd, span_of(body + i * 100000, 100000));
	rig_run(10);
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "Content-Length: 900000\r\n"));
	assert_true(strlen(got) > 900000);
	sys_close(fd);
}

/* ---- Time ---- */

static struct edge_conf
quick(void)
{
	struct edge_conf c;

	edge_conf_default(&c);
	c.head_ms = 60;
	c.body_ms = 60;
	c.idle_ms = 150;
	c.answer_ms = 60;
	c.close_ms = 50;
	return c;
}

/* Fields that trickle in do not extend the head's time. */
static void
test_http_slow_head_is_cut(void **state)
{
	struct edge_conf c = quick();
	const char *got;
	bool ended;
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET / HTTP/1.1\r\n"));
	for (int i = 0; i < 12; i++) {
		rig_send(fd, SPAN("X: y\r\n"));
		rig_run_ms(10);
	}
	got = rig_text(fd, &ended);
	assert_non_null(strstr(got, "HTTP/1.1 408"));
	assert_true(ended);
	assert_int_equal(edge_stats(rig.edge)->head_late, 1);
	sys_close(fd);
}

/* The same on the second request of a connection. */
static void
test_http_slow_second_head_is_cut(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	c.idle_ms = 5000;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET /host HTTP/1.1\r\n" H "\r\nGET / HT"));
	for (int i = 0; i < 12; i++) {
		rig_send(fd, SPAN("T"));
		rig_run_ms(10);
	}
	assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 408"));
	assert_int_equal(edge_stats(rig.edge)->head_late, 1);
	sys_close(fd);
}

static void
test_http_slow_body_is_cut(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("POST /now HTTP/1.1\r\n" H
	    "Content-Length: 100\r\n\r\n"));
	for (int i = 0; i < 12; i++) {
		rig_send(fd, SPAN("x"));
		rig_run_ms(10);
	}
	assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 408"));
	assert_int_equal(edge_stats(rig.edge)->body_late, 1);
	sys_close(fd);
}

static void
test_http_idle_is_closed_quietly(void **state)
{
	struct edge_conf c = quick();
	bool ended;
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET /host HTTP/1.1\r\n" H "\r\n"));
	(void)rig_text(fd, &ended);
	rig_run_ms(90);		/* longer than a head may take */
	assert_string_equal(rig_text(fd, &ended), "");
	assert_false(ended);
	rig_run_ms(120);
	assert_string_equal(rig_text(fd, &ended), "");
	assert_true(ended);
	assert_int_equal(edge_stats(rig.edge)->idle_closed, 1);
	sys_close(fd);
}

static void
test_http_no_answer_is_503(void **state)
{
	struct edge_answer a = { .status = 200, .body = SPAN("too late") };
	struct edge_conf c = quick();
	const char *got;
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET /later HTTP/1.1\r\n" H "\r\n"));
	rig_run_ms(100);
	edge_answer(rig.later, &a);
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 503"));
	assert_null(strstr(got, "too late"));
	assert_int_equal(edge_stats(rig.edge)->answer_late, 1);
	sys_close(fd);
}

/* A peer that does not end its side is cut off after close_ms. */
static void
test_http_lingering_is_bounded(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET /close HTTP/1.1\r\n" H "\r\n"));
	assert_int_equal(edge_stats(rig.edge)->conns, 1);
	rig_run_ms(90);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	sys_close(fd);
}

/* ---- Configuration ---- */

static void
test_http_adds_configured_headers(void **state)
{
	struct http_field f[] = {
		{ SPAN("X-Frame-Options"), SPAN("DENY") },
		{ SPAN("Referrer-Policy"), SPAN("no-referrer") },
	};
	struct http_field tls[] = { { SPAN("Strict-Transport-Security"),
	    SPAN("max-age=1") } };
	struct edge_conf c;
	const char *got;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.headers = f;
	c.headers_n = 2;
	c.tls_headers = tls;
	c.tls_headers_n = 1;
	rig_restart(&c);
	fd = rig_client();
	rig_send(fd, SPAN("GET /host HTTP/1.1\r\n" H "\r\nbad\r\n\r\n"));
	got = rig_text(fd, NULL);
	assert_int_equal(count(got, "\r\nX-Frame-Options: DENY\r\n"), 2);
	assert_int_equal(count(got, "\r\nReferrer-Policy: no-referrer\r\n"),
	    2);
	assert_int_equal(count(got, "Strict-Transport"), 0);
	sys_close(fd);
}

static void
test_http_requests_of_a_connection_are_limited(void **state)
{
	struct edge_conf c;
	const char *got;
	bool ended;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.requests_max = 2;
	rig_restart(&c);
	fd = rig_client();
	for (int i = 0; i < 3; i++)
		rig_send(fd, SPAN("GET /host HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, &ended);
	assert_int_equal(count(got, "HTTP/1.1 200"), 2);
	assert_int_equal(count(got, "Connection: close"), 1);
	assert_true(ended);
	assert_int_equal(edge_stats(rig.edge)->requests_over, 1);
	sys_close(fd);
}

/* A client that asks and never reads is cut off, not served for ever. */
/* Who does not read is not read from: what waits stays small. */
static void
test_http_who_never_reads_is_cut(void **state)
{
	static uint8_t in[60000 + 128];
	struct wr w = wr_init(in, sizeof in);
	struct edge_conf c;
	int fd;

	(void)state;
	wr_str(&w, "POST /now HTTP/1.1\r\n" H "Content-Length: 60000\r\n\r\n");
	w.n += 60000;
	edge_conf_default(&c);
	c.out_max = 200000;
	c.head_ms = c.body_ms = c.idle_ms = 150;
	c.send_ms = 100;
	rig_restart(&c);
	fd = rig_client();
	assert_in_range(rig_flood(fd, wr_done(&w)), 1, 4999);
	rig_run_ms(400);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 1);
	sys_close(fd);
}

/* And who reads at last gets every answer. */
static void
test_http_who_reads_late_gets_everything(void **state)
{
	static const char request[] = "GET /host HTTP/1.1\r\n" H "\r\n";
	static uint8_t in[100 * (sizeof request - 1)];
	struct wr w = wr_init(in, sizeof in);
	unsigned sent;
	uint64_t before;
	struct edge_conf c;
	bool ended = false;
	int fd;

	(void)state;
	while (w.n < w.cap)
		wr_str(&w, request);
	edge_conf_default(&c);
	c.requests_max = 0;
	rig_restart(&c);
	fd = rig_client();
	before = edge_stats(rig.edge)->requests;
	sent = rig_flood(fd, wr_done(&w));
	assert_in_range(sent, 1, 4999);
	assert_true(edge_stats(rig.edge)->requests - before < 100UL * sent);
	for (int i = 0; i < 20000 && !ended &&
	    edge_stats(rig.edge)->requests - before < 100UL * sent; i++)
		(void)rig_text(fd, &ended);
	assert_true(edge_stats(rig.edge)->requests - before >= 100UL * sent);
	sys_close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_http_answers),
		RIG_TEST(test_http_every_split_is_the_same),
		RIG_TEST(test_http_byte_by_byte),
		RIG_TEST(test_http_pipelined_requests_wait),
		RIG_TEST(test_http_late_answer_to_a_gone_client),
		RIG_TEST(test_http_head_has_no_body),
		RIG_TEST(test_http_204_has_no_length),
		RIG_TEST(test_http_blob_body),
		RIG_TEST(test_http_answer_splitting_is_500),
		RIG_TEST(test_http_10_closes_unless_asked),
		RIG_TEST(test_http_expect_continue),
		RIG_TEST(test_http_expect_continue_refused_early),
		RIG_TEST(test_http_refuses_bad_framing),
		RIG_TEST(test_http_app_words_its_refusals),
		RIG_TEST(test_http_body_limit),
		RIG_TEST(test_http_head_limit),
		RIG_TEST(test_http_large_body_in_pieces),
		RIG_TEST(test_http_slow_head_is_cut),
		RIG_TEST(test_http_slow_second_head_is_cut),
		RIG_TEST(test_http_slow_body_is_cut),
		RIG_TEST(test_http_idle_is_closed_quietly),
		RIG_TEST(test_http_no_answer_is_503),
		RIG_TEST(test_http_lingering_is_bounded),
		RIG_TEST(test_http_adds_configured_headers),
		RIG_TEST(test_http_requests_of_a_connection_are_limited),
		RIG_TEST(test_http_who_never_reads_is_cut),
		RIG_TEST(test_http_who_reads_late_gets_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
