/*
 * poll_test.c: Engine.IO over long-polling: what waits for a GET and in what
 * payloads, requests that overlap or break off, ends, limits. The whole of it
 * as clients see it is in tests/conformance/20_engineio.py.
 */
#include "edge/poll_rig.h"

/* ---- Messages ---- */

static void
test_poll_echoes_text_and_binary(void **state)
{
	(void)state;
	begin();
	post("4hello" SEP "bAQIDBA==" SEP "4");
	expect_call("GET", "", 200, "4hello" SEP "bAQIDBA==" SEP "4");
	assert_int_equal(edge_stats(rig.edge)->polls, 1);
	assert_int_equal(bare.begun, 1);
	assert_int_equal(bare.ended, 0);
}

static void
test_poll_get_waits_for_packets(void **state)
{
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	post("4a" SEP "4b");
	expect(fd, 200, "4a" SEP "4b");
	sys_close(fd);
}

/* What a payload would hold beyond conf.message_max waits for the next. */
static void
test_poll_payloads_are_limited(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.message_max = 12;
	restart(&c);
	begin();
	post("4aaaa" SEP "4bbbb");
	post("4cccccccccc");
	post("bAAAA" SEP "bBBBB");
	expect_call("GET", "", 200, "4aaaa" SEP "4bbbb");
	expect_call("GET", "", 200, "4cccccccccc");
	fd = rig_client();
	ask(fd, "GET", POLL_PATH, "");
	expect(fd, 200, "bAAAA" SEP "bBBBB");
	sys_close(fd);
}

/* Several frames in one blob, as of a binary event: cut between payloads,
 * and between a payload and the WebSocket that follows. */
static void
test_poll_blob_of_several_frames_is_cut(void **state)
{
	static const uint8_t frames[] = "\x81\x05" "4text" "\x82\x03" "\1\2\3"
	    "\x82\x03" "\4\5\6";
	struct edge_conf c = conf();
	struct blob *b = blob_dup(span_of(frames, sizeof frames - 1));
	int fd;

	(void)state;
	c.message_max = 8;
	restart(&c);
	begin();
	assert_non_null(b);
	assert_true(edge_session_send_blob(edge_session_find(bare.session),
	    b));
	blob_unref(b);
	expect_call("GET", "", 200, "4text");
	expect_call("GET", "", 200, "bAQID");
	fd = probe();
	rig_send_text(fd, "5");
	rig_run(3);
	(void)rig_text(fd, NULL);
	assert_int_equal(rig_got.n - 1, 5);
	assert_memory_equal(rig_got.p, "\x82\x03\4\5\6", 5);
	sys_close(fd);
}

static void
test_poll_queue_is_bounded(void **state)
{
	struct edge_conf c = conf();
	char large[60001];

	(void)state;
	c.out_max = 65536;
	restart(&c);
	begin();
	memset(large, 'x', 60000);
	large[0] = '4';
	large[60000] = '\0';
	post(large);
	assert_int_equal(bare.ended, 0);
	post(large);
	assert_int_equal(bare.ended, 1);
	assert_int_equal(bare.why, EDGE_SLOW);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 1);
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	expect_gone();
}

/* Many packets without a byte count, too. */
static void
test_poll_queue_of_empty_packets_is_bounded(void **state)
{
	struct edge_conf c = conf();

	(void)state;
	c.out_max = 65536;
	restart(&c);
	begin();
	for (int i = 0; i < 2000 && bare.ended == 0; i++)
		(void)edge_send(bare.session, SPAN(""), false), rig_run(1);
	assert_int_equal(bare.ended, 1);
	assert_int_equal(bare.why, EDGE_SLOW);
}

static void
test_poll_writable_while_a_get_waits(void **state)
{
	struct session *s;
	int fd;

	(void)state;
	begin();
	s = edge_session_find(bare.session);
	assert_false(edge_session_is_writable(s));
	assert_true(span_eq(edge_session_transport(s), SPAN("polling")));
	fd = wait_get();
	assert_true(edge_session_is_writable(s));
	assert_true(edge_send(bare.session, SPAN("a"), false));
	assert_false(edge_session_is_writable(s));
	expect(fd, 200, "4a");
	sys_close(fd);
}

/* ---- What is refused ---- */

