/*
 * view.c: making and checking views, see view.h.
 */
#include "core/view.h"

#include "crypto/hash.h"

#define VIEW_HASH_LEN 16

static enum err
view_hash(const struct provider *p, const struct view_side *sender,
    const struct view_side *receiver, uint8_t out[static SHA256_LEN])
{
	return hash_tuple2(p, "NJ1 view", SPAN_OF(sender->hash),
	    SPAN_OF(receiver->hash), out);
}

enum err
view_make(const struct provider *p, const struct view_side *own,
    const struct view_side *peer, uint8_t out[static EVENT_VIEW_LEN])
{
	uint8_t hash[SHA256_LEN];
	struct wr w = wr_init(out, EVENT_VIEW_LEN);

	TRY(view_hash(p, own, peer, hash));
	wr_u64(&w, own->version);
	wr_u64(&w, peer->version);
	wr_bytes(&w, hash, VIEW_HASH_LEN);
	return OK;
}

enum err
view_check(const struct provider *p, const struct view_side *own,
    const struct view_side *peer, const uint8_t view[static EVENT_VIEW_LEN],
    enum view_verdict *out)
{
	struct rd r = rd_init(span_of(view, EVENT_VIEW_LEN));
	uint64_t theirs = rd_u64(&r), ours = rd_u64(&r);
	struct span said = rd_rest(&r);
	uint8_t hash[SHA256_LEN];

	if (theirs > peer->version || ours > own->version) {
		*out = VIEW_NEWER;
		return OK;
	}
	if (theirs < peer->version || ours < own->version) {
		*out = VIEW_OLDER;
		return OK;
	}
	TRY(view_hash(p, peer, own, hash));
	*out = span_eq(said, span_of(hash, VIEW_HASH_LEN)) ?
	    VIEW_SAME : VIEW_CONFLICT;
	return OK;
}
