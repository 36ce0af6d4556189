/*
 * probe.h: asks a running server over its plain listener whether it is ready:
 * `nightjard health`, for service managers and containers.
 */
#ifndef SERVER_PROBE_H
#define SERVER_PROBE_H

/*
 * NULL when GET /ready answers 200, else why not, for people. Asks the first
 * plain address of the list.
 */
const char *probe_ready(const char *http);

#endif
