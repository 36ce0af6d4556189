/*
 * sys.h: the seam to the operating system. Linux is behind it in
 * net/sys_linux.c; a simulator can stand in for it at link time. All OS calls
 * of the repository (but for start-up code and the CLI's terminal) go here.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include "base/bytes.h"

/* ---- Time and randomness ---- */

/* Unix time in milliseconds (may step). */
uint64_t sys_unix_ms(void);
/* Monotonic clock in microseconds. */
uint64_t sys_mono_us(void);
/* Fills with random bytes of the OS; aborts where it can not. */
void sys_random(void *p, size_t n);

/* ---- Addresses ---- */

/* An IPv4 address is kept mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2). */
struct sys_addr {
	uint8_t ip[16];
	uint16_t port;
};

/* Longest text: "[ipv6]:65535" and a NUL. */
#define SYS_ADDR_TEXT 54

/* "127.0.0.1", "::1", with port apart; false when it is no literal address. */
bool sys_addr_decode(const char *ip, uint16_t port, struct sys_addr *out);
/* The address alone ("10.0.0.1", "fe80::1"), with a NUL. */
void sys_addr_text(const struct sys_addr *a, char out[static SYS_ADDR_TEXT]);
bool sys_addr_is_v4(const struct sys_addr *a);
bool sys_addr_is_loopback(const struct sys_addr *a);
/*
 * Names to addresses by the system's resolver. BLOCKS: never on a reactor.
 * Writes at most max addresses and their number. ERR_NOT_FOUND.
 */
MUST_USE enum err sys_resolve(const char *host, uint16_t port,
    struct sys_addr *out, size_t max, size_t *n_out);

/* ---- Sockets; all are non-blocking and close-on-exec ---- */

/* What reading and writing return beside a count: */
#define SYS_AGAIN (-1)	/* would block */
#define SYS_ERROR (-2)	/* the connection is of no use any more */
#define SYS_UNSUPPORTED (-3)	/* not for this kind of file or socket */

/* A piece to write. */
struct sys_iov {
	const void *p;
	size_t n;
};
#define SYS_IOV_MAX 64

/*
 * A listening TCP socket with SO_REUSEADDR, SO_REUSEPORT (each reactor has
 * one of its own) and, where the kernel has it, TCP_FASTOPEN. Port 0: any.
 * ERR_CONFLICT: the address is in use. ERR_FORBIDDEN: not allowed. ERR_IO.
 */
MUST_USE enum err sys_listen(const struct sys_addr *a, int backlog,
    int *fd_out);
/*
 * SO_REUSEPORT, which lets all reactors listen on one port, would let another
 * process of the same user do so too: this looks, without it, whether the
 * port is in use (ERR_CONFLICT). For start-up, before the first sys_listen.
 */
MUST_USE enum err sys_port_free(const struct sys_addr *a);
/* The address that a socket is bound to. */
MUST_USE enum err sys_local_addr(int fd, struct sys_addr *out);
/*
 * The next connection, with TCP_NODELAY set: a descriptor, SYS_AGAIN when
 * none waits, SYS_ERROR when the process or system has no descriptor or
 * memory left (accepting again at once would spin). A connection that was
 * reset while it waited is skipped.
 */
int sys_accept(int fd, struct sys_addr *peer_out);
/* Begins to connect; readiness to write tells that it ended: sys_connected. */
MUST_USE enum err sys_connect(const struct sys_addr *a, int *fd_out);
/* OK once the connection stands; ERR_BUSY: not yet; ERR_UNAVAILABLE. */
MUST_USE enum err sys_connected(int fd);
/* A connected pair of stream sockets (tests). */
MUST_USE enum err sys_pair(int fds_out[static 2]);
/* > 0 bytes, 0 at the end of the stream, SYS_AGAIN, SYS_ERROR. */
long sys_recv(int fd, void *p, size_t n);
/* Bytes taken, SYS_AGAIN, SYS_ERROR; raises no signal. n <= SYS_IOV_MAX. */
long sys_sendv(int fd, const struct sys_iov *iov, size_t n);
/* The same, where more follows at once: a segment that is not full may wait. */
long sys_sendv_more(int fd, const struct sys_iov *iov, size_t n);
/* Bytes that the kernel holds and the peer has not acknowledged yet. */
size_t sys_unacked(int sock);
/* Ends the writing half (FIN). */
void sys_shutdown_write(int fd);
void sys_close(int fd);
/* How many descriptors the process may have; raises the soft limit to it. */
size_t sys_fd_limit(void);
/* Writing to a closed connection is an error, not a signal. Process-wide. */
void sys_ignore_sigpipe(void);

/* ---- Waiting (epoll) and waking (eventfd) ---- */

#define SYS_READ  1u	/* readable */
#define SYS_WRITE 2u
#define SYS_HUP   4u	/* error or both halves closed */
#define SYS_END   8u	/* the peer closed its half; comes with SYS_READ */

struct sys_event {
	void *ptr;	/* as given to sys_poll_add */
	uint32_t ready;
};
#define SYS_EVENTS_MAX 256

