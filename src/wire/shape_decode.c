/*
 * shape_decode.c: JSON (and parameters of path and query) into structs, by the
 * rows of a shape. See shape.h.
 *
 * Implementation notes: a value of the wrong type is noted and stepped over,
 * so that one answer names several members; malformed JSON ends the walk at
 * once. Where a fault is, is kept as a stack of names and indices and becomes
 * text only when there is a fault. Members are looked for from the row behind
 * the last one found: our own clients send them in order.
 */
#include "base/text.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define PATH_MAX_DEPTH 10
#define NO_INDEX SIZE_MAX

struct step {
	struct span name;
	size_t index;
};

struct dec {
	struct json j;
	struct arena *a;
	struct shape_error *err;
	uint32_t faults;
	bool strict, full;		/* full: the arena is */
	size_t depth;
	struct step path[PATH_MAX_DEPTH];
};

/* All lists look alike. */
struct any_list {
	void *p;
	size_t n;
};

/* ------------------------------------------------------------- faults -- */

static void
put_path(const struct dec *d, struct wr *w)
{
	for (size_t i = 0; i < d->depth; i++) {
		if (i > 0 && d->path[i].name.n > 0)
			wr_u8(w, '.');
		wr_span(w, d->path[i].name);
		if (d->path[i].index != NO_INDEX) {
			wr_u8(w, '[');
			wr_dec(w, d->path[i].index);
			wr_u8(w, ']');
		}
	}
	wr_u8(w, 0);
}

/* Notes a fault at the present path, below it at `name` when that is given. */
static void
fault(struct dec *d, struct span name, const char *message)
{
	char path[256];
	struct wr w = wr_init(path, sizeof path);

	d->faults++;
	if (d->err == NULL || d->err->n >= SHAPE_FAULTS_MAX)
		return;
	if (name.n > 0 && d->depth < PATH_MAX_DEPTH)
		d->path[d->depth++] = (struct step){ span_sub(name, 0, 64),
		    NO_INDEX };
	put_path(d, &w);
	if (name.n > 0 && d->depth > 0)
		d->depth--;
	shape_error_add(d->err, wr_ok(&w) ? path : "", message);
}

static void
fault_row(struct dec *d, const struct shape_row *r, bool item)
{
	char message[128] = "";
	struct wr w = wr_init(message, sizeof message - 1);

	if (item)
		shape_text_item(r, &w);
	else
		shape_text_row(r, &w);
	fault(d, span_of(NULL, 0), message);
}

/* ---------------------------------------------- values that are text -- */

/* Characters within min..max? NUL is refused: no store takes it in text. */
static bool
chars_ok(struct span s, uint64_t min, uint64_t max)
{
	uint64_t n = 0;

	if (s.n > 0 && memchr(s.p, 0, s.n) != NULL)
		return false;
	if (s.n <= max && s.n / 4 >= min)
		return true;	/* a character has 1 to 4 bytes */
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n >= min && n <= max;
}

static bool
take_base64(struct dec *d, struct span s, uint64_t min, uint64_t max,
    struct span *out)
{
	uint8_t *p;
	size_t n;

	if (s.n / 4 * 3 > max + 2)
		return false;
	p = arena_bytes(d->a, s.n / 4 * 3);
	if (p == NULL) {
		d->full = true;
		return false;
	}
	if (!base64_decode(s, p, &n) || n < min || n > max)
		return false;
	*out = span_of(p, n);
	return true;
}

/* A value whose JSON form is a string, from its characters. */
static bool
take_text(struct dec *d, const struct shape_row *r, struct span s, void *to)
{
	struct span bytes;
	uint64_t ms;
	uint32_t value;

	switch (r->kind) {
	case SHAPE_STR:
	case SHAPE_PAT:
		if (!chars_ok(s, r->min, r->max) ||
		    !shape_is_class(r->class, s))
			return false;
		break;
	case SHAPE_STRB:
		if (s.n < r->min || s.n > r->max ||
		    (s.n > 0 && memchr(s.p, 0, s.n) != NULL))
			return false;
		break;
	case SHAPE_B64TEXT:
		if (!shape_is_base64(s, r->min, r->max))
			return false;
		break;
	case SHAPE_B64:
		if (!take_base64(d, s, r->min, r->max, &bytes))
			return false;
		s = bytes;
		break;
	case SHAPE_UUID:
		return id_decode(s, to);
	case SHAPE_TIME:
		if (!time_decode(s, &ms))
			return false;
		memcpy(to, &ms, sizeof ms);
		return true;
	case SHAPE_ENUM:
		if (!shape_value(r->names, s, &value))
			return false;
		memcpy(to, &value, sizeof value);
		return true;
	default:
		return false;
	}
	memcpy(to, &s, sizeof s);
	return true;
}

