/*
 * asks.c: questions to clients and their answers: events with an
 * acknowledgement id. exports edge_asks_*, edge_ask
 */
#include <assert.h>

#include "edge/sio.h"

static struct ask *
ask_at(struct edge *e, uint32_t index)
{
	return slab_at(&e->sio->asks, index);
}

/* Out of its socket's list; `before` is the one before it, or SIO_NONE. */
static void
unhang(struct sock *k, struct ask *a, uint32_t before)
{
	struct sock_more *more = k->more;

	if (before == SIO_NONE)
		more->asks = a->next;
	else
		ask_at(a->edge, before)->next = a->next;
	if (more->asks_last == a->slot.index)
		more->asks_last = before;
	more->asks_n--;
	timer_cancel(&a->timer);
}

/* It is over. The slot is free before the app is called. */
static void
finish(struct sock *k, struct ask *a, uint32_t before,
    enum edge_answered how, const struct edge_args *args)
{
	struct edge *e = a->edge;
	edge_answer_fn fn = a->fn;
	void *arg = a->arg;

	unhang(k, a, before);
	slab_put(&e->sio->asks, a);
	e->stats.asks--;
	fn(arg, edge_sio_ref(e, k), how, args);
}

static void
on_late(struct timer *t)
{
	static const struct edge_args none;
	struct ask *a = (struct ask *)(void *)((char *)t -
	    offsetof(struct ask, timer));
	struct sock *k = slab_at(&a->edge->socks, a->sock);
	uint32_t before = SIO_NONE;

	for (uint32_t i = k->more->asks; i != a->slot.index;
	    i = ask_at(a->edge, i)->next)
		before = i;
	a->edge->stats.asks_late++;
	finish(k, a, before, EDGE_TIMED_OUT, &none);
}

void
edge_asks_answer(struct sock *k, uint64_t id, const struct edge_args *args)
{
	struct edge *e = k->nsp->edge;
	uint32_t before = SIO_NONE;

	if (k->more == NULL)
		return;
	for (uint32_t i = k->more->asks; i != SIO_NONE;) {
		struct ask *a = ask_at(e, i);

		if (a->id == id) {
			finish(k, a, before, EDGE_ANSWERED, args);
			return;
		}
		before = i;
		i = a->next;
	}
}

void
edge_asks_end(struct sock *k)
{
	static const struct edge_args none;

	while (k->more != NULL && k->more->asks != SIO_NONE)
		finish(k, ask_at(k->nsp->edge, k->more->asks), SIO_NONE,
		    EDGE_NO_ANSWER, &none);
}

/* NULL: too many are open. */
static struct ask *
make(struct sock *k, edge_answer_fn fn, void *arg)
{
	struct edge *e = k->nsp->edge;
	struct sock_more *more = edge_sio_more(k);
	struct ask *a = NULL;

	if (more != NULL && more->asks_n < e->conf.sock_asks_max &&
	    e->sio->asks.max > 0)
		a = slab_get(&e->sio->asks);
	if (a == NULL) {
		e->stats.asks_over++;
		return NULL;
	}
	a->edge = e;
	a->fn = fn;
	a->arg = arg;
	a->id = k->nsp->ids++;
	a->sock = k->slot.index;
	a->next = SIO_NONE;
	if (more->asks_last == SIO_NONE)
		more->asks = a->slot.index;
	else
		ask_at(e, more->asks_last)->next = a->slot.index;
	more->asks_last = a->slot.index;
	more->asks_n++;
	e->stats.asks++;
	return a;
}

void
edge_ask(struct edge_ref sock, struct span name, const struct edge_args *args,
    uint64_t timeout_ms, edge_answer_fn fn, void *arg)
{
	static const struct edge_args none;
	struct sock *k = edge_sio_find_open(sock);
	struct ask *a = k == NULL ? NULL : make(k, fn, arg);
	struct blob *b;

	if (a == NULL) {
		fn(arg, sock, EDGE_NO_ANSWER, &none);
		return;
	}
	if (timeout_ms > 0)
		timer_start(reactor_wheel(a->edge->reactor), &a->timer,
		    timeout_ms, on_late);
	b = edge_emit_encode(&(struct sio_frames){
	    .nsp = edge_nsp_name(k->nsp), .id = a->id, .name = name,
	    .args = args->json, .parts = args->parts,
	    .parts_n = args->parts_n });
	/* Without memory for it, nobody will answer: its time runs out. */
	if (b != NULL)
		edge_sio_send_blob(k, b, false);
	blob_unref(b);
}
