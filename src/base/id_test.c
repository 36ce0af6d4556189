/*
 * Tests of id.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/id.h"

static void
test_id_text_both_ways(void **state)
{
	char text[ID_TEXT_LEN + 1];
	struct user_id id;
	size_t i;

	(void)state;
	assert_true(id_decode(SPAN("01234567-89AB-cdef-8123-456789abcdef"),
	    id.b));
	for (i = 0; i < 8; i++)
		assert_int_equal(id.b[i], 0x01 + 0x22 * i);
	id_encode(id.b, text);
	assert_string_equal(text, "01234567-89ab-cdef-8123-456789abcdef");
}

static void
test_id_decode_wants_the_canonical_form(void **state)
{
	static const char *const bad[] = {
		"", "0123456789abcdef0123456789abcdef",
		"01234567-89ab-cdef-8123-456789abcde",
		"01234567-89ab-cdef-8123-456789abcdef0",
		"{1234567-89ab-cdef-8123-456789abcdef",
		"0123456-789ab-cdef-8123-456789abcdef",
		"01234567-89ab-cdef-8123_456789abcdef",
		"0123456g-89ab-cdef-8123-456789abcdef",
	};
	uint8_t out[ID_LEN] = { 5 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(id_decode(span_str(bad[i]), out));
	assert_int_equal(out[0], 5);
}

/* RFC 9562 5.7, 5.4, 4.1. */
static void
test_id_versions_and_variant(void **state)
{
	uint8_t rnd[16], id[ID_LEN], later[ID_LEN];

	(void)state;
	memset(rnd, 0xff, sizeof(rnd));
	id_v7(id, 0x0123456789abULL, rnd);
	assert_memory_equal(id, "\x01\x23\x45\x67\x89\xab\x7f\xff\xbf\xff", 10);
	memset(rnd, 0, sizeof(rnd));
	id_v7(later, 0x0123456789acULL, rnd);
	assert_true(memcmp(later, id, ID_LEN) > 0);
	assert_int_equal(later[6], 0x70);
	assert_int_equal(later[8], 0x80);
	id_v4(id, rnd);
	assert_int_equal(id[6], 0x40);
	assert_int_equal(id[8], 0x80);
	memset(rnd, 0xff, sizeof(rnd));
	id_v4(id, rnd);
	assert_int_equal(id[6], 0x4f);
	assert_int_equal(id[8], 0xbf);
}

static void
test_id_zero_and_equality(void **state)
{
	struct chat_id a = { { 0 } }, b = { { 0 } };

	(void)state;
	assert_true(ID_IS_ZERO(a));
	assert_true(ID_EQ(a, b));
	b.b[15] = 1;
	assert_false(ID_IS_ZERO(b));
	assert_false(ID_EQ(a, b));
	assert_int_equal(ID_SPAN(a).n, ID_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id_text_both_ways),
		cmocka_unit_test(test_id_decode_wants_the_canonical_form),
		cmocka_unit_test(test_id_versions_and_variant),
		cmocka_unit_test(test_id_zero_and_equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
