/*
 * ws_ext.c: see ws_ext.h. Empty elements of a list are passed over, as a
 * recipient must (RFC 9110 5.6.1.2).
 */
#include "wire/ws_ext.h"

#include "wire/http.h"

#define PROTOCOLS_MAX 64	/* offered at once; more is refused */

/* RFC 9110 5.6.2 */
static bool
is_tchar(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || (c > ' ' && c < 0x7f &&
	    memchr("!#$%&'*+-.^_`|~", c, 15) != NULL);
}

static void
skip_blanks(struct span *s)
{
	size_t i = 0;

	while (i < s->n && (s->p[i] == ' ' || s->p[i] == '\t'))
		i++;
	*s = span_sub(*s, i, s->n);
}

/* The token at the front; empty: there is none. */
static struct span
take_token(struct span *s)
{
	struct span t;
	size_t i = 0;

	while (i < s->n && is_tchar(s->p[i]))
		i++;
	t = span_sub(*s, 0, i);
	*s = span_sub(*s, i, s->n);
	return t;
}

static bool
take_byte(struct span *s, uint8_t c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_sub(*s, 1, s->n);
	return true;
}

/* The next field of that name with anything in it. */
static bool
next_field(const struct http_msg *m, const char *name, size_t *at,
    struct span *out)
{
	while (*at < m->field_n) {
		const struct http_field *f = &m->field[(*at)++];

		if (f->value.n > 0 && span_eq_nocase(f->name, span_str(name))) {
			*out = f->value;
			return true;
		}
	}
	return false;
}

void
ws_ext_init(struct ws_ext *x, const struct http_msg *m)
{
	*x = (struct ws_ext){ .m = m };
}

static bool
keep(struct ws_ext *x, uint8_t c)
{
	if (x->value_n < WS_EXT_VALUE_KEPT)
		x->value[x->value_n] = c;
	x->value_n++;
	return is_tchar(c);
}

/* Without its quotes a value is a token, too (RFC 6455 9.1). */
static bool
take_value(struct ws_ext *x)
{
	bool quoted = take_byte(&x->rest, '"');

	x->has_value = true;
	while (x->rest.n > 0) {
		uint8_t c = x->rest.p[0];

		if (quoted ? c == '"' : !is_tchar(c))
			break;
		x->rest = span_sub(x->rest, 1, x->rest.n);
		if (quoted && c == '\\') {
			if (x->rest.n == 0)
				return false;
			c = x->rest.p[0];
			x->rest = span_sub(x->rest, 1, x->rest.n);
		}
		if (!keep(x, c))
			return false;
	}
	return x->value_n > 0 && (!quoted || take_byte(&x->rest, '"'));
}

static enum ws_ext_ev
take_param(struct ws_ext *x)
{
	skip_blanks(&x->rest);
	x->name = take_token(&x->rest);
	if (x->name.n == 0)
		return WS_EXT_BAD;
	skip_blanks(&x->rest);
	if (take_byte(&x->rest, '=')) {
		skip_blanks(&x->rest);
		if (!take_value(x))
			return WS_EXT_BAD;
		skip_blanks(&x->rest);
	}
	return WS_EXT_PARAM;
}

enum ws_ext_ev
ws_ext_next(struct ws_ext *x)
{
	x->has_value = false;
	x->value_n = 0;
	for (;;) {
		skip_blanks(&x->rest);
		if (x->inside && take_byte(&x->rest, ';'))
			return take_param(x);
		/* An element ends with a comma or with its field. */
		if (x->inside && x->rest.n > 0 && x->rest.p[0] != ',')
			return WS_EXT_BAD;
		x->inside = false;
		if (take_byte(&x->rest, ','))
			continue;
		if (x->rest.n > 0)
			break;
		if (!next_field(x->m, "sec-websocket-extensions", &x->field,
		    &x->rest))
			return WS_EXT_END;
	}
	x->name = take_token(&x->rest);
	x->inside = true;
	return x->name.n > 0 ? WS_EXT_NAME : WS_EXT_BAD;
}

bool
ws_ext_ok(const struct http_msg *m)
{
	enum ws_ext_ev ev;
	struct ws_ext x;

	ws_ext_init(&x, m);
	do {
		ev = ws_ext_next(&x);
	} while (ev > WS_EXT_BAD);
	return ev == WS_EXT_END;
}

/* ----------------------------------------------------------- protocols -- */

struct names {
	const struct http_msg *m;
	size_t field;
	struct span rest;
};

/* The next name; empty at the end; *bad: the list is malformed. */
static struct span
next_name(struct names *l, bool *bad)
{
	struct span t;

	for (;;) {
		skip_blanks(&l->rest);
		if (take_byte(&l->rest, ','))
			continue;
		if (l->rest.n > 0)
			break;
		if (!next_field(l->m, "sec-websocket-protocol", &l->field,
		    &l->rest))
			return (struct span){ NULL, 0 };
	}
	t = take_token(&l->rest);
	skip_blanks(&l->rest);
	if (t.n == 0 || (l->rest.n > 0 && l->rest.p[0] != ','))
		*bad = true;
	return *bad ? (struct span){ NULL, 0 } : t;
}

bool
ws_ext_protocols_ok(const struct http_msg *m)
{
	struct span seen[PROTOCOLS_MAX], t;
	struct names l = { .m = m };
	bool bad = false;
	size_t n = 0;

	while ((t = next_name(&l, &bad)).n > 0) {
		for (size_t i = 0; i < n; i++) {
			if (span_eq(seen[i], t))
				return false;
		}
		if (n == PROTOCOLS_MAX)
			return false;
		seen[n++] = t;
	}
	return !bad;
}

struct span
ws_ext_first_protocol(const struct http_msg *m)
{
	struct names l = { .m = m };
	bool bad = false;

	return next_name(&l, &bad);
}

bool
ws_ext_has_protocol(const struct http_msg *m, struct span protocol)
{
	struct names l = { .m = m };
	bool bad = false;
	struct span t;

	while ((t = next_name(&l, &bad)).n > 0) {
		if (span_eq(t, protocol))
			return true;
	}
	return false;
}
