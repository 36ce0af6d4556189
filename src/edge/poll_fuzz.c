/*
 * poll_fuzz.c: bodies of polling requests, and what a WebSocket says that
 * wants to take over. The first byte says where the rest is cut in two; the
 * rest is a POST's body, then a frame on the WebSocket. Two laws: a whole and
 * a cut input cause the same (what the app is told, what is answered), and
 * what the app was told and sent back comes by GET as it was.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/fuzz.h"
#include "edge/poll.h"

#define BODY_MAX 20000
#define OUT_MAX (1u << 20)
#define PATH "/e/?EIO=4&transport="

static struct reactor *reactor;
static struct edge *edge;
static struct buf told, fetched, out;
static char sid[EDGE_SID];

static void
note(struct buf *to, bool binary, struct span message)
{
	uint8_t head[5];
	struct wr w = wr_init(head, sizeof head);

	wr_u8(&w, binary ? 'b' : 't');
	wr_u32(&w, (uint32_t)message.n);
	if (buf_add_span(to, wr_done(&w)) != OK ||
	    buf_add_span(to, message) != OK)
		abort();
}

static void
on_message(void *arg, struct edge_ref session, struct span message,
    bool binary)
{
	(void)arg;
	note(&told, binary, message);
	(void)edge_send(session, message, binary);
}

static void
on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	(void)arg;
	(void)ref;
	(void)req;
	abort();	/* there is no other path */
}

static void
on_connect(void *arg, struct edge_ref s, const struct edge_connect *c)
{
	(void)arg;
	(void)s;
	(void)c;
	abort();
}

static void
on_event(void *arg, struct edge_ref s, const struct edge_event *e)
{
	(void)arg;
	(void)s;
	(void)e;
	abort();
}

static void
on_close(void *arg, struct edge_ref s, enum edge_end why)
{
	(void)arg;
	(void)s;
	(void)why;
	abort();
}

static const struct edge_app app = { .on_request = on_request,
    .on_message = on_message, .on_connect = on_connect,
    .on_event = on_event, .on_close = on_close };

static void
start(void)
{
	static const struct edge_path path = {
		{ (const uint8_t *)"/e/", 3 }, EDGE_ENGINE_IO };
	struct edge_conf c;

	if (edge != NULL)
		return;
	edge_conf_default(&c);
	c.conns_max = 8;
	c.polls_max = 8;
	c.message_max = BODY_MAX;
	c.paths = &path;
	c.paths_n = 1;
	buf_init(&told, OUT_MAX);
	buf_init(&fetched, OUT_MAX);
	buf_init(&out, OUT_MAX);
	if (reactor_open(0, &reactor) != OK)
		abort();
	reactor_adopt(reactor);
	if (edge_open(reactor, &c, &app, &edge) != OK)
		abort();
}

static void
ticks(int n)
{
	while (n-- > 0)
		reactor_tick(reactor, 0);
}

static int
dial(void)
{
	struct sys_addr a = { { 0 }, 0 };
	int fds[2];

	if (sys_pair(fds) != OK || edge_adopt(edge, fds[0], &a) != OK)
		abort();
	return fds[1];
}

static void
put(int fd, struct span in)
{
	for (int i = 0; in.n > 0 && i < 1000; i++) {
		struct sys_iov v = { in.p, in.n };
		long n = sys_sendv(fd, &v, 1);

		if (n == SYS_ERROR)
			return;
		if (n > 0)
			in = span_sub(in, (size_t)n, in.n);
		ticks(1);
	}
	ticks(3);
}

/* In two pieces. */
static void
put_cut(int fd, struct span in, size_t cut)
{
	put(fd, span_sub(in, 0, cut));
	put(fd, span_sub(in, cut, in.n));
}

/* All that came, into out. */
static struct span
take(int fd)
{
	static uint8_t piece[65536];
	long n;

	buf_clear(&out);
	while ((n = sys_recv(fd, piece, sizeof piece)) > 0) {
		if (buf_add(&out, piece, (size_t)n) != OK)
			abort();
		ticks(1);
	}
	return buf_span(&out);
}

