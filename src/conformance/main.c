/*
 * main.c: nightjar-conformance: flags, one reactor and edge for each thread,
 * the end by a signal. The main thread only waits for that.
 */
#include <signal.h>
#include <stdio.h>

#include "conformance/peer.h"

#define HEAD_BYTES_MAX 32768
#define FIELDS_MAX 128
#define ECHO_BYTES_MAX 1000000		/* a body of /echo */
#define HEAD_MS 3000
#define SILENCE_MS 6000			/* in a body */
#define IDLE_MS 30000
#define PORT_TRIES 40
#define PORT_WAIT_MS 50
#define DEFLATES_MAX 1024		/* WebSockets with compression */

/* Two messages of the largest size and what an event asks for may wait. */
#define OUT_BYTES_MORE (24u << 20)	/* the largest emit-binary in base64 */

static const struct edge_path paths[] = {
	{ { (const uint8_t *)"/engine.io/", 11 }, EDGE_ENGINE_IO },
	{ { (const uint8_t *)"/socket.io/", 11 }, EDGE_SOCKET_IO },
};

static void
conf_of(const struct flags *f, struct edge_conf *c)
{
	edge_conf_default(c);
	c->head_max = HEAD_BYTES_MAX;
	c->target_max = HEAD_BYTES_MAX;	/* the head is what limits it */
	c->fields_max = FIELDS_MAX;
	c->body_max = ECHO_BYTES_MAX;
	c->requests_max = 0;
	c->head_ms = HEAD_MS;
	c->silence_ms = SILENCE_MS;
	c->idle_ms = IDLE_MS;
	c->paths = paths;
	c->paths_n = sizeof(paths) / sizeof(paths[0]);
	c->cors = EDGE_CORS_ANY;
	c->ping_interval_ms = f->ping_interval_ms;
	c->ping_timeout_ms = f->ping_timeout_ms;
	c->upgrade_ms = f->upgrade_timeout_ms;
	c->connect_ms = f->connect_timeout_ms;
	c->recovery_ms = f->recovery_ms;
	c->deflates_max = DEFLATES_MAX;
	c->message_max = (uint32_t)f->max_payload;
	c->out_max = 2 * c->message_max + OUT_BYTES_MORE;
}

static const struct edge_app app = {
	.on_request = paths_on_request,
	.on_message = echo_on_message,
	.on_ws_message = echo_on_ws_message,
	.on_handshake = spaces_on_handshake,
	.on_session_end = spaces_on_session_end,
	.on_connect = spaces_on_connect,
	.on_event = events_on_event,
	.on_close = spaces_on_close,
};

static enum err
files_open(const struct flags *f, struct edge_files **out)
{
	struct edge_files_conf conf;

	if (f->root == NULL)
		return OK;
	edge_files_conf_default(&conf);
	conf.root = f->root;
	return edge_files_open(&conf, out);
}

static enum err
peer_open(struct peer *p, const struct flags *f, unsigned index)
{
	struct edge_conf conf;

	p->flags = f;
	spaces_open(p);
	events_open(p);
	p->app = app;
	p->app.arg = p;
	conf_of(f, &conf);
	TRY(files_open(f, &p->files));
	TRY(reactor_open(index, &p->reactor));
	return edge_open(p->reactor, &conf, &p->app, &p->edge);
}

static void
peer_stop(struct peer *p)
{
	if (p->reactor == NULL)
		return;
	reactor_stop(p->reactor);
	thread_join(&p->thread);
}

/* Once all have stopped. */
static void
peer_close(struct peer *p)
{
	if (p->reactor != NULL)
		reactor_adopt(p->reactor);
	if (p->edge != NULL)
		edge_close(p->edge);
	edge_files_close(p->files);
	spaces_close(p);
	events_close(p);
	if (p->reactor != NULL)
		reactor_close(p->reactor);
}

static void
peer_main(void *arg)
{
	struct peer *p = arg;

	reactor_run(p->reactor);
}

/* One that is just ending still has the port: a restart may come at once. */
static enum err
await_port(const struct sys_addr *a)
{
	enum err e = sys_port_free(a);

	for (int i = 0; e == ERR_CONFLICT && i < PORT_TRIES; i++) {
		thread_sleep_ms(PORT_WAIT_MS);
		e = sys_port_free(a);
	}
	return e;
}

/* Every thread has a listener of its own; the first may choose the port. */
static enum err
listen_all(struct peer *peers, const struct flags *f, uint16_t *port_out)
{
	struct sys_addr a;

	*port_out = (uint16_t)f->port;
	if (!sys_addr_decode(f->host, *port_out, &a))
		return ERR_ARG;
	TRY(await_port(&a));
	for (uint64_t i = 0; i < f->threads; i++) {
		TRY(edge_listen(peers[i].edge, &a, NULL, port_out));
		a.port = *port_out;
	}
	return OK;
}

/* Rooms and sessions are common to all threads. */
static enum err
link_all(struct peer *peers, const struct flags *f)
{
	struct edge *edges[FLAGS_THREADS_MAX];

	for (uint64_t i = 0; i < f->threads; i++)
		edges[i] = peers[i].edge;
	return f->threads > 1 ? edge_link(edges, f->threads) : OK;
}

static enum err
open_all(struct peer *peers, const struct flags *f, uint16_t *port_out)
{
	for (uint64_t i = 0; i < f->threads; i++)
		TRY(peer_open(&peers[i], f, (unsigned)i));
	TRY(link_all(peers, f));
	TRY(listen_all(peers, f, port_out));
	for (uint64_t i = 0; i < f->threads; i++)
		TRY(thread_start(&peers[i].thread, "reactor", peer_main,
		    &peers[i], THREAD_ANY_CPU));
	return OK;
}

static void
wait_for_end(const sigset_t *set)
{
	int sig;

	while (sigwait(set, &sig) != 0)
		continue;
}

static int
serve(const struct flags *f)
{
	struct peer peers[FLAGS_THREADS_MAX] = { 0 };
	uint16_t port = 0;
	sigset_t set;
	enum err e;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	e = open_all(peers, f, &port);
	if (e == OK) {
		printf("nightjar-conformance: listening on %s:%u\n", f->host,
		    port);
		fflush(stdout);
		wait_for_end(&set);
	} else {
		fprintf(stderr, "nightjar-conformance: %s:%llu: %s\n",
		    f->host, (unsigned long long)f->port,
		    e == ERR_CONFLICT ? "in use by another program" :
		    e == ERR_ARG ? "no literal address" : err_text(e));
	}
	for (uint64_t i = 0; i < f->threads; i++)
		peer_stop(&peers[i]);
	for (uint64_t i = 0; i < f->threads; i++)
		peer_close(&peers[i]);
	return e == OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct flags f;
	int status = flags_parse(&f, argc, argv);

	if (status >= 0)
		return status;
	sys_ignore_sigpipe();
	(void)sys_fd_limit();
	return serve(&f);
}
