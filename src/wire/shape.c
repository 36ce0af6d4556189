/*
 * shape.c: the tables made of shapes.def, and what is asked of them. The
 * decoder and the encoder are in files of their own. See shape.h.
 */
#include "base/text.h"
#include "wire/json.h"
#include "wire/shapes.h"

/* ------------------------------------------------------------ tables -- */

#define VALUE_TEXT(prefix, NAME, text) text,
#define ENUM_TABLE(e, note) \
	static const char *const e##_text[] = { ENUM_##e(VALUE_TEXT) }; \
	const struct shape_names shape_names_##e = { #e, e##_text, e##_MAX };
ENUMS(ENUM_TABLE)

#define K_STR		.kind = SHAPE_STR
#define K_STRB		.kind = SHAPE_STRB
#define K_PAT(c)	.kind = SHAPE_PAT, .class = SHAPE_##c
#define K_B64		.kind = SHAPE_B64
#define K_B64TEXT	.kind = SHAPE_B64TEXT
#define K_USER_ID	.kind = SHAPE_UUID
#define K_CHAT_ID	.kind = SHAPE_UUID
#define K_MESSAGE_ID	.kind = SHAPE_UUID
#define K_EVENT_ID	.kind = SHAPE_UUID
#define K_SESSION_ID	.kind = SHAPE_UUID
#define K_ANY_ID	.kind = SHAPE_UUID
#define K_U32		.kind = SHAPE_U32
#define K_U53		.kind = SHAPE_U53
#define K_BOOL		.kind = SHAPE_BOOL
#define K_TIME		.kind = SHAPE_TIME
#define K_ENUM(e)	.kind = SHAPE_ENUM, .names = &shape_names_##e
#define K_RAW		.kind = SHAPE_RAW
#define K_OBJ(x)	.kind = SHAPE_OBJ, .shape = &shape_##x
#define K_LIST(x)	.kind = SHAPE_LIST, .shape = &shape_##x
#define K_STRS(a, b)	.kind = SHAPE_STRS, .item_min = (a), .item_max = (b)
#define K_B64S(a, b)	.kind = SHAPE_B64S, .item_min = (a), .item_max = (b)
#define K_USER_IDS	.kind = SHAPE_UUIDS
#define K_MESSAGE_IDS	.kind = SHAPE_UUIDS
#define K_U32S		.kind = SHAPE_U32S
#define K_MAP(a, b)	.kind = SHAPE_MAP, .item_min = (a), .item_max = (b)
#define K_COUNTS(a)	.kind = SHAPE_COUNTS, .item_min = (a)

#define HAS_REQ(R, c)
#define HAS_OPT(R, c)	.has_at = offsetof(struct R, has_##c),
#define HAS_NUL(R, c)	.has_at = offsetof(struct R, has_##c),

#define ROW(R, NEED, KIND, c, json, low, high, text) { .name = json, \
	.name_n = sizeof(json) - 1, .note = text, .min = (low), \
	.max = (high), .at = offsetof(struct R, c), HAS_##NEED(R, c) \
	.need = SHAPE_##NEED, K_##KIND },
