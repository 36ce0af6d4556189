/* timer_test.c: the wheel against a plain list of times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/timer.h"

#define N 2000

struct item {
	struct timer t;
	uint64_t due;
	bool fired, cancelled;
};

static struct timer_wheel wheel;
static struct item items[N];
static unsigned fired_n;
static uint64_t last_at;

static uint64_t state = 88172645463325252u;

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void
on_fire(struct timer *t)
{
	struct item *i = (struct item *)(void *)t;

	assert_false(i->fired);
	assert_false(i->cancelled);
	assert_int_equal(i->due, wheel.now_ms);
	assert_true(wheel.now_ms >= last_at);
	assert_false(timer_is_running(t));
	last_at = wheel.now_ms;
	i->fired = true;
	fired_n++;
}

static void
start(struct item *i, uint64_t ms)
{
	*i = (struct item){ .due = wheel.now_ms + ms };
	timer_start(&wheel, &i->t, ms, on_fire);
}

static void
reset(uint64_t now)
{
	timer_wheel_init(&wheel, now);
	memset(items, 0, sizeof items);
	fired_n = 0;
	last_at = 0;
}

static void
test_timer_fires_at_its_millisecond(void **arg)
{
	(void)arg;
	reset(1000);
	start(&items[0], 5);
	timer_wheel_run(&wheel, 1004);
	assert_int_equal(fired_n, 0);
	timer_wheel_run(&wheel, 1005);
	assert_int_equal(fired_n, 1);
}

static void
test_timer_zero_delay_is_one_ms(void **arg)
{
	(void)arg;
	reset(7);
	start(&items[0], 1);
	timer_start(&wheel, &items[0].t, 0, on_fire);
	assert_int_equal(timer_wheel_next(&wheel), 1);
	timer_wheel_run(&wheel, 8);
	assert_int_equal(fired_n, 1);
}

static void
test_timer_every_boundary(void **arg)
{
	static const uint64_t bases[] = { 0, 63, 64, 4095, 4096, 262143,
	    16777215, (UINT64_C(1) << 36) - 1, (UINT64_C(1) << 36) - 70 };
	static const uint64_t delays[] = { 1, 2, 63, 64, 65, 127, 128, 4095,
	    4096, 4097, 262144, 16777216, 1073741824 };

	(void)arg;
	for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
		for (size_t d = 0; d < sizeof delays / sizeof *delays; d++) {
			reset(bases[b]);
			start(&items[0], delays[d]);
			timer_wheel_run(&wheel, bases[b] + delays[d] - 1);
			assert_int_equal(fired_n, 0);
			timer_wheel_run(&wheel, bases[b] + delays[d]);
			assert_int_equal(fired_n, 1);
		}
	}
}

static void
test_timer_cancel_and_restart(void **arg)
{
	(void)arg;
	reset(0);
	start(&items[0], 10);
	start(&items[1], 10);
	timer_cancel(&items[0].t);
	items[0].cancelled = true;
	timer_cancel(&items[0].t);
	timer_start(&wheel, &items[1].t, 20, on_fire);
	items[1].due = 20;
	timer_wheel_run(&wheel, 19);
	assert_int_equal(fired_n, 0);
	timer_wheel_run(&wheel, 100);
	assert_int_equal(fired_n, 1);
	assert_int_equal(timer_wheel_next(&wheel), UINT64_MAX);
}

/* The wheel says when to run it: never later than the first timer. */
static void
test_timer_next_never_oversleeps(void **arg)
{
	uint64_t turns = 0;

	(void)arg;
	reset(123456789);
	for (size_t i = 0; i < N; i++)
		start(&items[i], 1 + next_random() % (i % 3 == 0 ? 50 :
		    i % 3 == 1 ? 100000 : 400000000));
	while (fired_n < N) {
		uint64_t next = timer_wheel_next(&wheel);

		assert_true(next != UINT64_MAX);
		assert_true(next > 0);
		timer_wheel_run(&wheel, wheel.now_ms + next);
		assert_true(++turns < N * 8);
	}
	for (size_t i = 0; i < N; i++)
		assert_true(items[i].fired);
}

static void
test_timer_random_steps_and_cancels(void **arg)
{
	unsigned cancelled = 0;

	(void)arg;
	reset(5);
	for (size_t i = 0; i < N; i++)
		start(&items[i], 1 + next_random() % 300000);
	for (int step = 0; step < 4000; step++) {
		struct item *i = &items[next_random() % N];

		if (!i->fired && !i->cancelled && step % 4 == 0) {
			timer_cancel(&i->t);
			i->cancelled = true;
			cancelled++;
		}
		timer_wheel_run(&wheel, wheel.now_ms + next_random() % 150);
		for (size_t k = 0; k < N; k++)
			assert_int_equal(items[k].fired, !items[k].cancelled &&
			    items[k].due <= wheel.now_ms);
	}
	assert_true(cancelled > 100);
}

/* After a long wait, a delay counts from the end of the wait. */
static void
test_timer_counts_from_the_clock(void **arg)
{
	(void)arg;
	reset(1000);
	start(&items[0], 50);
	timer_wheel_clock(&wheel, 9000);
	items[1].due = 9020;
	timer_start(&wheel, &items[1].t, 20, on_fire);
	timer_wheel_run(&wheel, 9000);
	assert_true(items[0].fired);
	assert_false(items[1].fired);
	timer_wheel_run(&wheel, 9020);
	assert_true(items[1].fired);
}

static unsigned chain;

static void
on_chain(struct timer *t)
{
	if (++chain < 1000)
		timer_start(&wheel, t, 1, on_chain);
}

static void
test_timer_restarted_in_its_callback(void **arg)
{
	(void)arg;
	reset(0);
	chain = 0;
	timer_start(&wheel, &items[0].t, 1, on_chain);
	timer_wheel_run(&wheel, 999);
	assert_int_equal(chain, 999);
	timer_wheel_run(&wheel, 5000);
	assert_int_equal(chain, 1000);
}

static void
on_cancel_other(struct timer *t)
{
	(void)t;
	fired_n++;
	timer_cancel(&items[1].t);
	timer_cancel(&items[0].t);
}

static void
test_timer_cancels_one_of_the_same_moment(void **arg)
{
	(void)arg;
	reset(0);
	timer_start(&wheel, &items[0].t, 3, on_cancel_other);
	timer_start(&wheel, &items[1].t, 3, on_cancel_other);
	timer_wheel_run(&wheel, 10);
	assert_int_equal(fired_n, 1);
}

static void
test_timer_far_future_is_cut(void **arg)
{
	uint64_t next;

	(void)arg;
	reset(0);
	timer_start(&wheel, &items[0].t, UINT64_MAX, on_fire);
	next = timer_wheel_next(&wheel);
	assert_true(next > 0);
	assert_true(next <= UINT64_C(1) << 36);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_fires_at_its_millisecond),
		cmocka_unit_test(test_timer_zero_delay_is_one_ms),
		cmocka_unit_test(test_timer_every_boundary),
		cmocka_unit_test(test_timer_cancel_and_restart),
		cmocka_unit_test(test_timer_next_never_oversleeps),
		cmocka_unit_test(test_timer_random_steps_and_cancels),
		cmocka_unit_test(test_timer_counts_from_the_clock),
		cmocka_unit_test(test_timer_restarted_in_its_callback),
		cmocka_unit_test(test_timer_cancels_one_of_the_same_moment),
		cmocka_unit_test(test_timer_far_future_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
