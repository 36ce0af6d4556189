/*
 * adopt.h: the manager's side of linking (docs/protocol.md, "Linking a
 * device"): takes the text of a new device, checks its offer, compares the
 * code in one try, tells it the account, takes its certificate into the next
 * list and sends the history after it. Called by keyring.c.
 */
#ifndef CLIENT_ADOPT_H
#define CLIENT_ADOPT_H

#include "client/linkrec.h"

MUST_USE enum err adopt_scan(struct step *s, const struct client_input *in);
/* The code, as typed: right, or the end of it. */
MUST_USE enum err adopt_code(struct step *s, struct linkrec *l,
    const struct client_input *in);
MUST_USE enum err adopt_pump(struct step *s, struct linkrec *l);
MUST_USE enum err adopt_heard(struct step *s, struct linkrec *l,
    const struct call_answer *a);
/* The archive for the new device is complete at the server. */
MUST_USE enum err adopt_history_done(struct step *s);
/* May this device manage others: is the account key here? */
MUST_USE enum err adopt_is_manager(struct step *s, bool *out);

#endif
