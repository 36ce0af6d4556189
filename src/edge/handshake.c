/*
 * handshake.c: requests for an Engine.IO path: which session they mean or
 * begin, or what is wrong with them; and who may read the answers (CORS).
 * exports edge_handshake_*
 * Source: Engine.IO protocol, revision 4; where it is silent, what engine.io
 * 6.6 does. CORS: Fetch standard, "CORS protocol".
 */
#include <assert.h>

#include "base/text.h"
#include "edge/poll.h"
#include "wire/ws_ext.h"

#define VALUE_CODED_MAX 96	/* of a parameter that may mean something */
#define FIELDS_MAX 6

const struct eio_path *
edge_handshake_path(const struct edge *e, struct span path)
{
	for (size_t i = 0; i < e->paths_n; i++) {
		const struct eio_path *p = &e->paths[i];

		if (span_eq(path, span_of(p->text, p->n)))
			return p;
	}
	return NULL;
}

/* ---- Who may read the answers ---- */

/* The Origin of the request, if the app lets it. */
static struct origin
origin_of(struct edge *e, const struct http_msg *h)
{
	struct span text = http_find(h, "Origin");
	struct origin o = { .n = 0 };

	if (e->conf.cors != EDGE_CORS_APP || text.n == 0 ||
	    text.n > EDGE_ORIGIN_MAX || http_count(h, "Origin") != 1 ||
	    !e->app->on_origin(e->app->arg, text))
		return o;
	memcpy(o.text, text.p, text.n);
	o.n = (uint8_t)text.n;
	return o;
}

/* A page that may not speak to a session, even if it knows the id. */
static bool
is_foreign(struct edge *e, const struct edge_request *req)
{
	return e->app->on_page != NULL &&
	    http_find(req->head, "Origin").n > 0 &&
	    !e->app->on_page(e->app->arg, req);
}

static size_t
put_origin(const struct edge *e, const struct origin *o,
    struct http_field f[static 3])
{
	size_t n = 0;

	if (e->conf.cors != EDGE_CORS_APP)
		return 0;
	f[n++] = (struct http_field){ SPAN("Vary"), SPAN("Origin") };
	if (o->n == 0)
		return n;
	f[n++] = (struct http_field){ SPAN("Access-Control-Allow-Origin"),
	    span_of(o->text, o->n) };
	f[n++] = (struct http_field){
	    SPAN("Access-Control-Allow-Credentials"), SPAN("true") };
	return n;
}

void
edge_handshake_cors(const struct edge *e, struct wr *w)
{
	if (e->conf.cors == EDGE_CORS_ANY)
		http_put_field_str(w, "Access-Control-Allow-Origin", "*");
}

/* OPTIONS: whatever they ask for is allowed, to whom anything is. */
static void
preflight(struct conn *c, const struct http_msg *h, const struct origin *o)
{
	struct http_field f[FIELDS_MAX];
	size_t n = put_origin(c->edge, o, f);
	struct span names = http_find(h, "Access-Control-Request-Headers");

	if (o->n > 0 || c->edge->conf.cors == EDGE_CORS_ANY) {
		f[n++] = (struct http_field){
		    SPAN("Access-Control-Allow-Methods"),
		    SPAN("GET, POST, OPTIONS") };
		f[n++] = (struct http_field){ SPAN("Access-Control-Max-Age"),
		    SPAN("600") };
		if (names.n > 0)
			f[n++] = (struct http_field){
			    SPAN("Access-Control-Allow-Headers"), names };
	}
	edge_answer(edge_conn_ref(c), &(struct edge_answer){ .status = 204,
	    .headers = f, .headers_n = n });
}

/* ---- Answers ---- */

