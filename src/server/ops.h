/*
 * ops.h: the prototypes of all steps and the table of operations, both made
 * from ops.def. Files in ops/ include it, so that a step whose name or type
 * differs from its row does not compile.
 */
#ifndef SERVER_OPS_H
#define SERVER_OPS_H

#include "server/call.h"

#define CHECK(f) enum err f(struct call *c);
#define READ(f) enum err f(struct call *c, struct txn *t);
#define WORK(f) enum err f(struct call *c);
#define WRITE(f) enum err f(struct call *c, struct txn *t);
#define EMIT(f) void f(struct call *c);
#define MESSAGE(text)
#define CREATES(when)
#define OP(name, who, rate, req, rep, ...) __VA_ARGS__
#include "server/ops.def"
#undef OP
#undef CREATES
#undef MESSAGE
#undef EMIT
#undef WRITE
#undef WORK
#undef READ
#undef CHECK

enum op_id {
#define OP(name, ...) OP_##name,
#include "server/ops.def"
#undef OP
	OP_MAX
};

/* The row of an operation. */
const struct op *ops_get(enum op_id id);
const struct op *ops_find(const char *name);	/* NULL: there is none */
enum op_id ops_id(const struct op *op);

#endif
