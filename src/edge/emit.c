/*
 * emit.c: one event to many sockets: those of rooms or of a namespace, here
 * and in sibling edges. It is encoded once; every recipient refers to it.
 * exports edge_emit_*, edge_encode_*
 *
 * Implementation notes: a target list as one blob is nsp (2 bytes of length
 * before it), rooms_n, except_n (4 bytes each), then so many names coded as
 * the nsp is. It is made only where siblings or the log need it.
 */
#include <assert.h>
#include <stdatomic.h>

#include "edge/sio.h"

/* ---- Targets ---- */

bool
edge_emit_next(struct span *names, struct span *name_out)
{
	struct rd r = rd_init(*names);

	if (names->n == 0)
		return false;
	*name_out = rd_vec16(&r);
	*names = rd_rest(&r);
	return true;
}

static size_t
coded_len(const struct span *names, uint32_t n)
{
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++)
		len += 2 + names[i].n;
	return len;
}

struct blob *
edge_emit_targets(const struct edge_to *to)
{
	size_t n = 2 + to->nsp.n + 8 + coded_len(to->rooms, to->rooms_n) +
	    coded_len(to->except, to->except_n);
	struct blob *b = n > UINT32_MAX ? NULL : blob_new(n);
	struct wr w;

	if (b == NULL)
		return NULL;
	w = wr_init(b->p, n);
	wr_vec16(&w, to->nsp);
	wr_u32(&w, to->rooms_n);
	wr_u32(&w, to->except_n);
	for (uint32_t i = 0; i < to->rooms_n; i++)
		wr_vec16(&w, to->rooms[i]);
	for (uint32_t i = 0; i < to->except_n; i++)
		wr_vec16(&w, to->except[i]);
	assert(wr_ok(&w));
	return b;
}

void
edge_emit_decode(struct span coded, struct targets *out)
{
	struct rd r = rd_init(coded);
	struct span names, name;

	out->nsp = rd_vec16(&r);
	out->rooms_n = rd_u32(&r);
	out->except_n = rd_u32(&r);
	out->rooms = names = rd_rest(&r);
	for (uint32_t i = 0; i < out->rooms_n; i++)
		(void)edge_emit_next(&names, &name);
	out->rooms.n -= names.n;
	out->except = names;
}

/* ---- Delivery ---- */

/* One event on its way to the sockets of this edge. */
struct run {
	struct nsp *nsp;
	struct sio *x;
	struct blob *frames;
	bool is_volatile;
	bool marking;		/* a socket may be met twice, or not at all */
	bool sending;		/* else only marking */
};

static void
meet(struct run *r, struct sock *k)
{
	uint32_t i = k->slot.index;
	uint8_t bit = (uint8_t)(1u << (i & 7));

	if (r->marking) {
		if (r->x->marks[i / 8] & bit)
			return;
		r->x->marks[i / 8] |= bit;
	}
	if (r->sending)
		edge_sio_send_blob(k, r->frames, r->is_volatile);
}

static void
meet_room(struct run *r, struct span name)
{
	struct room *room = edge_rooms_find(r->nsp, name);
	struct sock *own = edge_rooms_owner(r->nsp, name);
	uint32_t i = room == NULL ? SIO_NONE : room->first;

	while (i != SIO_NONE) {
		const struct member *m = slab_at(&r->x->members, i);

		i = m->next;
		meet(r, slab_at(&r->nsp->edge->socks, m->sock));
	}
	if (own != NULL)
		meet(r, own);
}

static void
meet_all(struct run *r)
{
	uint32_t i = r->nsp->first;

	while (i != SIO_NONE) {
		struct sock *k = slab_at(&r->nsp->edge->socks, i);

		i = k->nsp_next;
		meet(r, k);
	}
}

static void
begin(struct run *r, bool several)
{
	r->marking = several;
	if (several)
		memset(r->x->marks, 0, ((size_t)r->nsp->edge->socks.high + 7) / 8);
}

