/* msgid.c: message ids that carry their position. */
#include "store/msgid.h"

#define LOW_BITS 41
#define RANDOM_BITS 21
_Static_assert(12 + LOW_BITS == 53 && LOW_BITS + RANDOM_BITS == 62,
    "rand_a has 12 bits, rand_b 62");

struct message_id
msgid_make(uint64_t unix_ms, uint64_t position, uint32_t random)
{
	uint64_t low = position & ((UINT64_C(1) << LOW_BITS) - 1);
	uint64_t hi = unix_ms << 16 | 0x7000 | (position >> LOW_BITS & 0xfff);
	uint64_t lo = UINT64_C(2) << 62 | low << RANDOM_BITS |
	    (random & ((1u << RANDOM_BITS) - 1));
	struct message_id id;
	struct wr w = wr_init(id.b, sizeof(id.b));

	wr_u64(&w, hi);
	wr_u64(&w, lo);
	return id;
}

uint64_t
msgid_position(const struct message_id *id)
{
	struct rd r = rd_init(ID_SPAN(*id));
	uint64_t hi = rd_u64(&r), lo = rd_u64(&r);

	if ((hi >> 12 & 0xf) != 7 || lo >> 62 != 2)
		return 0;
	return (hi & 0xfff) << LOW_BITS |
	    (lo >> RANDOM_BITS & ((UINT64_C(1) << LOW_BITS) - 1));
}
