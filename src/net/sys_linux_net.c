/*
 * sys_linux_net.c: sockets, epoll and eventfd of base/sys.h on Linux.
 * Sockets are dual-stack IPv6 ones where the address is the unspecified one,
 * otherwise of the address's family.
 * exports sys_*
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/sys.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage all;
};

bool
sys_addr_is_v4(const struct sys_addr *a)
{
	return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

bool
sys_addr_is_loopback(const struct sys_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (sys_addr_is_v4(a))
		return a->ip[12] == 127;
	return memcmp(a->ip, one, sizeof one) == 0;
}

bool
sys_addr_decode(const char *ip, uint16_t port, struct sys_addr *out)
{
	struct sys_addr a = { .port = port };

	if (inet_pton(AF_INET, ip, a.ip + 12) == 1)
		memcpy(a.ip, mapped, sizeof mapped);
	else if (inet_pton(AF_INET6, ip, a.ip) != 1)
		return false;
	*out = a;
	return true;
}

void
sys_addr_text(const struct sys_addr *a, char out[static SYS_ADDR_TEXT])
{
	const char *ok;

	if (sys_addr_is_v4(a))
		ok = inet_ntop(AF_INET, a->ip + 12, out, SYS_ADDR_TEXT);
	else
		ok = inet_ntop(AF_INET6, a->ip, out, SYS_ADDR_TEXT);
	if (ok == NULL)
		out[0] = '\0';
}

static socklen_t
to_os(const struct sys_addr *a, union any_addr *out)
{
	memset(out, 0, sizeof *out);
	if (sys_addr_is_v4(a)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(a->port);
		memcpy(&out->v4.sin_addr, a->ip + 12, 4);
		return sizeof out->v4;
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(a->port);
	memcpy(&out->v6.sin6_addr, a->ip, 16);
	return sizeof out->v6;
}

static void
from_os(const union any_addr *in, struct sys_addr *out)
{
	memset(out, 0, sizeof *out);
	if (in->sa.sa_family == AF_INET) {
		memcpy(out->ip, mapped, sizeof mapped);
		memcpy(out->ip + 12, &in->v4.sin_addr, 4);
		out->port = ntohs(in->v4.sin_port);
	} else if (in->sa.sa_family == AF_INET6) {
		memcpy(out->ip, &in->v6.sin6_addr, 16);
		out->port = ntohs(in->v6.sin6_port);
	}
}

enum err
sys_resolve(const char *host, uint16_t port, struct sys_addr *out, size_t max,
    size_t *n_out)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	union any_addr a;
	size_t n = 0;

	if (max > 0 && sys_addr_decode(host, port, &out[0])) {
		*n_out = 1;
		return OK;
	}
	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return ERR_NOT_FOUND;
	for (struct addrinfo *i = list; i != NULL && n < max; i = i->ai_next) {
		if (i->ai_addrlen > sizeof a)
			continue;
		memset(&a, 0, sizeof a);
		memcpy(&a, i->ai_addr, i->ai_addrlen);
		from_os(&a, &out[n]);
		out[n++].port = port;
	}
	freeaddrinfo(list);
	*n_out = n;
	return n > 0 ? OK : ERR_NOT_FOUND;
}

static enum err
socket_err(int e)
{
	switch (e) {
	case EADDRINUSE:
		return ERR_CONFLICT;
	case EACCES:
	case EPERM:
		return ERR_FORBIDDEN;
	case ENOMEM:
	case ENOBUFS:
	case EMFILE:
	case ENFILE:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

static int
new_socket(const struct sys_addr *a)
{
	return socket(sys_addr_is_v4(a) ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Options that only make things better; a kernel without them is fine. */
static void
try_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

enum err
sys_listen(const struct sys_addr *a, int backlog, int *fd_out)
{
	union any_addr os;
	socklen_t n = to_os(a, &os);
	int one = 1;
	int fd = new_socket(a);
	enum err e;

	if (fd < 0)
		return socket_err(errno);
	try_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
	    bind(fd, &os.sa, n) != 0) {
		e = socket_err(errno);
		close(fd);
		return e;
	}
	try_option(fd, IPPROTO_TCP, TCP_FASTOPEN, 256);
	if (listen(fd, backlog) != 0) {
		e = socket_err(errno);
		close(fd);
		return e;
	}
	*fd_out = fd;
	return OK;
}

enum err
sys_port_free(const struct sys_addr *a)
{
	union any_addr os;
	socklen_t n = to_os(a, &os);
	enum err e = OK;
	int fd;

	if (a->port == 0)
		return OK;
	fd = new_socket(a);
	if (fd < 0)
		return OK;	/* sys_listen will tell why */
	try_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, &os.sa, n) != 0 && errno == EADDRINUSE)
		e = ERR_CONFLICT;
	close(fd);
	return e;
}

enum err
sys_local_addr(int fd, struct sys_addr *out)
{
	union any_addr a;
	socklen_t n = sizeof a;

	memset(&a, 0, sizeof a);
	if (getsockname(fd, &a.sa, &n) != 0)
		return ERR_IO;
	from_os(&a, out);
	return OK;
}

