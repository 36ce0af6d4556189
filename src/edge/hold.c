/* hold.c: see hold.h. Messages are wiped when given back: tokens pass here. */
#include "edge/hold.h"

static struct hold *
make(struct pool *chunks, size_t n)
{
	struct hold *h;
	size_t cap = chunks->size - sizeof *h;

	if (n <= cap) {
		if ((h = pool_get(chunks)) == NULL)
			return NULL;
		*h = (struct hold){ 0, cap, true };
		return h;
	}
	for (cap = 16384; cap < n; cap *= 2) {
		if (cap > SIZE_MAX / 4)
			return NULL;
	}
	if ((h = malloc(sizeof *h + cap)) == NULL)
		return NULL;
	*h = (struct hold){ 0, cap, false };
	return h;
}

enum err
hold_add(struct pool *chunks, struct hold **hp, struct span bytes)
{
	struct hold *h = *hp;

	if (bytes.n == 0)
		return OK;
	if (h == NULL || bytes.n > h->cap - h->n) {
		size_t had = h == NULL ? 0 : h->n;
		struct hold *more;

		if (bytes.n > SIZE_MAX - had)
			return ERR_NOMEM;
		if ((more = make(chunks, had + bytes.n)) == NULL)
			return ERR_NOMEM;
		if (h != NULL)
			memcpy(more->p, h->p, had);
		more->n = had;
		hold_drop(chunks, hp);
		*hp = h = more;
	}
	memcpy(h->p + h->n, bytes.p, bytes.n);
	h->n += bytes.n;
	return OK;
}

void
hold_drop(struct pool *chunks, struct hold **hp)
{
	struct hold *h = *hp;

	if (h == NULL)
		return;
	*hp = NULL;
	wipe(h->p, h->n);
	if (h->pooled)
		pool_put(chunks, h);
	else
		free(h);
}
