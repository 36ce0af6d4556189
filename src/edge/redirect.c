/*
 * redirect.c: a listener whose every request is sent to the same place by TLS.
 * exports edge_redirect_*
 */
#include <assert.h>

#include "edge/private.h"

/* Letters, digits, dots and hyphens: what a link may be made of. */
static bool
is_plain_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' &&
		    (c | 0x20) <= 'z') && c != '.' && c != '-')
			return false;
	}
	return s.n > 0;
}

/* host[:port] without the port; empty: of no use. */
static struct span
name_of(struct span authority)
{
	size_t end = authority.n > 0 && authority.p[0] == '[' ?
	    span_find(authority, ']') + 1 : span_find(authority, ':');
	struct span name = span_sub(authority, 0, end);

	if (!http_is_authority(authority) ||
	    (name.p[0] != '[' && !is_plain_name(name)))
		return span_of(NULL, 0);
	return name;
}

/*
 * Where to: the host that was asked for, if it is one of ours (or nobody said
 * which are), else the first of ours. So nobody is led elsewhere by a Host
 * that an attacker could choose.
 */
static struct span
choose(const struct edge *e, struct span host)
{
	struct span name = name_of(host), rest = span_str(e->redirect_names);

	if (rest.n == 0)
		return name;
	while (rest.n > 0) {
		size_t end = span_find(rest, ',');

		if (span_eq_nocase(span_sub(rest, 0, end), name))
			return name;
		rest = span_sub(rest, end + 1, rest.n);
	}
	rest = span_str(e->redirect_names);
	return span_sub(rest, 0, span_find(rest, ','));
}

void
edge_redirect_answer(struct conn *c, const struct edge_request *req)
{
	struct edge *e = c->edge;
	struct span name = choose(e, req->host);
	struct wr w = wr_init(e->names, EDGE_SCRATCH);
	struct http_field f = { SPAN("Location"), { NULL, 0 } };
	const struct http_msg *h = req->head;

	if (name.n == 0) {
		edge_http_refuse(c, 400, "no usable Host");
		return;
	}
	wr_str(&w, "https://");
	wr_span(&w, name);
	if (e->redirect_port != 443) {
		wr_u8(&w, ':');
		wr_dec(&w, e->redirect_port);
	}
	if (h->path.p[0] == '/')	/* not "*" */
		wr_span(&w, h->path);
	if (h->query.n > 0) {
		wr_u8(&w, '?');
		wr_span(&w, h->query);
	}
	f.value = wr_done(&w);
	e->stats.redirects++;
	edge_answer(edge_conn_ref(c), &(struct edge_answer){ .status = 308,
	    .headers = &f, .headers_n = 1 });
}

enum err
edge_redirect_conf(struct edge *e, const struct edge_redirect *r)
{
	struct wr w = wr_init(e->redirect_names,
	    sizeof(e->redirect_names) - 1);

	for (size_t i = 0; i < r->names_n; i++) {
		if (r->names[i].n == 0 ||
		    name_of(r->names[i]).n != r->names[i].n)
			return ERR_ARG;
		if (i > 0)
			wr_u8(&w, ',');
		wr_span(&w, r->names[i]);
	}
	if (!wr_ok(&w))
		return ERR_ARG;
	e->redirect_names[w.n] = '\0';
	e->redirect_port = r->port != 0 ? r->port : 443;
	return OK;
}
