/* hold.c: see hold.h. Messages are wiped when given back: tokens pass here. */
#include "edge/hold.h"

static struct hold *
make(struct holds *all, size_t n)
{
	struct hold *h;
	size_t cap = all->chunks->size - sizeof *h;
	bool pooled = n <= cap;

	if (!pooled) {
		for (cap = 16384; cap < n; cap *= 2) {
			if (cap > SIZE_MAX / 4)
				return NULL;
		}
	}
	if (!holds_take(all, cap))
		return NULL;
	h = pooled ? pool_get(all->chunks) : malloc(sizeof *h + cap);
	if (h == NULL)
		return NULL;
	*h = (struct hold){ 0, cap, pooled };
	all->bytes += cap;
	return h;
}

enum err
hold_add(struct holds *all, struct hold **hp, struct span bytes)
{
	struct hold *h = *hp;

	if (bytes.n == 0)
		return OK;
	if (h == NULL || bytes.n > h->cap - h->n) {
		size_t had = h == NULL ? 0 : h->n;
		struct hold *more;

		if (bytes.n > SIZE_MAX - had)
			return ERR_NOMEM;
		if ((more = make(all, had + bytes.n)) == NULL)
			return ERR_NOMEM;
		if (h != NULL)
			memcpy(more->p, h->p, had);
		more->n = had;
		hold_drop(all, hp);
		*hp = h = more;
	}
	memcpy(h->p + h->n, bytes.p, bytes.n);
	h->n += bytes.n;
	return OK;
}

void
hold_drop(struct holds *all, struct hold **hp)
{
	struct hold *h = *hp;

	if (h == NULL)
		return;
	*hp = NULL;
	wipe(h->p, h->n);
	all->bytes -= h->cap;
	if (h->pooled)
		pool_put(all->chunks, h);
	else
		free(h);
}
