/*
 * Tests of bytes.c: nothing is read or written out of bounds, whatever the
 * lengths say, and a cursor that went bad stays bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"

static void
test_span_sub_is_cut_at_the_end(void **state)
{
	struct span s = SPAN("abcdef");

	(void)state;
	assert_true(span_eq(span_sub(s, 1, 3), SPAN("bcd")));
	assert_true(span_eq(span_sub(s, 4, 100), SPAN("ef")));
	assert_int_equal(span_sub(s, 6, 1).n, 0);
	assert_int_equal(span_sub(s, SIZE_MAX, SIZE_MAX).n, 0);
	assert_int_equal(span_sub(s, 2, SIZE_MAX).n, 4);
	assert_int_equal(span_sub((struct span){ NULL, 0 }, 0, 5).n, 0);
}

static void
test_span_trim_takes_spaces_and_tabs(void **state)
{
	static const char *const rows[][2] = { { "a", "a" }, { " a\t", "a" },
		{ "\t \ta b \t", "a b" }, { " \t", "" }, { "", "" },
		{ "\ra\n", "\ra\n" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_true(span_eq(span_trim(span_str(rows[i][0])),
		    span_str(rows[i][1])));
	assert_null(span_trim((struct span){ NULL, 0 }).p);
}

static void
test_span_comparisons(void **state)
{
	struct span none = { NULL, 0 };

	(void)state;
	assert_true(span_eq(none, SPAN("")));
	assert_true(span_starts(SPAN("abc"), SPAN("ab")));
	assert_true(span_starts(SPAN("abc"), none));
	assert_false(span_starts(SPAN("ab"), SPAN("abc")));
	assert_true(span_cmp(SPAN("a"), SPAN("ab")) < 0);
	assert_true(span_cmp(SPAN("b"), SPAN("ab")) > 0);
	assert_int_equal(span_cmp(none, SPAN("")), 0);
	assert_true(span_cmp(SPAN("\x01"), SPAN("\xff")) < 0);
	assert_true(span_eq_nocase(SPAN("Content-LENGTH"),
	    SPAN("content-length")));
	assert_false(span_eq_nocase(SPAN("a["), SPAN("a{")));
	assert_false(span_eq_nocase(SPAN("a"), SPAN("ab")));
	assert_int_equal(span_find(SPAN("a,b"), ','), 1);
	assert_int_equal(span_find(SPAN("ab"), ','), 2);
	assert_int_equal(span_find(none, ','), 0);
}

static void
test_span_u64_takes_plain_decimals_only(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "01", "00", "1a", "0x1", "1.0",
		"18446744073709551616", "99999999999999999999",
		"100000000000000000000",
	};
	uint64_t v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(span_u64(span_str(bad[i]), UINT64_MAX, &v));
	assert_int_equal(v, 7);
	assert_true(span_u64(SPAN("0"), 0, &v));
	assert_int_equal(v, 0);
	assert_true(span_u64(SPAN("18446744073709551615"), UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(span_u64(SPAN("65535"), 65535, &v));
	assert_false(span_u64(SPAN("65536"), 65535, &v));
}

static void
test_rd_reads_big_endian(void **state)
{
	static const uint8_t in[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xaa, 0xbb
	};
	struct rd r = rd_init(SPAN_OF(in));
	uint8_t two[2];

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u32(&r), 0x04050607);
	assert_true(rd_u64(&r) == 0x08090a0b0c0d0e0fULL);
	rd_bytes(&r, two, 2);
	assert_int_equal(two[1], 0xbb);
	assert_true(rd_done(&r));
}

static void
test_rd_stays_bad_after_a_short_read(void **state)
{
	static const uint8_t in[] = { 1, 2, 3 };
	struct rd r = rd_init(SPAN_OF(in));
	uint8_t out[4] = { 9, 9, 9, 9 };

	(void)state;
	assert_int_equal(rd_u32(&r), 0);
	assert_false(rd_done(&r));
	/* What is there may not be read any more, and zeros come. */
	assert_int_equal(rd_u8(&r), 0);
	rd_bytes(&r, out, 4);
	assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
	assert_int_equal(rd_span(&r, 1).n, 0);
	assert_int_equal(rd_rest(&r).n, 0);
	assert_false(rd_done(&r));
}

