/*
 * body_test.c: bodies that are held, spooled and streamed; how long they may
 * take; answers that come before their end.
 */
#include <unistd.h>

#include "edge/rig.h"

#define H "Host: localhost\r\n"
#define CHUNKED "POST /b HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"

/* What a sink was told. */
static struct {
	struct buf bytes;
	struct edge_ref ref;
	unsigned pieces, ends, pause_after;
	bool whole, answer_at_once;
	enum edge_how how;
	uint64_t max;
} t;

static void
on_piece(void *arg, struct edge_ref ref, struct span piece)
{
	assert_ptr_equal(arg, &t);
	assert_true(piece.n > 0);
	assert_int_equal(buf_add_span(&t.bytes, piece), OK);
	if (++t.pieces == t.pause_after)
		edge_body_pause(ref);
	if (t.answer_at_once) {
		edge_answer(ref, &(struct edge_answer){ .status = 403 });
		edge_answer(ref, &(struct edge_answer){ .status = 404 });
	}
}

static void
on_end(void *arg, struct edge_ref ref, bool whole)
{
	assert_ptr_equal(arg, &t);
	assert_int_equal(ref.generation, t.ref.generation);
	t.ends++;
	t.whole = whole;
	/* Of a body that broke off nothing can be answered any more. */
	if (!whole)
		edge_answer(ref, &(struct edge_answer){ .status = 299 });
}

static const struct edge_sink sink = { on_piece, on_end };

static void
on_head(struct edge_ref ref, const struct edge_request *req,
    struct edge_body *body)
{
	t.ref = ref;
	assert_int_equal(req->body_fd, -1);
	body->how = t.how;
	if (t.max > 0)
		body->max = t.max;
	body->sink = &sink;
	body->sink_arg = &t;
	if (span_eq(req->head->path, SPAN("/no")))
		edge_answer(ref, &(struct edge_answer){ .status = 401 });
}

static void
on_request(struct edge_ref ref, const struct edge_request *req)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%llu bytes", (unsigned long long)
	    req->body_n);

	if (req->head->has_body)
		assert_int_equal(ref.generation, t.ref.generation);
	assert_int_equal(req->body_fd >= 0, req->head->has_body &&
	    t.how == EDGE_SPOOL);
	if (t.how == EDGE_HOLD)
		assert_int_equal(req->body.n, req->body_n);
	else
		assert_int_equal(req->body.n, 0);
	if (span_eq(req->head->path, SPAN("/keep"))) {
		rig.later = ref;
		return;
	}
	if (req->body_fd >= 0) {
		uint8_t piece[1000];
		ssize_t got;

		while ((got = read(req->body_fd, piece, sizeof piece)) > 0)
			assert_int_equal(buf_add(&t.bytes, piece,
			    (size_t)got), OK);
	}
	edge_answer(ref, &(struct edge_answer){ .status = 200,
	    .body = span_of(text, (size_t)n) });
}

static int
setup(void **state)
{
	rig_setup(state);
	memset(&t, 0, sizeof t);
	buf_init(&t.bytes, RIG_OUT_MAX);
	rig.on_head = on_head;
	rig.on_request = on_request;
	return 0;
}

static int
teardown(void **state)
{
	assert_int_equal(edge_stats(rig.edge)->conns, rig.edge->conns.n);
	buf_fini(&t.bytes);
	return rig_fini(state);
}

static void
test_body_streams_in_every_split(void **state)
{
	static const char in[] = CHUNKED "5\r\nhello\r\n1\r\n \r\n0\r\n\r\n"
	    "POST /b HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nworld"
	    "GET /b HTTP/1.1\r\n" H "\r\n";
	struct span all = span_of(in, sizeof in - 1);

	(void)state;
	t.how = EDGE_STREAM;
	for (size_t cut = 0; cut <= all.n; cut++) {
		int fd = rig_client();
		const char *got;

		buf_clear(&t.bytes);
		t.ends = 0;
		rig_send(fd, span_sub(all, 0, cut));
		rig_send(fd, span_sub(all, cut, all.n));
		got = rig_text(fd, NULL);
		assert_true(span_eq(buf_span(&t.bytes), SPAN("hello world")));
		assert_int_equal(t.ends, 2);
		assert_true(t.whole);
		assert_non_null(strstr(got, "\r\n\r\n6 bytesHTTP"));
		assert_non_null(strstr(got, "\r\n\r\n5 bytesHTTP"));
		assert_non_null(strstr(got, "\r\n\r\n0 bytes"));
		rig_assert_clean(fd);
	}
}