#define TABLE(x, bits, text) \
	static const struct shape_row x##_rows[] = { SHAPE_##x(ROW, x) }; \
	_Static_assert(sizeof(x##_rows) / sizeof(x##_rows[0]) <= \
	    SHAPE_ROWS_MAX, "a bit for each row"); \
	_Static_assert(sizeof(struct x) <= UINT16_MAX, "offsets"); \
	const struct shape shape_##x = { #x, text, x##_rows, \
	    sizeof(x##_rows) / sizeof(x##_rows[0]), sizeof(struct x), bits };
SHAPES(TABLE)

const struct shape shape_none = { "none", "no members", NULL, 0, 0,
    SHAPE_STRICT };

#define POINTER(x, bits, text) &shape_##x,
static const struct shape *const all[] = { SHAPES(POINTER) NULL };

const struct shape *
shape_at(size_t i)
{
	return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

const struct shape *
shape_find(struct span name)
{
	for (size_t i = 0; all[i] != NULL; i++)
		if (span_eq(span_str(all[i]->name), name))
			return all[i];
	return NULL;
}

const char *
shape_name(const struct shape_names *e, uint32_t value)
{
	return value < e->n ? e->text[value] : "";
}

bool
shape_value(const struct shape_names *e, struct span text, uint32_t *value_out)
{
	for (uint32_t i = 0; i < e->n; i++)
		if (span_eq(span_str(e->text[i]), text)) {
			*value_out = i;
			return true;
		}
	return false;
}

/* ------------------------------------------------------------- faults -- */

/* Copies text into out[n] with a NUL, cut between characters. */
static void
copy_cut(char *out, size_t n, const char *text)
{
	size_t len = strlen(text);

	if (len >= n) {
		len = n - 1;
		while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

void
shape_error_add(struct shape_error *err, const char *field,
    const char *message)
{
	struct shape_fault *f;

	if (err == NULL || err->n >= SHAPE_FAULTS_MAX)
		return;
	f = &err->fault[err->n++];
	copy_cut(f->field, sizeof f->field, field);
	copy_cut(f->message, sizeof f->message, message);
}

void
shape_error_encode(const struct shape_error *err, struct wr *w)
{
	wr_u8(w, '[');
	for (uint32_t i = 0; i < err->n; i++) {
		wr_str(w, i == 0 ? "{\"field\":" : ",{\"field\":");
		json_put_str(w, span_str(err->fault[i].field));
		wr_str(w, ",\"message\":");
		json_put_str(w, span_str(err->fault[i].message));
		wr_u8(w, '}');
	}
	wr_u8(w, ']');
}

/* ------------------------------------------------------------ classes -- */

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' &&
	    (c | 0x20) <= 'z');
}

static bool
is_username(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '_')
			return false;
	return true;
}

static bool
is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return true;
}

/*
 * No control character (C0, DEL, C1: U+0080..9F is C2 80..9F), no line or
 * paragraph separator, no change of writing direction (U+2028..2E, U+2066..69:
 * they make a name look like another one), no space at either end.
 */
static bool
is_label(struct span s)
{
	uint32_t code;

	if (s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.n;) {
		i += utf8_next(span_sub(s, i, s.n - i), &code);
		if (code < 0x20 || (code >= 0x7f && code < 0xa0) ||
		    (code >= 0x2028 && code <= 0x202e) ||
		    (code >= 0x2066 && code <= 0x2069))
			return false;
	}
	return true;
}

/* A label of a domain: 1 to 63 letters, digits, hyphens inside. */
static bool
is_domain_label(struct span s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* The form that HTML's input type=email takes: RFC 5322 without its oddities. */
static bool
is_email(struct span s)
{
	static const char extra[] = ".!#$%&'*+/=?^_`{|}~-";
	size_t at = span_find(s, '@');
	struct span domain = span_sub(s, at + 1, s.n);

	if (at == 0 || at >= s.n || at > 64 || domain.n == 0)
		return false;
	for (size_t i = 0; i < at; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == 0 ||
		    strchr(extra, s.p[i]) == NULL))
			return false;
	while (domain.n > 0) {
		size_t dot = span_find(domain, '.');

		if (!is_domain_label(span_sub(domain, 0, dot)))
			return false;
		if (dot + 1 == domain.n)	/* a dot at the end */
			return false;
		domain = span_sub(domain, dot + 1, domain.n);
	}
	return true;
}

bool
shape_is_class(enum shape_class class, struct span text)
{
	switch (class) {
	case SHAPE_USERNAME:
		return is_username(text);
	case SHAPE_EMAIL:
		return is_email(text);
	case SHAPE_LABEL:
		return is_label(text);
	case SHAPE_TOKEN:
		return is_token(text);
	case SHAPE_ANY:
	default:
		return true;
	}
}

/* RFC 4648 4: whole quanta, padding at the end only, unused bits zero. */
bool
shape_is_base64(struct span text, size_t min, size_t max)
{
	size_t pad = 0, n;
	uint8_t tail[3];

	if (text.n % 4 != 0)
		return false;
	if (text.n > 0 && text.p[text.n - 1] == '=')
		pad = text.p[text.n - 2] == '=' ? 2 : 1;
	n = text.n / 4 * 3 - pad;
	if (n < min || n > max)
		return false;
	for (size_t i = 0; i < text.n - pad; i++)
		if (!is_alnum(text.p[i]) && text.p[i] != '+' &&
		    text.p[i] != '/')
			return false;
	return pad == 0 || base64_decode(span_sub(text, text.n - 4, 4), tail,
	    &n);
}

/* ---------------------------------------------------------- addresses -- */

bool
shape_address_decode(struct span text, struct user_id *user_out,
    uint32_t *device_out)
{
	uint64_t device = 0;
	struct user_id user;

	if (!id_decode(span_sub(text, 0, ID_TEXT_LEN), user.b))
		return false;
	if (text.n > ID_TEXT_LEN && (text.p[ID_TEXT_LEN] != '.' ||
	    !span_u64(span_sub(text, ID_TEXT_LEN + 1, text.n),
	    SHAPE_U32_MAX, &device) || device == 0))
		return false;
	*user_out = user;
	*device_out = (uint32_t)device;
	return true;
}

size_t
shape_address_encode(const struct user_id *user, uint32_t device,
    char out[static SHAPE_ADDRESS_MAX])
{
	struct wr w = wr_init(out, SHAPE_ADDRESS_MAX);
	char id[ID_TEXT_LEN + 1];

	id_encode(user->b, id);
	wr_bytes(&w, id, ID_TEXT_LEN);
	if (device != 0) {
		wr_u8(&w, '.');
		wr_dec(&w, device);
	}
	return w.n;
}

size_t
shape_item_size(const struct shape_row *r)
{
	switch (r->kind) {
	case SHAPE_LIST:
		return r->shape->size;
	case SHAPE_UUIDS:
		return ID_LEN;
	case SHAPE_U32S:
		return sizeof(uint32_t);
	case SHAPE_MAP:
		return sizeof(struct shape_pair);
	case SHAPE_COUNTS:
		return sizeof(struct shape_count);
	default:
		return sizeof(struct span);
	}
}
