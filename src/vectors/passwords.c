/*
 * passwords.c: Argon2id (RFC 9106 5.3 and the reference program), bcrypt
 * ($2a$, $2b$, $2y$), one-time codes (RFC 4226, RFC 6238).
 */
#include <stdio.h>

#include "crypto/host.h"
#include "vectors/schema.h"

static bool
is_argon2id(const struct vector_file *f)
{
	return yyjson_is_obj(yyjson_obj_get(f->root, "rfc9106_5_3_hex")) &&
	    yyjson_is_arr(yyjson_obj_get(f->root, "ascii_tests"));
}

static bool
costs_of(yyjson_val *test, struct host_argon *a)
{
	uint64_t m, t, p;

	if (!field_u64(test, "m_kib", &m) || !field_u64(test, "t", &t) ||
	    !field_u64(test, "p", &p) || m > UINT32_MAX || t > UINT32_MAX ||
	    p > UINT32_MAX)
		return false;
	a->m_kib = (uint32_t)m;
	a->t = (uint32_t)t;
	a->p = (uint32_t)p;
	return true;
}

static void
compare(struct tally *t, const char *id, enum err e, const uint8_t *got,
    struct span want)
{
	if (e != OK)
		tally_fail(t, id, "gave %s", err_name(e));
	else if (memcmp(got, want.p, want.n) != 0)
		tally_fail(t, id, "another result");
	else
		tally_pass(t);
}

static void
argon_rfc(const struct vector_file *f, struct tally *t)
{
	yyjson_val *test = yyjson_obj_get(f->root, "rfc9106_5_3_hex");
	struct host_argon a = { 0 };
	uint8_t got[64];
	struct span tag;

	if (!costs_of(test, &a) || !field_hex(f, test, "password", &a.password) ||
	    !field_hex(f, test, "salt", &a.salt) ||
	    !field_hex(f, test, "secret", &a.secret) ||
	    !field_hex(f, test, "ad", &a.ad) ||
	    !field_hex(f, test, "tag", &tag) || tag.n > sizeof(got))
		tally_fail(t, "rfc9106", "the case is malformed");
	else
		compare(t, "rfc9106", host_argon2id(&a, got, tag.n), got, tag);
}

/* The tag by the provider, then the whole text form by host_password_*. */
static void
argon_text(const struct vector_file *f, yyjson_val *test, const char *id,
    struct tally *t)
{
	const struct provider *p = f->provider;
	struct host_argon a = { 0 };
	const char *password, *salt, *encoded;
	uint8_t got[64];
	struct span tag;

	if (!costs_of(test, &a) || !field_str(test, "password", &password) ||
	    !field_str(test, "salt", &salt) ||
	    !field_str(test, "encoded", &encoded) ||
	    !field_hex(f, test, "tag", &tag) || tag.n > sizeof(got)) {
		tally_fail(t, id, "the case is malformed");
		return;
	}
	compare(t, id, p->argon2id(p->ctx, span_str(password), span_str(salt),
	    a.m_kib, a.t, a.p, got, tag.n), got, tag);
	tally_err(t, id, host_password_verify(span_str(password),
	    span_str(encoded)), OK);
	tally_err(t, id, host_password_verify(SPAN("another"),
	    span_str(encoded)), ERR_INVALID_CREDENTIALS);
}

static void
run_argon2id(const struct vector_file *f, struct tally *t)
{
	yyjson_arr_iter tests;
	yyjson_val *test;
	unsigned n = 0;
	char id[24];

	argon_rfc(f, t);
	yyjson_arr_iter_init(yyjson_obj_get(f->root, "ascii_tests"), &tests);
	for (; (test = yyjson_arr_iter_next(&tests)) != NULL; n++) {
		snprintf(id, sizeof(id), "ascii/%u", n);
		argon_text(f, test, id, t);
	}
}

const struct vector_schema argon2id_schema = {
	"argon2id", is_argon2id, run_argon2id
};

static bool
is_bcrypt(const struct vector_file *f)
{
	yyjson_val *first = yyjson_arr_get_first(
	    yyjson_obj_get(f->root, "tests"));
	const char *salt;

	return field_str(first, "salt", &salt) && strncmp(salt, "$2", 2) == 0 &&
	    yyjson_is_str(yyjson_obj_get(first, "password_hex"));
}

