/*
 * accept.h: the Accept-Encoding field (RFC 9110 12.5.3): which content coding
 * to answer in. Freestanding.
 */
#ifndef WIRE_ACCEPT_H
#define WIRE_ACCEPT_H

#include "wire/http.h"

/* In the order in which we prefer them where the client does not care. */
enum accept_coding { ACCEPT_BR, ACCEPT_ZSTD, ACCEPT_GZIP, ACCEPT_IDENTITY };
#define ACCEPT_CODINGS 4

/* Weights in thousandths by coding; 0: not acceptable. */
struct accept {
	uint16_t q[ACCEPT_CODINGS];
	uint16_t any;		/* of "*", while it is being read */
	bool named;		/* any coding but identity is acceptable */
};

/*
 * Reads all Accept-Encoding fields of a request. Elements that are malformed
 * or of codings unknown here are passed over; of a coding named twice the
 * first counts. "x-gzip" is gzip. Without the field only identity is chosen.
 */
void accept_read(const struct http_msg *m, struct accept *out);
/* The same by hand: accept_init, accept_add for each value, accept_end. */
void accept_init(struct accept *a);
void accept_add(struct accept *a, struct span value);
void accept_end(struct accept *a);
/*
 * The best of those in `have` (bit 1 << coding), or -1: none is acceptable.
 */
int accept_best(const struct accept *a, unsigned have);
/* "br", "zstd", "gzip", "identity". */
const char *accept_name(enum accept_coding c);

#endif
