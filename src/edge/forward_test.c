/*
 * forward_test.c: two reactors in threads: requests, connections and their
 * ends that come to the one whose session it is not; and either of them
 * draining, closing or full meanwhile. For forward.c, move.c and mesh.c; run
 * with ThreadSanitizer, too (make check-full).
 */
#include "edge/poll.h"
#include "edge/rig.h"
#include "net/thread.h"

#define WAIT_MS 5000
#define PAIR 2

static struct side {
	struct reactor *reactor;
	struct edge *edge;
	struct thread thread;
	uint16_t port;
	bool running;
} sides[PAIR];

static struct edge_app app;
static const struct edge_path path = { { (const uint8_t *)"/e/", 3 },
    EDGE_ENGINE_IO };

static void
on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	(void)arg;
	(void)req;
	edge_answer(ref, &(struct edge_answer){ .status = 404 });
}

static void
on_message(void *arg, struct edge_ref session, struct span message,
    bool binary)
{
	(void)arg;
	if (span_eq(message, SPAN("end")))
		edge_end_session(session);
	else
		(void)edge_send(session, message, binary);
}

static void
on_connect(void *arg, struct edge_ref sock, const struct edge_connect *c)
{
	(void)arg;
	(void)c;
	edge_accept(sock);
}

static void
on_event(void *arg, struct edge_ref sock, const struct edge_event *e)
{
	(void)arg;
	(void)sock;
	(void)e;
}

static void
on_close(void *arg, struct edge_ref sock, enum edge_end why)
{
	(void)arg;
	(void)sock;
	(void)why;
}

static void
run(void *arg)
{
	reactor_run(((struct side *)arg)->reactor);
}

static void
start(const struct edge_conf *first, const struct edge_conf *second)
{
	const struct edge_conf *confs[PAIR] = { first, second };
	struct edge *edges[PAIR];
	struct sys_addr a;

	app = (struct edge_app){ .on_request = on_request,
	    .on_message = on_message, .on_connect = on_connect,
	    .on_event = on_event, .on_close = on_close };
	memset(sides, 0, sizeof sides);
	for (unsigned i = 0; i < PAIR; i++) {
		struct side *s = &sides[i];

		assert_int_equal(reactor_open(i, &s->reactor), OK);
		assert_int_equal(edge_open(s->reactor, confs[i], &app,
		    &s->edge), OK);
		edges[i] = s->edge;
		assert_true(sys_addr_decode("127.0.0.1", 0, &a));
		assert_int_equal(edge_listen(s->edge, &a, NULL, &s->port),
		    OK);
	}
	assert_int_equal(edge_link(edges, PAIR), OK);
	for (unsigned i = 0; i < PAIR; i++) {
		assert_int_equal(thread_start(&sides[i].thread, "side", run,
		    &sides[i], THREAD_ANY_CPU), OK);
		sides[i].running = true;
	}
}

static void
stop(unsigned i)
{
	if (!sides[i].running)
		return;
	reactor_stop(sides[i].reactor);
	thread_join(&sides[i].thread);
	sides[i].running = false;
}

static void
end(unsigned i)
{
	stop(i);
	reactor_adopt(sides[i].reactor);
	edge_close(sides[i].edge);
	reactor_close(sides[i].reactor);
}

static struct edge_conf
conf(void)
{
	struct edge_conf c;

	edge_conf_default(&c);
	c.conns_max = 64;
	c.polls_max = 64;
	c.paths = &path;
	c.paths_n = 1;
	return c;
}

static void
start_usual(void)
{
	struct edge_conf c = conf();

	start(&c, &c);
}

/* ---- Clients ---- */

static char sid[EDGE_SID + 1];
static struct buf got;

static int
dial(unsigned i)
{
	struct sys_addr a;
	int fd;

	assert_true(sys_addr_decode("127.0.0.1", sides[i].port, &a));
	assert_int_equal(sys_connect(&a, &fd), OK);
	return fd;
}

static void
put(int fd, struct span bytes)
{
	for (int i = 0; bytes.n > 0 && i < WAIT_MS; i++) {
		struct sys_iov v = { bytes.p, bytes.n };
		long n = sys_sendv(fd, &v, 1);

		if (n > 0)
			bytes = span_sub(bytes, (size_t)n, bytes.n);
		else
			thread_sleep_ms(1);
	}
	assert_int_equal(bytes.n, 0);
}

