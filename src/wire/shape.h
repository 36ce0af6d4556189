/*
 * shape.h: records as tables. shapes.def has a row for each member of each
 * record that travels as JSON; shapes.h makes the C structs of it, shape.c
 * the tables, and the decoder and encoder here walk them. No code exists for
 * a single record.
 *
 * How a member looks in C (record x, member c):
 *	STR PAT B64 B64TEXT RAW	struct span c
 *	USER_ID ... ANY_ID	struct user_id c ...
 *	U32 U53 TIME BOOL	uint32_t, uint64_t, uint64_t (ms), bool
 *	ENUM(e)			enum e c
 *	OBJ(y)			struct y c
 *	LIST(y)			struct y_list c	(.p, .n)
 *	STRS B64S U32S USER_IDS	struct span_list c ...
 *	MAP COUNTS		struct shape_pair_list, shape_count_list c
 * A member that is OPT or NUL also has `bool has_c`. OPT: left out when
 * !has_c. NUL: written as null when !has_c. Both are read as !has_c when the
 * member is absent or null. REQ: has to be there.
 *
 * Everything decoded lives in the text that was given or in the arena; both
 * have to outlive the record. Freestanding, no global state, any thread.
 */
#ifndef WIRE_SHAPE_H
#define WIRE_SHAPE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/id.h"

enum shape_kind {
	SHAPE_STR,	/* text; min..max characters (code points) */
	SHAPE_STRB,	/* text; min..max bytes */
	SHAPE_PAT,	/* text of a class; min..max characters */
	SHAPE_B64,	/* bytes, min..max; base64 on the wire, strict */
	SHAPE_B64TEXT,	/* base64 that is checked and kept as text; bytes */
	SHAPE_UUID,
	SHAPE_U32,	/* min..max */
	SHAPE_U53,
	SHAPE_BOOL,
	SHAPE_TIME,	/* ISO 8601 UTC <-> Unix milliseconds */
	SHAPE_ENUM,
	SHAPE_RAW,	/* any JSON value as its text; min..max bytes */
	SHAPE_OBJ,
	SHAPE_LIST,	/* of a record; min..max entries */
	SHAPE_STRS,	/* of text; each item_min..item_max characters */
	SHAPE_B64S,	/* of bytes; each item_min..item_max bytes */
	SHAPE_UUIDS,
	SHAPE_U32S,
	SHAPE_MAP,	/* text -> text; names and values by item_min, _max */
	SHAPE_COUNTS	/* text -> integer; names at most item_min */
};

enum shape_need { SHAPE_REQ, SHAPE_OPT, SHAPE_NUL };

/* Classes of text. */
enum shape_class {
	SHAPE_ANY,
	SHAPE_USERNAME,		/* A-Z a-z 0-9 _ */
	SHAPE_EMAIL,		/* local@domain, ASCII, as browsers check it */
	SHAPE_LABEL,		/* no control character, no space at the ends */
	SHAPE_TOKEN		/* visible ASCII */
};

struct shape;

struct shape_names {		/* an enum */
	const char *name;
	const char *const *text;	/* text[value] */
	uint32_t n;
};

struct shape_row {
	const char *name;		/* JSON member */
	const char *note;		/* for the documentation */
	const struct shape *shape;	/* OBJ, LIST */
	const struct shape_names *names; /* ENUM */
	uint64_t min, max;
	uint32_t item_min, item_max;
	uint16_t at;			/* offset of the member */
	uint16_t has_at;		/* of has_c; OPT and NUL only */
	uint8_t name_n;
	uint8_t kind, need, class;
};

#define SHAPE_U32_MAX 0xffffffffu
#define SHAPE_U53_MAX ((1ULL << 53) - 1)
#define SHAPE_STRICT 1u		/* unknown members are refused */
#define SHAPE_ROWS_MAX 64

struct shape {
	const char *name;
	const char *note;
	const struct shape_row *rows;
	uint32_t rows_n;
	uint32_t size;			/* sizeof the struct */
	uint32_t flags;
};

/* List members. */
#define SHAPE_LIST_OF(tag, type) struct tag##_list { type *p; size_t n; }
struct shape_pair { struct span name, value; };
struct shape_count { struct span name; uint64_t value; };
SHAPE_LIST_OF(span, struct span);
SHAPE_LIST_OF(u32, uint32_t);
SHAPE_LIST_OF(user_id, struct user_id);
SHAPE_LIST_OF(message_id, struct message_id);
SHAPE_LIST_OF(shape_pair, struct shape_pair);
SHAPE_LIST_OF(shape_count, struct shape_count);

