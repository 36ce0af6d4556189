/*
 * load.c: many clients that each send a message, wait for its echo, and send
 * the next; how many the server handles in a second of its own CPU time.
 * Frames are masked with the key 0 (allowed by RFC 6455 5.3, and no work for
 * the generator; the server can not know).
 *
 *	echo-load --port N --pid P [--kind ws|sio] [--links N] [--bytes N]
 *	    [--seconds S]
 * Prints: messages, seconds, CPU seconds of the server: its own, the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

#define LINKS_MAX 10000
#define FRAME_MAX 70000
#define OPEN_S 20
#define WARM_UP_S 0.3

struct link {
	int fd;
	bool open;		/* messages go to and fro */
	bool greeted;		/* the HTTP answer has come */
	size_t n;
	uint8_t in[2 * FRAME_MAX];
};

static struct {
	int ep, port, pid, links_n, bytes;
	double seconds;
	bool sio;
	struct link *links;
	uint8_t frame[FRAME_MAX];
	size_t frame_n;
	uint64_t messages;
	int ready;
} l = { .links_n = 100, .bytes = 256, .seconds = 2 };

static void
die(const char *why)
{
	fprintf(stderr, "echo-load: %s (%s)\n", why, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct cpu {
	double user, sys;	/* seconds */
};

/* Of all threads of the server; field 14 and 15 (proc(5)). */
static struct cpu
cpu_of(int pid)
{
	double hz = (double)sysconf(_SC_CLK_TCK);
	char path[64], line[1024];
	struct cpu c;
	char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "r")) == NULL ||
	    fgets(line, sizeof(line), f) == NULL)
		die("no such process");
	fclose(f);
	at = strrchr(line, ')');
	for (int field = 2; field < 14 && at != NULL; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		die("/proc");
	c.user = (double)strtoul(at, &at, 10) / hz;
	c.sys = (double)strtoul(at, NULL, 10) / hz;
	return c;
}

static void
put_frame(struct wr *w, struct span text)
{
	wr_u8(w, 0x81);
	if (text.n < 126) {
		wr_u8(w, (uint8_t)(0x80 | text.n));
	} else if (text.n < 65536) {
		wr_u8(w, 0x80 | 126);
		wr_u16(w, (uint16_t)text.n);
	} else {
		wr_u8(w, 0x80 | 127);
		wr_u64(w, text.n);
	}
	wr_u32(w, 0);
	wr_span(w, text);
}

static void
send_all(struct link *k, struct span s)
{
	while (s.n > 0) {
		ssize_t n = send(k->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			die("send");
		s = span_sub(s, (size_t)n, s.n);
	}
}

static void
send_text(struct link *k, const char *text)
{
	uint8_t frame[256];
	struct wr w = wr_init(frame, sizeof(frame));

	put_frame(&w, span_str(text));
	send_all(k, wr_done(&w));
}

static void
begin(struct link *k)
{
	k->open = true;
	l.ready++;
	send_all(k, span_of(l.frame, l.frame_n));
}

/* What came on Socket.IO: open packet, CONNECT's answer, ping, event. */
static void
on_packet(struct link *k, struct span text)
{
	if (text.n == 0)
		return;
	if (text.p[0] == '0')
		send_text(k, "40");
	else if (text.p[0] == '2')
		send_text(k, "3");
	else if (span_starts(text, SPAN("40")))
		begin(k);
	else if (span_starts(text, SPAN("42[\"message-back\""))) {
		l.messages++;
		send_all(k, span_of(l.frame, l.frame_n));
	}
}

/* A whole frame at the front of s: its bytes, 0 when it is not there yet. */
static size_t
take_frame(struct link *k, struct span s)
{
	struct rd r = rd_init(s);
	uint8_t op = rd_u8(&r);
	uint64_t n = rd_u8(&r);
	struct span text;

	if (n == 126)
		n = rd_u16(&r);
	else if (n == 127)
		n = rd_u64(&r);
	text = rd_span(&r, (size_t)n);
	if (r.bad)
		return 0;
	if ((op & 0x8f) != 0x81)
		die("an unexpected frame");
	if (l.sio) {
		on_packet(k, text);
	} else {
		if (text.n != (size_t)l.bytes)
			die("not an echo");
		l.messages++;
		send_all(k, span_of(l.frame, l.frame_n));
	}
	return s.n - r.n;
}

static size_t
take(struct link *k, struct span s)
{
	size_t used = 0, n;

	if (!k->greeted) {
		const uint8_t *end = memmem(s.p, s.n, "\r\n\r\n", 4);

		if (end == NULL)
			return 0;
		if (!span_starts(s, SPAN("HTTP/1.1 101")))
			die("no upgrade");
		used = (size_t)(end - s.p) + 4;
		k->greeted = true;
		if (!l.sio)
			begin(k);
	}
	while ((n = take_frame(k, span_sub(s, used, s.n))) > 0)
		used += n;
	return used;
}

static void
on_ready(struct link *k)
{
	ssize_t n = recv(k->fd, k->in + k->n, sizeof(k->in) - k->n, 0);
	size_t used;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the server has ended a connection");
	k->n += (size_t)n;
	used = take(k, span_of(k->in, k->n));
	k->n -= used;
	memmove(k->in, k->in + used, k->n);
}

static void
run_until(double end)
{
	struct epoll_event e[256];

	while (now() < end) {
		int n = epoll_wait(l.ep, e, 256, 100);

		for (int i = 0; i < n; i++)
			on_ready(&l.links[e[i].data.u32]);
	}
}

static void
open_links(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)l.port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char head[512];
	int one = 1;

	snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: x\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", l.sio ?
	    "/socket.io/?EIO=4&transport=websocket" : "/ws-echo");
	for (int i = 0; i < l.links_n; i++) {
		struct epoll_event e = { .events = EPOLLIN,
		    .data.u32 = (uint32_t)i };
		struct link *k = &l.links[i];

		k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (k->fd < 0 || connect(k->fd, (struct sockaddr *)&to,
		    sizeof(to)) != 0)
			die("connect");
		setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
		fcntl(k->fd, F_SETFL, O_NONBLOCK);
		if (epoll_ctl(l.ep, EPOLL_CTL_ADD, k->fd, &e) != 0)
			die("epoll");
		send_all(k, span_str(head));
	}
}

