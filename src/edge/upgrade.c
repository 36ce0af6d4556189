/*
 * upgrade.c: from polling to WebSocket: the probe, and the moment when what
 * waits goes out on the new transport.
 * exports edge_upgrade_*
 * Source: Engine.IO protocol, revision 4, "Upgrade"; where it is silent, what
 * engine.io 6.6 does.
 *
 * Implementation notes. Until 5 (upgrade) the session polls, and the queue is
 * one and the same before and after it, so nothing is lost, doubled or
 * reordered: what a GET was answered left the queue, the rest follows on the
 * WebSocket. From the probe on, GETs are answered at once, so that the client
 * can stop asking.
 */
#include "edge/poll.h"

static void
put_text(struct wr *w, const void *arg)
{
	wr_str(w, arg);
}

/* It is no probe any more; the session goes on over polling. */
static struct conn *
take_off(struct polling *p)
{
	struct conn *c = p->probe;

	p->probe = NULL;
	p->probed = false;
	if (!p->closing)
		timer_cancel(&p->timer);
	return c;
}

void
edge_upgrade_end(struct polling *p)
{
	struct conn *c = p->probe;

	if (c == NULL)
		return;
	(void)take_off(p);
	edge_ws_close(c, WS_CODE_NORMAL, "the session is over");
}

static void
on_late(struct timer *t)
{
	struct polling *p = (struct polling *)(void *)((char *)t -
	    offsetof(struct polling, timer));

	p->session->edge->stats.upgrades_late++;
	edge_ws_close(take_off(p), WS_CODE_POLICY, "the upgrade took too long");
}

/* 5: the WebSocket is the transport from now on. */
static void
complete(struct session *s)
{
	struct polling *p = s->poll;
	struct conn *c = take_off(p);

	s->edge->stats.upgrades++;
	s->conn = c;
	c->ops = &edge_session_ws_ops;
	c->owner = s;
	edge_session_limit(s, s->limit);
	if (!edge_poll_pour(p, c)) {
		edge_session_cut(s, EDGE_SLOW);
		return;
	}
	p->upgraded = true;
	/* A POST that was begun before is still heard, wherever it ends. */
	if (p->post.conn == NULL && p->post.forward == NULL)
		edge_poll_free(p);
}

static void
on_message(struct conn *c, struct span msg, bool binary)
{
	struct session *s = c->owner;
	struct polling *p = s->poll;

	if (!binary && span_eq(msg, SPAN("2probe"))) {
		p->probed = true;
		if (edge_ws_send(c, 16, put_text, "3probe")) {
			edge_poll_wake(p);
			return;
		}
	} else if (!binary && span_starts(msg, SPAN("5"))) {
		complete(s);
		return;
	}
	s->edge->stats.upgrades_bad++;
	edge_ws_close(take_off(p), WS_CODE_POLICY, "no probe");
}

static void
on_end(struct conn *c, enum edge_end why)
{
	struct session *s = c->owner;

	(void)why;
	s->edge->stats.upgrades_bad++;
	(void)take_off(s->poll);
}

static const struct ws_ops probe_ops = { .on_message = on_message,
    .on_end = on_end };

void
edge_upgrade_begin(struct conn *c, struct session *s,
    const struct http_msg *head)
{
	struct edge *e = s->edge;
	struct polling *p = s->poll;
	bool may = s->conn == NULL && !s->ended && p->probe == NULL;

	if (!edge_handshake_switch(c, head, may ? &probe_ops : NULL,
	    may ? s : NULL, s->limit))
		return;
	if (!may) {
		e->stats.upgrades_bad++;
		edge_ws_close(c, WS_CODE_POLICY, "not to be upgraded");
		return;
	}
	p->probe = c;
	if (e->conf.upgrade_ms > 0)
		timer_start(reactor_wheel(e->reactor), &p->timer,
		    e->conf.upgrade_ms, on_late);
}
