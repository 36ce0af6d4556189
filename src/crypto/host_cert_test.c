/*
 * Tests of host_cert.c: what is in the certificate, as OpenSSL reads it back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/host.h"

#define NOW_MS 1795252131123ULL

static X509 *
read_cert(const struct host_cert *c)
{
	BIO *b = BIO_new_mem_buf(c->cert_pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	assert_non_null(x);
	return x;
}

static EVP_PKEY *
read_key(const struct host_cert *c)
{
	BIO *b = BIO_new_mem_buf(c->key_pem, -1);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

	BIO_free(b);
	assert_non_null(k);
	return k;
}

static void
test_cert_is_for_loopback_and_the_given_names(void **state)
{
	struct span names[3] = { SPAN("chat.example.org"), SPAN("192.0.2.9"),
	    SPAN("*.example.net") };
	struct host_cert c;
	X509 *x;

	(void)state;
	assert_int_equal(host_cert_make(names, 3, NOW_MS, &c), OK);
	x = read_cert(&c);
	assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "chat.example.org", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "a.example.net", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "example.org", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.9", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.10", 0), 0);
	X509_free(x);
	wipe(&c, sizeof(c));
}

static void
test_cert_is_self_signed_p256_no_ca(void **state)
{
	struct host_cert c;
	uint8_t digest[SHA256_LEN];
	EVP_PKEY *k;
	X509 *x;

	(void)state;
	assert_int_equal(host_cert_make(NULL, 0, NOW_MS, &c), OK);
	x = read_cert(&c);
	k = read_key(&c);
	assert_int_equal(EVP_PKEY_get_bits(k), 256);
	assert_true(EVP_PKEY_is_a(k, "EC"));
	assert_int_equal(X509_check_private_key(x, k), 1);
	assert_int_equal(X509_verify(x, k), 1);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
	assert_int_equal(X509_digest(x, EVP_sha256(), digest, NULL), 1);
	assert_memory_equal(digest, c.sha256, sizeof(digest));
	EVP_PKEY_free(k);
	X509_free(x);
	wipe(&c, sizeof(c));
}

/* RFC 5280 4.1.2.2: a positive serial of at most 20 octets, new each time. */
static void
test_cert_serial_and_times(void **state)
{
	struct host_cert a, b;
	X509 *x, *y;
	int day, sec;
	time_t now = (time_t)(NOW_MS / 1000);

	(void)state;
	assert_int_equal(host_cert_make(NULL, 0, NOW_MS, &a), OK);
	assert_int_equal(host_cert_make(NULL, 0, NOW_MS, &b), OK);
	x = read_cert(&a);
	y = read_cert(&b);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(x),
	    X509_get0_serialNumber(y)), 0);
	assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(x)), 16);
	assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(x)),
	    V_ASN1_INTEGER);
	assert_int_equal(ASN1_TIME_diff(&day, &sec, X509_get0_notBefore(x),
	    X509_get0_notAfter(x)), 1);
	assert_int_equal(day, HOST_CERT_DAYS);
	assert_int_equal(sec, 0);
	assert_int_equal(X509_cmp_time(X509_get0_notBefore(x), &now), -1);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(x), &now), 1);
	X509_free(x);
	X509_free(y);
	wipe(&a, sizeof(a));
	wipe(&b, sizeof(b));
}

static void
test_cert_refuses_what_is_no_name(void **state)
{
	static const char *const bad[] = {
		"", ".", "a..b", "-a.example", "a-.example", "a b", "a_b",
		"example.org.", "*", "*.", "a.*.b", "ex\xc3\xa4mple", "a/b",
		"x1234567890123456789012345678901234567890123456789012345678901234",
	};
	struct span many[HOST_CERT_NAMES_MAX + 1], nul = SPAN("a\0b");
	struct host_cert c, zeros;
	size_t i;

	(void)state;
	memset(&zeros, 0, sizeof(zeros));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span name = span_str(bad[i]);

		assert_int_equal(host_cert_make(&name, 1, NOW_MS, &c),
		    ERR_ARG);
		assert_memory_equal(&c, &zeros, sizeof(c));
	}
	assert_int_equal(host_cert_make(&nul, 1, NOW_MS, &c), ERR_ARG);
	for (i = 0; i < HOST_CERT_NAMES_MAX + 1; i++)
		many[i] = SPAN("a.example");
	assert_int_equal(host_cert_make(many, HOST_CERT_NAMES_MAX + 1, NOW_MS,
	    &c), ERR_ARG);
	assert_int_equal(host_cert_make(many, HOST_CERT_NAMES_MAX, NOW_MS, &c),
	    OK);
	wipe(&c, sizeof(c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cert_is_for_loopback_and_the_given_names),
		cmocka_unit_test(test_cert_is_self_signed_p256_no_ca),
		cmocka_unit_test(test_cert_serial_and_times),
		cmocka_unit_test(test_cert_refuses_what_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
