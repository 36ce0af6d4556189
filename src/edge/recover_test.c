/*
 * recover_test.c: who comes back goes on where it was; what is kept is
 * bounded. What socket.io 4.8 does with clients and servers of its own is in
 * tests/conformance/30_socketio.py.
 */
#include "edge/rig.h"

#define HERE "/e"

static char sid[EDGE_SOCK_ID + 1], pid[SIO_PID + 1], offset[SIO_OFFSET + 1];

static void
conf_of(struct edge_conf *c)
{
	edge_conf_default(c);
	c->recovery_ms = 10000;
}

static void
begin(const struct edge_conf *c)
{
	struct edge_conf usual;

	conf_of(&usual);
	rig_restart(c == NULL ? &usual : c);
}

/* The characters behind a mark in what has come; NUL-terminated. */
static void
take(const char *text, const char *mark, char *out, size_t n)
{
	const char *at = strstr(text, mark);

	assert_non_null(at);
	memcpy(out, at + strlen(mark), n);
	out[n] = '\0';
}

/* A socket with its ids, and an event that it has got. */
static int
come(void)
{
	int fd = rig_ws();
	const char *got;

	rig_send_text(fd, "40" HERE ",");
	got = rig_text(fd, NULL);
	take(got, "\"sid\":\"", sid, EDGE_SOCK_ID);
	take(got, "\"pid\":\"", pid, SIO_PID);
	edge_emit_one(rig.sock, SPAN("hello"), SPAN("1"));
	got = rig_text(fd, NULL);
	take(got, "\"hello\",1,\"", offset, SIO_OFFSET);
	return fd;
}

static void
go(int fd)
{
	sys_close(fd);
	rig_run(5);
}

static void
emit(const char *json, const char *room)
{
	struct span name = span_str(room);

	edge_emit_to(rig.edge, &(struct edge_to){ .nsp = SPAN(HERE),
	    .rooms = &name, .rooms_n = name.n > 0 }, SPAN("x"),
	    &(struct edge_args){ .json = span_str(json) });
}

static int
back_with(const char *with_pid, const char *with_offset)
{
	char text[200];
	int fd = rig_ws();

	(void)snprintf(text, sizeof text,
	    "40" HERE ",{\"pid\":\"%s\",\"offset\":\"%s\"}", with_pid,
	    with_offset);
	rig_send_text(fd, text);
	return fd;
}

/* What came, up to the answer to CONNECT: was it the former socket's? */
static bool
is_same(int fd, const char *missed)
{
	const char *got = rig_text(fd, NULL), *ask = strstr(got, "40" HERE);
	char new_sid[EDGE_SOCK_ID + 1], new_pid[SIO_PID + 1];
	const char *at = got;

	assert_non_null(ask);
	take(ask, "\"sid\":\"", new_sid, EDGE_SOCK_ID);
	take(ask, "\"pid\":\"", new_pid, SIO_PID);
	for (; *missed != '\0'; missed++) {
		char want[16];

		(void)snprintf(want, sizeof want, "[\"x\",%c,\"", *missed);
		at = strstr(at, want);
		if (at == NULL || at > ask)
			fail_msg("%c was missed", *missed);
	}
	for (size_t n = 0; at != NULL; n++) {
		at = strstr(at + 1, "[\"x\"");
		assert_true(n == 0 || at == NULL);
	}
	assert_int_equal(strcmp(sid, new_sid) == 0, strcmp(pid, new_pid) == 0);
	return strcmp(sid, new_sid) == 0;
}

static void
test_recover_goes_on(void **state)
{
	struct span room = SPAN("r");
	int fd, fd2;

	(void)state;
	begin(NULL);
	fd2 = rig_ws();
	rig_send_text(fd2, "40" HERE ",");
	fd = come();
	assert_false(edge_is_recovered(rig.sock));
	assert_int_equal(edge_join(rig.sock, room), OK);
	go(fd);
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 1);
	emit("1", "");
	emit("2", "r");
	emit("3", "other");
	emit("4", sid);
	fd = back_with(pid, offset);
	assert_true(is_same(fd, "124"));
	assert_true(edge_is_recovered(rig.sock));
	assert_true(edge_is_in(rig.sock, room));
	assert_true(edge_is_in(rig.sock, span_str(sid)));
	assert_int_equal(edge_stats(rig.edge)->recovered, 1);
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 0);
	emit("5", sid);
	assert_non_null(strstr(rig_text(fd, NULL), "[\"x\",5,\""));
	sys_close(fd);
	sys_close(fd2);
}

