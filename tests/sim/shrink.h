/*
 * shrink.h: tries a plan in a process of its own, and takes away from one
 * that fails what its failing does not need.
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/world.h"

struct shrink_end {
	bool ok;
	uint64_t messages, trace, excuse[WORLD_EXCUSES];
	char why[300];		/* the law that was broken; empty when ok */
};

/* What each such process does first. */
void shrink_setup(void (*fn)(void));
struct shrink_end shrink_try(const struct plan *p);
/*
 * p fails: becomes the smallest plan found that breaks the same law. By delta
 * debugging (Zeller and Hildebrandt 2002, "ddmin") over the steps, within a
 * bounded number of tries.
 */
void shrink_plan(struct plan *p);

#endif
