/*
 * http.c: requests in, on one connection one after the other. exports
 * edge_http_input; answers are in answer.c, bodies in body.c.
 *
 * Implementation notes. A request that lies whole in the input is handed on
 * from there. One that does not is copied: the head as it came, then the body
 * as decoded, if it is held; at its end the head is read a second time from
 * the copy, which is simpler and no slower than moving every span of it.
 */
#include <assert.h>

#include "edge/private.h"

/* What of the present request lies in the input being worked off. */
struct intake {
	struct span head, body;
};

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
	c->exchange->head_n = (uint32_t)in->head.n;
	return true;
}

/* A request has begun: what was said of the one before is over. */
static void
begin(struct conn *c, struct edge_request *req)
{
	struct edge *e = c->edge;
	const struct http_msg *h = &e->head;

	slab_renew(&e->conns, c);
	edge_proxy_request(c, h, req);
	c->flags &= (uint16_t)~(CONN_KEEP | CONN_IS_HEAD | CONN_HTTP10 |
	    CONN_EIO);
	if (h->keep_alive)
		c->flags |= CONN_KEEP;
	if (edge_handshake_path(e, h->path) != NULL)
		c->flags |= CONN_EIO;
	if (h->method == HTTP_M_HEAD)
		c->flags |= CONN_IS_HEAD;
	if (h->minor == 0)
		c->flags |= CONN_HTTP10;
	c->state = CONN_BODY;
}

static void
on_head(struct conn *c, bool more_is_here)
{
	const struct http_msg *h = &c->edge->head;
	struct edge_request req;

	begin(c, &req);
	if (!h->has_body)
		return;
	if (c->flags & CONN_REDIRECT) {
		c->flags |= CONN_BAD;	/* the body is not read */
		c->state = CONN_ANSWER;
		edge_redirect_answer(c, &req);
		return;
	}
	if (!edge_body_begin(c, &req))
		return;
	/* RFC 9110 10.1.1: not when the body is coming in already. */
	if (h->expect_continue && !more_is_here &&
	    !edge_conn_write(c, SPAN("HTTP/1.1 100 Continue\r\n\r\n")))
		stream_close(&c->stream);
}

static void
on_body(struct conn *c, struct intake *in, struct span piece)
{
	if (!edge_body_piece(c, piece) || c->exchange->how != EDGE_HOLD)
		return;
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
	size_t head_n = c->exchange->head_n;
	struct http_in again;
	size_t used;

	http_in_init(&again, HTTP_SERVER, &e->limits);
	in->head = span_sub(all, 0, head_n);
	in->body = span_sub(all, head_n, all.n);
	return http_next(&again, in->head, &e->head, &used, &piece) ==
	    HTTP_EV_HEAD;
}

static void
count(struct conn *c)
{
	struct edge *e = c->edge;

	e->stats.requests++;
	c->requests++;
	if (e->conf.requests_max > 0 && c->requests == e->conf.requests_max)
		e->stats.requests_over++;
}

/* To whom it is for. */
static void
route(struct conn *c, const struct edge_request *req)
{
	struct edge *e = c->edge;
	const struct eio_path *path;

	if (c->flags & CONN_REDIRECT)
		edge_redirect_answer(c, req);
	else if (span_eq(req->head->path, SPAN("*")))
		edge_http_options(c);
	else if ((path = edge_handshake_path(e, req->head->path)) != NULL)
		edge_handshake_request(c, path, req);
	else
		e->app->on_request(e->app->arg, edge_conn_ref(c), req);
}

static void
on_end(struct conn *c, struct intake *in)
{
	struct edge *e = c->edge;
	struct hold *copy = c->message;
	struct edge_request req;

	/* What was accepted once is accepted again. */
	if (copy != NULL && !recall_head(c, in)) {
		edge_http_refuse(c, 500, "head not read again");
		return;
	}
	edge_proxy_request(c, &e->head, &req);
	c->message = NULL;	/* ours to drop, whatever becomes of c */
	count(c);
	edge_conn_enter(c, CONN_ANSWER, e->conf.answer_ms);
	if (c->exchange != NULL) {
		req.body = in->body;
		req.body_n = c->exchange->got;
		req.body_fd = c->exchange->fd;
		edge_body_over(c, true);
	}
	if (c->state == CONN_ANSWER)
		route(c, &req);
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

static bool
takes(const struct conn *c)
{
	if (c->exchange != NULL && c->exchange->paused)
		return false;
	/* a request without a body is taken at once with its head */
	return (c->state == CONN_HEAD && !edge_conn_is_clogged(c)) ||
	    (c->state == CONN_BODY && (c->exchange == NULL ||
	    !edge_conn_is_clogged(c)));
}

size_t
edge_http_input(struct conn *c, uint8_t *p, size_t n)
{
	struct intake in = { { NULL, 0 }, { NULL, 0 } };
	size_t at = 0;

	while (takes(c)) {
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
	if (c->state != CONN_BODY)
		return at;
	if (c->message != NULL || spill(c, &in))
		edge_body_wait(c);
	return at;
}
