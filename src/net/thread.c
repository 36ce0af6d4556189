/* thread.c: pthread behind our names; see thread.h. */
#include <assert.h>
#include <errno.h>
#include <sched.h>

#include "net/thread.h"

static void *
enter(void *arg)
{
	struct thread *t = arg;

	(void)pthread_setname_np(pthread_self(), t->name);
	if (t->cpu >= 0 && t->cpu < CPU_SETSIZE) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((unsigned)t->cpu, &set);
		(void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	}
	t->fn(t->arg);
	return NULL;
}

enum err
thread_start(struct thread *t, const char *name, void (*fn)(void *arg),
    void *arg, int cpu)
{
	sigset_t all, before;
	size_t n = strlen(name);
	int failed;

	*t = (struct thread){ .fn = fn, .arg = arg, .cpu = cpu };
	memcpy(t->name, name, n < sizeof t->name ? n : sizeof t->name - 1);
	/* A new thread inherits the mask: block around its creation. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&t->id, NULL, enter, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return ERR_NOMEM;
	t->started = true;
	return OK;
}

void
thread_join(struct thread *t)
{
	if (!t->started)
		return;
	if (pthread_join(t->id, NULL) != 0)
		abort();
	t->started = false;
}

void
thread_sleep_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

void
thread_lock_init(struct thread_lock *l)
{
	if (pthread_mutex_init(&l->m, NULL) != 0)
		abort();
}

void
thread_lock_fini(struct thread_lock *l)
{
	pthread_mutex_destroy(&l->m);
}

void
thread_lock_take(struct thread_lock *l)
{
	if (pthread_mutex_lock(&l->m) != 0)
		abort();
}

void
thread_lock_give(struct thread_lock *l)
{
	if (pthread_mutex_unlock(&l->m) != 0)
		abort();
}

void
thread_cond_init(struct thread_cond *c)
{
	pthread_condattr_t a;

	if (pthread_condattr_init(&a) != 0 ||
	    pthread_condattr_setclock(&a, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&c->c, &a) != 0)
		abort();
	pthread_condattr_destroy(&a);
}

void
thread_cond_fini(struct thread_cond *c)
{
	pthread_cond_destroy(&c->c);
}

void
thread_cond_wait(struct thread_cond *c, struct thread_lock *l)
{
	if (pthread_cond_wait(&c->c, &l->m) != 0)
		abort();
}

bool
thread_cond_wait_ms(struct thread_cond *c, struct thread_lock *l, uint64_t ms)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return pthread_cond_timedwait(&c->c, &l->m, &t) == 0;
}

void
thread_cond_wake_one(struct thread_cond *c)
{
	pthread_cond_signal(&c->c);
}

void
thread_cond_wake_all(struct thread_cond *c)
{
	pthread_cond_broadcast(&c->c);
}
