/*
 * probe.h: asks a running server over its plain listener whether it is ready:
 * `nightjard health`, for service managers and containers.
 */
#ifndef SERVER_PROBE_H
#define SERVER_PROBE_H

/*
 * 0 and a line when GET /ready answers 200, else 1 and a line that says why.
 * Asks the first plain address; without one it can not, and says so.
 */
int probe_ready(const char *http, const char *https);

#endif
