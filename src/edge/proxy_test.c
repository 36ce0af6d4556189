/*
 * proxy_test.c: what is believed of X-Forwarded-* and Forwarded (RFC 7239),
 * and of whom.
 */
#include "edge/rig.h"

static struct edge_net nets[4];
static char seen[256];

static void
on_request(struct edge_ref ref, const struct edge_request *req)
{
	char ip[SYS_ADDR_TEXT];

	sys_addr_text(&req->peer, ip);
	snprintf(seen, sizeof seen, "%s %s %.*s", ip,
	    req->tls ? "https" : "http", (int)req->host.n,
	    req->host.n > 0 ? (const char *)req->host.p : "");
	edge_answer(ref, &(struct edge_answer){ .status = 200 });
}

static void
restart(enum edge_forwarded how)
{
	static const struct http_field hsts = {
		{ (const uint8_t *)"Strict-Transport-Security", 25 },
		{ (const uint8_t *)"max-age=1", 9 } };
	struct edge_conf c;

	assert_true(edge_net_decode(SPAN("10.0.0.0/8"), &nets[0]));
	assert_true(edge_net_decode(SPAN("192.0.2.1"), &nets[1]));
	assert_true(edge_net_decode(SPAN("2001:db8:5::/47"), &nets[2]));
	edge_conf_default(&c);
	c.trusted = nets;
	c.trusted_n = 3;
	c.forwarded = how;
	c.addr_conns_max = 2;
	c.tls_headers = &hsts;
	c.tls_headers_n = 1;
	rig_restart(&c);
	rig.on_request = on_request;
}

static int
from(const char *ip)
{
	struct sys_addr a;
	int fds[2];

	assert_true(sys_addr_decode(ip, 1000, &a));
	assert_int_equal(sys_pair(fds), OK);
	assert_int_equal(edge_adopt(rig.edge, fds[0], &a), OK);
	return fds[1];
}

/* What the app sees of a request with these fields, from that peer. */
static void
expect(const char *peer, const char *fields, const char *want)
{
	char text[4096];
	int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: own:1"
	    "\r\n%s\r\n", fields);
	int fd = from(peer);
	const char *got;

	seen[0] = '\0';
	rig_send(fd, span_of(text, (size_t)n));
	got = rig_text(fd, NULL);
	if (strcmp(seen, want) != 0)
		fail_msg("%s, not %s, for %s", seen, want, fields);
	/* RFC 6797 7.2: only by https */
	assert_int_equal(strstr(got, "Strict-Transport") != NULL,
	    strstr(want, " https ") != NULL);
	sys_close(fd);
	rig_run(3);
}

#define P "192.0.2.1"	/* a trusted one */
#define XFF "X-Forwarded-For: "
#define XFP "X-Forwarded-Proto: "
#define XFH "X-Forwarded-Host: "

static void
test_proxy_untrusted_is_not_heard(void **state)
{
	(void)state;
	restart(EDGE_FORWARDED_X);
	expect("203.0.113.9", XFF "1.2.3.4\r\n" XFP "https\r\n" XFH "evil\r\n"
	    "Forwarded: for=1.2.3.4;proto=https;host=evil\r\n",
	    "203.0.113.9 http own:1");
	restart(EDGE_FORWARDED_RFC7239);
	expect("203.0.113.9", XFF "1.2.3.4\r\n" XFP "https\r\n" XFH "evil\r\n"
	    "Forwarded: for=1.2.3.4;proto=https;host=evil\r\n",
	    "203.0.113.9 http own:1");
}

static void
test_proxy_says_who_it_speaks_for(void **state)
{
	(void)state;
	restart(EDGE_FORWARDED_X);
	expect(P, "", P " http own:1");
	expect(P, XFF "1.2.3.4\r\n", "1.2.3.4 http own:1");
	expect(P, XFF "1.2.3.4\r\n" XFP "https\r\n" XFH "chat.example\r\n",
	    "1.2.3.4 https chat.example");
	expect(P, XFP "HTTPS\r\n", P " https own:1");
	expect(P, XFP "wss\r\n", P " https own:1");
	expect(P, XFH "a.example:8443\r\n", P " http a.example:8443");
	expect(P, XFF "1.2.3.4:5678\r\n", "1.2.3.4 http own:1");
	expect(P, XFF "2001:db8::7\r\n", "2001:db8::7 http own:1");
	expect(P, XFF "[2001:db8::7]:99\r\n", "2001:db8::7 http own:1");
	expect("10.9.8.7", XFF "1.2.3.4\r\n", "1.2.3.4 http own:1");
	expect("2001:db8:4:ffff::1", XFF "1.2.3.4\r\n", "1.2.3.4 http own:1");
	expect("2001:db8:6::1", XFF "1.2.3.4\r\n",
	    "2001:db8:6::1 http own:1");
}

