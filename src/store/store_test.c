/* store_test.c: the store's threads: durability, order, undoing, failures. */
#include "store/harness.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "net/thread.h"
#include "store/store.h"

static int
setup(void **state)
{
	(void)state;
	harness_begin();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	atomic_store(&harness_countdown, 0);
	harness_end();
	return 0;
}

static struct store *
open_with_user(const struct driver *d)
{
	struct store *s = harness_open(d);

	assert_int_equal(harness_run(s, NULL, harness_add_user, 0, NULL), OK);
	return s;
}

/* ---- holding the writer, so that what follows is one batch ---- */

static atomic_bool held, holding;

static enum err
hold(struct store_job *j, struct txn *t)
{
	(void)j;
	(void)t;
	atomic_store(&holding, true);
	while (atomic_load(&held))
		thread_sleep_ms(1);
	return OK;
}

static struct work *
hold_writer(struct store *s)
{
	struct work *w = harness_work(NULL, hold, 0);

	atomic_store(&held, true);
	atomic_store(&holding, false);
	assert_int_equal(store_submit(s, &w->j), OK);
	while (!atomic_load(&holding))
		thread_sleep_ms(1);
	return w;
}

static void
release_writer(struct work *w)
{
	atomic_store(&held, false);
	harness_wait(w);
	free(w);
}

static enum err
add_then_fail(struct store_job *j, struct txn *t)
{
	enum err e = harness_add_event(j, t);

	return e == OK ? ERR_FORBIDDEN : e;
}

static enum err
fail_first(struct store_job *j, struct txn *t)
{
	(void)j;
	(void)t;
	return ERR_FORBIDDEN;
}

/* ---- tests ---- */

static void
test_store_gives_positions_in_order_and_keeps_them(void **state)
{
	struct store *s = open_with_user(NULL);
	uint64_t a, b, c;

	(void)state;
	assert_int_equal(harness_run(s, NULL, harness_add_event, 0, &a), OK);
	assert_int_equal(harness_run(s, NULL, harness_add_event, 1, &b), OK);
	assert_true(b == a + 1);
	store_close(s);
	s = harness_open(NULL);
	assert_int_equal(harness_run(s, NULL, harness_add_event, 2, &c), OK);
	assert_true(c == b + 1);
	assert_true(harness_has_event(s, a) && harness_has_event(s, c));
	store_close(s);
}

static void
test_store_undoes_a_failed_step_alone(void **state)
{
	struct store *s = open_with_user(NULL);
	struct work *w[5], *first = hold_writer(s);
	static const store_step_fn steps[5] = { harness_add_event,
	    add_then_fail, harness_add_event, fail_first, harness_add_event };
	struct store_stats st;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		w[i] = harness_work(NULL, steps[i], i);
		assert_int_equal(store_submit(s, &w[i]->j), OK);
	}
	release_writer(first);
	for (unsigned i = 0; i < 5; i++)
		harness_wait(w[i]);
	assert_int_equal(w[0]->j.err, OK);
	assert_int_equal(w[1]->j.err, ERR_FORBIDDEN);
	assert_int_equal(w[2]->j.err, OK);
	assert_int_equal(w[3]->j.err, ERR_FORBIDDEN);
	assert_int_equal(w[4]->j.err, OK);
	/* The refused step's position was given to the next. */
	assert_true(w[2]->position == w[0]->position + 1);
	assert_true(w[4]->position == w[2]->position + 1);
	for (unsigned i = 0; i < 5; i += 2)
		assert_true(harness_has_event(s, w[i]->position));
	assert_false(harness_has_event(s, w[4]->position + 1));
	store_stats(s, &st);
	assert_true(st.reruns == 1);
	assert_true(st.batch_max == 5);
	for (unsigned i = 0; i < 5; i++)
		free(w[i]);
	store_close(s);
}