MUST_USE enum err sys_poll_open(int *fd_out);
/* Edge-triggered for reading and writing, or level-triggered for reading. */
MUST_USE enum err sys_poll_add(int poll_fd, int fd, bool edge, void *ptr);
void sys_poll_remove(int poll_fd, int fd);
/* At most SYS_EVENTS_MAX; timeout -1 waits for ever. An interrupt gives 0. */
size_t sys_poll_wait(int poll_fd, struct sys_event *out, int timeout_ms);
MUST_USE enum err sys_wake_open(int *fd_out);
void sys_wake(int fd);		/* from any thread */
void sys_wake_clear(int fd);

/* ---- Files (start-up, certificates, configuration); these block ---- */

/* Adds the file to `out` up to its max. ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_IO. */
MUST_USE enum err sys_file_read(const char *path, struct buf *out);
/*
 * Replaces the file at once and durably: temporary file, fsync, rename, fsync
 * of the folder. mode as in chmod (0600 for secrets).
 */
MUST_USE enum err sys_file_write(const char *path, struct span data,
    unsigned mode);
/*
 * Makes a new file; ERR_CONFLICT when it is there already (of two starters
 * one wins, the other reads).
 */
MUST_USE enum err sys_file_create(const char *path, struct span data,
    unsigned mode);
/*
 * A file in that folder that has no name (0600), to read and write, so that it
 * is gone with its descriptor. ERR_NOT_FOUND, ERR_FORBIDDEN, ERR_IO.
 */
MUST_USE enum err sys_spool_open(const char *dir, int *fd_out);
/* Writes all of it at `at`; the file's own position stays. ERR_IO. */
MUST_USE enum err sys_spool_write(int fd, uint64_t at, struct span bytes);
/* Bytes that an ordinary user may still write to the disk of that folder.
 * ERR_IO: not known. */
MUST_USE enum err sys_disk_free(const char *dir, uint64_t *out);
/* Makes a folder with its parents; OK when it is there already. */
MUST_USE enum err sys_dir_make(const char *path, unsigned mode);

/* ---- Files that are served, below a folder ---- */

/* What tells one file, and one content of it, from another. */
struct sys_file_id {
	uint64_t dev, ino, size;
	uint64_t mtime_ns, ctime_ns;	/* Unix time; may be in the future */
};

struct sys_file {
	int fd;				/* for reading */
	struct sys_file_id id;		/* when it was opened */
};

static inline bool
sys_file_id_eq(const struct sys_file_id *a, const struct sys_file_id *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->size == b->size &&
	    a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/*
 * Looks at a regular file by its path, links followed (configuration,
 * certificates): has it changed? False: it is not there.
 */
bool sys_file_look(const char *path, struct sys_file_id *out);
/* The folder that all of them are below. ERR_NOT_FOUND, ERR_NOMEM, ERR_IO. */
MUST_USE enum err sys_root_open(const char *path, int *fd_out);
/*
 * Opens a regular file beneath the root for reading, as fast as the disk is:
 * it never waits on a fifo and never opens a device.
 *   path  in   relative, with no empty name and none that begins with '.'
 * Symbolic links are followed while they stay beneath the root (by a kernel
 * that has openat2(2), Linux 5.6; not at all by an older one); what leads out
 * is not found. ERR_NOT_FOUND: also when it may not be read or is no regular
 * file. ERR_NOMEM: no descriptor or memory left. ERR_IO.
 */
MUST_USE enum err sys_file_open(int root, const char *path,
    struct sys_file *out);
/*
 * What is under that name now. Only to compare with a file opened before:
 * links are followed wherever they lead. ERR_NOT_FOUND, ERR_NOMEM, ERR_IO.
 */
MUST_USE enum err sys_file_find(int root, const char *path,
    struct sys_file_id *out);
/* What an open file (sys_spool_open) is now. ERR_IO. */
MUST_USE enum err sys_file_of(int fd, struct sys_file *out);
/* Is the open file as it was: not written to, not cut? By size and mtime. */
bool sys_file_is_same(const struct sys_file *f);
/* Bytes read at an offset, 0 at the end, SYS_ERROR. */
long sys_file_pread(int fd, void *p, size_t n, uint64_t at);
/*
 * From a file to a socket without a copy: bytes sent, 0 at the file's end,
 * SYS_AGAIN, SYS_ERROR, SYS_UNSUPPORTED (read and send it instead). A broken
 * connection raises a signal, unless sys_ignore_sigpipe was called.
 */
long sys_sendfile(int sock, int fd, uint64_t at, size_t n);

/* ---- Memory ---- */

/* n bytes of address space, zero, backed only once touched; NULL without. */
void *sys_reserve(size_t n);
void sys_unreserve(void *p, size_t n);
/* Resident bytes of the process (for health and tests); 0 if not known. */
size_t sys_resident(void);
/* Processors that this process may use; at least 1. */
unsigned sys_cpus(void);

#endif
