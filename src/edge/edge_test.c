/* edge_test.c: the edge as a whole: limits of connections, TLS, drain. */
#include "edge/rig.h"

#define H "Host: localhost\r\n"

/* Sanitizers bring their own heap: nothing is measured or counted then. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

/* ---- Limits ---- */

static void
test_edge_refuses_senseless_configuration(void **state)
{
	struct edge_conf c;
	struct edge *e;

	(void)state;
	edge_conf_default(&c);
	c.conns_max = 0;
	assert_int_equal(edge_open(rig.reactor, &c, &rig_app, &e), ERR_ARG);
	edge_conf_default(&c);
	c.ping_interval_ms = 0;
	assert_int_equal(edge_open(rig.reactor, &c, &rig_app, &e), ERR_ARG);
	edge_conf_default(&c);
	c.head_max = 1 << 20;
	assert_int_equal(edge_open(rig.reactor, &c, &rig_app, &e), ERR_ARG);
	edge_conf_default(&c);
	c.headers = &(struct http_field){ SPAN("X"), SPAN("a\r\nb") };
	c.headers_n = 1;
	assert_int_equal(edge_open(rig.reactor, &c, &rig_app, &e), ERR_ARG);
}

static int
client_from(const char *ip)
{
	struct sys_addr a;
	int fds[2];

	assert_true(sys_addr_decode(ip, 1000, &a));
	assert_int_equal(sys_pair(fds), OK);
	if (edge_adopt(rig.edge, fds[0], &a) == OK)
		return fds[1];
	sys_close(fds[1]);
	return -1;
}

