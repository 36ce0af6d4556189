/*
 * blob.h: immutable bytes that several connections (and threads) refer to;
 * freed with the last reference. Made once per distinct payload (fan-out).
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdatomic.h>

#include "base/bytes.h"

struct blob {
	atomic_uint refs;
	uint32_t n;
	uint8_t p[];
};

/* With one reference; NULL without memory. The maker fills p before sharing. */
struct blob *blob_new(size_t n);
struct blob *blob_dup(struct span s);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b);	/* NULL does nothing */
/* The same by who has the only reference: the bytes are wiped, too. */
void blob_wipe(struct blob *b);

static inline struct span
blob_span(const struct blob *b)
{
	return (struct span){ b->p, b->n };
}

#endif
