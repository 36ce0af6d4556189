/*
 * openapi_schema.c: records as JSON Schema 2020-12.
 * exports openapi_schema*, openapi_ref, openapi_use
 */
#include <assert.h>

#include "server/openapi.h"
#include "wire/json.h"

static void
put_u64(struct wr *w, const char *name, uint64_t v)
{
	wr_u8(w, ',');
	json_put_name(w, name);
	json_put_u64(w, v);
}

/* "type":"x", or with null. */
static void
put_type(struct wr *w, const char *type, bool null)
{
	json_put_name(w, "type");
	if (null)
		wr_u8(w, '[');
	json_put_str(w, span_str(type));
	if (null)
		wr_str(w, ",\"null\"]");
}

/* Limits of text; what has none is left out. */
static void
put_lengths(struct wr *w, uint64_t min, uint64_t max)
{
	if (min > 0)
		put_u64(w, "minLength", min);
	put_u64(w, "maxLength", max);
}

static void
put_base64(struct wr *w, uint64_t min, uint64_t max)
{
	wr_str(w, ",\"contentEncoding\":\"base64\"");
	put_lengths(w, (min + 2) / 3 * 4, (max + 2) / 3 * 4);
}

static void
put_class(struct wr *w, unsigned class)
{
	switch (class) {
	case SHAPE_USERNAME:
		wr_str(w, ",\"pattern\":\"^[A-Za-z0-9_]*$\"");
		break;
	case SHAPE_EMAIL:
		wr_str(w, ",\"format\":\"email\"");
		break;
	case SHAPE_LABEL:
		wr_str(w, ",\"pattern\":"
		    "\"^[^ \\\\u0000-\\\\u001f\\\\u007f]"
		    "([^\\\\u0000-\\\\u001f\\\\u007f]*"
		    "[^ \\\\u0000-\\\\u001f\\\\u007f])?$\"");
		break;
	case SHAPE_TOKEN:
		wr_str(w, ",\"pattern\":\"^[!-~]*$\"");
		break;
	default:
		break;
	}
}

static void
put_enum(struct wr *w, const struct shape_names *e, bool null)
{
	put_type(w, "string", null);
	wr_u8(w, ',');
	json_put_name(w, "enum");
	wr_u8(w, '[');
	for (uint32_t i = 0; i < e->n; i++) {
		if (i > 0)
			wr_u8(w, ',');
		json_put_str(w, span_str(e->text[i]));
	}
	wr_str(w, null ? ",null]" : "]");
}

void
openapi_ref(const struct shape *s, struct wr *w)
{
	wr_str(w, "{\"$ref\":\"#/components/schemas/");
	wr_str(w, s->name);
	wr_str(w, "\"}");
}

static void
put_scalar(struct wr *w, const struct shape_row *r, bool null)
{
	switch (r->kind) {
	case SHAPE_STR:
	case SHAPE_PAT:
		put_type(w, "string", null);
		put_lengths(w, r->min, r->max);
		put_class(w, r->class);
		break;
	case SHAPE_STRB:
		/* A character has a byte at least. */
		put_type(w, "string", null);
		put_lengths(w, r->min > 0, r->max);
		put_u64(w, "x-minBytes", r->min);
		put_u64(w, "x-maxBytes", r->max);
		break;
	case SHAPE_B64:
	case SHAPE_B64TEXT:
		put_type(w, "string", null);
		put_base64(w, r->min, r->max);
		break;
	case SHAPE_UUID:
		put_type(w, "string", null);
		wr_str(w, ",\"format\":\"uuid\"");
		break;
	case SHAPE_TIME:
		put_type(w, "string", null);
		wr_str(w, ",\"format\":\"date-time\"");
		break;
	case SHAPE_U32:
	case SHAPE_U53:
		put_type(w, "integer", null);
		put_u64(w, "minimum", r->min);
		put_u64(w, "maximum", r->max);
		break;
	case SHAPE_BOOL:
		put_type(w, "boolean", null);
		break;
	default:
		put_enum(w, r->names, null);
		break;
	}
}

/* What an entry of a list is. */
static void
put_items(struct wr *w, const struct shape_row *r)
{
	wr_u8(w, ',');
	json_put_name(w, "items");
	switch (r->kind) {
	case SHAPE_LIST:
		openapi_ref(r->shape, w);
		return;
	case SHAPE_STRS:
		wr_str(w, "{\"type\":\"string\"");
		put_lengths(w, r->item_min, r->item_max);
		break;
	case SHAPE_B64S:
		wr_str(w, "{\"type\":\"string\"");
		put_base64(w, r->item_min, r->item_max);
		break;
	case SHAPE_UUIDS:
		wr_str(w, "{\"type\":\"string\",\"format\":\"uuid\"");
		break;
	default:
		wr_str(w, "{\"type\":\"integer\"");
		put_u64(w, "minimum", 0);
		put_u64(w, "maximum", SHAPE_U32_MAX);
		break;
	}
	wr_u8(w, '}');
}

