/*
 * shape_encode.c: structs into compact JSON, by the rows of a shape; and how
 * long that JSON will be, so that room is taken once. See shape.h.
 *
 * Implementation notes: put_* write, len_* count the same bytes, side by side;
 * a test compares the two for every record.
 */
#include "base/text.h"
#include "wire/json.h"
#include "wire/shape.h"

struct any_list {
	const void *p;
	size_t n;
};

static bool
has(const struct shape_row *r, const uint8_t *in)
{
	bool yes = true;

	if (r->need != SHAPE_REQ)
		memcpy(&yes, &in[r->has_at], sizeof yes);
	return yes;
}

static struct span
get_span(const uint8_t *from)
{
	struct span s;

	memcpy(&s, from, sizeof s);
	return s;
}

static uint64_t
get_u64(const uint8_t *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof v);
	return v;
}

static uint32_t
get_u32(const uint8_t *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof v);
	return v;
}

static struct any_list
get_list(const uint8_t *from)
{
	struct any_list l;

	memcpy(&l, from, sizeof l);
	return l;
}

static bool
is_map(const struct shape_row *r)
{
	return r->kind == SHAPE_MAP || r->kind == SHAPE_COUNTS;
}

/* ------------------------------------------------------------ writing -- */

static void
put_item(const struct shape_row *r, const uint8_t *from, struct wr *w)
{
	struct shape_pair pair;
	struct shape_count entry;

	switch (r->kind) {
	case SHAPE_LIST:
		shape_encode(r->shape, from, w);
		break;
	case SHAPE_STRS:
		json_put_str(w, get_span(from));
		break;
	case SHAPE_B64S:
		json_put_b64(w, get_span(from));
		break;
	case SHAPE_UUIDS:
		json_put_id(w, from);
		break;
	case SHAPE_U32S:
		wr_dec(w, get_u32(from));
		break;
	case SHAPE_MAP:
		memcpy(&pair, from, sizeof pair);
		json_put_str(w, pair.name);
		wr_u8(w, ':');
		json_put_str(w, pair.value);
		break;
	case SHAPE_COUNTS:
		memcpy(&entry, from, sizeof entry);
		json_put_str(w, entry.name);
		wr_u8(w, ':');
		wr_dec(w, entry.value);
		break;
	default:
		break;
	}
}

static void
put_list(const struct shape_row *r, const uint8_t *from, struct wr *w)
{
	struct any_list l = get_list(from);
	const uint8_t *p = l.p;
	size_t size = shape_item_size(r);

	wr_u8(w, is_map(r) ? '{' : '[');
	for (size_t i = 0; i < l.n; i++) {
		if (i > 0)
			wr_u8(w, ',');
		put_item(r, &p[i * size], w);
	}
	wr_u8(w, is_map(r) ? '}' : ']');
}

static void
put_value(const struct shape_row *r, const uint8_t *from, struct wr *w)
{
	bool yes;

	switch ((enum shape_kind)r->kind) {
	case SHAPE_STR:
	case SHAPE_STRB:
	case SHAPE_PAT:
	case SHAPE_B64TEXT:
		json_put_str(w, get_span(from));
		break;
	case SHAPE_B64:
		json_put_b64(w, get_span(from));
		break;
	case SHAPE_UUID:
		json_put_id(w, from);
		break;
	case SHAPE_U32:
		wr_dec(w, get_u32(from));
		break;
	case SHAPE_U53:
		wr_dec(w, get_u64(from));
		break;
	case SHAPE_BOOL:
		memcpy(&yes, from, sizeof yes);
		json_put_bool(w, yes);
		break;
	case SHAPE_TIME:
		json_put_time(w, get_u64(from));
		break;
	case SHAPE_ENUM:
		json_put_str(w, span_str(shape_name(r->names,
		    get_u32(from))));
		break;
	case SHAPE_RAW:
		wr_span(w, get_span(from));
		break;
	case SHAPE_OBJ:
		shape_encode(r->shape, from, w);
		break;
	case SHAPE_LIST:
	case SHAPE_STRS:
	case SHAPE_B64S:
	case SHAPE_UUIDS:
	case SHAPE_U32S:
	case SHAPE_MAP:
	case SHAPE_COUNTS:
		put_list(r, from, w);
		break;
	}
}

