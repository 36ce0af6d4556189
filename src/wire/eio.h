/*
 * eio.h: Engine.IO protocol 4, both roles: packets, the open packet, the
 * payload of polling. Over WebSocket a text message is one packet (type digit
 * and data) and a binary message is one binary message packet without a type.
 * Freestanding, no state, any thread.
 * Source: Engine.IO protocol, revision 4.
 */
#ifndef WIRE_EIO_H
#define WIRE_EIO_H

#include "base/arena.h"
#include "base/bytes.h"

#define EIO_VERSION 4
#define EIO_SID_MAX 64		/* bytes */

enum eio_type {
	EIO_OPEN, EIO_CLOSE, EIO_PING, EIO_PONG, EIO_MESSAGE, EIO_UPGRADE,
	EIO_NOOP
};

struct eio_packet {
	enum eio_type type;
	bool binary;		/* EIO_MESSAGE only */
	struct span data;
};

/* One WebSocket message. ERR_FORMAT: empty text or an unknown type. */
MUST_USE enum err eio_decode(struct span msg, bool binary,
    struct eio_packet *out);
/*
 * The next packet of a polling body; *body steps behind it. Base64 of binary
 * packets is decoded into the arena. False: no more (*body is {NULL,0}), or
 * *err: ERR_FORMAT (empty body or packet, unknown type, bad base64),
 * ERR_TOO_LARGE (arena).
 */
bool eio_next(struct span *body, struct arena *a, struct eio_packet *out,
    enum err *err);
/* Appends one packet to a polling body (separator before all but the first). */
void eio_put(struct wr *w, const struct eio_packet *p);
/* Bytes that eio_put adds at most. */
size_t eio_len(const struct eio_packet *p);

struct eio_open {
	struct span sid;
	bool upgrade_websocket;
	uint32_t ping_interval_ms, ping_timeout_ms;
	uint32_t max_payload;
};

/* The open packet, type digit included: 0{"sid":...}. */
void eio_put_open(struct wr *w, const struct eio_open *o);
/* Client: the data of an open packet. ERR_FORMAT. */
MUST_USE enum err eio_decode_open(struct span data, struct arena *a,
    struct eio_open *out);

/* The error answers of the handshake: {"code":1,"message":"..."} */
enum eio_error {
	EIO_ERR_TRANSPORT, EIO_ERR_SID, EIO_ERR_METHOD, EIO_ERR_REQUEST,
	EIO_ERR_FORBIDDEN, EIO_ERR_VERSION
};
void eio_put_error(struct wr *w, enum eio_error e);

#endif
