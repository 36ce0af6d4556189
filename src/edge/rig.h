/*
 * rig.h: for the tests of this folder: an edge with a small application, and
 * clients that are one end of a socket pair and speak raw bytes. All on one
 * thread: nothing happens but in rig_run.
 *
 * The application answers by path (/now, /later, /large, ...) and by event
 * (echo, ask, kick, ...) and writes what it is told into rig.log.
 */
#ifndef EDGE_RIG_H
#define EDGE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/private.h"
#include "edge/sio.h"

#define RIG_OUT_MAX (8u << 20)
#define RIG static __attribute__((unused))

static struct {
	struct reactor *reactor;
	struct edge *edge;
	struct buf log;
	struct edge_ref later;		/* request or socket not answered yet */
	struct edge_ref sock;		/* last accepted socket */
	bool drained;
	unsigned refused_n;
	bool own_refusals;
	bool ask_later;			/* sockets are accepted by the test */
	int handshake_status;
	size_t body_max;
	/* of a single test */
	void (*on_head)(struct edge_ref ref, const struct edge_request *req,
	    struct edge_body *body);
	void (*on_request)(struct edge_ref ref,
	    const struct edge_request *req);
} rig;

/* What an application would keep of a socket. */
static int rig_user;

RIG void
rig_note(const char *what, struct span a, struct span b)
{
	assert_int_equal(buf_add_str(&rig.log, what), OK);
	if (a.n > 0) {
		assert_int_equal(buf_add_str(&rig.log, " "), OK);
		assert_int_equal(buf_add_span(&rig.log, a), OK);
	}
	if (b.n > 0) {
		assert_int_equal(buf_add_str(&rig.log, " "), OK);
		assert_int_equal(buf_add_span(&rig.log, b), OK);
	}
	assert_int_equal(buf_add_str(&rig.log, "\n"), OK);
}

RIG void
rig_on_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	static const struct http_field f[] = {
		{ { (const uint8_t *)"X-Test", 6 },
		    { (const uint8_t *)"yes", 3 } },
	};
	struct edge_answer a = { .status = 200, .headers = f, .headers_n = 1,
	    .body = req->body };
	struct span path = req->head->path;

	assert_ptr_equal(arg, &rig);
	rig_note("request", req->head->method_text, req->head->target);
	if (rig.on_request != NULL) {
		rig.on_request(ref, req);
		return;
	}
	if (span_eq(path, SPAN("/later"))) {
		rig.later = ref;
		return;
	}
	if (span_eq(path, SPAN("/empty")))
		a.status = 204;
	if (span_eq(path, SPAN("/close")))
		a.close = true;
	if (span_eq(path, SPAN("/host")))
		a.body = http_find(req->head, "Host");
	if (span_eq(path, SPAN("/blob")))
		a.blob = blob_dup(SPAN("from a blob"));
	if (span_eq(path, SPAN("/bad-field"))) {
		static const struct http_field bad = {
			{ (const uint8_t *)"X-Bad", 5 },
			{ (const uint8_t *)"a\r\nb: c", 7 } };

		a.headers = &bad;
	}
	edge_answer(ref, &a);
	edge_answer(ref, &a);	/* a second answer is none */
	blob_unref(a.blob);
}

RIG void
rig_on_head(void *arg, struct edge_ref ref, const struct edge_request *req,
    struct edge_body *body)
{
	(void)arg;
	assert_true(req->head->has_body);
	assert_int_equal(req->body.n, 0);
	assert_int_equal(body->how, EDGE_HOLD);
	if (rig.body_max > 0)
		body->max = rig.body_max;
	if (rig.on_head != NULL)
		rig.on_head(ref, req, body);
}

RIG void
rig_on_refused(void *arg, struct edge_ref ref, int status, const char *why)
{
	struct edge_answer a = { .status = status,
	    .body = SPAN("{\"refused\":true}") };

	(void)arg;
	assert_true(why != NULL && why[0] != '\0');	/* it says what */
	rig.refused_n++;
	if (rig.own_refusals)
		edge_answer(ref, &a);
}

RIG int
rig_on_handshake(void *arg, struct edge_handshake *h)
{
	(void)arg;
	rig_note("handshake", h->origin, SPAN(""));
	if (span_eq(h->origin, SPAN("https://evil.example")))
		return 403;
	assert_true(sys_addr_decode("203.0.113.7", 0, h->addr));
	return rig.handshake_status;
}

