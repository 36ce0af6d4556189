/*
 * nsp_test.c: namespaces come with their first socket and go with the last.
 */
#include "edge/rig.h"

static void
test_nsp_comes_and_goes(void **state)
{
	int fd = rig_ws(), fd2 = rig_ws();

	(void)state;
	assert_null(edge_nsp_find(rig.edge, SPAN("/a")));
	rig_join(fd, "/a");
	rig_join(fd2, "/a");
	rig_join(fd, "/ab");
	assert_int_equal(edge_stats(rig.edge)->nsps, 2);
	assert_int_equal(edge_nsp_find(rig.edge, SPAN("/a"))->refs, 2);
	rig_send_text(fd, "41/a");
	rig_run(2);
	assert_non_null(edge_nsp_find(rig.edge, SPAN("/a")));
	sys_close(fd2);
	rig_run(5);
	assert_null(edge_nsp_find(rig.edge, SPAN("/a")));
	assert_non_null(edge_nsp_find(rig.edge, SPAN("/ab")));
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->nsps, 0);
}

static void
test_nsp_refused_leaves_nothing(void **state)
{
	int fd = rig_ws();

	(void)state;
	for (int i = 0; i < 50; i++) {
		char text[40];

		(void)snprintf(text, sizeof text, "40/nowhere%d,", i);
		rig_send_text(fd, text);
	}
	assert_int_equal(edge_stats(rig.edge)->nsps, 0);
	assert_int_equal(edge_stats(rig.edge)->sockets, 0);
	sys_close(fd);
}

static void
test_nsp_number_is_limited(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.nsps_max = 2;
	rig_restart(&c);
	fd = rig_ws();
	rig_join(fd, "/a");
	rig_join(fd, "/b");
	rig_send_text(fd, "40/c,");
	assert_string_equal(rig_frames(fd),
	    "T 44/c,{\"message\":\"Too many sockets\"}\n");
	assert_int_equal(edge_stats(rig.edge)->nsps_over, 1);
	rig_send_text(fd, "41/a");
	rig_join(fd, "/c");
	sys_close(fd);
}

static void
test_nsp_sockets_of_a_session_are_limited(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.session_socks_max = 2;
	rig_restart(&c);
	fd = rig_ws();
	rig_join(fd, "/a");
	rig_join(fd, "/b");
	rig_send_text(fd, "40/c,");
	assert_string_equal(rig_frames(fd),
	    "T 44/c,{\"message\":\"Too many sockets\"}\n");
	assert_int_equal(edge_stats(rig.edge)->socks_over, 1);
	rig_send_text(fd, "41/b");
	rig_join(fd, "/c");
	sys_close(fd);
}

static void
test_nsp_many_at_once(void **state)
{
	int fd = rig_ws();
	char text[64];

	(void)state;
	for (int i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof text, "/n%d", i);
		rig_join(fd, text);
	}
	assert_int_equal(edge_stats(rig.edge)->nsps, 200);
	rig_send_text(fd, "42/n137,[\"echo\",1]");
	assert_string_equal(rig_frames(fd), "T 42/n137,[\"echoed\",1]\n");
	for (int i = 0; i < 200; i += 2) {
		(void)snprintf(text, sizeof text, "41/n%d", i);
		rig_send_text(fd, text);
	}
	assert_int_equal(edge_stats(rig.edge)->nsps, 100);
	rig_send_text(fd, "42/n136,[\"echo\",1]");
	assert_string_equal(rig_frames(fd), "C 1008\nEND\n");
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->nsps, 0);
	sys_close(fd);
}

/* DISCONNECT of one, and of the whole connection, from either side. */
static void
test_nsp_closing_leaves_all(void **state)
{
	int fd = rig_sio();

	(void)state;
	rig_join(fd, "/a");
	rig_join(fd, "/b");
	rig_send_text(fd, "42/a,[\"kill\"]");
	assert_string_equal(rig_frames(fd), "T 42/a,[\"last words\",1]\n"
	    "T 41\nT 41/a,\nT 41/b,\nC 1000\nEND\n");
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->sockets, 0);
	sys_close(fd);
}

static void
test_nsp_dropped_without_a_word(void **state)
{
	int fd = rig_sio();

	(void)state;
	edge_drop(rig.sock);
	edge_drop(rig.sock);
	assert_string_equal(rig_frames(fd), "C 1000\nEND\n");
	assert_true(rig_logged("close server disconnect"));
	sys_close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_nsp_comes_and_goes),
		RIG_TEST(test_nsp_refused_leaves_nothing),
		RIG_TEST(test_nsp_number_is_limited),
		RIG_TEST(test_nsp_sockets_of_a_session_are_limited),
		RIG_TEST(test_nsp_many_at_once),
		RIG_TEST(test_nsp_closing_leaves_all),
		RIG_TEST(test_nsp_dropped_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
