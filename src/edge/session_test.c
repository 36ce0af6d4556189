/* session_test.c: Engine.IO sessions: pings, their time, what is refused. */
#include "edge/rig.h"

static struct edge_conf
quick(void)
{
	struct edge_conf c;

	edge_conf_default(&c);
	c.ping_interval_ms = 50;
	c.ping_timeout_ms = 40;
	c.connect_ms = 5000;
	c.close_ms = 50;
	return c;
}

static void
test_session_pings_and_lives_on_pongs(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_sio();
	for (int i = 0; i < 4; i++) {
		rig_run_ms(60);
		assert_string_equal(rig_frames(fd), "T 2\n");
		rig_send_text(fd, "3");
	}
	assert_true(edge_is_open(rig.sock));
	sys_close(fd);
}

static void
test_session_without_pong_ends(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_sio();
	rig_run_ms(75);
	assert_true(edge_is_open(rig.sock));
	rig_run_ms(40);
	assert_false(edge_is_open(rig.sock));
	assert_string_equal(rig_frames(fd), "T 2\nC 1000\nEND\n");
	assert_true(rig_logged("close ping timeout"));
	assert_int_equal(edge_stats(rig.edge)->ping_late, 1);
	sys_close(fd);
}

/* Other messages are no pong. */
static void
test_session_events_are_no_pong(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	rig_restart(&c);
	fd = rig_sio();
	for (int i = 0; i < 11; i++) {
		rig_send_text(fd, "42[\"x\"]");
		rig_run_ms(10);
	}
	assert_true(rig_logged("close ping timeout"));
	sys_close(fd);
}

static void
test_session_must_join_in_time(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	c.ping_interval_ms = 5000;
	c.connect_ms = 50;
	rig_restart(&c);
	fd = rig_ws();
	rig_run_ms(30);
	assert_string_equal(rig_frames(fd), "");
	rig_run_ms(40);
	assert_string_equal(rig_frames(fd), "C 1008\nEND\n");
	assert_int_equal(edge_stats(rig.edge)->connect_late, 1);
	sys_close(fd);
}

/* Asking is not joining: only an accepted one counts. */
static void
test_session_refused_join_is_none(void **state)
{
	struct edge_conf c = quick();
	int fd;

	(void)state;
	c.ping_interval_ms = 5000;
	c.connect_ms = 50;
	rig_restart(&c);
	fd = rig_ws();
	rig_send_text(fd, "40{\"token\":\"bad\"}");
	rig_run_ms(70);
	assert_non_null(strstr(rig_frames(fd), "C 1008\nEND\n"));
	sys_close(fd);
}

static void
expect_refused(enum ws_op op, struct span msg)
{
	int fd = rig_sio();

	rig_send(fd, rig_frame(op, true, msg));
	assert_string_equal(rig_frames(fd), "C 1008\nEND\n");
	assert_true(rig_logged("close protocol error"));
	rig.log.n = 0;
	sys_close(fd);
	rig_run(5);
}

/* Engine.IO protocol, revision 4, "Heartbeat": pings are the server's. */
static void
test_session_refuses_a_clients_ping(void **state)
{
	(void)state;
	expect_refused(WS_OP_TEXT, SPAN("2"));
	expect_refused(WS_OP_TEXT, SPAN("2probe"));
	assert_int_equal(edge_stats(rig.edge)->bad_packets, 2);
}

/* What else is the server's to send, or comes too late, says nothing. */
static void
test_session_ignores_what_says_nothing(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "0{}");
	rig_send_text(fd, "5");
	rig_send_text(fd, "6");
	rig_send_text(fd, "421[\"echo\"]");
	assert_string_equal(rig_frames(fd), "T 431[]\n");
	sys_close(fd);
}

static void
test_session_refuses_unknown_packets(void **state)
{
	(void)state;
	expect_refused(WS_OP_TEXT, SPAN("7"));
	expect_refused(WS_OP_TEXT, SPAN("x"));
	expect_refused(WS_OP_TEXT, SPAN(""));
}

static void
test_session_refuses_binary_that_is_not_due(void **state)
{
	(void)state;
	expect_refused(WS_OP_BINARY, SPAN("\x01\x02"));
	expect_refused(WS_OP_BINARY, SPAN(""));
}

static void
test_session_close_packet(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "1");
	assert_string_equal(rig_frames(fd), "C 1000\nEND\n");
	assert_true(rig_logged("close client disconnect"));
	sys_close(fd);
}

static void
test_session_lost_connection(void **state)
{
	int fd = rig_sio();

	(void)state;
	sys_close(fd);
	rig_run(5);
	assert_true(rig_logged("close transport close"));
	assert_int_equal(edge_stats(rig.edge)->sockets, 0);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_session_pings_and_lives_on_pongs),
		RIG_TEST(test_session_without_pong_ends),
		RIG_TEST(test_session_events_are_no_pong),
		RIG_TEST(test_session_must_join_in_time),
		RIG_TEST(test_session_refused_join_is_none),
		RIG_TEST(test_session_refuses_a_clients_ping),
		RIG_TEST(test_session_ignores_what_says_nothing),
		RIG_TEST(test_session_refuses_unknown_packets),
		RIG_TEST(test_session_refuses_binary_that_is_not_due),
		RIG_TEST(test_session_close_packet),
		RIG_TEST(test_session_lost_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
