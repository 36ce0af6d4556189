/*
 * plan.h: what a run does: its setting and a list of steps, each after a
 * while. A seed makes one; a file under cases/ is one that was kept. What
 * the plan does not say (delays of the network, who runs next, keys) comes
 * from the seed while it runs.
 */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/rng.h"

#define PLAN_STEPS_MAX 4000
#define PLAN_DEVICES_MAX 8

enum plan_verb {
#define PLAN_VERB(name, args, help) PLAN_##name,
#include "sim/verbs.def"
#undef PLAN_VERB
	PLAN_VERBS
};

struct plan_step {
	uint64_t wait_ms;
	enum plan_verb verb;
	int64_t arg[3];
};

struct plan {
	uint64_t seed;
	unsigned accounts, devices;	/* devices: the i-th is of account
					 * i % accounts */
	bool linked;			/* all devices, from the begin */
	bool tight;			/* the limits that servers have */
	unsigned reactors, readers;
	uint64_t delay_us;
	unsigned slow_permille;
	uint64_t window;
	struct plan_step step[PLAN_STEPS_MAX];
	size_t steps_n;
};

void plan_make(uint64_t seed, struct plan *out);
/* Nothing but messages, for measuring. */
void plan_calm(uint64_t seed, size_t messages, struct plan *out);
/* False: *why_out says what is wrong in which line. */
bool plan_read(const char *path, struct plan *out, char why_out[static 200]);
/* Prints it as a file. */
void plan_print(const struct plan *p, FILE *to);

#endif
