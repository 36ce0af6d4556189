/*
 * reader.c: a reader thread: runs `read` steps in snapshots. Jobs that wait
 * share one; each was submitted before it was taken, so it sees everything
 * that was acknowledged before.
 */
#include "store/store_private.h"

#define TRIES 5
#define RETRY_MS 2

/* One step; ended transactions begin anew by themselves. */
static enum err
run_once(struct txn *t, struct store_job *j)
{
	enum err e;

	txn_step_begin(t, j->arena);
	j->err = j->read(j, t);
	e = txn_step_end(t, j->err);
	return e != OK ? e : j->err;
}

static enum err
run_job(struct reader *r, struct txn *t, struct store_job *j)
{
	enum err e = OK;

	for (int i = 0; i < TRIES; i++) {
		if (r->link.d == NULL)
			e = link_open(&r->link, r->s->conf.driver, r->s->path,
			    DB_READ, NULL);
		if (e == OK)
			e = run_once(t, j);
		if (t->lost == OK && r->link.d != NULL)
			return e;
		txn_rollback(t);
		t->lost = OK;
		if (e != ERR_BUSY)
			link_close(&r->link);
		thread_sleep_ms(RETRY_MS);
	}
	return e;
}

static void
run_batch(struct reader *r, struct store_job *first, size_t n)
{
	struct txn t = { .l = &r->link };
	struct store_job *next;

	for (struct store_job *j = first; j != NULL; j = next) {
		next = j->next;
		j->err = run_job(r, &t, j);
		if (j->err != OK || j->write == NULL)
			store_post(j);
		else if (queue_push(&r->s->queue, j, true) != OK)
			store_post(j);
	}
	if (r->link.d != NULL && txn_commit(&t) != OK)
		txn_rollback(&t);
	thread_lock_take(&r->s->lock);
	r->s->stats.reads += n;
	thread_lock_give(&r->s->lock);
	queue_done(&r->queue, n);
}

void
reader_run(void *arg)
{
	struct reader *r = arg;
	struct store_job *first;
	bool closed = false;
	size_t n;

	while (!closed) {
		first = queue_take(&r->queue, READ_BATCH_MAX, 0, &n, &closed);
		if (first != NULL)
			run_batch(r, first, n);
	}
}
