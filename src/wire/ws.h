/*
 * ws.h: WebSocket (RFC 6455), both roles: handshake, frame reader, frame
 * writer. The reader unmasks in place and hands out pieces of the caller's
 * input buffer, so a message that came in one read costs no copy. Bytes that
 * it does not take (a cut frame head, a cut control frame: at most
 * WS_KEEP_MAX) have to come again with more behind them. However the input is
 * split, the joined pieces and the events are the same.
 * Freestanding; SHA-1 is handed in. Any thread.
 *
 *	while ((ev = ws_next(&w, in, n, &used, &m)) != WS_MORE) {
 *		in += used ...; handle; stop at WS_BAD
 *	}
 * WS_BAD: send a close frame with w.bad_code, then close the connection.
 */
#ifndef WIRE_WS_H
#define WIRE_WS_H

#include "base/bytes.h"
#include "base/text.h"

struct http_msg;

#define WS_HEAD_MAX 14
#define WS_CONTROL_MAX 125
#define WS_KEEP_MAX (WS_HEAD_MAX + WS_CONTROL_MAX)
#define WS_KEY_LEN 24		/* Sec-WebSocket-Key */
#define WS_ACCEPT_LEN 28	/* Sec-WebSocket-Accept */

enum ws_role { WS_SERVER, WS_CLIENT };

enum ws_op {
	WS_OP_CONT = 0, WS_OP_TEXT = 1, WS_OP_BINARY = 2, WS_OP_CLOSE = 8,
	WS_OP_PING = 9, WS_OP_PONG = 10
};

/* Close codes (RFC 6455 7.4.1). */
enum ws_code {
	WS_CODE_NORMAL = 1000, WS_CODE_AWAY = 1001, WS_CODE_PROTOCOL = 1002,
	WS_CODE_TYPE = 1003, WS_CODE_NONE = 1005, WS_CODE_LOST = 1006,
	WS_CODE_DATA = 1007,
	WS_CODE_POLICY = 1008, WS_CODE_TOO_BIG = 1009,
	WS_CODE_INTERNAL = 1011, WS_CODE_RESTART = 1012,
	WS_CODE_LATER = 1013
};

enum ws_ev {
	WS_MORE,	/* needs more bytes */
	WS_DATA,	/* a piece of a text or binary message */
	WS_PING, WS_PONG, WS_CLOSE,
	WS_BAD		/* the connection is lost: bad_code, bad_why */
};

struct ws_msg {
	struct span data;	/* piece, or payload of a control frame */
	enum ws_op op;		/* WS_DATA: TEXT or BINARY, of the message */
	bool first, last;	/* WS_DATA: begins, ends the message */
	bool compressed;	/* WS_DATA: RSV1 was set (and allowed) */
	uint16_t code;		/* WS_CLOSE: its code, WS_CODE_NONE without */
};

/* The reader: 56 bytes a connection. */
struct ws {
	uint64_t left;		/* bytes of the present frame to come */
	uint64_t total;		/* bytes of the present message so far */
	uint32_t message_max;
	uint32_t mask;		/* rotated to the next byte; memory order */
	struct utf8 utf8;
	uint16_t bad_code;
	uint8_t role;
	uint8_t op;		/* of the open message; 0: none */
	bool in_frame, fin, masked;
	bool first;		/* nothing of the message was handed out yet */
	bool deflate;		/* RSV1 allowed: RFC 7692 was negotiated */
	bool compressed;	/* the open message has RSV1 */
	bool closed;		/* a close frame was read: nothing follows */
	bool heard;		/* bytes came; the owner may clear it */
	uint16_t peer_code;	/* its code; WS_CODE_LOST: none was read */
	const char *bad_why;
};

/*
 * message_max 0: 2^32 - 1. A compressed message may be an eighth and 256 bytes
 * longer, as deflate may make it so; inflated, it is the caller's to limit.
 */
void ws_init(struct ws *w, enum ws_role role, uint32_t message_max);
/*
 * The next event in in[n], which is unmasked in place. *used: bytes taken.
 * Text is checked as UTF-8 (not when compressed: then by the caller).
 */
enum ws_ev ws_next(struct ws *w, uint8_t *in, size_t n, size_t *used,
    struct ws_msg *msg);

/*
 * A frame's head in its minimal form; the number of bytes. mask NULL: a
 * server's. rsv1: compressed message.
 */
size_t ws_head(uint8_t out[static WS_HEAD_MAX], enum ws_op op, bool fin,
    bool rsv1, uint64_t n, const uint8_t *mask);
/* Bytes that ws_head writes. */
size_t ws_head_len(uint64_t n, bool masked);
/* XORs p[n] with the mask, whose first byte belongs to offset `from`. */
void ws_mask(uint8_t *p, size_t n, const uint8_t mask[static 4], size_t from);
/* A whole frame; mask (4 random bytes) for clients, NULL for servers. */
void ws_put(struct wr *w, enum ws_op op, struct span data,
    const uint8_t *mask);
/* A close frame; code 0: without code. The reason is cut to 123 bytes. */
void ws_put_close(struct wr *w, uint16_t code, const char *reason,
    const uint8_t *mask);
/* May that code stand in a close frame (RFC 6455 7.4)? */
bool ws_code_ok(uint16_t code);

/* SHA-1 of the host (RFC 6455 4.2.2 needs it, for no security). */
typedef enum err (*ws_sha1_fn)(struct span in, uint8_t out[20]);

/*
 * Server: is this request a WebSocket handshake (RFC 6455 4.2.1)? ERR_FORMAT:
 * no or malformed (answer 400, or as ws_refusal says, with
 * "Sec-WebSocket-Version: 13").
 */
MUST_USE enum err ws_check_request(const struct http_msg *m,
    struct span *key_out);
/*
 * The status that refuses it: 426 (Upgrade Required) where no WebSocket or
 * another version was asked for (RFC 6455 4.2.2, item 4; RFC 9110 15.5.22:
 * with "Upgrade: websocket"), else 400.
 */
int ws_refusal(const struct http_msg *m);
/* Sec-WebSocket-Accept of a key. ERR_PROVIDER: from sha1. */
MUST_USE enum err ws_accept(ws_sha1_fn sha1, struct span key,
    uint8_t out[static WS_ACCEPT_LEN]);
/* Server: the 101 answer up to the last field (http_put_end follows). */
void ws_put_answer(struct wr *w, const uint8_t accept[static WS_ACCEPT_LEN],
    struct span protocol);
/* Client: the request up to the last field. random: 16 bytes -> key_out. */
void ws_put_request(struct wr *w, struct span target, struct span host,
    const uint8_t random[static 16], uint8_t key_out[static WS_KEY_LEN]);
/* Client: does the answer accept that key (RFC 6455 4.1)? ERR_FORMAT. */
MUST_USE enum err ws_check_answer(const struct http_msg *m, ws_sha1_fn sha1,
    const uint8_t key[static WS_KEY_LEN]);

#endif
