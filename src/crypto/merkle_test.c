/*
 * Tests of merkle.c (docs/protocol.md, "Prekey batches").
 */
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "crypto/test_native.h"

static struct merkle_hash leaves[MERKLE_LEAVES_MAX];

/* Leaf i is the one byte i. */
static void
make_leaves(void)
{
	size_t i;

	for (i = 0; i < MERKLE_LEAVES_MAX; i++) {
		uint8_t byte = (uint8_t)i;

		assert_int_equal(merkle_leaf(&p, span_of(&byte, 1),
		    &leaves[i]), OK);
	}
}

static void
test_merkle_depth_of_allowed_numbers(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < 300; n++) {
		size_t want = n == 4 ? 2 : n == 8 ? 3 : n == 16 ? 4 :
		    n == 32 ? 5 : n == 64 ? 6 : n == 128 ? 7 : 0;

		assert_int_equal(merkle_depth(n), want);
	}
	assert_int_equal(merkle_depth(SIZE_MAX), 0);
}

/* The tags keep leaves and nodes apart: 0x00 || leaf, 0x01 || left || right. */
static void
test_merkle_hashes_are_tagged(void **state)
{
	uint8_t both[65] = { 1 }, want[32];
	struct merkle_hash a, b, node;

	(void)state;
	assert_int_equal(merkle_leaf(&p, SPAN("x"), &a), OK);
	assert_int_equal(hash_sha256(&p, SPAN("\0x"), want), OK);
	assert_memory_equal(a.b, want, 32);
	assert_int_equal(merkle_leaf(&p, SPAN("y"), &b), OK);
	memcpy(both + 1, a.b, 32);
	memcpy(both + 33, b.b, 32);
	assert_int_equal(hash_sha256(&p, SPAN_OF(both), want), OK);
	assert_int_equal(merkle_node(&p, &a, &b, &node), OK);
	assert_memory_equal(node.b, want, 32);
}

static void
test_merkle_root_of_four_by_hand(void **state)
{
	struct merkle_hash l, r, want, got;

	(void)state;
	make_leaves();
	assert_int_equal(merkle_node(&p, &leaves[0], &leaves[1], &l), OK);
	assert_int_equal(merkle_node(&p, &leaves[2], &leaves[3], &r), OK);
	assert_int_equal(merkle_node(&p, &l, &r, &want), OK);
	assert_int_equal(merkle_root(&p, leaves, 4, &got), OK);
	assert_memory_equal(&got, &want, sizeof(got));
}

static void
test_merkle_every_path_of_every_size_verifies(void **state)
{
	struct merkle_hash path[MERKLE_DEPTH_MAX], root;
	size_t n, i;

	(void)state;
	make_leaves();
	for (n = 4; n <= 128; n *= 2) {
		assert_int_equal(merkle_root(&p, leaves, n, &root), OK);
		for (i = 0; i < n; i++) {
			uint8_t byte = (uint8_t)i;

			assert_int_equal(merkle_path(&p, leaves, n, i, path),
			    OK);
			assert_int_equal(merkle_verify(&p, span_of(&byte, 1),
			    i, n, span_of(path, merkle_depth(n) * 32), root.b),
			    OK);
		}
	}
}

static void
test_merkle_verify_refuses_other_leaf_index_path_root(void **state)
{
	struct merkle_hash path[MERKLE_DEPTH_MAX], root;
	uint8_t *bytes = (uint8_t *)path;
	struct span good = span_of(path, 3 * 32);
	size_t i;

	(void)state;
	make_leaves();
	assert_int_equal(merkle_root(&p, leaves, 8, &root), OK);
	assert_int_equal(merkle_path(&p, leaves, 8, 5, path), OK);
	assert_int_equal(merkle_verify(&p, SPAN("\5"), 5, 8, good, root.b), OK);
	assert_int_equal(merkle_verify(&p, SPAN("\4"), 5, 8, good, root.b),
	    ERR_AUTH);
	assert_int_equal(merkle_verify(&p, SPAN(""), 5, 8, good, root.b),
	    ERR_AUTH);
	for (i = 0; i < 8; i++)
		assert_int_equal(merkle_verify(&p, SPAN("\5"), i, 8, good,
		    root.b), i == 5 ? OK : ERR_AUTH);
	for (i = 0; i < 96; i++) {
		bytes[i] ^= 1;
		assert_int_equal(merkle_verify(&p, SPAN("\5"), 5, 8, good,
		    root.b), ERR_AUTH);
		bytes[i] ^= 1;
	}
	root.b[31] ^= 0x80;
	assert_int_equal(merkle_verify(&p, SPAN("\5"), 5, 8, good, root.b),
	    ERR_AUTH);
}

static void
test_merkle_refuses_sizes(void **state)
{
	struct merkle_hash path[MERKLE_DEPTH_MAX] = { 0 }, root = { { 0 } };

	(void)state;
	make_leaves();
	assert_int_equal(merkle_root(&p, leaves, 0, &root), ERR_ARG);
	assert_int_equal(merkle_root(&p, leaves, 2, &root), ERR_ARG);
	assert_int_equal(merkle_root(&p, leaves, 63, &root), ERR_ARG);
	assert_int_equal(merkle_root(&p, leaves, 256, &root), ERR_ARG);
	assert_int_equal(merkle_path(&p, leaves, 8, 8, path), ERR_ARG);
	assert_int_equal(merkle_path(&p, leaves, 5, 0, path), ERR_ARG);
	assert_int_equal(merkle_verify(&p, SPAN("a"), 8, 8, span_of(path, 96),
	    root.b), ERR_FORMAT);
	assert_int_equal(merkle_verify(&p, SPAN("a"), 0, 8, span_of(path, 95),
	    root.b), ERR_FORMAT);
	assert_int_equal(merkle_verify(&p, SPAN("a"), 0, 8, span_of(path, 128),
	    root.b), ERR_FORMAT);
	assert_int_equal(merkle_verify(&p, SPAN("a"), 0, 1, span_of(path, 0),
	    root.b), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merkle_depth_of_allowed_numbers),
		cmocka_unit_test(test_merkle_hashes_are_tagged),
		cmocka_unit_test(test_merkle_root_of_four_by_hand),
		cmocka_unit_test(test_merkle_every_path_of_every_size_verifies),
		cmocka_unit_test(
		    test_merkle_verify_refuses_other_leaf_index_path_root),
		cmocka_unit_test(test_merkle_refuses_sizes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
