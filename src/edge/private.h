/*
 * private.h: what the files of edge share. A connection (conn.c) is HTTP
 * (http.c) until a handshake makes it a WebSocket (ws.c), which carries the
 * messages of whatever gave it its struct ws_ops: an Engine.IO session
 * (session.c, begun in handshake.c) or an application's own. A session has
 * Socket.IO sockets, one for each namespace joined (sio.c), or an application
 * that takes its messages as they are. Connections, sessions and sockets are
 * slots of three slabs; each lower one may outlive the upper ones until the
 * end of the tick.
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
#define EDGE_AHEAD 4096		/* read of what follows a request that waits */
#define EDGE_CLOG 65536		/* waiting bytes beyond which we read no more */
#define EDGE_HEADERS_BYTES 8192	/* of conf.headers as text */
#define EDGE_NAMES_BYTES 1024	/* of a redirect's names */
#define EDGE_RATE_MS 10000	/* before a body's rate is looked at */
#define EDGE_HS_SHARE 4		/* one address has at most this part of
					   conf.handshakes_max */

enum conn_state {
	CONN_TLS,	/* handshake */
	CONN_HEAD,	/* between requests, or a head is unfinished */
	CONN_BODY,
	CONN_ANSWER,	/* the app has the request */
	CONN_WS,
	CONN_MOVING,	/* goes to another reactor at the tick's end */
	CONN_CLOSING,	/* nothing is read any more */
};

#define CONN_KEEP   1u		/* the request allows another one */
#define CONN_IS_HEAD 2u		/* it was HEAD */
#define CONN_HTTP10 4u
#define CONN_LOOP   8u		/* its input is being worked off */
#define CONN_BAD    16u		/* refused: ends after the answer */
#define CONN_EOF    32u		/* the peer ended its half */
#define CONN_IS_TLS 64u		/* to us, or to the trusted proxy */
#define CONN_COUNTED 128u	/* in the handshakes under way */
#define CONN_TRUSTED 256u	/* the peer is a trusted proxy */
#define CONN_REDIRECT 512u	/* of a listener that redirects */
#define CONN_STREAM 1024u	/* its answer is written bit by bit */
#define CONN_EIO 2048u		/* its request is for an Engine.IO path */
#define CONN_SHARES 4096u	/* counted in hs_addrs, too */

struct session;
struct conn;

/*
 * Whoever has a connection as its WebSocket, by struct conn's `owner`; or its
 * request, and wants to hear when it is lost before the answer. A callback
 * may close the connection and end its owner.
 */
struct ws_ops {
	/* A whole message; in place, so good until the return. */
	void (*on_message)(struct conn *c, struct span msg, bool binary);
	/*
	 * Once, unless the owner called edge_ws_close itself: it is not its
	 * owner any more. The connection is closed by who calls this.
	 */
	void (*on_end)(struct conn *c, enum edge_end why);
	/* The request is over, too, when the peer ends its half. */
	bool ends_at_eof;
};

struct ws_options {
	uint32_t message_max;		/* bytes of a message; 0: 2^32 - 1 */
	bool deflate;			/* permessage-deflate, if offered */
	struct span protocol;		/* the subprotocol chosen; or empty */
};

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
	const struct ws_ops *ops;	/* or NULL: nobody's */
	void *owner;			/* whose ops these are */
	struct ws_zip *zip;		/* permessage-deflate, or NULL */
	struct exchange *exchange;	/* of a request with a body, or of an
					   answer written bit by bit */
	struct sys_addr peer;
	uint32_t requests;
	uint32_t charged;		/* of holds.queued */
	uint32_t progress;		/* stream_progress when last asked */
	uint32_t asked_ms;		/* and when that was */
	uint8_t state;			/* enum conn_state */
	uint16_t flags;
	uint16_t move_to;		/* CONN_MOVING: a reactor */
};