static void
test_rd_done_wants_everything_read(void **state)
{
	struct rd r = rd_init(SPAN("ab"));

	(void)state;
	(void)rd_u8(&r);
	assert_false(rd_done(&r));
	(void)rd_u8(&r);
	assert_true(rd_done(&r));
	r = rd_init((struct span){ NULL, 0 });
	assert_true(rd_done(&r));
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_done(&r));
}

static void
test_rd_vectors_check_their_lengths(void **state)
{
	static const uint8_t good[] = { 0, 2, 'h', 'i', 0, 0, 0, 1, '!' };
	static const uint8_t longer[] = { 0, 3, 'h', 'i' };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 1 };
	struct rd r = rd_init(SPAN_OF(good));

	(void)state;
	assert_true(span_eq(rd_vec16(&r), SPAN("hi")));
	assert_true(span_eq(rd_vec32(&r), SPAN("!")));
	assert_true(rd_done(&r));
	r = rd_init(SPAN_OF(longer));
	assert_int_equal(rd_vec16(&r).n, 0);
	assert_true(r.bad);
	r = rd_init(SPAN_OF(huge));
	assert_int_equal(rd_vec32(&r).n, 0);
	assert_true(r.bad);
	r = rd_init(SPAN("x"));
	assert_int_equal(rd_span(&r, SIZE_MAX).n, 0);
	assert_true(r.bad);
}

/* RFC 9000 16, and A.1's example values; the minimal form is our rule. */
static void
test_rd_varint_takes_the_minimal_form_only(void **state)
{
	static const struct { uint8_t in[8]; size_t n; uint32_t v; } good[] = {
		{ { 0x25 }, 1, 37 },
		{ { 0x7b, 0xbd }, 2, 15293 },
		{ { 0x9d, 0x7f, 0x3e, 0x7d }, 4, 494878333 },
		{ { 0x3f }, 1, 63 },
		{ { 0x40, 0x40 }, 2, 64 },
		{ { 0x7f, 0xff }, 2, 16383 },
		{ { 0x80, 0x00, 0x40, 0x00 }, 4, 16384 },
		{ { 0xbf, 0xff, 0xff, 0xff }, 4, (1U << 30) - 1 },
	};
	static const struct { uint8_t in[8]; size_t n; } bad[] = {
		{ { 0x40, 0x25 }, 2 },			/* 37 in two bytes */
		{ { 0x80, 0x00, 0x3f, 0xff }, 4 },	/* 16383 in four */
		{ { 0xc0, 0, 0, 0, 0x40, 0, 0, 0 }, 8 },
		{ { 0x7b }, 1 }, { { 0x9d, 0x7f, 0x3e }, 3 }, { { 0 }, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rd r = rd_init(span_of(good[i].in, good[i].n));
		uint8_t out[4];
		struct wr w = wr_init(out, sizeof(out));

		assert_int_equal(rd_varint(&r), good[i].v);
		assert_true(rd_done(&r));
		wr_varint(&w, good[i].v);
		assert_true(span_eq(wr_done(&w), span_of(good[i].in,
		    good[i].n)));
		assert_int_equal(varint_len(good[i].v), good[i].n);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rd r = rd_init(span_of(bad[i].in, bad[i].n));

		assert_int_equal(rd_varint(&r), 0);
		assert_false(rd_done(&r));
	}
}

static void
test_wr_stops_at_its_capacity(void **state)
{
	uint8_t out[6] = { 0, 0, 0, 0, 0xee, 0xee };
	struct wr w = wr_init(out, 4);

	(void)state;
	wr_u16(&w, 0x0102);
	wr_u32(&w, 5);			/* does not fit: nothing of it */
	assert_false(wr_ok(&w));
	wr_u8(&w, 9);			/* would fit, but the cursor is bad */
	assert_int_equal(wr_done(&w).n, 2);
	assert_int_equal(out[2] | out[3], 0);
	assert_int_equal(out[4], 0xee);
	w = wr_init(out, 4);
	assert_null(wr_room(&w, SIZE_MAX));
	assert_false(wr_ok(&w));
	w = wr_init(NULL, 0);
	wr_bytes(&w, NULL, 0);
	wr_span(&w, SPAN(""));
	assert_true(wr_ok(&w));
	wr_u8(&w, 1);
	assert_false(wr_ok(&w));
}

static void
test_wr_refuses_what_a_length_can_not_say(void **state)
{
	static uint8_t big[70000], out[70010];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	wr_vec16(&w, span_of(big, 65535));
	assert_true(wr_ok(&w));
	w = wr_init(out, sizeof(out));
	wr_vec16(&w, span_of(big, 65536));
	assert_false(wr_ok(&w));
	w = wr_init(out, sizeof(out));
	wr_vec32(&w, span_of(big, 65536));
	assert_true(wr_ok(&w));
	w = wr_init(out, sizeof(out));
	wr_varint(&w, 1U << 30);
	assert_false(wr_ok(&w));
}

static void
test_wr_text(void **state)
{
	uint8_t out[64];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	wr_dec(&w, 0);
	wr_str(&w, ",");
	wr_dec(&w, UINT64_MAX);
	wr_zeros(&w, 2);
	assert_true(span_eq(wr_done(&w), SPAN("0,18446744073709551615\0\0")));
}

static void
test_buf_grows_up_to_its_maximum(void **state)
{
	static const uint8_t byte = 'x';
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(buf_add(&b, &byte, 1), OK);
	assert_int_equal(buf_add(&b, &byte, 1), ERR_TOO_LARGE);
	assert_int_equal(b.n, 1000);
	assert_true(b.cap <= 1000);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), ERR_TOO_LARGE);
	buf_drop(&b, 999);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.p[0], 'x');
	buf_drop(&b, 5);
	assert_int_equal(b.n, 0);
	buf_fini(&b);
	buf_fini(&b);
	assert_null(b.p);
}

