/*
 * Tests of named.c: every output follows from the named randomness.
 */
#include "crypto/named.h"
#include "crypto/test_native.h"

static void
test_named_queue_serves_in_order_and_ends(void **state)
{
	struct provider q;
	struct named n;
	uint8_t out[4] = { 0 };

	(void)state;
	named_queue(&n, &p, SPAN("abcdef"), &q);
	assert_int_equal(q.random(q.ctx, out, 2), OK);
	assert_memory_equal(out, "ab", 2);
	assert_int_equal(q.random(q.ctx, out, 0), OK);
	assert_int_equal(q.random(q.ctx, out, 3), OK);
	assert_memory_equal(out, "cde", 3);
	assert_int_equal(named_left(&n), 1);
	assert_int_equal(q.random(q.ctx, out, 2), ERR_PROVIDER);
	assert_int_equal(named_left(&n), 1);
	assert_int_equal(q.random(q.ctx, out, 1), OK);
	assert_int_equal(out[0], 'f');
	assert_int_equal(named_left(&n), 0);
}

static void
test_named_seed_repeats_whatever_the_sizes(void **state)
{
	uint8_t whole[200], pieces[200], other[200];
	struct provider a, b;
	struct named na, nb;
	size_t at, n;

	(void)state;
	assert_int_equal(named_seed(&na, &p, SPAN("seed 1"), &a), OK);
	assert_int_equal(named_seed(&nb, &p, SPAN("seed 1"), &b), OK);
	assert_int_equal(a.random(a.ctx, whole, sizeof(whole)), OK);
	for (at = 0, n = 1; at < sizeof(pieces); at += n, n++) {
		if (n > sizeof(pieces) - at)
			n = sizeof(pieces) - at;
		assert_int_equal(b.random(b.ctx, pieces + at, n), OK);
	}
	assert_memory_equal(whole, pieces, sizeof(whole));
	assert_int_equal(named_seed(&nb, &p, SPAN("seed 2"), &b), OK);
	assert_int_equal(b.random(b.ctx, other, sizeof(other)), OK);
	assert_memory_not_equal(whole, other, sizeof(whole));
	assert_int_equal(na.taken, sizeof(whole));
}

/* m of encaps and rnd of ML-DSA come from the queue when left to it. */
static void
test_named_randomness_reaches_encaps_and_signing(void **state)
{
	static uint8_t bytes[64], ek[MLKEM_EK_LEN];
	static uint8_t ct[2][MLKEM_CT_LEN], sig[2][MLDSA_SIG_LEN];
	uint8_t seed[64] = { 1 }, ss[2][32];
	struct provider q;
	struct named n;

	(void)state;
	memset(bytes, 5, 32);
	memset(bytes + 32, 6, 32);
	named_queue(&n, &p, SPAN_OF(bytes), &q);
	assert_int_equal(q.mlkem_pub(q.ctx, seed, ek), OK);
	assert_int_equal(q.mlkem_encaps(q.ctx, ek, NULL, ct[0], ss[0]), OK);
	assert_int_equal(named_left(&n), 32);
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, bytes, ct[1], ss[1]), OK);
	assert_memory_equal(ct[0], ct[1], sizeof(ct[0]));
	assert_int_equal(q.mldsa_sign(q.ctx, seed, SPAN("c"), SPAN("m"), NULL,
	    sig[0]), OK);
	assert_int_equal(named_left(&n), 0);
	assert_int_equal(p.mldsa_sign(p.ctx, seed, SPAN("c"), SPAN("m"),
	    bytes + 32, sig[1]), OK);
	assert_memory_equal(sig[0], sig[1], sizeof(sig[0]));
	/* What the caller names itself takes nothing. */
	assert_int_equal(q.mlkem_encaps(q.ctx, ek, bytes, ct[0], ss[0]), OK);
	assert_int_equal(q.mldsa_sign(q.ctx, seed, SPAN("c"), SPAN("m"), bytes,
	    sig[0]), OK);
	assert_int_equal(q.mlkem_encaps(q.ctx, ek, NULL, ct[0], ss[0]),
	    ERR_PROVIDER);
}

/* Every other function is that of the provider below. */
static void
test_named_passes_the_rest_on(void **state)
{
	uint8_t seed[64] = { 9 }, key[32] = { 1 }, nonce[12] = { 2 };
	uint8_t a[2][80], pub[2][65], sig[64], z[2][32];
	struct span in = SPAN("text"), none = { NULL, 0 };
	struct provider q;
	struct named n;
	int i;

	(void)state;
	named_queue(&n, &p, none, &q);
	for (i = 0; i < 2; i++) {
		const struct provider *w = i == 0 ? &p : &q;

		assert_int_equal(w->sha256(w->ctx, &in, 1, a[i]), OK);
		assert_int_equal(w->hmac_sha256(w->ctx, in, &in, 1, a[i] + 32),
		    OK);
		assert_int_equal(w->x25519_pub(w->ctx, seed, pub[i]), OK);
		assert_int_equal(w->x25519(w->ctx, key, pub[i], z[i]), OK);
	}
	assert_memory_equal(a[0], a[1], 64);
	assert_memory_equal(z[0], z[1], 32);
	assert_int_equal(q.sha512(q.ctx, &in, 1, a[0]), OK);
	assert_int_equal(q.gcm_seal(q.ctx, key, nonce, none, in, a[0]), OK);
	assert_int_equal(q.gcm_open(q.ctx, key, nonce, none, span_of(a[0], 20),
	    a[1]), OK);
	assert_memory_equal(a[1], "text", 4);
	assert_int_equal(q.ed25519_pub(q.ctx, seed, pub[0]), OK);
	assert_int_equal(q.ed25519_sign(q.ctx, seed, in, sig), OK);
	assert_int_equal(q.ed25519_verify(q.ctx, pub[0], in, sig), OK);
	assert_int_equal(q.p256_pub(q.ctx, seed, pub[0]), OK);
	assert_int_equal(q.p256_ecdh(q.ctx, seed, pub[0], z[0]), OK);
	assert_int_equal(q.argon2id(q.ctx, in, SPAN("somesalt"), 8, 1, 1, z[0],
	    32), OK);
	assert_int_equal(n.taken, 0);
	provider_forget(&q, seed, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_queue_serves_in_order_and_ends),
		cmocka_unit_test(test_named_seed_repeats_whatever_the_sizes),
		cmocka_unit_test(
		    test_named_randomness_reaches_encaps_and_signing),
		cmocka_unit_test(test_named_passes_the_rest_on),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
