/*
 * accept_test.c: content codings by Accept-Encoding (RFC 9110 12.5.3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/accept.h"

#define ALL 15u
#define BIT(c) (1u << (c))

static const char *
best(const char *value, unsigned have)
{
	struct accept a;
	int c;

	accept_init(&a);
	if (value != NULL)
		accept_add(&a, span_str(value));
	accept_end(&a);
	c = accept_best(&a, have);
	return c < 0 ? "-" : accept_name((enum accept_coding)c);
}

static void
test_accept_codings(void **state)
{
	static const struct { const char *value, *want; } rows[] = {
		{ NULL, "identity" }, { "", "identity" },
		{ "gzip", "gzip" }, { "x-gzip", "gzip" }, { "GZip", "gzip" },
		{ "br", "br" }, { "zstd", "zstd" }, { "*", "br" },
		{ "gzip, deflate, br, zstd", "br" },
		{ "compress, deflate", "identity" },
		{ "gzip;q=1.0, identity; q=0.5, *;q=0", "gzip" },
		{ "gzip;q=0.5, br;q=0.4", "gzip" },
		{ "gzip;q=0.5 , identity;q=0.6", "identity" },
		{ "identity", "identity" }, { "gzip;q=0", "identity" },
		{ "gzip;q=0.001", "gzip" }, { "gzip;q=0.000", "identity" },
		{ "*;q=0.5, br;q=0", "zstd" }, { "*;q=0, gzip", "gzip" },
		{ "identity;q=0, gzip;q=0.1", "gzip" },
		{ "gzip;q=1.000", "gzip" }, { "gzip;Q=0.3", "gzip" },
		{ " , gzip\t;\tq=0.3, ", "gzip" },
		/* none is acceptable */
		{ "identity;q=0", "-" }, { "*;q=0", "-" },
		{ "identity;q=0, br;q=0", "-" },
		/* malformed: passed over */
		{ "gzip;q=2", "identity" }, { "gzip;q=1.001", "identity" },
		{ "gzip;q=0.1234", "identity" }, { "gzip;q=.5", "identity" },
		{ "gzip;q=-1", "identity" }, { "gzip;q=", "identity" },
		{ "gzip;q", "identity" }, { "gzip;x=1", "identity" },
		{ "gzip;q=0.5;x=1", "identity" }, { "gzip q=1", "identity" },
		{ "gzip;q=0.x, br", "br" }, { ";q=1", "identity" },
		/* the first counts */
		{ "gzip;q=0, gzip", "identity" }, { "br, br;q=0", "br" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(best(rows[i].value, ALL), rows[i].want) != 0)
			fail_msg("%s: %s, not %s", rows[i].value,
			    best(rows[i].value, ALL), rows[i].want);
}

static void
test_accept_of_what_there_is(void **state)
{
	const unsigned id = BIT(ACCEPT_IDENTITY);

	(void)state;
	assert_string_equal(best("br, gzip;q=0.5", id | BIT(ACCEPT_GZIP)),
	    "gzip");
	assert_string_equal(best("br, gzip;q=0.5", id), "identity");
	assert_string_equal(best("br, identity;q=0", id), "-");
	assert_string_equal(best("br", BIT(ACCEPT_GZIP)), "-");
	assert_string_equal(best("br", 0), "-");
}

/* RFC 9110 5.3: several fields are one list. */
static void
test_accept_reads_all_fields(void **state)
{
	static struct http_msg m;
	struct accept a;

	(void)state;
	m.field[0] = (struct http_field){ SPAN("Accept-Encoding"),
	    SPAN("gzip;q=0.2") };
	m.field[1] = (struct http_field){ SPAN("Accept"), SPAN("br") };
	m.field[2] = (struct http_field){ SPAN("ACCEPT-ENCODING"),
	    SPAN("zstd;q=0.3") };
	m.field_n = 3;
	accept_read(&m, &a);
	assert_true(a.named);
	assert_int_equal(a.q[ACCEPT_GZIP], 200);
	assert_int_equal(a.q[ACCEPT_ZSTD], 300);
	assert_int_equal(a.q[ACCEPT_BR], 0);
	assert_int_equal(accept_best(&a, ALL), ACCEPT_ZSTD);
	m.field_n = 0;
	accept_read(&m, &a);
	assert_false(a.named);
	assert_int_equal(accept_best(&a, ALL), ACCEPT_IDENTITY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_codings),
		cmocka_unit_test(test_accept_of_what_there_is),
		cmocka_unit_test(test_accept_reads_all_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
