/*
 * edge.h: HTTP/1.1, WebSocket, Engine.IO 4 and Socket.IO 5 connections of one
 * reactor. A library: it knows no operation; the server and other programs
 * are built on it by the callbacks of struct edge_app.
 *
 * One struct edge per reactor, with slabs of conns_max connections and as
 * many Engine.IO sessions, reserved and untouched until used. All calls and
 * callbacks are on that reactor's thread; other threads post mail. What is
 * outside is named by a struct edge_ref, which may be kept for any time: a
 * call on one whose connection is gone does nothing.
 *
 * Callbacks may call anything here, also about their own connection; a
 * connection that ends in one is taken apart at the end of the tick.
 *
 * Spans in what a callback is given are good until it returns.
 */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include "base/blob.h"
#include "base/sys.h"
#include "net/reactor.h"
#include "net/tls.h"
#include "wire/http.h"

struct edge;

/* A request being answered, or a Socket.IO socket. Never reused for another. */
struct edge_ref {
	struct edge *edge;
	uint32_t index;
	uint32_t generation;	/* 0: names nothing */
};

/* ---- HTTP ---- */

struct edge_request {
	const struct http_msg *head;	/* method, path, query, fields:
					   http_find(head, "..."), wire/http.h */
	struct span body;		/* whole, without its transfer coding */
	struct sys_addr peer;
	bool tls;
};

struct edge_answer {
	int status;			/* 200..599 */
	const struct http_field *headers;	/* none of edge's own, below */
	size_t headers_n;
	struct span body;		/* copied */
	struct blob *blob;		/* instead of body, by reference */
	bool close;			/* end the connection afterwards */
};

/*
 * Answers a request, now or later. Edge adds Content-Length, Date,
 * Connection where needed and conf.headers; for HEAD, 204 and 304 the body
 * stays out. A second answer to one request does nothing.
 */
void edge_answer(struct edge_ref request, const struct edge_answer *a);

/* ---- Engine.IO ---- */

/* What the sessions of a path carry. */
enum edge_kind {
	EDGE_SOCKET_IO,		/* sockets: on_connect, on_event, ... */
	EDGE_ENGINE_IO,		/* messages as they are: on_message */
};

/* Whose scripts may read the answers of the Engine.IO paths (CORS). */
enum edge_cors {
	EDGE_CORS_NONE,		/* their own site's only: no fields, and
				   OPTIONS is the app's request */
	EDGE_CORS_ANY,		/* every site's, without credentials */
	EDGE_CORS_APP,		/* those that on_origin lets */
};

/* A path and whether "/name" is meant with "/name/". */
#define EDGE_PATHS_MAX 8
#define EDGE_PATH_MAX 63	/* bytes of a path */
struct edge_path {
	struct span path;	/* begins and ends with '/' */
	enum edge_kind kind;
};

/* The HTTP request that wants to become an Engine.IO session. */
struct edge_handshake {
	const struct edge_request *request;
	struct span origin;		/* empty: none was sent, no browser */
	struct sys_addr *addr;		/* in/out: the client's address (behind
					   a trusted proxy: the forwarded one) */
	enum edge_kind kind;
	bool websocket;			/* else it begins with polling */
	struct edge_ref session;	/* the name of the one that begins; it
					   is there once this has returned */
	void *user;			/* out: the app's own; NULL at first.
					   Given back by on_session_end */
};

/*
 * For sessions of kind EDGE_ENGINE_IO. Sends one message. False: it is not
 * there any more, or was ended by this (its reader is too slow).
 */
bool edge_send(struct edge_ref session, struct span message, bool binary);
/* Ends a session of any kind: a close packet, after what is queued. */
void edge_end_session(struct edge_ref session);
/* What the handshake left; NULL when gone. */
void *edge_session_user(struct edge_ref session);

/* ---- WebSocket ---- */

/*
 * A WebSocket (RFC 6455) of the app's own, beside those that carry Engine.IO.
 * In on_request the app calls edge_upgrade instead of edge_answer. Pings are
 * answered and the closing handshake is done here. A peer that does not read
 * is not read: from 64 KiB of waiting bytes on, no further message comes.
 */
struct edge_upgrade {
	struct span protocol;	/* subprotocol; left out when it was not
				   offered; empty: none */
	uint32_t message_max;	/* bytes of a message; 0: conf.message_max;
				   over: 1009 */
	bool deflate;		/* permessage-deflate (RFC 7692), when it is
				   offered and conf.deflates_max allows */
};
/*
 * Answers the request with 101; *ws_out names the WebSocket until on_ws_close
 * has returned. When it is no WebSocket handshake: 400, or 426 where another
 * version or no upgrade was asked for; 503 without room; false then, and no
 * callback follows. Only inside on_request, and for on_ws_message's apps.
 */
