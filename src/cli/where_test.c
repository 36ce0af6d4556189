/*
 * where_test.c: server addresses and pins, right and wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/where.h"

static void
expect(const char *url, const char *host, unsigned port, bool tls,
    const char *text)
{
	struct where w;
	const char *why = NULL;
	assert_int_equal(where_init(&w, url, &why), OK);
	assert_string_equal(w.host, host);
	assert_int_equal(w.port, port);
	assert_int_equal(w.tls, tls);
	assert_string_equal(w.url, text);
	where_fini(&w);
}

static void
test_where_reads_addresses(void **state)
{
	(void)state;
	expect("https://localhost:8443", "localhost", 8443, true,
	    "https://localhost:8443");
	expect("https://chat.example.org/", "chat.example.org", 443, true,
	    "https://chat.example.org");
	expect("http://127.0.0.1:3000", "127.0.0.1", 3000, false,
	    "http://127.0.0.1:3000");
	expect("https://[::1]:8443/", "::1", 8443, true,
	    "https://[::1]:8443");
}

static void
test_where_refuses_other_addresses(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "localhost:8443",
	    "ftp://host", "https://", "https://:8443", "https://host:0",
	    "https://host:65536", "https://host:8443x", "https://host:",
	    "https://host/path", "https://host?x", "https://u:p@host",
	    "https://ho st", "https://[::1", "https://[host]:1",
	    "https://host\r\nX: y", "https://host:8443/#" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct where w;
		const char *why = NULL;
		assert_int_equal(where_init(&w, bad[i], &why),
		    ERR_VALIDATION);
		assert_non_null(why);
	}
}

static void
test_where_allows_plain_http_on_this_machine_only(void **state)
{
	(void)state;
	struct where w;
	const char *why;
	assert_int_equal(where_init(&w, "http://127.0.0.1:3000", &why), OK);
	assert_int_equal(where_resolve(&w), OK);
	where_fini(&w);
	assert_int_equal(where_init(&w, "http://192.0.2.1:3000", &why), OK);
	assert_int_equal(where_resolve(&w), ERR_FORBIDDEN);
	where_fini(&w);
}

#define PIN "000102030405060708090A0B0C0D0E0F" \
	"101112131415161718191A1B1C1D1E1F"

static void
test_where_reads_pins(void **state)
{
	(void)state;
	uint8_t pin[32], again[32];
	char text[WHERE_PIN_TEXT];
	assert_true(where_pin_decode(PIN, pin));
	assert_int_equal(pin[31], 0x1f);
	assert_true(where_pin_decode("sha256:" PIN, again));
	where_pin_text(pin, text);
	assert_int_equal(strlen(text), 98);
	assert_true(where_pin_decode(text, again));
	assert_memory_equal(pin, again, 32);
}

static void
test_where_refuses_other_pins(void **state)
{
	(void)state;
	uint8_t pin[32];
	assert_false(where_pin_decode("", pin));
	assert_false(where_pin_decode("00", pin));
	assert_false(where_pin_decode(PIN "00", pin));
	assert_false(where_pin_decode(PIN ":", pin));
	assert_false(where_pin_decode(":" PIN, pin));
	assert_false(where_pin_decode("0:00102030405060708090A0B0C0D0E0F"
	    "101112131415161718191A1B1C1D1E1F", pin));
	assert_false(where_pin_decode("G00102030405060708090A0B0C0D0E0F"
	    "101112131415161718191A1B1C1D1E1F", pin));
}

static void
test_where_trusts_the_pin_and_nothing_else(void **state)
{
	(void)state;
	struct where w = { .has_pin = true };
	struct tls_peer peer = { .trusted = true };
	assert_true(where_pin_decode(PIN, w.pin));
	memcpy(peer.sha256, w.pin, 32);
	assert_true(where_verify(&w, &peer));
	peer.trusted = false;
	peer.why_not = "self-signed";
	assert_true(where_verify(&w, &peer));
	/* Another certificate: a CA's word does not help it. */
	peer.trusted = true;
	peer.sha256[0] ^= 1;
	assert_false(where_verify(&w, &peer));
	assert_true(w.refused);
	assert_memory_equal(w.seen, peer.sha256, 32);
}

static void
test_where_trusts_the_system_without_a_pin(void **state)
{
	(void)state;
	struct where w = { 0 };
	struct tls_peer peer = { .trusted = true };
	assert_true(where_verify(&w, &peer));
	peer = (struct tls_peer){ .why_not = "self-signed certificate" };
	assert_false(where_verify(&w, &peer));
	assert_string_equal(w.why, "self-signed certificate");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_reads_addresses),
		cmocka_unit_test(test_where_refuses_other_addresses),
		cmocka_unit_test(
		    test_where_allows_plain_http_on_this_machine_only),
		cmocka_unit_test(test_where_reads_pins),
		cmocka_unit_test(test_where_refuses_other_pins),
		cmocka_unit_test(test_where_trusts_the_pin_and_nothing_else),
		cmocka_unit_test(test_where_trusts_the_system_without_a_pin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
