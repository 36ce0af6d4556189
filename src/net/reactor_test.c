/* reactor_test.c: ticks, readiness, flushes, timers, stopping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sys.h"
#include "net/reactor.h"
#include "net/thread.h"

static struct reactor *r;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(reactor_open(7, &r), OK);
	reactor_adopt(r);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	reactor_close(r);
	assert_null(reactor_self());
	return 0;
}

/* ---- Descriptors ---- */

struct watched {
	struct io io;
	unsigned calls;
	unsigned ready;
	struct watched *unwatches;
};

static void
on_ready(struct io *io, unsigned ready)
{
	struct watched *w = (struct watched *)(void *)io;

	w->calls++;
	w->ready |= ready;
	if (w->unwatches != NULL) {
		reactor_unwatch(r, &w->unwatches->io);
		w->unwatches->unwatches = NULL;
		w->unwatches = NULL;
	}
}

static void
test_reactor_tells_readiness(void **state)
{
	struct sys_iov v = { "x", 1 };
	struct watched w = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(reactor_index(r), 7);
	assert_int_equal(sys_pair(fds), OK);
	w.io = (struct io){ fds[0], on_ready };
	assert_int_equal(reactor_watch(r, &w.io), OK);
	reactor_tick(r, 1000);
	assert_int_equal(w.ready, IO_WRITE);
	w.ready = w.calls = 0;
	reactor_tick(r, 0);
	assert_int_equal(w.calls, 0);	/* edges only */
	assert_int_equal(sys_sendv(fds[1], &v, 1), 1);
	reactor_tick(r, 1000);
	assert_true(w.ready & IO_READ);
	assert_false(w.ready & IO_END);
	sys_shutdown_write(fds[1]);
	reactor_tick(r, 1000);
	assert_true(w.ready & IO_END);
	reactor_unwatch(r, &w.io);
	w.calls = 0;
	sys_close(fds[1]);
	reactor_tick(r, 0);
	assert_int_equal(w.calls, 0);
	sys_close(fds[0]);
}

static void
test_reactor_level_triggered_repeats(void **state)
{
	struct sys_iov v = { "x", 1 };
	struct watched w = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(sys_pair(fds), OK);
	w.io = (struct io){ fds[0], on_ready };
	assert_int_equal(reactor_watch_level(r, &w.io), OK);
	assert_int_equal(sys_sendv(fds[1], &v, 1), 1);
	for (unsigned i = 1; i <= 3; i++) {
		reactor_tick(r, 1000);
		assert_int_equal(w.calls, i);
	}
	reactor_unwatch(r, &w.io);
	sys_close(fds[0]);
	sys_close(fds[1]);
}

/* One that another one's callback takes away in the same wait is not called. */
static void
test_reactor_strikes_what_is_gone(void **state)
{
	struct watched a = { 0 }, b = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(sys_pair(fds), OK);
	a.io = (struct io){ fds[0], on_ready };
	b.io = (struct io){ fds[1], on_ready };
	assert_int_equal(reactor_watch(r, &a.io), OK);
	assert_int_equal(reactor_watch(r, &b.io), OK);
	a.unwatches = &b;
	b.unwatches = &a;
	reactor_tick(r, 1000);
	assert_int_equal(a.calls + b.calls, 1);
	sys_close(fds[0]);
	sys_close(fds[1]);
}

static void
test_reactor_watch_of_nonsense_fails(void **state)
{
	struct watched w = { .io = { -1, on_ready } };

	(void)state;
	assert_int_not_equal(reactor_watch(r, &w.io), OK);
}

/* ---- Order within a tick ---- */

static char order[16];
static size_t order_n;

static struct flush flush, other_flush;
static struct timer timer;
static struct mail mail;

static void
on_flush(struct flush *f)
{
	order[order_n++] = 'f';
	if (order_n < 6)
		reactor_flush(r, f);	/* for the next tick, not this one */
}

static void
on_timer(struct timer *t)
{
	(void)t;
	order[order_n++] = 't';
	reactor_flush(r, &flush);
	reactor_flush(r, &flush);
}

static void
on_mail(struct reactor *at, struct mail *m)
{
	(void)m;
	assert_ptr_equal(at, r);
	order[order_n++] = 'm';
}

static void
test_reactor_order_of_a_tick(void **state)
{
	(void)state;
	memset(order, 0, sizeof order);
	order_n = 0;
	flush.run = on_flush;
	mail.run = on_mail;
	reactor_post(r, &mail);
	timer_start(reactor_wheel(r), &timer, 1, on_timer);
	thread_sleep_ms(3);
	reactor_tick(r, 1000);
	assert_string_equal(order, "mtf");
	reactor_tick(r, 1000);	/* does not wait: a flush is due */
	assert_string_equal(order, "mtff");
	reactor_flush_cancel(&flush);
	reactor_tick(r, 0);
	assert_string_equal(order, "mtff");
}

static void
on_flush_cancelling(struct flush *f)
{
	order[order_n++] = 'c';
	reactor_flush_cancel(f == &flush ? &other_flush : &flush);
}

static void
test_reactor_flush_may_cancel_another(void **state)
{
	(void)state;
	memset(order, 0, sizeof order);
	order_n = 0;
	flush.run = other_flush.run = on_flush_cancelling;
	reactor_flush(r, &flush);
	reactor_flush(r, &other_flush);
	reactor_tick(r, 0);
	assert_string_equal(order, "c");
}

/* ---- Waiting ---- */

static void
test_reactor_waits_for_its_timer(void **state)
{
	uint64_t began = sys_mono_us();

	(void)state;
	order_n = 0;
	timer_start(reactor_wheel(r), &timer, 30, on_timer);
	while (order_n == 0)
		reactor_tick(r, UINT64_MAX);
	assert_true(sys_mono_us() - began >= 28000);
	assert_true(reactor_stats(r)->ticks < 10);	/* no spinning */
	reactor_flush_cancel(&flush);
}

static uint64_t started_us, fired_us;

static void
on_late_timer(struct timer *t)
{
	(void)t;
	fired_us = sys_mono_us();
}

static void
on_late_mail(struct reactor *at, struct mail *m)
{
	(void)m;
	started_us = sys_mono_us();
	timer_start(reactor_wheel(at), &timer, 20, on_late_timer);
}

/* A timer that is started after a long wait does not fire early. */
static void
test_reactor_timers_count_from_now(void **state)
{
	(void)state;
	fired_us = 0;
	thread_sleep_ms(40);
	mail.run = on_late_mail;
	reactor_post(r, &mail);
	while (fired_us == 0)
		reactor_tick(r, 100);
	assert_true(fired_us - started_us >= 18000);
}

static void
stopper(void *arg)
{
	(void)arg;
	thread_sleep_ms(10);
	reactor_stop(r);
	reactor_stop(r);
}

static void
test_reactor_stopped_by_another_thread(void **state)
{
	struct thread t;

	(void)state;
	for (int i = 0; i < 2; i++) {	/* and may run again */
		assert_int_equal(thread_start(&t, "stop", stopper, NULL, 0),
		    OK);
		reactor_run(r);
		thread_join(&t);
	}
	thread_join(&t);	/* harmless */
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_reactor_tells_readiness),
		T(test_reactor_level_triggered_repeats),
		T(test_reactor_strikes_what_is_gone),
		T(test_reactor_watch_of_nonsense_fails),
		T(test_reactor_order_of_a_tick),
		T(test_reactor_flush_may_cancel_another),
		T(test_reactor_waits_for_its_timer),
		T(test_reactor_timers_count_from_now),
		T(test_reactor_stopped_by_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
