/*
 * server.c: start and stop of the process.
 */
#include "server/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/eraser.h"
#include "server/limits.h"
#include "server/mailer.h"
#include "server/memory.h"
#include "server/ops.h"
#include "server/reload.h"
#include "server/shard.h"

#define LIMIT_SLOTS ((size_t)1 << 18)
/* The next part of what is over, when there is much of it. */
#define SERVER_EXPIRE_SOON_MS 100
#define SERVER_SETTLE_MS 10	/* looks again whether calls have ended */
#define SERVER_CUT_MS 28000	/* the limit of all of it */
#define CLOSE_GOING_AWAY 1001	/* RFC 6455 7.4.1 */
#define LISTEN_ADDRS_MAX 4

#define HEADER(name, value) { { (const uint8_t *)(name), sizeof(name) - 1 }, \
	{ (const uint8_t *)(value), sizeof(value) - 1 } }

/* On every answer; docs/api.md, REST. */
static const struct http_field headers[] = {
	HEADER("Content-Security-Policy", "default-src 'self'; script-src "
	    "'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' "
	    "data: blob:; media-src 'self' blob:; connect-src 'self'; "
	    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
	    "form-action 'self'"),
	HEADER("X-Content-Type-Options", "nosniff"),
	HEADER("X-Frame-Options", "DENY"),
	/* The filter of old browsers could itself be used to attack. */
	HEADER("X-XSS-Protection", "0"),
	HEADER("Referrer-Policy", "no-referrer"),
	HEADER("Cross-Origin-Opener-Policy", "same-origin"),
	HEADER("Cross-Origin-Resource-Policy", "same-origin"),
	HEADER("Permissions-Policy", "accelerometer=(), autoplay=(), "
	    "bluetooth=(), camera=(), display-capture=(), geolocation=(), "
	    "gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), "
	    "payment=(), serial=(), usb=()"),
};
static const struct http_field tls_headers[] = {
	HEADER("Strict-Transport-Security",
	    "max-age=31536000; includeSubDomains; preload"),
};

__attribute__((format(printf, 3, 4)))
static enum err
server_wrong(struct server_error *out, enum err e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	return e;
}

/* ---- listening ---- */

/* How an address is listened on. */
struct listen {
	const char *key;		/* of the configuration */
	struct tls_ctx *tls;		/* or NULL */
	const struct edge_redirect *redirect;	/* or NULL */
};

static enum err
server_listen_on(struct server *s, const struct sys_addr *a,
    const struct listen *l, const char *text, struct server_error *out)
{
	bool any = strncmp(text, "[::]:", 5) == 0 ||
	    strncmp(text, "0.0.0.0:", 8) == 0;
	enum err e = sys_port_free(a);

	for (unsigned i = 0; e == OK && i < s->shards_n; i++)
		e = l->redirect != NULL ? edge_listen_redirect(
		    s->shards[i].edge, a, l->redirect, NULL) :
		    edge_listen(s->shards[i].edge, a, l->tls, NULL);
	if (e == ERR_CONFLICT)
		return server_wrong(out, e, "%s is in use by another program%s; "
		    "choose another address with --set %s=ADDRESS:PORT",
		    text, any ? " (or by us: [::] alone is IPv4, too)" : "",
		    l->key);
	if (e == ERR_ARG && l->redirect != NULL)
		return server_wrong(out, ERR_VALIDATION, "tls.names must be "
		    "host names or addresses: %s sends people there", l->key);
	if (e == ERR_FORBIDDEN)
		return server_wrong(out, e,
		    "listening on %s (%s) is not allowed", text, l->key);
	if (e != OK)
		return server_wrong(out, e,
		    "listening on %s (%s) is not possible", text, l->key);
	return OK;
}

