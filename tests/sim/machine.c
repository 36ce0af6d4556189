/*
 * machine.c: the rest of base/sys.h in the simulation: addresses, memory,
 * files. There are no files beside the database's: a server without TLS,
 * pages and a file of configuration reads none. exports sys_*
 */
#include <arpa/inet.h>
#include <sys/mman.h>

#include "base/sys.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool
sys_addr_is_v4(const struct sys_addr *a)
{
	return memcmp(a->ip, mapped, sizeof(mapped)) == 0;
}

bool
sys_addr_is_loopback(const struct sys_addr *a)
{
	return sys_addr_is_v4(a) && a->ip[12] == 127;
}

bool
sys_addr_decode(const char *ip, uint16_t port, struct sys_addr *out)
{
	struct sys_addr a = { .port = port };

	if (inet_pton(AF_INET, ip, a.ip + 12) == 1)
		memcpy(a.ip, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, ip, a.ip) != 1)
		return false;
	*out = a;
	return true;
}

void
sys_addr_text(const struct sys_addr *a, char out[static SYS_ADDR_TEXT])
{
	bool v4 = sys_addr_is_v4(a);

	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->ip + 12 : a->ip, out,
	    SYS_ADDR_TEXT) == NULL)
		out[0] = '\0';
}

enum err
sys_resolve(const char *host, uint16_t port, struct sys_addr *out, size_t max,
    size_t *n_out)
{
	if (max == 0 || !sys_addr_decode(host, port, &out[0]))
		return ERR_NOT_FOUND;
	*n_out = 1;
	return OK;
}

size_t
sys_fd_limit(void)
{
	return 4096;
}

void
sys_ignore_sigpipe(void)
{
}

enum err
sys_file_read(const char *path, struct buf *out)
{
	(void)path;
	(void)out;
	return ERR_NOT_FOUND;
}

enum err
sys_file_write(const char *path, struct span data, unsigned mode)
{
	(void)path;
	(void)data;
	(void)mode;
	return ERR_FORBIDDEN;
}

enum err
sys_file_create(const char *path, struct span data, unsigned mode)
{
	return sys_file_write(path, data, mode);
}

enum err
sys_spool_open(const char *dir, int *fd_out)
{
	(void)dir;
	(void)fd_out;
	return ERR_NOT_FOUND;
}

enum err
sys_spool_write(int fd, uint64_t at, struct span bytes)
{
	(void)fd;
	(void)at;
	(void)bytes;
	return ERR_IO;
}

enum err
sys_disk_free(const char *dir, uint64_t *out)
{
	(void)dir;
	*out = UINT64_MAX;
	return OK;
}

enum err
sys_dir_make(const char *path, unsigned mode)
{
	(void)path;
	(void)mode;
	return ERR_FORBIDDEN;
}

enum err
sys_file_of(int fd, struct sys_file *out)
{
	(void)fd;
	(void)out;
	return ERR_IO;
}

bool
sys_file_look(const char *path, struct sys_file_id *out)
{
	(void)path;
	(void)out;
	return false;
}

enum err
sys_root_open(const char *path, int *fd_out)
{
	(void)path;
	(void)fd_out;
	return ERR_NOT_FOUND;
}

enum err
sys_file_open(int root, const char *path, struct sys_file *out)
{
	(void)root;
	(void)path;
	(void)out;
	return ERR_NOT_FOUND;
}

enum err
sys_file_find(int root, const char *path, struct sys_file_id *out)
{
	(void)root;
	(void)path;
	(void)out;
	return ERR_NOT_FOUND;
}

bool
sys_file_is_same(const struct sys_file *f)
{
	(void)f;
	return false;
}

long
sys_file_pread(int fd, void *p, size_t n, uint64_t at)
{
	(void)fd;
	(void)p;
	(void)n;
	(void)at;
	return SYS_ERROR;
}

long
sys_sendfile(int sock, int fd, uint64_t at, size_t n)
{
	(void)sock;
	(void)fd;
	(void)at;
	(void)n;
	return SYS_UNSUPPORTED;
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

/* Of no meaning here: many machines are in one process. */
size_t
sys_resident(void)
{
	return 0;
}

unsigned
sys_cpus(void)
{
	return 2;
}
