/*
 * stream.h: one byte stream over TCP, plain or TLS, as server or client, on
 * one reactor. Reads land in the reactor's shared buffer: an idle stream owns
 * no buffer. Writes queue (bounded) and go out once, at the end of the tick,
 * gathered. Every stream ends with exactly one on_close, from the end of a
 * tick, whoever ended it; from then on its memory is the owner's again.
 *
 *	struct my { struct stream s; ... };
 *	static const struct stream_ops ops = { .on_data = ..., .on_close = ... };
 *	TRY(stream_connect(&m->s, r, &addr, tls, "host", NULL, &ops, max));
 *	TRY(stream_write(&m->s, SPAN("GET / ...")));
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/blob.h"
#include "base/sys.h"
#include "net/reactor.h"
#include "net/tls.h"

struct stream;

enum stream_end {
	STREAM_CLOSED,	/* by stream_close or stream_finish of the owner */
	STREAM_EOF,	/* the peer ended it */
	STREAM_RESET,	/* broken, reset, no route, refused */
	STREAM_TLS,	/* the TLS handshake failed, or verify said no */
};

/* Any may be NULL but on_data and on_close. */
struct stream_ops {
	/* Connected, and the TLS handshake done. */
	void (*on_open)(struct stream *s);
	/*
	 * Bytes came in. They are gone when the call returns; all of them are
	 * the callee's. After stream_pause in it no further call comes.
	 */
	void (*on_data)(struct stream *s, struct span bytes);
	/*
	 * The peer ended its half: no on_data any more; writing still works.
	 * NULL: the stream closes (STREAM_EOF).
	 */
	void (*on_eof)(struct stream *s);
	/* Everything written has gone to the kernel. */
	void (*on_drained)(struct stream *s);
	/* Once. The stream's memory is free for other use. */
	void (*on_close)(struct stream *s, enum stream_end why);
};

/* One element of the write queue; see stream.c. */
struct stream_out;

/* Zeroed before its first use; about 100 bytes; fields are stream.c's. */
struct stream {
	struct io io;
	struct flush flush;
	struct reactor *reactor;
	const struct stream_ops *ops;
	struct tls_conn *tls;
	struct stream_out *first, *last;
	uint32_t out_bytes;	/* in the queue */
	uint32_t out_max;
	uint32_t written;	/* bytes handed to the kernel, modulo 2^32 */
	uint8_t state;
	uint8_t flags;
	uint8_t end;		/* enum stream_end once closing */
};

/*
 * Takes an accepted descriptor (closed on failure too). tls NULL: plain.
 * out_max: bytes that may wait to be written. ERR_NOMEM, ERR_LIMIT.
 */
MUST_USE enum err stream_accept(struct stream *s, struct reactor *r, int fd,
    struct tls_ctx *tls, const struct stream_ops *ops, uint32_t out_max);
/*
 * Begins to connect. host: for TLS; verify_arg: for the context's verify.
 * What is written before on_open waits. Failing to connect is on_close
 * (STREAM_RESET or STREAM_TLS).
 */
MUST_USE enum err stream_connect(struct stream *s, struct reactor *r,
    const struct sys_addr *to, struct tls_ctx *tls, const char *host,
    void *verify_arg, const struct stream_ops *ops, uint32_t out_max);

/*
 * Queues a copy. ERR_BUSY: the queue would pass out_max, nothing was taken.
 * ERR_NOMEM. On an ended stream the bytes are dropped and OK returned.
 */
MUST_USE enum err stream_write(struct stream *s, struct span bytes);
/* Queues a blob by reference (takes one of its own). Errors as above. */
MUST_USE enum err stream_write_blob(struct stream *s, struct blob *b);
/* Of it only the n bytes from `at` on, which it has. */
MUST_USE enum err stream_write_part(struct stream *s, struct blob *b,
    uint32_t at, uint32_t n);