/* Splits "127.0.0.1:3000", "[::1]:3000" or "localhost:3000". */
static bool
split_address(struct span item, struct span *host, uint16_t *port_out)
{
	size_t colon = item.n;
	uint64_t port;

	while (colon > 0 && item.p[colon - 1] != ':')
		colon--;
	if (item.n == 0 || colon == 0 ||
	    !span_u64(span_sub(item, colon, item.n), 65535, &port))
		return false;
	*host = span_sub(item, 0, colon - 1);
	if (host->n >= 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
		*host = span_sub(*host, 1, host->n - 2);
	*port_out = (uint16_t)port;
	return true;
}

static enum err
server_listen_at(struct server *s, struct span item, const struct listen *l,
    struct server_error *out)
{
	char text[128];
	struct sys_addr addrs[LISTEN_ADDRS_MAX];
	struct span host;
	uint16_t port;
	size_t n = 0;

	if (item.n >= sizeof(text) || !split_address(item, &host, &port))
		return server_wrong(out, ERR_VALIDATION,
		    "%s must be addresses with ports, such as "
		    "127.0.0.1:3000 or [::1]:3000, comma separated", l->key);
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (sys_addr_decode(text, port, &addrs[0]))
		n = 1;
	else if (sys_resolve(text, port, addrs, LISTEN_ADDRS_MAX, &n) != OK)
		return server_wrong(out, ERR_VALIDATION,
		    "%s: there is no address \"%s\"", l->key, text);
	memcpy(text, item.p, item.n);
	text[item.n] = '\0';
	for (size_t i = 0; i < n; i++)
		TRY(server_listen_on(s, &addrs[i], l, text, out));
	return OK;
}

static enum err
server_listen(struct server *s, const char *list, const struct listen *l,
    struct server_error *out)
{
	struct span left = span_str(list);

	while (left.n > 0) {
		size_t end = span_find(left, ',');
		struct span item = span_sub(left, 0, end);

		while (item.n > 0 && item.p[0] == ' ')
			item = span_sub(item, 1, item.n);
		TRY(server_listen_at(s, item, l, out));
		left = span_sub(left, end + 1, left.n);
	}
	return OK;
}

/*
 * The hosts that a redirect may lead to. tls.names, unless they are not about
 * the certificate (one from elsewhere, and nobody has set them): then any.
 */
#define REDIRECT_NAMES_MAX 64

struct redirect_names {
	char text[2 * CONF_TLS_NAMES_MAX];
	struct span at[REDIRECT_NAMES_MAX];
};

static size_t
redirect_names(const struct conf *c, struct redirect_names *out)
{
	struct span left = span_str(c->tls_names);
	struct wr w = wr_init(out->text, sizeof(out->text));
	size_t n = 0;

	if (c->tls_cert[0] != '\0' &&
	    strcmp(c->tls_names, CONF_TLS_NAMES) == 0)
		return 0;
	while (left.n > 0 && n < REDIRECT_NAMES_MAX) {
		size_t end = span_find(left, ','), from = w.n;
		struct span item = span_sub(left, 0, end);
		bool is_v6;

		while (item.n > 0 && item.p[0] == ' ')
			item = span_sub(item, 1, item.n);
		is_v6 = span_find(item, ':') < item.n;
		wr_str(&w, is_v6 ? "[" : "");
		wr_span(&w, item);
		wr_str(&w, is_v6 ? "]" : "");
		out->at[n++] = span_of(out->text + from, w.n - from);
		left = span_sub(left, end + 1, left.n);
	}
	return n;
}

/* All addresses of the configuration. */
static enum err
server_listen_all(struct server *s, const struct conf *c,
    const struct data *d, struct server_error *out)
{
	struct span first = span_str(c->listen_https), host;
	struct redirect_names names;
	struct edge_redirect to = { .port = 443, .names = names.at,
	    .names_n = redirect_names(c, &names) };
	struct listen https = { "listen.https", NULL, NULL };
	const struct listen http = { "listen.http", NULL, NULL };
	const struct listen redirect = { "listen.redirect", NULL, &to };
	enum err e;

	if (first.n > 0) {
		TRY(reload_tls(s, buf_span(&d->cert_pem),
		    buf_span(&d->key_pem), &https.tls, out));
		e = server_listen(s, c->listen_https, &https, out);
		tls_ctx_unref(https.tls);
		TRY(e);
		(void)split_address(span_sub(first, 0,
		    span_find(first, ',')), &host, &to.port);
	}
	TRY(server_listen(s, c->listen_redirect, &redirect, out));
	return server_listen(s, c->listen_http, &http, out);
}

/* ---- start ---- */

static void shard_sweep(struct timer *t);

static void
shard_sweep_later(struct shard *s)
{
	const struct conf *conf = atomic_load_explicit(&s->server->conf,
	    memory_order_acquire);

	timer_start(reactor_wheel(s->reactor), &s->sweep,
	    conf->sessions_sweep_ms, shard_sweep);
}

/* An operation of the server's own, which nobody waits for. */
static void
shard_run(struct shard *s, enum op_id op)
{
	const struct caller nobody = { .is_known = false };
	struct frame *f = frame_internal(s, ops_get(op), &nobody, NULL);

	if (f != NULL)
		frame_run(f);
}

static void
shard_sweep(struct timer *t)
{
	static const enum op_id ops[] = { OP_sweep, OP_audit_save,
		OP_archive_sweep,
		OP_link_sweep };
	struct shard *s = LIST_ITEM(t, struct shard, sweep);

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		shard_run(s, ops[i]);
	shard_sweep_later(s);
}

static void shard_expire(struct timer *t);

/* The next time; soon when there was more than one call takes. */
static void
shard_expired(struct frame *f)
{
	struct shard *s = f->home;

	if (s->stopping)
		return;
	timer_start(reactor_wheel(s->reactor), &s->expire, f->err == OK &&
	    f->call.state != NULL ? SERVER_EXPIRE_SOON_MS :
	    f->call.conf->messages_sweep_ms, shard_expire);
}

/* Messages whose time is over. */
static void
shard_expire(struct timer *t)
{
	struct shard *s = LIST_ITEM(t, struct shard, expire);
	struct caller nobody = { .is_known = false };
	struct frame *f = frame_internal(s, ops_get(OP_expire), &nobody,
	    shard_expired);

	if (f != NULL)
		frame_run(f);
	else
		timer_start(reactor_wheel(s->reactor), &s->expire,
		    SERVER_EXPIRE_SOON_MS, shard_expire);
}

static void
shard_main(void *arg)
{
	struct shard *s = arg;

	if (s->index == 0) {
		const struct conf *conf = atomic_load_explicit(
		    &s->server->conf, memory_order_acquire);

		shard_sweep_later(s);
		mailer_start(s);
		eraser_start(s);
		timer_start(reactor_wheel(s->reactor), &s->expire,
		    conf->messages_sweep_ms, shard_expire);
	}
	reactor_run(s->reactor);
}

static enum err
server_open_shards(struct server *s, const struct conf *c,
    struct server_error *out)
{
	struct edge *edges[DIRECTORY_REACTORS_MAX];
	struct limits_nets nets;
	struct edge_conf conf;

	if (limits_edge(c, &nets, &conf) != OK)
		return server_wrong(out, ERR_VALIDATION, LIMITS_WRONG);
	conf.headers = headers;
	conf.headers_n = sizeof(headers) / sizeof(headers[0]);
	conf.tls_headers = tls_headers;
	conf.tls_headers_n = sizeof(tls_headers) / sizeof(tls_headers[0]);
	conf.cors = EDGE_CORS_APP;
	for (unsigned i = 0; i < s->shards_n; i++) {
		s->apps[i] = (struct edge_app){ .arg = &s->shards[i],
		    .on_request = rest_request, .on_refused = rest_refused,
		    .on_handshake = socket_handshake,
		    .on_origin = socket_origin, .on_page = socket_page,
		    .on_connect = socket_connect, .on_event = socket_event,
		    .on_close = socket_close };
		TRY(shard_open(&s->shards[i], s, i, &s->apps[i], &conf));
		edges[i] = s->shards[i].edge;
	}
	return edge_link(edges, s->shards_n);
}

static enum err
server_open_store(struct server *s, const struct conf *c,
    const struct data *d, struct server_error *out)
{
	char path[DATA_PATH_MAX + 16];
	struct store_conf conf = { .readers = c->store_readers,
	    .now_us = sys_mono_us };
	struct store_error why;
	enum err e;

	if (c->store_path[0] != '\0')
		snprintf(path, sizeof(path), "%s", c->store_path);
	else
		snprintf(path, sizeof(path), "%s/nightjar.db", d->path);
	conf.path = path;
	e = store_open(&conf, &s->store, &why);
	if (e != OK)
		return server_wrong(out, e, "the database %s: %s", path,
		    why.text);
	return OK;
}

static enum err
server_fill(struct server *s, const struct conf *c, const struct data *d,
    struct server_error *out)
{
	unsigned n = c->threads_reactors;

	s->keys = &d->keys;
	s->data = d;
	TRY(audit_key_init(&s->audit, d->account_key));
	s->started_ms = sys_unix_ms();
	sys_random(&s->seed, sizeof(s->seed));
	thread_lock_init(&s->lock);
	thread_cond_init(&s->cond);
	s->shards_n = n != 0 ? n : sys_cpus();
	if (s->shards_n > DIRECTORY_REACTORS_MAX)
		s->shards_n = DIRECTORY_REACTORS_MAX;
	s->shards = calloc(s->shards_n, sizeof(*s->shards));
	s->apps = calloc(s->shards_n, sizeof(*s->apps));
	s->routes = calloc(route_count(), sizeof(*s->routes));
	if (s->shards == NULL || s->routes == NULL || s->apps == NULL)
		return ERR_NOMEM;
	route_init(s->routes);
	TRY(pages_init(s->pages, s->keys));
	TRY(limit_init(&s->limit, LIMIT_SLOTS, s->seed));
	TRY(backoff_open(&s->backoff));
	TRY(tls_tickets_new(TLS_TICKETS_PERIOD_MS, &s->tickets));
	TRY(server_open_store(s, c, d, out));
	TRY(work_open(memory_hashers(c->argon2_threads, memory_bytes()),
	    c->argon2_queue, &s->work));
	TRY(server_open_shards(s, c, out));
	TRY(server_listen_all(s, c, d, out));
	for (unsigned i = 0; i < s->shards_n; i++) {
		char name[24];

		snprintf(name, sizeof(name), "reactor %u", i);
		TRY(thread_start(&s->shards[i].thread, name, shard_main,
		    &s->shards[i], THREAD_ANY_CPU));
	}
	return OK;
}

static void
server_free(struct server *s)
{
	for (unsigned i = 0; s->shards != NULL && i < s->shards_n; i++) {
		struct shard *k = &s->shards[i];

		if (k->thread.started) {
			reactor_stop(k->reactor);
			thread_join(&k->thread);
		}
	}
	/* Nothing is under way any more, so neither posts to a reactor. */
	store_close(s->store);
	if (s->work != NULL)
		work_close(s->work);
	if (s->shards != NULL)
		mailer_close(&s->shards[0]);
	for (unsigned i = 0; s->shards != NULL && i < s->shards_n; i++)
		shard_close(&s->shards[i]);
	backoff_close(s->backoff);
	limit_fini(&s->limit);
	thread_lock_fini(&s->lock);
	thread_cond_fini(&s->cond);
	for (size_t i = 0; i < s->olds_n; i++)
		conf_free(s->olds[i]);
	tls_tickets_unref(s->tickets);
	pages_fini(s->pages);
	free(s->routes);
	free(s->apps);
	free(s->shards);
	free(s);
}

enum err
server_open(struct conf *conf, const struct data *data, struct server **out,
    struct server_error *err_out)
{
	struct server *s = calloc(1, sizeof(*s));
	enum err e;

	err_out->text[0] = '\0';
	if (s == NULL)
		return ERR_NOMEM;
	s->olds[s->olds_n++] = conf;
	atomic_store(&s->conf, conf);
	e = server_fill(s, conf, data, err_out);
	if (e != OK) {
		if (err_out->text[0] == '\0')
			server_wrong(err_out, e, "%s", err_text(e));
		server_free(s);
		return e;
	}
	*out = s;
	return OK;
}

/* ---- stop ---- */

static void
shard_settle(struct timer *t)
{
	struct shard *s = LIST_ITEM(t, struct shard, settle);
	struct server *server = s->server;

	if (s->frames_n > 0 || (s->index == 0 && mailer_is_busy(s))) {
		timer_start(reactor_wheel(s->reactor), t, SERVER_SETTLE_MS,
		    shard_settle);
		return;
	}
	thread_lock_take(&server->lock);
	server->drained_n++;
	thread_cond_wake_all(&server->cond);
	thread_lock_give(&server->lock);
}

static void
shard_drained(void *arg)
{
	struct shard *s = arg;

	timer_start(reactor_wheel(s->reactor), &s->settle, 1, shard_settle);
}

static void
shard_stop(struct reactor *r, struct mail *m)
{
	struct shard *s = LIST_ITEM(m, struct shard, stop_mail);

	(void)r;
	s->stopping = true;
	wait_stop(s);
	timer_cancel(&s->sweep);
	if (s->index == 0) {
		mailer_stop(s);
		eraser_stop(s);
		shard_run(s, OP_audit_save);
	}
	timer_cancel(&s->expire);
	edge_drain(s->edge, CLOSE_GOING_AWAY, SERVER_DRAIN_MS, shard_drained,
	    s);
}

bool
server_close(struct server *s)
{
	uint64_t until = sys_mono_us() / 1000 + SERVER_CUT_MS;
	bool all;

	for (unsigned i = 0; i < s->shards_n; i++) {
		s->shards[i].stop_mail.run = shard_stop;
		reactor_post(s->shards[i].reactor, &s->shards[i].stop_mail);
	}
	thread_lock_take(&s->lock);
	for (;;) {
		uint64_t now = sys_mono_us() / 1000;

		all = s->drained_n == s->shards_n;
		if (all || now >= until)
			break;
		(void)thread_cond_wait_ms(&s->cond, &s->lock, until - now);
	}
	thread_lock_give(&s->lock);
	if (all)
		server_free(s);
	else
		store_close(s->store);	/* the rest ends with the process */
	return all;
}
