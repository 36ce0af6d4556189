/* work_test.c: jobs come back to their reactor; the queue has a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/reactor.h"
#include "net/thread.h"
#include "net/work.h"

#define JOBS 500

struct sum {
	struct work_job job;	/* first */
	unsigned in, out;
};

static struct sum sums[JOBS];
static unsigned done_n;

static void
run(struct work_job *j)
{
	struct sum *s = (struct sum *)(void *)j;

	assert_null(reactor_self());
	s->out = s->in * 2;
}

static void
done(struct reactor *r, struct mail *m)
{
	assert_ptr_equal(reactor_self(), r);
	assert_ptr_equal(((struct work_job *)(void *)m)->home, r);
	if (++done_n == JOBS)
		reactor_stop(r);
}

static void
test_work_comes_back(void **arg)
{
	struct reactor *r;
	struct work *w;

	(void)arg;
	assert_int_equal(reactor_open(0, &r), OK);
	assert_int_equal(work_open(3, JOBS, &w), OK);
	for (unsigned i = 0; i < JOBS; i++) {
		sums[i].job = (struct work_job){ .done.run = done, .home = r,
		    .run = run };
		sums[i].in = i;
		assert_int_equal(work_submit(w, &sums[i].job), OK);
	}
	reactor_run(r);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(sums[i].out, 2 * i);
	assert_int_equal(work_waiting(w), 0);
	work_close(w);
	reactor_close(r);
}

static struct thread_lock gate;

static void
run_gated(struct work_job *j)
{
	(void)j;
	thread_lock_take(&gate);
	thread_lock_give(&gate);
}

static void
count(struct reactor *r, struct mail *m)
{
	(void)r;
	(void)m;
	done_n++;
}

static void
test_work_refuses_beyond_its_queue(void **arg)
{
	struct work_job jobs[6];
	struct reactor *r;
	struct work *w;
	unsigned taken = 0;

	(void)arg;
	done_n = 0;
	thread_lock_init(&gate);
	assert_int_equal(reactor_open(0, &r), OK);
	reactor_adopt(r);
	assert_int_equal(work_open(1, 2, &w), OK);
	thread_lock_take(&gate);
	for (unsigned i = 0; i < 6; i++) {
		enum err e;

		jobs[i] = (struct work_job){ .done.run = count, .home = r,
		    .run = run_gated };
		e = work_submit(w, &jobs[i]);
		assert_true(e == OK || e == ERR_BUSY);
		taken += e == OK;
	}
	/* Two wait and at most one has been taken by the thread. */
	assert_true(taken == 2 || taken == 3);
	assert_true(work_waiting(w) <= 2);
	thread_lock_give(&gate);
	work_close(w);		/* runs what waited */
	reactor_tick(r, 0);
	assert_int_equal(done_n, taken);
	reactor_close(r);
	thread_lock_fini(&gate);
}

static void
test_work_refuses_senseless_sizes(void **arg)
{
	struct work *w;

	(void)arg;
	assert_int_equal(work_open(0, 1, &w), ERR_ARG);
	assert_int_equal(work_open(1, 0, &w), ERR_ARG);
	assert_int_equal(work_open(WORK_THREADS_MAX + 1, 1, &w), ERR_ARG);
	work_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_comes_back),
		cmocka_unit_test(test_work_refuses_beyond_its_queue),
		cmocka_unit_test(test_work_refuses_senseless_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
