/*
 * newdev.h: the new device's side of linking (docs/protocol.md, "Linking a
 * device"): offers keys, shows a code, takes the account into use when its
 * person confirmed, answers with a certificate and waits until a list names
 * it. Every step is stored before it is told, so a process that dies goes on
 * where it was. Called by keyring.c.
 */
#ifndef CLIENT_NEWDEV_H
#define CLIENT_NEWDEV_H

#include "client/linkrec.h"

MUST_USE enum err newdev_begin(struct step *s, const struct client_input *in);
/* The person says that the manager spoke of this account, or that it did not. */
MUST_USE enum err newdev_confirm(struct step *s, struct linkrec *l,
    const struct client_input *in);
MUST_USE enum err newdev_pump(struct step *s, struct linkrec *l);
MUST_USE enum err newdev_heard(struct step *s, struct linkrec *l,
    const struct call_answer *a);
/* The own account's devices, while no list named this one yet. */
MUST_USE enum err newdev_heard_devices(struct step *s,
    const struct user_devices_rep *rep);
/* The history is here, or will not come: linking is done. */
MUST_USE enum err newdev_history_done(struct step *s);

#endif
