/* listener_test.c: accepting, in batches, and without descriptors left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "net/listener.h"

#define MANY 150

static struct reactor *r;
static struct listener l;
static struct sys_addr addr;
static int accepted[MANY + 1], made[MANY + 1];
static unsigned accepted_n;

static void
on_accept(struct listener *at, int fd, const struct sys_addr *peer)
{
	assert_ptr_equal(at, &l);
	assert_true(sys_addr_is_loopback(peer));
	assert_true(accepted_n <= MANY);
	accepted[accepted_n++] = fd;
}

static int
setup(void **state)
{
	(void)state;
	accepted_n = 0;
	assert_int_equal(reactor_open(0, &r), OK);
	reactor_adopt(r);
	assert_true(sys_addr_decode("127.0.0.1", 0, &addr));
	assert_int_equal(listener_open(&l, r, &addr, on_accept, NULL), OK);
	assert_int_equal(listener_addr(&l, &addr), OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	listener_close(&l);
	listener_close(&l);
	while (accepted_n > 0)
		sys_close(accepted[--accepted_n]);
	reactor_close(r);
	return 0;
}

static void
test_listener_accepts_in_batches(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		assert_int_equal(sys_connect(&addr, &made[i]), OK);
	reactor_tick(r, 1000);
	assert_true(accepted_n > 0);
	assert_true(accepted_n <= LISTENER_BATCH);
	for (int i = 0; i < 1000 && accepted_n < MANY; i++)
		reactor_tick(r, 10);
	assert_int_equal(accepted_n, MANY);
	for (int i = 0; i < MANY; i++)
		sys_close(made[i]);
}

/* Without a descriptor it neither spins nor gives up. */
static void
test_listener_survives_lack_of_descriptors(void **state)
{
	struct rlimit before, none;
	uint64_t ticks;
	int fd;

	(void)state;
	assert_int_equal(sys_connect(&addr, &fd), OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)fd + 1;	/* the next one is too high */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	reactor_tick(r, 1000);
	assert_int_equal(accepted_n, 0);
	assert_int_equal(l.starved, 1);
	ticks = reactor_stats(r)->ticks;
	while (l.starved < 2)
		reactor_tick(r, 1000);
	assert_true(reactor_stats(r)->ticks - ticks < 20);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 100 && accepted_n == 0; i++)
		reactor_tick(r, 1000);
	assert_int_equal(accepted_n, 1);
	sys_close(fd);
}

static void
test_listener_paused_while_starved(void **state)
{
	struct rlimit before, none;
	int fd;

	(void)state;
	assert_int_equal(sys_connect(&addr, &fd), OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	reactor_tick(r, 1000);
	assert_int_equal(l.starved, 1);
	listener_pause(&l);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 5; i++)
		reactor_tick(r, LISTENER_RETRY_MS / 2);
	assert_int_equal(accepted_n, 0);
	listener_resume(&l);
	for (int i = 0; i < 100 && accepted_n == 0; i++)
		reactor_tick(r, 1000);
	assert_int_equal(accepted_n, 1);
	sys_close(fd);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_listener_accepts_in_batches),
		T(test_listener_survives_lack_of_descriptors),
		T(test_listener_paused_while_starved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
