/*
 * conn.c: a connection's life: accepted, counted, timed, its input handed to
 * the protocol that it speaks, finished. On the edge's reactor.
 * exports edge_conn_*
 */
#include <assert.h>

#include "edge/private.h"

/* A trusted proxy's connections are many people's. */
static uint32_t
addr_max(const struct edge *e, const struct sys_addr *a)
{
	return edge_proxy_is_trusted(e, a) ? 0 : e->conf.addr_conns_max;
}

static struct conn *
of_stream(struct stream *s)
{
	return (struct conn *)(void *)((char *)s -
	    offsetof(struct conn, stream));
}

struct conn *
edge_conn_find(struct edge_ref r)
{
	return r.edge == NULL ? NULL :
	    slab_find(&r.edge->conns, r.index, r.generation);
}

void
edge_conn_disown(struct conn *c, enum edge_end why)
{
	const struct ws_ops *ops = c->ops;

	c->ops = NULL;
	if (ops != NULL)
		ops->on_end(c, why);
	c->owner = NULL;
}

static void
uncount_handshake(struct conn *c)
{
	if (c->flags & CONN_COUNTED)
		c->edge->handshakes--;
	if (c->flags & CONN_SHARES)
		edge_addrs_give(&c->edge->hs_addrs, UINT32_MAX, &c->peer);
	c->flags &= (uint16_t)~(CONN_COUNTED | CONN_SHARES);
	edge_listen_settle(c->edge);
}

/* A trusted proxy's are many people's, and so is what has no limit. */
static bool
shares(const struct edge *e, const struct sys_addr *peer)
{
	return e->conf.handshakes_max > 0 && !edge_proxy_is_trusted(e, peer);
}

/* Else one that never goes on with its handshakes would keep all others out. */
static bool
take_share(struct edge *e, const struct sys_addr *peer)
{
	uint32_t max = (e->conf.handshakes_max + EDGE_HS_SHARE - 1) /
	    EDGE_HS_SHARE;

	return !shares(e, peer) || edge_addrs_take(&e->hs_addrs, max, peer);
}

/*
 * Has the peer's machine taken enough (conf.rate_min) of what waits for it
 * since we last asked? Then a long answer on a slow way goes on.
 */
static bool
still_reads(struct conn *c)
{
	const struct edge_conf *conf = &c->edge->conf;
	uint32_t had = c->progress, since = c->asked_ms, got;

	if (stream_waiting(&c->stream) == 0 || conf->send_ms == 0)
		return false;
	edge_conn_pace(c);
	got = c->progress - had;
	since = c->asked_ms - since;
	if (since > conf->send_ms)	/* not asked since before the answer */
		since = (uint32_t)conf->send_ms;
	/* Some sockets count more than the bytes in them: none was read. */
	return got > 0 && got <= INT32_MAX &&
	    got >= (uint64_t)conf->rate_min * since / 1000;
}

void
edge_conn_pace(struct conn *c)
{
	c->progress = stream_progress(&c->stream);
	c->asked_ms = (uint32_t)reactor_now_ms(c->edge->reactor);
}

/* The time of a state is over. */
static void
on_timer(struct timer *t)
{
	struct conn *c = (struct conn *)(void *)((char *)t -
	    offsetof(struct conn, timer));
	struct edge_stats *st = &c->edge->stats;

	if ((c->state == CONN_HEAD || c->state == CONN_BODY ||
	    c->state == CONN_CLOSING || (c->flags & CONN_STREAM) != 0) &&
	    still_reads(c)) {
		edge_conn_enter(c, (enum conn_state)c->state,
		    c->edge->conf.send_ms);
		return;
	}
	/* Who has not read the last answer can not be told either. */
	if ((c->state == CONN_HEAD || c->state == CONN_BODY ||
	    (c->flags & CONN_STREAM) != 0) &&
	    stream_waiting(&c->stream) > 0) {
		st->slow_readers++;
		stream_close(&c->stream);
		return;
	}
	switch ((enum conn_state)c->state) {
	case CONN_TLS:
		st->tls_late++;
		stream_close(&c->stream);
		break;
	case CONN_HEAD:
		if (c->pend == NULL && c->requests > 0) {
			st->idle_closed++;
			edge_conn_finish(c);
			break;
		}
		st->head_late++;
		edge_http_refuse(c, 408, "the head took too long");
		break;
	case CONN_BODY:
		edge_body_late(c);
		break;
	case CONN_ANSWER:
		st->answer_late++;
		edge_http_refuse(c, 503, "the answer took too long");
		break;
	case CONN_WS:
	case CONN_MOVING:
	case CONN_CLOSING:
		stream_close(&c->stream);
		break;
	}
}

