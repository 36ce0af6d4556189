/*
 * listen.c: where connections come from: listeners, and when they accept.
 * exports edge_listen*, edge_set_tls
 */
#include <assert.h>

#include "edge/private.h"

static void
on_accept(struct listener *l, int fd, const struct sys_addr *peer)
{
	struct edge_listener *el = l->arg;

	el->edge->stats.accept_starved += l->starved - el->starved;
	el->starved = l->starved;
	edge_conn_open(el->edge, fd, peer, el->tls, el->flags);
}

/*
 * Without a slot, or a handshake too many, connections wait in the kernel's
 * backlog instead of being refused: most of them find room soon.
 */
static bool
has_room(const struct edge *e, const struct edge_listener *el)
{
	return e->conns.n < e->conns.max && (el->tls == NULL ||
	    e->conf.handshakes_max == 0 ||
	    e->handshakes < e->conf.handshakes_max);
}

void
edge_listen_settle(struct edge *e)
{
	for (size_t i = 0; i < e->listeners_n; i++) {
		struct edge_listener *el = &e->listeners[i];
		struct listener *l = &el->listener;

		if (has_room(e, el)) {
			listener_resume(l);
		} else if (!l->paused) {
			listener_pause(l);
			if (e->conns.n == e->conns.max)
				e->stats.accept_paused++;
			else
				e->stats.handshakes_over++;
		}
	}
}

static enum err
listen_on(struct edge *e, const struct sys_addr *a, struct tls_ctx *tls,
    uint16_t flags, uint16_t *port_out)
{
	struct edge_listener *el;
	struct sys_addr bound;

	if (e->listeners_n == EDGE_LISTENERS_MAX)
		return ERR_LIMIT;
	el = &e->listeners[e->listeners_n];
	TRY(listener_open(&el->listener, e->reactor, a, on_accept, el));
	el->edge = e;
	el->tls = tls_ctx_ref(tls);
	el->flags = flags;
	el->starved = 0;
	e->listeners_n++;
	if (port_out != NULL) {
		TRY(listener_addr(&el->listener, &bound));
		*port_out = bound.port;
	}
	return OK;
}

enum err
edge_listen(struct edge *e, const struct sys_addr *a, struct tls_ctx *tls,
    uint16_t *port_out)
{
	return listen_on(e, a, tls, 0, port_out);
}

enum err
edge_listen_redirect(struct edge *e, const struct sys_addr *a,
    const struct edge_redirect *r, uint16_t *port_out)
{
	TRY(edge_redirect_conf(e, r));
	return listen_on(e, a, NULL, CONN_REDIRECT, port_out);
}

void
edge_set_tls(struct edge *e, struct tls_ctx *tls)
{
	for (size_t i = 0; i < e->listeners_n; i++) {
		struct edge_listener *el = &e->listeners[i];

		if (el->tls == NULL)
			continue;
		tls_ctx_unref(el->tls);
		el->tls = tls_ctx_ref(tls);
	}
}

void
edge_listen_end(struct edge *e)
{
	for (size_t i = 0; i < e->listeners_n; i++) {
		listener_close(&e->listeners[i].listener);
		tls_ctx_unref(e->listeners[i].tls);
		e->listeners[i].tls = NULL;
	}
	e->listeners_n = 0;
}
