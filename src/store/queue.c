/* queue.c: the queue of jobs in front of a store thread. */
#include "store/queue.h"

void
queue_init(struct queue *q, size_t max)
{
	*q = (struct queue){ .max = max };
	thread_lock_init(&q->lock);
	thread_cond_init(&q->work);
	thread_cond_init(&q->idle);
}

void
queue_fini(struct queue *q)
{
	thread_cond_fini(&q->idle);
	thread_cond_fini(&q->work);
	thread_lock_fini(&q->lock);
}

enum err
queue_push(struct queue *q, struct store_job *j, bool forced)
{
	enum err e = OK;

	thread_lock_take(&q->lock);
	if (q->closing && !forced) {
		e = ERR_UNAVAILABLE;
	} else if (q->n >= q->max && !forced) {
		e = ERR_BUSY;
	} else {
		j->next = NULL;
		if (q->last != NULL)
			q->last->next = j;
		else
			q->first = j;
		q->last = j;
		q->pushed++;
		/* The taker sleeps only when nothing waits. */
		if (q->n++ == 0)
			thread_cond_wake_one(&q->work);
	}
	thread_lock_give(&q->lock);
	return e;
}

struct store_job *
queue_take(struct queue *q, size_t max, uint64_t wait_ms, size_t *n_out,
    bool *closed_out)
{
	struct store_job *first, *last;
	size_t n = 0;

	thread_lock_take(&q->lock);
	while (q->first == NULL && !q->closing) {
		if (wait_ms == 0)
			thread_cond_wait(&q->work, &q->lock);
		else if (!thread_cond_wait_ms(&q->work, &q->lock, wait_ms))
			break;
	}
	first = q->first;
	last = NULL;
	while (q->first != NULL && n < max) {
		last = q->first;
		q->first = last->next;
		n++;
	}
	if (last != NULL)
		last->next = NULL;
	if (q->first == NULL)
		q->last = NULL;
	q->n -= n;
	*n_out = n;
	*closed_out = first == NULL && q->closing;
	thread_lock_give(&q->lock);
	return first;
}

void
queue_done(struct queue *q, size_t n)
{
	thread_lock_take(&q->lock);
	q->done += n;
	thread_cond_wake_all(&q->idle);
	thread_lock_give(&q->lock);
}

void
queue_close(struct queue *q)
{
	thread_lock_take(&q->lock);
	q->closing = true;
	thread_cond_wake_all(&q->work);
	thread_lock_give(&q->lock);
}

void
queue_flush(struct queue *q)
{
	uint64_t upto;

	thread_lock_take(&q->lock);
	upto = q->pushed;
	while (q->done < upto)
		thread_cond_wait(&q->idle, &q->lock);
	thread_lock_give(&q->lock);
}

size_t
queue_waiting(struct queue *q)
{
	size_t n;

	thread_lock_take(&q->lock);
	n = q->n;
	thread_lock_give(&q->lock);
	return n;
}