void
edge_handshake_answer(struct conn *c, const struct poll_answer *a,
    const struct origin *o)
{
	struct http_field f[FIELDS_MAX] = {
		{ SPAN("Cache-Control"), SPAN("no-store") },
		{ SPAN("Content-Type"), SPAN("application/json") },
	};
	size_t n = 2;
	struct edge_answer out = { .status = a->status, .headers = f,
	    .blob = a->payload, .close = a->close };
	uint8_t text[256];
	struct wr w = wr_init(text, sizeof text);

	if (a->payload != NULL) {
		f[1].value = SPAN("text/plain; charset=UTF-8");
	} else if (a->status == 200) {
		f[1].value = SPAN("text/html");
		out.body = SPAN("ok");
	} else {
		c->edge->stats.bad_handshakes++;
		eio_put_error(&w, a->why);
		out.body = wr_done(&w);
	}
	/* RFC 6455 4.4: says which version would do */
	if (a->status == 400 && a->why == EIO_ERR_REQUEST)
		f[n++] = (struct http_field){ SPAN("Sec-WebSocket-Version"),
		    SPAN("13") };
	out.headers_n = n + put_origin(c->edge, o, f + n);
	edge_answer(edge_conn_ref(c), &out);
}

/* A WebSocket client takes no other answer, so its connection ends. */
static void
refuse(struct conn *c, int status, enum eio_error why, bool upgrade,
    const struct origin *o)
{
	edge_handshake_answer(c, &(struct poll_answer){ .status = status,
	    .why = why, .close = upgrade }, o);
}

bool
edge_handshake_switch(struct conn *c, const struct http_msg *head,
    const struct ws_ops *ops, void *owner, uint32_t message_max)
{
	return edge_ws_accept(c, head, ops, owner,
	    &(struct ws_options){ .message_max = message_max,
	    .protocol = ws_ext_first_protocol(head),
	    .deflate = c->edge->conf.eio_deflate }) == OK;
}

/* ---- What a request says ---- */

/* Its query and method. */
struct ask {
	struct poll_request q;
	unsigned reactor;	/* that the sid names */
	bool sid_ok;		/* it may be one of ours */
	bool has_sid;
	bool upgrade;		/* a WebSocket handshake, if it is a good one */
};

/* The parameters of a query that mean something to Engine.IO. */
enum { TRANSPORT, VERSION, SID, PARAMS };

struct param {
	uint8_t text[HTTP_FORM_MAX(VALUE_CODED_MAX)];
	size_t n;
};

/* Of two of a name the last one counts. */
static void
read_params(struct span query, struct param out[static PARAMS])
{
	static const char *const names[PARAMS] = { "transport", "EIO", "sid" };
	uint8_t text[HTTP_FORM_MAX(VALUE_CODED_MAX)];
	struct span name, value;

	for (int i = 0; i < PARAMS; i++)
		out[i].n = 0;
	while (http_param(&query, &name, &value)) {
		if (name.n > VALUE_CODED_MAX)
			continue;
		name = span_of(text, http_decode_form(name, text));
		/* A longer one is cut, and is none that we know either. */
		value = span_sub(value, 0, VALUE_CODED_MAX);
		for (int i = 0; i < PARAMS; i++)
			if (span_eq(name, span_str(names[i])))
				out[i].n = http_decode_form(value,
				    out[i].text);
	}
}

static struct span
text_of(const struct param *p)
{
	return span_of(p->text, p->n);
}

/* The parts of an id; see make_sid in session.c. */
static bool
read_sid(const char sid[static EDGE_SID], unsigned *reactor_out,
    uint32_t *slot_out)
{
	uint8_t raw[EDGE_SID / 4 * 3];
	struct rd r;
	size_t n;

	if (!base64url_decode(span_of(sid, EDGE_SID), raw, &n))
		return false;
	r = rd_init(span_of(raw, n));
	*reactor_out = rd_u16(&r);
	*slot_out = rd_u32(&r);
	return true;
}

