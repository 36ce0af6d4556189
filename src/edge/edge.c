/*
 * edge.c: an edge as a whole: its memory, listeners, and its end. What
 * happens on connections is in conn.c and the files behind it.
 */
#include <assert.h>

#include "edge/poll.h"

void
edge_conf_default(struct edge_conf *c)
{
	*c = (struct edge_conf){
		.conns_max = 16384,
		.handshakes_max = 256,
		.head_max = 32768,
		.target_max = 8192,
		.fields_max = 100,
		.body_max = 1000000,
		.tls_ms = 10000,
		.head_ms = 10000,
		.body_ms = 30000,
		.silence_ms = 10000,
		.rate_min = 500,
		.spool_dir = "/var/tmp",
		.spool_max = 1u << 30,
		.mem_max = 512u << 20,
		.idle_ms = 75000,
		.answer_ms = 60000,
		.send_ms = 20000,
		.close_ms = 2000,
		.requests_max = 10000,
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 20000,
		.message_max = 1000000,
		.join_max = 16384,
		.polls_max = 8192,
		.linger_ms = 30000,
		.upgrade_ms = 10000,
		.forwards_max = 4096,
		.connect_ms = 45000,
		.session_socks_max = 256,
		.nsps_max = 1024,
		.rooms_max = 65536,
		.members_max = 262144,
		.sock_rooms_max = 256,
		.room_name_max = 1024,
		.asks_max = 65536,
		.sock_asks_max = 256,
		.attachments_max = 10,
		.binary_max = 16 << 20,
		.binary_ms = 60000,
		.links_max = 65536,
		.recovery_socks_max = 16384,
		.recovery_events_max = 65536,
		.recovery_bytes_max = 64 << 20,
		.out_max = 4 << 20,
		.held_max = 256 << 20,
		.ws_idle_ms = 60000,
		.deflate_bits = 12,
	};
}

static bool
conf_ok(const struct edge_conf *c)
{
	return c->conns_max > 0 && c->head_max >= 1024 &&
	    c->head_max <= 49152 && c->target_max > 0 &&
	    c->fields_max > 0 && c->fields_max <= HTTP_FIELDS_MAX &&
	    c->ping_interval_ms > 0 && c->ping_interval_ms <= UINT32_MAX &&
	    c->ping_timeout_ms > 0 && c->ping_timeout_ms <= UINT32_MAX &&
	    c->message_max > 0 && c->polls_max > 0 && c->forwards_max > 0 &&
	    c->out_max >= EDGE_SCRATCH &&
	    c->deflate_bits >= 9 && c->deflate_bits <= 15 &&
	    c->nsps_max > 0 && c->session_socks_max > 0 &&
	    c->room_name_max <= UINT16_MAX &&
	    c->attachments_max <= SIO_ATTACHMENTS_MAX;
}

static void
put_fields(struct wr *w, const struct http_field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		wr_span(w, f[i].name);
		http_put_field(w, "", f[i].value);
	}
}

/* The answer headers of the configuration, written once for all. */
static enum err
encode_headers(struct edge *e, const struct edge_conf *c)
{
	struct wr w;

	if ((e->headers = malloc(EDGE_HEADERS_BYTES)) == NULL)
		return ERR_NOMEM;
	w = wr_init(e->headers, EDGE_HEADERS_BYTES);
	put_fields(&w, c->headers, c->headers_n);
	e->headers_n = w.n;
	put_fields(&w, c->tls_headers, c->tls_headers_n);
	e->headers_all_n = w.n;
	return wr_ok(&w) ? OK : ERR_ARG;
}

/* What a session of that kind calls. */
static bool
can_serve(const struct edge_app *app, enum edge_kind kind)
{
	return kind == EDGE_ENGINE_IO ? app->on_message != NULL :
	    app->on_connect != NULL && app->on_event != NULL &&
	    app->on_close != NULL;
}

/* The Engine.IO paths; the one of Socket.IO where none is given. */
static enum err
copy_paths(struct edge *e, const struct edge_conf *c)
{
	const struct edge_path usual = { SPAN("/socket.io/"), EDGE_SOCKET_IO };
	const struct edge_path *p = c->paths == NULL ? &usual : c->paths;
	size_t n = c->paths == NULL ? 1 : c->paths_n;

	if (n > EDGE_PATHS_MAX)
		return ERR_ARG;
	for (size_t i = 0; i < n; i++) {
		struct eio_path *to = &e->paths[i];

		if (p[i].path.n < 2 || p[i].path.n > EDGE_PATH_MAX ||
		    p[i].path.p[0] != '/' || p[i].path.p[p[i].path.n - 1] !=
		    '/' || !can_serve(e->app, p[i].kind))
			return ERR_ARG;
		memcpy(to->text, p[i].path.p, p[i].path.n);
		to->n = p[i].path.n;
		to->kind = (uint8_t)p[i].kind;
	}
	e->paths_n = n;
	e->conf.paths = NULL;
	return OK;
}

