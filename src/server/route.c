/*
 * route.c: the table of routes. There are a few dozen, told apart by their
 * number of segments first; a walk over them costs less than a microsecond,
 * so there is no cleverer structure to get wrong.
 */
#include "server/route.h"

#include <assert.h>

#include "server/ops.h"

static const struct row {
	const char *text;
	enum op_id op;
	enum dialect dialect;
} rows[] = {
#define HTTP(dialect, text, op, summary) { text, OP_##op, DIALECT_##dialect },
#define EVENT(...)
#include "server/names.def"
#undef EVENT
#undef HTTP
};

size_t
route_count(void)
{
	return sizeof(rows) / sizeof(rows[0]);
}

/* "/a/b" gives a and b; "/" gives one empty segment. False: too many. */
static bool
route_split(struct span path, struct span *out, size_t *n_out)
{
	size_t n = 0;

	if (path.n == 0 || path.p[0] != '/')
		return false;
	path = span_sub(path, 1, path.n);
	for (;;) {
		size_t at = span_find(path, '/');

		if (n == ROUTE_SEGMENTS_MAX)
			return false;
		out[n++] = span_sub(path, 0, at);
		if (at == path.n)
			break;
		path = span_sub(path, at + 1, path.n);
	}
	*n_out = n;
	return true;
}

void
route_init(struct route *routes)
{
	for (size_t i = 0; i < route_count(); i++) {
		struct span text = span_str(rows[i].text);
		size_t at = span_find(text, ' ');
		struct route *r = &routes[i];

		assert(at < text.n);
		r->method = span_sub(text, 0, at);
		r->op = ops_get(rows[i].op);
		r->dialect = rows[i].dialect;
		bool ok = route_split(span_sub(text, at + 1, text.n),
		    r->segments, &r->n);
		assert(ok);
	}
}

static bool
route_is_param(struct span segment)
{
	return segment.n > 1 && segment.p[0] == ':';
}

/*
 * How well the path fits: 0 not at all, else 1 and a bit for each literal
 * segment, the earlier ones heavier.
 */
static unsigned
route_fit(const struct route *r, const struct span *segments, size_t n)
{
	unsigned fit = 1;

	if (r->n != n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		fit <<= 1;
		if (route_is_param(r->segments[i])) {
			if (segments[i].n == 0)
				return 0;
			continue;
		}
		if (!span_eq(r->segments[i], segments[i]))
			return 0;
		fit |= 1;
	}
	return fit;
}

static void
route_allow(struct route_match *m, struct span method)
{
	size_t n = strlen(m->allow);
	struct wr w = wr_init(m->allow, sizeof(m->allow) - 1);

	w.n = n;
	if (n > 0)
		wr_str(&w, ", ");
	wr_span(&w, method);
	if (span_eq(method, SPAN("GET")))
		wr_str(&w, ", HEAD");
	m->allow[w.n] = '\0';
}

static bool
route_takes(const struct route *r, struct span method)
{
	return span_eq(r->method, method) ||
	    (span_eq(method, SPAN("HEAD")) &&
	    span_eq(r->method, SPAN("GET")));
}

enum err
route_find(const struct route *routes, size_t n, struct span method,
    struct span path, struct route_match *out)
{
	struct span segments[ROUTE_SEGMENTS_MAX];
	unsigned best = 0, best_any = 0;
	size_t segments_n = 0;

	memset(out, 0, sizeof(*out));
	if (!route_split(path, segments, &segments_n))
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < n; i++) {
		unsigned fit = route_fit(&routes[i], segments, segments_n);

		if (fit > best_any)
			best_any = fit;
		if (fit > best && route_takes(&routes[i], method)) {
			best = fit;
			out->route = &routes[i];
		}
	}
	if (best == 0 && best_any == 0)
		return ERR_NOT_FOUND;
	if (best == 0) {
		/* RFC 9110 15.5.6: a 405 lists what the path takes. */
		for (size_t i = 0; i < n; i++)
			if (route_fit(&routes[i], segments, segments_n) > 0)
				route_allow(out, routes[i].method);
		return ERR_METHOD_NOT_ALLOWED;
	}
	for (size_t i = 0; i < segments_n; i++) {
		struct span name = out->route->segments[i];

		if (!route_is_param(name))
			continue;
		assert(out->params_n < ROUTE_PARAMS_MAX);
		out->params[out->params_n++] = (struct route_param){
			span_sub(name, 1, name.n), segments[i] };
	}
	return OK;
}
