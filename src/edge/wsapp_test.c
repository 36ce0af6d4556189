/*
 * wsapp_test.c: WebSockets of the application's own, with and without
 * permessage-deflate, as bytes. The application here echoes, and does as some
 * messages say.
 */
#include "edge/rig.h"
#include "wire/deflate.h"

static struct {
	struct edge_ref ws;
	struct edge_upgrade u;
	unsigned messages_n, closes_n;
	uint16_t code;
	enum edge_end why;
	size_t longest;
	bool refused;
} app;

static int user;

static void
on_request(void *arg, struct edge_ref r, const struct edge_request *req)
{
	(void)arg;
	if (span_eq(req->head->query, SPAN("begun"))) {
		static const struct edge_source none = { NULL, NULL };

		assert_true(edge_answer_begin(r, &(struct edge_answer){
		    .status = 200 }, 2, &none, NULL));
	}
	app.refused = !edge_upgrade(r, req, &app.u, &app.ws);
	if (app.refused)
		return;
	edge_ws_set_user(app.ws, &user);
	/* Only once for a request. */
	{
		struct edge_ref second;

		assert_false(edge_upgrade(r, req, &app.u, &second));
		assert_int_equal(second.generation, 0);
	}
}

static void
on_message(void *arg, struct edge_ref ws, struct span m, bool binary)
{
	(void)arg;
	app.messages_n++;
	if (m.n > app.longest)
		app.longest = m.n;
	assert_ptr_equal(edge_ws_user(ws), &user);
	if (span_eq(m, SPAN("bye"))) {
		edge_ws_end(ws, 3005, "as you wish");
		assert_false(edge_ws_write(ws, SPAN("unheard"), false));
		edge_ws_end(ws, 3006, "twice");
		assert_int_equal(edge_ws_waiting(ws), 0);
	} else if (span_eq(m, SPAN("blob"))) {
		struct blob *b = edge_ws_encode(SPAN("from a blob"), binary);

		assert_non_null(b);
		assert_true(edge_ws_write_blob(ws, b));
		assert_true(edge_ws_write_blob(ws, b));
		blob_unref(b);
	} else {
		(void)edge_ws_write(ws, m, binary);
	}
}

static void
on_close(void *arg, struct edge_ref ws, uint16_t code, enum edge_end why)
{
	(void)arg;
	app.closes_n++;
	app.code = code;
	app.why = why;
	assert_ptr_equal(edge_ws_user(ws), &user);
	assert_false(edge_ws_write(ws, SPAN("unheard"), false));
	edge_ws_end(ws, 1000, "");
}

static const struct edge_app ws_app = {
	.on_request = on_request,
	.on_ws_message = on_message,
	.on_ws_close = on_close,
};

static void
start(const struct edge_conf *conf)
{
	static const struct edge_path none;
	struct edge_conf c = *conf;

	c.paths = &none;	/* nothing of Engine.IO, so no callbacks */
	c.paths_n = 0;
	memset(&app, 0, sizeof app);
	buf_init(&rig.log, RIG_OUT_MAX);
	assert_int_equal(reactor_open(3, &rig.reactor), OK);
	reactor_adopt(rig.reactor);
	assert_int_equal(edge_open(rig.reactor, &c, &ws_app, &rig.edge), OK);
}

static int
setup(void **state)
{
	struct edge_conf c;

	(void)state;
	memset(&rig, 0, sizeof rig);
	edge_conf_default(&c);
	start(&c);
	return 0;
}

static void
restart(const struct edge_conf *c)
{
	rig_teardown(NULL);
	start(c);
}

#define OPEN "GET /ws HTTP/1.1\r\n" RIG_UPGRADE

/* A WebSocket, its answer checked to have that in it. */
static int
open_ws(const char *more, const char *want)
{
	static char text[1024];
	int fd = rig_client();
	const char *got;

	snprintf(text, sizeof text, OPEN "%s\r\n", more);
	rig_send(fd, span_str(text));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 101 "));
	if (strstr(got, want) == NULL)
		fail_msg("%s is not in %s", want, got);
	return fd;
}

