/*
 * http.c: reading HTTP/1.1 messages. See http.h; a head's text is read in
 * http_head.c, chunks in http_chunk.c, what is asked of a message is in
 * http_msg.c, writing in http_put.c.
 *
 * Implementation notes: a head is looked for line by line in the waiting
 * bytes (h->scanned: where the present line begins), and only a whole one is
 * parsed, so all that its spans point at lies in one buffer.
 */
#include "wire/http_in.h"

#define TARGET_SLACK 64		/* method, version and spaces of a line */
#define METHOD_MAX 32		/* bytes in which a method has to end */
#define BLANK_MAX 4		/* empty lines before a message */
#define INTERIM_MAX 16		/* 1xx answers before the real one */

enum state { S_HEAD, S_LENGTH, S_CHUNKED, S_EOF, S_END, S_BAD };

const struct http_limits http_limits_default = {
	.head_max = 32768, .target_max = 8192, .fields_max = HTTP_FIELDS_MAX,
	.body_max = 1000000
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

/* RFC 9112 3: what is too long in the first line says which status it is. */
static enum http_ev
long_line(struct http_in *h, struct span line)
{
	if (span_find(span_sub(line, 0, METHOD_MAX), ' ') == METHOD_MAX)
		return bad(h, 501, "unknown method");
	return bad(h, 414, "start line too long");
}

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
			return long_line(h, rest);
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

/* The whole head: parsed, checked, and the state of its body set. */
static enum http_ev
take_head(struct http_in *h, struct span head, struct http_msg *m)
{
	struct http_bad why;

	if (!http_head_parse(head, (enum http_role)h->role, h->limits, m,
	    &why))
		return bad(h, why.status, why.why);
	if (h->role == HTTP_CLIENT)
		check_response(h, m);
	/* RFC 9112 6.3: a body that lasts until the end of the connection. */
	if (m->has_body && !m->chunked && !m->length_known)
		m->keep_alive = false;
	h->left = m->length;
	h->blank = 0;
	if (!m->has_body)
		h->state = S_END;
	else if (m->chunked)
		h->state = S_CHUNKED;
	else
		h->state = m->length_known ? S_LENGTH : S_EOF;
	if (m->chunked)
		http_chunk_init(&h->chunks);
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
	struct http_bad why;
	enum http_ev ev = http_chunk_next(&h->chunks, in,
	    h->limits->head_max, used, body, &why);

	if (ev == HTTP_EV_BAD)
		return bad(h, why.status, why.why);
	if (ev == HTTP_EV_BODY) {
		h->body_n += body->n;
		if (h->body_n > h->limits->body_max)
			return bad(h, 413, "body too large");
	}
	return ev;
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
