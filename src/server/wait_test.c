/*
 * wait_test.c: calls that wait (call.h, "waiting"). Frames and a wheel are
 * real; the reactor's clock, and what runs a frame, are this test's own, so
 * every order of a read and of what wakes it can be had.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "server/frame.h"

#define NOW_MS 1700000000000u
#define ANSWER_MS 8000u
#define MS 5000u

static struct timer_wheel wheel;
static struct conf conf;
static struct shard shard;
static uint64_t unix_ms;
static struct frame *ran[8];
static size_t ran_n;

/* Instead of net/reactor.c and server/frame.c. */
struct reactor *
reactor_self(void)
{
	return shard.reactor;
}

struct timer_wheel *
reactor_wheel(struct reactor *r)
{
	assert_ptr_equal(r, shard.reactor);
	return &wheel;
}

uint64_t
reactor_unix_ms(const struct reactor *r)
{
	assert_ptr_equal(r, shard.reactor);
	return unix_ms;
}

void
frame_run(struct frame *f)
{
	assert_true(ran_n < sizeof(ran) / sizeof(ran[0]));
	ran[ran_n++] = f;
	if (f->stage == STAGE_EMIT)	/* answered */
		wait_end(f);
}

static const uint8_t key[ID_LEN] = { 7 }, other_key[ID_LEN] = { 8 };

static struct frame *
frame(void)
{
	struct frame *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->call.conf = &conf;
	f->home = f->at = &shard;
	arena_init(&f->call.arena, f->mem, sizeof(f->mem));
	f->mark = arena_mark(&f->call.arena);
	return f;
}

/* One that has begun and whose read is under way. */
static struct frame *
waiting(void)
{
	struct frame *f = frame();

	assert_int_equal(wait_begin(&f->call, key, MS), OK);
	f->stage = STAGE_EMIT;		/* what follows the read */
	return f;
}

/* Its read has found nothing; true: it is not answered yet. */
static bool
found_nothing(struct frame *f)
{
	wait_more(&f->call);
	assert_true(f->lacks);
	return wait_park(f);
}

static void
wake(const uint8_t what[static ID_LEN])
{
	struct frame *by = frame();

	wait_wake(&by->call, what);
	assert_non_null(by->after_emit);
	by->after_emit(&shard, by);
	free(by);
}

/* It was given to be read once more, by this and nothing else. */
static void
expect_read_again(struct frame *f, size_t times)
{
	assert_int_equal(ran_n, times);
	assert_ptr_equal(ran[times - 1], f);
	assert_int_equal(f->stage, STAGE_READ);
	assert_int_equal(f->call.now_ms, unix_ms);
	assert_false(f->is_parked || f->is_woken || f->lacks);
	f->stage = STAGE_EMIT;
}

static void
end(struct frame *f)
{
	wait_end(f);
	assert_false(list_is_in(&f->wait_link));
	assert_false(timer_is_running(&f->wait_timer));
	free(f);
}

static int
setup(void **state)
{
	(void)state;
	memset(&shard, 0, sizeof(shard));
	shard.reactor = (struct reactor *)(void *)&shard;
	conf.edge_answer_ms = ANSWER_MS;
	ran_n = 0;
	unix_ms = NOW_MS;
	timer_wheel_init(&wheel, 0);
	wait_init(&shard);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(shard.waits_n, 0);
	assert_true(list_is_empty(&shard.waits));
	return 0;
}

static void
test_wait_is_read_when_woken(void **state)
{
	struct frame *f = waiting();

	(void)state;
	assert_true(found_nothing(f));
	assert_int_equal(ran_n, 0);
	unix_ms += 1234;
	wake(key);
	expect_read_again(f, 1);
	/* And again: each wake, each time. */
	assert_true(found_nothing(f));
	wake(key);
	expect_read_again(f, 2);
	end(f);
}

/* The window: its read saw what was there before, its end comes after. */
static void
test_wait_woken_while_it_is_read(void **state)
{
	struct frame *f = waiting();

	(void)state;
	wake(key);
	assert_int_equal(ran_n, 0);	/* another thread has it */
	assert_true(found_nothing(f));
	expect_read_again(f, 1);
	/* The same of a later read; a wake is good for one. */
	wake(key);
	wake(key);
	assert_int_equal(ran_n, 1);
	assert_true(found_nothing(f));
	expect_read_again(f, 2);
	assert_true(found_nothing(f));
	assert_int_equal(ran_n, 2);
	wake(key);
	expect_read_again(f, 3);
	end(f);
}

