/*
 * main.c: nightjar-bench: scenarios idle, pair, saturate against a running
 * server whose limits are off (bench/server.sh starts one). See --help.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"

static const char usage[] =
"usage: nightjar-bench [flag]... idle|pair|saturate\n"
"\n"
"  idle       opens --conns authenticated connections and reports what each\n"
"             costs the server in memory\n"
"  pair       --conns pairs of people write to each other, --rate messages a\n"
"             second in all, open loop; latency from the intended send time\n"
"             to the acknowledgement (durable) and to the recipient\n"
"  saturate   as many as the server takes, --window unacknowledged messages\n"
"             on each of --conns senders\n"
"\n"
"  --host A      IPv4 address of the plain listener (127.0.0.1)\n"
"  --port N      its port (3000)\n"
"  --pid N       the server's process: memory and CPU are read from /proc\n"
"  --conns N     connections (idle: 10000) or pairs (16)\n"
"  --users N     idle: accounts that share the connections (8)\n"
"  --rate R      pair: messages a second (2000)\n"
"  --window N    saturate: unacknowledged messages per sender (64)\n"
"  --seconds S   how long is measured (10), after one second of warm-up\n"
"  --bytes N     padded size of a message (256)\n"
"  --json        one JSON object\n"
"\n"
"exit status: 0 measured, 1 something failed, 2 usage\n";

#define WARM_US 1000000
#define READY_US 60000000

static void
fail(const struct load *l, const char *what)
{
	fprintf(stderr, "nightjar-bench: %s: %zu of %zu ready, %zu lost: %s\n",
	    what, l->ready, l->n, l->dead, l->why);
	exit(1);
}

static void
wait_ready(struct load *l, size_t want)
{
	uint64_t end = load_now_us() + READY_US;

	while (l->ready < want && l->dead == 0 && load_now_us() < end)
		load_poll(l, load_now_us() + 100000);
	if (l->ready < want)
		fail(l, "not all connections became ready");
}

static int
run_idle(const struct load_conf *c)
{
	struct person *people = calloc(c->users, sizeof(*people));
	struct load l;
	uint64_t before, after, began, took;
	double each;

	if (people == NULL || load_open(&l, c, c->conns) != OK)
		return 1;
	setup_people(c, people, c->users);
	before = load_rss(c->pid);
	began = load_now_us();
	for (size_t i = 0; i < c->conns; i++) {
		load_connect(&l, i, &people[i % c->users]);
		if (i % 200 == 199)
			wait_ready(&l, i > 400 ? i - 400 : 0);
	}
	wait_ready(&l, c->conns);
	took = load_now_us() - began;
	load_poll(&l, load_now_us() + WARM_US);
	after = load_rss(c->pid);
	each = (double)(after - before) / (double)c->conns;
	if (c->json)
		printf("{\"scenario\":\"idle\",\"connections\":%zu,"
		    "\"rss_before\":%llu,\"rss_after\":%llu,"
		    "\"bytes_each\":%.0f,\"connects_per_s\":%.0f}\n", c->conns,
		    (unsigned long long)before, (unsigned long long)after,
		    each, (double)c->conns * 1e6 / (double)took);
	else
		printf("idle      %zu authenticated connections: %.2f KiB each "
		    "(server %.1f -> %.1f MiB), %.0f connects/s\n", c->conns,
		    each / 1024, (double)before / 1048576,
		    (double)after / 1048576,
		    (double)c->conns * 1e6 / (double)took);
	load_close(&l);
	free(people);
	return 0;
}

/* Links 2i and 2i + 1 are a pair, each on an account of its own. */
static struct person *
open_pairs(struct load *l, const struct load_conf *c)
{
	struct person *people = calloc(c->conns * 2, sizeof(*people));

	if (people == NULL || load_open(l, c, c->conns * 2) != OK)
		exit(1);
	setup_people(c, people, c->conns * 2);
	for (size_t i = 0; i < c->conns * 2; i += 2) {
		setup_chat(c, &people[i], &people[i + 1], l->links[i].chat);
		memcpy(l->links[i + 1].chat, l->links[i].chat,
		    sizeof(l->links[i].chat));
		load_connect(l, i, &people[i]);
		load_connect(l, i + 1, &people[i + 1]);
	}
	wait_ready(l, c->conns * 2);
	return people;
}

