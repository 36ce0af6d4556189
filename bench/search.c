/*
 * search.c: bench-search, what searching the history costs in a real profile:
 * an SQLite file of sealed values, as the command line keeps it.
 *
 *	bench-search [--json] [--messages N] [--bytes MEAN]
 *
 * Makes a profile in a folder of its own, with N messages (100,000) of about
 * MEAN bytes (60), then searches it: medians of 15 runs, one page of 50 hits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/profile.h"
#include "client/item.h"
#include "client/search.h"
#include "crypto/host.h"
#include "crypto/openssl.h"

#define RUNS 15
#define PAGE 50
#define BATCH 500
#define CHATS 20
#define MEMORY ((size_t)48 << 20)

static struct provider pv;
static struct profile profile;
static struct client client;
static struct arena arena;
static uint8_t *memory;
static uint64_t state = 88172645463325252ull;

static void
must(enum err e, const char *what)
{
	if (e == OK)
		return;
	(void)fprintf(stderr, "bench-search: %s: %s\n", what, err_name(e));
	exit(1);
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t
rnd(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static enum err
load(void *ctx, uint8_t kind, struct span key, struct arena *a,
    struct span *value_out)
{
	return profile_load(ctx, kind, key, a, value_out);
}

static enum err
seek(void *ctx, uint8_t kind, struct span prefix, struct span from, bool back,
    struct arena *a, struct span *key_out, struct span *value_out)
{
	return profile_seek(ctx, kind, prefix, from, back, a, key_out,
	    value_out);
}

/* A text of words that look like words, about `mean` bytes. */
static size_t
make_text(char *out, size_t cap, size_t mean)
{
	static const char *const parts[] = { "ka", "lo", "mi", "ter", "an",
	    "shi", "ro", "be", "nu", "gra", "ost", "ing", "el", "du", "fe",
	    "vi" };
	size_t want = mean / 2 + rnd(mean + 1), n = 0;

	while (n < want && n + 16 < cap) {
		size_t k = 1 + rnd(4);

		while (k-- > 0)
			n += (size_t)snprintf(&out[n], cap - n, "%s",
			    parts[rnd(16)]);
		out[n++] = ' ';
	}
	return n - 1;
}

static void
put_one(struct step *s, uint64_t number, size_t mean)
{
	static char text[65536];
	struct client_item it = { .kind = ITEM_TEXT,
	    .state = STATE_RECEIVED, .sub = 1, .order = 10 * number,
	    .position = 10 * number, .server_ms = number, .device = 1 };
	struct wr w = wr_init(it.event.b, ID_LEN);
	size_t n = make_text(text, sizeof(text) - 16, mean);

	/* One in ten thousand has a word of its own; and there is the oldest
	 * message of all. */
	if (number % 10000 == 7)
		n += (size_t)snprintf(&text[n], 16, " Zeppelin");
	if (number == 1)
		n += (size_t)snprintf(&text[n], 16, " \xc3\x84lteste");
	wr_u64(&w, number);
	it.chat.b[0] = (uint8_t)(1 + number % CHATS);
	it.sender.b[0] = it.chat.b[0];
	it.text = span_of(text, n);
	must(item_put(s, &it), "item_put");
}

static void
fill(uint64_t messages, size_t mean)
{
	static struct step s;
	struct client_effects out;

	for (uint64_t i = 1; i <= messages;) {
		arena_init(&arena, memory, MEMORY);
		must(profile_begin(&profile), "begin");
		must(step_init(&s, &client, &arena, i, false), "step");
		for (size_t k = 0; k < BATCH && i <= messages; k++)
			put_one(&s, i++, mean);
		must(step_end(&s, &out), "step_end");
		for (struct client_effect *e = out.first; e != NULL &&
		    e->type == CLIENT_STORE; e = e->next)
			must(e->u.store.del ? profile_del(&profile,
			    e->u.store.kind, e->u.store.key) :
			    profile_put(&profile, e->u.store.kind,
			    e->u.store.key, e->u.store.value), "store");
		step_fini(&s);
		must(profile_commit(&profile), "commit");
	}
}

