/*
 * sio_fuzz.c: Socket.IO packets and their attachments, as messages of a
 * WebSocket. Two laws: wherever the bytes are cut in two, the app is told the
 * same; and an event that was taken, encoded as one of ours and sent back, is
 * taken as the same event with the same parts.
 * Input: a byte for the cut, then messages: a byte with the kind (bit 0:
 * binary) and the length, then so many bytes.
 */
#include <assert.h>

#include "base/fuzz.h"
#include "edge/private.h"

#define OUT_MAX (1u << 20)

static struct reactor *reactor;
static struct edge *edge;
static struct buf told, again;

static void
note(const char *what, struct span a)
{
	/* Beyond its maximum nothing is added, in any run. */
	if (buf_add_str(&told, what) != OK || buf_add_span(&told, a) != OK ||
	    buf_add_str(&told, "|") != OK)
		return;
}

static void
on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	(void)arg;
	(void)req;
	edge_answer(ref, &(struct edge_answer){ .status = 404 });
}

static void
on_connect(void *arg, struct edge_ref s, const struct edge_connect *c)
{
	(void)arg;
	(void)c;
	note("connect ", SPAN(""));
	edge_accept(s);
}

static void
on_event(void *arg, struct edge_ref s, const struct edge_event *e)
{
	const struct edge_args args = { e->args, e->parts, e->parts_n };
	struct blob *b = edge_encode_with(SPAN("/"), e->name, &args);

	(void)arg;
	(void)s;
	note("event ", e->name);
	note("args ", e->args);
	for (uint32_t i = 0; i < e->parts_n; i++)
		note("part ", e->parts[i]);
	if (b == NULL || buf_add_span(&again, blob_span(b)) != OK)
		abort();
	blob_unref(b);
}

static void
on_close(void *arg, struct edge_ref s, enum edge_end why)
{
	(void)arg;
	(void)s;
	note("close ", span_str(edge_end_name(why)));
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
	c.attachments_max = 5;
	c.close_ms = 0;
	buf_init(&told, OUT_MAX);
	buf_init(&again, OUT_MAX);
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
	reactor_tick(reactor, 0);
}

static void
swallow(int fd)
{
	static uint8_t piece[65536];

	while (sys_recv(fd, piece, sizeof piece) > 0)
		reactor_tick(reactor, 0);
}

/* Frames of a client, in two pieces, into a session that has joined "/". */
static void
run(struct span frames, size_t cut)
{
	static const char head[] = "GET /socket.io/?EIO=4&transport=websocket "
	    "HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade"
	    "\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	    "\x81\x82\0\0\0\0" "40";	/* CONNECT */
	struct sys_addr a;
	int fds[2];

	buf_clear(&told);
	buf_clear(&again);
	if (!sys_addr_decode("192.0.2.1", 1000, &a) || sys_pair(fds) != OK ||
	    edge_adopt(edge, fds[0], &a) != OK)
		abort();
	send_all(fds[1], span_of(head, sizeof head - 1));
	swallow(fds[1]);
	send_all(fds[1], span_sub(frames, 0, cut));
	send_all(fds[1], span_sub(frames, cut, frames.n));
	swallow(fds[1]);
	sys_close(fds[1]);
	for (int i = 0; i < 50 && edge_stats(edge)->conns > 0; i++)
		reactor_tick(reactor, 0);
	assert(edge_stats(edge)->conns == 0);
}

static void
put_frame(struct wr *w, enum ws_op op, const char *first, struct span data)
{
	static const uint8_t mask[4] = { 0 };	/* leaves it as it is */
	uint8_t head[WS_HEAD_MAX];
	size_t n = strlen(first) + data.n;

	wr_bytes(w, head, ws_head(head, op, true, false, n, mask));
	wr_str(w, first);
	wr_span(w, data);
}

/* The messages that the input describes, as frames of a client. */
static struct span
frames_of(struct span in)
{
	static uint8_t mem[OUT_MAX];
	struct wr w = wr_init(mem, sizeof mem);
	struct rd r = rd_init(in);

	while (r.n > 0) {
		uint8_t kind = rd_u8(&r);
		size_t n = kind >> 1;
		struct span data = rd_span(&r, n < r.n ? n : r.n);

		put_frame(&w, kind & 1 ? WS_OP_BINARY : WS_OP_TEXT,
		    kind & 1 ? "" : "4", data);
	}
	assert(wr_ok(&w));
	return wr_done(&w);
}

/* Frames of a server as those of a client. */
static struct span
masked(struct span in)
{
	static uint8_t mem[OUT_MAX];
	struct wr w = wr_init(mem, sizeof mem);
	struct rd r = rd_init(in);

	while (r.n > 0) {
		uint8_t op = rd_u8(&r) & 15, len = rd_u8(&r);
		struct span data = rd_span(&r, len < 126 ? len :
		    len == 126 ? rd_u16(&r) : (size_t)rd_u64(&r));

		put_frame(&w, (enum ws_op)op, "", data);
	}
	assert(!r.bad && wr_ok(&w));
	return wr_done(&w);
}

/* What was told of events; the rest is of the session. */
static size_t
events(struct buf *out)
{
	struct span all = buf_span(&told);

	buf_init(out, OUT_MAX);
	while (all.n > 0) {
		size_t n = span_find(all, '|') + 1;
		struct span line = span_sub(all, 0, n);

		if (!span_starts(line, SPAN("connect ")) &&
		    !span_starts(line, SPAN("close ")) &&
		    buf_add_span(out, line) != OK)
			abort();
		all = span_sub(all, n, all.n);
	}
	return out->n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, back;
	struct span frames;

	if (size < 2 || size > 4000)
		return 0;
	start();
	frames = frames_of(span_of(data + 1, size - 1));
	run(frames, frames.n);
	buf_init(&whole, OUT_MAX);
	if (buf_add_span(&whole, buf_span(&told)) != OK)
		abort();
	run(frames, frames.n * data[0] / 256);
	assert(span_eq(buf_span(&whole), buf_span(&told)));
	buf_fini(&whole);
	if (events(&whole) > 0) {
		frames = masked(buf_span(&again));
		run(frames, frames.n);
		(void)events(&back);
		assert(span_eq(buf_span(&whole), buf_span(&back)));
		buf_fini(&back);
	}
	buf_fini(&whole);
	return 0;
}
