/*
 * plan.c: see plan.h.
 */
#include "sim/plan.h"

#include <inttypes.h>
#include <stdio.h>

static const struct { const char *name; int args; } verbs[] = {
#define PLAN_VERB(name, args, help) { #name, args },
#include "sim/verbs.def"
#undef PLAN_VERB
};

static struct plan_step *
add(struct plan *p, uint64_t wait_ms, enum plan_verb verb, int64_t a,
    int64_t b, int64_t c)
{
	struct plan_step *s = &p->step[p->steps_n++];

	*s = (struct plan_step){ wait_ms, verb, { a, b, c } };
	return s;
}

/*
 * A wrong clock: minutes, hours, a day. Those of one run are wrong in one
 * direction: what is more than 24 h ahead of a device's clock it refuses
 * (docs/protocol.md, "Devices" and "Two sessions at once").
 */
static int64_t
wrong_clock(struct rng *r, bool back)
{
	static const int64_t much[] = { 0, 60000, 600000, 3600000, 7200000,
	    43200000, 86000000 };
	int64_t ms = much[rng_below(r, sizeof(much) / sizeof(much[0]))];

	return back ? -ms : ms;
}

/* What kinds of trouble a run has: parts of a thousand for each step. */
struct weather {
	unsigned cut, stall, crash, off, keep, back, clock, kill, killat,
	    stop, serverstall, serverclock, read, typing, edit, react, take_back, link, revoke,
	    renew, renewaccount;
};

static struct weather
choose_weather(struct rng *r)
{
	struct weather w = { .read = 60, .typing = 20, .edit = 40,
	    .react = 40, .take_back = 15, .link = 30 };

	if (rng_below(r, 3) == 0) {
		w.revoke = 12;
		w.renew = 12;
	}
	if (rng_below(r, 6) == 0)
		w.renewaccount = 8;
	if (rng_below(r, 3) > 0)
		w.cut = (unsigned)rng_below(r, 120);
	if (rng_below(r, 3) == 0)
		w.stall = (unsigned)rng_below(r, 60);
	if (rng_below(r, 2) == 0)
		w.crash = (unsigned)rng_below(r, 150);
	if (rng_below(r, 3) == 0)
		w.off = (unsigned)rng_below(r, 80);
	if (rng_below(r, 4) == 0) {
		w.keep = 30;
		w.back = 15;
	}
	if (rng_below(r, 4) == 0)
		w.clock = 15;
	if (rng_below(r, 3) == 0)
		w.kill = (unsigned)rng_below(r, 25);
	if (rng_below(r, 3) == 0)
		w.killat = (unsigned)rng_below(r, 40);
	if (rng_below(r, 6) == 0)
		w.stop = 15;
	if (rng_below(r, 5) == 0)
		w.serverstall = 15;
	if (rng_below(r, 8) == 0)
		w.serverclock = 8;
	return w;
}

/* How long a machine is away: mostly seconds, now and then hours. */
static int64_t
away(struct rng *r)
{
	uint64_t k = rng_below(r, 20);

	return (int64_t)(k == 0 ? rng_below(r, 20000000) :
	    k < 5 ? rng_below(r, 120000) : rng_below(r, 3000));
}

static bool
is(uint64_t *dice, unsigned part)
{
	if (*dice < part)
		return true;
	*dice -= part;
	return false;
}

/* Of devices that are linked later on, by the first one of the account. */
static void
make_link(struct plan *p, struct rng *r, uint64_t wait, enum plan_verb verb)
{
	int64_t d = (int64_t)rng_between(r, p->accounts, p->devices - 1);

	add(p, wait, verb, d, d % (int64_t)p->accounts, 0);
}

