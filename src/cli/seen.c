/*
 * seen.c: see seen.h. Eight bytes are written at once into one sector, so a
 * crash leaves the old number or the new one.
 */
#include "cli/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum err
seen_make(const char *path)
{
	bool lost;
	int fd;
	TRY(seen_open(path, &fd, &lost));
	seen_close(fd);
	return OK;
}

enum err
seen_open(const char *path, int *fd_out, bool *lost_out)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	*lost_out = fd < 0 && errno == ENOENT;
	if (*lost_out) {
		/* The folder, too, may have been lost: made again. */
		char dir[1024];
		size_t n = (size_t)(strrchr(path, '/') - path);
		if (n > 0 && n < sizeof(dir)) {
			memcpy(dir, path, n);
			dir[n] = '\0';
			mkdir(dir, 0700);
		}
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	}
	if (fd < 0)
		return ERR_IO;
	*fd_out = fd;
	return OK;
}

void
seen_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

enum err
seen_get(int fd, uint64_t *out)
{
	uint8_t b[8];
	ssize_t n = pread(fd, b, sizeof(b), 0);
	if (n < 0)
		return ERR_IO;
	struct rd r = rd_init(SPAN_OF(b));
	*out = n == (ssize_t)sizeof(b) ? rd_u64(&r) : 0;
	return OK;
}

enum err
seen_raise(int fd, uint64_t value)
{
	uint8_t b[8];
	uint64_t now = 0;
	struct wr w = wr_init(b, sizeof(b));
	enum err e = OK;
	if (flock(fd, LOCK_EX) != 0)
		return ERR_IO;
	e = seen_get(fd, &now);
	if (e == OK && value > now) {
		wr_u64(&w, value);
		if (pwrite(fd, b, sizeof(b), 0) != (ssize_t)sizeof(b) ||
		    fdatasync(fd) != 0)
			e = ERR_IO;
	}
	flock(fd, LOCK_UN);
	return e;
}

enum err
seen_shred(const char *path)
{
	static const uint8_t zeros[256];
	enum err e = OK;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? OK : ERR_IO;
	struct stat st;
	if (fstat(fd, &st) != 0)
		e = ERR_IO;
	for (off_t at = 0; e == OK && at < st.st_size;
	    at += (off_t)sizeof(zeros))
		if (pwrite(fd, zeros, sizeof(zeros), at) < 0)
			e = ERR_IO;
	if (fsync(fd) != 0)
		e = ERR_IO;
	close(fd);
	if (unlink(path) != 0)
		e = ERR_IO;
	return e;
}