static void
run_bcrypt(const struct vector_file *f, struct tally *t)
{
	yyjson_arr_iter tests;
	yyjson_val *test;
	struct span password;
	const char *hash;
	unsigned n = 0;
	char id[24];

	yyjson_arr_iter_init(yyjson_obj_get(f->root, "tests"), &tests);
	for (; (test = yyjson_arr_iter_next(&tests)) != NULL; n++) {
		snprintf(id, sizeof(id), "%u", n);
		if (!field_hex(f, test, "password_hex", &password) ||
		    !field_str(test, "hash", &hash)) {
			tally_fail(t, id, "the case is malformed");
			continue;
		}
		/* crypt(3) takes text: host.h refuses a password with a NUL. */
		if (span_find(password, 0) != password.n)
			tally_skip(t);
		else
			tally_err(t, id, host_password_verify(password,
			    span_str(hash)), OK);
		tally_err(t, id, host_password_verify(SPAN("another"),
		    span_str(hash)), ERR_INVALID_CREDENTIALS);
	}
}

const struct vector_schema bcrypt_schema = { "bcrypt", is_bcrypt, run_bcrypt };

static bool
is_hotp(const struct vector_file *f)
{
	return yyjson_is_arr(yyjson_obj_get(f->root, "totp")) &&
	    yyjson_is_obj(yyjson_obj_get(f->root, "hotp"));
}

static void
check_code(struct tally *t, const char *id, enum err e, const char *got,
    const char *want)
{
	if (e != OK)
		tally_fail(t, id, "gave %s", err_name(e));
	else if (strcmp(got, want) != 0)
		tally_fail(t, id, "gave %s where %s is right", got, want);
	else
		tally_pass(t);
}

static bool
hash_of(const char *name, enum host_hash *out)
{
	if (strcmp(name, "SHA1") == 0)
		*out = HOST_SHA1;
	else if (strcmp(name, "SHA256") == 0)
		*out = HOST_SHA256;
	else if (strcmp(name, "SHA512") == 0)
		*out = HOST_SHA512;
	else
		return false;
	return true;
}

static void
totp_case(const struct vector_file *f, yyjson_val *test, const char *id,
    struct tally *t)
{
	const char *alg, *code;
	uint64_t time, step, digits;
	struct span secret;
	enum host_hash hash;
	char got[9];

	if (!field_str(test, "alg", &alg) || !hash_of(alg, &hash) ||
	    !field_hex(f, test, "secret_hex", &secret) ||
	    !field_u64(test, "time", &time) ||
	    !field_u64(test, "step", &step) || step == 0 ||
	    !field_u64(test, "digits", &digits) || digits > 8 ||
	    !field_str(test, "code", &code))
		tally_fail(t, id, "the case is malformed");
	else
		check_code(t, id, host_hotp(hash, secret, time / step,
		    (unsigned)digits, got), got, code);
}

static void
run_hotp(const struct vector_file *f, struct tally *t)
{
	yyjson_val *test, *hotp = yyjson_obj_get(f->root, "hotp");
	yyjson_arr_iter tests;
	struct span secret;
	uint64_t digits;
	unsigned n = 0;
	char id[24], got[9];

	yyjson_arr_iter_init(yyjson_obj_get(f->root, "totp"), &tests);
	for (; (test = yyjson_arr_iter_next(&tests)) != NULL; n++) {
		snprintf(id, sizeof(id), "totp/%u", n);
		totp_case(f, test, id, t);
	}
	if (!field_hex(f, hotp, "secret_hex", &secret) ||
	    !field_u64(hotp, "digits", &digits) || digits > 8) {
		tally_fail(t, "hotp", "the table is malformed");
		return;
	}
	yyjson_arr_iter_init(yyjson_obj_get(hotp, "codes"), &tests);
	for (n = 0; (test = yyjson_arr_iter_next(&tests)) != NULL; n++) {
		snprintf(id, sizeof(id), "hotp/%u", n);
		if (!yyjson_is_str(test))
			tally_fail(t, id, "is no text");
		else
			check_code(t, id, host_hotp(HOST_SHA1, secret, n,
			    (unsigned)digits, got), got, yyjson_get_str(test));
	}
}

const struct vector_schema hotp_schema = {
	"one-time codes", is_hotp, run_hotp
};