static void
test_store_commits_what_waits_at_once(void **state)
{
	enum { N = 1200 };
	struct store *s = open_with_user(NULL);
	struct work *first = hold_writer(s), **w;
	struct store_stats before, after;

	(void)state;
	w = calloc(N, sizeof(struct work *));
	assert_non_null(w);
	store_stats(s, &before);
	for (unsigned i = 0; i < N; i++) {
		w[i] = harness_work(NULL, harness_add_event, i);
		assert_int_equal(store_submit(s, &w[i]->j), OK);
	}
	release_writer(first);
	store_flush(s);
	for (unsigned i = 0; i < N; i++) {
		harness_wait(w[i]);
		assert_int_equal(w[i]->j.err, OK);
		if (i > 0)
			assert_true(w[i]->position == w[i - 1]->position + 1);
	}
	store_stats(s, &after);
	/* The one that held, and 1,200 in batches of at most 512. */
	assert_true(after.batches - before.batches == 4);
	assert_true(after.batch_max == STORE_BATCH_MAX);
	for (unsigned i = 0; i < N; i++)
		free(w[i]);
	free(w);
	store_close(s);
}

static void
test_store_refuses_beyond_its_queue(void **state)
{
	struct store_conf conf = { .path = harness_path, .readers = 1,
	    .queue_max = 2 };
	struct work *first, *w[3];
	struct store *s;

	(void)state;
	assert_int_equal(store_open(&conf, &s, NULL), OK);
	first = hold_writer(s);
	for (unsigned i = 0; i < 3; i++) {
		w[i] = harness_work(NULL, fail_first, i);
		assert_int_equal(store_submit(s, &w[i]->j),
		    i < 2 ? OK : ERR_BUSY);
	}
	release_writer(first);
	harness_wait(w[0]);
	harness_wait(w[1]);
	for (unsigned i = 0; i < 3; i++)
		free(w[i]);
	store_close(s);
}

static enum err
try_write(struct store_job *j, struct txn *t)
{
	(void)j;
	assert_false(txn_can_write(t));
	return OK;
}

static void
test_store_reads_what_was_acknowledged(void **state)
{
	struct store *s = open_with_user(NULL);
	uint64_t p;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(harness_run(s, NULL, harness_add_event, i,
		    &p), OK);
		assert_true(harness_has_event(s, p));
	}
	assert_int_equal(harness_run(s, try_write, NULL, 0, NULL), OK);
	store_close(s);
}

static void
test_store_runs_read_before_write_of_one_job(void **state)
{
	struct store *s = open_with_user(NULL);
	uint64_t p;

	(void)state;
	assert_int_equal(harness_run(s, try_write, harness_add_event, 0, &p),
	    OK);
	assert_true(harness_has_event(s, p));
	/* A read that fails ends the job. */
	assert_int_equal(harness_run(s, fail_first, harness_add_event, 0,
	    NULL), ERR_FORBIDDEN);
	assert_false(harness_has_event(s, p + 1));
	store_close(s);
}

static void
test_store_says_why_it_can_not_open(void **state)
{
	struct store_conf conf = { .path = "/nonexistent/dir/x.db",
	    .readers = 1 };
	struct store_error why;
	struct store *s = NULL;

	(void)state;
	assert_int_equal(store_open(&conf, &s, &why), ERR_IO);
	assert_null(s);
	assert_non_null(strstr(why.text, "/nonexistent/dir/x.db"));
	conf.readers = 0;
	assert_int_equal(store_open(&conf, &s, &why), ERR_ARG);
}

/* ---- failures of the engine ---- */

/*
 * Fault countdown: the nth call of the driver fails, for n = 1, 2, ... until
 * a run has no failure. OK means stored, anything else means not stored, and
 * the store goes on afterwards.
 */
