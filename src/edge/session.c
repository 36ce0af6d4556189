/*
 * session.c: Engine.IO 4 sessions: the open packet, the server's pings and
 * their pongs, packets both ways, the close.
 * exports edge_session_*, edge_send, edge_end_session
 * Source: Engine.IO protocol, revision 4.
 */
#include <assert.h>

#include "base/text.h"
#include "edge/poll.h"

#define LATE_MS 5		/* that a timer is late by in a usual tick */

static struct session *
of_ping(struct timer *t)
{
	return (struct session *)(void *)((char *)t -
	    offsetof(struct session, ping));
}

static struct edge_ref
session_ref(const struct session *s)
{
	return (struct edge_ref){ s->edge, s->slot.index,
	    s->slot.generation };
}

struct session *
edge_session_find(struct edge_ref r)
{
	struct session *s = r.edge == NULL ? NULL :
	    slab_find(&r.edge->sessions, r.index, r.generation);

	assert(s == NULL || reactor_self() == s->edge->reactor);
	return s == NULL || !s->begun || s->ended ? NULL : s;
}

/* ---- Ends ---- */

/* Over; what becomes of its transport is the caller's business. */
static void
finish(struct session *s, enum edge_end why)
{
	struct edge *e = s->edge;

	assert(!s->ended);
	s->ended = true;
	s->end = (uint8_t)why;
	s->conn = NULL;
	edge_sio_end_all(s, why);
	timer_cancel(&s->ping);
	timer_cancel(&s->join);
	e->stats.sessions--;
	list_push(&e->over, &s->link);
	reactor_flush(e->reactor, &e->tell);
}

void
edge_session_tell(struct edge *e)
{
	struct list *l;

	while ((l = list_pop(&e->over)) != NULL) {
		struct session *s = LIST_ITEM(l, struct session, link);

		if (e->app->on_session_end != NULL)
			e->app->on_session_end(e->app->arg, s->user,
			    (enum edge_end)s->end);
		s->told = true;
		edge_session_forget(s);
	}
}

void
edge_session_forget(struct session *s)
{
	if (s->told && s->poll == NULL)
		slab_put(&s->edge->sessions, s);
}

/* orderly: a GET of a polling client may still fetch what waits. */
static void
close_with(struct session *s, enum edge_end why, bool orderly, uint16_t code,
    const char *reason)
{
	struct conn *c = s->conn;

	finish(s, why);
	if (s->poll != NULL)
		edge_poll_end(s->poll, why, orderly);
	if (c != NULL)
		edge_ws_close(c, code, reason);
}

void
edge_session_close(struct session *s, enum edge_end why, uint16_t code,
    const char *reason)
{
	close_with(s, why, true, code, reason);
}

void
edge_session_cut(struct session *s, enum edge_end why)
{
	struct conn *c = s->conn;

	if (why == EDGE_SLOW)
		s->edge->stats.slow_readers++;
	finish(s, why);
	if (s->poll != NULL)
		edge_poll_end(s->poll, why, false);
	if (c == NULL)
		return;
	c->ops = NULL;
	c->owner = NULL;
	stream_close(&c->stream);
}

void
edge_session_refuse(struct session *s, const char *why)
{
	s->edge->stats.bad_packets++;
	close_with(s, EDGE_PROTOCOL, true, WS_CODE_POLICY, why);
}

void
edge_session_bad(struct session *s)
{
	s->edge->stats.bad_packets++;
	close_with(s, EDGE_PROTOCOL, false, WS_CODE_POLICY, "not a packet");
}

/* ---- Packets out ---- */

/* Its queue is full: who does not read is cut off, and catches up later. */
static bool
sent(struct session *s, bool ok)
{
	if (!ok)
		edge_session_cut(s, EDGE_SLOW);
	return ok;
}

bool
edge_session_send(struct session *s, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg)
{
	return sent(s, s->conn != NULL ? edge_ws_send(s->conn, room, fill,
	    arg) : edge_poll_send(s->poll, room, fill, arg));
}

bool
edge_session_send_blob(struct session *s, struct blob *frames)
{
	return sent(s, s->conn != NULL ? edge_ws_send_blob(s->conn, frames) :
	    edge_poll_send_blob(s->poll, frames));
}

