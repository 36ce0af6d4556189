/*
 * json.c: reading JSON in place, and writing it. See json.h.
 *
 * Implementation notes: `first` is true just behind an opening bracket; every
 * value clears it when it begins, so one flag serves all levels (behind a
 * closed inner value it is false, as it has to be in the outer one). Strings
 * are searched eight bytes at a time for the first byte that is not plain.
 */
#include "wire/json.h"

#include "base/text.h"

#define ONES 0x0101010101010101ULL
#define TOPS 0x8080808080808080ULL

static bool
bad(struct json *j, const char *why, enum err e)
{
	if (j->why == NULL) {
		j->why = why;
		j->err = e;
	}
	return false;
}

struct json
json_init(struct span text)
{
	return (struct json){ .text = text };
}

struct json
json_init_any(struct span text)
{
	return (struct json){ .text = text, .any = true };
}

size_t
json_at(const struct json *j)
{
	return j->at;
}

/* RFC 8259 2: space, tab, line feed, carriage return. */
static void
skip_space(struct json *j)
{
	while (j->at < j->text.n) {
		uint8_t c = j->text.p[j->at];

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return;
		j->at++;
	}
}

/* The next byte behind space, 0 at the end (NUL is nowhere allowed). */
static uint8_t
look(struct json *j)
{
	if (j->why != NULL)
		return 0;
	skip_space(j);
	return j->at < j->text.n ? j->text.p[j->at] : 0;
}

enum json_type
json_peek(struct json *j)
{
	uint8_t c = look(j);

	switch (c) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER :
		    JSON_BAD;
	}
}

static bool
take_word(struct json *j, struct span word)
{
	look(j);
	if (j->why != NULL || !span_eq(span_sub(j->text, j->at, word.n), word))
		return false;
	j->at += word.n;
	j->first = false;
	return true;
}

bool
json_null(struct json *j)
{
	return take_word(j, SPAN("null")) || bad(j, "expected null", ERR_FORMAT);
}

bool
json_bool(struct json *j, bool *out)
{
	bool yes = take_word(j, SPAN("true"));

	if (!yes && !take_word(j, SPAN("false")))
		return bad(j, "expected true or false", ERR_FORMAT);
	*out = yes;
	return true;
}

static size_t
digits(struct json *j)
{
	size_t from = j->at;

	while (j->at < j->text.n && j->text.p[j->at] >= '0' &&
	    j->text.p[j->at] <= '9')
		j->at++;
	return j->at - from;
}

static bool
take_byte(struct json *j, uint8_t c)
{
	if (j->at >= j->text.n || j->text.p[j->at] != c)
		return false;
	j->at++;
	return true;
}

/* RFC 8259 6: [-] (0 | 1-9 digits) [. digits] [e [+-] digits]. */
static bool
skip_number(struct json *j)
{
	(void)look(j);
	j->first = false;
	(void)take_byte(j, '-');
	if (!take_byte(j, '0') && digits(j) == 0)
		return bad(j, "expected a number", ERR_FORMAT);
	if (take_byte(j, '.') && digits(j) == 0)
		return bad(j, "expected a digit", ERR_FORMAT);
	if (take_byte(j, 'e') || take_byte(j, 'E')) {
		if (!take_byte(j, '+'))
			(void)take_byte(j, '-');
		if (digits(j) == 0)
			return bad(j, "expected a digit", ERR_FORMAT);
	}
	return true;
}

bool
json_u64(struct json *j, uint64_t max, uint64_t *out)
{
	size_t from;
	uint8_t c;

	if (json_peek(j) != JSON_NUMBER)
		return bad(j, "expected an integer", ERR_FORMAT);
	from = j->at;
	c = j->text.p[from];
	if (c == '-' || !skip_number(j))
		return bad(j, "expected an integer", ERR_FORMAT);
	if (!span_u64(span_sub(j->text, from, j->at - from), max, out))
		return bad(j, "expected an integer in its range", ERR_FORMAT);
	return true;
}

/* ----------------------------------------------------------- strings -- */

/* How many bytes at p[n] are plain: not ", not \, not control, not >= 0x80. */
static size_t
plain_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v, q, b;

		memcpy(&v, &p[i], 8);
		q = v ^ ONES * '"';
		b = v ^ ONES * '\\';
		/* A borrow starts only at a byte that is a hit itself. */
		if (((v | (v - ONES * 0x20) | (q - ONES) | (b - ONES)) &
		    TOPS) != 0)
			break;
	}
	while (i < n && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' &&
	    p[i] != '\\')
		i++;
	return i;
}

