/*
 * json.h: JSON text (RFC 8259), read in place and written straight.
 *
 * Reading is a cursor that pulls values out of text which stays where it is:
 * strings without escapes and raw values are spans into it, so nothing is
 * copied or allocated for them, and every value knows its byte offset. The
 * reader is strict: UTF-8 must be well-formed, escapes must be whole (no lone
 * surrogate), no comment, no trailing comma, nothing after the value, nesting
 * at most JSON_DEPTH_MAX. For text that is passed on and not understood,
 * json_init_any takes all of the grammar.
 * Writing goes over struct wr; json_put_begin and _end lend the tail of a buf.
 * Freestanding; no state but in the arguments.
 *
 *	struct json j = json_init(text);
 *	if (json_object(&j))
 *		while (json_member(&j, a, &name))
 *			if (span_eq(name, SPAN("token")))
 *				json_string(&j, a, &token);
 *			else
 *				json_skip(&j);
 *	TRY(json_end(&j));
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/id.h"

#define JSON_DEPTH_MAX 32
#define JSON_NEST_MAX 4096	/* of json_init_any */
#define JSON_U53_MAX ((1ULL << 53) - 1)

enum json_type {
	JSON_BAD, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY,
	JSON_OBJECT
};

/*
 * The cursor. After the first error it stays bad: all calls return false, and
 * `why` and json_at() say what was expected and where.
 */
struct json {
	struct span text;
	size_t at;		/* next byte */
	const char *why;	/* NULL: good so far; a literal */
	enum err err;		/* with why: ERR_FORMAT or ERR_TOO_LARGE */
	uint32_t depth;		/* open objects and arrays */
	bool first;		/* just behind a [ or { */
	bool any;		/* of json_init_any */
};

struct json json_init(struct span text);
/*
 * For what others wrote for others to read: nesting to JSON_NEST_MAX, and
 * escapes of lone surrogates, which RFC 8259 8.2 allows; json_string reads one
 * as U+FFFD.
 */
struct json json_init_any(struct span text);
/* The type of the value that comes next, judged by its first byte. */
enum json_type json_peek(struct json *j);

/*
 * Each of these takes one value of that type. False when it is another type
 * or malformed: the cursor is then bad, so peek first where types may differ.
 */
bool json_null(struct json *j);
bool json_bool(struct json *j, bool *out);
/* An integer written as digits only (no sign, point or exponent), <= max. */
bool json_u64(struct json *j, uint64_t max, uint64_t *out);
/*
 * The characters of a string: a span of the text when it has no escape, else
 * decoded into the arena (ERR_TOO_LARGE when that is full; a may be NULL: an
 * escaped string is then an error).
 */
bool json_string(struct json *j, struct arena *a, struct span *out);
/* Any value, checked, as the text that stands there, without space around. */
bool json_raw(struct json *j, struct span *out);
/* The same, dropped. */
bool json_skip(struct json *j);

/* Enter an array or object. */
bool json_array(struct json *j);
bool json_object(struct json *j);
/*
 * json_item: true when another value follows in the array; false at its end
 * (which is taken) or when bad. json_member: the same, with the member's name.
 */
bool json_item(struct json *j);
bool json_member(struct json *j, struct arena *a, struct span *name_out);

/* OK when nothing went wrong and only space is left; else j->err. */
MUST_USE enum err json_end(struct json *j);
/* Byte offset of the error (or of what comes next). */
size_t json_at(const struct json *j);
/* Is the whole text one well-formed value? ERR_FORMAT if not. */
MUST_USE enum err json_check(struct span text);
MUST_USE enum err json_check_any(struct span text);	/* json_init_any */

/*
 * Free-form access for small objects: the value of a member at the top of the
 * object `text`, as text ({NULL,0} when it is absent). The *_of forms say
 * false when the member is absent or of another type. text is scanned anew on
 * every call: for a handful of members, not for hot paths (use shapes). The
 * text is read as by json_init_any.
 */
struct span json_find(struct span text, struct span name);
bool json_find_string(struct span text, struct span name, struct arena *a,
    struct span *out);
bool json_find_u64(struct span text, struct span name, uint64_t max,
    uint64_t *out);
bool json_find_bool(struct span text, struct span name, bool *out);

/* ------------------------------------------------------------- writing -- */

/* "text", escaped: only ", \ and control characters (as \n or \u00XX). */
void json_put_str(struct wr *w, struct span text);
/* The same without the quotes. */
void json_put_escaped(struct wr *w, struct span text);
/* "name": */
void json_put_name(struct wr *w, const char *name);
/* "xxxxxxxx-xxxx-..." in quotes. */
void json_put_id(struct wr *w, const uint8_t id[static ID_LEN]);
/* "2026-11-21T09:08:51.123Z" in quotes. */
void json_put_time(struct wr *w, uint64_t unix_ms);
void json_put_u64(struct wr *w, uint64_t v);
void json_put_bool(struct wr *w, bool v);
/* Base64 of the bytes, in quotes. */
void json_put_b64(struct wr *w, struct span bytes);
/* Bytes that json_put_str writes for the text, quotes included. */
size_t json_put_len(struct span text);

/*
 * A writing cursor over the free tail of b with room for `room` bytes, and its
 * end: takes what was written into b. json_put_end says ERR_TOO_LARGE, and b
 * is as it was, when the room was too small.
 */
MUST_USE enum err json_put_begin(struct buf *b, size_t room,
    struct wr *wr_out);
MUST_USE enum err json_put_end(struct buf *b, const struct wr *w);

#endif
