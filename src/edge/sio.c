/*
 * sio.c: Socket.IO 5 sockets of a session: joining namespaces, events and
 * acknowledgements both ways, leaving. Strict: a packet that breaks a rule
 * closes its connection. Source: Socket.IO protocol, revision 5.
 * exports edge_sio_*, edge_accept, edge_accept_guest, edge_promote,
 * edge_refuse, edge_ack, edge_ack_with, edge_emit, edge_emit_one,
 * edge_emit_with, edge_disconnect, edge_drop
 */
#include "edge/recover.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/text.h"

/* A JSON text, what surrounds it, names: beside their own length. */
#define PACKET_ROOM 128

struct edge_ref
edge_sio_ref(struct edge *e, const struct sock *k)
{
	return (struct edge_ref){ e, k->slot.index, k->slot.generation };
}

struct sock *
edge_sio_find(struct edge_ref r)
{
	struct sock *k = r.edge == NULL ? NULL :
	    slab_find(&r.edge->socks, r.index, r.generation);

	assert(k == NULL || reactor_self() == r.edge->reactor);
	return k;
}

struct sock *
edge_sio_find_open(struct edge_ref r)
{
	struct sock *k = edge_sio_find(r);

	return k != NULL && k->state == SOCK_OPEN ? k : NULL;
}

static struct sock *
sock_at(struct edge *e, uint32_t index)
{
	return slab_at(&e->socks, index);
}

struct sock_more *
edge_sio_more(struct sock *k)
{
	if (k->more == NULL && (k->more =
	    slab_get(&k->nsp->edge->sio->mores)) != NULL)
		k->more->rooms = k->more->asks = k->more->asks_last =
		    SIO_NONE;
	return k->more;
}

/* Its slot is free afterwards. */
static void
release(struct edge *e, struct sock *k)
{
	struct nsp *n = k->nsp;

	if (k->more != NULL) {
		blob_wipe(k->more->auth);
		slab_put(&e->sio->mores, k->more);
	}
	slab_put(&e->socks, k);
	edge_nsp_unref(n);
	e->stats.sockets--;
}

/* ---- Ends ---- */

static void
tell(struct edge *e, struct sock *k)
{
	edge_asks_end(k);
	edge_rooms_remove_all(k);
	edge_nsp_remove(k->nsp, k);
	if ((k->flags & SOCK_SEEKING) == 0)	/* else it never heard of it */
		e->app->on_close(e->app->arg, edge_sio_ref(e, k),
		    (enum edge_end)k->end);
	release(e, k);
}

void
edge_sio_tell(struct flush *f)
{
	struct edge *e = (struct edge *)(void *)((char *)f -
	    offsetof(struct edge, tell));

	while (e->gone != SIO_NONE) {
		struct sock *k = sock_at(e, e->gone);

		e->gone = k->slot.next;
		tell(e, k);
	}
	edge_session_tell(e);
}

/* Out of its session. */
static void
leave(struct sock *k)
{
	struct session *s = k->session;
	uint32_t *at = &s->socks;

	while (*at != k->slot.index)
		at = &sock_at(s->edge, *at)->slot.next;
	*at = k->slot.next;
	k->slot.next = SIO_NONE;
}

/* Not joined any more; the app hears why at the end of the tick. */
static void
end(struct sock *k, enum edge_end why)
{
	struct edge *e = k->nsp->edge;

	if (k->state == SOCK_ENDED)
		return;
	if (k->state == SOCK_OPEN && (k->flags & SOCK_FINAL) == 0)
		edge_recover_keep(k);
	edge_recover_put_back(k);
	k->state = SOCK_ENDED;
	k->end = (uint8_t)why;
	leave(k);
	k->session = NULL;
	if (e->gone == SIO_NONE)
		e->gone = k->slot.index;
	else
		sock_at(e, e->gone_last)->slot.next = k->slot.index;
	e->gone_last = k->slot.index;
	reactor_flush(e->reactor, &e->tell);
}

void
edge_sio_end_all(struct session *s, enum edge_end why)
{
	edge_binary_drop(s);
	while (s->socks != SIO_NONE)
		end(sock_at(s->edge, s->socks), why);
}

