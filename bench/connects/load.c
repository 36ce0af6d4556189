/*
 * load.c: bench-connects: opens WebSocket connections, plain or by TLS 1.3
 * (OpenSSL), as fast as its threads can, one after the other on each: to hold
 * them (idle) or to close them again (rate, with the ticket of the one
 * before). See usage.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "../load/load.h"
#include "net/thread.h"
#include "net/tls.h"

static const char usage[] =
"usage: bench-connects [flag]... idle|rate\n"
"\n"
"  idle          opens --conns connections (after a fifth more that do not\n"
"                count), reports what each costs the server\n"
"  rate          opens and closes for --seconds\n"
"\n"
"  --port N      of the server (127.0.0.1)\n"
"  --tls         by TLS 1.3; in rate all but the first resume\n"
"  --full        in rate none resumes\n"
"  --plain N     the plain port of a Nightjar server, where people register:\n"
"                connections authenticate and wait for connection:acknowledged\n"
"                (without it: they are bare WebSockets)\n"
"  --path P      (/socket.io/?EIO=4&transport=websocket)\n"
"  --pid N       the server's process\n"
"  --conns N (10000)  --seconds S (5)  --threads T (4)\n"
"\n"
"prints one JSON object; exit status: 0 measured, 1 failed, 2 usage\n";

#define THREADS_MAX 64
#define PEOPLE 8

struct options {
	struct load_conf setup;		/* where people register */
	const char *scenario, *path;
	int port, plain, pid;
	size_t conns, threads;
	double seconds;
	bool tls, full;
};

struct worker {
	struct thread thread;
	const struct options *o;
	const struct person *who;
	SSL_CTX *ctx;
	SSL_SESSION *session;
	size_t want;			/* idle: how many */
	int *fds;
	size_t done, resumed;
	char why[128];
};

static atomic_bool over;

/* One connection being made. */
struct tie {
	int fd;
	SSL *ssl;
	char in[16384];
	size_t n;
};

