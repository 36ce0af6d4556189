/*
 * known.h: what a device gets at a sign-in, so that it is known at the next:
 * its failed passwords are counted apart from those of strangers, who so can
 * not lock it out. It signs nobody in; nothing of it is stored.
 */
#ifndef SERVER_KNOWN_H
#define SERVER_KNOWN_H

#include "base/id.h"

#define KNOWN_ID_LEN 16
#define KNOWN_LEN 86	/* base64url of user id, id, HMAC-SHA-256 */

/* A new one, text with a NUL. ERR_PROVIDER. */
MUST_USE enum err known_make(const uint8_t account_key[static 32],
    const struct user_id *user, char out[static KNOWN_LEN + 1]);
/* Whose it is, and its id; false: it is none of ours. */
bool known_read(const uint8_t account_key[static 32], struct span text,
    struct user_id *user_out, uint8_t id_out[static KNOWN_ID_LEN]);

#endif