/* ---- Packets out ---- */

struct out {
	struct span nsp;
	uint64_t id;
	struct span name, text, more;
};

static void
send(struct session *s, void (*fill)(struct wr *, const void *),
    const struct out *o)
{
	/* A name's character takes at most 6 in JSON (\u00XX). */
	size_t room = PACKET_ROOM + o->nsp.n + 6 * o->name.n + o->text.n +
	    o->more.n;

	(void)edge_session_send(s, room, fill, o);
}

void
edge_sio_send_blob(struct sock *k, struct blob *frames, bool is_volatile)
{
	struct edge *e = k->nsp->edge;

	if (k->state != SOCK_OPEN)
		return;
	if (is_volatile && !edge_session_is_writable(k->session)) {
		e->stats.volatile_dropped++;
		return;
	}
	e->stats.emits++;
	(void)edge_session_send_blob(k->session, frames);
}

static void
put_connect(struct wr *w, const void *arg)
{
	const struct out *o = arg;
	uint8_t json[96];
	struct wr j = wr_init(json, sizeof json);

	wr_str(&j, "{\"sid\":\"");
	wr_span(&j, o->text);
	if (o->more.n > 0) {
		wr_str(&j, "\",\"pid\":\"");
		wr_span(&j, o->more);
	}
	wr_str(&j, "\"}");
	sio_put_connect(w, o->nsp, wr_done(&j));
}

static void
put_refusal(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_connect_error(w, o->nsp, o->name, o->more);
}

static void
put_ack(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_ack(w, o->nsp, o->id, 0, o->text);
}

static void
put_event(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_event(w, o->nsp, SIO_NO_ID, 0, o->name, o->text);
}

static void
put_disconnect(struct wr *w, const void *arg)
{
	const struct out *o = arg;

	sio_put_disconnect(w, o->nsp);
}

static void
make_ids(struct sock *k)
{
	uint8_t raw[15];
	size_t n;

	edge_rooms_make_id(k);
	if (k->nsp->edge->sio->recovery == NULL || edge_sio_more(k) == NULL)
		return;
	sys_random(raw, sizeof raw);
	n = base64url_encode(SPAN_OF(raw), k->more->pid);
	assert(n == SIO_PID);
	k->more->has_pid = true;
}

static void
accept(struct edge_ref sock, uint8_t flags)
{
	struct sock *k = edge_sio_find(sock);
	struct out o = { 0 };

	if (k == NULL || k->state != SOCK_ASKED)
		return;
	k->state = SOCK_OPEN;
	k->flags |= flags;
	edge_nsp_add(k->nsp, k);
	edge_session_joined(k->session, (flags & SOCK_GUEST) != 0);
	if (k->more == NULL || k->more->restore == NULL)
		make_ids(k);
	else if (!edge_recover_restore(k)) {
		/* What it has missed went while the app thought. */
		edge_session_close(k->session, EDGE_LOST, WS_CODE_LATER, "");
		return;
	}
	if (k->state != SOCK_OPEN)	/* too slow for what it missed */
		return;
	o.nsp = edge_nsp_name(k->nsp);
	o.text = SPAN_OF(k->id);
	if (k->more != NULL && k->more->has_pid)
		o.more = SPAN_OF(k->more->pid);
	send(k->session, put_connect, &o);
}

void
edge_accept(struct edge_ref sock)
{
	accept(sock, 0);
}

void
edge_accept_guest(struct edge_ref sock)
{
	accept(sock, SOCK_GUEST);
}

void
edge_promote(struct edge_ref sock)
{
	struct sock *k = edge_sio_find_open(sock);

	if (k == NULL || (k->flags & SOCK_GUEST) == 0)
		return;
	k->flags &= (uint8_t)~SOCK_GUEST;
	edge_session_joined(k->session, false);
}

void
edge_refuse(struct edge_ref sock, struct span message, struct span data)
{
	struct sock *k = edge_sio_find(sock);
	struct session *s;
	struct nsp *n;

	if (k == NULL || k->state != SOCK_ASKED)
		return;
	s = k->session;
	n = k->nsp;
	n->refs++;
	edge_recover_put_back(k);
	leave(k);
	release(sock.edge, k);
	send(s, put_refusal, &(struct out){ .nsp = edge_nsp_name(n),
	    .name = message, .more = data });
	edge_nsp_unref(n);
}

