/*
 * apply.h: what an authentic event does to the history (docs/protocol.md,
 * "Events"): whoever sent it, from whichever device, and whether it came by
 * itself or was asked for again. Called by receive.c and later.c, in the order
 * of the chat.
 */
#ifndef CLIENT_APPLY_H
#define CLIENT_APPLY_H

#include "client/item.h"
#include "client/person.h"

struct apply {
	struct chat_id chat;
	struct user_id other;		/* the other person of the chat */
	struct address from;		/* who sent the event */
	uint64_t position;		/* of the event in the chat */
	/* The message it came as, or in whose place: where it would stand. */
	uint64_t order;
	struct message_id message;
	uint64_t server_ms;
	uint64_t edited_ms;		/* edit: when the server took it */
	bool repaired;			/* it was asked for again */
	const struct event *e;
};

enum apply_state {
	APPLY_DONE,
	APPLY_LATER,		/* what it is about is not here */
	APPLY_DROPPED		/* it may not do that, or comes too late */
};

/*
 *   cause_out  out  why it was dropped; else OK
 * ERR_NOT_FOUND: no kind that this is about.
 */
MUST_USE enum err apply_event(struct step *s, const struct apply *ap,
    enum apply_state *state_out, enum err *cause_out);

/* The hash chain of a message's texts: after `text`, which followed `before`
 * (of the first: zeros). */
MUST_USE enum err apply_history(struct step *s,
    const uint8_t before[static EVENT_HISTORY_LEN],
    const struct event_id *target, struct span text,
    uint8_t out[static EVENT_HISTORY_LEN]);
/* How long a message can be edited. */
#define APPLY_EDIT_MS (24ull * 3600 * 1000)
/* The timer that holds: the smaller one; 0 is none. */
uint32_t apply_expire(uint32_t a, uint32_t b);
/* Does text that this device sends mention members of the chat? Ids, 16 bytes
 * each, in the arena. */
MUST_USE enum err apply_mentions(struct step *s, const struct user_id *other,
    struct span text, struct span *out);

#endif
