/*
 * Tests of tlv.c (docs/protocol.md, "Encodings").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/tlv.h"

static enum err
walk(struct span record)
{
	struct tlv t = tlv_init(record);
	struct span value;
	uint32_t tag;

	while (tlv_next(&t, &tag, &value))
		;
	return tlv_end(&t);
}

static void
test_tlv_reads_what_was_put(void **state)
{
	uint8_t out[64];
	struct wr w = wr_init(out, sizeof(out));
	struct span value;
	struct tlv t;
	uint32_t tag, u32;
	uint64_t u64;
	uint8_t u8;

	(void)state;
	tlv_put_u8(&w, 0, 7);
	tlv_put(&w, 2, SPAN("text"));
	tlv_put_u32(&w, 100, 0xdeadbeef);
	tlv_put_u64(&w, 20000, 5);
	tlv_put(&w, 20001, SPAN(""));
	assert_true(wr_ok(&w));
	t = tlv_init(wr_done(&w));
	assert_true(tlv_next(&t, &tag, &value));
	assert_int_equal(tag, 0);
	assert_true(tlv_u8(value, &u8));
	assert_int_equal(u8, 7);
	assert_true(tlv_next(&t, &tag, &value));
	assert_true(span_eq(value, SPAN("text")));
	assert_true(tlv_next(&t, &tag, &value));
	assert_true(tlv_u32(value, &u32));
	assert_int_equal(u32, 0xdeadbeef);
	assert_true(tlv_next(&t, &tag, &value));
	assert_int_equal(tag, 20000);
	assert_true(tlv_u64(value, &u64));
	assert_int_equal(u64, 5);
	assert_true(tlv_next(&t, &tag, &value));
	assert_int_equal(value.n, 0);
	assert_false(tlv_next(&t, &tag, &value));
	assert_int_equal(tlv_end(&t), OK);
}

static void
test_tlv_empty_record_is_well_formed(void **state)
{
	(void)state;
	assert_int_equal(walk(SPAN("")), OK);
	assert_int_equal(walk((struct span){ NULL, 0 }), OK);
}

/* docs/protocol.md, "Encodings": tags strictly increasing, no duplicates. */
static void
test_tlv_refuses_disorder_and_duplicates(void **state)
{
	(void)state;
	assert_int_equal(walk(SPAN("\x02\x00\x01\x00")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\x02\x00\x02\x00")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\x00\x00\x00\x00")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\x01\x00\x02\x00")), OK);
}

static void
test_tlv_refuses_lengths_beyond_the_record(void **state)
{
	(void)state;
	assert_int_equal(walk(SPAN("\x01")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\x01\x02" "a")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\x01\xbf\xff\xff\xff" "a")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\x01\x40\x01" "a")), ERR_FORMAT);
	assert_int_equal(walk(SPAN("\xc0\x00\x00\x00\x00\x00\x00\x01\x00")),
	    ERR_FORMAT);
}

static void
test_tlv_unknown_tags(void **state)
{
	(void)state;
	assert_int_equal(tlv_unknown(9), OK);
	assert_int_equal(tlv_unknown(8), ERR_UNKNOWN_CRITICAL);
	assert_int_equal(tlv_unknown(0), ERR_UNKNOWN_CRITICAL);
}

static void
test_tlv_integers_have_one_length(void **state)
{
	uint8_t u8 = 9;
	uint32_t u32 = 9;
	uint64_t u64 = 9;

	(void)state;
	assert_false(tlv_u8(SPAN(""), &u8));
	assert_false(tlv_u8(SPAN("ab"), &u8));
	assert_false(tlv_u32(SPAN("abc"), &u32));
	assert_false(tlv_u32(SPAN("abcde"), &u32));
	assert_false(tlv_u64(SPAN("abcdefg"), &u64));
	assert_false(tlv_u64(SPAN("abcdefghi"), &u64));
	assert_int_equal(u8, 9);
	assert_int_equal(u32, 9);
	assert_int_equal(u64, 9);
}

static void
test_tlv_put_beyond_the_room_is_bad(void **state)
{
	uint8_t out[3];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	tlv_put(&w, 1, SPAN("ab"));
	assert_false(wr_ok(&w));
	w = wr_init(out, sizeof(out));
	tlv_put(&w, 1, span_of(out, (size_t)1 << 30));
	assert_false(wr_ok(&w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tlv_reads_what_was_put),
		cmocka_unit_test(test_tlv_empty_record_is_well_formed),
		cmocka_unit_test(test_tlv_refuses_disorder_and_duplicates),
		cmocka_unit_test(test_tlv_refuses_lengths_beyond_the_record),
		cmocka_unit_test(test_tlv_unknown_tags),
		cmocka_unit_test(test_tlv_integers_have_one_length),
		cmocka_unit_test(test_tlv_put_beyond_the_room_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
