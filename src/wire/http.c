/*
 * http.c: reading HTTP/1.1 messages. See http.h; what is asked of
 * a message is in http_msg.c, writing in http_put.c.
 *
 * Implementation notes: a head is looked for line by line in the waiting
 * bytes (h->scanned: where the present line begins), and only a whole one is
 * given to llhttp, so all that llhttp points at lies in one buffer. llhttp
 * runs strict; what it lets through and RFC 9112 wants refused is checked
 * here: bare LF, folded lines, Host, codings other than chunked, versions.
 * Bodies with a length are counted here; chunked ones go through llhttp,
 * which is paused at every piece. What its callbacks need is in struct ctx,
 * on the stack of the call.
 */
#include "wire/http.h"

#include <llhttp.h>

#include "base/text.h"

#define TARGET_SLACK 64		/* method, version and spaces of a line */
#define BLANK_MAX 4		/* empty lines before a message */
#define INTERIM_MAX 16		/* 1xx answers before the real one */

enum state { S_HEAD, S_LENGTH, S_CHUNKED, S_EOF, S_END, S_BAD };

const struct http_limits http_limits_default = {
	.head_max = 32768, .target_max = 8192, .fields_max = HTTP_FIELDS_MAX,
	.body_max = 1000000
};

struct ctx {
	struct http_in *h;
	struct http_msg *msg;	/* NULL: not in a head */
	struct span piece;
	bool head_done, done;
	uint16_t status;	/* of a refusal of our own */
	const char *why;
};

_Static_assert(sizeof(llhttp_t) <= sizeof(((struct http_in *)0)->ll),
    "room for llhttp");

static llhttp_t *
ll_of(struct http_in *h)
{
	return (llhttp_t *)(void *)h->ll;
}

/* ---------------------------------------------------- llhttp's calls -- */

static int
refuse(struct ctx *c, uint16_t status, const char *why)
{
	c->status = status;
	c->why = why;
	return -1;
}

static void
join(struct span *s, const char *p, size_t n)
{
	if (s->p == NULL)
		*s = span_of(p, n);
	else
		s->n += n;
}

static int
on_method(llhttp_t *ll, const char *p, size_t n)
{
	struct ctx *c = ll->data;

	join(&c->msg->method_text, p, n);
	return 0;
}

static int
on_url(llhttp_t *ll, const char *p, size_t n)
{
	struct ctx *c = ll->data;

	join(&c->msg->target, p, n);
	return 0;
}

/* Chunk extensions and trailers: not used, but limited. */
static int
on_extra(llhttp_t *ll, const char *p, size_t n)
{
	struct ctx *c = ll->data;

	(void)p;
	c->h->extra_n += (uint32_t)n;
	if (n > c->h->limits->head_max ||
	    c->h->extra_n > c->h->limits->head_max)
		return refuse(c, 431, "chunk extensions or trailers too long");
	return 0;
}

static int
on_field(llhttp_t *ll, const char *p, size_t n)
{
	struct ctx *c = ll->data;
	struct http_msg *m = c->msg;

	if (m == NULL)
		return on_extra(ll, p, n);
	if (m->field_n >= c->h->limits->fields_max ||
	    m->field_n >= HTTP_FIELDS_MAX)
		return refuse(c, 431, "too many fields");
	m->field[m->field_n++] = (struct http_field){ span_of(p, n),
	    { NULL, 0 } };
	return 0;
}

static int
on_value(llhttp_t *ll, const char *p, size_t n)
{
	struct ctx *c = ll->data;

	if (c->msg == NULL)
		return on_extra(ll, p, n);
	if (c->msg->field_n > 0)
		join(&c->msg->field[c->msg->field_n - 1].value, p, n);
	return 0;
}

static int
on_headers(llhttp_t *ll)
{
	struct ctx *c = ll->data;

	c->head_done = true;
	return c->h->role == HTTP_CLIENT && c->h->head_answer ? 1 : 0;
}

