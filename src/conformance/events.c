/*
 * events.c: the Socket.IO namespaces and their events, one row each.
 */
#include "conformance/peer.h"

typedef void (*event_fn)(struct edge_ref sock, const struct edge_event *e);

static void
message(struct edge_ref sock, const struct edge_event *e)
{
	edge_emit_one(sock, SPAN("message-back"), e->args);
}

static void
message_with_ack(struct edge_ref sock, const struct edge_event *e)
{
	if (e->ack >= 0)
		edge_ack(sock, e->ack, e->args);
}

static const struct event {
	const char *name;
	event_fn run;
} events[] = {
	{ "message", message },
	{ "message-with-ack", message_with_ack },
};

void
events_on_connect(void *arg, struct edge_ref sock,
    const struct edge_connect *c)
{
	(void)arg;
	edge_accept(sock);
	edge_emit_one(sock, SPAN("auth"), c->auth.n > 0 ? c->auth :
	    SPAN("{}"));
}

void
events_on_event(void *arg, struct edge_ref sock, const struct edge_event *e)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (span_eq(e->name, span_str(events[i].name))) {
			events[i].run(sock, e);
			return;
		}
	}
}

void
events_on_close(void *arg, struct edge_ref sock, enum edge_end why)
{
	(void)arg;
	(void)sock;
	(void)why;
}
