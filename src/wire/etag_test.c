/*
 * etag_test.c: entity-tags (RFC 9110 8.8.3) and conditions (RFC 9110 13).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/etag.h"

#define NOW 1795258131u
#define THEN 784111777u
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static bool
in(const char *list, const char *tag, bool weak)
{
	return etag_in(span_str(list), span_str(tag), weak);
}

/* 8.8.3.2: the table of the text. */
static void
test_etag_comparison(void **state)
{
	(void)state;
	assert_false(in("W/\"1\"", "W/\"1\"", false));
	assert_true(in("W/\"1\"", "W/\"1\"", true));
	assert_false(in("W/\"1\"", "W/\"2\"", true));
	assert_false(in("W/\"1\"", "\"1\"", false));
	assert_false(in("\"1\"", "W/\"1\"", false));
	assert_true(in("W/\"1\"", "\"1\"", true));
	assert_true(in("\"1\"", "\"1\"", false));
	assert_true(in("\"1\"", "\"1\"", true));
}

static void
test_etag_lists(void **state)
{
	(void)state;
	assert_true(in("*", "\"1\"", false));
	assert_true(in(" * ", "\"1\"", true));
	assert_true(in("\"0\", \"1\"", "\"1\"", false));
	assert_true(in("\"0\",\"1\",\"2\"", "\"1\"", false));
	assert_true(in(",, \"0\" ,\t, \"1\" ,", "\"1\"", false));
	assert_true(in("W/\"0\", \"1\"", "\"1\"", false));
	assert_true(in("\"a,b\", \"1\"", "\"1\"", false));
	assert_true(in("\"a,b\"", "\"a,b\"", false));
	assert_true(in("\"\"", "\"\"", false));
	assert_true(in("\"\x80\xff\"", "\"\x80\xff\"", false));
	assert_false(in("", "\"1\"", true));
	assert_false(in(",", "\"1\"", true));
	assert_false(in("1", "\"1\"", true));
	assert_false(in("\"1", "\"1\"", true));
	assert_false(in("w/\"1\"", "\"1\"", true));
	assert_false(in("W/ \"1\"", "\"1\"", true));
	assert_false(in("\"0\" \"1\"", "\"1\"", true));
	assert_false(in("x, \"1\"", "\"1\"", true));
	assert_false(in("*, \"0\"", "\"1\"", true));
	assert_false(in("\"0 \", \"1\"", "\"1\"", true));
	assert_false(in("'1'", "\"1\"", true));
}

static struct http_msg m;

static void
add(const char *name, const char *value)
{
	m.field[m.field_n++] = (struct http_field){ span_str(name),
	    span_str(value) };
}

/* Name and value, by turns, up to NULL. */
static enum etag_is
ask(const char *name, ...)
{
	struct etag_of of = { SPAN("\"x\""), THEN, NOW };
	va_list ap;

	m.field_n = 0;
	va_start(ap, name);
	for (const char *k = name; k != NULL; k = va_arg(ap, const char *))
		add(k, va_arg(ap, const char *));
	va_end(ap);
	return etag_conditions(&m, &of);
}
#define N ((const char *)NULL)

/* 13.1.1, 13.1.4 */
static void
test_etag_if_match(void **state)
{
	(void)state;
	assert_int_equal(ask(N), ETAG_GO_ON);
	assert_int_equal(ask("If-Match", "*", N), ETAG_GO_ON);
	assert_int_equal(ask("If-Match", "\"x\"", N), ETAG_GO_ON);
	assert_int_equal(ask("If-Match", "\"y\", \"x\"", N), ETAG_GO_ON);
	assert_int_equal(ask("If-Match", "\"y\"", "if-match", "\"x\"", N),
	    ETAG_GO_ON);
	assert_int_equal(ask("If-Match", "\"y\"", N), ETAG_FAILED);
	assert_int_equal(ask("If-Match", "W/\"x\"", N), ETAG_FAILED);
	assert_int_equal(ask("If-Match", "", N), ETAG_FAILED);
	assert_int_equal(ask("If-Unmodified-Since", DATE, N), ETAG_GO_ON);
	assert_int_equal(ask("If-Unmodified-Since", AFTER, N), ETAG_GO_ON);
	assert_int_equal(ask("If-Unmodified-Since", BEFORE, N), ETAG_FAILED);
	assert_int_equal(ask("If-Unmodified-Since", "yesterday", N),
	    ETAG_GO_ON);
	/* 13.1.4: not with If-Match */
	assert_int_equal(ask("If-Match", "\"x\"", "If-Unmodified-Since",
	    BEFORE, N), ETAG_GO_ON);
}

