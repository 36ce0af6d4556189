/*
 * devlist_fuzz.c: what devlist_decode accepts is exactly what devlist_encode
 * makes, and no list follows itself with another hash. The input is the list,
 * or what to change in a good one from a place on.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "pub/devlist.h"

static struct span
change_good(struct span in, uint8_t mem[static DEVLIST_LEN_MAX])
{
	struct devlist l = { .version = 1, .expires_ms = 1, .next_id = 9,
	    .n = 3, .entries = { { .device = 1 }, { .device = 2 },
	    { .device = 8 } } };
	struct wr w = wr_init(mem, DEVLIST_LEN_MAX);
	size_t at;

	if (devlist_encode(&l, &w) != OK)
		abort();
	wr_zeros(&w, COMPOSITE_SIG_LEN);
	at = 2001 + (size_t)in.p[1] % (w.n - COMPOSITE_SIG_LEN - 2001);
	for (size_t i = 2; i < in.n && at < w.n; i++)
		mem[at++] ^= in.p[i];
	return wr_done(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct devlist l;
	static uint8_t mem[DEVLIST_BODY_MAX], good[DEVLIST_LEN_MAX];
	static const uint8_t h1[SHA256_LEN] = { 1 }, h2[SHA256_LEN] = { 2 };
	struct wr w = wr_init(mem, sizeof(mem));
	struct span body, in = span_of(data, size);

	if (size > 3 && data[0] != 1)
		in = change_good(in, good);
	if (devlist_decode(in, &l, &body) != OK)
		return 0;
	if (body.n + COMPOSITE_SIG_LEN != in.n ||
	    devlist_encode(&l, &w) != OK || !span_eq(wr_done(&w), body))
		abort();
	if (devlist_follow(&l, h1, &l, h1) != OK ||
	    devlist_follow(&l, h1, &l, h2) != ERR_CONFLICT)
		abort();
	return 0;
}
