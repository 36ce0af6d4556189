/*
 * tls_heap.c: the heap that OpenSSL works on: what it gives back is wiped. Any
 * thread. exports tls_heap_*
 *
 * Implementation notes. SSL_free leaves every secret of the connection in the
 * memory that it frees: the master secret and both traffic secrets, from which
 * all that was said could be read by whoever sees that memory later, whatever
 * keys were changed since. Most of the rest of OpenSSL cleans up behind itself,
 * but not all. The size of a block stands in front of it.
 */
#include <stdatomic.h>
#include <stddef.h>

#include <openssl/crypto.h>

#include "net/tls_private.h"

#define FRONT sizeof(max_align_t)
_Static_assert(FRONT >= sizeof(size_t), "the size fits in front");

static void
heap_free(void *p, const char *file, int line)
{
	uint8_t *front;
	size_t n;

	(void)file;
	(void)line;
	if (p == NULL)
		return;
	front = (uint8_t *)p - FRONT;
	memcpy(&n, front, sizeof(n));
	wipe(p, n);
	free(front);
}

static void *
heap_alloc(size_t n, const char *file, int line)
{
	uint8_t *front;

	(void)file;
	(void)line;
	if (n == 0 || n > PTRDIFF_MAX - FRONT ||
	    (front = malloc(FRONT + n)) == NULL)
		return NULL;
	memcpy(front, &n, sizeof(n));
	return front + FRONT;
}

/* A block that grows moves, and leaves nothing where it was. */
static void *
heap_resize(void *p, size_t n, const char *file, int line)
{
	size_t had;
	void *q;

	if (p == NULL)
		return heap_alloc(n, file, line);
	if (n == 0) {
		heap_free(p, file, line);
		return NULL;
	}
	memcpy(&had, (uint8_t *)p - FRONT, sizeof(had));
	if ((q = heap_alloc(n, file, line)) == NULL)
		return NULL;
	memcpy(q, p, had < n ? had : n);
	heap_free(p, file, line);
	return q;
}

enum err
tls_heap_use(void)
{
	static atomic_bool used;

	if (atomic_exchange(&used, true))
		return OK;
	/* Refused once OpenSSL has memory of the other kind. */
	return CRYPTO_set_mem_functions(heap_alloc, heap_resize,
	    heap_free) == 1 ? OK : ERR_PROVIDER;
}
