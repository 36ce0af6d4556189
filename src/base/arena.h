/*
 * arena.h: bump allocation with one lifetime. An arena starts on memory that
 * the caller gives; when that is used up it asks `grow` for another chunk,
 * up to `max` bytes in all, or fails where there is no `grow` (freestanding
 * layers). Nothing is freed singly: arena_reset puts it back, arena_fini gives
 * the chunks back. One thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena_chunk;

/* Gives a chunk of n bytes or NULL; takes one back when p is not NULL. */
typedef void *(*arena_grow_fn)(void *p, size_t n);

struct arena {
	uint8_t *p;			/* present chunk */
	size_t used, cap;
	size_t high;			/* most that was used since a wipe */
	uint8_t *first;			/* the caller's memory */
	size_t first_cap;
	struct arena_chunk *chunks;	/* grown ones, newest first */
	size_t total, max;		/* bytes handed out in all; the limit */
	arena_grow_fn grow;		/* NULL: fixed */
};

/* A place to go back to. */
struct arena_mark {
	uint8_t *p;
	size_t used, cap, total;
	struct arena_chunk *chunks;
};

/* Over mem[cap] alone. */
void arena_init(struct arena *a, void *mem, size_t cap);
/* As above, growing by the heap up to max bytes in all (host code only). */
void arena_init_growing(struct arena *a, void *mem, size_t cap, size_t max,
    arena_grow_fn grow);
void arena_fini(struct arena *a);
/* n bytes, zeroed, aligned for any type; NULL when the limit is reached. */
void *arena_alloc(struct arena *a, size_t n);
/* n bytes, not zeroed, unaligned: for text and bytes. */
uint8_t *arena_bytes(struct arena *a, size_t n);
/* A copy of s in the arena; *out is empty on ERR_TOO_LARGE. */
MUST_USE enum err arena_dup(struct arena *a, struct span s, struct span *out);
/*
 * Room for one more item in an array of n items that has *cap places: items
 * as it was, or a copy with more places and *cap raised. NULL: limit reached.
 *   items  in      the array, NULL while *cap is 0
 *   n      in      items in use
 *   cap    in/out  places
 *   size   in      bytes of an item
 */
void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap,
    size_t size);
struct arena_mark arena_mark(const struct arena *a);
/* Back to the mark: what was allocated since is gone (grown chunks freed). */
void arena_reset(struct arena *a, struct arena_mark m);
/* The same, wiping what was allocated since (secrets). */
void arena_wipe(struct arena *a, struct arena_mark m);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
