/*
 * metrics.h: counters of one reactor, each written by that reactor alone and
 * read by whichever answers /metrics. Per operation: calls, failures by
 * kind, a latency histogram; beside them the rows of metrics.def.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdatomic.h>

#include "server/ops.h"

typedef _Atomic uint64_t metric;

/* Upper bounds of the histogram in microseconds; one more for the rest. */
#define METRICS_BOUNDS { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, \
	50000, 100000, 250000, 1000000 }
#define METRICS_BUCKETS 13

struct metrics_op {
	metric bucket[METRICS_BUCKETS];
	metric sum_us;
	metric refused;		/* 4xx */
	metric failed;		/* 5xx */
};

struct metrics {
	struct metrics_op op[OP_MAX];
#define METRIC(c_name, ...) metric c_name;
#include "server/metrics.def"
#undef METRIC
};

/* By the owner only: a plain load and store, no locked instruction. */
static inline void
metric_add(metric *m, uint64_t n)
{
	atomic_store_explicit(m, atomic_load_explicit(m, memory_order_relaxed)
	    + n, memory_order_relaxed);
}

static inline void
metric_set(metric *m, uint64_t n)
{
	atomic_store_explicit(m, n, memory_order_relaxed);
}

static inline uint64_t
metric_get(const metric *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

/* One call of op has ended with e after `us` microseconds. */
void metrics_count(struct metrics *m, const struct op *op, enum err e,
    uint64_t us);

/* What the whole process has, beside the reactors' slots. */
struct metrics_gauge {
	const char *name, *help;
	bool is_counter;
	uint64_t value;
};
/*
 * The text of /metrics (Prometheus 0.0.4) over n reactors' slots and further
 * values.
 */
MUST_USE enum err metrics_text(const struct metrics *const *slots, size_t n,
    const struct metrics_gauge *more, size_t more_n, struct buf *out);

#endif
