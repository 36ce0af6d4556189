/*
 * receive.h: what becomes of one message event: shown once, refused with a
 * cause, or repaired and then shown. Called by inbox.c, in chat order.
 */
#ifndef CLIENT_RECEIVE_H
#define CLIENT_RECEIVE_H

#include "client/outbox.h"

enum receive_state {
	RECEIVE_DONE,		/* dealt with, for good */
	RECEIVE_WAIT,		/* for the user, or for the chat's members */
	RECEIVE_AGAIN		/* once more when the sender's list is here */
};

/*
 *   m         in   as the server gave it: nothing of it is believed
 *   position  in   of the event: m's, or of the edit that it came by
 *   tries     in   how often RECEIVE_AGAIN was said of it
 */
MUST_USE enum err receive_message(struct step *s, const struct message_rec *m,
    uint64_t position, uint8_t tries, enum receive_state *state_out);

/*
 * A device got a new certificate: what this one asked it for under the earlier
 * one, which it may have no keys for any more, is asked for again.
 */
MUST_USE enum err receive_ask_again(struct step *s,
    const struct address *renewed);

#endif
