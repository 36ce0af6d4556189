/*
 * work.h: slow CPU (password hashing) on a bounded pool of threads with a
 * bounded queue. A job computes on a pool thread and comes back as mail to
 * the reactor that it names. Beyond the queue the caller hears ERR_BUSY at
 * once: never an unbounded pile.
 */
#ifndef NET_WORK_H
#define NET_WORK_H

#include "net/mailbox.h"

struct work;

/* Inside what the job computes. Between submit and done the pool owns it. */
struct work_job {
	struct mail done;		/* done.run: called on `home` afterwards */
	struct reactor *home;
	void (*run)(struct work_job *j);	/* on a pool thread */
	struct work_job *next;
};

#define WORK_THREADS_MAX 64

/* threads 1..WORK_THREADS_MAX; queue_max: jobs that may wait. ERR_NOMEM. */
MUST_USE enum err work_open(unsigned threads, size_t queue_max,
    struct work **out);
/* Runs what still waits, then ends the threads. */
void work_close(struct work *w);
/* From any thread. ERR_BUSY: the queue is full; the job is the caller's. */
MUST_USE enum err work_submit(struct work *w, struct work_job *j);
/* Jobs that wait now. */
size_t work_waiting(struct work *w);

#endif
