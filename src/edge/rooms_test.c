/*
 * rooms_test.c: who is in which room, and that it agrees with a plain model.
 */
#include "edge/rig.h"

#define NSP "/r"

static struct edge_ref
member(int *fd)
{
	*fd = rig_ws();
	rig_join(*fd, NSP);
	return rig.sock;
}

static void
add_name(void *arg, struct span room)
{
	struct wr *w = arg;

	wr_span(w, room);
	wr_u8(w, ' ');
}

/* The rooms of a socket, its own as *. */
static const char *
rooms_of(struct edge_ref s)
{
	static uint8_t text[8192];
	struct wr w = wr_init(text, sizeof text - 1);

	edge_rooms(s, add_name, &w);
	if (w.n > 0 && span_starts(wr_done(&w), edge_sock_id(s))) {
		text[EDGE_SOCK_ID - 1] = '*';
		text[w.n] = '\0';
		return (char *)text + EDGE_SOCK_ID - 1;
	}
	text[w.n] = '\0';
	return (char *)text;
}

static void
test_rooms_join_and_leave(void **state)
{
	int fd;
	struct edge_ref s = member(&fd);

	(void)state;
	assert_string_equal(rooms_of(s), "* ");
	assert_int_equal(edge_join(s, SPAN("a")), OK);
	assert_int_equal(edge_join(s, SPAN("b")), OK);
	assert_int_equal(edge_join(s, SPAN("a")), OK);
	assert_string_equal(rooms_of(s), "* a b ");
	assert_true(edge_is_in(s, SPAN("b")) && !edge_is_in(s, SPAN("c")));
	assert_int_equal(edge_stats(rig.edge)->rooms, 2);
	assert_int_equal(edge_stats(rig.edge)->members, 2);
	edge_leave(s, SPAN("a"));
	edge_leave(s, SPAN("a"));
	edge_leave(s, SPAN("c"));
	assert_string_equal(rooms_of(s), "* b ");
	assert_int_equal(edge_stats(rig.edge)->rooms, 1);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->rooms, 0);
	assert_int_equal(edge_stats(rig.edge)->members, 0);
	assert_int_equal(edge_stats(rig.edge)->nsps, 0);
}

static void
test_rooms_own_id_is_one(void **state)
{
	uint8_t id[EDGE_SOCK_ID];
	int fd;
	struct edge_ref s = member(&fd);

	(void)state;
	memcpy(id, edge_sock_id(s).p, sizeof id);
	assert_true(edge_is_in(s, SPAN_OF(id)));
	assert_int_equal(edge_join(s, SPAN_OF(id)), OK);
	assert_int_equal(edge_stats(rig.edge)->members, 0);
	edge_leave(s, SPAN_OF(id));
	assert_false(edge_is_in(s, SPAN_OF(id)));
	assert_string_equal(rooms_of(s), "");
	assert_int_equal(edge_join(s, SPAN_OF(id)), OK);
	assert_true(edge_is_in(s, SPAN_OF(id)));
	sys_close(fd);
}

/* An id of another, or one that was, is a room like any other. */
static void
test_rooms_of_foreign_ids(void **state)
{
	uint8_t id[EDGE_SOCK_ID];
	int fd, fd2;
	struct edge_ref s = member(&fd), s2;

	(void)state;
	memcpy(id, edge_sock_id(s).p, sizeof id);
	s2 = member(&fd2);
	assert_int_equal(edge_join(s2, SPAN_OF(id)), OK);
	assert_true(edge_is_in(s2, SPAN_OF(id)));
	sys_close(fd);
	rig_run(5);
	assert_true(edge_is_in(s2, SPAN_OF(id)));
	id[0] ^= 1;
	assert_false(edge_is_in(s2, SPAN_OF(id)));
	sys_close(fd2);
}

static void
test_rooms_refuses_bad_names_and_sockets(void **state)
{
	static uint8_t name[1025];
	struct edge_ref s;
	int fd;

	(void)state;
	s = member(&fd);
	assert_int_equal(edge_join(s, SPAN("")), ERR_ARG);
	assert_int_equal(edge_join(s, SPAN_OF(name)), ERR_ARG);
	assert_int_equal(edge_join(s, span_of(name, 1024)), OK);
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_join(s, SPAN("a")), ERR_NOT_FOUND);
	assert_false(edge_is_in(s, SPAN("a")));
	assert_string_equal(rooms_of(s), "");
	edge_leave(s, SPAN("a"));
}

