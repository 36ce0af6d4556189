/*
 * keyring.h: everything about the devices of the own account: linking a new
 * one, revoking, renewing keys, backup and restore, and the marks of verified
 * people that they share. Called by client.c.
 */
#ifndef CLIENT_KEYRING_H
#define CLIENT_KEYRING_H

#include "client/call.h"

/* The inputs from CLIENT_LINK_NEW to CLIENT_VERIFY_CODE. */
MUST_USE enum err keyring_take(struct step *s, const struct client_input *in);

#endif
