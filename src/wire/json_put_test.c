/*
 * json_put_test.c: what is written is JSON (RFC 8259) and means the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/json.h"

static uint8_t out[2048];

/* RFC 8259 7: ", \ and the control characters have to be escaped. */
static void
test_json_put_escapes(void **state)
{
	struct wr w = wr_init(out, sizeof out);

	(void)state;
	json_put_str(&w, SPAN("a\"b\\c\n\r\t\b\f\x01\x1f/\x7f\xc3\xa4"));
	assert_true(span_eq(wr_done(&w), SPAN("\"a\\\"b\\\\c\\n\\r\\t\\b\\f"
	    "\\u0001\\u001f/\x7f\xc3\xa4\"")));
}

/* Each byte value at each place of a word comes back as it was. */
static void
test_json_put_survives_reading(void **state)
{
	uint8_t text[24], mem[256];
	struct arena a;
	struct span s;

	(void)state;
	for (unsigned c = 0; c < 0x80; c++)
		for (size_t at = 0; at < sizeof text; at++) {
			struct wr w = wr_init(out, sizeof out);
			struct json j;

			memset(text, 'x', sizeof text);
			text[at] = (uint8_t)c;
			json_put_str(&w, SPAN_OF(text));
			assert_true(wr_ok(&w));
			assert_int_equal(w.n, json_put_len(SPAN_OF(text)));
			arena_init(&a, mem, sizeof mem);
			j = json_init(wr_done(&w));
			assert_true(json_string(&j, &a, &s));
			assert_int_equal(json_end(&j), OK);
			assert_true(span_eq(s, SPAN_OF(text)));
		}
}

static void
test_json_put_values(void **state)
{
	static const uint8_t id[16] = { 1, 0x9a };
	struct wr w = wr_init(out, sizeof out);

	(void)state;
	json_put_name(&w, "a");
	json_put_u64(&w, 18446744073709551615ULL);
	wr_u8(&w, ',');
	json_put_bool(&w, false);
	wr_u8(&w, ',');
	json_put_time(&w, 0);
	wr_u8(&w, ',');
	json_put_id(&w, id);
	wr_u8(&w, ',');
	json_put_b64(&w, SPAN("\xff\xfe"));
	json_put_b64(&w, SPAN(""));
	assert_true(span_eq(wr_done(&w), SPAN("\"a\":18446744073709551615,"
	    "false,\"1970-01-01T00:00:00.000Z\","
	    "\"019a0000-0000-0000-0000-000000000000\",\"//4=\"\"\"")));
}

static void
test_json_put_turns_bad_when_full(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 12; cap++) {
		struct wr w = wr_init(out, cap);

		json_put_str(&w, SPAN("abc\ndef\x01"));
		assert_false(wr_ok(&w));
		assert_true(w.n <= cap);
	}
}

static void
test_json_put_into_a_buffer(void **state)
{
	struct buf b;
	struct wr w;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(json_put_begin(&b, 8, &w), OK);
	json_put_str(&w, SPAN("abc"));
	assert_int_equal(json_put_end(&b, &w), OK);
	assert_true(span_eq(buf_span(&b), SPAN("\"abc\"")));
	assert_int_equal(json_put_begin(&b, 4, &w), OK);
	json_put_str(&w, SPAN("abc"));
	assert_int_equal(json_put_end(&b, &w), ERR_TOO_LARGE);
	assert_true(span_eq(buf_span(&b), SPAN("\"abc\"")));
	assert_int_equal(json_put_begin(&b, 17, &w), ERR_TOO_LARGE);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_put_escapes),
		cmocka_unit_test(test_json_put_survives_reading),
		cmocka_unit_test(test_json_put_values),
		cmocka_unit_test(test_json_put_turns_bad_when_full),
		cmocka_unit_test(test_json_put_into_a_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
