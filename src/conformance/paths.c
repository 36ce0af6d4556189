/*
 * paths.c: the plain HTTP paths: /echo, /healthz and the files below
 * /static/; all else is 404.
 */
#include "conformance/peer.h"

#define STATIC "/static/"

static const struct http_field text_plain = {
	{ (const uint8_t *)"Content-Type", 12 },
	{ (const uint8_t *)"text/plain", 10 },
};

static void
answer(struct edge_ref request, int status, const struct http_field *field,
    struct span body)
{
	const struct edge_answer a = { .status = status, .headers = field,
	    .headers_n = field != NULL, .body = body };

	edge_answer(request, &a);
}

static void
echo(struct peer *p, struct edge_ref request, const struct edge_request *req)
{
	(void)p;
	if (req->head->method != HTTP_M_POST)
		edge_not_allowed(request, "POST");
	else
		answer(request, 200, NULL, req->body);
}

static void
healthz(struct peer *p, struct edge_ref request,
    const struct edge_request *req)
{
	(void)p;
	(void)req;
	answer(request, 200, &text_plain, SPAN("ok\n"));
}

static const struct path {
	const char *path;
	void (*serve)(struct peer *p, struct edge_ref request,
	    const struct edge_request *req);
} paths[] = {
	{ "/echo", echo },
	{ "/healthz", healthz },
	{ "/ws-echo", echo_upgrade },
};

/* A file below --root. */
static void
serve_static(struct peer *p, struct edge_ref request,
    const struct edge_request *req)
{
	const struct span path = req->head->path;

	if (p->files == NULL || !edge_files_answer(request, p->files, req,
	    span_sub(path, SPAN(STATIC).n, path.n)))
		answer(request, 404, NULL, SPAN(""));
}

void
paths_on_request(void *arg, struct edge_ref request,
    const struct edge_request *req)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (span_eq(req->head->path, span_str(paths[i].path))) {
			paths[i].serve(arg, request, req);
			return;
		}
	}
	if (span_starts(req->head->path, SPAN(STATIC)))
		serve_static(arg, request, req);
	else
		answer(request, 404, NULL, SPAN(""));
}