int
sys_accept(int fd, struct sys_addr *peer_out)
{
	union any_addr a;

	for (;;) {
		socklen_t n = sizeof a;
		int c;

		memset(&a, 0, sizeof a);
		c = accept4(fd, &a.sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c >= 0) {
			try_option(c, IPPROTO_TCP, TCP_NODELAY, 1);
			from_os(&a, peer_out);
			return c;
		}
		switch (errno) {
		case EAGAIN:
			return SYS_AGAIN;
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			return SYS_ERROR;
		case EINTR:
		case ECONNABORTED:
		case EPROTO:
		case ENETDOWN:	/* accept(2): errors of the new connection */
		case ENOPROTOOPT:
		case EHOSTDOWN:
		case ENONET:
		case EHOSTUNREACH:
		case ENETUNREACH:
			continue;
		default:
			return SYS_ERROR;
		}
	}
}

enum err
sys_connect(const struct sys_addr *a, int *fd_out)
{
	union any_addr os;
	socklen_t n = to_os(a, &os);
	int fd = new_socket(a);

	if (fd < 0)
		return socket_err(errno);
	try_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(fd, &os.sa, n) != 0 && errno != EINPROGRESS) {
		close(fd);
		return ERR_UNAVAILABLE;
	}
	*fd_out = fd;
	return OK;
}

enum err
sys_connected(int fd)
{
	union any_addr a;
	socklen_t n = sizeof a;
	int e = 0;
	socklen_t e_n = sizeof e;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &e_n) != 0 || e != 0)
		return ERR_UNAVAILABLE;
	if (getpeername(fd, &a.sa, &n) == 0)
		return OK;
	return errno == ENOTCONN ? ERR_BUSY : ERR_UNAVAILABLE;
}

enum err
sys_pair(int fds_out[static 2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    fds_out) != 0)
		return socket_err(errno);
	return OK;
}

long
sys_recv(int fd, void *p, size_t n)
{
	for (;;) {
		ssize_t k = recv(fd, p, n, 0);

		if (k >= 0)
			return (long)k;
		if (errno != EINTR)
			return errno == EAGAIN ? SYS_AGAIN : SYS_ERROR;
	}
}

static long
send_all(int fd, const struct sys_iov *iov, size_t n, int flags)
{
	struct iovec os[SYS_IOV_MAX];
	struct msghdr m = { .msg_iov = os };

	if (n > SYS_IOV_MAX)
		n = SYS_IOV_MAX;
	for (size_t i = 0; i < n; i++) {
		/* The kernel's struct has no const; it only reads. */
		memcpy(&os[i].iov_base, &iov[i].p, sizeof os[i].iov_base);
		os[i].iov_len = iov[i].n;
	}
	m.msg_iovlen = n;
	for (;;) {
		/* One piece, as most are: the kernel has less to copy. */
		ssize_t k = n == 1 ? send(fd, os[0].iov_base,
		    os[0].iov_len, MSG_NOSIGNAL | flags) :
		    sendmsg(fd, &m, MSG_NOSIGNAL | flags);

		if (k >= 0)
			return (long)k;
		if (errno != EINTR)
			return errno == EAGAIN ? SYS_AGAIN : SYS_ERROR;
	}
}

long
sys_sendv(int fd, const struct sys_iov *iov, size_t n)
{
	return send_all(fd, iov, n, 0);
}

long
sys_sendv_more(int fd, const struct sys_iov *iov, size_t n)
{
	return send_all(fd, iov, n, MSG_MORE);
}

void
sys_shutdown_write(int fd)
{
	(void)shutdown(fd, SHUT_WR);
}

void
sys_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

size_t
sys_fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1024;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0 &&
		    getrlimit(RLIMIT_NOFILE, &r) != 0)
			return 1024;
	}
	return (size_t)r.rlim_cur;
}

void
sys_ignore_sigpipe(void)
{
	struct sigaction a;

	memset(&a, 0, sizeof a);
	a.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &a, NULL) != 0)
		abort();
}

enum err
sys_poll_open(int *fd_out)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return socket_err(errno);
	*fd_out = fd;
	return OK;
}

enum err
sys_poll_add(int poll_fd, int fd, bool edge, void *ptr)
{
	struct epoll_event e = { .data.ptr = ptr };

	if (edge)
		e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	else
		e.events = EPOLLIN;
	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e) != 0)
		return errno == ENOSPC ? ERR_LIMIT : socket_err(errno);
	return OK;
}

void
sys_poll_remove(int poll_fd, int fd)
{
	struct epoll_event e = { 0 };

	(void)epoll_ctl(poll_fd, EPOLL_CTL_DEL, fd, &e);
}

size_t
sys_poll_wait(int poll_fd, struct sys_event *out, int timeout_ms)
{
	struct epoll_event e[SYS_EVENTS_MAX];
	int n = epoll_wait(poll_fd, e, SYS_EVENTS_MAX, timeout_ms);

	for (int i = 0; i < n; i++) {
		out[i].ptr = e[i].data.ptr;
		out[i].ready =
		    ((e[i].events & (EPOLLIN | EPOLLRDHUP)) ? SYS_READ : 0) |
		    ((e[i].events & EPOLLOUT) ? SYS_WRITE : 0) |
		    ((e[i].events & EPOLLRDHUP) ? SYS_END : 0) |
		    ((e[i].events & (EPOLLERR | EPOLLHUP)) ? SYS_HUP : 0);
	}
	return n < 0 ? 0 : (size_t)n;
}

enum err
sys_wake_open(int *fd_out)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return socket_err(errno);
	*fd_out = fd;
	return OK;
}

void
sys_wake(int fd)
{
	uint64_t one = 1;

	/* It can only be full of wake-ups already. */
	(void)!write(fd, &one, sizeof one);
}

void
sys_wake_clear(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof n);
}
