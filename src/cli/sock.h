/*
 * sock.h: the Socket.IO connection (Engine.IO 4 over WebSocket) of a client:
 * handshake with the token, heartbeat, events and acknowledgements. It ends
 * with exactly one on_down for each sock_open; nothing reconnects by itself
 * (when to is src/client's decision).
 */
#ifndef CLI_SOCK_H
#define CLI_SOCK_H

#include "cli/dial.h"
#include "wire/http.h"
#include "wire/ws.h"

#define SOCK_MESSAGE_MAX ((uint32_t)8 << 20)
#define SOCK_HANDSHAKE_MS 15000u	/* from connected to authenticated */

struct sock;

/* ctx is that of sock_init. */
struct sock_ops {
	/* The namespace is connected. */
	void (*on_up)(void *ctx);
	void (*on_event)(void *ctx, struct span name, struct span json);
	void (*on_ack)(void *ctx, uint32_t id, struct span json);
	/* code: of the server's refusal ("invalid_token"), or empty. */
	void (*on_down)(void *ctx, struct span code, enum dial_end why);
};

enum sock_state {
	SOCK_IDLE, SOCK_DIALING, SOCK_UPGRADING, SOCK_OPENING,
	SOCK_CONNECTING, SOCK_UP
};

struct sock {
	struct dial dial;
	const struct sock_ops *ops;
	void *ctx;
	const struct provider *pv;
	enum sock_state state;
	bool again;		/* open as soon as the old one is gone */
	bool ending;		/* told of its end already, or told to end */
	struct http_in http;
	struct http_limits limits;
	struct http_msg msg;
	uint8_t key[WS_KEY_LEN];
	struct ws ws;
	struct buf message;	/* pieces of a message */
	struct buf auth;	/* JSON of the CONNECT packet */
	struct buf out;
	struct timer watch;	/* silence for too long */
	uint64_t silence_ms;
	char code[64];
};

struct provider;

void sock_init(struct sock *s, struct reactor *r, struct where *w,
    const struct provider *pv, const struct sock_ops *ops, void *ctx);
void sock_fini(struct sock *s);
/*
 * Connects, in place of a connection that there may be (which ends without
 * on_down). after: position to go on from; has_after false: none.
 */
MUST_USE enum err sock_open(struct sock *s, struct span token, bool has_after,
    uint64_t after);
/* Emits an event with one argument. ack 0: none wanted. Dropped when down. */
void sock_emit(struct sock *s, struct span name, struct span json,
    uint32_t ack);
/* No on_down follows. */
void sock_close(struct sock *s);

#endif
