/* thread_test.c: threads end when joined; locks exclude; conditions wake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sys.h"
#include "net/thread.h"

static struct thread_lock lock;
static struct thread_cond cond;
static unsigned counter;
static bool blocked;

static void
add(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++) {
		thread_lock_take(&lock);
		counter++;
		thread_lock_give(&lock);
	}
}

static void
test_thread_lock_excludes(void **state)
{
	struct thread t[3] = { 0 };

	(void)state;
	thread_lock_init(&lock);
	for (int i = 0; i < 3; i++)
		assert_int_equal(thread_start(&t[i],
		    "a name that is too long", add, NULL, i == 0 ? 0 :
		    THREAD_ANY_CPU), OK);
	for (int i = 0; i < 3; i++)
		thread_join(&t[i]);
	assert_int_equal(counter, 60000);
	thread_lock_fini(&lock);
}

static void
wait_for_it(void *arg)
{
	sigset_t set;

	(void)arg;
	thread_lock_take(&lock);
	blocked = pthread_sigmask(SIG_BLOCK, NULL, &set) == 0 &&
	    sigismember(&set, SIGTERM) == 1;
	while (counter == 0)
		thread_cond_wait(&cond, &lock);
	counter++;
	thread_lock_give(&lock);
}

static void
test_thread_cond_wakes(void **state)
{
	struct thread t[2] = { 0 };

	(void)state;
	counter = 0;
	thread_lock_init(&lock);
	thread_cond_init(&cond);
	for (int i = 0; i < 2; i++)
		assert_int_equal(thread_start(&t[i], "wait", wait_for_it,
		    NULL, THREAD_ANY_CPU), OK);
	thread_sleep_ms(5);
	thread_lock_take(&lock);
	counter = 1;
	thread_cond_wake_all(&cond);
	thread_lock_give(&lock);
	for (int i = 0; i < 2; i++)
		thread_join(&t[i]);
	assert_int_equal(counter, 3);
	assert_true(blocked);	/* signals are main's */
	thread_cond_fini(&cond);
	thread_lock_fini(&lock);
}

static void
test_thread_cond_wait_ends_in_time(void **state)
{
	uint64_t began = sys_mono_us();

	(void)state;
	thread_lock_init(&lock);
	thread_cond_init(&cond);
	thread_lock_take(&lock);
	while (thread_cond_wait_ms(&cond, &lock, 20))
		continue;
	thread_lock_give(&lock);
	assert_true(sys_mono_us() - began >= 19000);
	thread_cond_wake_one(&cond);
	thread_cond_fini(&cond);
	thread_lock_fini(&lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_lock_excludes),
		cmocka_unit_test(test_thread_cond_wakes),
		cmocka_unit_test(test_thread_cond_wait_ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
