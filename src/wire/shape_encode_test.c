/*
 * shape_encode_test.c: for every record of the table: what is encoded is read
 * back as the same, and is as long as was said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define RECORD_MAX 8192

static uint8_t mem[1 << 20], mem2[1 << 20], text[1 << 18], again[1 << 18];
static uint8_t one[RECORD_MAX], two[RECORD_MAX];
static uint64_t seed;

static uint64_t
random_below(uint64_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* Text that a row takes: of its class, within its limits, with escapes. */
static struct span
some_text(struct arena *a, const struct shape_row *r, uint64_t min,
    uint64_t max)
{
	static const char *const odd[] = { "\"", "\\", "\n", "\x01",
	    "\xc3\xa4", "\xf0\x9f\x98\x80", "/", "x" };
	uint64_t n = min + random_below((max > min + 20 ? 20 : max - min) +
	    1);
	uint8_t *p = arena_bytes(a, 4 * (size_t)n + 8);
	struct wr w = wr_init(p, 4 * (size_t)n + 8);

	assert_non_null(p);
	for (uint64_t i = 0; i < n; i++)
		if (r->kind == SHAPE_PAT && r->class == SHAPE_EMAIL)
			wr_u8(&w, i == 1 ? '@' : 'e');
		else if (r->kind == SHAPE_PAT || r->kind == SHAPE_STRB ||
		    r->kind == SHAPE_MAP || r->kind == SHAPE_COUNTS)
			wr_u8(&w, (uint8_t)('a' + random_below(26)));
		else
			wr_str(&w, odd[random_below(8)]);
	return wr_done(&w);
}

static void fill(struct arena *a, const struct shape *s, uint8_t *out,
    unsigned depth);

static void
fill_item(struct arena *a, const struct shape_row *r, uint8_t *to, size_t i,
    unsigned depth)
{
	struct shape_pair pair = { { NULL, 0 }, { NULL, 0 } };
	struct shape_count entry = { { NULL, 0 }, 0 };
	struct span s = { NULL, 0 };

	switch (r->kind) {
	case SHAPE_LIST:
		fill(a, r->shape, to, depth + 1);
		return;
	case SHAPE_UUIDS:
		memset(to, (int)random_below(256), ID_LEN);
		return;
	case SHAPE_U32S:
		memset(to, (int)random_below(256), sizeof(uint32_t));
		return;
	case SHAPE_MAP:
		pair.name = span_of(i == 0 ? "n0" : i == 1 ? "n1" : "n2", 2);
		pair.value = some_text(a, r, 0, r->item_max);
		memcpy(to, &pair, sizeof pair);
		return;
	case SHAPE_COUNTS:
		entry.name = span_of(i == 0 ? "n0" : i == 1 ? "n1" : "n2", 2);
		entry.value = random_below(SHAPE_U53_MAX);
		memcpy(to, &entry, sizeof entry);
		return;
	default:
		s = r->kind == SHAPE_B64S ? span_of(mem, r->item_min) :
		    some_text(a, r, r->item_min, r->item_max);
		memcpy(to, &s, sizeof s);
	}
}

static size_t
item_size(const struct shape_row *r)
{
	return r->kind == SHAPE_LIST ? r->shape->size :
	    r->kind == SHAPE_UUIDS ? ID_LEN :
	    r->kind == SHAPE_U32S ? sizeof(uint32_t) :
	    r->kind == SHAPE_MAP ? sizeof(struct shape_pair) :
	    r->kind == SHAPE_COUNTS ? sizeof(struct shape_count) :
	    sizeof(struct span);
}

static void
fill_list(struct arena *a, const struct shape_row *r, uint8_t *to,
    unsigned depth)
{
	struct { uint8_t *p; size_t n; } l;

	l.n = (size_t)r->min;
	if (l.n == 0 && r->max > 0 && depth < 2)
		l.n = (size_t)random_below(r->max > 3 ? 4 : r->max + 1);
	if (r->kind == SHAPE_MAP || r->kind == SHAPE_COUNTS)
		assert_true(l.n <= 3);
	l.p = arena_alloc(a, l.n * item_size(r));
	assert_non_null(l.p);
	for (size_t i = 0; i < l.n; i++)
		fill_item(a, r, &l.p[i * item_size(r)], i, depth);
	memcpy(to, &l, sizeof l);
}

static void
fill_value(struct arena *a, const struct shape_row *r, uint8_t *to,
    unsigned depth)
{
	uint64_t v = r->min + random_below(r->max - r->min + 1);
	uint32_t v32 = (uint32_t)v;
	struct span s = { NULL, 0 };
	bool yes = random_below(2) == 1;

	switch (r->kind) {
	case SHAPE_U32:
		memcpy(to, &v32, sizeof v32);
		return;
	case SHAPE_U53:
		memcpy(to, &v, sizeof v);
		return;
	case SHAPE_BOOL:
		memcpy(to, &yes, sizeof yes);
		return;
	case SHAPE_TIME:
		v = random_below(4000000000ULL) * 60;
		memcpy(to, &v, sizeof v);
		return;
	case SHAPE_ENUM:
		v32 = (uint32_t)random_below(r->names->n);
		memcpy(to, &v32, sizeof v32);
		return;
	case SHAPE_UUID:
		memset(to, (int)random_below(256), ID_LEN);
		return;
	case SHAPE_OBJ:
		fill(a, r->shape, to, depth + 1);
		return;
	case SHAPE_RAW:
		s = SPAN("{\"a\":[1,\"x\"]}");
		break;
	case SHAPE_B64:
		s = span_of(mem, (size_t)r->min);
		break;
	case SHAPE_B64TEXT:
		s = SPAN("AQID");
		break;
	case SHAPE_STR:
	case SHAPE_STRB:
	case SHAPE_PAT:
		s = some_text(a, r, r->min, r->max);
		break;
	default:
		fill_list(a, r, to, depth);
		return;
	}
	memcpy(to, &s, sizeof s);
}

