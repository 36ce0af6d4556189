/*
 * queue.h: the queue of jobs in front of a store thread. Many threads push,
 * one takes. Bounded by its owner's word: push refuses beyond max.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "net/thread.h"
#include "store/store.h"

struct queue {
	struct thread_lock lock;
	struct thread_cond work, idle;
	struct store_job *first, *last;
	size_t n, max;
	uint64_t pushed, done;
	bool closing;
};

void queue_init(struct queue *q, size_t max);
void queue_fini(struct queue *q);
/* forced: beyond max, and while closing (a job that was accepted before). */
MUST_USE enum err queue_push(struct queue *q, struct store_job *j,
    bool forced);
/*
 * Waits for work, at most wait_ms (0: for ever). The oldest jobs, at most
 * max, linked by next; NULL with *closed_out false: the time is over; with
 * true: closed and empty, the thread ends.
 */
struct store_job *queue_take(struct queue *q, size_t max, uint64_t wait_ms,
    size_t *n_out, bool *closed_out);
/* n of the jobs that were taken have been handed back. */
void queue_done(struct queue *q, size_t n);
/* Nothing new is accepted. */
void queue_close(struct queue *q);
/* Blocks until what was pushed before is done. */
void queue_flush(struct queue *q);
size_t queue_waiting(struct queue *q);

#endif