/* What was wrong with the text, for `details` of an error answer. */
#define SHAPE_FAULTS_MAX 8
struct shape_fault {
	char field[64];		/* "user.name", "memberIds[3]"; "": all of it */
	char message[96];	/* "must be a string of 3 to 30 characters" */
};
struct shape_error {
	uint32_t n;
	struct shape_fault fault[SHAPE_FAULTS_MAX];
};

/* A name and value from a path or query, percent-decoded. */
struct shape_param { struct span name, value; };

/*
 * shape_decode(s, json, a, out, err):
 * Read one JSON object into a struct.
 *   s     in   the record; SHAPE_STRICT holds for all that is inside it
 *   json  in   its text, kept in place as long as out is used
 *   a     in   arena for lists, escaped strings, decoded bytes
 *   out   out  s->size bytes; zeroed unless OK
 *   err   out  what was wrong (up to SHAPE_FAULTS_MAX members); may be NULL
 * ERR_BAD_REQUEST: not JSON (fault[0] names the byte).  ERR_VALIDATION: a
 * member is missing, unknown, given twice, of a wrong type or out of limits.
 * ERR_TOO_LARGE: the arena is full.
 */
MUST_USE enum err shape_decode(const struct shape *s, struct span json,
    struct arena *a, void *out, struct shape_error *err);

/*
 * shape_decode_call(s, params, n, json, a, out, err):
 * The same from parameters of path and query and a body together. Parameters
 * fill members of their name (lists: values separated by commas); json may be
 * empty (no body). A member given in two places is refused, and a parameter
 * that is no member of a SHAPE_STRICT record.
 */
MUST_USE enum err shape_decode_call(const struct shape *s,
    const struct shape_param *params, size_t params_n, struct span json,
    struct arena *a, void *out, struct shape_error *err);

/*
 * Write a record as compact JSON. w turns bad when it is full (wr_ok).
 * RAW members are written as they are. NULL shape: "{}".
 */
void shape_encode(const struct shape *s, const void *in, struct wr *w);
/* Appends to b, which grows as needed. ERR_TOO_LARGE (b as it was), ERR_NOMEM. */
MUST_USE enum err shape_encode_buf(const struct shape *s, const void *in,
    struct buf *b);
/* Into the arena. ERR_TOO_LARGE. */
MUST_USE enum err shape_encode_arena(const struct shape *s, const void *in,
    struct arena *a, struct span *out);
/* The exact length of what shape_encode writes. */
size_t shape_encode_len(const struct shape *s, const void *in);

/* Adds a fault (a check beyond the shape); silent when there are 8 already. */
void shape_error_add(struct shape_error *err, const char *field,
    const char *message);
/* Writes the list [{"field":...,"message":...},...] of error.details. */
void shape_error_encode(const struct shape_error *err, struct wr *w);

/*
 * What a row, or an entry of a list's row, has to be: "must be a string of 3
 * to 30 characters". At most 120 bytes for any row of the table.
 */
void shape_text_row(const struct shape_row *r, struct wr *w);
void shape_text_item(const struct shape_row *r, struct wr *w);

/* Bytes that one entry of a list's row takes in the C struct's array. */
size_t shape_item_size(const struct shape_row *r);

/* The record of that name, or NULL; and all of them in order (NULL: end). */
const struct shape *shape_find(struct span name);
const struct shape *shape_at(size_t i);
/* The text of an enum's value, and back (false: none of them). */
const char *shape_name(const struct shape_names *e, uint32_t value);
bool shape_value(const struct shape_names *e, struct span text,
    uint32_t *value_out);

/* "<userId>" (device 0) or "<userId>.<device>": names in encryptedKeys. */
#define SHAPE_ADDRESS_MAX (ID_TEXT_LEN + 1 + 10)
bool shape_address_decode(struct span text, struct user_id *user_out,
    uint32_t *device_out);
/* Length; no NUL. device 0: the user alone. */
size_t shape_address_encode(const struct user_id *user, uint32_t device,
    char out[static SHAPE_ADDRESS_MAX]);
/* Is the text strict base64 of min..max bytes? */
bool shape_is_base64(struct span text, size_t min, size_t max);
/* Does the text belong to the class? (Length apart.) */
bool shape_is_class(enum shape_class class, struct span text);

#endif