void
edge_conn_enter(struct conn *c, enum conn_state st, uint64_t ms)
{
	c->state = (uint8_t)st;
	if (ms > 0)
		timer_start(reactor_wheel(c->edge->reactor), &c->timer, ms,
		    on_timer);
	else
		timer_cancel(&c->timer);
}

void
edge_conn_finish(struct conn *c)
{
	if (c->state == CONN_CLOSING)
		return;
	/* Without the limit a peer could stay for ever. */
	edge_conn_enter(c, CONN_CLOSING,
	    c->edge->conf.close_ms > 0 ? c->edge->conf.close_ms : 1);
	stream_finish(&c->stream);
}

/* ---- Memory in all ---- */

/*
 * What waits to be written counts as memory of the edge's, a blob that others
 * refer to as well for its share of it. It is given back when all is written,
 * so that a connection never counts for more than what waits on it.
 */
static void
charge(struct conn *c, size_t n)
{
	struct holds *all = &c->edge->holds;
	size_t sum = c->charged + n, waits = stream_waiting(&c->stream);

	if (sum > waits)
		sum = waits;
	all->queued = all->queued - c->charged + sum;
	c->charged = (uint32_t)sum;
}

static void
discharge(struct conn *c)
{
	c->edge->holds.queued -= c->charged;
	c->charged = 0;
}

/* When memory is short, nobody may lag by more than a little. */
static bool
may_queue(struct conn *c, size_t n)
{
	if (holds_fit(&c->edge->holds, n) || !edge_conn_is_clogged(c))
		return true;
	c->edge->stats.mem_over++;
	return false;
}

bool
edge_conn_write(struct conn *c, struct span bytes)
{
	if (!may_queue(c, bytes.n))
		return false;
	c->edge->stats.bytes_out += bytes.n;
	if (stream_write(&c->stream, bytes) != OK)
		return false;
	charge(c, bytes.n);
	return true;
}

bool
edge_conn_write_blob(struct conn *c, struct blob *b)
{
	size_t share = b->n / atomic_load_explicit(&b->refs,
	    memory_order_relaxed);

	if (!may_queue(c, share))
		return false;
	c->edge->stats.bytes_out += b->n;
	if (stream_write_blob(&c->stream, b) != OK)
		return false;
	charge(c, share);
	return true;
}

/* ---- Begin ---- */

static void on_resume(struct flush *f);

/* Whether one more may come; its address is counted then. */
static bool
may_open(struct edge *e, const struct sys_addr *peer, bool tls)
{
	struct edge_stats *st = &e->stats;

	if (tls && e->conf.handshakes_max > 0 &&
	    e->handshakes >= e->conf.handshakes_max) {
		st->handshakes_over++;
		return false;
	}
	if (!holds_fit(&e->holds, 1)) {
		st->mem_over++;
		return false;
	}
	if (e->conns.n == e->conns.max) {
		st->conns_over++;
		return false;
	}
	if (!edge_addrs_take(&e->addrs, addr_max(e, peer), peer)) {
		st->addr_over++;
		return false;
	}
	if (tls && !take_share(e, peer)) {
		st->handshakes_over++;
		edge_addrs_give(&e->addrs, addr_max(e, peer), peer);
		return false;
	}
	return true;
}

/* Its stream is there; its state follows. */
static void
begin(struct conn *c, struct edge *e, const struct sys_addr *peer,
    uint16_t flags)
{
	c->edge = e;
	c->resume.run = on_resume;
	c->peer = *peer;
	c->flags = flags;
	if (edge_proxy_is_trusted(e, peer))
		c->flags |= CONN_TRUSTED;
	http_in_init(&c->in.http, HTTP_SERVER, &e->limits);
	if (++e->stats.conns > e->stats.conns_peak)
		e->stats.conns_peak = e->stats.conns;
}

void
edge_conn_open(struct edge *e, int fd, const struct sys_addr *peer,
    struct tls_ctx *tls, uint16_t flags)
{
	struct edge_stats *st = &e->stats;
	struct conn *c;

