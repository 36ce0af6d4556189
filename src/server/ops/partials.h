/*
 * partials.h: events that were sent to single devices and wait for them.
 */
#ifndef SERVER_OPS_PARTIALS_H
#define SERVER_OPS_PARTIALS_H

#include "server/call.h"

/*
 * In write: what waits for one device of the caller, behind what it has said
 * to have, is dropped: its entry, and the whole event where that was the only
 * one. ERR_TOO_LARGE, ERR_STORE, the store's.
 */
MUST_USE enum err partials_drop(struct call *c, struct txn *t,
    uint32_t device, uint64_t received);

#endif
