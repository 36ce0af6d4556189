/*
 * invites.h: registering by an invitation.
 */
#ifndef SERVER_OPS_INVITES_H
#define SERVER_OPS_INVITES_H

#include "server/call.h"

#define INVITE_CODE_LEN 23	/* XXXXX-XXXXX-XXXXX-XXXXX, 100 bits */

/* A new code, text with a NUL, and the hash that is kept. ERR_PROVIDER. */
MUST_USE enum err invites_code_make(char out[static INVITE_CODE_LEN + 1],
    uint8_t hash_out[static 32]);
/*
 * The hash of a code as somebody typed it: hyphens and case do not matter,
 * nor O for 0, I and L for 1. False: it is none.
 */
bool invites_code_hash(struct span code, uint8_t hash_out[static 32]);
/* In read: ERR_FORBIDDEN when the code is not valid now. */
MUST_USE enum err invites_look(struct call *c, struct txn *t,
    struct span code);
/* In write: one more account by it, which is that one. ERR_FORBIDDEN. */
MUST_USE enum err invites_use(struct call *c, struct txn *t,
    struct span code, const struct user_id *user);
/* In the sweep: those that ended long ago. */
MUST_USE enum err invites_sweep(struct call *c, struct txn *t);

#endif
