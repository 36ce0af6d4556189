/*
 * body.c: the bodies of requests, as they come in: held in memory, spooled to
 * a file that has no name, or handed on piece by piece. exports edge_body_*
 *
 * Implementation notes. What a request needs beyond its head (where its body
 * goes, what is left of an answer that is streamed) is a struct exchange, a
 * slot of its own, so that connections without one stay small. A held body
 * that lies whole in the input needs no copy: http.c sees to that.
 */
#include <assert.h>

#include "edge/private.h"

struct exchange *
edge_body_need(struct conn *c)
{
	if (c->exchange != NULL)
		return c->exchange;
	c->exchange = slab_get(&c->edge->exchanges);
	if (c->exchange != NULL) {
		c->exchange->fd = -1;
		c->exchange->ref = edge_conn_ref(c);
	}
	return c->exchange;
}

static void
give_file(struct conn *c, struct exchange *x)
{
	if (x->fd >= 0)
		sys_close(x->fd);
	x->fd = -1;
	c->edge->stats.spooled -= x->reserved;
	x->reserved = 0;
}

void
edge_body_over(struct conn *c, bool whole)
{
	struct exchange *x = c->exchange;
	const struct edge_sink *sink;

	if (x == NULL)
		return;
	if (!whole)
		give_file(c, x);
	sink = x->sink;
	x->sink = NULL;
	x->paused = false;
	if (sink != NULL && sink->on_end != NULL)
		sink->on_end(x->sink_arg, x->ref, whole);
}

void
edge_body_drop(struct conn *c)
{
	const struct edge_source *source;
	struct exchange *x;

	edge_body_over(c, false);
	if ((x = c->exchange) == NULL)
		return;
	source = x->source;
	x->source = NULL;
	if (source != NULL && source->on_gone != NULL)
		source->on_gone(x->source_arg, x->ref);
	c->exchange = NULL;
	slab_put(&c->edge->exchanges, x);
}

/* ---- Spooling ---- */

/* n more bytes of all that may be in files. */
static bool
reserve(struct conn *c, uint64_t n)
{
	struct edge *e = c->edge;

	if (e->conf.spool_max > 0 && (n > e->conf.spool_max ||
	    e->stats.spooled > e->conf.spool_max - n))
		return false;
	e->stats.spooled += n;
	c->exchange->reserved += n;
	return true;
}

static bool
begin_spool(struct conn *c, const struct http_msg *h)
{
	struct edge *e = c->edge;

	if (!reserve(c, h->length_known ? h->length : 0)) {
		e->stats.spool_over++;
		edge_http_refuse(c, 503, "too much is spooled");
		return false;
	}
	if (e->spool_dir == NULL ||
	    sys_spool_open(e->spool_dir, &c->exchange->fd) != OK) {
		e->stats.spool_failed++;
		edge_http_refuse(c, 503, "no file to spool the body to");
		return false;
	}
	return true;
}

static bool
spool(struct conn *c, struct span piece)
{
	struct exchange *x = c->exchange;
	struct edge *e = c->edge;
	uint64_t end = x->got;		/* behind this piece */

	if (end > x->reserved && !reserve(c, end - x->reserved)) {
		e->stats.spool_over++;
		edge_http_refuse(c, 503, "too much is spooled");
		return false;
	}
	if (sys_spool_write(x->fd, end - piece.n, piece) != OK) {
		e->stats.spool_failed++;
		edge_http_refuse(c, 503, "the body could not be spooled");
		return false;
	}
	return true;
}

int
edge_take_file(struct edge_ref request)
{
	struct conn *c = edge_conn_find(request);
	int fd = -1;

	if (c != NULL && c->state == CONN_ANSWER && c->exchange != NULL) {
		fd = c->exchange->fd;
		c->exchange->fd = -1;
		give_file(c, c->exchange);
	}
	return fd;
}

/* ---- Which way it goes ---- */

static void
refuse_large(struct conn *c)
{
	c->edge->stats.body_large++;
	if (c->flags & CONN_EIO)
		edge_handshake_large(c);
	else
		edge_http_refuse(c, 413, "body too large");
}

