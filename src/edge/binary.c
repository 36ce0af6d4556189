/*
 * binary.c: packets with attachments: the text is kept until the last of the
 * binary messages that it announces has come. That one is passed on from
 * where it was read; those before it are kept, in one piece of memory.
 * exports edge_binary_*
 * Source: Socket.IO protocol, revision 5: "Packet encoding".
 */
#include <assert.h>

#include "edge/sio.h"

static void
on_late(struct timer *t)
{
	struct binary *b = (struct binary *)(void *)((char *)t -
	    offsetof(struct binary, timer));

	b->session->edge->stats.binary_late++;
	edge_session_refuse(b->session, "an attachment did not come");
}

static void
wait_on(struct binary *b)
{
	const struct edge *e = b->session->edge;

	if (e->conf.binary_ms > 0)
		timer_start(reactor_wheel(e->reactor), &b->timer,
		    e->conf.binary_ms, on_late);
}

static void
release(struct edge *e, struct binary *b)
{
	timer_cancel(&b->timer);
	hold_drop(&e->holds, &b->bytes);
	hold_drop(&e->holds, &b->ends);
	slab_put(&e->sio->binaries, b);
}

void
edge_binary_drop(struct session *s)
{
	struct binary *b = s->binary;

	s->binary = NULL;
	if (b != NULL)
		release(s->edge, b);
}

/* Keeps some bytes and where they end. False: it ended the session. */
static bool
keep(struct session *s, struct binary *b, struct span bytes)
{
	struct edge *e = s->edge;
	size_t n = hold_span(b->bytes).n, end = n + bytes.n;

	if (bytes.n > e->conf.binary_max || n > e->conf.binary_max - bytes.n) {
		e->stats.binary_over++;
		edge_session_close(s, EDGE_PROTOCOL, WS_CODE_TOO_BIG,
		    "binary packet too large");
		return false;
	}
	if (hold_add(&e->holds, &b->bytes, bytes) != OK ||
	    hold_add(&e->holds, &b->ends, span_of(&end, sizeof end)) != OK) {
		edge_session_close(s, EDGE_LOST, WS_CODE_LATER,
		    "too much is unfinished");
		return false;
	}
	return true;
}

void
edge_binary_begin(struct session *s, struct span msg, uint32_t due,
    bool is_used)
{
	struct binary *b = slab_get(&s->edge->sio->binaries);

	assert(s->binary == NULL && due > 0 && due <= SIO_ATTACHMENTS_MAX);
	if (b == NULL) {
		edge_session_close(s, EDGE_LOST, WS_CODE_LATER,
		    "too much is unfinished");
		return;
	}
	b->session = s;
	b->due = due;
	b->is_used = is_used;
	s->binary = b;
	wait_on(b);
	(void)keep(s, b, msg);
}

/* Where piece i of what is kept ends. */
static size_t
end_of(const struct binary *b, uint32_t i)
{
	size_t end;

	assert(b->ends != NULL && (i + 1) * sizeof end <= b->ends->n);
	memcpy(&end, &b->ends->p[i * sizeof end], sizeof end);
	return end;
}

/* Piece 0 is the text. */
static struct span
piece(const struct binary *b, uint32_t i)
{
	size_t from = i == 0 ? 0 : end_of(b, i - 1);

	return span_sub(hold_span(b->bytes), from, end_of(b, i) - from);
}

/* All are here. The packet is not the session's any more: it may end. */
static void
complete(struct session *s, struct span last)
{
	struct span parts[SIO_ATTACHMENTS_MAX];
	struct binary *b = s->binary;
	struct edge *e = s->edge;

	s->binary = NULL;
	timer_cancel(&b->timer);
	for (uint32_t i = 0; i + 1 < b->due; i++)
		parts[i] = piece(b, i + 1);
	parts[b->due - 1] = last;
	edge_sio_packet(s, piece(b, 0), parts, b->is_used ? b->due : 0);
	release(e, b);
}

void
edge_binary_part(struct session *s, struct span part)
{
	struct binary *b = s->binary;
	size_t n = hold_span(b->bytes).n;

	if (++b->got == b->due && part.n <= s->edge->conf.binary_max &&
	    n <= s->edge->conf.binary_max - part.n) {
		complete(s, part);
		return;
	}
	if (keep(s, b, part))
		wait_on(b);
}
