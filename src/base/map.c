/*
 * map.c: hash map with linear probing and backward-shift deletion.
 *
 * Implementation notes: the hash multiplies and mixes 8 bytes at a time with
 * a secret seed (the construction of well-known non-cryptographic hashes). It
 * keeps chosen keys from colliding by accident or by a fixed list; ids here
 * are random or made by the server.
 */
#include "base/map.h"

#include <stdlib.h>

void
map_init(struct map *m, size_t key_len, size_t max, uint64_t seed)
{
	*m = (struct map){ .key_len = key_len, .max = max, .seed = seed };
}

void
map_fini(struct map *m)
{
	free(m->keys);
	free(m->values);
	m->keys = NULL;
	m->values = NULL;
	m->n = m->cap = 0;
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

uint64_t
map_hash_of(struct span bytes, uint64_t seed)
{
	uint64_t h = seed ^ 0x9e3779b97f4a7c15ULL;
	const uint8_t *key = bytes.p;
	size_t left = bytes.n;

	while (left > 0) {
		uint64_t w = 0;
		size_t n = left < 8 ? left : 8;

		memcpy(&w, key, n);
		h = mix(h ^ w, 0xd6e8feb86659fd93ULL ^ seed);
		key += n;
		left -= n;
	}
	return mix(h ^ bytes.n, 0xa0761d6478bd642fULL);
}

static uint64_t
map_hash(const struct map *m, const uint8_t *key)
{
	return map_hash_of(span_of(key, m->key_len), m->seed);
}

static const uint8_t *
map_key(const struct map *m, size_t i)
{
	return m->keys + i * m->key_len;
}

/* The slot of key, or the free one where it would go. cap > n. */
static size_t
map_slot(const struct map *m, const void *key)
{
	size_t i = (size_t)map_hash(m, key) & (m->cap - 1);

	while (m->values[i] != NULL &&
	    memcmp(map_key(m, i), key, m->key_len) != 0)
		i = (i + 1) & (m->cap - 1);
	return i;
}

void *
map_find(const struct map *m, const void *key)
{
	return m->cap > 0 ? m->values[map_slot(m, key)] : NULL;
}

static enum err
map_grow(struct map *m)
{
	struct map bigger = *m;

	bigger.cap = m->cap > 0 ? m->cap * 2 : 16;
	bigger.keys = malloc(bigger.cap * m->key_len);
	bigger.values = calloc(bigger.cap, sizeof(*bigger.values));
	if (bigger.keys == NULL || bigger.values == NULL) {
		free(bigger.keys);
		free(bigger.values);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < m->cap; i++) {
		size_t to;

		if (m->values[i] == NULL)
			continue;
		to = map_slot(&bigger, map_key(m, i));
		memcpy(bigger.keys + to * m->key_len, map_key(m, i),
		    m->key_len);
		bigger.values[to] = m->values[i];
	}
	map_fini(m);
	*m = bigger;
	return OK;
}

enum err
map_put(struct map *m, const void *key, void *value)
{
	size_t i;

	if (m->cap > 0) {
		i = map_slot(m, key);
		if (m->values[i] != NULL) {
			m->values[i] = value;
			return OK;
		}
	}
	if (m->n >= m->max)
		return ERR_LIMIT;
	if ((m->n + 1) * 4 > m->cap * 3)
		TRY(map_grow(m));
	i = map_slot(m, key);
	memcpy(m->keys + i * m->key_len, key, m->key_len);
	m->values[i] = value;
	m->n++;
	return OK;
}

void *
map_remove(struct map *m, const void *key)
{
	size_t hole, i;
	void *was;

	if (m->cap == 0)
		return NULL;
	hole = i = map_slot(m, key);
	was = m->values[hole];
	if (was == NULL)
		return NULL;
	m->n--;
	/* Later members of the run move up when the hole is on their way. */
	for (;;) {
		size_t home;

		i = (i + 1) & (m->cap - 1);
		if (m->values[i] == NULL)
			break;
		home = (size_t)map_hash(m, map_key(m, i)) & (m->cap - 1);
		if (((i - home) & (m->cap - 1)) < ((i - hole) & (m->cap - 1)))
			continue;
		memcpy(m->keys + hole * m->key_len, map_key(m, i), m->key_len);
		m->values[hole] = m->values[i];
		hole = i;
	}
	m->values[hole] = NULL;
	return was;
}

bool
map_next(const struct map *m, size_t *at, const void **key_out,
    void **value_out)
{
	for (; *at < m->cap; (*at)++) {
		if (m->values[*at] == NULL)
			continue;
		*key_out = map_key(m, *at);
		*value_out = m->values[*at];
		(*at)++;
		return true;
	}
	return false;
}
