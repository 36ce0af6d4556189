/*
 * change.h: what the person does to messages that are there: editing, taking
 * back, reacting, pinning, the timer of a chat. Called by client.c.
 */
#ifndef CLIENT_CHANGE_H
#define CLIENT_CHANGE_H

#include "client/step.h"

/* CLIENT_EDIT, _DELETE, _REACT, _PIN, _TIMER_SET. */
MUST_USE enum err change_take(struct step *s, const struct client_input *in);

#endif
