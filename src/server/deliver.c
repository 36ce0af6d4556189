/*
 * deliver.c: from emit to sockets. A user's sockets of this shard get the
 * event at once; for each other shard that has some, a parcel (blob and
 * address) is posted. Parcels are reused: a shard keeps those that it
 * received, so that steady traffic allocates nothing.
 */
#include "server/deliver.h"

#include <assert.h>
#include <stdlib.h>

#include "server/frame.h"
#include "server/sock.h"

#define PARCELS_KEEP 4096
/* Beside the flags of deliver.h: the socket that the call came from, alone. */
#define DELIVER_ONLY_SENDER 0x100u

struct parcel {
	struct mail mail;
	struct parcel *next;
	struct shard *to_shard;
	struct blob *blobs[DELIVER_NAMES];	/* NULL: nobody there */
	uint64_t position;
	struct user_id to;
	struct edge_ref except;		/* the sender */
	uint32_t device;
	unsigned flags;
};

static struct parcel *
parcel_get(struct shard *s)
{
	struct parcel *p = s->parcels;

	if (p == NULL)
		return malloc(sizeof(*p));
	s->parcels = p->next;
	s->parcels_n--;
	return p;
}

static void
parcel_put(struct shard *s, struct parcel *p)
{
	if (s->parcels_n >= PARCELS_KEEP) {
		free(p);
		return;
	}
	p->next = s->parcels;
	s->parcels = p;
	s->parcels_n++;
}

void
deliver_fini(struct shard *s)
{
	while (s->parcels != NULL) {
		struct parcel *p = s->parcels;

		s->parcels = p->next;
		free(p);
	}
	s->parcels_n = 0;
}

/* ---- events ---- */

struct deliver_event
deliver_event(const char *name, const struct shape *shape, const void *payload)
{
	return (struct deliver_event){ .forms[DELIVER_HANDSHAKE] = {
	    .name = name, .shape = shape, .payload = payload } };
}

void
deliver_other_form(struct deliver_event *ev, const char *name,
    const struct shape *shape, const void *payload)
{
	ev->forms[DELIVER_FIRST_EVENT] = (struct deliver_form){
	    .name = name, .shape = shape, .payload = payload };
}

void
deliver_end(struct deliver_event *ev)
{
	for (unsigned i = 0; i < DELIVER_NAMES; i++) {
		blob_unref(ev->forms[i].blob);
		ev->forms[i].blob = NULL;
	}
}

/* The frame for those who hear events so; NULL: it can not be made. */
static struct blob *
deliver_blob(struct call *c, struct deliver_event *ev, unsigned names)
{
	struct deliver_form *f = &ev->forms[names];
	struct arena_mark mark = arena_mark(&c->arena);
	struct span json;

	if (f->name == NULL)
		f = &ev->forms[DELIVER_HANDSHAKE];
	if (f->is_encoded)
		return f->blob;
	f->is_encoded = true;
	if (shape_encode_arena(f->shape, f->payload, &c->arena, &json) == OK)
		f->blob = edge_encode_event(SPAN("/"), span_str(f->name),
		    json);
	arena_reset(&c->arena, mark);
	return f->blob;
}

static bool
deliver_same(const struct edge_ref *a, const struct edge_ref *b)
{
	return a->edge == b->edge && a->index == b->index &&
	    a->generation == b->generation;
}

void
deliver_here(struct shard *s, const struct user_id *to, uint32_t device,
    struct blob *const *blobs, uint64_t position, unsigned flags,
    const struct edge_ref *except)
{
	const struct directory_user *u = directory_find(&s->directory, to);
	const struct list *head;

	if (u == NULL)
		return;
	head = &u->conns;
	for (struct list *l = head->next, *next; l != head; l = next) {
		struct sock *k = sock_of(l);

		next = l->next;
		if (except != NULL && deliver_same(&k->ref, except))
			continue;
		if (device != 0 && k->who.device != device)
			continue;
		if ((flags & DELIVER_DEVICES) != 0 && k->who.device == 0)
			continue;
		if (blobs[k->conn.kind] != NULL)
			socket_give(s, k, blobs[k->conn.kind], position);
	}
}

