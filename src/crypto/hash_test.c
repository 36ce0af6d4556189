/*
 * Tests of hash.c: the exact bytes that are hashed, and injectivity.
 */
#include "crypto/hash.h"
#include "crypto/test_native.h"

/* docs/protocol.md, "Keys": u8 len(label), label, u32 len(part), part... */
static void
test_hash_tuple_layout(void **state)
{
	struct span parts[2] = { SPAN("ab"), SPAN("") };
	uint8_t got[32], want[32];

	(void)state;
	assert_int_equal(hash_tuple(&p, "NJ1 x", parts, 2, got), OK);
	assert_int_equal(hash_sha256(&p, SPAN("\5NJ1 x\0\0\0\2ab\0\0\0\0"),
	    want), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(hash_tuple2(&p, "NJ1 x", parts[0], parts[1], got), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(hash_tuple(&p, "NJ1 x", NULL, 0, got), OK);
	assert_int_equal(hash_sha256(&p, SPAN("\5NJ1 x"), want), OK);
	assert_memory_equal(got, want, sizeof(want));
}

static void
test_hash_tuple_moves_no_byte_between_parts(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	assert_int_equal(hash_tuple2(&p, "l", SPAN("ab"), SPAN("c"), a), OK);
	assert_int_equal(hash_tuple2(&p, "l", SPAN("a"), SPAN("bc"), b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(hash_tuple1(&p, "l", SPAN("abc"), b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(hash_tuple1(&p, "la", SPAN("bc"), b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(hash_tuple2(&p, "l", SPAN("abc"), SPAN(""), a), OK);
	assert_int_equal(hash_tuple1(&p, "l", SPAN("abc"), b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
test_hash_tuple_limits(void **state)
{
	static struct span parts[HASH_PARTS_MAX + 1];
	static char label[257];
	uint8_t out[32], zeros[32] = { 0 };

	(void)state;
	assert_int_equal(hash_tuple(&p, "l", parts, HASH_PARTS_MAX, out), OK);
	assert_int_equal(hash_tuple(&p, "l", parts, HASH_PARTS_MAX + 1, out),
	    ERR_ARG);
	assert_memory_equal(out, zeros, sizeof(out));
	memset(label, 'x', 255);
	assert_int_equal(hash_tuple(&p, label, parts, 1, out), OK);
	label[255] = 'x';
	assert_int_equal(hash_tuple(&p, label, parts, 1, out), ERR_ARG);
	assert_memory_equal(out, zeros, sizeof(out));
}

static void
test_hash_sha512_of_abc(void **state)
{
	uint8_t got[64];

	(void)state;
	/* FIPS 180-4: the first bytes of the published digest. */
	assert_int_equal(hash_sha512(&p, SPAN("abc"), got), OK);
	assert_memory_equal(got, "\xdd\xaf\x35\xa1\x93\x61\x7a\xba", 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_tuple_layout),
		cmocka_unit_test(test_hash_tuple_moves_no_byte_between_parts),
		cmocka_unit_test(test_hash_tuple_limits),
		cmocka_unit_test(test_hash_sha512_of_abc),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