bool
edge_session_is_writable(const struct session *s)
{
	return s->conn != NULL ? stream_waiting(&s->conn->stream) == 0 :
	    s->poll != NULL && edge_poll_is_writable(s->poll);
}

struct span
edge_session_transport(const struct session *s)
{
	return s->conn != NULL ? SPAN("websocket") : SPAN("polling");
}

void
edge_session_limit(struct session *s, uint32_t message_max)
{
	s->limit = message_max;
	if (s->conn != NULL)
		s->conn->in.ws.message_max = message_max;
}

/* ---- Heartbeat ---- */

static void on_ping(struct timer *t);

static void
put_ping(struct wr *w, const void *arg)
{
	(void)arg;
	wr_u8(w, '2');
}

/* No pong in time. */
static void
on_pong_late(struct timer *t)
{
	struct session *s = of_ping(t);

	s->edge->stats.ping_late++;
	close_with(s, EDGE_PING, false, WS_CODE_NORMAL, "ping timeout");
}

static void
time_ping(struct session *s)
{
	s->pinged = false;
	timer_start(reactor_wheel(s->edge->reactor), &s->ping,
	    s->edge->conf.ping_interval_ms, on_ping);
}

bool
edge_session_is_late(const struct session *s)
{
	uint64_t now = reactor_now_ms(s->edge->reactor);

	return !s->ended && s->pinged && now >= s->ping.at_ms;
}

static void
on_ping(struct timer *t)
{
	struct session *s = of_ping(t);
	uint64_t late = reactor_now_ms(s->edge->reactor) - t->at_ms;
	uint64_t ms = s->edge->conf.ping_timeout_ms;

	/* From when it was due; not if we were away for longer. */
	if (late <= LATE_MS && late < ms)
		ms -= late;
	s->pinged = true;
	timer_start(reactor_wheel(s->edge->reactor), &s->ping, ms,
	    on_pong_late);
	(void)edge_session_send(s, 1, put_ping, NULL);
}

/* ---- Beginning ---- */

/* It has joined no namespace for too long. */
static void
on_join_late(struct timer *t)
{
	struct session *s = (struct session *)(void *)((char *)t -
	    offsetof(struct session, join));

	s->edge->stats.connect_late++;
	edge_session_close(s, EDGE_PROTOCOL, WS_CODE_POLICY,
	    "no namespace joined");
}

void
edge_session_await(struct session *s)
{
	if (s->kind == EDGE_SOCKET_IO && s->edge->conf.connect_ms > 0)
		timer_start(reactor_wheel(s->edge->reactor), &s->join,
		    s->edge->conf.connect_ms, on_join_late);
}

void
edge_session_joined(struct session *s, bool guest)
{
	timer_cancel(&s->join);
	if (!guest)
		edge_session_limit(s, s->edge->conf.message_max);
}

/*
 * The id names its reactor and its slot, so that whoever gets a request for
 * it knows whose it is without a table; 96 random bits can not be guessed.
 */
static void
make_sid(struct session *s)
{
	uint8_t raw[EDGE_SID_RAW];
	struct wr w = wr_init(raw, sizeof raw);
	size_t n;

	sys_random(raw, sizeof raw);
	wr_u16(&w, (uint16_t)reactor_index(s->edge->reactor));
	wr_u32(&w, s->slot.index ^ s->edge->sid_mask);
	n = base64url_encode(SPAN_OF(raw), s->sid);
	assert(n == EDGE_SID);
}

struct session *
edge_session_new(struct edge *e, uint8_t path)
{
	struct session *s = slab_get(&e->sessions);

	if (s == NULL)
		return NULL;
	s->edge = e;
	s->path = path;
	s->kind = e->paths[path].kind;
	s->limit = e->conf.message_max;
	if (s->kind == EDGE_SOCKET_IO && e->conf.join_max > 0 &&
	    e->conf.join_max < s->limit)
		s->limit = e->conf.join_max;
	s->socks = SLAB_NONE;
	make_sid(s);
	e->stats.sessions++;
	return s;
}

