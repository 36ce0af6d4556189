/*
 * route.h: from method and path to an operation, by the HTTP rows of
 * names.def. Made once at start and read by all reactors.
 */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "server/call.h"

#define ROUTE_SEGMENTS_MAX 8
#define ROUTE_PARAMS_MAX 4
#define ROUTE_ALLOW_MAX 64	/* bytes of an Allow header, with its NUL */

enum dialect { DIALECT_api, DIALECT_bare, DIALECT_list, DIALECT_raw };

struct route {
	struct span method;
	struct span segments[ROUTE_SEGMENTS_MAX];	/* ":x" is a parameter */
	size_t n;
	const struct op *op;
	enum dialect dialect;
};

struct route_param {
	struct span name;	/* without the colon */
	struct span value;	/* still percent-encoded */
};

struct route_match {
	const struct route *route;
	struct route_param params[ROUTE_PARAMS_MAX];
	size_t params_n;
	char allow[ROUTE_ALLOW_MAX];	/* of ERR_METHOD_NOT_ALLOWED */
};

/* How many there are. */
size_t route_count(void);
/* Fills routes[route_count()]. A row that is malformed is a bug: asserts. */
void route_init(struct route *routes);
/*
 * The route of a request. A literal segment goes before a parameter; HEAD
 * is answered by the GET route; one trailing slash is not ignored.
 * ERR_NOT_FOUND: no such path. ERR_METHOD_NOT_ALLOWED: allow says which.
 */
MUST_USE enum err route_find(const struct route *routes, size_t n,
    struct span method, struct span path, struct route_match *out);

#endif
