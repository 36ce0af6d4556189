/*
 * poll.c: the polling transport of Engine.IO sessions: packets that wait for
 * a GET, and packets that came by POST.
 * exports edge_poll_*
 * Source: Engine.IO protocol, revision 4; where it is silent, what engine.io
 * 6.6 does.
 *
 * Implementation notes. What waits is kept as whole WebSocket frames, because
 * a broadcast is one shared blob of them: a GET unpacks them into a payload,
 * an upgrade sends them on as they are. A blob may hold several frames, so an
 * item says how far it was read.
 */
#include <assert.h>

#include "edge/poll.h"

/* One blob that waits. */
struct item {
	struct list link;
	struct blob *frames;
	uint32_t at;		/* frames before this are delivered */
	uint32_t share;		/* of it, in holds.queued */
};
_Static_assert(sizeof(struct item) <= REACTOR_REF_BYTES, "its pool");

#define ITEM_COST 64		/* bytes that an item counts beside its own */
#define TAIL_MAX 8		/* bytes of what may follow in a payload */

static struct polling *
of_flush(struct flush *f)
{
	return (struct polling *)(void *)((char *)f -
	    offsetof(struct polling, flush));
}

/* ---- What waits ---- */

static bool
is_asked(const struct polling *p)
{
	return p->get.conn != NULL || p->get.forward != NULL;
}

static void
drop_item(struct polling *p, struct item *i)
{
	struct edge *e = p->session->edge;

	p->queue_bytes -= i->frames->n - i->at + ITEM_COST;
	e->holds.queued -= i->share;
	list_remove(&i->link);
	blob_unref(i->frames);
	pool_put(reactor_pool_refs(e->reactor), i);
}

static void
drop_queue(struct polling *p)
{
	while (!list_is_empty(&p->queue))
		drop_item(p, LIST_ITEM(p->queue.next, struct item, link));
}

void
edge_poll_wake(struct polling *p)
{
	if (is_asked(p))
		reactor_flush(p->session->edge->reactor, &p->flush);
}

bool
edge_poll_send_blob(struct polling *p, struct blob *frames)
{
	struct edge *e = p->session->edge;
	/* As of what waits on connections; see conn.c. */
	uint32_t share = frames->n / atomic_load_explicit(&frames->refs,
	    memory_order_relaxed);
	struct item *i;

	if (frames->n > e->conf.out_max ||
	    p->queue_bytes > e->conf.out_max - frames->n)
		return false;
	if (p->queue_bytes > EDGE_CLOG && !holds_fit(&e->holds, share)) {
		e->stats.mem_over++;
		return false;
	}
	if ((i = pool_get(reactor_pool_refs(e->reactor))) == NULL)
		return false;
	*i = (struct item){ .frames = blob_ref(frames), .share = share };
	e->holds.queued += share;
	list_push(&p->queue, &i->link);
	p->queue_bytes += frames->n + ITEM_COST;
	edge_poll_wake(p);
	return true;
}

bool
edge_poll_send(struct polling *p, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg)
{
	struct edge *e = p->session->edge;
	struct blob *large = NULL, *b = NULL;
	struct wr w = wr_init(e->scratch, EDGE_SCRATCH);
	bool ok;

	if (room > w.cap) {
		if (room > e->conf.out_max || (large = blob_new(room)) == NULL)
			return false;
		w = wr_init(large->p, room);
	}
	fill(&w, arg);
	if (wr_ok(&w))
		b = edge_ws_encode(wr_done(&w), false);
	ok = b != NULL && edge_poll_send_blob(p, b);
	blob_unref(b);
	blob_unref(large);
	return ok;
}

bool
edge_poll_is_writable(const struct polling *p)
{
	return is_asked(p) && list_is_empty(&p->queue);
}

/* The packet in the frame at *at, which steps behind it. */
static struct eio_packet
take_packet(const struct blob *frames, uint32_t *at)
{
	struct rd r = rd_init(span_sub(blob_span(frames), *at, frames->n));
	uint8_t op = rd_u8(&r), len = rd_u8(&r);
	struct span data = rd_span(&r, len < 126 ? len :
	    len == 126 ? rd_u16(&r) : (size_t)rd_u64(&r));
	struct eio_packet p = { EIO_NOOP, false, { NULL, 0 } };

	/* They are our own: whole, and packets. */
	assert(!r.bad);
	if (eio_decode(data, (op & 0x0f) == WS_OP_BINARY, &p) != OK)
		abort();
	*at = frames->n - (uint32_t)r.n;
	return p;
}

