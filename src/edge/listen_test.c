/*
 * listen_test.c: listeners: accepting waits for room; one that redirects.
 */
#include "edge/rig.h"

static struct sys_addr
loopback(void)
{
	struct sys_addr a;

	assert_true(sys_addr_decode("127.0.0.1", 0, &a));
	return a;
}

static int
dial(uint16_t port)
{
	struct sys_addr a = loopback();
	int fd;

	a.port = port;
	assert_int_equal(sys_connect(&a, &fd), OK);
	for (int i = 0; i < 200 && sys_connected(fd) == ERR_BUSY; i++)
		rig_run_ms(1);
	rig_run_ms(5);
	return fd;
}

/* Without a slot connections wait, and come in as soon as one is free. */
static void
test_listen_waits_for_slots(void **state)
{
	struct sys_addr a = loopback();
	struct edge_conf c;
	uint16_t port;
	int fds[4];

	(void)state;
	edge_conf_default(&c);
	c.conns_max = 2;
	rig_restart(&c);
	assert_int_equal(edge_listen(rig.edge, &a, NULL, &port), OK);
	for (int i = 0; i < 4; i++) {
		fds[i] = dial(port);
		rig_send(fds[i], SPAN("GET /host HTTP/1.1\r\nHost: a\r\n"
		    "Connection: close\r\n\r\n"));
	}
	/* two were answered and ended, so the others came in */
	for (int i = 0; i < 4; i++) {
		assert_non_null(strstr(rig_text(fds[i], NULL), " 200 OK"));
		sys_close(fds[i]);
		rig_run_ms(5);
	}
	assert_true(edge_stats(rig.edge)->accept_paused >= 1);
	assert_int_equal(edge_stats(rig.edge)->conns_over, 0);
}

static void
test_listen_full_does_not_spin(void **state)
{
	struct sys_addr a = loopback();
	struct edge_conf c;
	uint64_t before;
	uint16_t port;
	int fds[3];

	(void)state;
	edge_conf_default(&c);
	c.conns_max = 2;
	rig_restart(&c);
	assert_int_equal(edge_listen(rig.edge, &a, NULL, &port), OK);
	for (int i = 0; i < 3; i++)
		fds[i] = dial(port);
	assert_int_equal(edge_stats(rig.edge)->conns, 2);
	assert_int_equal(edge_stats(rig.edge)->accept_paused, 1);
	before = reactor_stats(rig.reactor)->events;
	rig_run_ms(50);
	assert_true(reactor_stats(rig.reactor)->events - before < 3);
	sys_close(fds[0]);
	rig_run_ms(30);
	assert_int_equal(edge_stats(rig.edge)->accepted, 3);
	sys_close(fds[1]);
	sys_close(fds[2]);
}

/* ---- Redirects ---- */

static struct span ours[2];

static uint16_t
redirect(uint16_t to, size_t names_n)
{
	struct sys_addr a = loopback();
	uint16_t port;

	ours[0] = SPAN("chat.example");
	ours[1] = SPAN("[2001:db8::1]");
	assert_int_equal(edge_listen_redirect(rig.edge, &a,
	    &(struct edge_redirect){ to, ours, names_n }, &port), OK);
	return port;
}

static void
expect(uint16_t port, const char *request, const char *location)
{
	char line[300];
	int fd = dial(port);
	const char *got;

	rig_send(fd, span_str(request));
	rig_run_ms(5);
	got = rig_text(fd, NULL);
	if (location == NULL) {
		assert_non_null(strstr(got, "HTTP/1.1 400 "));
		assert_null(strstr(got, "Location"));
	} else {
		snprintf(line, sizeof line, "\r\nLocation: %s\r\n", location);
		if (strstr(got, line) == NULL)
			fail_msg("%s: %s, not %s", request, got, line);
		assert_non_null(strstr(got, "HTTP/1.1 308 "));
	}
	assert_null(strstr(got, "Strict-Transport"));
	sys_close(fd);
}

/* RFC 9110 15.4.9: the method stays, so a POST is not sent anew as a GET. */
static void
test_redirect_goes_to_the_same_target(void **state)
{
	uint16_t port = redirect(0, 2);

	(void)state;
	expect(port, "GET /a/b%20c?d=e HTTP/1.1\r\nHost: chat.example\r\n\r\n",
	    "https://chat.example/a/b%20c?d=e");
	expect(port, "GET / HTTP/1.1\r\nHost: CHAT.example:80\r\n\r\n",
	    "https://CHAT.example/");
	expect(port, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
	    "https://[2001:db8::1]/");
	expect(port, "GET http://chat.example/x HTTP/1.1\r\nHost: y\r\n\r\n",
	    "https://chat.example/x");
	expect(port, "OPTIONS * HTTP/1.1\r\nHost: chat.example\r\n\r\n",
	    "https://chat.example");
	expect(port, "HEAD /x HTTP/1.1\r\nHost: chat.example\r\n\r\n",
	    "https://chat.example/x");
	expect(port, "POST /x HTTP/1.1\r\nHost: chat.example\r\n"
	    "Content-Length: 5\r\n\r\n", "https://chat.example/x");
	expect(port, "GET " RIG_WS_PATH " HTTP/1.1\r\n" RIG_UPGRADE "\r\n",
	    "https://chat.example" RIG_WS_PATH);
	assert_int_equal(rig_log_lines(), 0);	/* no app hears of it */
	assert_int_equal(edge_stats(rig.edge)->redirects, 8);
}

