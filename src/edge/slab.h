/*
 * slab.h: slots of one size, named by index and generation. Address space is
 * reserved for all of them; memory comes as they are first used, and freed
 * slots are used again first, so the pages stay few. One thread.
 * A generation is never 0 and is new for each use, so that a kept name of
 * what is gone finds nothing.
 */
#ifndef EDGE_SLAB_H
#define EDGE_SLAB_H

#include "base/bytes.h"

/* At the front of whatever lies in a slab. */
struct slab_slot {
	uint32_t index;
	uint32_t generation;
	uint32_t next;		/* of the free ones; the owner's in use */
	bool used;
};

struct slab {
	uint8_t *mem;
	size_t size;		/* of a slot */
	uint32_t max;
	uint32_t high;		/* slots used at least once */
	uint32_t free;		/* first of the free ones, SLAB_NONE */
	uint32_t n;		/* in use now */
	uint32_t generation;	/* last one given */
};

#define SLAB_NONE UINT32_MAX

MUST_USE enum err slab_open(struct slab *s, size_t size, uint32_t max);
void slab_close(struct slab *s);	/* a zeroed one is fine */
/* A zeroed slot but for its slab_slot; NULL when all are in use. */
void *slab_get(struct slab *s);
void slab_put(struct slab *s, void *slot);
/* The slot of that name; NULL when it is gone. */
void *slab_find(const struct slab *s, uint32_t index, uint32_t generation);
/* Renames a slot in use: its former name finds nothing any more. */
void slab_renew(struct slab *s, void *slot);
/* The slot of that index, which is in use. */
void *slab_at(const struct slab *s, uint32_t index);
/* The same; NULL when there is none in use. */
void *slab_used(const struct slab *s, uint32_t index);
/* The next used slot from *at on, which starts at 0; NULL at the end. */
void *slab_next(const struct slab *s, uint32_t *at);

#endif