static void
test_wait_is_woken_by_its_own_key(void **state)
{
	struct frame *f = waiting(), *g = waiting();

	(void)state;
	wake(other_key);
	assert_true(found_nothing(f));
	assert_int_equal(ran_n, 0);
	wake(other_key);
	assert_int_equal(ran_n, 0);
	assert_true(found_nothing(g));
	wake(key);			/* all that wait for it */
	assert_int_equal(ran_n, 2);
	assert_ptr_equal(ran[0], f);
	assert_ptr_equal(ran[1], g);
	end(f);
	end(g);
}

/* What is answered while others are woken is in no list any more. */
static void
test_wait_ends_while_others_are_woken(void **state)
{
	struct frame *f = waiting(), *g = waiting();

	(void)state;
	assert_true(found_nothing(f) && found_nothing(g));
	wake(key);
	assert_int_equal(ran_n, 2);
	end(f);
	assert_int_equal(shard.waits_n, 1);
	g->stage = STAGE_EMIT;
	assert_true(found_nothing(g));
	wake(key);
	expect_read_again(g, 3);
	end(g);
	wake(key);
	assert_int_equal(ran_n, 3);
}

static void
test_wait_is_over_in_time(void **state)
{
	struct frame *f = waiting();

	(void)state;
	assert_true(found_nothing(f));
	timer_wheel_run(&wheel, MS - 1);
	assert_int_equal(ran_n, 0);
	timer_wheel_run(&wheel, MS + 1);
	expect_read_again(f, 1);	/* a last look */
	assert_false(found_nothing(f));	/* the caller goes on with it */
	end(f);
}

static void
test_wait_is_over_while_it_is_read(void **state)
{
	struct frame *f = waiting();

	(void)state;
	timer_wheel_run(&wheel, MS + 1);
	assert_int_equal(ran_n, 0);
	wake(key);
	assert_int_equal(ran_n, 0);
	assert_false(found_nothing(f));
	end(f);
}

/* An answer has to be there within edge.answer, less a second. */
static void
test_wait_is_shorter_than_an_answer(void **state)
{
	static const struct {
		uint64_t answer, asked, most;
	} rows[] = { { 8000, 25000, 7000 }, { 8000, 500, 500 },
		{ 2001, 25000, 1001 }, { 1000, 25000, 500 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame *f = frame();

		ran_n = 0;
		timer_wheel_init(&wheel, 0);
		conf.edge_answer_ms = rows[i].answer;
		assert_int_equal(wait_begin(&f->call, key, rows[i].asked), OK);
		assert_true(found_nothing(f));
		timer_wheel_run(&wheel, rows[i].most - 1);
		assert_int_equal(ran_n, 0);
		timer_wheel_run(&wheel, rows[i].most + 1);
		assert_int_equal(ran_n, 1);
		end(f);
	}
}

static void
test_wait_of_so_many(void **state)
{
	static struct frame *all[WAITS_MAX];
	struct frame *more = frame();

	(void)state;
	for (size_t i = 0; i < WAITS_MAX; i++)
		all[i] = waiting();
	assert_int_equal(wait_begin(&more->call, key, MS), ERR_BUSY);
	assert_false(list_is_in(&more->wait_link));
	end(all[0]);
	assert_int_equal(wait_begin(&more->call, key, MS), OK);
	end(more);
	for (size_t i = 1; i < WAITS_MAX; i++)
		end(all[i]);
}

/* A reactor that stops answers who waits, now or when its read is done. */
static void
test_wait_holds_up_no_stop(void **state)
{
	struct frame *f = waiting(), *g = waiting();

	(void)state;
	assert_true(found_nothing(f));
	shard.stopping = true;
	wait_stop(&shard);
	assert_int_equal(ran_n, 1);
	assert_ptr_equal(ran[0], f);
	assert_int_equal(f->stage, STAGE_EMIT);
	assert_false(list_is_in(&f->wait_link));
	assert_false(found_nothing(g));
	wake(key);
	assert_int_equal(ran_n, 1);
	end(f);
	end(g);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_wait_is_read_when_woken),
		TEST(test_wait_woken_while_it_is_read),
		TEST(test_wait_is_woken_by_its_own_key),
		TEST(test_wait_ends_while_others_are_woken),
		TEST(test_wait_is_over_in_time),
		TEST(test_wait_is_over_while_it_is_read),
		TEST(test_wait_is_shorter_than_an_answer),
		TEST(test_wait_of_so_many),
		TEST(test_wait_holds_up_no_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
