/*
 * prekey_batch_fuzz.c: headers and leaves that decode are exactly what their
 * encoders make.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "pub/prekey_batch.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct batch b;
	static struct leaf l;
	uint8_t mem[LEAF_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	struct span in = span_of(data, size);

	if (batch_decode(in, &b) == OK && (batch_encode(&b, &w) != OK ||
	    !span_eq(wr_done(&w), span_sub(in, 0, BATCH_BODY_LEN))))
		abort();
	w = wr_init(mem, sizeof(mem));
	if (batch_leaf_decode(in, &l) == OK &&
	    (batch_leaf_encode(&l, &w) != OK || !span_eq(wr_done(&w), in)))
		abort();
	return 0;
}
