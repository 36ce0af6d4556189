/*
 * stream_test.c: streams over loopback, plain and TLS: a server that sends
 * back what comes, or as a test wants; clients on the same reactor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/listener.h"
#include "net/stream.h"
#include "net/tls.h"

#define BIG (3u << 20)

struct peer {
	struct stream s;	/* first */
	struct buf in;
	bool opened, eof, closed, accepted;
	unsigned drained;
	enum stream_end why;
	bool echo, pause_first;
	bool half;		/* goes on after the other's end */
	bool trust;		/* what verify says */
	struct tls_peer seen;
	bool asked;
};

static struct reactor *r;
static struct listener listener;
static struct sys_addr addr;
static struct tls_ctx *server_tls, *client_tls;
static struct peer server, client;
static uint8_t pin[32];

static void
on_open(struct stream *s)
{
	struct peer *p = (struct peer *)(void *)s;

	assert_false(p->opened);
	p->opened = true;
}

static void
on_data(struct stream *s, struct span bytes)
{
	struct peer *p = (struct peer *)(void *)s;

	assert_false(p->closed);
	assert_int_equal(buf_add_span(&p->in, bytes), OK);
	if (p->echo)
		assert_int_equal(stream_write(s, bytes), OK);
	if (p->pause_first) {
		p->pause_first = false;
		stream_pause(s);
	}
}

static void
on_eof(struct stream *s)
{
	struct peer *p = (struct peer *)(void *)s;

	assert_false(p->eof);
	p->eof = true;
	if (!p->half)
		stream_finish(s);
}

static void
on_drained(struct stream *s)
{
	((struct peer *)(void *)s)->drained++;
}

static void
on_close(struct stream *s, enum stream_end why)
{
	struct peer *p = (struct peer *)(void *)s;

	assert_false(p->closed);
	p->closed = true;
	p->why = why;
}

static const struct stream_ops ops = { on_open, on_data, on_eof, on_drained,
    on_close };

static void
on_accept(struct listener *l, int fd, const struct sys_addr *peer)
{
	assert_ptr_equal(l, &listener);
	assert_true(sys_addr_is_loopback(peer));
	assert_false(server.accepted);
	server.accepted = true;
	assert_int_equal(stream_accept(&server.s, r, fd, server_tls, &ops,
	    BIG * 2), OK);
}

static bool
on_verify(void *arg, const struct tls_peer *peer)
{
	struct peer *p = arg;

	p->asked = true;
	p->seen = *peer;
	return p->trust;
}

static int
setup(void **state)
{
	(void)state;
	memset(&server, 0, sizeof server);
	memset(&client, 0, sizeof client);
	buf_init(&server.in, BIG * 2);
	buf_init(&client.in, BIG * 2);
	client.trust = true;
	assert_int_equal(reactor_open(0, &r), OK);
	reactor_adopt(r);
	assert_true(sys_addr_decode("127.0.0.1", 0, &addr));
	assert_int_equal(listener_open(&listener, r, &addr, on_accept, NULL),
	    OK);
	assert_int_equal(listener_addr(&listener, &addr), OK);
	assert_true(addr.port != 0);
	return 0;
}

static int
setup_tls(void **state)
{
	struct buf cert, key;

	setup(state);
	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed("localhost,127.0.0.1", 30, &cert,
	    &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &server_tls), OK);
	assert_int_equal(tls_ctx_client(SPAN(""), on_verify, &client_tls), OK);
	assert_int_equal(tls_fingerprint(buf_span(&cert), pin), OK);
	buf_fini(&cert);
	buf_fini(&key);
	return 0;
}

static void
run_until(const bool *what)
{
	for (int i = 0; i < 20000 && !*what; i++)
		reactor_tick(r, 10);
	assert_true(*what);
}

static void
run_until_n(const struct buf *b, size_t n)
{
	for (int i = 0; i < 20000 && b->n < n; i++)
		reactor_tick(r, 10);
	assert_int_equal(b->n, n);
}

static int
teardown(void **state)
{
	(void)state;
	if (client.s.reactor != NULL && !client.closed) {
		stream_close(&client.s);
		run_until(&client.closed);
	}
	if (server.accepted && !server.closed) {
		stream_close(&server.s);
		run_until(&server.closed);
	}
	listener_close(&listener);
	tls_ctx_unref(server_tls);
	tls_ctx_unref(client_tls);
	server_tls = client_tls = NULL;
	reactor_close(r);
	buf_fini(&server.in);
	buf_fini(&client.in);
	return 0;
}

