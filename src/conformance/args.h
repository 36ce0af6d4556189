/*
 * args.h: the arguments of events: JSON texts, comma-separated, read one by
 * one, and answers written piece by piece.
 */
#ifndef CONFORMANCE_ARGS_H
#define CONFORMANCE_ARGS_H

#include "base/bytes.h"

/* Takes the next argument's text off the front; false: there is none. */
bool args_next(struct span *args, struct span *out);
/*
 * How often a loop `for (i = 0; i < n; i++)` of JavaScript runs for that
 * argument: a number, or a text that is one. False: above max.
 */
bool args_times(struct span arg, uint64_t max, uint64_t *out);

/*
 * Names of rooms from one argument: a string, or an array of them. What is no
 * string, or empty, becomes a name too, that no string is the same as: as in
 * JavaScript, room 1 is not room "1".
 */
#define ARGS_ROOMS_MAX 32
#define ARGS_ROOMS_BYTES 16384	/* of all that are not plain text */
struct args_rooms {
	struct span name[ARGS_ROOMS_MAX];
	uint32_t n;
	uint8_t bytes[ARGS_ROOMS_BYTES];
};
/* False: too many or too long. Names point into arg and into *out. */
bool args_rooms(struct span arg, struct args_rooms *out);

/* A text of JSON that grows; once it can not, it is bad for good. */
struct args_out {
	struct buf text;
	bool bad;
};
void args_out_init(struct args_out *o);
void args_out_fini(struct args_out *o);
void args_put(struct args_out *o, struct span json);
/* The same without the blanks between its tokens. json is well-formed. */
void args_put_compact(struct args_out *o, struct span json);
void args_put_string(struct args_out *o, struct span text);
/* A room's name, as args_rooms has made it. */
void args_put_room(struct args_out *o, struct span name);

#endif
