/*
 * queries.h: typed functions for every row of queries.def. `in` is a struct
 * with the parameters, `out` one with the columns.
 *
 *	ONE, EXEC_ONE   enum err q_x(t, &in, &out)    ERR_NOT_FOUND: no row
 *	EXEC            enum err q_x(t, &in, &rows)   rows changed; may be NULL
 *	MANY            enum err q_x_open(t, &in, &cursor)
 *	                enum err q_x_next(&cursor, &out)
 *
 *	struct cursor cu;
 *	TRY(q_chat_members_open(t, &in, &cu));
 *	while ((e = q_chat_members_next(&cu, &row)) == OK)
 *		...
 *	if (e != ERR_NOT_FOUND)
 *		return e;
 *
 * Parameters need to last until the call returns; text and bytes that a
 * MANY's parameters refer to, until its cursor is closed.
 * Text and bytes of a row are copied into the transaction's arena. A cursor
 * closes itself at its end or on an error; who stops before calls
 * query_close. One query has one open cursor at a time; others may run
 * inside the loop. Errors beside those above: ERR_CONFLICT (a constraint),
 * ERR_TOO_LARGE (the arena is full), ERR_BUSY, ERR_IO, ERR_DISK_FULL,
 * ERR_STORE; a step hands them on as they are.
 */
#ifndef STORE_QUERIES_H
#define STORE_QUERIES_H

#include "store/query.h"

enum query_id {
#define ONE(name, ...) Q_##name,
#define MANY(name, ...) Q_##name,
#define EXEC(name, ...) Q_##name,
#define EXEC_ONE(name, ...) Q_##name,
#include "store/queries.def"
#undef ONE
#undef MANY
#undef EXEC
#undef EXEC_ONE
	QUERY_MAX
};

/* The structs. */
#define P(kind, field) q_kind_##kind field;
#define NO_PARAMS uint8_t none;
#define ONE(name, sql, in, out) \
	struct q_##name##_in { in }; struct q_##name##_out { out };
#define MANY(name, sql, in, out) ONE(name, sql, in, out)
#define EXEC(name, sql, in) struct q_##name##_in { in };
#define EXEC_ONE(name, sql, in, out) ONE(name, sql, in, out)
#include "store/queries.def"
#undef ONE
#undef MANY
#undef EXEC
#undef EXEC_ONE
#undef NO_PARAMS
#undef P

/* The functions. */
#define ONE(name, sql, in, out) \
MUST_USE static inline enum err \
q_##name(struct txn *t, const struct q_##name##_in *i, struct q_##name##_out *o) \
{ \
	return query_one(t, Q_##name, i, o); \
}
#define EXEC_ONE(name, sql, in, out) ONE(name, sql, in, out)
#define EXEC(name, sql, in) \
MUST_USE static inline enum err \
q_##name(struct txn *t, const struct q_##name##_in *i, uint64_t *rows) \
{ \
	return query_exec(t, Q_##name, i, rows); \
}
#define MANY(name, sql, in, out) \
MUST_USE static inline enum err \
q_##name##_open(struct txn *t, const struct q_##name##_in *i, \
    struct cursor *c) \
{ \
	return query_open(t, Q_##name, i, c); \
} \
MUST_USE static inline enum err \
q_##name##_next(struct cursor *c, struct q_##name##_out *o) \
{ \
	return query_next(c, o); \
}
#include "store/queries.def"
#undef ONE
#undef MANY
#undef EXEC
#undef EXEC_ONE

#endif
