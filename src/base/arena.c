/*
 * arena.c: bump allocation, see arena.h.
 */
#include "base/arena.h"

#define ARENA_ALIGN 16

struct arena_chunk {
	struct arena_chunk *next;
	size_t n;		/* bytes of the whole chunk */
	size_t below_high;	/* arena.high of the chunk before it */
};

/* Bytes of a chunk that its header takes. */
#define CHUNK_HEAD \
	((sizeof(struct arena_chunk) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1))
/* The least that is asked for, so that small allocations share a chunk. */
#define CHUNK_MIN ((size_t)16 << 10)

void
arena_init(struct arena *a, void *mem, size_t cap)
{
	arena_init_growing(a, mem, cap, cap, NULL);
}

void
arena_init_growing(struct arena *a, void *mem, size_t cap, size_t max,
    arena_grow_fn grow)
{
	*a = (struct arena){ .p = mem, .cap = cap, .first = mem,
	    .first_cap = cap, .max = max, .grow = grow };
}

/* How far the present chunk was ever written since it was last wiped. */
static size_t
arena_high(const struct arena *a)
{
	return a->high > a->used ? a->high : a->used;
}

static void
arena_free_until(struct arena *a, struct arena_chunk *keep)
{
	a->high = arena_high(a);
	while (a->chunks != keep) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		a->high = c->below_high;
		(void)a->grow(c, c->n);
	}
}

void
arena_fini(struct arena *a)
{
	arena_free_until(a, NULL);
	*a = (struct arena){ 0 };
}

static bool
arena_chunk_add(struct arena *a, size_t n)
{
	size_t want = n + CHUNK_HEAD + ARENA_ALIGN;
	struct arena_chunk *c;

	if (a->grow == NULL)
		return false;
	if (want < CHUNK_MIN)
		want = CHUNK_MIN;
	c = a->grow(NULL, want);
	if (c == NULL)
		return false;
	c->next = a->chunks;
	c->n = want;
	c->below_high = arena_high(a);
	a->high = 0;
	a->chunks = c;
	a->p = (uint8_t *)c + CHUNK_HEAD;
	a->used = 0;
	a->cap = want - CHUNK_HEAD;
	return true;
}

static uint8_t *
arena_take(struct arena *a, size_t n, size_t align)
{
	size_t pad = (size_t)(-((uintptr_t)a->p + a->used)) & (align - 1);
	uint8_t *p;

	if (n > a->max || a->total > a->max - n)
		return NULL;
	if (a->p == NULL || pad > a->cap - a->used ||
	    n > a->cap - a->used - pad) {
		if (!arena_chunk_add(a, n))
			return NULL;
		pad = (size_t)(-(uintptr_t)a->p) & (align - 1);
	}
	p = a->p + a->used + pad;
	a->used += pad + n;
	a->total += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	uint8_t *p = arena_take(a, n, ARENA_ALIGN);

	if (p != NULL && n > 0)
		memset(p, 0, n);
	return p;
}

uint8_t *
arena_bytes(struct arena *a, size_t n)
{
	return arena_take(a, n, 1);
}

enum err
arena_dup(struct arena *a, struct span s, struct span *out)
{
	uint8_t *p = arena_bytes(a, s.n);

	*out = span_of(NULL, 0);
	if (p == NULL)
		return ERR_TOO_LARGE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*out = span_of(p, s.n);
	return OK;
}

void *
arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap * 2 + 16;
	void *p;

	if (n < *cap)
		return items;
	if (more > SIZE_MAX / size)
		return NULL;
	p = arena_alloc(a, more * size);
	if (p == NULL)
		return NULL;
	if (n > 0)
		memcpy(p, items, n * size);
	*cap = more;
	return p;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->p, a->used, a->cap, a->total,
	    a->chunks };
}

void
arena_reset(struct arena *a, struct arena_mark m)
{
	arena_free_until(a, m.chunks);
	a->p = m.p;
	a->used = m.used;
	a->cap = m.cap;
	a->total = m.total;
}

void
arena_wipe(struct arena *a, struct arena_mark m)
{
	size_t high = arena_high(a);

	/* Each chunk as far as it was written; last the one of the mark. */
	for (struct arena_chunk *c = a->chunks; c != m.chunks; c = c->next) {
		wipe((uint8_t *)c + CHUNK_HEAD, high);
		high = c->below_high;
	}
	if (m.p != NULL && high > m.used)
		wipe(m.p + m.used, high - m.used);
	arena_reset(a, m);
	a->high = m.used;
}