static void
fill(struct arena *a, const struct shape *s, uint8_t *out, unsigned depth)
{
	for (uint32_t i = 0; i < s->rows_n; i++) {
		const struct shape_row *r = &s->rows[i];
		bool yes = r->need == SHAPE_REQ || random_below(2) == 1;

		if (r->need != SHAPE_REQ)
			memcpy(&out[r->has_at], &yes, sizeof yes);
		if (yes)
			fill_value(a, r, &out[r->at], depth);
	}
}

/* Law: encode, decode, encode gives the same text. */
static void
check_round(const struct shape *s)
{
	struct shape_error err;
	struct arena a, b;
	struct wr w = wr_init(text, sizeof text);
	struct wr w2 = wr_init(again, sizeof again);
	enum err e;

	assert_true(s->size <= RECORD_MAX);
	memset(one, 0, sizeof one);
	arena_init(&a, &mem[4096], sizeof mem - 4096);
	arena_init(&b, mem2, sizeof mem2);
	fill(&a, s, one, 0);
	shape_encode(s, one, &w);
	assert_true(wr_ok(&w));
	assert_int_equal(w.n, shape_encode_len(s, one));
	assert_int_equal(json_check(wr_done(&w)), OK);
	e = shape_decode(s, wr_done(&w), &b, two, &err);
	if (e != OK)
		print_message("%s: %.*s\n%s: %s\n", s->name, (int)w.n,
		    (char *)w.p, err.fault[0].field, err.fault[0].message);
	assert_int_equal(e, OK);
	shape_encode(s, two, &w2);
	assert_true(span_eq(wr_done(&w), wr_done(&w2)));
}

static void
test_shape_encode_survives_decoding(void **state)
{
	const struct shape *s;

	(void)state;
	for (seed = 1; seed < 40; seed++) {
		uint64_t keep = seed;

		for (size_t i = 0; (s = shape_at(i)) != NULL; i++)
			check_round(s);
		seed = keep;
	}
}

static void
test_shape_encode_leaves_out_or_writes_null(void **state)
{
	struct me_rep me = { .username = SPAN("a"), .email = SPAN("a@b") };
	struct wr w = wr_init(text, sizeof text);

	(void)state;
	shape_encode(&shape_me_rep, &me, &w);
	assert_true(span_eq(wr_done(&w), SPAN("{\"id\":\"00000000-0000-0000-"
	    "0000-000000000000\",\"username\":\"a\",\"email\":\"a@b\","
	    "\"created_at\":\"1970-01-01T00:00:00.000Z\",\"last_login\":null,"
	    "\"is_active\":false,\"role\":\"user\",\"permissions\":[],"
	    "\"mfa\":{\"totp\":false,\"webauthn\":0,\"recoveryCodes\":0},"
	    "\"deviceId\":null}")));
	w = wr_init(text, sizeof text);
	shape_encode(NULL, NULL, &w);
	shape_encode(&shape_none, NULL, &w);
	assert_true(span_eq(wr_done(&w), SPAN("{}{}")));
}

static void
test_shape_encode_needs_room(void **state)
{
	struct sync_now_ev ev = { 12345 };
	struct arena a;
	struct span s;
	struct buf b;
	size_t n = shape_encode_len(&shape_sync_now_ev, &ev);

	(void)state;
	assert_int_equal(n, 18);
	for (size_t cap = 0; cap < n; cap++) {
		struct wr w = wr_init(text, cap);

		shape_encode(&shape_sync_now_ev, &ev, &w);
		assert_false(wr_ok(&w));
		arena_init(&a, mem, cap);
		assert_int_equal(shape_encode_arena(&shape_sync_now_ev, &ev,
		    &a, &s), ERR_TOO_LARGE);
		buf_init(&b, cap);
		assert_int_equal(shape_encode_buf(&shape_sync_now_ev, &ev,
		    &b), ERR_TOO_LARGE);
		assert_int_equal(b.n, 0);
		buf_fini(&b);
	}
	arena_init(&a, mem, n);
	assert_int_equal(shape_encode_arena(&shape_sync_now_ev, &ev, &a, &s),
	    OK);
	assert_true(span_eq(s, SPAN("{\"position\":12345}")));
	buf_init(&b, n);
	assert_int_equal(shape_encode_buf(&shape_sync_now_ev, &ev, &b), OK);
	assert_true(span_eq(buf_span(&b), s));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape_encode_survives_decoding),
		cmocka_unit_test(test_shape_encode_leaves_out_or_writes_null),
		cmocka_unit_test(test_shape_encode_needs_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
