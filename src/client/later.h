/*
 * later.h: events about a message that is not here (docs/protocol.md,
 * "Events"): kept 7 days, at most LATER_MAX of each sender, and applied when
 * the message comes. Nothing is said of them to anybody. Called by receive.c
 * and setup.c.
 *
 *	REC_LATER  sender | author | target | event -> record
 */
#ifndef CLIENT_LATER_H
#define CLIENT_LATER_H

#include "client/apply.h"

#define LATER_MS (7ull * 24 * 3600 * 1000)
#define LATER_MAX 200u

/* Keeps it; of more than there is room for it is counted as dropped. */
MUST_USE enum err later_put(struct step *s, const struct apply *ap);
/* A message came: what waited for it is applied. */
MUST_USE enum err later_take(struct step *s, const struct user_id *other,
    const struct client_ref *to);
/* Drops what waited too long. */
MUST_USE enum err later_prune(struct step *s);

#endif
