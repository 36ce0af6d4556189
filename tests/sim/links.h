/*
 * links.h: people who link devices: on the one they see a text and a code,
 * on the other they type them in. Any of it may be interrupted.
 */
#ifndef SIM_LINKS_H
#define SIM_LINKS_H

#include "sim/world.h"

/* An empty device asks; a device that manages its account helps it in. */
void links_begin(struct world *w, struct device *new, struct device *manager);
/* Does what the people would do now; to be called often. */
void links_tick(struct world *w);
/* No linking is under way. */
bool links_are_over(const struct world *w);

#endif
