/*
 * reactor.c: the event loop of one thread; see reactor.h for the tick.
 *
 * Implementation notes. A descriptor that goes away while events of the same
 * wait are still to be run is struck from them (strike), so that on_ready is
 * never called on something that is over. Stopping is a mail like any other.
 */
#include <assert.h>

#include "base/sys.h"
#include "net/reactor.h"
#include "net/record.h"

/* How many spare pieces a reactor keeps: bounds idle memory, not use. */
#define KEEP_REFS 16384
#define KEEP_CHUNKS 64

_Static_assert(IO_READ == SYS_READ && IO_WRITE == SYS_WRITE &&
    IO_HUP == SYS_HUP && IO_END == SYS_END, "handed on as they are");

struct reactor {
	struct mailbox box;
	struct timer_wheel wheel;
	struct list flushes;
	struct pool refs, chunks;
	struct reactor_stats stats;
	struct record_engine *records;
	struct io wake;
	int poll_fd;
	unsigned index;
	bool stopped;
	uint64_t now_ms, unix_ms;
	size_t events_at, events_n;	/* of the wait being worked off */
	struct sys_event events[SYS_EVENTS_MAX];
	atomic_bool stop_posted;
	struct mail stop;
	_Alignas(64) uint8_t buf[REACTOR_BUF];
};

/* Which reactor this thread runs: what every assertion of ownership asks. */
static _Thread_local struct reactor *self;

static void
read_clocks(struct reactor *r)
{
	r->now_ms = sys_mono_us() / 1000;
	r->unix_ms = sys_unix_ms();
}

static void
on_wake(struct io *io, unsigned ready)
{
	(void)ready;
	sys_wake_clear(io->fd);
}

enum err
reactor_open(unsigned index, struct reactor **out)
{
	struct reactor *r = calloc(1, sizeof *r);
	enum err e;

	if (r == NULL)
		return ERR_NOMEM;
	sys_ignore_sigpipe();
	r->index = index;
	r->poll_fd = -1;
	r->box.fd = -1;
	if ((e = mailbox_open(&r->box)) != OK ||
	    (e = sys_poll_open(&r->poll_fd)) != OK)
		goto out;
	r->wake = (struct io){ r->box.fd, on_wake };
	if ((e = reactor_watch_level(r, &r->wake)) != OK)
		goto out;
	read_clocks(r);
	timer_wheel_init(&r->wheel, r->now_ms);
	list_init(&r->flushes);
	pool_init(&r->refs, REACTOR_REF_BYTES, KEEP_REFS);
	pool_init(&r->chunks, REACTOR_CHUNK_BYTES, KEEP_CHUNKS);
	*out = r;
	return OK;
out:
	sys_close(r->poll_fd);
	mailbox_close(&r->box);
	free(r);
	return e;
}

void
reactor_close(struct reactor *r)
{
	if (r == NULL)
		return;
	if (self == r)
		self = NULL;
	record_engine_free(r->records);
	pool_fini(&r->refs);
	pool_fini(&r->chunks);
	sys_close(r->poll_fd);
	mailbox_close(&r->box);
	free(r);
}

struct reactor *
reactor_self(void)
{
	return self;
}

void
reactor_adopt(struct reactor *r)
{
	self = r;
}

unsigned
reactor_index(const struct reactor *r)
{
	return r->index;
}

/* How long this tick may wait. */
static int
wait_ms(struct reactor *r, uint64_t max_wait_ms)
{
	uint64_t next = timer_wheel_next(&r->wheel);
	uint64_t late = sys_mono_us() / 1000 - r->wheel.now_ms;

	if (!list_is_empty(&r->flushes))
		return 0;
	next = next == UINT64_MAX ? next : next > late ? next - late : 0;
	if (next > max_wait_ms)
		next = max_wait_ms;
	if (max_wait_ms == UINT64_MAX && next == UINT64_MAX)
		return -1;
	return next > 60000 ? 60000 : (int)next;
}

