/*
 * ws_ext.h: reads the header fields of a WebSocket handshake that are lists:
 * Sec-WebSocket-Extensions, token by token, and Sec-WebSocket-Protocol.
 * Source: RFC 6455 4.1, 9.1; RFC 9110 5.6. Freestanding.
 *
 *	ws_ext_init(&x, m);
 *	while ((ev = ws_ext_next(&x)) > WS_EXT_BAD)
 *		WS_EXT_NAME: x.name begins an extension; WS_EXT_PARAM: one of
 *		its parameters, x.name and perhaps x.value
 */
#ifndef WIRE_WS_EXT_H
#define WIRE_WS_EXT_H

#include "base/bytes.h"

struct http_msg;

enum ws_ext_ev {
	WS_EXT_END,	/* all were read */
	WS_EXT_BAD,	/* not of that form: refuse the handshake (9.1) */
	WS_EXT_NAME, WS_EXT_PARAM
};

#define WS_EXT_VALUE_KEPT 8

struct ws_ext {
	const struct http_msg *m;
	size_t field;		/* the next one to look at */
	struct span rest;	/* of the present one */
	struct span name;
	/* The parameter's value without quotes: its first bytes. */
	uint8_t value[WS_EXT_VALUE_KEPT];
	size_t value_n;		/* all of its bytes; never 0 with has_value */
	bool has_value;
	bool inside;		/* parameters may follow */
};

void ws_ext_init(struct ws_ext *x, const struct http_msg *m);
enum ws_ext_ev ws_ext_next(struct ws_ext *x);
/* Are all the fields of that name well-formed? None is fine. */
bool ws_ext_ok(const struct http_msg *m);
/* Sec-WebSocket-Protocol: well-formed, and no name twice (4.1, item 10)? */
bool ws_ext_protocols_ok(const struct http_msg *m);
/* Does it offer that subprotocol (byte by byte)? */
bool ws_ext_has_protocol(const struct http_msg *m, struct span protocol);
/* The first that is offered; {NULL,0}: none. */
struct span ws_ext_first_protocol(const struct http_msg *m);

#endif