static void
test_edge_limits_connections(void **state)
{
	struct edge_conf c;
	int fds[3];

	(void)state;
	edge_conf_default(&c);
	c.conns_max = 3;
	rig_restart(&c);
	for (int i = 0; i < 3; i++) {
		fds[i] = client_from("192.0.2.1");
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(client_from("192.0.2.2"), -1);
	assert_int_equal(edge_stats(rig.edge)->conns_over, 1);
	assert_int_equal(edge_stats(rig.edge)->conns_peak, 3);
	sys_close(fds[0]);
	rig_run(5);
	fds[0] = client_from("192.0.2.2");
	assert_true(fds[0] >= 0);
	for (int i = 0; i < 3; i++)
		sys_close(fds[i]);
}

/* IPv6 addresses count by their /64: it is what one customer has. */
static void
test_edge_limits_connections_of_an_address(void **state)
{
	struct edge_conf c;
	int a, b, v6;

	(void)state;
	edge_conf_default(&c);
	c.addr_conns_max = 2;
	rig_restart(&c);
	a = client_from("192.0.2.1");
	b = client_from("192.0.2.1");
	assert_true(a >= 0);
	assert_true(b >= 0);
	assert_int_equal(client_from("192.0.2.1"), -1);
	assert_true(client_from("192.0.2.2") >= 0);
	for (unsigned i = 0; i < 4; i++)	/* the machine itself */
		assert_true(client_from("127.0.0.1") >= 0);
	v6 = client_from("2001:db8::1");
	assert_true(v6 >= 0);
	assert_true(client_from("2001:db8::2") >= 0);
	assert_int_equal(client_from("2001:db8::3"), -1);
	assert_true(client_from("2001:db8:0:1::3") >= 0);
	assert_int_equal(edge_stats(rig.edge)->addr_over, 2);
	sys_close(a);
	rig_run(5);
	assert_true(client_from("192.0.2.1") >= 0);
	sys_close(b);
	sys_close(v6);
}

/* Limits change for what begins from now on; what was laid out stays. */
static void
test_edge_takes_limits_over_while_it_runs(void **state)
{
	static const char get[] = "GET /x HTTP/1.1\r\nHost: a\r\nX: ";
	struct edge_conf c;
	char pad[2000];
	bool ended;
	int old, fd;

	(void)state;
	edge_conf_default(&c);
	c.addr_conns_max = 10;
	rig_restart(&c);
	memset(pad, 'x', sizeof(pad));
	old = rig_client();
	c.head_max = 1024;
	c.addr_conns_max = 2;
	c.conns_max = 1;
	c.ping_interval_ms = 1;
	assert_int_equal(edge_set_conf(rig.edge, &c), OK);
	fd = client_from("192.0.2.1");	/* the second of its address */
	assert_true(fd >= 0);
	assert_int_equal(client_from("192.0.2.1"), -1);
	rig_send(fd, span_str(get));
	rig_send(fd, SPAN_OF(pad));
	assert_non_null(strstr(rig_text(fd, &ended), " 431 "));
	sys_close(fd);
	sys_close(old);
	rig_run(5);
	/* None at all limits nothing. */
	c.addr_conns_max = 0;
	assert_int_equal(edge_set_conf(rig.edge, &c), OK);
	for (int i = 0; i < 4; i++)
		assert_true(client_from("192.0.2.1") >= 0);
	/* A senseless one changes nothing. */
	c.head_max = 1;
	assert_int_equal(edge_set_conf(rig.edge, &c), ERR_ARG);
	c.head_max = 1024;
	c.out_max = 1;
	assert_int_equal(edge_set_conf(rig.edge, &c), ERR_ARG);
	assert_true(client_from("192.0.2.1") >= 0);
}

/* ---- Memory ---- */

/* Two thousand idle sockets: what they cost, and that it is given back. */
static void
test_edge_idle_connection_is_small(void **state)
{
	const size_t n = 2000;
	struct sys_addr a;
	size_t before, after;
	int *fds = calloc(n, sizeof *fds);

	(void)state;
	assert_non_null(fds);
	if (sys_fd_limit() < 2 * n + 100)
		skip();
	assert_true(sys_addr_decode("192.0.2.1", 1, &a));
	for (size_t i = 0; i < 8; i++)	/* code and pools warm */
		fds[i] = rig_sio();
	rig.log.n = 0;
	before = sys_resident();
	for (size_t i = 8; i < n; i++) {
		fds[i] = rig_sio();
		rig.log.n = 0;
	}
	after = sys_resident();
	assert_int_equal(reactor_pool_chunks(rig.reactor)->n_used, 0);
	assert_int_equal(reactor_pool_refs(rig.reactor)->n_used, 0);
	print_message("# bytes a connection: %zu resident, %zu in slots\n",
	    (after - before) / (n - 8), sizeof(struct conn) +
	    sizeof(struct session) + sizeof(struct sock));
	assert_true(sizeof(struct conn) + sizeof(struct session) +
	    sizeof(struct sock) <= 1024);
#if !defined(SANITIZED)
	assert_true((after - before) / (n - 8) < 2048);
#endif
	for (size_t i = 0; i < n; i++)
		sys_close(fds[i]);
	for (size_t i = 0; i < 100; i++)
		rig_run(1);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	assert_int_equal(edge_stats(rig.edge)->sockets, 0);
	free(fds);
}

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

/*
 * A message in, its acknowledgement, and one blob out to others: in steady
 * state no piece of it is allocated, also when it comes in two parts.
 */
static void
test_edge_message_costs_no_malloc(void **state)
{
	struct blob *b = edge_encode_event(SPAN("/"), SPAN("message:new"),
	    SPAN("{\"text\":\"hello\"}"));
	size_t before = 0;
	int fd = rig_sio();

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct span f = rig_frame(WS_OP_TEXT, true,
		    SPAN("421[\"echo\",{\"some\":\"message\"}]"));

		if (i == 100)
			before = mallocs;
		rig.log.n = 0;
		rig_send(fd, span_sub(f, 0, (size_t)i % f.n));
		rig_send(fd, span_sub(f, (size_t)i % f.n, f.n));
		edge_emit(rig.sock, b);
		rig_run(2);
		rig_got.n = 0;
		(void)rig_recv(fd, &rig_got);
	}
	assert_int_equal(edge_stats(rig.edge)->acks_out, 300);
	assert_true(before > 0);
	assert_int_equal(mallocs - before, 0);
	blob_unref(b);
	sys_close(fd);
}
#endif

/* ---- Drain ---- */

static void
on_drained(void *arg)
{
	assert_ptr_equal(arg, &rig);
	assert_false(rig.drained);
	rig.drained = true;
}

static void
test_edge_drain_of_nothing(void **state)
{
	(void)state;
	edge_drain(rig.edge, 1012, 1000, on_drained, &rig);
	assert_false(rig.drained);
	rig_run(2);
	assert_true(rig.drained);
}

