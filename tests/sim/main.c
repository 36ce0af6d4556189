/*
 * main.c: nightjar-sim: runs seeds or kept cases, each in a process of its
 * own, prints TAP; a failing seed is made smaller. See docs/simulator.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "sim/excuse.h"
#include "sim/shrink.h"

/* OpenSSL's randomness is the run's, too. */
static int
take_random(unsigned char *out, int n)
{
	rng_bytes(kernel_key_rng(), out, (size_t)n);
	return 1;
}

static int
is_seeded(void)
{
	return 1;
}

static uint64_t
real_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		abort();
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
set_up(void)
{
	static const RAND_METHOD method = { .bytes = take_random,
	    .pseudorand = take_random, .status = is_seeded };

	node_setup();
	if (RAND_set_rand_method(&method) != 1)
		abort();
	app_setup();
}

struct options {
	uint64_t from, seeds;
	bool verbose, print, calm, twice, shrink;
	uint64_t messages;
	const char *files[256];
	size_t files_n;
};

static void
usage(void)
{
	puts("usage: nightjar-sim [--seeds N] [--from SEED] [--seed SEED] "
	    "[FILE...]\n"
	    "  --seeds N     so many seeds (100), each a run of its own\n"
	    "  --from SEED   the first of them (1)\n"
	    "  --seed SEED   this one alone, in this process\n"
	    "  --print       print its plan as a case file, run nothing\n"
	    "  --verbose     say what happens\n"
	    "  --twice       run each seed twice and compare the traces\n"
	    "  --no-shrink   a failing seed is not made smaller\n"
	    "  --rate N      N messages without trouble, and how long it "
	    "took\n"
	    "FILE: a case that was kept (tests/sim/cases)");
}

static bool
parse_number(const char *text, uint64_t *out)
{
	return text != NULL && span_u64(span_str(text), UINT64_MAX / 2, out);
}

static bool
parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] :
		    NULL;

		if (strcmp(a, "--verbose") == 0) {
			o->verbose = true;
		} else if (strcmp(a, "--print") == 0) {
			o->print = true;
		} else if (strcmp(a, "--twice") == 0) {
			o->twice = true;
		} else if (strcmp(a, "--no-shrink") == 0) {
			o->shrink = false;
		} else if (a[0] != '-' && o->files_n < 256) {
			o->files[o->files_n++] = a;
		} else if (strcmp(a, "--seeds") == 0 &&
		    parse_number(v, &o->seeds)) {
			i++;
		} else if (strcmp(a, "--from") == 0 &&
		    parse_number(v, &o->from)) {
			i++;
		} else if (strcmp(a, "--seed") == 0 &&
		    parse_number(v, &o->from)) {
			o->seeds = 0;
			i++;
		} else if (strcmp(a, "--rate") == 0 &&
		    parse_number(v, &o->messages)) {
			o->calm = true;
			i++;
		} else {
			return false;
		}
	}
	return true;
}

/* In this process; returns when all laws held. */
static void
run_here(const struct plan *p, bool verbose, struct world_result *out)
{
	uint64_t began = real_us();

	world_run(p, verbose, out);
	out->run_us = real_us() - began;
}

static void
tell(const struct world_result *r)
{
	printf("# trace %016" PRIx64 ": %" PRIu64 " messages, %" PRIu64
	    " steps of clients, %" PRIu64 " sealed, %" PRIu64
	    " bytes, %" PRIu64 " switches, %" PRIu64 " s there, %" PRIu64
	    " ms here\n", r->trace, r->messages, r->steps, r->sealed,
	    r->bytes, r->switches, r->virtual_ms / 1000, r->run_us / 1000);
}

static int
run_one(const struct plan *p, const struct options *o)
{
	struct world_result r;

	set_up();
	run_here(p, o->verbose, &r);
	tell(&r);
	if (o->calm)
		printf("# %" PRIu64 " messages a minute on this machine\n",
		    r.messages * 60000000 / (r.run_us + 1));
	return 0;
}

/* Says what is wrong with a plan, and a smaller one that is wrong, too. */
static void
explain(struct plan *p, const struct options *o)
{
	if (!o->shrink)
		return;
	shrink_plan(p);
	printf("# a smaller plan that fails; keep it as tests/sim/cases/"
	    "NAME.txt:\n");
	fflush(stdout);
	plan_print(p, stdout);
}

static struct shrink_end
try(const struct plan *p, bool twice)
{
	struct shrink_end end = shrink_try(p), again;

	if (!end.ok || !twice)
		return end;
	again = shrink_try(p);
	if (again.ok && again.trace == end.trace)
		return end;
	end.ok = false;
	snprintf(end.why, sizeof(end.why), "trace: another one the second "
	    "time");
	return end;
}

static int
run_all(struct options *o)
{
	static struct plan p;
	char name[300], why[200];
	size_t failed = 0, n = o->files_n + (o->files_n > 0 ? 0 : o->seeds);
	uint64_t messages = 0, excuse[WORLD_EXCUSES] = { 0 }, began = real_us();

	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		struct shrink_end end;

		if (i < o->files_n) {
			snprintf(name, sizeof(name), "%s", o->files[i]);
			if (!plan_read(o->files[i], &p, why)) {
				printf("not ok %zu - %s\n", i + 1, why);
				failed++;
				continue;
			}
		} else {
			plan_make(o->from + i, &p);
			snprintf(name, sizeof(name), "seed %" PRIu64,
			    p.seed);
		}
		end = try(&p, o->twice);
		for (size_t k = 1; k < WORLD_EXCUSES; k++)
			excuse[k] += end.excuse[k];
		messages += end.messages;
		printf("%s %zu - %s%s%s\n", end.ok ? "ok" : "not ok", i + 1,
		    name, end.ok ? "" : ": ", end.why);
		fflush(stdout);
		if (!end.ok) {
			failed++;
			explain(&p, o);
		}
		fflush(stdout);
	}
	printf("# %" PRIu64 " messages in %" PRIu64 " ms; stay refused:",
	    messages, (real_us() - began) / 1000);
	for (size_t k = 1; k < WORLD_EXCUSES; k++)
		printf(" %" PRIu64 " %s%s", excuse[k],
		    excuse_name((enum excuse)k), k + 1 < WORLD_EXCUSES ? "," :
		    "");
	printf("; %zu failed\n", failed);
	return failed > 0;
}

int
main(int argc, char **argv)
{
	static struct plan p;
	struct options o = { .from = 1, .seeds = 100, .shrink = true };
	char why[200];

	if (!parse(&o, argc, argv)) {
		usage();
		return 64;
	}
	if (o.calm) {
		plan_calm(o.from, o.messages, &p);
		return run_one(&p, &o);
	}
	if (o.seeds > 0 && !o.verbose && !o.print) {
		shrink_setup(set_up);
		return run_all(&o);
	}
	plan_make(o.from, &p);
	if (o.files_n > 0 && !plan_read(o.files[0], &p, why)) {
		fprintf(stderr, "%s\n", why);
		return 64;
	}
	if (o.print) {
		plan_print(&p, stdout);
		return 0;
	}
	return run_one(&p, &o);
}
