/*
 * session_fuzz.c: stored sessions. What decodes encodes, and then stays as it
 * is. A store's seal keeps enemies away from these bytes; crashes do not. The
 * input is the record, or what to change in a good one from a place on.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/session.h"

static struct session s;

static struct span
change_good(struct span in, uint8_t mem[static 4096])
{
	struct wr w = wr_init(mem, 4096);
	static const uint8_t k[64] = { 1 };
	size_t at;

	memset(&s.m, 0, sizeof(s.m));
	s.m.initiator = true;
	ratchet_start_initiator(&s.ratchet, k, k, k, k, 1);
	s.ratchet.h.has_recv = true;
	s.ratchet.h.closed_n = 2;
	s.ratchet.skipped_n = 3;
	if (session_encode(&s, &w) != OK)
		abort();
	at = (size_t)(in.p[1] << 8 | in.p[2]) % w.n;
	for (size_t i = 3; i < in.n && at < w.n; i++)
		mem[at++] ^= in.p[i];
	return wr_done(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t good[4096], one[200000], two[200000];
	struct wr w1 = wr_init(one, sizeof(one));
	struct wr w2 = wr_init(two, sizeof(two));
	struct span in = span_of(data, size);

	if (size > 3 && data[0] != 1)
		in = change_good(in, good);
	if (session_decode(in, &s) != OK)
		return 0;
	if (session_encode(&s, &w1) != OK || w1.n > session_encoded_len(&s) ||
	    session_decode(wr_done(&w1), &s) != OK ||
	    session_encode(&s, &w2) != OK ||
	    !span_eq(wr_done(&w1), wr_done(&w2)))
		abort();
	session_wipe(&s);
	return 0;
}