/* How many packets at the front make one payload, and its bytes at most. */
static size_t
count_packets(struct polling *p, size_t *bytes_out)
{
	size_t max = p->session->edge->conf.message_max, bytes = 0, n = 0;

	for (struct list *l = p->queue.next; l != &p->queue; l = l->next) {
		const struct item *i = LIST_ITEM(l, struct item, link);
		uint32_t at = i->at;

		while (at < i->frames->n) {
			struct eio_packet k = take_packet(i->frames, &at);

			if (n > 0 && bytes + eio_len(&k) > max) {
				*bytes_out = bytes;
				return n;
			}
			bytes += eio_len(&k);
			n++;
		}
	}
	*bytes_out = bytes;
	return n;
}

static void
put_packets(struct polling *p, struct wr *w, size_t n)
{
	while (n > 0) {
		struct item *i = LIST_ITEM(p->queue.next, struct item, link);

		while (n > 0 && i->at < i->frames->n) {
			uint32_t from = i->at;
			struct eio_packet k = take_packet(i->frames, &i->at);

			p->queue_bytes -= i->at - from;
			eio_put(w, &k);
			n--;
		}
		if (i->at == i->frames->n)
			drop_item(p, i);
	}
}

/*
 * What the GET is answered: as many packets as conf.message_max allows, at
 * least one. Without any: noop, so that the GET ends, or close. NULL: no
 * memory.
 * A close packet behind others comes with the next GET where there will be
 * one (is_last: there is none): stock clients see the packets of one answer
 * to their end before they look into them, and would take a DISCONNECT
 * before the close for a line that broke, which they take up again.
 */
static struct blob *
take_payload(struct polling *p, bool is_last)
{
	static const struct eio_packet noop = { EIO_NOOP, false, { NULL, 0 } },
	    close = { EIO_CLOSE, false, { NULL, 0 } };
	size_t bytes, n = count_packets(p, &bytes);
	struct blob *b = blob_new(bytes + TAIL_MAX);
	struct wr w;

	if (b == NULL)
		return NULL;
	w = wr_init(b->p, b->n);
	put_packets(p, &w, n);
	if (p->closing && (n == 0 || is_last) && list_is_empty(&p->queue))
		eio_put(&w, &close);
	else if (n == 0)
		eio_put(&w, &noop);
	assert(wr_ok(&w));
	b->n = (uint32_t)w.n;
	return b;
}

/* ---- Answers ---- */

static void
answer(struct asker to, const struct origin *o, const struct poll_answer *a)
{
	if (to.conn != NULL) {
		to.conn->ops = NULL;
		to.conn->owner = NULL;
		edge_handshake_answer(to.conn, a, o);
	} else {
		edge_forward_answer(to.forward, a);
	}
}

static void
refuse(struct asker to, const struct origin *o, int status,
    enum eio_error why)
{
	answer(to, o, &(struct poll_answer){ .status = status, .why = why });
}

/* The GET that waits; payload (taken over) NULL: no memory. */
static void
answer_get(struct polling *p, struct blob *payload)
{
	struct asker to = p->get;

	p->get = (struct asker){ NULL, NULL };
	if (payload == NULL)
		refuse(to, &p->origin, 503, EIO_ERR_REQUEST);
	else
		answer(to, &p->origin, &(struct poll_answer){ .status = 200,
		    .payload = payload });
	blob_unref(payload);
}

static void
answer_packet(struct polling *p, enum eio_type type)
{
	struct eio_packet k = { type, false, { NULL, 0 } };
	uint8_t text[TAIL_MAX];
	struct wr w = wr_init(text, sizeof text);

	if (!is_asked(p))
		return;
	eio_put(&w, &k);
	answer_get(p, blob_dup(wr_done(&w)));
}

/*
 * It came when the pong was due already: by then there was no session, though
 * its timer comes behind what was read in this tick (which may be the pong).
 */
static void
refuse_late(struct polling *p)
{
	struct asker to = p->get;

	p->get = (struct asker){ NULL, NULL };
	refuse(to, &p->origin, 400, EIO_ERR_SID);
}

static void
on_flush(struct flush *f)
{
	struct polling *p = of_flush(f);
	bool closes;

	if (!is_asked(p) ||
	    (list_is_empty(&p->queue) && !p->closing && !p->probed))
		return;
	closes = p->closing && list_is_empty(&p->queue);
	answer_get(p, take_payload(p, false));
	if (closes)
		edge_poll_free(p);
}

/* ---- Its life ---- */

struct polling *
edge_poll_new(struct session *s)
{
	struct polling *p = slab_get(&s->edge->polls);

	if (p == NULL) {
		s->edge->stats.polls_over++;
		return NULL;
	}
	if (!edge_addrs_take(&s->edge->poll_addrs,
	    s->edge->conf.addr_polls_max, &s->addr)) {
		s->edge->stats.addr_polls_over++;
		slab_put(&s->edge->polls, p);
		return NULL;
	}
	p->session = s;
	p->flush.run = on_flush;
	list_init(&p->queue);
	s->poll = p;
	s->edge->stats.polls++;
	return p;
}

