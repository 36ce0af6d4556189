/*
 * timer.h: timers in milliseconds on a hierarchical wheel: six levels of 64
 * slots, so starting and cancelling cost the same however many run. Timers
 * are intrusive (32 bytes) and one-shot. A wheel belongs to one thread; each
 * reactor has one (reactor_wheel).
 */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include "base/bytes.h"
#include "base/list.h"

#define TIMER_LEVELS 6
#define TIMER_SLOTS 64

struct timer;
typedef void (*timer_fn)(struct timer *t);

/* A zeroed timer is not running. */
struct timer {
	struct list link;
	uint64_t at_ms;
	timer_fn fn;
};

struct timer_wheel {
	uint64_t now_ms;			/* all up to this have fired */
	uint64_t clock_ms;			/* what delays count from */
	uint64_t used[TIMER_LEVELS];		/* bit: slot may be in use */
	struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms);
/* Delays count from now_ms on, though what is due has not been run yet. */
void timer_wheel_clock(struct timer_wheel *w, uint64_t now_ms);
/* Runs what is due up to now_ms, in order of time. */
void timer_wheel_run(struct timer_wheel *w, uint64_t now_ms);
/*
 * Milliseconds from the wheel's time to when it has to be run next (at the
 * latest: it may be earlier than the first timer); UINT64_MAX when idle.
 */
uint64_t timer_wheel_next(struct timer_wheel *w);

/*
 * Calls fn(t) once, delay_ms (at least 1) from the wheel's clock on. A timer
 * that runs already is moved. More than about two years is cut to that.
 */
void timer_start(struct timer_wheel *w, struct timer *t, uint64_t delay_ms,
    timer_fn fn);
/* Not running any more; does nothing when it was not. */
void timer_cancel(struct timer *t);

static inline bool
timer_is_running(const struct timer *t)
{
	return list_is_in(&t->link);
}

#endif
