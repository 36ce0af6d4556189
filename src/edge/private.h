/*
 * private.h: what the files of edge share. A connection (conn.c) is HTTP
 * (http.c) until a WebSocket handshake (ws.c) gives it an Engine.IO session,
 * which has Socket.IO sockets, one for each namespace joined (sio.c). The
 * three are slots of three slabs; each lower one may outlive the upper ones
 * until the end of the tick.
 */
#ifndef EDGE_PRIVATE_H
#define EDGE_PRIVATE_H

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "edge/edge.h"
#include "edge/hold.h"
#include "edge/slab.h"
#include "net/listener.h"
#include "net/stream.h"
#include "wire/eio.h"
#include "wire/http.h"
#include "wire/sio.h"
#include "wire/ws.h"

#define EDGE_SID_RAW 18		/* bytes; 144 bits, 16 of them the reactor's */
#define EDGE_SID 24		/* characters */
#define EDGE_SOCK_ID 20		/* characters of 15 random bytes */
#define EDGE_SCRATCH 65536	/* answers' heads and small messages */
#define EDGE_CLOG 65536		/* waiting bytes beyond which we read no more */
#define EDGE_JOIN_MAX 16384	/* bytes of a message before a socket is in */
#define EDGE_HEADERS_BYTES 8192	/* of conf.headers as text */

enum conn_state {
	CONN_TLS,	/* handshake */
	CONN_HEAD,	/* between requests, or a head is unfinished */
	CONN_BODY,
	CONN_ANSWER,	/* the app has the request */
	CONN_WS,
	CONN_CLOSING,	/* nothing is read any more */
};

#define CONN_KEEP   1u		/* the request allows another one */
#define CONN_IS_HEAD 2u		/* it was HEAD */
#define CONN_HTTP10 4u
#define CONN_LOOP   8u		/* its input is being worked off */
#define CONN_BAD    16u		/* refused: ends after the answer */
#define CONN_EOF    32u		/* the peer ended its half */
#define CONN_IS_TLS 64u
#define CONN_COUNTED 128u	/* in the handshakes under way */

struct session;

struct conn {
	struct slab_slot slot;		/* first; its name is the request's */
	struct stream stream;
	struct timer timer;		/* of the present state */
	struct flush resume;		/* goes on with what was kept */
	struct edge *edge;
	union {
		struct http_in http;
		struct ws ws;
	} in;
	struct hold *pend;		/* input that was not taken yet */
	struct hold *message;		/* head and body, or WebSocket message */
	struct session *session;	/* CONN_WS */
	size_t body_max;		/* of the present request */
	size_t head_n;			/* bytes of head in message */
	struct sys_addr peer;
	uint32_t requests;
	uint8_t state;			/* enum conn_state */
	uint8_t flags;
};

/* An Engine.IO session; transports other than WebSocket would hang here. */
struct session {
	struct slab_slot slot;
	struct edge *edge;
	struct conn *conn;		/* its transport */
	struct timer ping;		/* next ping, or its pong's time */
	struct timer join;		/* conf.connect_ms without a socket */
	struct list socks;
	struct sys_addr addr;
	char sid[EDGE_SID];
	bool pinged;			/* a pong is due */
};

enum sock_state { SOCK_ASKED, SOCK_OPEN, SOCK_ENDED };

struct sock {
	struct slab_slot slot;		/* its name is the app's ref */
	struct edge *edge;
	struct session *session;	/* NULL once ended */
	struct list link;		/* the session's, then the edge's gone */
	void *user;
	char id[EDGE_SOCK_ID];
	uint8_t state;			/* enum sock_state */
	uint8_t end;			/* enum edge_end */
};

struct edge_listener {
	struct listener listener;
	struct edge *edge;
	struct tls_ctx *tls;
};