/* Only what a trusted hop has written counts: from the right. */
static void
test_proxy_takes_the_rightmost_untrusted(void **state)
{
	(void)state;
	restart(EDGE_FORWARDED_X);
	expect(P, XFF "6.6.6.6, 1.2.3.4\r\n", "1.2.3.4 http own:1");
	expect(P, XFF "6.6.6.6,1.2.3.4 , 10.1.1.1\r\n", "1.2.3.4 http own:1");
	expect(P, XFF "6.6.6.6\r\n" XFF "1.2.3.4\r\n", "1.2.3.4 http own:1");
	expect(P, XFF "10.2.2.2, 10.1.1.1\r\n", "10.2.2.2 http own:1");
	/* Beside the client's own member stand its scheme and host. */
	expect(P, XFF "6.6.6.6, 1.2.3.4, 10.1.1.1\r\n"
	    XFP "http, https, http\r\n" XFH "evil, good, own\r\n",
	    "1.2.3.4 https good");
	/* Lists of another length: the nearest proxy's word. */
	expect(P, XFF "1.2.3.4, 10.1.1.1\r\n" XFP "https\r\n",
	    "1.2.3.4 https own:1");
	expect(P, XFF "1.2.3.4\r\n" XFP "http, https\r\n",
	    "1.2.3.4 https own:1");
}

static void
test_proxy_nonsense_is_not_believed(void **state)
{
	static const char *const bad[] = { "unknown", "_hidden", "a.b.c.d",
	    "1.2.3", "1.2.3.4.5", "1.2.3.4:x", "1.2.3.4:99999", "[::1",
	    "[]", "", "1.2.3.256", "::ffff:x", "' OR 1=1", "[1.2.3.4" };
	char line[200];

	(void)state;
	restart(EDGE_FORWARDED_X);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(line, sizeof line, XFF "6.6.6.6, %s\r\n", bad[i]);
		expect(P, line, P " http own:1");
		/* ... the last address that is known stands */
		snprintf(line, sizeof line, XFF "6.6.6.6, %s, 10.1.1.1\r\n",
		    bad[i]);
		expect(P, line, "10.1.1.1 http own:1");
	}
	expect(P, XFP "gopher\r\n", P " http own:1");
	expect(P, XFH "a b\r\n", P " http own:1");
	expect(P, XFH "user@evil\r\n", P " http own:1");
	expect(P, XFH "evil/x\r\n", P " http own:1");
	expect(P, XFH "\r\n", P " http own:1");
	expect(P, XFF ",,,,\r\n" XFP ",\r\n", P " http own:1");
}

/* More hops than anybody has: those on the right count. */
static void
test_proxy_long_lists_are_cut_on_the_left(void **state)
{
	char text[3000] = XFF "6.6.6.6";
	size_t n = strlen(text);

	(void)state;
	restart(EDGE_FORWARDED_X);
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    ", 10.0.0.%d", i);
	snprintf(text + n, sizeof text - n, "\r\n");
	expect(P, text, "10.0.0.168 http own:1");
}

static void
test_proxy_forwarded(void **state)
{
	(void)state;
	restart(EDGE_FORWARDED_RFC7239);
	expect(P, "Forwarded: for=1.2.3.4\r\n", "1.2.3.4 http own:1");
	expect(P, "Forwarded: For=1.2.3.4;Proto=https;Host=x.example;by=_p"
	    "\r\n", "1.2.3.4 https x.example");
	expect(P, "Forwarded: proto=https; for=\"[2001:db8::7]:4711\" ;"
	    "host=\"x.example:8\"\r\n", "2001:db8::7 https x.example:8");
	expect(P, "Forwarded: for=6.6.6.6, for=1.2.3.4;proto=https,"
	    "for=10.1.1.1;proto=http\r\n", "1.2.3.4 https own:1");
	expect(P, "Forwarded: for=6.6.6.6\r\nForwarded: for=1.2.3.4\r\n",
	    "1.2.3.4 http own:1");
	expect(P, "Forwarded: for=unknown;proto=https\r\n",
	    P " https own:1");
	expect(P, "Forwarded: for=_x, for=10.1.1.1\r\n",
	    "10.1.1.1 http own:1");
	/* a comma and a semicolon in quotes divide nothing */
	expect(P, "Forwarded: for=1.2.3.4;x=\", for=6.6.6.6;\"\r\n",
	    "1.2.3.4 http own:1");
	expect(P, "Forwarded: x=\"\\\", for=6.6.6.6\";for=1.2.3.4\r\n",
	    "1.2.3.4 http own:1");
	expect(P, "Forwarded: for=1.2.3.4, x=\"unfinished, for=6.6.6.6\r\n",
	    P " http own:1");
	expect(P, "Forwarded: \r\n", P " http own:1");
	expect(P, "Forwarded: for=\r\n", P " http own:1");
	expect(P, "Forwarded: for=\"\r\n", P " http own:1");
}