/* What the app does not take stays with the client, not with us. */
static void
test_body_sink_holds_the_client_up(void **state)
{
	static uint8_t piece[60000];
	struct edge_conf c;
	size_t held;
	int fd;

	(void)state;
	t.how = EDGE_STREAM;
	t.max = 1u << 30;
	t.pause_after = 1;
	edge_conf_default(&c);
	rig_restart(&c);
	rig.on_head = on_head;
	rig.on_request = on_request;
	fd = rig_client();
	rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H
	    "Content-Length: 600000\r\n\r\n"));
	(void)rig_flood(fd, SPAN_OF(piece));
	assert_int_equal(t.pieces, 1);
	held = rig.edge->holds.bytes;
	assert_true(held <= 4u * REACTOR_BUF);
	edge_body_resume(t.ref);
	edge_body_resume(t.ref);	/* twice is once */
	for (int i = 0; i < 500 && t.ends == 0; i++)
		rig_send(fd, SPAN_OF(piece));
	assert_true(t.whole);
	assert_int_equal(t.bytes.n, 600000);
	assert_non_null(strstr(rig_text(fd, NULL), "600000 bytes"));
	rig_assert_clean(fd);
}

/* The end is due without another byte: resuming alone brings it. */
static void
test_body_paused_in_its_last_piece(void **state)
{
	int fd = rig_client();

	(void)state;
	t.how = EDGE_STREAM;
	t.pause_after = 1;
	rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n"
	    "abc"));
	assert_int_equal(t.ends, 0);
	assert_string_equal(rig_text(fd, NULL), "");
	edge_body_resume(t.ref);
	rig_run(3);
	assert_int_equal(t.ends, 1);
	assert_non_null(strstr(rig_text(fd, NULL), "3 bytes"));
	rig_assert_clean(fd);
}

static void
test_body_broken_off_is_told(void **state)
{
	int fd = rig_client();

	(void)state;
	t.how = EDGE_STREAM;
	rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H
	    "Content-Length: 30\r\n\r\nabc"));
	rig_assert_clean(fd);
	assert_int_equal(t.ends, 1);
	assert_false(t.whole);
	assert_int_equal(rig_log_lines(), 0);
}

static void
test_body_malformed_chunk_is_told(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	t.how = EDGE_STREAM;
	rig_send(fd, SPAN(CHUNKED "3\r\nabc\r\nzz\r\n"));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 400"));
	assert_null(strstr(got, "299"));
	assert_int_equal(t.ends, 1);
	assert_false(t.whole);
	rig_assert_clean(fd);
}

static void
test_body_stream_has_a_limit(void **state)
{
	int fd = rig_client();

	(void)state;
	t.how = EDGE_STREAM;
	t.max = 5;
	rig_send(fd, SPAN(CHUNKED "5\r\nhello\r\n1\r\nx\r\n"));
	assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 413"));
	assert_true(span_eq(buf_span(&t.bytes), SPAN("hello")));
	assert_int_equal(t.ends, 1);
	rig_assert_clean(fd);
}