static void
make_step(struct plan *p, struct rng *r, const struct weather *w)
{
	uint64_t dice = rng_below(r, 1000), wait = rng_below(r, 10) == 0 ?
	    rng_below(r, 30000) : rng_below(r, 600);
	int64_t d = (int64_t)rng_below(r, p->devices);
	int64_t a = (int64_t)rng_below(r, p->accounts);

	if (a == d % (int64_t)p->accounts)
		a = (a + 1) % (int64_t)p->accounts;
	if (is(&dice, w->cut))
		add(p, wait, PLAN_cut, d, 0, 0);
	else if (is(&dice, w->stall))
		add(p, wait, PLAN_stall, d, (int64_t)rng_below(r, 90000), 0);
	else if (is(&dice, w->crash))
		add(p, wait, PLAN_crash, d, (int64_t)rng_between(r, 1, 60),
		    away(r));
	else if (is(&dice, w->off))
		add(p, wait, PLAN_off, d, away(r), 0);
	else if (is(&dice, w->keep))
		add(p, wait, PLAN_keep, d, 0, 0);
	else if (is(&dice, w->back))
		add(p, wait, PLAN_back, d, (int64_t)rng_below(r, 2), 0);
	else if (is(&dice, w->clock))
		add(p, wait, PLAN_clock, d, wrong_clock(r, p->seed % 2), 0);
	else if (is(&dice, w->kill))
		add(p, wait, PLAN_kill, (int64_t)rng_below(r, 2), away(r), 0);
	else if (is(&dice, w->killat))
		add(p, wait, PLAN_killat, (int64_t)rng_between(r, 1, 40),
		    away(r), 0);
	else if (is(&dice, w->stop))
		add(p, wait, PLAN_stop, away(r), 0, 0);
	else if (is(&dice, w->serverstall))
		add(p, wait, PLAN_serverstall, (int64_t)rng_below(r, 60000),
		    0, 0);
	else if (is(&dice, w->serverclock))
		add(p, wait, PLAN_serverclock, wrong_clock(r,
		    rng_below(r, 2) == 0), 0, 0);
	else if (is(&dice, w->read))
		add(p, wait, PLAN_read, d, a, 0);
	else if (is(&dice, w->typing))
		add(p, wait, PLAN_typing, d, a, 0);
	else if (is(&dice, w->edit))
		add(p, wait, PLAN_edit, d, a, 0);
	else if (is(&dice, w->react))
		add(p, wait, PLAN_react, d, a, 0);
	else if (is(&dice, w->take_back))
		add(p, wait, PLAN_take_back, d, a, 0);
	else if (is(&dice, w->link) && p->devices > p->accounts)
		make_link(p, r, wait, PLAN_link);
	else if (is(&dice, w->revoke) && p->devices > p->accounts)
		make_link(p, r, wait, PLAN_revoke);
	else if (is(&dice, w->renew))
		add(p, wait, PLAN_renew, d, 0, 0);
	else if (is(&dice, w->renewaccount))
		add(p, wait, PLAN_renewaccount, d, 0, 0);
	else
		add(p, wait, PLAN_send, d, a, rng_below(r, 6) == 0 ?
		    (int64_t)rng_between(r, 5, 25) :
		    (int64_t)rng_between(r, 1, 3));
}

void
plan_make(uint64_t seed, struct plan *out)
{
	struct rng r = rng_init(seed, 3);
	struct weather w = choose_weather(&r);
	size_t n = 40 + rng_below(&r, 60);

	memset(out, 0, sizeof(*out));
	out->seed = seed;
	out->accounts = (unsigned)rng_between(&r, 2, 4);
	out->devices = out->accounts;
	if (rng_below(&r, 2) == 0)
		out->devices = (unsigned)rng_between(&r, out->accounts,
		    2 * out->accounts);
	out->linked = rng_below(&r, 2) == 0;
	out->tight = rng_below(&r, 10) == 0;
	out->reactors = (unsigned)rng_between(&r, 1, 3);
	out->readers = (unsigned)rng_between(&r, 1, 2);
	out->delay_us = rng_below(&r, 3) == 0 ? 200000 : 5000;
	out->slow_permille = rng_below(&r, 3) == 0 ? 30 : 0;
	out->window = rng_below(&r, 4) == 0 ? 16384 : 262144;
	while (out->steps_n < n)
		make_step(out, &r, &w);
}

void
plan_calm(uint64_t seed, size_t messages, struct plan *out)
{
	memset(out, 0, sizeof(*out));
	out->seed = seed;
	out->accounts = out->devices = 4;
	out->reactors = out->readers = 1;
	out->delay_us = 1000;
	out->window = 262144;
	/* Each in turn writes some to the next one, or gets an answer. */
	for (size_t i = 0; i * 4 < messages && i < PLAN_STEPS_MAX; i++)
		add(out, 20, PLAN_send, (int64_t)(i % 4),
		    (int64_t)((i % 4) ^ (i / 8 % 3 + 1)), 4);
}

/* ------------------------------------------------------------------ files */

