/*
 * retry.h: asking for a message again, and who gets an answer
 * (docs/protocol.md, "Retries"). A server that forces new sessions with stolen
 * keys must not get old messages re-sent to it; so an answer goes only to a
 * device that was in the event's first set with the same certificate, once a
 * day, within seven days. Event ids seen before are refused here as well.
 * Freestanding; within the host's transaction.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include "core/event.h"
#include "core/peer.h"

#define RETRY_MS (7ull * 24 * 3600 * 1000)
#define RETRY_AGAIN_MS (24ull * 3600 * 1000)

/* An event of ours went to this device (call it for each recipient). */
MUST_USE enum err retry_sent(struct core *c, const struct event_id *id,
    const struct address *to);
/* We ask: keeps the id; may_ask_out is false when we asked within a day. */
MUST_USE enum err retry_ask(struct core *c, const struct event_id *id,
    bool *may_ask_out);
/*
 * A device asks for an event of ours. OK: answer it; that is recorded.
 * ERR_NOT_FOUND: not ours, older than 7 days, or never sent to it.
 * ERR_UNTRUSTED: its certificate is another now, or it is not listed: only
 * when the user agrees.  ERR_RATE_LIMITED: answered within the last day.
 */
MUST_USE enum err retry_answer(struct core *c, const struct event_id *id,
    const struct address *to);
/* A resend came: did we ask for this id in the last 7 days? Takes it. */
MUST_USE enum err retry_take(struct core *c, const struct event_id *id,
    bool *asked_out);
/* An event id of a sender, for the first time in this conversation?
 * ERR_DUPLICATE: it was used before: drop the event. Records it. */
MUST_USE enum err retry_event_once(struct core *c, const struct conv_id *conv,
    const struct user_id *sender, const struct event_id *id);
/* Forgets what is older than it has to be. */
MUST_USE enum err retry_tidy(struct core *c);

#endif
