/* counters.c: the table of counters.def. */
#include "server/counters.h"

#include <stddef.h>

#define COUNTER true, "_total"
#define GAUGE false, ""
#define NAME(field, is, suffix, help) { "nightjar_edge_" #field suffix, \
	help, is, offsetof(struct edge_stats, field) },
#define EXPAND(...) NAME(__VA_ARGS__)
static const struct counter rows[] = {
#define EDGE(field, kind, help) EXPAND(field, kind, help)
#include "server/counters.def"
#undef EDGE
};
#define ROWS_N (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS_N <= COUNTERS_MAX, "room in /metrics");

size_t
counters_n(void)
{
	return ROWS_N;
}

const struct counter *
counters_get(size_t i)
{
	return &rows[i];
}

uint64_t
counters_sum(const struct counter *c, const struct edge_stats *all, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t one;

		memcpy(&one, (const char *)&all[i] + c->at, sizeof(one));
		sum += one;
	}
	return sum;
}
