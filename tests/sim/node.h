/*
 * node.h: the server in the simulation: the product's own code from
 * server_open on, over the simulated machine. It can be killed, also at any
 * write or sync of its disk, and starts again from what the disk then has.
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim/kernel.h"

struct node;
struct world;

struct node_conf {
	bool tight;		/* the limits that a server has by itself */
	unsigned reactors, readers;
};

/* Once for the program. */
void node_setup(void);
struct node *node_new(struct world *w, const struct node_conf *conf);
/* Begins a process; false (and nothing): one runs. */
bool node_start(struct node *n);
bool node_is_up(const struct node *n);
/* kill -9, or a machine that loses its power (silent). */
void node_kill(struct node *n, bool silent);
/* The same at the k-th write or sync from now. */
void node_kill_at(struct node *n, uint64_t k);
/* SIGTERM. */
void node_stop(struct node *n);
/* Its Unix clock is wrong by so much from now on. */
void node_clock(struct node *n, int64_t shift_ms);
struct proc *node_proc(struct node *n);
/* After its last process has ended. */
void node_free(struct node *n);

#endif
