/*
 * sio.c: Socket.IO 5 sockets of a session: joining a namespace, events and
 * acknowledgements both ways, leaving. Strict: a packet that breaks a rule
 * closes its connection. Source: Socket.IO protocol, revision 5.
 * exports edge_sio_*, edge_accept, edge_refuse, edge_ack, edge_ask,
 * edge_encode_event, edge_emit, edge_emit_one, edge_disconnect, edge_is_open,
 * edge_sock_id, edge_set_user, edge_user
 */
#include <assert.h>

#include "base/text.h"
#include "edge/private.h"

/* A JSON text, what surrounds it, names: beside their own length. */
#define PACKET_ROOM 128

static const struct span root = { (const uint8_t *)"/", 1 };

static struct edge_ref
sock_ref(const struct sock *k)
{
	return (struct edge_ref){ k->edge, k->slot.index,
	    k->slot.generation };
}

static struct sock *
find(struct edge_ref r)
{
	struct sock *k = r.edge == NULL ? NULL :
	    slab_find(&r.edge->socks, r.index, r.generation);

	assert(k == NULL || reactor_self() == k->edge->reactor);
	return k;
}

/* One that events may go to and come from. */
static struct sock *
find_open(struct edge_ref r)
{
	struct sock *k = find(r);

	return k != NULL && k->state == SOCK_OPEN ? k : NULL;
}

/* ---- Ends ---- */

void
edge_sio_tell(struct flush *f)
{
	struct edge *e = (struct edge *)(void *)((char *)f -
	    offsetof(struct edge, tell));
	struct list *l;

	while ((l = list_pop(&e->gone)) != NULL) {
		struct sock *k = LIST_ITEM(l, struct sock, link);

		e->app->on_close(e->app->arg, sock_ref(k),
		    (enum edge_end)k->end);
		e->stats.sockets--;
		slab_put(&e->socks, k);
	}
	edge_session_tell(e);
}

void
edge_sio_end(struct sock *k, enum edge_end why)
{
	if (k->state == SOCK_ENDED)
		return;
	k->state = SOCK_ENDED;
	k->end = (uint8_t)why;
	k->session = NULL;
	list_remove(&k->link);
	list_push(&k->edge->gone, &k->link);
	reactor_flush(k->edge->reactor, &k->edge->tell);
}

/* ---- Packets out ---- */

struct out {
	uint64_t id;
	struct span name, text, more;
};

static void
send(struct session *s, void (*fill)(struct wr *, const void *),
    const struct out *o)
{
	/* A name's character takes at most 6 in JSON (\u00XX). */
	size_t room = PACKET_ROOM + 6 * o->name.n + o->text.n + o->more.n;

	(void)edge_session_send(s, room, fill, o);
}

static void
put_connect(struct wr *w, const void *arg)
{
	const struct out *o = arg;
	uint8_t json[64];
	struct wr j = wr_init(json, sizeof json);

	wr_str(&j, "{\"sid\":\"");
	wr_span(&j, o->text);
	wr_str(&j, "\"}");
	sio_put_connect(w, root, wr_done(&j));
}

static void
put_refusal(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_connect_error(w, o->text.n > 0 ? o->text : root, o->name,
	    o->more);
}

static void
put_ack(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_ack(w, root, o->id, 0, o->text);
}

static void
put_event(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_event(w, root, o->id, 0, o->name, o->text);
}

static void
put_disconnect(struct wr *w, const void *arg)
{
	(void)arg;
	sio_put_disconnect(w, root);
}

void
edge_accept(struct edge_ref sock)
{
	struct sock *k = find(sock);
	uint8_t raw[15];
	size_t n;

	if (k == NULL || k->state != SOCK_ASKED)
		return;
	sys_random(raw, sizeof raw);
	n = base64url_encode(SPAN_OF(raw), k->id);
	assert(n == EDGE_SOCK_ID);
	k->state = SOCK_OPEN;
	edge_session_joined(k->session);
	send(k->session, put_connect,
	    &(struct out){ .text = SPAN_OF(k->id) });
}

void
edge_refuse(struct edge_ref sock, struct span message, struct span data)
{
	struct sock *k = find(sock);
	struct session *s;

	if (k == NULL || k->state != SOCK_ASKED)
		return;
	s = k->session;
	list_remove(&k->link);
	k->edge->stats.sockets--;
	slab_put(&k->edge->socks, k);
	send(s, put_refusal, &(struct out){ .name = message, .more = data });
}

void
edge_ack(struct edge_ref sock, int64_t ack, struct span args)
{
	struct sock *k = find_open(sock);

	if (k == NULL || ack < 0)
		return;
	k->edge->stats.acks_out++;
	send(k->session, put_ack, &(struct out){ .id = (uint64_t)ack,
	    .text = args });
}

void
edge_ask(struct edge_ref sock, uint64_t id, struct span name,
    struct span args)
{
	struct sock *k = find_open(sock);

	if (k == NULL)
		return;
	k->edge->stats.emits++;
	send(k->session, put_event, &(struct out){ .id = id, .name = name,
	    .text = args });
}

void
edge_emit_one(struct edge_ref sock, struct span name, struct span args)
{
	edge_ask(sock, SIO_NO_ID, name, args);
}