/* Under AddressSanitizer too an impossible allocation is NULL. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* A request near the end of the address space must not loop or wrap. */
static void
test_buf_reserve_of_half_the_address_space_fails(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX / 2);
	assert_int_equal(buf_add_str(&b, "a"), OK);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2 - 1), ERR_NOMEM);
	assert_true(span_eq(buf_span(&b), SPAN("a")));
	assert_int_equal(buf_add_span(&b, SPAN("bc")), OK);
	buf_drop(&b, 1);
	assert_true(span_eq(buf_span(&b), SPAN("bc")));
	buf_clear(&b);
	assert_int_equal(b.n, 0);
	buf_fini(&b);
}

static void
test_ct_eq_sees_every_byte(void **state)
{
	uint8_t a[40] = { 1, 2, 3 }, b[40];
	size_t i;

	(void)state;
	memcpy(b, a, sizeof(b));
	assert_true(ct_eq(a, b, sizeof(a)));
	for (i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x40;
		assert_false(ct_eq(a, b, sizeof(a)));
		b[i] ^= 0x40;
	}
	assert_true(ct_eq(a, NULL, 0));
}

static void
test_wipe_clears(void **state)
{
	uint8_t a[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, zeros[8] = { 0 };

	(void)state;
	wipe(a, 8);
	assert_memory_equal(a, zeros, 8);
	assert_int_equal(a[8], 9);
	wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_sub_is_cut_at_the_end),
		cmocka_unit_test(test_span_trim_takes_spaces_and_tabs),
		cmocka_unit_test(test_span_comparisons),
		cmocka_unit_test(test_span_u64_takes_plain_decimals_only),
		cmocka_unit_test(test_rd_reads_big_endian),
		cmocka_unit_test(test_rd_stays_bad_after_a_short_read),
		cmocka_unit_test(test_rd_done_wants_everything_read),
		cmocka_unit_test(test_rd_vectors_check_their_lengths),
		cmocka_unit_test(test_rd_varint_takes_the_minimal_form_only),
		cmocka_unit_test(test_wr_stops_at_its_capacity),
		cmocka_unit_test(test_wr_refuses_what_a_length_can_not_say),
		cmocka_unit_test(test_wr_text),
		cmocka_unit_test(test_buf_grows_up_to_its_maximum),
		cmocka_unit_test(
		    test_buf_reserve_of_half_the_address_space_fails),
		cmocka_unit_test(test_ct_eq_sees_every_byte),
		cmocka_unit_test(test_wipe_clears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
