/*
 * txn.h: what a `read` or `write` step of an operation sees of the store: a
 * transaction in which it runs queries (queries.h), an arena for what they
 * give, and in a write the next position.
 *
 * Steps run on a store thread and may run twice (a batch run again): they
 * touch the transaction and their own memory, nothing else. Whatever error a
 * write step returns undoes all that it wrote, and nothing of its neighbours.
 */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include "base/arena.h"
#include "store/queries.h"

struct txn;

/* Where rows' text and bytes are copied: the job's arena. */
struct arena *txn_arena(struct txn *t);
/* May this transaction write? */
bool txn_can_write(const struct txn *t);
/*
 * The next position of the global sequence (docs/api.md, Positions): above
 * every one that anybody has seen, and given back when the step fails. Write
 * steps only. Below 2^53.
 */
uint64_t txn_position(struct txn *t);
/*
 * Gives back the newest position of this step, when nothing was stored under
 * it (an idempotent insert that found its row there already).
 */
void txn_position_back(struct txn *t, uint64_t position);

#endif
