/*
 * reload.h: what changes while the server runs: configuration, certificate.
 * On main's thread; reactors hear of it by mail. See server.h.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "server/frame.h"
#include "server/server.h"

/*
 * A context of these texts with the server's tickets. ERR_FORMAT,
 * ERR_CONFLICT, ERR_NOMEM, with the reason in err_out.
 */
MUST_USE enum err reload_tls(struct server *s, struct span cert_pem,
    struct span key_pem, struct tls_ctx **out, struct server_error *err_out);

#endif