static int
on_body(llhttp_t *ll, const char *p, size_t n)
{
	struct ctx *c = ll->data;

	c->piece = span_of(p, n);
	return HPE_PAUSED;
}

static int
on_complete(llhttp_t *ll)
{
	struct ctx *c = ll->data;

	c->done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t calls = {
	.on_method = on_method, .on_url = on_url, .on_header_field = on_field,
	.on_header_value = on_value, .on_headers_complete = on_headers,
	.on_body = on_body, .on_message_complete = on_complete,
	.on_chunk_extension_name = on_extra,
	.on_chunk_extension_value = on_extra
};

/* --------------------------------------------------------------- state -- */

static enum http_ev
bad(struct http_in *h, uint16_t status, const char *why)
{
	h->state = S_BAD;
	h->bad_status = h->role == HTTP_CLIENT ? 502 : status;
	h->bad_why = why;
	return HTTP_EV_BAD;
}

static void
new_message(struct http_in *h)
{
	h->state = S_HEAD;
	h->scanned = 0;
	h->body_n = 0;
	h->left = 0;
	h->extra_n = 0;
	llhttp_init(ll_of(h), h->role == HTTP_SERVER ? HTTP_REQUEST :
	    HTTP_RESPONSE, &calls);
}

void
http_in_init(struct http_in *h, enum http_role role,
    const struct http_limits *limits)
{
	memset(h, 0, sizeof *h);
	h->role = (uint8_t)role;
	h->limits = limits;
	new_message(h);
}

void
http_in_expect_head(struct http_in *h, bool head)
{
	h->head_answer = head;
}

/* ---------------------------------------------------------------- head -- */

/*
 * Looks on for the end of the head. HTTP_EV_HEAD: it is *n bytes long.
 * RFC 9112 2.2: lines end with CRLF; a bare LF is where proxies disagree.
 */
static enum http_ev
find_head(struct http_in *h, struct span in, size_t *n)
{
	for (;;) {
		size_t line = h->scanned;
		struct span rest = span_sub(in, line, in.n);
		size_t lf = span_find(rest, '\n'), end = line + lf;

		/* RFC 9110 9.1: a method is a token; often it is TLS. */
		if (line == 0 && rest.n > 0 && h->role == HTTP_SERVER &&
		    (rest.p[0] < 0x20 || rest.p[0] >= 0x7f))
			return bad(h, 400, "not HTTP (is it TLS?)");
		if (line == 0 && lf > h->limits->target_max + TARGET_SLACK)
			return bad(h, h->role == HTTP_SERVER ? 414 : 502,
			    "start line too long");
		if (end >= h->limits->head_max)
			return bad(h, 431, "head too long");
		if (lf == rest.n)
			return HTTP_EV_MORE;
		if (lf == 0 || rest.p[lf - 1] != '\r')
			return bad(h, 400, "line ends without CR");
		if (line > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'))
			return bad(h, 400, "folded line");
		h->scanned = (uint32_t)(end + 1);
		if (lf == 1) {
			*n = end + 1;
			return HTTP_EV_HEAD;
		}
	}
}

/* RFC 9112 2.2: an empty line before a message is passed over. */
static enum http_ev
skip_blank(struct http_in *h, struct span in, size_t *used)
{
	while (h->scanned == 0 && *used < in.n &&
	    (in.p[*used] == '\r' || in.p[*used] == '\n')) {
		if (in.p[*used] == '\n' || h->blank >= BLANK_MAX ||
		    (*used + 1 < in.n && in.p[*used + 1] != '\n'))
			return bad(h, 400, "stray line end");
		if (*used + 1 == in.n)
			return HTTP_EV_MORE;
		*used += 2;
		h->blank++;
	}
	return HTTP_EV_HEAD;
}

static enum http_m
method_of(struct span s)
{
	static const struct { const char *name; enum http_m m; } known[] = {
		{ "DELETE", HTTP_M_DELETE }, { "GET", HTTP_M_GET },
		{ "HEAD", HTTP_M_HEAD }, { "OPTIONS", HTTP_M_OPTIONS },
		{ "PATCH", HTTP_M_PATCH }, { "POST", HTTP_M_POST },
		{ "PUT", HTTP_M_PUT }
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (span_eq(s, span_str(known[i].name)))
			return known[i].m;
	return HTTP_M_OTHER;
}

static struct span
trim(struct span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_sub(s, 1, s.n);
	return s;
}

/* RFC 9110 7.2, RFC 3986 3.2: what may stand in Host. */
static bool
is_host(struct span s)
{
	static const char extra[] = "-._~%!$&'()*+,;=:[]";

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' &&
		    (c | 0x20) <= 'z') && (c == 0 ||
		    strchr(extra, c) == NULL))
			return false;
	}
	return true;
}

