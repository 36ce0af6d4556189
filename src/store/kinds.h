/*
 * kinds.h: the kinds of values that queries take and give: the C type of each
 * and how a driver carries it. A kind that ends in _N may be NULL: there a
 * zero (id, time, number) or a span without a pointer stands for NULL, both
 * ways. A NULL in a column of another kind reads as zero too.
 *
 *	kind           C type              SQLite    PostgreSQL
 *	BOOL           bool                INTEGER   boolean
 *	U32 U64        uint32_t, uint64_t  INTEGER   bigint or integer
 *	TIME           uint64_t (Unix ms)  INTEGER   bigint
 *	ID USER CHAT.. struct *_id         BLOB(16)  uuid
 *	TEXT           struct span, UTF-8  TEXT      text
 *	BYTES          struct span         BLOB      bytea
 *	JSON           struct span         TEXT      jsonb
 *	IP             struct span         TEXT      inet
 */
#ifndef STORE_KINDS_H
#define STORE_KINDS_H

#include "base/id.h"

/* How a value travels. */
enum kind { KIND_BOOL, KIND_U32, KIND_U64, KIND_TIME, KIND_ID, KIND_TEXT,
	KIND_BYTES, KIND_JSON, KIND_IP };

/* KIND(name, C type, enum kind, may be NULL) */
#define KINDS(KIND) \
	KIND(BOOL,      bool,              KIND_BOOL,  false) \
	KIND(U32,       uint32_t,          KIND_U32,   false) \
	KIND(U32_N,     uint32_t,          KIND_U32,   true) \
	KIND(U64,       uint64_t,          KIND_U64,   false) \
	KIND(U64_N,     uint64_t,          KIND_U64,   true) \
	KIND(TIME,      uint64_t,          KIND_TIME,  false) \
	KIND(TIME_N,    uint64_t,          KIND_TIME,  true) \
	KIND(ID,        struct any_id,     KIND_ID,    false) \
	KIND(ID_N,      struct any_id,     KIND_ID,    true) \
	KIND(USER,      struct user_id,    KIND_ID,    false) \
	KIND(USER_N,    struct user_id,    KIND_ID,    true) \
	KIND(CHAT,      struct chat_id,    KIND_ID,    false) \
	KIND(CHAT_N,    struct chat_id,    KIND_ID,    true) \
	KIND(MESSAGE,   struct message_id, KIND_ID,    false) \
	KIND(EVENT,     struct event_id,   KIND_ID,    false) \
	KIND(EVENT_N,   struct event_id,   KIND_ID,    true) \
	KIND(SESSION,   struct session_id, KIND_ID,    false) \
	KIND(SESSION_N, struct session_id, KIND_ID,    true) \
	KIND(TEXT,      struct span,       KIND_TEXT,  false) \
	KIND(TEXT_N,    struct span,       KIND_TEXT,  true) \
	KIND(BYTES,     struct span,       KIND_BYTES, false) \
	KIND(BYTES_N,   struct span,       KIND_BYTES, true) \
	KIND(JSON,      struct span,       KIND_JSON,  false) \
	KIND(JSON_N,    struct span,       KIND_JSON,  true) \
	KIND(IP,        struct span,       KIND_IP,    false) \
	KIND(IP_N,      struct span,       KIND_IP,    true)

/* typedefs, so that a row of queries.def can name them: q_kind_USER. */
#define KIND(name, type, kind, nullable) typedef type q_kind_##name;
KINDS(KIND)
#undef KIND

/* Its travelling kind and whether it may be NULL, by row. */
enum kind_row {
#define KIND(name, type, kind, nullable) KIND_ROW_##name,
	KINDS(KIND)
#undef KIND
	KIND_ROW_MAX
};

struct kind_info {
	const char *name;
	enum kind kind;
	bool nullable;
	size_t bytes;		/* of the C type */
};
extern const struct kind_info kind_rows[KIND_ROW_MAX];

#endif
