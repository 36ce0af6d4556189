/*
 * rest.c: a REST request becomes a call: route, parameters, token, body. What
 * is wrong before an operation is known is answered here.
 */
#include "base/sys.h"
#include "server/browser.h"
#include "server/ops.h"

#define REST_QUERY_MAX 16	/* members of a query */
#define REST_AGENT_MAX 256	/* bytes kept of User-Agent */

/* The request's own id when it is a sane token, else one of ours. */
static struct span
rest_request_id(const struct edge_request *req, uint64_t now_ms,
    char out[static FRAME_REQUEST_ID_MAX])
{
	struct span given = http_find(req->head, "X-Request-Id");
	bool ok = given.n > 0 && given.n <= FRAME_REQUEST_ID_MAX;
	uint8_t rnd[10], id[ID_LEN];

	for (size_t i = 0; ok && i < given.n; i++) {
		uint8_t c = given.p[i];

		ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
		    c == '.' || c == ':';
	}
	if (ok) {
		memcpy(out, given.p, given.n);
		return span_of(out, given.n);
	}
	sys_random(rnd, sizeof(rnd));
	id_v7(id, now_ms, rnd);
	id_encode(id, out);
	return span_of(out, ID_TEXT_LEN);
}

/* Percent-decodes into the arena; in a query '+' is a space. */
static enum err
rest_unescape(struct frame *f, struct span in, bool query, struct span *out)
{
	uint8_t *p = arena_bytes(&f->call.arena, in.n + 1);
	size_t n = 0;

	if (p == NULL)
		return ERR_TOO_LARGE;
	if (!(query ? http_decode_query : http_decode_path)(in, p, &n))
		return call_fail(&f->call, ERR_BAD_REQUEST, query ?
		    "The query is not percent-coded UTF-8" :
		    "The path is not percent-coded UTF-8");
	*out = span_of(p, n);
	return OK;
}

static enum err
rest_query(struct frame *f, struct span query)
{
	while (query.n > 0) {
		size_t end = span_find(query, '&');
		struct span pair = span_sub(query, 0, end);
		size_t eq = span_find(pair, '=');

		query = span_sub(query, end + 1, query.n);
		if (pair.n == 0)
			continue;
		if (f->params_n == ROUTE_PARAMS_MAX + REST_QUERY_MAX)
			return call_fail(&f->call, ERR_BAD_REQUEST,
			    "The query has too many members");
		struct shape_param *p = &f->params[f->params_n++];
		TRY(rest_unescape(f, span_sub(pair, 0, eq), true, &p->name));
		TRY(rest_unescape(f, span_sub(pair, eq + 1, pair.n), true,
		    &p->value));
	}
	return OK;
}

static enum err
rest_params(struct frame *f, const struct route_match *m,
    const struct edge_request *req)
{
	struct arena *a = &f->call.arena;

	if (m->params_n == 0 && req->head->query.n == 0)
		return OK;
	f->params = arena_alloc(a, sizeof(*f->params) *
	    (ROUTE_PARAMS_MAX + REST_QUERY_MAX));
	if (f->params == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < m->params_n; i++) {
		struct shape_param *p = &f->params[f->params_n++];

		TRY(arena_dup(a, m->params[i].name, &p->name));
		TRY(rest_unescape(f, m->params[i].value, false, &p->value));
	}
	return rest_query(f, req->head->query);
}

/* RFC 8259 has no charset parameter; utf-8 is what clients say anyway. */
static bool
rest_is_json(struct span type)
{
	size_t end = span_find(type, ';');
	struct span rest = span_sub(type, end + 1, type.n);
	struct span name = span_sub(type, 0, end);

	while (name.n > 0 && name.p[name.n - 1] == ' ')
		name.n--;
	while (rest.n > 0 && rest.p[0] == ' ')
		rest = span_sub(rest, 1, rest.n);
	return span_eq_nocase(name, SPAN("application/json")) &&
	    (rest.n == 0 || span_eq_nocase(rest, SPAN("charset=utf-8")));
}