static void
test_wsapp_echoes(void **state)
{
	int fd = open_ws("", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

	(void)state;
	rig_send_text(fd, "hello");
	rig_send_text(fd, "");
	rig_send(fd, rig_frame(WS_OP_PING, true, SPAN("p")));
	rig_send_text(fd, "blob");
	assert_string_equal(rig_frames(fd), "T hello\nT \nP p\n"
	    "T from a blob\nT from a blob\n");
	assert_int_equal(edge_stats(rig.edge)->websockets, 1);
	assert_int_equal(edge_stats(rig.edge)->ws_messages, 3);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(app.closes_n, 1);
	assert_int_equal(app.code, 1006);
	assert_int_equal(app.why, EDGE_LOST);
	assert_int_equal(edge_stats(rig.edge)->websockets, 0);
	assert_null(edge_ws_user(app.ws));
	edge_ws_set_user(app.ws, NULL);
	assert_false(edge_ws_write(app.ws, SPAN("x"), false));
}

/* RFC 6455 5.5.1, 7.1.5: who closes, and with what. */
static void
test_wsapp_tells_how_it_ended(void **state)
{
	int fd = open_ws("", "");

	(void)state;
	rig_send(fd, rig_frame(WS_OP_CLOSE, true, SPAN("\x0b\xb9 bye")));
	assert_string_equal(rig_frames(fd), "C 3001\nEND\n");
	assert_int_equal(app.code, 3001);
	assert_int_equal(app.why, EDGE_BY_CLIENT);
	sys_close(fd);
	fd = open_ws("", "");
	rig_send(fd, rig_frame(WS_OP_CLOSE, true, SPAN("")));
	assert_string_equal(rig_frames(fd), "C 0\nEND\n");
	assert_int_equal(app.code, 1005);
	sys_close(fd);
	fd = open_ws("", "");
	rig_send_text(fd, "bye");
	assert_string_equal(rig_frames(fd), "C 3005\nEND\n");
	assert_int_equal(app.code, 3005);
	assert_int_equal(app.why, EDGE_BY_APP);
	sys_close(fd);
	fd = open_ws("", "");
	rig_send(fd, SPAN("\x81\x01x"));
	assert_string_equal(rig_frames(fd), "C 1002\nEND\n");
	assert_int_equal(app.code, 1002);
	assert_int_equal(app.why, EDGE_PROTOCOL);
	sys_close(fd);
	assert_int_equal(app.closes_n, 4);
}

/* RFC 6455 4.2.2, items 4 and 5; 4.4 */
static void
test_wsapp_refuses_what_is_no_handshake(void **state)
{
	static const char *const bad[][2] = {
		{ "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 426 " },
		{ "POST /ws HTTP/1.1\r\n" RIG_UPGRADE "\r\n",
		    "HTTP/1.1 400 " },
		{ OPEN "Sec-WebSocket-Protocol: a b\r\n\r\n",
		    "HTTP/1.1 400 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd = rig_client();
		const char *got;
		bool ended;

		rig_send(fd, span_str(bad[i][0]));
		got = rig_text(fd, &ended);
		assert_non_null(strstr(got, bad[i][1]));
		assert_non_null(strstr(got, "Sec-WebSocket-Version: 13\r\n"));
		assert_true(ended);
		assert_true(app.refused);
		sys_close(fd);
	}
	assert_int_equal(app.closes_n, 0);
	assert_int_equal(edge_stats(rig.edge)->bad_handshakes, 3);
	assert_int_equal(edge_stats(rig.edge)->websockets, 0);
}

/* An answer that was begun stays one. */
static void
test_wsapp_not_behind_an_answer(void **state)
{
	int fd = rig_client();
	const char *got;

	(void)state;
	rig_send(fd, SPAN("GET /ws?begun HTTP/1.1\r\n" RIG_UPGRADE "\r\n"));
	got = rig_text(fd, NULL);
	assert_true(app.refused);
	assert_non_null(strstr(got, "HTTP/1.1 200 "));
	assert_null(strstr(got, "HTTP/1.1 101 "));
	assert_int_equal(edge_stats(rig.edge)->websockets, 0);
	sys_close(fd);
}

static void
test_wsapp_chooses_a_subprotocol(void **state)
{
	int fd;

	(void)state;
	app.u.protocol = SPAN("chat");
	fd = open_ws("Sec-WebSocket-Protocol: x, chat\r\n",
	    "\r\nSec-WebSocket-Protocol: chat\r\n");
	sys_close(fd);
	fd = rig_client();
	rig_send(fd, SPAN(OPEN "Sec-WebSocket-Protocol: Chat\r\n\r\n"));
	assert_null(strstr(rig_text(fd, NULL), "WebSocket-Protocol"));
	sys_close(fd);
}

static void
test_wsapp_keeps_its_own_message_limit(void **state)
{
	int fd;

	(void)state;
	app.u.message_max = 5;
	fd = open_ws("", "");
	rig_send_text(fd, "12345");
	rig_send_text(fd, "123456");
	assert_string_equal(rig_frames(fd), "T 12345\nC 1009\nEND\n");
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
	sys_close(fd);
}

/*
 * A message larger than the queue may be written while little waits; its
 * sender is not read until it has read it, so that there is one such at most.
 */
static void
test_wsapp_large_messages_and_back_pressure(void **state)
{
	static uint8_t text[1 << 20];
	struct edge_conf c;
	struct span f;
	const char *got;
	unsigned rounds;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.out_max = 100000;
	c.message_max = sizeof text;
	restart(&c);
	fd = open_ws("", "");
	memset(text, 'x', sizeof text);
	rig_send(fd, rig_frame(WS_OP_TEXT, true, SPAN_OF(text)));
	rig_run(5);
	got = rig_frames(fd);
	assert_int_equal(strlen(got), 2 + sizeof text + 1);
	f = rig_frame(WS_OP_TEXT, true, SPAN_OF(text));
	rounds = rig_flood(fd, f);
	assert_in_range(rounds, 1, 8);
	assert_in_range(app.messages_n, 2, 3);
	assert_true(edge_ws_waiting(app.ws) > EDGE_CLOG);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 0);
	/* The application's own writes beyond the limit end it. */
	assert_false(edge_ws_write(app.ws, SPAN_OF(text), true));
	rig_run(5);
	assert_int_equal(app.why, EDGE_SLOW);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 1);
	sys_close(fd);
}