bool
edge_body_begin(struct conn *c, const struct edge_request *req)
{
	struct edge *e = c->edge;
	const struct http_msg *h = req->head;
	struct edge_body plan = { .how = EDGE_HOLD,
	    .max = e->conf.body_max };
	struct exchange *x = edge_body_need(c);

	if (x == NULL) {
		edge_http_refuse(c, 503, "no room for a body");
		return false;
	}
	if (c->flags & CONN_EIO)
		plan.max = edge_handshake_head(c, edge_handshake_path(e,
		    h->path), req);
	else if (e->app->on_head != NULL)
		e->app->on_head(e->app->arg, edge_conn_ref(c), req, &plan);
	if (c->state != CONN_BODY)
		return false;		/* answered already */
	x->how = (uint8_t)plan.how;
	x->max = plan.max > 0 ? plan.max : UINT64_MAX / 2;
	x->began_ms = reactor_now_ms(e->reactor);
	if (h->length_known && h->length > x->max) {
		refuse_large(c);
		return false;
	}
	if (plan.how == EDGE_STREAM) {
		assert(plan.sink != NULL);
		x->sink = plan.sink;
		x->sink_arg = plan.sink_arg;
	}
	return plan.how != EDGE_SPOOL || begin_spool(c, h);
}

bool
edge_body_piece(struct conn *c, struct span piece)
{
	struct exchange *x = c->exchange;

	if (piece.n > x->max - x->got) {
		refuse_large(c);
		return false;
	}
	x->got += piece.n;
	if (x->how == EDGE_SPOOL)
		return spool(c, piece);
	if (x->how == EDGE_STREAM && x->sink->on_piece != NULL)
		x->sink->on_piece(x->sink_arg, edge_conn_ref(c), piece);
	return c->state == CONN_BODY;
}

/* ---- Time and back-pressure ---- */

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/*
 * How long the body may be silent now: conf.silence_ms, and a held one has
 * conf.body_ms in all. False: it is too late already, or came too slowly.
 */
static bool
time_left(const struct conn *c, uint64_t *ms_out)
{
	const struct edge_conf *conf = &c->edge->conf;
	const struct exchange *x = c->exchange;
	uint64_t since = reactor_now_ms(c->edge->reactor) - x->began_ms;

	*ms_out = conf->silence_ms;
	if (x->how == EDGE_HOLD) {
		if (conf->body_ms == 0)
			return true;
		if (since >= conf->body_ms)
			return false;
		*ms_out = least(*ms_out, conf->body_ms - since);
		return true;
	}
	return since <= EDGE_RATE_MS || conf->rate_min == 0 ||
	    x->got >= conf->rate_min * (since - EDGE_RATE_MS) / 1000;
}

void
edge_body_wait(struct conn *c)
{
	uint64_t ms = 0;

	if (c->exchange->paused) {
		edge_conn_enter(c, CONN_BODY, c->edge->conf.answer_ms);
	} else if (time_left(c, &ms)) {
		edge_conn_enter(c, CONN_BODY, ms);
	} else {
		c->edge->stats.body_late++;
		edge_http_refuse(c, 408, "the body took too long");
	}
}

void
edge_body_late(struct conn *c)
{
	if (c->exchange != NULL && c->exchange->paused) {
		c->edge->stats.answer_late++;
		edge_http_refuse(c, 503, "the body was not taken on");
		return;
	}
	c->edge->stats.body_late++;
	edge_http_refuse(c, 408, "the body took too long");
}

void
edge_body_pause(struct edge_ref request)
{
	struct conn *c = edge_conn_find(request);

	if (c == NULL || c->state != CONN_BODY || c->exchange == NULL ||
	    c->exchange->sink == NULL || c->exchange->paused)
		return;
	c->exchange->paused = true;
	c->exchange->paused_ms = reactor_now_ms(c->edge->reactor);
	edge_body_wait(c);
	stream_pause(&c->stream);
}

void
edge_body_resume(struct edge_ref request)
{
	struct conn *c = edge_conn_find(request);
	struct exchange *x = c == NULL ? NULL : c->exchange;

	if (x == NULL || c->state != CONN_BODY || !x->paused)
		return;
	x->paused = false;
	/* The peer is not to blame for that time. */
	x->began_ms += reactor_now_ms(c->edge->reactor) - x->paused_ms;
	edge_body_wait(c);
	if (c->state == CONN_BODY)
		reactor_flush(c->edge->reactor, &c->resume);
}