static void
test_edge_drain(void **state)
{
	struct edge_answer a = { .status = 200, .body = SPAN("done") };
	int ws = rig_sio(), idle = rig_client(), busy = rig_client();
	const char *got;
	bool ended;

	(void)state;
	rig_send(busy, SPAN("GET /later HTTP/1.1\r\n" H "\r\n"));
	edge_emit_one(rig.sock, SPAN("server:restart"), SPAN("1"));
	edge_drain(rig.edge, 1012, 5000, on_drained, &rig);
	assert_string_equal(rig_frames(ws),
	    "T 42[\"server:restart\",1]\nC 1012\nEND\n");
	assert_true(rig_logged("close server going away"));
	assert_string_equal(rig_text(idle, &ended), "");
	assert_true(ended);
	assert_string_equal(rig_text(busy, &ended), "");
	assert_false(ended);
	sys_close(ws);
	sys_close(idle);
	rig_run(5);
	assert_false(rig.drained);
	edge_answer(rig.later, &a);
	got = rig_text(busy, &ended);
	assert_non_null(strstr(got, "Connection: close"));
	assert_non_null(strstr(got, "done"));
	assert_true(ended);
	sys_close(busy);
	rig_run(5);
	assert_true(rig.drained);
}

static void
test_edge_drain_has_a_deadline(void **state)
{
	int ws = rig_sio(), busy = rig_client();

	(void)state;
	rig_send(busy, SPAN("GET /later HTTP/1.1\r\n" H "\r\n"));
	edge_drain(rig.edge, 1001, 60, on_drained, &rig);
	assert_string_equal(rig_frames(ws), "C 1001\nEND\n");
	rig_run_ms(30);
	assert_false(rig.drained);
	rig_run_ms(60);
	assert_true(rig.drained);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	sys_close(ws);
	sys_close(busy);
}

/* ---- TLS, over a real listener ---- */

struct tls_client {
	struct stream s;
	struct buf in;
	bool opened, closed;
};

static void
client_open(struct stream *s)
{
	((struct tls_client *)(void *)s)->opened = true;
}

static void
client_data(struct stream *s, struct span bytes)
{
	struct tls_client *t = (struct tls_client *)(void *)s;

	assert_int_equal(buf_add_span(&t->in, bytes), OK);
}

static void
client_close(struct stream *s, enum stream_end why)
{
	(void)why;
	((struct tls_client *)(void *)s)->closed = true;
}

static const struct stream_ops client_ops = { .on_open = client_open,
    .on_data = client_data, .on_close = client_close };

static bool
accept_any(void *arg, const struct tls_peer *peer)
{
	(void)arg;
	(void)peer;
	return true;
}

static uint16_t
listen_tls(void)
{
	struct tls_ctx *tls;
	struct buf cert, key;
	struct sys_addr a;
	uint16_t port = 0;

	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed("localhost", 2, &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &tls), OK);
	assert_true(sys_addr_decode("127.0.0.1", 0, &a));
	assert_int_equal(edge_listen(rig.edge, &a, tls, &port), OK);
	edge_set_tls(rig.edge, tls);
	tls_ctx_unref(tls);
	buf_fini(&cert);
	buf_fini(&key);
	return port;
}

static void
client_connect(struct tls_client *t, uint16_t port, bool tls)
{
	struct tls_ctx *ctx = NULL;
	struct sys_addr a;

	memset(t, 0, sizeof *t);
	buf_init(&t->in, RIG_OUT_MAX);
	assert_true(sys_addr_decode("127.0.0.1", port, &a));
	if (tls)
		assert_int_equal(tls_ctx_client(SPAN(""), accept_any, &ctx),
		    OK);
	assert_int_equal(stream_connect(&t->s, rig.reactor, &a, ctx,
	    "localhost", NULL, &client_ops, 1 << 20), OK);
	tls_ctx_unref(ctx);
}

static void
client_end(struct tls_client *t)
{
	stream_close(&t->s);
	rig_run_ms(20);
	assert_true(t->closed);
	buf_fini(&t->in);
}

