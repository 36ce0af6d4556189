/*
 * txn.c: transactions over a connection: when they begin, how one step of a
 * batch is undone without its neighbours, how positions are given out and
 * given back. Store threads only.
 */
#include <assert.h>

#include "store/txn_private.h"

/*
 * Implementation notes
 *
 * BEGIN is said before the first statement, so that a batch whose steps are
 * refused by their own checks costs nothing.
 *
 * A step is undone alone by a savepoint that opens before its first write.
 * A savepoint makes the engine copy each page that changes after it (about a
 * tenth of the time of a batch of sends), and nearly no step fails after it
 * wrote: it checks first. So a batch runs without savepoints, and only when a
 * step fails after a change the whole batch is rolled back and run again with
 * them (writer.c).
 */

struct arena *
txn_arena(struct txn *t)
{
	return t->arena;
}

bool
txn_can_write(const struct txn *t)
{
	return t->can_write;
}

uint64_t
txn_position(struct txn *t)
{
	assert(t->can_write);
	return ++t->position;
}

void
txn_position_back(struct txn *t, uint64_t position)
{
	assert(position == t->position);
	assert(position > t->step_position);
	t->position--;
}

enum err
txn_enter(struct txn *t, bool writes)
{
	enum err e;

	if (t->lost != OK)
		return t->lost;
	if (!t->has_begun) {
		/* A writer says at once that it will write: no upgrade later. */
		e = t->l->d->run(t->l->db,
		    t->can_write ? "BEGIN IMMEDIATE" : "BEGIN");
		if (e != OK)
			return t->lost = e;
		t->has_begun = true;
	}
	if (writes && t->keeps && !t->has_savepoint) {
		e = t->l->d->run(t->l->db, "SAVEPOINT step");
		if (e != OK)
			return t->lost = e;
		t->has_savepoint = true;
	}
	return OK;
}

void
txn_step_begin(struct txn *t, struct arena *a)
{
	t->arena = a;
	t->has_savepoint = false;
	t->wrote = false;
	t->step_position = t->position;
}

enum err
txn_step_end(struct txn *t, enum err e)
{
	const struct driver *d = t->l->d;
	enum err r = OK;

	link_close_cursors(t->l);
	if (t->lost != OK)
		return t->lost;
	if (e != OK && t->wrote && !t->has_savepoint)
		return ERR_CONFLICT;
	if (e != OK)
		t->position = t->step_position;
	if (t->has_savepoint && e != OK)
		r = d->run(t->l->db, "ROLLBACK TO step");
	if (t->has_savepoint && r == OK)
		r = d->run(t->l->db, "RELEASE step");
	t->has_savepoint = false;
	if (r != OK)
		t->lost = r;
	return r;
}

enum err
txn_commit(struct txn *t)
{
	enum err e = t->lost;

	if (e == OK && t->has_begun)
		e = t->l->d->run(t->l->db, "COMMIT");
	if (e == OK)
		t->has_begun = false;
	return e;
}

void
txn_rollback(struct txn *t)
{
	link_close_cursors(t->l);
	/* It may be gone already: what matters is that none is left. */
	if (t->has_begun)
		(void)t->l->d->run(t->l->db, "ROLLBACK");
	t->has_begun = false;
}
