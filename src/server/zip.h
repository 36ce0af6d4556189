/*
 * zip.h: writes a ZIP archive (PKWARE APPNOTE 6.3.x, without Zip64) into a
 * spool file, entry by entry, bit by bit, stored as they are. Its whole state
 * is one struct without pointers: who copies it can begin again from there.
 */
#ifndef SERVER_ZIP_H
#define SERVER_ZIP_H

#include "base/bytes.h"

#define ZIP_ENTRIES_MAX 64
#define ZIP_NAME_MAX 48
#define ZIP_MAX ((uint64_t)2 << 30)	/* bytes of the whole archive */

struct zip_entry {
	char name[ZIP_NAME_MAX];	/* text with a NUL */
	uint32_t crc, size;
	uint64_t at;			/* of its local header */
};

struct zip {
	int fd;
	uint32_t dos_time;
	uint64_t at;			/* end of what was written */
	struct zip_entry entries[ZIP_ENTRIES_MAX];
	size_t n;			/* the last one may be open */
	bool is_open;
};

/* An empty one, into fd, with this time on all entries. */
void zip_begin(struct zip *z, int fd, uint64_t unix_ms);
/* ERR_LIMIT: too many entries or a name too long.  ERR_IO. */
MUST_USE enum err zip_open(struct zip *z, const char *name);
/* More of the open entry. ERR_TOO_LARGE: beyond ZIP_MAX.  ERR_IO. */
MUST_USE enum err zip_write(struct zip *z, struct span bytes);
MUST_USE enum err zip_close(struct zip *z);
/* The directory. *n_out: bytes of the whole archive. */
MUST_USE enum err zip_end(struct zip *z, uint64_t *n_out);

#endif
