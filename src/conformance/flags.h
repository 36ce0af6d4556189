/*
 * flags.h: the command line of nightjar-conformance.
 */
#ifndef CONFORMANCE_FLAGS_H
#define CONFORMANCE_FLAGS_H

#include "base/bytes.h"

#define FLAGS_THREADS_MAX 64

struct flags {
	const char *host;		/* literal address to listen on */
	const char *root;		/* of /static/, or NULL */
	uint64_t port;			/* 0: any */
	uint64_t ping_interval_ms;
	uint64_t ping_timeout_ms;
	uint64_t max_payload;		/* bytes, Engine.IO */
	uint64_t connect_timeout_ms;
	uint64_t upgrade_timeout_ms;
	uint64_t recovery_ms;		/* 0: no recovery */
	uint64_t ws_max;		/* bytes, /ws-echo */
	uint64_t threads;		/* reactors */
};

/*
 * Fills *out from the arguments and the defaults; the texts stay argv's.
 * A flag given twice: the last one counts. Returns -1 to go on, else the
 * exit status: 0 after --help, 2 for a flag that is unknown or has a bad
 * value, which stderr then names.
 */
int flags_parse(struct flags *out, int argc, char **argv);

#endif