static void
ask(int fd, const char *method, bool with_sid, size_t body_n)
{
	uint8_t text[256];
	struct wr w = wr_init(text, sizeof text);

	wr_str(&w, method);
	wr_str(&w, " " PATH "polling");
	if (with_sid) {
		wr_str(&w, "&sid=");
		wr_bytes(&w, sid, EDGE_SID);
	}
	wr_str(&w, " HTTP/1.1\r\nHost: h\r\nContent-Length: ");
	wr_dec(&w, body_n);
	wr_str(&w, "\r\n\r\n");
	put(fd, wr_done(&w));
}

/* The body of the answer in out; empty unless its status is 200. */
static struct span
body(struct span answer)
{
	if (!span_starts(answer, SPAN("HTTP/1.1 200 ")))
		return SPAN("");
	while (answer.n > 0 && !span_starts(answer, SPAN("\r\n\r\n")))
		answer = span_sub(answer, 1, answer.n);
	return span_sub(answer, 4, answer.n);
}

static void
begin(int fd)
{
	struct span open;

	ask(fd, "GET", false, 0);
	open = body(take(fd));
	if (!span_starts(open, SPAN("0{\"sid\":\"")))
		abort();
	memcpy(sid, span_sub(open, 9, EDGE_SID).p, EDGE_SID);
}

/* What came by GETs, as it was told; false: the session is over. */
static bool
fetch(int fd)
{
	static uint8_t mem[OUT_MAX];

	buf_clear(&fetched);
	while (fetched.n < told.n) {
		struct eio_packet k;
		struct arena a;
		struct span rest;
		enum err err;

		ask(fd, "GET", true, 0);
		rest = body(take(fd));
		if (rest.n == 0)
			return false;
		arena_init(&a, mem, sizeof mem);
		while (eio_next(&rest, &a, &k, &err)) {
			if (k.type != EIO_MESSAGE)
				return false;
			note(&fetched, k.binary, k.data);
		}
		assert(err == OK);
	}
	return true;
}

/* Says it on a WebSocket; how much was answered, and the session's end. */
static size_t
probe(struct span text, size_t cut)
{
	static uint8_t frame[WS_HEAD_MAX + BODY_MAX];
	static const uint8_t mask[4] = { 0 };
	uint8_t head[512];
	struct wr w = wr_init(head, sizeof head);
	int fd = dial();
	size_t n;

	wr_str(&w, "GET " PATH "websocket&sid=");
	wr_bytes(&w, sid, EDGE_SID);
	wr_str(&w, " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	put(fd, wr_done(&w));
	w = wr_init(frame, sizeof frame);
	ws_put(&w, WS_OP_TEXT, text, mask);
	put_cut(fd, wr_done(&w), cut);
	n = take(fd).n;
	sys_close(fd);
	ticks(3);
	return n;
}

struct outcome {
	size_t answered, probed;
	bool lives;
};

static struct outcome
run(struct span in, size_t cut)
{
	struct outcome o;
	int fd = dial();

	buf_clear(&told);
	begin(fd);
	ask(fd, "POST", true, in.n);
	put_cut(fd, in, cut);
	o.answered = take(fd).n;
	o.lives = fetch(fd);
	if (o.lives && (fetched.n != told.n ||
	    !span_eq(buf_span(&fetched), buf_span(&told))))
		abort();
	o.probed = probe(in, cut);
	/* Whatever it was, it ends now. */
	ask(fd, "POST", true, 1);
	put(fd, SPAN("1"));
	sys_close(fd);
	ticks(4);
	return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t copy[OUT_MAX];
	struct outcome a, b;
	struct span in;
	size_t n;

	if (size < 1 || size > BODY_MAX)
		return 0;
	start();
	in = span_of(data + 1, size - 1);
	a = run(in, in.n);
	n = told.n;
	if (n > 0)
		memcpy(copy, told.p, n);
	b = run(in, in.n == 0 ? 0 : data[0] % (in.n + 1));
	assert(a.answered == b.answered);
	assert(a.probed == b.probed);
	assert(a.lives == b.lives);
	assert(span_eq(span_of(copy, n), buf_span(&told)));
	assert(edge_stats(edge)->sessions == 0);
	return 0;
}
