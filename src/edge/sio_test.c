/* sio_test.c: Socket.IO sockets: joining, events, acknowledgements, ends. */
#include "edge/rig.h"

static void
test_sio_connect_with_auth(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40{\"token\":\"fine\"}");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	assert_true(rig_logged("connect / {\"token\":\"fine\"}"));
	assert_true(edge_is_open(rig.sock));
	assert_int_equal(edge_stats(rig.edge)->sockets, 1);
	sys_close(fd);
}

static void
test_sio_refused_may_try_again(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40{\"token\":\"bad\"}");
	assert_string_equal(rig_frames(fd), "T 44{\"message\":"
	    "\"no \\\"entry\\\"\",\"data\":{\"code\":7}}\n");
	assert_int_equal(edge_stats(rig.edge)->sockets, 0);
	rig_send_text(fd, "40");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	sys_close(fd);
	rig_run(5);
	/* One that was refused has no close. */
	assert_int_equal(rig_log_lines(), 4);
}

static void
test_sio_accepted_later(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40{\"token\":\"later\"}");
	assert_string_equal(rig_frames(fd), "");
	edge_emit_one(rig.later, SPAN("too early"), SPAN("1"));
	edge_accept(rig.later);
	edge_emit_one(rig.later, SPAN("welcome"), SPAN("1"));
	assert_string_equal(rig_frames(fd),
	    "T 40{\"sid\":\"*\"}\nT 42[\"welcome\",1]\n");
	sys_close(fd);
}

/* A guest may speak, but not at length; edge_promote makes it a member. */
static void
test_sio_guest_is_small_until_promoted(void **state)
{
	struct edge_conf c;
	char large[200];
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.join_max = 100;
	rig_restart(&c);
	memset(large, 'x', sizeof large);
	memcpy(large, "421[\"echo\",\"", 12);
	memcpy(large + sizeof large - 3, "\"]", 3);
	fd = rig_ws();
	rig_send_text(fd, "40{\"token\":\"guest\"}");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	rig_send_text(fd, large);
	assert_string_equal(rig_frames(fd), "C 1009\nEND\n");
	fd = rig_ws();
	rig_send_text(fd, "40{\"token\":\"guest\"}");
	(void)rig_frames(fd);
	edge_promote(rig.sock);
	edge_promote(rig.sock);		/* nothing more */
	rig_send_text(fd, large);
	rig_send_text(fd, "41");
	rig_run(5);
	rig_send_text(fd, "40");	/* a member may leave and come back */
	assert_non_null(strstr(rig_frames(fd), "T 40{\"sid\":\"*\"}\n"));
	sys_close(fd);
	rig_run(5);
	edge_promote(rig.sock);		/* it is gone */
}

/* Else each new CONNECT would begin anew what has a limit. */
static void
test_sio_guest_that_leaves_ends_its_session(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40{\"token\":\"guest\"}");
	(void)rig_frames(fd);
	rig_send_text(fd, "41");
	rig_send_text(fd, "40{\"token\":\"guest\"}");
	assert_string_equal(rig_frames(fd), "C 1000\nEND\n");
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->sockets, 0);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
}

static void
test_sio_gone_before_it_was_accepted(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40{\"token\":\"later\"}");
	sys_close(fd);
	rig_run(5);
	assert_true(rig_logged("close transport close"));
	edge_accept(rig.later);
	edge_refuse(rig.later, SPAN("no"), SPAN(""));
	assert_false(edge_is_open(rig.later));
	rig_run(5);
}

/* A name that was used once names nothing else later. */
static void
test_sio_old_reference_finds_nothing(void **state)
{
	struct edge_ref old;
	int fd = rig_sio(), fd2;

	(void)state;
	old = rig.sock;
	sys_close(fd);
	rig_run(5);
	fd2 = rig_sio();
	assert_int_equal(rig.sock.index, old.index);
	assert_false(edge_is_open(old));
	edge_emit_one(old, SPAN("x"), SPAN("1"));
	edge_disconnect(old, true);
	assert_null(edge_user(old));
	assert_string_equal(rig_frames(fd2), "");
	assert_true(edge_is_open(rig.sock));
	sys_close(fd2);
}

