/*
 * seek.c: a client that comes back may come to another reactor than the one
 * that keeps what it had: its edge asks the siblings. The one that has it
 * gives it away, with what was missed until then; from then on the asker's
 * own log goes on.
 * exports edge_seek_*
 *
 * Implementation notes: a mail is memory of its own, which whoever holds it
 * last frees. From the beginning on (`mark`) the asker's log has all that goes
 * to many; what went before has to be in the giver's. It is, after one round
 * of mail: when a sibling has answered that, what it had sent to the asker
 * before is sent to the giver, too. Then the question follows, behind it.
 * What is in both logs is told apart by its offset.
 */
#include <assert.h>

#include "edge/recover.h"

#define AUTH_BYTES 256		/* of decoded strings in an auth object */

struct seek {
	struct mail mail;
	struct edge_mesh *mesh;
	unsigned from;			/* the asker */
	uint32_t index, generation;	/* its socket */
	uint64_t mark;			/* in its log */
	struct blob *under_way;		/* the asker's */
	struct blob *nsp;
	uint64_t offset;
	char pid[SIO_PID];
	/* the answer */
	bool found;
	char id[EDGE_SOCK_ID];
	struct blob *rooms;
	uint64_t left_ms;
	struct buf missed;		/* struct missed each */
};

static struct seek *
of_mail(struct mail *m)
{
	return (struct seek *)(void *)((char *)m -
	    offsetof(struct seek, mail));
}

static void
seek_free(struct seek *s)
{
	const struct missed *m = (const struct missed *)(void *)s->missed.p;

	for (size_t i = 0; i < s->missed.n / sizeof *m; i++)
		blob_unref(m[i].frames);
	buf_fini(&s->missed);
	blob_unref(s->rooms);
	blob_unref(s->nsp);
	edge_emit_arrive(s->under_way);
	wipe(s->pid, sizeof s->pid);
	free(s);
}

/* ---- At the asker: an answer ---- */

/* What was given is kept here now, if there is room for it. */
static void
adopt(struct recovery *v, struct seek *s)
{
	struct kept *t = edge_recover_new(v);

	if (t == NULL)
		return;
	t->nsp = edge_nsp_ref(v->edge, blob_span(s->nsp));
	if (t->nsp == NULL) {
		slab_put(&v->kepts, t);
		return;
	}
	t->foreign = true;
	t->rooms = s->rooms;
	t->missed = s->missed;
	t->mark = s->mark;
	t->offset = s->offset;
	t->until_ms = reactor_now_ms(v->edge->reactor) + s->left_ms;
	memcpy(t->id, s->id, sizeof t->id);
	memcpy(t->pid, s->pid, sizeof t->pid);
	s->rooms = NULL;
	s->missed = (struct buf){ 0 };
	edge_recover_show(v, t);
}

static void
hear(struct edge *e, struct seek *s)
{
	struct recovery *v = e->sio->recovery;
	struct sock *k = slab_find(&e->socks, s->index, s->generation);

	if (s->found && v != NULL)
		adopt(v, s);
	/* It may be gone, or have got it from another. */
	if (k == NULL || k->state != SOCK_ASKED ||
	    (k->flags & SOCK_SEEKING) == 0 || v == NULL)
		return;
	k->more->restore = edge_recover_take(v, edge_nsp_name(k->nsp),
	    SPAN_OF(s->pid), s->offset);
	k->more->recovered = k->more->restore != NULL;
	if (--k->more->seeks == 0 || k->more->recovered)
		edge_sio_connect(k);
}

static void
on_answer(struct reactor *reactor, struct mail *m)
{
	struct seek *s = of_mail(m);
	struct edge *e = edge_mesh_here(s->mesh, reactor);

	if (e != NULL)
		hear(e, s);
	seek_free(s);
}

/* ---- At a sibling: the question ---- */

static void
add(void *arg, const struct missed *m)
{
	struct seek *s = arg;

	if (buf_add(&s->missed, m, sizeof *m) == OK)
		blob_ref(m->frames);
	else
		s->found = false;	/* it would have a gap */
}

