/*
 * browser.h: what browsers add to a request: cookies and origins. For the
 * server's own files; what steps of operations use of it is in call.h.
 */
#ifndef SERVER_BROWSER_H
#define SERVER_BROWSER_H

#include "server/frame.h"

/*
 * Is this the origin of the request's own host, or one of edge.origins?
 *   host  in  the field Host of the request
 */
bool browser_is_own(struct span origin, struct span host, bool tls);
bool browser_is_listed(const struct conf *conf, struct span origin);
/*
 * The value of a cookie in the field Cookie (RFC 6265 4.2.1), within `all`; of
 * several that of the first; empty when there is none.
 */
struct span browser_cookie(struct span all, struct span name);
/* Takes over from a REST request what calls may look at. ERR_TOO_LARGE. */
MUST_USE enum err browser_take(struct frame *f,
    const struct edge_request *req);
/*
 * Answers a CORS preflight (fetch.spec.whatwg.org, 4.8) of a path that has
 * the methods `allow`. False: it is none.
 */
bool browser_preflight(struct shard *s, struct edge_ref ref,
    const struct edge_request *req, const char *allow,
    struct span request_id);

#define BROWSER_HEADERS_MAX 6
/* Fields of the answer of f: at most BROWSER_HEADERS_MAX; how many. */
size_t browser_headers(const struct frame *f, struct http_field *out);

#endif
