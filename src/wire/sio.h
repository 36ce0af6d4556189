/*
 * sio.h: Socket.IO protocol 5, both roles, as socket.io-parser 4 reads it:
 * packets inside Engine.IO messages. A binary event is a text packet that
 * announces n attachments, then n binary messages; which placeholder stands
 * for which is inside its JSON.
 * Freestanding, no state, any thread.
 * Source: Socket.IO protocol, revision 5.
 */
#ifndef WIRE_SIO_H
#define WIRE_SIO_H

#include "base/arena.h"
#include "base/bytes.h"

#define SIO_ATTACHMENTS_MAX 1000
#define SIO_NAMESPACE_MAX 512
#define SIO_ACK_MAX ((1ULL << 53) - 1)
#define SIO_BINARY_DEPTH_MAX 256	/* nesting in what has attachments */

enum sio_type {
	SIO_CONNECT, SIO_DISCONNECT, SIO_EVENT, SIO_ACK, SIO_CONNECT_ERROR,
	SIO_BINARY_EVENT, SIO_BINARY_ACK
};

struct sio_packet {
	enum sio_type type;
	uint32_t attachments;	/* of the binary types */
	struct span nsp;	/* namespace: "/", or "/name" as it was sent */
	bool has_id;
	uint64_t id;		/* of the acknowledgement */
	struct span data;	/* JSON text, checked; empty: none */
	bool has_data;
	/* events */
	struct span event;	/* first argument: its characters or digits */
	struct span args;	/* "a,b,c": the others' JSON; empty: none */
};

/*
 * sio_decode(msg, a, out): the data of an EIO_MESSAGE (text).
 * Refused (ERR_FORMAT): unknown type, attachments that are no number, bad
 * JSON, and payloads that do not fit: CONNECT with other than an object (or
 * none), DISCONNECT with any, CONNECT_ERROR other than string or object,
 * EVENT other than an array with a string or number first, reserved event
 * names, ACK other than an array.  ERR_TOO_LARGE: arena (decoded name).
 * As socket.io-parser has it, EVENT and ACK may lack their data, and ACK its
 * id (has_data, has_id): nobody waits for those.
 */
MUST_USE enum err sio_decode(struct span msg, struct arena *a,
    struct sio_packet *out);
/* Is the name one that clients may not emit (connect, disconnect, ...)? */
bool sio_is_reserved(struct span event);
/*
 * Takes the next argument of args (each as JSON text). False at the end. The
 * text has to be checked already (as from sio_decode).
 */
bool sio_arg(struct span *args, struct span *arg_out);
/* Arguments of an ack: its data without the brackets. */
struct span sio_ack_args(const struct sio_packet *p);
/*
 * Are all placeholders {"_placeholder":true,"num":k} in the data whole, with
 * k < attachments? ERR_FORMAT.  ERR_TOO_LARGE: arena (escaped names).
 * n_out: how many there are.
 */
MUST_USE enum err sio_check_placeholders(struct span data,
    uint32_t attachments, struct arena *a, uint32_t *n_out);

/* ------------------------------------------------------------- writing -- */

/*
 * Each writes the Engine.IO message packet (leading '4'), ready for a
 * WebSocket text message or eio_put's data behind its first byte. nsp "/" or
 * empty is left out. JSON arguments are taken as they are.
 */
/* 40{"sid":"..."} or 40/ns,{...}; json empty: none. */
void sio_put_connect(struct wr *w, struct span nsp, struct span json);
/* 44{"message":"...","data":...}; data empty: none. */
void sio_put_connect_error(struct wr *w, struct span nsp, struct span message,
    struct span data);
/* 41 */
void sio_put_disconnect(struct wr *w, struct span nsp);
/*
 * 42["name",args] with args as "a,b" or empty; id SIO_NO_ID: no answer asked.
 * attachments > 0: 45n-...
 */
#define SIO_NO_ID UINT64_MAX
void sio_put_event(struct wr *w, struct span nsp, uint64_t id,
    uint32_t attachments, struct span name, struct span args);
/* 43id[args] */
void sio_put_ack(struct wr *w, struct span nsp, uint64_t id,
    uint32_t attachments, struct span args);

/*
 * An event or acknowledgement as whole server WebSocket frames (unmasked): a
 * text frame, then a binary frame for each part; for blobs that many
 * connections share.
 */
struct sio_frames {
	struct span nsp;
	bool is_ack;
	uint64_t id;			/* events: SIO_NO_ID: none asked for */
	struct span name;		/* of an event; unescaped */
	struct span args;		/* JSON texts "a,b", or empty */
	struct span last;		/* one more JSON text, or empty */
	const struct span *parts;	/* attachments */
	uint32_t parts_n;
};
/* Their length, and their bytes into out[that length]. */
size_t sio_frames_len(const struct sio_frames *f);
void sio_frames_put(uint8_t *out, const struct sio_frames *f);

#endif
