/*
 * edge_fuzz.c: bytes from outside into a connection, over a socket pair. The
 * first byte says where the rest is cut in two; what a whole and a cut input
 * cause (what the app is told, what is answered) must be the same. An input
 * whose first byte is odd begins behind a handshake, so that frames and
 * packets are reached at once.
 */
#include <assert.h>

#include "base/fuzz.h"
#include "edge/private.h"

#define OUT_MAX (1u << 20)

static struct reactor *reactor;
static struct edge *edge;
static struct buf told;

static void
note(const char *what, struct span a, struct span b)
{
	/* Beyond its maximum nothing is added, in either run. */
	if (buf_add_str(&told, what) != OK || buf_add_span(&told, a) != OK ||
	    buf_add_str(&told, "|") != OK || buf_add_span(&told, b) != OK)
		return;
}

static void
on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	struct edge_answer a = { .status = 200, .body = req->body };

	(void)arg;
	note("request", req->head->target, req->body);
	edge_answer(ref, &a);
}

static void
on_connect(void *arg, struct edge_ref s, const struct edge_connect *c)
{
	(void)arg;
	note("connect", c->nsp, c->auth);
	if (c->auth.n == 2)
		edge_refuse(s, SPAN("no"), SPAN("{}"));
	else
		edge_accept(s);
}

static void
on_event(void *arg, struct edge_ref s, const struct edge_event *e)
{
	(void)arg;
	note("event", e->name, e->args);
	if (e->ack >= 0)
		edge_ack(s, e->ack, e->args);
	else
		edge_emit_one(s, e->name, e->args);
	if (span_eq(e->name, SPAN("x")))
		edge_disconnect(s, e->args_n > 0);
}

static void
on_close(void *arg, struct edge_ref s, enum edge_end why)
{
	(void)arg;
	(void)s;
	note("close", span_str(edge_end_name(why)), SPAN(""));
}

static const struct edge_app app = { .on_request = on_request,
    .on_connect = on_connect, .on_event = on_event, .on_close = on_close };

static void
start(void)
{
	struct edge_conf c;

	if (edge != NULL)
		return;
	edge_conf_default(&c);
	c.conns_max = 4;
	c.body_max = 20000;
	c.message_max = 20000;
	if (reactor_open(0, &reactor) != OK)
		abort();
	reactor_adopt(reactor);
	if (edge_open(reactor, &c, &app, &edge) != OK)
		abort();
}

static void
send_all(int fd, struct span in)
{
	for (int i = 0; in.n > 0 && i < 1000; i++) {
		struct sys_iov v = { in.p, in.n };
		long n = sys_sendv(fd, &v, 1);

		if (n == SYS_ERROR)
			return;
		if (n > 0)
			in = span_sub(in, (size_t)n, in.n);
		reactor_tick(reactor, 0);
	}
	for (int i = 0; i < 3; i++)
		reactor_tick(reactor, 0);
}

/* Ids and dates differ from run to run: only their length is compared. */
static size_t
drain(int fd)
{
	static uint8_t piece[65536];
	size_t all = 0;
	long n;

	while ((n = sys_recv(fd, piece, sizeof piece)) > 0) {
		all += (size_t)n;
		reactor_tick(reactor, 0);
	}
	return all;
}

static size_t
run(struct span in, size_t cut, bool upgraded)
{
	static const char shake[] = "GET /socket.io/?EIO=4&transport=websocket"
	    " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	    "\x81\x82\0\0\0\0" "40";
	struct sys_addr a = { { 0 }, 0 };
	size_t out;
	int fds[2];

	buf_clear(&told);
	if (sys_pair(fds) != OK || edge_adopt(edge, fds[0], &a) != OK)
		abort();
	if (upgraded)
		send_all(fds[1], span_of(shake, sizeof shake - 1));
	send_all(fds[1], span_sub(in, 0, cut));
	send_all(fds[1], span_sub(in, cut, in.n));
	out = drain(fds[1]);
	sys_close(fds[1]);
	for (int i = 0; i < 8; i++)
		reactor_tick(reactor, 0);
	assert(edge_stats(edge)->conns == 0);
	assert(edge_stats(edge)->sessions == 0);
	assert(edge_stats(edge)->sockets == 0);
	assert(reactor_pool_chunks(reactor)->n_used == 0);
	return out;
}

/*
 * Whether 100 (Continue) is sent depends on whether the body has come already
 * (RFC 9110 10.1.1), so such an input may be answered in two ways.
 */
static bool
may_expect(struct span in)
{
	for (size_t i = 0; i < in.n; i++) {
		if (span_eq_nocase(span_sub(in, i, 9), SPAN("-continue")))
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first;
	struct span in;
	size_t out;
	bool upgraded;

	if (size < 2)
		return 0;
	start();
	if (told.max == 0)
		buf_init(&told, OUT_MAX);
	in = span_of(data + 1, size - 1);
	upgraded = data[0] & 1;
	out = run(in, in.n, upgraded);
	first = told;
	buf_init(&told, OUT_MAX);
	assert(run(in, data[0] % (in.n + 1), upgraded) == out ||
	    may_expect(in));
	assert(span_eq(buf_span(&first), buf_span(&told)));
	buf_fini(&told);
	told = first;
	return 0;
}
