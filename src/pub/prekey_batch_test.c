/*
 * prekey_batch_test.c: prekey batches (docs/protocol.md, "Prekey batches").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/openssl.h"
#include "pub/prekey_batch.h"

static struct provider p;
static struct composite_priv dsk;
static struct cert cert;
static const uint8_t hash[32] = { 4 };
static uint8_t leaf_mem[4][LEAF_LEN_MAX], mem[BATCH_LEN];
static struct span leaves[4];
static struct batch batch;

static int
setup(void **state)
{
	struct composite_pub pub;
	struct merkle_hash hashes[4], root;

	(void)state;
	assert_int_equal(openssl_provider_open(&p), OK);
	assert_int_equal(composite_generate(&p, &dsk), OK);
	assert_int_equal(composite_make_pub(&p, &dsk, &pub), OK);
	cert = (struct cert){ .account = { { 1 } }, .aik_hash = { 2 },
	    .device = 3 };
	memcpy(cert.dsk, pub.b, sizeof(cert.dsk));
	for (uint32_t i = 0; i < 4; i++) {
		struct leaf l = { .type = i == 0 ? LEAF_SPK : i == 1 ?
		    LEAF_LRK : LEAF_OTP, .id = i < 2 ? 0 : i - 1,
		    .x25519 = { 9 } };
		struct wr w = wr_init(leaf_mem[i], LEAF_LEN_MAX);

		assert_int_equal(batch_leaf_encode(&l, &w), OK);
		leaves[i] = wr_done(&w);
		assert_int_equal(merkle_leaf(&p, leaves[i], &hashes[i]), OK);
	}
	assert_int_equal(merkle_root(&p, hashes, 4, &root), OK);
	batch = (struct batch){ .account = cert.account, .aik_hash = { 2 },
	    .device = 3, .cert_hash = { 4 }, .id = 5, .created_ms = 10,
	    .expires_ms = 10 + BATCH_LIFE_MS_MAX, .leaves_n = 4 };
	memcpy(batch.root, root.b, 32);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	openssl_provider_close(&p);
	return 0;
}

static void
test_batch_sign_and_verify(void **state)
{
	struct wr w = wr_init(mem, sizeof(mem));
	struct batch got;
	struct cert other = cert;
	uint8_t h[32] = { 5 };

	(void)state;
	assert_int_equal(batch_sign(&p, &dsk, &batch, &w), OK);
	assert_int_equal(w.n, 3512);
	assert_int_equal(batch_verify(&p, wr_done(&w), &cert, hash, &got), OK);
	assert_memory_equal(&got, &batch, sizeof(got));
	assert_int_equal(batch_verify(&p, wr_done(&w), &cert, h, &got),
	    ERR_UNTRUSTED);
	other.device = 4;
	assert_int_equal(batch_verify(&p, wr_done(&w), &other, hash, &got),
	    ERR_FORBIDDEN);
	other = cert;
	other.account.b[0]++;
	assert_int_equal(batch_verify(&p, wr_done(&w), &other, hash, &got),
	    ERR_FORBIDDEN);
	for (size_t at = 90; at < w.n; at += 400) {
		mem[at] ^= 1;
		assert_int_not_equal(batch_verify(&p, wr_done(&w), &cert, hash,
		    &got), OK);
		mem[at] ^= 1;
	}
}

static void
test_batch_refuses_bad_fields(void **state)
{
	struct batch b[5] = { batch, batch, batch, batch, batch };

	(void)state;
	b[0].device = 0;
	b[1].id = 0;
	b[2].expires_ms++;		/* more than 60 days */
	b[3].expires_ms = b[3].created_ms;
	b[4].leaves_n = 5;
	for (size_t i = 0; i < 5; i++) {
		struct wr w = wr_init(mem, sizeof(mem));

		assert_int_equal(batch_encode(&b[i], &w), ERR_ARG);
	}
}