void
edge_ack(struct edge_ref sock, int64_t ack, struct span args)
{
	struct sock *k = edge_sio_find_open(sock);

	if (k == NULL || ack < 0)
		return;
	sock.edge->stats.acks_out++;
	send(k->session, put_ack, &(struct out){
	    .nsp = edge_nsp_name(k->nsp), .id = (uint64_t)ack,
	    .text = args });
}

void
edge_ack_with(struct edge_ref sock, int64_t ack, const struct edge_args *args)
{
	struct sock *k = edge_sio_find_open(sock);
	struct blob *b;

	if (args->parts_n == 0) {
		edge_ack(sock, ack, args->json);
		return;
	}
	if (k == NULL || ack < 0)
		return;
	b = edge_emit_encode(&(struct sio_frames){ .is_ack = true,
	    .nsp = edge_nsp_name(k->nsp), .id = (uint64_t)ack,
	    .args = args->json, .parts = args->parts,
	    .parts_n = args->parts_n });
	if (b == NULL)
		return;
	sock.edge->stats.acks_out++;
	(void)edge_session_send_blob(k->session, b);
	blob_unref(b);
}

void
edge_emit(struct edge_ref sock, struct blob *event)
{
	struct sock *k = edge_sio_find_open(sock);

	if (k != NULL)
		edge_sio_send_blob(k, event, false);
}

void
edge_emit_one(struct edge_ref sock, struct span name, struct span args)
{
	struct sock *k = edge_sio_find_open(sock);

	if (k == NULL)
		return;
	if (sock.edge->sio->recovery != NULL) {
		edge_emit_logged(k, name, &(struct edge_args){ .json = args });
		return;
	}
	sock.edge->stats.emits++;
	send(k->session, put_event, &(struct out){
	    .nsp = edge_nsp_name(k->nsp), .name = name, .text = args });
}

void
edge_emit_with(struct edge_ref sock, struct span name,
    const struct edge_args *args, bool is_volatile)
{
	struct sock *k = edge_sio_find_open(sock);
	struct blob *b;

	if (k == NULL)
		return;
	if (sock.edge->sio->recovery != NULL && !is_volatile) {
		edge_emit_logged(k, name, args);
		return;
	}
	if (args->parts_n == 0 && !is_volatile) {
		edge_emit_one(sock, name, args->json);
		return;
	}
	if ((b = edge_encode_with(edge_nsp_name(k->nsp), name, args)) != NULL)
		edge_sio_send_blob(k, b, is_volatile);
	blob_unref(b);
}

/* ---- Leaving, by the application ---- */

/* DISCONNECT, if it was joined; it does not come back. */
static void
dismiss(struct sock *k)
{
	k->flags |= SOCK_FINAL;
	if (k->state == SOCK_OPEN)
		send(k->session, put_disconnect, &(struct out){
		    .nsp = edge_nsp_name(k->nsp) });
}

/* All of the session's are dismissed, as socket.io does it. */
static void
dismiss_all(struct session *s)
{
	for (uint32_t i = s->socks; i != SIO_NONE && !s->ended;) {
		struct sock *k = sock_at(s->edge, i);

		i = k->slot.next;
		dismiss(k);
	}
	if (!s->ended)
		edge_session_close(s, EDGE_BY_APP, WS_CODE_NORMAL, "");
}

void
edge_disconnect(struct edge_ref sock, bool close)
{
	struct sock *k = edge_sio_find(sock);

	if (k == NULL || k->state == SOCK_ENDED)
		return;
	if (close) {
		dismiss_all(k->session);
		return;
	}
	dismiss(k);
	if (k->state != SOCK_ENDED)	/* too slow even for that */
		end(k, EDGE_BY_APP);
}

void
edge_drop(struct edge_ref sock)
{
	struct sock *k = edge_sio_find(sock);

	if (k != NULL && k->state != SOCK_ENDED)
		edge_session_close(k->session, EDGE_BY_APP, WS_CODE_NORMAL,
		    "");
}