static void
fail_each_call(enum err error)
{
	struct driver d = harness_driver();
	struct store *s = open_with_user(&d);
	struct work *w[3], *first;
	uint64_t top, after;
	bool failed = true;
	int n;

	assert_int_equal(harness_run(s, NULL, harness_add_event, 0, &top), OK);
	atomic_store(&harness_error, (int)error);
	atomic_store(&harness_stays, false);
	for (n = 1; failed && n < 200; n++) {
		first = hold_writer(s);
		for (unsigned i = 0; i < 3; i++) {
			w[i] = harness_work(NULL, i == 1 ? add_then_fail :
			    harness_add_event, i);
			assert_int_equal(store_submit(s, &w[i]->j), OK);
		}
		atomic_store(&harness_countdown, n);
		release_writer(first);
		for (unsigned i = 0; i < 3; i++)
			harness_wait(w[i]);
		store_flush(s);
		failed = atomic_exchange(&harness_countdown, 0) == 0;
		assert_int_equal(w[0]->j.err, failed ? (int)error : OK);
		assert_int_equal(w[2]->j.err, failed ? (int)error : OK);
		assert_int_not_equal(w[1]->j.err, OK);
		assert_true(harness_has_event(s, top + 1) == !failed);
		for (unsigned i = 0; i < 3; i++)
			free(w[i]);
		/* Goes on: and no position that was seen is given again. */
		assert_int_equal(harness_run(s, NULL, harness_add_event, 9,
		    &after), OK);
		assert_true(after > top);
		top = after;
		assert_int_equal(store_health(s), OK);
	}
	assert_true(n > 5 && n < 200);
	store_close(s);
}

static void
test_store_never_acknowledges_what_io_lost(void **state)
{
	(void)state;
	fail_each_call(ERR_IO);
}

static void
test_store_never_acknowledges_on_a_full_disk(void **state)
{
	(void)state;
	fail_each_call(ERR_DISK_FULL);
}

static void
test_store_never_acknowledges_without_memory(void **state)
{
	(void)state;
	fail_each_call(ERR_NOMEM);
}

static void
test_store_heals_by_itself(void **state)
{
	struct driver d = harness_driver();
	struct store *s = open_with_user(&d);
	uint64_t begin;

	(void)state;
	atomic_store(&harness_error, ERR_DISK_FULL);
	atomic_store(&harness_stays, true);
	atomic_store(&harness_countdown, 1);
	assert_int_equal(harness_run(s, NULL, harness_add_event, 0, NULL),
	    ERR_DISK_FULL);
	assert_int_equal(store_health(s), ERR_DISK_FULL);
	atomic_store(&harness_stays, false);
	atomic_store(&harness_countdown, 0);
	begin = sys_mono_us();
	while (store_health(s) != OK) {
		thread_sleep_ms(20);
		assert_true(sys_mono_us() - begin < 20000000);
	}
	store_close(s);
}

/*
 * A real limit: files of this process may not grow beyond it, so the log
 * can't (EFBIG). In a child, because limits and signals are the process's.
 */
static int
child_full_disk(void)
{
	struct rlimit small = { 2000000, RLIM_INFINITY }, none = {
	    RLIM_INFINITY, RLIM_INFINITY };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct store *s = open_with_user(NULL);
	uint64_t p = 0, acked = 0, q;
	enum err e = OK;

	if (sigaction(SIGXFSZ, &ignore, NULL) != 0)
		return 9;
	if (setrlimit(RLIMIT_FSIZE, &small) != 0)
		return 10;
	for (unsigned i = 0; i < 5000 && e == OK; i++) {
		e = harness_run(s, NULL, harness_add_event, i, &p);
		acked += e == OK;
	}
	if (e != ERR_DISK_FULL || acked == 0)
		return 11;
	if (harness_run(s, NULL, harness_add_event, 0, NULL) == OK)
		return 12;
	if (setrlimit(RLIMIT_FSIZE, &none) != 0)
		return 13;
	if (harness_run(s, NULL, harness_add_event, 0, &q) != OK)
		return 14;
	if (!harness_has_event(s, acked) || !harness_has_event(s, q))
		return 15;
	store_close(s);
	s = harness_open(NULL);
	for (uint64_t i = 1; i <= acked; i++)
		if (!harness_has_event(s, i))
			return 16;
	store_close(s);
	return 0;
}