/*
 * Queues n bytes of a file from `at` on, which it has. The descriptor is the
 * stream's from now on, on failure too: it closes it. By sendfile on plain
 * connections and where the kernel encrypts (kTLS), else in pieces of 16 KiB.
 * A file that is not any more what f->id says (written to, cut) ends the
 * stream, STREAM_RESET: half an answer instead of a wrong one. Who replaces a
 * file by renaming another over it changes nothing of what is on its way.
 * In the queue it counts as STREAM_FILE_WEIGHT bytes, whatever its length.
 * Errors as above.
 */
#define STREAM_FILE_WEIGHT 65537
MUST_USE enum err stream_write_file(struct stream *s,
    const struct sys_file *f, uint64_t at, uint64_t n);
/*
 * Queues another piece of the file that was queued last, in the same tick, by
 * the same descriptor. ERR_CONFLICT: there is none in the queue. Others as
 * above.
 */
MUST_USE enum err stream_write_same_file(struct stream *s, uint64_t at,
    uint64_t n);
/*
 * Bytes that the peer's machine has taken in all, of those written since the
 * stream began, modulo 2^32: does a slow reader still read?
 */
uint32_t stream_progress(const struct stream *s);

/* Another out_max from now on; what waits already may be more. */
void stream_set_max(struct stream *s, uint32_t out_max);

/* No on_data until stream_resume: back-pressure to the peer. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
/*
 * Writes what is queued, then ends the writing half; what still comes in is
 * thrown away until the peer ends too, so that it can read our last words
 * (closing with unread bytes would reset the connection). The owner bounds
 * the wait with a timer that calls stream_close. on_close: STREAM_CLOSED.
 */
void stream_finish(struct stream *s);
/*
 * At once; the queue is dropped, and a peer over TLS is told that this is no
 * proper end. on_close follows at the end of the tick.
 */
void stream_close(struct stream *s);
bool stream_is_closing(const struct stream *s);	/* finish, close or ended */

/*
 * A stream on its way from one reactor to another: what it is made of, and
 * nothing that belongs to a thread. Zeroed, it is nothing.
 */
struct stream_parts {
	int fd;
	bool held;			/* there is something in here */
	struct tls_conn *tls;
	struct stream_out *first, *last;	/* what waits to be written */
	uint32_t out_bytes, refs_n, chunks_n;
};

/*
 * Takes an open stream apart. On OK it is over for its owner without an
 * on_close, and its memory is the owner's again as soon as the callback of
 * the stream that this is called from (if any) has returned; until then it
 * may not be used again, so the new owner adopts into a stream of its own.
 * Bytes that on_data had given stay the caller's. Pausing is not kept.
 * ERR_CONFLICT: not open (connecting, in the handshake, closing, ended);
 * nothing has changed.
 */
MUST_USE enum err stream_release(struct stream *s,
    struct stream_parts *parts_out);
/*
 * Puts it together again as s (as zeroed or ended as for stream_accept), on
 * r's thread. There is no on_open. What waits, in the kernel or inside TLS,
 * comes by on_data from the next tick on; an end of the peer that was told
 * before is told again. The parts are empty afterwards, on failure too: then
 * the connection is closed. out_max: as in stream_accept; what was queued
 * already may pass it. ERR_NOMEM, ERR_LIMIT.
 */
MUST_USE enum err stream_adopt(struct stream *s, struct reactor *r,
    struct stream_parts *parts, const struct stream_ops *ops,
    uint32_t out_max);
/* Closes what nobody adopts, on the thread of r (any reactor). */
void stream_parts_close(struct reactor *r, struct stream_parts *parts);
/* Would stream_write take n bytes more? */
static inline bool
stream_fits(const struct stream *s, size_t n)
{
	return n <= s->out_max && s->out_bytes <= s->out_max - n;
}
static inline size_t
stream_waiting(const struct stream *s)	/* bytes not written yet; each
					   file: STREAM_FILE_WEIGHT */
{
	return s->out_bytes;
}

#endif
