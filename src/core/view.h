/*
 * view.h: the echo of views (docs/protocol.md, "Echo of views"): every event
 * says which device lists its sender knows, so that a server that shows two
 * people different lists is found out without a log. Freestanding.
 *	u64 own list version | u64 peer list version |
 *	TH("NJ1 view", own devlist_hash, peer devlist_hash)[0..16)
 */
#ifndef CORE_VIEW_H
#define CORE_VIEW_H

#include "core/event.h"
#include "crypto/provider.h"

struct view_side {
	uint64_t version;
	uint8_t hash[SHA256_LEN];	/* devlist_hash */
};

enum view_verdict {
	VIEW_SAME,
	VIEW_NEWER,	/* the sender knows a newer list: fetch it */
	VIEW_OLDER,	/* the sender knows an older one */
	VIEW_CONFLICT	/* the same versions, other lists: warn at once */
};

MUST_USE enum err view_make(const struct provider *p,
    const struct view_side *own, const struct view_side *peer,
    uint8_t out[static EVENT_VIEW_LEN]);
/* A view received: own and peer as *we* know them. */
MUST_USE enum err view_check(const struct provider *p,
    const struct view_side *own, const struct view_side *peer,
    const uint8_t view[static EVENT_VIEW_LEN], enum view_verdict *out);

#endif
