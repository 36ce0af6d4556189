/*
 * paths.c: the plain HTTP paths: /echo and /healthz; all else is 404.
 */
#include "conformance/peer.h"

static const struct http_field text_plain = {
	{ (const uint8_t *)"Content-Type", 12 },
	{ (const uint8_t *)"text/plain", 10 },
};
static const struct http_field allow_post = {
	{ (const uint8_t *)"Allow", 5 }, { (const uint8_t *)"POST", 4 },
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
echo(struct edge_ref request, const struct edge_request *req)
{
	if (req->head->method != HTTP_M_POST)
		answer(request, 405, &allow_post, SPAN(""));
	else
		answer(request, 200, NULL, req->body);
}

static void
healthz(struct edge_ref request, const struct edge_request *req)
{
	(void)req;
	answer(request, 200, &text_plain, SPAN("ok\n"));
}

static const struct path {
	const char *path;
	void (*serve)(struct edge_ref request, const struct edge_request *req);
} paths[] = {
	{ "/echo", echo },
	{ "/healthz", healthz },
};

void
paths_on_request(void *arg, struct edge_ref request,
    const struct edge_request *req)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (span_eq(req->head->path, span_str(paths[i].path))) {
			paths[i].serve(request, req);
			return;
		}
	}
	answer(request, 404, NULL, SPAN(""));
}
