/*
 * http_head.c: a whole head, parsed and checked in one pass: the first line,
 * the fields, what they say about framing, connection and host. exports
 * http_head_*, http_is_authority; see http_in.h and http.h.
 *
 * Implementation notes. The caller has found the end of the head and has seen
 * that every line ends with CRLF and none is folded; so a CR or LF elsewhere
 * is a bare one, which no class of characters below contains. The few fields
 * that matter here are noted as they pass (struct notes), so the list is
 * walked once.
 */
#include "wire/http_in.h"

#include "base/text.h"

/* Bits: token 1, value 2, target 4, host 8; sixteen bytes a row. */
const uint8_t http_head_class[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 15, 2, 3, 15, 7, 15, 15, 14, 14, 15, 15, 14, 15, 15, 6,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 14, 2, 14, 2, 6,
	6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 6, 6, 7, 15,
	7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 7, 6, 15, 0,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
};

/* What the fields said, all of one name together. */
struct notes {
	struct span host, length;
	unsigned hosts, lengths;	/* fields of that name */
	unsigned chunked_n;	/* codings that are "chunked" */
	bool codings;
	bool chunked_last;	/* the last one is */
	bool coding_bad;	/* an element that is no coding at all */
	bool coding_other;	/* one that we do not have */
	bool close, keep_alive, upgrade;
	bool expect, expect_other;
};

static bool
fail(struct http_bad *bad, uint16_t status, const char *why)
{
	*bad = (struct http_bad){ status, why };
	return false;
}

/* How many bytes at the front are of the class. */
static size_t
run_of(struct span s, unsigned class)
{
	size_t i = 0;

	while (i < s.n && (http_head_class[s.p[i]] & class) != 0)
		i++;
	return i;
}

/* Of eight bytes: is none a control character? Tabs are looked at by one. */
static bool
is_plain(uint64_t x)
{
	const uint64_t ones = UINT64_MAX / 255, high = ones << 7;
	uint64_t del = x ^ ones * 0x7f;

	/* a byte below 0x20 or equal to 0x7f borrows into its high bit */
	return (((x - ones * 0x20) & ~x) & high) == 0 &&
	    (((del - ones) & ~del) & high) == 0;
}

/* run_of(s, HTTP_CH_VALUE), eight bytes at a time where that can be. */
static size_t
value_run(struct span s)
{
	size_t i = 0;
	uint64_t x;

	while (s.n - i >= sizeof x) {
		memcpy(&x, &s.p[i], sizeof x);
		if (!is_plain(x))
			break;
		i += sizeof x;
	}
	return i + run_of(span_sub(s, i, s.n), HTTP_CH_VALUE);
}

static bool
is_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* 1*DIGIT: leading zeros are digits too (RFC 9110 8.6). */
static bool
number(struct span s, uint64_t max, uint64_t *out)
{
	while (s.n > 1 && s.p[0] == '0')
		s = span_sub(s, 1, s.n);
	return span_u64(s, max, out);
}

/* ---- The first line ---- */

