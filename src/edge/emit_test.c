/*
 * emit_test.c: one event to rooms and namespaces, here and in sibling edges.
 */
#include "edge/rig.h"

#define HERE "/e"

static int fds[6];
static struct edge_ref refs[6];

/* Clients 0.. of one namespace; odd ones are in "odd", 0 to 2 in "low". */
static void
begin(int n)
{
	for (int i = 0; i < n; i++) {
		fds[i] = rig_ws();
		rig_join(fds[i], HERE);
		refs[i] = rig.sock;
		if (i % 2 == 1)
			assert_int_equal(edge_join(refs[i], SPAN("odd")), OK);
		if (i < 3)
			assert_int_equal(edge_join(refs[i], SPAN("low")), OK);
	}
}

static void
end(int n)
{
	for (int i = 0; i < n; i++)
		sys_close(fds[i]);
	rig_run(5);
}

static void
emit(struct edge_to to)
{
	to.nsp = SPAN(HERE);
	edge_emit_to(rig.edge, &to, SPAN("x"), &(struct edge_args){
	    .json = SPAN("1") });
	rig_run(3);
}

/* Bit i of who: client i has got it, once. */
static void
expect(unsigned who, int n)
{
	for (int i = 0; i < n; i++)
		assert_string_equal(rig_frames(fds[i]), who >> i & 1 ?
		    "T 42" HERE ",[\"x\",1]\n" : "");
}

static void
test_emit_to_a_namespace(void **state)
{
	int other = rig_sio();

	(void)state;
	begin(6);
	emit((struct edge_to){ 0 });
	expect(0x3f, 6);
	assert_string_equal(rig_frames(other), "");
	edge_emit_to(rig.edge, &(struct edge_to){ .nsp = SPAN("/none") },
	    SPAN("x"), &(struct edge_args){ .json = SPAN("1") });
	end(6);
	sys_close(other);
}

static void
test_emit_to_rooms_once_each(void **state)
{
	struct span both[] = { SPAN("odd"), SPAN("low") };
	struct span none = SPAN("nobody");

	(void)state;
	begin(6);
	emit((struct edge_to){ .rooms = both, .rooms_n = 1 });
	expect(0x2a, 6);
	emit((struct edge_to){ .rooms = both, .rooms_n = 2 });
	expect(0x2f, 6);
	emit((struct edge_to){ .rooms = &none, .rooms_n = 1 });
	expect(0, 6);
	end(6);
}

static void
test_emit_with_exceptions(void **state)
{
	struct span odd = SPAN("odd"), low = SPAN("low"), id;

	(void)state;
	begin(6);
	emit((struct edge_to){ .except = &odd, .except_n = 1 });
	expect(0x15, 6);
	emit((struct edge_to){ .rooms = &low, .rooms_n = 1, .except = &odd,
	    .except_n = 1 });
	expect(0x05, 6);
	/* An id is a room: to one, and to all but one. */
	id = edge_sock_id(refs[4]);
	emit((struct edge_to){ .rooms = &id, .rooms_n = 1 });
	expect(0x10, 6);
	emit((struct edge_to){ .except = &id, .except_n = 1 });
	expect(0x2f, 6);
	edge_leave(refs[4], id);
	emit((struct edge_to){ .rooms = &id, .rooms_n = 1 });
	expect(0, 6);
	end(6);
}

static void
test_emit_is_encoded_once(void **state)
{
	uint64_t before;

	(void)state;
	begin(6);
	before = edge_stats(rig.edge)->emits;
	emit((struct edge_to){ 0 });
	assert_int_equal(edge_stats(rig.edge)->emits - before, 6);
	expect(0x3f, 6);
	end(6);
}

static void
test_emit_binary(void **state)
{
	const struct span parts[] = { SPAN("ab"), SPAN("") };

	(void)state;
	begin(2);
	edge_emit_to(rig.edge, &(struct edge_to){ .nsp = SPAN(HERE) },
	    SPAN("x"), &(struct edge_args){ SPAN("0"), parts, 2 });
	for (int i = 0; i < 2; i++)
		assert_string_equal(rig_frames(fds[i]),
		    "T 452-" HERE ",[\"x\",0]\nB ab\nB \n");
	end(2);
}

/* Who waits for nothing gets it; whose queue has something does not. */
static void
test_emit_volatile(void **state)
{
	(void)state;
	begin(2);
	edge_emit_one(refs[0], SPAN("first"), SPAN("0"));
	emit((struct edge_to){ .is_volatile = true });
	assert_string_equal(rig_frames(fds[0]),
	    "T 42" HERE ",[\"first\",0]\n");
	assert_string_equal(rig_frames(fds[1]), "T 42" HERE ",[\"x\",1]\n");
	assert_int_equal(edge_stats(rig.edge)->volatile_dropped, 1);
	edge_emit_with(refs[0], SPAN("v"), &(struct edge_args){
	    .json = SPAN("") }, true);
	assert_string_equal(rig_frames(fds[0]), "T 42" HERE ",[\"v\"]\n");
	end(2);
}

