/*
 * sessions.h: sessions as other operations begin and end them. All in a write
 * step.
 */
#ifndef SERVER_OPS_SESSIONS_H
#define SERVER_OPS_SESSIONS_H

#include "server/call.h"

/* Sessions whose rows are gone, for call_sessions_end; in the arena. */
struct sessions_ended {
	struct session_id *p;
	size_t n;
};

/*
 * The row of a new session, with the address and the client of the caller.
 *   tokens  in  account_tokens made them for this session
 *   name    in  of the device; without a pointer: none
 * Errors of the store.
 */
MUST_USE enum err sessions_insert(struct call *c, struct txn *t,
    const struct user_id *user, const struct session_id *session,
    const struct tokens *tokens, struct span name);
/*
 * Ends all sessions of a user but `except` (zero: that of nobody). *out is
 * set anew, so the step may run twice. ERR_TOO_LARGE; of the store.
 */
MUST_USE enum err sessions_end_all(struct call *c, struct txn *t,
    const struct user_id *user, const struct session_id *except,
    struct sessions_ended *out);

#endif
