/*
 * watch.h: which of a few files have changed, by asking every now and then
 * (a certificate renewed, a configuration edited or a link turned to another
 * one): works on every file system, and on files that are replaced.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include "base/sys.h"

#define WATCH_FILES_MAX 4
#define WATCH_PATH_MAX 1100

struct watch_file {
	char path[WATCH_PATH_MAX];
	struct sys_file_id taken;	/* as it was when it was last read */
	struct sys_file_id seen;	/* at the last look */
	bool there_taken, there_seen;
};

struct watch {
	struct watch_file files[WATCH_FILES_MAX];
	size_t n;
};

/*
 * The i-th file, as it is now, is known. To be called before the file is
 * read: a change between the two would be lost if it were called behind that.
 * A path that is too long, or NULL: none.
 */
void watch_set(struct watch *w, size_t i, const char *path);
/*
 * Has it changed since it was last read, and not since the last look? So one
 * that is being written, or one of two that belong together, is left alone
 * until it rests. True once for each change.
 */
bool watch_look(struct watch *w, size_t i);

#endif