/* Path and query; RFC 9112 3.2: origin, absolute and asterisk form. */
static bool
split_target(struct http_msg *m)
{
	struct span t = m->target;
	size_t skip = 0, mark;

	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] <= 0x20 || t.p[i] >= 0x7f || t.p[i] == '#')
			return false;
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
		if (mark == 0 || !is_host(m->host))
			return false;
		t = span_sub(t, mark, t.n);
	} else if (t.n == 0 || t.p[0] != '/') {
		return false;
	}
	mark = span_find(t, '?');
	m->path = mark == 0 ? SPAN("/") : span_sub(t, 0, mark);
	m->query = span_sub(t, mark + 1, t.n);
	return true;
}

/* Framing of the body (RFC 9112 6.3); 0 or the status of a refusal. */
static uint16_t
frame_body(struct http_in *h, struct http_msg *m, const char **why)
{
	size_t codings = http_count(m, "transfer-encoding");
	size_t lengths = http_count(m, "content-length");

	m->length_known = true;
	if (codings > 0 && lengths > 0) {
		*why = "both Transfer-Encoding and Content-Length";
		return 400;
	}
	if (codings > 0) {
		*why = "unknown transfer coding";
		if (codings > 1 || !span_eq_nocase(http_find(m,
		    "transfer-encoding"), SPAN("chunked")))
			return 501;
		*why = "Transfer-Encoding in HTTP/1.0";
		if (m->minor == 0)
			return 400;
		m->chunked = m->has_body = true;
		m->length_known = false;
		return 0;
	}
	*why = "bad Content-Length";
	if (lengths > 1 || (lengths == 1 && !span_u64(http_find(m,
	    "content-length"), UINT64_MAX >> 1, &m->length)))
		return 400;
	if (lengths == 0 && h->role == HTTP_CLIENT)
		m->length_known = false;
	m->has_body = m->length > 0 || !m->length_known;
	*why = "body too large";
	return m->length > h->limits->body_max ? 413 : 0;
}

/* What only requests have; 0 or the status of a refusal. */
static uint16_t
check_request(struct http_msg *m, const char **why)
{
	struct span expect = http_find(m, "expect");

	*why = "Host missing, repeated or malformed";
	if (http_count(m, "host") > 1 ||
	    (m->minor == 1 && http_count(m, "host") == 0))
		return 400;
	m->host = http_find(m, "host");
	if (!is_host(m->host))
		return 400;
	*why = "bad request target";
	if (!split_target(m))
		return 400;
	*why = "unknown expectation";
	if (expect.n > 0 && m->minor == 1) {
		if (!span_eq_nocase(expect, SPAN("100-continue")))
			return 417;
		m->expect_continue = true;
	}
	return 0;
}

/* RFC 9110 8.6, 15.3.5, 15.4.5: answers that have no body, ever. */
static void
check_response(struct http_in *h, struct http_msg *m)
{
	if (h->head_answer || m->status < 200 || m->status == 204 ||
	    m->status == 304) {
		m->has_body = m->chunked = false;
		m->length_known = true;
		m->length = 0;
	}
}

