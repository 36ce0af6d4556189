/*
 * server.h: the process: starts store, work pool and reactors, stops them in
 * order. Called by main alone, on the main thread.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/conf.h"
#include "server/data.h"

struct server;

struct server_error {
	char text[DATA_PATH_MAX + 256];
};

/*
 * Opens everything and begins to serve. conf is the server's from then on;
 * data stays the caller's and has to outlive it.
 * Errors come with a sentence for the operator.
 */
MUST_USE enum err server_open(struct conf *conf, const struct data *data,
    struct server **out, struct server_error *err_out);
/*
 * Live keys of next (made by conf_load) hold from now on; next is taken. What
 * waits for a restart goes to the log. ERR_BUSY: too many reloads within ten
 * minutes; ERR_VALIDATION: a value can not be. The present one goes on then,
 * with the reason in err_out.
 */
MUST_USE enum err server_reload(struct server *s, struct conf *next,
    struct server_error *err_out);
/*
 * Reads certificate and key of the present configuration anew: TLS
 * connections that begin from now on get them, those that are open go on as
 * they are. On failure the old ones stay, with the reason in err_out.
 */
MUST_USE enum err server_reload_cert(struct server *s,
    struct server_error *err_out);
/* The present configuration; good until the next server_reload. */
const struct conf *server_conf(const struct server *s);
/*
 * Stops taking connections, tells clients, lets what is under way end (at
 * most SERVER_DRAIN_MS), closes. False: something had to be cut off.
 */
#define SERVER_DRAIN_MS 25000
bool server_close(struct server *s);

#endif
