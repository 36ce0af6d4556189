/*
 * stream_move_test.c: streams that go from one reactor to another while they
 * live (stream_release, stream_adopt): two reactors on threads of their own
 * play ball with a connection that sends back what it gets, and a client on
 * the test's thread must see every byte once and in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/listener.h"
#include "net/stream.h"
#include "net/thread.h"
#include "net/tls.h"

#define CONNS 8
#define EACH (256u << 10)	/* bytes that each client sends and gets back */

struct ball;

struct side {
	struct stream s;	/* first */
	struct ball *ball;
};

/*
 * The server's end of a connection. Each reactor has a stream of its own for
 * it: the one that releases is still in a callback when the other adopts.
 */
struct ball {
	struct side sides[2];
	struct mail mail;
	struct stream_parts parts;
	struct buf unread;	/* what travels with it */
	unsigned moves;
};

struct client {
	struct stream s;	/* first */
	size_t sent, got;
	bool open, eof, closed;
	enum stream_end why;
};

static struct reactor *r[3];	/* two of the server's, the clients' */
static struct thread threads[2];
static struct listener listener;
static struct sys_addr addr;
static struct tls_ctx *server_tls, *client_tls;
static struct ball balls[CONNS];
static struct client clients[CONNS];
static atomic_uint accepted, closed_n;
static unsigned moves_max;
static bool slow, drop;

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) + (i >> 16));
}

/* ---- The server's end ---- */

static const struct stream_ops ball_ops;

static void
on_arrival(struct reactor *here, struct mail *m)
{
	struct ball *b = (struct ball *)(void *)((char *)m -
	    offsetof(struct ball, mail));
	struct stream *s;

	if (drop) {
		stream_parts_close(here, &b->parts);
		assert_false(b->parts.held);
		stream_parts_close(here, &b->parts);
		atomic_fetch_add(&closed_n, 1);
		return;
	}
	s = &b->sides[reactor_index(here)].s;
	assert_int_equal(stream_adopt(s, here, &b->parts, &ball_ops,
	    EACH * 4), OK);
	assert_false(b->parts.held);
	if (b->unread.n > 0)
		assert_int_equal(stream_write(s, buf_span(&b->unread)), OK);
	buf_clear(&b->unread);
}

static void
on_ball_data(struct stream *s, struct span bytes)
{
	struct ball *b = ((struct side *)(void *)s)->ball;
	struct reactor *here = s->reactor;

	assert_ptr_equal(here, reactor_self());
	if (b->moves == moves_max) {
		assert_int_equal(stream_write(s, bytes), OK);
		return;
	}
	b->moves++;
	if (slow)	/* what is queued goes along */
		assert_int_equal(stream_write(s, bytes), OK);
	else
		assert_int_equal(buf_add_span(&b->unread, bytes), OK);
	assert_int_equal(stream_release(s, &b->parts), OK);
	assert_int_equal(s->io.fd, -1);
	b->mail.run = on_arrival;
	reactor_post(here == r[0] ? r[1] : r[0], &b->mail);
}

static void
on_ball_close(struct stream *s, enum stream_end why)
{
	(void)why;
	assert_ptr_equal(s->reactor, reactor_self());
	atomic_fetch_add(&closed_n, 1);
}

static const struct stream_ops ball_ops = { NULL, on_ball_data, NULL, NULL,
    on_ball_close };

static void
on_accept(struct listener *l, int fd, const struct sys_addr *peer)
{
	unsigned i = atomic_fetch_add(&accepted, 1);

	(void)l;
	(void)peer;
	assert_true(i < CONNS);
	buf_init(&balls[i].unread, EACH);
	balls[i].sides[0].ball = balls[i].sides[1].ball = &balls[i];
	assert_int_equal(stream_accept(&balls[i].sides[0].s, r[0], fd, server_tls,
	    &ball_ops, EACH * 4), OK);
}

/* ---- The client's end ---- */

static void
on_open(struct stream *s)
{
	((struct client *)(void *)s)->open = true;
}

static void
on_data(struct stream *s, struct span bytes)
{
	struct client *c = (struct client *)(void *)s;

	for (size_t i = 0; i < bytes.n; i++)
		assert_int_equal(bytes.p[i], byte_at(c->got++));
}

static void
on_close(struct stream *s, enum stream_end why)
{
	struct client *c = (struct client *)(void *)s;

	c->closed = true;
	c->why = why;
}

static const struct stream_ops ops = { on_open, on_data, NULL, NULL,
    on_close };

static void
run_reactor(void *arg)
{
	reactor_run(arg);
}

static int
setup(void **state)
{
	(void)state;
	memset(balls, 0, sizeof balls);
	memset(clients, 0, sizeof clients);
	atomic_store(&accepted, 0);
	atomic_store(&closed_n, 0);
	slow = drop = false;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(reactor_open(i, &r[i]), OK);
	assert_true(sys_addr_decode("127.0.0.1", 0, &addr));
	assert_int_equal(listener_open(&listener, r[0], &addr, on_accept,
	    NULL), OK);
	assert_int_equal(listener_addr(&listener, &addr), OK);
	reactor_adopt(r[2]);
	return 0;
}

static int
setup_tls(void **state)
{
	struct buf cert, key;

	setup(state);
	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed("localhost", 30, &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &server_tls), OK);
	assert_int_equal(tls_ctx_client(buf_span(&cert), NULL, &client_tls),
	    OK);
	buf_fini(&cert);
	buf_fini(&key);
	return 0;
}

