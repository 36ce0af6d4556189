/* ws_test.c: the WebSocket handshake and frames, as bytes. */
#include "edge/rig.h"

/* ---- Handshake ---- */

/* RFC 6455 1.3 has this key and its answer. */
static void
test_ws_handshake_of_the_rfc(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN(RIG_HANDSHAKE));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 101 Switching Protocols\r\n"));
	assert_non_null(strstr(got,
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_null(strstr(got, "Content-Length"));
	assert_true(rig_logged("handshake"));
	assert_int_equal(edge_stats(rig.edge)->sessions, 1);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
}

static void
test_ws_open_packet(void **state)
{
	int fd = rig_client();
	const char *got, *open;

	(void)state;
	rig_send(fd, SPAN(RIG_HANDSHAKE));
	got = rig_text(fd, NULL);
	open = strstr(got, "0{\"sid\":\"");
	assert_non_null(open);
	assert_int_equal(strspn(open + 9, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_"), EDGE_SID);
	/* The reactor's index (3) is its first 16 bits. */
	assert_memory_equal(open + 9, "AAM", 2);
	assert_string_equal(open + 9 + EDGE_SID, "\",\"upgrades\":[],"
	    "\"pingInterval\":25000,\"pingTimeout\":20000,"
	    "\"maxPayload\":1000000}");
	sys_close(fd);
}

static void
expect_no_session(const char *in, const char *status, const char *body)
{
	int fd = rig_client();
	const char *got;
	bool ended;

	rig_send(fd, span_str(in));
	got = rig_text(fd, &ended);
	if (strstr(got, status) == NULL || strstr(got, body) == NULL)
		fail_msg("%s, not %s %s, for %s", got, status, body, in);
	assert_true(ended);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
	rig_run(3);
}

static void
test_ws_refuses_what_is_no_handshake(void **state)
{
	(void)state;
	expect_no_session("GET /socket.io/?EIO=4&transport=flash HTTP/1.1"
	    "\r\nHost: h\r\nConnection: close\r\n\r\n",
	    "HTTP/1.1 400",
	    "{\"code\":0,\"message\":\"Transport unknown\"}");
	expect_no_session("GET /socket.io/ HTTP/1.1\r\nHost: h\r\n"
	    "Connection: close\r\n\r\n", "HTTP/1.1 400", "\"code\":0");
	expect_no_session("GET /socket.io/?EIO=4&transport=websocket&sid=abc"
	    " HTTP/1.1\r\n" RIG_UPGRADE "\r\n", "HTTP/1.1 400",
	    "{\"code\":1,\"message\":\"Session ID unknown\"}");
	expect_no_session("POST " RIG_WS_PATH " HTTP/1.1\r\n" RIG_UPGRADE
	    "\r\n", "HTTP/1.1 400",
	    "{\"code\":2,\"message\":\"Bad handshake method\"}");
	expect_no_session("GET " RIG_WS_PATH " HTTP/1.1\r\nHost: h\r\n"
	    "Connection: close\r\n\r\n", "HTTP/1.1 400",
	    "{\"code\":3,\"message\":\"Bad request\"}");
	expect_no_session("GET /socket.io/?EIO=3&transport=websocket HTTP/1.1"
	    "\r\n" RIG_UPGRADE "\r\n", "HTTP/1.1 400",
	    "{\"code\":5,\"message\":\"Unsupported protocol version\"}");
	assert_int_equal(edge_stats(rig.edge)->bad_handshakes, 6);
}

/* RFC 6455 4.2.1, 4.4: each needed field; the version that would do. */
static void
test_ws_refuses_malformed_handshakes(void **state)
{
#define START "GET " RIG_WS_PATH " HTTP/1.1\r\nHost: h\r\n" \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	(void)state;
	expect_no_session(START "Sec-WebSocket-Version: 13\r\n\r\n",
	    "HTTP/1.1 400", "Sec-WebSocket-Version: 13\r\n");
	expect_no_session(START "Sec-WebSocket-Version: 8\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    "HTTP/1.1 400", "Sec-WebSocket-Version: 13\r\n");
	expect_no_session(START "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: tooshort\r\n\r\n", "HTTP/1.1 400", "");
#undef START
}

static void
test_ws_foreign_origin_is_refused(void **state)
{
	(void)state;
	expect_no_session("GET " RIG_WS_PATH " HTTP/1.1\r\n" RIG_UPGRADE
	    "Origin: https://evil.example\r\n\r\n", "HTTP/1.1 403",
	    "\"message\":\"Forbidden\"");
	assert_true(rig_logged("handshake https://evil.example"));
}

static void
test_ws_handshake_refused_by_the_app(void **state)
{
	(void)state;
	rig.handshake_status = 429;
	expect_no_session(RIG_HANDSHAKE, "HTTP/1.1 429", "");
}

/* The first frames may come together with the handshake, split anywhere. */
static void
test_ws_every_split_is_the_same(void **state)
{
	static uint8_t in[2048];
	struct wr w = wr_init(in, sizeof in);

	(void)state;
	wr_span(&w, SPAN(RIG_HANDSHAKE));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("40")));
	wr_span(&w, rig_frame(WS_OP_PING, true, SPAN("are you there")));
	wr_span(&w, rig_frame(WS_OP_TEXT, false, SPAN("421[\"echo\",")));
	wr_span(&w, rig_frame(WS_OP_PING, true, SPAN("x")));
	wr_span(&w, rig_frame(WS_OP_CONT, true, SPAN("{\"a\":\"\xc3\xa4\"}]")));
	wr_span(&w, rig_frame(WS_OP_CLOSE, true, SPAN("\x03\xe8")));
	assert_true(wr_ok(&w));
	for (size_t cut = 0; cut <= w.n; cut++) {
		int fd = rig_client();
		const char *got;
		bool ended;

		rig_send(fd, span_of(in, cut));
		rig_send(fd, span_sub(wr_done(&w), cut, w.n));
		got = rig_text(fd, &ended);
		assert_true(ended);
		assert_non_null(strstr(got, "HTTP/1.1 101 "));
		/* masks differ from none, so look for the unmasked texts */
		assert_non_null(strstr(got, "\x8a\rare you there"));
		assert_non_null(strstr(got, "431[{\"a\":\"\xc3\xa4\"}]"));
		assert_non_null(strstr(got, "\x88\x02\x03\xe8"));
		sys_close(fd);
		rig_run(3);
	}
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	assert_int_equal(reactor_pool_chunks(rig.reactor)->n_used, 0);
}

/* ---- Frames ---- */

static void
expect_close(struct span in, uint16_t code)
{
	char line[32];
	int fd = rig_ws();

	snprintf(line, sizeof line, "C %u\nEND\n", code);
	rig_send(fd, in);
	assert_string_equal(rig_frames(fd), line);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
	rig_run(5);
}

/* RFC 6455 5.1: a server MUST close on an unmasked frame. */
static void
test_ws_unmasked_frame_is_1002(void **state)
{
	(void)state;
	expect_close(SPAN("\x81\x02" "40"), 1002);
	assert_int_equal(edge_stats(rig.edge)->bad_frames, 1);
}

/* RFC 6455 5.2: reserved bits and operation codes. */
static void
test_ws_reserved_bits_and_codes_are_1002(void **state)
{
	(void)state;
	expect_close(SPAN("\xc1\x80\x01\x02\x03\x04"), 1002);
	expect_close(SPAN("\x83\x80\x01\x02\x03\x04"), 1002);
	expect_close(SPAN("\x8b\x80\x01\x02\x03\x04"), 1002);
}

/* RFC 6455 5.5: control frames are short and whole. */
static void
test_ws_bad_control_frames_are_1002(void **state)
{
	(void)state;
	expect_close(SPAN("\x89\xfe\x00\x7e\x01\x02\x03\x04"), 1002);
	expect_close(SPAN("\x09\x80\x01\x02\x03\x04"), 1002);
}

/* RFC 6455 5.4: a continuation of nothing; a message inside a message. */
static void
test_ws_bad_fragments_are_1002(void **state)
{
	(void)state;
	expect_close(rig_frame(WS_OP_CONT, true, SPAN("x")), 1002);
	expect_close(SPAN("\x01\x80\x01\x02\x03\x04"
	    "\x81\x80\x01\x02\x03\x04"), 1002);
}

/* RFC 6455 8.1 */
static void
test_ws_bad_utf8_is_1007(void **state)
{
	(void)state;
	expect_close(rig_frame(WS_OP_TEXT, true, SPAN("4\xff\xfe")), 1007);
	expect_close(rig_frame(WS_OP_TEXT, true, SPAN("4\xc3")), 1007);
}

static void
test_ws_too_large_is_1009(void **state)
{
	(void)state;
	/* By its announced length alone: 1,000,001 bytes. */
	expect_close(SPAN("\x81\xff\0\0\0\0\0\x0f\x42\x41\x01\x02\x03\x04"),
	    1009);
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
}

static void
test_ws_too_large_in_fragments_is_1009(void **state)
{
	static uint8_t half[600000];
	int fd = rig_ws();

	(void)state;
	memset(half, 'a', sizeof half);
	half[0] = '4';
	rig_send(fd, rig_frame(WS_OP_TEXT, false, SPAN_OF(half)));
	rig_send(fd, rig_frame(WS_OP_CONT, true, SPAN_OF(half)));
	assert_string_equal(rig_frames(fd), "C 1009\nEND\n");
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
}

/* RFC 6455 5.5.1: the close is answered with the same code. */
static void
test_ws_close_is_answered(void **state)
{
	(void)state;
	expect_close(rig_frame(WS_OP_CLOSE, true, SPAN("\x03\xe9going")),
	    1001);
	expect_close(rig_frame(WS_OP_CLOSE, true, SPAN("")), 0);
	/* RFC 6455 7.4.1: 1005 is never sent; 7.4.2: 999 is no code. */
	expect_close(rig_frame(WS_OP_CLOSE, true, SPAN("\x03\xed")), 1002);
	expect_close(rig_frame(WS_OP_CLOSE, true, SPAN("\x03\xe7")), 1002);
	expect_close(rig_frame(WS_OP_CLOSE, true, SPAN("\x03")), 1002);
}

static void
test_ws_nothing_is_read_after_a_close(void **state)
{
	int fd = rig_ws();
	static uint8_t in[256];
	struct wr w = wr_init(in, sizeof in);

	(void)state;
	wr_span(&w, rig_frame(WS_OP_CLOSE, true, SPAN("\x03\xe8")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("40")));
	rig_send(fd, wr_done(&w));
	rig_send_text(fd, "40");
	assert_string_equal(rig_frames(fd), "C 1000\nEND\n");
	assert_false(rig_logged("connect /"));
	sys_close(fd);
}

/* RFC 6455 5.5.2, 5.5.3: pings are answered, unasked pongs are not. */
static void
test_ws_ping_and_pong(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send(fd, rig_frame(WS_OP_PING, true, SPAN("abc")));
	rig_send(fd, rig_frame(WS_OP_PONG, true, SPAN("unasked")));
	rig_send(fd, rig_frame(WS_OP_PING, true, SPAN("")));
	assert_string_equal(rig_frames(fd), "P abc\nP \n");
	sys_close(fd);
}

/* Pings that nobody reads the answers of fill a bounded queue only. */
/* RFC 6455 5.5.3: pings have pongs, as long as those are read. */
static void
test_ws_ping_flood_is_cut(void **state)
{
	static uint8_t in[131 * 400];
	struct wr w = wr_init(in, sizeof in);
	uint8_t payload[125] = { 0 };
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.out_max = 100000;
	c.ping_interval_ms = c.ping_timeout_ms = 150;
	c.close_ms = 50;
	c.send_ms = 100;
	rig_restart(&c);
	fd = rig_ws();
	for (int i = 0; i < 400; i++)
		wr_span(&w, rig_frame(WS_OP_PING, true, SPAN_OF(payload)));
	assert_in_range(rig_flood(fd, wr_done(&w)), 1, 4999);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 0);
	rig_run_ms(600);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	assert_int_equal(edge_stats(rig.edge)->ping_late, 1);
	sys_close(fd);
}

/* A message before a socket is in has a smaller limit: 1009. */
static void
test_ws_message_before_a_socket_is_small(void **state)
{
	static char text[16384 + 2];
	int fd = rig_ws();

	(void)state;
	memset(text, 'x', sizeof text - 1);
	rig_send_text(fd, text);
	rig_run(3);
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
	fd = rig_sio();
	memcpy(text, "42[\"", 4);
	memcpy(text + sizeof text - 3, "\"]", 2);
	rig_send_text(fd, text);
	rig_run(3);
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
	assert_int_equal(edge_stats(rig.edge)->events_in, 1);
	sys_close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_ws_handshake_of_the_rfc),
		RIG_TEST(test_ws_open_packet),
		RIG_TEST(test_ws_refuses_what_is_no_handshake),
		RIG_TEST(test_ws_refuses_malformed_handshakes),
		RIG_TEST(test_ws_foreign_origin_is_refused),
		RIG_TEST(test_ws_handshake_refused_by_the_app),
		RIG_TEST(test_ws_every_split_is_the_same),
		RIG_TEST(test_ws_unmasked_frame_is_1002),
		RIG_TEST(test_ws_reserved_bits_and_codes_are_1002),
		RIG_TEST(test_ws_bad_control_frames_are_1002),
		RIG_TEST(test_ws_bad_fragments_are_1002),
		RIG_TEST(test_ws_bad_utf8_is_1007),
		RIG_TEST(test_ws_too_large_is_1009),
		RIG_TEST(test_ws_too_large_in_fragments_is_1009),
		RIG_TEST(test_ws_close_is_answered),
		RIG_TEST(test_ws_nothing_is_read_after_a_close),
		RIG_TEST(test_ws_ping_and_pong),
		RIG_TEST(test_ws_ping_flood_is_cut),
		RIG_TEST(test_ws_message_before_a_socket_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
