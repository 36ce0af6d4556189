/*
 * listing.h: the devices that an account's newest list names, for the files
 * that read and change it.
 */
#ifndef SERVER_OPS_LISTING_H
#define SERVER_OPS_LISTING_H

#include "server/call.h"
#include "store/txn.h"

struct listing_devices {
	struct q_device_list_all_out *p;
	size_t n;
};

/* All of them, by number; in the call's arena. ERR_TOO_LARGE, the store's. */
MUST_USE enum err listing_devices(struct call *c, struct txn *t,
    const struct user_id *user, struct listing_devices *out);

/*
 * In write: does the caller's session still speak for its device? It may have
 * ended, or the device been removed, since the session was looked up.
 * ERR_FORBIDDEN.
 */
MUST_USE enum err listing_speaks(struct call *c, struct txn *t);

#endif