static void
test_rooms_are_limited(void **state)
{
	struct edge_conf c;
	struct edge_ref s, s2;
	int fd, fd2;

	(void)state;
	edge_conf_default(&c);
	c.rooms_max = 3;
	c.members_max = 4;
	c.sock_rooms_max = 2;
	rig_restart(&c);
	s = member(&fd);
	s2 = member(&fd2);
	assert_int_equal(edge_join(s, SPAN("a")), OK);
	assert_int_equal(edge_join(s, SPAN("b")), OK);
	assert_int_equal(edge_join(s, SPAN("b")), OK);
	assert_int_equal(edge_join(s, SPAN("c")), ERR_LIMIT);	/* its own */
	assert_int_equal(edge_stats(rig.edge)->rooms, 2);
	assert_int_equal(edge_join(s2, SPAN("c")), OK);
	assert_int_equal(edge_join(s2, SPAN("d")), ERR_LIMIT);	/* rooms */
	assert_int_equal(edge_join(s2, SPAN("a")), OK);
	assert_int_equal(edge_stats(rig.edge)->rooms_over, 2);
	edge_leave(s, SPAN("a"));
	assert_int_equal(edge_join(s, SPAN("c")), OK);
	sys_close(fd);
	sys_close(fd2);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->rooms, 0);
}

static void
test_rooms_may_be_off(void **state)
{
	struct edge_conf c;
	int fd;

	(void)state;
	edge_conf_default(&c);
	c.rooms_max = c.members_max = 0;
	rig_restart(&c);
	assert_int_equal(edge_join(member(&fd), SPAN("a")), ERR_LIMIT);
	sys_close(fd);
}

/* Against a table of booleans, with names that share hashes by nothing. */
#define SOCKS 7
#define NAMES 40
#define STEPS 20000

static struct edge_ref refs[SOCKS];
static bool model[SOCKS][NAMES];

static struct span
name_of(unsigned i)
{
	static char text[16];

	return span_of(text, (size_t)snprintf(text, sizeof text, "room%u", i));
}

static void
agree(void)
{
	size_t rooms = 0, members = 0;

	for (unsigned r = 0; r < NAMES; r++) {
		size_t n = 0;

		for (unsigned s = 0; s < SOCKS; s++) {
			n += model[s][r];
			assert_int_equal(edge_is_in(refs[s], name_of(r)),
			    model[s][r]);
		}
		rooms += n > 0;
		members += n;
	}
	assert_int_equal(edge_stats(rig.edge)->rooms, rooms);
	assert_int_equal(edge_stats(rig.edge)->members, members);
}

static void
test_rooms_agree_with_a_table(void **state)
{
	uint32_t x = 12345;
	int fds[SOCKS];

	(void)state;
	memset(model, 0, sizeof model);
	for (int i = 0; i < SOCKS; i++)
		refs[i] = member(&fds[i]);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned s, r;

		x = x * 1664525 + 1013904223;
		s = (x >> 8) % SOCKS;
		r = (x >> 16) % NAMES;
		model[s][r] = x >> 31;
		if (model[s][r])
			assert_int_equal(edge_join(refs[s], name_of(r)), OK);
		else
			edge_leave(refs[s], name_of(r));
		if (i % 500 == 0)
			agree();
	}
	agree();
	for (int i = 0; i < SOCKS; i++) {
		memset(model[i], 0, sizeof model[i]);
		sys_close(fds[i]);
		rig_run(5);
		agree();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_rooms_join_and_leave),
		RIG_TEST(test_rooms_own_id_is_one),
		RIG_TEST(test_rooms_of_foreign_ids),
		RIG_TEST(test_rooms_refuses_bad_names_and_sockets),
		RIG_TEST(test_rooms_are_limited),
		RIG_TEST(test_rooms_may_be_off),
		RIG_TEST(test_rooms_agree_with_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
