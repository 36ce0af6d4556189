/*
 * args.c: arguments of events.
 */
#include "conformance/args.h"

#include <stdlib.h>

#include "wire/json.h"

#define OUT_BYTES_MAX (64u << 20)
#define NUMBER_BYTES_MAX 64
#define NOT_TEXT 0xff		/* first byte of a room's name: JSON follows;
				   UTF-8 has no such byte */

bool
args_next(struct span *args, struct span *out)
{
	struct json j = json_init_any(*args);

	if (args->n == 0 || !json_raw(&j, out))
		return false;
	/* On to the value behind the comma, or to the end. */
	size_t at = json_at(&j);
	*args = span_sub(*args, at, args->n);
	*args = span_sub(*args, span_find(*args, ',') + 1, args->n);
	return true;
}

bool
args_times(struct span arg, uint64_t max, uint64_t *out)
{
	char text[NUMBER_BYTES_MAX + 1] = { 0 };
	double v;

	*out = 0;
	if (arg.n >= 2 && arg.p[0] == '"')
		arg = span_sub(arg, 1, arg.n - 2);
	if (arg.n > NUMBER_BYTES_MAX)
		return true;
	memcpy(text, arg.p, arg.n);
	v = strtod(text, NULL);
	if (!(v > 0))
		return true;
	if (v > (double)max)
		return false;
	*out = (uint64_t)v;
	*out += (double)*out < v;
	return true;
}

static bool
room_of(struct span arg, struct arena *a, struct span *out)
{
	struct json j = json_init_any(arg);
	uint8_t *p;

	if (json_peek(&j) == JSON_STRING && !span_eq(arg, SPAN("\"\"")))
		return json_string(&j, a, out);
	if (arg.n == 0)
		arg = SPAN("null");	/* no argument at all */
	p = arena_bytes(a, arg.n + 1);
	if (p == NULL)
		return false;
	struct wr w = wr_init(p, arg.n + 1);
	wr_u8(&w, NOT_TEXT);
	wr_span(&w, arg);
	*out = wr_done(&w);
	return true;
}

bool
args_rooms(struct span arg, struct args_rooms *out)
{
	struct json j = json_init_any(arg);
	struct arena a;
	struct span item;

	out->n = 0;
	arena_init(&a, out->bytes, sizeof(out->bytes));
	if (json_peek(&j) != JSON_ARRAY) {
		out->n = 1;
		return room_of(arg, &a, &out->name[0]);
	}
	(void)json_array(&j);
	while (json_item(&j)) {
		if (out->n == ARGS_ROOMS_MAX || !json_raw(&j, &item) ||
		    !room_of(item, &a, &out->name[out->n]))
			return false;
		out->n++;
	}
	return true;
}

void
args_out_init(struct args_out *o)
{
	buf_init(&o->text, OUT_BYTES_MAX);
	o->bad = false;
}

void
args_out_fini(struct args_out *o)
{
	buf_fini(&o->text);
}

void
args_put(struct args_out *o, struct span json)
{
	if (!o->bad && buf_add_span(&o->text, json) != OK)
		o->bad = true;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void
args_put_compact(struct args_out *o, struct span json)
{
	bool quoted = false;
	size_t from = 0;

	for (size_t i = 0; i < json.n; i++) {
		uint8_t c = json.p[i];

		if (quoted && c == '\\') {
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && is_blank(c)) {
			args_put(o, span_sub(json, from, i - from));
			from = i + 1;
		}
	}
	args_put(o, span_sub(json, from, json.n));
}

void
args_put_string(struct args_out *o, struct span text)
{
	struct wr w;

	if (o->bad || json_put_begin(&o->text, json_put_len(text), &w) != OK) {
		o->bad = true;
		return;
	}
	json_put_str(&w, text);
	if (json_put_end(&o->text, &w) != OK)
		o->bad = true;
}

void
args_put_room(struct args_out *o, struct span name)
{
	if (name.n > 0 && name.p[0] == NOT_TEXT)
		args_put(o, span_sub(name, 1, name.n));
	else
		args_put_string(o, name);
}