static void
test_sio_event_and_ack(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "4212[\"echo\",{\"a\":[1,2]},\"b\"]");
	rig_send_text(fd, "42[\"echo\",null]");
	rig_send_text(fd, "42[\"first\",{\"x\":\"a,b\"},2]");
	rig_send_text(fd, "420[\"echo\"]");
	assert_string_equal(rig_frames(fd), "T 4312[{\"a\":[1,2]},\"b\"]\n"
	    "T 42[\"echoed\",null]\nT 42[\"first\",{\"x\":\"a,b\"}]\n"
	    "T 430[]\n");
	assert_true(rig_logged("event echo {\"a\":[1,2]},\"b\""));
	assert_int_equal(edge_stats(rig.edge)->events_in, 4);
	assert_int_equal(edge_stats(rig.edge)->acks_out, 2);
	sys_close(fd);
}

static void
test_sio_one_blob_for_many(void **state)
{
	struct edge_ref refs[5];
	struct blob *b;
	int fds[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		fds[i] = rig_sio();
		refs[i] = rig.sock;
	}
	b = edge_encode_event(SPAN("/"), SPAN("message:new"),
	    SPAN("{\"n\":1}"));
	assert_non_null(b);
	for (int i = 0; i < 5; i++)
		edge_emit(refs[i], b);
	assert_int_equal(atomic_load(&b->refs), 6);
	rig_run(3);
	for (int i = 0; i < 5; i++) {
		assert_string_equal(rig_frames(fds[i]),
		    "T 42[\"message:new\",{\"n\":1}]\n");
		sys_close(fds[i]);
	}
	assert_int_equal(atomic_load(&b->refs), 1);
	blob_unref(b);
}

static void
test_sio_large_event_both_ways(void **state)
{
	static char text[200100];
	int n = snprintf(text, sizeof text, "421[\"echo\",\"");
	const char *got;
	int fd = rig_sio();

	(void)state;
	memset(text + n, 'z', 200000);
	memcpy(text + n + 200000, "\"]", 3);
	rig_send_text(fd, text);
	got = rig_frames(fd);
	assert_int_equal(strlen(got), 2 + 4 + 200002 + 1 + 1);
	assert_memory_equal(got, "T 431[\"zzz", 10);
	sys_close(fd);
}

static void
test_sio_disconnected_by_the_client(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "41");
	assert_true(rig_logged("close client disconnect"));
	assert_string_equal(rig_frames(fd), "");
	rig_send_text(fd, "40");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	sys_close(fd);
}

/* However the input is split, an end is told before the next beginning. */
static void
test_sio_rejoined_at_once(void **state)
{
	static uint8_t in[256];
	struct wr w = wr_init(in, sizeof in);
	int fd = rig_sio();

	(void)state;
	rig.log.n = 0;
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("41")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("40")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("42[\"kick\"]")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("40")));
	rig_send(fd, wr_done(&w));
	assert_true(span_eq(buf_span(&rig.log), SPAN(
	    "close client disconnect\nconnect /\nevent kick\n"
	    "close server disconnect\nconnect /\n")));
	sys_close(fd);
}

static void
test_sio_disconnected_by_the_app(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "42[\"kick\"]");
	assert_string_equal(rig_frames(fd), "T 41\n");
	assert_true(rig_logged("close server disconnect"));
	rig_send_text(fd, "40");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	sys_close(fd);
}

static void
test_sio_connection_closed_by_the_app(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "42[\"kill\"]");
	assert_string_equal(rig_frames(fd),
	    "T 42[\"last words\",1]\nT 41\nC 1000\nEND\n");
	assert_true(rig_logged("close server disconnect"));
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
}

static void
test_sio_unknown_namespace_stays_connected(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40/nowhere,{\"token\":\"x\"}");
	assert_string_equal(rig_frames(fd),
	    "T 44/nowhere,{\"message\":\"Invalid namespace\"}\n");
	rig_send_text(fd, "40");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	assert_true(rig_logged("connect /nowhere {\"token\":\"x\"}"));
	sys_close(fd);
}

/* ---- What closes the connection ---- */

static void
expect_refused(bool joined, const char *msg)
{
	int fd = joined ? rig_sio() : rig_ws();
	const char *got;

	rig_send_text(fd, msg);
	got = rig_frames(fd);
	if (strcmp(got, "C 1008\nEND\n") != 0)
		fail_msg("%s for %s", got, msg);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
	sys_close(fd);
	rig_run(5);
}

static void
test_sio_refuses_before_joining(void **state)
{
	(void)state;
	expect_refused(false, "42[\"echo\",1]");
	expect_refused(false, "41");
	expect_refused(false, "431[]");
	assert_false(rig_logged("event echo 1"));
}

