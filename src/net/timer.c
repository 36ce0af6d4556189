/*
 * timer.c: the hierarchical wheel.
 *
 * Implementation notes. Level 0 has one slot a millisecond, level k one for
 * 64^k milliseconds. A timer lies on the lowest level whose span reaches it,
 * in the slot of its time's digit (base 64) on that level. When the time
 * enters a slot of a higher level, that slot's timers are placed anew and
 * fall to lower levels. `used` says which slots may hold something, so idle
 * time is skipped, not walked; a bit is cleared only when its slot is found
 * empty, as a cancelled timer does not know where it lay.
 */
#include <assert.h>

#include "net/timer.h"

#define BITS 6
#define MASK ((uint64_t)TIMER_SLOTS - 1)
#define FAR ((UINT64_C(1) << (BITS * TIMER_LEVELS)) - 1)

_Static_assert(TIMER_SLOTS == 1 << BITS, "a level is one base-64 digit");

void
timer_wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
	w->now_ms = w->clock_ms = now_ms;
	for (size_t l = 0; l < TIMER_LEVELS; l++) {
		w->used[l] = 0;
		for (size_t s = 0; s < TIMER_SLOTS; s++)
			list_init(&w->slots[l][s]);
	}
}

void
timer_wheel_clock(struct timer_wheel *w, uint64_t now_ms)
{
	w->clock_ms = now_ms;
}

/* Puts a timer that is due after now where its time says. */
static void
place(struct timer_wheel *w, struct timer *t)
{
	uint64_t differ = t->at_ms ^ w->now_ms;
	size_t level = 0, slot;

	/* The highest digit in which its time differs from now. */
	while (level + 1 < TIMER_LEVELS && differ >> (BITS * (level + 1)) != 0)
		level++;
	slot = (size_t)(t->at_ms >> (BITS * level) & MASK);
	list_push(&w->slots[level][slot], &t->link);
	w->used[level] |= UINT64_C(1) << slot;
}

void
timer_start(struct timer_wheel *w, struct timer *t, uint64_t delay_ms,
    timer_fn fn)
{
	if (delay_ms < 1)
		delay_ms = 1;
	if (delay_ms > FAR / 2)
		delay_ms = FAR / 2;
	list_remove(&t->link);
	t->at_ms = (w->clock_ms > w->now_ms ? w->clock_ms : w->now_ms) +
	    delay_ms;
	t->fn = fn;
	place(w, t);
}

void
timer_cancel(struct timer *t)
{
	list_remove(&t->link);
}

/* The next used slot of a level at or after `from`, without wrapping. */
static size_t
next_slot(struct timer_wheel *w, size_t level, size_t from)
{
	uint64_t bits = w->used[level];

	bits = from < TIMER_SLOTS ? bits >> from << from : 0;
	while (bits != 0) {
		size_t s = (size_t)__builtin_ctzll(bits);

		if (!list_is_empty(&w->slots[level][s]))
			return s;
		bits &= bits - 1;
		w->used[level] &= ~(UINT64_C(1) << s);
	}
	return TIMER_SLOTS;
}

uint64_t
timer_wheel_next(struct timer_wheel *w)
{
	for (size_t l = 0; l < TIMER_LEVELS; l++) {
		unsigned shift = BITS * (unsigned)l;
		size_t digit = (size_t)(w->now_ms >> shift & MASK);
		/* The present slot of a level is empty: it was placed anew. */
		size_t s = next_slot(w, l, digit + 1);
		uint64_t start;

		if (s == TIMER_SLOTS)
			continue;
		start = (w->now_ms >> shift & ~MASK) + s;
		return (start << shift) - w->now_ms;
	}
	/*
	 * The top level alone wraps around: its digits below the present one
	 * are of the next round.
	 */
	for (size_t s = 0; s < TIMER_SLOTS; s++) {
		unsigned shift = BITS * (TIMER_LEVELS - 1);

		if (!list_is_empty(&w->slots[TIMER_LEVELS - 1][s]))
			return (((w->now_ms >> shift | MASK) + 1 + s) <<
			    shift) - w->now_ms;
	}
	return UINT64_MAX;
}

/* Time has just become a multiple of higher levels' slots: place them anew. */
static void
cascade(struct timer_wheel *w)
{
	size_t top = 0;

	while (top + 1 < TIMER_LEVELS &&
	    (w->now_ms & ((UINT64_C(1) << (BITS * (top + 1))) - 1)) == 0)
		top++;
	for (size_t l = top; l > 0; l--) {
		size_t s = (size_t)(w->now_ms >> (BITS * l) & MASK);
		struct list moved, *i;

		list_init(&moved);
		while ((i = list_pop(&w->slots[l][s])) != NULL)
			list_push(&moved, i);
		w->used[l] &= ~(UINT64_C(1) << s);
		while ((i = list_pop(&moved)) != NULL)
			place(w, LIST_ITEM(i, struct timer, link));
	}
}

/*
 * Runs the timers of this very millisecond. One that is started meanwhile is
 * due later (at least 1 ms), so it is in another slot.
 */
static void
fire(struct timer_wheel *w)
{
	struct list *slot = &w->slots[0][w->now_ms & MASK];
	struct list *i;

	while ((i = list_pop(slot)) != NULL) {
		struct timer *t = LIST_ITEM(i, struct timer, link);

		assert(t->at_ms == w->now_ms);
		t->fn(t);
	}
	w->used[0] &= ~(UINT64_C(1) << (w->now_ms & MASK));
}

void
timer_wheel_run(struct timer_wheel *w, uint64_t now_ms)
{
	while (w->now_ms < now_ms) {
		uint64_t step = timer_wheel_next(w);

		if (step > now_ms - w->now_ms) {
			/* Nothing is due, and no slot is entered, till then. */
			w->now_ms = now_ms;
			return;
		}
		w->now_ms += step;
		cascade(w);
		fire(w);
	}
}