/* A proxy that writes the one passes its client's other through. */
static void
test_proxy_only_one_family_is_believed(void **state)
{
	(void)state;
	restart(EDGE_FORWARDED_X);
	expect(P, "Forwarded: for=6.6.6.6;proto=https;host=evil\r\n",
	    P " http own:1");
	restart(EDGE_FORWARDED_RFC7239);
	expect(P, XFF "6.6.6.6\r\n" XFP "https\r\n" XFH "evil\r\n",
	    P " http own:1");
}

/* All of a proxy's connections are not one person's. */
static void
test_proxy_has_no_limit_of_an_address(void **state)
{
	int fds[5];

	(void)state;
	restart(EDGE_FORWARDED_X);
	for (int i = 0; i < 5; i++)
		fds[i] = from(P);
	assert_int_equal(edge_stats(rig.edge)->conns, 5);
	for (int i = 0; i < 5; i++)
		sys_close(fds[i]);
}

/* One connection carries many people's requests. */
static void
test_proxy_each_request_for_itself(void **state)
{
	int fd;

	(void)state;
	restart(EDGE_FORWARDED_X);
	fd = from(P);
	rig_send(fd, SPAN("GET / HTTP/1.1\r\nHost: a\r\n" XFF "1.2.3.4\r\n"
	    XFP "https\r\n\r\n"));
	assert_string_equal(seen, "1.2.3.4 https a");
	rig_send(fd, SPAN("GET / HTTP/1.1\r\nHost: b\r\n" XFF "5.6.7.8\r\n"
	    "\r\n"));
	assert_string_equal(seen, "5.6.7.8 http b");
	sys_close(fd);
}

static void
test_proxy_session_has_the_clients_address(void **state)
{
	int fd;

	(void)state;
	restart(EDGE_FORWARDED_X);
	fd = from(P);
	rig_send(fd, SPAN("GET " RIG_WS_PATH " HTTP/1.1\r\n" XFF "1.2.3.4"
	    "\r\n" XFP "https\r\n" RIG_UPGRADE "\r\n"));
	assert_non_null(strstr(rig_text(fd, NULL), "HTTP/1.1 101"));
	sys_close(fd);
}

static void
test_proxy_networks(void **state)
{
	static const char *const bad[] = { "", "/", "10.0.0.0/", "10.0.0.0/33",
	    "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8", "::/129", "a/8",
	    "10.0.0.0/8/8", "[::1]", "localhost" };
	struct edge_net n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(edge_net_decode(span_str(bad[i]), &n));
	assert_true(edge_net_decode(SPAN("0.0.0.0/0"), &n));
	assert_int_equal(n.bits, 96);
	assert_true(edge_net_decode(SPAN("::/0"), &n));
	assert_int_equal(n.bits, 0);
	assert_true(edge_net_decode(SPAN("::1"), &n));
	assert_int_equal(n.bits, 128);
	assert_true(edge_net_decode(SPAN("10.0.0.0/9"), &n));
	assert_int_equal(n.bits, 105);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_proxy_untrusted_is_not_heard),
		RIG_TEST(test_proxy_says_who_it_speaks_for),
		RIG_TEST(test_proxy_takes_the_rightmost_untrusted),
		RIG_TEST(test_proxy_nonsense_is_not_believed),
		RIG_TEST(test_proxy_long_lists_are_cut_on_the_left),
		RIG_TEST(test_proxy_forwarded),
		RIG_TEST(test_proxy_only_one_family_is_believed),
		RIG_TEST(test_proxy_has_no_limit_of_an_address),
		RIG_TEST(test_proxy_each_request_for_itself),
		RIG_TEST(test_proxy_session_has_the_clients_address),
		RIG_TEST(test_proxy_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