/* One page of hits; *n_out of them. */
static double
search_once(const char *words, uint8_t chat, size_t *n_out)
{
	struct client_search q = { .words = span_str(words),
	    .chat = { { chat } } };
	struct client_search_at at = { .set = false };
	static struct client_item items[PAGE];
	double begin;
	size_t n;

	*n_out = 0;
	arena_init(&arena, memory, MEMORY);
	begin = seconds();
	must(profile_begin_read(&profile), "begin");
	while (!at.end && *n_out < PAGE) {
		must(client_search_next(&client, &arena, &q, &at, items,
		    PAGE - *n_out, &n), "search");
		*n_out += n;
	}
	profile_rollback(&profile);
	return (seconds() - begin) * 1e3;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
measure(const char *key, const char *what, const char *words, uint8_t chat,
    bool json)
{
	double ms[RUNS];
	size_t n = 0;

	for (size_t i = 0; i < RUNS; i++)
		ms[i] = search_once(words, chat, &n);
	qsort(ms, RUNS, sizeof(ms[0]), by_value);
	if (json)
		(void)printf("{\"key\":\"search_%s_ms\",\"value\":%.2f,"
		    "\"worst\":%.2f,\"hits\":%zu}\n", key, ms[RUNS / 2],
		    ms[RUNS - 1], n);
	else
		(void)printf("%-44s %8.2f ms (worst %.2f), %zu hits\n", what,
		    ms[RUNS / 2], ms[RUNS - 1], n);
}

/* Bytes of the index as it is sealed. */
static uint64_t
index_bytes(uint64_t *leaves_out)
{
	struct span key = { NULL, 0 }, value, none = { NULL, 0 };
	uint64_t sum = 0;

	*leaves_out = 0;
	must(profile_begin_read(&profile), "begin");
	for (;;) {
		arena_init(&arena, memory, MEMORY);
		uint8_t from[CLIENT_KEY_MAX];
		size_t n = key.n;

		if (n != 0)
			memcpy(from, key.p, n);
		if (profile_seek(&profile, REC_SEARCH, none, span_of(from, n),
		    false, &arena, &key, &value) != OK)
			break;
		sum += value.n + SEAL_OVERHEAD;
		++*leaves_out;
	}
	profile_rollback(&profile);
	return sum;
}

int
main(int argc, char **argv)
{
	static struct profile_paths at;
	const struct client_host host = { &profile, load, seek };
	char dir[] = "/tmp/bench-search.XXXXXX";
	uint64_t messages = 100000, mean = 60, leaves, bytes;
	bool json = false;
	double begin;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--messages") == 0 && i + 1 < argc)
			(void)!span_u64(span_str(argv[++i]), 1000000,
			    &messages);
		else if (strcmp(argv[i], "--bytes") == 0 && i + 1 < argc)
			(void)!span_u64(span_str(argv[++i]), 4000, &mean);
	}
	must(host_init(), "OpenSSL");
	must(openssl_provider_open(&pv), "provider");
	memory = malloc(MEMORY);
	if (memory == NULL || mkdtemp(dir) == NULL)
		return 1;
	must(profile_find("bench", dir, dir, dir, &at), "profile_find");
	must(profile_make(&pv, &at, (struct span){ NULL, 0 }), "profile_make");
	must(profile_open(&profile, &pv, &at, NULL, NULL), "profile_open");
	client_init(&client, &pv, &host, 0);
	begin = seconds();
	fill(messages, (size_t)mean);
	begin = seconds() - begin;
	bytes = index_bytes(&leaves);
	if (json)
		(void)printf("{\"key\":\"search_fill_us\",\"value\":%.1f}\n"
		    "{\"key\":\"search_index_bytes\",\"value\":%llu}\n",
		    begin * 1e6 / (double)messages, (unsigned long long)bytes);
	else
		(void)printf("%llu messages of about %llu bytes in %d chats: "
		    "%.1f us each to keep and index\nindex: %llu records, "
		    "%.1f MB\n", (unsigned long long)messages,
		    (unsigned long long)mean, CHATS, begin * 1e6 /
		    (double)messages, (unsigned long long)leaves,
		    (double)bytes / 1e6);
	measure("rare", "a word of one message in 10,000", "zeppelin", 0,
	    json);
	measure("oldest", "a word of the oldest message alone", "alteste", 0,
	    json);
	measure("none", "a word that is nowhere", "nowhere", 0, json);
	measure("part", "part of a word, everywhere (a full page)", "ter", 0,
	    json);
	measure("two", "two parts of words that are everywhere", "shi gra", 0,
	    json);
	measure("letter", "two letters that are nowhere", "zq", 0, json);
	/* Its parts are everywhere, so every leaf is read: the worst case. */
	measure("worst", "a word that is nowhere, its parts everywhere",
	    "kalokalokalokalo", 0, json);
	measure("chat", "a rare word in one of the chats", "zeppelin", 8,
	    json);
	profile_close(&profile);
	must(profile_erase(&at), "profile_erase");
	(void)rmdir(dir);
	return 0;
}
