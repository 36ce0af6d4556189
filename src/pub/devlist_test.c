/*
 * devlist_test.c: device lists (docs/protocol.md, "Devices").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/openssl.h"
#include "pub/devlist.h"

static struct provider p;
static struct composite_priv aik;
static struct composite_pub aik_pub;
static uint8_t mem[DEVLIST_LEN_MAX];

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(openssl_provider_open(&p), OK);
	assert_int_equal(composite_generate(&p, &aik), OK);
	assert_int_equal(composite_make_pub(&p, &aik, &aik_pub), OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	openssl_provider_close(&p);
	return 0;
}

static struct devlist
good(void)
{
	struct devlist l = { .account = { { 7 } }, .version = 3,
	    .issued_ms = 1000, .expires_ms = 1000 + DEVLIST_LIFE_MS_MAX,
	    .prev_hash = { 9 }, .next_id = 6, .n = 2,
	    .entries = { { .device = 1, .flags = 3 }, { .device = 4 } } };

	memcpy(l.aik, aik_pub.b, sizeof(l.aik));
	return l;
}

static void
test_devlist_sign_and_verify(void **state)
{
	struct devlist l = good(), got;
	struct wr w = wr_init(mem, sizeof(mem));
	struct user_id other = { { 8 } };

	(void)state;
	assert_int_equal(devlist_sign(&p, &aik, &l, &w), OK);
	assert_int_equal(devlist_verify(&p, wr_done(&w), &l.account, &got),
	    OK);
	assert_memory_equal(&l, &got, sizeof(l));
	assert_int_equal(devlist_verify(&p, wr_done(&w), &other, &got),
	    ERR_FORBIDDEN);
	mem[w.n - 1] ^= 1;
	assert_int_equal(devlist_verify(&p, wr_done(&w), &l.account, &got),
	    ERR_AUTH);
	assert_int_equal(got.n, 0);
	mem[w.n - 1] ^= 1;
	/* Another device in the signed part. */
	mem[w.n - COMPOSITE_SIG_LEN - 2] ^= 1;
	assert_int_equal(devlist_verify(&p, wr_done(&w), &l.account, &got),
	    ERR_AUTH);
}

static void
test_devlist_refuses_wrong_lengths(void **state)
{
	struct devlist l = good(), got;
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	assert_int_equal(devlist_encode(&l, &w), OK);
	wr_zeros(&w, COMPOSITE_SIG_LEN);
	assert_int_equal(devlist_decode(wr_done(&w), &got, NULL), OK);
	for (size_t n = 0; n < w.n; n += 7)
		assert_int_equal(devlist_decode(span_of(mem, n), &got, NULL),
		    ERR_FORMAT);
	wr_u8(&w, 0);
	assert_int_equal(devlist_decode(wr_done(&w), &got, NULL), ERR_FORMAT);
	mem[0] = 2;
	assert_int_equal(devlist_decode(wr_done(&w), &got, NULL), ERR_VERSION);
}

static void
test_devlist_refuses_bad_fields(void **state)
{
	struct devlist l[10];

	(void)state;
	for (size_t i = 0; i < 10; i++)
		l[i] = good();
	l[0].n = 0;
	l[1].n = DEVLIST_DEVICES_MAX + 1;
	l[2].entries[1].device = 1;		/* twice */
	l[3].entries[1].device = 6;		/* not below next_id */
	l[4].entries[0].device = 0;
	l[5].entries[0].flags = 8;
	l[6].version = 0;
	l[7].version = 1;			/* with a prev_hash */
	l[8].expires_ms++;			/* more than 45 days */
	l[9].expires_ms = l[9].issued_ms;
	for (size_t i = 0; i < 10; i++) {
		struct wr w = wr_init(mem, sizeof(mem));

		assert_int_equal(devlist_encode(&l[i], &w), ERR_ARG);
	}
	l[0] = good();
	memset(l[0].prev_hash, 0, 32);		/* none after version 1 */
	struct wr w = wr_init(mem, sizeof(mem));
	assert_int_equal(devlist_encode(&l[0], &w), ERR_ARG);
}

static const uint8_t h_known[32] = { 1 }, h_next[32] = { 2 };

static struct devlist
next(void)
{
	struct devlist l = good();

	l.version = 4;
	memcpy(l.prev_hash, h_known, 32);
	return l;
}

/* docs/protocol.md, Devices: version strictly increases, prev_hash names the
 * version before, an id is never given twice. */
static void
test_devlist_follows(void **state)
{
	struct devlist known = good(), n = next();

	(void)state;
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next), OK);
	assert_int_equal(devlist_follow(&known, h_known, &known, h_known), OK);
	assert_int_equal(devlist_follow(&known, h_known, &known, h_next),
	    ERR_CONFLICT);
	n.version = 2;
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next),
	    ERR_STALE);
	n = next();
	n.prev_hash[0]++;
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next),
	    ERR_LIST_CONFLICT);
	n.version = 9;		/* versions in between are missing */
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next), OK);
	n = next();
	n.aik[5] ^= 1;
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next),
	    ERR_IDENTITY_CHANGED);
	n = next();
	n.account.b[0]++;
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next),
	    ERR_FORBIDDEN);
}

static void
test_devlist_never_gives_an_id_twice(void **state)
{
	struct devlist known = good(), n = next();

	(void)state;
	n.entries[1].device = 5;	/* below next_id, and was not there */
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next),
	    ERR_LIST_CONFLICT);
	n.entries[1].device = 6;
	n.next_id = 7;
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next), OK);
	n = next();
	n.next_id = 5;			/* falls */
	assert_int_equal(devlist_follow(&known, h_known, &n, h_next),
	    ERR_LIST_CONFLICT);
}

static void
test_devlist_succeeds_for_the_server(void **state)
{
	struct devlist known = good(), n = next(), first = good();

	(void)state;
	assert_int_equal(devlist_succeeds(&known, h_known, &n, h_next), OK);
	assert_int_equal(devlist_succeeds(&known, h_known, &known, h_known),
	    ERR_LIST_CONFLICT);
	n.version = 5;
	assert_int_equal(devlist_succeeds(&known, h_known, &n, h_next),
	    ERR_LIST_CONFLICT);
	assert_int_equal(devlist_succeeds(NULL, NULL, &n, h_next),
	    ERR_LIST_CONFLICT);
	first.version = 1;
	assert_int_equal(devlist_succeeds(NULL, NULL, &first, h_next), OK);
}

static void
test_devlist_ages(void **state)
{
	struct devlist l = good();

	(void)state;
	assert_int_equal(devlist_age(&l, l.expires_ms - 1), DEVLIST_FRESH);
	assert_int_equal(devlist_age(&l, l.expires_ms), DEVLIST_EXPIRED);
	assert_int_equal(devlist_age(&l, l.expires_ms + DEVLIST_GRACE_MS),
	    DEVLIST_DEAD);
	assert_non_null(devlist_find(&l, 4));
	assert_null(devlist_find(&l, 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devlist_sign_and_verify),
		cmocka_unit_test(test_devlist_refuses_wrong_lengths),
		cmocka_unit_test(test_devlist_refuses_bad_fields),
		cmocka_unit_test(test_devlist_follows),
		cmocka_unit_test(test_devlist_never_gives_an_id_twice),
		cmocka_unit_test(test_devlist_succeeds_for_the_server),
		cmocka_unit_test(test_devlist_ages),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
