/*
 * answer.c: answers: whole ones, those that are written bit by bit, and
 * refusals. exports edge_answer*, edge_not_allowed, edge_http_refuse,
 * edge_http_plain
 */
#include <assert.h>

#include "edge/private.h"

/* RFC 9110 9.3.7: what we can do at all. */
#define ALLOW_ALL "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

static bool
keeps(const struct conn *c, const struct edge_answer *a)
{
	uint32_t max = c->edge->conf.requests_max;

	return (c->flags & (CONN_KEEP | CONN_BAD | CONN_EOF)) == CONN_KEEP &&
	    !a->close && !c->edge->draining &&
	    (max == 0 || c->requests < max);
}

/* RFC 9110 6.4.1: no answer of these has a body. */
static bool
is_bodiless(const struct conn *c, int status)
{
	return (c->flags & CONN_IS_HEAD) != 0 || status == 204 ||
	    status == 304;
}

/* length: EDGE_UNKNOWN: chunked, or until the end of the connection. */
static void
put_head(struct conn *c, struct wr *w, const struct edge_answer *a,
    uint64_t length, bool keep)
{
	struct edge *e = c->edge;

	http_put_status(w, (unsigned)a->status);
	http_put_date(w, "Date", reactor_unix_ms(e->reactor));
	/* RFC 9110 8.6: no length in 204; in 304 it would be the 200's. */
	if (a->status == 204 || a->status == 304)
		;
	else if (length != EDGE_UNKNOWN)
		http_put_field_u64(w, "Content-Length", length);
	else if ((c->flags & CONN_HTTP10) == 0)
		http_put_field_str(w, "Transfer-Encoding", "chunked");
	if (!keep)
		http_put_field_str(w, "Connection", "close");
	else if (c->flags & CONN_HTTP10)
		http_put_field_str(w, "Connection", "keep-alive");
	for (size_t i = 0; i < a->headers_n; i++) {
		wr_span(w, a->headers[i].name);
		http_put_field(w, "", a->headers[i].value);
	}
	wr_span(w, a->fields);
	if (c->flags & CONN_EIO)
		edge_handshake_cors(e, w);
	wr_bytes(w, e->headers,
	    c->flags & CONN_IS_TLS ? e->headers_all_n : e->headers_n);
	http_put_end(w);
}

/* Half an answer can only be cut off. */
static void
cut(struct conn *c)
{
	c->edge->stats.slow_readers++;
	edge_conn_enter(c, CONN_CLOSING, 0);
	stream_close(&c->stream);
}

/*
 * The head goes out. False: it could not be queued and c is cut off.
 * *keep_out: the connection stays. A field of the app's that can not be makes
 * a 500 without a body: *a is that then.
 */
static bool
send_head(struct conn *c, const struct edge_answer **a, uint64_t *length,
    bool *keep_out)
{
	static const struct edge_answer failed = { .status = 500,
	    .close = true };
	struct wr w = wr_init(c->edge->scratch, EDGE_SCRATCH);

	assert((*a)->status >= 200);
	assert((*a)->status <= 599);
	*keep_out = keeps(c, *a) && (*length != EDGE_UNKNOWN ||
	    (c->flags & CONN_HTTP10) == 0);
	put_head(c, &w, *a, *length, *keep_out);
	if (!wr_ok(&w)) {
		*a = &failed;
		*length = 0;
		*keep_out = false;
		w = wr_init(c->edge->scratch, EDGE_SCRATCH);
		put_head(c, &w, *a, 0, false);
	}
	if (edge_conn_write(c, wr_done(&w)))
		return true;
	cut(c);
	return false;
}

/* The answer is written; on to the next request, or the end. */
static void
done(struct conn *c, bool keep)
{
	if (edge_conn_is_clogged(c))
		edge_conn_pace(c);
	if (keep)
		edge_conn_enter(c, CONN_HEAD, c->edge->conf.idle_ms);
	else
		edge_conn_finish(c);
	edge_conn_continue(c);
}

/* ---- Whole ones ---- */

static uint64_t
body_length(const struct edge_answer *a)
{
	uint64_t n = 0;

	if (a->pieces_n == 0)
		return a->blob != NULL ? a->blob->n : a->body.n;
	for (size_t i = 0; i < a->pieces_n; i++)
		n += a->pieces[i].n;
	return n;
}

/* The file of the pieces goes nowhere. */
static void
drop_pieces(const struct edge_answer *a)
{
	for (size_t i = 0; i < a->pieces_n; i++) {
		if (a->pieces[i].blob != NULL)
			continue;
		sys_close(a->pieces[i].file.fd);
		return;
	}
}

