/*
 * limits.h: from the configuration's keys to the edge's limits.
 */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include "edge/edge.h"
#include "server/conf.h"

/* Networks of a list such as "127.0.0.1, 10.0.0.0/8". */
struct limits_nets {
	struct edge_net all[EDGE_NETS_MAX];
	size_t n;
};

#define LIMITS_WRONG "edge.trusted must be addresses or networks such as " \
	"127.0.0.1 or 10.0.0.0/8, at most 32, comma separated, and " \
	"edge.trusted_field x-forwarded or forwarded"

/* False: not such a list, or more than EDGE_NETS_MAX. */
bool limits_nets_decode(const char *list, struct limits_nets *out);
/*
 * What the edges of this configuration get.
 *   nets  out  of c->edge_trusted; out refers to it
 *   out   out  everything but answer headers and paths
 * ERR_VALIDATION: a value that conf_load has let through can not be.
 */
MUST_USE enum err limits_edge(const struct conf *c, struct limits_nets *nets,
    struct edge_conf *out);

#endif