static uint16_t
check_head(struct http_in *h, struct http_msg *m, const char **why)
{
	const llhttp_t *ll = ll_of(h);
	uint16_t status;

	*why = "version other than HTTP/1.0 and 1.1";
	if (ll->http_major != 1 || ll->http_minor > 1)
		return 505;
	*why = "target too long";
	if (m->target.n > h->limits->target_max)
		return 414;
	m->minor = ll->http_minor;
	m->status = ll->status_code;
	m->method = method_of(m->method_text);
	for (size_t i = 0; i < m->field_n; i++)
		m->field[i].value = trim(m->field[i].value);
	status = frame_body(h, m, why);
	if (status == 0 && h->role == HTTP_SERVER)
		status = check_request(m, why);
	if (status != 0)
		return status;
	if (h->role == HTTP_CLIENT)
		check_response(h, m);
	m->upgrade = http_has_token(m, "connection", "upgrade");
	m->keep_alive = m->minor == 1 ?
	    !http_has_token(m, "connection", "close") :
	    http_has_token(m, "connection", "keep-alive");
	if (m->has_body && !m->chunked && !m->length_known)
		m->keep_alive = false;
	return 0;
}

/* What llhttp refused, as a status. */
static enum http_ev
bad_head(struct http_in *h, const struct ctx *c, llhttp_errno_t e)
{
	if (c->status != 0)
		return bad(h, c->status, c->why);
	if (e == HPE_INVALID_METHOD)
		return bad(h, 501, "unknown method");
	if (e == HPE_INVALID_VERSION)
		return bad(h, 505, "unknown version");
	if (e == HPE_INVALID_TRANSFER_ENCODING &&
	    http_count(c->msg, "content-length") == 0)
		return bad(h, 501, "unknown transfer coding");
	return bad(h, 400, llhttp_get_error_reason(ll_of(h)) != NULL ?
	    llhttp_get_error_reason(ll_of(h)) : "malformed head");
}

/* RFC 9112 3: single spaces; llhttp takes several before the target. */
static bool
is_request_line(struct span head, const struct http_msg *m)
{
	return span_find(head, '\n') + 1 == m->method_text.n + 1 +
	    m->target.n + sizeof " HTTP/1.1\r\n" - 1;
}

/* The whole head: parsed, checked, and the state of its body set. */
static enum http_ev
take_head(struct http_in *h, struct span head, struct http_msg *m)
{
	struct ctx c = { .h = h, .msg = m };
	llhttp_t *ll = ll_of(h);
	llhttp_errno_t e;
	const char *why;
	uint16_t status;

	memset(m, 0, offsetof(struct http_msg, field));
	m->field_n = 0;
	ll->data = &c;
	e = llhttp_execute(ll, (const char *)head.p, head.n);
	ll->data = NULL;
	if (!c.head_done || (e != HPE_OK && e != HPE_PAUSED &&
	    e != HPE_PAUSED_UPGRADE))
		return bad_head(h, &c, e);
	if (h->role == HTTP_SERVER && !is_request_line(head, m))
		return bad(h, 400, "malformed request line");
	status = check_head(h, m, &why);
	if (status != 0)
		return bad(h, status, why);
	h->left = m->length;
	h->blank = 0;
	if (!m->has_body)
		h->state = S_END;
	else if (m->chunked)
		h->state = S_CHUNKED;
	else
		h->state = m->length_known ? S_LENGTH : S_EOF;
	return HTTP_EV_HEAD;
}

/* ---------------------------------------------------------------- body -- */

static enum http_ev
take_counted(struct http_in *h, struct span in, size_t *used,
    struct span *body)
{
	uint64_t n = in.n;

