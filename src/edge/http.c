/*
 * http.c: requests in, answers out, on one connection one after the other.
 * exports edge_http_*, edge_answer
 *
 * Implementation notes. A request that lies whole in the input is handed on
 * from there. One that does not is copied: the head as it came, then the body
 * as decoded; at its end the head is read a second time from the copy, which
 * is simpler and no slower than moving every span of it.
 */
#include <assert.h>

#include "edge/private.h"

/* What of the present request lies in the input being worked off. */
struct intake {
	struct span head, body;
};

static struct edge_ref
request_ref(struct conn *c)
{
	return (struct edge_ref){ c->edge, c->slot.index,
	    c->slot.generation };
}

/* ---- Answers ---- */

static bool
keeps(const struct conn *c, const struct edge_answer *a)
{
	uint32_t max = c->edge->conf.requests_max;

	return (c->flags & (CONN_KEEP | CONN_BAD | CONN_EOF)) == CONN_KEEP &&
	    !a->close && !c->edge->draining &&
	    (max == 0 || c->requests < max);
}

static void
put_head(struct conn *c, struct wr *w, const struct edge_answer *a, size_t n,
    bool keep)
{
	struct edge *e = c->edge;

	http_put_status(w, (unsigned)a->status);
	http_put_date(w, "Date", reactor_unix_ms(e->reactor));
	/* RFC 9110 8.6: no length in 204; in 304 it would be the 200's. */
	if (a->status != 204 && a->status != 304)
		http_put_field_u64(w, "Content-Length", n);
	if (!keep)
		http_put_field_str(w, "Connection", "close");
	else if (c->flags & CONN_HTTP10)
		http_put_field_str(w, "Connection", "keep-alive");
	for (size_t i = 0; i < a->headers_n; i++) {
		wr_span(w, a->headers[i].name);
		http_put_field(w, "", a->headers[i].value);
	}
	wr_bytes(w, e->headers,
	    c->flags & CONN_IS_TLS ? e->headers_all_n : e->headers_n);
	http_put_end(w);
}

static bool
queue(struct conn *c, struct span head, const struct edge_answer *a)
{
	if (!edge_conn_write(c, head))
		return false;
	if ((c->flags & CONN_IS_HEAD) || a->status == 204 || a->status == 304)
		return true;
	if (a->blob == NULL)
		return edge_conn_write(c, a->body);
	c->edge->stats.bytes_out += a->blob->n;
	return stream_write_blob(&c->stream, a->blob) == OK;
}

static void
answer(struct conn *c, const struct edge_answer *a)
{
	static const struct edge_answer failed = { .status = 500,
	    .close = true };
	struct edge *e = c->edge;
	struct wr w = wr_init(e->scratch, EDGE_SCRATCH);
	bool keep = keeps(c, a);

	assert(c->state == CONN_ANSWER);
	assert(a->status >= 200 && a->status <= 599);
	put_head(c, &w, a, a->blob != NULL ? a->blob->n : a->body.n, keep);
	if (!wr_ok(&w)) {	/* a field of the app's that can not be */
		a = &failed;
		keep = false;
		w = wr_init(e->scratch, EDGE_SCRATCH);
		put_head(c, &w, a, 0, false);
	}
	if (!queue(c, wr_done(&w), a)) {
		/* Half an answer can only be cut off. */
		e->stats.slow_readers++;
		edge_conn_enter(c, CONN_CLOSING, 0);
		stream_close(&c->stream);
		return;
	}
	if (keep)
		edge_conn_enter(c, CONN_HEAD, e->conf.idle_ms);
	else
		edge_conn_finish(c);
	edge_conn_continue(c);
}

void
edge_answer(struct edge_ref request, const struct edge_answer *a)
{
	struct conn *c = edge_conn_find(request);

	if (c == NULL || c->state != CONN_ANSWER)
		return;
	assert(reactor_self() == c->edge->reactor);
	answer(c, a);
}

void
edge_http_plain(struct conn *c, int status, const char *type,
    struct span body)
{
	struct http_field f = { SPAN("Content-Type"),
	    type == NULL ? SPAN("") : span_str(type) };
	struct edge_answer a = { .status = status, .headers = &f,
	    .headers_n = type != NULL, .body = body };

	answer(c, &a);
}

void
edge_http_refuse(struct conn *c, int status, const char *why)
{
	struct edge *e = c->edge;
	struct edge_ref ref;

	if (c->state != CONN_ANSWER)	/* of whichever request was before */
		c->flags &= (uint8_t)~CONN_IS_HEAD;
	slab_renew(&e->conns, c);	/* a late answer is none */
	c->flags |= CONN_BAD;
	edge_conn_enter(c, CONN_ANSWER, 0);
	ref = request_ref(c);
	if (e->app->on_refused != NULL)
		e->app->on_refused(e->app->arg, ref, status, why);
	if (edge_conn_find(ref) == c && c->state == CONN_ANSWER)
		edge_http_plain(c, status, "text/plain; charset=utf-8",
		    span_str(http_reason((unsigned)status)));
}

/* ---- Requests ---- */

static size_t
body_had(const struct conn *c, const struct intake *in)
{
	return c->message != NULL ? c->message->n - c->head_n : in->body.n;
}

