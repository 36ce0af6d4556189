/*
 * store.h: the store's threads. Jobs are submitted from any thread; a job's
 * step runs as straight-line blocking code on a store thread, in a
 * transaction, and the job comes back as mail to the reactor that it names.
 *
 * Readers: each has a connection and a queue; a job goes to the one that its
 * key chooses and runs in a snapshot of its own. Writer: one thread; it takes
 * whatever waits, at most STORE_BATCH_MAX jobs, runs them in one transaction
 * and commits once (group commit; an idle writer never waits for more). Jobs
 * come back only after the commit: OK means durable. A step that fails is
 * rolled back alone; when the commit fails no job of the batch is OK
 * (ERR_DISK_FULL, ERR_IO, ERR_STORE) and the store goes on with the next.
 * Checkpoints run on a thread and connection of their own.
 *
 * Jobs of one key keep their order among the writes and among the reads.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "net/mailbox.h"

struct driver;
struct reactor;
struct store;
struct store_job;
struct txn;

#define STORE_BATCH_MAX 512
#define STORE_READERS_MAX 64
#define STORE_QUEUE_DEFAULT 65536

typedef enum err (*store_step_fn)(struct store_job *j, struct txn *t);

/* Inside what the job computes. Between submit and done the store owns it. */
struct store_job {
	struct mail done;	/* done.run: called on `home` afterwards */
	struct reactor *home;	/* may be changed by the step (emit's reactor) */
	uint8_t key[16];	/* jobs of one key keep their order */
	store_step_fn read;	/* or NULL */
	store_step_fn write;	/* or NULL; runs after read when both are set */
	struct arena *arena;	/* for what queries give; not NULL */
	enum err err;		/* out: what became of it */
	struct store_job *next;	/* the store's */
	uint64_t since_us;	/* the store's: when it was submitted */
};

struct store_conf {
	const char *path;		/* database file; created when absent */
	unsigned readers;		/* 1..STORE_READERS_MAX */
	size_t queue_max;		/* jobs that may wait; 0: the default */
	uint64_t (*now_us)(void);	/* monotonic clock */
	const struct driver *driver;	/* NULL: SQLite */
};

/* What is wrong, for the operator. */
struct store_error {
	char text[256];
};

/*
 * Opens the database, brings its schema up to date and starts the threads.
 * ERR_IO: it can't be opened or written. ERR_VERSION: it was made by a newer
 * version. ERR_STORE: a migration failed. ERR_NOMEM.
 */
MUST_USE enum err store_open(const struct store_conf *conf,
    struct store **out, struct store_error *err_out);
/* Runs what waits, ends the threads, closes. NULL does nothing. */
void store_close(struct store *s);
/*
 * From any thread. ERR_BUSY: the queue is full; the job stays the caller's.
 * ERR_UNAVAILABLE: the store is closing.
 */
MUST_USE enum err store_submit(struct store *s, struct store_job *j);
/* Blocks until every job submitted before has been posted back. */
void store_flush(struct store *s);
/*
 * OK while commits work; else what the last one failed with. The writer
 * probes once a second until one works again.
 */
enum err store_health(struct store *s);

struct store_stats {
	uint64_t batches, jobs;		/* written */
	uint64_t reads;
	uint64_t failed;		/* jobs whose commit failed */
	uint64_t reruns;		/* batches that were run again */
	uint64_t commit_us, commit_us_max; /* all commits; the longest */
	uint64_t wait_us;		/* submit to start, all jobs */
	uint64_t batch_max;		/* largest batch */
	uint64_t waiting;		/* jobs that wait now, all queues */
	uint64_t checkpoints, wal_pages;
	uint64_t position;		/* newest that is committed */
};
void store_stats(struct store *s, struct store_stats *out);

#endif
