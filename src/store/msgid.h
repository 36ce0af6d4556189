/*
 * msgid.h: message ids that carry their position, so that a message is found
 * by its id without an index. A UUID of version 7 (RFC 9562 5.7): 48 bits of
 * Unix milliseconds, then in place of 53 of its 74 random bits the position
 * (its upper 12 bits in rand_a, the other 41 in front of rand_b), so that
 * ids sort by position; 21 random bits are left. The position of a message
 * is no secret from those who see its id. Freestanding.
 */
#ifndef STORE_MSGID_H
#define STORE_MSGID_H

#include "base/id.h"

#define MSGID_POSITION_MAX ((UINT64_C(1) << 53) - 1)

/* random: its lower 21 bits are used. */
struct message_id msgid_make(uint64_t unix_ms, uint64_t position,
    uint32_t random);
/* The position that an id names; 0 when it is none of ours. */
uint64_t msgid_position(const struct message_id *id);

#endif