/* Nobody is led away by a Host that was made up. */
static void
test_redirect_is_not_open(void **state)
{
	uint16_t port = redirect(8443, 2);

	(void)state;
	expect(port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	    "https://chat.example:8443/");
	expect(port, "GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
	    "https://chat.example:8443/");
	expect(port, "GET / HTTP/1.1\r\nHost:\r\n\r\n",
	    "https://chat.example:8443/");
	expect(port, "GET / HTTP/1.0\r\n\r\n", "https://chat.example:8443/");
	expect(port, "GET / HTTP/1.1\r\nHost: chat.example.evil\r\n\r\n",
	    "https://chat.example:8443/");
	expect(port, "GET //evil.example/ HTTP/1.1\r\nHost: chat.example\r\n"
	    "\r\n", "https://chat.example:8443//evil.example/");
}

static void
test_redirect_without_names(void **state)
{
	uint16_t port = redirect(0, 0);

	(void)state;
	expect(port, "GET /x HTTP/1.1\r\nHost: any.example:80\r\n\r\n",
	    "https://any.example/x");
	expect(port, "GET /x HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	    "https://192.0.2.1/x");
	expect(port, "GET /x HTTP/1.1\r\nHost: [::1]\r\n\r\n",
	    "https://[::1]/x");
	expect(port, "GET /x HTTP/1.0\r\n\r\n", NULL);
	expect(port, "GET /x HTTP/1.1\r\nHost: a%2fb\r\n\r\n", NULL);
	expect(port, "GET /x HTTP/1.1\r\nHost: a;b\r\n\r\n", NULL);
}

/* It stays one connection, and refuses like any other. */
static void
test_redirect_keeps_the_connection(void **state)
{
	uint16_t port = redirect(0, 1);
	int fd = dial(port);
	const char *got;
	bool ended;

	(void)state;
	rig_send(fd, SPAN("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
	    "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"));
	got = rig_text(fd, &ended);
	assert_non_null(strstr(got, "https://chat.example/1\r\n"));
	assert_non_null(strstr(got, "https://chat.example/2\r\n"));
	assert_false(ended);
	rig_send(fd, SPAN("GET /3 HTTP/1.1\r\nHost : a\r\n\r\n"));
	assert_non_null(strstr(rig_text(fd, &ended), "HTTP/1.1 400"));
	assert_true(ended);
	sys_close(fd);
}

static void
test_redirect_refuses_odd_names(void **state)
{
	static const char *const bad[] = { "", "a/b", "a b", "a:80", "u@a",
	    "a,b", "[::1", "a%41" };
	struct sys_addr a = loopback();
	struct span name;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		name = span_str(bad[i]);
		assert_int_equal(edge_listen_redirect(rig.edge, &a,
		    &(struct edge_redirect){ 0, &name, 1 }, NULL), ERR_ARG);
	}
	assert_int_equal(rig.edge->listeners_n, 0);
}

/* A connection that begins a TLS handshake, and never goes on with it. */
static int
half_open(struct tls_ctx *tls, const char *ip)
{
	struct sys_addr a;
	int fds[2];

	assert_true(sys_addr_decode(ip, 1000, &a));
	assert_int_equal(sys_pair(fds), OK);
	edge_conn_open(rig.edge, fds[0], &a, tls, 0);
	return fds[1];
}

/* Of the handshakes at once one address has a part, so others find room. */
static void
test_listen_handshakes_are_shared(void **state)
{
	struct edge_conf c;
	struct tls_ctx *tls;
	struct buf cert, key;
	int fds[5];

	(void)state;
	edge_conf_default(&c);
	c.handshakes_max = 8;
	rig_restart(&c);
	buf_init(&cert, 16384);
	buf_init(&key, 16384);
	assert_int_equal(tls_self_signed("localhost", 2, &cert, &key), OK);
	assert_int_equal(tls_ctx_server(buf_span(&cert), buf_span(&key),
	    &tls), OK);
	for (size_t i = 0; i < 4; i++)
		fds[i] = half_open(tls, "203.0.113.7");
	assert_int_equal(rig.edge->handshakes, 8 / EDGE_HS_SHARE);
	assert_int_equal(edge_stats(rig.edge)->handshakes_over, 2);
	fds[4] = half_open(tls, "203.0.113.8");
	assert_int_equal(rig.edge->handshakes, 8 / EDGE_HS_SHARE + 1);
	for (size_t i = 0; i < 5; i++)
		sys_close(fds[i]);
	rig_run(5);
	assert_int_equal(rig.edge->handshakes, 0);
	fds[0] = half_open(tls, "203.0.113.7");	/* and it is counted down */
	assert_int_equal(rig.edge->handshakes, 1);
	for (size_t i = 0; i < 100; i++)	/* this machine is nobody else */
		sys_close(half_open(tls, "127.0.0.1"));
	sys_close(fds[0]);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	tls_ctx_unref(tls);
	buf_fini(&cert);
	buf_fini(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_listen_waits_for_slots),
		RIG_TEST(test_listen_full_does_not_spin),
		RIG_TEST(test_listen_handshakes_are_shared),
		RIG_TEST(test_redirect_goes_to_the_same_target),
		RIG_TEST(test_redirect_is_not_open),
		RIG_TEST(test_redirect_without_names),
		RIG_TEST(test_redirect_keeps_the_connection),
		RIG_TEST(test_redirect_refuses_odd_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
