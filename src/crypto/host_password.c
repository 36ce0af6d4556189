/*
 * host_password.c: keeping and checking passwords. New hashes are Argon2id
 * PHC strings; bcrypt is read for accounts that came from elsewhere. A kept
 * hash is data from a database: its parameters are bounded before any work.
 */
#include <crypt.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/text.h"
#include "crypto/host.h"

#define SALT_MAX 64
#define OUT_MAX 64
#define BCRYPT_LEN 60		/* "$2b$", cost, "$", 22 + 31 characters */
#define BCRYPT_COST_MIN 4
#define BCRYPT_COST_MAX 16

/* A PHC string, decoded. */
struct phc {
	uint32_t m_kib, t, p;
	uint8_t salt[SALT_MAX], out[OUT_MAX];
	size_t salt_n, out_n;
};

enum err
host_argon2id(const struct host_argon *in, uint8_t *out, size_t n)
{
	/* OSSL_PARAM has no const; the KDF copies and reads only. */
	union { const uint8_t *in; void *out; } pass = { in->password.p },
	    salt = { in->salt.p }, secret = { in->secret.p }, ad = { in->ad.p };
	uint32_t m = in->m_kib, t = in->t, p = in->p, one = 1;
	OSSL_PARAM params[9];
	size_t i = 0;
	EVP_KDF *kdf = NULL;
	EVP_KDF_CTX *c = NULL;
	enum err e = ERR_ARG;

	if (m < 8 || m > 4194304 || t < 1 || t > 64 || p < 1 || p > 64 ||
	    m < 8 * p || in->salt.n < 8 || in->salt.n > 64 || n < 4 ||
	    n > 1024)
		goto out;
	params[i++] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_PASSWORD, pass.out, in->password.n);
	params[i++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
	    salt.out, in->salt.n);
	if (in->secret.n > 0)
		params[i++] = OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_SECRET, secret.out, in->secret.n);
	if (in->ad.n > 0)
		params[i++] = OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_ARGON2_AD, ad.out, in->ad.n);
	params[i++] = OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &t);
	params[i++] = OSSL_PARAM_construct_uint32(
	    OSSL_KDF_PARAM_ARGON2_LANES, &p);
	params[i++] = OSSL_PARAM_construct_uint32(
	    OSSL_KDF_PARAM_ARGON2_MEMCOST, &m);
	params[i++] = OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &one);
	params[i] = OSSL_PARAM_construct_end();
	kdf = EVP_KDF_fetch(NULL, "ARGON2ID", NULL);
	c = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	e = c != NULL && EVP_KDF_derive(c, out, n, params) == 1 ?
	    OK : ERR_NOMEM;
out:
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	if (e != OK) {
		wipe(out, n);
		ERR_clear_error();
	}
	return e;
}

/* Base64 with or without padding is one thing to PHC: without. */
static size_t
base64_bare(struct span in, char *out)
{
	size_t n = base64_encode(in, out);

	while (n > 0 && out[n - 1] == '=')
		n--;
	return n;
}

static bool
base64_bare_decode(struct span in, uint8_t *out, size_t max, size_t *n_out)
{
	uint8_t padded[BASE64_LEN(SALT_MAX) + 4];
	uint8_t bytes[sizeof(padded)];
	struct wr w = wr_init(padded, sizeof(padded));
	size_t n;

	if (in.n == 0 || in.n % 4 == 1 || span_find(in, '=') != in.n)
		return false;
	wr_span(&w, in);
	while (w.n % 4 != 0 && wr_ok(&w))
		wr_u8(&w, '=');
	if (!wr_ok(&w) || !base64_decode(wr_done(&w), bytes, &n) || n > max)
		return false;
	memcpy(out, bytes, n);
	*n_out = n;
	return true;
}

/* Takes `head` off the front of *s; false when it is not there. */
static bool
take(struct span *s, struct span head)
{
	if (!span_starts(*s, head))
		return false;
	*s = span_sub(*s, head.n, s->n);
	return true;
}

/* Takes what stands before c, and c; the rest when c is 0. */
static struct span
take_until(struct span *s, uint8_t c)
{
	size_t n = c != 0 ? span_find(*s, c) : s->n;
	struct span field = span_sub(*s, 0, n);

	*s = span_sub(*s, n + 1, s->n);
	return field;
}

