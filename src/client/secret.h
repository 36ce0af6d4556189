/*
 * secret.h: the account secret: 32 random bytes that all devices of an account
 * have and the server never sees. It seals what an account keeps at the server
 * for itself (settings). Made with the first device; it comes to others with
 * their linking or out of a backup.
 *
 *	REC_SECRET  "" -> u8 version | secret[32]
 */
#ifndef CLIENT_SECRET_H
#define CLIENT_SECRET_H

#include "client/step.h"

#define SECRET_LEN 32u

/* ERR_NOT_FOUND: this profile has no keys yet. Wipe it after use. */
MUST_USE enum err secret_get(struct step *s, uint8_t out[static SECRET_LEN]);
/* Makes one where there is none. */
MUST_USE enum err secret_make(struct step *s);
/* The account's, from another device or a backup, in place of any. */
MUST_USE enum err secret_put(struct step *s,
    const uint8_t secret[static SECRET_LEN]);
MUST_USE enum err secret_drop(struct step *s);

#endif
