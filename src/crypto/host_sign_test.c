/* host_sign_test.c: keys that sign tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "crypto/host.h"

static struct host_signer *rsa, *ed;
static struct buf rsa_pem, ed_pem;

static int
setup(void **state)
{
	(void)state;
	buf_init(&rsa_pem, HOST_SIGNER_PEM_MAX);
	buf_init(&ed_pem, HOST_SIGNER_PEM_MAX);
	return host_signer_make(HOST_SIGNER_RS256, &rsa_pem) == OK &&
	    host_signer_make(HOST_SIGNER_EDDSA, &ed_pem) == OK &&
	    host_signer_open(buf_span(&rsa_pem), &rsa) == OK &&
	    host_signer_open(buf_span(&ed_pem), &ed) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	host_signer_close(rsa);
	host_signer_close(ed);
	buf_fini(&rsa_pem);
	buf_fini(&ed_pem);
	return 0;
}

/* The public half as PEM. */
static size_t
public_pem(const struct buf *pem, char *out, size_t max)
{
	BIO *in = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO *b = BIO_new(BIO_s_mem());
	int n;

	assert_int_equal(PEM_write_bio_PUBKEY(b, k), 1);
	n = BIO_read(b, out, (int)max);
	assert_in_range(n, 1, (int)max);
	BIO_free(in);
	BIO_free(b);
	EVP_PKEY_free(k);
	return (size_t)n;
}

static void
test_signer_signs_and_verifies(void **state)
{
	const struct host_signer *all[] = { rsa, ed };
	static const size_t len[] = { 384, 64 };
	uint8_t sig[HOST_SIG_MAX];
	size_t n;

	(void)state;
	assert_int_equal(host_signer_kind(rsa), HOST_SIGNER_RS256);
	assert_int_equal(host_signer_kind(ed), HOST_SIGNER_EDDSA);
	for (size_t i = 0; i < 2; i++) {
		assert_true(host_signer_is_private(all[i]));
		assert_int_equal(host_signer_sign(all[i], SPAN("text"), sig,
		    &n), OK);
		assert_int_equal(n, len[i]);
		assert_int_equal(host_signer_verify(all[i], SPAN("text"),
		    span_of(sig, n)), OK);
		assert_int_equal(host_signer_verify(all[i], SPAN("texT"),
		    span_of(sig, n)), ERR_AUTH);
		assert_int_equal(host_signer_verify(all[1 - i], SPAN("text"),
		    span_of(sig, n)), ERR_AUTH);
		assert_int_equal(host_signer_verify(all[i], SPAN("text"),
		    span_of(sig, n - 1)), ERR_AUTH);
		assert_int_equal(host_signer_verify(all[i], SPAN("text"),
		    SPAN("")), ERR_AUTH);
		sig[n / 2] ^= 1;
		assert_int_equal(host_signer_verify(all[i], SPAN("text"),
		    span_of(sig, n)), ERR_AUTH);
	}
}

static void
test_signer_public_key_only_verifies(void **state)
{
	const struct buf *pems[] = { &rsa_pem, &ed_pem };
	const struct host_signer *all[] = { rsa, ed };
	uint8_t sig[HOST_SIG_MAX];
	struct host_signer *pub;
	char text[2048];
	size_t n;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		n = public_pem(pems[i], text, sizeof(text));
		assert_int_equal(host_signer_open(span_of(text, n), &pub), OK);
		assert_false(host_signer_is_private(pub));
		assert_int_equal(host_signer_sign(pub, SPAN("x"), sig, &n),
		    ERR_ARG);
		assert_int_equal(host_signer_sign(all[i], SPAN("x"), sig, &n),
		    OK);
		assert_int_equal(host_signer_verify(pub, SPAN("x"),
		    span_of(sig, n)), OK);
		host_signer_close(pub);
	}
}

/* RFC 8032 7.1, test 1: key, public key and signature of nothing. */
static void
test_signer_ed25519_of_the_rfc(void **state)
{
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n";
	static const char x[] = "d75a980182b10ab7d54bfed3c964073a"
	    "0ee172f3daa62325af021a68f707511a";
	static const char want[] = "e5564300c360ac729086e2cc806e828a"
	    "84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
	    "d25bf5f0595bbe24655141438e7a100b";
	struct host_signer_public pub;
	struct host_signer *k;
	uint8_t sig[HOST_SIG_MAX];
	char hex[128];
	size_t n;

	(void)state;
	assert_int_equal(host_signer_open(span_str(pem), &k), OK);
	assert_int_equal(host_signer_public(k, &pub), OK);
	hex_encode(SPAN_OF(pub.x), hex);
	assert_memory_equal(hex, x, 64);
	assert_int_equal(host_signer_sign(k, SPAN(""), sig, &n), OK);
	hex_encode(span_of(sig, n), hex);
	assert_memory_equal(hex, want, 128);
	host_signer_close(k);
}

static void
test_signer_public_numbers(void **state)
{
	struct host_signer_public pub;

	(void)state;
	assert_int_equal(host_signer_public(rsa, &pub), OK);
	assert_int_equal(pub.n_n, 384);
	assert_true(pub.n[0] >= 0x80);
	assert_int_equal(pub.e_n, 3);
	assert_memory_equal(pub.e, "\1\0\1", 3);
}

static size_t
other_pem(EVP_PKEY *k, char *out, size_t max, const char *passphrase)
{
	BIO *b = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(k);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(b, k,
	    passphrase == NULL ? NULL : EVP_aes_256_cbc(), NULL, 0, NULL,
	    (char *)(uintptr_t)passphrase), 1);
	n = BIO_read(b, out, (int)max);
	assert_in_range(n, 1, (int)max);
	BIO_free(b);
	EVP_PKEY_free(k);
	return (size_t)n;
}

/* RFC 7518 3.3: 2048 bits or more; other algorithms are none of ours. */
static void
test_signer_rejects_other_keys(void **state)
{
	struct host_signer *k;
	char text[8192];
	size_t n;

	(void)state;
	n = other_pem(EVP_RSA_gen(1024), text, sizeof(text), NULL);
	assert_int_equal(host_signer_open(span_of(text, n), &k), ERR_FORMAT);
	n = other_pem(EVP_EC_gen("P-256"), text, sizeof(text), NULL);
	assert_int_equal(host_signer_open(span_of(text, n), &k), ERR_FORMAT);
	n = other_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), text,
	    sizeof(text), NULL);
	assert_int_equal(host_signer_open(span_of(text, n), &k), ERR_FORMAT);
	n = other_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), text,
	    sizeof(text), "secret");
	assert_int_equal(host_signer_open(span_of(text, n), &k), ERR_FORMAT);
	assert_null(k);
}

static void
test_signer_rejects_what_is_no_key(void **state)
{
	static const char *const bad[] = { "", "x", "-----BEGIN PRIVATE KEY-----\n",
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" };
	struct host_signer *k;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(host_signer_open(span_str(bad[i]), &k),
		    ERR_FORMAT);
	host_signer_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signer_signs_and_verifies),
		cmocka_unit_test(test_signer_public_key_only_verifies),
		cmocka_unit_test(test_signer_ed25519_of_the_rfc),
		cmocka_unit_test(test_signer_public_numbers),
		cmocka_unit_test(test_signer_rejects_other_keys),
		cmocka_unit_test(test_signer_rejects_what_is_no_key),
	};

	if (host_init() != OK)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