struct edge {
	struct reactor *reactor;
	const struct edge_app *app;
	struct edge_conf conf;
	struct edge_stats stats;
	struct http_limits limits;
	struct slab conns, sessions, socks;
	struct holds holds;		/* unfinished messages of all */
	struct map addrs;		/* connections of each address */
	struct list gone;		/* sockets whose end the app must hear */
	struct flush tell;		/* at the tick's end at the latest */
	struct edge_listener listeners[EDGE_LISTENERS_MAX];
	size_t listeners_n;
	uint32_t handshakes;		/* TLS, under way */
	uint8_t *headers;		/* conf.headers as text, then the rest */
	size_t headers_n;		/* of them on plain connections */
	size_t headers_all_n;		/* and on TLS */
	bool draining;
	struct timer drain;
	struct flush drained;
	void (*drain_done)(void *arg);
	void *drain_arg;
	struct http_msg head;		/* the request being read */
	uint8_t *scratch;		/* EDGE_SCRATCH bytes */
	uint8_t *names;			/* EDGE_SCRATCH bytes: decoded names */
};

/* ---- conn.c ---- */

extern const struct stream_ops edge_conn_ops;
/* Takes a descriptor over (closes it when it refuses). */
void edge_conn_open(struct edge *e, int fd, const struct sys_addr *peer,
    struct tls_ctx *tls);
/* Into a state, with its timer; 0: none. */
void edge_conn_enter(struct conn *c, enum conn_state st, uint64_t ms);
/* Queued bytes go out; then it ends in good order. */
void edge_conn_finish(struct conn *c);
/* What was kept goes on at the tick's end: the app may be our caller. */
void edge_conn_continue(struct conn *c);
/* False: not enough room (the reader is too slow) or no memory. */
bool edge_conn_write(struct conn *c, struct span bytes);
struct conn *edge_conn_find(struct edge_ref r);
/*
 * The peer does not read what it caused to be written: nothing more is read
 * from it until it does, so that it can not fill the queue with answers.
 */
static inline bool
edge_conn_is_clogged(const struct conn *c)
{
	return stream_waiting(&c->stream) > EDGE_CLOG;
}

/* ---- http.c ---- */

/* Takes what it can of p[n]; returns the bytes taken. */
size_t edge_http_input(struct conn *c, uint8_t *p, size_t n);
/* Refuses: an answer by the app or a plain one, then the end. why: a literal. */
void edge_http_refuse(struct conn *c, int status, const char *why);
/* An answer of edge's own. type may be NULL. */
void edge_http_plain(struct conn *c, int status, const char *type,
    struct span body);

/* ---- ws.c ---- */

bool edge_ws_is_path(struct span path);
/* A request for the path: answers it, and makes it a session if it may be. */
void edge_ws_handshake(struct conn *c, const struct edge_request *req);
size_t edge_ws_input(struct conn *c, uint8_t *p, size_t n);
/*
 * A message of packets to a session: fill(w, arg) writes it (at most room
 * bytes), framing is done here. False: it could not be queued.
 */
bool edge_ws_send(struct conn *c, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg);
/* A close frame, then the end of the connection. */
void edge_ws_close(struct conn *c, uint16_t code, const char *reason);

/* ---- session.c ---- */

/* NULL: no slot. Sends the open packet. */
struct session *edge_session_open(struct conn *c, const struct sys_addr *addr);
/* Its sockets end; its transport is the caller's to close. */
void edge_session_end(struct session *s, enum edge_end why);
/* It has no socket: conf.connect_ms runs until one is joined. */
void edge_session_await(struct session *s);
/* A whole message has come. It may end the session. */
void edge_session_message(struct session *s, struct span msg, bool binary);
/* Ends it with a close frame: a rule was broken, counted as a bad packet. */
void edge_session_refuse(struct session *s, const char *why);

/* ---- sio.c ---- */

void edge_sio_packet(struct session *s, struct span msg);
/* Not joined any more; the app hears why at the end of the tick. */
void edge_sio_end(struct sock *k, enum edge_end why);
/* Tells the app of all that have ended. Never from inside its calls. */
void edge_sio_tell(struct flush *f);

#endif
