/*
 * answer_test.c: answers that are written bit by bit, at the pace of their
 * reader; how they end.
 */
#include "edge/rig.h"

#define H "Host: localhost\r\n"
#define GET "GET /stream HTTP/1.1\r\n" H "\r\n"

static struct {
	struct edge_ref ref;
	uint64_t length;	/* as announced */
	uint64_t all, sent;	/* bytes to be written, and written */
	unsigned rooms, gone;
	bool began, close, idle, end_early, abort;
} t;

/* Byte i of the body, so that a lost or doubled one is seen. */
static uint8_t
byte_at(uint64_t i)
{
	return (uint8_t)('a' + i % 23);
}

static void
on_room(void *arg, struct edge_ref ref)
{
	uint8_t piece[5000];
	size_t room;

	assert_ptr_equal(arg, &t);
	assert_int_equal(ref.generation, t.ref.generation);
	t.rooms++;
	if (t.idle)
		return;
	while (t.sent < t.all && (room = edge_answer_room(ref)) > 0) {
		size_t n = room < sizeof piece ? room : sizeof piece;

		if (n > t.all - t.sent)
			n = (size_t)(t.all - t.sent);
		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(t.sent + i);
		if (!edge_answer_write(ref, span_of(piece, n)))
			return;
		t.sent += n;
	}
	if (t.abort && t.sent > 0) {
		edge_answer_abort(ref);
		assert_int_equal(edge_answer_room(ref), 0);
		assert_false(edge_answer_write(ref, SPAN("x")));
	} else if (t.sent == t.all) {
		edge_answer_end(ref);
		edge_answer_end(ref);	/* once */
		assert_false(edge_answer_write(ref, SPAN("late")));
	}
}

static void
on_gone(void *arg, struct edge_ref ref)
{
	assert_ptr_equal(arg, &t);
	t.gone++;
	assert_false(edge_answer_write(ref, SPAN("nobody")));
	edge_answer_end(ref);
}

static const struct edge_source source = { on_room, on_gone };

static void
on_request(struct edge_ref ref, const struct edge_request *req)
{
	if (!span_eq(req->head->path, SPAN("/stream"))) {
		edge_answer(ref, &(struct edge_answer){ .status = 200,
		    .body = SPAN("other") });
		return;
	}
	t.ref = ref;
	t.sent = 0;
	t.began = edge_answer_begin(ref, &(struct edge_answer){
	    .status = 200, .close = t.close }, t.length, &source, &t);
	/* A second answer to one request is none. */
	edge_answer(ref, &(struct edge_answer){ .status = 299 });
	assert_false(edge_answer_begin(ref, &(struct edge_answer){
	    .status = 299 }, 5, &source, &t));
}

static int
setup(void **state)
{
	rig_setup(state);
	memset(&t, 0, sizeof t);
	rig.on_request = on_request;
	return 0;
}

static void
restart(const struct edge_conf *c)
{
	rig_restart(c);
	rig.on_request = on_request;
}

/* RFC 9112 7.1: chunks, so that the connection stays. */
static void
test_answer_of_unknown_length_is_chunked(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	t.length = EDGE_UNKNOWN;
	t.all = 7;
	rig_send(fd, SPAN(GET "GET /x HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, &ended);
	assert_true(t.began);
	assert_non_null(strstr(got, "\r\nTransfer-Encoding: chunked\r\n"));
	assert_non_null(strstr(got,
	    "\r\n\r\n7\r\nabcdefg\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"));
	assert_null(strstr(got, "299"));
	assert_non_null(strstr(got, "other"));
	assert_false(ended);
	assert_int_equal(t.gone, 0);
	rig_assert_clean(fd);
}

static void
test_answer_of_known_length_is_not(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	t.length = t.all = 7;
	rig_send(fd, SPAN(GET GET));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "\r\nContent-Length: 7\r\n"));
	assert_null(strstr(got, "chunked"));
	assert_non_null(strstr(got, "\r\n\r\nabcdefgHTTP/1.1 200 OK"));
	assert_string_equal(got + strlen(got) - 7, "abcdefg");
	rig_assert_clean(fd);
}

/* RFC 9112 7.1: HTTP/1.0 knows no chunks; the end says where it ends. */
static void
test_answer_to_http10_ends_with_the_connection(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	t.length = EDGE_UNKNOWN;
	t.all = 7;
	rig_send(fd, SPAN("GET /stream HTTP/1.0\r\nConnection: keep-alive"
	    "\r\n\r\n"));
	got = rig_text(fd, &ended);
	assert_null(strstr(got, "chunked"));
	assert_null(strstr(got, "Content-Length"));
	assert_non_null(strstr(got, "Connection: close"));
	assert_non_null(strstr(got, "\r\n\r\nabcdefg"));
	assert_true(ended);
	rig_assert_clean(fd);
}