static void
connect_client(void)
{
	assert_int_equal(stream_connect(&client.s, r, &addr, client_tls,
	    "localhost", &client, &ops, BIG * 2), OK);
}

static void
connect_both(void)
{
	connect_client();
	run_until(&client.opened);
	run_until(&server.opened);
}

/* ---- What holds for plain streams and TLS ---- */

static void
test_stream_echo(void **state)
{
	(void)state;
	server.echo = true;
	connect_client();
	/* What is written before it stands waits. */
	assert_int_equal(stream_write(&client.s, SPAN("hello ")), OK);
	assert_int_equal(stream_write(&client.s, SPAN("world")), OK);
	run_until_n(&client.in, 11);
	assert_memory_equal(client.in.p, "hello world", 11);
	assert_true(client.drained > 0);
	assert_int_equal(stream_waiting(&client.s), 0);
}

static void
test_stream_large_both_ways(void **state)
{
	uint8_t *big = malloc(BIG);
	struct blob *b;

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + (i >> 9));
	connect_both();
	assert_int_equal(stream_write(&client.s, span_of(big, BIG / 2)), OK);
	b = blob_dup(span_of(big + BIG / 2, BIG - BIG / 2));
	assert_int_equal(stream_write_blob(&client.s, b), OK);
	blob_unref(b);
	assert_int_equal(stream_write(&server.s, span_of(big, BIG)), OK);
	run_until_n(&server.in, BIG);
	run_until_n(&client.in, BIG);
	assert_memory_equal(server.in.p, big, BIG);
	assert_memory_equal(client.in.p, big, BIG);
	free(big);
}

/* Many small writes and blobs arrive whole and in order. */
static void
test_stream_order_of_mixed_writes(void **state)
{
	struct blob *b = blob_dup(SPAN("<blob>"));
	size_t n = 0;

	(void)state;
	connect_both();
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(stream_write(&server.s, SPAN("0123456789")),
		    OK);
		assert_int_equal(stream_write_blob(&server.s, b), OK);
		n += 16;
	}
	assert_int_equal(stream_waiting(&server.s), n);
	blob_unref(b);
	run_until_n(&client.in, n);
	for (size_t i = 0; i < n; i += 16)
		assert_memory_equal(client.in.p + i, "0123456789<blob>", 16);
}

static void
test_stream_finish_sends_all_then_ends(void **state)
{
	uint8_t big[100000];

	(void)state;
	memset(big, 'x', sizeof big);
	connect_both();
	assert_int_equal(stream_write(&server.s, SPAN_OF(big)), OK);
	stream_finish(&server.s);
	assert_true(stream_is_closing(&server.s));
	/* Nothing is taken any more, and nothing breaks. */
	assert_int_equal(stream_write(&server.s, SPAN("late")), OK);
	run_until(&client.closed);
	run_until(&server.closed);
	assert_int_equal(client.in.n, sizeof big);
	assert_true(client.eof);
	assert_int_equal(server.why, STREAM_CLOSED);
	assert_int_equal(client.why, STREAM_CLOSED);
}

static void
test_stream_finish_discards_what_comes(void **state)
{
	uint8_t big[200000];

	(void)state;
	memset(big, 'y', sizeof big);
	connect_both();
	client.half = true;
	assert_int_equal(stream_write(&client.s, SPAN_OF(big)), OK);
	assert_int_equal(stream_write(&server.s, SPAN("bye")), OK);
	stream_finish(&server.s);
	run_until(&client.eof);
	assert_int_equal(server.in.n, 0);
	assert_int_equal(client.in.n, 3);
	assert_false(client.closed);
	stream_finish(&client.s);
	run_until(&server.closed);
	assert_int_equal(server.why, STREAM_CLOSED);
}

static void
test_stream_close_is_told_once_and_later(void **state)
{
	(void)state;
	connect_both();
	assert_int_equal(stream_write(&client.s, SPAN("dropped")), OK);
	stream_close(&client.s);
	assert_false(client.closed);
	stream_close(&client.s);
	run_until(&client.closed);
	assert_int_equal(client.why, STREAM_CLOSED);
	run_until(&server.closed);
	assert_int_equal(server.in.n, 0);
}