/* What a request needs while its body comes in or its answer goes out. */
struct exchange {
	struct slab_slot slot;
	struct edge_ref ref;		/* the request's */
	uint8_t how;			/* enum edge_how */
	bool paused;
	bool chunked, keep;		/* of the answer */
	uint32_t head_n;		/* bytes of head in message */
	int fd;				/* EDGE_SPOOL; else -1 */
	uint64_t max, got;		/* bytes of the body */
	uint64_t reserved;		/* of conf.spool_max */
	uint64_t began_ms, paused_ms;
	const struct edge_sink *sink;	/* EDGE_STREAM */
	void *sink_arg;
	const struct edge_source *source;	/* CONN_STREAM */
	void *source_arg;
	uint64_t left;			/* of the answer; EDGE_UNKNOWN */
};

/* An Engine.IO session: conn is its transport, or NULL: poll is. */
struct session {
	struct slab_slot slot;		/* its name is the app's ref */
	struct edge *edge;
	struct conn *conn;		/* WebSocket */
	struct polling *poll;		/* see poll.h; also of one that is
					   upgraded or over, for a while */
	struct timer ping;		/* next ping, or its pong's time */
	struct timer join;		/* conf.connect_ms without a socket */
	struct list link;		/* the edge's over, once it is */
	struct binary *binary;		/* packet that is not whole, or NULL */
	void *user;			/* of the app */
	struct sys_addr addr;
	char sid[EDGE_SID];
	uint32_t socks;			/* the first of its sockets, by index */
	uint32_t limit;			/* bytes of a message now */
	uint8_t path;			/* index of the edge's paths */
	uint8_t kind;			/* enum edge_kind */
	uint8_t end;			/* enum edge_end, once it is over */
	bool tls;
	bool pinged;			/* a pong is due */
	bool begun;			/* it has a transport */
	bool ended, told;		/* it is over; the app knows */
};

/* Of conf.paths; in memory of the edge's. */
struct eio_path {
	char text[EDGE_PATH_MAX + 1];
	size_t n;
	uint8_t kind;			/* enum edge_kind */
};

/* A WebSocket of the application's own. */
struct wsapp {
	struct slab_slot slot;		/* its name is the app's ref */
	struct edge *edge;
	struct conn *conn;		/* NULL once it is over */
	struct list link;		/* then in the edge's ws_over */
	void *user;
	struct timer idle;		/* conf.ws_idle_ms */
	size_t waited;			/* bytes in the queue at its last time */
	bool pinged;			/* then, too: something is due */
	uint16_t code;			/* for on_ws_close */
	uint8_t end;			/* enum edge_end */
};

enum sock_state { SOCK_ASKED, SOCK_OPEN, SOCK_ENDED };

struct sock {
	struct slab_slot slot;		/* its name is the app's ref; `next`:
					   the session's, then the edge's gone */
	struct nsp *nsp;		/* its namespace: nsp.c */
	struct session *session;	/* NULL once ended */
	struct sock_more *more;		/* what few have; or NULL */
	void *user;
	uint32_t nsp_prev, nsp_next;	/* in its namespace, by index */
	char id[EDGE_SOCK_ID];
	uint8_t state;			/* enum sock_state */
	uint8_t end;			/* enum edge_end */
	uint8_t flags;			/* of edge/sio.h */
};

struct edge_listener {
	struct listener listener;
	struct edge *edge;
	struct tls_ctx *tls;
	uint16_t flags;			/* of its connections */
	uint64_t starved;		/* of listener.starved, counted */
};

struct edge {
	struct reactor *reactor;
	const struct edge_app *app;
	struct edge_mesh *mesh;		/* NULL: alone */
	struct edge_conf conf;
	struct edge_stats stats;
	struct http_limits limits;
	struct slab conns, sessions, socks, wsapps, exchanges, polls;
	struct holds holds;		/* unfinished messages of all, and what
					   waits to be written */
	struct map addrs;		/* connections of each address */
	struct map poll_addrs;		/* polling sessions, likewise */
	struct map hs_addrs;		/* handshakes under way, likewise */
	uint32_t sid_mask;		/* of the slots in session ids */
	struct sio *sio;		/* what Socket.IO has: edge/sio.h */
	uint32_t gone, gone_last;	/* sockets whose end the app must hear */
	struct list over;		/* sessions, likewise */
	struct list ws_over;		/* wsapps, likewise */
	struct flush ws_tell;
	struct eio_path paths[EDGE_PATHS_MAX];
	size_t paths_n;
	struct flush tell;		/* at the tick's end at the latest */
	struct edge_listener listeners[EDGE_LISTENERS_MAX];
	size_t listeners_n;
	bool accept_paused;		/* until a slot or handshake is over */
	struct edge_net trusted[EDGE_NETS_MAX];
	size_t trusted_n;
	char redirect_names[EDGE_NAMES_BYTES];	/* comma-separated */
	uint16_t redirect_port;
	char *spool_dir;
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
    struct tls_ctx *tls, uint16_t flags);
