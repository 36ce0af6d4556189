/*
 * json_test.c: RFC 8259, read and written; yyjson is the second opinion on
 * what is well-formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <yyjson.h>

#include "wire/json.h"

static uint8_t mem[512];
static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, mem, sizeof mem);
	return 0;
}

static bool
second_opinion(struct span text)
{
	yyjson_doc *doc = yyjson_read((const char *)text.p, text.n, 0);
	bool good = doc != NULL;

	yyjson_doc_free(doc);
	return good;
}

static void
test_json_takes_what_is_well_formed(void **state)
{
	static const char *const good[] = { "null", " true ", "false", "0",
	    "-0", "-1.5e+10", "1E5", "0.0", "\"\"", ("\"a\\\"\\\\\\/\\b\\f"
	    "\\n\\r\\t\\u0041\\ud83d\\ude00\""), "\"\xf0\x9f\x98\x80\"", "[]",
	    "{}", "[ ]", "{ }", "[1,[2,{\"a\":[]}],\"b\"]",
	    "{\"a\":{\"b\":null},\"c\":[{}]}", "\r\n\t[1 , 2]\n",
	    "123456789012345678901234567890", "\"\x7f\"", "\"\\u0000\"" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (json_check(span_str(good[i])) != OK)
			fail_msg("refused: %s", good[i]);
		assert_true(second_opinion(span_str(good[i])));
	}
}

static void
test_json_refuses_what_is_not(void **state)
{
	static const char *const bad[] = { "", " ", "nul", "nulll", "True",
	    "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "NaN", "'a'",
	    "\"", "\"a", "\"\n\"", "\"\t\"", "\"\\x\"", "\"\\u12\"",
	    "\"\\u123g\"", "\"\\ud800\"", "\"\\udc00\"",
	    "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"\xff\"",
	    "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "[",
	    "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}",
	    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:2}",
	    "{\"a\" 1}", "{\"a\":1]", "{,}", "1 2", "[] []", "null x",
	    "/**/1", "[1]//", ("\xef\xbb\xbf" "1"), "\v1" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (json_check(span_str(bad[i])) != ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
		assert_false(second_opinion(span_str(bad[i])));
	}
	assert_int_equal(json_check(SPAN("1\0")), ERR_FORMAT);
	assert_int_equal(json_check(SPAN("\"a\0b\"")), ERR_FORMAT);
}