static void
forget_post(struct polling *p)
{
	if (p->post.conn != NULL) {
		p->post.conn->ops = NULL;
		p->post.conn->owner = NULL;
	}
	p->post = (struct asker){ NULL, NULL };
}

void
edge_poll_free(struct polling *p)
{
	struct session *s = p->session;
	struct edge *e = s->edge;

	assert(!is_asked(p));
	edge_upgrade_end(p);
	forget_post(p);
	drop_queue(p);
	timer_cancel(&p->timer);
	reactor_flush_cancel(&p->flush);
	edge_addrs_give(&e->poll_addrs, e->conf.addr_polls_max, &s->addr);
	e->stats.polls--;
	s->poll = NULL;
	slab_put(&e->polls, p);
	edge_session_forget(s);
}

static void
on_linger(struct timer *t)
{
	struct polling *p = (struct polling *)(void *)((char *)t -
	    offsetof(struct polling, timer));

	if (is_asked(p))	/* since a moment ago */
		answer_get(p, take_payload(p, true));
	edge_poll_free(p);
}

void
edge_poll_end(struct polling *p, enum edge_end why, bool orderly)
{
	struct edge *e = p->session->edge;

	edge_upgrade_end(p);
	if (why == EDGE_BY_CLIENT) {
		answer_packet(p, EIO_NOOP);
	} else if (orderly && !e->draining && !p->upgraded &&
	    e->conf.linger_ms > 0) {
		p->closing = true;
		forget_post(p);
		timer_start(reactor_wheel(e->reactor), &p->timer,
		    e->conf.linger_ms, on_linger);
		edge_poll_wake(p);
		return;
	} else if (is_asked(p) && p->late && why == EDGE_PING) {
		refuse_late(p);
	} else if (is_asked(p)) {
		p->closing = true;
		if (list_is_empty(&p->queue))
			answer_packet(p, EIO_CLOSE);
		else
			answer_get(p, take_payload(p, true));
	}
	edge_poll_free(p);
}

bool
edge_poll_pour(struct polling *p, struct conn *c)
{
	bool ok = true;

	answer_packet(p, EIO_NOOP);
	while (ok && !list_is_empty(&p->queue)) {
		struct item *i = LIST_ITEM(p->queue.next, struct item, link);

		ok = i->at == 0 ? edge_ws_send_blob(c, i->frames) :
		    edge_conn_write(c, span_sub(blob_span(i->frames), i->at,
		    i->frames->n));
		drop_item(p, i);
	}
	return ok;
}

/* ---- GET ---- */

static void
on_get_end(struct conn *c, enum edge_end why)
{
	(void)why;
	edge_poll_dropped(c->owner, (struct asker){ c, NULL });
}

static const struct ws_ops get_ops = { .on_end = on_get_end,
    .ends_at_eof = true };

/* It waits from now on; the end of its connection is heard. */
static void
await(struct polling *p, struct asker from, const struct origin *o)
{
	p->get = from;
	p->origin = *o;
	p->late = edge_session_is_late(p->session);
	if (from.conn != NULL) {
		from.conn->ops = &get_ops;
		from.conn->owner = p->session;
		/* The next ping answers it, if nothing does before. */
		edge_conn_enter(from.conn, CONN_ANSWER, 0);
		edge_conn_continue(from.conn);
	} else {
		edge_forward_bind(from.forward, p->session);
	}
	edge_poll_wake(p);
}

void
edge_poll_open(struct session *s, struct conn *c, const struct origin *o)
{
	await(s->poll, (struct asker){ c, NULL }, o);
}

static void
poll_get(struct session *s, struct asker from, const struct origin *o)
{
	struct polling *p = s->poll;

	if (!is_asked(p)) {
		await(p, from, o);
		return;
	}
	s->edge->stats.polls_dropped++;
	if (s->ended) {		/* it is being told that all is over */
		refuse(from, o, 400, EIO_ERR_REQUEST);
		return;
	}
	edge_session_cut(s, EDGE_PROTOCOL);
	refuse(from, o, 400, EIO_ERR_REQUEST);
}

void
edge_poll_dropped(struct session *s, struct asker from)
{
	struct polling *p = s->poll;

	if (p == NULL || p->get.conn != from.conn ||
	    p->get.forward != from.forward)
		return;
	p->get = (struct asker){ NULL, NULL };
	s->edge->stats.polls_dropped++;
	if (s->ended)
		edge_poll_free(p);
	else
		edge_session_cut(s, EDGE_LOST);
}

/* ---- POST ---- */

static void
on_post_end(struct conn *c, enum edge_end why)
{
	(void)why;
	edge_poll_broken(c->owner, (struct asker){ c, NULL }, false);
}

static const struct ws_ops post_ops = { .on_end = on_post_end };