static void
test_batch_refuses_wrong_lengths(void **state)
{
	struct wr w = wr_init(mem, sizeof(mem));
	struct batch got;

	(void)state;
	assert_int_equal(batch_encode(&batch, &w), OK);
	wr_zeros(&w, COMPOSITE_SIG_LEN);
	assert_int_equal(batch_decode(wr_done(&w), &got), OK);
	for (size_t n = 0; n < w.n; n++)
		assert_int_equal(batch_decode(span_of(mem, n), &got),
		    ERR_FORMAT);
	mem[0] = 7;
	assert_int_equal(batch_decode(wr_done(&w), &got), ERR_VERSION);
}

static void
test_batch_leaf_verify(void **state)
{
	struct merkle_hash hashes[4], path[MERKLE_DEPTH_MAX];
	struct leaf got;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(merkle_leaf(&p, leaves[i], &hashes[i]), OK);
	for (uint16_t i = 0; i < 4; i++) {
		struct span way = span_of(path, 2 * sizeof(path[0]));

		assert_int_equal(merkle_path(&p, hashes, 4, i, path), OK);
		assert_int_equal(batch_leaf_verify(&p, &batch, i, leaves[i],
		    way, &got), OK);
		/* At another place: the type or the id does not belong. */
		assert_int_equal(batch_leaf_verify(&p, &batch,
		    (uint16_t)((i + 1) % 4), leaves[i], way, &got),
		    ERR_FORMAT);
		path[1].b[0] ^= 1;
		assert_int_equal(batch_leaf_verify(&p, &batch, i, leaves[i],
		    way, &got), ERR_AUTH);
		assert_int_equal(batch_leaf_verify(&p, &batch, i, leaves[i],
		    span_sub(way, 0, 32), &got), ERR_FORMAT);
	}
}

/* docs/protocol.md, Prekey batches: type octets keep the keys apart. */
static void
test_batch_leaf_refuses_bad_leaves(void **state)
{
	uint8_t bad[LEAF_LEN_MAX + 1] = { 0 };
	struct leaf got;

	(void)state;
	for (size_t n = 0; n <= LEAF_LEN_MAX + 1; n++) {
		bad[0] = 3;
		bad[4] = 1;
		assert_int_equal(batch_leaf_decode(span_of(bad, n), &got),
		    n == LEAF_OTP_LEN ? OK : ERR_FORMAT);
		bad[0] = 1;
		bad[4] = 0;
		assert_int_equal(batch_leaf_decode(span_of(bad, n), &got),
		    n == LEAF_SPK_LEN ? OK : ERR_FORMAT);
		bad[0] = 2;
		assert_int_equal(batch_leaf_decode(span_of(bad, n), &got),
		    n == LEAF_LRK_LEN ? OK : ERR_FORMAT);
		bad[0] = 4;
		assert_int_equal(batch_leaf_decode(span_of(bad, n), &got),
		    ERR_FORMAT);
	}
	bad[0] = 3;	/* a pair with id 0 */
	assert_int_equal(batch_leaf_decode(span_of(bad, LEAF_OTP_LEN), &got),
	    ERR_FORMAT);
}

static void
test_batch_check_leaves(void **state)
{
	struct span two[4] = { leaves[0], leaves[1], leaves[3], leaves[2] };
	struct batch other = batch;

	(void)state;
	assert_int_equal(batch_check_leaves(&p, &batch, leaves, 4), OK);
	assert_int_equal(batch_check_leaves(&p, &batch, leaves, 3),
	    ERR_FORMAT);
	assert_int_equal(batch_check_leaves(&p, &batch, two, 4), ERR_FORMAT);
	other.root[3] ^= 1;
	assert_int_equal(batch_check_leaves(&p, &other, leaves, 4), ERR_AUTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_sign_and_verify),
		cmocka_unit_test(test_batch_refuses_bad_fields),
		cmocka_unit_test(test_batch_refuses_wrong_lengths),
		cmocka_unit_test(test_batch_leaf_verify),
		cmocka_unit_test(test_batch_leaf_refuses_bad_leaves),
		cmocka_unit_test(test_batch_check_leaves),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
