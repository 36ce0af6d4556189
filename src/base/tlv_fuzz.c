/*
 * Fuzzer of tlv.c and of the reading cursor below it. Its laws: a record that
 * is accepted is written back byte for byte, and no prefix of it that cuts a
 * field is accepted.
 */
#include "base/fuzz.h"
#include "base/tlv.h"

#define RECORD_MAX 8192

static void
demand(bool law)
{
	if (!law)
		abort();
}

/* Walks a record; where each field ends is marked in ends. */
static bool
walk(struct span record, struct wr *copy, uint8_t *ends)
{
	struct tlv t = tlv_init(record);
	struct span value;
	uint32_t tag;

	while (tlv_next(&t, &tag, &value)) {
		tlv_put(copy, tag, value);
		ends[record.n - t.r.n] = 1;
	}
	return tlv_end(&t) == OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[RECORD_MAX], again[RECORD_MAX];
	static uint8_t ends[RECORD_MAX + 1], ignored[RECORD_MAX + 1];
	struct span in = span_of(data, size < RECORD_MAX ? size : RECORD_MAX);
	struct wr w = wr_init(out, sizeof(out));
	size_t n;

	memset(ends, 0, sizeof(ends));
	ends[0] = 1;
	if (!walk(in, &w, ends))
		return 0;
	demand(wr_ok(&w) && span_eq(wr_done(&w), in));
	for (n = 0; n <= in.n && n < 512; n++) {
		w = wr_init(again, sizeof(again));
		demand(walk(span_sub(in, 0, n), &w, ignored) == (ends[n] != 0));
	}
	return 0;
}