static void
test_stream_queue_has_a_limit(void **state)
{
	static uint8_t big[BIG];

	(void)state;
	connect_both();
	assert_int_equal(stream_write(&client.s, SPAN_OF(big)), OK);
	assert_int_equal(stream_write(&client.s, SPAN_OF(big)), OK);
	assert_int_equal(stream_write(&client.s, SPAN("1")), ERR_BUSY);
	assert_int_equal(stream_waiting(&client.s), 2 * BIG);
	run_until_n(&server.in, 2 * BIG);
	assert_int_equal(stream_write(&client.s, SPAN("1")), OK);
}

/* A paused reader gets nothing until it resumes, then all. */
static void
test_stream_pause_and_resume(void **state)
{
	static uint8_t big[BIG];
	size_t had;

	(void)state;
	connect_both();
	server.pause_first = true;
	assert_int_equal(stream_write(&client.s, SPAN_OF(big)), OK);
	for (int i = 0; i < 50; i++)
		reactor_tick(r, 2);
	had = server.in.n;
	assert_true(had > 0);
	assert_true(had <= REACTOR_BUF);
	stream_resume(&server.s);
	run_until_n(&server.in, BIG);
}

static void
test_stream_half_close_still_writes(void **state)
{
	(void)state;
	server.half = true;
	connect_both();
	assert_int_equal(stream_write(&client.s, SPAN("question")), OK);
	stream_finish(&client.s);
	run_until(&server.eof);
	assert_int_equal(server.in.n, 8);
	assert_false(server.closed);
	assert_int_equal(stream_write(&server.s, SPAN("answer")), OK);
	stream_finish(&server.s);
	run_until(&server.closed);
	run_until(&client.closed);
	assert_int_equal(server.why, STREAM_CLOSED);
}

/* ---- Plain ---- */

static void
test_stream_connect_refused(void **state)
{
	(void)state;
	listener_close(&listener);
	/* Some systems say so at once, others later. */
	if (stream_connect(&client.s, r, &addr, NULL, "localhost", NULL, &ops,
	    1000) != OK)
		return;
	run_until(&client.closed);
	assert_int_equal(client.why, STREAM_RESET);
	assert_false(client.opened);
}

static void
test_stream_garbage_is_no_tls(void **state)
{
	(void)state;
	tls_ctx_unref(client_tls);
	client_tls = NULL;
	connect_client();
	assert_int_equal(stream_write(&client.s,
	    SPAN("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")), OK);
	run_until(&server.closed);
	assert_int_equal(server.why, STREAM_TLS);
	assert_false(server.opened);
}

static void
test_stream_listener_pause(void **state)
{
	(void)state;
	listener_pause(&listener);
	listener_pause(&listener);
	connect_client();
	for (int i = 0; i < 20; i++)
		reactor_tick(r, 2);
	assert_false(server.accepted);
	listener_resume(&listener);
	listener_resume(&listener);
	run_until(&server.accepted);
}

/* ---- TLS ---- */

static void
test_stream_tls_is_13_and_hybrid(void **state)
{
	(void)state;
	connect_both();
	assert_string_equal(tls_version(client.s.tls), "TLSv1.3");
	assert_string_equal(tls_group(client.s.tls), "X25519MLKEM768");
	assert_string_equal(tls_group(server.s.tls), "X25519MLKEM768");
	assert_false(tls_resumed(client.s.tls));
}

static void
test_stream_tls_shows_the_certificate(void **state)
{
	(void)state;
	connect_both();
	assert_true(client.asked);
	assert_memory_equal(client.seen.sha256, pin, 32);
	assert_false(client.seen.trusted);
	assert_non_null(client.seen.why_not);
}

static void
test_stream_tls_refused_by_verify(void **state)
{
	(void)state;
	client.trust = false;
	connect_client();
	assert_int_equal(stream_write(&client.s, SPAN("secret")), OK);
	run_until(&client.closed);
	run_until(&server.closed);
	assert_int_equal(client.why, STREAM_TLS);
	assert_false(client.opened);
	assert_int_equal(server.in.n, 0);
}

/* Without a callback, what the system does not trust is refused. */
static void
test_stream_tls_untrusted_by_default(void **state)
{
	(void)state;
	tls_ctx_unref(client_tls);
	assert_int_equal(tls_ctx_client(SPAN(""), NULL, &client_tls), OK);
	connect_client();
	run_until(&client.closed);
	assert_int_equal(client.why, STREAM_TLS);
}

static void
trust_own(const char *names)
{
	struct buf cert, key;

	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed(names, 30, &cert, &key), OK);
	tls_ctx_unref(server_tls);
	tls_ctx_unref(client_tls);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &server_tls), OK);
	assert_int_equal(tls_ctx_client(buf_span(&cert), NULL, &client_tls),
	    OK);
	buf_fini(&cert);
	buf_fini(&key);
}