bool edge_upgrade(struct edge_ref request, const struct edge_request *req,
    const struct edge_upgrade *u, struct edge_ref *ws_out);
/* Does the client offer that subprotocol? Names are compared byte by byte. */
bool edge_ws_offers(const struct edge_request *req, struct span protocol);
/*
 * Queues one message: text (the caller's to be UTF-8) or binary; copied, and
 * compressed where that was negotiated. While less than 64 KiB wait, one
 * message of any size may be queued; beyond that conf.out_max holds. False:
 * it could not be queued and the WebSocket is ended (EDGE_SLOW), or it was
 * over already.
 */
bool edge_ws_write(struct edge_ref ws, struct span message, bool binary);
/* One message for many: whole frames of a server's. NULL: no memory, 4 GiB. */
struct blob *edge_ws_encode(struct span message, bool binary);
/* Queues it by reference (the caller keeps its own), as above. */
bool edge_ws_write_blob(struct edge_ref ws, struct blob *frames);
/* Bytes that are queued and not yet written; 0 when gone. */
size_t edge_ws_waiting(struct edge_ref ws);
/*
 * Ends it with a close frame (RFC 6455 7.4: 1000, 3000 to 4999, ...; 0: none
 * is named) after what is queued; reason is cut to 123 bytes. on_ws_close
 * follows.
 */
void edge_ws_end(struct edge_ref ws, uint16_t code, const char *reason);
/* A pointer of the app's own; NULL at first and when gone. */
void edge_ws_set_user(struct edge_ref ws, void *user);
void *edge_ws_user(struct edge_ref ws);

/* ---- Socket.IO ---- */

struct edge_connect {
	struct span nsp;		/* "/" */
	struct span auth;		/* JSON object text; empty: none */
	struct sys_addr addr;		/* as the handshake left it */
	bool tls;
	void *user;			/* as the handshake left it */
	struct edge_ref session;
};

struct edge_event {
	struct span nsp;
	struct span name;		/* unescaped */
	struct span args;		/* JSON texts of the arguments after the
					   name, comma-separated: {"a":1},2 */
	struct span first;		/* the first of them; empty: none */
	uint32_t args_n;
	int64_t ack;			/* id to answer by edge_ack, or -1 */
};

/* Why a socket ended. */
enum edge_end {
	EDGE_BY_CLIENT,		/* DISCONNECT, close packet or close frame */
	EDGE_BY_APP,		/* edge_disconnect */
	EDGE_LOST,		/* the connection broke or was ended */
	EDGE_PING,		/* no pong in time */
	EDGE_SLOW,		/* its write queue was full */
	EDGE_PROTOCOL,		/* it broke a rule */
	EDGE_DRAIN,		/* edge_drain */
};
const char *edge_end_name(enum edge_end why);	/* "ping timeout", ... */

/*
 * Accepts a CONNECT: the client hears its socket id; what is emitted from
 * then on follows. Only once; before the socket has ended.
 */
void edge_accept(struct edge_ref sock);
/*
 * Refuses it with CONNECT_ERROR {"message":message,"data":data}; data is JSON
 * text or empty. The connection stays; the client may try again; the ref is
 * over (no on_close).
 */
void edge_refuse(struct edge_ref sock, struct span message, struct span data);
/* Answers an event that asked for it. args: JSON texts, comma-separated. */
void edge_ack(struct edge_ref sock, int64_t ack, struct span args);
/*
 * One event for any number of recipients: a whole WebSocket text frame, to be
 * queued by reference. nsp "/" for the default one; name unescaped; args as
 * in struct edge_event. Any thread. NULL: no memory, or above 4 GiB.
 */
struct blob *edge_encode_event(struct span nsp, struct span name,
    struct span args);
/*
 * Queues it; the caller keeps its reference. A recipient whose queue would
 * pass conf.out_max is closed (EDGE_SLOW) and counted. Before edge_accept and
 * after the end it does nothing.
 */
void edge_emit(struct edge_ref sock, struct blob *event);
/* encode and emit for one recipient. */
void edge_emit_one(struct edge_ref sock, struct span name, struct span args);
/*
 * The same, asking for an answer, which comes by on_ack under this id. Edge
 * keeps nothing of it: an id that the app does not await is the app's to
 * ignore. id < 2^53.
 */
void edge_ask(struct edge_ref sock, uint64_t id, struct span name,
    struct span args);
/*
 * Ends a socket: DISCONNECT, after what is queued; the whole connection
 * too where `close`. on_close follows (EDGE_BY_APP).
 */
void edge_disconnect(struct edge_ref sock, bool close);
bool edge_is_open(struct edge_ref sock);
/* The id that the client knows it by (20 characters); empty when gone or not
 * accepted yet. */
