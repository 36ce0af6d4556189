/*
 * kernel.h: the machine that the simulation runs on: processes whose threads
 * are fibers of one real thread, a clock that moves only when nobody has
 * anything to do, one choice at a time taken by the seed. It stands in for
 * net/thread.c (threads, locks, conditions) and for the clocks and the
 * randomness of base/sys.h; sockets are in wire.h, files in disk.h.
 *
 * A process that is killed becomes a ghost: from that moment nothing it does
 * reaches the network or the disk that others see, while its code runs on to
 * an orderly end, so that its memory is given back.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include "sim/rng.h"

struct disk;

struct proc {
	char name[16];
	unsigned host;		/* last part of its address, 10.0.0.x */
	int64_t shift_ms;	/* its Unix clock is wrong by so much */
	struct disk *disk;	/* what its files are on, or NULL */
	bool dead;		/* a ghost */
	bool is_server;
};

#define KERNEL_NEVER UINT64_MAX

/* Begins a run. */
void kernel_open(uint64_t seed);
/* Ends it; every fiber must have ended. */
void kernel_close(void);
/* Runs until no fiber is left. False: all of them wait for ever. */
bool kernel_run(void);

/* A fiber of process p that runs fn(arg). */
void kernel_spawn(struct proc *p, const char *name, void (*fn)(void *arg),
    void *arg);
/* The process whose code runs now. */
struct proc *kernel_proc(void);

/* Microseconds since the run began; and Unix time of p, milliseconds. */
uint64_t kernel_now_us(void);
uint64_t kernel_unix_ms(const struct proc *p);
/* The fiber sleeps. */
void kernel_sleep_us(uint64_t us);
/*
 * The fiber waits for kernel_wake(thing) or until the time comes; false: the
 * time came. The thing is any address.
 */
bool kernel_wait(const void *thing, uint64_t until_us);
/* All who wait for it (one: any of them) go on, later. */
void kernel_wake(const void *thing);
void kernel_wake_one(const void *thing);

/* Something that happens at a time: fn(arg) between fibers. */
void kernel_at(uint64_t at_us, void (*fn)(void *arg), void *arg);

/* Streams of randomness: choices of the machine; keys and ids. */
struct rng *kernel_rng(void);
struct rng *kernel_key_rng(void);

/* The trace: what is the same in two runs of a seed. */
void kernel_trace(const void *p, size_t n);
void kernel_trace_u64(uint64_t v);
uint64_t kernel_trace_hash(void);
/* Switches between fibers so far. */
uint64_t kernel_switches(void);

#endif
