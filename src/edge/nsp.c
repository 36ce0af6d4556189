/*
 * nsp.c: the names of namespaces that are in use, each once, with the list of
 * its open sockets. exports edge_nsp_*
 */
#include <assert.h>

#include "edge/sio.h"

static struct nsp *
nsp_at(struct sio *x, uint32_t index)
{
	return slab_at(&x->nsps, index);
}

/* Those of one hash hang together. The map keeps index + 1: not NULL. */
static uint32_t
first_of(struct sio *x, uint64_t hash)
{
	return (uint32_t)(uintptr_t)map_find(&x->nsps_by, &hash) - 1;
}

static struct nsp *
find(struct edge *e, struct span name, uint64_t hash)
{
	struct sio *x = e->sio;

	for (uint32_t i = first_of(x, hash); i != SIO_NONE;) {
		struct nsp *n = nsp_at(x, i);

		if (span_eq(edge_nsp_name(n), name))
			return n;
		i = n->same;
	}
	return NULL;
}

struct nsp *
edge_nsp_find(struct edge *e, struct span name)
{
	return find(e, name, map_hash_of(name, e->sio->seed));
}

struct nsp *
edge_nsp_ref(struct edge *e, struct span name)
{
	struct sio *x = e->sio;
	uint64_t hash = map_hash_of(name, x->seed);
	struct nsp *n = find(e, name, hash);

	if (n != NULL) {
		n->refs++;
		return n;
	}
	if ((n = slab_get(&x->nsps)) == NULL) {
		e->stats.nsps_over++;
		return NULL;
	}
	n->edge = e;
	n->hash = hash;
	n->same = first_of(x, hash);
	n->refs = 1;
	n->first = n->last = SIO_NONE;
	n->name = blob_dup(name);
	if (n->name == NULL || map_put(&x->nsps_by, &hash,
	    (void *)(uintptr_t)(n->slot.index + 1)) != OK) {
		blob_unref(n->name);
		slab_put(&x->nsps, n);
		return NULL;
	}
	e->stats.nsps++;
	return n;
}

/* Out of those of its hash. */
static void
unchain(struct sio *x, struct nsp *n)
{
	uint32_t i = first_of(x, n->hash);

	if (i == n->slot.index) {
		(void)map_remove(&x->nsps_by, &n->hash);
		/* There was an entry, so there is room for it. */
		if (n->same != SIO_NONE && map_put(&x->nsps_by, &n->hash,
		    (void *)(uintptr_t)(n->same + 1)) != OK)
			assert(false);
		return;
	}
	while (nsp_at(x, i)->same != n->slot.index)
		i = nsp_at(x, i)->same;
	nsp_at(x, i)->same = n->same;
}

void
edge_nsp_unref(struct nsp *n)
{
	struct edge *e = n->edge;

	assert(n->refs > 0);
	if (--n->refs > 0)
		return;
	assert(n->first == SIO_NONE);
	unchain(e->sio, n);
	blob_unref(n->name);
	slab_put(&e->sio->nsps, n);
	e->stats.nsps--;
}

void
edge_nsp_add(struct nsp *n, struct sock *k)
{
	struct slab *socks = &n->edge->socks;

	k->nsp_prev = n->last;
	k->nsp_next = SIO_NONE;
	if (n->last == SIO_NONE)
		n->first = k->slot.index;
	else
		((struct sock *)slab_at(socks, n->last))->nsp_next =
		    k->slot.index;
	n->last = k->slot.index;
	k->flags |= SOCK_IN_NSP;
}

void
edge_nsp_remove(struct nsp *n, struct sock *k)
{
	struct slab *socks = &n->edge->socks;

	if ((k->flags & SOCK_IN_NSP) == 0)
		return;
	if (k->nsp_prev == SIO_NONE)
		n->first = k->nsp_next;
	else
		((struct sock *)slab_at(socks, k->nsp_prev))->nsp_next =
		    k->nsp_next;
	if (k->nsp_next == SIO_NONE)
		n->last = k->nsp_prev;
	else
		((struct sock *)slab_at(socks, k->nsp_next))->nsp_prev =
		    k->nsp_prev;
	k->flags &= (uint8_t)~SOCK_IN_NSP;
}
