/*
 * move.c: a connection whose WebSocket handshake names a session of another
 * reactor goes there whole: descriptor, TLS state, the request and whatever
 * came behind it. The other reactor reads the request as if it had come
 * there. One that has no room sends the connection back, to be answered 503.
 * exports edge_move_*
 *
 * Implementation notes. The parcel is of the heap and belongs to whoever has
 * it; the bytes of the request are written anew from its head, which is the
 * same for all that may follow from it.
 */
#include <assert.h>

#include "edge/poll.h"

struct parcel {
	struct mail mail;
	struct edge_mesh *mesh;
	unsigned from;			/* its reactor */
	struct stream_parts parts;
	struct sys_addr peer;
	size_t n;			/* bytes that were not worked off */
	uint8_t bytes[];
};

static void
discard(struct parcel *m, struct reactor *r)
{
	stream_parts_close(r, &m->parts);
	wipe(m->bytes, m->n);
	free(m);
}

/* As a new connection of this edge. NULL: no room; m is as it was. */
static struct conn *
unpack(struct edge *e, struct parcel *m)
{
	struct hold *bytes = NULL;
	struct conn *c;

	if (hold_add(&e->holds, &bytes, span_of(m->bytes, m->n)) != OK)
		return NULL;
	c = edge_conn_adopt(e, &m->parts, &m->peer);
	if (c == NULL)
		hold_drop(&e->holds, &bytes);
	else
		c->pend = bytes;
	return c;
}

/* Nobody took it: it is refused where it came from. */
static void
on_back(struct reactor *r, struct mail *mail)
{
	struct parcel *m = (struct parcel *)(void *)mail;
	struct edge *e = edge_mesh_here(m->mesh, r);
	struct conn *c;

	wipe(m->bytes, m->n);
	m->n = 0;
	c = unpack(e, m);
	discard(m, r);
	if (c != NULL)
		edge_http_refuse(c, 503, "the session's reactor is full");
}

static void
on_parcel(struct reactor *r, struct mail *mail)
{
	struct parcel *m = (struct parcel *)(void *)mail;
	struct edge *e = edge_mesh_here(m->mesh, r);
	struct conn *c = unpack(e, m);

	if (c == NULL) {
		m->mail.run = on_back;
		if (!edge_mesh_answer(e, m->from, &m->mail))
			discard(m, r);
		return;
	}
	discard(m, r);
	edge_conn_continue(c);
}

void
edge_move_begin(struct conn *c, unsigned to, const struct http_msg *h)
{
	struct edge *e = c->edge;
	struct wr w = wr_init(e->scratch, EDGE_SCRATCH);
	bool kept;

	wr_str(&w, "GET ");
	wr_span(&w, h->target);
	wr_str(&w, " HTTP/1.1\r\n");
	for (size_t i = 0; i < h->field_n; i++) {
		wr_span(&w, h->field[i].name);
		wr_str(&w, ": ");
		wr_span(&w, h->field[i].value);
		wr_str(&w, "\r\n");
	}
	wr_str(&w, "\r\n");
	assert(c->message == NULL);
	kept = wr_ok(&w) && hold_add(&e->holds, &c->message, wr_done(&w)) ==
	    OK;
	wipe(e->scratch, w.n);	/* cookies, tokens */
	if (!kept) {
		edge_http_refuse(c, 503, "too much is unfinished");
		return;
	}
	c->move_to = (uint16_t)to;
	edge_conn_enter(c, CONN_MOVING, e->conf.answer_ms);
	reactor_flush(e->reactor, &c->resume);
}

void
edge_move_send(struct conn *c)
{
	struct edge *e = c->edge;
	struct span head = hold_span(c->message), more = hold_span(c->pend);
	struct parcel *m = malloc(sizeof *m + head.n + more.n);
	unsigned to = c->move_to;
	struct wr w;

	if (m == NULL || stream_release(&c->stream, &m->parts) != OK) {
		free(m);
		stream_close(&c->stream);
		return;
	}
	w = wr_init(m->bytes, head.n + more.n);
	wr_span(&w, head);
	wr_span(&w, more);
	m->n = w.n;
	m->mesh = e->mesh;
	m->from = reactor_index(e->reactor);
	m->peer = c->peer;
	m->mail.run = on_parcel;
	e->stats.moves++;
	edge_conn_retire(c);
	if (edge_mesh_post(e, to, &m->mail))
		return;
	m->mail.run = on_back;
	on_back(e->reactor, &m->mail);
}
