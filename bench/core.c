/*
 * core.c: bench-core, what the protocol core does in a second on one core of
 * this machine, and what it adds to a message.
 *
 *	bench-core [--json] [--quick]
 *
 * Figures are medians of several rounds. The ratchet works on a session in
 * memory; setting up goes through a store in memory, as a client's calls do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/content.h"
#include "core/pad.h"
#include "core/test_world.h"
#include "crypto/host.h"

#define TEXT_LEN 256
#define ROUNDS_MAX 9

struct result {
	const char *key, *name, *unit;
	double value;
	bool at_most;		/* the target is an upper bound */
	double bound;		/* 0: none */
};

static struct result results[32];
static size_t results_n;
static int rounds = 5;
static unsigned scale = 1;

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(enum err e, const char *what)
{
	if (e == OK)
		return;
	(void)fprintf(stderr, "bench-core: %s: %s\n", what, err_name(e));
	exit(1);
}

static void
add(const char *key, const char *name, const char *unit, double value,
    double bound, bool at_most)
{
	results[results_n++] = (struct result){ key, name, unit, value,
	    at_most, bound };
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

/* Two devices and a session between them, taken out of the store. */
struct pair {
	struct w_dev a, b;
	struct session *sa, *sb;
};

static void
talk(struct w_dev *from, struct w_dev *to)
{
	struct span m = { 0 };
	struct sessions_opened o;

	must(w_seal(from, to, SPAN("x"), &m), "seal");
	must(w_open(to, from, m, &o, NULL), "open");
	w_drop(&m);
}

static struct session *
take_session(struct w_dev *d, const struct w_dev *with)
{
	struct session *s = malloc(sizeof(*s));
	struct pair_key k;
	size_t i = w_find(&d->st, RECORD_SESSION,
	    pair_key(&with->addr, NULL, &k));

	if (s == NULL || i == d->st.n ||
	    d->st.recs[i].kind != RECORD_SESSION)
		must(ERR_INTERNAL, "no session");
	else
		must(session_decode(span_of(d->st.recs[i].value,
		    d->st.recs[i].n), s), "session");
	return s;
}

static void
pair_open(struct pair *p)
{
	w_dev_init(&p->a, 1, 1, 64);
	w_dev_init(&p->b, 2, 1, 64);
	must(w_meet(&p->a, &p->b), "meet");
	must(w_meet(&p->b, &p->a), "meet");
	must(w_initiate(&p->a, &p->b), "initiate");
	for (int i = 0; i < 4; i++)
		talk(i & 1 ? &p->b : &p->a, i & 1 ? &p->a : &p->b);
	p->sa = take_session(&p->a, &p->b);
	p->sb = take_session(&p->b, &p->a);
}

static void
pair_close(struct pair *p)
{
	session_wipe(p->sa);
	session_wipe(p->sb);
	free(p->sa);
	free(p->sb);
	w_dev_fini(&p->a);
	w_dev_fini(&p->b);
}

/* One chain: n messages sealed, then all of them opened. */
static void
bench_chain(struct pair *p)
{
	enum { N = 20000, MSG_MAX = 512 };
	static uint8_t text[TEXT_LEN], plain[MSG_MAX];
	size_t n = N / scale;
	uint8_t *mem = malloc(n * MSG_MAX);
	struct span *msgs = malloc(n * sizeof(*msgs));
	double seal[ROUNDS_MAX], open[ROUNDS_MAX], t;

	if (mem == NULL || msgs == NULL)
		exit(1);
	for (int r = 0; r < rounds; r++) {
		t = seconds();
		for (size_t i = 0; i < n; i++) {
			struct wr w = wr_init(mem + i * MSG_MAX, MSG_MAX);

			must(ratchet_seal(&w_base, &p->sa->ratchet,
			    SPAN_OF(text), W_START_MS, &w), "seal");
			msgs[i] = wr_done(&w);
		}
		seal[r] = (double)n / (seconds() - t);
		t = seconds();
		for (size_t i = 0; i < n; i++) {
			struct ratchet_info info;
			struct span got;

			must(ratchet_open(&w_base, &p->sb->ratchet, msgs[i],
			    W_START_MS, plain, &got, &info), "open");
		}
		open[r] = (double)n / (seconds() - t);
	}
	add("chain_encrypt", "encrypt 256 B, same chain", "/s",
	    median(seal, rounds), 200000, false);
	add("chain_decrypt", "decrypt 256 B, same chain", "/s",
	    median(open, rounds), 150000, false);
	free(mem);
	free(msgs);
}

struct overhead {
	unsigned long all, all_n, bare, bare_n, mixes;
};

/* Without the padding: what a message has beyond its content. */
static void
count_overhead(struct overhead *o, size_t msg_n, enum pqm_flag flag,
    uint32_t epoch)
{
	size_t raw = 1 + varint_len(TEXT_LEN) + TEXT_LEN, over;

	if (flag == PQM_SENDS_EK)
		raw += varint_len(epoch) + MLKEM_EK_LEN;
	if (flag == PQM_SENDS_CT)
		raw += varint_len(epoch) + MLKEM_CT_LEN;
	over = msg_n - (pad_size(raw) - raw) - TEXT_LEN;
	o->all += over;
	o->all_n++;
	if (flag == PQM_NONE || flag == PQM_ASKS) {
		o->bare += over;
		o->bare_n++;
	}
}

static void
bench_ping_pong(struct pair *p)
{
	enum { N = 4000 };
	static uint8_t text[TEXT_LEN], msg[2048], plain[2048];
	size_t n = N / scale;
	double seal[ROUNDS_MAX], open[ROUNDS_MAX], t0, t1, in_seal, in_open;
	struct overhead o = { 0 };
	uint32_t first = p->sa->ratchet.h.pq.epoch;

	for (int r = 0; r < rounds; r++) {
		in_seal = in_open = 0;
		for (size_t i = 0; i < n; i++) {
			struct session *from = i & 1 ? p->sa : p->sb;
			struct session *to = i & 1 ? p->sb : p->sa;
			struct wr w = wr_init(msg, sizeof(msg));
			struct ratchet_info info;
			struct span got;

			t0 = seconds();
			must(ratchet_seal(&w_base, &from->ratchet,
			    SPAN_OF(text), W_START_MS, &w), "seal");
			t1 = seconds();
			in_seal += t1 - t0;
			must(ratchet_open(&w_base, &to->ratchet, wr_done(&w),
			    W_START_MS, plain, &got, &info), "open");
			in_open += seconds() - t1;
			count_overhead(&o, w.n, info.flag,
			    to->ratchet.h.pq.epoch);
		}
		seal[r] = (double)n / in_seal;
		open[r] = (double)n / in_open;
	}
	o.mixes = p->sa->ratchet.h.pq.epoch - first;
	add("turn_encrypt", "encrypt 256 B, ping-pong", "/s",
	    median(seal, rounds), 8500, false);
	add("turn_decrypt", "decrypt 256 B, ping-pong", "/s",
	    median(open, rounds), 10000, false);
	add("overhead_mean", "overhead, ping-pong, unpadded, mean", "B",
	    (double)o.all / (double)o.all_n, 112, true);
	add("overhead_bare", "the same, messages without a key", "B",
	    (double)o.bare / (double)o.bare_n, 66, true);
	add("messages_per_epoch", "messages for each PQ epoch, ping-pong", "",
	    (double)o.all_n / (double)o.mixes, 52, true);
}

/* What entries of a message cost as they travel: key envelopes. */
static void
bench_stored(struct pair *p)
{
	enum { N = 2000 };
	static uint8_t env[ENVELOPE_LEN];
	size_t n = N / scale;
	double seal[ROUNDS_MAX], t;
	struct span m = { 0 };

	for (int r = 0; r < rounds; r++) {
		t = seconds();
		for (size_t i = 0; i < n; i++) {
			must(w_seal(&p->a, &p->b, SPAN_OF(env), &m), "seal");
			w_drop(&m);
		}
		seal[r] = (double)n / (seconds() - t);
	}
	add("stored_encrypt", "seal an envelope, load and store included",
	    "/s", median(seal, rounds), 20000, false);
	add("session_record", "session record without skipped keys", "B",
	    (double)session_encoded_len(p->sa) -
	    (double)p->sa->ratchet.skipped_n * 76, 3500, true);
}

/* Set-ups with lists and certificates known (cached) or not (cold). */
static void
bench_setup(bool cold)
{
	enum { N = 60 };
	static struct w_dev a, b;
	static struct w_bundle bundles[N];
	static uint8_t env[ENVELOPE_LEN];
	struct span msgs[N] = { { 0 } };
	struct sessions_opened o;
	size_t n = N / scale;
	double make[ROUNDS_MAX], take[ROUNDS_MAX], t;

	for (int r = 0; r < rounds; r++) {
		w_dev_init(&a, 1, (uint64_t)r, 4);
		w_dev_init(&b, 2, (uint64_t)r, 64);
		must(w_meet(&a, &b), "meet");
		must(w_meet(&b, &a), "meet");
		for (size_t i = 0; i < n; i++)
			w_serve(&b, &bundles[i]);
		make[r] = take[r] = 0;
		for (size_t i = 0; i < n; i++) {
			struct pair_key k;

			/* A stranger each time. */
			w_set(&a.st, RECORD_PAIR, pair_key(&b.addr, NULL, &k),
			    NULL, 0);
			must(w_end(&a, sessions_drop(&a.c, &b.addr)), "drop");
			must(w_end(&b, sessions_drop(&b.c, &a.addr)), "drop");
			if (cold) {
				w_set(&a.st, RECORD_LIST,
				    ID_SPAN(b.addr.account), NULL, 0);
				w_set(&b.st, RECORD_LIST,
				    ID_SPAN(a.addr.account), NULL, 0);
			}
			t = seconds();
			if (cold)
				must(w_meet(&a, &b), "meet");
			must(w_end(&a, sessions_initiate(&a.c, &b.addr,
			    &bundles[i].b)), "initiate");
			must(w_seal(&a, &b, SPAN_OF(env), &msgs[i]), "seal");
			make[r] += seconds() - t;
			t = seconds();
			if (cold)
				must(w_meet(&b, &a), "meet");
			must(w_open(&b, &a, msgs[i], &o, NULL), "open");
			take[r] += seconds() - t;
			if (i + 1 < n)
				w_drop(&msgs[i]);
		}
		make[r] = (double)n / make[r];
		take[r] = (double)n / take[r];
		if (r == 0 && !cold)
			add("prekey_message", "prekey message, whole", "B",
			    (double)msgs[n - 1].n, 1388, true);
		w_drop(&msgs[n - 1]);
		w_dev_fini(&a);
		w_dev_fini(&b);
	}
	add(cold ? "setup_cold" : "setup_cached", cold ?
	    "verify list and bundle, initiate, first encrypt" :
	    "verify bundle, initiate, first encrypt", "/s",
	    median(make, rounds), cold ? 900 : 1300, false);
	add(cold ? "accept_cold" : "accept_cached", cold ?
	    "verify list, accept, decrypt" : "accept, decrypt", "/s",
	    median(take, rounds), cold ? 1200 : 1800, false);
}

static void
bench_safety(struct pair *p)
{
	struct peer_safety s;
	double ms[ROUNDS_MAX], t;

	for (int r = 0; r < rounds; r++) {
		t = seconds();
		must(w_end(&p->a, peer_safety(&p->a.c, &p->b.addr.account,
		    &s)), "safety");
		ms[r] = (seconds() - t) * 1000;
	}
	add("safety_number", "safety number", "ms", median(ms, rounds), 5,
	    true);
}

static bool
is_met(const struct result *r)
{
	return r->bound <= 0 || (r->at_most ? r->value <= r->bound :
	    r->value >= r->bound);
}

static void
print(bool json)
{
	if (json)
		printf("{");
	for (size_t i = 0; i < results_n; i++) {
		const struct result *r = &results[i];

		if (json) {
			printf("%s\"%s\":{\"value\":%.1f,\"unit\":\"%s\","
			    "\"target\":%.0f,\"met\":%s}", i == 0 ? "" : ",",
			    r->key, r->value, r->unit, r->bound,
			    is_met(r) ? "true" : "false");
			continue;
		}
		printf("%-50s %12.1f %-3s  %s %.0f  %s\n", r->name, r->value,
		    r->unit, r->at_most ? "<=" : ">=", r->bound,
		    is_met(r) ? "ok" : "MISSED");
	}
	if (json)
		printf("}\n");
}

int
main(int argc, char **argv)
{
	static struct pair p;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--quick") == 0) {
			rounds = 3;
			scale = 10;
		} else {
			(void)fprintf(stderr,
			    "usage: bench-core [--json] [--quick]\n");
			return 2;
		}
	}
	must(host_init(), "OpenSSL");
	pair_open(&p);
	bench_chain(&p);
	bench_ping_pong(&p);
	bench_stored(&p);
	bench_safety(&p);
	pair_close(&p);
	bench_setup(false);
	bench_setup(true);
	print(json);
	w_teardown();
	return 0;
}