/* Reads until `want` is there (NULL: the end) and gives all that came. */
static const char *
await(int fd, const char *want)
{
	static uint8_t piece[65536];

	buf_fini(&got);
	buf_init(&got, RIG_OUT_MAX);
	for (int i = 0; i < WAIT_MS; i++) {
		long n = sys_recv(fd, piece, sizeof piece);

		if (n == SYS_AGAIN) {
			thread_sleep_ms(1);
			continue;
		}
		if (n <= 0 && want == NULL)
			return (const char *)got.p;
		if (n <= 0)
			break;
		assert_int_equal(buf_add(&got, piece, (size_t)n), OK);
		assert_int_equal(buf_add(&got, "", 1), OK);
		if (want != NULL && strstr((const char *)got.p, want) != NULL)
			return (const char *)got.p;
		got.n--;
	}
	fail_msg("%s did not come: %s", want == NULL ? "the end" : want,
	    got.n == 0 ? "nothing" : (const char *)got.p);
	return NULL;
}

static bool
is_silent(int fd)
{
	uint8_t byte;

	thread_sleep_ms(30);
	return sys_recv(fd, &byte, 1) == SYS_AGAIN;
}

static void
ask(int fd, const char *method, const char *body)
{
	char text[512];
	int n = snprintf(text, sizeof text, "%s /e/?EIO=4&transport=polling"
	    "%s%s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
	    method, sid[0] == '\0' ? "" : "&sid=", sid, strlen(body), body);

	put(fd, span_of(text, (size_t)n));
}

static void
call(unsigned i, const char *method, const char *body, const char *want)
{
	int fd = dial(i);

	ask(fd, method, body);
	(void)await(fd, want);
	sys_close(fd);
}

#define GONE "{\"code\":1,\"message\":\"Session ID unknown\"}"
#define REFUSED "{\"code\":3,\"message\":\"Bad request\"}"

static void
begin(unsigned i)
{
	int fd = dial(i);
	const char *at;

	sid[0] = '\0';
	ask(fd, "GET", "");
	at = strstr(await(fd, "\"maxPayload\""), "\"sid\":\"");
	memcpy(sid, at + 7, EDGE_SID);
	sid[EDGE_SID] = '\0';
	sys_close(fd);
}

static int
wait_get(unsigned i)
{
	int fd = dial(i);

	ask(fd, "GET", "");
	assert_true(is_silent(fd));
	return fd;
}

static int
upgrade(unsigned i, struct span more)
{
	char text[1024];
	int fd = dial(i), n;

	n = snprintf(text, sizeof text, "GET /e/?EIO=4&transport=websocket&"
	    "sid=%s HTTP/1.1\r\n" RIG_UPGRADE "\r\n%.*s", sid, (int)more.n,
	    (const char *)more.p);
	put(fd, span_of(text, (size_t)n));
	return fd;
}

static void
put_text(int fd, const char *text)
{
	put(fd, rig_frame(WS_OP_TEXT, true, span_str(text)));
}

static int
setup(void **state)
{
	(void)state;
	start_usual();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAIR; i++)
		stop(i);
	for (unsigned i = 0; i < PAIR; i++)
		if (sides[i].reactor != NULL)
			end(i);
	buf_fini(&got);
	return 0;
}

static void
restart(const struct edge_conf *first, const struct edge_conf *second)
{
	teardown(NULL);
	start(first, second);
}

/* ---- Requests ---- */

static void
test_forward_get_and_post(void **state)
{
	int fd;

	(void)state;
	begin(0);
	fd = wait_get(1);
	call(1, "POST", "4hello", "\r\n\r\nok");
	(void)await(fd, "\r\n\r\n4hello");
	/* the connection stays, for either reactor's sessions */
	ask(fd, "POST", "bAQID");
	(void)await(fd, "\r\n\r\nok");
	call(0, "GET", "", "\r\n\r\nbAQID");
	begin(1);
	ask(fd, "POST", "4there");
	(void)await(fd, "\r\n\r\nok");
	ask(fd, "GET", "");
	(void)await(fd, "\r\n\r\n4there");
	sys_close(fd);
	stop(0);
	stop(1);
	assert_int_equal(edge_stats(sides[1].edge)->forwards, 3);
	assert_int_equal(edge_stats(sides[0].edge)->forwards, 0);
}