/* Into a state, with its timer; 0: none. */
void edge_conn_enter(struct conn *c, enum conn_state st, uint64_t ms);
/* A long answer is queued: from now on its reader has to keep up. */
void edge_conn_pace(struct conn *c);
/* Queued bytes go out; then it ends in good order. */
void edge_conn_finish(struct conn *c);
/* What was kept goes on at the tick's end: the app may be our caller. */
void edge_conn_continue(struct conn *c);
/* False: not enough room (the reader is too slow) or no memory. */
bool edge_conn_write(struct conn *c, struct span bytes);
/* The same by reference; the caller keeps its own. */
bool edge_conn_write_blob(struct conn *c, struct blob *b);
/*
 * As a new connection whose stream comes from another reactor; it reads
 * nothing yet. NULL: no room; the parts are as they were, or closed.
 */
struct conn *edge_conn_adopt(struct edge *e, struct stream_parts *parts,
    const struct sys_addr *peer);
/* It is over here: gives everything back but its stream. */
void edge_conn_retire(struct conn *c);
struct conn *edge_conn_find(struct edge_ref r);
static inline struct edge_ref
edge_conn_ref(const struct conn *c)
{
	return (struct edge_ref){ c->edge, c->slot.index,
	    c->slot.generation };
}
/* Its owner, if any, hears that it is over. */
void edge_conn_disown(struct conn *c, enum edge_end why);
/*
 * The peer does not read what it caused to be written: nothing more is read
 * from it until it does, so that it can not fill the queue with answers.
 */
static inline bool
edge_conn_is_clogged(const struct conn *c)
{
	return stream_waiting(&c->stream) > EDGE_CLOG;
}

/* ---- addrs.c ---- */

#define EDGE_ADDR_KEY 16	/* bytes of a key of such a map */

/* Counts the address up; false: it has max. max 0: no limit. */
MUST_USE bool edge_addrs_take(struct map *m, uint32_t max,
    const struct sys_addr *a);
void edge_addrs_give(struct map *m, uint32_t max, const struct sys_addr *a);

/* ---- http.c ---- */

/* Takes what it can of p[n]; returns the bytes taken. */
size_t edge_http_input(struct conn *c, uint8_t *p, size_t n);

/* ---- answer.c ---- */

/* Refuses: an answer by the app or a plain one, then the end. why: a literal. */
void edge_http_refuse(struct conn *c, int status, const char *why);
/* An answer of edge's own. type may be NULL. */
void edge_http_plain(struct conn *c, int status, const char *type,
    struct span body);
/* OPTIONS for the server as a whole. */
void edge_http_options(struct conn *c);
/* There is room for more of an answer that is written bit by bit. */
void edge_answer_pump(struct conn *c);

/* ---- body.c ---- */

/* The request's exchange, made if there is none; NULL: no slot. */
struct exchange *edge_body_need(struct conn *c);
/*
 * A request with a body has come as far as its head: where it goes. False:
 * it was answered or refused.
 */
bool edge_body_begin(struct conn *c, const struct edge_request *req);
/* The next piece (a held one is only counted). False: answered or refused. */
bool edge_body_piece(struct conn *c, struct span piece);
/* More is awaited: the time for it runs. */
void edge_body_wait(struct conn *c);
void edge_body_late(struct conn *c);
/* The body has ended, or nobody wants it any more: its sink is told. */
void edge_body_over(struct conn *c, bool whole);
/* The exchange is over, whatever it was for; NULL is fine. */
void edge_body_drop(struct conn *c);

