/*
 * date.c: see date.h.
 */
#include "wire/date.h"

static const char days[7][10] = { "Monday", "Tuesday", "Wednesday",
    "Thursday", "Friday", "Saturday", "Sunday" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

struct when {
	unsigned year, month, day, hour, minute, second;	/* month 0..11 */
};

static void
expect(struct rd *r, const char *text)
{
	size_t n = strlen(text);

	if (!span_eq(rd_span(r, n), span_of(text, n)))
		r->bad = true;
}

static unsigned
digits(struct rd *r, size_t n)
{
	unsigned v = 0;

	while (n-- > 0) {
		uint8_t c = rd_u8(r);

		if (c < '0' || c > '9')
			r->bad = true;
		v = v * 10 + (unsigned)(c - '0') % 10;
	}
	return v;
}

static unsigned
month(struct rd *r)
{
	struct span s = rd_span(r, 3);

	for (unsigned i = 0; i < 12; i++)
		if (span_eq(s, span_of(months[i], 3)))
			return i;
	r->bad = true;
	return 0;
}

static void
time_of_day(struct rd *r, struct when *w)
{
	w->hour = digits(r, 2);
	expect(r, ":");
	w->minute = digits(r, 2);
	expect(r, ":");
	w->second = digits(r, 2);
}

/* "06 Nov 1994 08:49:37 GMT" */
static bool
imf(struct rd r, struct when *w)
{
	w->day = digits(&r, 2);
	expect(&r, " ");
	w->month = month(&r);
	expect(&r, " ");
	w->year = digits(&r, 4);
	expect(&r, " ");
	time_of_day(&r, w);
	expect(&r, " GMT");
	return rd_done(&r);
}

/* "06-Nov-94 08:49:37 GMT"; the year is without its century. */
static bool
rfc850(struct rd r, struct when *w)
{
	w->day = digits(&r, 2);
	expect(&r, "-");
	w->month = month(&r);
	expect(&r, "-");
	w->year = digits(&r, 2);
	expect(&r, " ");
	time_of_day(&r, w);
	expect(&r, " GMT");
	return rd_done(&r);
}

/* "Nov  6 08:49:37 1994" */
static bool
old_form(struct rd r, struct when *w)
{
	w->month = month(&r);
	expect(&r, " ");
	if (r.n > 0 && r.p[0] == ' ') {
		expect(&r, " ");
		w->day = digits(&r, 1);
	} else {
		w->day = digits(&r, 2);
	}
	expect(&r, " ");
	time_of_day(&r, w);
	expect(&r, " ");
	w->year = digits(&r, 4);
	return rd_done(&r);
}

static bool
is_leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days before that year, from 1970 on. */
static uint64_t
days_to(uint64_t y)
{
	const uint64_t before = y - 1;

	return (y - 1970) * 365 + (before / 4 - 1969 / 4) -
	    (before / 100 - 1969 / 100) + (before / 400 - 1969 / 400);
}

static bool
count(const struct when *w, uint64_t *out)
{
	static const uint8_t month_days[12] = { 31, 28, 31, 30, 31, 30, 31,
	    31, 30, 31, 30, 31 };
	uint64_t d;

	/* 5.6.7: a leap second is written as 60. */
	if (w->year < 1970 || w->day < 1 || w->hour > 23 || w->minute > 59 ||
	    w->second > 60)
		return false;
	if (w->day > (w->month == 1 && is_leap(w->year) ? 29u :
	    month_days[w->month]))
		return false;
	d = days_to(w->year) + w->day - 1;
	for (unsigned i = 0; i < w->month; i++)
		d += i == 1 && is_leap(w->year) ? 29 : month_days[i];
	*out = ((d * 24 + w->hour) * 60 + w->minute) * 60 + w->second;
	return true;
}

/* 5.6.7: what would be more than 50 years ahead is a hundred years before. */
static void
add_century(struct when *w, uint64_t now_s)
{
	unsigned now = 1970;

	while (days_to((uint64_t)now + 1) * 86400 <= now_s)
		now++;
	w->year += now / 100 * 100;
	if (w->year > now + 50)
		w->year -= 100;
	else if (w->year + 50 < now)
		w->year += 100;
}

/* Takes one of the days' names, as many letters of it. 0: none. */
static size_t
day_name(struct span s, bool whole)
{
	for (size_t i = 0; i < 7; i++) {
		size_t n = whole ? strlen(days[i]) : 3;

		if (span_starts(s, span_of(days[i], n)))
			return n;
	}
	return 0;
}

bool
date_decode(struct span s, uint64_t now_s, uint64_t *out)
{
	size_t short_n = day_name(s, false), n;
	struct span rest = span_sub(s, short_n, s.n);
	struct when w;

	if (short_n == 0)
		return false;
	if (span_starts(rest, SPAN(", ")))
		return imf(rd_init(span_sub(rest, 2, rest.n)), &w) &&
		    count(&w, out);
	if (span_starts(rest, SPAN(" ")))
		return old_form(rd_init(span_sub(rest, 1, rest.n)), &w) &&
		    count(&w, out);
	n = day_name(s, true);
	rest = span_sub(s, n, s.n);
	if (n == 0 || !span_starts(rest, SPAN(", ")) ||
	    !rfc850(rd_init(span_sub(rest, 2, rest.n)), &w))
		return false;
	add_century(&w, now_s < UINT64_MAX / 2 ? now_s : 0);
	return count(&w, out);
}