/* The text that goes to and fro: l.bytes of it, or an event of as many. */
static void
make_frame(void)
{
	static uint8_t text[FRAME_MAX];
	struct wr t = wr_init(text, sizeof(text));
	struct wr w = wr_init(l.frame, sizeof(l.frame));

	if (l.sio)
		wr_str(&t, "42[\"message\",\"");
	while (t.n + (l.sio ? 2 : 0) < (size_t)l.bytes)
		wr_u8(&t, (uint8_t)('a' + t.n % 26));
	if (l.sio)
		wr_str(&t, "\"]");
	put_frame(&w, wr_done(&t));
	if (!wr_ok(&t) || !wr_ok(&w))
		die("--bytes");
	l.frame_n = w.n;
}

static void
flags(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *v = argv[i + 1];

		if (strcmp(argv[i], "--port") == 0)
			l.port = (int)strtol(v, NULL, 10);
		else if (strcmp(argv[i], "--pid") == 0)
			l.pid = (int)strtol(v, NULL, 10);
		else if (strcmp(argv[i], "--kind") == 0)
			l.sio = strcmp(v, "sio") == 0;
		else if (strcmp(argv[i], "--links") == 0)
			l.links_n = (int)strtol(v, NULL, 10);
		else if (strcmp(argv[i], "--bytes") == 0)
			l.bytes = (int)strtol(v, NULL, 10);
		else if (strcmp(argv[i], "--seconds") == 0)
			l.seconds = strtod(v, NULL);
		else
			die(argv[i]);
	}
	if (l.port == 0 || l.pid == 0 || l.links_n < 1 ||
	    l.links_n > LINKS_MAX || l.bytes < 16)
		die("see the head of bench/echo/load.c");
}

int
main(int argc, char **argv)
{
	struct cpu was, is;
	double from;
	uint64_t had;

	flags(argc, argv);
	l.ep = epoll_create1(EPOLL_CLOEXEC);
	l.links = calloc((size_t)l.links_n, sizeof(*l.links));
	if (l.ep < 0 || l.links == NULL)
		die("start");
	make_frame();
	open_links();
	for (from = now(); l.ready < l.links_n; run_until(now() + 0.01)) {
		if (now() > from + OPEN_S)
			die("not all connections are open");
	}
	run_until(now() + WARM_UP_S);
	had = l.messages;
	was = cpu_of(l.pid);
	from = now();
	run_until(from + l.seconds);
	is = cpu_of(l.pid);
	printf("%llu %.3f %.3f %.3f\n", (unsigned long long)(l.messages -
	    had), now() - from, is.user - was.user, is.sys - was.sys);
	return 0;
}
