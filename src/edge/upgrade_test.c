/*
 * upgrade_test.c: from polling to WebSocket: what waits goes along, and what
 * else a WebSocket may say or do instead.
 */
#include "edge/poll_rig.h"

static void
test_upgrade_moves_what_waits(void **state)
{
	int fd, get;

	(void)state;
	begin();
	get = wait_get();
	fd = probe();
	rig_send_text(fd, "2probe");
	expect(get, 200, "6");
	assert_string_equal(rig_frames(fd), "T 3probe\n");
	post("4a" SEP "4b");
	rig_send_text(fd, "5");
	rig_send_text(fd, "4c");
	assert_string_equal(rig_frames(fd), "T 4a\nT 4b\nT 4c\n");
	assert_true(span_eq(edge_session_transport(
	    edge_session_find(bare.session)), SPAN("websocket")));
	expect_call("GET", "", 400,
	    "{\"code\":3,\"message\":\"Bad request\"}");
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	assert_int_equal(edge_stats(rig.edge)->upgrades, 1);
	sys_close(get);
	sys_close(fd);
	rig_run(3);
	assert_int_equal(bare.ended, 1);
	assert_int_equal(bare.why, EDGE_LOST);
}

static void
test_upgrade_bad_probes_are_closed(void **state)
{
	static const char *const bad[] = { "2", "2prob", "3probe", "4x", "1",
		"6", "", "x" };

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd = probe();

		rig_send_text(fd, bad[i]);
		assert_string_equal(rig_frames(fd), "C 1008\nEND\n");
		sys_close(fd);
		rig_run(3);
	}
	assert_int_equal(edge_stats(rig.edge)->upgrades_bad,
	    sizeof bad / sizeof bad[0]);
	post("4alive");
	expect_call("GET", "", 200, "4alive");
}

static void
test_upgrade_second_websocket_is_closed(void **state)
{
	int fd, second;

	(void)state;
	begin();
	fd = probe();
	second = rig_client();
	{
		char text[512];
		int n = snprintf(text, sizeof text, "GET /engine.io/?EIO=4&"
		    "transport=websocket&sid=%s HTTP/1.1\r\n" RIG_UPGRADE
		    "\r\n", sid);

		rig_send(second, span_of(text, (size_t)n));
	}
	assert_non_null(strstr(rig_text(second, NULL), "not to be upgraded"));
	rig_send_text(fd, "5");
	rig_send_text(fd, "4a");
	assert_string_equal(rig_frames(fd), "T 4a\n");
	sys_close(fd);
	sys_close(second);
}

static void
test_upgrade_takes_too_long(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.upgrade_ms = 30;
	restart(&c);
	begin();
	fd = probe();
	rig_send_text(fd, "2probe");
	rig_run_ms(50);
	assert_string_equal(rig_frames(fd), "T 3probe\nC 1008\nEND\n");
	assert_int_equal(edge_stats(rig.edge)->upgrades_late, 1);
	sys_close(fd);
	fd = wait_get();	/* is not answered at once any more */
	post("4a");
	expect(fd, 200, "4a");
	sys_close(fd);
}

/* A session whose POST is still coming when it is upgraded. */
static void
begin_post_and_upgrade(int *post_out, int *ws_out)
{
	char text[256];
	int n;

	begin();
	n = snprintf(text, sizeof text, "POST " POLL_PATH "&sid=%s HTTP/1.1"
	    "\r\nHost: h\r\nContent-Length: 6\r\n\r\n4he", sid);
	*post_out = rig_client();
	rig_send(*post_out, span_of(text, (size_t)n));
	*ws_out = probe();
	rig_send_text(*ws_out, "5");
	rig_send_text(*ws_out, "4a");
	assert_string_equal(rig_frames(*ws_out), "T 4a\n");
	assert_int_equal(edge_stats(rig.edge)->polls, 1);
}

static void
test_upgrade_hears_a_post_begun_before(void **state)
{
	int fd, ws;

	(void)state;
	begin_post_and_upgrade(&fd, &ws);
	rig_send(fd, SPAN("llo"));
	expect(fd, 200, "ok");
	assert_string_equal(rig_frames(ws), "T 4hello\n");
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	sys_close(fd);
	sys_close(ws);
}

static void
test_upgrade_post_ends_with_the_session(void **state)
{
	int fd, ws;

	(void)state;
	begin_post_and_upgrade(&fd, &ws);
	sys_close(ws);
	rig_run(3);
	assert_int_equal(bare.ended, 1);
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	assert_int_equal(rig.edge->sessions.n, 0);
	rig_send(fd, SPAN("llo"));
	expect(fd, 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	sys_close(fd);
}

static void
test_upgrade_post_keeps_no_drain_waiting(void **state)
{
	int fd, ws;

	(void)state;
	begin_post_and_upgrade(&fd, &ws);
	edge_drain(rig.edge, 1001, 10000, NULL, NULL);
	rig_run(3);
	assert_int_equal(bare.ended, 1);
	assert_int_equal(rig.edge->sessions.n, 0);
	rig_send(fd, SPAN("llo"));
	expect(fd, 503, "{\"code\":3,\"message\":\"Bad request\"}");
	sys_close(fd);
	sys_close(ws);
}

static void
test_upgrade_large_post_leaves_no_polling(void **state)
{
	int fd, ws;

	(void)state;
	begin_post_and_upgrade(&fd, &ws);
	edge_session_limit(edge_session_find(bare.session), 3);
	rig_send(fd, SPAN("llo"));
	expect(fd, 413, "{\"code\":3,\"message\":\"Bad request\"}");
	assert_int_equal(edge_stats(rig.edge)->polls, 0);
	assert_int_equal(bare.ended, 0);
	sys_close(fd);
	sys_close(ws);
}

static void
test_upgrade_queue_that_does_not_fit_ends_it(void **state)
{
	struct edge_conf c = conf();
	static char large[40000];
	int fd;

	(void)state;
	c.out_max = 65536;
	restart(&c);
	begin();
	fd = probe();
	memset(large, 'x', sizeof large - 1);
	large[0] = '4';
	post(large);
	rig_send_text(fd, "5");
	assert_int_equal(bare.ended, 0);
	assert_int_equal(strlen(rig_frames(fd)), sizeof large - 1 + 3);
	sys_close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_upgrade_moves_what_waits),
		TEST(test_upgrade_bad_probes_are_closed),
		TEST(test_upgrade_second_websocket_is_closed),
		TEST(test_upgrade_takes_too_long),
		TEST(test_upgrade_hears_a_post_begun_before),
		TEST(test_upgrade_post_ends_with_the_session),
		TEST(test_upgrade_post_keeps_no_drain_waiting),
		TEST(test_upgrade_large_post_leaves_no_polling),
		TEST(test_upgrade_queue_that_does_not_fit_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
