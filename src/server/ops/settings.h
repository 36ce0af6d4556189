/*
 * settings.h: what a person lets others hear of him, for the operations that
 * would tell it.
 */
#ifndef SERVER_OPS_SETTINGS_H
#define SERVER_OPS_SETTINGS_H

#include "server/call.h"
#include "store/txn.h"

/* Bytes of the sealed part (docs/api.md, "Settings, blocks, reports"). */
#define SETTINGS_DATA_MAX 65536

/*
 * The caller's flags, all of them given; who has never set any lets others
 * hear everything.
 */
MUST_USE enum err settings_flags(struct call *c, struct txn *t,
    struct settings_flags_rec *out);
/* Settings as their owner sees them. */
MUST_USE enum err settings_load(struct call *c, struct txn *t,
    struct settings_rep *out);

#endif