/* False: answered by *why. */
static bool
read_request(struct edge *e, const struct http_msg *h,
    const struct eio_path *path, struct ask *out, enum eio_error *why)
{
	struct param p[PARAMS];
	struct span text, sid;
	uint32_t slot;

	*out = (struct ask){ .q.method = h->method,
	    .q.path = (uint8_t)(path - e->paths) };
	/* Proxies say Connection: upgrade of requests that are none. */
	out->upgrade = h->upgrade && span_eq_nocase(http_find(h, "Upgrade"),
	    SPAN("websocket"));
	read_params(h->query, p);
	*why = EIO_ERR_TRANSPORT;
	text = text_of(&p[TRANSPORT]);
	out->q.websocket = span_eq(text, SPAN("websocket"));
	if (!out->q.websocket && !span_eq(text, SPAN("polling")))
		return false;
	out->q.version_ok = span_eq(text_of(&p[VERSION]), SPAN("4"));
	out->q.octets = span_eq_nocase(http_find(h, "Content-Type"),
	    SPAN("application/octet-stream"));
	sid = text_of(&p[SID]);
	out->has_sid = sid.n > 0;
	if (sid.n == EDGE_SID) {
		memcpy(out->q.sid, sid.p, EDGE_SID);
		out->sid_ok = read_sid(out->q.sid, &out->reactor, &slot);
	}
	return true;
}

struct session *
edge_handshake_find(struct edge *e, const struct poll_request *q)
{
	struct session *s;
	unsigned reactor;
	uint32_t slot;

	if (!read_sid(q->sid, &reactor, &slot))
		return NULL;
	s = slab_used(&e->sessions, slot ^ e->sid_mask);
	if (s == NULL || s->path != q->path ||
	    !ct_eq(s->sid, q->sid, EDGE_SID) ||
	    (s->ended && s->poll == NULL))
		return NULL;
	return s;
}

/* ---- A new session ---- */

static void
begin(struct conn *c, struct session *s, const struct edge_request *req,
    bool websocket, const struct origin *o)
{
	if (websocket) {
		if (edge_handshake_switch(c, req->head, &edge_session_ws_ops,
		    s, s->limit))
			(void)edge_session_open(s, c);
		else
			edge_session_cut(s, EDGE_LOST);
		return;
	}
	if (edge_poll_new(s) == NULL) {
		edge_session_cut(s, EDGE_LOST);
		refuse(c, 503, EIO_ERR_REQUEST, false, o);
		return;
	}
	edge_poll_open(s, c, o);
	(void)edge_session_open(s, NULL);
}

static void
new_session(struct conn *c, const struct ask *k,
    const struct edge_request *req, const struct origin *o)
{
	struct edge *e = c->edge;
	struct session *s = NULL;
	struct edge_handshake h = { .request = req,
	    .origin = http_find(req->head, "Origin"),
	    .kind = (enum edge_kind)e->paths[k->q.path].kind,
	    .websocket = k->q.websocket };
	int status = 0;

	if (e->draining || (s = edge_session_new(e, k->q.path)) == NULL) {
		refuse(c, 503, EIO_ERR_FORBIDDEN, k->upgrade, o);
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
		refuse(c, status, EIO_ERR_FORBIDDEN, k->upgrade, o);
		return;
	}
	s->user = h.user;
	begin(c, s, req, k->q.websocket, o);
}

/* What is wrong with a request for a new session; false: nothing. */
static bool
is_refused(const struct ask *k, const struct http_msg *h,
    enum eio_error *why)
{
	struct span key;

	*why = EIO_ERR_METHOD;
	if (k->q.method != HTTP_M_GET)
		return true;
	*why = EIO_ERR_REQUEST;
	if (k->q.websocket != k->upgrade)
		return true;
	*why = EIO_ERR_VERSION;
	if (!k->q.version_ok)
		return true;
	*why = EIO_ERR_REQUEST;
	return k->q.websocket && ws_check_request(h, &key) != OK;
}

/* ---- One that is there ---- */

static bool
may_upgrade(const struct ask *k, const struct http_msg *h)
{
	struct span key;

	return k->q.websocket && k->q.version_ok &&
	    ws_check_request(h, &key) == OK;
}

