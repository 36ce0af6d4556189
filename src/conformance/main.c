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
#define BODY_MS 6000			/* of silence */
#define IDLE_MS 30000

/* Two messages of the largest size and some small ones may wait. */
#define OUT_BYTES_MORE (4u << 20)

static const struct edge_path paths[] = {
	{ { (const uint8_t *)"/engine.io/", 11 }, EDGE_ENGINE_IO },
	{ { (const uint8_t *)"/socket.io/", 11 }, EDGE_SOCKET_IO },
};

static void
conf_of(const struct flags *f, struct edge_conf *c)
{
	edge_conf_default(c);
	c->head_max = HEAD_BYTES_MAX;
	c->fields_max = FIELDS_MAX;
	c->body_max = ECHO_BYTES_MAX;
	c->requests_max = 0;
	c->head_ms = HEAD_MS;
	c->silence_ms = BODY_MS;
	c->idle_ms = IDLE_MS;
	c->paths = paths;
	c->paths_n = sizeof(paths) / sizeof(paths[0]);
	c->cors = EDGE_CORS_ANY;
	c->ping_interval_ms = f->ping_interval_ms;
	c->ping_timeout_ms = f->ping_timeout_ms;
	c->connect_ms = f->connect_timeout_ms;
	c->message_max = (uint32_t)f->max_payload;
	c->out_max = 2 * c->message_max + OUT_BYTES_MORE;
}

static const struct edge_app app = {
	.on_request = paths_on_request,
	.on_message = echo_on_message,
	.on_connect = events_on_connect,
	.on_event = events_on_event,
	.on_close = events_on_close,
};

static enum err
peer_open(struct peer *p, const struct flags *f, unsigned index)
{
	struct edge_conf conf;

	p->flags = f;
	p->app = app;
	p->app.arg = p;
	conf_of(f, &conf);
	TRY(reactor_open(index, &p->reactor));
	return edge_open(p->reactor, &conf, &p->app, &p->edge);
}

static void
peer_close(struct peer *p)
{
	if (p->reactor == NULL)
		return;
	reactor_stop(p->reactor);
	thread_join(&p->thread);
	reactor_adopt(p->reactor);
	if (p->edge != NULL)
		edge_close(p->edge);
	reactor_close(p->reactor);
}

static void
peer_main(void *arg)
{
	struct peer *p = arg;

	reactor_run(p->reactor);
}

/* Every thread has a listener of its own; the first may choose the port. */
static enum err
listen_all(struct peer *peers, const struct flags *f, uint16_t *port_out)
{
	struct sys_addr a;

	*port_out = (uint16_t)f->port;
	if (!sys_addr_decode(f->host, *port_out, &a))
		return ERR_ARG;
	TRY(sys_port_free(&a));
	for (uint64_t i = 0; i < f->threads; i++) {
		TRY(edge_listen(peers[i].edge, &a, NULL, port_out));
		a.port = *port_out;
	}
	return OK;
}

static enum err
open_all(struct peer *peers, const struct flags *f, uint16_t *port_out)
{
	for (uint64_t i = 0; i < f->threads; i++)
		TRY(peer_open(&peers[i], f, (unsigned)i));
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