/* An answer before the end is the last one: the rest is not looked at. */
static void
test_body_answered_in_the_middle(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	t.how = EDGE_STREAM;
	t.answer_at_once = true;
	rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\n"
	    "abc"));
	rig_send(fd, SPAN("defghiGET / HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, &ended);
	assert_non_null(strstr(got, "HTTP/1.1 403"));
	assert_null(strstr(got, "404"));
	assert_null(strstr(got, "299"));
	assert_non_null(strstr(got, "Connection: close"));
	assert_true(ended);
	assert_int_equal(t.ends, 1);
	assert_false(t.whole);
	assert_int_equal(rig_log_lines(), 0);
	rig_assert_clean(fd);
}

/* RFC 9110 10.1.1: a final answer in the place of 100. */
static void
test_body_answered_at_its_head(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	rig_send(fd, SPAN("POST /no HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
	    "Content-Length: 9\r\n\r\n"));
	got = rig_text(fd, &ended);
	assert_null(strstr(got, "100 Continue"));
	assert_non_null(strstr(got, "HTTP/1.1 401"));
	assert_true(ended);
	rig_assert_clean(fd);
}

static void
test_body_spooled_in_every_split(void **state)
{
	static const char in[] = CHUNKED "5\r\nhello\r\n1\r\n \r\n0\r\n\r\n"
	    "POST /b HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nworld";
	struct span all = span_of(in, sizeof in - 1);

	(void)state;
	t.how = EDGE_SPOOL;
	for (size_t cut = 0; cut <= all.n; cut += 7) {
		int fd = rig_client();

		buf_clear(&t.bytes);
		rig_send(fd, span_sub(all, 0, cut));
		rig_send(fd, span_sub(all, cut, all.n));
		(void)rig_text(fd, NULL);
		assert_true(span_eq(buf_span(&t.bytes), SPAN("hello world")));
		rig_assert_clean(fd);
	}
}

static void
test_body_spooled_is_not_in_memory(void **state)
{
	static uint8_t piece[100000];
	size_t most = 0;
	int fd = rig_client();

	(void)state;
	t.how = EDGE_SPOOL;
	t.max = 1u << 30;
	rig_send(fd, SPAN("POST /keep HTTP/1.1\r\n" H
	    "Content-Length: 5000000\r\n\r\n"));
	assert_int_equal(edge_stats(rig.edge)->spooled, 5000000);
	for (int i = 0; i < 50; i++) {
		rig_send(fd, SPAN_OF(piece));
		if (rig.edge->holds.bytes > most)
			most = rig.edge->holds.bytes;
	}
	rig_run(5);
	assert_true(rig_logged("request POST /keep"));
	assert_true(most < 20000);
	edge_answer(rig.later, &(struct edge_answer){ .status = 200 });
	assert_int_equal(edge_stats(rig.edge)->spooled, 0);
	rig_assert_clean(fd);
}

static void
test_body_file_may_be_taken(void **state)
{
	int fd = rig_client(), file;
	char text[8] = { 0 };

	(void)state;
	t.how = EDGE_SPOOL;
	rig_send(fd, SPAN("POST /keep HTTP/1.1\r\n" H
	    "Content-Length: 3\r\n\r\nabc"));
	file = edge_take_file(rig.later);
	assert_true(file >= 0);
	assert_int_equal(edge_take_file(rig.later), -1);
	assert_int_equal(edge_stats(rig.edge)->spooled, 0);
	edge_answer(rig.later, &(struct edge_answer){ .status = 200 });
	assert_int_equal(edge_take_file(rig.later), -1);
	rig_assert_clean(fd);
	assert_int_equal(read(file, text, sizeof text), 3);
	assert_string_equal(text, "abc");
	sys_close(file);
}

static void
test_body_files_together_are_limited(void **state)
{
	struct edge_conf c;
	int a, b;

	(void)state;
	t.how = EDGE_SPOOL;
	edge_conf_default(&c);
	c.spool_max = 100;
	rig_restart(&c);
	rig.on_head = on_head;
	rig.on_request = on_request;
	a = rig_client();
	rig_send(a, SPAN("POST /b HTTP/1.1\r\n" H "Content-Length: 60\r\n\r\n"
	    "x"));
	b = rig_client();
	rig_send(b, SPAN("POST /b HTTP/1.1\r\n" H "Content-Length: 41\r\n\r\n"
	    "x"));
	assert_non_null(strstr(rig_text(b, NULL), "HTTP/1.1 503"));
	sys_close(b);
	b = rig_client();
	rig_send(b, SPAN(CHUNKED "28\r\n"));
	rig_send(b, span_of("0123456789012345678901234567890123456789\r\n",
	    42));
	assert_string_equal(rig_text(b, NULL), "");
	rig_send(b, SPAN("1\r\nx\r\n"));	/* one more than 100 */
	assert_non_null(strstr(rig_text(b, NULL), "HTTP/1.1 503"));
	assert_int_equal(edge_stats(rig.edge)->spool_over, 2);
	sys_close(b);
	rig_assert_clean(a);
}

static void
test_body_without_a_folder_is_503(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	t.how = EDGE_SPOOL;
	for (int i = 0; i < 2; i++) {
		edge_conf_default(&c);
		c.spool_dir = i == 0 ? NULL : "/nowhere/at/all";
		rig_restart(&c);
		rig.on_head = on_head;
		fd = rig_client();
		rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H
		    "Content-Length: 60\r\n\r\nx"));
		assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 503"));
		assert_int_equal(edge_stats(rig.edge)->spool_failed, 1);
		rig_assert_clean(fd);
	}
}

/* ---- Time ---- */

static void
restart_quick(uint64_t body_ms, uint64_t silence_ms, uint64_t answer_ms)
{
	struct edge_conf c;

	edge_conf_default(&c);
	c.body_ms = body_ms;
	c.silence_ms = silence_ms;
	c.answer_ms = answer_ms;
	c.close_ms = 20;
	rig_restart(&c);
	rig.on_head = on_head;
	rig.on_request = on_request;
}

