/*
 * hold.h: the bytes of an unfinished message. Up to a chunk of the reactor's
 * pool they cost no malloc; beyond it the heap, doubling. A connection that
 * waits for nothing holds nothing.
 */
#ifndef EDGE_HOLD_H
#define EDGE_HOLD_H

#include "base/bytes.h"
#include "net/pool.h"

struct hold {
	size_t n, cap;
	bool pooled;
	uint8_t p[];
};

/*
 * Adds bytes to *h, which may be NULL (empty) and may move.
 * ERR_NOMEM: *h is as it was.
 */
MUST_USE enum err hold_add(struct pool *chunks, struct hold **h,
    struct span bytes);
/* Gives it back and sets *h to NULL; NULL is fine. */
void hold_drop(struct pool *chunks, struct hold **h);

static inline struct span
hold_span(const struct hold *h)
{
	return h == NULL ? (struct span){ NULL, 0 } : span_of(h->p, h->n);
}

#endif
