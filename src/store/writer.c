/*
 * writer.c: the writer thread: group commit. It takes whatever waits, runs
 * it in one transaction, commits once and hands all of it back. See
 * txn.c for why a batch first runs without savepoints.
 */
#include "store/store_private.h"

static struct txn
new_txn(struct store *s, bool keeps)
{
	return (struct txn){ .l = &s->link, .can_write = true,
	    .keeps = keeps, .position = s->position };
}

/* All steps of a batch. ERR_CONFLICT: run it again with savepoints. */
static enum err
run_steps(struct txn *t, struct store_job *first)
{
	for (struct store_job *j = first; j != NULL; j = j->next) {
		txn_step_begin(t, j->arena);
		j->err = j->write(j, t);
		TRY(txn_step_end(t, j->err));
	}
	return OK;
}

/*
 * No position that somebody has seen is given again, even when its row is
 * gone: the file names one that none is above. It is moved ahead by many at
 * once, for a write of it costs each commit a page.
 */
static enum err
reserve(struct txn *t, uint64_t up_to)
{
	struct q_positions_set_in in = { .value = up_to };

	txn_step_begin(t, NULL);
	return q_positions_set(t, &in, NULL);
}

static enum err
run_batch(struct store *s, struct store_job *first, bool keeps)
{
	struct txn t = new_txn(s, keeps);
	uint64_t up_to = s->reserved;
	enum err e = run_steps(&t, first);

	if (e == OK && t.position > up_to) {
		up_to = t.position + POSITIONS_AHEAD;
		e = reserve(&t, up_to);
	}
	if (e == OK)
		e = txn_commit(&t);
	if (e == OK) {
		s->position = t.position;
		s->reserved = up_to;
	} else {
		txn_rollback(&t);
	}
	return e;
}

/* The file names an exact position again: the next start has no gap. */
static void
settle(struct store *s)
{
	struct txn t = new_txn(s, false);
	enum err e;

	if (s->link.d == NULL || s->must_reopen || s->reserved == s->position)
		return;
	e = reserve(&t, s->position);
	if (e == OK)
		e = txn_commit(&t);
	if (e != OK)
		txn_rollback(&t);
}

enum err
writer_init(struct store *s)
{
	struct q_positions_max_in in = { 0 };
	struct q_positions_max_out o;
	struct txn t = new_txn(s, false);
	uint64_t p = s->position;
	enum err e;

	t.can_write = false;
	txn_step_begin(&t, NULL);
	e = q_positions_max(&t, &in, &o);
	if (e == OK)
		e = txn_commit(&t);
	if (e != OK) {
		txn_rollback(&t);
		return e;
	}
	/* Opened again, it knows what was given; a commit may have failed
	 * only in appearance, so rows count. */
	if (!s->is_known && o.stored > p)
		p = o.stored;
	p = o.messages > p ? o.messages : p;
	p = o.events > p ? o.events : p;
	s->position = o.receipts > p ? o.receipts : p;
	s->reserved = o.stored;
	s->is_known = true;
	return OK;
}

/*
 * After a failure of the disk the connection may think what it likes of the
 * file: begin anew with what is really there.
 */
static enum err
reopen(struct store *s)
{
	if (!s->must_reopen)
		return OK;
	link_close(&s->link);
	TRY(link_open(&s->link, s->conf.driver, s->path, DB_WRITE, NULL));
	TRY(writer_init(s));
	s->must_reopen = false;
	return OK;
}

static bool
is_disk(enum err e)
{
	return e == ERR_IO || e == ERR_DISK_FULL || e == ERR_STORE;
}

static void
count_batch(struct store *s, size_t n, enum err e, bool again, uint64_t took,
    uint64_t waited)
{
	struct store_stats *st = &s->stats;
	uint64_t pages = 0;

	if (s->link.d != NULL)
		pages = s->conf.driver->log_pages(s->link.db);
	thread_lock_take(&s->lock);
	s->health = is_disk(e) ? e : OK;
	st->batches += n > 0;
	st->jobs += n;
	st->failed += e == OK ? 0 : n;
	st->reruns += again;
	st->commit_us += took;
	st->wait_us += waited;
	if (took > st->commit_us_max)
		st->commit_us_max = took;
	if (n > st->batch_max)
		st->batch_max = n;
	st->position = s->position;
	if (pages < st->wal_pages)	/* the log began anew */
		s->checkpoint_at = CHECKPOINT_PAGES;
	st->wal_pages = pages;
	if (pages >= s->checkpoint_at)
		thread_cond_wake_one(&s->checkpoint_work);
	thread_lock_give(&s->lock);
}

/* Runs and commits; every job's err says what became of it. */
static void
commit_batch(struct store *s, struct store_job *first, size_t n)
{
	uint64_t begin = s->conf.now_us(), waited = 0;
	bool again = false;
	enum err e;

	for (struct store_job *j = first; j != NULL; j = j->next) {
		waited += begin - j->since_us;
		j->err = OK;
	}
	e = reopen(s);
	if (e == OK)
		e = run_batch(s, first, false);
	if (e == ERR_CONFLICT) {
		again = true;
		e = run_batch(s, first, true);
	}
	if (is_disk(e))
		s->must_reopen = true;
	/* Refusals stand; nothing else may be taken for done. */
	for (struct store_job *j = first; j != NULL && e != OK; j = j->next)
		if (j->err == OK)
			j->err = e;
	count_batch(s, n, e, again, s->conf.now_us() - begin, waited);
}

/* Does a commit work again? Writes what is there already. */
static void
probe(struct store *s)
{
	struct txn t;
	enum err e = reopen(s);

	if (e == OK) {
		t = new_txn(s, false);
		e = reserve(&t, s->reserved);
		if (e == OK)
			e = txn_commit(&t);
		if (e != OK)
			txn_rollback(&t);
	}
	if (is_disk(e))
		s->must_reopen = true;
	count_batch(s, 0, e, false, 0, 0);
}

void
writer_run(void *arg)
{
	struct store *s = arg;
	struct store_job *first, *next;
	bool closed = false;
	size_t n;

	s->conf.driver->log_reserve(s->link.db, LOG_RESERVED);
	while (!closed) {
		first = queue_take(&s->queue, STORE_BATCH_MAX,
		    store_health(s) == OK ? 0 : PROBE_MS, &n, &closed);
		if (first == NULL) {
			if (!closed)
				probe(s);
			continue;
		}
		commit_batch(s, first, n);
		for (; first != NULL; first = next) {
			next = first->next;
			store_post(first);
		}
		queue_done(&s->queue, n);
	}
	settle(s);
}