static void
test_body_silence_is_cut(void **state)
{
	int fd;

	(void)state;
	for (t.how = EDGE_HOLD; t.how <= EDGE_STREAM; t.how++) {
		restart_quick(10000, 250, 1000);
		fd = rig_client();
		rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H
		    "Content-Length: 9\r\n\r\nab"));
		for (int i = 0; i < 6; i++) {	/* slow is not silent */
			rig_run_ms(50);
			rig_send(fd, SPAN("c"));
		}
		assert_string_equal(rig_text(fd, NULL), "");
		rig_run_ms(300);
		assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 408"));
		assert_int_equal(edge_stats(rig.edge)->body_late, 1);
		rig_assert_clean(fd);
	}
	assert_int_equal(t.ends, 1);
}

/* A long body is not cut for its length alone; a held one is. */
static void
test_body_held_has_a_time_in_all(void **state)
{
	int fd;

	(void)state;
	for (t.how = EDGE_HOLD; t.how <= EDGE_STREAM; t.how++) {
		restart_quick(250, 250, 1000);
		fd = rig_client();
		rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H
		    "Content-Length: 99\r\n\r\nab"));
		for (int i = 0; i < 8; i++) {
			rig_run_ms(40);
			rig_send(fd, SPAN("c"));
		}
		assert_int_equal(edge_stats(rig.edge)->body_late,
		    t.how == EDGE_HOLD);
		rig_assert_clean(fd);
	}
}

/* An app that does not go on is not the client's fault, but has an end. */
static void
test_body_not_taken_on_is_503(void **state)
{
	int fd;

	(void)state;
	t.how = EDGE_STREAM;
	t.pause_after = 1;
	restart_quick(50, 50, 400);
	fd = rig_client();
	rig_send(fd, SPAN("POST /b HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\n"
	    "ab"));
	rig_run_ms(120);
	assert_string_equal(rig_text(fd, NULL), "");
	rig_run_ms(350);
	assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 503"));
	assert_int_equal(edge_stats(rig.edge)->answer_late, 1);
	assert_int_equal(edge_stats(rig.edge)->body_late, 0);
	assert_false(t.whole);
	edge_body_resume(t.ref);	/* too late */
	rig_assert_clean(fd);
}

/* ---- Memory in all ---- */

static void
test_body_memory_in_all_is_limited(void **state)
{
	static uint8_t piece[50000];
	struct edge_conf c;
	int fds[4];

	(void)state;
	edge_conf_default(&c);
	c.mem_max = 150000;
	rig_restart(&c);
	for (int i = 0; i < 2; i++) {
		fds[i] = rig_client();
		rig_send(fds[i], SPAN("POST /b HTTP/1.1\r\n" H
		    "Content-Length: 60000\r\n\r\n"));
		rig_send(fds[i], SPAN_OF(piece));
	}
	fds[2] = rig_client();
	rig_send(fds[2], SPAN("POST /b HTTP/1.1\r\n" H
	    "Content-Length: 60000\r\n\r\n"));
	rig_send(fds[2], SPAN_OF(piece));
	assert_non_null(strstr(rig_text(fds[2], NULL), "HTTP/1.1 503"));
	sys_close(fds[2]);
	rig_run(5);
	/* what was refused is free again for others */
	fds[2] = rig_client();
	rig_send(fds[2], SPAN("GET /host HTTP/1.1\r\n" H "\r\n"));
	assert_non_null(strstr(rig_text(fds[2], NULL), "HTTP/1.1 200"));
	sys_close(fds[2]);
	sys_close(fds[1]);
	rig_run(5);
	rig_assert_clean(fds[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_body_streams_in_every_split),
		TEST(test_body_sink_holds_the_client_up),
		TEST(test_body_paused_in_its_last_piece),
		TEST(test_body_broken_off_is_told),
		TEST(test_body_malformed_chunk_is_told),
		TEST(test_body_stream_has_a_limit),
		TEST(test_body_answered_in_the_middle),
		TEST(test_body_answered_at_its_head),
		TEST(test_body_spooled_in_every_split),
		TEST(test_body_spooled_is_not_in_memory),
		TEST(test_body_file_may_be_taken),
		TEST(test_body_files_together_are_limited),
		TEST(test_body_without_a_folder_is_503),
		TEST(test_body_silence_is_cut),
		TEST(test_body_held_has_a_time_in_all),
		TEST(test_body_not_taken_on_is_503),
		TEST(test_body_memory_in_all_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