/* Only one comes back; the other is somebody new. */
static void
test_recover_works_once(void **state)
{
	int fd, fd2;

	(void)state;
	begin(NULL);
	go(come());
	fd = back_with(pid, offset);
	assert_true(is_same(fd, ""));
	fd2 = back_with(pid, offset);
	assert_false(is_same(fd2, ""));
	go(fd);
	fd = back_with(pid, offset);
	assert_true(is_same(fd, ""));
	sys_close(fd);
	sys_close(fd2);
}

static void
test_recover_needs_both_names(void **state)
{
	static const char *const bad[][2] = { { "aaaaaaaaaaaaaaaaaaaa", NULL },
	    { NULL, "aaaaaaaaaaaa" }, { NULL, "" }, { "", NULL },
	    { NULL, "!!!!!!!!!!!!" }, { NULL, "____________" } };

	(void)state;
	begin(NULL);
	go(come());
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int fd = back_with(bad[i][0] == NULL ? pid : bad[i][0],
		    bad[i][1] == NULL ? offset : bad[i][1]);

		assert_false(is_same(fd, ""));
		sys_close(fd);
	}
}

/* Left on purpose, by either side: for good. */
static void
test_recover_not_after_a_wanted_end(void **state)
{
	int fd;

	(void)state;
	begin(NULL);
	fd = come();
	rig_send_text(fd, "41" HERE);
	go(fd);
	assert_false(is_same(fd = back_with(pid, offset), ""));
	sys_close(fd);
	fd = come();
	edge_disconnect(rig.sock, true);
	go(fd);
	assert_false(is_same(fd = back_with(pid, offset), ""));
	sys_close(fd);
	fd = come();
	edge_drop(rig.sock);
	go(fd);
	assert_true(is_same(fd = back_with(pid, offset), ""));
	sys_close(fd);
}

/* Who is not accepted has lost nothing: refused, or gone while asking. */
static void
test_recover_refused_may_try_again(void **state)
{
	struct edge_ref later;
	int fd, fd2;

	(void)state;
	begin(NULL);
	go(come());
	rig.ask_later = true;
	fd = back_with(pid, offset);
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 1);
	later = rig.later;
	rig.ask_later = false;
	fd2 = back_with(pid, offset);	/* it is another's now */
	assert_false(is_same(fd2, ""));
	rig.ask_later = true;
	edge_refuse(later, SPAN("no"), SPAN(""));
	sys_close(fd);
	sys_close(fd2);
	fd = back_with(pid, offset);
	go(fd);
	fd = back_with(pid, offset);
	edge_accept(rig.later);
	assert_true(is_same(fd, ""));
	sys_close(fd);
}

static void
test_recover_runs_out(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	conf_of(&c);
	c.recovery_ms = 30;
	begin(&c);
	go(come());
	rig_run_ms(60);
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 0);
	assert_false(is_same(fd = back_with(pid, offset), ""));
	assert_int_equal(edge_stats(rig.edge)->kept_events, 1);
	sys_close(fd);
}

static void
test_recover_keeps_the_newest_sockets(void **state)
{
	char old_pid[SIO_PID + 1], old_offset[SIO_OFFSET + 1];
	struct edge_conf c;
	int fd;

	(void)state;
	conf_of(&c);
	c.recovery_socks_max = 3;
	begin(&c);
	go(come());
	memcpy(old_pid, pid, sizeof pid);
	memcpy(old_offset, offset, sizeof offset);
	for (int i = 0; i < 3; i++)
		go(come());
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 3);
	assert_int_equal(edge_stats(rig.edge)->kept_over, 1);
	assert_false(is_same(fd = back_with(old_pid, old_offset), ""));
	sys_close(fd);
	assert_true(is_same(fd = back_with(pid, offset), ""));
	sys_close(fd);
}