static bool
is_text_kind(unsigned kind)
{
	return kind == SHAPE_STR || kind == SHAPE_STRB || kind == SHAPE_PAT ||
	    kind == SHAPE_B64 || kind == SHAPE_B64TEXT ||
	    kind == SHAPE_UUID || kind == SHAPE_TIME || kind == SHAPE_ENUM;
}

_Static_assert(sizeof(enum msg_suite) == sizeof(uint32_t), "enums as u32");

/* ------------------------------------------------------ JSON, by kind -- */

/* False: the value does not fit the row, and was stepped over. */
static bool
take_string(struct dec *d, struct span *out)
{
	if (json_peek(&d->j) != JSON_STRING) {
		(void)json_skip(&d->j);
		return false;
	}
	if (json_string(&d->j, d->a, out))
		return true;
	if (d->j.err == ERR_TOO_LARGE)
		d->full = true;
	return false;
}

static bool
take_integer(struct dec *d, uint64_t min, uint64_t max, uint64_t *out)
{
	struct span text;

	return json_raw(&d->j, &text) && span_u64(text, max, out) &&
	    *out >= min;
}

static bool
take_number(struct dec *d, const struct shape_row *r, void *to)
{
	uint64_t v;
	uint32_t v32;

	if (!take_integer(d, r->min, r->max, &v))
		return false;
	v32 = (uint32_t)v;
	if (r->kind == SHAPE_U32)
		memcpy(to, &v32, sizeof v32);
	else
		memcpy(to, &v, sizeof v);
	return true;
}

static bool
take_bool(struct dec *d, bool *to)
{
	if (json_peek(&d->j) == JSON_BOOL)
		return json_bool(&d->j, to);
	(void)json_skip(&d->j);
	return false;
}

static bool
take_raw(struct dec *d, const struct shape_row *r, struct span *to)
{
	struct span s;

	if (!json_raw(&d->j, &s) || s.n < r->min || s.n > r->max)
		return false;
	*to = s;
	return true;
}

static void walk(struct dec *d, const struct shape *s, void *out,
    uint64_t seen);

/*
 * Room for one more entry of `size` bytes in a list of n; it doubles, so what
 * is left behind in the arena is less than what is used.
 */
static void *
list_push(struct dec *d, struct any_list *l, size_t *cap, size_t size)
{
	uint8_t *p;

	if (l->n == *cap) {
		size_t more = *cap == 0 ? 4 : 2 * *cap;

		p = arena_alloc(d->a, more * size);
		if (p == NULL) {
			d->full = true;
			return NULL;
		}
		if (l->n > 0)
			memcpy(p, l->p, l->n * size);
		l->p = p;
		*cap = more;
	}
	p = l->p;
	return &p[l->n++ * size];
}

/* The text of one entry of STRS, B64S, UUIDS. */
static bool
item_text(struct dec *d, const struct shape_row *r, struct span s, void *to)
{
	struct span bytes;

	if (r->kind == SHAPE_UUIDS)
		return id_decode(s, to);
	if (r->kind == SHAPE_B64S) {
		if (!take_base64(d, s, r->item_min, r->item_max, &bytes))
			return false;
		s = bytes;
	} else if (!chars_ok(s, r->item_min, r->item_max)) {
		return false;
	}
	memcpy(to, &s, sizeof s);
	return true;
}

static bool
item_json(struct dec *d, const struct shape_row *r, void *to)
{
	struct span s;
	uint64_t v;
	uint32_t v32;

	if (r->kind == SHAPE_U32S) {
		if (!take_integer(d, 0, SHAPE_U32_MAX, &v))
			return false;
		v32 = (uint32_t)v;
		memcpy(to, &v32, sizeof v32);
		return true;
	}
	if (r->kind == SHAPE_LIST) {
		if (json_peek(&d->j) != JSON_OBJECT) {
			(void)json_skip(&d->j);
			return false;
		}
		walk(d, r->shape, to, 0);
		return true;		/* walk noted what was wrong */
	}
	return take_string(d, &s) && item_text(d, r, s, to);
}

