/*
 * rotate_test.c: renewals of an account key (docs/protocol.md, "Renewing the
 * account key").
 */
#include "crypto/test_native.h"

#include "pub/rotate.h"

#define KEYS 4

static struct composite_priv priv[KEYS];
static struct composite_pub pub[KEYS];
static const struct user_id me = { { 7 } }, other = { { 8 } };
static uint8_t mem[KEYS][ROTATE_LEN];

static int
setup_keys(void **state)
{
	if (setup(state) != 0)
		return -1;
	for (size_t i = 0; i < KEYS; i++)
		if (composite_generate(&p, &priv[i]) != OK ||
		    composite_make_pub(&p, &priv[i], &pub[i]) != OK)
			return -1;
	return 0;
}

static struct rotate
make(size_t from, size_t to, uint64_t version)
{
	struct rotate r = { .account = me, .version = version,
	    .time_ms = 5000 };

	memcpy(r.old_aik, pub[from].b, sizeof(r.old_aik));
	memcpy(r.new_aik, pub[to].b, sizeof(r.new_aik));
	return r;
}

static struct span
sign(size_t at, size_t from, size_t to, uint64_t version)
{
	struct rotate r = make(from, to, version);
	struct wr w = wr_init(mem[at], sizeof(mem[at]));

	assert_int_equal(rotate_sign(&p, &priv[from], &priv[to], &r, &w), OK);
	assert_int_equal(w.n, ROTATE_LEN);
	return wr_done(&w);
}

static void
test_rotate_signs_and_verifies(void **state)
{
	struct span s = sign(0, 0, 1, 3);
	struct rotate want = make(0, 1, 3), got;

	(void)state;
	assert_int_equal(rotate_verify(&p, s, &me, &got), OK);
	assert_memory_equal(&want, &got, sizeof(got));
	assert_int_equal(rotate_verify(&p, s, &other, &got), ERR_FORBIDDEN);
	assert_int_equal(got.version, 0);
}

/* Both signatures: each one alone is not enough, in either order. */
static void
test_rotate_needs_both_keys(void **state)
{
	struct rotate r = make(0, 1, 3), got;
	struct wr w = wr_init(mem[0], sizeof(mem[0]));

	(void)state;
	assert_int_equal(rotate_sign(&p, &priv[0], &priv[2], &r, &w), OK);
	assert_int_equal(rotate_verify(&p, wr_done(&w), &me, &got), ERR_AUTH);
	w.n = 0;
	assert_int_equal(rotate_sign(&p, &priv[2], &priv[1], &r, &w), OK);
	assert_int_equal(rotate_verify(&p, wr_done(&w), &me, &got), ERR_AUTH);
	w.n = 0;
	assert_int_equal(rotate_sign(&p, &priv[1], &priv[0], &r, &w), OK);
	assert_int_equal(rotate_verify(&p, wr_done(&w), &me, &got), ERR_AUTH);
}

/* Every bit of the part that is neither a key nor a signature, one of each of
 * those. */