static void
test_recover_keeps_the_newest_events(void **state)
{
	struct edge_conf c;
	int fd, fd2;

	(void)state;
	conf_of(&c);
	c.recovery_events_max = 4;
	begin(&c);
	fd2 = rig_ws();
	rig_send_text(fd2, "40" HERE ",");
	fd = come();
	go(fd);
	emit("1", "");
	emit("2", "");
	emit("3", "");
	fd = back_with(pid, offset);
	assert_true(is_same(fd, "123"));
	go(fd);
	emit("4", "");
	assert_int_equal(edge_stats(rig.edge)->kept_events, 4);
	assert_false(is_same(fd = back_with(pid, offset), ""));
	sys_close(fd);
	sys_close(fd2);
}

static void
test_recover_bytes_are_limited(void **state)
{
	static char json[3000];
	struct edge_conf c;
	int fd, fd2;

	(void)state;
	conf_of(&c);
	c.recovery_bytes_max = 20000;
	begin(&c);
	fd2 = rig_ws();
	rig_send_text(fd2, "40" HERE ",");
	memset(json, '1', sizeof json - 1);
	go(come());
	for (int i = 0; i < 20; i++) {
		emit(json, "");
		assert_true(edge_stats(rig.edge)->kept_bytes <= 20000);
	}
	assert_true(edge_stats(rig.edge)->kept_events >= 5);
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 1);
	assert_false(is_same(fd = back_with(pid, offset), ""));
	sys_close(fd);
	sys_close(fd2);
}

/* Too slow for what it has missed, it may come once more. */
static void
test_recover_slow_reader_may_try_again(void **state)
{
	static char json[30000];
	struct edge_conf c;
	int fd, fd2;

	(void)state;
	conf_of(&c);
	c.out_max = EDGE_SCRATCH;
	begin(&c);
	fd2 = rig_ws();
	rig_send_text(fd2, "40" HERE ",");
	go(come());
	memset(json, '1', sizeof json - 1);
	for (int i = 0; i < 3; i++) {
		emit(json, "");
		(void)rig_text(fd2, NULL);
	}
	rig.ask_later = true;
	fd = back_with(pid, offset);
	edge_accept(rig.later);
	assert_false(edge_is_open(rig.later));
	rig.ask_later = false;
	go(fd);
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 1);
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 1);
	c.out_max = 4 << 20;
	assert_int_equal(edge_set_conf(rig.edge, &c), OK);
	fd = back_with(pid, offset);
	assert_true(edge_is_recovered(rig.sock));
	assert_true(span_eq(edge_sock_id(rig.sock), span_str(sid)));
	assert_int_equal(edge_stats(rig.edge)->kept_socks, 0);
	sys_close(fd);
	sys_close(fd2);
}

/* Nothing of it is there, and nothing is said. */
static void
test_recover_is_off(void **state)
{
	int fd = rig_ws();

	(void)state;
	rig_join(fd, HERE);
	edge_emit_one(rig.sock, SPAN("x"), SPAN("1"));
	emit("2", "");
	assert_string_equal(rig_frames(fd),
	    "T 42" HERE ",[\"x\",1]\nT 42" HERE ",[\"x\",2]\n");
	assert_null(rig.edge->sio->recovery);
	assert_int_equal(rig.edge->sio->mores.n, 0);
	go(fd);
	assert_int_equal(edge_stats(rig.edge)->kept_bytes, 0);
}

/* ---- Siblings ---- */

static struct reactor *reactors[3];
static struct edge *edges[3];

static void
be(int i)
{
	rig.reactor = reactors[i];
	rig.edge = edges[i];
	reactor_adopt(reactors[i]);
}

static void
link_three(uint32_t links_max)
{
	struct edge_conf c;

	conf_of(&c);
	c.links_max = links_max;
	rig_teardown(NULL);
	buf_init(&rig.log, RIG_OUT_MAX);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(reactor_open(i, &reactors[i]), OK);
		reactor_adopt(reactors[i]);
		assert_int_equal(edge_open(reactors[i], &c, &rig_app,
		    &edges[i]), OK);
	}
	assert_int_equal(edge_link(edges, 3), OK);
	be(0);
}

