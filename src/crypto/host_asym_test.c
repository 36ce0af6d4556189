/*
 * Tests of host_asym.c: right algorithm, wrong key. (Signatures and paddings
 * themselves: Wycheproof, in nightjar-vectors.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/host.h"

struct der {
	uint8_t spki[1024], pkcs8[4096];
	struct span pub, priv;
	EVP_PKEY *key;
};

static struct der rsa, rsa_small, p256, p384;

static void
make(struct der *d, EVP_PKEY *k)
{
	unsigned char *at = d->spki;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k);

	d->key = k;
	d->pub = span_of(d->spki, (size_t)i2d_PUBKEY(k, &at));
	at = d->pkcs8;
	d->priv = span_of(d->pkcs8,
	    (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &at));
	PKCS8_PRIV_KEY_INFO_free(info);
}

static int
setup(void **state)
{
	(void)state;
	if (host_init() != OK)
		return -1;
	make(&rsa, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	make(&rsa_small, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
	make(&p256, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
	make(&p384, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa.key);
	EVP_PKEY_free(rsa_small.key);
	EVP_PKEY_free(p256.key);
	EVP_PKEY_free(p384.key);
	return 0;
}

static struct span
sign(EVP_PKEY *k, struct span msg, uint8_t *out, size_t cap)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = cap;

	assert_int_equal(EVP_DigestSignInit_ex(c, NULL, "SHA256", NULL, NULL,
	    k, NULL), 1);
	assert_int_equal(EVP_DigestSign(c, out, &n, msg.p, msg.n), 1);
	EVP_MD_CTX_free(c);
	return span_of(out, n);
}

static void
test_asym_signatures_verify_under_their_own_key_only(void **state)
{
	uint8_t a[512], b[512];
	struct span msg = SPAN("header.payload");
	struct span rs = sign(rsa.key, msg, a, sizeof(a));
	struct span es = sign(p256.key, msg, b, sizeof(b));

	(void)state;
	assert_int_equal(host_rs256_verify(rsa.pub, msg, rs), OK);
	assert_int_equal(host_es256_verify_der(p256.pub, msg, es), OK);
	assert_int_equal(host_rs256_verify(rsa.pub, SPAN("x"), rs), ERR_AUTH);
	assert_int_equal(host_es256_verify_der(p256.pub, SPAN("x"), es),
	    ERR_AUTH);
	/* A key of another kind is refused before it is used. */
	assert_int_equal(host_rs256_verify(p256.pub, msg, es), ERR_FORMAT);
	assert_int_equal(host_es256_verify_der(rsa.pub, msg, rs), ERR_FORMAT);
	assert_int_equal(host_es256_verify(rsa.pub, msg, span_sub(rs, 0, 64)),
	    ERR_FORMAT);
}

static void
test_asym_refuses_weak_and_other_keys(void **state)
{
	uint8_t sig[512], point[P256_PUB_LEN];
	struct span msg = SPAN("m");

	(void)state;
	assert_int_equal(host_rs256_verify(rsa_small.pub, msg,
	    sign(rsa_small.key, msg, sig, sizeof(sig))), ERR_FORMAT);
	assert_int_equal(host_es256_verify_der(p384.pub, msg,
	    sign(p384.key, msg, sig, sizeof(sig))), ERR_FORMAT);
	assert_int_equal(host_p256_from_spki(p384.pub, point), ERR_FORMAT);
	assert_int_equal(host_p256_from_spki(rsa.pub, point), ERR_FORMAT);
	assert_int_equal(host_p256_from_spki(p256.pub, point), OK);
	assert_int_equal(point[0], 4);
	assert_memory_equal(point, p256.pub.p + p256.pub.n - 65, 65);
}

