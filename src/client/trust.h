/*
 * trust.h: people whose safety number was compared (docs/protocol.md,
 * "Verified marks"): the mark as a record that this device signed, which goes
 * to the server for the account's other devices, and what they signed. The
 * core (core/peer.h) keeps for which account key a person is verified.
 *
 *	REC_TRUST  user -> u8 version | u8 flags | signed record
 */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include "client/call.h"
#include "pub/verification.h"

/* The person compared the number, or takes that back. Errors of the core. */
MUST_USE enum err trust_set(struct step *s, const struct user_id *user,
    bool on, enum client_verify_method method);
/* CLIENT_VERIFY_CODE: the other's code, pasted. */
MUST_USE enum err trust_code(struct step *s, const struct client_input *in);
/* The newest record about a person. ERR_NOT_FOUND. */
MUST_USE enum err trust_load(struct step *s, const struct user_id *user,
    struct verification *out);
/* Has the server what this device signed about a person? */
MUST_USE enum err trust_is_told(struct step *s, const struct user_id *user,
    bool *out);
/* Other devices' records may have changed: asks for them. */
void trust_ask(struct step *s);
MUST_USE enum err trust_pump(struct step *s);
MUST_USE enum err trust_heard(struct step *s, const struct call_answer *a);
/*
 * A list of this person was taken: marks that were waiting for it hold now.
 * *other_out: a mark is for another account key than the list's.
 */
MUST_USE enum err trust_heard_list(struct step *s, const struct user_id *user,
    bool *other_out);
/*
 * The account key of this person is another one now: the mark for the former
 * one is taken back, so that no device of this account is made to believe in
 * that key again.
 */
MUST_USE enum err trust_end(struct step *s, const struct user_id *user);
/* This device has a new certificate: what it signed, marks and what takes them
 * back, is signed anew. */
MUST_USE enum err trust_sign_again(struct step *s);

/* As a record of an archive, and back. */
MUST_USE enum err trust_export(struct span key, struct span value,
    struct wr *w);
MUST_USE enum err trust_import(struct step *s, struct rd *r, bool keep);

#endif