/* A WebSocket handshake that names a session of this reactor. */
static void
upgrade(struct conn *c, const struct ask *k, const struct http_msg *h,
    const struct origin *o)
{
	struct session *s = edge_handshake_find(c->edge, &k->q);

	if (c->edge->draining)
		refuse(c, 503, EIO_ERR_REQUEST, true, o);
	else if (s == NULL)
		refuse(c, 400, EIO_ERR_SID, true, o);
	else if (!may_upgrade(k, h))
		refuse(c, 400, EIO_ERR_REQUEST, true, o);
	else
		edge_upgrade_begin(c, s, h);
}

static void
to_session(struct conn *c, const struct ask *k, const struct http_msg *h,
    const struct origin *o)
{
	struct edge *e = c->edge;
	bool here = k->reactor == reactor_index(e->reactor);

	if (!k->sid_ok || (!here && k->reactor >= edge_mesh_count(e))) {
		edge_conn_disown(c, EDGE_PROTOCOL);
		refuse(c, 400, EIO_ERR_SID, k->upgrade, o);
	} else if (k->upgrade && here) {
		upgrade(c, k, h, o);
	} else if (k->upgrade && !may_upgrade(k, h)) {
		refuse(c, 400, EIO_ERR_REQUEST, true, o);
	} else if (k->upgrade) {
		edge_move_begin(c, k->reactor, h);
	} else if (here) {
		edge_poll_request(e, &k->q, (struct asker){ c, NULL }, o);
	} else {
		edge_forward_request(c, k->reactor, &k->q, o);
	}
}

/* ---- Requests ---- */

size_t
edge_handshake_head(struct conn *c, const struct eio_path *path,
    const struct edge_request *req)
{
	struct edge *e = c->edge;
	const struct http_msg *h = req->head;
	struct origin o;
	enum eio_error why;
	struct ask k;
	size_t max;

	/* What else is wrong is told when the request is whole. */
	if (h->method != HTTP_M_POST || !read_request(e, h, path, &k, &why) ||
	    !k.sid_ok || k.upgrade || is_foreign(e, req))
		return e->conf.message_max;
	o = origin_of(e, h);
	if (k.reactor != reactor_index(e->reactor)) {
		if (k.reactor < edge_mesh_count(e))
			edge_forward_begin(c, k.reactor, &k.q, &o);
		return e->conf.message_max;
	}
	max = edge_poll_begin(e, &k.q, (struct asker){ c, NULL });
	if (max == 0)
		refuse(c, 400, EIO_ERR_REQUEST, true, &o);
	return max;
}

void
edge_handshake_large(struct conn *c)
{
	struct origin o = { .n = 0 };

	c->edge->stats.message_large++;
	if (edge_forward_is(c))
		edge_forward_large(c);
	else if (c->ops != NULL)
		edge_poll_broken(c->owner, (struct asker){ c, NULL }, true);
	refuse(c, 413, EIO_ERR_REQUEST, true, &o);
}

void
edge_handshake_request(struct conn *c, const struct eio_path *path,
    const struct edge_request *req)
{
	struct edge *e = c->edge;
	struct origin o = origin_of(e, req->head);
	enum eio_error why;
	struct ask k;

	if (req->head->method == HTTP_M_OPTIONS &&
	    e->conf.cors != EDGE_CORS_NONE) {
		preflight(c, req->head, &o);
		return;
	}
	if (!read_request(e, req->head, path, &k, &why)) {
		refuse(c, 400, why, k.upgrade || k.q.websocket, &o);
		return;
	}
	k.q.body = req->body;
	if (k.has_sid && is_foreign(e, req))
		refuse(c, 403, EIO_ERR_FORBIDDEN, k.upgrade, &o);
	else if (k.has_sid)
		to_session(c, &k, req->head, &o);
	else if (is_refused(&k, req->head, &why))
		refuse(c, 400, why, k.upgrade || k.q.websocket, &o);
	else
		new_session(c, &k, req, &o);
}