/* ---- listen.c ---- */

/* Accepts, or stops to, as there is room for connections. */
void edge_listen_settle(struct edge *e);
/* All listeners close. */
void edge_listen_end(struct edge *e);

/* ---- proxy.c, redirect.c ---- */

bool edge_proxy_is_trusted(const struct edge *e, const struct sys_addr *a);
/* What the app is told of a request: behind a trusted proxy, as that says. */
void edge_proxy_request(struct conn *c, const struct http_msg *h,
    struct edge_request *req);
/* Answers 308, to the same target by TLS. */
void edge_redirect_answer(struct conn *c, const struct edge_request *req);
/* ERR_ARG: a name is none, or there are too many. */
MUST_USE enum err edge_redirect_conf(struct edge *e,
    const struct edge_redirect *r);

/* ---- handshake.c ---- */

/* The Engine.IO path that this is; NULL: none. */
const struct eio_path *edge_handshake_path(const struct edge *e,
    struct span path);
/* The head of one with a body has come: bytes of body it may have; 0: it is
 * answered. */
size_t edge_handshake_head(struct conn *c, const struct eio_path *path,
    const struct edge_request *req);
/* Its body is too large: answers 413. */
void edge_handshake_large(struct conn *c);
/* The fields of every answer of such a path. */
void edge_handshake_cors(const struct edge *e, struct wr *w);
/* A request for it: answers, or makes it a session. */
void edge_handshake_request(struct conn *c, const struct eio_path *path,
    const struct edge_request *req);

/* ---- move.c ---- */

/* Sends a connection in CONN_MOVING to the reactor that it is for. */
void edge_move_send(struct conn *c);

/* ---- ws.c ---- */

/*
 * Switches a connection whose request is under way to WebSocket; `owner` and
 * `ops` have it from then on. ERR_FORMAT: no WebSocket handshake (RFC 6455
 * 4.2.1), the request is still to be answered. ERR_LIMIT: no room for the
 * answer, it was refused.
 */
MUST_USE enum err edge_ws_accept(struct conn *c, const struct http_msg *head,
    const struct ws_ops *ops, void *owner, const struct ws_options *o);
size_t edge_ws_input(struct conn *c, uint8_t *p, size_t n);
/*
 * A text message: fill(w, arg) writes it (at most room bytes), framing is
 * done here. False: it could not be queued.
 */
bool edge_ws_send(struct conn *c, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg);
/* Whole frames, by reference. False: it could not be queued. */
bool edge_ws_send_blob(struct conn *c, struct blob *frames);
/* A whole message; framed here, compressed where that was agreed on. */
bool edge_ws_message(struct conn *c, enum ws_op op, struct span message);
/* A close frame, then the end of the connection; it has no owner any more. */
void edge_ws_close(struct conn *c, uint16_t code, const char *reason);

/* ---- wsapp.c ---- */

/* Tells the app of all that have ended. Never from inside its calls. */
void edge_wsapp_tell(struct flush *f);

/* ---- zip.c ---- */

/*
 * Negotiates: c->zip is set when it is agreed on. ERR_FORMAT: the offer is
 * malformed.
 */
MUST_USE enum err edge_zip_open(struct conn *c, const struct http_msg *head);
/* The field of the answer, if any. */
void edge_zip_put_answer(const struct conn *c, struct wr *w);
void edge_zip_close(struct conn *c);
/*
 * Inflates a piece into c->message. ERR_TOO_LARGE: more than the WebSocket's
 * message_max. ERR_FORMAT: no DEFLATE data, or no UTF-8. ERR_NOMEM.
 */
MUST_USE enum err edge_zip_add(struct conn *c, const struct ws_msg *m);
/* One whole message, compressed. False: as edge_conn_write. */
bool edge_zip_send(struct conn *c, enum ws_op op, struct span message);

/* ---- session.c ---- */

extern const struct ws_ops edge_session_ws_ops;
/* NULL: no slot. Its transport follows. path: index of the edge's. */
struct session *edge_session_new(struct edge *e, uint8_t path);
/*
 * It begins, over a WebSocket whose owner it is, or with c NULL over its
 * polling. False: it ended at once.
 */