static void
test_forward_errors_are_the_owners(void **state)
{
	(void)state;
	begin(0);
	sid[20] = sid[20] == 'A' ? 'B' : 'A';
	call(1, "GET", "", GONE);
	call(1, "POST", "4x", GONE);
	memcpy(sid, "AAIA", 4);		/* reactor 2: there is none */
	call(1, "GET", "", GONE);
	begin(0);
	call(1, "PUT", "", REFUSED);
	call(1, "POST", "4a\x1ex", "\r\n\r\nok");
	call(1, "GET", "", GONE);
}

static void
test_forward_overlapping_gets(void **state)
{
	int fd;

	(void)state;
	begin(0);
	fd = wait_get(1);
	call(0, "GET", "", REFUSED);
	(void)await(fd, "\r\n\r\n1");
	sys_close(fd);
	call(1, "GET", "", GONE);
	begin(0);
	fd = wait_get(0);
	call(1, "GET", "", REFUSED);
	(void)await(fd, "\r\n\r\n1");
	sys_close(fd);
}

static void
begin_post(int fd)
{
	char text[256];
	int n = snprintf(text, sizeof text, "POST /e/?EIO=4&transport=polling&"
	    "sid=%s HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n4he", sid);

	put(fd, span_of(text, (size_t)n));
	assert_true(is_silent(fd));
}

/* Its head is told before its body is there. */
static void
test_forward_overlapping_posts(void **state)
{
	int fd;

	(void)state;
	begin(0);
	fd = dial(1);
	begin_post(fd);
	call(0, "POST", "4x", "HTTP/1.1 400 ");
	put(fd, SPAN("llo"));
	(void)await(fd, GONE);
	sys_close(fd);
	begin(0);
	fd = dial(0);
	begin_post(fd);
	call(1, "POST", "4x", "HTTP/1.1 400 ");
	put(fd, SPAN("llo"));
	(void)await(fd, GONE);
	sys_close(fd);
}

static void
test_forward_dropped_get_ends_the_session(void **state)
{
	int fd;

	(void)state;
	begin(0);
	fd = wait_get(1);
	sys_close(fd);
	thread_sleep_ms(30);
	call(0, "GET", "", GONE);
}

static void
test_forward_dropped_post_ends_the_session(void **state)
{
	int fd;

	(void)state;
	begin(0);
	fd = dial(1);
	begin_post(fd);
	sys_close(fd);
	thread_sleep_ms(30);
	call(0, "GET", "", GONE);
}

static void
test_forward_large_post_is_refused_alone(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.message_max = 10;
	restart(&c, &c);
	begin(0);
	call(1, "POST", "4123456789x", "HTTP/1.1 413 ");
	fd = dial(1);
	put(fd, SPAN("POST /e/?EIO=4&transport=polling&sid="));
	put(fd, span_str(sid));
	put(fd, SPAN(" HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked"
	    "\r\n\r\n8\r\n41234567\r\n8\r\n"));
	put(fd, SPAN("41234567\r\n"));
	(void)await(fd, "HTTP/1.1 413 ");
	sys_close(fd);
	call(1, "POST", "4alive", "\r\n\r\nok");
	call(0, "GET", "", "4alive");
}

static void
test_forward_are_limited(void **state)
{
	struct edge_conf c = conf();
	int fd;

	(void)state;
	c.forwards_max = 1;
	restart(&c, &c);
	begin(0);
	fd = wait_get(1);
	call(1, "POST", "4x", "HTTP/1.1 503 ");
	call(0, "POST", "4y", "\r\n\r\nok");
	(void)await(fd, "\r\n\r\n4y");
	call(1, "POST", "4z", "\r\n\r\nok");
	sys_close(fd);
	stop(1);
	assert_int_equal(edge_stats(sides[1].edge)->forwards_over, 2);
}

/* ---- Connections ---- */

static void
test_move_upgrade_goes_to_its_session(void **state)
{
	int fd, get;

	(void)state;
	begin(0);
	get = wait_get(1);
	fd = upgrade(1, SPAN(""));
	put_text(fd, "2probe");
	(void)await(fd, "3probe");
	(void)await(get, "\r\n\r\n6");
	call(1, "POST", "4waits", "\r\n\r\nok");
	put_text(fd, "5");
	put_text(fd, "4hello");
	(void)await(fd, "4hello");
	call(1, "GET", "", REFUSED);
	sys_close(fd);
	sys_close(get);
	thread_sleep_ms(30);
	call(1, "GET", "", GONE);
	stop(0);
	stop(1);
	assert_int_equal(edge_stats(sides[1].edge)->moves, 1);
	assert_int_equal(edge_stats(sides[0].edge)->upgrades, 1);
}

