/*
 * nightjar_private.h: shared by nightjar.c and nightjar_session.c.
 */
#ifndef VECTORS_NIGHTJAR_PRIVATE_H
#define VECTORS_NIGHTJAR_PRIVATE_H

#include "vectors/schema.h"

/* One bytes-for-bytes comparison, counted. */
void nightjar_same(struct tally *t, const char *id, const char *what,
    struct span got, struct span want);
/* Hex members; a missing one counts as a failure. */
bool nightjar_get(const struct vector_file *f, yyjson_val *o, const char *key,
    struct tally *t, struct span *out);
bool nightjar_get_n(const struct vector_file *f, yyjson_val *o,
    const char *key, size_t n, struct tally *t, const uint8_t **out);

void nightjar_session_run(const struct vector_file *f, struct tally *t);

#endif
