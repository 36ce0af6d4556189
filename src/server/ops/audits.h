/*
 * audits.h: failed logins in the audit log; keeping it short.
 */
#ifndef SERVER_OPS_AUDITS_H
#define SERVER_OPS_AUDITS_H

#include "server/call.h"

/*
 * A wrong password: noted once the caller has been answered.
 *   user  in  whose account; zero for a name that nobody has; as long as c
 */
void audits_failed(struct call *c, const struct user_id *user);
/* In the sweep: entries older than audit.keep go. */
MUST_USE enum err audits_sweep(struct call *c, struct txn *t);

#endif