static bool
take_u32(struct span *s, struct span head, uint8_t end, uint32_t min,
    uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (!take(s, head) || !span_u64(take_until(s, end), max, &v) || v < min)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* "$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>" within our bounds. */
static bool
phc_decode(struct span s, struct phc *out)
{
	return take(&s, SPAN("$argon2id$v=19$")) &&
	    take_u32(&s, SPAN("m="), ',', 8, 1048576, &out->m_kib) &&
	    take_u32(&s, SPAN("t="), ',', 1, 16, &out->t) &&
	    take_u32(&s, SPAN("p="), '$', 1, 16, &out->p) &&
	    out->m_kib >= 8 * out->p &&
	    base64_bare_decode(take_until(&s, '$'), out->salt, SALT_MAX,
		&out->salt_n) && out->salt_n >= 8 &&
	    base64_bare_decode(s, out->out, OUT_MAX, &out->out_n) &&
	    out->out_n >= 16;
}

enum err
host_password_hash(struct span password, char phc_out[static HOST_PHC_MAX])
{
	uint8_t salt[HOST_ARGON_SALT_LEN], hash[HOST_ARGON_OUT_LEN];
	struct wr w = wr_init(phc_out, HOST_PHC_MAX - 1);
	char text[BASE64_LEN(OUT_MAX)];
	enum err e;

	memset(phc_out, 0, HOST_PHC_MAX);
	if (password.n > HOST_PASSWORD_MAX)
		return ERR_TOO_LARGE;
	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return ERR_PROVIDER;
	e = host_argon2id(&(struct host_argon){ .password = password,
	    .salt = SPAN_OF(salt), .m_kib = HOST_ARGON_M_KIB,
	    .t = HOST_ARGON_T, .p = HOST_ARGON_P }, hash, sizeof(hash));
	if (e != OK)
		return e;
	wr_str(&w, "$argon2id$v=19$m=");
	wr_dec(&w, HOST_ARGON_M_KIB);
	wr_str(&w, ",t=");
	wr_dec(&w, HOST_ARGON_T);
	wr_str(&w, ",p=");
	wr_dec(&w, HOST_ARGON_P);
	wr_str(&w, "$");
	wr_bytes(&w, text, base64_bare(SPAN_OF(salt), text));
	wr_str(&w, "$");
	wr_bytes(&w, text, base64_bare(SPAN_OF(hash), text));
	wipe(hash, sizeof(hash));
	wipe(text, sizeof(text));
	return wr_ok(&w) ? OK : ERR_INTERNAL;
}

static enum err
verify_argon(struct span password, const struct phc *phc)
{
	uint8_t hash[OUT_MAX];
	enum err e;

	e = host_argon2id(&(struct host_argon){ .password = password,
	    .salt = span_of(phc->salt, phc->salt_n), .m_kib = phc->m_kib,
	    .t = phc->t, .p = phc->p }, hash, phc->out_n);
	if (e == OK && !ct_eq(hash, phc->out, phc->out_n))
		e = ERR_INVALID_CREDENTIALS;
	wipe(hash, sizeof(hash));
	return e;
}

/* "$2b$", two digits, "$", 53 characters of bcrypt's alphabet. */
bool
host_password_is_bcrypt(struct span s, uint32_t *cost_out)
{
	uint32_t cost;
	size_t i;

	if (s.n != BCRYPT_LEN || !(span_starts(s, SPAN("$2a$")) ||
	    span_starts(s, SPAN("$2b$")) || span_starts(s, SPAN("$2y$"))) ||
	    s.p[6] != '$' || s.p[4] < '0' || s.p[4] > '9' || s.p[5] < '0' ||
	    s.p[5] > '9')
		return false;
	cost = (uint32_t)(s.p[4] - '0') * 10 + (uint32_t)(s.p[5] - '0');
	if (cost < BCRYPT_COST_MIN || cost > BCRYPT_COST_MAX)
		return false;
	for (i = 7; i < s.n; i++)
		if (s.p[i] != '.' && s.p[i] != '/' &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'A' && s.p[i] <= 'Z') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'z'))
			return false;
	*cost_out = cost;
	return true;
}

static enum err
verify_bcrypt(struct span password, struct span kept)
{
	char text[HOST_PASSWORD_MAX + 1], setting[BCRYPT_LEN + 1];
	struct crypt_data *data;
	const char *got;
	enum err e = ERR_INVALID_CREDENTIALS;

	/* crypt_r takes text: a NUL would cut the password short. */
	if (span_find(password, 0) != password.n)
		return e;
	data = (struct crypt_data *)calloc(1, sizeof(*data));
	if (data == NULL)
		return ERR_NOMEM;
	if (password.n > 0)
		memcpy(text, password.p, password.n);
	text[password.n] = '\0';
	memcpy(setting, kept.p, BCRYPT_LEN);
	setting[BCRYPT_LEN] = '\0';
	got = crypt_r(text, setting, data);
	if (got != NULL && strlen(got) == BCRYPT_LEN &&
	    ct_eq(got, kept.p, BCRYPT_LEN))
		e = OK;
	wipe(text, sizeof(text));
	wipe(data, sizeof(*data));
	free(data);
	return e;
}

enum err
host_password_verify(struct span password, struct span phc)
{
	struct phc kept;
	uint32_t cost;

	if (password.n > HOST_PASSWORD_MAX)
		return ERR_INVALID_CREDENTIALS;
	if (phc_decode(phc, &kept))
		return verify_argon(password, &kept);
	if (host_password_is_bcrypt(phc, &cost))
		return verify_bcrypt(password, phc);
	return ERR_FORMAT;
}

enum err
host_password_absent(struct span password)
{
	static const uint8_t salt[HOST_ARGON_SALT_LEN];
	uint8_t hash[HOST_ARGON_OUT_LEN];
	enum err e;

	if (password.n > HOST_PASSWORD_MAX)
		return ERR_INVALID_CREDENTIALS;
	e = host_argon2id(&(struct host_argon){ .password = password,
	    .salt = SPAN_OF(salt), .m_kib = HOST_ARGON_M_KIB,
	    .t = HOST_ARGON_T, .p = HOST_ARGON_P }, hash, sizeof(hash));
	wipe(hash, sizeof(hash));
	return e == OK ? ERR_INVALID_CREDENTIALS : e;
}

bool
host_password_is_current(struct span phc)
{
	struct phc kept;

	return phc_decode(phc, &kept) && kept.m_kib == HOST_ARGON_M_KIB &&
	    kept.t == HOST_ARGON_T && kept.p == HOST_ARGON_P &&
	    kept.salt_n >= HOST_ARGON_SALT_LEN &&
	    kept.out_n == HOST_ARGON_OUT_LEN;
}
