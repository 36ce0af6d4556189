/*
 * wire.h: the network of the simulation, behind the sockets of base/sys.h:
 * streams that deliver bytes in order after a delay, in pieces, within a
 * window; connections that break or stand still. Between connections nothing
 * keeps an order.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "sim/kernel.h"

struct wire_conf {
	uint64_t delay_us_max;	/* of one delivery */
	unsigned slow_permille;	/* deliveries that take up to a second */
	size_t window;		/* bytes under way and unread, at most */
};

/* Begins with no socket at all; tap sees every byte that is delivered. */
void wire_open(const struct wire_conf *conf,
    void (*tap)(const void *p, size_t n));
void wire_close(void);
void wire_conf_set(const struct wire_conf *conf);
/* All connections of a process break; both sides learn it. */
void wire_cut(struct proc *p);
/* For so long nothing of or to its machine arrives, nor can it connect. */
void wire_stall(struct proc *p, uint64_t us);
/*
 * The process is a ghost: its connections are gone for it. silent: the other
 * sides are told nothing (a machine without power), else they are reset.
 */
void wire_kill(struct proc *p, bool silent);
/* Bytes delivered so far. */
uint64_t wire_bytes(void);

#endif