/* RFC 9110 9.3.2 */
static void
test_answer_to_head_is_complete_at_once(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	t.length = t.all = 7;
	rig_send(fd, SPAN("HEAD /stream HTTP/1.1\r\n" H "\r\n"
	    "GET /x HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, NULL);
	assert_false(t.began);
	assert_int_equal(t.rooms, 0);
	assert_non_null(strstr(got, "Content-Length: 7\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nHTTP/1.1 200 OK"));
	rig_assert_clean(fd);
}

static void
test_answer_that_says_close_closes(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	t.length = EDGE_UNKNOWN;
	t.all = 1;
	t.close = true;
	rig_send(fd, SPAN(GET GET));
	got = rig_text(fd, &ended);
	assert_true(ended);
	assert_non_null(strstr(got, "Connection: close"));
	assert_string_equal(strstr(got, "\r\n\r\n"),
	    "\r\n\r\n1\r\na\r\n0\r\n\r\n");
	rig_assert_clean(fd);
}

/* A long one never lies in memory whole, and every byte comes. */
static void
test_answer_waits_for_its_reader(void **state)
{
	enum { ALL = 6 << 20 };
	int fd = rig_client();
	const uint8_t *body;
	size_t at;

	(void)state;
	t.length = t.all = ALL;
	rig_send(fd, SPAN(GET));
	rig_run(50);
	at = (size_t)t.sent;
	assert_true(at < ALL);
	assert_true(rig.edge->holds.queued <= 2u * EDGE_CLOG);
	rig_run(50);
	assert_int_equal(t.sent, at);	/* nobody reads: nothing more */
	buf_fini(&rig_got);
	buf_init(&rig_got, RIG_OUT_MAX);
	for (int i = 0; i < 20000 && rig_got.n < ALL + 100; i++) {
		(void)rig_recv(fd, &rig_got);
		assert_true(rig.edge->holds.queued <= 2u * EDGE_CLOG);
		rig_run(2);
	}
	assert_int_equal(t.sent, ALL);
	body = rig_got.p + rig_got.n - ALL;
	for (size_t i = 0; i < ALL; i++)
		if (body[i] != byte_at(i))
			fail_msg("byte %zu", i);
	assert_int_equal(t.gone, 0);
	rig_assert_clean(fd);
}

/* RFC 9112 8: what is incomplete has to look so. */
static void
test_answer_too_short_is_cut(void **state)
{
	int fd = rig_client();
	bool ended;

	(void)state;
	t.length = 9;
	t.all = 7;
	rig_send(fd, SPAN(GET GET));
	(void)rig_text(fd, &ended);
	assert_true(ended);
	assert_int_equal(t.gone, 0);
	rig_assert_clean(fd);
}

static void
test_answer_aborted_has_no_last_chunk(void **state)
{
	int fd = rig_client();
	bool ended;

	(void)state;
	t.length = EDGE_UNKNOWN;
	t.all = 7;
	t.abort = true;
	rig_send(fd, SPAN(GET));
	assert_null(strstr(rig_text(fd, &ended), "0\r\n\r\n"));
	assert_true(ended);
	assert_int_equal(t.gone, 0);
	rig_assert_clean(fd);
}

static void
test_answer_whose_reader_goes_is_told(void **state)
{
	int fd = rig_client();

	(void)state;
	t.length = t.all = 64 << 20;
	rig_send(fd, SPAN(GET));
	rig_run(20);
	rig_assert_clean(fd);
	assert_int_equal(t.gone, 1);
}

/* A reader that stands still is given up, one that is slow is not. */
static void
test_answer_nobody_reads_is_cut(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.send_ms = c.answer_ms = 60;
	restart(&c);
	t.length = t.all = 64 << 20;
	fd = rig_client();
	rig_send(fd, SPAN(GET));
	rig_run_ms(300);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 1);
	assert_int_equal(t.gone, 1);
	rig_assert_clean(fd);
}

/* A source that dries up is given up, too. */
static void
test_answer_that_does_not_go_on_is_cut(void **state)
{
	struct edge_conf c;
	bool ended;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.answer_ms = 300;
	restart(&c);
	t.length = EDGE_UNKNOWN;
	t.idle = true;
	fd = rig_client();
	rig_send(fd, SPAN(GET));
	rig_run_ms(160);
	assert_true(edge_answer_write(t.ref, SPAN("x")));
	rig_run_ms(160);
	assert_int_equal(t.gone, 0);
	rig_run_ms(250);
	assert_int_equal(t.gone, 1);
	assert_int_equal(edge_stats(rig.edge)->answer_late, 1);
	(void)rig_text(fd, &ended);
	assert_true(ended);
	rig_assert_clean(fd);
}

/* ---- Whole ones ---- */

static void
on_not_allowed(struct edge_ref ref, const struct edge_request *req)
{
	(void)req;
	edge_not_allowed(ref, "GET, HEAD");
}

/* RFC 9110 15.5.6 */
static void
test_answer_405_says_allow(void **state)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	(void)state;
	rig.on_request = on_not_allowed;
	rig_send(fd, SPAN("PUT / HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, &ended);
	assert_non_null(strstr(got, "HTTP/1.1 405 Method Not Allowed\r\n"));
	assert_non_null(strstr(got, "\r\nAllow: GET, HEAD\r\n"));
	assert_false(ended);
	rig_assert_clean(fd);
}

/* RFC 9110 9.3.7: of the server as a whole; no app is asked. */
static void
test_answer_options_of_everything(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("OPTIONS * HTTP/1.1\r\n" H "\r\n"));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 204 No Content\r\n"));
	assert_non_null(strstr(got, "\r\nAllow: GET, HEAD, "));
	assert_int_equal(rig_log_lines(), 0);
	rig_assert_clean(fd);
}

static struct blob *big;

static void
on_big(struct edge_ref ref, const struct edge_request *req)
{
	(void)req;
	edge_answer(ref, &(struct edge_answer){ .status = 200, .blob = big,
	    .close = true });
}

/* Reads some bytes every few ms until the end; how many came. */
static size_t
read_slowly(int fd, size_t each, int times)
{
	static uint8_t piece[65536];
	size_t all = 0;

	for (int i = 0; i < times; i++) {
		long n = sys_recv(fd, piece, each);

		if (n == 0 || n == SYS_ERROR)
			break;
		all += n > 0 ? (size_t)n : 0;
		rig_run_ms(2);
	}
	return all;
}

/* A long last answer takes the time that its reader needs, within reason. */
static void
test_answer_goes_out_slowly_before_the_end(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	big = blob_new(2 << 20);
	memset(big->p, 'b', big->n);
	edge_conf_default(&c);
	c.close_ms = 100;
	c.send_ms = 500;
	restart(&c);
	rig.on_request = on_big;
	fd = rig_client();
	rig_send(fd, SPAN(GET));
	assert_true(read_slowly(fd, 16384, 2000) > 2u << 20);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 0);
	rig_assert_clean(fd);
	/* too slowly: 100 bytes in 2 ms are less than these */
	c.rate_min = 100 << 20;
	restart(&c);
	rig.on_request = on_big;
	fd = rig_client();
	rig_send(fd, SPAN(GET));
	(void)read_slowly(fd, 100, 100);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	rig_assert_clean(fd);
	blob_unref(big);
}