static enum http_m
method_of(struct span s)
{
	static const struct { const char *name; enum http_m m; } known[] = {
		{ "GET", HTTP_M_GET }, { "POST", HTTP_M_POST },
		{ "HEAD", HTTP_M_HEAD }, { "PUT", HTTP_M_PUT },
		{ "PATCH", HTTP_M_PATCH }, { "DELETE", HTTP_M_DELETE },
		{ "OPTIONS", HTTP_M_OPTIONS }, { "TRACE", HTTP_M_TRACE },
		{ "CONNECT", HTTP_M_CONNECT }
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (span_eq(s, span_str(known[i].name)))
			return known[i].m;
	return HTTP_M_OTHER;
}

/* RFC 9112 2.3: "HTTP/1.1"; its digits. */
static bool
is_version(struct span s, uint8_t *major, uint8_t *minor)
{
	if (s.n != 8 || !span_starts(s, SPAN("HTTP/")) || s.p[6] != '.' ||
	    !is_digits(span_sub(s, 5, 1)) || !is_digits(span_sub(s, 7, 1)))
		return false;
	*major = (uint8_t)(s.p[5] - '0');
	*minor = (uint8_t)(s.p[7] - '0');
	return true;
}

/* RFC 9112 3: method SP request-target SP HTTP-version. */
static bool
parse_request_line(struct span line, const struct http_limits *limits,
    struct http_msg *m, struct http_bad *bad)
{
	size_t method = run_of(line, HTTP_CH_TOKEN), target;
	struct span rest = span_sub(line, method + 1, line.n);
	uint8_t major;

	if (method == 0 || method >= line.n || line.p[method] != ' ')
		return fail(bad, 400, "malformed request line");
	target = run_of(rest, HTTP_CH_TARGET);
	m->method_text = span_sub(line, 0, method);
	m->target = span_sub(rest, 0, target);
	if (target < rest.n && rest.p[target] != ' ')
		return fail(bad, 400, "bad character in the request target");
	if (target == 0 || !is_version(span_sub(rest, target + 1, rest.n),
	    &major, &m->minor))
		return fail(bad, 400, "malformed request line");
	if (major != 1 || m->minor > 1)
		return fail(bad, 505, "version other than HTTP/1.0 and 1.1");
	if (target > limits->target_max)
		return fail(bad, 414, "target too long");
	m->method = method_of(m->method_text);
	/* RFC 9110 9.1: not implemented; 9.3.6: a tunnel we are not. */
	if (m->method == HTTP_M_OTHER || m->method == HTTP_M_CONNECT)
		return fail(bad, 501, "unknown method");
	return true;
}

/* RFC 9112 4: HTTP-version SP status-code SP [reason-phrase]. */
static bool
parse_status_line(struct span line, struct http_msg *m, struct http_bad *bad)
{
	struct span code = span_sub(line, 9, 3);
	struct span reason = span_sub(line, 12, line.n);
	uint64_t status;
	uint8_t major;

	if (!is_version(span_sub(line, 0, 8), &major, &m->minor) ||
	    line.n < 12 || line.p[8] != ' ' || !is_digits(code) ||
	    (reason.n > 0 && reason.p[0] != ' ') ||
	    run_of(reason, HTTP_CH_VALUE) != reason.n)
		return fail(bad, 502, "malformed status line");
	if (major != 1 || m->minor > 1)
		return fail(bad, 502, "version other than HTTP/1.0 and 1.1");
	if (!span_u64(code, 999, &status) || status < 100)
		return fail(bad, 502, "malformed status line");
	m->status = (uint16_t)status;
	return true;
}

/* ---- Fields ---- */

/* RFC 9110 5.6.1: the next member of a list; false at its end. */
static bool
next_member(struct span *list, struct span *out)
{
	size_t comma;

	if (list->p == NULL)
		return false;
	comma = span_find(*list, ',');
	*out = span_trim(span_sub(*list, 0, comma));
	if (comma < list->n)
		*list = span_sub(*list, comma + 1, list->n);
	else
		*list = span_of(NULL, 0);
	return true;
}

static void
note_codings(struct notes *t, struct span list)
{
	struct span one;

	while (next_member(&list, &one)) {
		bool chunked = span_eq_nocase(one, SPAN("chunked"));

		t->chunked_last = chunked;
		t->chunked_n += chunked;
		if (one.n == 0 || run_of(one, HTTP_CH_TOKEN) == 0 ||
		    span_starts(one, SPAN("chunked;")))
			t->coding_bad = true;
		else if (!chunked)
			t->coding_other = true;
	}
}

static void
note_connection(struct notes *t, struct span list)
{
	struct span one;

	while (next_member(&list, &one)) {
		t->close |= span_eq_nocase(one, SPAN("close"));
		t->keep_alive |= span_eq_nocase(one, SPAN("keep-alive"));
		t->upgrade |= span_eq_nocase(one, SPAN("upgrade"));
	}
}

static void
note_expect(struct notes *t, struct span list)
{
	struct span one;

	while (next_member(&list, &one)) {
		if (span_eq_nocase(one, SPAN("100-continue")))
			t->expect = true;
		else if (one.n > 0)
			t->expect_other = true;
	}
}

static void
note(struct notes *t, const struct http_field *f)
{
	switch (f->name.n) {	/* most fields are told by their length */
	case 4:
		if (span_eq_nocase(f->name, SPAN("host"))) {
			t->host = f->value;
			t->hosts++;
		}
		break;
	case 6:
		if (span_eq_nocase(f->name, SPAN("expect")))
			note_expect(t, f->value);
		break;
	case 10:
		if (span_eq_nocase(f->name, SPAN("connection")))
			note_connection(t, f->value);
		break;
	case 14:
		if (span_eq_nocase(f->name, SPAN("content-length"))) {
			t->length = f->value;
			t->lengths++;
		}
		break;
	case 17:
		if (span_eq_nocase(f->name, SPAN("transfer-encoding"))) {
			t->codings = true;
			note_codings(t, f->value);
		}
		break;
	default:
		break;
	}
}

/* RFC 9112 5: field-name ":" OWS field-value OWS, line by line. */
static bool
parse_fields(struct span s, const struct http_limits *limits,
    struct http_msg *m, struct notes *t, struct http_bad *bad)
{
	while (s.n > 2) {	/* the empty line is left */
		size_t name = run_of(s, HTTP_CH_TOKEN), value;
		struct http_field *f = &m->field[m->field_n];

		if (m->field_n == limits->fields_max ||
		    m->field_n == HTTP_FIELDS_MAX)
			return fail(bad, 431, "too many fields");
		if (name == 0 || name == s.n || s.p[name] != ':')
			return fail(bad, 400,
			    "a field's name is no token before a colon");
		f->name = span_sub(s, 0, name);
		s = span_sub(s, name + 1, s.n);
		value = value_run(s);
		f->value = span_trim(span_sub(s, 0, value));
		s = span_sub(s, value, s.n);
		if (s.n < 2 || s.p[0] != '\r')
			return fail(bad, 400,
			    "control character in a field's value");
		if (s.p[1] != '\n')
			return fail(bad, 400, "CR without LF in a field");
		s = span_sub(s, 2, s.n);
		m->field_n++;
		note(t, f);
	}
	return s.n == 2 || fail(bad, 400, "malformed head");
}

/* ---- What it means ---- */

/* RFC 3986 3.2.2: "[v6]" with its brackets. */
static bool
is_ip_literal(struct span s)
{
	size_t colons = 0;

	for (size_t i = 1; i + 1 < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' &&
		    (c | 0x20) <= 'f') && c != ':' && c != '.')
			return false;
		colons += c == ':';
	}
	return colons >= 2 && s.n <= 2 + 45;
}