void
edge_session_drop(struct session *s)
{
	s->edge->stats.sessions--;
	slab_put(&s->edge->sessions, s);
}

static void
put_open(struct wr *w, const void *arg)
{
	const struct session *s = arg;
	const struct edge_conf *c = &s->edge->conf;
	struct eio_open o = { .sid = SPAN_OF(s->sid),
	    .upgrade_websocket = s->conn == NULL,
	    .ping_interval_ms = (uint32_t)c->ping_interval_ms,
	    .ping_timeout_ms = (uint32_t)c->ping_timeout_ms,
	    .max_payload = c->message_max };

	eio_put_open(w, &o);
}

bool
edge_session_open(struct session *s, struct conn *c)
{
	s->conn = c;
	s->begun = true;
	time_ping(s);
	edge_session_await(s);
	return edge_session_send(s, EDGE_SCRATCH / 2, put_open, s);
}

/* ---- Packets in ---- */

static void
on_message(struct session *s, const struct eio_packet *p)
{
	const struct edge_app *app = s->edge->app;

	if (s->kind == EDGE_SOCKET_IO)
		edge_sio_message(s, p->data, p->binary);
	else
		app->on_message(app->arg, session_ref(s), p->data, p->binary);
}

/*
 * It may end the session. What only a server sends is no error but PING,
 * which would be the heartbeat's wrong direction (as in engine.io).
 */
static void
on_packet(struct session *s, const struct eio_packet *p)
{
	switch (p->type) {
	case EIO_MESSAGE:
		on_message(s, p);
		break;
	case EIO_PONG:
		if (s->pinged)
			time_ping(s);
		break;
	case EIO_CLOSE:
		edge_session_close(s, EDGE_BY_CLIENT, WS_CODE_NORMAL, "");
		break;
	case EIO_PING:
		edge_session_bad(s);
		break;
	case EIO_OPEN:
	case EIO_UPGRADE:
	case EIO_NOOP:
		break;
	}
}

bool
edge_session_packet(struct edge_ref session, const struct eio_packet *p)
{
	struct session *s = edge_session_find(session);

	if (s == NULL)
		return false;
	on_packet(s, p);
	return edge_session_find(session) != NULL;
}

static void
on_ws_message(struct conn *c, struct span msg, bool binary)
{
	struct session *s = c->owner;
	struct eio_packet p;

	if (eio_decode(msg, binary, &p) == OK)
		on_packet(s, &p);
	else
		edge_session_bad(s);
}

static void
on_ws_end(struct conn *c, enum edge_end why)
{
	struct session *s = c->owner;

	finish(s, why);
	/* A POST that was begun before the upgrade is nobody's any more. */
	if (s->poll != NULL)
		edge_poll_end(s->poll, why, false);
}

const struct ws_ops edge_session_ws_ops = { .on_message = on_ws_message,
    .on_end = on_ws_end };

/* ---- For the application ---- */

void *
edge_session_user(struct edge_ref session)
{
	struct session *s = edge_session_find(session);

	return s == NULL ? NULL : s->user;
}

void
edge_end_session(struct edge_ref session)
{
	struct session *s = edge_session_find(session);

	if (s != NULL)
		edge_session_close(s, EDGE_BY_APP, WS_CODE_NORMAL, "");
}

static void
put_message(struct wr *w, const void *arg)
{
	wr_u8(w, '4');
	wr_span(w, *(const struct span *)arg);
}

/* Too large, or no memory: as one whose reader is too slow. */
static bool
send_binary(struct session *s, struct span message)
{
	struct blob *b = edge_ws_encode(message, true);
	bool ok = b != NULL;

	if (ok)
		ok = edge_session_send_blob(s, b);
	else
		edge_session_cut(s, EDGE_SLOW);
	blob_unref(b);
	return ok;
}

bool
edge_send(struct edge_ref session, struct span message, bool binary)
{
	struct session *s = edge_session_find(session);

	if (s == NULL || s->kind != EDGE_ENGINE_IO)
		return false;
	return binary ? send_binary(s, message) :
	    edge_session_send(s, 1 + message.n, put_message, &message);
}