/* 13.1.2, 13.1.3 */
static void
test_etag_if_none_match(void **state)
{
	(void)state;
	assert_int_equal(ask("If-None-Match", "*", N), ETAG_NOT_MODIFIED);
	assert_int_equal(ask("If-None-Match", "W/\"x\"", N),
	    ETAG_NOT_MODIFIED);
	assert_int_equal(ask("If-None-Match", "\"y\"", "If-None-Match",
	    "\"x\"", N), ETAG_NOT_MODIFIED);
	assert_int_equal(ask("If-None-Match", "\"y\"", N), ETAG_GO_ON);
	assert_int_equal(ask("If-Modified-Since", DATE, N),
	    ETAG_NOT_MODIFIED);
	assert_int_equal(ask("If-Modified-Since", AFTER, N),
	    ETAG_NOT_MODIFIED);
	assert_int_equal(ask("If-Modified-Since", BEFORE, N), ETAG_GO_ON);
	assert_int_equal(ask("If-Modified-Since", "0", N), ETAG_GO_ON);
	assert_int_equal(ask("If-Modified-Since", DATE, "If-Modified-Since",
	    DATE, N), ETAG_GO_ON);
	/* 13.1.3: not with If-None-Match */
	assert_int_equal(ask("If-None-Match", "\"y\"", "If-Modified-Since",
	    DATE, N), ETAG_GO_ON);
}

/* 13.2.2: If-Match comes first. */
static void
test_etag_order(void **state)
{
	(void)state;
	assert_int_equal(ask("If-None-Match", "\"x\"", "If-Match", "\"y\"",
	    N), ETAG_FAILED);
	assert_int_equal(ask("If-None-Match", "\"x\"", "If-Match", "\"x\"",
	    N), ETAG_NOT_MODIFIED);
	assert_int_equal(ask("If-Unmodified-Since", BEFORE,
	    "If-None-Match", "\"x\"", N), ETAG_FAILED);
	assert_int_equal(ask("If-Unmodified-Since", DATE,
	    "If-Modified-Since", DATE, N), ETAG_NOT_MODIFIED);
}

static bool
if_range(const char *value, uint64_t now_s)
{
	struct etag_of of = { SPAN("\"x\""), THEN, now_s };

	m.field_n = 0;
	if (value != NULL)
		add("If-Range", value);
	return etag_if_range(&m, &of);
}

/* 13.1.5 */
static void
test_etag_if_range(void **state)
{
	(void)state;
	assert_true(if_range(NULL, NOW));
	assert_true(if_range("\"x\"", NOW));
	assert_true(if_range(DATE, NOW));
	assert_false(if_range("\"y\"", NOW));
	assert_false(if_range("W/\"x\"", NOW));
	assert_false(if_range("\"x\", \"y\"", NOW));
	assert_false(if_range("*", NOW));
	assert_false(if_range("", NOW));
	assert_false(if_range(AFTER, NOW));	/* an exact match only */
	assert_false(if_range(BEFORE, NOW));
	assert_false(if_range(DATE, THEN));	/* its second is not over */
	m.field_n = 0;
	add("If-Range", "\"x\"");
	add("If-Range", "\"x\"");
	assert_false(etag_if_range(&m, &(struct etag_of){ SPAN("\"x\""),
	    THEN, NOW }));
}

/* What has no time has no conditions of time. */
static void
test_etag_without_time(void **state)
{
	const struct etag_of of = { SPAN("\"x\""), 0, NOW };

	(void)state;
	m.field_n = 0;
	add("If-Modified-Since", AFTER);
	assert_int_equal(etag_conditions(&m, &of), ETAG_GO_ON);
	m.field_n = 0;
	add("If-Unmodified-Since", BEFORE);
	assert_int_equal(etag_conditions(&m, &of), ETAG_GO_ON);
	m.field_n = 0;
	add("If-Range", "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_false(etag_if_range(&m, &of));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_etag_comparison),
		cmocka_unit_test(test_etag_lists),
		cmocka_unit_test(test_etag_if_match),
		cmocka_unit_test(test_etag_if_none_match),
		cmocka_unit_test(test_etag_order),
		cmocka_unit_test(test_etag_if_range),
		cmocka_unit_test(test_etag_without_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