/*
 * A socket can be in two of several rooms, and what is left out is marked as
 * if it had been met.
 */
static void
deliver(struct edge *e, struct nsp *n, const struct targets *t,
    struct blob *frames, bool is_volatile)
{
	struct run r = { .nsp = n, .x = e->sio, .frames = frames,
	    .is_volatile = is_volatile };
	struct span names = t->except, name;

	begin(&r, t->rooms_n > 1 || t->except_n > 0);
	while (edge_emit_next(&names, &name))
		meet_room(&r, name);
	r.sending = true;
	if (t->rooms_n == 0)
		meet_all(&r);
	names = t->rooms;
	while (edge_emit_next(&names, &name))
		meet_room(&r, name);
}

/* ---- Siblings ---- */

/* One event on its way to one sibling; in no edge's memory. */
struct post {
	struct mail mail;
	struct edge_mesh *mesh;
	struct blob *under_way;		/* the sender's */
	struct blob *frames, *targets;
	uint64_t offset;
	bool is_logged;
	bool is_volatile;
};

static atomic_uint *
counter(struct blob *b)
{
	return (atomic_uint *)(void *)b->p;
}

struct blob *
edge_emit_depart(struct edge *e)
{
	struct blob *b = e->sio->under_way;

	if (atomic_load(counter(b)) >= e->conf.links_max) {
		e->stats.links_over++;
		return NULL;
	}
	atomic_fetch_add(counter(b), 1);
	return blob_ref(b);
}

void
edge_emit_arrive(struct blob *under_way)
{
	atomic_fetch_sub(counter(under_way), 1);
	blob_unref(under_way);
}

static void
post_free(struct post *p)
{
	edge_emit_arrive(p->under_way);
	blob_unref(p->frames);
	blob_unref(p->targets);
	free(p);
}

/* Logged, and delivered, as if it had been sent here. */
static void
take(struct edge *e, const struct post *p)
{
	struct targets t;
	struct nsp *n;

	edge_emit_decode(blob_span(p->targets), &t);
	/* Who was here, and is away, may come back for it. */
	if (p->is_logged && (n = edge_nsp_find(e, t.nsp)) != NULL)
		edge_recover_log(n, p->offset, p->frames, p->targets);
	if ((n = edge_nsp_find(e, t.nsp)) != NULL)
		deliver(e, n, &t, p->frames, p->is_volatile);
}

static void
on_post(struct reactor *reactor, struct mail *m)
{
	struct post *p = (struct post *)(void *)((char *)m -
	    offsetof(struct post, mail));
	struct edge *e = edge_mesh_here(p->mesh, reactor);

	if (e != NULL)
		take(e, p);
	post_free(p);
}

static void
post_one(struct edge *e, unsigned to, const struct post *what)
{
	struct blob *under_way = edge_emit_depart(e);
	struct post *p;

	if (under_way == NULL)
		return;
	if ((p = malloc(sizeof *p)) == NULL) {
		e->stats.links_over++;
		edge_emit_arrive(under_way);
		return;
	}
	*p = *what;
	p->mail = (struct mail){ NULL, on_post };
	p->mesh = e->mesh;
	p->under_way = under_way;
	blob_ref(p->frames);
	blob_ref(p->targets);
	if (!edge_mesh_post(e, to, &p->mail))
		post_free(p);
}

static void
post_all(struct edge *e, const struct post *what)
{
	size_t n = edge_mesh_count(e);

	for (unsigned i = 0; i < n; i++) {
		if (i != reactor_index(e->reactor))
			post_one(e, i, what);
	}
}

/* ---- Encoding ---- */

struct blob *
edge_emit_encode(const struct sio_frames *f)
{
	size_t n = sio_frames_len(f);
	struct blob *b = n > UINT32_MAX ? NULL : blob_new(n);

	if (b != NULL)
		sio_frames_put(b->p, f);
	return b;
}