static bool
is_reg_name(struct span s)
{
	uint8_t byte;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			if (!hex_decode(span_sub(s, i + 1, 2), &byte) ||
			    s.n - i < 3)
				return false;
			i += 2;
		} else if ((http_head_class[s.p[i]] & HTTP_CH_HOST) == 0) {
			return false;
		}
	}
	return s.n > 0 && s.n <= 255;
}

bool
http_is_authority(struct span s)
{
	size_t host = s.n > 0 && s.p[0] == '[' ? span_find(s, ']') + 1 :
	    span_find(s, ':');
	struct span port = span_sub(s, host + 1, s.n);
	uint64_t n;

	if (s.n == 0 || host > s.n || (host < s.n && s.p[host] != ':'))
		return false;
	if (port.n > 0 && !number(port, 65535, &n))
		return false;
	return s.p[0] == '[' ? is_ip_literal(span_sub(s, 0, host)) :
	    is_reg_name(span_sub(s, 0, host));
}

/* Path and query; RFC 9112 3.2: origin, absolute and asterisk form. */
static bool
split_target(struct http_msg *m)
{
	struct span t = m->target;
	size_t skip = 0, mark;

	if (span_eq(t, SPAN("*")) && m->method == HTTP_M_OPTIONS) {
		m->path = t;
		return true;
	}
	if (span_eq_nocase(span_sub(t, 0, 7), SPAN("http://")))
		skip = 7;
	else if (span_eq_nocase(span_sub(t, 0, 8), SPAN("https://")))
		skip = 8;
	if (skip > 0) {		/* 3.2.2: its authority replaces Host */
		t = span_sub(t, skip, t.n);
		for (mark = 0; mark < t.n && t.p[mark] != '/' &&
		    t.p[mark] != '?'; mark++)
			;
		m->host = span_sub(t, 0, mark);
		if (!http_is_authority(m->host))
			return false;
		t = span_sub(t, mark, t.n);
		/* 3.2.4: the server as a whole */
		if (t.n == 0 && m->method == HTTP_M_OPTIONS) {
			m->path = SPAN("*");
			return true;
		}
	} else if (t.n == 0 || t.p[0] != '/') {
		return false;
	}
	mark = span_find(t, '?');
	m->path = mark == 0 ? SPAN("/") : span_sub(t, 0, mark);
	m->query = span_sub(t, mark + 1, t.n);
	return true;
}

