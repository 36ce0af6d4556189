/*
 * hold.h: the bytes of an unfinished message. Up to a chunk of the reactor's
 * pool they cost no malloc; beyond it the heap, doubling. A connection that
 * waits for nothing holds nothing.
 */
#ifndef EDGE_HOLD_H
#define EDGE_HOLD_H

#include "base/bytes.h"
#include "net/pool.h"

/* What all of one edge's may take together, so that many connections with
 * unfinished messages are refused before the machine is full. */
struct holds {
	struct pool *chunks;
	size_t bytes;		/* capacity in use */
	size_t max;		/* 0: none */
	size_t queued;		/* bytes that wait to be written (conn.c) */
	size_t both_max;	/* of bytes and queued together; 0: none */
};

/* Is there room for n bytes more among those that wait for either? */
static inline bool
holds_fit(const struct holds *all, size_t n)
{
	size_t used = all->bytes + all->queued;

	return all->both_max == 0 || (used <= all->both_max &&
	    n <= all->both_max - used);
}

/* And for n bytes of unfinished messages? */
static inline bool
holds_take(const struct holds *all, size_t n)
{
	return holds_fit(all, n) && (all->max == 0 ||
	    (all->bytes <= all->max && n <= all->max - all->bytes));
}

struct hold {
	size_t n, cap;
	bool pooled;
	uint8_t p[];
};

/*
 * Adds bytes to *h, which may be NULL (empty) and may move.
 * ERR_NOMEM (all->max is one reason): *h is as it was.
 */
MUST_USE enum err hold_add(struct holds *all, struct hold **h,
    struct span bytes);
/* Gives it back and sets *h to NULL; NULL is fine. */
void hold_drop(struct holds *all, struct hold **h);

static inline struct span
hold_span(const struct hold *h)
{
	return h == NULL ? (struct span){ NULL, 0 } : span_of(h->p, h->n);
}

#endif
