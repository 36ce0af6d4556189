/*
 * erase.h: what is taken off this device: messages that were deleted, hidden,
 * or whose time is over. Text and all that was said of it go from the records
 * together, with the copy that is kept for retries; the place and the event id
 * stay, so that nothing of it can be shown again.
 *
 *	REC_EXPIRY  u64 when | chat | order | sub -> ""; when is the greatest
 *	            number while a received message was not read yet
 */
#ifndef CLIENT_ERASE_H
#define CLIENT_ERASE_H

#include "client/item.h"

/* kind: ITEM_DELETED or ITEM_HIDDEN. */
MUST_USE enum err erase_item(struct step *s, struct client_item *it,
    enum client_item_kind kind);
/*
 * For an entry with a timer that is about to be put at its place: own ones
 * disappear so long after they were sent (start_ms), those of others so long
 * after they were read. Fills in expires_at_ms.
 */
MUST_USE enum err erase_note(struct step *s, struct client_item *it,
    uint64_t start_ms);
/* The person has read the chat up to there: timers start. */
MUST_USE enum err erase_read(struct step *s, const struct chat_id *chat,
    uint64_t position);
/* Erases what is due, and wakes the client for what comes next. */
MUST_USE enum err erase_pump(struct step *s);

#endif
