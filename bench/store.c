/*
 * bench/store.c: build/bench-store [--dir DIR] [--seconds N] [--window N]
 *     [--bytes N] [--chats N] [--json]
 * How many durable messages a second the store takes: jobs that do what a
 * send does in the database (membership, insert, chat head), WINDOW of them
 * waiting at any time, from one thread, on a fresh database in DIR.
 */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"
#include "net/reactor.h"
#include "store/msgid.h"
#include "store/store.h"
#include "store/txn.h"

#define WINDOW_MAX 16384
#define ARENA_BYTES 4096

static struct {
	const char *dir;
	unsigned seconds, window, bytes, chats;
	bool json;
} opt = { "/tmp", 5, 2048, 600, 500, false };

struct job {
	struct store_job j;
	struct arena arena;
	struct arena_mark mark;
	uint8_t mem[ARENA_BYTES];
	unsigned chat;
	uint64_t begin_us;
};

static struct store *store;
static struct reactor *reactor;
static uint8_t content[100000];
static uint64_t done_n, failed_n, waiting, latency_us, latency_max_us;
static uint64_t now_ms;
static bool ending;

static void
make_id(uint8_t out[static ID_LEN], char kind, unsigned n)
{
	memset(out, 0, ID_LEN);
	out[0] = (uint8_t)kind;
	out[6] = 0x70;
	out[12] = (uint8_t)(n >> 24);
	out[13] = (uint8_t)(n >> 16);
	out[14] = (uint8_t)(n >> 8);
	out[15] = (uint8_t)n;
}

static enum err
add_user(struct txn *t, unsigned n)
{
	char name[32], mail[64];
	struct q_user_insert_in in = { .now = now_ms,
	    .password_hash = SPAN("none") };

	make_id(in.user.b, 'u', n);
	snprintf(name, sizeof(name), "user%u", n);
	snprintf(mail, sizeof(mail), "user%u@example.org", n);
	in.username = in.key = span_str(name);
	in.email = span_str(mail);
	return q_user_insert(t, &in, NULL);
}

static enum err
setup(struct store_job *j, struct txn *t)
{
	struct q_chat_insert_in c = { .type = SPAN("direct") };
	struct q_chat_member_insert_in m = { .role = SPAN("member") };

	(void)j;
	c.created_at = m.joined_at = now_ms;
	for (unsigned i = 0; i < 2 * opt.chats; i++)
		TRY(add_user(t, i));
	for (unsigned i = 0; i < opt.chats; i++) {
		make_id(c.chat.b, 'c', i);
		make_id(c.created_by.b, 'u', 2 * i);
		TRY(q_chat_insert(t, &c, NULL));
		m.chat = c.chat;
		m.user = c.created_by;
		TRY(q_chat_member_insert(t, &m, NULL));
		make_id(m.user.b, 'u', 2 * i + 1);
		TRY(q_chat_member_insert(t, &m, NULL));
	}
	return OK;
}

static enum err
send(struct store_job *sj, struct txn *t)
{
	struct job *j = (struct job *)(void *)sj;
	struct q_chat_head_in h;
	struct q_chat_head_out head;
	struct q_message_insert_in in = {
		.suite = SPAN("other"), .type = SPAN("text"),
		.content = span_of(content, opt.bytes),
		.keys = SPAN("{}"), .iv = SPAN("AAAAAAAAAAAAAAAA"),
		.created_at = now_ms,
	};
	uint32_t random;

	arena_reset(&j->arena, j->mark);
	make_id(h.chat.b, 'c', j->chat);
	make_id(h.user.b, 'u', 2 * j->chat + (done_n & 1));
	TRY(q_chat_head(t, &h, &head));
	sys_random(in.client_message.b, ID_LEN);
	memcpy(&random, in.client_message.b, sizeof(random));
	in.position = txn_position(t);
	in.message = msgid_make(now_ms, in.position, random);
	in.chat = h.chat;
	in.sender = h.user;
	in.prev = head.last_position;
	return q_message_insert(t, &in, NULL);
}

static void
submit(struct job *j)
{
	j->begin_us = sys_mono_us();
	if (store_submit(store, &j->j) != OK) {
		fprintf(stderr, "bench-store: the queue is full\n");
		exit(1);
	}
	waiting++;
}

static void
on_done(struct reactor *r, struct mail *m)
{
	struct job *j = (struct job *)(void *)m;
	uint64_t took = sys_mono_us() - j->begin_us;

	(void)r;
	waiting--;
	done_n++;
	latency_us += took;
	if (took > latency_max_us)
		latency_max_us = took;
	if (j->j.err != OK) {
		if (failed_n++ == 0)
			fprintf(stderr, "bench-store: %s\n",
			    err_name(j->j.err));
	}
	if (!ending) {
		j->chat = (j->chat + 7) % opt.chats;
		submit(j);
	}
}

