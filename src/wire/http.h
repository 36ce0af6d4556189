/*
 * http.h: HTTP/1.1 messages (RFC 9110, RFC 9112), both directions: a reader of
 * requests (server) or of responses (client) and writers of both. Strict on
 * purpose: what two implementations could frame differently is refused.
 *
 * The reader works on the caller's input buffer and copies nothing. It takes
 * a head only when it is whole, so the caller keeps bytes that were not taken
 * and calls again with more behind them (at most limits.head_max of a head are
 * ever waiting); bodies are taken in whatever pieces they come. However the
 * input is split, the events are the same (pieces of a body joined).
 * Freestanding. Any thread.
 *
 *	http_in_init(&h, HTTP_SERVER, &limits);
 *	while ((ev = http_next(&h, in, &req, &used, &body)) != MORE) {
 *		in = rest behind used; handle ev; stop at HTTP_EV_BAD
 *	}
 */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/arena.h"
#include "base/bytes.h"
#include "wire/shape.h"

#define HTTP_FIELDS_MAX 128

enum http_role { HTTP_SERVER, HTTP_CLIENT };

/*
 * Methods that have a meaning here. Others are refused (501), and so is
 * CONNECT: nobody gets a tunnel; a request that was read is never one of them.
 */
enum http_m {
	HTTP_M_OTHER, HTTP_M_GET, HTTP_M_HEAD, HTTP_M_POST, HTTP_M_PUT,
	HTTP_M_PATCH, HTTP_M_DELETE, HTTP_M_OPTIONS, HTTP_M_TRACE,
	HTTP_M_CONNECT
};

struct http_limits {
	uint32_t head_max;	/* start line and fields, bytes */
	uint32_t target_max;	/* request target, bytes */
	uint32_t fields_max;	/* at most HTTP_FIELDS_MAX */
	uint64_t body_max;	/* bytes after removing chunks */
};

/* 32 KiB of head, 8 KiB of target, 128 fields, 1,000,000 bytes of body. */
extern const struct http_limits http_limits_default;

struct http_field { struct span name, value; };	/* value without OWS */

/*
 * A head. Spans point into the input buffer: good until the caller reuses
 * it. One struct serves all connections of a thread, one head at a time.
 */
struct http_msg {
	/* requests */
	enum http_m method;
	struct span method_text;
	struct span target;	/* as sent: origin or absolute form, or "*" */
	struct span path;	/* target before '?', still percent-coded; "*"
				   is the server as a whole (OPTIONS) */
	struct span query;	/* behind '?', still coded; empty: none */
	struct span host;	/* of the absolute form, else the one Host
				   field: host[:port], empty or well-formed */
	bool expect_continue;	/* send 100 before the body is awaited */
	/* responses */
	uint16_t status;
	/* both */
	uint8_t minor;		/* HTTP/1.minor: 0 or 1 */
	bool keep_alive;	/* the connection may carry another message */
	bool upgrade;		/* Connection names "upgrade" (see ws.h) */
	bool has_body;
	bool chunked;
	bool length_known;	/* Content-Length or no body */
	uint64_t length;	/* when known */
	struct http_field field[HTTP_FIELDS_MAX];
	size_t field_n;
};

enum http_ev {
	HTTP_EV_MORE,	/* needs more bytes behind those not taken */
	HTTP_EV_HEAD,	/* *msg is filled; pieces of a body and END follow */
	HTTP_EV_BODY,	/* *body is the next piece, not empty */
	HTTP_EV_END,	/* message complete. The next one may follow, or what
			 * the two ends agreed on (101): then call no more */
	HTTP_EV_BAD	/* refused; bad_status and bad_why; no way on */
};

/* Where the chunked coding stands (http_chunk.c). */
struct http_chunks {
	uint64_t left;		/* of the chunk */
	uint32_t extra_n;	/* bytes of extensions and trailers */
	uint8_t state, digits;
	uint8_t name_n, match;	/* of a trailer's name */
};

struct http_in {
	const struct http_limits *limits;
	uint64_t body_n;	/* bytes of this body so far */
	uint64_t left;		/* of a body with a length */
	struct http_chunks chunks;
	uint32_t scanned;	/* where the present line of a head begins */
	uint16_t bad_status;	/* 400 413 414 417 431 501 505; client: 502 */
	uint8_t role, state;
	uint8_t blank, interim;	/* empty lines; 1xx answers passed over */
	bool head_answer;	/* client: the request was HEAD */
	const char *bad_why;	/* literal for people */
};

