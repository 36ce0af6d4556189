/*
 * poll.h: Engine.IO over HTTP long-polling: what handshake.c, poll.c,
 * upgrade.c, forward.c, move.c and session.c share. A request of a session
 * comes from a connection of this reactor, or by mail from another one that
 * got it (struct asker); the answer goes back the same way.
 * Source: Engine.IO protocol, revision 4.
 */
#ifndef EDGE_POLL_H
#define EDGE_POLL_H

#include "edge/private.h"

#define EDGE_ORIGIN_MAX 127	/* bytes of an Origin that is answered */

/* The Origin of a request, where the app lets it read the answer. */
struct origin {
	uint8_t n;		/* 0: none */
	char text[EDGE_ORIGIN_MAX];
};

/* Where a request came from: a connection here, or a forward from elsewhere. */
struct asker {
	struct conn *conn;
	struct forward *forward;
};

/* A request that names a session. */
struct poll_request {
	enum http_m method;
	uint8_t path;		/* index of conf.paths */
	bool websocket;		/* transport=websocket, else polling */
	bool version_ok;	/* EIO=4 */
	bool octets;		/* the body is said to be binary */
	char sid[EDGE_SID];
	struct span body;
};

/* What it is answered: a payload; with status 200 and none: "ok". */
struct poll_answer {
	int status;
	enum eio_error why;	/* status >= 400 */
	struct blob *payload;	/* the caller's reference */
	bool close;		/* the connection ends afterwards */
};

/* The polling side of a session: from its slab, only while there is one. */
struct polling {
	struct slab_slot slot;
	struct session *session;
	struct list queue;	/* struct item: frames that wait for a GET */
	size_t queue_bytes;
	struct asker get;	/* the GET that waits */
	struct asker post;	/* the POST whose body is coming */
	struct conn *probe;	/* the WebSocket that wants to take over */
	struct timer timer;	/* of the upgrade, or of the end */
	struct flush flush;	/* answers the GET */
	struct origin origin;	/* of the GET */
	bool probed;		/* GETs are answered at once: 6 (noop) */
	bool late;		/* the GET came when the pong was due */
	bool closing;		/* over: what waits and 1 (close) */
	bool upgraded;		/* over but for the POST */
};

/* ---- poll.c ---- */

/* NULL: no room. */
struct polling *edge_poll_new(struct session *s);
/* Frees it; whoever waits is not told. */
void edge_poll_free(struct polling *p);
/*
 * Any request but a WebSocket's for a session of this edge, in `from`, which
 * is answered by this, now or later. o: see struct polling.
 */
void edge_poll_request(struct edge *e, const struct poll_request *q,
    struct asker from, const struct origin *o);
/*
 * A POST's head has come. Bytes that its body may have; 0: it is refused,
 * edge_poll_request need not be called (another POST was under way: the
 * session is over).
 */
size_t edge_poll_begin(struct edge *e, const struct poll_request *q,
    struct asker from);
/* The POST's connection is lost, or its body was refused (large). */
void edge_poll_broken(struct session *s, struct asker from, bool large);
/* The GET's connection is lost. */
void edge_poll_dropped(struct session *s, struct asker from);
/* The open packet is the answer to the handshake's GET. */
void edge_poll_open(struct session *s, struct conn *c,
    const struct origin *o);
/* Queues; as edge_session_send and edge_session_send_blob. False: too much
 * waits, or no memory. */
MUST_USE bool edge_poll_send(struct polling *p, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg);
MUST_USE bool edge_poll_send_blob(struct polling *p, struct blob *frames);
bool edge_poll_is_writable(const struct polling *p);
/* Answers the GET at the tick's end, if there is something to say. */
void edge_poll_wake(struct polling *p);
/* Everything that waits goes to a WebSocket. False: it could not be queued. */
MUST_USE bool edge_poll_pour(struct polling *p, struct conn *c);
/*
 * The session is over. orderly: what waits is still to be fetched, by this
 * GET or those of the next conf.linger_ms.
 */
void edge_poll_end(struct polling *p, enum edge_end why, bool orderly);

/* ---- handshake.c ---- */

/* The session of that id; NULL: none of this edge's. It may be over, with a
 * polling that is closing. */
struct session *edge_handshake_find(struct edge *e,
    const struct poll_request *q);
/*
 * Switches to WebSocket as edge_ws_accept does, with what conf says of
 * Engine.IO's. False: it was refused.
 */
MUST_USE bool edge_handshake_switch(struct conn *c,
    const struct http_msg *head, const struct ws_ops *ops, void *owner,
    uint32_t message_max);
/* Answers a request on its own connection. */
void edge_handshake_answer(struct conn *c, const struct poll_answer *a,
    const struct origin *o);

/* ---- upgrade.c ---- */

/* A WebSocket handshake that names a session of this edge. It may be over. */
void edge_upgrade_begin(struct conn *c, struct session *s,
    const struct http_msg *head);
/* The session ends, or is not polling any more. */
void edge_upgrade_end(struct polling *p);

/* ---- forward.c ---- */

size_t edge_forward_size(void);	/* bytes of one, for the mesh's slabs */
/* A POST's head for a session of another reactor. */
void edge_forward_begin(struct conn *c, unsigned to,
    const struct poll_request *q, const struct origin *o);
/* Any request but a WebSocket's for a session of another reactor. */
void edge_forward_request(struct conn *c, unsigned to,
    const struct poll_request *q, const struct origin *o);
/* Is this connection's request being forwarded (a POST's body comes)? */
bool edge_forward_is(const struct conn *c);
/* The body was refused here: the owner hears that there will be none. */
void edge_forward_large(struct conn *c);
/* At the owner: answers. */
void edge_forward_answer(struct forward *f, const struct poll_answer *a);
/* At the owner: the session that it waits for. */
void edge_forward_bind(struct forward *f, const struct session *s);

/* ---- move.c ---- */

/* A WebSocket handshake for a session of another reactor: the connection goes
 * there. From the tick's end; c is in CONN_MOVING with its head kept. */
void edge_move_begin(struct conn *c, unsigned to, const struct http_msg *h);

#endif