static struct job *
new_job(unsigned i)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		exit(1);
	arena_init(&j->arena, j->mem, sizeof(j->mem));
	j->mark = arena_mark(&j->arena);
	j->j = (struct store_job){ .done.run = on_done, .home = reactor,
	    .write = send, .arena = &j->arena };
	j->chat = i % opt.chats;
	return j;
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
run(struct job **jobs)
{
	uint64_t begin, end;
	double cpu, s;
	struct store_stats st0, st;

	store_stats(store, &st0);
	done_n = latency_us = latency_max_us = 0;
	begin = sys_mono_us();
	cpu = cpu_seconds();
	for (unsigned i = 0; i < opt.window; i++)
		submit(jobs[i]);
	while (sys_mono_us() - begin < opt.seconds * 1000000ull)
		reactor_tick(reactor, 100);
	ending = true;
	while (waiting > 0)
		reactor_tick(reactor, 100);
	end = sys_mono_us();
	cpu = cpu_seconds() - cpu;
	store_stats(store, &st);
	s = (double)(end - begin) / 1e6;
	printf(opt.json ? "{\"messages_per_s\":%.0f,\"batch\":%.1f,"
	    "\"commit_ms\":%.2f,\"commit_ms_max\":%.1f,\"latency_ms\":%.2f,"
	    "\"latency_ms_max\":%.1f,\"cpu_s_per_1000\":%.4f,"
	    "\"checkpoints\":%.0f,\"failed\":%.0f}\n" :
	    "%.0f messages/s, batches of %.1f, commit %.2f ms (max %.1f), "
	    "latency %.2f ms (max %.1f), %.4f CPU s per 1000, "
	    "%.0f checkpoints, %.0f failed\n",
	    (double)done_n / s,
	    (double)(st.jobs - st0.jobs) / (double)(st.batches - st0.batches),
	    (double)(st.commit_us - st0.commit_us) / 1000 /
	    (double)(st.batches - st0.batches), (double)st.commit_us_max / 1000,
	    (double)latency_us / 1000 / (double)done_n,
	    (double)latency_max_us / 1000, cpu / (double)done_n * 1000,
	    (double)st.checkpoints, (double)failed_n);
}

static bool
number(const char *s, unsigned max, unsigned *out)
{
	uint64_t v;

	if (!span_u64(span_str(s), max, &v) || v == 0)
		return false;
	*out = (unsigned)v;
	return true;
}

static bool
options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *v = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--json") == 0)
			opt.json = true;
		else if (strcmp(argv[i], "--dir") == 0 && i++ + 1 < argc)
			opt.dir = v;
		else if (strcmp(argv[i], "--seconds") == 0 && i++ < argc &&
		    number(v, 3600, &opt.seconds))
			continue;
		else if (strcmp(argv[i], "--window") == 0 && i++ < argc &&
		    number(v, WINDOW_MAX, &opt.window))
			continue;
		else if (strcmp(argv[i], "--bytes") == 0 && i++ < argc &&
		    number(v, sizeof(content), &opt.bytes))
			continue;
		else if (strcmp(argv[i], "--chats") == 0 && i++ < argc &&
		    number(v, 100000, &opt.chats))
			continue;
		else
			return false;
	}
	return true;
}

static void
remove_files(const char *path)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[4200];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		(void)unlink(name);
	}
}

int
main(int argc, char **argv)
{
	struct store_conf conf = { .readers = 1 };
	struct store_error why;
	struct job *jobs[WINDOW_MAX], *first;
	char path[4100];
	enum err e;

	if (!options(argc, argv)) {
		fprintf(stderr, "usage: bench-store [--dir DIR] [--seconds N]"
		    " [--window N] [--bytes N] [--chats N] [--json]\n");
		return 2;
	}
	memset(content, 'A', sizeof(content));
	now_ms = sys_unix_ms();
	snprintf(path, sizeof(path), "%s/bench-store.%ld.db", opt.dir,
	    (long)getpid());
	conf.path = path;
	e = store_open(&conf, &store, &why);
	if (e != OK || reactor_open(0, &reactor) != OK) {
		fprintf(stderr, "bench-store: %s\n", why.text);
		return 1;
	}
	reactor_adopt(reactor);
	first = new_job(0);
	first->j.write = setup;
	ending = true;
	submit(first);
	while (waiting > 0)
		reactor_tick(reactor, 100);
	free(first);
	ending = false;
	for (unsigned i = 0; i < opt.window; i++)
		jobs[i] = new_job(i);
	run(jobs);
	store_close(store);
	reactor_close(reactor);
	for (unsigned i = 0; i < opt.window; i++)
		free(jobs[i]);
	remove_files(path);
	return failed_n > 0;
}
