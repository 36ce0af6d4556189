/*
 * shapes.h: the records of shapes.def as C structs, and their tables. For the
 * record x: struct x, struct x_list, `shape_x`. For the enum e: enum e,
 * `shape_names_e`. How a member looks: shape.h.
 */
#ifndef WIRE_SHAPES_H
#define WIRE_SHAPES_H

#include "wire/shape.h"
#include "wire/shapes.def"

/* Enums. */
#define SHAPES_VALUE(prefix, NAME, text) prefix##_##NAME,
#define SHAPES_ENUM(e, note) \
	enum e { ENUM_##e(SHAPES_VALUE) e##_MAX }; \
	extern const struct shape_names shape_names_##e;
ENUMS(SHAPES_ENUM)
#undef SHAPES_ENUM
#undef SHAPES_VALUE

/* The C type of each kind. */
#define SHAPES_T_STR		struct span
#define SHAPES_T_STRB		struct span
#define SHAPES_T_PAT(class)	struct span
#define SHAPES_T_B64		struct span
#define SHAPES_T_B64TEXT	struct span
#define SHAPES_T_USER_ID	struct user_id
#define SHAPES_T_CHAT_ID	struct chat_id
#define SHAPES_T_MESSAGE_ID	struct message_id
#define SHAPES_T_EVENT_ID	struct event_id
#define SHAPES_T_SESSION_ID	struct session_id
#define SHAPES_T_ANY_ID		struct any_id
#define SHAPES_T_U32		uint32_t
#define SHAPES_T_U53		uint64_t
#define SHAPES_T_BOOL		bool
#define SHAPES_T_TIME		uint64_t
#define SHAPES_T_ENUM(e)	enum e
#define SHAPES_T_RAW		struct span
#define SHAPES_T_OBJ(x)		struct x
#define SHAPES_T_LIST(x)	struct x##_list
#define SHAPES_T_STRS(min, max)	struct span_list
#define SHAPES_T_B64S(min, max)	struct span_list
#define SHAPES_T_USER_IDS	struct user_id_list
#define SHAPES_T_MESSAGE_IDS	struct message_id_list
#define SHAPES_T_U32S		struct u32_list
#define SHAPES_T_MAP(name, value) struct shape_pair_list
#define SHAPES_T_COUNTS(name)	struct shape_count_list

#define SHAPES_HAS_REQ(c)
#define SHAPES_HAS_OPT(c)	bool has_##c;
#define SHAPES_HAS_NUL(c)	bool has_##c;

#define SHAPES_MEMBER(R, NEED, KIND, c, json, min, max, note) \
	SHAPES_T_##KIND c; SHAPES_HAS_##NEED(c)
#define SHAPES_STRUCT(x, flags, note) \
	struct x { SHAPE_##x(SHAPES_MEMBER, x) }; \
	SHAPE_LIST_OF(x, struct x); \
	extern const struct shape shape_##x;
SHAPES(SHAPES_STRUCT)
#undef SHAPES_STRUCT
#undef SHAPES_MEMBER
#undef SHAPES_HAS_REQ
#undef SHAPES_HAS_OPT
#undef SHAPES_HAS_NUL

/* A record without members, strict: for calls that take nothing. */
extern const struct shape shape_none;

#endif
