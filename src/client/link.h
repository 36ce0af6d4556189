/*
 * link.h: the socket as the client sees it: when to open it, what is said on
 * it apart from messages, the events that come, and catching up.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "client/inbox.h"
#include "client/outbox.h"
#include "client/setup.h"

/* The socket opened or closed. */
MUST_USE enum err link_up(struct step *s);
MUST_USE enum err link_down(struct step *s, struct span code);
/* An event came, from the socket or from `sync`. */
MUST_USE enum err link_event(struct step *s, struct span name,
    struct span json);
/* Says what came and what was read; sets timers. Part of link_pump. */
MUST_USE enum err link_say(struct step *s);
/* The acknowledgement of a read mark: *mine_out false: of something else. */
MUST_USE enum err link_ack(struct step *s, uint32_t ack, bool *mine_out);
/* The answer of GET /api/sync. */
MUST_USE enum err link_heard_sync(struct step *s,
    const struct call_answer *a);
/* Opens or closes the socket, catches up, says marks; sets timers. */
MUST_USE enum err link_pump(struct step *s);
/* Commands. */
MUST_USE enum err link_read(struct step *s, const struct client_input *in);
MUST_USE enum err link_typing(struct step *s, const struct client_input *in);
MUST_USE enum err link_away(struct step *s, const struct client_input *in);

#endif