static void
test_poll_bad_bodies_end_the_session(void **state)
{
	static const char *const bad[] = { "", "x", "7", "2", "2probe", SEP,
		SEP "4a", "4\xff", "4\xed\xa0\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd;

		begin();
		fd = wait_get();
		post(bad[i]);
		expect(fd, 200, "1");
		expect_gone();
		assert_int_equal(bare.ended, i + 1);
		assert_int_equal(bare.why, EDGE_PROTOCOL);
		sys_close(fd);
	}
	assert_int_equal(edge_stats(rig.edge)->bad_packets,
	    sizeof bad / sizeof bad[0]);
}

static void
test_poll_packets_before_a_bad_one_are_heard(void **state)
{
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	post("4a" SEP "4b" SEP);
	expect(fd, 200, "4a" SEP "4b" SEP "1");
	expect_gone();
	sys_close(fd);
}

static void
test_poll_second_get_ends_both(void **state)
{
	int fd, second;

	(void)state;
	begin();
	fd = wait_get();
	second = rig_client();
	ask(second, "GET", POLL_PATH, "");
	expect(second, 400, "{\"code\":3,\"message\":\"Bad request\"}");
	expect(fd, 200, "1");
	expect_gone();
	assert_int_equal(edge_stats(rig.edge)->polls_dropped, 1);
	sys_close(fd);
	sys_close(second);
}