static void
put_list(struct wr *w, const struct shape_row *r, bool null)
{
	put_type(w, "array", null);
	put_items(w, r);
	if (r->min > 0)
		put_u64(w, "minItems", r->min);
	put_u64(w, "maxItems", r->max);
}

static void
put_map(struct wr *w, const struct shape_row *r, bool null)
{
	put_type(w, "object", null);
	wr_str(w, ",\"propertyNames\":{\"minLength\":1");
	put_u64(w, "maxLength", r->item_min);
	wr_str(w, "},\"additionalProperties\":{");
	if (r->kind == SHAPE_MAP) {
		wr_str(w, "\"type\":\"string\"");
		put_u64(w, "maxLength", r->item_max);
	} else {
		wr_str(w, "\"type\":\"integer\"");
		put_u64(w, "minimum", 0);
	}
	wr_u8(w, '}');
	if (r->min > 0)
		put_u64(w, "minProperties", r->min);
	put_u64(w, "maxProperties", r->max);
}

static void
put_object(struct wr *w, const struct shape_row *r, bool null)
{
	wr_str(w, null ? "\"anyOf\":[" : "\"allOf\":[");
	openapi_ref(r->shape, w);
	wr_str(w, null ? ",{\"type\":\"null\"}]" : "]");
}

void
openapi_schema_row(const struct shape_row *r, bool null, struct wr *w)
{
	wr_u8(w, '{');
	switch (r->kind) {
	case SHAPE_OBJ:
		put_object(w, r, null);
		break;
	case SHAPE_LIST:
	case SHAPE_STRS:
	case SHAPE_B64S:
	case SHAPE_UUIDS:
	case SHAPE_U32S:
		put_list(w, r, null);
		break;
	case SHAPE_MAP:
	case SHAPE_COUNTS:
		put_map(w, r, null);
		break;
	case SHAPE_RAW:		/* any value */
		json_put_name(w, "x-maxBytes");
		json_put_u64(w, r->max);
		break;
	default:
		put_scalar(w, r, null);
		break;
	}
	if (r->note[0] != '\0') {
		wr_u8(w, ',');
		json_put_name(w, "description");
		json_put_str(w, span_str(r->note));
	}
	wr_u8(w, '}');
}

/* In requests what may be left out may be null, too; in answers not. */
static bool
may_be_null(const struct shape *s, const struct shape_row *r)
{
	return r->need == SHAPE_NUL ||
	    (r->need == SHAPE_OPT && (s->flags & SHAPE_STRICT) != 0);
}

void
openapi_schema(const struct shape *s, openapi_skip_fn skip, const void *arg,
    struct wr *w)
{
	size_t n = 0;

	wr_str(w, "{\"type\":\"object\",\"properties\":{");
	for (uint32_t i = 0; i < s->rows_n; i++) {
		const struct shape_row *r = &s->rows[i];

		if (skip != NULL && skip(arg, r))
			continue;
		if (n++ > 0)
			wr_u8(w, ',');
		json_put_name(w, r->name);
		openapi_schema_row(r, may_be_null(s, r), w);
	}
	wr_u8(w, '}');
	n = 0;
	for (uint32_t i = 0; i < s->rows_n; i++) {
		const struct shape_row *r = &s->rows[i];

		if (r->need == SHAPE_OPT || (skip != NULL && skip(arg, r)))
			continue;
		wr_str(w, n++ > 0 ? "," : ",\"required\":[");
		json_put_str(w, span_str(r->name));
	}
	if (n > 0)
		wr_u8(w, ']');
	if ((s->flags & SHAPE_STRICT) != 0)
		wr_str(w, ",\"additionalProperties\":false");
	if (s->note[0] != '\0') {
		wr_u8(w, ',');
		json_put_name(w, "description");
		json_put_str(w, span_str(s->note));
	}
	wr_u8(w, '}');
}

/* ---- which records ---- */

void
openapi_use(struct openapi_used *u, const struct shape *s)
{
	size_t i = 0;

	if (s == &shape_none)
		return;
	while (shape_at(i) != NULL && shape_at(i) != s)
		i++;
	assert(shape_at(i) != NULL);
	assert(i < OPENAPI_SHAPES_MAX);
	if (u->all[i])
		return;
	u->all[i] = true;
	for (uint32_t k = 0; k < s->rows_n; k++)
		if (s->rows[k].shape != NULL)
			openapi_use(u, s->rows[k].shape);
}

void
openapi_schemas(const struct openapi_used *u, struct wr *w)
{
	const struct shape *s;
	size_t n = 0;

	for (size_t i = 0; (s = shape_at(i)) != NULL; i++) {
		if (!u->all[i])
			continue;
		if (n++ > 0)
			wr_u8(w, ',');
		json_put_name(w, s->name);
		openapi_schema(s, NULL, NULL, w);
	}
}
