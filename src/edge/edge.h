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
 *
 *	edge_conf_default(&conf);
 *	TRY(edge_open(reactor, &conf, &app, &edge));
 *	TRY(edge_listen(edge, &addr, NULL, NULL));
 *	reactor_run(reactor);		(edge_drain ends it in good order)
 *	edge_close(edge);
 *
 * In this order: HTTP: answers, bodies of requests; Engine.IO sessions;
 * WebSockets of the app's own; Socket.IO: sockets, rooms, questions; the
 * callbacks (struct edge_app); limits (struct edge_conf), counters (struct
 * edge_stats); an edge's life. Static files are in edge/files.h. What answers
 * nothing (void) does nothing when it can not be done.
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
	struct span body;		/* EDGE_HOLD: whole, without its
					   transfer coding */
	uint64_t body_n;		/* its bytes, wherever they went */
	int body_fd;			/* EDGE_SPOOL: they are in this file,
					   from 0 on; else -1 */
	struct sys_addr peer;		/* the client; behind a trusted proxy
					   the one that it names */
	struct span host;		/* host[:port] that was asked for,
					   well-formed or empty; likewise */
	bool tls;			/* https; likewise */
};

/* n bytes of a body: of a blob by reference, or of a file. */
struct edge_piece {
	struct blob *blob;	/* or NULL: */
	struct sys_file file;	/* its descriptor is edge's from then on,
				   whatever becomes of the request. All of
				   one answer are of one file, each not
				   empty if there are several */
	uint64_t at, n;
};

struct edge_answer {
	int status;			/* 200..599 */
	const struct http_field *headers;	/* none of edge's own, below */
	size_t headers_n;
	struct span body;		/* copied */
	struct blob *blob;		/* instead of body, by reference */
	const struct edge_piece *pieces;	/* instead of both, in order */
	size_t pieces_n;
	struct span fields;		/* further field lines, each with its
					   CRLF; written as they are */
	bool close;			/* end the connection afterwards */
};

/*
 * Answers a request, now or later. Edge adds Content-Length, Date,
 * Connection where needed and conf.headers; for HEAD, 204 and 304 the body
 * stays out. A second answer to one request does nothing. One that comes
 * before the request's body has (in on_head, on_piece) is final: the rest is
 * not read, and the connection ends. What is larger than conf.out_max less
 * 64 KiB can not be queued at once: edge_answer_begin.
 */
void edge_answer(struct edge_ref request, const struct edge_answer *a);
/* 405: the path knows only these methods, "GET, HEAD". */
void edge_not_allowed(struct edge_ref request, const char *allow);

/*
 * An answer that is written bit by bit, at the pace of its reader: begin, then
 * write whenever there is room, then end.
 */
struct edge_source {
	/*
	 * There is room: once at the end of the tick of edge_answer_begin, then
	 * each time that everything written has gone out.
	 */
	void (*on_room)(void *arg, struct edge_ref request);
	/* Optional. Once, if the client goes (or is too slow, or waited too
	 * long for more) before edge_answer_end: nobody reads on. */
	void (*on_gone)(void *arg, struct edge_ref request);
};
#define EDGE_UNKNOWN UINT64_MAX
/*
 * length: bytes of the body, exactly; EDGE_UNKNOWN: as many as come (chunked;
 * until the connection's end for HTTP/1.0). a's body and blob are not used.
 * False: the answer is complete without a body (HEAD, 204, 304, length 0) or
 * there is nobody to answer; source is not called then.
 */
bool edge_answer_begin(struct edge_ref request, const struct edge_answer *a,
    uint64_t length, const struct edge_source *source, void *arg);
/* Bytes that may be written now without piling up; 0: wait for on_room. */
size_t edge_answer_room(struct edge_ref request);
/*
 * The next bytes, copied; never more than length in all. False: they could
 * not be queued (conf.out_max) and the answer was cut off, or it is over.
 */
