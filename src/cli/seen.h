/*
 * seen.h: a number on disk that only grows, raised by several processes: the
 * highest generation of a profile, kept where a restored copy of the profile
 * does not reach (docs/protocol.md, "State at rest"). The file is
 *	u64 big-endian number | id[16] of the profile that it is of
 * so that the number of a profile that was removed by hand does not count for
 * the next one of its name. And how a key file is destroyed.
 */
#ifndef CLI_SEEN_H
#define CLI_SEEN_H

#include "base/bytes.h"

#define SEEN_ID_LEN 16

/* Zero for this profile; a number of its own that is there stays. ERR_IO. */
MUST_USE enum err seen_make(const char *path,
    const uint8_t id[static SEEN_ID_LEN]);
/* Opens it; an empty one is made where it is missing. ERR_IO. */
MUST_USE enum err seen_open(const char *path, int *fd_out);
void seen_close(int fd);	/* -1 does nothing */
/* ERR_NOT_FOUND: it holds no number of this profile. ERR_IO. */
MUST_USE enum err seen_get(int fd, const uint8_t id[static SEEN_ID_LEN],
    uint64_t *out);
/*
 * Writes and syncs `value` if it is higher, or in place of the number of
 * another profile; under a lock. ERR_IO.
 */
MUST_USE enum err seen_raise(int fd, const uint8_t id[static SEEN_ID_LEN],
    uint64_t value);

/* Overwrites, syncs and removes a small file. OK when it is not there. */
MUST_USE enum err seen_shred(const char *path);

#endif
