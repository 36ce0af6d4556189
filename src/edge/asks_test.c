/*
 * asks_test.c: questions are answered, run out of time, or end with their
 * socket: each exactly once. Source: Socket.IO protocol, revision 5,
 * "Acknowledgement".
 */
#include "edge/rig.h"

static unsigned counts[3];
static char answer[200];

static void
on_answer(void *arg, struct edge_ref sock, enum edge_answered how,
    const struct edge_args *args)
{
	(void)sock;
	assert_ptr_equal(arg, counts);
	counts[how]++;
	(void)snprintf(answer, sizeof answer, "%.*s/%u", (int)args->json.n,
	    args->json.n > 0 ? (const char *)args->json.p : "", args->parts_n);
}

static void
ask(uint64_t timeout_ms)
{
	edge_ask(rig.sock, SPAN("q"), &(struct edge_args){ .json = SPAN("1") },
	    timeout_ms, on_answer, counts);
}

static int
begin(void)
{
	memset(counts, 0, sizeof counts);
	return rig_sio();
}

static void
expect(unsigned answered, unsigned late, unsigned none)
{
	assert_int_equal(counts[EDGE_ANSWERED], answered);
	assert_int_equal(counts[EDGE_TIMED_OUT], late);
	assert_int_equal(counts[EDGE_NO_ANSWER], none);
}

static void
test_asks_answered_once(void **state)
{
	int fd = begin();

	(void)state;
	ask(0);
	assert_string_equal(rig_frames(fd), "T 420[\"q\",1]\n");
	assert_int_equal(edge_stats(rig.edge)->asks, 1);
	rig_send_text(fd, "430[\"yes\",2]");
	assert_string_equal(answer, "\"yes\",2/0");
	rig_send_text(fd, "430[\"again\"]");
	expect(1, 0, 0);
	assert_int_equal(edge_stats(rig.edge)->asks, 0);
	assert_string_equal(rig_frames(fd), "");	/* open still */
	sys_close(fd);
	rig_run(5);
	expect(1, 0, 0);
}

static void
test_asks_answered_with_nothing(void **state)
{
	int fd = begin();

	(void)state;
	ask(0);
	rig_send_text(fd, "430");
	expect(1, 0, 0);
	assert_string_equal(answer, "/0");
	sys_close(fd);
}

static void
test_asks_in_any_order(void **state)
{
	int fd = begin();

	(void)state;
	for (int i = 0; i < 4; i++)
		ask(0);
	rig_send_text(fd, "432[2]");
	assert_string_equal(answer, "2/0");
	rig_send_text(fd, "430[0]");
	assert_string_equal(answer, "0/0");
	rig_send_text(fd, "433[3]");
	ask(0);
	rig_send_text(fd, "431[1]");
	rig_send_text(fd, "434[4]");
	assert_string_equal(answer, "4/0");
	expect(5, 0, 0);
	sys_close(fd);
}

static void
test_asks_unknown_answers_are_ignored(void **state)
{
	int fd = begin();

	(void)state;
	ask(0);
	rig_send_text(fd, "4399[1]");
	rig_send_text(fd, "43[1]");
	expect(0, 0, 0);
	rig_send_text(fd, "430[1]");
	expect(1, 0, 0);
	sys_close(fd);
}

static void
test_asks_time_out(void **state)
{
	int fd = begin();

	(void)state;
	ask(20);
	ask(0);
	ask(20);
	rig_run_ms(60);
	expect(0, 2, 0);
	rig_send_text(fd, "430[\"late\"]");
	expect(0, 2, 0);
	assert_int_equal(edge_stats(rig.edge)->asks_late, 2);
	rig_send_text(fd, "431[1]");
	expect(1, 2, 0);
	sys_close(fd);
}

static void
test_asks_end_with_the_socket(void **state)
{
	int fd = begin();

	(void)state;
	ask(0);
	ask(1000);
	rig_send_text(fd, "41");
	rig_run(5);
	expect(0, 0, 2);
	assert_int_equal(edge_stats(rig.edge)->asks, 0);
	ask(0);				/* it is gone */
	expect(0, 0, 3);
	sys_close(fd);
}

static void
test_asks_of_another_socket_are_not_answered(void **state)
{
	int fd = begin(), fd2;

	(void)state;
	ask(0);
	fd2 = rig_sio();
	rig_send_text(fd2, "430[1]");
	expect(0, 0, 0);
	rig_send_text(fd, "430[1]");
	expect(1, 0, 0);
	sys_close(fd);
	sys_close(fd2);
}

static void
test_asks_are_limited(void **state)
{
	struct edge_conf c;
	int fd, fd2;

	(void)state;
	edge_conf_default(&c);
	c.sock_asks_max = 2;
	c.asks_max = 3;
	rig_restart(&c);
	fd = begin();
	ask(0);
	ask(0);
	ask(0);
	expect(0, 0, 1);
	fd2 = rig_sio();
	ask(0);
	ask(0);
	expect(0, 0, 2);
	assert_int_equal(edge_stats(rig.edge)->asks_over, 2);
	rig_send_text(fd, "430[]");
	ask(0);
	expect(1, 0, 2);
	sys_close(fd);
	sys_close(fd2);
}

/* What is asked and answered with bytes. */
static void
test_asks_binary(void **state)
{
	const struct span part = SPAN("xy");
	int fd = begin();

	(void)state;
	edge_ask(rig.sock, SPAN("q"), &(struct edge_args){
	    SPAN("{\"_placeholder\":true,\"num\":0}"), &part, 1 }, 0,
	    on_answer, counts);
	assert_string_equal(rig_frames(fd),
	    "T 451-0[\"q\",{\"_placeholder\":true,\"num\":0}]\nB xy\n");
	rig_send_text(fd, "461-0[{\"_placeholder\":true,\"num\":0}]");
	expect(0, 0, 0);
	rig_send_binary(fd, SPAN("z"));
	expect(1, 0, 0);
	assert_string_equal(answer, "{\"_placeholder\":true,\"num\":0}/1");
	sys_close(fd);
}

/* A callback may ask again, and end its socket. */
static unsigned rounds;

static void
again(void *arg, struct edge_ref sock, enum edge_answered how,
    const struct edge_args *args)
{
	static const struct edge_args none;

	(void)args;
	(void)how;
	if (rounds++ < 3)
		edge_ask(sock, SPAN("q"), &none, 0, again, arg);
	else
		edge_disconnect(sock, true);
}

static void
test_asks_in_callbacks(void **state)
{
	static const struct edge_args none;
	int fd = begin();

	(void)state;
	rounds = 0;
	edge_ask(rig.sock, SPAN("q"), &none, 0, again, NULL);
	for (int i = 0; i < 4; i++) {
		char text[20];

		(void)snprintf(text, sizeof text, "43%d[]", i);
		rig_send_text(fd, text);
	}
	assert_int_equal(rounds, 4);
	assert_true(rig_logged("close server disconnect"));
	sys_close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_asks_answered_once),
		RIG_TEST(test_asks_answered_with_nothing),
		RIG_TEST(test_asks_in_any_order),
		RIG_TEST(test_asks_unknown_answers_are_ignored),
		RIG_TEST(test_asks_time_out),
		RIG_TEST(test_asks_end_with_the_socket),
		RIG_TEST(test_asks_of_another_socket_are_not_answered),
		RIG_TEST(test_asks_are_limited),
		RIG_TEST(test_asks_binary),
		RIG_TEST(test_asks_in_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
