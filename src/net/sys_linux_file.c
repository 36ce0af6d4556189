/*
 * sys_linux_file.c: files below a folder that are served to strangers, of
 * base/sys.h on Linux. Any thread.
 * exports sys_*
 *
 * Implementation notes. openat2(2) with RESOLVE_BENEATH lets the kernel refuse
 * every way out, symbolic links and races included. Where it is missing or
 * filtered (ENOSYS, EPERM) the path is walked one name at a time and no
 * symbolic link is followed: less is found, nothing more gets out. A name is
 * looked at (O_PATH) before it is opened, since opening a device or a fifo
 * may do something to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"

#define TRIES 8		/* openat2: EAGAIN while somebody renames folders */

/* What errno says of a file that was asked for by name. */
static enum err
why_not(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case EXDEV:		/* RESOLVE_BENEATH: it leads out */
	case ENAMETOOLONG:
	case EACCES:
	case EPERM:
	case EISDIR:
	case ENXIO:		/* a socket, or a device that is not there */
	case ENODEV:
	case EINVAL:
		return ERR_NOT_FOUND;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

static uint64_t
time_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

/* False: it is no regular file. */
static bool
identify(const struct stat *st, struct sys_file_id *out)
{
	if (!S_ISREG(st->st_mode) || st->st_size < 0)
		return false;
	out->dev = (uint64_t)st->st_dev;
	out->ino = (uint64_t)st->st_ino;
	out->size = (uint64_t)st->st_size;
	/* One from before 1970 would wrap: such a file has no time. */
	out->mtime_ns = st->st_mtim.tv_sec < 0 ? 0 : time_ns(&st->st_mtim);
	out->ctime_ns = st->st_ctim.tv_sec < 0 ? 0 : time_ns(&st->st_ctim);
	return true;
}

bool
sys_file_look(const char *path, struct sys_file_id *out)
{
	struct stat st;

	return stat(path, &st) == 0 && identify(&st, out);
}

enum err
sys_root_open(const char *path, int *fd_out)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return why_not(errno);
	*fd_out = fd;
	return OK;
}

/* One name after the other; no symbolic link is followed. */
static int
open_by_parts(int root, const char *path, int flags)
{
	int at = root;

	for (;;) {
		const char *slash = strchr(path, '/');
		size_t n = slash == NULL ? strlen(path) :
		    (size_t)(slash - path);
		char name[256];		/* NAME_MAX and a NUL */
		int next;

		if (n == 0 || n >= sizeof name || path[0] == '.')
			next = -1, errno = ENOENT;
		else {
			memcpy(name, path, n);
			name[n] = '\0';
			next = openat(at, name, O_NOFOLLOW | O_CLOEXEC |
			    (slash != NULL ? O_PATH | O_DIRECTORY : flags));
		}
		if (at != root) {
			int e = errno;

			close(at);
			errno = e;
		}
		if (next < 0 || slash == NULL)
			return next;
		at = next;
		path = slash + 1;
	}
}

static int
open_beneath(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

	for (int i = 0; i < TRIES; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof how);

		if (fd >= 0)
			return (int)fd;
		if (errno == ENOSYS || errno == EPERM)
			return open_by_parts(root, path, flags);
		if (errno != EAGAIN && errno != EINTR)
			return -1;
	}
	return -1;
}

enum err
sys_file_open(int root, const char *path, struct sys_file *out)
{
	struct sys_file f = { .fd = -1 };
	struct sys_file_id seen;
	enum err e = ERR_NOT_FOUND;
	struct stat st;
	int look = open_beneath(root, path, O_PATH);

	if (look < 0)
		return why_not(errno);
	if (fstat(look, &st) != 0 || !identify(&st, &seen))
		goto out;
	/* Were it a fifo by now, O_NONBLOCK would not wait for its writer. */
	f.fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (f.fd < 0) {
		e = why_not(errno);
		goto out;
	}
	if (fstat(f.fd, &st) != 0 || !identify(&st, &f.id)) {
		close(f.fd);
		goto out;
	}
	*out = f;
	e = OK;
out:
	close(look);
	return e;
}

enum err
sys_file_find(int root, const char *path, struct sys_file_id *out)
{
	struct stat st;

	if (fstatat(root, path, &st, 0) != 0)
		return why_not(errno);
	return identify(&st, out) ? OK : ERR_NOT_FOUND;
}

enum err
sys_file_of(int fd, struct sys_file *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ERR_IO;
	out->fd = fd;
	return identify(&st, &out->id) ? OK : ERR_IO;
}

bool
sys_file_is_same(const struct sys_file *f)
{
	struct sys_file_id now;
	struct stat st;

	/* Being renamed over or removed changes the inode's ctime, too. */
	return fstat(f->fd, &st) == 0 && identify(&st, &now) &&
	    now.size == f->id.size && now.mtime_ns == f->id.mtime_ns;
}

long
sys_file_pread(int fd, void *p, size_t n, uint64_t at)
{
	for (;;) {
		ssize_t k = pread(fd, p, n, (off_t)at);

		if (k >= 0)
			return (long)k;
		if (errno != EINTR)
			return SYS_ERROR;
	}
}

long
sys_sendfile(int sock, int fd, uint64_t at, size_t n)
{
	for (;;) {
		off_t off = (off_t)at;
		ssize_t k = sendfile(sock, fd, &off, n);

		if (k >= 0)
			return (long)k;
		if (errno == EINVAL || errno == ENOSYS)
			return SYS_UNSUPPORTED;
		if (errno != EINTR)
			return errno == EAGAIN ? SYS_AGAIN : SYS_ERROR;
	}
}

size_t
sys_unacked(int sock)
{
	int n = 0;

	return ioctl(sock, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}
