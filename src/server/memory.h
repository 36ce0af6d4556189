/*
 * memory.h: how much memory there is, for start-up: what the server may take
 * at once has to fit, or the kernel ends it.
 */
#ifndef SERVER_MEMORY_H
#define SERVER_MEMORY_H

#include "base/bytes.h"

/*
 * Bytes that this process may have: the machine's, or less where a control
 * group (cgroup v2, this process's or one above it) says so. Reads files of
 * the kernel. 0: not known.
 */
uint64_t memory_bytes(void);
/*
 * How many passwords may be hashed at once: as many as wanted, but all of them
 * in a quarter of these bytes (0: not known); one at least.
 */
unsigned memory_hashers(unsigned wanted, uint64_t bytes);

/* MemTotal of /proc/meminfo (proc(5)) in bytes; 0: not there. */
uint64_t memory_of_machine(struct span meminfo);
/* memory.max of a control group ("max": no limit); 0: none. */
uint64_t memory_of_group(struct span text);

#endif