void
shape_encode(const struct shape *s, const void *in, struct wr *w)
{
	const uint8_t *p = in;
	bool first = true;

	wr_u8(w, '{');
	for (uint32_t i = 0; s != NULL && i < s->rows_n; i++) {
		const struct shape_row *r = &s->rows[i];
		bool there = has(r, p);

		if (!there && r->need == SHAPE_OPT)
			continue;
		wr_str(w, first ? "\"" : ",\"");
		wr_bytes(w, r->name, r->name_n);
		wr_str(w, "\":");
		if (there)
			put_value(r, &p[r->at], w);
		else
			wr_str(w, "null");
		first = false;
	}
	wr_u8(w, '}');
}

/* ------------------------------------------------------------- length -- */

static size_t
len_dec(uint64_t v)
{
	size_t n = 1;

	for (; v >= 10; v /= 10)
		n++;
	return n;
}

static size_t
len_item(const struct shape_row *r, const uint8_t *from)
{
	struct shape_pair pair;
	struct shape_count entry;

	switch (r->kind) {
	case SHAPE_LIST:
		return shape_encode_len(r->shape, from);
	case SHAPE_STRS:
		return json_put_len(get_span(from));
	case SHAPE_B64S:
		return BASE64_LEN(get_span(from).n) + 2;
	case SHAPE_UUIDS:
		return ID_TEXT_LEN + 2;
	case SHAPE_U32S:
		return len_dec(get_u32(from));
	case SHAPE_MAP:
		memcpy(&pair, from, sizeof pair);
		return json_put_len(pair.name) + 1 + json_put_len(pair.value);
	case SHAPE_COUNTS:
		memcpy(&entry, from, sizeof entry);
		return json_put_len(entry.name) + 1 + len_dec(entry.value);
	default:
		return 0;
	}
}

static size_t
len_list(const struct shape_row *r, const uint8_t *from)
{
	struct any_list l = get_list(from);
	const uint8_t *p = l.p;
	size_t size = shape_item_size(r), n = 2;

	for (size_t i = 0; i < l.n; i++)
		n += (i > 0) + len_item(r, &p[i * size]);
	return n;
}

static size_t
len_value(const struct shape_row *r, const uint8_t *from)
{
	bool yes;

	switch ((enum shape_kind)r->kind) {
	case SHAPE_STR:
	case SHAPE_STRB:
	case SHAPE_PAT:
	case SHAPE_B64TEXT:
		return json_put_len(get_span(from));
	case SHAPE_B64:
		return BASE64_LEN(get_span(from).n) + 2;
	case SHAPE_UUID:
		return ID_TEXT_LEN + 2;
	case SHAPE_U32:
		return len_dec(get_u32(from));
	case SHAPE_U53:
		return len_dec(get_u64(from));
	case SHAPE_BOOL:
		memcpy(&yes, from, sizeof yes);
		return yes ? 4 : 5;
	case SHAPE_TIME:
		return TIME_TEXT_LEN + 2;
	case SHAPE_ENUM:
		return json_put_len(span_str(shape_name(r->names,
		    get_u32(from))));
	case SHAPE_RAW:
		return get_span(from).n;
	case SHAPE_OBJ:
		return shape_encode_len(r->shape, from);
	case SHAPE_LIST:
	case SHAPE_STRS:
	case SHAPE_B64S:
	case SHAPE_UUIDS:
	case SHAPE_U32S:
	case SHAPE_MAP:
	case SHAPE_COUNTS:
		return len_list(r, from);
	}
	return 0;
}

size_t
shape_encode_len(const struct shape *s, const void *in)
{
	const uint8_t *p = in;
	size_t n = 2;
	bool first = true;

	for (uint32_t i = 0; s != NULL && i < s->rows_n; i++) {
		const struct shape_row *r = &s->rows[i];
		bool there = has(r, p);

		if (!there && r->need == SHAPE_OPT)
			continue;
		n += (first ? 0U : 1U) + r->name_n + 3U;
		n += there ? len_value(r, &p[r->at]) : 4;
		first = false;
	}
	return n;
}

/* ----------------------------------------------------------- elsewhere -- */

enum err
shape_encode_buf(const struct shape *s, const void *in, struct buf *b)
{
	struct wr w;

	TRY(json_put_begin(b, shape_encode_len(s, in), &w));
	shape_encode(s, in, &w);
	return json_put_end(b, &w);
}

enum err
shape_encode_arena(const struct shape *s, const void *in, struct arena *a,
    struct span *out)
{
	size_t n = shape_encode_len(s, in);
	uint8_t *p = arena_bytes(a, n);
	struct wr w = wr_init(p, n);

	if (p == NULL)
		return ERR_TOO_LARGE;
	shape_encode(s, in, &w);
	*out = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_INTERNAL;
}
