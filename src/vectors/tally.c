/*
 * tally.c: the counts of one file and why its cases failed.
 */
#include <stdarg.h>
#include <stdio.h>

#include "vectors/schema.h"

void
tally_pass(struct tally *t)
{
	t->passed++;
}

void
tally_skip(struct tally *t)
{
	t->not_applicable++;
}

void
tally_fail(struct tally *t, const char *id, const char *fmt, ...)
{
	char *text;
	va_list args;
	int n;

	t->failed++;
	if (t->n_failures == TALLY_FAILURES_MAX)
		return;
	text = t->failures[t->n_failures++].text;
	n = snprintf(text, TALLY_REASON_MAX, "%s: ", id);
	if (n < 0 || n >= TALLY_REASON_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text + n, (size_t)(TALLY_REASON_MAX - n), fmt, args);
	va_end(args);
}

void
tally_err(struct tally *t, const char *id, enum err got, enum err want)
{
	if (got == want)
		tally_pass(t);
	else
		tally_fail(t, id, "gave %s where %s is right", err_name(got),
		    err_name(want));
}