static bool
take_list(struct dec *d, const struct shape_row *r, struct any_list *to)
{
	struct any_list l = { NULL, 0 };
	size_t cap = 0, count = 0;
	struct step *step = &d->path[d->depth - 1];
	void *item;

	if (json_peek(&d->j) != JSON_ARRAY) {
		(void)json_skip(&d->j);
		return false;
	}
	(void)json_array(&d->j);
	for (; json_item(&d->j) && !d->full; count++) {
		if (count >= r->max) {
			(void)json_skip(&d->j);
			continue;
		}
		item = list_push(d, &l, &cap, shape_item_size(r));
		step->index = count;
		if (item != NULL && !item_json(d, r, item) &&
		    d->j.why == NULL && !d->full)
			fault_row(d, r, true);
		step->index = NO_INDEX;
	}
	if (count < r->min || count > r->max)
		return false;
	*to = l;
	return true;
}

/* Is the name of the newest entry (size bytes each) among the older ones? */
static bool
is_repeated(const struct any_list *l, size_t size, struct span name)
{
	const uint8_t *p = l->p;
	struct span other;

	for (size_t i = 0; i + 1 < l->n; i++) {
		memcpy(&other, &p[i * size], sizeof other);
		if (span_eq(other, name))
			return true;
	}
	return false;
}

_Static_assert(offsetof(struct shape_pair, name) == 0 &&
    offsetof(struct shape_count, name) == 0, "is_repeated reads names");

/* MAP and COUNTS: one member, its name read already. */
static void
take_entry(struct dec *d, const struct shape_row *r, struct any_list *l,
    size_t *cap, struct span name)
{
	struct shape_pair pair = { name, { NULL, 0 } };
	struct shape_count entry = { name, 0 };
	void *to = list_push(d, l, cap, shape_item_size(r));
	bool good;

	if (to == NULL)
		return;
	if (r->kind == SHAPE_MAP) {
		good = take_string(d, &pair.value) &&
		    pair.value.n <= r->item_max;
		memcpy(to, &pair, sizeof pair);
	} else {
		good = take_integer(d, 0, SHAPE_U53_MAX, &entry.value);
		memcpy(to, &entry, sizeof entry);
	}
	if (d->j.why != NULL || d->full)
		return;
	if (name.n == 0 || name.n > r->item_min ||
	    memchr(name.p, 0, name.n) != NULL) {
		fault(d, name, "is not a valid name here");
	} else if (is_repeated(l, shape_item_size(r), name)) {
		fault(d, name, "is given twice");
	} else if (!good) {
		d->path[d->depth++] = (struct step){ span_sub(name, 0, 64),
		    NO_INDEX };
		fault_row(d, r, true);
		d->depth--;
	}
}

static bool
take_map(struct dec *d, const struct shape_row *r, struct any_list *to)
{
	struct any_list l = { NULL, 0 };
	size_t cap = 0, count = 0;
	struct span name;

	if (json_peek(&d->j) != JSON_OBJECT) {
		(void)json_skip(&d->j);
		return false;
	}
	(void)json_object(&d->j);
	for (; !d->full && json_member(&d->j, d->a, &name); count++) {
		if (count >= r->max)
			(void)json_skip(&d->j);
		else
			take_entry(d, r, &l, &cap, name);
	}
	if (count < r->min || count > r->max)
		return false;
	*to = l;
	return true;
}

static bool
take_object(struct dec *d, const struct shape_row *r, void *to)
{
	if (json_peek(&d->j) != JSON_OBJECT) {
		(void)json_skip(&d->j);
		return false;
	}
	walk(d, r->shape, to, 0);
	return true;
}

static bool
take_value(struct dec *d, const struct shape_row *r, void *to)
{
	struct span s;

	switch ((enum shape_kind)r->kind) {
	case SHAPE_STR:
	case SHAPE_STRB:
	case SHAPE_PAT:
	case SHAPE_B64:
	case SHAPE_B64TEXT:
	case SHAPE_UUID:
	case SHAPE_TIME:
	case SHAPE_ENUM:
		return take_string(d, &s) && take_text(d, r, s, to);
	case SHAPE_U32:
	case SHAPE_U53:
		return take_number(d, r, to);
	case SHAPE_BOOL:
		return take_bool(d, to);
	case SHAPE_RAW:
		return take_raw(d, r, to);
	case SHAPE_OBJ:
		return take_object(d, r, to);
	case SHAPE_LIST:
	case SHAPE_STRS:
	case SHAPE_B64S:
	case SHAPE_UUIDS:
	case SHAPE_U32S:
		return take_list(d, r, to);
	case SHAPE_MAP:
	case SHAPE_COUNTS:
		return take_map(d, r, to);
	}
	return false;
}