/* RFC 9112 6.1, 6.3: how the body is framed. */
static bool
frame_body(enum http_role role, const struct notes *t,
    const struct http_limits *limits, struct http_msg *m,
    struct http_bad *bad)
{
	m->length_known = true;
	if (t->codings && t->lengths > 0)
		return fail(bad, 400,
		    "both Transfer-Encoding and Content-Length");
	if (t->codings) {
		if (m->minor == 0)
			return fail(bad, 400,
			    "Transfer-Encoding in HTTP/1.0");
		if (t->coding_bad || t->chunked_n > 1 ||
		    (t->chunked_n == 1 && !t->chunked_last))
			return fail(bad, 400, "malformed transfer coding: "
			    "chunked has to be last, and once");
		if (t->coding_other)
			return fail(bad, 501, "unknown transfer coding");
		m->chunked = m->has_body = true;
		m->length_known = false;
		return true;
	}
	if (t->lengths > 1 || (t->lengths == 1 && !number(t->length,
	    UINT64_MAX >> 1, &m->length)))
		return fail(bad, 400, "bad Content-Length");
	if (t->lengths == 0 && role == HTTP_CLIENT)
		m->length_known = false;
	m->has_body = m->length > 0 || !m->length_known;
	return m->length <= limits->body_max ||
	    fail(bad, 413, "body too large");
}

/* What only requests have. */
static bool
check_request(const struct notes *t, struct http_msg *m,
    struct http_bad *bad)
{
	/* RFC 9112 3.2 */
	if (t->hosts > 1 || (m->minor == 1 && t->hosts == 0) ||
	    (t->host.n > 0 && !http_is_authority(t->host)))
		return fail(bad, 400, "Host missing, repeated or malformed");
	m->host = t->host;
	if (!split_target(m))
		return fail(bad, 400, "bad request target");
	/* RFC 9110 9.3.8 */
	if (m->method == HTTP_M_TRACE && m->has_body)
		return fail(bad, 400, "TRACE with a body");
	/* RFC 9110 10.1.1: 1.0 has no expectations. */
	if (m->minor == 1 && t->expect_other)
		return fail(bad, 417, "unknown expectation");
	m->expect_continue = m->minor == 1 && t->expect;
	return true;
}

bool
http_head_parse(struct span head, enum http_role role,
    const struct http_limits *limits, struct http_msg *m,
    struct http_bad *bad)
{
	size_t line = span_find(head, '\r');
	struct notes t = { 0 };

	memset(m, 0, offsetof(struct http_msg, field));
	m->field_n = 0;
	if (head.n < line + 2 || head.p[line + 1] != '\n')
		return fail(bad, 400, "CR without LF in the first line");
	if (role == HTTP_SERVER ? !parse_request_line(span_sub(head, 0, line),
	    limits, m, bad) : !parse_status_line(span_sub(head, 0, line), m,
	    bad))
		return false;
	if (!parse_fields(span_sub(head, line + 2, head.n), limits, m, &t,
	    bad) || !frame_body(role, &t, limits, m, bad))
		return false;
	if (role == HTTP_SERVER && !check_request(&t, m, bad))
		return false;
	/* RFC 9112 9.3; RFC 9110 7.8: 1.0 has no Upgrade. */
	m->upgrade = t.upgrade && m->minor == 1;
	m->keep_alive = !t.close && (m->minor == 1 || t.keep_alive);
	return true;
}