static void
test_edge_tls_request_and_socket(void **state)
{
	struct http_field hsts = { SPAN("Strict-Transport-Security"),
	    SPAN("max-age=31536000") };
	struct edge_conf c;
	struct tls_client t;

	(void)state;
	edge_conf_default(&c);
	c.tls_headers = &hsts;
	c.tls_headers_n = 1;
	rig_restart(&c);
	client_connect(&t, listen_tls(), true);
	assert_int_equal(stream_write(&t.s, SPAN("GET /host HTTP/1.1\r\n" H
	    "\r\n" RIG_HANDSHAKE)), OK);
	assert_int_equal(stream_write(&t.s,
	    rig_frame(WS_OP_TEXT, true, SPAN("40"))), OK);
	for (int i = 0; i < 200 && !edge_is_open(rig.sock); i++)
		reactor_tick(rig.reactor, 5);
	rig_run_ms(10);
	assert_true(edge_is_open(rig.sock));
	assert_int_equal(buf_add(&t.in, "", 1), OK);
	assert_non_null(strstr((char *)t.in.p,
	    "Strict-Transport-Security: max-age=31536000\r\n"));
	assert_non_null(strstr((char *)t.in.p, "40{\"sid\":"));
	client_end(&t);
	assert_true(rig_logged("close transport close"));
}

static void
test_edge_tls_garbage_is_counted(void **state)
{
	struct tls_client t;

	(void)state;
	client_connect(&t, listen_tls(), false);
	assert_int_equal(stream_write(&t.s, SPAN("GET / HTTP/1.1\r\n\r\n")),
	    OK);
	for (int i = 0; i < 200 && !t.closed; i++)
		reactor_tick(rig.reactor, 5);
	assert_true(t.closed);
	assert_int_equal(edge_stats(rig.edge)->tls_failed, 1);
	buf_fini(&t.in);
}

/* Silence in place of a handshake holds a place for a while only. */
static void
test_edge_tls_silence_is_cut(void **state)
{
	struct edge_conf c;
	struct tls_client t, second, third;
	uint16_t port;

	(void)state;
	edge_conf_default(&c);
	c.tls_ms = 500;	/* a busy machine does one in that */
	c.handshakes_max = 1;
	rig_restart(&c);
	port = listen_tls();
	client_connect(&t, port, false);
	rig_run_ms(20);
	client_connect(&second, port, true);	/* waits its turn */
	rig_run_ms(20);
	assert_false(second.opened);
	assert_false(second.closed);
	assert_int_equal(edge_stats(rig.edge)->handshakes_over, 1);
	for (int i = 0; i < 400 && !t.closed; i++)
		reactor_tick(rig.reactor, 5);
	assert_true(t.closed);
	assert_int_equal(edge_stats(rig.edge)->tls_late, 1);
	for (int i = 0; i < 200 && !second.opened; i++)
		reactor_tick(rig.reactor, 5);
	assert_true(second.opened);
	client_end(&second);
	client_connect(&third, port, true);
	for (int i = 0; i < 200 && !third.opened; i++)
		reactor_tick(rig.reactor, 5);
	assert_true(third.opened);
	client_end(&third);
	buf_fini(&t.in);
	buf_fini(&second.in);
}

static void
test_edge_listeners_are_limited(void **state)
{
	struct sys_addr a;

	(void)state;
	assert_true(sys_addr_decode("127.0.0.1", 0, &a));
	for (int i = 0; i < EDGE_LISTENERS_MAX; i++)
		assert_int_equal(edge_listen(rig.edge, &a, NULL, NULL), OK);
	assert_int_equal(edge_listen(rig.edge, &a, NULL, NULL), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_edge_refuses_senseless_configuration),
		RIG_TEST(test_edge_limits_connections),
		RIG_TEST(test_edge_limits_connections_of_an_address),
		RIG_TEST(test_edge_takes_limits_over_while_it_runs),
		RIG_TEST(test_edge_idle_connection_is_small),
#if !defined(SANITIZED)
		RIG_TEST(test_edge_message_costs_no_malloc),
#endif
		RIG_TEST(test_edge_drain_of_nothing),
		RIG_TEST(test_edge_drain),
		RIG_TEST(test_edge_drain_has_a_deadline),
		RIG_TEST(test_edge_tls_request_and_socket),
		RIG_TEST(test_edge_tls_garbage_is_counted),
		RIG_TEST(test_edge_tls_silence_is_cut),
		RIG_TEST(test_edge_listeners_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
