/*
 * http_msg.c: what is asked of a message that was read: fields, cookies, path
 * and query. See http.h.
 */
#include "base/text.h"
#include "wire/http.h"

/* -------------------------------------------------------------- fields -- */

static struct span
find_from(const struct http_msg *m, const char *name, size_t *at)
{
	struct span want = span_str(name);

	for (; *at < m->field_n; ++*at)
		if (span_eq_nocase(m->field[*at].name, want))
			return m->field[(*at)++].value.p != NULL ?
			    m->field[*at - 1].value : SPAN("");
	return span_of(NULL, 0);
}

struct span
http_find(const struct http_msg *m, const char *name)
{
	size_t at = 0;

	return find_from(m, name, &at);
}

size_t
http_count(const struct http_msg *m, const char *name)
{
	size_t at = 0, n = 0;

	while (find_from(m, name, &at).p != NULL)
		n++;
	return n;
}

bool
http_has_token(const struct http_msg *m, const char *name, const char *token)
{
	size_t at = 0;
	struct span s;

	while ((s = find_from(m, name, &at)).p != NULL)
		while (s.n > 0) {
			size_t comma = span_find(s, ',');

			if (span_eq_nocase(span_trim(span_sub(s, 0, comma)),
			    span_str(token)))
				return true;
			s = span_sub(s, comma + 1, s.n);
		}
	return false;
}

struct span
http_cookie(const struct http_msg *m, const char *name)
{
	size_t at = 0;
	struct span s;

	while ((s = find_from(m, "cookie", &at)).p != NULL)
		while (s.n > 0) {
			size_t semi = span_find(s, ';');
			struct span pair = span_trim(span_sub(s, 0, semi));
			size_t eq = span_find(pair, '=');

			if (eq < pair.n && span_eq(span_sub(pair, 0, eq),
			    span_str(name)))
				return span_sub(pair, eq + 1, pair.n);
			s = span_sub(s, semi + 1, s.n);
		}
	return span_of(NULL, 0);
}

struct span
http_bearer(const struct http_msg *m)
{
	struct span s = http_find(m, "authorization");

	if (http_count(m, "authorization") != 1 ||
	    !span_eq_nocase(span_sub(s, 0, 7), SPAN("Bearer ")))
		return span_of(NULL, 0);
	return span_trim(span_sub(s, 7, s.n));
}

bool
http_is_type(const struct http_msg *m, const char *type)
{
	struct span s = http_find(m, "content-type");

	return http_count(m, "content-type") == 1 && span_eq_nocase(
	    span_trim(span_sub(s, 0, span_find(s, ';'))), span_str(type));
}

const char *
http_reason(unsigned status)
{
	static const struct { unsigned status; const char *text; } known[] = {
		{ 100, "Continue" }, { 101, "Switching Protocols" },
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" },
		{ 204, "No Content" }, { 206, "Partial Content" },
		{ 301, "Moved Permanently" }, { 302, "Found" },
		{ 303, "See Other" }, { 304, "Not Modified" },
		{ 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
		{ 408, "Request Timeout" }, { 409, "Conflict" },
		{ 410, "Gone" }, { 411, "Length Required" },
		{ 412, "Precondition Failed" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" }, { 426, "Upgrade Required" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" }
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].status == status)
			return known[i].text;
	return "Unknown";
}

/* ------------------------------------------------------------- targets -- */

static bool
decode(struct span raw, bool plus, uint8_t *out, size_t *n_out)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		uint8_t c = raw.p[i];

		if (c == '%') {
			if (raw.n - i < 3 || !hex_decode(span_sub(raw, i + 1,
			    2), &c) || c == 0)
				return false;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	*n_out = n;
	return utf8_valid(span_of(out, n));
}

bool
http_decode_path(struct span raw, uint8_t *out, size_t *n_out)
{
	return decode(raw, false, out, n_out);
}

bool
http_decode_query(struct span raw, uint8_t *out, size_t *n_out)
{
	return decode(raw, true, out, n_out);
}

bool
http_segment(struct span *path, struct span *raw_out)
{
	size_t slash;

	if (path->n == 0)
		return false;
	if (path->p[0] == '/')
		*path = span_sub(*path, 1, path->n);
	slash = span_find(*path, '/');
	*raw_out = span_sub(*path, 0, slash);
	*path = span_sub(*path, slash, path->n);
	return true;
}

bool
http_param(struct span *query, struct span *name_out, struct span *value_out)
{
	while (query->n > 0) {
		size_t amp = span_find(*query, '&');
		struct span pair = span_sub(*query, 0, amp);
		size_t eq = span_find(pair, '=');

		*query = span_sub(*query, amp + 1, query->n);
		if (pair.n == 0)
			continue;
		*name_out = span_sub(pair, 0, eq);
		*value_out = span_sub(pair, eq + 1, pair.n);
		return true;
	}
	return false;
}

size_t
http_decode_form(struct span raw, uint8_t *out)
{
	/* Bytes first, at the end of out: characters are at most three for
	 * one of them, so that they never reach what is still to be read. */
	uint8_t *bytes = &out[2 * raw.n], c;
	size_t n = 0, at = 0, put = 0;
	uint32_t code;

	for (size_t i = 0; i < raw.n; i++) {
		c = raw.p[i] == '+' ? ' ' : raw.p[i];
		if (c == '%' && raw.n - i >= 3 &&
		    hex_decode(span_sub(raw, i + 1, 2), &c))
			i += 2;
		bytes[n++] = c;
	}
	while (at < n) {
		uint8_t utf[4];
		size_t len;

		at += utf8_next(span_of(&bytes[at], n - at), &code);
		len = utf8_put(code, utf);
		memcpy(&out[put], utf, len);
		put += len;
	}
	return put;
}