static void
test_rotate_refuses_changed_bits(void **state)
{
	struct span s = sign(0, 0, 1, 3);
	struct rotate got;

	(void)state;
	for (size_t bit = 0; bit < ROTATE_LEN * 8;
	    bit += bit < 17 * 8 || (bit >= 3985 * 8 && bit < 4001 * 8) ?
	    1 : 509) {
		mem[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rotate_verify(&p, s, &me, &got), OK);
		assert_int_equal(got.version, 0);
		mem[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(rotate_verify(&p, s, &me, &got), OK);
}

static void
test_rotate_refuses_bad_layout(void **state)
{
	struct span s = sign(0, 0, 1, 3);
	struct rotate r = make(0, 1, 1), got;
	struct wr w = wr_init(mem[1], sizeof(mem[1]));

	(void)state;
	for (size_t n = 0; n < s.n; n += 97)
		assert_int_equal(rotate_decode(span_of(s.p, n), &got),
		    ERR_FORMAT);
	mem[0][0] = 2;
	assert_int_equal(rotate_decode(s, &got), ERR_VERSION);
	/* The first list of an account is no renewal's. */
	assert_int_equal(rotate_encode(&r, &w), ERR_ARG);
	r = make(0, 0, 3);
	assert_int_equal(rotate_encode(&r, &w), ERR_ARG);
	r = make(0, 1, 2);
	w = wr_init(mem[1], ROTATE_BODY_LEN - 1);
	assert_int_equal(rotate_encode(&r, &w), ERR_SPACE);
}

static void
test_rotate_conflicts(void **state)
{
	struct rotate a = make(0, 1, 3), b = make(0, 2, 4), c = make(1, 2, 4);
	struct rotate again = make(0, 1, 9), theirs = make(0, 2, 4);

	(void)state;
	theirs.account = other;
	assert_true(rotate_conflicts(&a, &b));
	assert_true(rotate_conflicts(&b, &a));
	assert_false(rotate_conflicts(&a, &c));
	assert_false(rotate_conflicts(&a, &again));
	assert_false(rotate_conflicts(&a, &theirs));
}

static struct devlist
list(size_t key, uint64_t version, uint8_t prev)
{
	struct devlist l = { .account = me, .version = version,
	    .issued_ms = 1, .expires_ms = 2, .prev_hash = { prev },
	    .next_id = 3, .n = 1, .entries = { { .device = 1 } } };

	memcpy(l.aik, pub[key].b, sizeof(l.aik));
	return l;
}

/* What the server asks: the next version, under the new key, from just it. */
static void
test_rotate_succeeds(void **state)
{
	static const uint8_t h3[32] = { 3 }, h4[32] = { 4 };
	struct devlist known = list(0, 3, 2), next = list(1, 4, 3);
	struct rotate r = make(0, 1, 4);

	(void)state;
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4), OK);
	r.version = 5;
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_UNTRUSTED);
	r = make(2, 1, 4);
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_UNTRUSTED);
	r = make(0, 2, 4);
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_UNTRUSTED);
	r = make(0, 1, 4);
	r.account = other;
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_FORBIDDEN);
	r = make(0, 1, 4);
	next.prev_hash[0] = 9;
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_LIST_CONFLICT);
	next = list(1, 5, 3);
	r.version = 5;
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_LIST_CONFLICT);
	/* A device id given twice stays refused across a renewal. */
	next = list(1, 4, 3);
	next.entries[0].device = 2;
	r.version = 4;
	assert_int_equal(rotate_succeeds(&r, &known, h3, &next, h4),
	    ERR_LIST_CONFLICT);
}

static void
test_rotate_leads(void **state)
{
	struct span r[4] = { sign(1, 1, 2, 6), sign(0, 0, 1, 4) };
	struct devlist known = list(0, 3, 2), next = list(2, 9, 8);

	(void)state;
	/* Two steps, in any order. */
	assert_int_equal(rotate_lead(&p, r, 2, &known, &next), OK);
	assert_int_equal(rotate_lead(&p, r, 1, &known, &next),
	    ERR_IDENTITY_CHANGED);
	assert_int_equal(rotate_lead(&p, r, 0, &known, &next),
	    ERR_IDENTITY_CHANGED);
	/* It held before the list that is known: the old key went on. */
	known.version = 4;
	assert_int_equal(rotate_lead(&p, r, 2, &known, &next),
	    ERR_IDENTITY_CHANGED);
	known.version = 3;
	/* It holds only from a later version on. */
	next.version = 5;
	assert_int_equal(rotate_lead(&p, r, 2, &known, &next),
	    ERR_IDENTITY_CHANGED);
	next.version = 6;
	assert_int_equal(rotate_lead(&p, r, 2, &known, &next), OK);
	assert_int_equal(rotate_lead(&p, r, ROTATE_CHAIN_MAX + 1, &known,
	    &next), ERR_TOO_LARGE);
	/* Two renewals from one old key to different new ones. */
	r[2] = sign(2, 0, 3, 5);
	assert_int_equal(rotate_lead(&p, r, 3, &known, &next), ERR_CONFLICT);
	/* One that is not valid. */
	mem[2][ROTATE_LEN - 1] ^= 1;
	assert_int_equal(rotate_lead(&p, r, 3, &known, &next), ERR_AUTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotate_signs_and_verifies),
		cmocka_unit_test(test_rotate_needs_both_keys),
		cmocka_unit_test(test_rotate_refuses_changed_bits),
		cmocka_unit_test(test_rotate_refuses_bad_layout),
		cmocka_unit_test(test_rotate_conflicts),
		cmocka_unit_test(test_rotate_succeeds),
		cmocka_unit_test(test_rotate_leads),
	};

	return cmocka_run_group_tests(tests, setup_keys, teardown);
}
