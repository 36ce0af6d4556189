/* pages.c: what is the same for everybody as long as the process lives. */
#include "server/pages.h"

#include <stdlib.h>

#include "base/text.h"
#include "crypto/host.h"
#include "server/jwt.h"
#include "server/openapi.h"

#define ETAG_BYTES 16

/* Takes the text over; the ETag follows from it. */
static enum err
page_set(struct page *p, const char *type, const char *cache, struct span text)
{
	uint8_t sum[SHA256_LEN];
	char tag[32];
	size_t n;

	TRY(host_sha256(text, sum));
	n = base64url_encode(span_of(sum, ETAG_BYTES), tag);
	p->content_type = type;
	p->cache = cache;
	p->etag[0] = p->etag[n + 1] = '"';
	memcpy(p->etag + 1, tag, n);
	p->etag[n + 2] = '\0';
	p->body = blob_dup(text);
	return p->body != NULL ? OK : ERR_NOMEM;
}

/* Keys change at a restart: who checks tokens looks again in time. */
static enum err
make_jwks(struct page *p, const struct jwt_keys *keys)
{
	uint8_t text[JWT_SET_MAX];
	struct wr w = wr_init(text, sizeof(text));

	TRY(jwt_set(keys, &w));
	if (!wr_ok(&w))
		return ERR_SPACE;
	return page_set(p, "application/jwk-set+json", "public, max-age=300",
	    wr_done(&w));
}

static enum err
make_openapi(struct page *p)
{
	uint8_t *text = malloc(OPENAPI_MAX);
	struct wr w = wr_init(text, OPENAPI_MAX);
	enum err e = ERR_SPACE;

	if (text == NULL)
		return ERR_NOMEM;
	openapi_write(&w);
	if (wr_ok(&w))
		e = page_set(p, "application/json", "no-cache", wr_done(&w));
	free(text);
	return e;
}

enum err
pages_init(struct page pages[static CALL_PAGE_MAX],
    const struct jwt_keys *keys)
{
	TRY(make_jwks(&pages[CALL_PAGE_JWKS], keys));
	return make_openapi(&pages[CALL_PAGE_OPENAPI]);
}

void
pages_fini(struct page pages[static CALL_PAGE_MAX])
{
	for (size_t i = 0; i < CALL_PAGE_MAX; i++) {
		blob_unref(pages[i].body);
		pages[i].body = NULL;
	}
}

bool
pages_is_known(const struct page *p, struct span none_match)
{
	struct span left = none_match;

	while (left.n > 0) {
		size_t end = span_find(left, ',');
		struct span tag = span_sub(left, 0, end);

		left = span_sub(left, end + 1, left.n);
		while (tag.n > 0 && (tag.p[0] == ' ' || tag.p[0] == '\t'))
			tag = span_sub(tag, 1, tag.n);
		while (tag.n > 0 && (tag.p[tag.n - 1] == ' ' ||
		    tag.p[tag.n - 1] == '\t'))
			tag.n--;
		if (span_starts(tag, SPAN("W/")))
			tag = span_sub(tag, 2, tag.n);
		if (span_eq(tag, SPAN("*")) || span_eq(tag, span_str(p->etag)))
			return true;
	}
	return false;
}