static void
release(struct edge *e)
{
	slab_close(&e->conns);
	slab_close(&e->sessions);
	slab_close(&e->wsapps);
	edge_sio_close(e);
	slab_close(&e->exchanges);
	free(e->spool_dir);
	slab_close(&e->polls);
	map_fini(&e->addrs);
	map_fini(&e->poll_addrs);
	map_fini(&e->hs_addrs);
	free(e->headers);
	free(e->scratch);
	free(e->names);
	free(e);
}

/* What else of the configuration is the caller's memory. */
static enum err
copy_rest(struct edge *e, const struct edge_conf *c)
{
	if (c->trusted_n > EDGE_NETS_MAX)
		return ERR_ARG;
	for (size_t i = 0; i < c->trusted_n; i++)
		e->trusted[i] = c->trusted[i];
	e->trusted_n = c->trusted_n;
	e->conf.trusted = NULL;
	e->conf.spool_dir = NULL;
	if (c->spool_dir == NULL)
		return OK;
	e->spool_dir = strdup(c->spool_dir);
	return e->spool_dir != NULL ? OK : ERR_NOMEM;
}

static enum err
open_slabs(struct edge *e, uint32_t max)
{
	/* Ended ones stay until the tick's end, as new ones come. */
	uint32_t twice = max < UINT32_MAX / 2 ? max * 2 : max, sessions;

	TRY(slab_open(&e->conns, sizeof(struct conn), max));
	TRY(slab_open(&e->exchanges, sizeof(struct exchange), max));
	TRY(slab_open(&e->polls, sizeof(struct polling), e->conf.polls_max));
	/* So a WebSocket always finds a slot. */
	sessions = twice < UINT32_MAX / 2 - e->conf.polls_max ?
	    twice + 2 * e->conf.polls_max : twice;
	TRY(slab_open(&e->sessions, sizeof(struct session), sessions));
	TRY(slab_open(&e->wsapps, sizeof(struct wsapp), twice));
	return edge_sio_open(e);
}

static void on_drained(struct flush *f);

enum err
edge_open(struct reactor *r, const struct edge_conf *c,
    const struct edge_app *app, struct edge **out)
{
	struct edge *e;
	uint64_t seed;
	enum err err;

	if (!conf_ok(c) || app->on_request == NULL ||
	    (c->cors == EDGE_CORS_APP && app->on_origin == NULL))
		return ERR_ARG;
	if ((e = calloc(1, sizeof *e)) == NULL)
		return ERR_NOMEM;
	e->reactor = r;
	e->app = app;
	e->conf = *c;
	e->holds = (struct holds){ .chunks = reactor_pool_chunks(r),
	    .max = c->held_max, .both_max = c->mem_max };
	e->conf.headers = e->conf.tls_headers = NULL;	/* as text below */
	e->limits = (struct http_limits){ c->head_max, c->target_max,
	    c->fields_max, UINT64_MAX / 2 };	/* bodies: body_max, by us */
	e->drained.run = on_drained;
	e->tell.run = edge_sio_tell;
	e->gone = e->gone_last = SLAB_NONE;
	list_init(&e->over);
	list_init(&e->ws_over);
	e->ws_tell.run = edge_wsapp_tell;
	sys_random(&seed, sizeof seed);
	map_init(&e->addrs, EDGE_ADDR_KEY, c->conns_max, seed);
	map_init(&e->poll_addrs, EDGE_ADDR_KEY, c->polls_max, seed);
	map_init(&e->hs_addrs, EDGE_ADDR_KEY, c->conns_max, seed);
	sys_random(&e->sid_mask, sizeof e->sid_mask);
	e->scratch = malloc(EDGE_SCRATCH);
	e->names = malloc(EDGE_SCRATCH);
	err = e->scratch != NULL && e->names != NULL ? OK : ERR_NOMEM;
	if (err == OK)
		err = encode_headers(e, c);
	if (err == OK)
		err = copy_paths(e, c);
	if (err == OK)
		err = copy_rest(e, c);
	if (err == OK)
		err = open_slabs(e, c->conns_max);
	if (err != OK) {
		release(e);
		return err;
	}
	*out = e;
	return OK;
}

/* The limit of what is counted by address; 0 at first: it is not counted. */
static uint32_t
addr_limit(uint32_t was, uint32_t next)
{
	return was == 0 ? 0 : next == 0 ? UINT32_MAX : next;
}

enum err
edge_set_conf(struct edge *e, const struct edge_conf *c)
{
	struct edge_conf *to = &e->conf;

	if (!conf_ok(c))
		return ERR_ARG;
	to->addr_conns_max = addr_limit(to->addr_conns_max,
	    c->addr_conns_max);
	to->handshakes_max = c->handshakes_max;
	to->mem_max = e->holds.both_max = c->mem_max;
	to->head_max = c->head_max;
	to->target_max = c->target_max;
	to->fields_max = c->fields_max;
	e->limits = (struct http_limits){ c->head_max, c->target_max,
	    c->fields_max, UINT64_MAX / 2 };
	to->body_max = c->body_max;
	to->tls_ms = c->tls_ms;
	to->head_ms = c->head_ms;
	to->body_ms = c->body_ms;
	to->silence_ms = c->silence_ms;
	to->rate_min = c->rate_min;
	to->idle_ms = c->idle_ms;
	to->answer_ms = c->answer_ms;
	to->send_ms = c->send_ms;
	to->close_ms = c->close_ms;
	to->requests_max = c->requests_max;
	to->spool_max = c->spool_max;
	to->message_max = c->message_max;
	to->join_max = c->join_max;
	to->out_max = c->out_max;
	to->held_max = e->holds.max = c->held_max;
	to->deflates_max = c->deflates_max;
	to->eio_deflate = c->eio_deflate;
	to->addr_polls_max = addr_limit(to->addr_polls_max,
	    c->addr_polls_max);
	to->linger_ms = c->linger_ms;
	to->upgrade_ms = c->upgrade_ms;
	to->connect_ms = c->connect_ms;
	return OK;
}

