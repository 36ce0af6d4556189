/*
 * session.c: Engine.IO 4 sessions: the open packet, the server's pings and
 * their pongs, the close. Source: Engine.IO protocol, revision 4.
 * exports edge_session_*
 */
#include <assert.h>

#include "base/text.h"
#include "edge/private.h"

static void on_ping(struct timer *t);

static void
put_open(struct wr *w, const void *arg)
{
	const struct session *s = arg;
	const struct edge_conf *c = &s->edge->conf;
	struct eio_open o = { .sid = SPAN_OF(s->sid),
	    .ping_interval_ms = (uint32_t)c->ping_interval_ms,
	    .ping_timeout_ms = (uint32_t)c->ping_timeout_ms,
	    .max_payload = c->message_max };

	eio_put_open(w, &o);
}

static void
put_ping(struct wr *w, const void *arg)
{
	(void)arg;
	wr_u8(w, '2');
}

static void
end_slow(struct session *s)
{
	struct conn *c = s->conn;

	s->edge->stats.slow_readers++;
	edge_session_end(s, EDGE_SLOW);
	stream_close(&c->stream);
}

/* No pong in time. */
static void
on_pong_late(struct timer *t)
{
	struct session *s = (struct session *)(void *)((char *)t -
	    offsetof(struct session, ping));
	struct conn *c = s->conn;

	s->edge->stats.ping_late++;
	edge_session_end(s, EDGE_PING);
	edge_ws_close(c, WS_CODE_NORMAL, "ping timeout");
}

static void
time_ping(struct session *s)
{
	s->pinged = false;
	timer_start(reactor_wheel(s->edge->reactor), &s->ping,
	    s->edge->conf.ping_interval_ms, on_ping);
}

static void
on_ping(struct timer *t)
{
	struct session *s = (struct session *)(void *)((char *)t -
	    offsetof(struct session, ping));

	s->pinged = true;
	timer_start(reactor_wheel(s->edge->reactor), &s->ping,
	    s->edge->conf.ping_timeout_ms, on_pong_late);
	if (!edge_ws_send(s->conn, 1, put_ping, NULL))
		end_slow(s);
}

/* It has joined no namespace for too long. */
static void
on_join_late(struct timer *t)
{
	struct session *s = (struct session *)(void *)((char *)t -
	    offsetof(struct session, join));
	struct conn *c = s->conn;

	s->edge->stats.connect_late++;
	edge_session_end(s, EDGE_PROTOCOL);
	edge_ws_close(c, WS_CODE_POLICY, "no namespace joined");
}

void
edge_session_await(struct session *s)
{
	if (s->edge->conf.connect_ms > 0)
		timer_start(reactor_wheel(s->edge->reactor), &s->join,
		    s->edge->conf.connect_ms, on_join_late);
}

/*
 * The id names its reactor in its first bits, so that whoever gets a request
 * for it knows whose it is; the rest can not be guessed.
 */
static void
make_sid(struct session *s)
{
	uint8_t raw[EDGE_SID_RAW];
	unsigned index = reactor_index(s->edge->reactor);
	size_t n;

	sys_random(raw, sizeof raw);
	raw[0] = (uint8_t)(index >> 8);
	raw[1] = (uint8_t)index;
	n = base64url_encode(SPAN_OF(raw), s->sid);
	assert(n == EDGE_SID);
}

struct session *
edge_session_open(struct conn *c, const struct sys_addr *addr)
{
	struct edge *e = c->edge;
	struct session *s = slab_get(&e->sessions);

	if (s == NULL)
		return NULL;
	s->edge = e;
	s->conn = c;
	s->addr = *addr;
	list_init(&s->socks);
	make_sid(s);
	c->session = s;
	e->stats.sessions++;
	time_ping(s);
	edge_session_await(s);
	if (!edge_ws_send(c, EDGE_SCRATCH / 2, put_open, s)) {
		end_slow(s);
		return NULL;
	}
	return s;
}

void
edge_session_end(struct session *s, enum edge_end why)
{
	struct edge *e = s->edge;

	while (!list_is_empty(&s->socks))
		edge_sio_end(LIST_ITEM(s->socks.next, struct sock, link), why);
	timer_cancel(&s->ping);
	timer_cancel(&s->join);
	s->conn->session = NULL;
	e->stats.sessions--;
	slab_put(&e->sessions, s);
}

void
edge_session_refuse(struct session *s, const char *why)
{
	struct conn *c = s->conn;

	s->edge->stats.bad_packets++;
	edge_session_end(s, EDGE_PROTOCOL);
	edge_ws_close(c, WS_CODE_POLICY, why);
}

void
edge_session_message(struct session *s, struct span msg, bool binary)
{
	struct conn *c = s->conn;
	struct eio_packet p;

	if (eio_decode(msg, binary, &p) != OK) {
		edge_session_refuse(s, "not a packet");
		return;
	}
	switch (p.type) {
	case EIO_MESSAGE:
		if (p.binary)
			edge_session_refuse(s, "no attachment is due");
		else
			edge_sio_packet(s, p.data);
		break;
	case EIO_PONG:
		if (s->pinged)
			time_ping(s);
		break;
	case EIO_CLOSE:
		edge_session_end(s, EDGE_BY_CLIENT);
		edge_ws_close(c, WS_CODE_NORMAL, "");
		break;
	case EIO_OPEN:
	case EIO_PING:		/* the server's to send (revision 4) */
	case EIO_UPGRADE:
	case EIO_NOOP:
		edge_session_refuse(s, "unexpected packet");
		break;
	}
}