/* ------------------------------------------------------------ records -- */

/* The row of that name, looked for from *at on; rows_n when there is none. */
static uint32_t
find_row(const struct shape *s, struct span name, uint32_t at)
{
	for (uint32_t k = 0; k < s->rows_n; k++) {
		uint32_t i = at + k < s->rows_n ? at + k : at + k - s->rows_n;

		if (s->rows[i].name_n == name.n &&
		    memcmp(s->rows[i].name, name.p, name.n) == 0)
			return i;
	}
	return s->rows_n;
}

static void
set_has(const struct shape_row *r, uint8_t *out)
{
	bool yes = true;

	if (r->need != SHAPE_REQ)
		memcpy(&out[r->has_at], &yes, sizeof yes);
}

/* One member, its name read already. */
static void
take_member(struct dec *d, const struct shape_row *r, uint8_t *out,
    bool again)
{
	bool good = true;

	d->path[d->depth++] = (struct step){ span_of(r->name, r->name_n),
	    NO_INDEX };
	if (again) {
		(void)json_skip(&d->j);
		fault(d, span_of(NULL, 0), "is given twice");
	} else if (r->need != SHAPE_REQ && json_peek(&d->j) == JSON_NULL) {
		(void)json_null(&d->j);
	} else {
		good = take_value(d, r, &out[r->at]);
		if (good)
			set_has(r, out);
	}
	if (!good && d->j.why == NULL && !d->full)
		fault_row(d, r, false);
	d->depth--;
}

static void
check_required(struct dec *d, const struct shape *s, uint64_t seen)
{
	for (uint32_t i = 0; i < s->rows_n; i++)
		if (s->rows[i].need == SHAPE_REQ && (seen >> i & 1) == 0)
			fault(d, span_of(s->rows[i].name, s->rows[i].name_n),
			    "is required");
}

/* An object's members into out; bit i of seen: row i came already. */
static void
walk(struct dec *d, const struct shape *s, void *out, uint64_t seen)
{
	struct span name;
	uint32_t at = 0;

	if (d->depth + 2 >= PATH_MAX_DEPTH) {
		fault(d, span_of(NULL, 0), "is nested too deeply");
		(void)json_skip(&d->j);
		return;
	}
	(void)json_object(&d->j);
	while (!d->full && json_member(&d->j, d->a, &name)) {
		uint32_t i = find_row(s, name, at);

		if (i == s->rows_n) {
			(void)json_skip(&d->j);
			if (d->strict && d->j.why == NULL)
				fault(d, name.n > 0 ? name : SPAN("\"\""),
				    "is not known here");
			continue;
		}
		take_member(d, &s->rows[i], out, (seen >> i & 1) != 0);
		seen |= 1ULL << i;
		at = i + 1;
	}
	if (d->j.why == NULL && !d->full)
		check_required(d, s, seen);
}

/* --------------------------------------------------------- parameters -- */

static bool
param_list(struct dec *d, const struct shape_row *r, struct span s,
    struct any_list *to)
{
	struct any_list l = { NULL, 0 };
	size_t cap = 0;
	uint64_t v;
	uint32_t v32;

	while (s.n > 0) {
		size_t comma = span_find(s, ',');
		struct span item = span_sub(s, 0, comma);
		void *p;

		s = span_sub(s, comma + 1, s.n);
		if (l.n >= r->max)
			return false;
		p = list_push(d, &l, &cap, shape_item_size(r));
		if (p == NULL)
			return false;
		if (r->kind == SHAPE_U32S) {
			if (!span_u64(item, SHAPE_U32_MAX, &v))
				return false;
			v32 = (uint32_t)v;
			memcpy(p, &v32, sizeof v32);
		} else if (!item_text(d, r, item, p)) {
			return false;
		}
	}
	if (l.n < r->min)
		return false;
	*to = l;
	return true;
}