static void
test_asym_refuses_malformed_der(void **state)
{
	uint8_t longer[1024], point[P256_PUB_LEN], zeros[P256_PUB_LEN] = { 0 };
	size_t n;

	(void)state;
	for (n = 0; n < p256.pub.n; n++) {
		assert_int_equal(host_p256_from_spki(span_of(p256.pub.p, n),
		    point), ERR_FORMAT);
		assert_memory_equal(point, zeros, sizeof(point));
	}
	memcpy(longer, p256.pub.p, p256.pub.n);
	longer[p256.pub.n] = 0;
	assert_int_equal(host_p256_from_spki(span_of(longer, p256.pub.n + 1),
	    point), ERR_FORMAT);
	assert_int_equal(host_rs256_verify((struct span){ NULL, 0 }, SPAN("m"),
	    SPAN("s")), ERR_FORMAT);
}

/* RFC 7518 3.4: R and S as octet sequences of 32 bytes each. */
static void
test_asym_es256_wants_64_bytes(void **state)
{
	uint8_t zeros[65] = { 0 };

	(void)state;
	assert_int_equal(host_es256_verify(p256.pub, SPAN("m"),
	    span_of(zeros, 63)), ERR_AUTH);
	assert_int_equal(host_es256_verify(p256.pub, SPAN("m"),
	    span_of(zeros, 65)), ERR_AUTH);
	assert_int_equal(host_es256_verify(p256.pub, SPAN("m"),
	    span_of(zeros, 64)), ERR_AUTH);
}

static void
test_asym_oaep_both_ways(void **state)
{
	uint8_t key[32] = { 1, 2, 3 }, ct[HOST_RSA_BYTES_MAX];
	uint8_t out[HOST_RSA_BYTES_MAX], zeros[HOST_RSA_BYTES_MAX] = { 0 };
	uint8_t big[191] = { 0 };
	struct span none = { NULL, 0 };
	size_t n = 0, m = 0;

	(void)state;
	assert_int_equal(host_oaep_wrap(rsa.pub, none, SPAN_OF(key), ct, &n),
	    OK);
	assert_int_equal(n, 256);
	assert_int_equal(host_oaep_unwrap(rsa.priv, none, span_of(ct, n), out,
	    &m), OK);
	assert_int_equal(m, sizeof(key));
	assert_memory_equal(out, key, sizeof(key));
	/* RFC 8017 7.1.2: the label is bound; all failures look alike. */
	assert_int_equal(host_oaep_unwrap(rsa.priv, SPAN("l"), span_of(ct, n),
	    out, &m), ERR_DECRYPT);
	assert_memory_equal(out, zeros, sizeof(out));
	ct[10] ^= 1;
	assert_int_equal(host_oaep_unwrap(rsa.priv, none, span_of(ct, n), out,
	    &m), ERR_DECRYPT);
	assert_int_equal(host_oaep_unwrap(rsa.priv, none, span_of(ct, n - 1),
	    out, &m), ERR_DECRYPT);
	assert_int_equal(host_oaep_unwrap(rsa.priv, none, none, out, &m),
	    ERR_DECRYPT);
	/* RFC 8017 7.1.1: 256 - 2 * 32 - 2 = 190 bytes are the most. */
	assert_int_equal(host_oaep_wrap(rsa.pub, none, span_of(big, 190), ct,
	    &n), OK);
	assert_int_equal(host_oaep_wrap(rsa.pub, none, span_of(big, 191), ct,
	    &n), ERR_TOO_LARGE);
	assert_int_equal(host_oaep_wrap(rsa_small.pub, none, SPAN_OF(key), ct,
	    &n), ERR_FORMAT);
	assert_int_equal(host_oaep_wrap(p256.pub, none, SPAN_OF(key), ct, &n),
	    ERR_FORMAT);
	assert_int_equal(host_oaep_unwrap(p256.priv, none, span_of(ct, 256),
	    out, &m), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_asym_signatures_verify_under_their_own_key_only),
		cmocka_unit_test(test_asym_refuses_weak_and_other_keys),
		cmocka_unit_test(test_asym_refuses_malformed_der),
		cmocka_unit_test(test_asym_es256_wants_64_bytes),
		cmocka_unit_test(test_asym_oaep_both_ways),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
