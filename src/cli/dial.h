/*
 * dial.h: one connection to the server, with what a client adds to a stream:
 * every address is tried, connecting has a limit, bytes that were not taken
 * are kept. on_close comes exactly once for each dial_start, never from
 * within it. Lives on the reactor of the process.
 */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

#include "cli/where.h"
#include "net/stream.h"

#define DIAL_CONNECT_MS 10000u	/* for each address, handshake included */
#define DIAL_IN_MAX ((size_t)12 << 20)
#define DIAL_OUT_MAX ((uint32_t)8 << 20)

struct dial;

enum dial_end {
	DIAL_UNREACHED,		/* no address answered */
	DIAL_UNTRUSTED,		/* where->seen, where->why */
	DIAL_TLS,		/* another failure of TLS */
	DIAL_LOST,		/* it stood, and the other side ended it */
	DIAL_CLOSED		/* by dial_close */
};

struct dial_ops {
	void (*on_open)(struct dial *d);
	/* Bytes so far; returns how many it took from the front. */
	size_t (*on_data)(struct dial *d, uint8_t *p, size_t n);
	void (*on_close)(struct dial *d, enum dial_end why);
};

struct dial {
	struct stream stream;
	struct reactor *reactor;
	struct where *where;
	const struct dial_ops *ops;
	struct timer limit;	/* of connecting */
	size_t tried;		/* addresses */
	bool running;		/* on_close is still to come */
	bool live;		/* the stream is in use */
	bool open;
	bool closing;		/* by dial_close */
	bool late;		/* the limit passed */
	struct buf in;
};

void dial_init(struct dial *d, struct reactor *r, struct where *w,
    const struct dial_ops *ops);
void dial_fini(struct dial *d);
/* Not while it is running. */
void dial_start(struct dial *d);
/* Bytes to send, from on_open on. ERR_BUSY: too many wait. ERR_UNAVAILABLE. */
MUST_USE enum err dial_write(struct dial *d, struct span bytes);
/* on_close(DIAL_CLOSED) follows at the end of the tick, if it runs. */
void dial_close(struct dial *d);

#endif
