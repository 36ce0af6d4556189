/*
 * peer.h: one reactor's part of the peer, with the callbacks that edge gives
 * what comes in. Each file has one kind of path.
 */
#ifndef CONFORMANCE_PEER_H
#define CONFORMANCE_PEER_H

#include "conformance/flags.h"
#include "edge/edge.h"
#include "edge/files.h"
#include "net/pool.h"
#include "net/thread.h"

struct peer {
	const struct flags *flags;
	struct reactor *reactor;
	struct edge *edge;
	struct edge_files *files;	/* NULL: no --root */
	struct edge_app app;
	struct thread thread;
	struct pool guests;		/* struct guest of spaces.c */
	struct pool questions;		/* struct question of events.c */
};

/* ---- paths.c: plain HTTP ---- */

void paths_on_request(void *arg, struct edge_ref request,
    const struct edge_request *req);

/* ---- echo.c: bare Engine.IO, bare WebSocket ---- */

void echo_on_message(void *arg, struct edge_ref session, struct span message,
    bool binary);
/* A request for /ws-echo. */
void echo_upgrade(struct peer *p, struct edge_ref request,
    const struct edge_request *req);
void echo_on_ws_message(void *arg, struct edge_ref ws, struct span message,
    bool binary);

/* ---- spaces.c: Socket.IO namespaces, and what is known of a socket ---- */

void spaces_open(struct peer *p);
void spaces_close(struct peer *p);	/* after its edge */
int spaces_on_handshake(void *arg, struct edge_handshake *h);
void spaces_on_session_end(void *arg, void *user, enum edge_end why);
void spaces_on_connect(void *arg, struct edge_ref sock,
    const struct edge_connect *c);
void spaces_on_close(void *arg, struct edge_ref sock, enum edge_end why);
/* JSON objects: the handshake's auth; its request's query. */
struct span spaces_auth(struct edge_ref sock);
struct span spaces_query(struct edge_ref sock);

/* ---- events.c: Socket.IO events ---- */

void events_open(struct peer *p);
void events_close(struct peer *p);	/* after its edge */
void events_on_event(void *arg, struct edge_ref sock,
    const struct edge_event *e);

#endif
