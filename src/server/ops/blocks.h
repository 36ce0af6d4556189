/*
 * blocks.h: whom the caller has blocked, for the operations that list it.
 */
#ifndef SERVER_OPS_BLOCKS_H
#define SERVER_OPS_BLOCKS_H

#include "server/call.h"
#include "store/txn.h"

/* People whom one can block. */
#define BLOCKS_MAX 1000

/* All of them, the newest first. */
MUST_USE enum err blocks_load(struct call *c, struct txn *t,
    struct block_rec_list *out);

#endif
