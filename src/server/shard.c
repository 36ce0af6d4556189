/*
 * shard.c: opens and closes one reactor's part; gathers what all of them
 * counted for /metrics.
 */
#include "server/shard.h"

#include "server/counters.h"
#include "server/ops.h"
#include "server/sock.h"

#define SOCKS_KEEP 256
#define METRICS_TEXT_MAX ((size_t)1 << 20)
#define MORE_MAX (48 + COUNTERS_MAX)

enum err
shard_open(struct shard *s, struct server *server, unsigned index,
    const struct edge_app *app, const struct edge_conf *conf)
{
	s->server = server;
	s->index = index;
	TRY(reactor_open(index, &s->reactor));
	directory_init(&s->directory, index, server->seed);
	sessions_init(&s->sessions, atomic_load(&server->conf)->sessions_cache,
	    server->seed);
	pool_init(&s->frames, sizeof(struct frame) +
	    server->shards_n * sizeof(struct piece), FRAME_POOL_KEEP);
	pool_init(&s->socks, sizeof(struct sock), SOCKS_KEEP);
	wait_init(s);
	return edge_open(s->reactor, conf, app, &s->edge);
}

void
shard_close(struct shard *s)
{
	if (s->reactor == NULL)
		return;
	reactor_adopt(s->reactor);
	if (s->edge != NULL)
		edge_close(s->edge);
	typing_fini(s);
	deliver_fini(s);
	directory_fini(&s->directory);
	sessions_fini(&s->sessions);
	pool_fini(&s->frames);
	pool_fini(&s->socks);
	reactor_close(s->reactor);
	memset(s, 0, sizeof(*s));
}

/* ---- metrics ---- */

static void
shard_gather(struct shard *s, struct frame *f)
{
	if (f->edge_stats != NULL)
		f->edge_stats[s->index] = *edge_stats(s->edge);
	metric_set(&s->metrics.calls_pooled, s->frames.n_free);
	metric_set(&s->metrics.sessions_cached, s->sessions.by_id.n);
}

struct more {
	struct metrics_gauge all[MORE_MAX];
	size_t n;
};

static void
more_add(struct more *m, const char *name, const char *help, bool is_counter,
    uint64_t value)
{
	if (m->n < MORE_MAX)
		m->all[m->n++] = (struct metrics_gauge){ name, help,
		    is_counter, value };
}

/* The edge's counters, each the sum over all shards. */
static void
more_edge(struct more *m, const struct frame *f)
{
	struct edge_stats sum = { 0 };

	for (unsigned i = 0; i < f->home->server->shards_n; i++) {
		const struct edge_stats *e = &f->edge_stats[i];

		sum.accepted += e->accepted;
		sum.conns += e->conns;
		sum.sockets += e->sockets;
		sum.requests += e->requests;
		sum.events_in += e->events_in;
		sum.emits += e->emits;
		sum.bytes_in += e->bytes_in;
		sum.bytes_out += e->bytes_out;
		sum.conns_over += e->conns_over;
		sum.tls_failed += e->tls_failed + e->tls_late;
		sum.bad_requests += e->bad_requests + e->head_large +
		    e->head_late + e->body_large + e->body_late;
		sum.bad_handshakes += e->bad_handshakes;
		sum.bad_frames += e->bad_frames + e->bad_packets;
		sum.message_large += e->message_large;
		sum.ping_late += e->ping_late + e->connect_late;
		sum.slow_readers += e->slow_readers;
	}
	more_add(m, "nightjar_connections", "Open connections", false,
	    sum.conns);
	more_add(m, "nightjar_connections_total", "Connections accepted",
	    true, sum.accepted);
	more_add(m, "nightjar_connections_refused_total",
	    "Connections refused: all slots in use", true, sum.conns_over);
	more_add(m, "nightjar_tls_failed_total",
	    "TLS handshakes that failed or took too long", true,
	    sum.tls_failed);
	more_add(m, "nightjar_requests_total", "HTTP requests", true,
	    sum.requests);
	more_add(m, "nightjar_bad_requests_total",
	    "HTTP requests that were malformed, too large or too slow", true,
	    sum.bad_requests);
	more_add(m, "nightjar_bad_handshakes_total",
	    "WebSocket or Engine.IO handshakes refused", true,
	    sum.bad_handshakes);
	more_add(m, "nightjar_bad_frames_total",
	    "WebSocket frames or packets that broke a rule", true,
	    sum.bad_frames);
	more_add(m, "nightjar_messages_too_large_total",
	    "Socket messages above the limit", true, sum.message_large);
	more_add(m, "nightjar_pings_missed_total",
	    "Sockets closed since they did not answer", true, sum.ping_late);
	more_add(m, "nightjar_slow_readers_total",
	    "Sockets closed since they read too slowly", true,
	    sum.slow_readers);
	more_add(m, "nightjar_events_in_total", "Socket events received",
	    true, sum.events_in);
	more_add(m, "nightjar_events_out_total", "Socket events sent", true,
	    sum.emits);
	more_add(m, "nightjar_bytes_in_total", "Bytes received", true,
	    sum.bytes_in);
	more_add(m, "nightjar_bytes_out_total", "Bytes sent", true,
	    sum.bytes_out);
}

