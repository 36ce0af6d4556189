/*
 * archives.h: what the key backup does with archives.
 */
#ifndef SERVER_OPS_ARCHIVES_H
#define SERVER_OPS_ARCHIVES_H

#include "server/call.h"

/*
 * In write: the caller's archive does not expire any more. ERR_VALIDATION:
 * it is none that a backup may name.
 */
MUST_USE enum err archives_keep(struct call *c, struct txn *t,
    const struct any_id *id);
/*
 * In write: nobody sees this archive of the caller from now on, and its bytes
 * go, at the latest with the next sweeps. OK when there is none. Nothing may
 * name it.
 */
MUST_USE enum err archives_drop(struct call *c, struct txn *t,
    const struct any_id *id);

#endif
