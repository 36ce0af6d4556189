/*
 * verification_test.c: signed verified marks (docs/protocol.md, "Verified
 * marks").
 */
#include "crypto/test_native.h"

#include "pub/verification.h"

static struct composite_priv dsk, stranger;
static struct cert c = { .account = { { 1 } }, .device = 3 };
static const uint8_t hash[SHA256_LEN] = { 5, 6 };
static uint8_t mem[VERIFICATION_LEN];

static int
setup_keys(void **state)
{
	struct composite_pub pub;

	if (setup(state) != 0 || composite_generate(&p, &dsk) != OK ||
	    composite_generate(&p, &stranger) != OK ||
	    composite_make_pub(&p, &dsk, &pub) != OK)
		return -1;
	memcpy(c.dsk, pub.b, sizeof(c.dsk));
	return 0;
}

static struct verification
good(void)
{
	struct verification v = { .account = { { 1 } }, .device = 3,
	    .peer = { { 2 } }, .peer_aik_hash = { 9 },
	    .method = VERIFICATION_CODE, .time_ms = 77 };

	memcpy(v.cert_hash, hash, sizeof(hash));
	return v;
}

static struct span
sign(const struct verification *v, const struct composite_priv *key)
{
	struct wr w = wr_init(mem, sizeof(mem));

	assert_int_equal(verification_sign(&p, key, v, &w), OK);
	assert_int_equal(w.n, VERIFICATION_LEN);
	return wr_done(&w);
}

static void
test_verification_signs_and_verifies(void **state)
{
	struct verification v = good(), got;

	(void)state;
	assert_int_equal(verification_verify(&p, sign(&v, &dsk), &c, hash,
	    &got), OK);
	assert_memory_equal(&v, &got, sizeof(v));
	v.withdrawn = true;
	assert_int_equal(verification_verify(&p, sign(&v, &dsk), &c, hash,
	    &got), OK);
	assert_true(got.withdrawn);
	assert_int_equal(verification_verify(&p, sign(&v, &stranger), &c,
	    hash, &got), ERR_AUTH);
	assert_int_equal(got.device, 0);
}

static void
test_verification_names_its_certificate(void **state)
{
	static const uint8_t newer[SHA256_LEN] = { 5, 7 };
	struct verification v = good(), got;
	struct cert wrong = c;
	struct span s = sign(&v, &dsk);

	(void)state;
	assert_int_equal(verification_verify(&p, s, &c, newer, &got),
	    ERR_UNTRUSTED);
	wrong.device = 4;
	assert_int_equal(verification_verify(&p, s, &wrong, hash, &got),
	    ERR_FORBIDDEN);
	wrong = c;
	wrong.account.b[0] = 9;
	assert_int_equal(verification_verify(&p, s, &wrong, hash, &got),
	    ERR_FORBIDDEN);
}

/* Every bit of the record, and some of the signature. */
static void
test_verification_refuses_changed_bits(void **state)
{
	struct verification v = good(), got;
	struct span s = sign(&v, &dsk);

	(void)state;
	for (size_t bit = 0; bit < s.n * 8;
	    bit += bit < VERIFICATION_BODY_LEN * 8 ? 1 : 203) {
		mem[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(verification_verify(&p, s, &c, hash,
		    &got), OK);
		mem[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
test_verification_refuses_bad_fields(void **state)
{
	struct verification v[4], got;
	struct wr w;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		v[i] = good();
	v[0].device = 0;
	v[1].method = 0;
	v[2].method = 3;
	v[3].peer = v[3].account;	/* nobody verifies himself */
	for (size_t i = 0; i < 4; i++) {
		w = wr_init(mem, sizeof(mem));
		assert_int_equal(verification_encode(&v[i], &w), ERR_ARG);
	}
	v[0] = good();
	w = wr_init(mem, sizeof(mem));
	assert_int_equal(verification_encode(&v[0], &w), OK);
	wr_zeros(&w, COMPOSITE_SIG_LEN);
	assert_int_equal(verification_decode(wr_done(&w), &got), OK);
	for (size_t n = 0; n < w.n; n += 31)
		assert_int_equal(verification_decode(span_of(mem, n), &got),
		    ERR_FORMAT);
	mem[VERIFICATION_BODY_LEN - 9] = 2;	/* an unknown flag */
	assert_int_equal(verification_decode(wr_done(&w), &got), ERR_FORMAT);
	mem[0] = 2;
	assert_int_equal(verification_decode(wr_done(&w), &got), ERR_VERSION);
}

static void
test_verification_replaces(void **state)
{
	struct verification a = good(), b = good();

	(void)state;
	assert_false(verification_replaces(&a, &b));
	a.time_ms++;
	assert_true(verification_replaces(&a, &b));
	assert_false(verification_replaces(&b, &a));
	a.time_ms--;
	a.withdrawn = true;
	assert_true(verification_replaces(&a, &b));
	assert_false(verification_replaces(&b, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verification_signs_and_verifies),
		cmocka_unit_test(test_verification_names_its_certificate),
		cmocka_unit_test(test_verification_refuses_changed_bits),
		cmocka_unit_test(test_verification_refuses_bad_fields),
		cmocka_unit_test(test_verification_replaces),
	};

	return cmocka_run_group_tests(tests, setup_keys, teardown);
}
