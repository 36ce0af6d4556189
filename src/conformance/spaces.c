/*
 * spaces.c: the Socket.IO namespaces and who may enter them; what `info` tells
 * of a socket later: its auth and its session's query.
 */
#include "conformance/args.h"
#include "conformance/peer.h"
#include "wire/json.h"

#define QUERY_PARAMS_MAX 1024	/* more are passed over */
#define TOKEN_BYTES_MAX 64
#define KEEP_MAX 256		/* free pieces */

/* A socket that was let in. */
struct guest {
	struct blob *auth;
	struct blob *query;	/* NULL: no memory then */
};

void
spaces_open(struct peer *p)
{
	pool_init(&p->guests, sizeof(struct guest), KEEP_MAX);
}

void
spaces_close(struct peer *p)
{
	pool_fini(&p->guests);
}

/* ---- sessions ---- */

struct param {
	struct span name;	/* decoded */
	struct span value;	/* coded */
};

/* Is the parameter the last one of its name? That one counts. */
static bool
is_last(const struct param *params, size_t n, size_t i)
{
	for (size_t k = i + 1; k < n; k++)
		if (span_eq(params[k].name, params[i].name))
			return false;
	return true;
}

/* Decoded in mem, from *at on. */
static struct span
decoded(struct span part, struct blob *mem, size_t *at)
{
	struct span out = span_of(&mem->p[*at],
	    http_decode_form(part, &mem->p[*at]));

	*at += HTTP_FORM_MAX(part.n);
	return out;
}

/* The query as a JSON object of strings; NULL: no memory. */
static struct blob *
query_object(struct span query)
{
	struct param params[QUERY_PARAMS_MAX];
	struct blob *mem = blob_new(HTTP_FORM_MAX(query.n)), *b = NULL;
	struct span name, value;
	size_t n = 0, at = 0;
	struct args_out o;

	if (mem == NULL)
		return NULL;
	while (n < QUERY_PARAMS_MAX && http_param(&query, &name, &value))
		params[n++] = (struct param){ decoded(name, mem, &at), value };
	args_out_init(&o);
	for (size_t i = 0; i < n; i++) {
		if (!is_last(params, n, i))
			continue;
		args_put(&o, o.text.n == 0 ? SPAN("{") : SPAN(","));
		args_put_string(&o, params[i].name);
		args_put(&o, SPAN(":"));
		args_put_string(&o, decoded(params[i].value, mem, &at));
	}
	args_put(&o, o.text.n == 0 ? SPAN("{}") : SPAN("}"));
	if (!o.bad)
		b = blob_dup(buf_span(&o.text));
	args_out_fini(&o);
	blob_unref(mem);
	return b;
}

int
spaces_on_handshake(void *arg, struct edge_handshake *h)
{
	(void)arg;
	if (h->kind != EDGE_SOCKET_IO)
		return 0;
	h->user = query_object(h->request->head->query);
	return h->user != NULL ? 0 : 400;
}

void
spaces_on_session_end(void *arg, void *user, enum edge_end why)
{
	(void)arg;
	(void)why;
	blob_unref(user);
}

/* ---- namespaces ---- */

/* The middleware of /auth. */
static bool
is_allowed(const struct edge_connect *c)
{
	uint8_t mem[TOKEN_BYTES_MAX];
	struct arena a;
	struct span token;

	arena_init(&a, mem, sizeof(mem));
	return c->auth.n > 0 &&
	    json_find_string(c->auth, SPAN("token"), &a, &token) &&
	    span_eq(token, SPAN("secret"));
}

static bool
is_dynamic(struct span nsp)
{
	const struct span head = SPAN("/dyn-");

	if (nsp.n <= head.n || !span_starts(nsp, head))
		return false;
	for (size_t i = head.n; i < nsp.n; i++)
		if (nsp.p[i] < '0' || nsp.p[i] > '9')
			return false;
	return true;
}

static void
let_in(struct peer *p, struct edge_ref sock, const struct edge_connect *c)
{
	struct guest *g = pool_get(&p->guests);
	struct args_out auth;

	if (g == NULL) {
		edge_refuse(sock, SPAN("out of memory"), SPAN(""));
		return;
	}
	args_out_init(&auth);
	args_put_compact(&auth, c->auth.n > 0 ? c->auth : SPAN("{}"));
	g->auth = auth.bad ? NULL : blob_dup(buf_span(&auth.text));
	args_out_fini(&auth);
	g->query = c->user != NULL ? blob_ref(c->user) : NULL;
	edge_set_user(sock, g);
	edge_accept(sock);
	edge_emit_one(sock, SPAN("auth"), spaces_auth(sock));
}

void
spaces_on_connect(void *arg, struct edge_ref sock,
    const struct edge_connect *c)
{
	if (span_eq(c->nsp, SPAN("/")) || span_eq(c->nsp, SPAN("/custom")) ||
	    is_dynamic(c->nsp))
		let_in(arg, sock, c);
	else if (!span_eq(c->nsp, SPAN("/auth")))
		edge_refuse(sock, SPAN("Invalid namespace"), SPAN(""));
	else if (c->recovered || is_allowed(c))
		let_in(arg, sock, c);
	else
		edge_refuse(sock, SPAN("not authorized"), SPAN("{\"code\":"
		    "\"E_AUTH\",\"content\":{\"retry\":false}}"));
}

void
spaces_on_close(void *arg, struct edge_ref sock, enum edge_end why)
{
	struct peer *p = arg;
	struct guest *g = edge_user(sock);

	(void)why;
	if (g == NULL)
		return;
	blob_unref(g->auth);
	blob_unref(g->query);
	pool_put(&p->guests, g);
}

static struct span
text_of(const struct blob *b)
{
	return b != NULL ? blob_span(b) : SPAN("{}");
}

struct span
spaces_auth(struct edge_ref sock)
{
	const struct guest *g = edge_user(sock);

	return g != NULL ? text_of(g->auth) : SPAN("{}");
}

struct span
spaces_query(struct edge_ref sock)
{
	const struct guest *g = edge_user(sock);

	return g != NULL ? text_of(g->query) : SPAN("{}");
}
