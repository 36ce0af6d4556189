/*
 * ops.c: the table of operations, from the rows of ops.def.
 */
#include "server/ops.h"

#include <assert.h>

#include "server/rate.h"


static const struct op ops[OP_MAX] = {
#define CHECK(f) .check = (f),
#define READ(f) .read = (f),
#define WORK(f) .work = (f),
#define WRITE(f) .write = (f),
#define EMIT(f) .emit = (f),
#define MESSAGE(text) .message = (text),
#define CREATES(when) .creates = CREATES_##when,
#define OP(n, w, r, request, reply, ...) [OP_##n] = { .name = #n, \
	.who = WHO_##w, .rate = RATE_##r, .req = &shape_##request, \
	.rep = &shape_##reply, __VA_ARGS__ },
#include "server/ops.def"
#undef OP
#undef CREATES
#undef MESSAGE
#undef EMIT
#undef WRITE
#undef WORK
#undef READ
#undef CHECK
};

const struct op *
ops_get(enum op_id id)
{
	assert(id < OP_MAX);
	return &ops[id];
}

const struct op *
ops_find(const char *name)
{
	for (size_t i = 0; i < OP_MAX; i++)
		if (strcmp(ops[i].name, name) == 0)
			return &ops[i];
	return NULL;
}

enum op_id
ops_id(const struct op *op)
{
	assert(op >= ops && op < ops + OP_MAX);
	return (enum op_id)(op - ops);
}