/* Each of the edge's counters by itself. */
static void
more_counters(struct more *m, const struct frame *f)
{
	for (size_t i = 0; i < counters_n(); i++) {
		const struct counter *c = counters_get(i);

		more_add(m, c->name, c->help, c->is_counter, counters_sum(c,
		    f->edge_stats, f->home->server->shards_n));
	}
}

static void
more_store(struct more *m, struct server *server)
{
	struct store_stats s;

	store_stats(server->store, &s);
	more_add(m, "nightjar_store_batches_total", "Commits", true,
	    s.batches);
	more_add(m, "nightjar_store_writes_total", "Calls written", true,
	    s.jobs);
	more_add(m, "nightjar_store_reads_total", "Calls read", true,
	    s.reads);
	more_add(m, "nightjar_store_failed_total",
	    "Calls whose commit failed", true, s.failed);
	more_add(m, "nightjar_store_reruns_total", "Batches run again", true,
	    s.reruns);
	more_add(m, "nightjar_store_commit_microseconds_total",
	    "Time spent in commits", true, s.commit_us);
	more_add(m, "nightjar_store_waiting", "Calls that wait for the store",
	    false, s.waiting);
	more_add(m, "nightjar_store_position", "Newest committed position",
	    false, s.position);
	more_add(m, "nightjar_store_up", "1 while commits work", false,
	    store_health(server->store) == OK);
	more_add(m, "nightjar_hashes_waiting", "Password hashes that wait",
	    false, work_waiting(server->work));
	more_add(m, "process_resident_memory_bytes", "Resident memory",
	    false, sys_resident());
	more_add(m, "process_start_time_seconds",
	    "Start of the process, Unix time", false,
	    server->started_ms / 1000);
}

static void
shard_metrics_text(struct frame *f)
{
	struct server *server = f->home->server;
	const struct metrics *slots[DIRECTORY_REACTORS_MAX];
	struct more more = { .n = 0 };
	struct buf out;
	enum err e;

	for (unsigned i = 0; i < server->shards_n; i++)
		slots[i] = &server->shards[i].metrics;
	more_edge(&more, f);
	more_store(&more, server);
	more_counters(&more, f);
	buf_init(&out, METRICS_TEXT_MAX);
	e = metrics_text(slots, server->shards_n, more.all, more.n, &out);
	if (e == OK)
		e = arena_dup(&f->call.arena, buf_span(&out), &f->raw_body);
	buf_fini(&out);
	f->raw_type = "text/plain; version=0.0.4; charset=utf-8";
	if (e != OK)
		f->late = e;
}

void
shard_metrics(struct call *c)
{
	struct frame *f = frame_of(c);

	f->edge_stats = arena_alloc(&c->arena,
	    f->home->server->shards_n * sizeof(*f->edge_stats));
	if (f->edge_stats == NULL) {
		f->late = ERR_NOMEM;
		return;
	}
	f->after_emit = shard_gather;
	f->then = shard_metrics_text;
}
