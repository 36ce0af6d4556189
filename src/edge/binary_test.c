/*
 * binary_test.c: packets with attachments, whole and broken.
 * Source: Socket.IO protocol, revision 5, "Packet encoding".
 */
#include "edge/rig.h"

#define P0 "{\"_placeholder\":true,\"num\":0}"
#define P1 "{\"_placeholder\":true,\"num\":1}"
#define BAD "C 1008\nEND\n"

static void
test_binary_echo(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "452-[\"echo\"," P0 ",[" P1 "]]");
	rig_send_binary(fd, SPAN("one"));
	assert_string_equal(rig_frames(fd), "");
	rig_send_binary(fd, SPAN("two"));
	assert_string_equal(rig_frames(fd),
	    "T 452-[\"echoed\"," P0 ",[" P1 "]]\nB one\nB two\n");
	rig_send_text(fd, "451-7[\"echo\"," P0 "]");
	rig_send_binary(fd, SPAN(""));
	assert_string_equal(rig_frames(fd), "T 461-7[" P0 "]\nB \n");
	assert_int_equal(rig.edge->holds.bytes, 0);
	assert_int_equal(rig.edge->sio->binaries.n, 0);
	sys_close(fd);
}

static void
test_binary_of_another_namespace(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_join(fd, "/b");
	rig_send_text(fd, "451-/b,[\"echo\"," P0 "]");
	rig_send_binary(fd, SPAN("x"));
	assert_string_equal(rig_frames(fd),
	    "T 451-/b,[\"echoed\"," P0 "]\nB x\n");
	sys_close(fd);
}

/* As socket.io has it: what nothing names is not passed on. */
static void
test_binary_that_nothing_names(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "451-[\"echo\",1]");
	rig_send_binary(fd, SPAN("x"));
	assert_string_equal(rig_frames(fd), "T 42[\"echoed\",1]\n");
	sys_close(fd);
}

static void
test_binary_text_while_due_closes(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "452-[\"echo\"," P0 "," P1 "]");
	rig_send_binary(fd, SPAN("one"));
	rig_send_text(fd, "42[\"echo\"]");
	assert_string_equal(rig_frames(fd), BAD);
	rig_run(5);
	assert_int_equal(rig.edge->holds.bytes, 0);
	assert_int_equal(rig.edge->sio->binaries.n, 0);
	assert_false(rig_logged("event echo"));
	sys_close(fd);
}

static void
test_binary_without_its_packet_closes(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_binary(fd, SPAN("x"));
	assert_string_equal(rig_frames(fd), BAD);
	sys_close(fd);
	fd = rig_sio();
	rig_send_text(fd, "451-[\"echo\"," P0 "]");
	rig_send_binary(fd, SPAN("x"));
	rig_send_binary(fd, SPAN("y"));
	assert_string_equal(rig_frames(fd),
	    "T 451-[\"echoed\"," P0 "]\nB x\n" BAD);
	sys_close(fd);
}

static void
test_binary_lost_half_way(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "452-[\"echo\"," P0 "," P1 "]");
	rig_send_binary(fd, SPAN("one"));
	assert_true(rig.edge->holds.bytes > 0);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(rig.edge->holds.bytes, 0);
	assert_int_equal(rig.edge->sio->binaries.n, 0);
	assert_int_equal(edge_stats(rig.edge)->sessions, 0);
}

/* The namespace was left by us in between: as for an event, it is closed. */
static void
test_binary_dismissed_half_way(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_send_text(fd, "451-[\"echo\"," P0 "]");
	edge_disconnect(rig.sock, false);
	rig_send_binary(fd, SPAN("one"));
	assert_string_equal(rig_frames(fd), "T 41\n" BAD);
	assert_false(rig_logged("event echo " P0));
	sys_close(fd);
}