RIG void
rig_on_connect(void *arg, struct edge_ref s, const struct edge_connect *c)
{
	char ip[SYS_ADDR_TEXT];

	(void)arg;
	sys_addr_text(&c->addr, ip);
	assert_string_equal(ip, "203.0.113.7");
	rig_note("connect", c->nsp, c->auth);
	assert_false(edge_is_open(s));
	assert_true(span_eq(edge_sock_nsp(s), c->nsp));
	if (span_starts(c->nsp, SPAN("/nowhere"))) {
		edge_refuse(s, SPAN("Invalid namespace"), SPAN(""));
	} else if (rig.ask_later ||
	    span_eq(c->auth, SPAN("{\"token\":\"later\"}"))) {
		rig.later = s;
	} else if (span_eq(c->auth, SPAN("{\"token\":\"bad\"}"))) {
		edge_refuse(s, SPAN("no \"entry\""), SPAN("{\"code\":7}"));
		edge_accept(s);	/* too late for that */
	} else if (span_eq(c->auth, SPAN("{\"token\":\"guest\"}"))) {
		edge_accept_guest(s);
		edge_accept(s);	/* too late for that */
		edge_set_user(s, &rig_user);
		rig.sock = s;
	} else {
		edge_accept(s);
		edge_accept(s);	/* once only */
		edge_refuse(s, SPAN("no"), SPAN(""));
		assert_true(edge_is_open(s));
		assert_int_equal(edge_sock_id(s).n, EDGE_SOCK_ID);
		edge_set_user(s, &rig_user);
		rig.sock = s;
	}
}

RIG void
rig_on_answer(void *arg, struct edge_ref s, enum edge_answered how,
    const struct edge_args *args)
{
	static const char *const names[] = { "answered", "timed out",
	    "no answer" };

	(void)s;
	assert_ptr_equal(arg, &rig);
	rig_note(names[how], args->json, args->parts_n > 0 ?
	    args->parts[0] : SPAN(""));
}

RIG void
rig_on_event(void *arg, struct edge_ref s, const struct edge_event *e)
{
	(void)arg;
	rig_note("event", e->name, e->args);
	assert_ptr_equal(edge_user(s), &rig_user);
	if (span_eq(e->name, SPAN("echo"))) {
		const struct edge_args all = { e->args, e->parts,
		    e->parts_n };

		if (e->ack >= 0)
			edge_ack_with(s, e->ack, &all);
		else
			edge_emit_with(s, SPAN("echoed"), &all, false);
	} else if (span_eq(e->name, SPAN("first"))) {
		edge_emit_one(s, SPAN("first"), e->first);
	} else if (span_eq(e->name, SPAN("ask"))) {
		edge_ask(s, SPAN("question"), &(struct edge_args){ e->args,
		    e->parts, e->parts_n }, 50, rig_on_answer, &rig);
	} else if (span_eq(e->name, SPAN("kick"))) {
		edge_disconnect(s, false);
		edge_emit_one(s, SPAN("unheard"), SPAN("1"));
	} else if (span_eq(e->name, SPAN("kill"))) {
		edge_emit_one(s, SPAN("last words"), SPAN("1"));
		edge_disconnect(s, true);
		assert_false(edge_is_open(s));
	}
}

RIG void
rig_on_close(void *arg, struct edge_ref s, enum edge_end why)
{
	(void)arg;
	assert_false(edge_is_open(s));
	edge_emit_one(s, SPAN("nobody"), SPAN("1"));	/* harmless */
	edge_disconnect(s, true);
	rig_note("close", span_str(edge_end_name(why)), SPAN(""));
}

static const struct edge_app rig_app = { .arg = &rig,
    .on_request = rig_on_request, .on_head = rig_on_head,
    .on_refused = rig_on_refused, .on_handshake = rig_on_handshake,
    .on_connect = rig_on_connect, .on_event = rig_on_event,
    .on_close = rig_on_close };

RIG void
rig_start(const struct edge_conf *c)
{
	buf_init(&rig.log, RIG_OUT_MAX);
	assert_int_equal(reactor_open(3, &rig.reactor), OK);
	reactor_adopt(rig.reactor);
	assert_int_equal(edge_open(rig.reactor, c, &rig_app, &rig.edge), OK);
}

RIG int
rig_setup(void **state)
{
	struct edge_conf c;

	(void)state;
	memset(&rig, 0, sizeof rig);
	edge_conf_default(&c);
	rig_start(&c);
	return 0;
}

