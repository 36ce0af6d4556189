/*
 * http.c: bench-http, a load generator for plain HTTP/1.1: one thread, epoll,
 * a fixed number of kept-alive connections, each with a fixed number of
 * requests under way (1: the next one leaves when the last is answered). Of
 * one file; so every answer has the same length, which is learned from the
 * first, and of each its first line is looked at. See --help.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

static const char usage[] =
"usage: bench-http [flag]...\n"
"\n"
"  --port N      of the server on 127.0.0.1 (3000)\n"
"  --path P      what is asked for (/static/1k.bin)\n"
"  --conns N     connections (64)\n"
"  --depth N     requests under way on each (1: no pipelining)\n"
"  --seconds S   how long is measured (3), after a third of it as warm-up\n"
"  --pids A,B    the server's processes: their CPU time is read from /proc\n"
"  --json        one JSON object\n"
"\n"
"exit status: 0 measured, 1 something failed, 2 usage\n";

#define CONNS_MAX 4096
#define DEPTH_MAX 64
#define READ_MAX ((size_t)256 << 10)
#define FIRST_MAX 65536		/* bytes of an answer */
#define EVENTS_MAX 256

struct client {
	int fd;
	uint32_t left;		/* bytes of the answer being read */
};

struct run {
	int port;
	const char *path, *pids;
	size_t conns, depth;
	double seconds;
	bool json;
	int ep;
	uint32_t answer_n;	/* bytes of an answer */
	uint64_t answers;
	char request[8192];	/* depth of them */
	size_t request_n;
	struct client client[CONNS_MAX];
};

static uint8_t in[READ_MAX];

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "bench-http: %s (%s)\n", what, strerror(errno));
	exit(1);
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
self_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Time that the threads of a process had so far: the first number of their
 * schedstat, nanoseconds. */
static double
pid_cpu_s(long pid)
{
	char path[128];
	unsigned long long ns, sum = 0;
	const struct dirent *d;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	if ((tasks = opendir(path)) == NULL)
		return 0;
	while ((d = readdir(tasks)) != NULL) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%ld/task/%.16s/schedstat",
		    pid, d->d_name);
		if ((f = fopen(path, "r")) == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	closedir(tasks);
	return (double)sum / 1e9;
}

static double
server_cpu_s(const char *pids)
{
	double sum = 0;
	char *end;

	for (const char *at = pids; at != NULL && *at != '\0'; at = end) {
		sum += pid_cpu_s(strtol(at, &end, 10));
		if (*end == ',')
			end++;
		else if (*end != '\0')
			return 0;
	}
	return sum;
}

static void
ask(const struct run *r, const struct client *c, size_t times)
{
	size_t n = r->request_n / r->depth * times;

	/* So few bytes that the socket always has room for them. */
	if (send(c->fd, r->request, n, MSG_NOSIGNAL) != (ssize_t)n)
		fail("sending");
}

static void
link_up(struct run *r, size_t i)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)r->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = i };
	struct client *c = &r->client[i];
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to,
	    sizeof(to)) != 0)
		fail("connecting");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(r->ep, EPOLL_CTL_ADD, c->fd, &e) != 0)
		fail("epoll");
}

/* Asks once and learns how long an answer is. */
static void
learn(struct run *r)
{
	const struct client *c = &r->client[0];
	size_t n = 0, head = 0;
	unsigned long body = 0;

	ask(r, c, 1);
	for (;;) {
		ssize_t k = recv(c->fd, in + n, FIRST_MAX - n, 0);
		const char *at;

		if (k < 0 && errno == EAGAIN)
			continue;
		if (k <= 0)
			fail("no answer");
		n += (size_t)k;
		in[n] = '\0';
		at = strstr((const char *)in, "\r\n\r\n");
		if (head == 0 && at != NULL) {
			head = (size_t)(at - (const char *)in) + 4;
			at = strcasestr((const char *)in, "content-length:");
			if (at == NULL)
				fail("no Content-Length");
			body = strtoul(at + 15, NULL, 10);
		}
		if (head > 0 && n >= head + body)
			break;
	}
	if (strncmp((const char *)in, "HTTP/1.1 200 ", 13) != 0 ||
	    n != head + body || n >= FIRST_MAX)
		fail("not a 200");
	r->answer_n = (uint32_t)n;
}

