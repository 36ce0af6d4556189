/*
 * checkpoint.c: moves the write-ahead log into the database, on a thread and
 * connection of its own: done by the writer it would stall commits.
 */
#include "store/store_private.h"

/*
 * Implementation notes
 *
 * Passes run beside the writer, which meanwhile makes the log longer, so
 * under constant load none of them reaches its end, and the log can not begin
 * anew. Once it is long, passes follow each other until little is left (each
 * has less to do than the one before), and that little is moved while the
 * writer waits: one or two milliseconds, and the log begins anew. A pass that
 * fails (disk full) is tried again at the next commit.
 */
#define PASSES_MAX 8

static void
move_log(struct store *s, uint64_t pages)
{
	const struct driver *d = s->conf.driver;
	struct db *db = s->checkpoint_link.db;
	uint64_t left = pages;
	enum err e = OK;

	for (int i = 0; i < PASSES_MAX && e == OK; i++) {
		e = d->checkpoint(db, false, &left);
		if (left <= CHECKPOINT_LEFT_HARD)
			break;
	}
	if (e == OK && pages >= CHECKPOINT_PAGES_HARD)
		(void)d->checkpoint(db, true, &left);
}

static void
run_pass(struct store *s, uint64_t pages)
{
	enum err e = OK;

	if (s->checkpoint_link.d == NULL)
		e = link_open(&s->checkpoint_link, s->conf.driver, s->path,
		    DB_CHECKPOINT, NULL);
	if (e == OK)
		move_log(s, pages);
}

void
checkpoint_run(void *arg)
{
	struct store *s = arg;
	uint64_t pages;

	thread_lock_take(&s->lock);
	while (!s->checkpoint_closing) {
		pages = s->stats.wal_pages;
		if (pages < s->checkpoint_at) {
			thread_cond_wait(&s->checkpoint_work, &s->lock);
			continue;
		}
		thread_lock_give(&s->lock);
		run_pass(s, pages);
		thread_lock_take(&s->lock);
		s->stats.checkpoints++;
		s->checkpoint_at = pages + CHECKPOINT_PAGES;
	}
	thread_lock_give(&s->lock);
}