struct span edge_sock_id(struct edge_ref sock);
/* A pointer of the app's own for each socket; NULL at first and when gone. */
void edge_set_user(struct edge_ref sock, void *user);
void *edge_user(struct edge_ref sock);

/* ---- The application ---- */

struct edge_app {
	void *arg;	/* first argument of all */
	/* A whole request: answer it (edge_answer), now or later. */
	void (*on_request)(void *arg, struct edge_ref request,
	    const struct edge_request *req);
	/*
	 * Optional. The head has come: how many bytes of body this request
	 * may have (0: conf.body_max); beyond it 413.
	 */
	size_t (*body_max)(void *arg, const struct edge_request *head);
	/*
	 * Optional. A request that edge refuses (400, 408, 413, 414, 417, 431,
	 * 501, 503, 505): the app may edge_answer it in its own form, at once.
	 * why: what was wrong, a literal for people. The connection closes in
	 * any case.
	 */
	void (*on_refused)(void *arg, struct edge_ref request, int status,
	    const char *why);
	/*
	 * Optional. A session begins: 0 lets it, else an HTTP status (403 for
	 * a foreign origin, 429, 503) that the handshake is answered with;
	 * then on_session_end is not called.
	 */
	int (*on_handshake)(void *arg, struct edge_handshake *h);
	/* With EDGE_CORS_APP: may scripts of that origin read our answers? */
	bool (*on_origin)(void *arg, struct span origin);
	/*
	 * Optional. It is over; once for each that on_handshake let, after
	 * on_close of its sockets. user: what that one left.
	 */
	void (*on_session_end)(void *arg, void *user, enum edge_end why);
	/* A message of a session of kind EDGE_ENGINE_IO. */
	void (*on_message)(void *arg, struct edge_ref session,
	    struct span message, bool binary);
	/*
	 * CONNECT: call edge_accept or edge_refuse, now or later. A client that
	 * gives up before is told by on_close.
	 */
	void (*on_connect)(void *arg, struct edge_ref sock,
	    const struct edge_connect *c);
	void (*on_event)(void *arg, struct edge_ref sock,
	    const struct edge_event *e);
	/* Optional. The answer to edge_ask; args: JSON, comma-separated. */
	void (*on_ack)(void *arg, struct edge_ref sock, uint64_t id,
	    struct span args);
	/* Once for every socket of on_connect that was not refused. */
	void (*on_close)(void *arg, struct edge_ref sock, enum edge_end why);
	/* Optional. A whole message on a WebSocket of edge_upgrade. */
	void (*on_ws_message)(void *arg, struct edge_ref ws,
	    struct span message, bool binary);
	/*
	 * Optional. Once for each such WebSocket; its ref is over when this
	 * returns. code: what the peer's close frame said, 1005 if nothing,
	 * 1006 if none came; EDGE_PROTOCOL: what ours said; EDGE_BY_APP: as
	 * given to edge_ws_end.
	 */
	void (*on_ws_close)(void *arg, struct edge_ref ws, uint16_t code,
	    enum edge_end why);
};

/*
 * Limits. 0 switches one off where that makes sense (all of the first block);
 * edge_conf_default gives those in brackets.
 */
struct edge_conf {
	/* connections */
	uint32_t conns_max;		/* slots; not 0 [16384] */
	uint32_t addr_conns_max;	/* per address and reactor, loopback
					   aside [0] */
	uint32_t handshakes_max;	/* TLS handshakes at once [256] */
	/* HTTP */
	uint32_t head_max;		/* bytes of a request's head; 1 KiB to
					   48 KiB [32768], over: 431 */
	size_t body_max;		/* [1000000], over: 413 */
	uint32_t target_max;		/* bytes of a request's target [8192] */
	uint32_t fields_max;		/* <= HTTP_FIELDS_MAX [100] */
	uint64_t tls_ms;		/* TLS handshake complete within [10000] */
	uint64_t head_ms;		/* head complete within [10000] */
	uint64_t body_ms;		/* body complete within [30000] */
	uint64_t idle_ms;		/* kept-alive connection idle [75000] */
	uint64_t answer_ms;		/* the app's answer; then 503 [60000] */
	uint64_t close_ms;		/* for the peer to end, too; 0: is not
					   waited for [2000] */
	uint32_t requests_max;		/* on one connection [10000] */
	/* Engine.IO */
	const struct edge_path *paths;	/* [/socket.io/, EDGE_SOCKET_IO] */
	size_t paths_n;			/* <= EDGE_PATHS_MAX */
	enum edge_cors cors;		/* [EDGE_CORS_NONE] */
	uint64_t ping_interval_ms;	/* not 0 [25000] */
	uint64_t ping_timeout_ms;	/* not 0 [20000] */
	uint32_t message_max;		/* bytes of a message, and of a polling
					   body [1000000] */
	uint32_t join_max;		/* the same for a Socket.IO session
					   that has no socket yet [16384] */
	uint32_t out_max;		/* bytes waiting to be written [4 MiB];
					   from 64 KiB on its peer is not read */
	size_t held_max;		/* bytes of all unfinished messages
					   and unread answers of WebSockets
					   together [256 MiB], over: 503, 1013 */
	/* permessage-deflate (RFC 7692) */
	uint32_t deflates_max;		/* WebSockets that may have it; it is
					   not negotiated beyond [0] */
	uint8_t deflate_bits;		/* windows are 2^bits bytes at most;
					   9..15 [12], see wire/deflate.h for
					   the memory that takes */
	bool eio_deflate;		/* for Engine.IO, too [false] */
	uint32_t polls_max;		/* sessions over polling; not 0 [8192],
					   over: 503 */
	uint32_t addr_polls_max;	/* the same, of one address and
					   reactor, loopback aside [0] */
	uint64_t upgrade_ms;		/* polling to WebSocket within [10000] */
	uint32_t forwards_max;		/* requests that came here and wait for
					   another reactor; not 0 [4096] */
	/* Socket.IO */
	uint64_t connect_ms;		/* no socket joined for so long [45000] */
	/* Answer headers on every answer; the second list on TLS only. */
	const struct http_field *headers;
	size_t headers_n;
	const struct http_field *tls_headers;
	size_t tls_headers_n;
};

