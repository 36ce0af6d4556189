/*
 * thread.h: threads, locks and conditions; the only place that knows pthread.
 * Prefer mail (net/mailbox.h) between threads; locks are for the queues of
 * blocking threads (store, work).
 */
#ifndef NET_THREAD_H
#define NET_THREAD_H

#include <pthread.h>

#include "base/bytes.h"

#define THREAD_ANY_CPU (-1)

struct thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
	char name[16];
	int cpu;
	bool started;
};

/*
 * Runs fn(arg) on a new thread. All signals are blocked in it (main takes
 * them). name: at most 15 bytes, shown by top. cpu: pinned there, or
 * THREAD_ANY_CPU; a pin that fails is ignored. `t` must stay in place until
 * thread_join. ERR_NOMEM.
 */
MUST_USE enum err thread_start(struct thread *t, const char *name,
    void (*fn)(void *arg), void *arg, int cpu);
/* Waits for its end; does nothing when it was never started. */
void thread_join(struct thread *t);
void thread_sleep_ms(uint64_t ms);

struct thread_lock { pthread_mutex_t m; };
struct thread_cond { pthread_cond_t c; };

void thread_lock_init(struct thread_lock *l);
void thread_lock_fini(struct thread_lock *l);
void thread_lock_take(struct thread_lock *l);
void thread_lock_give(struct thread_lock *l);
void thread_cond_init(struct thread_cond *c);
void thread_cond_fini(struct thread_cond *c);
/* The lock is held before and after. May wake without a reason. */
void thread_cond_wait(struct thread_cond *c, struct thread_lock *l);
/* False when ms milliseconds have passed (monotonic clock). */
bool thread_cond_wait_ms(struct thread_cond *c, struct thread_lock *l,
    uint64_t ms);
void thread_cond_wake_one(struct thread_cond *c);
void thread_cond_wake_all(struct thread_cond *c);

#endif
