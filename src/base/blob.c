/*
 * blob.c: counted immutable bytes, see blob.h.
 */
#include "base/blob.h"

#include <assert.h>
#include <stdlib.h>

struct blob *
blob_new(size_t n)
{
	struct blob *b;

	if (n > UINT32_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + n);
	if (b == NULL)
		return NULL;
	atomic_init(&b->refs, 1);
	b->n = (uint32_t)n;
	return b;
}

struct blob *
blob_dup(struct span s)
{
	struct blob *b = blob_new(s.n);

	if (b != NULL && s.n > 0)
		memcpy(b->p, s.p, s.n);
	return b;
}

struct blob *
blob_ref(struct blob *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void
blob_unref(struct blob *b)
{
	if (b == NULL)
		return;
	/* Who drops the last one has to see all that others wrote before. */
	if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
		free(b);
}

void
blob_wipe(struct blob *b)
{
	if (b == NULL)
		return;
	assert(atomic_load_explicit(&b->refs, memory_order_relaxed) == 1);
	wipe(b->p, b->n);
	blob_unref(b);
}
