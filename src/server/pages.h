/*
 * pages.h: documents that are made once, at start, and served as they are: by
 * reference, with an ETag.
 */
#ifndef SERVER_PAGES_H
#define SERVER_PAGES_H

#include "base/blob.h"
#include "server/call.h"

#define PAGES_ETAG_LEN 24	/* 16 bytes of a hash in base64url, in quotes */

struct jwt_keys;

struct page {
	const char *content_type;
	const char *cache;		/* Cache-Control */
	struct blob *body;
	char etag[PAGES_ETAG_LEN + 1];
};

/* Makes all of them. ERR_NOMEM, ERR_PROVIDER, ERR_SPACE. */
MUST_USE enum err pages_init(struct page pages[static CALL_PAGE_MAX],
    const struct jwt_keys *keys);
void pages_fini(struct page pages[static CALL_PAGE_MAX]);
/*
 * Does the field If-None-Match (RFC 9110 13.1.2) name the page as it is? The
 * weak comparison: W/ does not count.
 */
bool pages_is_known(const struct page *p, struct span none_match);

#endif