static enum err
rest_body(struct frame *f, const struct edge_request *req)
{
	if (req->body.n == 0)
		return OK;
	if (http_count(req->head, "Content-Type") > 1)
		return call_fail(&f->call, ERR_BAD_REQUEST,
		    "Content-Type stands more than once");
	if (!rest_is_json(http_find(req->head, "Content-Type")))
		return call_fail(&f->call, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "Content-Type must be application/json");
	return arena_dup(&f->call.arena, req->body, &f->body);
}

/* RFC 6750 2.1; the scheme's name has no case. */
static enum err
rest_token(struct frame *f, const struct edge_request *req)
{
	struct span value = http_find(req->head, "Authorization");

	if (f->call.op->who == WHO_ANYONE || value.n == 0)
		return OK;
	/* Which of two would count could be seen differently by a proxy. */
	if (http_count(req->head, "Authorization") > 1)
		return call_fail(&f->call, ERR_BAD_REQUEST,
		    "Authorization stands more than once");
	if (!span_eq_nocase(span_sub(value, 0, 7), SPAN("Bearer ")))
		return call_fail(&f->call, ERR_INVALID_TOKEN,
		    "Authorization must be a Bearer token");
	return frame_token(f, span_sub(value, 7, value.n));
}

static enum err
rest_agent(struct frame *f, const struct edge_request *req)
{
	struct span agent = http_find(req->head, "User-Agent");

	return arena_dup(&f->call.arena, span_sub(agent, 0, REST_AGENT_MAX),
	    &f->agent);
}

static enum err
rest_fill(struct frame *f, const struct route_match *m,
    const struct edge_request *req)
{
	TRY(browser_take(f, req));
	TRY(rest_token(f, req));
	TRY(rest_agent(f, req));
	if (f->dialect == DIALECT_raw)
		TRY(arena_dup(&f->call.arena, http_find(req->head,
		    "If-None-Match"), &f->none_match));
	TRY(rest_params(f, m, req));
	return rest_body(f, req);
}

void
rest_request(void *arg, struct edge_ref ref, const struct edge_request *req)
{
	struct shard *s = arg;
	struct route_match m;
	char id[FRAME_REQUEST_ID_MAX];
	struct span request_id = rest_request_id(req,
	    reactor_unix_ms(s->reactor), id);
	enum err e = route_find(s->server->routes, route_count(), req->head->method_text,
	    req->head->path, &m);

	if (e == ERR_METHOD_NOT_ALLOWED &&
	    browser_preflight(s, ref, req, m.allow, request_id))
		return;
	if (e != OK) {
		answer_refuse(s, ref, e, err_status(e), request_id,
		    e == ERR_METHOD_NOT_ALLOWED ? m.allow : NULL, NULL);
		return;
	}
	struct frame *f = frame_new(s, m.route->op, ORIGIN_REST);
	if (f == NULL) {
		answer_refuse(s, ref, ERR_BUSY, 503, request_id, NULL, NULL);
		return;
	}
	f->ref = ref;
	f->addr = req->peer;
	f->dialect = m.route->dialect;
	memcpy(f->request_id, request_id.p, request_id.n);
	f->request_id_n = (uint8_t)request_id.n;
	e = rest_fill(f, &m, req);
	if (e != OK)
		frame_fail(f, e);
	else
		frame_run(f);
}

void
rest_refused(void *arg, struct edge_ref ref, int status, const char *why)
{
	struct shard *s = arg;
	uint8_t rnd[10], id[ID_LEN];
	char text[ID_TEXT_LEN + 1];
	enum err e = status == 413 ? ERR_TOO_LARGE : status >= 500 &&
	    status != 501 && status != 505 ? ERR_BUSY : ERR_BAD_REQUEST;

	sys_random(rnd, sizeof(rnd));
	id_v7(id, reactor_unix_ms(s->reactor), rnd);
	id_encode(id, text);
	answer_refuse(s, ref, e, status, span_of(text, ID_TEXT_LEN), NULL, why);
}
