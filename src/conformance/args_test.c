/*
 * args_test.c: arguments of events, read and written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conformance/args.h"

static void
test_args_next_takes_one_by_one(void **state)
{
	static const char *const want[] = { "1", "\"a,b\"", "{\"x\":[1,2]}",
	    "null" };
	struct span left = SPAN(" 1 ,\"a,b\" , {\"x\":[1,2]},null"), one;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(args_next(&left, &one));
		assert_true(span_eq(one, span_str(want[i])));
	}
	assert_int_equal(left.n, 0);
	assert_false(args_next(&left, &one));
}

static void
test_args_next_refuses_what_is_none(void **state)
{
	struct span none = SPAN(""), bad = SPAN("]"), one;

	(void)state;
	assert_false(args_next(&none, &one));
	assert_false(args_next(&bad, &one));
}

static void
test_args_times_counts_as_a_loop_does(void **state)
{
	static const struct {
		const char *arg;
		uint64_t n;
	} rows[] = {
		{ "0", 0 }, { "1", 1 }, { "3.0", 3 }, { "3.2", 4 },
		{ "1e2", 100 }, { "-1", 0 }, { "\"7\"", 7 }, { "\"\"", 0 },
		{ "\"x\"", 0 }, { "null", 0 }, { "{}", 0 }, { "", 0 },
		{ "0.5", 1 }, { "100", 100 },
	};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(args_times(span_str(rows[i].arg), 100, &n));
		assert_int_equal(n, rows[i].n);
	}
	assert_false(args_times(SPAN("101"), 100, &n));
	assert_false(args_times(SPAN("1e300"), 100, &n));
	assert_false(args_times(SPAN("\"inf\""), 100, &n));
}

static void
test_args_rooms_names(void **state)
{
	static struct args_rooms r, other;

	(void)state;
	assert_true(args_rooms(SPAN("\"a\\u0062\""), &r));
	assert_int_equal(r.n, 1);
	assert_true(span_eq(r.name[0], SPAN("ab")));
	/* A number is another room than its text; so is no argument. */
	assert_true(args_rooms(SPAN("1"), &r));
	assert_true(args_rooms(SPAN("\"1\""), &other));
	assert_false(span_eq(r.name[0], other.name[0]));
	assert_true(args_rooms(SPAN(""), &r));
	assert_true(args_rooms(SPAN("\"\""), &other));
	assert_true(r.name[0].n > 0);
	assert_true(other.name[0].n > 0);
	assert_false(span_eq(r.name[0], other.name[0]));
}

static void
test_args_rooms_of_an_array(void **state)
{
	static struct args_rooms r;
	uint8_t text[4 * ARGS_ROOMS_MAX + 8];
	struct wr w = wr_init(text, sizeof(text));

	(void)state;
	assert_true(args_rooms(SPAN("[\"a\",2,\"c\"]"), &r));
	assert_int_equal(r.n, 3);
	assert_true(span_eq(r.name[2], SPAN("c")));
	assert_true(args_rooms(SPAN("[]"), &r));
	assert_int_equal(r.n, 0);
	wr_str(&w, "[0");
	for (int i = 0; i < ARGS_ROOMS_MAX; i++)
		wr_str(&w, ",0");
	wr_str(&w, "]");
	assert_true(wr_ok(&w));
	assert_false(args_rooms(wr_done(&w), &r));
}

static void
test_args_put_writes_names_back(void **state)
{
	static struct args_rooms r;
	struct args_out o;

	(void)state;
	assert_true(args_rooms(SPAN("[\"a\\\"\",2,{\"b\":1},\"\"]"), &r));
	args_out_init(&o);
	for (uint32_t i = 0; i < r.n; i++)
		args_put_room(&o, r.name[i]);
	assert_true(args_rooms(SPAN(""), &r));
	args_put_room(&o, r.name[0]);
	assert_false(o.bad);
	assert_true(span_eq(buf_span(&o.text),
	    SPAN("\"a\\\"\"2{\"b\":1}\"\"null")));
	args_out_fini(&o);
}

static void
test_args_put_compact_drops_blanks(void **state)
{
	struct args_out o;

	(void)state;
	args_out_init(&o);
	args_put_compact(&o, SPAN(" 1 ,\t\"a \\\" b\" , { \"c d\" :\r\n[ ] } "));
	args_put_compact(&o, SPAN(""));
	args_put_compact(&o, SPAN("\" \\\\\" , 2"));
	assert_false(o.bad);
	assert_true(span_eq(buf_span(&o.text),
	    SPAN("1,\"a \\\" b\",{\"c d\":[]}\" \\\\\",2")));
	args_out_fini(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args_next_takes_one_by_one),
		cmocka_unit_test(test_args_next_refuses_what_is_none),
		cmocka_unit_test(test_args_times_counts_as_a_loop_does),
		cmocka_unit_test(test_args_rooms_names),
		cmocka_unit_test(test_args_rooms_of_an_array),
		cmocka_unit_test(test_args_put_writes_names_back),
		cmocka_unit_test(test_args_put_compact_drops_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