RIG int
rig_teardown(void **state)
{
	(void)state;
	edge_close(rig.edge);
	reactor_close(rig.reactor);
	buf_fini(&rig.log);
	return 0;
}

/* Another configuration than the default one. */
RIG void
rig_restart(const struct edge_conf *c)
{
	rig_teardown(NULL);
	rig_start(c);
}

RIG void
rig_run(int ticks)
{
	while (ticks-- > 0)
		reactor_tick(rig.reactor, 0);
}

/* Ends a client: a connection that is over has left nothing behind. */
RIG void
rig_assert_clean(int fd)
{
	sys_close(fd);
	rig_run(5);
	assert_int_equal(edge_stats(rig.edge)->conns, 0);
	assert_int_equal(rig.edge->exchanges.n, 0);
	assert_int_equal(edge_stats(rig.edge)->spooled, 0);
	assert_int_equal(rig.edge->holds.bytes, 0);
	assert_int_equal(rig.edge->holds.queued, 0);
	assert_int_equal(reactor_pool_chunks(rig.reactor)->n_used, 0);
}

RIG void
rig_run_ms(uint64_t ms)
{
	uint64_t end = sys_mono_us() + ms * 1000;

	while (sys_mono_us() < end)
		reactor_tick(rig.reactor, 2);
}

RIG int
rig_client(void)
{
	struct sys_addr a;
	int fds[2];

	assert_true(sys_addr_decode("192.0.2.1", 1000, &a));
	assert_int_equal(sys_pair(fds), OK);
	assert_int_equal(edge_adopt(rig.edge, fds[0], &a), OK);
	return fds[1];
}

RIG void
rig_send(int fd, struct span bytes)
{
	for (int i = 0; bytes.n > 0; i++) {
		struct sys_iov v = { bytes.p, bytes.n };
		long n = sys_sendv(fd, &v, 1);

		assert_true(i < 100000);
		if (n == SYS_ERROR)
			return;		/* the edge has had enough */
		if (n > 0)
			bytes = span_sub(bytes, (size_t)n, bytes.n);
		rig_run(1);
	}
	rig_run(3);
}

/* Adds what the edge has sent to out; true at its end. */
/* Sends it again and again until the edge takes no more; whole rounds sent. */
RIG unsigned
rig_flood(int fd, struct span bytes)
{
	size_t at = 0;
	unsigned rounds = 0;

	for (int stuck = 0; stuck < 50 && rounds < 5000; rig_run(2)) {
		struct sys_iov v = { bytes.p + at, bytes.n - at };
		long n = sys_sendv(fd, &v, 1);

		if (n == SYS_ERROR)
			break;
		stuck = n > 0 ? 0 : stuck + 1;
		if (n > 0 && (at += (size_t)n) == bytes.n) {
			at = 0;
			rounds++;
		}
	}
	return rounds;
}

RIG bool
rig_recv(int fd, struct buf *out)
{
	static uint8_t piece[65536];

	for (;;) {
		long n = sys_recv(fd, piece, sizeof piece);

		if (n == SYS_AGAIN)
			return false;
		if (n <= 0)
			return true;
		assert_int_equal(buf_add(out, piece, (size_t)n), OK);
		rig_run(1);
	}
}

/* Everything that was sent, as text; and whether the edge ended it. */
static struct buf rig_got;

RIG const char *
rig_text(int fd, bool *ended)
{
	bool end;

	buf_fini(&rig_got);
	buf_init(&rig_got, RIG_OUT_MAX);
	rig_run(3);
	end = rig_recv(fd, &rig_got);
	if (ended != NULL)
		*ended = end;
	assert_int_equal(buf_add(&rig_got, "", 1), OK);
	return (const char *)rig_got.p;
}

RIG bool
rig_logged(const char *line)
{
	struct span all = buf_span(&rig.log);
	size_t n = strlen(line);

	while (all.n > 0) {
		size_t end = span_find(all, '\n');

		if (end == n && memcmp(all.p, line, n) == 0)
			return true;
		all = span_sub(all, end + 1, all.n);
	}
	return false;
}

RIG size_t
rig_log_lines(void)
{
	size_t n = 0;

	for (size_t i = 0; i < rig.log.n; i++)
		n += rig.log.p[i] == '\n';
	return n;
}

/* ---- WebSocket clients ---- */

#define RIG_UPGRADE "Host: localhost\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define RIG_WS_PATH "/socket.io/?EIO=4&transport=websocket"
#define RIG_HANDSHAKE "GET " RIG_WS_PATH " HTTP/1.1\r\n" RIG_UPGRADE "\r\n"

