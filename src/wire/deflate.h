/*
 * deflate.h: permessage-deflate (RFC 7692) for a server: which of a client's
 * offers is taken, and the two directions of its messages. Over zlib, which
 * gets its memory from the caller alone. Freestanding. A stream is on one
 * thread at a time.
 *
 * Memory (zlib's own): a reader takes about 7.5 KiB and its window, from the
 * first message that does not fit into one call on; a writer of b bits about
 * 6 KiB + 4 * 2^b for the window + 4 * 2^b for its tables: 38 KiB with 12
 * bits, 262 KiB with 15.
 */
#ifndef WIRE_DEFLATE_H
#define WIRE_DEFLATE_H

#include "base/bytes.h"

struct http_msg;

#define DEFLATE_BITS_MAX 15

/* What server and client have agreed on (RFC 7692 7.1). */
struct deflate_params {
	uint8_t server_bits;		/* window of what the server sends,
					   8..15 */
	uint8_t client_bits;		/* of what the client sends */
	bool server_no_takeover;	/* every message begins afresh */
	bool client_no_takeover;
	bool say_server_bits;		/* in the answer */
	bool say_client_bits;
};

/*
 * The first offer that can be taken. bits: our windows' greatest size, 9..15.
 * An offer with an unknown, doubled or invalid parameter is declined (7.1).
 * ERR_NOT_FOUND: none; the WebSocket goes without.
 * ERR_FORMAT: the header is malformed; refuse the handshake (RFC 6455 9.1).
 */
MUST_USE enum err deflate_choose(const struct http_msg *m, unsigned bits,
    struct deflate_params *out);
/* "Sec-WebSocket-Extensions: permessage-deflate...\r\n" */
void deflate_put_answer(struct wr *w, const struct deflate_params *p);

/* Where streams live. get(arg, n): n bytes or NULL; put(arg, p) gives back. */
struct deflate_mem {
	void *(*get)(void *arg, size_t n);
	void (*put)(void *arg, void *p);
	void *arg;
};

struct deflate_in;
struct deflate_out;

/* ---- What was received ---- */

/* bits: the sender's window. mem is kept by reference. ERR_NOMEM. */
MUST_USE enum err deflate_in_open(struct deflate_in **out,
    const struct deflate_mem *mem, unsigned bits);
void deflate_in_close(struct deflate_in *d);	/* NULL does nothing */
/*
 * Inflates some of a message (RFC 7692 7.2.2). Call again while *in is not
 * empty or the last call has filled `out`.
 *   in    in/out  what is left of this piece
 *   last  in      the message ends with it
 *   out   out     room; *n_out of it are filled
 * ERR_FORMAT: no DEFLATE data, or cut short; the stream is of no more use.
 * ERR_NOMEM.
 */
MUST_USE enum err deflate_in_read(struct deflate_in *d, struct span *in,
    bool last, uint8_t *out, size_t room, size_t *n_out);
/* Forgets the window, between two messages. */
void deflate_in_reset(struct deflate_in *d);

/* ---- What is sent ---- */

MUST_USE enum err deflate_out_open(struct deflate_out **out,
    const struct deflate_mem *mem, unsigned bits);
void deflate_out_close(struct deflate_out *d);
/* Bytes that a message of n may take. */
size_t deflate_out_bound(struct deflate_out *d, size_t n);
/*
 * A whole message's payload (RFC 7692 7.2.1); room: deflate_out_bound(n).
 * ERR_TOO_LARGE: not enough of it; the stream is of no more use.
 */
MUST_USE enum err deflate_out_write(struct deflate_out *d, struct span in,
    uint8_t *out, size_t room, size_t *n_out);
void deflate_out_reset(struct deflate_out *d);

#endif
