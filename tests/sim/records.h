/*
 * records.h: what a client keeps, in memory: records by (kind, key) in order,
 * as an immutable tree of which any version can be kept: a commit is a new
 * root, an older profile is an older root.
 */
#ifndef SIM_RECORDS_H
#define SIM_RECORDS_H

#include "base/arena.h"

struct record_node;
/* A version; NULL is the empty one. Each holder has a reference. */
typedef struct record_node *records;

records records_ref(records r);
void records_unref(records r);
/* A version with the change; r itself stays as it is. */
records records_put(records r, uint8_t kind, struct span key,
    struct span value);
records records_del(records r, uint8_t kind, struct span key);
/* As struct client_host's load and seek. */
MUST_USE enum err records_load(records r, uint8_t kind, struct span key,
    struct arena *a, struct span *value_out);
MUST_USE enum err records_seek(records r, uint8_t kind, struct span prefix,
    struct span from, bool back, struct arena *a, struct span *key_out,
    struct span *value_out);

#endif