static void
start(void)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(thread_start(&threads[i], "ball",
		    run_reactor, r[i], THREAD_ANY_CPU), OK);
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		reactor_stop(r[i]);
		thread_join(&threads[i]);
	}
	for (int i = 0; i < CONNS; i++)
		buf_fini(&balls[i].unread);
	listener_close(&listener);
	for (int i = 0; i < 3; i++)
		reactor_close(r[i]);
	tls_ctx_unref(server_tls);
	tls_ctx_unref(client_tls);
	server_tls = client_tls = NULL;
	return 0;
}

/* Pieces of growing size, so that they end nowhere in particular. */
static void
send_some(struct client *c)
{
	static uint8_t piece[40000];
	size_t n = 1 + c->sent % 977 * 37;

	if (c->sent - c->got > sizeof piece || c->sent == EACH)
		return;
	if (n > EACH - c->sent)
		n = EACH - c->sent;
	for (size_t i = 0; i < n; i++)
		piece[i] = byte_at(c->sent + i);
	assert_int_equal(stream_write(&c->s, span_of(piece, n)), OK);
	c->sent += n;
}

static bool
all_done(void)
{
	for (int i = 0; i < CONNS; i++) {
		if (clients[i].got < EACH)
			return false;
	}
	return true;
}

static void
connect_all(void)
{
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(stream_connect(&clients[i].s, r[2], &addr,
		    client_tls, "localhost", NULL, &ops, EACH), OK);
}

static void
close_all(void)
{
	bool all = false;

	for (int i = 0; i < CONNS; i++)
		stream_close(&clients[i].s);
	for (int t = 0; t < 20000 && !all; t++) {
		reactor_tick(r[2], 2);
		all = atomic_load(&closed_n) == CONNS;
		for (int i = 0; i < CONNS; i++)
			all = all && clients[i].closed;
	}
	assert_true(all);
}

static void
play(void)
{
	start();
	connect_all();
	for (int t = 0; t < 200000 && !all_done(); t++) {
		for (int i = 0; i < CONNS; i++)
			send_some(&clients[i]);
		reactor_tick(r[2], 2);
		for (int i = 0; i < CONNS; i++)
			assert_false(clients[i].closed);
	}
	assert_true(all_done());
	close_all();
	for (int i = 0; i < CONNS; i++)
		assert_true(balls[i].moves > 0);
}

/* The case of an upgrade: once, with bytes already taken and more behind. */
static void
test_stream_moves_once(void **state)
{
	(void)state;
	moves_max = 1;
	play();
}

static void
test_stream_moves_at_every_read(void **state)
{
	(void)state;
	moves_max = UINT32_MAX;
	play();
}

/* With bytes in the queue, which go along and stay in order. */
static void
test_stream_moves_with_its_queue(void **state)
{
	(void)state;
	moves_max = UINT32_MAX;
	slow = true;
	play();
}

/* Nobody wants it: it is closed from where it has landed. */
static void
test_stream_parts_are_closed(void **state)
{
	bool all = false;

	(void)state;
	moves_max = 1;
	slow = drop = true;
	start();
	connect_all();
	for (int i = 0; i < CONNS; i++)
		assert_int_equal(stream_write(&clients[i].s, SPAN("x")), OK);
	for (int t = 0; t < 20000 && !all; t++) {
		reactor_tick(r[2], 2);
		all = true;
		for (int i = 0; i < CONNS; i++)
			all = all && clients[i].closed;
	}
	assert_true(all);
	assert_int_equal(atomic_load(&closed_n), CONNS);
}

/* The peer's end is seen by whoever has the stream then. */
static void
test_stream_end_is_seen_after_a_move(void **state)
{
	(void)state;
	moves_max = 1;
	start();
	connect_all();
	for (int i = 0; i < CONNS; i++) {
		clients[i].sent = 1;
		assert_int_equal(stream_write(&clients[i].s, SPAN("\0")), OK);
		stream_finish(&clients[i].s);
	}
	for (int t = 0; t < 20000 && atomic_load(&closed_n) < CONNS; t++)
		reactor_tick(r[2], 2);
	assert_int_equal(atomic_load(&closed_n), CONNS);
	close_all();
}

/* Only what is open can go. */
static void
test_stream_release_refuses_what_is_not_open(void **state)
{
	struct stream_parts parts = { 0 };
	struct client *c = &clients[0];

	(void)state;
	assert_int_equal(stream_connect(&c->s, r[2], &addr, client_tls,
	    "localhost", NULL, &ops, EACH), OK);
	assert_int_equal(stream_release(&c->s, &parts), ERR_CONFLICT);
	stream_close(&c->s);
	assert_int_equal(stream_release(&c->s, &parts), ERR_CONFLICT);
	assert_false(parts.held);
	while (!c->closed)
		reactor_tick(r[2], 2);
	assert_int_equal(stream_release(&c->s, &parts), ERR_CONFLICT);
	assert_false(parts.held);
	start();
	for (int t = 0; t < 20000 &&
	    atomic_load(&closed_n) < atomic_load(&accepted); t++)
		reactor_tick(r[2], 2);
}

#define PLAIN(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define TLS(t) { #t " (TLS)", t, setup_tls, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(test_stream_moves_once), TLS(test_stream_moves_once),
		PLAIN(test_stream_moves_at_every_read),
		TLS(test_stream_moves_at_every_read),
		PLAIN(test_stream_moves_with_its_queue),
		TLS(test_stream_moves_with_its_queue),
		PLAIN(test_stream_parts_are_closed),
		TLS(test_stream_parts_are_closed),
		PLAIN(test_stream_end_is_seen_after_a_move),
		TLS(test_stream_end_is_seen_after_a_move),
		PLAIN(test_stream_release_refuses_what_is_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