static void
unlink_three(void)
{
	for (int i = 2; i > 0; i--) {
		be(i);
		edge_close(edges[i]);
		reactor_close(reactors[i]);
	}
	be(0);
}

static void
run_all(int rounds)
{
	for (; rounds > 0; rounds--) {
		for (int i = 0; i < 3; i++) {
			be(i);
			rig_run(2);
		}
	}
}

static void
test_recover_at_a_sibling(void **state)
{
	int fd, staying;

	(void)state;
	link_three(65536);
	be(2);
	staying = rig_ws();
	rig_send_text(staying, "40" HERE ",");
	be(0);
	fd = come();
	assert_int_equal(edge_join(rig.sock, SPAN("r")), OK);
	go(fd);
	emit("1", "r");
	emit("2", sid);
	be(2);
	emit("3", "");
	run_all(2);
	be(1);
	fd = back_with(pid, offset);
	assert_string_equal(rig_frames(fd), "");
	be(2);
	emit("4", "");		/* while they are asked */
	run_all(4);
	be(2);
	emit("5", "other");
	be(1);
	assert_true(is_same(fd, "1234"));
	assert_true(edge_is_in(rig.sock, SPAN("r")));
	assert_int_equal(edge_stats(edges[0])->kept_socks, 0);
	/* Again from there, with an offset of the sibling's log. */
	go(fd);
	be(2);
	emit("6", sid);
	run_all(2);
	be(1);
	assert_int_equal(edge_stats(edges[1])->kept_socks, 1);
	fd = back_with(pid, offset);
	run_all(4);
	be(1);
	assert_true(is_same(fd, "12346"));
	sys_close(fd);
	be(2);
	sys_close(staying);
	unlink_three();
}

/* Nobody has it; and who asked is gone when it is found. */
static void
test_recover_at_a_sibling_in_vain(void **state)
{
	int fd;

	(void)state;
	link_three(65536);
	fd = come();
	go(fd);
	be(1);
	fd = back_with("aaaaaaaaaaaaaaaaaaaa", offset);
	run_all(4);
	be(1);
	assert_false(is_same(fd, ""));
	sys_close(fd);
	rig.log.n = 0;
	fd = back_with(pid, offset);
	sys_close(fd);
	rig_run(4);
	run_all(4);
	fd = -1;
	for (int i = 0; i < 3 && fd < 0; i++) {
		be(i);
		if (edge_stats(edges[i])->kept_socks == 1)
			fd = back_with(pid, offset);
	}
	assert_true(fd >= 0);
	assert_true(is_same(fd, ""));
	sys_close(fd);
	unlink_three();
}

/* More mail than may be under way: he is somebody new, at once. */
static void
test_recover_at_a_sibling_is_limited(void **state)
{
	int fd;

	(void)state;
	link_three(1);
	be(2);			/* 0 is asked, for 2 there is no room */
	go(come());
	be(1);
	fd = back_with(pid, offset);
	run_all(4);
	be(1);
	assert_false(is_same(fd, ""));
	assert_int_equal(edge_stats(edges[1])->links_over, 2);
	assert_int_equal(atomic_load((atomic_uint *)(void *)
	    edges[1]->sio->under_way->p), 0);
	sys_close(fd);
	unlink_three();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_recover_goes_on),
		RIG_TEST(test_recover_works_once),
		RIG_TEST(test_recover_needs_both_names),
		RIG_TEST(test_recover_not_after_a_wanted_end),
		RIG_TEST(test_recover_refused_may_try_again),
		RIG_TEST(test_recover_runs_out),
		RIG_TEST(test_recover_keeps_the_newest_sockets),
		RIG_TEST(test_recover_keeps_the_newest_events),
		RIG_TEST(test_recover_bytes_are_limited),
		RIG_TEST(test_recover_slow_reader_may_try_again),
		RIG_TEST(test_recover_is_off),
		RIG_TEST(test_recover_at_a_sibling),
		RIG_TEST(test_recover_at_a_sibling_in_vain),
		RIG_TEST(test_recover_at_a_sibling_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
