/*
 * map.h: a hash map from byte keys of one fixed length to pointers. Open
 * addressing with linear probing, at most 3/4 full, keys stored inside; the
 * hash is seeded, so that chosen keys do not collide on purpose. One thread.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/bytes.h"

struct map {
	uint8_t *keys;
	void **values;		/* NULL: free slot */
	size_t key_len;
	size_t n, cap;		/* cap a power of two, or 0 */
	size_t max;		/* entries */
	uint64_t seed;
};

/* The hash that it uses: of any bytes, with a secret seed. */
uint64_t map_hash_of(struct span bytes, uint64_t seed);
void map_init(struct map *m, size_t key_len, size_t max, uint64_t seed);
void map_fini(struct map *m);
void *map_find(const struct map *m, const void *key);
/* Sets (replaces) key's value, which is not NULL. ERR_LIMIT, ERR_NOMEM. */
MUST_USE enum err map_put(struct map *m, const void *key, void *value);
/* The value that was there, or NULL. */
void *map_remove(struct map *m, const void *key);
/* Walks all: *at starts at 0; false at the end. No change in between. */
bool map_next(const struct map *m, size_t *at, const void **key_out,
    void **value_out);

#endif