static void
parcel_run(struct reactor *r, struct mail *m)
{
	struct parcel *p = LIST_ITEM(m, struct parcel, mail);
	struct shard *s = p->to_shard;

	assert(s->reactor == r);
	if ((p->flags & DELIVER_ONLY_SENDER) != 0)
		edge_emit(p->except, p->blobs[0]);
	else
		deliver_here(s, &p->to, p->device, p->blobs, p->position,
		    p->flags, (p->flags & DELIVER_NOT_SENDER) != 0 ?
		    &p->except : NULL);
	for (unsigned i = 0; i < DELIVER_NAMES; i++)
		blob_unref(p->blobs[i]);
	parcel_put(s, p);
}

static void
deliver_post(struct shard *from, struct shard *to, const struct parcel *like)
{
	struct parcel *p = parcel_get(from);

	if (p == NULL)
		return;		/* its reader sees the gap and resyncs */
	*p = *like;
	p->mail.run = parcel_run;
	p->to_shard = to;
	for (unsigned i = 0; i < DELIVER_NAMES; i++)
		if (p->blobs[i] != NULL)
			blob_ref(p->blobs[i]);
	metric_add(&from->metrics.deliveries_posted, 1);
	reactor_post(to->reactor, &p->mail);
}

static void
deliver_all(struct call *c, struct parcel *like, struct deliver_event *ev)
{
	struct frame *f = frame_of(c);
	struct shard *at = f->at;
	const struct directory_user *u;

	assert(reactor_self() == at->reactor);
	u = directory_find(&at->directory, &like->to);
	if (u == NULL)
		return;
	like->except = f->ref;
	if (f->origin != ORIGIN_EVENT)
		like->flags &= ~DELIVER_NOT_SENDER;
	uint64_t where = 0;
	for (unsigned n = 0; n < DELIVER_NAMES; n++) {
		like->blobs[n] = u->kinds[n] == 0 ? NULL :
		    deliver_blob(c, ev, n);
		if (like->blobs[n] != NULL)
			where |= u->kinds[n];
	}
	for (unsigned i = 0; i < at->server->shards_n; i++) {
		struct shard *to = &at->server->shards[i];

		if ((where >> i & 1) == 0)
			continue;
		if (to == at)
			deliver_here(at, &like->to, like->device, like->blobs,
			    like->position, like->flags,
			    (like->flags & DELIVER_NOT_SENDER) != 0 ?
			    &like->except : NULL);
		else
			deliver_post(at, to, like);
	}
}

void
deliver_user(struct call *c, const struct user_id *to,
    struct deliver_event *ev, uint64_t position, unsigned flags)
{
	struct parcel p = { .to = *to, .position = position, .flags = flags };

	deliver_all(c, &p, ev);
}

void
deliver_device(struct call *c, const struct user_id *to, uint32_t device,
    struct deliver_event *ev, uint64_t position)
{
	struct parcel p = { .to = *to, .position = position,
	    .device = device };

	deliver_all(c, &p, ev);
}

void
deliver_users(struct call *c, const struct user_id *to, size_t n,
    struct deliver_event *ev, uint64_t position, unsigned flags)
{
	for (size_t i = 0; i < n; i++)
		deliver_user(c, &to[i], ev, position, flags);
}

void
deliver_caller(struct call *c, struct deliver_event *ev)
{
	struct frame *f = frame_of(c);
	struct blob *b = f->origin != ORIGIN_EVENT ? NULL :
	    deliver_blob(c, ev, f->names);

	if (b == NULL)
		return;
	if (f->at == f->home) {
		edge_emit(f->ref, b);
		return;
	}
	struct parcel like = { .blobs = { b }, .to = c->who.user,
	    .except = f->ref, .flags = DELIVER_ONLY_SENDER };
	deliver_post(f->at, f->home, &like);
}

bool
deliver_is_online(struct call *c, const struct user_id *user)
{
	return call_presence_of(c, user) != PRESENCE_OFFLINE;
}
