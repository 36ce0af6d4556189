/*
 * Tests of log.c: a line is always one valid JSON object, whatever is put in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"

static char line[2 * LOG_LINE_MAX];
static size_t line_n;

static void
sink(const char *text, size_t n)
{
	assert_true(n < sizeof(line));
	memcpy(line, text, n);
	line[n] = '\0';
	line_n = n;
}

static uint64_t
now(void)
{
	return 1795252131123;
}

/* A small check of a flat JSON object: strings, numbers, nothing else. */
static const char *
skip_string(const char *c)
{
	if (*c++ != '"')
		return NULL;
	for (; *c != '"'; c++) {
		if ((unsigned char)*c < 0x20)
			return NULL;
		if (*c == '\\' && *++c == '\0')
			return NULL;
	}
	return c + 1;
}

static bool
is_flat_object(const char *c)
{
	if (*c != '{')
		return false;
	do {
		c = skip_string(c + 1);
		if (c == NULL || *c++ != ':')
			return false;
		if (*c == '"')
			c = skip_string(c);
		else
			while (*c >= '0' && *c <= '9')
				c++;
		if (c == NULL)
			return false;
	} while (*c == ',');
	return strcmp(c, "}\n") == 0;
}

static void
test_log_line_has_its_fields(void **state)
{
	uint8_t id[16] = { 0xab };
	struct log l;

	(void)state;
	log_setup(LOG_INFO, LOG_IP_FULL, sink, now);
	assert_true(log_begin(&l, LOG_WARN, "listen"));
	log_str(&l, "text", "a\"b\\c\n\x7f");
	log_u64(&l, "n", UINT64_MAX);
	log_id(&l, "id", id);
	log_ip(&l, "ip", "192.0.2.7");
	log_end(&l);
	assert_string_equal(line,
	    "{\"timestamp\":\"2026-11-21T09:08:51.123Z\",\"level\":\"warn\","
	    "\"event\":\"listen\",\"text\":\"a\\\"b\\\\c\\u000a\\u007f\","
	    "\"n\":18446744073709551615,"
	    "\"id\":\"ab000000-0000-0000-0000-000000000000\","
	    "\"ip\":\"192.0.2.7\"}\n");
	assert_true(is_flat_object(line));
}

static void
test_log_levels_filter(void **state)
{
	enum log_level level = LOG_TRACE;
	struct log l;

	(void)state;
	log_setup(LOG_WARN, LOG_IP_FULL, sink, now);
	assert_false(log_begin(&l, LOG_INFO, "x"));
	assert_true(log_begin(&l, LOG_WARN, "x"));
	log_set_level(LOG_TRACE);
	assert_true(log_begin(&l, LOG_TRACE, "x"));
	assert_true(log_level_by_name("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_false(log_level_by_name("ERROR", &level));
	assert_false(log_level_by_name("", &level));
	log_setup(LOG_TRACE, LOG_IP_FULL, NULL, now);
	assert_false(log_begin(&l, LOG_FATAL, "x"));
}

static void
test_log_ip_obeys_the_setting(void **state)
{
	struct log l;

	(void)state;
	log_setup(LOG_INFO, LOG_IP_TRUNCATED, sink, now);
	assert_true(log_begin(&l, LOG_INFO, "x"));
	log_ip(&l, "a", "192.0.2.77");
	log_ip(&l, "b", "2001:db8:1:2:3:4:5:6");
	log_end(&l);
	assert_non_null(strstr(line, "\"a\":\"192.0.2\""));
	assert_non_null(strstr(line, "\"b\":\"2001:db8:1\""));
	assert_null(strstr(line, "77"));
	log_setup(LOG_INFO, LOG_IP_OFF, sink, now);
	assert_true(log_begin(&l, LOG_INFO, "x"));
	log_ip(&l, "a", "192.0.2.77");
	log_end(&l);
	assert_null(strstr(line, "192"));
}

static void
test_log_bad_utf8_is_replaced(void **state)
{
	struct log l;

	(void)state;
	log_setup(LOG_INFO, LOG_IP_FULL, sink, now);
	assert_true(log_begin(&l, LOG_INFO, "x"));
	log_span(&l, "t", SPAN("a\xff\xc3\xa4\xe2\x82z"));
	log_end(&l);
	assert_true(utf8_valid(span_of(line, line_n)));
	assert_non_null(strstr(line,
	    "\"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbdz\""));
}

/* Every way of filling a line to the last byte, then more fields. */
static void
test_log_full_line_stays_whole(void **state)
{
	static char text[LOG_LINE_MAX + 64];
	struct log *l = (struct log *)malloc(sizeof(*l));
	size_t n;

	(void)state;
	assert_non_null(l);
	log_setup(LOG_INFO, LOG_IP_FULL, sink, now);
	memset(text, 'x', sizeof(text));
	for (n = LOG_LINE_MAX - 200; n < sizeof(text); n++) {
		assert_true(log_begin(l, LOG_INFO, "full"));
		log_span(l, "a", span_of(text, n));
		log_span(l, "b", span_of(text, 50));
		log_u64(l, "c", 123456789);
		log_str(l, "d", "\n\n\n\n\n\n\n\n\n\n");
		log_span(l, "e", span_of(text, n));
		log_str(l, "f", "");
		log_end(l);
		assert_true(line_n <= LOG_LINE_MAX);
		assert_true(is_flat_object(line));
	}
	free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_line_has_its_fields),
		cmocka_unit_test(test_log_levels_filter),
		cmocka_unit_test(test_log_ip_obeys_the_setting),
		cmocka_unit_test(test_log_bad_utf8_is_replaced),
		cmocka_unit_test(test_log_full_line_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
