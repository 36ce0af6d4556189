/*
 * etag.c: see etag.h.
 */
#include "wire/etag.h"

#include "wire/date.h"

static bool
is_weak(struct span tag)
{
	return span_starts(tag, SPAN("W/"));
}

static struct span
opaque(struct span tag)
{
	return is_weak(tag) ? span_sub(tag, 2, tag.n) : tag;
}

/* The tag at the front of s, with its quotes; empty: there is none. */
static struct span
front(struct span s)
{
	size_t open = is_weak(s) ? 2 : 0;

	if (open >= s.n || s.p[open] != '"')
		return span_of(NULL, 0);
	for (size_t i = open + 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return span_sub(s, 0, i + 1);
		/* etagc = %x21 / %x23-7E / obs-text */
		if (s.p[i] < 0x21 || s.p[i] == 0x7f)
			break;
	}
	return span_of(NULL, 0);
}

static struct span
skip(struct span s, const char *of)
{
	while (s.n > 0 && strchr(of, s.p[0]) != NULL && s.p[0] != 0)
		s = span_sub(s, 1, s.n);
	return s;
}

bool
etag_in(struct span list, struct span tag, bool weak)
{
	struct span rest = skip(list, " \t");

	if (span_starts(rest, SPAN("*")))
		return skip(span_sub(rest, 1, rest.n), " \t").n == 0;
	for (;;) {
		struct span one;

		rest = skip(rest, " \t,");
		one = front(rest);
		if (one.n == 0)
			return false;
		if (span_eq(opaque(one), opaque(tag)) &&
		    (weak || (!is_weak(one) && !is_weak(tag))))
			return true;
		rest = skip(span_sub(rest, one.n, rest.n), " \t");
		if (rest.n > 0 && rest.p[0] != ',')
			return false;
	}
}

/* Is the tag in any of the fields of that name? There is one at least. */
static bool
in_fields(const struct http_msg *m, const char *name, struct span tag,
    bool weak)
{
	for (size_t i = 0; i < m->field_n; i++)
		if (span_eq_nocase(m->field[i].name, span_str(name)) &&
		    etag_in(m->field[i].value, tag, weak))
			return true;
	return false;
}

/* A field that is there once and is a date; others are ignored (13.1.3). */
static bool
date_field(const struct http_msg *m, const char *name, uint64_t now_s,
    uint64_t *out)
{
	return http_count(m, name) == 1 &&
	    date_decode(http_find(m, name), now_s, out);
}

enum etag_is
etag_conditions(const struct http_msg *m, const struct etag_of *of)
{
	uint64_t t;

	/* RFC 9110 13.2.2, steps 1 and 2. */
	if (http_find(m, "if-match").p != NULL) {
		if (!in_fields(m, "if-match", of->tag, false))
			return ETAG_FAILED;
	} else if (of->modified_s > 0 && date_field(m, "if-unmodified-since",
	    of->now_s, &t) && of->modified_s > t) {
		return ETAG_FAILED;
	}
	/* Steps 3 and 4. */
	if (http_find(m, "if-none-match").p != NULL)
		return in_fields(m, "if-none-match", of->tag, true) ?
		    ETAG_NOT_MODIFIED : ETAG_GO_ON;
	if (of->modified_s > 0 && date_field(m, "if-modified-since",
	    of->now_s, &t) && of->modified_s <= t)
		return ETAG_NOT_MODIFIED;
	return ETAG_GO_ON;
}

bool
etag_if_range(const struct http_msg *m, const struct etag_of *of)
{
	struct span v = http_find(m, "if-range"), tag;
	uint64_t t;

	if (v.p == NULL)
		return true;
	if (http_count(m, "if-range") != 1)
		return false;
	tag = front(v);
	if (tag.n > 0)
		return tag.n == v.n && !is_weak(tag) && !is_weak(of->tag) &&
		    span_eq(tag, of->tag);
	return of->modified_s > 0 && date_decode(v, of->now_s, &t) &&
	    t == of->modified_s && t < of->now_s;
}
