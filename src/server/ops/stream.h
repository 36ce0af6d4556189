/*
 * stream.h: events of a person's own stream: stored with a position, so that
 * all of their devices hear of them, live or by sync.
 */
#ifndef SERVER_OPS_STREAM_H
#define SERVER_OPS_STREAM_H

#include "server/call.h"

/*
 * stream_put(c, t, event, shape, payload, position_out, prev_out):
 * In write: stores an event of the caller's own stream.
 *   event    in  its name
 *   payload  in  struct of shape, its own position and prev left out
 * What is handed out live has them as position and prev (deliver_user with the
 * position, in emit, under the caller's key). ERR_TOO_LARGE, the store's.
 */
MUST_USE enum err stream_put(struct call *c, struct txn *t, const char *event,
    const struct shape *shape, const void *payload, uint64_t *position_out,
    uint64_t *prev_out);

#endif