bool edge_answer_write(struct edge_ref request, struct span piece);
/* It is complete. Fewer bytes than length: it is cut off. */
void edge_answer_end(struct edge_ref request);
/* It can not be completed: cut off, so that the reader sees it. */
void edge_answer_abort(struct edge_ref request);

/* ---- HTTP: bodies of requests ---- */

enum edge_how {
	EDGE_HOLD,	/* in memory, whole, with the request */
	EDGE_SPOOL,	/* in a file without a name, with the request */
	EDGE_STREAM,	/* to a sink, piece by piece, before the request */
};

/* Where a body of EDGE_STREAM goes. */
struct edge_sink {
	/* The next piece, not empty. edge_body_pause stops them. */
	void (*on_piece)(void *arg, struct edge_ref request,
	    struct span piece);
	/*
	 * Once. whole: on_request of the same request follows. Else it broke
	 * off: the client has gone or was refused, or the app has answered.
	 */
	void (*on_end)(void *arg, struct edge_ref request, bool whole);
};

/* What becomes of a body; on_head may change it. */
struct edge_body {
	enum edge_how how;		/* [EDGE_HOLD] */
	uint64_t max;			/* bytes, beyond: 413; 0: no limit
					   [conf.body_max] */
	const struct edge_sink *sink;	/* EDGE_STREAM */
	void *sink_arg;
};

/* No piece comes until edge_body_resume: the client has to wait. At most
 * conf.answer_ms; then the request is refused (503). */
void edge_body_pause(struct edge_ref request);
void edge_body_resume(struct edge_ref request);
/*
 * In on_request, or until it is answered: the file of EDGE_SPOOL becomes the
 * app's, which closes it. Otherwise edge does, when the request is answered.
 * -1: there is none.
 */
int edge_take_file(struct edge_ref request);

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

/* Where sessions are asked for: exactly that path. */
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
 * callback follows. Only inside on_request; behind edge_answer and
 * edge_answer_begin it does nothing.
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

/*
 * A socket is one session's in one namespace ("/" and any other "/name").
 * A namespace is there while it has sockets; which names there are is the
 * app's to say, by accepting or refusing.
 */
struct edge_connect {
	struct span nsp;		/* "/" */
	struct span auth;		/* JSON object text; empty: none */
	struct sys_addr addr;		/* as the handshake left it */
	bool tls;
	void *user;			/* as the handshake left it */
	struct edge_ref session;
	bool recovered;			/* it comes back: with edge_accept it
					   has its former id and rooms, and
					   gets what it missed */
};

/*
 * Arguments of an event or of an answer. Bytes are sent as parts, and stand
 * in the JSON as {"_placeholder":true,"num":k}, k the index of the part.
 */
struct edge_args {
	struct span json;		/* JSON texts, comma-separated: {"a":1},2
					   (so is every `args` here) */
	const struct span *parts;
	uint32_t parts_n;
};

