/*
 * range_test.c: byte ranges (RFC 9110 14).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/range.h"

/* "w" whole, "n" none, else "at+n at+n". */
static const char *
run(const char *field, uint64_t size, size_t max)
{
	static char text[1024];
	struct range r[RANGE_MAX];
	size_t n = 0, at = 0;

	switch (range_parse(span_str(field), size, max, r, &n)) {
	case RANGE_WHOLE:
		return "w";
	case RANGE_NONE:
		return "n";
	case RANGE_SOME:
		break;
	}
	assert_in_range(n, 1, max);
	for (size_t i = 0; i < n; i++) {
		assert_true(r[i].n > 0);
		assert_true(r[i].at < size);
		assert_true(r[i].n <= size - r[i].at);
		at += (size_t)snprintf(text + at, sizeof text - at,
		    "%s%llu+%llu", i > 0 ? " " : "",
		    (unsigned long long)r[i].at, (unsigned long long)r[i].n);
	}
	return text;
}

struct row {
	const char *field;
	uint64_t size;
	const char *want;
};

static void
check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = run(rows[i].field, rows[i].size, 8);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s of %llu: %s, not %s", rows[i].field,
			    (unsigned long long)rows[i].size, got,
			    rows[i].want);
	}
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

/* RFC 9110 14.1.2: the examples of the text, and their edges. */
static void
test_range_forms(void **state)
{
	static const struct row rows[] = {
		{ "bytes=0-499", 10000, "0+500" },
		{ "bytes=500-999", 10000, "500+500" },
		{ "bytes=-500", 10000, "9500+500" },
		{ "bytes=9500-", 10000, "9500+500" },
		{ "bytes=0-0,-1", 10000, "0+1 9999+1" },
		{ "bytes= 0-0 , 5-6\t", 10, "0+1 5+2" },
		{ "BYTES=0-0", 10, "0+1" },
		{ "bytes=0-", 10, "0+10" },
		{ "bytes=9-9", 10, "9+1" },
		{ "bytes=9-100", 10, "9+1" },
		{ "bytes=-10", 10, "0+10" },
		{ "bytes=-11", 10, "0+10" },
		{ "bytes=0-99999999999999999999999999", 10, "0+10" },
		{ "bytes=-99999999999999999999999999", 10, "0+10" },
		{ "bytes=,0-0,,5-5,", 10, "0+1 5+1" },
		{ "bytes=00-01", 10, "0+2" },
	};

	(void)state;
	CHECK(rows);
}

/* 14.1.2: first-pos behind the end, or a suffix of no bytes: nothing there. */
static void
test_range_unsatisfiable(void **state)
{
	static const struct row rows[] = {
		{ "bytes=10-", 10, "n" },
		{ "bytes=10-20", 10, "n" },
		{ "bytes=-0", 10, "n" },
		{ "bytes=99999999999999999999999999-", 10, "n" },
		{ "bytes=10-,11-,-0", 10, "n" },
		{ "bytes=0-", 0, "n" },
		{ "bytes=0-0", 0, "n" },
		{ "bytes=-0", 0, "n" },
		/* one that is there is enough */
		{ "bytes=10-,3-3", 10, "3+1" },
		/* 14.1.2: a non-zero suffix always is; of nothing: all */
		{ "bytes=-1", 0, "w" },
		{ "bytes=0-0,-5", 0, "w" },
	};

	(void)state;
	CHECK(rows);
}

/* 14.2: another unit, or what is no ranges-specifier, is ignored. */
static void
test_range_ignored(void **state)
{
	static const struct row rows[] = {
		{ "", 10, "w" }, { "bytes", 10, "w" }, { "bytes=", 10, "w" },
		{ "bytes=,", 10, "w" }, { "bytes=-", 10, "w" },
		{ "bytes=0", 10, "w" }, { "bytes=5-4", 10, "w" },
		{ "bytes=a-b", 10, "w" }, { "bytes=0-1x", 10, "w" },
		{ "bytes=+0-1", 10, "w" }, { "bytes=0--1", 10, "w" },
		{ "bytes=0 - 1", 10, "w" }, { "bytes=0-1;2-3", 10, "w" },
		{ "bytes =0-1", 10, "w" }, { "byte=0-1", 10, "w" },
		{ "items=0-1", 10, "w" }, { "none", 10, "w" },
		{ "bytes=0-1,x", 10, "w" }, { "bytes=0x0-0x1", 10, "w" },
		{ "bytes=0-1=2", 10, "w" }, { "=0-1", 10, "w" },
		{ "bytes=-1-2", 10, "w" }, { "bytes=1.0-2", 10, "w" },
	};

	(void)state;
	CHECK(rows);
}

/* RFC 9110 15.3.7.2: those that overlap may be one. */
static void
test_range_coalesces(void **state)
{
	static const struct row rows[] = {
		{ "bytes=0-4,2-6", 10, "0+7" },
		{ "bytes=2-6,0-4", 10, "0+7" },
		{ "bytes=0-4,5-6", 10, "0+7" },
		{ "bytes=0-1,8-9,1-8", 10, "0+10" },
		{ "bytes=0-1,4-5,2-3", 10, "0+6" },
		{ "bytes=8-9,0-1", 10, "8+2 0+2" },
		{ "bytes=0-,0-,0-", 10, "0+10" },
		{ "bytes=0-0,2-2,4-4,6-6", 10, "0+1 2+1 4+1 6+1" },
		{ "bytes=6-6,4-4,2-2,5-5,3-3", 10, "2+5" },
	};

	(void)state;
	CHECK(rows);
}

/* RFC 9110 17.15: many small ranges are an attack. */
static void
test_range_limit(void **state)
{
	(void)state;
	assert_string_equal(run("bytes=0-0,2-2", 10, 2), "0+1 2+1");
	assert_string_equal(run("bytes=0-0,2-2,4-4", 10, 2), "w");
	/* those that are not there count, too */
	assert_string_equal(run("bytes=20-,30-,0-0", 10, 2), "w");
	assert_string_equal(run("bytes=0-0", 10, 0), "w");
	assert_string_equal(run("bytes=0-0", UINT64_MAX, 2), "0+1");
	assert_string_equal(run("bytes=-1", UINT64_MAX, 2),
	    "18446744073709551614+1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_forms),
		cmocka_unit_test(test_range_unsatisfiable),
		cmocka_unit_test(test_range_ignored),
		cmocka_unit_test(test_range_coalesces),
		cmocka_unit_test(test_range_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