/* What happened; one slot per reactor, read by mail or when it has ended. */
struct edge_stats {
	uint64_t accepted, conns, conns_peak, sessions, sockets;
	uint64_t requests, events_in, acks_out, emits, bytes_in, bytes_out;
	/* limits that were hit */
	uint64_t conns_over, addr_over, handshakes_over;
	uint64_t tls_failed, tls_late;
	uint64_t head_large, head_late, body_large, body_late, idle_closed;
	uint64_t answer_late, requests_over, bad_requests, bad_handshakes;
	uint64_t bad_frames, bad_packets, message_large;
	uint64_t websockets;		/* of edge_upgrade; now */
	uint64_t ws_messages;		/* that came on them */
	uint64_t deflates, deflates_over;	/* now; not negotiated */
	uint64_t connect_late, ping_late, slow_readers;
	/* polling */
	uint64_t polls;			/* sessions over it; now */
	uint64_t polls_over, addr_polls_over;
	uint64_t polls_dropped;		/* a pending GET was, or overlapped */
	uint64_t upgrades, upgrades_late, upgrades_bad;
	uint64_t forwards, forwards_over, moves;	/* to other reactors */
};

void edge_conf_default(struct edge_conf *c);
/* c and its lists are copied; app stays the caller's. ERR_NOMEM, ERR_ARG. */
MUST_USE enum err edge_open(struct reactor *r, const struct edge_conf *c,
    const struct edge_app *app, struct edge **out);
/*
 * Lets the edges of a program know each other, so that a request of a session
 * that comes to another's reactor goes on to its own, and rooms span them.
 * edges[i] is the one of the reactor with index i. Once, before any of them
 * runs. Each may be closed while others still run. ERR_ARG, ERR_NOMEM.
 */
#define EDGE_LINKS_MAX 256
MUST_USE enum err edge_link(struct edge *const *edges, size_t n);
/*
 * Ends every connection at once (on_close is called), then frees. Not from a
 * callback or tick: once the reactor has stopped.
 */
void edge_close(struct edge *e);
/*
 * Listens; tls NULL: plain. At most EDGE_LISTENERS_MAX. Errors as
 * listener_open. port_out (may be NULL): the port, where 0 was asked for.
 */
#define EDGE_LISTENERS_MAX 8
MUST_USE enum err edge_listen(struct edge *e, const struct sys_addr *a,
    struct tls_ctx *tls, uint16_t *port_out);
/* New TLS connections use this context from now on (a new certificate). */
void edge_set_tls(struct edge *e, struct tls_ctx *tls);
/* Takes a connected descriptor as if it had been accepted (tests). */
MUST_USE enum err edge_adopt(struct edge *e, int fd,
    const struct sys_addr *peer);
/*
 * Stops: listeners close, idle connections too; requests under way are
 * answered with Connection: close; sockets are disconnected (EDGE_DRAIN) and
 * their WebSockets closed with `code` (1001 going away, 1012 restart) after
 * what is queued. done(arg) once nothing is left, at the latest after
 * deadline_ms, when the rest is cut off. Once.
 */
void edge_drain(struct edge *e, uint16_t code, uint64_t deadline_ms,
    void (*done)(void *arg), void *arg);
const struct edge_stats *edge_stats(const struct edge *e);
struct reactor *edge_reactor(const struct edge *e);

#endif
