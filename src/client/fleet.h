/*
 * fleet.h: the devices of the own account that are there: their names, taking
 * one off the list, new keys for this one and for the account; and what it
 * means when the list has this one no longer. Called by keyring.c, person.c
 * and setup.c.
 *
 *	REC_DEVICE  u32 device -> u64 last active | vec16 name
 *	REC_RENEWED user -> u64 when the account key was renewed
 */
#ifndef CLIENT_FLEET_H
#define CLIENT_FLEET_H

#include "client/call.h"

/* CLIENT_DEVICE_RENAME, _REVOKE, CLIENT_RENEW, CLIENT_RENEW_ACCOUNT. */
MUST_USE enum err fleet_rename(struct step *s, const struct client_input *in);
MUST_USE enum err fleet_revoke(struct step *s, const struct client_input *in);
MUST_USE enum err fleet_renew(struct step *s, const struct client_input *in);
MUST_USE enum err fleet_renew_account(struct step *s,
    const struct client_input *in);
/*
 * This device is no manager and its certificate has to be renewed: a new one
 * is made, kept aside and offered to the managers, which put it on the list.
 */
MUST_USE enum err fleet_offer(struct step *s);
/* After an offer: has a list taken it up? */
MUST_USE enum err fleet_look(struct step *s);
/* Such an offer came over a session with that device. */
MUST_USE enum err fleet_heard_cert(struct step *s, const struct address *from,
    struct span body);
/* The answer to CALL_DEVICE_NAME. */
MUST_USE enum err fleet_heard(struct step *s, const struct call_answer *a);
/* What the server tells about the own devices: names. */
MUST_USE enum err fleet_heard_devices(struct step *s,
    const struct user_devices_rep *rep);
/* ERR_NOT_FOUND. The span lives in the arena. */
MUST_USE enum err fleet_name(struct step *s, uint32_t device,
    struct span *name_out, uint64_t *active_ms_out);
/* A newer own list was taken: is this device still in it? */
MUST_USE enum err fleet_check(struct step *s);
/* The account key of this person was renewed, vouched for by the old one. */
MUST_USE enum err fleet_renewed(struct step *s, const struct user_id *user);
/* 0: never. */
MUST_USE enum err fleet_renewed_ms(struct step *s, const struct user_id *user,
    uint64_t *out);

#endif
