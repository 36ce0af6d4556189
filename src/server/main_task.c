/*
 * main_task.c: a store without a server.
 */
#include "server/main_task.h"

#include <stdio.h>

#include "base/sys.h"
#include "net/reactor.h"

#define TICK_MS 50

static void
on_done(struct reactor *r, struct mail *m)
{
	struct main_task *t = (struct main_task *)(void *)LIST_ITEM(m,
	    struct store_job, done);

	(void)r;
	t->done = true;
}

enum err
main_task_run(const struct conf *conf, const struct data *d,
    struct main_task *t, store_step_fn read, store_step_fn write,
    struct store_error *why_out)
{
	char path[DATA_PATH_MAX + 16];
	struct store_conf sc = { .readers = 1, .now_us = sys_mono_us,
	    .path = path };
	struct reactor *r = NULL;
	struct store *s = NULL;
	enum err e;

	snprintf(path, sizeof(path), "%s%s", conf->store_path[0] != '\0' ?
	    conf->store_path : d->path, conf->store_path[0] != '\0' ? "" :
	    "/nightjar.db");
	TRY(reactor_open(0, &r));
	reactor_adopt(r);
	e = store_open(&sc, &s, why_out);
	if (e != OK) {
		reactor_close(r);
		return e;
	}
	t->done = false;
	t->job = (struct store_job){ .done.run = on_done, .home = r,
	    .read = read, .write = write, .arena = &t->arena };
	e = store_submit(s, &t->job);
	while (e == OK && !t->done)
		reactor_tick(r, TICK_MS);
	store_close(s);
	reactor_close(r);
	return e == OK ? t->job.err : e;
}
