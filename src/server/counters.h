/*
 * counters.h: the edge's counters by name, for /metrics.
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include "edge/edge.h"

struct counter {
	const char *name;	/* nightjar_edge_..., */
	const char *help;
	bool is_counter;	/* else a gauge */
	size_t at;		/* offset in struct edge_stats */
};

#define COUNTERS_MAX 96
size_t counters_n(void);
const struct counter *counters_get(size_t i);
/* Its sum over n reactors. */
uint64_t counters_sum(const struct counter *c, const struct edge_stats *all,
    size_t n);

#endif