static void
run_events(struct reactor *r, int timeout_ms)
{
	if (timeout_ms != 0 && !mailbox_sleep(&r->box))
		timeout_ms = 0;
	r->events_n = sys_poll_wait(r->poll_fd, r->events, timeout_ms);
	mailbox_awake(&r->box);
	read_clocks(r);
	/* Timers that events start count from now, not from before the wait. */
	timer_wheel_clock(&r->wheel, r->now_ms);
	r->stats.events += r->events_n;
	for (r->events_at = 0; r->events_at < r->events_n; r->events_at++) {
		const struct sys_event *ev = &r->events[r->events_at];
		struct io *io = ev->ptr;

		if (io != NULL)
			io->on_ready(io, ev->ready);
	}
	r->events_n = 0;
}

static void
run_mail(struct reactor *r)
{
	struct mail *m = mailbox_take(&r->box);

	while (m != NULL) {
		struct mail *next = m->next;

		r->stats.mails++;
		m->run(r, m);
		m = next;
	}
}

/*
 * Each flush once. What is asked for while they run (flushing one stream may
 * end it, and its owner write to others) waits for the next tick, which does
 * not wait then: so this ends.
 */
static void
run_flushes(struct reactor *r)
{
	struct list now;
	struct list *l;

	list_init(&now);
	while ((l = list_pop(&r->flushes)) != NULL)
		list_push(&now, l);
	while ((l = list_pop(&now)) != NULL) {
		struct flush *f = LIST_ITEM(l, struct flush, link);

		r->stats.flushes++;
		f->run(f);
	}
}

void
reactor_tick(struct reactor *r, uint64_t max_wait_ms)
{
	assert(self == r);
	r->stats.ticks++;
	run_events(r, wait_ms(r, max_wait_ms));
	run_mail(r);
	/* Last, so that what came in time but was not read yet still counts. */
	timer_wheel_run(&r->wheel, r->now_ms);
	run_flushes(r);
}

void
reactor_run(struct reactor *r)
{
	self = r;
	while (!r->stopped)
		reactor_tick(r, UINT64_MAX);
	r->stopped = false;
}

static void
on_stop(struct reactor *r, struct mail *m)
{
	(void)m;
	atomic_store(&r->stop_posted, false);
	r->stopped = true;
}

void
reactor_stop(struct reactor *r)
{
	/* The mail may be in the mailbox but once. */
	if (atomic_exchange(&r->stop_posted, true))
		return;
	r->stop.run = on_stop;
	mailbox_post(&r->box, &r->stop);
}

enum err
reactor_watch(struct reactor *r, struct io *io)
{
	return sys_poll_add(r->poll_fd, io->fd, true, io);
}

enum err
reactor_watch_level(struct reactor *r, struct io *io)
{
	return sys_poll_add(r->poll_fd, io->fd, false, io);
}

void
reactor_unwatch(struct reactor *r, struct io *io)
{
	sys_poll_remove(r->poll_fd, io->fd);
	for (size_t i = r->events_at; i < r->events_n; i++) {
		if (r->events[i].ptr == io)
			r->events[i].ptr = NULL;
	}
}

void
reactor_post(struct reactor *r, struct mail *m)
{
	mailbox_post(&r->box, m);
}

void
reactor_flush(struct reactor *r, struct flush *f)
{
	assert(f->run != NULL);
	if (!list_is_in(&f->link))
		list_push(&r->flushes, &f->link);
}

void
reactor_flush_cancel(struct flush *f)
{
	list_remove(&f->link);
}

struct timer_wheel *
reactor_wheel(struct reactor *r)
{
	return &r->wheel;
}

uint64_t
reactor_now_ms(const struct reactor *r)
{
	return r->now_ms;
}

uint64_t
reactor_unix_ms(const struct reactor *r)
{
	return r->unix_ms;
}

uint8_t *
reactor_buf(struct reactor *r)
{
	return r->buf;
}

struct pool *
reactor_pool_refs(struct reactor *r)
{
	return &r->refs;
}

struct pool *
reactor_pool_chunks(struct reactor *r)
{
	return &r->chunks;
}

struct record_engine *
reactor_records(struct reactor *r)
{
	if (r->records == NULL && record_engine_new(&r->records) != OK)
		return NULL;
	return r->records;
}

const struct reactor_stats *
reactor_stats(const struct reactor *r)
{
	return &r->stats;
}