static bool
is_posting(const struct polling *p)
{
	return p->post.conn != NULL || p->post.forward != NULL;
}

void
edge_poll_broken(struct session *s, struct asker from, bool large)
{
	struct polling *p = s->poll;

	if (p == NULL || p->post.conn != from.conn ||
	    p->post.forward != from.forward)
		return;
	forget_post(p);
	if (p->upgraded)
		edge_poll_free(p);
	else if (!large && !s->ended)
		edge_session_cut(s, EDGE_LOST);
}

/* Bytes that a body of this session's may have now. */
static size_t
body_max(const struct session *s)
{
	return s->limit;
}

size_t
edge_poll_begin(struct edge *e, const struct poll_request *q,
    struct asker from)
{
	struct session *s = edge_handshake_find(e, q);

	/* What else is wrong is told when the request is whole. */
	if (s == NULL || s->conn != NULL || s->ended || q->websocket ||
	    !q->version_ok)
		return e->conf.message_max;
	if (is_posting(s->poll)) {
		s->edge->stats.polls_dropped++;
		edge_session_cut(s, EDGE_PROTOCOL);
		return 0;
	}
	s->poll->post = from;
	if (from.conn != NULL) {
		from.conn->ops = &post_ops;
		from.conn->owner = s;
	} else {
		edge_forward_bind(from.forward, s);
	}
	return body_max(s);
}

/* Does a packet of the body begin with 'b', so that memory is needed? */
static bool
has_binary(struct span body)
{
	while (body.n > 0) {
		if (body.p[0] == 'b')
			return true;
		body = span_sub(body, span_find(body, 0x1e) + 1, body.n);
	}
	return false;
}

/* It may end the session. */
static void
take_packets(struct session *s, struct span body)
{
	struct edge_ref ref = { s->edge, s->slot.index, s->slot.generation };
	struct blob *b = NULL;
	struct eio_packet k;
	struct arena a;
	enum err err = OK;
	bool more = true;

	if (body.n == 0 || !utf8_valid(body)) {
		edge_session_bad(s);
		return;
	}
	if (has_binary(body) && (b = blob_new(body.n)) == NULL) {
		edge_session_cut(s, EDGE_LOST);
		return;
	}
	arena_init(&a, b == NULL ? NULL : b->p, b == NULL ? 0 : b->n);
	while (more && (more = eio_next(&body, &a, &k, &err)))
		more = edge_session_packet(ref, &k);
	if (err != OK && edge_session_find(ref) != NULL)
		edge_session_bad(s);
	blob_wipe(b);
}

static void
poll_post(struct session *s, const struct poll_request *q, struct asker from,
    const struct origin *o)
{
	struct edge *e = s->edge;
	struct polling *p = s->poll;

	if (is_posting(p) && (p->post.conn != from.conn ||
	    p->post.forward != from.forward)) {
		e->stats.polls_dropped++;
		if (!s->ended)
			edge_session_cut(s, EDGE_PROTOCOL);
		refuse(from, o, 400, EIO_ERR_REQUEST);
		return;
	}
	forget_post(p);
	if (p->upgraded)	/* begun before the upgrade was complete */
		edge_poll_free(p);
	if (q->body.n > body_max(s)) {
		e->stats.message_large++;
		refuse(from, o, 413, EIO_ERR_REQUEST);
		return;
	}
	if (q->octets) {
		if (!s->ended)
			edge_session_bad(s);
		refuse(from, o, 400, EIO_ERR_REQUEST);
		return;
	}
	/*
	 * "ok" says that it was read. What is wrong in it ends the session, of
	 * which the next GET tells, as that of engine.io does. Of one that is
	 * over already nobody listens any more.
	 */
	if (!s->ended)
		take_packets(s, q->body);
	answer(from, o, &(struct poll_answer){ .status = 200 });
}

/* ---- Both ---- */

void
edge_poll_request(struct edge *e, const struct poll_request *q,
    struct asker from, const struct origin *o)
{
	struct session *s = edge_handshake_find(e, q);
	bool polls = s != NULL && s->poll != NULL &&
	    (s->conn == NULL || (q->method == HTTP_M_POST &&
	    is_posting(s->poll) && s->poll->post.conn == from.conn &&
	    s->poll->post.forward == from.forward));

	if (e->draining)
		refuse(from, o, 503, EIO_ERR_REQUEST);
	else if (s == NULL)
		refuse(from, o, 400, EIO_ERR_SID);
	else if (!polls || q->websocket || !q->version_ok)
		refuse(from, o, 400, EIO_ERR_REQUEST);
	else if (q->method == HTTP_M_GET)
		poll_get(s, from, o);
	else if (q->method == HTTP_M_POST)
		poll_post(s, q, from, o);
	else
		refuse(from, o, 400, EIO_ERR_REQUEST);
}