/* ---- Packets in ---- */

struct sock *
edge_sio_joined(struct session *s, struct span nsp)
{
	for (uint32_t i = s->socks; i != SIO_NONE;) {
		struct sock *k = sock_at(s->edge, i);

		if (span_eq(edge_nsp_name(k->nsp), nsp))
			return k;
		i = k->slot.next;
	}
	return NULL;
}

/* A new one at the end of its session's; NULL: a limit. */
static struct sock *
make(struct session *s, struct span nsp)
{
	struct edge *e = s->edge;
	uint32_t n = 0, *at = &s->socks;
	struct sock *k;

	for (; *at != SIO_NONE; n++)
		at = &sock_at(e, *at)->slot.next;
	if (n >= e->conf.session_socks_max ||
	    (k = slab_get(&e->socks)) == NULL) {
		e->stats.socks_over++;
		return NULL;
	}
	if ((k->nsp = edge_nsp_ref(e, nsp)) == NULL) {
		slab_put(&e->socks, k);
		return NULL;
	}
	k->session = s;
	k->slot.next = SIO_NONE;
	*at = k->slot.index;
	e->stats.sockets++;
	return k;
}

static void
ask_app(struct sock *k, struct span auth)
{
	struct session *s = k->session;
	struct edge *e = s->edge;
	struct edge_connect c = { .nsp = edge_nsp_name(k->nsp), .auth = auth,
	    .addr = s->addr, .tls = s->tls, .user = s->user,
	    .session = { e, s->slot.index, s->slot.generation } };

	c.recovered = k->more != NULL && k->more->restore != NULL;
	e->app->on_connect(e->app->arg, edge_sio_ref(e, k), &c);
}

void
edge_sio_connect(struct sock *k)
{
	struct blob *auth = k->more->auth;

	k->more->auth = NULL;
	k->flags &= (uint8_t)~SOCK_SEEKING;
	ask_app(k, blob_span(auth));
	blob_wipe(auth);
}

static void
on_connect(struct session *s, const struct sio_packet *p)
{
	struct sock *k;

	if (edge_sio_joined(s, p->nsp) != NULL) {
		edge_session_refuse(s, "joined already");
		return;
	}
	if ((k = make(s, p->nsp)) == NULL) {
		send(s, put_refusal, &(struct out){ .nsp = p->nsp,
		    .name = SPAN("Too many sockets") });
		return;
	}
	if (edge_recover_find(k, p->data) || !edge_seek_begin(k, p->data))
		ask_app(k, p->data);
}

static void
on_event(struct sock *k, const struct sio_packet *p,
    const struct span *parts, uint32_t parts_n)
{
	struct edge *e = k->nsp->edge;
	struct edge_event ev = { .nsp = p->nsp, .name = p->event,
	    .args = p->args, .ack = p->has_id ? (int64_t)p->id : -1,
	    .parts = parts, .parts_n = parts_n };
	struct span rest = p->args, arg;

	while (sio_arg(&rest, &arg)) {
		if (ev.args_n++ == 0)
			ev.first = arg;
	}
	e->stats.events_in++;
	e->app->on_event(e->app->arg, edge_sio_ref(e, k), &ev);
}

/* With its attachments announced: they are waited for, if they may come. */
static void
on_binary(struct session *s, struct span msg, const struct sio_packet *p)
{
	uint8_t mem[1024];
	struct arena a;
	uint32_t places = 0;

	arena_init(&a, mem, sizeof mem);
	if (p->attachments > s->edge->conf.attachments_max ||
	    (p->has_data && sio_check_placeholders(p->data, p->attachments,
	    &a, &places) != OK))
		edge_session_refuse(s, "bad attachments");
	else
		edge_binary_begin(s, msg, p->attachments, places > 0);
}