	if (h->state == S_LENGTH && n > h->left)
		n = h->left;
	if (n == 0)
		return HTTP_EV_MORE;
	h->body_n += n;
	if (h->body_n > h->limits->body_max)
		return bad(h, 413, "body too large");
	if (h->state == S_LENGTH) {
		h->left -= n;
		if (h->left == 0)
			h->state = S_END;
	}
	*body = span_sub(in, 0, (size_t)n);
	*used = (size_t)n;
	return HTTP_EV_BODY;
}

static enum http_ev
take_chunked(struct http_in *h, struct span in, size_t *used,
    struct span *body)
{
	struct ctx c = { .h = h };
	llhttp_t *ll = ll_of(h);
	llhttp_errno_t e;

	if (in.n == 0)
		return HTTP_EV_MORE;
	ll->data = &c;
	e = llhttp_execute(ll, (const char *)in.p, in.n);
	ll->data = NULL;
	*used = in.n;
	if (e == HPE_PAUSED || e == HPE_PAUSED_UPGRADE) {
		*used = (size_t)((const uint8_t *)llhttp_get_error_pos(ll) -
		    in.p);
		if (e == HPE_PAUSED)
			llhttp_resume(ll);
	} else if (e != HPE_OK) {
		return c.status != 0 ? bad(h, c.status, c.why) :
		    bad(h, 400, "malformed chunk");
	}
	if (c.done)
		h->state = S_END;
	if (c.piece.n == 0)
		return c.done ? HTTP_EV_END : HTTP_EV_MORE;
	h->body_n += c.piece.n;
	if (h->body_n > h->limits->body_max)
		return bad(h, 413, "body too large");
	*body = c.piece;
	return HTTP_EV_BODY;
}

static enum http_ev
next_head(struct http_in *h, struct span in, struct http_msg *msg,
    size_t *used)
{
	size_t n = 0, blank = 0;
	enum http_ev ev;

	for (;;) {
		ev = skip_blank(h, span_sub(in, *used, in.n), &blank);
		*used += blank;
		blank = 0;
		if (ev == HTTP_EV_HEAD)
			ev = find_head(h, span_sub(in, *used, in.n), &n);
		if (ev != HTTP_EV_HEAD)
			return ev;
		ev = take_head(h, span_sub(in, *used, n), msg);
		if (ev != HTTP_EV_HEAD)
			return ev;
		*used += n;
		if (h->role == HTTP_SERVER || msg->status >= 200 ||
		    msg->status == 101)
			break;
		/* RFC 9110 15.2: interim answers are passed over. */
		if (++h->interim > INTERIM_MAX)
			return bad(h, 502, "too many interim answers");
		new_message(h);
	}
	h->interim = 0;
	return HTTP_EV_HEAD;
}

enum http_ev
http_next(struct http_in *h, struct span in, struct http_msg *msg,
    size_t *used, struct span *body)
{
	enum http_ev ev;

	*used = 0;
	*body = span_of(NULL, 0);
	switch ((enum state)h->state) {
	case S_HEAD:
		return next_head(h, in, msg, used);
	case S_LENGTH:
	case S_EOF:
		return take_counted(h, in, used, body);
	case S_CHUNKED:
		ev = take_chunked(h, in, used, body);
		if (ev == HTTP_EV_END)
			new_message(h);
		return ev;
	case S_END:
		new_message(h);
		return HTTP_EV_END;
	case S_BAD:
		break;
	}
	return HTTP_EV_BAD;
}

enum http_ev
http_eof(struct http_in *h)
{
	switch ((enum state)h->state) {
	case S_HEAD:
		return h->scanned == 0 ? HTTP_EV_MORE :
		    bad(h, 400, "connection closed inside a head");
	case S_END:
	case S_EOF:
		new_message(h);
		return HTTP_EV_END;
	case S_LENGTH:
	case S_CHUNKED:
		return bad(h, 400, "connection closed inside a body");
	case S_BAD:
		break;
	}
	return HTTP_EV_BAD;
}
