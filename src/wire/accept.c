/*
 * accept.c: see accept.h.
 */
#include "wire/accept.h"

#define UNSET 0xffff

/* q[] while reading: UNSET where the coding was not named; `*` is kept in
 * the place of a coding of its own until accept_end. */

static const char names[ACCEPT_CODINGS][9] = { "br", "zstd", "gzip",
    "identity" };

const char *
accept_name(enum accept_coding c)
{
	return names[c];
}

/* qvalue (RFC 9110 12.4.2): 0 to 1 with up to three digits behind the point. */
static bool
qvalue(struct span s, uint16_t *out)
{
	uint16_t v, place = 100;

	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') ||
	    (s.n > 1 && s.p[1] != '.'))
		return false;
	v = s.p[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < s.n; i++, place /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = (uint16_t)(v + (s.p[i] - '0') * place);
	}
	if (v > 1000)
		return false;
	*out = v;
	return true;
}

/* The weight behind a coding's name, if any: ";q=0.5". */
static bool
weight(struct span s, uint16_t *out)
{
	size_t eq;

	*out = 1000;
	s = span_trim(s);
	if (s.n == 0)
		return true;
	if (s.p[0] != ';')
		return false;
	s = span_trim(span_sub(s, 1, s.n));
	eq = span_find(s, '=');
	return span_eq_nocase(span_sub(s, 0, eq), SPAN("q")) && eq < s.n &&
	    qvalue(span_sub(s, eq + 1, s.n), out);
}

static void
set(uint16_t *slot, uint16_t q)
{
	if (*slot == UNSET)
		*slot = q;
}

static void
element(struct accept *a, struct span s)
{
	size_t semi = span_find(s, ';');
	struct span name = span_trim(span_sub(s, 0, semi));
	uint16_t q;

	if (name.n == 0 || !weight(span_sub(s, semi, s.n), &q))
		return;
	if (span_eq(name, SPAN("*"))) {
		set(&a->any, q);
		return;
	}
	if (span_eq_nocase(name, SPAN("x-gzip")))
		name = SPAN("gzip");
	for (size_t i = 0; i < ACCEPT_CODINGS; i++)
		if (span_eq_nocase(name, span_str(names[i])))
			set(&a->q[i], q);
}

void
accept_init(struct accept *a)
{
	for (size_t i = 0; i < ACCEPT_CODINGS; i++)
		a->q[i] = UNSET;
	a->any = UNSET;
	a->named = false;
}

void
accept_add(struct accept *a, struct span value)
{
	while (value.n > 0) {
		size_t comma = span_find(value, ',');

		element(a, span_sub(value, 0, comma));
		value = span_sub(value, comma + 1, value.n);
	}
}

void
accept_end(struct accept *a)
{
	for (size_t i = 0; i < ACCEPT_IDENTITY; i++) {
		if (a->q[i] == UNSET)
			a->q[i] = a->any == UNSET ? 0 : a->any;
		if (a->q[i] > 0)
			a->named = true;
	}
	/* 12.5.3: identity is acceptable unless it is excluded by name or by
	 * "*;q=0"; where it was not named, anything named is better. */
	if (a->q[ACCEPT_IDENTITY] == UNSET)
		a->q[ACCEPT_IDENTITY] = a->any == 0 ? 0 : 1;
}

void
accept_read(const struct http_msg *m, struct accept *out)
{
	accept_init(out);
	for (size_t i = 0; i < m->field_n; i++)
		if (span_eq_nocase(m->field[i].name,
		    SPAN("accept-encoding")))
			accept_add(out, m->field[i].value);
	accept_end(out);
}

int
accept_best(const struct accept *a, unsigned have)
{
	int best = -1;

	for (int i = 0; i < ACCEPT_CODINGS; i++) {
		if ((have & 1u << i) == 0 || a->q[i] == 0)
			continue;
		if (best < 0 || a->q[i] > a->q[best])
			best = i;
	}
	return best;
}