static bool
send_pieces(struct conn *c, const struct edge_answer *a)
{
	bool taken = false;	/* the file, by the stream */
	enum err e = OK;

	for (size_t i = 0; e == OK && i < a->pieces_n; i++) {
		const struct edge_piece *p = &a->pieces[i];

		c->edge->stats.bytes_out += p->n;
		if (p->blob != NULL) {
			e = stream_write_part(&c->stream, p->blob,
			    (uint32_t)p->at, (uint32_t)p->n);
		} else if (taken) {
			e = stream_write_same_file(&c->stream, p->at, p->n);
		} else {
			taken = true;
			e = stream_write_file(&c->stream, &p->file, p->at,
			    p->n);
		}
	}
	if (!taken)
		drop_pieces(a);
	return e == OK;
}

static bool
send_body(struct conn *c, const struct edge_answer *a)
{
	if (is_bodiless(c, a->status)) {
		drop_pieces(a);
		return true;
	}
	if (a->pieces_n > 0)
		return send_pieces(c, a);
	return a->blob != NULL ? edge_conn_write_blob(c, a->blob) :
	    edge_conn_write(c, a->body);
}

static void
answer(struct conn *c, const struct edge_answer *given)
{
	const struct edge_answer *a = given;
	uint64_t length = body_length(a);
	bool keep;

	assert(c->state == CONN_ANSWER);
	edge_body_drop(c);
	if (!send_head(c, &a, &length, &keep)) {
		drop_pieces(given);
		return;
	}
	if (a != given)
		drop_pieces(given);
	if (send_body(c, a))
		done(c, keep);
	else
		cut(c);
}

/*
 * The connection whose request may be answered by this. Before its body has
 * come whole, the rest is not wanted any more and the connection ends.
 */
static struct conn *
may_answer(struct edge_ref request)
{
	struct conn *c = edge_conn_find(request);

	if (c == NULL || (c->flags & CONN_STREAM) != 0)
		return NULL;
	assert(reactor_self() == c->edge->reactor);
	if (c->state == CONN_BODY) {
		c->flags |= CONN_BAD;
		c->state = CONN_CLOSING;	/* one answer is enough */
		edge_body_over(c, false);
		edge_conn_enter(c, CONN_ANSWER, c->edge->conf.answer_ms);
	}
	return edge_conn_find(request) == c && c->state == CONN_ANSWER ? c :
	    NULL;
}

void
edge_answer(struct edge_ref request, const struct edge_answer *a)
{
	struct conn *c = may_answer(request);

	if (c != NULL)
		answer(c, a);
	else
		drop_pieces(a);
}

void
edge_not_allowed(struct edge_ref request, const char *allow)
{
	struct http_field f = { SPAN("Allow"), span_str(allow) };

	edge_answer(request, &(struct edge_answer){ .status = 405,
	    .headers = &f, .headers_n = 1 });
}

void
edge_http_options(struct conn *c)
{
	struct http_field f = { SPAN("Allow"), SPAN(ALLOW_ALL) };

	answer(c, &(struct edge_answer){ .status = 204, .headers = &f,
	    .headers_n = 1 });
}

void
edge_http_plain(struct conn *c, int status, const char *type,
    struct span body)
{
	struct http_field f = { SPAN("Content-Type"),
	    type == NULL ? SPAN("") : span_str(type) };

	answer(c, &(struct edge_answer){ .status = status, .headers = &f,
	    .headers_n = type != NULL, .body = body });
}

/* ---- Refusals ---- */

/* A plain one says in words what was wrong: for who debugs a client. */
static void
refuse_plainly(struct conn *c, int status, const char *why)
{
	uint8_t text[256];
	struct wr w = wr_init(text, sizeof text);
	struct http_field f[2] = {
		{ SPAN("Content-Type"), SPAN("text/plain; charset=utf-8") },
		{ SPAN("Retry-After"), SPAN("5") },
	};

	wr_str(&w, http_reason((unsigned)status));
	wr_str(&w, ": ");
	wr_str(&w, why);
	wr_str(&w, "\n");
	answer(c, &(struct edge_answer){ .status = status, .headers = f,
	    .headers_n = status == 503 ? 2 : 1, .body = wr_done(&w) });
}