static void
test_sio_refuses_while_asking(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_send_text(fd, "40{\"token\":\"later\"}");
	rig_send_text(fd, "42[\"echo\",1]");
	assert_string_equal(rig_frames(fd), "C 1008\nEND\n");
	assert_true(rig_logged("close protocol error"));
	sys_close(fd);
}

static void
test_sio_refuses_bad_packets(void **state)
{
	static const char *const bad[] = {
		"40",			/* joined already */
		"40[]", "40\"x\"", "41{}", "44{\"message\":\"x\"}",
		"42{}", "42[]", "42[{}]", "42[null]", "42[\"a\"",
		"42[\"a\",]", "42[\"a\"]x", "42[\"connect\"]",
		"42[\"disconnect\"]", "42[\"newListener\"]",
		"42[\"disconnecting\"]", "42[\"removeListener\"]",
		"42[\"connect_error\"]",
		"43{}", "431{}", "48", "4", "4x",
		"42/nowhere,[\"echo\"]",
		/* attachments: what is announced must make sense */
		"45[\"x\"]", "450-[\"x\"]", "4511-[\"x\"]", "451-{}",
		"451-[\"x\",{\"_placeholder\":true,\"num\":1}]",
		"451-[\"x\",{\"_placeholder\":true,\"num\":-1}]",
		"451-[\"x\",{\"_placeholder\":true,\"num\":\"0\"}]",
		"451-[\"x\",{\"_placeholder\":true}]",
		"461-1[[{\"_placeholder\":true,\"num\":9}]]",
		"451-/nowhere,[\"x\"]", "451-[\"connect\"]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_refused(true, bad[i]);
	assert_int_equal(edge_stats(rig.edge)->bad_packets,
	    sizeof bad / sizeof *bad);
}

static void
test_sio_nothing_after_a_refusal_is_read(void **state)
{
	static uint8_t in[256];
	struct wr w = wr_init(in, sizeof in);
	int fd = rig_sio();

	(void)state;
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("42{}")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("42[\"echo\",1]")));
	rig_send(fd, wr_done(&w));
	assert_string_equal(rig_frames(fd), "C 1008\nEND\n");
	assert_false(rig_logged("event echo 1"));
	sys_close(fd);
}

/* ---- Slow readers ---- */

static void
test_sio_slow_reader_is_closed(void **state)
{
	static char json[10002];
	struct edge_conf c;
	struct blob *b;
	int slow, quick;
	struct edge_ref slow_ref;

	(void)state;
	edge_conf_default(&c);
	c.out_max = 100000;
	rig_restart(&c);
	slow = rig_sio();
	slow_ref = rig.sock;
	quick = rig_sio();
	memset(json, '1', sizeof json - 1);
	b = edge_encode_event(SPAN("/"), SPAN("news"), span_str(json));
	for (int i = 0; i < 200; i++) {
		edge_emit(slow_ref, b);
		edge_emit(rig.sock, b);
		rig_run(1);
		(void)rig_frames(quick);
	}
	assert_false(edge_is_open(slow_ref));
	assert_true(edge_is_open(rig.sock));
	assert_true(rig_logged("close slow reader"));
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 1);
	assert_int_equal(edge_stats(rig.edge)->conns, 1);
	/* Nobody else holds the blob any more. */
	assert_int_equal(atomic_load(&b->refs), 1);
	blob_unref(b);
	sys_close(slow);
	sys_close(quick);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_sio_connect_with_auth),
		RIG_TEST(test_sio_refused_may_try_again),
		RIG_TEST(test_sio_accepted_later),
		RIG_TEST(test_sio_guest_is_small_until_promoted),
		RIG_TEST(test_sio_guest_that_leaves_ends_its_session),
		RIG_TEST(test_sio_gone_before_it_was_accepted),
		RIG_TEST(test_sio_old_reference_finds_nothing),
		RIG_TEST(test_sio_event_and_ack),
		RIG_TEST(test_sio_one_blob_for_many),
		RIG_TEST(test_sio_large_event_both_ways),
		RIG_TEST(test_sio_disconnected_by_the_client),
		RIG_TEST(test_sio_rejoined_at_once),
		RIG_TEST(test_sio_disconnected_by_the_app),
		RIG_TEST(test_sio_connection_closed_by_the_app),
		RIG_TEST(test_sio_unknown_namespace_stays_connected),
		RIG_TEST(test_sio_refuses_before_joining),
		RIG_TEST(test_sio_refuses_while_asking),
		RIG_TEST(test_sio_refuses_bad_packets),
		RIG_TEST(test_sio_nothing_after_a_refusal_is_read),
		RIG_TEST(test_sio_slow_reader_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
