/*
 * ws.c: the WebSocket handshake on the Engine.IO path, and its frames.
 * exports edge_ws_*
 */
#include <assert.h>

#include "edge/private.h"

#define PARAMS_MAX 16

bool
edge_ws_is_path(struct span path)
{
	return span_eq(path, SPAN("/socket.io/")) ||
	    span_eq(path, SPAN("/socket.io"));
}

/* ---- Handshake ---- */

static struct span
param(const struct shape_param *p, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(p[i].name, name))
			return p[i].value;
	}
	return (struct span){ NULL, 0 };
}

/*
 * What is wrong with the request as engine.io would say, in its order; false:
 * nothing. WebSocket is the only transport, so any other is unknown.
 */
static bool
is_refused(struct edge *e, const struct http_msg *h, enum eio_error *why)
{
	struct shape_param p[PARAMS_MAX];
	size_t n = PARAMS_MAX;
	struct arena a;

	arena_init(&a, e->names, EDGE_SCRATCH);
	*why = EIO_ERR_REQUEST;
	if (http_query(h->query, &a, p, &n) != OK)
		return true;
	*why = EIO_ERR_TRANSPORT;
	if (!span_eq(param(p, n, SPAN("transport")), SPAN("websocket")))
		return true;
	*why = EIO_ERR_SID;	/* no session waits to be upgraded */
	if (param(p, n, SPAN("sid")).n > 0)
		return true;
	*why = EIO_ERR_METHOD;
	if (h->method != HTTP_M_GET)
		return true;
	*why = EIO_ERR_REQUEST;
	if (!h->upgrade)
		return true;
	*why = EIO_ERR_VERSION;
	return !span_eq(param(p, n, SPAN("EIO")), SPAN("4"));
}

static void
refuse(struct conn *c, int status, enum eio_error why)
{
	uint8_t text[256];
	struct wr w = wr_init(text, sizeof text);
	/* RFC 6455 4.4: says which version would do */
	struct http_field f[2] = {
		{ SPAN("Content-Type"), SPAN("application/json") },
		{ SPAN("Sec-WebSocket-Version"), SPAN("13") },
	};
	struct edge_answer a = { .status = status, .headers = f,
	    .headers_n = why == EIO_ERR_REQUEST ? 2 : 1, .close = true };

	c->edge->stats.bad_handshakes++;
	eio_put_error(&w, why);
	a.body = wr_done(&w);
	edge_answer((struct edge_ref){ c->edge, c->slot.index,
	    c->slot.generation }, &a);
}

static bool
put_switch(struct conn *c, struct span key)
{
	struct edge *e = c->edge;
	uint8_t accept[WS_ACCEPT_LEN];
	struct wr w = wr_init(e->scratch, EDGE_SCRATCH);

	if (ws_accept(tls_sha1, key, accept) != OK)
		return false;
	ws_put_answer(&w, accept, SPAN(""));
	wr_bytes(&w, e->headers,
	    c->flags & CONN_IS_TLS ? e->headers_all_n : e->headers_n);
	http_put_end(&w);
	return wr_ok(&w) && edge_conn_write(c, wr_done(&w));
}

void
edge_ws_handshake(struct conn *c, const struct edge_request *req)
{
	struct edge *e = c->edge;
	struct sys_addr addr = c->peer;
	struct edge_handshake h = { req, http_find(req->head, "Origin"),
	    &addr };
	enum eio_error why;
	struct span key;
	int status = 0;

	if (is_refused(e, req->head, &why)) {
		refuse(c, 400, why);
		return;
	}
	if (ws_check_request(req->head, &key) != OK) {
		refuse(c, 400, EIO_ERR_REQUEST);
		return;
	}
	if (e->draining)
		status = 503;
	else if (e->app->on_handshake != NULL)
		status = e->app->on_handshake(e->app->arg, &h);
	if (status != 0) {
		refuse(c, status, EIO_ERR_FORBIDDEN);
		return;
	}
	if (!put_switch(c, key)) {
		edge_http_refuse(c, 503, "no room for the answer");
		return;
	}
	ws_init(&c->in.ws, WS_SERVER, e->conf.message_max < EDGE_JOIN_MAX ?
	    e->conf.message_max : EDGE_JOIN_MAX);
	edge_conn_enter(c, CONN_WS, 0);
	/* As many sessions as connections: there is a slot. */
	if (edge_session_open(c, &addr) == NULL)
		edge_ws_close(c, WS_CODE_LATER, "no room");
}

/* ---- Frames out ---- */

