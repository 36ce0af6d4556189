/*
 * shape_decode_fuzz.c: laws of the records. The first byte chooses one. (1)
 * What was taken survives encode and decode. (2) What was refused leaves
 * zeros, and faults that are JSON.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include "wire/json.h"
#include "wire/shapes.h"

#define RECORD_MAX 8192

static uint8_t mem[1 << 18], mem2[1 << 18], mem3[1 << 18];
static uint8_t text[1 << 18], again[1 << 18];
static uint8_t one[RECORD_MAX], two[RECORD_MAX], zero[RECORD_MAX];

static void
check_refused(const struct shape *s, const struct shape_error *err)
{
	struct wr w = wr_init(text, sizeof text);

	if (memcmp(one, zero, s->size) != 0)
		abort();
	shape_error_encode(err, &w);
	if (!wr_ok(&w))
		abort();
}

static void
check_taken(const struct shape *s)
{
	struct wr w = wr_init(text, sizeof text);
	struct wr w2 = wr_init(again, sizeof again);
	struct arena a;

	shape_encode(s, one, &w);
	if (!wr_ok(&w) || w.n != shape_encode_len(s, one) ||
	    json_check(wr_done(&w)) != OK)
		abort();
	arena_init(&a, mem2, sizeof mem2);
	if (shape_decode(s, wr_done(&w), &a, two, NULL) != OK)
		abort();
	shape_encode(s, two, &w2);
	if (!span_eq(wr_done(&w), wr_done(&w2)))
		abort();
}

/* The input as parameters: name=value&name=value. */
static void
check_params(const struct shape *s, struct span in)
{
	struct shape_param p[16];
	struct shape_error err;
	struct arena a;
	size_t n = 0;

	while (in.n > 0 && n < 16) {
		size_t end = span_find(in, '&'), eq;
		struct span pair = span_sub(in, 0, end);

		eq = span_find(pair, '=');
		p[n].name = span_sub(pair, 0, eq);
		p[n++].value = span_sub(pair, eq + 1, pair.n);
		in = span_sub(in, end + 1, in.n);
	}
	arena_init(&a, mem3, sizeof mem3);
	(void)shape_decode_call(s, p, n, span_of(NULL, 0), &a, two, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct shape *s;
	struct shape_error err;
	struct arena a;
	struct span in;

	if (size < 1 || size > 8192)
		return 0;
	s = shape_at(data[0]);
	if (s == NULL || s->size > RECORD_MAX)
		return 0;
	in = span_of(&data[1], size - 1);
	arena_init(&a, mem, sizeof mem);
	if (shape_decode(s, in, &a, one, &err) == OK)
		check_taken(s);
	else
		check_refused(s, &err);
	check_params(s, in);
	return 0;
}
