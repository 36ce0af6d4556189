/*
 * main_task.h: one step on the database for an operator's command, waited for.
 * The data directory's lock keeps a server away meanwhile.
 */
#ifndef SERVER_MAIN_TASK_H
#define SERVER_MAIN_TASK_H

#include "server/conf.h"
#include "server/data.h"
#include "store/store.h"

/* Begin of a struct with what the step needs. */
struct main_task {
	struct store_job job;		/* first */
	struct arena arena;		/* the command's, made before */
	bool done;
};

/*
 * Opens the database, runs the steps (either may be NULL), closes. The step's
 * error, or what opening failed with, with its reason in why_out.
 */
MUST_USE enum err main_task_run(const struct conf *conf,
    const struct data *d, struct main_task *t, store_step_fn read,
    store_step_fn write, struct store_error *why_out);

#endif