void
plan_print(const struct plan *p, FILE *to)
{
	fprintf(to, "seed %" PRIu64 "\naccounts %u\ndevices %u\n"
	    "linked %d\ntight %d\n"
	    "reactors %u\nreaders %u\ndelay_us %" PRIu64 "\nslow %u\n"
	    "window %" PRIu64 "\n", p->seed, p->accounts, p->devices,
	    (int)p->linked, (int)p->tight, p->reactors, p->readers, p->delay_us,
	    p->slow_permille, p->window);
	for (size_t i = 0; i < p->steps_n; i++) {
		const struct plan_step *s = &p->step[i];

		fprintf(to, "after %" PRIu64 " %s", s->wait_ms,
		    verbs[s->verb].name);
		for (int k = 0; k < verbs[s->verb].args; k++)
			fprintf(to, " %" PRId64, s->arg[k]);
		fprintf(to, "\n");
	}
}

/* The next word of a line; false at its end. */
static bool
word(struct span *line, char out[static 32])
{
	size_t n;

	*line = span_trim(*line);
	n = span_find(*line, ' ');
	if (n == 0 || n >= 32)
		return false;
	memcpy(out, line->p, n);
	out[n] = '\0';
	*line = span_sub(*line, n, line->n);
	return true;
}

static bool
number(struct span *line, int64_t *out)
{
	char text[32], *end;

	if (!word(line, text))
		return false;
	*out = strtoll(text, &end, 10);
	return *end == '\0';
}

static bool
read_step(struct span line, struct plan *p)
{
	struct plan_step s = { 0 };
	char name[32];
	int64_t n;

	if (p->steps_n == PLAN_STEPS_MAX || !number(&line, &n) || n < 0 ||
	    !word(&line, name))
		return false;
	s.wait_ms = (uint64_t)n;
	while (s.verb < PLAN_VERBS && strcmp(verbs[s.verb].name, name) != 0)
		s.verb++;
	if (s.verb == PLAN_VERBS)
		return false;
	for (int k = 0; k < verbs[s.verb].args; k++)
		if (!number(&line, &s.arg[k]))
			return false;
	p->step[p->steps_n++] = s;
	return span_trim(line).n == 0;
}

static bool
read_line(struct span line, struct plan *p)
{
	char name[32];
	int64_t n;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (!word(&line, name))
		return false;
	if (strcmp(name, "after") == 0)
		return read_step(line, p);
	if (!number(&line, &n) || span_trim(line).n != 0 || n < 0)
		return false;
	if (strcmp(name, "seed") == 0)
		p->seed = (uint64_t)n;
	else if (strcmp(name, "accounts") == 0 && n >= 1 && n <= 8)
		p->accounts = (unsigned)n;
	else if (strcmp(name, "devices") == 0 && n >= 1 &&
	    n <= PLAN_DEVICES_MAX)
		p->devices = (unsigned)n;
	else if (strcmp(name, "linked") == 0)
		p->linked = n != 0;
	else if (strcmp(name, "tight") == 0)
		p->tight = n != 0;
	else if (strcmp(name, "reactors") == 0 && n >= 1 && n <= 8)
		p->reactors = (unsigned)n;
	else if (strcmp(name, "readers") == 0 && n >= 1 && n <= 8)
		p->readers = (unsigned)n;
	else if (strcmp(name, "delay_us") == 0)
		p->delay_us = (uint64_t)n;
	else if (strcmp(name, "slow") == 0)
		p->slow_permille = (unsigned)n;
	else if (strcmp(name, "window") == 0 && n > 0)
		p->window = (uint64_t)n;
	else
		return false;
	return true;
}

bool
plan_read(const char *path, struct plan *out, char why_out[static 200])
{
	char line[256];
	unsigned at = 0;
	FILE *f = fopen(path, "r");

	memset(out, 0, sizeof(*out));
	out->accounts = out->devices = 2;
	out->reactors = out->readers = 1;
	out->window = 262144;
	if (f == NULL) {
		snprintf(why_out, 200, "%s cannot be read", path);
		return false;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		struct span s = span_str(line);

		at++;
		if (s.n > 0 && s.p[s.n - 1] == '\n')
			s.n--;
		if (!read_line(s, out)) {
			snprintf(why_out, 200, "%s:%u: not understood", path,
			    at);
			fclose(f);
			return false;
		}
	}
	fclose(f);
	return true;
}
