/*
 * date_test.c: dates of HTTP (RFC 9110 5.6.7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/date.h"
#include "wire/http.h"

#define NOW 1795258131u		/* 21 Nov 2026 */
#define EXAMPLE 784111777u	/* 6 Nov 1994 08:49:37 */

static uint64_t
at(const char *text)
{
	uint64_t t = UINT64_MAX;

	return date_decode(span_str(text), NOW, &t) ? t : UINT64_MAX;
}

static void
test_date_three_forms(void **state)
{
	(void)state;
	assert_int_equal(at("Sun, 06 Nov 1994 08:49:37 GMT"), EXAMPLE);
	assert_int_equal(at("Sunday, 06-Nov-94 08:49:37 GMT"), EXAMPLE);
	assert_int_equal(at("Sun Nov  6 08:49:37 1994"), EXAMPLE);
	assert_int_equal(at("Wed Nov 16 08:49:37 1994"), EXAMPLE + 864000);
	assert_int_equal(at("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
	assert_int_equal(at("Sun, 29 Feb 2032 00:00:00 GMT"), 1961625600);
	assert_int_equal(at("Tue, 29 Feb 2000 23:59:60 GMT"), 951868800);
	assert_int_equal(at("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799);
}

/* 5.6.7: two digits mean no year more than 50 years ahead. */
static void
test_date_two_digits(void **state)
{
	(void)state;
	assert_int_equal(at("Thursday, 01-Jan-70 00:00:00 GMT"),
	    3155760000);	/* 2070 */
	assert_int_equal(at("Friday, 01-Jan-77 00:00:00 GMT"), 220924800);
	assert_int_equal(at("Saturday, 01-Jan-00 00:00:00 GMT"), 946684800);
	assert_int_equal(at("Friday, 01-Jan-26 00:00:00 GMT"), 1767225600);
}

static void
test_date_refuses(void **state)
{
	static const char *const bad[] = { "", "Sun", "Sun, ", "0",
	    "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
	    "Sun, 06 Nov 1994 08:49:37 GMT ", "sun, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
	    "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
	    "Sun, 31 Nov 1994 08:49:37 GMT", "Mon, 29 Feb 1999 00:00:00 GMT",
	    "Mon, 29 Feb 2100 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
	    "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
	    "Sun, 06 Nov 1969 08:49:37 GMT", "Xun, 06 Nov 1994 08:49:37 GMT",
	    "Sunday, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
	    "Sun Nov  6 08:49:37 94", "Sun Nov 06 08:49:37 1994 GMT",
	    "Sun, 06 Nov 1994 08:49:3/ GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
	    "Sun,06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (at(bad[i]) != UINT64_MAX)
			fail_msg("accepted: %s", bad[i]);
}

/* What http_put_date writes is read as what it was, every day for 400 years. */
static void
test_date_reads_what_is_written(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 400 * 366; day++) {
		uint64_t t = day * 86400 + day * 7919 % 86400, got;
		char text[64];
		struct wr w = wr_init(text, sizeof text);

		http_put_date(&w, "D", t * 1000);
		assert_true(wr_ok(&w));
		assert_true(date_decode(span_sub(wr_done(&w), 3, w.n - 5),
		    NOW, &got));
		assert_int_equal(got, t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_date_three_forms),
		cmocka_unit_test(test_date_two_digits),
		cmocka_unit_test(test_date_refuses),
		cmocka_unit_test(test_date_reads_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
