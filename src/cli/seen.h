/*
 * seen.h: a number on disk that only grows, raised by several processes: the
 * highest generation of a profile, kept where a restored copy of the profile
 * does not reach (docs/protocol.md, "State at rest"). And how a key file is
 * destroyed.
 */
#ifndef CLI_SEEN_H
#define CLI_SEEN_H

#include "base/bytes.h"

/* Makes the file with zero; leaves one alone that is there. ERR_IO. */
MUST_USE enum err seen_make(const char *path);
/*
 * Opens it. Where it is missing it is made and *lost_out is true. ERR_IO.
 */
MUST_USE enum err seen_open(const char *path, int *fd_out, bool *lost_out);
void seen_close(int fd);	/* -1 does nothing */
/* A file too short to hold a number counts as zero. ERR_IO. */
MUST_USE enum err seen_get(int fd, uint64_t *out);
/* Writes and syncs `value` if it is higher; under a lock. ERR_IO. */
MUST_USE enum err seen_raise(int fd, uint64_t value);

/* Overwrites, syncs and removes a small file. OK when it is not there. */
MUST_USE enum err seen_shred(const char *path);

#endif