static double
self_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* What limits now, from who used how much of the machine's cores. */
static const char *
limit_of(double server, double self, double cores)
{
	if (self > 0.9)
		return "the load generator's one thread";
	if (server + self > 0.9 * cores)
		return "CPU, shared with the load generator";
	return "waiting: fsync or the offered rate";
}

static void
report(const struct load *l, double seconds, double cpu, double self)
{
	const struct load_conf *c = l->conf;
	double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
	double per_s = (double)l->acked / seconds;
	double per_1000 = l->acked > 0 ? cpu * 1000 / (double)l->acked : 0;
	const char *limit = limit_of(cpu / seconds, self / seconds, cores);
	const double q[4] = { 0.5, 0.95, 0.99, 0.999 };
	double a[4], d[4];

	for (int i = 0; i < 4; i++) {
		a[i] = (double)hist_at(&l->ack, q[i]) / 1000;
		d[i] = (double)hist_at(&l->delivery, q[i]) / 1000;
	}
	if (c->json) {
		printf("{\"scenario\":\"%s\",\"pairs\":%zu,\"seconds\":%.2f,"
		    "\"acked_per_s\":%.0f,\"delivered_per_s\":%.0f,"
		    "\"refused\":%llu,\"cpu_s_per_1000\":%.4f,"
		    "\"server_cores\":%.2f,\"generator_cores\":%.2f,"
		    "\"ack_ms\":{\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,"
		    "\"p999\":%.3f,\"max\":%.3f},"
		    "\"delivery_ms\":{\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,"
		    "\"p999\":%.3f,\"max\":%.3f},\"limited_by\":\"%s\"}\n",
		    c->scenario, c->conns, seconds, per_s,
		    (double)l->delivered / seconds,
		    (unsigned long long)l->refused, per_1000, cpu / seconds,
		    self / seconds, a[0], a[1], a[2], a[3],
		    (double)l->ack.max / 1000, d[0], d[1], d[2], d[3],
		    (double)l->delivery.max / 1000, limit);
		return;
	}
	printf("%-9s %.0f durable messages/s acknowledged, %.0f delivered/s, "
	    "%llu refused\n", c->scenario, per_s,
	    (double)l->delivered / seconds, (unsigned long long)l->refused);
	printf("          acknowledged  p50 %.2f  p95 %.2f  p99 %.2f  p99.9 "
	    "%.2f  max %.2f ms\n", a[0], a[1], a[2], a[3],
	    (double)l->ack.max / 1000);
	printf("          delivered     p50 %.2f  p95 %.2f  p99 %.2f  p99.9 "
	    "%.2f  max %.2f ms\n", d[0], d[1], d[2], d[3],
	    (double)l->delivery.max / 1000);
	printf("          server %.4f CPU s per 1,000; cores: server %.2f, "
	    "generator %.2f of %.0f; limited by %s\n", per_1000,
	    cpu / seconds, self / seconds, cores, limit);
}

static void
begin(struct load *l)
{
	memset(&l->ack, 0, sizeof(l->ack));
	memset(&l->delivery, 0, sizeof(l->delivery));
	l->acked = l->delivered = 0;
	l->measure = true;
}

/* Sends at the rate from `from_us` until `until_us`, round the links. */
static void
pace(struct load *l, uint64_t from_us, uint64_t until_us, size_t *turn)
{
	double interval = 1e6 / l->conf->rate;
	uint64_t k = 0;

	for (;;) {
		uint64_t at = from_us + (uint64_t)((double)k * interval);

		if (at >= until_us)
			return;
		while (load_now_us() < at)
			load_poll(l, at);
		load_send(l, (*turn)++ % l->n, at);
		k++;
		if (k % 32 == 0)
			load_poll(l, 0);
	}
}

