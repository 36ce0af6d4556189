/*
 * wsapp.c: WebSockets of the application's own (edge.h, "WebSocket"). Each has
 * a slot that outlives its connection until the application was told that it
 * is over, at the end of the tick.
 * exports edge_wsapp_*, edge_upgrade, edge_ws_offers, edge_ws_write,
 *     edge_ws_encode, edge_ws_write_blob, edge_ws_waiting, edge_ws_end,
 *     edge_ws_set_user, edge_ws_user
 */
#include <assert.h>

#include "edge/private.h"
#include "wire/ws_ext.h"

static struct edge_ref
ref_of(const struct wsapp *a)
{
	return (struct edge_ref){ a->edge, a->slot.index,
	    a->slot.generation };
}

static struct wsapp *
find(struct edge_ref ref)
{
	if (ref.edge == NULL)
		return NULL;
	assert(reactor_self() == ref.edge->reactor);
	return slab_find(&ref.edge->wsapps, ref.index, ref.generation);
}

/* ---- Its end ---- */

/* Its connection is not its own any more; the application hears of it. */
static void
over(struct wsapp *a, enum edge_end why, uint16_t code)
{
	struct edge *e = a->edge;

	timer_cancel(&a->idle);
	a->conn = NULL;
	a->end = (uint8_t)why;
	a->code = code;
	list_push(&e->ws_over, &a->link);
	reactor_flush(e->reactor, &e->ws_tell);
}

void
edge_wsapp_tell(struct flush *f)
{
	struct edge *e = (struct edge *)(void *)((char *)f -
	    offsetof(struct edge, ws_tell));
	const struct edge_app *app = e->app;
	struct list *l;

	while ((l = list_pop(&e->ws_over)) != NULL) {
		struct wsapp *a = LIST_ITEM(l, struct wsapp, link);

		if (app->on_ws_close != NULL)
			app->on_ws_close(app->arg, ref_of(a), a->code,
			    (enum edge_end)a->end);
		slab_put(&e->wsapps, a);
		e->stats.websockets--;
	}
	if (e->draining)
		reactor_flush(e->reactor, &e->drained);
}

static void
on_end(struct conn *c, enum edge_end why)
{
	over(c->owner, why, why == EDGE_PROTOCOL ? c->in.ws.bad_code :
	    c->in.ws.peer_code);
}

static void
end_slow(struct wsapp *a)
{
	struct conn *c = a->conn;

	a->edge->stats.slow_readers++;
	c->ops = NULL;
	c->owner = NULL;
	over(a, EDGE_SLOW, WS_CODE_LOST);
	stream_close(&c->stream);
}

/* ---- Silence ---- */

static void on_idle(struct timer *t);

static void
time_idle(struct wsapp *a)
{
	uint64_t ms = a->edge->conf.ws_idle_ms;

	if (ms > 0)
		timer_start(reactor_wheel(a->edge->reactor), &a->idle, ms,
		    on_idle);
}

static void
end_idle(struct wsapp *a)
{
	struct conn *c = a->conn;
	bool reads = stream_waiting(&c->stream) == 0;

	a->edge->stats.ws_idle++;
	edge_ws_close(c, WS_CODE_NORMAL, "ping timeout");
	over(a, EDGE_PING, WS_CODE_LOST);
	/* Who takes nothing can not be told. */
	if (!reads)
		stream_close(&c->stream);
}

/* RFC 6455 5.5.2: a ping finds out whether the peer is there at all. */
static bool
ping(struct conn *c)
{
	uint8_t text[WS_HEAD_MAX];
	struct wr w = wr_init(text, sizeof text);

	ws_put(&w, WS_OP_PING, SPAN(""), NULL);
	return edge_conn_write(c, wr_done(&w));
}

/*
 * A peer is alive when bytes came from it since the last time, or when it has
 * read some of what waits for it: while much waits, it is not read.
 */
static void
on_idle(struct timer *t)
{
	struct wsapp *a = (struct wsapp *)(void *)((char *)t -
	    offsetof(struct wsapp, idle));
	struct conn *c = a->conn;
	size_t waits = stream_waiting(&c->stream);
	bool alive = c->in.ws.heard || waits < a->waited;

	if (!alive && a->pinged) {
		end_idle(a);
		return;
	}
	c->in.ws.heard = false;
	a->pinged = !alive;
	if (!alive && !ping(c)) {
		end_slow(a);
		return;
	}
	a->waited = waits;	/* without the ping */
	time_idle(a);
}

/* ---- Messages in ---- */

static void
on_message(struct conn *c, struct span message, bool binary)
{
	const struct edge_app *app = c->edge->app;
	struct wsapp *a = c->owner;

	c->edge->stats.ws_messages++;
	if (app->on_ws_message != NULL)
		app->on_ws_message(app->arg, ref_of(a), message, binary);
}

static const struct ws_ops ops = { .on_message = on_message,
    .on_end = on_end };

/* ---- Its beginning ---- */

