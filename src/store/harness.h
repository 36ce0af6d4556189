/*
 * harness.h: what the store's tests share: a database in a folder of its own,
 * a reactor to which jobs come back, a driver that fails when told.
 */
#ifndef STORE_HARNESS_H
#define STORE_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"
#include "net/reactor.h"
#include "store/driver.h"
#include "store/msgid.h"
#include "store/txn.h"

#define HARNESS_ARENA 65536

struct work {
	struct store_job j;
	struct arena arena;
	struct arena_mark mark;
	bool done;
	unsigned n;		/* for the step */
	uint64_t position;	/* out */
	uint8_t mem[HARNESS_ARENA];
};

static struct reactor *harness_reactor;
static char harness_dir[64], harness_path[96];

static inline void
harness_begin(void)
{
	snprintf(harness_dir, sizeof(harness_dir), "/tmp/nj-store-XXXXXX");
	assert_non_null(mkdtemp(harness_dir));
	snprintf(harness_path, sizeof(harness_path), "%s/test.db",
	    harness_dir);
}

static inline void
harness_end(void)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[128];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", harness_path, tails[i]);
		(void)unlink(name);
	}
	(void)rmdir(harness_dir);
}

static inline struct store *
harness_open(const struct driver *d)
{
	struct store_conf conf = { .path = harness_path, .readers = 2,
	    .driver = d };
	struct store_error why;
	struct store *s = NULL;

	if (store_open(&conf, &s, &why) != OK)
		fail_msg("%s", why.text);
	return s;
}

static inline void
harness_on_done(struct reactor *r, struct mail *m)
{
	struct work *w = (struct work *)(void *)m;

	(void)r;
	w->done = true;
}

static inline struct work *
harness_work(store_step_fn read, store_step_fn write, unsigned n)
{
	struct work *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	arena_init(&w->arena, w->mem, sizeof(w->mem));
	w->mark = arena_mark(&w->arena);
	w->j = (struct store_job){ .done.run = harness_on_done,
	    .home = harness_reactor, .read = read, .write = write,
	    .arena = &w->arena };
	w->n = n;
	return w;
}

static inline void
harness_wait(const struct work *w)
{
	uint64_t begin = sys_mono_us();

	while (!w->done) {
		reactor_tick(harness_reactor, 50);
		if (sys_mono_us() - begin > 60000000)
			fail_msg("a job did not come back");
	}
}

/* Runs one job and says what became of it. */
static inline enum err
harness_run(struct store *s, store_step_fn read, store_step_fn write,
    unsigned n, uint64_t *position_out)
{
	struct work *w = harness_work(read, write, n);
	enum err e;

	assert_int_equal(store_submit(s, &w->j), OK);
	harness_wait(w);
	e = w->j.err;
	if (position_out != NULL)
		*position_out = w->position;
	free(w);
	return e;
}

static inline struct user_id
harness_user(unsigned n)
{
	struct user_id u = { { 1 } };

	u.b[14] = (uint8_t)(n >> 8);
	u.b[15] = (uint8_t)n;
	return u;
}

/* Adds user n. */
static inline enum err
harness_add_user(struct store_job *j, struct txn *t)
{
	const struct work *w = (const struct work *)(const void *)j;
	char name[32], mail[64];
	struct q_user_insert_in in = { .user = harness_user(w->n),
	    .password_hash = SPAN("x"), .now = 1 };

	snprintf(name, sizeof(name), "user%u", w->n);
	snprintf(mail, sizeof(mail), "user%u@example.org", w->n);
	in.username = in.key = span_str(name);
	in.email = span_str(mail);
	return q_user_insert(t, &in, NULL);
}

/* An event of user 0's stream with a position; n is its time. */
static inline enum err
harness_add_event(struct store_job *j, struct txn *t)
{
	struct work *w = (struct work *)(void *)j;
	struct q_event_insert_in in = { .position = txn_position(t),
	    .user = harness_user(0), .event = SPAN("test"),
	    .data = SPAN("{}"), .created_at = w->n + 1 };

	w->position = in.position;
	return q_event_insert(t, &in, NULL);
}

/* Is the event of position w->position there? */
static inline enum err
harness_find_event(struct store_job *j, struct txn *t)
{
	struct work *w = (struct work *)(void *)j;
	struct q_sync_event_in in = { w->position };
	struct q_sync_event_out out;

	return q_sync_event(t, &in, &out);
}

static inline bool
harness_has_event(struct store *s, uint64_t position)
{
	struct work *w = harness_work(harness_find_event, NULL, 0);
	enum err e;

	w->position = position;
	assert_int_equal(store_submit(s, &w->j), OK);
	harness_wait(w);
	e = w->j.err;
	free(w);
	assert_true(e == OK || e == ERR_NOT_FOUND);
	return e == OK;
}

/* ---- the driver that fails ---- */

static atomic_int harness_countdown;	/* 0: never; 1: the next call */
static atomic_int harness_error;	/* enum err of the failure */
static atomic_bool harness_stays;	/* and of all calls after it */

static inline bool
harness_fails(void)
{
	int was = atomic_load(&harness_countdown);

	if (was == 0)
		return false;
	if (was == 1 && atomic_load(&harness_stays))
		return true;
	return atomic_fetch_sub(&harness_countdown, 1) == 1;
}

static inline enum err
harness_step(struct stmt *st, bool *row)
{
	*row = false;
	return harness_fails() ? (enum err)harness_error :
	    sqlite_driver.step(st, row);
}

static inline enum err
harness_exec(struct db *db, const char *sql)
{
	if (strcmp(sql, "ROLLBACK") != 0 && harness_fails())
		return (enum err)harness_error;
	return sqlite_driver.run(db, sql);
}

static inline enum err
harness_prepare(struct db *db, const char *sql, struct stmt **out)
{
	return harness_fails() ? (enum err)harness_error :
	    sqlite_driver.prepare(db, sql, out);
}

static inline struct driver
harness_driver(void)
{
	struct driver d = sqlite_driver;

	d.step = harness_step;
	d.run = harness_exec;
	d.prepare = harness_prepare;
	return d;
}

#endif
