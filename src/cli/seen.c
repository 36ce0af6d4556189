/*
 * seen.c: see seen.h. Number and id are written at once into one sector, so a
 * crash leaves the old ones or the new ones.
 */
#include "cli/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEN_BYTES (8 + SEEN_ID_LEN)

enum err
seen_make(const char *path, const uint8_t id[static SEEN_ID_LEN])
{
	int fd;
	TRY(seen_open(path, &fd));
	enum err e = seen_raise(fd, id, 0);
	seen_close(fd);
	return e;
}

enum err
seen_open(const char *path, int *fd_out)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT) {
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
seen_get(int fd, const uint8_t id[static SEEN_ID_LEN], uint64_t *out)
{
	uint8_t b[SEEN_BYTES];
	ssize_t n = pread(fd, b, sizeof(b), 0);
	if (n < 0)
		return ERR_IO;
	if (n != (ssize_t)sizeof(b) || memcmp(b + 8, id, SEEN_ID_LEN) != 0)
		return ERR_NOT_FOUND;
	struct rd r = rd_init(span_of(b, 8));
	*out = rd_u64(&r);
	return OK;
}

enum err
seen_raise(int fd, const uint8_t id[static SEEN_ID_LEN], uint64_t value)
{
	uint8_t b[SEEN_BYTES];
	uint64_t now = 0;
	struct wr w = wr_init(b, sizeof(b));
	if (flock(fd, LOCK_EX) != 0)
		return ERR_IO;
	enum err e = seen_get(fd, id, &now);
	if (e == ERR_NOT_FOUND || (e == OK && value > now)) {
		wr_u64(&w, value);
		wr_bytes(&w, id, SEEN_ID_LEN);
		e = pwrite(fd, b, sizeof(b), 0) == (ssize_t)sizeof(b) &&
		    fdatasync(fd) == 0 ? OK : ERR_IO;
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