/* Counts answers in n bytes; how many ended. */
static size_t
count(struct run *r, struct client *c, size_t n)
{
	size_t at = 0, ended = 0;

	while (at < n) {
		size_t k;

		if (c->left == 0) {
			c->left = r->answer_n;
			if (n - at >= 13 &&
			    memcmp(in + at, "HTTP/1.1 200 ", 13) != 0)
				fail("another answer");
		}
		k = n - at < c->left ? n - at : c->left;
		at += k;
		c->left -= (uint32_t)k;
		ended += c->left == 0;
	}
	return ended;
}

static void
serve(struct run *r, double until)
{
	struct epoll_event e[EVENTS_MAX];

	while (now_s() < until) {
		int n = epoll_wait(r->ep, e, EVENTS_MAX, 100);

		for (int i = 0; i < n; i++) {
			struct client *c = &r->client[e[i].data.u64];
			ssize_t k = recv(c->fd, in, sizeof(in), 0);
			size_t ended;

			if (k < 0 && errno == EAGAIN)
				continue;
			if (k <= 0)
				fail("the server closed");
			ended = count(r, c, (size_t)k);
			r->answers += ended;
			if (ended > 0)
				ask(r, c, ended);
		}
	}
}

static void
report(const struct run *r, double took, double cpu, double self)
{
	double per_s = (double)r->answers / took;
	const char *limit = self / took > 0.95 ? "the generator" :
	    cpu / took > 0.95 ? "the server's CPU" : "waiting";

	if (r->json)
		printf("{\"scenario\":\"http\",\"conns\":%zu,\"depth\":%zu,"
		    "\"per_s\":%.0f,\"per_cpu_s\":%.0f,\"server_cores\":%.2f,"
		    "\"generator_cores\":%.2f,\"limited_by\":\"%s\"}\n",
		    r->conns, r->depth, per_s,
		    cpu > 0 ? (double)r->answers / cpu : 0, cpu / took,
		    self / took, limit);
	else
		printf("http      %zu connections, %zu under way on each: %.0f "
		    "requests/s, %.0f per CPU second of the server (%.2f "
		    "cores; generator %.2f; limited by %s)\n", r->conns,
		    r->depth, per_s, cpu > 0 ? (double)r->answers / cpu : 0,
		    cpu / took, self / took, limit);
}

static void
run(struct run *r)
{
	double from, cpu, self, took;

	for (size_t i = 0; i < r->depth; i++) {
		int n = snprintf(r->request + r->request_n,
		    sizeof(r->request) - r->request_n,
		    "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", r->path);

		if (n <= 0 || (size_t)n >= sizeof(r->request) - r->request_n)
			fail("a path that long");
		r->request_n += (size_t)n;
	}
	r->ep = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < r->conns; i++)
		link_up(r, i);
	learn(r);
	for (size_t i = 0; i < r->conns; i++)
		ask(r, &r->client[i], r->depth);
	serve(r, now_s() + r->seconds / 3);
	r->answers = 0;
	from = now_s();
	cpu = server_cpu_s(r->pids);
	self = self_cpu_s();
	serve(r, from + r->seconds);
	took = now_s() - from;
	report(r, took, server_cpu_s(r->pids) - cpu, self_cpu_s() - self);
}

static bool
parse(struct run *r, int argc, char **argv)
{
	static const struct option flags[] = {
		{ "port", 1, NULL, 'p' }, { "path", 1, NULL, 'P' },
		{ "conns", 1, NULL, 'c' }, { "depth", 1, NULL, 'd' },
		{ "seconds", 1, NULL, 's' }, { "pids", 1, NULL, 'i' },
		{ "json", 0, NULL, 'j' }, { "help", 0, NULL, 'H' },
		{ NULL, 0, NULL, 0 },
	};
	int f;

	while ((f = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		double v = optarg != NULL ? strtod(optarg, NULL) : 0;

		switch (f) {
		case 'p': r->port = (int)v; break;
		case 'P': r->path = optarg; break;
		case 'c': r->conns = (size_t)v; break;
		case 'd': r->depth = (size_t)v; break;
		case 's': r->seconds = v; break;
		case 'i': r->pids = optarg; break;
		case 'j': r->json = true; break;
		case 'H': fputs(usage, stdout); exit(0);
		default: return false;
		}
	}
	return optind == argc && r->conns > 0 && r->conns <= CONNS_MAX &&
	    r->depth > 0 && r->depth <= DEPTH_MAX && r->seconds > 0;
}

int
main(int argc, char **argv)
{
	static struct run r = { .port = 3000, .path = "/static/1k.bin",
	    .conns = 64, .depth = 1, .seconds = 3 };

	if (!parse(&r, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	run(&r);
	return 0;
}
