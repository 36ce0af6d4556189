/*
 * shard.h: one reactor's part of the server: opening, closing, its metrics.
 */
#ifndef SERVER_SHARD_H
#define SERVER_SHARD_H

#include "server/frame.h"

/* Opens reactor and edge; not yet running. ERR_NOMEM, ERR_IO. */
MUST_USE enum err shard_open(struct shard *s, struct server *server,
    unsigned index, const struct edge_app *app, const struct edge_conf *conf);
/* After its thread has ended; a zeroed one is fine. */
void shard_close(struct shard *s);

#endif
