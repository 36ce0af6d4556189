/*
 * rotate_fuzz.c: what rotate_decode and verification_decode accept is exactly
 * what their encoders make. The input is the object, or what to change in a
 * good one from a place on.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "pub/rotate.h"
#include "pub/verification.h"

static void
check_rotate(struct span in)
{
	static struct rotate r;
	static uint8_t mem[ROTATE_BODY_LEN];
	struct wr w = wr_init(mem, sizeof(mem));

	if (rotate_decode(in, &r) != OK)
		return;
	if (rotate_encode(&r, &w) != OK || in.n != ROTATE_LEN ||
	    !span_eq(wr_done(&w), span_sub(in, 0, ROTATE_BODY_LEN)) ||
	    rotate_conflicts(&r, &r))
		abort();
}

static void
check_verification(struct span in)
{
	struct verification v;
	uint8_t mem[VERIFICATION_BODY_LEN];
	struct wr w = wr_init(mem, sizeof(mem));

	if (verification_decode(in, &v) != OK)
		return;
	if (verification_encode(&v, &w) != OK || in.n != VERIFICATION_LEN ||
	    !span_eq(wr_done(&w), span_sub(in, 0, VERIFICATION_BODY_LEN)) ||
	    verification_replaces(&v, &v))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t good[ROTATE_LEN];
	static struct rotate r = { .version = 2, .new_aik = { 1 } };
	struct verification v = { .device = 1, .peer = { { 1 } },
	    .method = VERIFICATION_NUMBER };
	struct wr w = wr_init(good, sizeof(good));
	size_t at;

	check_rotate(span_of(data, size));
	check_verification(span_of(data, size));
	if (size < 4)
		return 0;
	at = (size_t)(data[1] << 8 | data[2]);
	if (data[0] & 1) {
		if (rotate_encode(&r, &w) != OK)
			abort();
		wr_zeros(&w, 2 * (size_t)COMPOSITE_SIG_LEN);
	} else {
		if (verification_encode(&v, &w) != OK)
			abort();
		wr_zeros(&w, COMPOSITE_SIG_LEN);
	}
	for (size_t i = 3; i < size; i++)
		good[(at + i) % w.n] ^= data[i];
	check_rotate(wr_done(&w));
	check_verification(wr_done(&w));
	return 0;
}