struct blob *
edge_encode_with(struct span nsp, struct span name,
    const struct edge_args *args)
{
	return edge_emit_encode(&(struct sio_frames){ .nsp = nsp,
	    .id = SIO_NO_ID, .name = name, .args = args->json,
	    .parts = args->parts, .parts_n = args->parts_n });
}

struct blob *
edge_encode_event(struct span nsp, struct span name, struct span args)
{
	return edge_encode_with(nsp, name, &(struct edge_args){
	    .json = args });
}

/* ---- Sending ---- */

static bool
names_ok(const struct span *names, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (names[i].n > UINT16_MAX)
			return false;
	}
	return true;
}

static struct blob *
encode(struct edge *e, struct span nsp, struct span name,
    const struct edge_args *args, bool is_logged, uint64_t *offset)
{
	char text[SIO_OFFSET + 2];
	struct sio_frames f = { .nsp = nsp, .id = SIO_NO_ID, .name = name,
	    .args = args->json, .parts = args->parts,
	    .parts_n = args->parts_n };

	if (is_logged) {
		*offset = edge_recover_offset(e, text);
		f.last = SPAN_OF(text);
	}
	return edge_emit_encode(&f);
}

static void
log_here(struct edge *e, struct span nsp, const struct post *p)
{
	struct nsp *n;

	if (p->is_logged && (n = edge_nsp_find(e, nsp)) != NULL)
		edge_recover_log(n, p->offset, p->frames, p->targets);
}

/* Where no list of targets is needed as bytes, it is walked as given. */
static void
deliver_to(struct edge *e, struct nsp *n, const struct edge_to *to,
    struct blob *frames)
{
	struct run r = { .nsp = n, .x = e->sio, .frames = frames,
	    .is_volatile = to->is_volatile };

	begin(&r, to->rooms_n > 1 || to->except_n > 0);
	for (uint32_t i = 0; i < to->except_n; i++)
		meet_room(&r, to->except[i]);
	r.sending = true;
	if (to->rooms_n == 0)
		meet_all(&r);
	for (uint32_t i = 0; i < to->rooms_n; i++)
		meet_room(&r, to->rooms[i]);
}

void
edge_emit_to(struct edge *e, const struct edge_to *to, struct span name,
    const struct edge_args *args)
{
	struct post p = { .is_volatile = to->is_volatile };
	struct nsp *n = edge_nsp_find(e, to->nsp);

	assert(reactor_self() == e->reactor);
	p.is_logged = e->sio->recovery != NULL && !to->is_volatile;
	if ((n == NULL && edge_mesh_count(e) < 2) ||
	    to->nsp.n > UINT16_MAX || !names_ok(to->rooms, to->rooms_n) ||
	    !names_ok(to->except, to->except_n))
		return;
	p.frames = encode(e, to->nsp, name, args, p.is_logged, &p.offset);
	if (p.frames != NULL && (edge_mesh_count(e) > 1 || p.is_logged))
		p.targets = edge_emit_targets(to);
	if (p.targets != NULL) {
		log_here(e, to->nsp, &p);
		post_all(e, &p);
	}
	if (p.frames != NULL && n != NULL)
		deliver_to(e, n, to, p.frames);
	blob_unref(p.frames);
	blob_unref(p.targets);
}

void
edge_emit_logged(struct sock *k, struct span name,
    const struct edge_args *args)
{
	struct edge *e = k->nsp->edge;
	struct span own = SPAN_OF(k->id);
	struct edge_to to = { .nsp = edge_nsp_name(k->nsp), .rooms = &own,
	    .rooms_n = 1 };
	struct post p = { .is_logged = true };

	p.frames = encode(e, to.nsp, name, args, true, &p.offset);
	p.targets = p.frames == NULL ? NULL : edge_emit_targets(&to);
	if (p.targets != NULL)
		log_here(e, to.nsp, &p);
	if (p.frames != NULL)
		edge_sio_send_blob(k, p.frames, false);
	blob_unref(p.frames);
	blob_unref(p.targets);
}
