/*
 * edge_fuzz.c: bytes from outside into a connection, over a socket pair. The
 * first byte says where the rest is cut in two, a short one is sent byte by
 * byte as well; what a whole and a cut input cause (what the app is told, what
 * is answered) must be the same. An input
 * whose first byte is odd begins behind a handshake, so that frames and
 * packets are reached at once.
 */
#include <assert.h>
#include <unistd.h>

#include "base/fuzz.h"
#include "edge/private.h"

#define OUT_MAX (1u << 20)
#define BYTES_MAX 200	/* of an input that is sent byte by byte, too */

static struct reactor *reactor;
static struct edge *edge;
static struct buf told;
static size_t sunk_at;	/* where a streamed body begins in it */

static void
note(const char *what, struct span a, struct span b)
{
	/* Beyond its maximum nothing is added, in either run. */
	if (buf_add_str(&told, what) != OK || buf_add_span(&told, a) != OK ||
	    buf_add_str(&told, "|") != OK || buf_add_span(&told, b) != OK)
		return;
}

/* ---- Bodies of every kind, by the last character of the path ---- */

static void
note_file(int fd)
{
	uint8_t piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		if (buf_add(&told, piece, (size_t)n) != OK)
			return;
}

static void
on_piece(void *arg, struct edge_ref ref, struct span piece)
{
	(void)arg;
	if (buf_add_span(&told, piece) != OK)
		return;
	/* Whoever stops it goes on at once: what comes is the same. */
	edge_body_pause(ref);
	edge_body_resume(ref);
}

static void
on_end(void *arg, struct edge_ref ref, bool whole)
{
	(void)arg;
	(void)ref;
	/* Of one that broke off more or less was handed on before. */
	if (!whole)
		told.n = sunk_at;
	note(whole ? "whole" : "broken", SPAN(""), SPAN(""));
}

static const struct edge_sink sink = { on_piece, on_end };

static void
on_head(void *arg, struct edge_ref ref, const struct edge_request *req,
    struct edge_body *body)
{
	struct span path = req->head->path;
	uint8_t last = path.p[path.n - 1];

	(void)arg;
	(void)ref;
	body->how = last == 's' ? EDGE_SPOOL : last == 't' ? EDGE_STREAM :
	    EDGE_HOLD;
	body->sink = &sink;
	sunk_at = told.n;
}

static void
on_room(void *arg, struct edge_ref ref)
{
	(void)arg;
	if (edge_answer_write(ref, SPAN("one ")) &&
	    edge_answer_write(ref, SPAN("two")))
		edge_answer_end(ref);
}

static const struct edge_source source = { on_room, NULL };

static void
on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	struct edge_answer a = { .status = 200, .body = req->body };

	(void)arg;
	note("request", req->head->target, req->body);
	note(req->tls ? "https" : "http", SPAN_OF(req->peer.ip), req->host);
	if (req->body_fd >= 0)
		note_file(req->body_fd);
	if (span_eq(req->head->path, SPAN("/w")))
		(void)edge_answer_begin(ref, &a, EDGE_UNKNOWN, &source, NULL);
	else
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
    .on_head = on_head, .on_connect = on_connect, .on_event = on_event,
    .on_close = on_close };

/* So that what proxies say is read, too. */
static const struct edge_net everybody = { { { 0 }, 0 }, 0 };

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
	c.linger_ms = 0;
	c.trusted = &everybody;
	c.trusted_n = 1;
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

/* Sessions over polling outlive their connections. */
static void
end_sessions(void)
{
	struct session *s;
	uint32_t at = 0;

	while ((s = slab_next(&edge->sessions, &at)) != NULL)
		if (!s->ended)
			edge_session_close(s, EDGE_LOST, WS_CODE_NORMAL,
			    "");
}

/* In two pieces; cut NOWHERE: byte by byte. */
#define NOWHERE SIZE_MAX

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
	for (size_t i = 0; cut == NOWHERE && i < in.n; i++)
		send_all(fds[1], span_sub(in, i, 1));
	if (cut != NOWHERE) {
		send_all(fds[1], span_sub(in, 0, cut));
		send_all(fds[1], span_sub(in, cut, in.n));
	}
	out = drain(fds[1]);
	sys_close(fds[1]);
	end_sessions();
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

/* Cut there, it causes what it did whole. */
static void
again(struct span in, size_t cut, bool upgraded, size_t out)
{
	struct buf first = told;

	buf_init(&told, OUT_MAX);
	assert(run(in, cut, upgraded) == out || may_expect(in));
	assert(span_eq(buf_span(&first), buf_span(&told)));
	buf_fini(&told);
	told = first;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
	edge->conf.forwarded = data[0] & 2 ? EDGE_FORWARDED_X :
	    EDGE_FORWARDED_RFC7239;
	out = run(in, in.n, upgraded);
	again(in, data[0] % (in.n + 1), upgraded, out);
	if (in.n <= BYTES_MAX)
		again(in, NOWHERE, upgraded, out);
	return 0;
}
