/*
 * work.c: the bounded work pool. The queue is a list under a lock; jobs run in
 * the order of submission, as many at once as there are threads.
 */
#include <assert.h>

#include "net/reactor.h"
#include "net/thread.h"
#include "net/work.h"

struct work {
	struct thread_lock lock;
	struct thread_cond more;
	struct work_job *first, *last;
	size_t waiting, queue_max;
	bool closing;
	unsigned threads_n;
	struct thread threads[WORK_THREADS_MAX];
};

/* The next job, waiting for one; NULL when the pool closes and none is left. */
static struct work_job *
next_job(struct work *w)
{
	struct work_job *j;

	thread_lock_take(&w->lock);
	while (w->first == NULL && !w->closing)
		thread_cond_wait(&w->more, &w->lock);
	j = w->first;
	if (j != NULL) {
		w->first = j->next;
		if (w->first == NULL)
			w->last = NULL;
		w->waiting--;
	}
	thread_lock_give(&w->lock);
	return j;
}

static void
work_thread(void *arg)
{
	struct work *w = arg;
	struct work_job *j;

	while ((j = next_job(w)) != NULL) {
		struct reactor *home = j->home;

		j->run(j);
		reactor_post(home, &j->done);
	}
}

enum err
work_open(unsigned threads, size_t queue_max, struct work **out)
{
	struct work *w;

	if (threads < 1 || threads > WORK_THREADS_MAX || queue_max < 1)
		return ERR_ARG;
	if ((w = calloc(1, sizeof *w)) == NULL)
		return ERR_NOMEM;
	thread_lock_init(&w->lock);
	thread_cond_init(&w->more);
	w->queue_max = queue_max;
	for (unsigned i = 0; i < threads; i++) {
		if (thread_start(&w->threads[i], "work", work_thread, w,
		    THREAD_ANY_CPU) != OK) {
			work_close(w);
			return ERR_NOMEM;
		}
		w->threads_n++;
	}
	*out = w;
	return OK;
}

void
work_close(struct work *w)
{
	if (w == NULL)
		return;
	thread_lock_take(&w->lock);
	w->closing = true;
	thread_cond_wake_all(&w->more);
	thread_lock_give(&w->lock);
	for (unsigned i = 0; i < w->threads_n; i++)
		thread_join(&w->threads[i]);
	assert(w->first == NULL);
	thread_cond_fini(&w->more);
	thread_lock_fini(&w->lock);
	free(w);
}

enum err
work_submit(struct work *w, struct work_job *j)
{
	enum err e = ERR_BUSY;

	assert(j->home != NULL);
	thread_lock_take(&w->lock);
	if (w->waiting < w->queue_max && !w->closing) {
		j->next = NULL;
		if (w->last != NULL)
			w->last->next = j;
		else
			w->first = j;
		w->last = j;
		w->waiting++;
		thread_cond_wake_one(&w->more);
		e = OK;
	}
	thread_lock_give(&w->lock);
	return e;
}

size_t
work_waiting(struct work *w)
{
	size_t n;

	thread_lock_take(&w->lock);
	n = w->waiting;
	thread_lock_give(&w->lock);
	return n;
}