static void
test_binary_too_large_closes(void **state)
{
	static const uint8_t part[400];
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.binary_max = 1000;
	rig_restart(&c);
	fd = rig_sio();
	rig_send_text(fd, "453-[\"echo\"," P0 "]");
	rig_send_binary(fd, SPAN_OF(part));
	rig_send_binary(fd, SPAN_OF(part));
	assert_string_equal(rig_frames(fd), "");
	rig_send_binary(fd, SPAN_OF(part));	/* the last one counts, too */
	assert_string_equal(rig_frames(fd), "C 1009\nEND\n");
	assert_int_equal(edge_stats(rig.edge)->binary_over, 1);
	rig_run(5);
	assert_int_equal(rig.edge->holds.bytes, 0);
	sys_close(fd);
}

static void
test_binary_attachments_are_limited(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.attachments_max = 2;
	rig_restart(&c);
	fd = rig_sio();
	rig_send_text(fd, "453-[\"echo\"," P0 "]");
	assert_string_equal(rig_frames(fd), BAD);
	sys_close(fd);
	c.attachments_max = 0;
	rig_restart(&c);
	fd = rig_sio();
	rig_send_text(fd, "451-[\"echo\"," P0 "]");
	assert_string_equal(rig_frames(fd), BAD);
	sys_close(fd);
}

static void
test_binary_memory_is_limited(void **state)
{
	static const uint8_t part[40000];
	struct edge_conf c;
	int fds[8], ended = 0;

	(void)state;
	edge_conf_default(&c);
	c.held_max = 200000;
	rig_restart(&c);
	for (int i = 0; i < 8; i++) {
		fds[i] = rig_sio();
		rig_send_text(fds[i], "452-[\"echo\"," P0 "," P1 "]");
		rig_send_binary(fds[i], SPAN_OF(part));
		ended += strcmp(rig_frames(fds[i]), "C 1013\nEND\n") == 0;
	}
	assert_true(ended > 0 && ended < 8);
	for (int i = 0; i < 8; i++)
		sys_close(fds[i]);
	rig_run(5);
	assert_int_equal(rig.edge->holds.bytes, 0);
}

static void
test_binary_comes_in_time(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.binary_ms = 300;
	rig_restart(&c);
	fd = rig_sio();
	rig_send_text(fd, "452-[\"echo\"," P0 "," P1 "]");
	rig_run_ms(180);
	rig_send_binary(fd, SPAN("one"));
	rig_run_ms(180);
	rig_send_binary(fd, SPAN("two"));	/* 300 ms for each */
	assert_string_equal(rig_frames(fd),
	    "T 452-[\"echoed\"," P0 "," P1 "]\nB one\nB two\n");
	rig_run_ms(350);	/* nothing is due any more */
	rig_send_text(fd, "452-[\"echo\"," P0 "," P1 "]");
	rig_run_ms(450);
	assert_string_equal(rig_frames(fd), BAD);
	assert_int_equal(edge_stats(rig.edge)->binary_late, 1);
	sys_close(fd);
}

/* In the tick in which its session ends, it is late, too. */
static void
test_binary_late_with_an_ended_session(void **state)
{
	struct edge_conf c;
	uint64_t end;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.binary_ms = 5;
	rig_restart(&c);
	fd = rig_sio();
	rig_send_text(fd, "451-[\"echo\"," P0 "]");
	for (end = sys_mono_us() + 20000; sys_mono_us() < end;)
		continue;
	rig_send_text(fd, "48");
	assert_string_equal(rig_frames(fd), BAD);
	assert_int_equal(edge_stats(rig.edge)->bad_packets, 1);
	assert_int_equal(rig.edge->sio->binaries.n, 0);
	sys_close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_binary_echo),
		RIG_TEST(test_binary_of_another_namespace),
		RIG_TEST(test_binary_that_nothing_names),
		RIG_TEST(test_binary_text_while_due_closes),
		RIG_TEST(test_binary_without_its_packet_closes),
		RIG_TEST(test_binary_lost_half_way),
		RIG_TEST(test_binary_dismissed_half_way),
		RIG_TEST(test_binary_too_large_closes),
		RIG_TEST(test_binary_attachments_are_limited),
		RIG_TEST(test_binary_memory_is_limited),
		RIG_TEST(test_binary_comes_in_time),
		RIG_TEST(test_binary_late_with_an_ended_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
