/*
 * handshake_fuzz.c: prekey messages against a live device. What decodes is
 * what the encoder makes; none opens but the genuine one, and a refusal
 * changes nothing.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/test_world.h"

static struct w_dev a, b;
static struct span genuine;

static void
start(void)
{
	w_dev_init(&a, 1, 3, 4);
	w_dev_init(&b, 2, 3, 4);
	if (w_meet(&a, &b) != OK || w_meet(&b, &a) != OK ||
	    w_initiate(&a, &b) != OK ||
	    w_seal(&a, &b, SPAN("genuine"), &genuine) != OK)
		abort();
}

static void
check_codec(struct span in)
{
	static uint8_t mem[PREKEY_MSG_HEADER_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	struct prekey_msg m;

	if (handshake_decode(in, &m) != OK)
		return;
	if (handshake_encode(&m.from, m.cert_hash, m.created_ms, &m.setup,
	    &w) != OK || !span_eq(wr_done(&w),
	    span_sub(in, 0, PREKEY_MSG_HEADER_LEN)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t msg[4096];
	struct sessions_opened o;
	struct span in = span_of(data, size);
	uint64_t before;

	if (genuine.p == NULL)
		start();
	check_codec(in);
	if (size > 3 && data[0] & 1) {
		size_t at = (size_t)(data[1] << 8 | data[2]) % genuine.n;

		memcpy(msg, genuine.p, genuine.n);
		for (size_t i = 3; i < size && at < genuine.n; i++, at++)
			if (at < 54 || at >= 62)	/* an open hint */
				msg[at] ^= data[i];
		in = span_of(msg, genuine.n);
	}
	check_codec(in);
	if (span_eq(in, genuine))
		return 0;
	before = w_hash(&b.st);
	if (w_open(&b, &a, in, &o, NULL) == OK || w_hash(&b.st) != before)
		abort();
	return 0;
}