void
edge_http_refuse(struct conn *c, int status, const char *why)
{
	struct edge *e = c->edge;
	struct edge_ref ref;

	if (c->state == CONN_CLOSING)
		return;
	if (c->state == CONN_HEAD)	/* of whichever request was before */
		c->flags &= (uint16_t)~(CONN_IS_HEAD | CONN_EIO);
	slab_renew(&e->conns, c);	/* a late answer is none */
	edge_conn_disown(c, EDGE_LOST);
	edge_body_drop(c);
	c->flags |= CONN_BAD;
	if (c->flags & CONN_STREAM) {	/* its head is written already */
		c->flags &= (uint16_t)~CONN_STREAM;
		edge_conn_enter(c, CONN_CLOSING, 0);
		stream_close(&c->stream);
		return;
	}
	edge_conn_enter(c, CONN_ANSWER, 0);
	ref = edge_conn_ref(c);
	if (e->app->on_refused != NULL)
		e->app->on_refused(e->app->arg, ref, status, why);
	if (edge_conn_find(ref) == c && c->state == CONN_ANSWER)
		refuse_plainly(c, status, why);
}

/* ---- Bit by bit ---- */

bool
edge_answer_begin(struct edge_ref request, const struct edge_answer *a,
    uint64_t length, const struct edge_source *source, void *arg)
{
	struct conn *c = may_answer(request);
	struct exchange *x;
	bool keep;

	if (c == NULL)
		return false;
	edge_body_over(c, false);
	if ((x = edge_body_need(c)) == NULL) {
		edge_http_refuse(c, 503, "no room for an answer");
		return false;
	}
	if (!send_head(c, &a, &length, &keep))
		return false;
	if (is_bodiless(c, a->status) || length == 0) {
		edge_body_drop(c);
		done(c, keep);
		return false;
	}
	x->source = source;
	x->source_arg = arg;
	x->left = length;
	x->keep = keep;
	x->chunked = length == EDGE_UNKNOWN && (c->flags & CONN_HTTP10) == 0;
	c->flags |= CONN_STREAM;
	edge_conn_enter(c, CONN_ANSWER, c->edge->conf.answer_ms);
	reactor_flush(c->edge->reactor, &c->resume);
	return true;
}

static struct conn *
streaming(struct edge_ref request)
{
	struct conn *c = edge_conn_find(request);

	return c != NULL && (c->flags & CONN_STREAM) != 0 &&
	    c->state == CONN_ANSWER ? c : NULL;
}

size_t
edge_answer_room(struct edge_ref request)
{
	const struct conn *c = streaming(request);

	return c == NULL || edge_conn_is_clogged(c) ? 0 :
	    EDGE_CLOG - stream_waiting(&c->stream);
}

/* Not its fault alone, but nothing else can be done. */
static void
abandon(struct conn *c)
{
	c->flags &= (uint16_t)~CONN_STREAM;
	edge_conn_enter(c, CONN_CLOSING, 0);
	stream_close(&c->stream);
	edge_body_drop(c);
}

bool
edge_answer_write(struct edge_ref request, struct span piece)
{
	struct conn *c = streaming(request);
	struct exchange *x = c == NULL ? NULL : c->exchange;
	uint8_t head[24];
	struct wr w = wr_init(head, sizeof head);
	bool ok = true;

	if (x == NULL)
		return false;
	if (piece.n == 0)
		return true;
	if (x->left != EDGE_UNKNOWN) {
		assert(piece.n <= x->left);
		x->left -= piece.n;
	}
	if (x->chunked) {
		http_put_chunk(&w, piece.n);
		ok = edge_conn_write(c, wr_done(&w));
	}
	ok = ok && edge_conn_write(c, piece);
	if (ok && x->chunked)
		ok = edge_conn_write(c, SPAN("\r\n"));
	if (!ok) {
		c->edge->stats.slow_readers++;
		abandon(c);
		return false;
	}
	edge_conn_enter(c, CONN_ANSWER, c->edge->conf.answer_ms);
	return true;
}

void
edge_answer_end(struct edge_ref request)
{
	struct conn *c = streaming(request);
	struct exchange *x = c == NULL ? NULL : c->exchange;
	bool keep;

	if (x == NULL)
		return;
	x->source = NULL;	/* it knows */
	/* RFC 9112 8: what is too short is cut off, so that it is seen. */
	if ((x->left != EDGE_UNKNOWN && x->left > 0) || (x->chunked &&
	    !edge_conn_write(c, SPAN("0\r\n\r\n")))) {
		abandon(c);
		return;
	}
	keep = x->keep && !c->edge->draining;
	c->flags &= (uint16_t)~CONN_STREAM;
	edge_body_drop(c);
	done(c, keep);
}

void
edge_answer_abort(struct edge_ref request)
{
	struct conn *c = streaming(request);

	if (c == NULL)
		return;
	c->exchange->source = NULL;
	abandon(c);
}

void
edge_answer_pump(struct conn *c)
{
	struct exchange *x = c->exchange;

	if (edge_conn_is_clogged(c) || x->source == NULL ||
	    x->source->on_room == NULL)
		return;
	x->source->on_room(x->source_arg, edge_conn_ref(c));
}