	st->accepted++;
	if (!may_open(e, peer, tls != NULL)) {
		sys_close(fd);
		return;
	}
	c = slab_get(&e->conns);
	assert(c != NULL);
	if (stream_accept(&c->stream, e->reactor, fd, tls, &edge_conn_ops,
	    e->conf.out_max) != OK) {
		st->conns_over++;
		edge_addrs_give(&e->addrs, addr_max(e, peer), peer);
		if (tls != NULL && shares(e, peer))
			edge_addrs_give(&e->hs_addrs, UINT32_MAX, peer);
		slab_put(&e->conns, c);
		return;
	}
	begin(c, e, peer, flags);
	if (tls != NULL) {
		c->flags |= CONN_IS_TLS | CONN_COUNTED;
		if (shares(e, peer))
			c->flags |= CONN_SHARES;
		e->handshakes++;
		edge_conn_enter(c, CONN_TLS, e->conf.tls_ms);
	} else {
		edge_conn_enter(c, CONN_HEAD, e->conf.head_ms);
	}
	edge_listen_settle(e);
}

static void
on_open(struct stream *s)
{
	struct conn *c = of_stream(s);

	if (c->state != CONN_TLS)
		return;
	uncount_handshake(c);
	edge_conn_enter(c, CONN_HEAD, c->edge->conf.head_ms);
}

/*
 * One whose request waits is read on, a little, so that its end is seen
 * (that of TLS comes in bytes).
 */
static bool
listens(const struct conn *c)
{
	return c->state == CONN_ANSWER && c->ops != NULL &&
	    (c->pend == NULL || c->pend->n < EDGE_AHEAD);
}

static bool
takes_input(const struct conn *c)
{
	return (c->state == CONN_HEAD || c->state == CONN_BODY ||
	    c->state == CONN_WS) && !edge_conn_is_clogged(c) &&
	    (c->exchange == NULL || !c->exchange->paused);
}

/* Hands p[n] to the protocols until one wants more; bytes that were taken. */
static size_t
work_off(struct conn *c, uint8_t *p, size_t n)
{
	size_t at = 0;

	c->flags |= CONN_LOOP;
	while (at < n && takes_input(c)) {
		size_t took = c->state == CONN_WS ?
		    edge_ws_input(c, p + at, n - at) :
		    edge_http_input(c, p + at, n - at);

		at += took;
		if (took == 0)
			break;
	}
	c->flags &= (uint16_t)~CONN_LOOP;
	return at;
}

/* A head has begun: from now on its time runs, whatever trickles in. */
static void
time_head(struct conn *c, bool had_some)
{
	if (c->state == CONN_HEAD && c->pend != NULL && !had_some &&
	    c->requests > 0)
		edge_conn_enter(c, CONN_HEAD, c->edge->conf.head_ms);
}

/* No further input until the app has answered and the peer has read what is
 * written (back-pressure). */
static void
settle(struct conn *c)
{
	if (c->state == CONN_CLOSING) {
		hold_drop(&c->edge->holds, &c->pend);
		hold_drop(&c->edge->holds, &c->message);
	} else if (takes_input(c) || listens(c)) {
		stream_resume(&c->stream);
	} else {
		stream_pause(&c->stream);
	}
}

/* Works off what is kept; what is not taken stays kept. */
static void
work_off_kept(struct conn *c)
{
	struct hold *h = c->pend;
	size_t took;

	c->pend = NULL;
	took = work_off(c, h->p, h->n);
	if (took == h->n || c->state == CONN_CLOSING) {
		hold_drop(&c->edge->holds, &h);
		return;
	}
	assert(c->pend == NULL);
	memmove(h->p, h->p + took, h->n - took);
	wipe(h->p + h->n - took, took);
	h->n -= took;
	c->pend = h;
}

static void
take_data(struct stream *s, struct span bytes)
{
	struct conn *c = of_stream(s);
	struct edge *e = c->edge;
	uint8_t *p = reactor_buf(e->reactor);
	bool had_some = c->pend != NULL;
	uint32_t requests = c->requests;

	e->stats.bytes_in += bytes.n;
	assert(bytes.p == p);	/* so that it may be unmasked in place */
	if (had_some) {
		if (hold_add(&c->edge->holds, &c->pend, bytes) != OK) {
			stream_close(s);
			return;
		}
		work_off_kept(c);
	} else {
		size_t took = work_off(c, p, bytes.n);

		if (took < bytes.n && c->state != CONN_CLOSING &&
		    hold_add(&c->edge->holds, &c->pend,
		    span_sub(bytes, took, bytes.n)) != OK) {
			stream_close(s);
			return;
		}
	}
	time_head(c, had_some && c->requests == requests);
	settle(c);
}

