/*
 * handshake.c: requests for an Engine.IO path: which session they mean or
 * begin, or what is wrong with them.
 * exports edge_handshake_*
 * Source: Engine.IO protocol, revision 4.
 */
#include <assert.h>

#include "edge/private.h"

#define PARAMS_MAX 16

const struct eio_path *
edge_handshake_path(const struct edge *e, struct span path)
{
	for (size_t i = 0; i < e->paths_n; i++) {
		const struct eio_path *p = &e->paths[i];

		/* "/socket.io" is meant with "/socket.io/" */
		if ((path.n == p->n || path.n + 1 == p->n) &&
		    memcmp(path.p, p->text, path.n) == 0)
			return p;
	}
	return NULL;
}

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
	struct span key;

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
	if (!span_eq(param(p, n, SPAN("EIO")), SPAN("4")))
		return true;
	*why = EIO_ERR_REQUEST;
	return ws_check_request(h, &key) != OK;
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

/* A new session over the WebSocket that this request becomes. */
static void
begin_websocket(struct conn *c, struct session *s,
    const struct http_msg *head)
{
	struct edge *e = c->edge;
	uint32_t max = e->conf.message_max;

	if (s->kind == EDGE_SOCKET_IO && e->conf.join_max > 0 &&
	    e->conf.join_max < max)
		max = e->conf.join_max;
	if (edge_ws_accept(c, head, &edge_session_ws_ops, s,
	    &(struct ws_options){ .message_max = max }) == OK)
		(void)edge_session_open(s, c);
	else
		edge_session_close(s, EDGE_LOST, WS_CODE_NORMAL, "");
}

void
edge_handshake_request(struct conn *c, const struct eio_path *path,
    const struct edge_request *req)
{
	struct edge *e = c->edge;
	struct session *s;
	struct edge_handshake h = { .request = req,
	    .origin = http_find(req->head, "Origin"),
	    .kind = (enum edge_kind)path->kind, .websocket = true };
	enum eio_error why;
	int status = 0;

	if (is_refused(e, req->head, &why)) {
		refuse(c, 400, why);
		return;
	}
	if (e->draining || (s = edge_session_new(e, h.kind)) == NULL) {
		refuse(c, 503, EIO_ERR_FORBIDDEN);
		return;
	}
	s->addr = req->peer;
	s->tls = req->tls;
	h.addr = &s->addr;
	h.session = (struct edge_ref){ e, s->slot.index, s->slot.generation };
	if (e->app->on_handshake != NULL)
		status = e->app->on_handshake(e->app->arg, &h);
	if (status != 0) {
		edge_session_drop(s);
		refuse(c, status, EIO_ERR_FORBIDDEN);
		return;
	}
	s->user = h.user;
	begin_websocket(c, s, req->head);
}