/* When memory is short, who lags behind by much is cut off first. */
static void
test_answer_memory_in_all_is_limited(void **state)
{
	static char text[300000];
	struct edge_conf c;
	struct edge_ref lags;
	int slow, fd;

	(void)state;
	edge_conf_default(&c);
	c.mem_max = 1000000;
	c.out_max = 100 << 20;
	rig_restart(&c);
	memset(text, '7', sizeof text);
	slow = rig_sio();
	lags = rig.sock;
	for (int i = 0; i < 20; i++) {
		edge_emit_one(lags, SPAN("x"), span_of(text, sizeof text));
		rig_run(2);
		assert_true(rig.edge->holds.queued <= 1300000);
	}
	assert_false(edge_is_open(lags));
	assert_true(rig_logged("close slow reader"));
	assert_int_equal(edge_stats(rig.edge)->mem_over, 1);
	fd = rig_sio();
	edge_emit_one(rig.sock, SPAN("x"), SPAN("1"));
	assert_string_equal(rig_frames(fd), "T 42[\"x\",1]\n");
	sys_close(slow);
	rig_assert_clean(fd);
}

/* One blob for all is counted about once, not for each of them. */
static void
test_answer_shared_blob_is_counted_once(void **state)
{
	static char text[200000];
	struct edge_ref socks[20];
	struct blob *b;
	int fds[20];

	(void)state;
	memset(text, '7', sizeof text);
	for (int i = 0; i < 20; i++) {
		fds[i] = rig_sio();
		socks[i] = rig.sock;
	}
	b = edge_encode_event(SPAN("/"), SPAN("x"),
	    span_of(text, sizeof text));
	for (int i = 0; i < 20; i++)
		edge_emit(socks[i], b);
	assert_in_range(rig.edge->holds.queued, sizeof text,
	    5 * sizeof text);
	blob_unref(b);
	for (int i = 0; i < 20; i++) {
		sys_close(fds[i]);
		rig_run(3);
	}
	assert_int_equal(rig.edge->holds.queued, 0);
}

static void
test_answer_refusal_says_why(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "\r\nContent-Type: text/plain; charset="
	    "utf-8\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nBad Request: a field's name "));
	rig_assert_clean(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer_of_unknown_length_is_chunked),
		TEST(test_answer_of_known_length_is_not),
		TEST(test_answer_to_http10_ends_with_the_connection),
		TEST(test_answer_to_head_is_complete_at_once),
		TEST(test_answer_that_says_close_closes),
		TEST(test_answer_waits_for_its_reader),
		TEST(test_answer_too_short_is_cut),
		TEST(test_answer_aborted_has_no_last_chunk),
		TEST(test_answer_whose_reader_goes_is_told),
		TEST(test_answer_nobody_reads_is_cut),
		TEST(test_answer_that_does_not_go_on_is_cut),
		TEST(test_answer_405_says_allow),
		TEST(test_answer_options_of_everything),
		TEST(test_answer_refusal_says_why),
		TEST(test_answer_goes_out_slowly_before_the_end),
		TEST(test_answer_memory_in_all_is_limited),
		TEST(test_answer_shared_blob_is_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