/* A walk over members may end any of them. */
static void
test_emit_ends_slow_readers_on_its_way(void **state)
{
	static uint8_t json[30002];
	struct edge_conf c;

	(void)state;
	edge_conf_default(&c);
	c.out_max = 65536;
	rig_restart(&c);
	begin(6);
	memset(json, '1', sizeof json);
	for (int i = 0; i < 40; i++) {
		edge_emit_to(rig.edge, &(struct edge_to){ .nsp = SPAN(HERE) },
		    SPAN("x"), &(struct edge_args){ .json = SPAN_OF(json) });
		rig_run(2);
		(void)rig_frames(fds[3]);
	}
	assert_int_equal(edge_stats(rig.edge)->slow_readers, 5);
	assert_true(edge_is_open(refs[3]));
	assert_false(edge_is_open(refs[2]));
	assert_int_equal(edge_stats(rig.edge)->rooms, 1);
	end(6);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if !defined(SANITIZED)
static size_t mallocs;

/* The C library's own, counted: what this program calls goes through here. */
void *__libc_malloc(size_t n);
void *malloc(size_t n);

void *
malloc(size_t n)
{
	mallocs++;
	return __libc_malloc(n);
}

/* However many get it, and whom it leaves out. */
static void
test_emit_to_many_allocates_once(void **state)
{
	enum { MANY = 300 };
	struct span room = SPAN("many"), one = SPAN("one");
	struct edge_ref last;
	int many[MANY];
	size_t before;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		many[i] = rig_ws();
		rig_join(many[i], HERE);
		assert_int_equal(edge_join(rig.sock, room), OK);
	}
	last = rig.sock;
	assert_int_equal(edge_join(last, one), OK);
	for (int round = 0; round < 3; round++) {
		before = mallocs;
		edge_emit_to(rig.edge, &(struct edge_to){ .nsp = SPAN(HERE),
		    .rooms = &room, .rooms_n = 1, .except = &one,
		    .except_n = 1 }, SPAN("x"), &(struct edge_args){
		    .json = SPAN("{\"some\":\"text\"}") });
		rig_run(2);
		if (round > 0)		/* pools have grown */
			assert_int_equal(mallocs - before, 1);
	}
	assert_int_equal(edge_stats(rig.edge)->emits, 3 * (MANY - 1));
	for (int i = 0; i < MANY; i++)
		sys_close(many[i]);
	rig_run(5);
}
#endif

/* ---- Siblings ---- */

static struct reactor *reactors[2];
static struct edge *edges[2];

static void
be(int i)
{
	rig.reactor = reactors[i];
	rig.edge = edges[i];
	reactor_adopt(reactors[i]);
}

static void
link_two(const struct edge_conf *c)
{
	rig_teardown(NULL);
	buf_init(&rig.log, RIG_OUT_MAX);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(reactor_open(i, &reactors[i]), OK);
		reactor_adopt(reactors[i]);
		assert_int_equal(edge_open(reactors[i], c, &rig_app,
		    &edges[i]), OK);
	}
	assert_int_equal(edge_link(edges, 2), OK);
}

/* The other one is closed here, rig's own by its teardown. */
static void
unlink_two(void)
{
	be(1);
	edge_close(edges[1]);
	reactor_close(reactors[1]);
	be(0);
}

static void
run_both(void)
{
	for (int i = 0; i < 3; i++) {
		be(0);
		rig_run(2);
		be(1);
		rig_run(2);
	}
}

static void
test_emit_reaches_siblings(void **state)
{
	struct span room = SPAN("odd"), id;
	struct edge_conf c;
	int there;

	(void)state;
	edge_conf_default(&c);
	link_two(&c);
	be(1);
	there = rig_ws();
	rig_join(there, HERE);
	id = edge_sock_id(rig.sock);
	assert_int_equal(edge_join(rig.sock, room), OK);
	be(0);
	begin(2);
	emit((struct edge_to){ .rooms = &room, .rooms_n = 1 });
	emit((struct edge_to){ .except = &id, .except_n = 1 });
	emit((struct edge_to){ .rooms = &id, .rooms_n = 1 });
	emit((struct edge_to){ .except = &room, .except_n = 1 });
	for (int i = 0; i < 10; i++) {
		char n[12];

		(void)snprintf(n, sizeof n, "%d", i);
		edge_emit_to(rig.edge, &(struct edge_to){ .nsp = SPAN(HERE) },
		    SPAN("n"), &(struct edge_args){ .json = span_str(n) });
	}
	run_both();
	be(1);
	assert_string_equal(rig_frames(there), "T 42/e,[\"x\",1]\n"
	    "T 42/e,[\"x\",1]\nT 42/e,[\"n\",0]\nT 42/e,[\"n\",1]\n"
	    "T 42/e,[\"n\",2]\nT 42/e,[\"n\",3]\nT 42/e,[\"n\",4]\n"
	    "T 42/e,[\"n\",5]\nT 42/e,[\"n\",6]\nT 42/e,[\"n\",7]\n"
	    "T 42/e,[\"n\",8]\nT 42/e,[\"n\",9]\n");
	sys_close(there);
	be(0);
	end(2);
	unlink_two();
}

static void
test_emit_to_siblings_is_limited(void **state)
{
	struct edge_conf c;

	(void)state;
	edge_conf_default(&c);
	c.links_max = 5;
	link_two(&c);
	be(0);
	begin(1);
	for (int i = 0; i < 8; i++)
		emit((struct edge_to){ 0 });
	assert_int_equal(edge_stats(rig.edge)->links_over, 3);
	run_both();
	be(0);
	emit((struct edge_to){ 0 });
	assert_int_equal(edge_stats(rig.edge)->links_over, 3);
	/* Mail that nobody has read is not lost memory. */
	end(1);
	unlink_two();
	emit((struct edge_to){ 0 });	/* nobody is there any more */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_emit_to_a_namespace),
		RIG_TEST(test_emit_to_rooms_once_each),
		RIG_TEST(test_emit_with_exceptions),
		RIG_TEST(test_emit_is_encoded_once),
		RIG_TEST(test_emit_binary),
		RIG_TEST(test_emit_volatile),
		RIG_TEST(test_emit_ends_slow_readers_on_its_way),
#if !defined(SANITIZED)
		RIG_TEST(test_emit_to_many_allocates_once),
#endif
		RIG_TEST(test_emit_reaches_siblings),
		RIG_TEST(test_emit_to_siblings_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
