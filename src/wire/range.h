/*
 * range.h: the Range field and byte ranges (RFC 9110 14). Freestanding.
 */
#ifndef WIRE_RANGE_H
#define WIRE_RANGE_H

#include "base/bytes.h"

#define RANGE_MAX 64	/* of one request, at most */

struct range {
	uint64_t at, n;		/* n > 0 bytes from `at` on */
};

enum range_is {
	RANGE_WHOLE,	/* no range, not bytes, malformed or too many: the
			   whole representation (14.2 allows ignoring it) */
	RANGE_SOME,	/* *n_out ranges, at least 1 */
	RANGE_NONE,	/* well-formed, and nothing of it is there: 416 */
};

/*
 * What a Range field asks of a representation of `size` bytes.
 *   value  in   the field ("bytes=0-99,-5")
 *   max    in   ranges that may be asked for; <= RANGE_MAX
 *   out    out  max of them, in the order asked for, none empty; those that
 *               overlap or touch are one (15.3.7.2), at the place of the first
 *   n_out  out  for RANGE_SOME only
 */
enum range_is range_parse(struct span value, uint64_t size, size_t max,
    struct range *out, size_t *n_out);

#endif
