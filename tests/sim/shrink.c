/*
 * shrink.c: see shrink.h. The child's last words come over a pipe, so that
 * one that aborts or hangs tells its end as well.
 */
#include "sim/shrink.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>


#define TRIES_MAX 400
#define SECONDS_MAX 180

static void (*set_up)(void);

void
shrink_setup(void (*fn)(void))
{
	set_up = fn;
}

_Noreturn static void
child(const struct plan *p, int out)
{
	struct shrink_end end = { .ok = true };
	struct world_result r;

	alarm(SECONDS_MAX);
	if (dup2(out, STDERR_FILENO) < 0)
		_exit(2);
	set_up();
	world_run(p, false, &r);
	end.messages = r.messages;
	memcpy(end.excuse, r.excuse, sizeof(end.excuse));
	end.trace = r.trace;
	if (write(out, &end, sizeof(end)) != (ssize_t)sizeof(end))
		_exit(2);
	exit(0);	/* with the sanitizers' looking for leaks */
}

/* The first line that says something; a sanitizer warns of fibers as such. */
static void
take_words(const char *text, size_t n, struct shrink_end *end)
{
	struct span left = span_of(text, n), line;

	do {
		line = span_sub(left, 0, span_find(left, '\n'));
		left = span_sub(left, line.n + 1, left.n);
	} while (left.n > 0 && (line.n == 0 || memmem(line.p, line.n,
	    "WARNING: ASan", 13) != NULL));
	snprintf(end->why, sizeof(end->why), "%.*s", (int)line.n,
	    (const char *)line.p);
}

struct shrink_end
shrink_try(const struct plan *p)
{
	struct shrink_end end = { .ok = false };
	char text[4096];
	size_t n = 0;
	ssize_t k;
	int fds[2], status = 0;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds) != 0 || (pid = fork()) < 0) {
		snprintf(end.why, sizeof(end.why), "no process");
		return end;
	}
	if (pid == 0) {
		close(fds[0]);
		child(p, fds[1]);
	}
	close(fds[1]);
	do {
		k = read(fds[0], text + n, sizeof(text) - n);
		n += k > 0 ? (size_t)k : 0;
	} while ((k > 0 && n < sizeof(text)) || (k < 0 && errno == EINTR));
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    n >= sizeof(end)) {
		/* Behind what a sanitizer may have had to say. */
		memcpy(&end, text + n - sizeof(end), sizeof(end));
		return end;
	}
	take_words(text, n, &end);
	if (end.why[0] == '\0')
		snprintf(end.why, sizeof(end.why), "ended with %d", status);
	return end;
}

/* What kind of end it was: the words without their numbers. */
static void
law_of(const struct shrink_end *end, char out[static 300])
{
	const char *at = strstr(end->why, " ms: ");
	size_t n = 0;

	at = at == NULL ? end->why : at + 5;
	for (; *at != '\0' && *at != ':'; at++)
		if (*at < '0' || *at > '9')
			out[n++] = *at;
	out[n] = '\0';
}

static bool
fails_alike(const struct plan *p, const char *law)
{
	struct shrink_end end = shrink_try(p);
	char other[300];

	if (end.ok)
		return false;
	law_of(&end, other);
	return strcmp(law, other) == 0;
}

/* p without the steps from .. from + n; what they waited is kept. */
static void
without(const struct plan *p, size_t from, size_t n, struct plan *out)
{
	uint64_t wait = 0;

	*out = *p;
	out->steps_n = 0;
	for (size_t i = 0; i < p->steps_n; i++) {
		struct plan_step s = p->step[i];

		if (i >= from && i < from + n) {
			wait += s.wait_ms;
			continue;
		}
		s.wait_ms += wait;
		wait = 0;
		out->step[out->steps_n++] = s;
	}
}

static void
shrink_numbers(struct plan *p, const char *law, unsigned *tries)
{
	static struct plan q;

	for (size_t i = 0; i < p->steps_n && *tries < TRIES_MAX; i++) {
		q = *p;
		if (q.step[i].verb == PLAN_send && q.step[i].arg[2] > 1)
			q.step[i].arg[2] = 1;
		else if (q.step[i].wait_ms > 100)
			q.step[i].wait_ms = 100;
		else
			continue;
		++*tries;
		if (fails_alike(&q, law))
			*p = q;
	}
}

void
shrink_plan(struct plan *p)
{
	static struct plan q;
	struct shrink_end end = shrink_try(p);
	unsigned tries = 1;
	char law[300];
	size_t n;

	if (end.ok)
		return;
	law_of(&end, law);
	for (n = p->steps_n / 2; n > 0 && tries < TRIES_MAX; n /= 2) {
		for (size_t at = 0; at < p->steps_n && tries < TRIES_MAX;) {
			without(p, at, n, &q);
			tries++;
			if (fails_alike(&q, law))
				*p = q;
			else
				at += n;
		}
	}
	shrink_numbers(p, law, &tries);
}