static bool
param_value(struct dec *d, const struct shape_row *r, struct span s, void *to)
{
	uint64_t v;
	uint32_t v32;
	bool yes = span_eq(s, SPAN("true")) || span_eq(s, SPAN("1"));

	if (is_text_kind(r->kind))
		return take_text(d, r, s, to);
	if (r->kind == SHAPE_U32 || r->kind == SHAPE_U53) {
		if (!span_u64(s, r->max, &v) || v < r->min)
			return false;
		v32 = (uint32_t)v;
		if (r->kind == SHAPE_U32)
			memcpy(to, &v32, sizeof v32);
		else
			memcpy(to, &v, sizeof v);
		return true;
	}
	if (r->kind == SHAPE_BOOL) {
		if (!yes && !span_eq(s, SPAN("false")) &&
		    !span_eq(s, SPAN("0")))
			return false;
		memcpy(to, &yes, sizeof yes);
		return true;
	}
	if (r->kind == SHAPE_STRS || r->kind == SHAPE_B64S ||
	    r->kind == SHAPE_UUIDS || r->kind == SHAPE_U32S)
		return param_list(d, r, s, to);
	return false;
}

/* All parameters; the bits of the rows that they filled. */
static uint64_t
take_params(struct dec *d, const struct shape *s,
    const struct shape_param *params, size_t n, uint8_t *out)
{
	uint64_t seen = 0;

	for (size_t k = 0; k < n && !d->full; k++) {
		uint32_t i = find_row(s, params[k].name, 0);
		const struct shape_row *r;

		if (i == s->rows_n) {
			if (d->strict)
				fault(d, params[k].name, "is not known here");
			continue;
		}
		r = &s->rows[i];
		d->path[d->depth++] = (struct step){ params[k].name,
		    NO_INDEX };
		if ((seen >> i & 1) != 0)
			fault(d, span_of(NULL, 0), "is given twice");
		else if (param_value(d, r, params[k].value, &out[r->at]))
			set_has(r, out);
		else if (!d->full)
			fault_row(d, r, false);
		d->depth--;
		seen |= 1ULL << i;
	}
	return seen;
}

/* -------------------------------------------------------------- entry -- */

/* "is not JSON: expected , or } at byte 17" */
static void
fault_json(struct shape_error *err, const struct json *j)
{
	char text[96] = "";
	struct wr w = wr_init(text, sizeof text - 1);

	if (err == NULL)
		return;
	wr_str(&w, "is not JSON: ");
	wr_str(&w, j->why);
	wr_str(&w, " at byte ");
	wr_dec(&w, json_at(j));
	err->n = 0;
	shape_error_add(err, "", text);
}

static enum err
result(struct dec *d)
{
	if (d->full || (d->j.why != NULL && d->j.err == ERR_TOO_LARGE))
		return ERR_TOO_LARGE;
	if (json_end(&d->j) != OK) {
		fault_json(d->err, &d->j);
		return ERR_BAD_REQUEST;
	}
	return d->faults > 0 ? ERR_VALIDATION : OK;
}

enum err
shape_decode_call(const struct shape *s, const struct shape_param *params,
    size_t params_n, struct span json, struct arena *a, void *out,
    struct shape_error *err)
{
	struct dec d = { .a = a, .err = err,
	    .strict = (s->flags & SHAPE_STRICT) != 0 };
	uint64_t seen;
	enum err e;

	if (err != NULL)
		err->n = 0;
	if (s->size > 0)
		memset(out, 0, s->size);
	d.j = json_init(json);
	seen = take_params(&d, s, params, params_n, out);
	if (json.n == 0) {
		check_required(&d, s, seen);
		e = d.full ? ERR_TOO_LARGE :
		    d.faults > 0 ? ERR_VALIDATION : OK;
	} else {
		if (json_peek(&d.j) == JSON_OBJECT) {
			walk(&d, s, out, seen);
		} else {
			(void)json_skip(&d.j);
			fault(&d, span_of(NULL, 0), "must be a JSON object");
		}
		e = result(&d);
	}
	if (e != OK && s->size > 0)
		memset(out, 0, s->size);
	return e;
}

enum err
shape_decode(const struct shape *s, struct span json, struct arena *a,
    void *out, struct shape_error *err)
{
	/* Nothing at all is no JSON, other than a call without a body. */
	if (json.n == 0)
		json = SPAN(" ");
	return shape_decode_call(s, NULL, 0, json, a, out, err);
}
