/*
 * date.h: dates of HTTP fields (RFC 9110 5.6.7), to be read in all three
 * forms. Writing is http_put_date. Freestanding.
 */
#ifndef WIRE_DATE_H
#define WIRE_DATE_H

#include "base/bytes.h"

/*
 * Reads "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or
 * "Sun Nov  6 08:49:37 1994". False: none of them, or no such day or time;
 * the name of the day is not compared with the date.
 *   now_s  in   Unix time, to tell which century two digits mean
 *   out    out  Unix time in seconds; not before 1970
 */
bool date_decode(struct span s, uint64_t now_s, uint64_t *out);

#endif
