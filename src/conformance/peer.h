/*
 * peer.h: one reactor's part of the peer, with the callbacks that edge gives
 * what comes in.
 */
#ifndef CONFORMANCE_PEER_H
#define CONFORMANCE_PEER_H

#include "conformance/flags.h"
#include "edge/edge.h"
#include "net/thread.h"

struct peer {
	const struct flags *flags;
	struct reactor *reactor;
	struct edge *edge;
	struct edge_app app;
	struct thread thread;
};

/* ---- paths.c: plain HTTP ---- */

void paths_on_request(void *arg, struct edge_ref request,
    const struct edge_request *req);

/* ---- echo.c: bare Engine.IO, bare WebSocket ---- */

void echo_on_message(void *arg, struct edge_ref session, struct span message,
    bool binary);

/* ---- events.c: Socket.IO ---- */

void events_on_connect(void *arg, struct edge_ref sock,
    const struct edge_connect *c);
void events_on_event(void *arg, struct edge_ref sock,
    const struct edge_event *e);
void events_on_close(void *arg, struct edge_ref sock, enum edge_end why);

#endif
