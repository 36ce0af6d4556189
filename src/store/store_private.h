/*
 * store_private.h: the store from the inside: its threads and what they
 * share. What the writer alone owns needs no lock; what others read of it is
 * under `lock`.
 */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include "store/queue.h"
#include "store/txn_private.h"

/* Each time that the log has grown by this many pages (4 KiB), it is moved. */
#define CHECKPOINT_PAGES 2000
/* At this many it is cut, and this much room is made for it beforehand. */
#define CHECKPOINT_PAGES_HARD 4000
#define LOG_RESERVED ((uint64_t)(CHECKPOINT_PAGES_HARD + 1000) * 4096)
/* So few pages are moved while the writer waits. */
#define CHECKPOINT_LEFT_HARD 64
/* positions.value is written so far ahead of what is given. */
#define POSITIONS_AHEAD 4096
#define READ_BATCH_MAX 64
#define PROBE_MS 1000

struct reader {
	struct store *s;
	struct thread thread;
	struct queue queue;
	struct link link;
};

struct store {
	struct store_conf conf;
	char *path;
	struct reader *readers;
	unsigned readers_n;

	/* The writer's. */
	struct thread writer;
	struct queue queue;
	struct link link;
	uint64_t position;	/* newest that is committed */
	uint64_t reserved;	/* positions.value: none above it is given */
	bool is_known;		/* position is not from the file alone */
	bool must_reopen;

	struct thread checkpointer;
	struct link checkpoint_link;

	struct thread_lock lock;
	struct thread_cond checkpoint_work;
	bool checkpoint_closing;
	uint64_t checkpoint_at;	/* pages of log at which it begins */
	enum err health;
	struct store_stats stats;
};

/* Bodies of the threads. arg: struct store; struct reader. */
void writer_run(void *arg);
void reader_run(void *arg);
void checkpoint_run(void *arg);
/* Reads the newest position of a freshly opened database. */
MUST_USE enum err writer_init(struct store *s);
/* Hands a finished job back. */
void store_post(struct store_job *j);

#endif