/* Large messages that nobody reads do not fill the memory: 1013. */
static void
test_wsapp_unread_messages_are_limited_in_all(void **state)
{
	static uint8_t text[1 << 20];
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.message_max = sizeof text;
	c.held_max = 3 << 19;	/* one message in, none out */
	restart(&c);
	fd = open_ws("", "");
	memset(text, 'x', sizeof text);
	rig_send(fd, rig_frame(WS_OP_TEXT, true, SPAN_OF(text)));
	assert_string_equal(rig_frames(fd), "C 1013\nEND\n");
	assert_int_equal(app.why, EDGE_BY_APP);
	sys_close(fd);
}

/* Nothing comes: a ping; nothing again: the end. A pong keeps it. */
static void
test_wsapp_silent_peers_are_pinged_then_ended(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.ws_idle_ms = 100;
	restart(&c);
	fd = open_ws("", "");
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 50; k++) {
			rig_run_ms(10);
			(void)rig_text(fd, NULL);
			if (rig_got.n > 1)
				break;
		}
		assert_int_equal(rig_got.n - 1, 2);
		assert_memory_equal(rig_got.p, "\x89\x00", 2);
		rig_send(fd, rig_frame(WS_OP_PONG, true, SPAN("")));
	}
	for (int k = 0; k < 50 && edge_stats(rig.edge)->ws_idle == 0; k++)
		rig_run_ms(10);
	(void)rig_text(fd, NULL);
	assert_memory_equal(rig_got.p, "\x89\x00\x88", 3);
	assert_int_equal(app.why, EDGE_PING);
	assert_int_equal(app.code, 1006);
	assert_int_equal(edge_stats(rig.edge)->ws_idle, 1);
	sys_close(fd);
}

/* Nor does one stay that takes nothing of what it has caused. */
static void
test_wsapp_peers_that_never_read_are_ended(void **state)
{
	static uint8_t text[1 << 20];
	struct edge_conf c;
	bool ended;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.ws_idle_ms = 100;
	c.close_ms = 50;
	c.message_max = sizeof text;
	restart(&c);
	fd = open_ws("", "");
	(void)rig_flood(fd, rig_frame(WS_OP_BINARY, true, SPAN_OF(text)));
	assert_true(edge_ws_waiting(app.ws) > EDGE_CLOG);
	rig_run_ms(500);
	assert_int_equal(app.why, EDGE_PING);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	(void)rig_text(fd, &ended);
	assert_true(ended);
	sys_close(fd);
}

static bool drained;

static void
on_drained(void *arg)
{
	(void)arg;
	drained = true;
}

static void
test_wsapp_drains(void **state)
{
	int fd = open_ws("", "");

	(void)state;
	drained = false;
	edge_drain(rig.edge, WS_CODE_RESTART, 1000, on_drained, NULL);
	assert_string_equal(rig_frames(fd), "C 1012\nEND\n");
	assert_int_equal(app.why, EDGE_DRAIN);
	sys_close(fd);
	rig_run(5);
	assert_true(drained);
}

static void
test_wsapp_ends_with_its_edge(void **state)
{
	int fd = open_ws("", "");

	(void)state;
	edge_close(rig.edge);
	rig.edge = NULL;
	assert_int_equal(app.closes_n, 1);
	sys_close(fd);
}

