/*
 * range.c: see range.h. A field that is not exactly of the grammar is
 * ignored, not guessed at.
 */
#include "wire/range.h"

/* 1*DIGIT; one beyond 64 bits is as good as the largest. */
static bool
number(struct span s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint64_t d = (uint64_t)s.p[i] - '0';

		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d;
	}
	*out = v;
	return true;
}

/*
 * One range-spec (RFC 9110 14.1.2). False: malformed. out->n 0: nothing of
 * it is there; *suffix_out then: it is the end of an empty representation,
 * which counts as there.
 */
static bool
spec(struct span s, uint64_t size, struct range *out, bool *suffix_out)
{
	size_t dash = span_find(s, '-');
	struct span first = span_sub(s, 0, dash);
	struct span last = span_sub(s, dash + 1, s.n);
	uint64_t a, b = UINT64_MAX;

	*out = (struct range){ 0, 0 };
	if (dash == s.n)
		return false;
	if (first.n == 0) {		/* the last so many bytes */
		if (!number(last, &b))
			return false;
		if (b > 0 && size == 0)
			*suffix_out = true;
		out->n = b < size ? b : size;
		out->at = size - out->n;
		return true;
	}
	if (!number(first, &a) || (last.n > 0 && !number(last, &b)) || b < a)
		return false;
	if (a >= size)
		return true;
	out->at = a;
	out->n = (b < size - 1 ? b : size - 1) - a + 1;
	return true;
}

/* Do they overlap or touch? */
static bool
meet(const struct range *a, const struct range *b)
{
	return a->at <= b->at + b->n && b->at <= a->at + a->n;
}

static void
unite(struct range *a, const struct range *b)
{
	uint64_t end = a->at + a->n, b_end = b->at + b->n;

	a->at = a->at < b->at ? a->at : b->at;
	a->n = (end > b_end ? end : b_end) - a->at;
}

/* Makes those that meet one; each may now meet another. */
static size_t
coalesce(struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (!meet(&r[i], &r[k]))
				continue;
			unite(&r[i], &r[k]);
			for (size_t m = k; m + 1 < n; m++)
				r[m] = r[m + 1];
			n--;
			k = i;		/* from the first again */
		}
	}
	return n;
}

enum range_is
range_parse(struct span value, uint64_t size, size_t max, struct range *out,
    size_t *n_out)
{
	size_t eq = span_find(value, '='), n = 0, asked = 0;
	struct span set = span_sub(value, eq + 1, value.n);
	bool empty_suffix = false;

	/* RFC 9110 14.1: names of range units have no case. */
	if (eq == value.n ||
	    !span_eq_nocase(span_sub(value, 0, eq), SPAN("bytes")))
		return RANGE_WHOLE;
	while (set.n > 0) {
		size_t comma = span_find(set, ',');
		struct span one = span_trim(span_sub(set, 0, comma));
		struct range r;

		set = span_sub(set, comma + 1, set.n);
		if (one.n == 0)
			continue;	/* RFC 9110 5.6.1.2: empty elements */
		if (asked++ == max || !spec(one, size, &r, &empty_suffix))
			return RANGE_WHOLE;
		if (r.n > 0)
			out[n++] = r;
	}
	if (asked == 0)
		return RANGE_WHOLE;
	if (n == 0)
		return empty_suffix ? RANGE_WHOLE : RANGE_NONE;
	*n_out = coalesce(out, n);
	return RANGE_SOME;
}
