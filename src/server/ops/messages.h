/*
 * messages.h: sending a message, for the operations that are other forms of
 * it. call.state is its own between the three.
 */
#ifndef SERVER_OPS_MESSAGES_H
#define SERVER_OPS_MESSAGES_H

#include "server/call.h"
#include "store/txn.h"

/*
 * In check. `in` stays the caller's, and as it is, until the call has ended.
 * ERR_VALIDATION, ERR_FORBIDDEN, ERR_REPLAY, ERR_TOO_LARGE.
 */
MUST_USE enum err messages_begin(struct call *c,
    const struct msg_send_req *in);
/* In write: what is answered, in *out, whether it was there before or not. */
MUST_USE enum err messages_store(struct call *c, struct txn *t,
    struct msg_send_rep *out);
/* In emit: its readers hear of it, and its sender that it is durable. */
void messages_tell(struct call *c);

#endif