static int
run_pairs(const struct load_conf *c, bool saturate)
{
	static struct load l;
	struct person *people = open_pairs(&l, c);
	uint64_t now = load_now_us(), from, until;
	double cpu, self, seconds;
	size_t turn = 0;

	l.refill = saturate;
	if (saturate) {
		for (size_t i = 0; i < l.n * c->window; i++)
			load_send(&l, i % l.n, now);
		while (load_now_us() < now + WARM_US)
			load_poll(&l, now + WARM_US);
	} else {
		pace(&l, now, now + WARM_US, &turn);
	}
	begin(&l);
	from = load_now_us();
	until = from + (uint64_t)(c->seconds * 1e6);
	cpu = load_cpu_s(c->pid);
	self = self_cpu_s();
	if (saturate) {
		while (load_now_us() < until && l.messages < l.messages_max)
			load_poll(&l, until);
	} else {
		pace(&l, from, until, &turn);
	}
	seconds = (double)(load_now_us() - from) / 1e6;
	cpu = load_cpu_s(c->pid) - cpu;
	self = self_cpu_s() - self;
	l.refill = false;
	if (!saturate)			/* those that are under way count */
		load_poll(&l, load_now_us() + 300000);
	if (l.dead > 0 || l.acked == 0)
		fail(&l, "connections were lost, or nothing was acknowledged");
	report(&l, seconds, cpu, self);
	if (l.refused > 0)
		fprintf(stderr, "nightjar-bench: first refusal: %s\n", l.why);
	load_close(&l);
	free(people);
	return l.refused > 0;
}

static bool
parse(struct load_conf *c, int argc, char **argv)
{
	static const struct option flags[] = {
		{ "host", 1, NULL, 'h' }, { "port", 1, NULL, 'p' },
		{ "pid", 1, NULL, 'P' }, { "conns", 1, NULL, 'c' },
		{ "users", 1, NULL, 'u' }, { "rate", 1, NULL, 'r' },
		{ "window", 1, NULL, 'w' }, { "seconds", 1, NULL, 's' },
		{ "bytes", 1, NULL, 'b' }, { "json", 0, NULL, 'j' },
		{ "help", 0, NULL, 'H' }, { NULL, 0, NULL, 0 },
	};
	int f;

	while ((f = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		double v = optarg != NULL ? strtod(optarg, NULL) : 0;

		switch (f) {
		case 'h': c->host = optarg; break;
		case 'p': c->port = (int)v; break;
		case 'P': c->pid = (int)v; break;
		case 'c': c->conns = (size_t)v; break;
		case 'u': c->users = (size_t)v; break;
		case 'r': c->rate = v; break;
		case 'w': c->window = (size_t)v; break;
		case 's': c->seconds = v; break;
		case 'b': c->bytes = (size_t)v; break;
		case 'j': c->json = true; break;
		case 'H': fputs(usage, stdout); exit(0);
		default: return false;
		}
	}
	if (optind != argc - 1 || c->bytes > 2000 || c->rate <= 0 ||
	    c->seconds <= 0 || c->users == 0 || c->window == 0)
		return false;
	c->scenario = argv[optind];
	return true;
}

int
main(int argc, char **argv)
{
	struct load_conf c = { .host = "127.0.0.1", .port = 3000, .users = 8,
	    .rate = 2000, .window = 64, .seconds = 10, .bytes = 256 };
	struct rlimit files = { 65536, 65536 };

	if (!parse(&c, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (c.conns == 0)
		c.conns = strcmp(c.scenario, "idle") == 0 ? 10000 : 16;
	if (strcmp(c.scenario, "idle") == 0)
		return run_idle(&c);
	if (strcmp(c.scenario, "pair") == 0)
		return run_pairs(&c, false);
	if (strcmp(c.scenario, "saturate") == 0)
		return run_pairs(&c, true);
	fputs(usage, stderr);
	return 2;
}
