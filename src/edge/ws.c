/*
 * ws.c: a connection as a WebSocket: the switch to it, messages out and in,
 * its close. What the messages mean is the business of its owner.
 * exports edge_ws_*
 * Source: RFC 6455.
 */
#include <assert.h>

#include "edge/private.h"

#define EDGE_COPY_MAX 16384	/* bytes; a larger message is a blob */

/* ---- Handshake ---- */

static bool
put_switch(struct conn *c, struct span key, struct span protocol)
{
	struct edge *e = c->edge;
	uint8_t accept[WS_ACCEPT_LEN];
	struct wr w = wr_init(e->scratch, EDGE_SCRATCH);

	if (ws_accept(tls_sha1, key, accept) != OK)
		return false;
	ws_put_answer(&w, accept, protocol);
	edge_zip_put_answer(c, &w);
	if (c->flags & CONN_EIO)
		edge_handshake_cors(e, &w);
	wr_bytes(&w, e->headers,
	    c->flags & CONN_IS_TLS ? e->headers_all_n : e->headers_n);
	http_put_end(&w);
	return wr_ok(&w) && edge_conn_write(c, wr_done(&w));
}

enum err
edge_ws_accept(struct conn *c, const struct http_msg *head,
    const struct ws_ops *ops, void *owner, const struct ws_options *o)
{
	struct span key;

	assert(c->state == CONN_ANSWER);
	TRY(ws_check_request(head, &key));
	if (o->deflate)
		TRY(edge_zip_open(c, head));
	if (!put_switch(c, key, o->protocol)) {
		edge_zip_close(c);
		edge_http_refuse(c, 503, "no room for the answer");
		return ERR_LIMIT;
	}
	ws_init(&c->in.ws, WS_SERVER, o->message_max);
	c->in.ws.deflate = c->zip != NULL;
	edge_conn_enter(c, CONN_WS, 0);
	c->ops = ops;
	c->owner = owner;
	return OK;
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
	if (wr_ok(&w) && c->zip != NULL) {
		ok = edge_zip_send(c, WS_OP_TEXT, wr_done(&w));
	} else if (wr_ok(&w)) {
		n = ws_head(head, WS_OP_TEXT, true, false, w.n, NULL);
		memmove(b->p + n, w.p, w.n);
		memcpy(b->p, head, n);
		b->n = (uint32_t)(n + w.n);
		ok = edge_conn_write_blob(c, b);
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
	if (c->zip != NULL)
		return edge_zip_send(c, WS_OP_TEXT, wr_done(&w));
	n = ws_head(head, WS_OP_TEXT, true, false, w.n, NULL);
	memcpy(text - n, head, n);
	return edge_conn_write(c, span_of(text - n, n + w.n));
}

bool
edge_ws_message(struct conn *c, enum ws_op op, struct span message)
{
	uint8_t head[WS_HEAD_MAX];
	struct blob *b;
	size_t n;
	bool ok;

	if (c->zip != NULL)
		return edge_zip_send(c, op, message);
	if (message.n > EDGE_COPY_MAX) {
		b = edge_ws_encode(message, op == WS_OP_BINARY);
		ok = b != NULL && edge_ws_send_blob(c, b);
		blob_unref(b);
		return ok;
	}
	/* Both or none: half a frame would be worse than none. */
	n = ws_head(head, op, true, false, message.n, NULL);
	return stream_fits(&c->stream, n + message.n) &&
	    edge_conn_write(c, span_of(head, n)) &&
	    edge_conn_write(c, message);
}

bool
edge_ws_send_blob(struct conn *c, struct blob *frames)
{
	return edge_conn_write_blob(c, frames);
}

void
edge_ws_close(struct conn *c, uint16_t code, const char *reason)
{
	uint8_t text[WS_KEEP_MAX];
	struct wr w = wr_init(text, sizeof text);

	c->ops = NULL;
	c->owner = NULL;
	if (c->state != CONN_WS)
		return;
	ws_put_close(&w, code, reason, NULL);
	stream_set_max(&c->stream, UINT32_MAX);
	if (!edge_conn_write(c, wr_done(&w)))
		stream_close(&c->stream);
	edge_zip_close(c);
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
	edge_conn_disown(c, EDGE_SLOW);
	stream_close(&c->stream);
}

static void
closed(struct conn *c, uint16_t code)
{
	edge_conn_disown(c, EDGE_BY_CLIENT);
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
	edge_conn_disown(c, EDGE_PROTOCOL);
	edge_ws_close(c, code, c->in.ws.bad_why);
}

/* Why a piece could not be taken. */
static void
fail(struct conn *c, enum err why)
{
	struct ws *w = &c->in.ws;

	if (why == ERR_TOO_LARGE || why == ERR_FORMAT) {
		w->bad_code = why == ERR_FORMAT ? WS_CODE_DATA :
		    WS_CODE_TOO_BIG;
		w->bad_why = why == ERR_FORMAT ? "bad compressed data" :
		    "message too large";
		bad(c);
		return;
	}
	edge_conn_disown(c, EDGE_LOST);
	edge_ws_close(c, WS_CODE_LATER, "too much is unfinished");
}

/* A piece of a message; the whole one goes on, from the input if it can. */
static void
data(struct conn *c, const struct ws_msg *m)
{
	struct holds *holds = &c->edge->holds;
	struct span msg = m->data;
	struct hold *copy;
	enum err err = OK;

	if (c->ops == NULL)
		return;
	if (m->compressed)
		err = edge_zip_add(c, m);
	else if (c->message != NULL || !m->last)
		err = hold_add(holds, &c->message, m->data);
	if (err != OK) {
		fail(c, err);
		return;
	}
	if (!m->last)
		return;
	copy = c->message;
	c->message = NULL;
	if (copy != NULL || m->compressed)
		msg = hold_span(copy);
	c->ops->on_message(c, msg, m->op == WS_OP_BINARY);
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