/* ---- permessage-deflate (RFC 7692) ---- */

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"
#define OFFER "Sec-WebSocket-Extensions: permessage-deflate"

static void
start_zip(uint32_t max, uint32_t message_max)
{
	struct edge_conf c;

	edge_conf_default(&c);
	c.deflates_max = max;
	c.message_max = message_max;
	restart(&c);
	app.u.deflate = true;
}

/* A masked frame with RSV1. */
static struct span
zipped(enum ws_op op, bool fin, struct span data)
{
	struct span f = rig_frame(op, fin, data);
	static uint8_t copy[RIG_OUT_MAX];

	memcpy(copy, f.p, f.n);
	copy[0] |= 0x40;
	return span_of(copy, f.n);
}

static void
expect_bytes(int fd, struct span want)
{
	(void)rig_text(fd, NULL);
	assert_int_equal(rig_got.n - 1, want.n);
	assert_memory_equal(rig_got.p, want.p, want.n);
}

/* RFC 7692 7.2.3.1 */
static void
test_wsapp_deflate_both_ways(void **state)
{
	int fd;

	(void)state;
	start_zip(10, 1000);
	fd = open_ws(OFFER "\r\n", OFFER "\r\n");
	assert_int_equal(edge_stats(rig.edge)->deflates, 1);
	rig_send(fd, zipped(WS_OP_TEXT, true, SPAN(HELLO)));
	expect_bytes(fd, SPAN("\xc1\x07" HELLO));
	/* With the window of the one before, in fragments. */
	rig_send(fd, zipped(WS_OP_TEXT, false, SPAN("\xf2\x00")));
	rig_send(fd, rig_frame(WS_OP_CONT, true, SPAN("\x11\x00\x00")));
	(void)rig_text(fd, NULL);
	assert_int_equal(rig_got.p[0], 0xc1);
	assert_in_range(rig_got.p[1], 4, 6);
	assert_int_equal(app.longest, 5);
	/* One that is not compressed is answered compressed. */
	rig_send_text(fd, "");
	expect_bytes(fd, SPAN("\xc1\x01\x00"));
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->deflates, 0);
}

/* RFC 7692 7.1.1 */
static void
test_wsapp_deflate_without_takeover(void **state)
{
	int fd;

	(void)state;
	start_zip(10, 1000);
	fd = open_ws(OFFER "; server_no_context_takeover; "
	    "client_no_context_takeover\r\n", OFFER
	    "; server_no_context_takeover; client_no_context_takeover\r\n");
	for (int i = 0; i < 3; i++) {
		rig_send(fd, zipped(WS_OP_TEXT, true, SPAN(HELLO)));
		expect_bytes(fd, SPAN("\xc1\x07" HELLO));
	}
	/* There is no window to refer to. */
	rig_send(fd, zipped(WS_OP_TEXT, true, SPAN("\xf2\x00\x11\x00\x00")));
	assert_string_equal(rig_frames(fd), "C 1007\nEND\n");
	sys_close(fd);
}

static void
test_wsapp_deflate_is_limited_in_number(void **state)
{
	int one, two;

	(void)state;
	start_zip(1, 1000);
	one = open_ws(OFFER "\r\n", OFFER);
	two = rig_client();
	rig_send(two, SPAN(OPEN OFFER "\r\n\r\n"));
	assert_null(strstr(rig_text(two, NULL), "Extensions"));
	assert_int_equal(edge_stats(rig.edge)->deflates, 1);
	assert_int_equal(edge_stats(rig.edge)->deflates_over, 1);
	rig_send_text(two, "plain");
	assert_string_equal(rig_frames(two), "T plain\n");
	sys_close(one);
	sys_close(two);
	rig_run(5);
	/* Off by default; and for who does not ask for it. */
	start_zip(1, 1000);
	app.u.deflate = false;
	one = rig_client();
	rig_send(one, SPAN(OPEN OFFER "\r\n\r\n"));
	assert_null(strstr(rig_text(one, NULL), "Extensions"));
	assert_int_equal(edge_stats(rig.edge)->deflates_over, 0);
	sys_close(one);
}

static void *
get(void *arg, size_t n)
{
	(void)arg;
	return malloc(n);
}