/* Larger than the scratch buffer: a blob of its own. */
static bool
send_large(struct conn *c, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg)
{
	uint8_t head[WS_HEAD_MAX];
	struct blob *b = blob_new(WS_HEAD_MAX + room);
	struct wr w;
	size_t n;
	bool ok = false;

	if (b == NULL)
		return false;
	w = wr_init(b->p + WS_HEAD_MAX, room);
	fill(&w, arg);
	if (wr_ok(&w)) {
		n = ws_head(head, WS_OP_TEXT, true, false, w.n, NULL);
		memmove(b->p + n, w.p, w.n);
		memcpy(b->p, head, n);
		b->n = (uint32_t)(n + w.n);
		c->edge->stats.bytes_out += b->n;
		ok = stream_write_blob(&c->stream, b) == OK;
	}
	blob_unref(b);
	return ok;
}

bool
edge_ws_send(struct conn *c, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg)
{
	uint8_t *text = c->edge->scratch + WS_HEAD_MAX;
	uint8_t head[WS_HEAD_MAX];
	struct wr w = wr_init(text, EDGE_SCRATCH - WS_HEAD_MAX);
	size_t n;

	if (room > w.cap)
		return send_large(c, room, fill, arg);
	fill(&w, arg);
	if (!wr_ok(&w))
		return false;
	n = ws_head(head, WS_OP_TEXT, true, false, w.n, NULL);
	memcpy(text - n, head, n);
	return edge_conn_write(c, span_of(text - n, n + w.n));
}

void
edge_ws_close(struct conn *c, uint16_t code, const char *reason)
{
	uint8_t text[WS_KEEP_MAX];
	struct wr w = wr_init(text, sizeof text);

	if (c->state != CONN_WS)
		return;
	ws_put_close(&w, code, reason, NULL);
	if (!edge_conn_write(c, wr_done(&w)))
		stream_close(&c->stream);
	edge_conn_finish(c);
}

/* ---- Frames in ---- */

static void
pong(struct conn *c, struct span data)
{
	uint8_t text[WS_KEEP_MAX];
	struct wr w = wr_init(text, sizeof text);

	ws_put(&w, WS_OP_PONG, data, NULL);
	if (edge_conn_write(c, wr_done(&w)))
		return;
	c->edge->stats.slow_readers++;
	if (c->session != NULL)
		edge_session_end(c->session, EDGE_SLOW);
	stream_close(&c->stream);
}

static void
closed(struct conn *c, uint16_t code)
{
	if (c->session != NULL)
		edge_session_end(c->session, EDGE_BY_CLIENT);
	/* RFC 6455 5.5.1: the code is echoed; none stays none. */
	edge_ws_close(c, code == WS_CODE_NONE ? 0 : code, "");
}

static void
bad(struct conn *c)
{
	uint16_t code = c->in.ws.bad_code;

	if (code == WS_CODE_TOO_BIG)
		c->edge->stats.message_large++;
	else
		c->edge->stats.bad_frames++;
	if (c->session != NULL)
		edge_session_end(c->session, EDGE_PROTOCOL);
	edge_ws_close(c, code, c->in.ws.bad_why);
}

/* A piece of a message; the whole one goes on, from the input if it can. */
static void
data(struct conn *c, const struct ws_msg *m)
{
	struct holds *holds = &c->edge->holds;
	struct span msg = m->data;
	struct hold *copy;

	if (c->session == NULL)
		return;
	if ((c->message != NULL || !m->last) &&
	    hold_add(holds, &c->message, m->data) != OK) {
		edge_session_end(c->session, EDGE_LOST);
		edge_ws_close(c, WS_CODE_LATER, "too much is unfinished");
		return;
	}
	if (!m->last)
		return;
	copy = c->message;
	c->message = NULL;
	if (copy != NULL)
		msg = hold_span(copy);
	edge_session_message(c->session, msg, m->op == WS_OP_BINARY);
	hold_drop(holds, &copy);
}

size_t
edge_ws_input(struct conn *c, uint8_t *p, size_t n)
{
	struct ws_msg m;
	size_t at = 0;

	while (c->state == CONN_WS && !stream_is_closing(&c->stream)) {
		if (edge_conn_is_clogged(c))
			return at;
		size_t used = 0;
		enum ws_ev ev = ws_next(&c->in.ws, p + at, n - at, &used, &m);

		at += used;
		switch (ev) {
		case WS_MORE:
			return at;
		case WS_DATA:
			data(c, &m);
			break;
		case WS_PING:
			pong(c, m.data);
			break;
		case WS_PONG:
			break;
		case WS_CLOSE:
			closed(c, m.code);
			break;
		case WS_BAD:
			bad(c);
			break;
		}
	}
	return n;
}