struct edge_event {
	struct span nsp;
	struct span name;		/* unescaped */
	struct span args;		/* of those after the name */
	struct span first;		/* the first of them; empty: none */
	uint32_t args_n;
	int64_t ack;			/* id to answer by edge_ack, or -1 */
	const struct span *parts;	/* placeholders were checked */
	uint32_t parts_n;
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
 * The same for somebody who has yet to say who he is: his messages stay as
 * small as before (conf.join_max), and when he leaves the namespace his
 * session ends, so that he can not begin anew what has a limit.
 * edge_promote: he has said it; from then on he is as edge_accept makes him.
 */
void edge_accept_guest(struct edge_ref sock);
void edge_promote(struct edge_ref sock);
/*
 * Refuses it with CONNECT_ERROR {"message":message,"data":data}; data is JSON
 * text or empty. The connection stays; the client may try again; the ref is
 * over (no on_close). "Invalid namespace" is what clients expect to hear of
 * a namespace that there is not.
 */
void edge_refuse(struct edge_ref sock, struct span message, struct span data);
/* Answers an event that asked for it, once. */
void edge_ack(struct edge_ref sock, int64_t ack, struct span args);
void edge_ack_with(struct edge_ref sock, int64_t ack,
    const struct edge_args *args);
/*
 * One event for any number of recipients: whole WebSocket frames, to be
 * queued by reference. nsp "/" for the default one; name unescaped.
 * Any thread. NULL: no memory, or above 4 GiB.
 */
struct blob *edge_encode_event(struct span nsp, struct span name,
    struct span args);
struct blob *edge_encode_with(struct span nsp, struct span name,
    const struct edge_args *args);
/*
 * Queues it; the caller keeps its reference. A recipient whose queue would
 * pass conf.out_max is closed (EDGE_SLOW) and counted. Before edge_accept and
 * after the end it does nothing. What goes out this way is not recovered.
 */
void edge_emit(struct edge_ref sock, struct blob *event);
/* encode and emit for one recipient; recovered, where that is on. */
void edge_emit_one(struct edge_ref sock, struct span name, struct span args);
/* is_volatile: only if it can be written at once; and never recovered. */
void edge_emit_with(struct edge_ref sock, struct span name,
    const struct edge_args *args, bool is_volatile);

/*
 * Rooms: any name of 1 to conf.room_name_max bytes, in a namespace of its
 * own; a socket's own id is a room that it is in from the beginning. A room
 * is there while it has members. They end with the socket.
 * ERR_LIMIT: conf.rooms_max, .members_max or .sock_rooms_max. ERR_ARG: the
 * name. ERR_NOMEM. ERR_NOT_FOUND: the socket is not open.
 */
MUST_USE enum err edge_join(struct edge_ref sock, struct span room);
void edge_leave(struct edge_ref sock, struct span room);
bool edge_is_in(struct edge_ref sock, struct span room);
/* Calls fn for each room that it is in, its own first. fn changes none. */
void edge_rooms(struct edge_ref sock, void (*fn)(void *arg, struct span room),
    void *arg);

/* The open sockets of a namespace that something goes to. */
struct edge_to {
	struct span nsp;
	const struct span *rooms;	/* those in any of these; none given:
					   all of the namespace */
	uint32_t rooms_n;
	const struct span *except;	/* but none that is in one of these */
	uint32_t except_n;
	bool is_volatile;		/* not to those that can not write it
					   at once; never recovered */
};
/*
 * One event to each of them once, encoded once: here, and in the edges that
 * this one is linked with (edge_link). What one thread sends, each recipient
 * gets in that order.
 */
void edge_emit_to(struct edge *e, const struct edge_to *to, struct span name,
    const struct edge_args *args);

/* How a question ended. */
enum edge_answered {
	EDGE_ANSWERED,
	EDGE_TIMED_OUT,		/* no answer in time; a later one is ignored */
	EDGE_NO_ANSWER,		/* the socket ended, or too many are open
				   (conf.asks_max, .sock_asks_max) */
};
typedef void (*edge_answer_fn)(void *arg, struct edge_ref sock,
    enum edge_answered how, const struct edge_args *args);
/*
 * Emits an event that wants an answer. fn is called exactly once, later or
 * before this returns; args are those of the answer, else empty. timeout_ms
 * 0: until the socket ends.
 */
void edge_ask(struct edge_ref sock, struct span name,
    const struct edge_args *args, uint64_t timeout_ms, edge_answer_fn fn,
    void *arg);
/*
 * Ends a socket: DISCONNECT, after what is queued; the whole connection
 * too where `close`. on_close follows (EDGE_BY_APP).
 */
void edge_disconnect(struct edge_ref sock, bool close);
/* Ends its connection without a DISCONNECT (EDGE_BY_APP; may be recovered). */
void edge_drop(struct edge_ref sock);
bool edge_is_open(struct edge_ref sock);
/* The id that the client knows it by (20 characters); empty when gone or not
 * accepted yet. */
struct span edge_sock_id(struct edge_ref sock);
/* The name of its namespace; empty when gone. */
struct span edge_sock_nsp(struct edge_ref sock);
/* "websocket" or "polling", as of now; empty when gone. */
struct span edge_sock_transport(struct edge_ref sock);
/* Has it come back with what it had? */
bool edge_is_recovered(struct edge_ref sock);
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
	 * Optional. The head of a request with a body has come: what becomes
	 * of the body (*body holds the defaults). It may be answered at once.
	 */
	void (*on_head)(void *arg, struct edge_ref request,
	    const struct edge_request *req, struct edge_body *body);
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
	 * Optional. A page's request (it has an Origin) for a session that is
	 * there, by polling or to upgrade it: false refuses it (403). The
	 * session's id is all else that it has to know.
	 */
	bool (*on_page)(void *arg, const struct edge_request *request);
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

/* Networks: an address and how many of its 128 bits count. */
#define EDGE_NETS_MAX 32
struct edge_net {
	struct sys_addr addr;
	uint8_t bits;
};
/* "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". False: none of these. */
bool edge_net_decode(struct span text, struct edge_net *out);

/* The fields of trusted proxies; a proxy writes the one kind and passes the
 * other on as its client sent it, so only one is believed. */
enum edge_forwarded {
	EDGE_FORWARDED_X,	/* X-Forwarded-For, -Proto, -Host: the proxy has
				   to set all three */
	EDGE_FORWARDED_RFC7239,	/* Forwarded */
};

/*
 * Limits. 0 switches one off where nothing else is said of it;
 * edge_conf_default gives those in brackets.
 */
struct edge_conf {
	/* connections; without a slot, none is accepted until one is free */
	uint32_t conns_max;		/* slots; not 0 [16384] */
	uint32_t addr_conns_max;	/* per address and reactor, loopback
					   and trusted proxies aside [0] */
	uint32_t handshakes_max;	/* TLS handshakes at once [256] */
	/* memory */
	uint32_t out_max;		/* bytes of one connection that wait to
					   be written; at least 64 KiB [4 MiB];
					   from 64 KiB on its peer is not read */
	size_t mem_max;			/* bytes that wait to be worked off or
					   to be written, of all [512 MiB];
					   beyond: new connections are refused,
					   unfinished input gets 503 or 1013,
					   readers may lag by 64 KiB only */
	size_t held_max;		/* bytes of all unfinished messages
					   and unread answers of WebSockets
					   together [256 MiB], over: 503, 1013 */
	/* HTTP */
	uint32_t head_max;		/* bytes of a request's head; 1 KiB to
					   48 KiB [32768], over: 431 */
	uint64_t body_max;		/* bytes, where on_head says nothing
					   [1000000], over: 413 */
	uint32_t target_max;		/* bytes of a request's target; not 0
					   [8192], over: 414 */
	uint32_t fields_max;		/* not 0; <= HTTP_FIELDS_MAX [100],
					   over: 431 */
	uint64_t tls_ms;		/* TLS handshake complete within [10000] */
	uint64_t head_ms;		/* head complete within [10000] */
	uint64_t body_ms;		/* a held body complete within [30000] */
	uint64_t silence_ms;		/* between two pieces of any body
					   [10000] */
	uint32_t rate_min;		/* bytes a second that other bodies,
					   and readers of answers, have to
					   keep up in the long run [500] */
	uint64_t idle_ms;		/* kept-alive connection idle [75000] */
	uint64_t answer_ms;		/* the app's answer; then 503 [60000] */
	uint64_t send_ms;		/* the peer takes something of what
					   waits for it within; 0: all of it
					   within the times above [20000] */
	uint64_t close_ms;		/* for the peer to end, too; 0: is not
					   waited for [2000] */
	uint32_t requests_max;		/* on one connection [10000] */
	const char *spool_dir;		/* EDGE_SPOOL; NULL: none ["/var/tmp"] */
	uint64_t spool_max;		/* bytes of all such files [1 GiB],
					   over: 503 */
	/* trusted proxies: their word on client, scheme and host is taken */
	const struct edge_net *trusted;	/* <= EDGE_NETS_MAX */
	size_t trusted_n;		/* [0] */
	enum edge_forwarded forwarded;	/* [EDGE_FORWARDED_X] */
	/* Engine.IO */
	const struct edge_path *paths;	/* [/socket.io/, EDGE_SOCKET_IO] */
	size_t paths_n;			/* <= EDGE_PATHS_MAX */
	enum edge_cors cors;		/* [EDGE_CORS_NONE] */
	uint64_t ping_interval_ms;	/* not 0 [25000] */
	uint64_t ping_timeout_ms;	/* not 0 [20000] */
	uint32_t message_max;		/* bytes of a message, and of a polling
					   body; not 0 [1000000] */
	uint32_t join_max;		/* the same for a Socket.IO session
					   that has no socket yet [16384] */
	uint32_t polls_max;		/* sessions over polling; not 0 [8192],
					   over: 503 */
	uint32_t addr_polls_max;	/* the same, of one address and
					   reactor, loopback aside [0] */
	uint64_t linger_ms;		/* what waits of a polling session that
					   is ended here can be fetched for so
					   long; 0: not at all [30000] */
	uint64_t upgrade_ms;		/* polling to WebSocket within [10000] */
	uint32_t forwards_max;		/* requests that came here and wait for
					   another reactor; not 0 [4096] */
	/* WebSockets of the app's own */
	uint64_t ws_idle_ms;		/* nothing came, nor was read: a ping;
					   as long again: the end, EDGE_PING;
					   0: off [60000] */
	/* permessage-deflate (RFC 7692) */
	uint32_t deflates_max;		/* WebSockets that may have it; it is
					   not negotiated beyond [0] */
	uint8_t deflate_bits;		/* windows are 2^bits bytes at most;
					   9..15 [12], see wire/deflate.h for
					   the memory that takes */
	bool eio_deflate;		/* for Engine.IO, too [false] */
	/* Socket.IO */
	uint64_t connect_ms;		/* no socket joined for so long [45000] */
	uint32_t socks_max;		/* sockets; 0: 4 for each connection [0] */
	uint32_t session_socks_max;	/* of one session; not 0 [256] */
	uint32_t nsps_max;		/* namespaces in use; not 0 [1024] */
	uint32_t rooms_max;		/* rooms with members; 0: no rooms
					   [65536] */
	uint32_t members_max;		/* all of theirs together [262144] */
	uint32_t sock_rooms_max;	/* rooms of one socket; 0: none beside
					   its own [256] */
	uint32_t room_name_max;		/* bytes, <= 65535 [1024] */
	uint32_t asks_max;		/* open questions; 0: none [65536] */
	uint32_t sock_asks_max;		/* of one socket [256] */
	uint32_t attachments_max;	/* of one packet; 0: no binary packets;
					   <= SIO_ATTACHMENTS_MAX [10] */
	size_t binary_max;		/* bytes of a packet and its
					   attachments; 0: none [16 MiB] */
	uint64_t binary_ms;		/* the next attachment comes within
					   [60000] */
	uint32_t links_max;		/* mails to siblings under way [65536];
					   over: what is sent is lost there,
					   and nobody is asked for who comes
					   back; 0: nothing goes to them */
	uint64_t recovery_ms;		/* what an unwanted end leaves is kept so
					   long for the client to come back;
					   0: recovery is off [0] */
	uint32_t recovery_socks_max;	/* ended sockets that are kept; not 0;
					   the oldest go first [16384] */
	uint32_t recovery_events_max;	/* events that are kept; not 0; the
					   oldest go first [65536] */
	size_t recovery_bytes_max;	/* all that is kept; 0: nothing
					   [64 MiB] */
	/* Answer headers on every answer; the second list on TLS only. */
	const struct http_field *headers;
	size_t headers_n;
	const struct http_field *tls_headers;
	size_t tls_headers_n;
};

/*
 * What happened so far, or (now) is there. On the reactor's thread: others
 * read it by mail, or when the reactor has ended. Names in _over and _late are
 * of limits that were hit.
 */
struct edge_stats {
	/* connections */
	uint64_t conns, conns_peak;	/* now; and at most */
	uint64_t accepted;
	uint64_t bytes_in, bytes_out;	/* without those of TLS */
	uint64_t conns_over, addr_over, handshakes_over;
	uint64_t mem_over;		/* refused for conf.mem_max */
	uint64_t accept_paused;		/* times, for want of slots */
	uint64_t accept_starved;	/* times, for want of descriptors */
	uint64_t tls_failed, tls_late;
	uint64_t slow_readers;		/* cut off; of any kind */
	/* HTTP */
	uint64_t requests, requests_over;
	uint64_t bad_requests;
	uint64_t head_large, head_late, body_large, body_late;
	uint64_t answer_late, idle_closed;
	uint64_t spooled;		/* bytes in files; now */
	uint64_t spool_over, spool_failed;
	uint64_t redirects;
	/* WebSocket */
	uint64_t websockets;		/* of edge_upgrade; now */
	uint64_t ws_messages;		/* that came on them */
	uint64_t ws_idle;		/* ended for conf.ws_idle_ms */
	uint64_t bad_frames;		/* of any kind */
	uint64_t message_large;		/* likewise; bodies of polling, too */
	uint64_t deflates, deflates_over;	/* now; not negotiated */
	/* Engine.IO */
	uint64_t sessions;		/* now */
	uint64_t bad_handshakes;	/* of edge_upgrade, too */
	uint64_t bad_packets;		/* of Socket.IO, too */
	uint64_t ping_late;
	uint64_t polls;			/* sessions over polling; now */
	uint64_t polls_over, addr_polls_over;
	uint64_t polls_dropped;		/* a pending GET was, or overlapped */
	uint64_t upgrades, upgrades_late, upgrades_bad;
	uint64_t forwards, forwards_over, moves;	/* to other reactors */
	/* Socket.IO */
	uint64_t sockets, nsps, rooms, members, asks;	/* now */
	uint64_t socks_over, nsps_over, rooms_over, asks_over;
	uint64_t events_in, acks_out, emits;
	uint64_t connect_late, asks_late;
	uint64_t volatile_dropped;
	uint64_t binary_over, binary_late;
	uint64_t links_over;
	uint64_t recovered;		/* sockets that came back */
	uint64_t kept_socks, kept_events, kept_bytes;	/* now */
	uint64_t kept_over;
};

void edge_conf_default(struct edge_conf *c);
/* c and its lists are copied; app stays the caller's. ERR_NOMEM, ERR_ARG. */
MUST_USE enum err edge_open(struct reactor *r, const struct edge_conf *c,
    const struct edge_app *app, struct edge **out);
/*
 * Takes over from c, for what begins from now on: the limits and times of
 * connections (but conns_max) and of HTTP (but spool_dir and proxies), and of
 * Engine.IO message_max, join_max, out_max, held_max, deflates_max,
 * eio_deflate, addr_polls_max, linger_ms, upgrade_ms; connect_ms. The rest
 * stays as it was at edge_open: memory was laid out for it, or clients were
 * told. addr_conns_max and addr_polls_max stay 0 when they were; another one
 * that becomes 0 limits nothing from then on. ERR_ARG: nothing has changed.
 */
MUST_USE enum err edge_set_conf(struct edge *e, const struct edge_conf *c);
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
/*
 * Listens without TLS and answers every request by 308: to the same target on
 * the host that was asked for, by https on `port` (0: 443). names: the hosts
 * that are ours; asked for another one, the first is meant. Without names any
 * host is sent back that is a plain name or an address. One set of names and
 * one port for all such listeners of an edge. ERR_ARG: a name that is none,
 * or too many; errors as listener_open.
 */
struct edge_redirect {
	uint16_t port;
	const struct span *names;
	size_t names_n;
};
MUST_USE enum err edge_listen_redirect(struct edge *e,
    const struct sys_addr *a, const struct edge_redirect *r,
    uint16_t *port_out);
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
