/*
 * keyring.h: everything about the devices of the own account: linking a new
 * one, revoking, renewing keys, backup and restore, and the marks of verified
 * people that they share. Hands inputs and answers to those who deal with
 * them. Called by client.c and arcin.c.
 */
#ifndef CLIENT_KEYRING_H
#define CLIENT_KEYRING_H

#include "client/arcin.h"
#include "client/call.h"

/* The inputs from CLIENT_LINK_NEW to CLIENT_VERIFY_CODE. */
MUST_USE enum err keyring_take(struct step *s, const struct client_input *in);
/* The calls from CALL_KEYRING_FIRST on. */
MUST_USE enum err keyring_heard(struct step *s, const struct call_answer *a);
MUST_USE enum err keyring_pump(struct step *s);
/* An archive was read to its end (OK), or will not be. */
MUST_USE enum err keyring_arrived(struct step *s, const struct arcin *x,
    enum err why);

#endif