/* Sessions that no WebSocket carries, and what is left of such. */
static void
end_polling(struct edge *e, enum edge_end why)
{
	struct polling *p;
	uint32_t at = 0;

	while ((p = slab_next(&e->polls, &at)) != NULL) {
		if (p->session->ended)
			edge_poll_end(p, why, false);
		else if (p->session->conn == NULL)
			edge_session_cut(p->session, why);
	}
}

/* Cuts off whatever is there. */
static void
cut_all(struct edge *e)
{
	struct conn *c;
	uint32_t at = 0;

	end_polling(e, EDGE_LOST);
	while ((c = slab_next(&e->conns, &at)) != NULL)
		stream_close(&c->stream);
}

void
edge_close(struct edge *e)
{
	if (e == NULL)
		return;
	reactor_adopt(e->reactor);
	edge_listen_end(e);
	timer_cancel(&e->drain);
	edge_mesh_shut(e);
	cut_all(e);
	while (e->conns.n > 0 || e->socks.n > 0 || e->sessions.n > 0 ||
	    e->wsapps.n > 0)
		reactor_tick(e->reactor, 0);
	reactor_flush_cancel(&e->drained);
	reactor_flush_cancel(&e->tell);
	reactor_flush_cancel(&e->ws_tell);
	edge_mesh_leave(e);
	release(e);
}

enum err
edge_adopt(struct edge *e, int fd, const struct sys_addr *peer)
{
	uint32_t before = e->conns.n;

	edge_conn_open(e, fd, peer, NULL, 0);
	return e->conns.n > before ? OK : ERR_LIMIT;
}

/* ---- Drain ---- */

/* Asked for whenever a connection has gone meanwhile. */
static void
on_drained(struct flush *f)
{
	struct edge *e = (struct edge *)(void *)((char *)f -
	    offsetof(struct edge, drained));
	void (*done)(void *) = e->drain_done;

	if (e->conns.n > 0 || e->socks.n > 0 || e->sessions.n > 0 ||
	    e->wsapps.n > 0 || done == NULL)
		return;
	timer_cancel(&e->drain);
	e->drain_done = NULL;
	done(e->drain_arg);
}

static void
on_deadline(struct timer *t)
{
	cut_all((struct edge *)(void *)((char *)t -
	    offsetof(struct edge, drain)));
}

static void
drain_conn(struct conn *c, uint16_t code)
{
	switch ((enum conn_state)c->state) {
	case CONN_TLS:
		stream_close(&c->stream);
		break;
	case CONN_HEAD:
		if (c->pend == NULL)
			edge_conn_finish(c);
		break;
	case CONN_WS:
		edge_conn_disown(c, EDGE_DRAIN);
		edge_ws_close(c, code, "");
		break;
	case CONN_BODY:		/* is answered, then ends */
	case CONN_ANSWER:
	case CONN_MOVING:	/* or is gone */
	case CONN_CLOSING:
		break;
	}
}

void
edge_drain(struct edge *e, uint16_t code, uint64_t deadline_ms,
    void (*done)(void *arg), void *arg)
{
	struct conn *c;
	uint32_t at = 0;

	assert(!e->draining);
	e->draining = true;
	e->drain_done = done;
	e->drain_arg = arg;
	edge_mesh_drain(e);
	edge_listen_end(e);
	end_polling(e, EDGE_DRAIN);
	while ((c = slab_next(&e->conns, &at)) != NULL)
		drain_conn(c, code);
	timer_start(reactor_wheel(e->reactor), &e->drain, deadline_ms,
	    on_deadline);
	reactor_flush(e->reactor, &e->drained);
}

const char *
edge_end_name(enum edge_end why)
{
	static const char *const names[] = {
		[EDGE_BY_CLIENT] = "client disconnect",
		[EDGE_BY_APP] = "server disconnect",
		[EDGE_LOST] = "transport close",
		[EDGE_PING] = "ping timeout",
		[EDGE_SLOW] = "slow reader",
		[EDGE_PROTOCOL] = "protocol error",
		[EDGE_DRAIN] = "server going away",
	};

	return names[why];
}

const struct edge_stats *
edge_stats(const struct edge *e)
{
	return &e->stats;
}

struct reactor *
edge_reactor(const struct edge *e)
{
	return e->reactor;
}
