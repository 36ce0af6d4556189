/*
 * sys_linux.c: clock, randomness, files and memory of base/sys.h on Linux.
 * Sockets and waiting are in sys_linux_net.c. Any thread.
 * exports sys_*
 */
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/sys.h"

uint64_t
sys_unix_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		abort();
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
sys_mono_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void
sys_random(void *p, size_t n)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t k = getrandom(at, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		/* Going on without randomness would be worse than ending. */
		if (k <= 0)
			abort();
		at += k;
		n -= (size_t)k;
	}
}

/* What errno says of a file, in our words. */
static enum err
file_err(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_FORBIDDEN;
	case EEXIST:
		return ERR_CONFLICT;
	case ENOSPC:
	case EDQUOT:
		return ERR_DISK_FULL;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

enum err
sys_file_read(const char *path, struct buf *out)
{
	uint8_t piece[4096];
	enum err e = OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return file_err(errno);
	for (;;) {
		ssize_t k = read(fd, piece, sizeof piece);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			e = file_err(errno);
		if (k <= 0)
			break;
		if ((e = buf_add(out, piece, (size_t)k)) != OK)
			break;
	}
	wipe(piece, sizeof piece);	/* it may have been a key */
	close(fd);
	return e;
}

/* Writes all of it and makes it durable; closes fd in any case. */
static enum err
write_all(int fd, struct span data)
{
	enum err e = OK;

	while (e == OK && data.n > 0) {
		ssize_t k = write(fd, data.p, data.n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			e = file_err(errno);
		else
			data = span_sub(data, (size_t)k, data.n);
	}
	if (e == OK && fsync(fd) != 0)
		e = file_err(errno);
	if (close(fd) != 0 && e == OK)
		e = file_err(errno);
	return e;
}

/* A renamed or new file is durable only once its folder is. */
static enum err
sync_folder(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	enum err e;
	int fd;

	if (n >= sizeof folder)
		return ERR_TOO_LARGE;
	if (slash == NULL)
		folder[n++] = '.';
	else if (n == 0)
		folder[n++] = '/';
	else
		memcpy(folder, path, n);
	folder[n] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return file_err(errno);
	/* EINVAL: a file system that needs no such thing. */
	e = fsync(fd) != 0 && errno != EINVAL ? file_err(errno) : OK;
	close(fd);
	return e;
}

enum err
sys_file_create(const char *path, struct span data, unsigned mode)
{
	enum err e;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    (mode_t)mode);

	if (fd < 0)
		return file_err(errno);
	if ((e = write_all(fd, data)) != OK) {
		unlink(path);
		return e;
	}
	return sync_folder(path);
}

enum err
sys_file_write(const char *path, struct span data, unsigned mode)
{
	char temp[4096];
	uint32_t salt;
	enum err e;
	int n;

	sys_random(&salt, sizeof salt);
	n = snprintf(temp, sizeof temp, "%s.%08x.new", path, (unsigned)salt);
	if (n < 0 || (size_t)n >= sizeof temp)
		return ERR_TOO_LARGE;
	TRY(sys_file_create(temp, data, mode));
	if (rename(temp, path) != 0) {
		e = file_err(errno);
		unlink(temp);
		return e;
	}
	return sync_folder(path);
}

/* Where the file system has no O_TMPFILE: a name for a moment. */
static int
open_named(const char *dir)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/nightjar-XXXXXX", dir);
	int fd;

	if (n < 0 || (size_t)n >= sizeof path)
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

enum err
sys_spool_open(const char *dir, int *fd_out)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open_named(dir);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND :
		    errno == EACCES ? ERR_FORBIDDEN : ERR_IO;
	*fd_out = fd;
	return OK;
}

enum err
sys_disk_free(const char *dir, uint64_t *out)
{
	struct statvfs s;

	*out = 0;
	if (statvfs(dir, &s) != 0)
		return ERR_IO;
	*out = (uint64_t)s.f_bavail * s.f_frsize;
	return OK;
}

enum err
sys_spool_write(int fd, uint64_t at, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		at += (uint64_t)n;
		bytes = span_sub(bytes, (size_t)n, bytes.n);
	}
	return OK;
}

enum err
sys_dir_make(const char *path, unsigned mode)
{
	char part[4096];
	size_t n = strlen(path);
	struct stat st;

	if (n == 0 || n >= sizeof part)
		return ERR_ARG;
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, (mode_t)mode) != 0 && errno != EEXIST)
			return file_err(errno);
		if (i < n)
			part[i] = '/';
	}
	if (stat(path, &st) != 0)
		return file_err(errno);
	return S_ISDIR(st.st_mode) ? OK : ERR_CONFLICT;
}

void *
sys_reserve(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
sys_unreserve(void *p, size_t n)
{
	if (p != NULL && munmap(p, n) != 0)
		abort();
}

size_t
sys_resident(void)
{
	char text[128];
	char *at = NULL;
	ssize_t n;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0 || page <= 0)
		return 0;
	text[n] = '\0';
	/* The second field: resident pages. */
	if ((at = strchr(text, ' ')) == NULL)
		return 0;
	return (size_t)strtoull(at + 1, NULL, 10) * (size_t)page;
}

unsigned
sys_cpus(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n;
}
