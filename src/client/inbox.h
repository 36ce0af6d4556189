/*
 * inbox.h: events in the order of their chat. What comes is first put down as
 * it is (so it is durable even where it cannot be opened yet), then taken in
 * order: an event is applied when the one before it in its chat is. One that
 * is missing is waited for a second, then asked from the server.
 *
 *	REC_INBOX  chat | position -> prev, type, the event's JSON
 */
#ifndef CLIENT_INBOX_H
#define CLIENT_INBOX_H

#include "client/person.h"

#define INBOX_HOLD_MS 1000u

/*
 * A message event of the server. Dropped (false in *kept_out) only when the
 * inbox is full: ask for it again later.
 */
MUST_USE enum err inbox_message(struct step *s, const struct message_rec *m,
    struct span json, bool *kept_out);
/* message:edited: another text in the place of a message, with a place of its
 * own in the chat. */
MUST_USE enum err inbox_edited(struct step *s, const struct edited_ev *ev,
    struct span json, bool *kept_out);
/* An event whose content was dealt with otherwise: only its place counts. */
MUST_USE enum err inbox_link(struct step *s, const struct chat_id *chat,
    uint64_t position, uint64_t prev);
/* Applies what can be applied. */
MUST_USE enum err inbox_pump(struct step *s);

#endif
