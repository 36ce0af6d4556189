/* pool.c: a free list of pieces of one size. */
#include <assert.h>

#include "net/pool.h"

void
pool_init(struct pool *p, size_t size, size_t keep)
{
	assert(size >= sizeof(void *));
	*p = (struct pool){ .size = size, .keep = keep };
}

void
pool_fini(struct pool *p)
{
	assert(p->n_used == 0);
	while (p->free != NULL) {
		void *piece = p->free;

		memcpy(&p->free, piece, sizeof p->free);
		free(piece);
	}
	p->n_free = 0;
}

void *
pool_get(struct pool *p)
{
	void *piece = p->free;

	if (piece != NULL) {
		memcpy(&p->free, piece, sizeof p->free);
		p->n_free--;
	} else if ((piece = malloc(p->size)) == NULL) {
		return NULL;
	}
	p->n_used++;
	return piece;
}

void
pool_put(struct pool *p, void *piece)
{
	if (piece == NULL)
		return;
	assert(p->n_used > 0);
	p->n_used--;
	if (p->n_free >= p->keep) {
		free(piece);
		return;
	}
	memcpy(piece, &p->free, sizeof p->free);
	p->free = piece;
	p->n_free++;
}

void
pool_leave(struct pool *p, size_t n)
{
	assert(p->n_used >= n);
	p->n_used -= n;
}

void
pool_join(struct pool *p, size_t n)
{
	p->n_used += n;
}
