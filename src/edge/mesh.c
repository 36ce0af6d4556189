/*
 * mesh.c: the edges of a program's reactors know each other, so that what
 * comes to the wrong one goes on by mail.
 * exports edge_mesh_*, edge_link
 *
 * Implementation notes. Mail may be posted only while the other's reactor is
 * there, which its own thread ends: the lock of each member is held while
 * posting, and while it leaves. What travels (a struct mail inside something
 * larger) lives in memory of the mesh, which is freed with its last edge: so
 * a sender may be gone when its mail is read, and a reader when it was posted
 * last.
 */
#include <assert.h>

#include "edge/poll.h"
#include "net/thread.h"

struct member {
	struct thread_lock lock;
	struct reactor *reactor;
	struct edge *edge;	/* of that thread */
	struct slab forwards;	/* likewise */
	bool draining;		/* takes answers, but nothing new */
	bool closed;		/* takes nothing */
};

struct edge_mesh {
	struct thread_lock lock;
	size_t edges_n;		/* still in it */
	size_t n;
	struct member members[EDGE_LINKS_MAX];
};

static void
release(struct edge_mesh *m)
{
	for (size_t i = 0; i < m->n; i++) {
		slab_close(&m->members[i].forwards);
		thread_lock_fini(&m->members[i].lock);
	}
	thread_lock_fini(&m->lock);
	free(m);
}

enum err
edge_link(struct edge *const *edges, size_t n)
{
	struct edge_mesh *m;
	enum err err = OK;

	if (n == 0 || n > EDGE_LINKS_MAX)
		return ERR_ARG;
	for (size_t i = 0; i < n; i++) {
		if (reactor_index(edges[i]->reactor) != i ||
		    edges[i]->mesh != NULL)
			return ERR_ARG;
	}
	if ((m = calloc(1, sizeof *m)) == NULL)
		return ERR_NOMEM;
	thread_lock_init(&m->lock);
	m->n = m->edges_n = n;
	for (size_t i = 0; i < n; i++) {
		struct member *k = &m->members[i];

		thread_lock_init(&k->lock);
		k->edge = edges[i];
		k->reactor = edges[i]->reactor;
		if (err == OK)
			err = slab_open(&k->forwards, edge_forward_size(),
			    edges[i]->conf.forwards_max);
	}
	if (err != OK) {
		release(m);
		return err;
	}
	for (size_t i = 0; i < n; i++)
		edges[i]->mesh = m;
	return OK;
}

size_t
edge_mesh_count(const struct edge *e)
{
	return e->mesh == NULL ? 0 : e->mesh->n;
}

static bool
post(struct edge *from, unsigned to, struct mail *mail, bool answer)
{
	struct edge_mesh *m = from->mesh;
	struct member *k;
	bool there;

	if (m == NULL || to >= m->n)
		return false;
	k = &m->members[to];
	thread_lock_take(&k->lock);
	there = !k->closed && (answer || !k->draining);
	if (there)
		reactor_post(k->reactor, mail);
	thread_lock_give(&k->lock);
	return there;
}

bool
edge_mesh_post(struct edge *from, unsigned to, struct mail *mail)
{
	return post(from, to, mail, false);
}

bool
edge_mesh_answer(struct edge *from, unsigned to, struct mail *mail)
{
	return post(from, to, mail, true);
}

struct edge *
edge_mesh_here(struct edge_mesh *m, const struct reactor *r)
{
	assert(reactor_self() == r);
	return m->members[reactor_index(r)].edge;
}

static struct member *
own(struct edge *e)
{
	return &e->mesh->members[reactor_index(e->reactor)];
}

struct slab *
edge_mesh_forwards(struct edge *e)
{
	return &own(e)->forwards;
}

void
edge_mesh_drain(struct edge *e)
{
	if (e->mesh == NULL)
		return;
	thread_lock_take(&own(e)->lock);
	own(e)->draining = true;
	thread_lock_give(&own(e)->lock);
}

void
edge_mesh_shut(struct edge *e)
{
	if (e->mesh == NULL)
		return;
	thread_lock_take(&own(e)->lock);
	own(e)->closed = true;
	thread_lock_give(&own(e)->lock);
	reactor_tick(e->reactor, 0);	/* what was posted before */
}

void
edge_mesh_leave(struct edge *e)
{
	struct edge_mesh *m = e->mesh;
	size_t left;

	if (m == NULL)
		return;
	own(e)->edge = NULL;
	e->mesh = NULL;
	thread_lock_take(&m->lock);
	left = --m->edges_n;
	thread_lock_give(&m->lock);
	if (left == 0)
		release(m);
}
