/*
 * history.h: walks the last entries of the direct chat with a person.
 */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "cli/host.h"
#include "cli/tty.h"

typedef enum err (*history_fn)(struct host *h, const struct client_item *it,
    void *ctx);

/*
 * Calls fn for the last `limit` entries, oldest first; no entries is OK, too.
 * Stops at fn's first error and returns it. ERR_STORE.
 */
MUST_USE enum err history_last(struct host *h, const struct user_id *user,
    size_t limit, history_fn fn, void *ctx);

#endif
