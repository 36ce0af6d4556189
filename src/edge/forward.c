/*
 * forward.c: polling requests that came to another reactor than their
 * session's: there by mail, and the answer back.
 * exports edge_forward_*
 *
 * Implementation notes. A forward belongs to the mesh's memory, so that it
 * outlives either edge. Its sender (where the connection is) gives it a slot
 * and takes it back; of its three mails, `begin` goes one way (a POST's body
 * is coming), `mail` (the request) and `drop` (the connection is lost) go and
 * come back. Mail of one sender keeps its order, so when those two are home,
 * begin was read, too. `session` is the owner's; what the sender wrote before
 * posting is only read there, and the answer is the owner's to write until
 * `mail` goes home.
 */
#include <assert.h>

#include "edge/poll.h"

struct forward {
	struct slab_slot slot;
	struct edge_mesh *mesh;
	uint16_t from, to;		/* reactors */
	struct mail begin, mail, drop;
	/* the sender's */
	struct conn *conn;		/* NULL: lost */
	struct origin origin;
	uint8_t away;			/* of mail and drop: not home */
	bool begun;			/* begin was posted */
	bool stuck;			/* its owner is gone: the slot, too */
	bool large;			/* drop: the body was refused */
	/* the request */
	struct poll_request request;
	struct blob *body;		/* the owner's once posted */
	size_t charged;			/* bytes of it in the sender's holds */
	/* the owner's */
	struct edge_ref session;	/* that it waits for */
	/* the answer */
	int status;
	enum eio_error why;
	struct blob *payload;		/* the sender's once posted */
};

size_t
edge_forward_size(void)
{
	return sizeof(struct forward);
}

static struct forward *
of_begin(struct mail *m)
{
	return (struct forward *)(void *)((char *)m -
	    offsetof(struct forward, begin));
}

static struct forward *
of_mail(struct mail *m)
{
	return (struct forward *)(void *)((char *)m -
	    offsetof(struct forward, mail));
}

static struct forward *
of_drop(struct mail *m)
{
	return (struct forward *)(void *)((char *)m -
	    offsetof(struct forward, drop));
}

/* ---- At the sender ---- */

static void
forget(struct edge *e, struct forward *f)
{
	if (f->conn == NULL && f->away == 0 && !f->stuck)
		slab_put(edge_mesh_forwards(e), f);
}

static void
detach(struct forward *f)
{
	f->conn->ops = NULL;
	f->conn->owner = NULL;
	f->conn = NULL;
}

/* Its connection is lost before the answer came. */
static void
on_end(struct conn *c, enum edge_end why)
{
	struct forward *f = c->owner;

	(void)why;
	f->conn = NULL;
	if (f->begun || f->away > 0) {
		/* Where nothing is read, begin may lie unread for ever. */
		if (edge_mesh_answer(c->edge, f->to, &f->drop))
			f->away++;
		else
			f->stuck = true;
	}
	forget(c->edge, f);
}

static const struct ws_ops get_ops = { .on_end = on_end, .ends_at_eof = true },
    post_ops = { .on_end = on_end };

bool
edge_forward_is(const struct conn *c)
{
	return c->ops == &get_ops || c->ops == &post_ops;
}

void
edge_forward_large(struct conn *c)
{
	((struct forward *)c->owner)->large = true;
	edge_conn_disown(c, EDGE_PROTOCOL);
}

static void
refuse(struct conn *c, int status, const struct origin *o)
{
	edge_handshake_answer(c, &(struct poll_answer){ .status = status,
	    .why = EIO_ERR_REQUEST }, o);
}

/* The answer came home. */
static void
on_home(struct reactor *r, struct mail *m)
{
	struct forward *f = of_mail(m);
	struct edge *e = edge_mesh_here(f->mesh, r);
	struct conn *c = f->conn;
	struct blob *payload = f->payload;

	f->away--;
	f->payload = NULL;
	e->holds.bytes -= f->charged;
	if (c != NULL) {
		detach(f);
		edge_handshake_answer(c, &(struct poll_answer){
		    .status = f->status, .why = f->why, .payload = payload },
		    &f->origin);
	}
	blob_unref(payload);
	forget(e, f);
}

static void
on_drop_home(struct reactor *r, struct mail *m)
{
	struct forward *f = of_drop(m);

	f->away--;
	forget(edge_mesh_here(f->mesh, r), f);
}

/* ---- At the owner ---- */

void
edge_forward_bind(struct forward *f, const struct session *s)
{
	f->session = (struct edge_ref){ s->edge, s->slot.index,
	    s->slot.generation };
}

