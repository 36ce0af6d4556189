/*
 * setup.h: from tokens to a device that can send: account and device keys, the
 * signed list, the binding of the login session, prekeys; and what keeps them
 * fresh afterwards. Uploads are kept as they are made until the server has
 * them, so a repetition repeats the same bytes.
 */
#ifndef CLIENT_SETUP_H
#define CLIENT_SETUP_H

#include "client/call.h"
#include "client/person.h"

/* Key of REC_UPLOAD. */
enum setup_upload { UPLOAD_LIST = 1, UPLOAD_PREKEYS = 2 };

/* Tokens came. */
MUST_USE enum err setup_signed_in(struct step *s,
    const struct client_input *in);
/* A new account key where the old one is lost; shows what came of it later. */
MUST_USE enum err setup_start_over(struct step *s,
    const struct client_input *in);
/* The next thing that set-up needs, as a call. */
MUST_USE enum err setup_pump(struct step *s);
/* The own account's devices as the server has them, while no keys are here. */
MUST_USE enum err setup_heard_own(struct step *s,
    const struct user_devices_rep *rep);
/*
 * A device says, authentically, that somebody else uses our keys: everything
 * is renewed, or, when that was done for an alarm less than a day ago, only
 * the sessions with that device get new epochs.
 */
MUST_USE enum err setup_alarm(struct step *s, const struct address *by);
MUST_USE enum err setup_heard_list(struct step *s,
    const struct call_answer *a);
MUST_USE enum err setup_heard_bind(struct step *s,
    const struct call_answer *a);
MUST_USE enum err setup_heard_prekeys(struct step *s,
    const struct call_answer *a);
MUST_USE enum err setup_heard_refresh(struct step *s,
    const struct call_answer *a);
/* The server has few one-time keys left. */
MUST_USE enum err setup_keys_low(struct step *s, uint32_t device,
    uint32_t left);
/* The greatest generation known elsewhere: is this profile an old copy? */
MUST_USE enum err setup_check_generation(struct step *s, uint64_t greatest);
/*
 * setup_publish(s, list, cert, rotation):
 * A list made here goes up, with a certificate that is new in it and a renewal
 * of the account key; both may be empty. There may be none on its way.
 */
MUST_USE enum err setup_publish(struct step *s, struct span list,
    struct span cert, struct span rotation);
/* Is a list on its way, or one refused and not settled yet? */
MUST_USE enum err setup_is_publishing(struct step *s, bool *out);
/* Makes a batch of prekeys and queues it. */
MUST_USE enum err setup_make_prekeys(struct step *s);
/* Gives up this device's keys and all sessions; the history stays. */
MUST_USE enum err setup_forget(struct step *s);
/* The claim `sid` of an access token: which session it belongs to. ERR_FORMAT. */
MUST_USE enum err setup_token_session(struct step *s, struct span token,
    struct session_id *out);
/* Takes tokens into use. ERR_FORMAT, ERR_LIMIT: they are none. */
MUST_USE enum err setup_enter(struct step *s, const struct user_id *user,
    struct span name, struct span access, struct span refresh);
/* May this device send? */
bool setup_is_ready(const struct step *s);
/* And are its prekeys at the server, so that others can begin? */
MUST_USE enum err setup_is_done(struct step *s, bool *out);

#endif