/* One for a socket that is open. */
static void
on_packet(struct sock *k, struct span msg, const struct sio_packet *p,
    const struct span *parts, uint32_t parts_n)
{
	switch (p->type) {
	case SIO_DISCONNECT:
		k->flags |= SOCK_FINAL;
		if (k->flags & SOCK_GUEST)
			edge_session_close(k->session, EDGE_BY_CLIENT,
			    WS_CODE_NORMAL, "");
		else
			end(k, EDGE_BY_CLIENT);
		break;
	case SIO_BINARY_EVENT:
	case SIO_BINARY_ACK:
		if (parts == NULL) {
			on_binary(k->session, msg, p);
			break;
		}
		__attribute__((fallthrough));
	case SIO_EVENT:
	case SIO_ACK:
		if (p->type == SIO_ACK || p->type == SIO_BINARY_ACK) {
			if (p->has_id)
				edge_asks_answer(k, p->id, &(struct edge_args){
				    sio_ack_args(p), parts, parts_n });
		} else if (p->has_data) {
			on_event(k, p, parts, parts_n);
		}
		break;
	case SIO_CONNECT:
	case SIO_CONNECT_ERROR:
		edge_session_refuse(k->session, "unexpected packet");
		break;
	}
}

void
edge_sio_packet(struct session *s, struct span msg, const struct span *parts,
    uint32_t parts_n)
{
	struct sio_packet p;
	struct arena a;
	struct sock *k;

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
	k = edge_sio_joined(s, p.nsp);
	if (k == NULL || k->state != SOCK_OPEN)
		edge_session_refuse(s, "namespace not joined");
	else
		on_packet(k, msg, &p, parts, parts_n);
}

void
edge_sio_message(struct session *s, struct span msg, bool binary)
{
	if (binary && s->binary != NULL)
		edge_binary_part(s, msg);
	else if (binary)
		edge_session_refuse(s, "no attachment is due");
	else if (s->binary != NULL)
		edge_session_refuse(s, "an attachment is due");
	else
		edge_sio_packet(s, msg, NULL, 0);
}

/* ---- Memory ---- */

static enum err
open_slabs(struct sio *x, const struct edge_conf *c, uint32_t socks)
{
	TRY(slab_open(&x->mores, sizeof(struct sock_more), socks));
	TRY(slab_open(&x->nsps, sizeof(struct nsp), c->nsps_max));
	TRY(slab_open(&x->binaries, sizeof(struct binary), socks));
	if (c->rooms_max > 0)
		TRY(slab_open(&x->rooms, sizeof(struct room), c->rooms_max));
	if (c->members_max > 0)
		TRY(slab_open(&x->members, sizeof(struct member),
		    c->members_max));
	if (c->asks_max > 0)
		TRY(slab_open(&x->asks, sizeof(struct ask), c->asks_max));
	return OK;
}

enum err
edge_sio_open(struct edge *e)
{
	const struct edge_conf *c = &e->conf;
	/* Ended ones stay until the tick's end, as new ones come. */
	uint32_t socks = c->socks_max > 0 ? c->socks_max :
	    c->conns_max < UINT32_MAX / 4 ? c->conns_max * 4 : c->conns_max;
	struct sio *x;

	if ((x = e->sio = calloc(1, sizeof *x)) == NULL)
		return ERR_NOMEM;
	sys_random(&x->seed, sizeof x->seed);
	map_init(&x->nsps_by, sizeof(uint64_t), c->nsps_max, x->seed);
	map_init(&x->rooms_by, sizeof(uint64_t), c->rooms_max, x->seed);
	x->under_way = blob_new(sizeof(atomic_uint));
	x->marks = calloc(1, (size_t)socks / 8 + 1);
	if (x->under_way == NULL || x->marks == NULL)
		return ERR_NOMEM;
	atomic_init((atomic_uint *)(void *)x->under_way->p, 0);
	TRY(slab_open(&e->socks, sizeof(struct sock), socks));
	TRY(open_slabs(x, c, socks));
	return edge_recover_open(e);
}

void
edge_sio_close(struct edge *e)
{
	struct sio *x = e->sio;

	if (x == NULL)
		return;
	edge_recover_close(e);
	slab_close(&e->socks);
	slab_close(&x->mores);
	slab_close(&x->nsps);
	slab_close(&x->binaries);
	slab_close(&x->rooms);
	slab_close(&x->members);
	slab_close(&x->asks);
	map_fini(&x->nsps_by);
	map_fini(&x->rooms_by);
	blob_unref(x->under_way);
	free(x->marks);
	free(x);
	e->sio = NULL;
}
