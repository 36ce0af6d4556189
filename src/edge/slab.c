/* slab.c: see slab.h. */
#include <assert.h>

#include "base/sys.h"
#include "edge/slab.h"

static void *
slot_at(const struct slab *s, uint32_t index)
{
	return s->mem + s->size * index;
}

static uint32_t
next_generation(struct slab *s)
{
	if (++s->generation == 0)
		s->generation = 1;
	return s->generation;
}

enum err
slab_open(struct slab *s, size_t size, uint32_t max)
{
	size = (size + 15) & ~(size_t)15;
	assert(size >= sizeof(struct slab_slot));
	if (max == 0 || max == SLAB_NONE || size > SIZE_MAX / max)
		return ERR_ARG;
	*s = (struct slab){ .size = size, .max = max, .free = SLAB_NONE };
	if ((s->mem = sys_reserve(size * max)) == NULL)
		return ERR_NOMEM;
	return OK;
}

void
slab_close(struct slab *s)
{
	sys_unreserve(s->mem, s->size * s->max);
	*s = (struct slab){ 0 };
}

void *
slab_get(struct slab *s)
{
	struct slab_slot *slot;
	uint32_t index = s->free;

	if (index != SLAB_NONE) {
		slot = slot_at(s, index);
		s->free = slot->next;
	} else if (s->high < s->max) {
		index = s->high++;
		slot = slot_at(s, index);
	} else {
		return NULL;
	}
	memset(slot, 0, s->size);
	slot->index = index;
	slot->generation = next_generation(s);
	slot->used = true;
	s->n++;
	return slot;
}

void
slab_put(struct slab *s, void *p)
{
	struct slab_slot *slot = p;

	assert(slot->used);
	slot->used = false;
	slot->next = s->free;
	s->free = slot->index;
	s->n--;
}

void *
slab_find(const struct slab *s, uint32_t index, uint32_t generation)
{
	struct slab_slot *slot;

	if (index >= s->high)
		return NULL;
	slot = slot_at(s, index);
	return slot->used && slot->generation == generation ? slot : NULL;
}

void *
slab_at(const struct slab *s, uint32_t index)
{
	struct slab_slot *slot;

	assert(index < s->high);
	slot = slot_at(s, index);
	assert(slot->used);
	return slot;
}

void *
slab_used(const struct slab *s, uint32_t index)
{
	struct slab_slot *slot;

	if (index >= s->high)
		return NULL;
	slot = slot_at(s, index);
	return slot->used ? slot : NULL;
}

void
slab_renew(struct slab *s, void *p)
{
	struct slab_slot *slot = p;

	assert(slot->used);
	slot->generation = next_generation(s);
}

void *
slab_next(const struct slab *s, uint32_t *at)
{
	while (*at < s->high) {
		struct slab_slot *slot = slot_at(s, (*at)++);

		if (slot->used)
			return slot;
	}
	return NULL;
}