/* A masked frame; the bytes are good until the next call. */
RIG struct span
rig_frame(enum ws_op op, bool fin, struct span data)
{
	static uint8_t out[RIG_OUT_MAX];
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	size_t n = ws_head(out, op, fin, false, data.n, mask);

	memcpy(out + n, data.p, data.n);
	ws_mask(out + n, data.n, mask, 0);
	return span_of(out, n + data.n);
}

RIG void
rig_send_text(int fd, const char *text)
{
	rig_send(fd, rig_frame(WS_OP_TEXT, true, span_str(text)));
}

/* CONNECT's answer, with its ids as *. */
RIG void
rig_put_connect(struct wr *w, struct span data)
{
	size_t at = span_find(data, '{');
	struct span ids = span_sub(data, at, data.n);
	bool has_pid = ids.n > 8 + EDGE_SOCK_ID + 2;

	assert_true(span_starts(ids, SPAN("{\"sid\":\"")));
	assert_int_equal(ids.n, 8 + EDGE_SOCK_ID + 2 +
	    (has_pid ? 9 + EDGE_SOCK_ID : 0));
	wr_str(w, "T ");
	wr_span(w, span_sub(data, 0, at));
	wr_str(w, has_pid ? "{\"sid\":\"*\",\"pid\":\"*\"}" :
	    "{\"sid\":\"*\"}");
}

/*
 * The frames in what was received, one line each: "T text", "B data", "P data"
 * (pong), "C code", and "END". Socket ids become *.
 */
RIG const char *
rig_frames(int fd)
{
	static uint8_t text[RIG_OUT_MAX];
	struct wr w = wr_init(text, sizeof text - 1);
	bool ended;
	struct rd r;

	(void)rig_text(fd, &ended);
	r = rd_init(span_of(rig_got.p, rig_got.n - 1));
	while (r.n > 0) {
		uint8_t op = rd_u8(&r), len = rd_u8(&r);
		struct span data = rd_span(&r, len < 126 ? len :
		    len == 126 ? rd_u16(&r) : (size_t)rd_u64(&r));

		assert_true(op & 0x80);		/* FIN */
		assert_false(r.bad);
		if (op == 0x81 && span_starts(data, SPAN("40"))) {
			rig_put_connect(&w, data);
		} else if (op == 0x82) {
			wr_str(&w, "B ");
			wr_span(&w, data);
		} else if (op == 0x81) {
			wr_str(&w, "T ");
			wr_span(&w, data);
		} else if (op == 0x8a) {
			wr_str(&w, "P ");
			wr_span(&w, data);
		} else if (op == 0x88) {
			wr_str(&w, "C ");
			wr_dec(&w, data.n < 2 ? 0 : (uint64_t)data.p[0] << 8 |
			    data.p[1]);
		} else {
			fail_msg("frame with first byte %02x", op);
		}
		wr_str(&w, "\n");
	}
	if (ended)
		wr_str(&w, "END\n");
	text[w.n] = '\0';
	return (const char *)text;
}

/* A client with its session open; the answer and open packet are read. */
RIG int
rig_ws(void)
{
	int fd = rig_client();
	const char *got;

	rig_send(fd, SPAN(RIG_HANDSHAKE));
	got = rig_text(fd, NULL);
	assert_non_null(strstr(got, "HTTP/1.1 101 "));
	assert_non_null(strstr(got, "0{\"sid\":\""));
	return fd;
}

/* ... and a socket in the default namespace. */
RIG int
rig_sio(void)
{
	int fd = rig_ws();

	rig_send_text(fd, "40");
	assert_string_equal(rig_frames(fd), "T 40{\"sid\":\"*\"}\n");
	return fd;
}

/* ... and one in another, which is then rig.sock. */
RIG void
rig_join(int fd, const char *nsp)
{
	char text[300];

	(void)snprintf(text, sizeof text, "40%s,", nsp);
	rig_send_text(fd, text);
	(void)snprintf(text, sizeof text, "T 40%s,{\"sid\":\"*\"}\n", nsp);
	assert_string_equal(rig_frames(fd), text);
}

RIG void
rig_send_binary(int fd, struct span bytes)
{
	rig_send(fd, rig_frame(WS_OP_BINARY, true, bytes));
}

RIG int
rig_fini(void **state)
{
	buf_fini(&rig_got);
	return rig_teardown(state);
}

#define RIG_TEST(t) cmocka_unit_test_setup_teardown(t, rig_setup, rig_fini)

#endif