static bool
hex4(struct span s, uint32_t *out)
{
	uint32_t v = 0;

	if (s.n != 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		uint8_t c = s.p[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

/*
 * One escape at s (behind the backslash): its code point, and how many bytes
 * it takes; 0 when it is malformed. RFC 8259 7; lone surrogates are refused,
 * since they stand for no character.
 */
static size_t
escape(struct span s, uint32_t *code)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t low;

	if (s.n == 0)
		return 0;
	at = s.p[0] == 0 ? NULL : strchr(from, s.p[0]);
	if (at != NULL) {
		*code = (uint8_t)to[at - from];
		return 1;
	}
	if (s.p[0] != 'u' || !hex4(span_sub(s, 1, 4), code))
		return 0;
	if (*code < 0xd800 || *code > 0xdfff)
		return 5;
	if (*code > 0xdbff || s.n < 11 || s.p[5] != '\\' || s.p[6] != 'u' ||
	    !hex4(span_sub(s, 7, 4), &low) || low < 0xdc00 || low > 0xdfff)
		return 0;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 11;
}

#define LONE 5			/* bytes of uXXXX */

/* An escape that is a surrogate, and not one of a pair? */
static bool
is_lone(struct span s)
{
	uint32_t code;

	return s.n >= LONE && s.p[0] == 'u' &&
	    hex4(span_sub(s, 1, 4), &code) && code >= 0xd800 && code <= 0xdfff;
}

/*
 * Steps over a string and checks it: *raw is what stands between the quotes,
 * *escaped says whether it has escapes.
 */
static bool
scan_string(struct json *j, struct span *raw, bool *escaped)
{
	bool ascii = true;
	size_t from, n;
	uint32_t code;

	*escaped = false;
	if (look(j) != '"')
		return bad(j, "expected a string", ERR_FORMAT);
	j->first = false;
	from = ++j->at;
	for (;;) {
		j->at += plain_run(&j->text.p[j->at], j->text.n - j->at);
		if (j->at >= j->text.n)
			return bad(j, "unfinished string", ERR_FORMAT);
		if (j->text.p[j->at] == '"')
			break;
		if (j->text.p[j->at] < 0x20)
			return bad(j, "control character in a string",
			    ERR_FORMAT);
		if (j->text.p[j->at] == '\\') {
			struct span s = span_sub(j->text, j->at + 1, 11);

			n = escape(s, &code);
			if (n == 0 && j->any && is_lone(s))
				n = LONE;
			if (n == 0)
				return bad(j, "bad escape", ERR_FORMAT);
			*escaped = true;
			j->at += 1 + n;
		} else {
			ascii = false;
			j->at++;
		}
	}
	*raw = span_sub(j->text, from, j->at - from);
	if (!ascii && !utf8_valid(*raw)) {
		j->at = from;
		return bad(j, "string is not UTF-8", ERR_FORMAT);
	}
	j->at++;
	return true;
}

/* The characters of checked raw text with escapes; never longer than it. */
static size_t
unescape(struct span raw, uint8_t *out)
{
	size_t n = 0;
	uint32_t code;

	for (size_t i = 0; i < raw.n;) {
		size_t run = span_find(span_sub(raw, i, raw.n), '\\');

		memcpy(&out[n], &raw.p[i], run);
		n += run;
		i += run;
		if (i < raw.n) {
			uint8_t utf[4];
			size_t k, len;

			k = escape(span_sub(raw, i + 1, 11), &code);
			if (k == 0) {
				k = LONE;
				code = 0xfffd;
			}
			len = utf8_put(code, utf);
			memcpy(&out[n], utf, len);
			n += len;
			i += 1 + k;
		}
	}
	return n;
}

static bool
finish_string(struct json *j, struct arena *a, struct span raw, bool escaped,
    struct span *out)
{
	uint8_t *p;

	if (escaped) {
		p = a == NULL ? NULL : arena_bytes(a, raw.n);
		if (p == NULL)
			return bad(j, "no room for a string", ERR_TOO_LARGE);
		raw = span_of(p, unescape(raw, p));
	}
	*out = raw;
	return true;
}

bool
json_string(struct json *j, struct arena *a, struct span *out)
{
	struct span raw;
	bool escaped;

	return scan_string(j, &raw, &escaped) &&
	    finish_string(j, a, raw, escaped, out);
}

/* -------------------------------------------------- arrays, objects -- */

static bool
open_bracket(struct json *j, uint8_t c, const char *why)
{
	if (look(j) != c)
		return bad(j, why, ERR_FORMAT);
	if (j->depth == (j->any ? JSON_NEST_MAX : JSON_DEPTH_MAX))
		return bad(j, "nested too deeply", ERR_FORMAT);
	j->depth++;
	j->at++;
	j->first = true;
	return true;
}

bool
json_array(struct json *j)
{
	return open_bracket(j, '[', "expected an array");
}

bool
json_object(struct json *j)
{
	return open_bracket(j, '{', "expected an object");
}

/* To the next entry: false at the closing bracket or when bad. */
static bool
next_entry(struct json *j, uint8_t close)
{
	uint8_t c = look(j);

	if (j->why != NULL)
		return false;
	if (c == close && j->depth > 0) {
		j->at++;
		j->depth--;
		j->first = false;
		return false;
	}
	if (j->first) {
		j->first = false;
		return true;
	}
	if (c != ',')
		return bad(j, close == ']' ? "expected , or ]" :
		    "expected , or }", ERR_FORMAT);
	j->at++;
	return true;
}

bool
json_item(struct json *j)
{
	return next_entry(j, ']');
}

static bool
next_member(struct json *j, struct span *raw, bool *escaped)
{
	if (!next_entry(j, '}') || !scan_string(j, raw, escaped))
		return false;
	if (look(j) != ':')
		return bad(j, "expected :", ERR_FORMAT);
	j->at++;
	return true;
}

bool
json_member(struct json *j, struct arena *a, struct span *name_out)
{
	struct span raw;
	bool escaped;

	return next_member(j, &raw, &escaped) &&
	    finish_string(j, a, raw, escaped, name_out);
}

/* One value that is no array or object, or the opening of one. */
static bool
skip_one(struct json *j, bool *is_object, bool *is_open)
{
	struct span raw;
	bool b;

	*is_object = *is_open = false;
	switch (json_peek(j)) {
	case JSON_NULL:
		return json_null(j);
	case JSON_BOOL:
		return json_bool(j, &b);
	case JSON_NUMBER:
		return skip_number(j);
	case JSON_STRING:
		return scan_string(j, &raw, &b);
	case JSON_ARRAY:
		*is_open = true;
		return json_array(j);
	case JSON_OBJECT:
		*is_open = *is_object = true;
		return json_object(j);
	case JSON_BAD:
	default:
		return bad(j, "expected a value", ERR_FORMAT);
	}
}

/* Which of the levels that are open are objects. */
struct levels {
	uint64_t bits[JSON_NEST_MAX / 64];	/* only the first n are set */
	size_t n;
};

_Static_assert(JSON_DEPTH_MAX <= JSON_NEST_MAX, "a bit for each level");

static void
push(struct levels *l, bool is_object)
{
	uint64_t *word = &l->bits[l->n / 64];
	uint64_t bit = 1ULL << l->n % 64;

	if (l->n++ % 64 == 0)
		*word = 0;
	*word = is_object ? *word | bit : *word & ~bit;
}

static bool
in_object(const struct levels *l)
{
	return (l->bits[(l->n - 1) / 64] >> (l->n - 1) % 64 & 1) != 0;
}

static bool
skip_nested(struct json *j)
{
	struct levels l;
	struct span raw;
	bool is_object, is_open, escaped;

	l.n = 0;
	for (;;) {
		if (!skip_one(j, &is_object, &is_open))
			return false;
		if (is_open)
			push(&l, is_object);
		while (l.n > 0 && !(in_object(&l) ?
		    next_member(j, &raw, &escaped) : json_item(j))) {
			if (j->why != NULL)
				return false;
			l.n--;
		}
		if (l.n == 0)
			return true;
	}
}

bool
json_skip(struct json *j)
{
	enum json_type type = json_peek(j);
	bool is_object, is_open;

	return type == JSON_ARRAY || type == JSON_OBJECT ? skip_nested(j) :
	    skip_one(j, &is_object, &is_open);
}

bool
json_raw(struct json *j, struct span *out)
{
	size_t from;

	(void)look(j);
	from = j->at;
	if (!json_skip(j))
		return false;
	*out = span_sub(j->text, from, j->at - from);
	return true;
}

enum err
json_end(struct json *j)
{
	(void)look(j);
	if (j->why == NULL && (j->at != j->text.n || j->depth != 0))
		bad(j, "expected the end", ERR_FORMAT);
	return j->why == NULL ? OK : j->err;
}

enum err
json_check(struct span text)
{
	struct json j = json_init(text);

	(void)json_skip(&j);
	return json_end(&j);
}

enum err
json_check_any(struct span text)
{
	struct json j = json_init_any(text);

	(void)json_skip(&j);
	return json_end(&j);
}

/* --------------------------------------------------- free-form access -- */

struct span
json_find(struct span text, struct span name)
{
	struct json j = json_init_any(text);
	struct span raw, value, found = { NULL, 0 };
	uint8_t mem[256];
	bool escaped;

	if (!json_object(&j))
		return found;
	while (next_member(&j, &raw, &escaped)) {
		if (escaped && raw.n <= sizeof mem)
			raw = span_of(mem, unescape(raw, mem));
		if (!json_raw(&j, &value))
			break;
		if (found.p == NULL && span_eq(raw, name))
			found = value;
	}
	return json_end(&j) == OK ? found : (struct span){ NULL, 0 };
}

bool
json_find_string(struct span text, struct span name, struct arena *a,
    struct span *out)
{
	struct json j = json_init(json_find(text, name));

	return json_string(&j, a, out);
}

bool
json_find_u64(struct span text, struct span name, uint64_t max, uint64_t *out)
{
	struct json j = json_init(json_find(text, name));

	return json_u64(&j, max, out);
}

bool
json_find_bool(struct span text, struct span name, bool *out)
{
	struct json j = json_init(json_find(text, name));

	return json_bool(&j, out);
}
