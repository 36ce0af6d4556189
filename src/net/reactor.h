/*
 * reactor.h: one thread's event loop: descriptors, timers, mail. It shares
 * nothing with other reactors; all calls but reactor_post and reactor_stop
 * are for its own thread (before reactor_run: for the thread that opens it).
 *
 * A tick: wait, run what is ready, drain the mailbox, run due timers, then
 * each flush that was asked for, once. Nothing writes to a socket before that.
 */
#ifndef NET_REACTOR_H
#define NET_REACTOR_H

#include "base/bytes.h"
#include "base/list.h"
#include "net/mailbox.h"
#include "net/pool.h"
#include "net/timer.h"

struct reactor;

#define IO_READ  1u	/* there is something to read, or the end of it */
#define IO_WRITE 2u	/* there is room to write again */
#define IO_HUP   4u	/* error, or closed both ways */
#define IO_END   8u	/* the peer ended its half; comes with IO_READ */

/* A watched descriptor, inside what owns it. */
struct io {
	int fd;
	void (*on_ready)(struct io *io, unsigned ready);
};

/* Work for the end of the tick, inside what owns it. Zeroed: not asked for. */
struct flush {
	struct list link;
	void (*run)(struct flush *f);
};

/* Bytes of the buffer that all reads of a reactor land in. */
#define REACTOR_BUF 65536

/* index: 0.. among the process's reactors, for the caller's use. */
MUST_USE enum err reactor_open(unsigned index, struct reactor **out);
/* After reactor_run ended and its thread is gone. Mail still there is lost. */
void reactor_close(struct reactor *r);
/* Makes this thread the reactor's and runs until reactor_stop. */
void reactor_run(struct reactor *r);
/* One tick that waits at most max_wait_ms (0: not at all); for tests, CLI. */
void reactor_tick(struct reactor *r, uint64_t max_wait_ms);
/* From any thread: reactor_run returns after its present tick. */
void reactor_stop(struct reactor *r);
/* The reactor that this thread runs (or ran last), or NULL. */
struct reactor *reactor_self(void);
/* Makes r this thread's, where reactor_tick is used without reactor_run. */
void reactor_adopt(struct reactor *r);
unsigned reactor_index(const struct reactor *r);

/*
 * Edge-triggered, both ways: on_ready is called when the state changes, so
 * its owner reads and writes until SYS_AGAIN. The first call comes in the
 * next tick. ERR_LIMIT, ERR_NOMEM.
 */
MUST_USE enum err reactor_watch(struct reactor *r, struct io *io);
/* Level-triggered, reading only (listeners). */
MUST_USE enum err reactor_watch_level(struct reactor *r, struct io *io);
/* Before the descriptor is closed. on_ready is not called any more. */
void reactor_unwatch(struct reactor *r, struct io *io);

/* From any thread, its own too: m->run(r, m) on r, in a tick to come. */
void reactor_post(struct reactor *r, struct mail *m);
/* f->run(f) at the end of this tick; asking twice is asking once. */
void reactor_flush(struct reactor *r, struct flush *f);
void reactor_flush_cancel(struct flush *f);

/* Timers of this reactor: timer_start(reactor_wheel(r), t, ms, fn). */
struct timer_wheel *reactor_wheel(struct reactor *r);
/* Clocks read once a tick: monotonic and Unix milliseconds. */
uint64_t reactor_now_ms(const struct reactor *r);
uint64_t reactor_unix_ms(const struct reactor *r);
/* The shared buffer, REACTOR_BUF bytes: good until the caller returns. */
uint8_t *reactor_buf(struct reactor *r);
/* Pools that streams of this reactor draw from (net/stream.c). */
struct pool *reactor_pool_refs(struct reactor *r);
struct pool *reactor_pool_chunks(struct reactor *r);
/* Bytes of a piece of each. */
#define REACTOR_REF_BYTES 40
#define REACTOR_CHUNK_BYTES 4096

/*
 * What TLS connections of this reactor seal and open records with; made when
 * first asked for. NULL: no memory.
 */
struct record_engine;
struct record_engine *reactor_records(struct reactor *r);

/* What it did, for metrics; readable by its own thread. */
struct reactor_stats {
	uint64_t ticks, events, mails, flushes;
};
const struct reactor_stats *reactor_stats(const struct reactor *r);

#endif