static bool
tie_put(struct tie *k, const void *p, size_t n)
{
	return k->ssl != NULL ? SSL_write(k->ssl, p, (int)n) == (int)n :
	    send(k->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Reads until the text has come. */
static bool
tie_until(struct tie *k, const char *text)
{
	while (memmem(k->in, k->n, text, strlen(text)) == NULL) {
		size_t room = sizeof(k->in) - k->n;
		long n = room == 0 ? 0 : k->ssl != NULL ?
		    SSL_read(k->ssl, k->in + k->n, (int)room) :
		    recv(k->fd, k->in + k->n, room, 0);

		if (n <= 0)
			return false;
		k->n += (size_t)n;
	}
	return true;
}

static bool
tie_tcp(struct tie *k, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { 20, 0 };
	int one = 1;

	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (k->fd < 0)
		return false;
	setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(k->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* Opens one; what failed, or NULL. */
static const char *
tie_open(struct worker *w, struct tie *k)
{
	const struct options *o = w->o;
	char text[3000];
	size_t n;

	*k = (struct tie){ .fd = -1 };
	if (!tie_tcp(k, o->port))
		return "no connection";
	if (o->tls) {
		k->ssl = SSL_new(w->ctx);
		if (k->ssl == NULL || SSL_set_fd(k->ssl, k->fd) != 1)
			return "no memory";
		if (w->session != NULL)
			SSL_set_session(k->ssl, w->session);
		if (SSL_connect(k->ssl) != 1)
			return "no handshake";
	}
	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n"
	    "Host: localhost\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", o->path);
	if (!tie_put(k, text, strlen(text)) || !tie_until(k, "\r\n\r\n") ||
	    memcmp(k->in, "HTTP/1.1 101", 12) != 0)
		return "no upgrade";
	if (w->who == NULL)
		return NULL;
	/* A text frame with the mask 0 (RFC 6455 5.2). */
	n = (size_t)snprintf(text + 8, sizeof(text) - 8,
	    "40{\"token\":\"%s\"}", w->who->token);
	memcpy(text, "\x81\xfe\0\0\0\0\0\0", 8);
	text[2] = (char)(n >> 8);
	text[3] = (char)n;
	return tie_put(k, text, n + 8) &&
	    tie_until(k, "connection:acknowledged") ? NULL :
	    "not acknowledged";
}

static void
on_thread(void *arg)
{
	struct worker *w = arg;
	const struct linger now = { 1, 0 };

	while (!atomic_load(&over) && (w->fds == NULL || w->done < w->want)) {
		struct tie k;
		const char *why = tie_open(w, &k);

		if (why != NULL) {
			snprintf(w->why, sizeof(w->why), "%s", why);
			return;
		}
		if (k.ssl != NULL) {
			w->resumed += SSL_session_reused(k.ssl) == 1;
			if (w->fds == NULL && !w->o->full) {
				SSL_SESSION_free(w->session);
				w->session = SSL_get1_session(k.ssl);
			}
			/* The socket stays open, silent, without our half. */
			SSL_set_quiet_shutdown(k.ssl, 1);
			(void)SSL_shutdown(k.ssl);	/* else no session */
			SSL_free(k.ssl);
		}
		if (w->fds != NULL) {
			w->fds[w->done] = k.fd;
		} else {
			setsockopt(k.fd, SOL_SOCKET, SO_LINGER, &now,
			    sizeof(now));
			close(k.fd);
		}
		w->done++;
	}
}

static SSL_CTX *
client_ctx(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL)
		exit(1);
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
	return c;
}

static void
print(const struct options *o, const struct worker *w, double seconds,
    double cpu, uint64_t before, uint64_t after)
{
	size_t done = 0, resumed = 0;

	for (size_t i = 0; i < o->threads; i++) {
		if (w[i].why[0] != '\0') {
			fprintf(stderr, "bench-connects: %s after %zu\n",
			    w[i].why, w[i].done);
			exit(1);
		}
		done += w[i].done;
		resumed += w[i].resumed;
	}
	printf("{\"scenario\":\"%s\",\"tls\":%s,\"connections\":%zu,"
	    "\"resumed\":%zu,\"per_s\":%.0f,\"per_cpu_s\":%.0f,"
	    "\"bytes_each\":%.0f}\n", o->scenario, o->tls ? "true" : "false",
	    done, resumed, (double)done / seconds,
	    cpu > 0 ? (double)done / cpu : 0, after > before ?
	    (double)(after - before) / (double)done : 0);
}

/* Runs the threads; idle: until conns are open, which stay. Seconds. */
static double
round_of(const struct options *o, struct worker *w, SSL_CTX *ctx,
    const struct person *people, size_t conns)
{
	bool idle = strcmp(o->scenario, "idle") == 0;
	uint64_t began = load_now_us();

	for (size_t i = 0; i < o->threads; i++) {
		w[i] = (struct worker){ .o = o, .ctx = ctx,
		    .who = o->plain != 0 ? &people[i % PEOPLE] : NULL };
		w[i].want = conns / o->threads + (i < conns % o->threads);
		if (idle)
			w[i].fds = calloc(w[i].want + 1, sizeof(int));
		if (thread_start(&w[i].thread, "connects", on_thread, &w[i],
		    THREAD_ANY_CPU) != OK)
			exit(1);
	}
	if (!idle)
		thread_sleep_ms((uint64_t)(o->seconds * 1000));
	atomic_store(&over, !idle);
	for (size_t i = 0; i < o->threads; i++)
		thread_join(&w[i].thread);
	return (double)(load_now_us() - began) / 1e6;
}

static int
run(const struct options *o)
{
	static struct worker first[THREADS_MAX], w[THREADS_MAX];
	struct person *people = calloc(PEOPLE, sizeof(*people));
	SSL_CTX *ctx = client_ctx();
	bool idle = strcmp(o->scenario, "idle") == 0;
	uint64_t before;
	double cpu, seconds;

	if (o->plain != 0)
		setup_people(&o->setup, people, PEOPLE);
	/* The first fill what lies around in the server's heap. */
	if (idle)
		(void)round_of(o, first, ctx, people, o->conns / 5);
	thread_sleep_ms(500);
	before = load_rss(o->pid);
	cpu = load_cpu_s(o->pid);
	seconds = round_of(o, w, ctx, people, o->conns);
	cpu = load_cpu_s(o->pid) - cpu;
	if (idle)
		thread_sleep_ms(1000);	/* what was freed goes back */
	print(o, w, seconds, cpu, before, load_rss(o->pid));
	SSL_CTX_free(ctx);
	free(people);
	return 0;
}

static bool
parse(struct options *o, int argc, char **argv)
{
	static const struct option flags[] = {
		{ "port", 1, NULL, 'p' }, { "tls", 0, NULL, 't' },
		{ "full", 0, NULL, 'f' }, { "plain", 1, NULL, 'P' },
		{ "path", 1, NULL, 'a' }, { "pid", 1, NULL, 'i' },
		{ "conns", 1, NULL, 'c' }, { "seconds", 1, NULL, 's' },
		{ "threads", 1, NULL, 'T' }, { "help", 0, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int f;

	while ((f = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		double v = optarg != NULL ? strtod(optarg, NULL) : 0;

		switch (f) {
		case 'p': o->port = (int)v; break;
		case 't': o->tls = true; break;
		case 'f': o->full = true; break;
		case 'P': o->plain = o->setup.port = (int)v; break;
		case 'a': o->path = optarg; break;
		case 'i': o->pid = (int)v; break;
		case 'c': o->conns = (size_t)v; break;
		case 's': o->seconds = v; break;
		case 'T': o->threads = (size_t)v; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: return false;
		}
	}
	if (optind != argc - 1 || o->port == 0 || o->threads == 0 ||
	    o->threads > THREADS_MAX || o->seconds <= 0)
		return false;
	o->scenario = argv[optind];
	return strcmp(o->scenario, "idle") == 0 ||
	    strcmp(o->scenario, "rate") == 0;
}

int
main(int argc, char **argv)
{
	struct options o = { .path = "/socket.io/?EIO=4&transport=websocket",
	    .setup.host = "127.0.0.1", .conns = 10000, .threads = 4,
	    .seconds = 5 };
	struct rlimit files;

	if (!parse(&o, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return tls_setup() == OK ? run(&o) : 1;
}
