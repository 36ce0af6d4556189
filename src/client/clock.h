/*
 * clock.h: a Unix clock that goes back, as when it was set right, must not
 * make a process wait for what was to come "in a second" until the clock is
 * there again.
 */
#ifndef CLIENT_CLOCK_H
#define CLIENT_CLOCK_H

#include "client/client.h"

/*
 * To be told at the begin of each step what time it is: where that is before
 * the last one's, every time that the process remembers goes back as far.
 * Times that are 0 (not set) stay so, the others do not become 0.
 */
void clock_follow(struct client *c, uint64_t now_ms);

#endif
