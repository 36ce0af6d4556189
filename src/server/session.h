/*
 * session.h: the login sessions that one reactor remembers, so that a token
 * costs no query. What is not here is read from the database. A session that
 * ends or changes does so in the database first and then here, on every
 * reactor, before its caller is answered; `epoch` tells a reader whose query
 * was under way meanwhile that it has to ask again.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include "base/list.h"
#include "base/map.h"
#include "net/pool.h"
#include "server/call.h"

struct sessions {
	struct map by_id;
	struct pool pool;
	struct list used;	/* longest unused first */
	size_t max;
	uint32_t epoch;		/* changes with every end or change */
};

void sessions_init(struct sessions *s, size_t max, uint64_t seed);
void sessions_fini(struct sessions *s);
/* NULL: not here. Good until the next call. */
const struct caller *sessions_find(struct sessions *s,
    const struct session_id *id);
/* Keeps it; without memory it is simply not kept. */
void sessions_put(struct sessions *s, const struct caller *who);
void sessions_forget(struct sessions *s, const struct session_id *id);
void sessions_set_device(struct sessions *s, const struct session_id *id,
    uint32_t device);

#endif