/* Copies what is there of the request, as more of it is to come. */
static bool
spill(struct conn *c, const struct intake *in)
{
	if (hold_add(&c->edge->holds, &c->message, in->head) != OK ||
	    hold_add(&c->edge->holds, &c->message, in->body) != OK) {
		hold_drop(&c->edge->holds, &c->message);
		edge_http_refuse(c, 503, "too much is unfinished");
		return false;
	}
	c->head_n = in->head.n;
	edge_conn_enter(c, CONN_BODY, c->edge->conf.body_ms);
	return true;
}

static void
on_head(struct conn *c, bool more_is_here)
{
	struct edge *e = c->edge;
	const struct http_msg *h = &e->head;
	struct edge_request req = { h, { NULL, 0 }, c->peer,
	    (c->flags & CONN_IS_TLS) != 0 };

	c->state = CONN_BODY;
	c->body_max = 0;
	if (h->has_body && e->app->body_max != NULL)
		c->body_max = e->app->body_max(e->app->arg, &req);
	if (c->body_max == 0)
		c->body_max = e->conf.body_max > 0 ? e->conf.body_max :
		    SIZE_MAX;
	if (h->has_body && h->length_known && h->length > c->body_max) {
		e->stats.body_large++;
		edge_http_refuse(c, 413, "body too large");
		return;
	}
	/* RFC 9110 10.1.1: not when the body is coming in already. */
	if (h->has_body && h->expect_continue && !more_is_here &&
	    !edge_conn_write(c, SPAN("HTTP/1.1 100 Continue\r\n\r\n")))
		stream_close(&c->stream);
}

static void
on_body(struct conn *c, struct intake *in, struct span piece)
{
	if (piece.n > c->body_max - body_had(c, in)) {
		c->edge->stats.body_large++;
		edge_http_refuse(c, 413, "body too large");
		return;
	}
	if (c->message == NULL && in->body.n == 0) {
		in->body = piece;
		return;
	}
	if (c->message == NULL && !spill(c, in))
		return;
	if (hold_add(&c->edge->holds, &c->message, piece) != OK)
		edge_http_refuse(c, 503, "too much is unfinished");
}

/* Reads the head again from the copy that was made of it. */
static bool
recall_head(struct conn *c, struct intake *in)
{
	struct edge *e = c->edge;
	struct span all = hold_span(c->message), piece;
	struct http_in again;
	size_t used;

	http_in_init(&again, HTTP_SERVER, &e->limits);
	in->head = span_sub(all, 0, c->head_n);
	in->body = span_sub(all, c->head_n, all.n);
	return http_next(&again, in->head, &e->head, &used, &piece) ==
	    HTTP_EV_HEAD;
}

static void
on_end(struct conn *c, struct intake *in)
{
	struct edge *e = c->edge;
	struct hold *copy = c->message;
	const struct eio_path *path;
	struct edge_request req = { &e->head, { NULL, 0 }, c->peer,
	    (c->flags & CONN_IS_TLS) != 0 };

	/* What was accepted once is accepted again. */
	if (copy != NULL && !recall_head(c, in)) {
		edge_http_refuse(c, 500, "head not read again");
		return;
	}
	c->message = NULL;	/* ours to drop, whatever becomes of c */
	req.body = in->body;
	e->stats.requests++;
	c->requests++;
	if (e->conf.requests_max > 0 && c->requests == e->conf.requests_max)
		e->stats.requests_over++;
	slab_renew(&e->conns, c);
	c->flags &= (uint8_t)~(CONN_KEEP | CONN_IS_HEAD | CONN_HTTP10);
	if (e->head.keep_alive)
		c->flags |= CONN_KEEP;
	if (e->head.method == HTTP_M_HEAD)
		c->flags |= CONN_IS_HEAD;
	if (e->head.minor == 0)
		c->flags |= CONN_HTTP10;
	edge_conn_enter(c, CONN_ANSWER, e->conf.answer_ms);
	path = edge_handshake_path(e, e->head.path);
	if (path != NULL)
		edge_handshake_request(c, path, &req);
	else
		e->app->on_request(e->app->arg, request_ref(c), &req);
	hold_drop(&e->holds, &copy);
	in->head = in->body = (struct span){ NULL, 0 };
}

static void
on_bad(struct conn *c)
{
	struct edge_stats *st = &c->edge->stats;
	int status = c->in.http.bad_status;

	if (status == 414 || status == 431)
		st->head_large++;
	else if (status == 413)
		st->body_large++;
	else
		st->bad_requests++;
	edge_http_refuse(c, status, c->in.http.bad_why);
}

size_t
edge_http_input(struct conn *c, uint8_t *p, size_t n)
{
	struct intake in = { { NULL, 0 }, { NULL, 0 } };
	size_t at = 0;

	while ((c->state == CONN_HEAD || c->state == CONN_BODY) &&
	    !edge_conn_is_clogged(c)) {
		struct span rest = span_sub(span_of(p, n), at, n), piece;
		size_t used = 0;
		enum http_ev ev = http_next(&c->in.http, rest,
		    &c->edge->head, &used, &piece);

		at += used;
		if (ev == HTTP_EV_MORE)
			break;
		if (ev == HTTP_EV_HEAD) {
			in.head = span_sub(rest, 0, used);
			on_head(c, at < n);
		} else if (ev == HTTP_EV_BODY) {
			on_body(c, &in, piece);
		} else if (ev == HTTP_EV_END) {
			on_end(c, &in);
		} else {
			on_bad(c);
		}
	}
	if (c->state == CONN_BODY && c->message == NULL)
		(void)spill(c, &in);
	return at;
}
