/*
 * metrics.c: counts calls and prints the Prometheus text.
 */
#include "server/metrics.h"

#include <stdarg.h>
#include <stdio.h>

static const uint64_t bounds[] = METRICS_BOUNDS;
_Static_assert(sizeof(bounds) / sizeof(bounds[0]) == METRICS_BUCKETS - 1,
    "one bucket more than bounds");

void
metrics_count(struct metrics *m, const struct op *op, enum err e, uint64_t us)
{
	struct metrics_op *o = &m->op[ops_id(op)];
	size_t i = 0;

	while (i < METRICS_BUCKETS - 1 && us > bounds[i])
		i++;
	metric_add(&o->bucket[i], 1);
	metric_add(&o->sum_us, us);
	if (e == OK)
		return;
	metric_add(err_status(e) >= 500 ? &o->failed : &o->refused, 1);
}

__attribute__((format(printf, 2, 3)))
static enum err
line(struct buf *out, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return ERR_SPACE;
	return buf_add(out, text, (size_t)n);
}

static enum err
metrics_head(struct buf *out, const char *name, const char *help,
    const char *type)
{
	TRY(line(out, "# HELP %s %s\n", name, help));
	return line(out, "# TYPE %s %s\n", name, type);
}

#define SECONDS "nightjar_call_duration_seconds"

static enum err
metrics_histogram(const struct metrics *const *slots, size_t n, size_t op,
    struct buf *out)
{
	const char *name = ops_get((enum op_id)op)->name;
	uint64_t count = 0, sum = 0;

	for (size_t b = 0; b < METRICS_BUCKETS; b++) {
		for (size_t i = 0; i < n; i++)
			count += metric_get(&slots[i]->op[op].bucket[b]);
		if (b == METRICS_BUCKETS - 1)
			TRY(line(out, SECONDS "_bucket{op=\"%s\",le=\"+Inf\"}"
			    " %llu\n", name, (unsigned long long)count));
		else
			TRY(line(out, SECONDS "_bucket{op=\"%s\",le=\"%g\"}"
			    " %llu\n", name, (double)bounds[b] / 1e6,
			    (unsigned long long)count));
	}
	for (size_t i = 0; i < n; i++)
		sum += metric_get(&slots[i]->op[op].sum_us);
	TRY(line(out, SECONDS "_sum{op=\"%s\"} %.6f\n", name,
	    (double)sum / 1e6));
	return line(out, SECONDS "_count{op=\"%s\"} %llu\n", name,
	    (unsigned long long)count);
}

static enum err
metrics_failures(const struct metrics *const *slots, size_t n,
    struct buf *out)
{
	TRY(metrics_head(out, "nightjar_calls_failed_total",
	    "Calls answered with an error", "counter"));
	for (size_t op = 0; op < OP_MAX; op++) {
		uint64_t refused = 0, failed = 0;

		for (size_t i = 0; i < n; i++) {
			refused += metric_get(&slots[i]->op[op].refused);
			failed += metric_get(&slots[i]->op[op].failed);
		}
		const char *name = ops_get((enum op_id)op)->name;
		TRY(line(out, "nightjar_calls_failed_total{op=\"%s\","
		    "by=\"caller\"} %llu\n", name,
		    (unsigned long long)refused));
		TRY(line(out, "nightjar_calls_failed_total{op=\"%s\","
		    "by=\"server\"} %llu\n", name,
		    (unsigned long long)failed));
	}
	return OK;
}

enum err
metrics_text(const struct metrics *const *slots, size_t n,
    const struct metrics_gauge *more, size_t more_n, struct buf *out)
{
	static const char *const types[] = { "gauge", "counter" };

	TRY(metrics_head(out, SECONDS, "Time from request to answer",
	    "histogram"));
	for (size_t op = 0; op < OP_MAX; op++)
		TRY(metrics_histogram(slots, n, op, out));
	TRY(metrics_failures(slots, n, out));
#define GAUGE 0
#define COUNTER 1
#define METRIC(c_name, kind, name, help) do { \
	uint64_t sum = 0; \
	for (size_t i = 0; i < n; i++) \
		sum += metric_get(&slots[i]->c_name); \
	TRY(metrics_head(out, name, help, types[kind])); \
	TRY(line(out, name " %llu\n", (unsigned long long)sum)); \
	} while (0);
#include "server/metrics.def"
#undef METRIC
#undef COUNTER
#undef GAUGE
	for (size_t i = 0; i < more_n; i++) {
		TRY(metrics_head(out, more[i].name, more[i].help,
		    types[more[i].is_counter]));
		TRY(line(out, "%s %llu\n", more[i].name,
		    (unsigned long long)more[i].value));
	}
	return OK;
}
