/*
 * http_in.h: what the files of the HTTP reader share: classes of characters,
 * the head as text (http_head.c), the chunked coding (http_chunk.c). Users
 * include http.h. Freestanding.
 */
#ifndef WIRE_HTTP_IN_H
#define WIRE_HTTP_IN_H

#include "wire/http.h"

#define HTTP_CH_TOKEN  1u	/* RFC 9110 5.6.2: tchar */
#define HTTP_CH_VALUE  2u	/* RFC 9110 5.5: VCHAR, obs-text, SP, HTAB */
#define HTTP_CH_TARGET 4u	/* of a request target, whatever its form */
#define HTTP_CH_HOST   8u	/* RFC 3986 3.2.2: reg-name but for '%' */

/* The classes of each byte. */
extern const uint8_t http_head_class[256];

/* A refusal: the status for a server to answer, and why (a literal). */
struct http_bad {
	uint16_t status;
	const char *why;
};

/*
 * Parses and checks a whole head, from its first line to the empty line: all
 * that can be said of it alone (RFC 9112 2 to 6, RFC 9110 7.2, 10.1.1). False:
 * *bad says why; for the client's role its status means nothing.
 */
bool http_head_parse(struct span head, enum http_role role,
    const struct http_limits *limits, struct http_msg *m,
    struct http_bad *bad);

/* A body's chunks begin. */
void http_chunk_init(struct http_chunks *c);
/*
 * The next event: HTTP_EV_MORE, HTTP_EV_BODY (*piece), HTTP_EV_END or
 * HTTP_EV_BAD (*bad). extra_max: bytes of extensions and trailers allowed.
 */
enum http_ev http_chunk_next(struct http_chunks *c, struct span in,
    uint32_t extra_max, size_t *used, struct span *piece,
    struct http_bad *bad);

#endif