static void
put(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static const struct deflate_mem mem = { get, put, NULL };

/* n zeros, compressed. */
static struct span
bomb(size_t n)
{
	static uint8_t zeros[1 << 22], packed[1 << 16];
	struct deflate_out *o;
	size_t got = 0;

	assert_true(n <= sizeof zeros);
	assert_int_equal(deflate_out_open(&o, &mem, 15), OK);
	assert_int_equal(deflate_out_write(o, span_of(zeros, n), packed,
	    sizeof packed, &got), OK);
	deflate_out_close(o);
	return span_of(packed, got);
}

/* It is the inflated message that is limited, as it inflates: 1009. */
static void
test_wsapp_deflate_bombs_are_1009(void **state)
{
	int fd;

	(void)state;
	start_zip(10, 100000);
	fd = open_ws(OFFER "\r\n", OFFER);
	rig_send(fd, zipped(WS_OP_BINARY, true, bomb(100000)));
	(void)rig_text(fd, NULL);
	assert_int_equal(rig_got.p[0], 0xc2);
	assert_int_equal(app.longest, 100000);
	rig_send(fd, zipped(WS_OP_BINARY, true, bomb(1 << 22)));
	assert_string_equal(rig_frames(fd), "C 1009\nEND\n");
	assert_int_equal(edge_stats(rig.edge)->message_large, 1);
	assert_int_equal(app.messages_n, 1);
	sys_close(fd);
	rig_run(5);
	/* Nor do many pieces of one pass. */
	fd = open_ws(OFFER "\r\n", OFFER);
	rig_send(fd, zipped(WS_OP_BINARY, false, bomb(60000)));
	rig_send(fd, rig_frame(WS_OP_CONT, false, SPAN("\0\0\xff\xff")));
	rig_send(fd, rig_frame(WS_OP_CONT, true, bomb(60000)));
	assert_string_equal(rig_frames(fd), "C 1009\nEND\n");
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->deflates, 0);
	assert_int_equal(reactor_pool_chunks(rig.reactor)->n_used, 0);
}

static void
expect_close(struct span in, const char *want)
{
	int fd = open_ws(OFFER "\r\n", OFFER);

	rig_send(fd, in);
	assert_string_equal(rig_frames(fd), want);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->deflates, 0);
}

/* RFC 7692 6, 7.2.2; RFC 6455 8.1 */
static void
test_wsapp_deflate_rejects_bad_messages(void **state)
{
	(void)state;
	start_zip(10, 1000);
	expect_close(zipped(WS_OP_TEXT, true, SPAN("\xff\xff\xff")),
	    "C 1007\nEND\n");
	expect_close(zipped(WS_OP_TEXT, true, span_sub(SPAN(HELLO), 0, 4)),
	    "C 1007\nEND\n");
	expect_close(zipped(WS_OP_TEXT, true,
	    SPAN("\x00\x02\x00\xfd\xff\xc3(\x00")), "C 1007\nEND\n");
	expect_close(zipped(WS_OP_TEXT, true,
	    SPAN("\x00\x01\x00\xfe\xff\xc3\x00")), "C 1007\nEND\n");
	/* As soon as it is certain. */
	expect_close(zipped(WS_OP_TEXT, false,
	    SPAN("\x00\x02\x00\xfd\xff\xc3(\x00")), "C 1007\nEND\n");
	expect_close(zipped(WS_OP_PING, true, SPAN("x")), "C 1002\nEND\n");
	expect_close(zipped(WS_OP_CLOSE, true, SPAN("")), "C 1002\nEND\n");
	expect_close(zipped(WS_OP_CONT, true, SPAN("x")), "C 1002\nEND\n");
}

#define WS_TEST(t) cmocka_unit_test_setup_teardown(t, setup, rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WS_TEST(test_wsapp_echoes),
		WS_TEST(test_wsapp_tells_how_it_ended),
		WS_TEST(test_wsapp_refuses_what_is_no_handshake),
		WS_TEST(test_wsapp_not_behind_an_answer),
		WS_TEST(test_wsapp_chooses_a_subprotocol),
		WS_TEST(test_wsapp_keeps_its_own_message_limit),
		WS_TEST(test_wsapp_large_messages_and_back_pressure),
		WS_TEST(test_wsapp_unread_messages_are_limited_in_all),
		WS_TEST(test_wsapp_silent_peers_are_pinged_then_ended),
		WS_TEST(test_wsapp_peers_that_never_read_are_ended),
		WS_TEST(test_wsapp_drains),
		WS_TEST(test_wsapp_ends_with_its_edge),
		WS_TEST(test_wsapp_deflate_both_ways),
		WS_TEST(test_wsapp_deflate_without_takeover),
		WS_TEST(test_wsapp_deflate_is_limited_in_number),
		WS_TEST(test_wsapp_deflate_bombs_are_1009),
		WS_TEST(test_wsapp_deflate_rejects_bad_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