static void
test_store_goes_on_when_there_is_room_again(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child_full_disk());
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Writes each acknowledged position to a pipe until it is killed. */
static void
child_acknowledge(int fd)
{
	enum { N = 64 };
	struct store *s = open_with_user(NULL);
	struct work *w[N];

	for (unsigned i = 0; i < N; i++) {
		w[i] = harness_work(NULL, harness_add_event, i);
		if (store_submit(s, &w[i]->j) != OK)
			_exit(1);
	}
	for (;;) {
		reactor_tick(harness_reactor, 50);
		for (unsigned i = 0; i < N; i++) {
			if (!w[i]->done)
				continue;
			if (w[i]->j.err != OK || write(fd, &w[i]->position,
			    8) != 8)
				_exit(1);
			w[i]->done = false;
			arena_reset(&w[i]->arena, w[i]->mark);
			if (store_submit(s, &w[i]->j) != OK)
				_exit(1);
		}
	}
}

/* Runs child_acknowledge, kills it after `least`; what it acknowledged. */
static uint64_t
kill_a_store(uint64_t least, uint64_t *seen, uint64_t max)
{
	uint64_t p, n = 0;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		child_acknowledge(fds[1]);
	}
	close(fds[1]);
	while (n < least && read(fds[0], &p, 8) == 8)
		seen[n++] = p;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(waitpid(pid, NULL, 0) == pid);
	while (n < max && read(fds[0], &p, 8) == 8)
		seen[n++] = p;
	close(fds[0]);
	assert_true(n >= least);
	return n;
}

static void
test_store_keeps_what_it_acknowledged_through_a_kill(void **state)
{
	uint64_t p, n, *seen = calloc(1 << 20, sizeof(*seen));
	struct store *s;

	(void)state;
	assert_non_null(seen);
	/* Long enough that the log is moved and cut meanwhile. */
	n = kill_a_store(3000, seen, 1 << 20);
	s = harness_open(NULL);
	for (uint64_t i = 0; i < n; i++)
		assert_true(harness_has_event(s, seen[i]));
	/* Nothing is given twice after the restart. */
	assert_int_equal(harness_run(s, NULL, harness_add_event, 0, &p), OK);
	for (uint64_t i = 0; i < n; i++)
		assert_true(seen[i] < p);
	store_close(s);
	free(seen);
}

static void
test_store_gives_no_position_again_whose_row_is_gone(void **state)
{
	uint64_t p, n, *seen = calloc(1 << 20, sizeof(*seen));
	struct store *s;
	struct db *db;

	(void)state;
	assert_non_null(seen);
	n = kill_a_store(100, seen, 1 << 20);
	assert_int_equal(sqlite_driver.open(harness_path, DB_WRITE, &db,
	    NULL), OK);
	assert_int_equal(sqlite_driver.run(db, "DELETE FROM events"), OK);
	sqlite_driver.close(db);
	s = harness_open(NULL);
	assert_int_equal(harness_run(s, NULL, harness_add_event, 0, &p), OK);
	for (uint64_t i = 0; i < n; i++)
		assert_true(seen[i] < p);
	store_close(s);
	free(seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_store_gives_positions_in_order_and_keeps_them),
		TEST(test_store_undoes_a_failed_step_alone),
		TEST(test_store_commits_what_waits_at_once),
		TEST(test_store_refuses_beyond_its_queue),
		TEST(test_store_reads_what_was_acknowledged),
		TEST(test_store_runs_read_before_write_of_one_job),
		TEST(test_store_says_why_it_can_not_open),
		TEST(test_store_never_acknowledges_what_io_lost),
		TEST(test_store_never_acknowledges_on_a_full_disk),
		TEST(test_store_never_acknowledges_without_memory),
		TEST(test_store_heals_by_itself),
		TEST(test_store_goes_on_when_there_is_room_again),
		TEST(test_store_keeps_what_it_acknowledged_through_a_kill),
		TEST(test_store_gives_no_position_again_whose_row_is_gone),
	};

	if (reactor_open(0, &harness_reactor) != OK)
		return 1;
	reactor_adopt(harness_reactor);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