/* limits are kept by reference. */
void http_in_init(struct http_in *h, enum http_role role,
    const struct http_limits *limits);
/*
 * The next event in `in`.
 *   msg   out  filled by HTTP_EV_HEAD only
 *   used  out  bytes taken, for every event; the rest has to come again
 *   body  out  the piece, for HTTP_EV_BODY only (within in)
 */
enum http_ev http_next(struct http_in *h, struct span in,
    struct http_msg *msg, size_t *used, struct span *body);
/* The peer has closed: HTTP_EV_END (a body that lasts until then),
 * HTTP_EV_MORE (between messages) or HTTP_EV_BAD (inside one). */
enum http_ev http_eof(struct http_in *h);
/* Client: the next answer is to a HEAD (or not): it has no body. */
void http_in_expect_head(struct http_in *h, bool head);

/*
 * host[:port] as RFC 3986 3.2 has it: an IPv6 address in brackets or a name of
 * at most 255 bytes, no user information; the port at most 65535, or empty.
 */
bool http_is_authority(struct span s);

/* A field's value, by name without case; {NULL,0}: absent. First of several. */
struct span http_find(const struct http_msg *m, const char *name);
/* How many fields have that name. */
size_t http_count(const struct http_msg *m, const char *name);
/* Does the comma-separated field (all of that name) hold the token? No case. */
bool http_has_token(const struct http_msg *m, const char *name,
    const char *token);
/* A cookie's value (RFC 6265 5.4 form); {NULL,0}: absent. */
struct span http_cookie(const struct http_msg *m, const char *name);
/* "Authorization: Bearer x": x; {NULL,0}: absent or another scheme. */
struct span http_bearer(const struct http_msg *m);
/* The media type without parameters equals type ("application/json"). */
bool http_is_type(const struct http_msg *m, const char *type);

/*
 * Percent-decoding, once. out has room for raw.n bytes. False for a cut or
 * non-hex escape, a NUL, or what is then not UTF-8. In queries '+' is a space.
 */
bool http_decode_path(struct span raw, uint8_t *out, size_t *n_out);
bool http_decode_query(struct span raw, uint8_t *out, size_t *n_out);
/*
 * Takes the next segment of a path ("/api/chats": "api", "chats"), still
 * coded, so that a coded slash divides nothing. False at the end.
 */
bool http_segment(struct span *path, struct span *raw_out);
/* Takes the next parameter of a query, still coded. False at the end. */
bool http_param(struct span *query, struct span *name_out,
    struct span *value_out);
/*
 * Decodes a part of a query as browsers do (WHATWG URL 5.1): '+' is a space,
 * a % that begins no escape is itself, what is then not UTF-8 is U+FFFD.
 * Returns how many bytes; out has room for HTTP_FORM_MAX(raw.n).
 */
#define HTTP_FORM_MAX(n) (3 * (n))
size_t http_decode_form(struct span raw, uint8_t *out);
/* Writes s percent-coded as a path segment or query value. */
void http_put_coded(struct wr *w, struct span s);

/* ------------------------------------------------------------- writing -- */

/* "HTTP/1.1 200 OK\r\n" */
void http_put_status(struct wr *w, unsigned status);
/* "GET /x HTTP/1.1\r\nHost: h\r\n" */
void http_put_request(struct wr *w, const char *method, struct span target,
    struct span host);
/* "name: value\r\n". w turns bad on CR, LF or NUL in the value. */
void http_put_field(struct wr *w, const char *name, struct span value);
void http_put_field_str(struct wr *w, const char *name, const char *value);
void http_put_field_u64(struct wr *w, const char *name, uint64_t value);
/* "Date: Sat, 21 Nov 2026 09:08:51 GMT\r\n" (RFC 9110 5.6.7) */
void http_put_date(struct wr *w, const char *name, uint64_t unix_ms);
/* "\r\n" */
void http_put_end(struct wr *w);
/* A chunk's head ("1f4\r\n"), its end ("\r\n") and the last one ("0\r\n\r\n"). */
void http_put_chunk(struct wr *w, size_t n);
void http_put_chunk_end(struct wr *w);
void http_put_chunk_last(struct wr *w);
/* "OK", "Not Found"; "Unknown" for a status without a name. */
const char *http_reason(unsigned status);

#endif
