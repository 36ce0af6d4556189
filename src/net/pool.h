/*
 * pool.h: pieces of one size for one thread, kept when given back, so that
 * steady traffic costs no malloc. At most `keep` free pieces are kept.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include "base/bytes.h"

struct pool {
	void *free;		/* singly linked through their first word */
	size_t size;		/* bytes of a piece */
	size_t n_free, keep;
	size_t n_used;
};

void pool_init(struct pool *p, size_t size, size_t keep);
void pool_fini(struct pool *p);	/* all pieces must have been given back */
void *pool_get(struct pool *p);	/* not zeroed; NULL without memory */
void pool_put(struct pool *p, void *piece);	/* NULL does nothing */
/*
 * n pieces in use go from one pool to another of the same size, so from one
 * thread to another: each says so on its own thread.
 */
void pool_leave(struct pool *p, size_t n);
void pool_join(struct pool *p, size_t n);

#endif