/* Goes home, when there is one. */
static void
answer(struct edge *e, struct forward *f)
{
	f->session = (struct edge_ref){ 0 };
	f->mail.run = on_home;
	if (edge_mesh_answer(e, f->from, &f->mail))
		return;
	blob_unref(f->payload);
	f->payload = NULL;
}

void
edge_forward_answer(struct forward *f, const struct poll_answer *a)
{
	f->status = a->status;
	f->why = a->why;
	f->payload = a->payload == NULL ? NULL : blob_ref(a->payload);
	answer(edge_mesh_here(f->mesh, reactor_self()), f);
}

static void
on_begin(struct reactor *r, struct mail *m)
{
	struct forward *f = of_begin(m);

	/* The answer, if it was refused, goes home with the request. */
	(void)edge_poll_begin(edge_mesh_here(f->mesh, r), &f->request,
	    (struct asker){ NULL, f });
}

static void
on_mail(struct reactor *r, struct mail *m)
{
	struct forward *f = of_mail(m);
	struct blob *body = f->body;

	f->body = NULL;
	if (body != NULL)
		f->request.body = blob_span(body);
	edge_poll_request(edge_mesh_here(f->mesh, r), &f->request,
	    (struct asker){ NULL, f }, &f->origin);
	blob_wipe(body);	/* a CONNECT's auth was in it */
}

static void
on_drop(struct reactor *r, struct mail *m)
{
	struct forward *f = of_drop(m);
	struct edge *e = edge_mesh_here(f->mesh, r);
	struct asker from = { NULL, f };
	struct session *s = slab_find(&e->sessions, f->session.index,
	    f->session.generation);

	if (s != NULL && f->request.method == HTTP_M_POST) {
		edge_poll_broken(s, from, f->large);
	} else if (s != NULL) {
		edge_poll_dropped(s, from);
		f->status = 400;
		answer(e, f);
	}
	f->drop.run = on_drop_home;
	(void)!edge_mesh_answer(e, f->from, m);	/* or nobody waits for it */
}

/* ---- Beginning ---- */

static struct forward *
make(struct conn *c, unsigned to, const struct poll_request *q,
    const struct origin *o)
{
	struct edge *e = c->edge;
	struct forward *f = slab_get(edge_mesh_forwards(e));

	if (f == NULL) {
		e->stats.forwards_over++;
		return NULL;
	}
	f->mesh = e->mesh;
	f->from = (uint16_t)reactor_index(e->reactor);
	f->to = (uint16_t)to;
	f->begin.run = on_begin;
	f->mail.run = on_mail;
	f->drop.run = on_drop;
	f->conn = c;
	f->origin = *o;
	f->request = *q;
	f->request.body = (struct span){ NULL, 0 };
	c->ops = q->method == HTTP_M_GET ? &get_ops : &post_ops;
	c->owner = f;
	e->stats.forwards++;
	return f;
}

void
edge_forward_begin(struct conn *c, unsigned to, const struct poll_request *q,
    const struct origin *o)
{
	/* Where there is none, the whole request is refused later. */
	struct forward *f = make(c, to, q, o);

	if (f != NULL)
		f->begun = edge_mesh_post(c->edge, to, &f->begin);
}

/* False: no memory for the body, or the owner takes nothing. */
static bool
post(struct edge *e, struct forward *f, struct span body)
{
	if (!holds_take(&e->holds, body.n))
		return false;
	if (body.n > 0 && (f->body = blob_dup(body)) == NULL)
		return false;
	if (edge_mesh_post(e, f->to, &f->mail)) {
		f->away++;
		f->charged = body.n;
		e->holds.bytes += body.n;
		return true;
	}
	blob_wipe(f->body);
	f->body = NULL;
	return false;
}

void
edge_forward_request(struct conn *c, unsigned to,
    const struct poll_request *q, const struct origin *o)
{
	struct edge *e = c->edge;
	const struct edge_conf *k = &e->conf;
	struct forward *f = edge_forward_is(c) ? c->owner : make(c, to, q, o);

	if (f == NULL) {
		refuse(c, 503, o);
		return;
	}
	if (!post(e, f, q->body)) {
		edge_conn_disown(c, EDGE_LOST);
		refuse(c, 503, o);
		return;
	}
	/* The owner answers by its next ping, if it is alive. */
	edge_conn_enter(c, CONN_ANSWER, q->method == HTTP_M_GET &&
	    k->answer_ms > 0 ? k->answer_ms + k->ping_interval_ms :
	    k->answer_ms);
	edge_conn_continue(c);
}
