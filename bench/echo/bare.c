/*
 * bare.c: the least that echoes WebSocket messages on epoll: what any server
 * has to do (wait, recv, unmask, send) and nothing else: no limits, no timers,
 * no UTF-8 check, one buffer a connection, messages that fit into it. The
 * measure of bench/echo/run.py.
 *
 *	echo-bare PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.h"
#include "wire/ws.h"

#define BUF 65536

struct conn {
	int fd;
	bool open;
	size_t n;		/* bytes of an unfinished frame or head */
	size_t out_n;		/* that the kernel did not take */
	uint8_t in[BUF];
	uint8_t out[2 * BUF];
};

static int ep;

static void
drop(struct conn *c)
{
	close(c->fd);
	free(c);
}

static void
watch(struct conn *c, bool write)
{
	struct epoll_event e = { .data.ptr = c,
	    .events = write ? (uint32_t)EPOLLOUT : (uint32_t)EPOLLIN };

	epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static bool
flush(struct conn *c)
{
	ssize_t n = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		return false;
	n = n < 0 ? 0 : n;
	c->out_n -= (size_t)n;
	if (c->out_n > 0) {
		memmove(c->out, c->out + n, c->out_n);
		watch(c, true);
	}
	return true;
}

static bool
handshake(struct conn *c, size_t *used)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	const uint8_t *end = memmem(c->in, c->n, "\r\n\r\n", 4);
	const uint8_t *key = memmem(c->in, c->n, name, sizeof(name) - 1);
	uint8_t accept[WS_ACCEPT_LEN];
	struct wr w = wr_init(c->out, sizeof(c->out));

	*used = 0;
	if (end == NULL)
		return c->n < sizeof(c->in);
	if (key == NULL || end - key < 40 || ws_accept(tls_sha1,
	    span_of(key + sizeof(name) - 1, WS_KEY_LEN), accept) != OK)
		return false;
	wr_str(&w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket"
	    "\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
	wr_bytes(&w, accept, sizeof(accept));
	wr_str(&w, "\r\n\r\n");
	c->out_n = w.n;
	c->open = true;
	*used = (size_t)(end - c->in) + 4;
	return true;
}

/* Echoes a frame at p[n]; its bytes, 0: it is not whole, SIZE_MAX: the end. */
static size_t
echo(struct conn *c, uint8_t *p, size_t n)
{
	size_t len, head = 2;

	if (n < 6)
		return 0;
	len = p[1] & 0x7f;
	if ((p[0] & 0xf) > 2 || (p[1] & 0x80) == 0 || len == 127)
		return SIZE_MAX;	/* control frames end it here */
	if (len == 126) {
		len = (size_t)p[2] << 8 | p[3];
		head = 4;
	}
	if (n < head + 4 + len)
		return 0;
	memcpy(c->out + c->out_n, p, head);
	c->out[c->out_n + 1] &= 0x7f;
	memcpy(c->out + c->out_n + head, p + head + 4, len);
	ws_mask(c->out + c->out_n + head, len, p + head, 0);
	c->out_n += head + len;
	return head + 4 + len;
}

static bool
on_readable(struct conn *c)
{
	ssize_t got = recv(c->fd, c->in + c->n, sizeof(c->in) - c->n, 0);
	size_t at = 0, k;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	c->n += (size_t)got;
	if (!c->open && !handshake(c, &at))
		return false;
	while (c->open && (k = echo(c, c->in + at, c->n - at)) > 0) {
		if (k == SIZE_MAX)
			return false;
		at += k;
	}
	c->n -= at;
	if (c->n > 0)
		memmove(c->in, c->in + at, c->n);
	return c->out_n == 0 || flush(c);
}

static void
on_event(const struct epoll_event *e)
{
	struct conn *c = e->data.ptr;
	bool ok;

	if (e->events & EPOLLOUT) {
		ok = flush(c);
		if (ok && c->out_n == 0)
			watch(c, false);
	} else {
		ok = on_readable(c);
	}
	if (!ok)
		drop(c);
}

static void
on_accept(int fd)
{
	int one = 1, got = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event e = { .data.ptr = c, .events = EPOLLIN };

	if (got < 0 || c == NULL) {
		free(c);
		return;
	}
	setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fd = got;
	epoll_ctl(ep, EPOLL_CTL_ADD, got, &e);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e[256] = { { .events = EPOLLIN } };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_port = htons((uint16_t)strtoul(argc > 1 ? argv[1] : "0", NULL,
	    10));
	ep = epoll_create1(0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, 1024) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, e) != 0)
		return 1;
	for (;;) {
		int n = epoll_wait(ep, e, 256, -1);

		for (int i = 0; i < n; i++) {
			if (e[i].data.ptr == NULL)
				on_accept(fd);
			else
				on_event(&e[i]);
		}
	}
}
