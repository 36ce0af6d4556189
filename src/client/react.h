/*
 * react.h: reactions and pins as they stand. Whoever reacts to a message, or
 * pins it, replaces what he said of it before; of two devices, or of two
 * people who pin, the later one in the order of the chat holds, so all devices
 * come to the same. What this device said and the server does not have yet is
 * kept beside it and shown in its place. Called by apply.c, change.c,
 * outbox.c, erase.c and item.c.
 *
 *	REC_REACT   author | event | user -> record
 *	REC_PINNED  chat | author | event -> record
 */
#ifndef CLIENT_REACT_H
#define CLIENT_REACT_H

#include "client/step.h"

/* What is said, and of which message. */
struct react {
	enum client_show_type type;	/* SHOW_REACTION or SHOW_PIN */
	struct chat_id chat;
	struct client_ref to;
	struct user_id user;		/* who */
	uint64_t position;		/* of the event; 0: not sent yet */
	uint64_t time_ms;
	struct span text;		/* pin: "" off, "1" on */
};

/* An event said so (position != 0). Older ones than what is known: nothing. */
MUST_USE enum err react_hear(struct step *s, const struct react *r);
/* This device says so; `event` will carry it. */
MUST_USE enum err react_wait(struct step *s, const struct react *r,
    const struct event_id *event);
/* The server has it at this position (0: it refused it for good). */
MUST_USE enum err react_sent(struct step *s, enum client_show_type type,
    const struct chat_id *chat, const struct client_ref *to,
    const struct event_id *event, uint64_t position);
/* All that was said of a message is forgotten with it. *own_out: this account
 * was among those who reacted. */
MUST_USE enum err react_drop(struct step *s, const struct chat_id *chat,
    const struct client_ref *to, bool *own_out);

/* By the record's key. ERR_NOT_FOUND. */
MUST_USE enum err react_load(struct step *s, struct span key,
    struct client_reaction *out);
MUST_USE enum err react_load_pin(struct step *s, struct span key,
    struct client_pin *out);

#endif