/* What came behind the request goes with it. */
static void
test_move_takes_what_was_read(void **state)
{
	static uint8_t frames[256];
	struct wr w = wr_init(frames, sizeof frames);
	int fd;

	(void)state;
	begin(0);
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("2probe")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("5")));
	wr_span(&w, rig_frame(WS_OP_TEXT, true, SPAN("4early")));
	assert_null(memchr(frames, 0, w.n));	/* it goes by %s */
	fd = upgrade(1, wr_done(&w));
	(void)await(fd, "4early");
	assert_non_null(strstr((const char *)got.p, "3probe"));
	sys_close(fd);
}

static void
test_move_for_no_session(void **state)
{
	int fd;

	(void)state;
	begin(0);
	sid[20] = sid[20] == 'A' ? 'B' : 'A';
	fd = upgrade(1, SPAN(""));
	assert_non_null(strstr(await(fd, NULL), GONE));
	sys_close(fd);
}

/* Nothing of it stays in a buffer that others use. */
static void
test_move_leaves_no_cookie(void **state)
{
	char text[1024];
	int fd, n;

	(void)state;
	begin(0);
	n = snprintf(text, sizeof text, "GET /e/?EIO=4&transport=websocket&"
	    "sid=%s HTTP/1.1\r\n" RIG_UPGRADE "Cookie: id=hush-hush\r\n\r\n",
	    sid);
	fd = dial(1);
	put(fd, span_of(text, (size_t)n));
	(void)await(fd, "HTTP/1.1 101 ");
	stop(1);
	assert_null(memmem(sides[1].edge->scratch, EDGE_SCRATCH, "hush-hush",
	    9));
	sys_close(fd);
}

/* It is refused where it came to, as the owner would. */
static void
test_move_needs_a_handshake(void **state)
{
	static const char *const methods[] = { "POST", "HEAD", "GET" };
	static const char *const paths[] = { "EIO=4&transport=websocket",
	    "EIO=4&transport=websocket", "EIO=4&transport=polling" };

	(void)state;
	begin(0);
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		char text[1024];
		int fd = dial(1), n;

		n = snprintf(text, sizeof text, "%s /e/?%s&sid=%s HTTP/1.1"
		    "\r\n" RIG_UPGRADE "\r\n", methods[i], paths[i], sid);
		put(fd, span_of(text, (size_t)n));
		(void)await(fd, "HTTP/1.1 400 ");
		sys_close(fd);
	}
	call(1, "POST", "4alive", "\r\n\r\nok");
	stop(1);
	assert_int_equal(edge_stats(sides[1].edge)->moves, 0);
}

/* Who has no room sends it back, to be refused. */
static void
test_move_to_who_is_full(void **state)
{
	struct edge_conf c = conf(), small = conf();
	int fd, other;

	(void)state;
	small.conns_max = 1;
	restart(&small, &c);
	begin(0);
	thread_sleep_ms(30);
	other = dial(0);
	put(other, SPAN("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"));
	(void)await(other, "HTTP/1.1 404 ");
	fd = upgrade(1, SPAN(""));
	(void)await(fd, "HTTP/1.1 503 ");
	sys_close(fd);
	sys_close(other);
	thread_sleep_ms(30);
	fd = upgrade(1, SPAN(""));
	(void)await(fd, "HTTP/1.1 101 ");
	sys_close(fd);
}

/* ---- Ends ---- */

struct drain_mail {
	struct mail mail;
	struct edge *edge;
};

static void
on_drain(struct reactor *r, struct mail *m)
{
	(void)r;
	edge_drain(((struct drain_mail *)(void *)m)->edge, 1001, 10000, NULL,
	    NULL);
}

