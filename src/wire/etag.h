/*
 * etag.h: entity-tags and the conditions of a request (RFC 9110 8.8.3, 13).
 * Freestanding.
 */
#ifndef WIRE_ETAG_H
#define WIRE_ETAG_H

#include "wire/http.h"

/*
 * Is a tag in an If-Match or If-None-Match field's list?
 *   list  in  "*", or tags: "a", W/"b". What follows an element that is no tag
 *             is not looked at
 *   tag   in  ours, with its quotes: "x" or W/"x"
 *   weak  in  compare weakly (8.8.3.2), else strongly: a weak one, on either
 *             side, equals none
 * "*" matches whatever is there.
 */
bool etag_in(struct span list, struct span tag, bool weak);

/* What the representation chosen is known by. */
struct etag_of {
	struct span tag;
	uint64_t modified_s;	/* Unix time; 0: not known */
	uint64_t now_s;		/* of the answer */
};
enum etag_is {
	ETAG_GO_ON,		/* answer as if there were no condition */
	ETAG_NOT_MODIFIED,	/* 304 */
	ETAG_FAILED,		/* 412 */
};
/* The conditions of a GET or HEAD in the order of RFC 9110 13.2.2. */
enum etag_is etag_conditions(const struct http_msg *m,
    const struct etag_of *of);
/*
 * Does If-Range let the Range be (13.1.5)? True without the field. A date is
 * a strong validator only once its second is over (8.8.2.2).
 */
bool etag_if_range(const struct http_msg *m, const struct etag_of *of);

#endif
