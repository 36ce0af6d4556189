/*
 * store.c: opens the database, starts and ends the store's threads, takes
 * jobs in. What the threads do is in writer.c, reader.c and checkpoint.c.
 */
#include <assert.h>

#include "base/sys.h"
#include "net/reactor.h"
#include "store/migrate.h"
#include "store/store_private.h"

void
store_post(struct store_job *j)
{
	reactor_post(j->home, &j->done);
}

static enum err
start_readers(struct store *s, struct store_error *err_out)
{
	struct reader *r;

	s->readers = calloc(s->conf.readers, sizeof(*s->readers));
	if (s->readers == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < s->conf.readers; i++) {
		r = &s->readers[i];
		r->s = s;
		queue_init(&r->queue, s->conf.queue_max);
		s->readers_n++;
		TRY(link_open(&r->link, s->conf.driver, s->path, DB_READ,
		    err_out));
		TRY(thread_start(&r->thread, "store-read", reader_run, r,
		    THREAD_ANY_CPU));
	}
	return OK;
}

static enum err
open_all(struct store *s, struct store_error *err_out)
{
	const struct driver *d = s->conf.driver;

	TRY(link_open(&s->link, d, s->path, DB_WRITE, err_out));
	TRY(migrate_run(d, s->link.db, NULL, NULL, sys_unix_ms(), err_out));
	TRY(writer_init(s));
	s->stats.position = s->position;
	TRY(start_readers(s, err_out));
	TRY(link_open(&s->checkpoint_link, d, s->path, DB_CHECKPOINT,
	    err_out));
	TRY(thread_start(&s->checkpointer, "store-move", checkpoint_run, s,
	    THREAD_ANY_CPU));
	return thread_start(&s->writer, "store-write", writer_run, s,
	    THREAD_ANY_CPU);
}

enum err
store_open(const struct store_conf *conf, struct store **out,
    struct store_error *err_out)
{
	struct store *s = calloc(1, sizeof(*s));
	enum err e;

	if (s == NULL)
		return ERR_NOMEM;
	if (err_out != NULL)
		err_out->text[0] = '\0';
	s->conf = *conf;
	if (s->conf.driver == NULL)
		s->conf.driver = &sqlite_driver;
	if (s->conf.queue_max == 0)
		s->conf.queue_max = STORE_QUEUE_DEFAULT;
	if (s->conf.now_us == NULL)
		s->conf.now_us = sys_mono_us;
	s->checkpoint_at = CHECKPOINT_PAGES;
	thread_lock_init(&s->lock);
	thread_cond_init(&s->checkpoint_work);
	queue_init(&s->queue, s->conf.queue_max);
	s->path = strdup(conf->path);
	e = ERR_NOMEM;
	if (s->path != NULL)
		e = conf->readers >= 1 && conf->readers <= STORE_READERS_MAX ?
		    open_all(s, err_out) : ERR_ARG;
	if (e != OK) {
		store_close(s);
		return e;
	}
	*out = s;
	return OK;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	/* Readers first: they may still hand jobs to the writer. */
	for (unsigned i = 0; i < s->readers_n; i++)
		queue_close(&s->readers[i].queue);
	for (unsigned i = 0; i < s->readers_n; i++) {
		thread_join(&s->readers[i].thread);
		link_close(&s->readers[i].link);
		queue_fini(&s->readers[i].queue);
	}
	queue_close(&s->queue);
	thread_join(&s->writer);
	thread_lock_take(&s->lock);
	s->checkpoint_closing = true;
	thread_cond_wake_all(&s->checkpoint_work);
	thread_lock_give(&s->lock);
	thread_join(&s->checkpointer);
	link_close(&s->checkpoint_link);
	link_close(&s->link);
	queue_fini(&s->queue);
	thread_cond_fini(&s->checkpoint_work);
	thread_lock_fini(&s->lock);
	free(s->readers);
	free(s->path);
	free(s);
}

/* FNV-1a: the key chooses a reader; not for hash tables of strangers. */
static unsigned
reader_of(const struct store *s, const uint8_t key[static 16])
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < 16; i++)
		h = (h ^ key[i]) * 16777619u;
	return h % s->readers_n;
}

enum err
store_submit(struct store *s, struct store_job *j)
{
	assert(j->read != NULL || j->write != NULL);
	assert(j->arena != NULL);
	j->since_us = s->conf.now_us();
	if (j->read != NULL)
		return queue_push(&s->readers[reader_of(s, j->key)].queue, j,
		    false);
	return queue_push(&s->queue, j, false);
}

void
store_flush(struct store *s)
{
	for (unsigned i = 0; i < s->readers_n; i++)
		queue_flush(&s->readers[i].queue);
	queue_flush(&s->queue);
}

enum err
store_health(struct store *s)
{
	enum err e;

	thread_lock_take(&s->lock);
	e = s->health;
	thread_lock_give(&s->lock);
	return e;
}

void
store_stats(struct store *s, struct store_stats *out)
{
	thread_lock_take(&s->lock);
	*out = s->stats;
	thread_lock_give(&s->lock);
	out->waiting = queue_waiting(&s->queue);
	for (unsigned i = 0; i < s->readers_n; i++)
		out->waiting += queue_waiting(&s->readers[i].queue);
}