bool edge_session_open(struct session *s, struct conn *c);
/* Not begun yet: gives the slot back. */
void edge_session_drop(struct session *s);
struct session *edge_session_find(struct edge_ref r);
/*
 * One text packet: fill(w, arg) writes it, its type digit included, at most
 * room bytes. False: the session was ended by this (EDGE_SLOW).
 */
bool edge_session_send(struct session *s, size_t room,
    void (*fill)(struct wr *w, const void *arg), const void *arg);
/*
 * One or more whole unmasked WebSocket frames, by reference: a text frame is
 * a packet with its type digit, a binary frame is a binary message packet.
 * False as above.
 */
bool edge_session_send_blob(struct session *s, struct blob *frames);
/* Nothing waits to be written (what is volatile may be sent). */
bool edge_session_is_writable(const struct session *s);
struct span edge_session_transport(const struct session *s);
/* Bytes that a message may have from now on. */
void edge_session_limit(struct session *s, uint32_t message_max);
/*
 * Ends it and its sockets; what is queued goes out, then a close packet or
 * frame (code, reason: RFC 6455 7.4). The app hears at the tick's end.
 */
void edge_session_close(struct session *s, enum edge_end why, uint16_t code,
    const char *reason);
/* Ends it so: a rule was broken, counted as a bad packet. */
void edge_session_refuse(struct session *s, const char *why);
/* The same of what is no packet: nobody waits for what is queued. */
void edge_session_bad(struct session *s);
/* Ends it at once; what is queued is dropped. */
void edge_session_cut(struct session *s, enum edge_end why);
/* Its polling is over; the slot is free when nobody needs it any more. */
void edge_session_forget(struct session *s);
/* Its pong was due until now; its timer will say so in this tick. */
bool edge_session_is_late(const struct session *s);
/* A packet has come. False: the session is over. */
MUST_USE bool edge_session_packet(struct edge_ref session,
    const struct eio_packet *p);
/* It has no socket: conf.connect_ms runs until one is joined. */
void edge_session_await(struct session *s);
/* One was joined: the time is over, and messages may have their full size. */
void edge_session_joined(struct session *s, bool guest);
/* Tells the app of all that are over. By edge_sio_tell, after the sockets. */
void edge_session_tell(struct edge *e);

/* ---- mesh.c ---- */

/* How many edges are linked, this one with them; 0: it is alone. Their
 * numbers are those of their reactors. */
size_t edge_mesh_count(const struct edge *e);
/*
 * Posts mail to another of them (or oneself). False: it drains or is closed,
 * and the mail is still the caller's. What travels must not be in memory of
 * the sending edge: that may be gone when the mail is read.
 */
MUST_USE bool edge_mesh_post(struct edge *from, unsigned to,
    struct mail *mail);
/* The same for an answer, which one that drains still takes. */
MUST_USE bool edge_mesh_answer(struct edge *from, unsigned to,
    struct mail *mail);
/* Where forwards of this edge live (forward.c). */
struct slab *edge_mesh_forwards(struct edge *e);
/* In a mail's function: the edge of the reactor that reads it. */
struct edge *edge_mesh_here(struct edge_mesh *m, const struct reactor *r);
/* Takes nothing new; takes nothing, and has read what was posted; is gone. */
void edge_mesh_drain(struct edge *e);
void edge_mesh_shut(struct edge *e);
void edge_mesh_leave(struct edge *e);

/* ---- sio.c ---- */

/* Its part of an edge, and of its end. */
MUST_USE enum err edge_sio_open(struct edge *e);
void edge_sio_close(struct edge *e);
/* A message of an EDGE_SOCKET_IO session. It may end it. */
void edge_sio_message(struct session *s, struct span msg, bool binary);
/* A session's sockets end; the app hears why at the end of the tick. */
void edge_sio_end_all(struct session *s, enum edge_end why);
/* Tells the app of all that have ended, and of sessions that are over. Never
 * from inside its calls. */
void edge_sio_tell(struct flush *f);

#endif
