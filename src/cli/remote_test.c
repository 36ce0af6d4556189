/*
 * remote_test.c: REST calls against a scripted server on the loopback, in a
 * thread: each connection gets the next script, which is sent piece by piece
 * after the request. RFC 9112 6.3 (length of a message), 7.1 (chunked), 9.3
 * (persistence).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/remote.h"

#define PIECES 4
#define SCRIPTS 3
#define TICKS 3000

/* What one request is answered by; a NULL piece ends the connection. */
struct script {
	const char *piece[PIECES];
	bool keep;		/* the next script answers on it, too */
	bool silent;		/* keeps it open and says nothing */
};

struct server {
	const struct script *script;
	int n, fd;
	uint16_t port;
	pthread_t thread;
	char request[SCRIPTS][2048];
};

static void
nap(long ms)
{
	struct timespec t = { 0, ms * 1000000 };
	nanosleep(&t, NULL);
}

/* One request with its body (Content-Length: n). */
static bool
read_request(int fd, char out[static 2048])
{
	size_t n = 0, body = 0;
	const char *end;
	while (n < 2047) {
		ssize_t got = read(fd, out + n, 2047 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		out[n] = '\0';
		end = strstr(out, "\r\n\r\n");
		if (end == NULL)
			continue;
		const char *l = strstr(out, "Content-Length: ");
		body = l != NULL ? strtoul(l + 16, NULL, 10) : 0;
		if (n >= (size_t)(end - out) + 4 + body)
			return true;
	}
	return false;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd = -1;
	for (int i = 0; i < s->n; i++) {
		const struct script *k = &s->script[i];
		if (fd < 0)
			fd = accept(s->fd, NULL, NULL);
		if (fd < 0 || !read_request(fd, s->request[i])) {
			close(fd);
			fd = -1;
			continue;
		}
		for (int p = 0; p < PIECES && k->piece[p] != NULL; p++) {
			if (p > 0)
				nap(5);
			if (write(fd, k->piece[p], strlen(k->piece[p])) < 0)
				break;
		}
		char c;
		while (k->silent && read(fd, &c, 1) > 0)
			;
		if (!k->keep) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void
server_start(struct server *s, const struct script *script, int n)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	union { struct sockaddr_in *in; struct sockaddr *any; } u = { &a };
	socklen_t len = sizeof(a);
	memset(s, 0, sizeof(*s));
	s->script = script;
	s->n = n;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, u.any, len), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, u.any, &len), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* ---- the client's side ---- */

struct got {
	unsigned n;
	uint32_t status[SCRIPTS], retry_after_s;
	uint64_t id[SCRIPTS];
	enum dial_end why;
	uint64_t written;
	char body[64];
};

static void
on_answer(void *ctx, uint64_t id, const struct remote_answer *a)
{
	struct got *g = ctx;
	assert_true(g->n < SCRIPTS);
	g->status[g->n] = a->status;
	g->id[g->n++] = id;
	g->retry_after_s = a->retry_after_s;
	g->why = a->why;
	g->written = a->written;
	snprintf(g->body, sizeof(g->body), "%.*s", (int)a->body.n,
	    a->body.n > 0 ? (const char *)a->body.p : "");
}

static struct reactor *reactor;
static struct where where;
static struct remote remote;
static int file = -1;	/* where the calls' bodies go; -1: into memory */

static void
calls(struct server *s, unsigned n, uint64_t timeout_ms, struct got *g)
{
	char url[64];
	const char *why = NULL;
	memset(g, 0, sizeof(*g));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", (unsigned)s->port);
	assert_int_equal(where_init(&where, url, &why), OK);
	assert_int_equal(where_resolve(&where), OK);
	assert_int_equal(reactor_open(0, &reactor), OK);
	reactor_adopt(reactor);
	remote_init(&remote, reactor, &where, timeout_ms);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(file >= 0 ? remote_fetch(&remote, SPAN("/x"),
		    SPAN("tok"), file, 40 + i, on_answer, g) :
		    remote_call(&remote, "POST", SPAN("/x"),
		    SPAN("tok"), SPAN("{\"a\":1}"), 40 + i, on_answer, g), OK);
	for (int i = 0; i < TICKS && g->n < n; i++)
		reactor_tick(reactor, 10);
	assert_int_equal(g->n, n);
	remote_close(&remote);
	for (int i = 0; i < 4; i++)
		reactor_tick(reactor, 0);
	remote_fini(&remote);
	reactor_close(reactor);
	where_fini(&where);
	shutdown(s->fd, SHUT_RDWR);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->fd);
}

