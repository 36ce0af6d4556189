/*
 * Tests of host_password.c: today's hashes verify, kept ones of other
 * parameters too, and nothing outside the bounds is computed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/host.h"

/* Made by the reference program of Argon2 (its test.c). */
static const char *const reference =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"
    "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

static void
test_password_hash_verifies_and_is_salted(void **state)
{
	char a[HOST_PHC_MAX], b[HOST_PHC_MAX];

	(void)state;
	assert_int_equal(host_password_hash(SPAN("correct horse"), a), OK);
	assert_int_equal(host_password_hash(SPAN("correct horse"), b), OK);
	assert_string_not_equal(a, b);
	assert_int_equal(strncmp(a, "$argon2id$v=19$m=65536,t=3,p=4$", 31), 0);
	assert_true(host_password_is_current(span_str(a)));
	assert_int_equal(host_password_verify(SPAN("correct horse"),
	    span_str(a)), OK);
	assert_int_equal(host_password_verify(SPAN("correct horsf"),
	    span_str(a)), ERR_INVALID_CREDENTIALS);
}

static void
test_password_verify_takes_other_parameters(void **state)
{
	(void)state;
	assert_int_equal(host_password_verify(SPAN("password"),
	    span_str(reference)), OK);
	assert_int_equal(host_password_verify(SPAN("passwore"),
	    span_str(reference)), ERR_INVALID_CREDENTIALS);
	assert_int_equal(host_password_verify(SPAN(""), span_str(reference)),
	    ERR_INVALID_CREDENTIALS);
	assert_false(host_password_is_current(span_str(reference)));
}

static void
test_password_refuses_malformed_and_unbounded_hashes(void **state)
{
	static const char *const bad[] = {
		"", "$", "password",
		"$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		/* another version, missing, swapped or repeated parameters */
		"$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		/* out of bounds */
		"$argon2id$v=19$m=4294967296,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=1048577,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=17,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=2,p=17$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=15,t=2,p=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=-256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg",
		/* salt of 7 bytes, hash of 15, padding, unused bits, a tail */
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbA$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4r",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg$",
		"$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEg",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
		/* bcrypt: cost, length, alphabet */
		"$2b$03$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
		"$2b$31$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
		"$2b$4$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm1",
		"$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YE",
		"$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YE:",
		"$2x$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(host_password_verify(SPAN("password"),
		    span_str(bad[i])), ERR_FORMAT);
		assert_false(host_password_is_current(span_str(bad[i])));
	}
}

static void
test_password_bcrypt_of_imported_accounts(void **state)
{
	struct span kept = SPAN(
	    "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm");

	(void)state;
	assert_int_equal(host_password_verify(SPAN("Kk4DQuMMfZL9o"), kept),
	    OK);
	assert_int_equal(host_password_verify(SPAN("Kk4DQuMMfZL9p"), kept),
	    ERR_INVALID_CREDENTIALS);
	/* crypt(3) would stop at the NUL and say yes. */
	assert_int_equal(host_password_verify(SPAN("Kk4DQuMMfZL9o\0x"), kept),
	    ERR_INVALID_CREDENTIALS);
	assert_false(host_password_is_current(kept));
}

static void
test_password_length_is_bounded(void **state)
{
	static uint8_t text[HOST_PASSWORD_MAX + 1];
	char phc[HOST_PHC_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(host_password_hash(SPAN_OF(text), phc),
	    ERR_TOO_LARGE);
	assert_string_equal(phc, "");
	assert_int_equal(host_password_verify(SPAN_OF(text),
	    span_str(reference)), ERR_INVALID_CREDENTIALS);
	assert_int_equal(host_password_absent(SPAN_OF(text)),
	    ERR_INVALID_CREDENTIALS);
}

static void
test_password_absent_is_always_wrong(void **state)
{
	(void)state;
	assert_int_equal(host_password_absent(SPAN("password")),
	    ERR_INVALID_CREDENTIALS);
}

static void
test_password_argon2id_bounds(void **state)
{
	struct host_argon a = { .password = SPAN("p"), .salt = SPAN("somesalt"),
	    .m_kib = 8, .t = 1, .p = 1 };
	uint8_t out[32], zeros[32] = { 0 };

	(void)state;
	assert_int_equal(host_argon2id(&a, out, sizeof(out)), OK);
	a.p = 2;				/* m < 8p */
	memset(out, 1, sizeof(out));
	assert_int_equal(host_argon2id(&a, out, sizeof(out)), ERR_ARG);
	assert_memory_equal(out, zeros, sizeof(out));
	a.p = 0;
	assert_int_equal(host_argon2id(&a, out, sizeof(out)), ERR_ARG);
	a.p = 1;
	a.t = 0;
	assert_int_equal(host_argon2id(&a, out, sizeof(out)), ERR_ARG);
	a.t = 1;
	a.salt = SPAN("short");
	assert_int_equal(host_argon2id(&a, out, sizeof(out)), ERR_ARG);
	a.salt = SPAN("somesalt");
	assert_int_equal(host_argon2id(&a, out, 3), ERR_ARG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password_hash_verifies_and_is_salted),
		cmocka_unit_test(test_password_verify_takes_other_parameters),
		cmocka_unit_test(
		    test_password_refuses_malformed_and_unbounded_hashes),
		cmocka_unit_test(test_password_bcrypt_of_imported_accounts),
		cmocka_unit_test(test_password_length_is_bounded),
		cmocka_unit_test(test_password_absent_is_always_wrong),
		cmocka_unit_test(test_password_argon2id_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