static void
test_stream_tls_trusts_given_ca(void **state)
{
	(void)state;
	trust_own("localhost");
	connect_both();
}

static void
test_stream_tls_refuses_another_name(void **state)
{
	(void)state;
	trust_own("elsewhere.example");
	connect_client();
	run_until(&client.closed);
	assert_int_equal(client.why, STREAM_TLS);
}

static void
test_stream_tls_checks_an_address(void **state)
{
	(void)state;
	trust_own("127.0.0.1");
	assert_int_equal(stream_connect(&client.s, r, &addr, client_tls,
	    "127.0.0.1", NULL, &ops, BIG), OK);
	run_until(&client.opened);
}

/*
 * A piece of a record and the end of the connection come together: the end is
 * seen at once (nothing will tell of it again), and it is no proper one.
 */
static void
test_stream_tls_truncation_is_seen(void **state)
{
	const struct sys_iov piece = { "\x17\3\3\1\0abc", 8 };

	(void)state;
	connect_both();
	assert_int_equal(sys_sendv(client.s.io.fd, &piece, 1), 8);
	sys_shutdown_write(client.s.io.fd);
	for (int i = 0; i < 100 && !server.closed; i++)
		reactor_tick(r, 10);
	assert_true(server.closed);
	assert_false(server.eof);
	assert_int_equal(server.why, STREAM_RESET);
}

/* RFC 8446 6.1: closed in the middle is not what a proper end looks like. */
static void
test_stream_tls_close_is_no_proper_end(void **state)
{
	(void)state;
	connect_both();
	assert_int_equal(stream_write(&server.s, SPAN("half")), OK);
	run_until_n(&client.in, 4);
	stream_close(&server.s);
	run_until(&client.closed);
	assert_false(client.eof);
	assert_int_equal(client.why, STREAM_RESET);
}

static void
test_stream_tls_finish_is_a_proper_end(void **state)
{
	(void)state;
	connect_both();
	assert_int_equal(stream_write(&server.s, SPAN("all")), OK);
	stream_finish(&server.s);
	run_until(&client.closed);
	assert_int_equal(client.in.n, 3);
	assert_true(client.eof);
	assert_int_equal(client.why, STREAM_CLOSED);
}

/* An old context goes on serving its connections after a change. */
static void
test_stream_tls_context_outlives_its_owner(void **state)
{
	(void)state;
	server.echo = true;
	connect_both();
	tls_ctx_unref(server_tls);
	tls_ctx_unref(client_tls);
	server_tls = client_tls = NULL;
	assert_int_equal(stream_write(&client.s, SPAN("still")), OK);
	run_until_n(&client.in, 5);
}

#define PLAIN(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define TLS(t) { #t " (TLS)", t, setup_tls, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(test_stream_echo), TLS(test_stream_echo),
		PLAIN(test_stream_large_both_ways),
		TLS(test_stream_large_both_ways),
		PLAIN(test_stream_order_of_mixed_writes),
		TLS(test_stream_order_of_mixed_writes),
		PLAIN(test_stream_finish_sends_all_then_ends),
		TLS(test_stream_finish_sends_all_then_ends),
		PLAIN(test_stream_finish_discards_what_comes),
		TLS(test_stream_finish_discards_what_comes),
		PLAIN(test_stream_close_is_told_once_and_later),
		TLS(test_stream_close_is_told_once_and_later),
		PLAIN(test_stream_queue_has_a_limit),
		TLS(test_stream_queue_has_a_limit),
		PLAIN(test_stream_pause_and_resume),
		TLS(test_stream_pause_and_resume),
		PLAIN(test_stream_half_close_still_writes),
		PLAIN(test_stream_connect_refused),
		TLS(test_stream_garbage_is_no_tls),
		PLAIN(test_stream_listener_pause),
		TLS(test_stream_tls_is_13_and_hybrid),
		TLS(test_stream_tls_shows_the_certificate),
		TLS(test_stream_tls_refused_by_verify),
		TLS(test_stream_tls_untrusted_by_default),
		TLS(test_stream_tls_trusts_given_ca),
		TLS(test_stream_tls_refuses_another_name),
		TLS(test_stream_tls_checks_an_address),
		TLS(test_stream_tls_truncation_is_seen),
		TLS(test_stream_tls_close_is_no_proper_end),
		TLS(test_stream_tls_finish_is_a_proper_end),
		TLS(test_stream_tls_context_outlives_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