static void
test_json_limits_nesting(void **state)
{
	uint8_t text[2 * JSON_DEPTH_MAX + 2];

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(&text[JSON_DEPTH_MAX], ']', JSON_DEPTH_MAX);
	assert_int_equal(json_check(span_of(text, 2 * JSON_DEPTH_MAX)), OK);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(&text[JSON_DEPTH_MAX + 1], ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(json_check(SPAN_OF(text)), ERR_FORMAT);
	assert_int_equal(json_check_any(SPAN_OF(text)), OK);
}

/* Brackets and braces in turn, as deep as is read of what is passed on. */
static void
test_json_any_nests_deeper(void **state)
{
	static uint8_t text[8 * JSON_NEST_MAX];
	struct wr w = wr_init(text, sizeof text);
	struct json j;
	struct span all;

	(void)state;
	for (int i = 0; i < JSON_NEST_MAX; i++)
		wr_str(&w, i % 3 == 0 ? "[" : "{\"\":");
	wr_str(&w, "1");
	for (int i = JSON_NEST_MAX - 1; i >= 0; i--)
		wr_str(&w, i % 3 == 0 ? "]" : "}");
	assert_true(wr_ok(&w));
	assert_int_equal(json_check_any(wr_done(&w)), OK);
	assert_int_equal(json_check(wr_done(&w)), ERR_FORMAT);
	j = json_init_any(wr_done(&w));
	assert_true(json_raw(&j, &all));
	assert_true(span_eq(all, wr_done(&w)));
	text[w.n - 1] = '}';
	assert_int_equal(json_check_any(wr_done(&w)), ERR_FORMAT);
	memset(text, '[', JSON_NEST_MAX + 1);
	memset(&text[JSON_NEST_MAX + 1], ']', JSON_NEST_MAX + 1);
	assert_int_equal(json_check_any(span_of(text, 2 * JSON_NEST_MAX + 2)),
	    ERR_FORMAT);
}

/* RFC 8259 8.2 */
static void
test_json_any_takes_lone_surrogates(void **state)
{
	static const char *const good[] = { "\"\\ud800\"", "\"\\uDFFFx\"",
		"\"\\ud800\\u0041\"", "[\"\\ud83d\\ude00\"]" };
	static const char *const bad[] = { "\"\\ud80\"", "\"\\ud80g\"",
		"\"\\ud800", "\"\\x\"", "\"\xed\xa0\x80\"" };
	struct arena a;
	struct span s;
	struct json j = json_init_any(SPAN("\"a\\ud800\\udbff\\u0042\""));

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(json_check_any(span_str(good[i])), OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(json_check_any(span_str(bad[i])), ERR_FORMAT);
	arena_init(&a, mem, sizeof mem);
	assert_true(json_string(&j, &a, &s));
	assert_true(span_eq(s, SPAN("a\xef\xbf\xbd\xef\xbf\xbd" "B")));
}

static void
test_json_says_where_and_why(void **state)
{
	struct json j = json_init(SPAN("{\"a\": tru}"));

	(void)state;
	(void)json_skip(&j);
	assert_int_equal(json_end(&j), ERR_FORMAT);
	assert_int_equal(json_at(&j), 6);
	assert_string_equal(j.why, "expected true or false");
	/* Once bad, always bad. */
	assert_false(json_skip(&j));
	assert_false(json_item(&j));
	assert_int_equal(json_peek(&j), JSON_BAD);
}

static void
test_json_reads_in_place(void **state)
{
	struct span text = SPAN("{\"a\":\"b\",\"c\":[1,true,null,\"\\u00e4\"],"
	    "\"d\" : { \"x\":1 } }"), s;
	struct json j = json_init(text);
	uint64_t v;
	bool yes = false;

	(void)state;
	assert_true(json_object(&j));
	assert_true(json_member(&j, NULL, &s));
	assert_true(json_string(&j, NULL, &s));
	assert_ptr_equal(s.p, &text.p[6]);
	assert_true(json_member(&j, NULL, &s));
	assert_true(json_array(&j));
	assert_true(json_item(&j) && json_u64(&j, 1, &v));
	assert_true(json_item(&j) && json_bool(&j, &yes) && yes);
	assert_true(json_item(&j) && json_null(&j));
	assert_true(json_item(&j) && json_string(&j, &arena, &s));
	assert_true(span_eq(s, SPAN("\xc3\xa4")));
	assert_false(json_item(&j));
	assert_true(json_member(&j, NULL, &s));
	assert_true(json_raw(&j, &s));
	assert_true(span_eq(s, SPAN("{ \"x\":1 }")));
	assert_false(json_member(&j, NULL, &s));
	assert_int_equal(json_end(&j), OK);
}

static void
test_json_reads_integers_only(void **state)
{
	static const char *const bad[] = { "-1", "-0", "1.0", "1e3",
	    "9007199254740992", "18446744073709551616", "\"1\"", "null" };
	uint64_t v = 7;
	struct json j;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		j = json_init(span_str(bad[i]));
		assert_false(json_u64(&j, JSON_U53_MAX, &v));
		assert_int_equal(v, 7);
	}
	j = json_init(SPAN("9007199254740991"));
	assert_true(json_u64(&j, JSON_U53_MAX, &v));
	assert_true(v == JSON_U53_MAX);
}

static void
test_json_needs_room_for_escapes(void **state)
{
	struct json j = json_init(SPAN("\"\\n\""));
	struct span s;

	(void)state;
	assert_false(json_string(&j, NULL, &s));
	assert_int_equal(json_end(&j), ERR_TOO_LARGE);
	arena_init(&arena, mem, 1);
	j = json_init(SPAN("\"\\n\""));
	assert_false(json_string(&j, &arena, &s));
	assert_int_equal(json_end(&j), ERR_TOO_LARGE);
}

static void
test_json_finds_members(void **state)
{
	struct span text = SPAN("{\"a\":{\"b\":1},\"\\u0062\":\"x\\ty\","
	    "\"c\":5,\"d\":true}"), s;
	uint64_t v;
	bool yes = false;

	(void)state;
	assert_true(span_eq(json_find(text, SPAN("a")), SPAN("{\"b\":1}")));
	assert_true(json_find_string(text, SPAN("b"), &arena, &s));
	assert_true(span_eq(s, SPAN("x\ty")));
	assert_true(json_find_u64(text, SPAN("c"), 5, &v));
	assert_false(json_find_u64(text, SPAN("c"), 4, &v));
	assert_true(json_find_bool(text, SPAN("d"), &yes) && yes);
	assert_null(json_find(text, SPAN("e")).p);
	assert_false(json_find_string(text, SPAN("c"), &arena, &s));
	assert_null(json_find(SPAN("{\"a\":1"), SPAN("a")).p);
	assert_null(json_find(SPAN("[1]"), SPAN("a")).p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_takes_what_is_well_formed),
		cmocka_unit_test(test_json_refuses_what_is_not),
		cmocka_unit_test(test_json_limits_nesting),
		cmocka_unit_test(test_json_any_nests_deeper),
		cmocka_unit_test(test_json_any_takes_lone_surrogates),
		cmocka_unit_test(test_json_says_where_and_why),
		cmocka_unit_test_setup(test_json_reads_in_place, setup),
		cmocka_unit_test(test_json_reads_integers_only),
		cmocka_unit_test_setup(test_json_needs_room_for_escapes,
		    setup),
		cmocka_unit_test_setup(test_json_finds_members, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