static void
test_poll_second_post_ends_both(void **state)
{
	char text[256];
	int fd, second, n;

	(void)state;
	begin();
	n = snprintf(text, sizeof text, "POST " POLL_PATH "&sid=%s HTTP/1.1"
	    "\r\nHost: h\r\nContent-Length: 6\r\n\r\n4he", sid);
	fd = rig_client();
	rig_send(fd, span_of(text, (size_t)n));
	assert_int_equal(bare.ended, 0);
	second = rig_client();
	ask(second, "POST", POLL_PATH, "4x");
	assert_non_null(strstr(rig_text(second, NULL), "HTTP/1.1 400 "));
	assert_int_equal(bare.ended, 1);
	rig_send(fd, SPAN("llo"));
	expect(fd, 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	sys_close(fd);
	sys_close(second);
}

static void
test_poll_dropped_get_ends_the_session(void **state)
{
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	sys_close(fd);
	rig_run(3);
	assert_int_equal(bare.ended, 1);
	assert_int_equal(bare.why, EDGE_LOST);
	assert_ptr_equal(bare.user, &bare);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	expect_gone();
}

static void
test_poll_dropped_post_ends_the_session(void **state)
{
	char text[256];
	int fd, n;

	(void)state;
	begin();
	n = snprintf(text, sizeof text, "POST " POLL_PATH "&sid=%s HTTP/1.1"
	    "\r\nHost: h\r\nContent-Length: 6\r\n\r\n4he", sid);
	fd = rig_client();
	rig_send(fd, span_of(text, (size_t)n));
	sys_close(fd);
	rig_run(3);
	assert_int_equal(bare.ended, 1);
	expect_gone();
}

/* What follows on a connection whose GET waits is read later, and little of
 * it now. */
static void
test_poll_pipelined_requests_wait(void **state)
{
	static char many[20000];
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	rig_send(fd, SPAN("GET /now HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_null(answered(fd, 200));
	post("4a");
	assert_non_null(strstr(rig_text(fd, NULL), "4aHTTP/1.1 200 OK"));
	sys_close(fd);
	rig_run(3);
	fd = wait_get();
	memset(many, 'x', sizeof many);
	(void)rig_flood(fd, span_of(many, sizeof many));
	assert_true(edge_stats(rig.edge)->bytes_in < 200000);
	assert_int_equal(bare.ended, 0);
	sys_close(fd);
	rig_run(3);
	assert_int_equal(bare.ended, 1);
}

static void
test_poll_large_post_is_refused_alone(void **state)
{
	struct edge_conf c = conf();

	(void)state;
	c.message_max = 10;
	restart(&c);
	begin();
	expect_call("POST", "4123456789x", 413,
	    "{\"code\":3,\"message\":\"Bad request\"}");
	post("4alive");
	expect_call("GET", "", 200, "4alive");
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
}

/* conf.join_max until a socket is accepted, as over WebSocket. */
static void
test_poll_body_before_a_socket_is_small(void **state)
{
	struct edge_conf c = conf();
	static const struct edge_path path = {
		{ (const uint8_t *)"/engine.io/", 11 }, EDGE_SOCKET_IO };
	char large[200];

	(void)state;
	c.paths = &path;
	c.paths_n = 1;
	c.join_max = 100;
	restart(&c);
	begin();
	memset(large, 'x', sizeof large);
	memcpy(large, "421[\"echo\",\"", 12);
	memcpy(large + sizeof large - 3, "\"]", 3);
	expect_call("POST", large, 413,
	    "{\"code\":3,\"message\":\"Bad request\"}");
	post("40");
	assert_non_null(edge_session_find(bare.session));
	post(large);
	assert_int_equal(bare.ended, 0);
}

static void
test_poll_sessions_are_limited(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.polls_max = 2;
	restart(&c);
	begin();
	begin();
	sid[0] = '\0';
	fd = rig_client();
	ask(fd, "GET", POLL_PATH, "");
	assert_non_null(answered(fd, 503));
	sys_close(fd);
	assert_int_equal(edge_stats(rig.edge)->polls_over, 1);
	assert_int_equal(edge_stats(rig.edge)->polls, 2);
	/* The app had let it, so it hears of its end. */
	assert_int_equal(bare.begun, 3);
	assert_int_equal(bare.ended, 1);
}

static void
test_poll_sessions_of_an_address_are_limited(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.addr_polls_max = 1;
	restart(&c);
	begin();
	fd = wait_get();
	post("1");
	expect(fd, 200, "6");
	sys_close(fd);
	rig_run(3);
	begin();
	sid[0] = '\0';
	fd = rig_client();
	ask(fd, "GET", POLL_PATH, "");
	assert_non_null(answered(fd, 503));
	assert_int_equal(edge_stats(rig.edge)->addr_polls_over, 1);
	sys_close(fd);
}

/* ---- Ends ---- */

static void
test_poll_close_packet(void **state)
{
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	post("4a" SEP "1" SEP "4b");
	expect(fd, 200, "6");
	assert_int_equal(bare.why, EDGE_BY_CLIENT);
	expect_gone();
	sys_close(fd);
}

/* Ended by the app: GETs hear what waits, then of the end, alone. */
static void
test_poll_end_by_the_app_is_fetched(void **state)
{
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	post("4close");
	expect(fd, 200, "4last words");
	assert_int_equal(bare.why, EDGE_BY_APP);
	expect_call("GET", "", 200, "1");
	expect_gone();
	sys_close(fd);
	begin();
	post("4close");
	assert_int_equal(bare.ended, 2);
	post("4nobody listens");
	expect_call("GET", "", 200, "4last words");
	expect_call("GET", "", 200, "1");
	expect_gone();
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	begin();
	edge_end_session(bare.session);
	rig_run(2);
	expect_call("GET", "", 200, "1");
	expect_gone();
}

static void
test_poll_what_nobody_fetches_is_dropped(void **state)
{
	struct edge_conf c = conf();

	(void)state;
	c.linger_ms = 30;
	restart(&c);
	begin();
	post("4close");
	assert_int_equal(edge_stats(rig.edge)->polls, 1);
	rig_run_ms(60);
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	expect_gone();
}

/* The time is over in the tick in which a GET comes. */
static void
test_poll_get_at_the_last_moment(void **state)
{
	struct edge_conf c = conf();
	char text[256];
	int fd, n;

	(void)state;
	c.linger_ms = 20;
	restart(&c);
	begin();
	post("4close");
	fd = rig_client();
	rig_run(3);
	n = snprintf(text, sizeof text, "GET " POLL_PATH "&sid=%s HTTP/1.1"
	    "\r\nHost: h\r\n\r\n", sid);
	thread_sleep_ms(40);
	{
		struct sys_iov v = { text, (size_t)n };

		assert_int_equal(sys_sendv(fd, &v, 1), n);
	}
	rig_run(3);
	expect(fd, 200, "4last words" SEP "1");
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	sys_close(fd);
}

static void
test_poll_pings_and_their_pongs(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.ping_interval_ms = 40;
	c.ping_timeout_ms = 40;
	restart(&c);
	begin();
	fd = wait_get();
	rig_run_ms(50);
	expect(fd, 200, "2");
	sys_close(fd);
	post("3");
	fd = wait_get();
	rig_run_ms(50);
	expect(fd, 200, "2");
	sys_close(fd);
	fd = wait_get();
	rig_run_ms(50);
	expect(fd, 200, "1");
	assert_int_equal(bare.why, EDGE_PING);
	assert_int_equal(edge_stats(rig.edge)->ping_late, 1);
	expect_gone();
	sys_close(fd);
}

static void
say(int fd, const char *method, const char *body)
{
	char text[256];
	int n = snprintf(text, sizeof text, "%s " POLL_PATH "&sid=%s HTTP/1.1"
	    "\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s", method, sid,
	    strlen(body), body);
	struct sys_iov v = { text, (size_t)n };

	assert_int_equal(sys_sendv(fd, &v, 1), n);
}

/* The server was away when the pong was due: a GET is too late then, but not
 * if the pong came, too. */
static void
test_poll_get_when_the_pong_was_due(void **state)
{
	struct edge_conf c = conf();
	int fd, other;

	(void)state;
	c.ping_interval_ms = 30;
	c.ping_timeout_ms = 30;
	restart(&c);
	for (int pong = 0; pong < 2; pong++) {
		begin();
		fd = rig_client();
		other = rig_client();
		rig_run_ms(40);
		thread_sleep_ms(50);
		say(fd, "GET", "");
		if (pong)
			say(other, "POST", "3");
		rig_run(1);
		if (pong)
			expect(fd, 200, "2");
		else
			expect(fd, 400, "{\"code\":1,\"message\":"
			    "\"Session ID unknown\"}");
		sys_close(fd);
		sys_close(other);
		rig_run(2);
	}
	assert_int_equal(edge_stats(rig.edge)->ping_late, 1);
}

static void
drained(void *arg)
{
	*(bool *)arg = true;
}

static void
test_poll_drain_ends_sessions(void **state)
{
	bool done = false;
	int fd;

	(void)state;
	begin();
	fd = wait_get();
	edge_drain(rig.edge, 1001, 1000, drained, &done);
	expect(fd, 200, "1");
	sys_close(fd);
	rig_run(5);
	assert_true(done);
	assert_int_equal(bare.why, EDGE_DRAIN);
}

/* With everything under way: nothing is left, nothing leaks. */
static void
test_poll_close_with_all_under_way(void **state)
{
	(void)state;
	begin();
	(void)wait_get();
	begin();
	post("4waits");
	(void)probe();
	begin();
	post("4close");
	rig_teardown(NULL);
	memset(&rig, 0, sizeof rig);
	setup(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_poll_echoes_text_and_binary),
		TEST(test_poll_get_waits_for_packets),
		TEST(test_poll_payloads_are_limited),
		TEST(test_poll_blob_of_several_frames_is_cut),
		TEST(test_poll_queue_is_bounded),
		TEST(test_poll_queue_of_empty_packets_is_bounded),
		TEST(test_poll_writable_while_a_get_waits),
		TEST(test_poll_bad_bodies_end_the_session),
		TEST(test_poll_packets_before_a_bad_one_are_heard),
		TEST(test_poll_second_get_ends_both),
		TEST(test_poll_second_post_ends_both),
		TEST(test_poll_dropped_get_ends_the_session),
		TEST(test_poll_dropped_post_ends_the_session),
		TEST(test_poll_pipelined_requests_wait),
		TEST(test_poll_large_post_is_refused_alone),
		TEST(test_poll_body_before_a_socket_is_small),
		TEST(test_poll_sessions_are_limited),
		TEST(test_poll_sessions_of_an_address_are_limited),
		TEST(test_poll_close_packet),
		TEST(test_poll_end_by_the_app_is_fetched),
		TEST(test_poll_what_nobody_fetches_is_dropped),
		TEST(test_poll_get_at_the_last_moment),
		TEST(test_poll_pings_and_their_pongs),
		TEST(test_poll_get_when_the_pong_was_due),
		TEST(test_poll_drain_ends_sessions),
		TEST(test_poll_close_with_all_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