/* All connections read into one buffer: no password stays in it. */
static void
on_data(struct stream *s, struct span bytes)
{
	uint8_t *p = reactor_buf(of_stream(s)->edge->reactor);

	take_data(s, bytes);
	wipe(p, bytes.n);
}

static void
on_resume(struct flush *f)
{
	struct conn *c = (struct conn *)(void *)((char *)f -
	    offsetof(struct conn, resume));

	if (c->state == CONN_MOVING) {
		edge_move_send(c);
		return;
	}
	if (c->state == CONN_ANSWER && (c->flags & CONN_STREAM) != 0)
		edge_answer_pump(c);
	if (c->pend != NULL && takes_input(c)) {
		work_off_kept(c);
		time_head(c, false);
	} else if (c->state == CONN_BODY && takes_input(c)) {
		/* its end may be due without another byte */
		c->flags |= CONN_LOOP;
		(void)edge_http_input(c, NULL, 0);
		c->flags &= (uint16_t)~CONN_LOOP;
	}
	settle(c);
	/* The peer has ended and everything it sent is answered. */
	if ((c->flags & CONN_EOF) != 0 && takes_input(c))
		edge_conn_finish(c);
}

void
edge_conn_continue(struct conn *c)
{
	if (c->flags & CONN_LOOP)
		return;		/* who works its input off goes on himself */
	if (c->pend != NULL || (c->flags & (CONN_EOF | CONN_STREAM)) != 0)
		reactor_flush(c->edge->reactor, &c->resume);
	else
		settle(c);
}

static void
on_drained(struct stream *s)
{
	struct conn *c = of_stream(s);

	discharge(c);
	if (c->state != CONN_CLOSING)
		edge_conn_continue(c);
}

static void
on_eof(struct stream *s)
{
	struct conn *c = of_stream(s);

	c->flags |= CONN_EOF;
	/* A request under way is answered; then it ends (RFC 9112 9.6). */
	if (c->state == CONN_ANSWER &&
	    (c->ops == NULL || !c->ops->ends_at_eof))
		return;
	edge_conn_finish(c);
	edge_conn_disown(c, EDGE_LOST);
}

void
edge_conn_retire(struct conn *c)
{
	struct edge *e = c->edge;

	uncount_handshake(c);
	timer_cancel(&c->timer);
	reactor_flush_cancel(&c->resume);
	discharge(c);
	if (c->exchange != NULL) {
		c->state = CONN_CLOSING;	/* the app can do nothing */
		edge_body_drop(c);
	}
	edge_conn_disown(c, EDGE_LOST);
	edge_zip_close(c);
	hold_drop(&c->edge->holds, &c->pend);
	hold_drop(&c->edge->holds, &c->message);
	edge_addrs_give(&e->addrs, addr_max(e, &c->peer), &c->peer);
	slab_put(&e->conns, c);
	e->stats.conns--;
	edge_listen_settle(e);
	if (e->draining)
		reactor_flush(e->reactor, &e->drained);
}

static void
on_close(struct stream *s, enum stream_end why)
{
	struct conn *c = of_stream(s);

	if (c->state == CONN_TLS && why == STREAM_TLS)
		c->edge->stats.tls_failed++;
	edge_conn_retire(c);
}

const struct stream_ops edge_conn_ops = {
	.on_open = on_open,
	.on_data = on_data,
	.on_eof = on_eof,
	.on_drained = on_drained,
	.on_close = on_close,
};

struct conn *
edge_conn_adopt(struct edge *e, struct stream_parts *parts,
    const struct sys_addr *peer)
{
	bool tls = parts->tls != NULL;
	struct conn *c;

	/* Its handshake is over, so that limit is not asked. */
	if (!parts->held || !may_open(e, peer, false))
		return NULL;
	c = slab_get(&e->conns);
	assert(c != NULL);
	if (stream_adopt(&c->stream, e->reactor, parts, &edge_conn_ops,
	    e->conf.out_max) != OK) {
		edge_addrs_give(&e->addrs, addr_max(e, peer), peer);
		slab_put(&e->conns, c);
		return NULL;
	}
	begin(c, e, peer, tls ? CONN_IS_TLS : 0);
	edge_conn_enter(c, CONN_HEAD, e->conf.head_ms);
	edge_listen_settle(e);
	return c;
}
