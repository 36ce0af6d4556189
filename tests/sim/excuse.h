/*
 * excuse.h: which messages may stay refused, each for a reason that is looked
 * up in the profiles: this message, on this device, and what the protocol says
 * about it (docs/protocol.md, "Retries"). Everything else that is refused has
 * to be repaired.
 */
#ifndef SIM_EXCUSE_H
#define SIM_EXCUSE_H

#include "sim/world.h"

enum excuse {
	EXCUSE_NONE,		/* it must not stay */
	EXCUSE_OWN,		/* sent by this device itself, and forgotten
				 * when its profile went back */
	EXCUSE_REVOKED,		/* its sender was taken off the account: it can
				 * answer nobody */
	EXCUSE_FORGOTTEN,	/* its sender's profile went back to before it:
				 * it has nothing to send again */
	EXCUSE_CERT,		/* it was meant for an earlier certificate of
				 * this device */
	EXCUSE_ANSWERED,	/* it was sent again today, and the device went
				 * back to before that */
	EXCUSE_WENT_BACK,	/* this device or its sender went back, and the
				 * request or its answer was lost with that */
	EXCUSES
};

/* In few words, for the end of a run. */
const char *excuse_name(enum excuse e);

/* Notes that d shows that item as refused. */
void excuse_note(struct world *w, const struct device *d,
    const struct client_item *it);
/* The note of that event on d; NULL: it was never refused there. */
const struct world_refused *excuse_find(const struct world *w,
    const struct device *d, const struct event_id *event);
/* The one of the message that stands there: one that was edited is refused
 * under the edit's id. */
const struct world_refused *excuse_at(const struct world *w,
    const struct device *d, uint64_t position);
enum excuse excuse_of(const struct world *w, const struct world_refused *r);
/*
 * May it be refused at first? Only when something went back, was revoked, or
 * got new keys; elsewhere the first sending has to open.
 */
bool excuse_is_explained(const struct world *w, const struct device *d,
    const struct client_item *it);

#endif