static void
test_forward_to_who_drains(void **state)
{
	struct drain_mail m = { .mail.run = on_drain,
	    .edge = sides[0].edge };
	int fd, ws;

	(void)state;
	begin(0);
	ws = upgrade(1, SPAN(""));
	put_text(ws, "5");
	put_text(ws, "4a");
	(void)await(ws, "4a");
	begin(0);
	fd = wait_get(1);
	reactor_post(sides[0].reactor, &m.mail);
	(void)await(fd, "\r\n\r\n1");
	(void)await(ws, NULL);
	call(1, "GET", "", "HTTP/1.1 503 ");
	call(1, "POST", "4x", "HTTP/1.1 503 ");
	sys_close(ws);
	ws = upgrade(1, SPAN(""));
	(void)await(ws, "HTTP/1.1 503 ");
	sys_close(ws);
	sys_close(fd);
}

/* One closes while the other runs and has requests there. */
static void
test_forward_to_who_closes(void **state)
{
	int fd, post, ws;

	(void)state;
	begin(0);
	fd = wait_get(1);
	post = dial(1);
	begin_post(post);
	end(0);
	sides[0].reactor = NULL;
	(void)await(fd, "\r\n\r\n1");
	put(post, SPAN("llo"));
	(void)await(post, "HTTP/1.1 503 ");
	call(1, "GET", "", "HTTP/1.1 503 ");
	ws = upgrade(1, SPAN(""));
	(void)await(ws, "HTTP/1.1 503 ");
	sys_close(ws);
	sys_close(fd);
	sys_close(post);
}

/* A POST that was begun before an upgrade keeps nothing waiting. */
static void
test_forward_post_ends_with_its_session(void **state)
{
	int post, ws;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(0);
		post = dial(1);
		begin_post(post);
		ws = upgrade(0, SPAN(""));
		put_text(ws, "5");
		put_text(ws, "4a");
		(void)await(ws, "4a");
		if (i == 1) {
			end(0);
			sides[0].reactor = NULL;
		}
		sys_close(ws);
		thread_sleep_ms(30);
		put(post, SPAN("llo"));
		(void)await(post, i == 0 ? GONE : "HTTP/1.1 503 ");
		sys_close(post);
	}
}

static void
test_forward_from_who_closes(void **state)
{
	int fd, post;

	(void)state;
	begin(0);
	fd = wait_get(1);
	begin(0);
	post = dial(1);
	begin_post(post);
	end(1);
	sides[1].reactor = NULL;
	thread_sleep_ms(30);
	call(0, "GET", "", GONE);
	sys_close(fd);
	sys_close(post);
}

/* A little of everything, at random, and then the end at any point. */
static void
test_forward_storm(void **state)
{
	enum { FDS = 24 };
	int fds[FDS];
	unsigned seed = 12345;

	(void)state;
	for (int i = 0; i < FDS; i++)
		fds[i] = -1;
	for (int i = 0; i < 600; i++) {
		int *fd = &fds[i % FDS];
		unsigned what, side;

		seed = seed * 1103515245 + 12345;
		what = seed >> 16 & 7;
		side = seed >> 20 & 1;
		if (*fd >= 0)
			sys_close(*fd);
		*fd = -1;
		if (i % 5 == 0) {
			begin(seed >> 21 & 1);
			continue;
		}
		if (what == 0) {
			*fd = upgrade(side, SPAN(""));
			put_text(*fd, "2probe");
			put_text(*fd, seed >> 22 & 1 ? "5" : "4x");
			put_text(*fd, "4a");
			continue;
		}
		*fd = dial(side);
		ask(*fd, what & 1 ? "GET" : "POST", what == 2 ? "4end" :
		    what == 4 ? "1" : what == 6 ? "4a\x1e" "bAQID" : "4b");
	}
	for (int i = 0; i < FDS; i++)
		if (fds[i] >= 0)
			sys_close(fds[i]);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_forward_get_and_post),
		TEST(test_forward_errors_are_the_owners),
		TEST(test_forward_overlapping_gets),
		TEST(test_forward_overlapping_posts),
		TEST(test_forward_dropped_get_ends_the_session),
		TEST(test_forward_dropped_post_ends_the_session),
		TEST(test_forward_large_post_is_refused_alone),
		TEST(test_forward_are_limited),
		TEST(test_move_upgrade_goes_to_its_session),
		TEST(test_move_takes_what_was_read),
		TEST(test_move_for_no_session),
		TEST(test_move_leaves_no_cookie),
		TEST(test_move_needs_a_handshake),
		TEST(test_move_to_who_is_full),
		TEST(test_forward_to_who_drains),
		TEST(test_forward_to_who_closes),
		TEST(test_forward_post_ends_with_its_session),
		TEST(test_forward_from_who_closes),
		TEST(test_forward_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
