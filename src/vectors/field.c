/*
 * field.c: members of a vector's JSON object, decoded into the file's arena.
 */
#include "base/text.h"
#include "vectors/schema.h"

bool
field_str(yyjson_val *obj, const char *key, const char **out)
{
	yyjson_val *v = yyjson_obj_get(obj, key);

	if (!yyjson_is_str(v))
		return false;
	*out = yyjson_get_str(v);
	return true;
}

bool
field_u64(yyjson_val *obj, const char *key, uint64_t *out)
{
	yyjson_val *v = yyjson_obj_get(obj, key);

	if (!yyjson_is_uint(v))
		return false;
	*out = yyjson_get_uint(v);
	return true;
}

bool
field_bool(yyjson_val *obj, const char *key, bool *out)
{
	yyjson_val *v = yyjson_obj_get(obj, key);

	if (!yyjson_is_bool(v))
		return false;
	*out = yyjson_get_bool(v);
	return true;
}

static bool
field_text(yyjson_val *obj, const char *key, struct span *out)
{
	yyjson_val *v = yyjson_obj_get(obj, key);

	if (!yyjson_is_str(v))
		return false;
	*out = span_of(yyjson_get_str(v), yyjson_get_len(v));
	return true;
}

bool
field_hex(const struct vector_file *f, yyjson_val *obj, const char *key,
    struct span *out)
{
	struct span text;
	uint8_t *p;

	if (!field_text(obj, key, &text))
		return false;
	p = arena_bytes(f->arena, text.n / 2 + 1);
	if (p == NULL || !hex_decode(text, p))
		return false;
	*out = span_of(p, text.n / 2);
	return true;
}

bool
field_hex_n(const struct vector_file *f, yyjson_val *obj, const char *key,
    size_t n, const uint8_t **out)
{
	struct span s;

	if (!field_hex(f, obj, key, &s) || s.n != n)
		return false;
	*out = s.p;
	return true;
}

static bool
field_decode(const struct vector_file *f, yyjson_val *obj, const char *key,
    bool (*decode)(struct span, uint8_t *, size_t *), struct span *out)
{
	struct span text;
	uint8_t *p;
	size_t n;

	if (!field_text(obj, key, &text))
		return false;
	p = arena_bytes(f->arena, text.n + 4);
	if (p == NULL || !decode(text, p, &n))
		return false;
	*out = span_of(p, n);
	return true;
}

bool
field_base64(const struct vector_file *f, yyjson_val *obj, const char *key,
    struct span *out)
{
	return field_decode(f, obj, key, base64_decode, out);
}

bool
field_base64url(const struct vector_file *f, yyjson_val *obj, const char *key,
    struct span *out)
{
	return field_decode(f, obj, key, base64url_decode, out);
}