struct blob *
edge_encode_event(struct span nsp, struct span name, struct span args)
{
	size_t n = sio_frame_len(nsp, name, args);
	struct blob *b = n > UINT32_MAX ? NULL : blob_new(n);

	if (b != NULL)
		sio_frame(b->p, nsp, name, args);
	return b;
}

void
edge_emit(struct edge_ref sock, struct blob *event)
{
	struct sock *k = find_open(sock);

	if (k == NULL)
		return;
	k->edge->stats.emits++;
	(void)edge_session_send_blob(k->session, event);
}

void
edge_disconnect(struct edge_ref sock, bool close)
{
	struct sock *k = find(sock);
	struct session *s;

	if (k == NULL || k->state == SOCK_ENDED)
		return;
	s = k->session;
	if (k->state == SOCK_OPEN)
		send(s, put_disconnect, &(struct out){ 0 });
	if (k->state == SOCK_ENDED)	/* too slow even for that */
		return;
	if (close) {
		edge_session_close(s, EDGE_BY_APP, WS_CODE_NORMAL, "");
		return;
	}
	edge_sio_end(k, EDGE_BY_APP);
	if (list_is_empty(&s->socks))
		edge_session_await(s);
}

bool
edge_is_open(struct edge_ref sock)
{
	return find_open(sock) != NULL;
}

struct span
edge_sock_id(struct edge_ref sock)
{
	struct sock *k = find_open(sock);

	return k == NULL ? (struct span){ NULL, 0 } : SPAN_OF(k->id);
}

void
edge_set_user(struct edge_ref sock, void *user)
{
	struct sock *k = find(sock);

	if (k != NULL)
		k->user = user;
}

void *
edge_user(struct edge_ref sock)
{
	struct sock *k = find(sock);

	return k == NULL ? NULL : k->user;
}

/* ---- Packets in ---- */

/* There is one namespace, so a session has at most one socket. */
static struct sock *
joined(struct session *s)
{
	return list_is_empty(&s->socks) ? NULL :
	    LIST_ITEM(s->socks.next, struct sock, link);
}

static void
on_connect(struct session *s, const struct sio_packet *p)
{
	struct edge *e = s->edge;
	struct edge_connect c = { p->nsp, p->data, s->addr, s->tls, s->user,
	    { e, s->slot.index, s->slot.generation } };
	struct sock *k;

	if (!span_eq(p->nsp, root)) {
		send(s, put_refusal, &(struct out){ .text = p->nsp,
		    .name = SPAN("Invalid namespace") });
		return;
	}
	if (joined(s) != NULL) {
		edge_session_refuse(s, "joined already");
		return;
	}
	if ((k = slab_get(&e->socks)) == NULL) {
		send(s, put_refusal, &(struct out){
		    .name = SPAN("Too many sockets") });
		return;
	}
	k->edge = e;
	k->session = s;
	list_push(&s->socks, &k->link);
	e->stats.sockets++;
	e->app->on_connect(e->app->arg, sock_ref(k), &c);
}

static void
on_event(struct sock *k, const struct sio_packet *p)
{
	struct edge *e = k->edge;
	struct edge_event ev = { .nsp = p->nsp, .name = p->event,
	    .args = p->args, .ack = p->has_id ? (int64_t)p->id : -1 };
	struct span rest = p->args, arg;

	while (sio_arg(&rest, &arg)) {
		if (ev.args_n++ == 0)
			ev.first = arg;
	}
	e->stats.events_in++;
	e->app->on_event(e->app->arg, sock_ref(k), &ev);
}

static void
on_ack(struct sock *k, const struct sio_packet *p)
{
	struct edge *e = k->edge;

	if (!p->has_id)
		edge_session_refuse(k->session, "acknowledgement of nothing");
	else if (e->app->on_ack != NULL)
		e->app->on_ack(e->app->arg, sock_ref(k), p->id,
		    sio_ack_args(p));
}

void
edge_sio_message(struct session *s, struct span msg, bool binary)
{
	struct sock *k = joined(s);
	struct sio_packet p;
	struct arena a;

	if (binary) {
		edge_session_refuse(s, "no attachment is due");
		return;
	}
	arena_init(&a, s->edge->names, EDGE_SCRATCH);
	if (sio_decode(msg, &a, &p) != OK) {
		edge_session_refuse(s, "not a Socket.IO packet");
		return;
	}
	if (p.type == SIO_CONNECT) {
		/* The end of a former one is told before the new beginning. */
		edge_sio_tell(&s->edge->tell);
		if (!s->ended)		/* the app may have ended it */
			on_connect(s, &p);
		return;
	}
	if (!span_eq(p.nsp, root) || k == NULL || k->state != SOCK_OPEN) {
		edge_session_refuse(s, "namespace not joined");
		return;
	}
	switch (p.type) {
	case SIO_DISCONNECT:
		edge_sio_end(k, EDGE_BY_CLIENT);
		edge_session_await(s);
		break;
	case SIO_EVENT:
		on_event(k, &p);
		break;
	case SIO_ACK:
		on_ack(k, &p);
		break;
	case SIO_CONNECT:
	case SIO_CONNECT_ERROR:
	case SIO_BINARY_EVENT:
	case SIO_BINARY_ACK:
		edge_session_refuse(s, "unexpected packet");
		break;
	}
}
