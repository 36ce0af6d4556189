/*
 * Tests of composite.c. The published example runs in nightjar-vectors; here
 * is what has to be refused.
 */
#include "crypto/composite.h"
#include "crypto/named.h"
#include "crypto/test_native.h"

static struct composite_priv priv;
static struct composite_pub pub;
static struct composite_sig sig;

static void
make_signature(void)
{
	memset(priv.b, 3, sizeof(priv.b));
	assert_int_equal(composite_make_pub(&p, &priv, &pub), OK);
	assert_int_equal(composite_sign(&p, &priv, SPAN("NJ1/devlist"),
	    SPAN("message"), NULL, &sig), OK);
}

static enum err
verify(struct span context, struct span msg)
{
	return composite_verify(&p, pub.b, context, msg, sig.b);
}

static void
test_composite_verifies_what_was_signed(void **state)
{
	(void)state;
	make_signature();
	assert_int_equal(verify(SPAN("NJ1/devlist"), SPAN("message")), OK);
}

static void
test_composite_binds_context_and_message(void **state)
{
	(void)state;
	make_signature();
	assert_int_equal(verify(SPAN("NJ1/prekeys"), SPAN("message")),
	    ERR_AUTH);
	assert_int_equal(verify(SPAN(""), SPAN("message")), ERR_AUTH);
	assert_int_equal(verify(SPAN("NJ1/devlist"), SPAN("messag")),
	    ERR_AUTH);
	/* The context has its length in front: no byte moves over. */
	assert_int_equal(verify(SPAN("NJ1/devlistm"), SPAN("essage")),
	    ERR_AUTH);
}

/* Both halves MUST verify: each is broken in turn. */
static void
test_composite_refuses_when_one_half_is_wrong(void **state)
{
	static const size_t places[] = {
		0, 100, MLDSA_SIG_LEN - 1, MLDSA_SIG_LEN, COMPOSITE_SIG_LEN - 1
	};
	struct composite_sig other;
	size_t i;

	(void)state;
	make_signature();
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		sig.b[places[i]] ^= 1;
		assert_int_equal(verify(SPAN("NJ1/devlist"), SPAN("message")),
		    ERR_AUTH);
		sig.b[places[i]] ^= 1;
	}
	/* A half of another valid signature does not help. */
	assert_int_equal(composite_sign(&p, &priv, SPAN("NJ1/devlist"),
	    SPAN("other"), NULL, &other), OK);
	memcpy(other.b, sig.b, MLDSA_SIG_LEN);
	assert_int_equal(composite_verify(&p, pub.b, SPAN("NJ1/devlist"),
	    SPAN("message"), other.b), ERR_AUTH);
	assert_int_equal(composite_verify(&p, pub.b, SPAN("NJ1/devlist"),
	    SPAN("other"), other.b), ERR_AUTH);
	pub.b[0] ^= 1;
	assert_int_equal(verify(SPAN("NJ1/devlist"), SPAN("message")),
	    ERR_AUTH);
	pub.b[0] ^= 1;
	pub.b[MLDSA_PUB_LEN] ^= 1;
	assert_int_equal(verify(SPAN("NJ1/devlist"), SPAN("message")),
	    ERR_AUTH);
}

static void
test_composite_context_is_at_most_255_bytes(void **state)
{
	static uint8_t context[256];
	static struct composite_sig zeros;

	(void)state;
	make_signature();
	assert_int_equal(composite_sign(&p, &priv, span_of(context, 255),
	    SPAN("m"), NULL, &sig), OK);
	assert_int_equal(verify(span_of(context, 255), SPAN("m")), OK);
	assert_int_equal(composite_sign(&p, &priv, span_of(context, 256),
	    SPAN("m"), NULL, &sig), ERR_ARG);
	assert_memory_equal(&sig, &zeros, sizeof(sig));
	assert_int_equal(verify(span_of(context, 256), SPAN("m")), ERR_ARG);
}

static void
test_composite_randomness_is_named_or_new(void **state)
{
	static struct composite_sig a, b;
	uint8_t rnd[32] = { 4 };

	(void)state;
	make_signature();
	assert_int_equal(composite_sign(&p, &priv, SPAN("c"), SPAN("m"), rnd,
	    &a), OK);
	assert_int_equal(composite_sign(&p, &priv, SPAN("c"), SPAN("m"), rnd,
	    &b), OK);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(composite_sign(&p, &priv, SPAN("c"), SPAN("m"), NULL,
	    &b), OK);
	assert_memory_not_equal(&a, &b, MLDSA_SIG_LEN);
}

static void
test_composite_generate_takes_both_seeds_from_randomness(void **state)
{
	static uint8_t bytes[100];
	struct composite_priv made, zeros = { { 0 } };
	struct provider named;
	struct named n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	named_queue(&n, &p, SPAN_OF(bytes), &named);
	assert_int_equal(composite_generate(&named, &made), OK);
	assert_memory_equal(made.b, bytes, 64);
	assert_int_equal(composite_generate(&named, &made), ERR_PROVIDER);
	assert_memory_equal(made.b, zeros.b, 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_composite_verifies_what_was_signed),
		cmocka_unit_test(test_composite_binds_context_and_message),
		cmocka_unit_test(test_composite_refuses_when_one_half_is_wrong),
		cmocka_unit_test(test_composite_context_is_at_most_255_bytes),
		cmocka_unit_test(test_composite_randomness_is_named_or_new),
		cmocka_unit_test(
		    test_composite_generate_takes_both_seeds_from_randomness),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
