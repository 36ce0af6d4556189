/*
 * id.h: UUIDs, each kind a type of its own so that mixing two of them does not
 * compile. All have the 16 bytes in the order in which they are written
 * (RFC 9562). A device is numbered within its account (u32, >= 1).
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/bytes.h"

#define ID_LEN 16
#define ID_TEXT_LEN 36

struct user_id    { uint8_t b[ID_LEN]; };	/* = account_id of the protocol */
struct chat_id    { uint8_t b[ID_LEN]; };
struct message_id { uint8_t b[ID_LEN]; };	/* given by the server */
struct event_id   { uint8_t b[ID_LEN]; };	/* = clientMessageId */
struct session_id { uint8_t b[ID_LEN]; };	/* a login session */
struct any_id     { uint8_t b[ID_LEN]; };	/* others (jti, request) */

#define ID_EQ(x, y) (sizeof(struct any_id) == sizeof(x) && \
	memcmp((x).b, (y).b, ID_LEN) == 0)
#define ID_SPAN(x) span_of((x).b, ID_LEN)
#define ID_IS_ZERO(x) id_is_zero((x).b)

bool id_is_zero(const uint8_t b[static ID_LEN]);
/* Canonical text, 8-4-4-4-12; either case is read, lower case is written. */
bool id_decode(struct span text, uint8_t out[static ID_LEN]);
void id_encode(const uint8_t b[static ID_LEN], char out[static ID_TEXT_LEN + 1]);
/* Version 7 from Unix milliseconds and 10 random bytes (RFC 9562 5.7). */
void id_v7(uint8_t out[static ID_LEN], uint64_t unix_ms,
    const uint8_t rnd[static 10]);
/* Version 4 from 16 random bytes (RFC 9562 5.4). */
void id_v4(uint8_t out[static ID_LEN], const uint8_t rnd[static 16]);

#endif