static bool
refuse(struct edge_ref request, int status, const char *why)
{
	/* RFC 6455 4.4: which version would do; RFC 9110 7.8. */
	struct http_field f[] = {
		{ SPAN("Sec-WebSocket-Version"), SPAN("13") },
		{ SPAN("Content-Type"), SPAN("text/plain; charset=utf-8") },
		{ SPAN("Upgrade"), SPAN("websocket") },
		{ SPAN("Connection"), SPAN("Upgrade") },
	};
	struct edge_answer a = { .status = status, .headers = f,
	    .headers_n = status == 426 ? 4 : 2, .body = span_str(why),
	    .close = true };

	request.edge->stats.bad_handshakes++;
	edge_answer(request, &a);
	return false;
}

bool
edge_upgrade(struct edge_ref request, const struct edge_request *req,
    const struct edge_upgrade *u, struct edge_ref *ws_out)
{
	struct conn *c = edge_conn_find(request);
	struct edge *e = request.edge;
	struct ws_options o = {
		.message_max = u->message_max,
		.deflate = u->deflate,
	};
	struct wsapp *a;
	struct span key;

	*ws_out = (struct edge_ref){ 0 };
	if (c == NULL || c->state != CONN_ANSWER ||
	    (c->flags & CONN_STREAM) != 0)
		return false;
	if (ws_check_request(req->head, &key) != OK)
		return refuse(request, ws_refusal(req->head),
		    "not a WebSocket handshake\n");
	if (e->draining || (a = slab_get(&e->wsapps)) == NULL)
		return refuse(request, 503, "no room\n");
	if (o.message_max == 0)
		o.message_max = e->conf.message_max;
	/* RFC 6455 4.2.2, item 5: one of those that were offered. */
	if (edge_ws_offers(req, u->protocol))
		o.protocol = u->protocol;
	if (edge_ws_accept(c, req->head, &ops, a, &o) != OK) {
		slab_put(&e->wsapps, a);
		return false;
	}
	a->edge = e;
	a->conn = c;
	e->stats.websockets++;
	time_idle(a);
	*ws_out = ref_of(a);
	return true;
}

bool
edge_ws_offers(const struct edge_request *req, struct span protocol)
{
	return protocol.n > 0 && ws_ext_has_protocol(req->head, protocol);
}

/* ---- Messages out ---- */

/* A large message waits as long as its peer likes: not many such at once. */
static bool
fits(const struct edge *e, size_t n)
{
	size_t max = e->conf.held_max, used = e->holds.bytes + e->holds.queued;

	return n <= EDGE_CLOG || max == 0 || (used <= max && n <= max - used);
}

/* The one message beyond the limit of a queue that is nearly empty. */
static uint32_t
room_for(const struct conn *c)
{
	return edge_conn_is_clogged(c) ? c->edge->conf.out_max : UINT32_MAX;
}

static bool
no_room(struct wsapp *a)
{
	edge_ws_end(ref_of(a), WS_CODE_LATER, "too much waits");
	return false;
}

bool
edge_ws_write(struct edge_ref ws, struct span message, bool binary)
{
	struct wsapp *a = find(ws);
	struct conn *c = a == NULL ? NULL : a->conn;
	bool ok;

	if (c == NULL)
		return false;
	if (!fits(a->edge, message.n))
		return no_room(a);
	stream_set_max(&c->stream, room_for(c));
	ok = edge_ws_message(c, binary ? WS_OP_BINARY : WS_OP_TEXT, message);
	stream_set_max(&c->stream, a->edge->conf.out_max);
	if (!ok)
		end_slow(a);
	return ok;
}

struct blob *
edge_ws_encode(struct span message, bool binary)
{
	uint8_t head[WS_HEAD_MAX];
	size_t n = ws_head(head, binary ? WS_OP_BINARY : WS_OP_TEXT, true,
	    false, message.n, NULL);
	struct blob *b = message.n > UINT32_MAX - n ? NULL :
	    blob_new(n + message.n);

	if (b == NULL)
		return NULL;
	memcpy(b->p, head, n);
	if (message.n > 0)
		memcpy(b->p + n, message.p, message.n);
	return b;
}

bool
edge_ws_write_blob(struct edge_ref ws, struct blob *frames)
{
	struct wsapp *a = find(ws);
	struct conn *c = a == NULL ? NULL : a->conn;
	bool ok;

	if (c == NULL)
		return false;
	stream_set_max(&c->stream, room_for(c));
	ok = edge_ws_send_blob(c, frames);
	stream_set_max(&c->stream, a->edge->conf.out_max);
	if (!ok)
		end_slow(a);
	return ok;
}

size_t
edge_ws_waiting(struct edge_ref ws)
{
	struct wsapp *a = find(ws);

	return a == NULL || a->conn == NULL ? 0 :
	    stream_waiting(&a->conn->stream);
}

void
edge_ws_end(struct edge_ref ws, uint16_t code, const char *reason)
{
	struct wsapp *a = find(ws);

	if (a == NULL || a->conn == NULL)
		return;
	edge_ws_close(a->conn, code, reason);
	over(a, EDGE_BY_APP, code);
}

void
edge_ws_set_user(struct edge_ref ws, void *user)
{
	struct wsapp *a = find(ws);

	if (a != NULL)
		a->user = user;
}

void *
edge_ws_user(struct edge_ref ws)
{
	struct wsapp *a = find(ws);

	return a == NULL ? NULL : a->user;
}