static void
give(struct recovery *v, struct seek *s)
{
	struct kept *t = edge_recover_take(v, blob_span(s->nsp),
	    SPAN_OF(s->pid), s->offset);
	uint64_t now = reactor_now_ms(v->edge->reactor);

	if (t == NULL)
		return;
	s->found = true;
	memcpy(s->id, t->id, sizeof s->id);
	s->left_ms = t->until_ms > now ? t->until_ms - now : 0;
	s->rooms = blob_ref(t->rooms);
	buf_init(&s->missed, v->max * sizeof(struct missed) * 2);
	edge_recover_walk(v, t, add, s);
	edge_recover_drop(v, t);
}

static void
on_question(struct reactor *reactor, struct mail *m)
{
	struct seek *s = of_mail(m);
	struct edge *e = edge_mesh_here(s->mesh, reactor);

	if (e != NULL && e->sio->recovery != NULL)
		give(e->sio->recovery, s);
	s->mail = (struct mail){ NULL, on_answer };
	if (e == NULL || !edge_mesh_answer(e, s->from, &s->mail))
		seek_free(s);
}

/* ---- Asking ---- */

static bool
post(struct sock *k, unsigned to, mail_fn run, struct span pid,
    uint64_t offset)
{
	struct edge *e = k->nsp->edge;
	struct blob *under_way = edge_emit_depart(e);
	struct seek *s;

	if (under_way == NULL)
		return false;
	if ((s = calloc(1, sizeof *s)) == NULL) {
		edge_emit_arrive(under_way);
		return false;
	}
	s->under_way = under_way;
	s->mail = (struct mail){ NULL, run };
	s->mesh = e->mesh;
	s->from = reactor_index(e->reactor);
	s->index = k->slot.index;
	s->generation = k->slot.generation;
	s->mark = k->more->mark;
	s->nsp = blob_ref(k->nsp->name);
	s->offset = offset;
	memcpy(s->pid, pid.p, sizeof s->pid);
	if (edge_mesh_post(e, to, &s->mail))
		return true;
	seek_free(s);
	return false;
}

/* To all siblings; how many of them will answer is then in k->more->seeks. */
static void
post_all(struct sock *k, mail_fn run)
{
	struct edge *e = k->nsp->edge;
	size_t n = edge_mesh_count(e);
	uint8_t mem[AUTH_BYTES];
	struct arena a;
	struct span pid;
	uint64_t offset;

	arena_init(&a, mem, sizeof mem);
	if (!edge_recover_names(blob_span(k->more->auth), &a, &pid, &offset))
		return;
	for (unsigned i = 0; i < n; i++) {
		if (i != reactor_index(e->reactor) &&
		    post(k, i, run, pid, offset))
			k->more->seeks++;
	}
}

/* The first round is home: now they are asked. */
static void
on_round(struct reactor *reactor, struct mail *m)
{
	struct seek *s = of_mail(m);
	struct edge *e = edge_mesh_here(s->mesh, reactor);
	struct sock *k = e == NULL ? NULL :
	    slab_find(&e->socks, s->index, s->generation);

	seek_free(s);
	if (k == NULL || k->state != SOCK_ASKED || --k->more->seeks > 0)
		return;
	post_all(k, on_question);
	if (k->more->seeks == 0)
		edge_sio_connect(k);
}

static void
on_turn(struct reactor *reactor, struct mail *m)
{
	struct seek *s = of_mail(m);
	struct edge *e = edge_mesh_here(s->mesh, reactor);

	s->mail = (struct mail){ NULL, on_round };
	if (e == NULL || !edge_mesh_answer(e, s->from, &s->mail))
		seek_free(s);
}

bool
edge_seek_begin(struct sock *k, struct span auth)
{
	struct edge *e = k->nsp->edge;
	uint8_t mem[AUTH_BYTES];
	struct arena a;
	struct span pid;
	uint64_t offset;

	arena_init(&a, mem, sizeof mem);
	if (e->sio->recovery == NULL || edge_mesh_count(e) < 2 ||
	    !edge_recover_names(auth, &a, &pid, &offset) ||
	    edge_sio_more(k) == NULL ||
	    (k->more->auth = blob_dup(auth)) == NULL)
		return false;
	k->more->mark = e->sio->recovery->total;
	post_all(k, on_turn);
	if (k->more->seeks > 0)
		k->flags |= SOCK_SEEKING;
	return k->more->seeks > 0;
}