static void
test_remote_takes_answers_in_pieces(void **state)
{
	(void)state;
	static const struct script k[] = {
		{ .piece = { "HTTP/1.1 200 OK\r\nConte", "nt-Length: 5\r\n\r",
		    "\nhel", "lo" }, .keep = true },
		{ .piece = { "HTTP/1.1 201 Created\r\nTransfer-Encoding: "
		    "chunked\r\n\r\n3\r\nab", "c\r\n2\r\nde\r", "\n0\r\n\r\n" },
		    .keep = true },
	};
	struct server s;
	struct got g;
	server_start(&s, k, 2);
	calls(&s, 2, 5000, &g);
	assert_int_equal(g.status[0], 200);
	assert_int_equal(g.status[1], 201);
	assert_string_equal(g.body, "abcde");
	/* In their order, on one connection. */
	assert_int_equal(g.id[0], 40);
	assert_int_equal(g.id[1], 41);
	assert_non_null(strstr(s.request[0],
	    "Authorization: Bearer tok\r\n"));
	assert_non_null(strstr(s.request[1], "\r\n\r\n{\"a\":1}"));
}

/* RFC 9112 6.3: without a length the body ends with the connection. */
static void
test_remote_takes_a_body_up_to_the_end(void **state)
{
	(void)state;
	static const struct script k[] = { { .piece = {
	    "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\n\r\n", "later" } } };
	struct server s;
	struct got g;
	server_start(&s, k, 1);
	calls(&s, 1, 5000, &g);
	assert_int_equal(g.status[0], 429);
	assert_int_equal(g.retry_after_s, 7);
	assert_string_equal(g.body, "later");
}

/* An answer that was cut is none: it must not be taken for a short one. */
static void
test_remote_does_not_take_half_an_answer(void **state)
{
	(void)state;
	static const struct script k[] = { { .piece = {
	    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", "{\"suc" } } };
	struct server s;
	struct got g;
	server_start(&s, k, 1);
	calls(&s, 1, 5000, &g);
	assert_int_equal(g.status[0], 0);
	assert_string_equal(g.body, "");
}

static void
test_remote_connects_anew_for_the_next_call(void **state)
{
	(void)state;
	static const struct script k[] = {
		{ .piece = { "HTTP/1.1 200 OK\r\nConnection: close\r\n"
		    "Content-Length: 1\r\n\r\n1" } },
		{ .piece = { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2" },
		    .keep = true },
	};
	struct server s;
	struct got g;
	server_start(&s, k, 2);
	calls(&s, 2, 5000, &g);
	assert_int_equal(g.status[0], 200);
	assert_int_equal(g.status[1], 200);
	assert_string_equal(g.body, "2");
}

static void
test_remote_gives_up_on_a_silent_server(void **state)
{
	(void)state;
	static const struct script k[] = { { .silent = true } };
	struct server s;
	struct got g;
	server_start(&s, k, 1);
	calls(&s, 1, 100, &g);
	assert_int_equal(g.status[0], 0);
	assert_int_equal(g.why, DIAL_CLOSED);
}

static void
test_remote_refuses_what_is_no_http(void **state)
{
	(void)state;
	static const struct script k[] = { { .piece = {
	    "SSH-2.0-OpenSSH_9.2\r\n\r\n" } } };
	struct server s;
	struct got g;
	server_start(&s, k, 1);
	calls(&s, 1, 5000, &g);
	assert_int_equal(g.status[0], 0);
}

/* A 200's body goes to the file, all else into memory; half of it is none. */
static void
test_remote_fetches_into_a_file(void **state)
{
	(void)state;
	static const struct script k[] = {
		{ .piece = { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
		    "hello", " you" }, .keep = true },
		{ .piece = { "HTTP/1.1 404 Not Found\r\nContent-Length: 4"
		    "\r\n\r\nnone" }, .keep = true },
		{ .piece = { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
		    "half" } },
	};
	struct server s;
	struct got g;
	char text[32] = "", name[] = "/tmp/remote-test-XXXXXX";

	file = mkstemp(name);
	assert_true(file >= 0);
	unlink(name);
	server_start(&s, k, 3);
	calls(&s, 3, 5000, &g);
	assert_int_equal(g.status[0], 200);
	assert_int_equal(g.status[1], 404);
	assert_int_equal(g.status[2], 0);
	assert_int_equal(pread(file, text, sizeof(text), 0), 9 + 4);
	assert_string_equal(text, "hello youhalf");
	close(file);
	/* What can not be written is no answer. */
	file = open("/dev/full", O_WRONLY | O_CLOEXEC);
	server_start(&s, k, 1);
	calls(&s, 1, 5000, &g);
	assert_int_equal(g.status[0], 0);
	close(file);
	file = -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remote_takes_answers_in_pieces),
		cmocka_unit_test(test_remote_takes_a_body_up_to_the_end),
		cmocka_unit_test(test_remote_does_not_take_half_an_answer),
		cmocka_unit_test(test_remote_connects_anew_for_the_next_call),
		cmocka_unit_test(test_remote_gives_up_on_a_silent_server),
		cmocka_unit_test(test_remote_refuses_what_is_no_http),
		cmocka_unit_test(test_remote_fetches_into_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
