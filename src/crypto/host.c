/*
 * host.c: hashes, MACs and key derivation for programs, each call by itself:
 * no context is kept, so any thread may call.
 */
#include "crypto/host.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

enum { ITERATIONS_MAX = 10000000, PBKDF2_OUT_MAX = 1024 };

static enum err
fail(enum err e)
{
	ERR_clear_error();
	return e;
}

/*
 * OpenSSL tries out each ML-KEM key that it imports (60 us). Ours are made
 * from seeds: there is nothing in them that could fit badly.
 */
static bool
trust_seeds(void)
{
	EVP_MD *any = EVP_MD_fetch(NULL, "SHA256", NULL);
	union { const OSSL_PROVIDER *get; OSSL_PROVIDER *set; } all = { NULL };
	char name[] = OSSL_PKEY_PARAM_ML_KEM_IMPORT_PCT_TYPE;
	char *present = NULL;
	OSSL_PARAM param[2] = {
		OSSL_PARAM_construct_utf8_ptr(name, &present, 0),
		OSSL_PARAM_construct_end(),
	};
	bool good = any != NULL;

	if (good) {
		all.get = EVP_MD_get0_provider(any);
		(void)OSSL_PROVIDER_get_conf_parameters(all.get, param);
		good = present != NULL ||
		    OSSL_PROVIDER_add_conf_parameter(all.set, name,
			"none") == 1;
	}
	EVP_MD_free(any);
	return good;
}

enum err
host_init(void)
{
	/*
	 * Without NO_LOAD_CONFIG the system's openssl.cnf is read, and with it
	 * modules of the system's own, other, OpenSSL.
	 */
	return OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
	    trust_seeds() ? OK : fail(ERR_PROVIDER);
}

enum err
host_sha256(struct span in, uint8_t out[static SHA256_LEN])
{
	return EVP_Q_digest(NULL, "SHA256", NULL, in.n > 0 ?
	    (const void *)in.p : "", in.n, out, NULL) == 1 ?
	    OK : fail(ERR_PROVIDER);
}

/* One-shot HMAC; an empty key or message is never a NULL pointer. */
static enum err
hmac(const char *digest, struct span key, struct span in, uint8_t *out,
    size_t n)
{
	static const uint8_t nothing;
	size_t got = 0;

	if (EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL,
	    key.n > 0 ? key.p : &nothing, key.n,
	    in.n > 0 ? in.p : &nothing, in.n, out, n, &got) != NULL &&
	    got == n)
		return OK;
	wipe(out, n);
	return fail(ERR_PROVIDER);
}

enum err
host_hmac_sha1(struct span key, struct span in,
    uint8_t out[static HOST_SHA1_LEN])
{
	return hmac("SHA1", key, in, out, HOST_SHA1_LEN);
}

enum err
host_hmac_sha256(struct span key, struct span in,
    uint8_t out[static SHA256_LEN])
{
	return hmac("SHA256", key, in, out, SHA256_LEN);
}

enum err
host_hmac_sha512(struct span key, struct span in,
    uint8_t out[static SHA512_LEN])
{
	return hmac("SHA512", key, in, out, SHA512_LEN);
}

static enum err
pbkdf2(const EVP_MD *md, struct span password, struct span salt,
    uint32_t iterations, uint8_t *out, size_t n)
{
	if (iterations == 0 || iterations > ITERATIONS_MAX || n == 0 ||
	    n > PBKDF2_OUT_MAX || password.n > INT32_MAX ||
	    salt.n > INT32_MAX)
		return ERR_ARG;
	if (PKCS5_PBKDF2_HMAC(password.n > 0 ? (const char *)password.p : "",
	    (int)password.n, salt.p, (int)salt.n, (int)iterations, md, (int)n,
	    out) == 1)
		return OK;
	wipe(out, n);
	return fail(ERR_PROVIDER);
}

enum err
host_pbkdf2_sha256(struct span password, struct span salt,
    uint32_t iterations, uint8_t *out, size_t n)
{
	return pbkdf2(EVP_sha256(), password, salt, iterations, out, n);
}

enum err
host_pbkdf2_sha512(struct span password, struct span salt,
    uint32_t iterations, uint8_t *out, size_t n)
{
	return pbkdf2(EVP_sha512(), password, salt, iterations, out, n);
}

enum err
host_hkdf_sha512(struct span salt, struct span ikm, struct span info,
    uint8_t *out, size_t n)
{
	uint8_t prk[SHA512_LEN], t[SHA512_LEN], counter = 0;
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *c = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	char digest[] = "SHA512";
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    digest, 0),
		OSSL_PARAM_construct_end(),
	};
	size_t done = 0, t_n = 0;
	enum err e = ERR_ARG;

	if (n > 255 * SHA512_LEN)
		goto out;
	e = c == NULL ? ERR_PROVIDER : host_hmac_sha512(salt, ikm, prk);
	/* RFC 5869 2.3: T(i) = HMAC(PRK, T(i - 1) || info || i). */
	while (e == OK && done < n) {
		size_t take = n - done < sizeof(t) ? n - done : sizeof(t);

		counter++;
		if (EVP_MAC_init(c, prk, sizeof(prk), params) != 1 ||
		    EVP_MAC_update(c, t, t_n) != 1 ||
		    EVP_MAC_update(c, info.p, info.n) != 1 ||
		    EVP_MAC_update(c, &counter, 1) != 1 ||
		    EVP_MAC_final(c, t, &t_n, sizeof(t)) != 1)
			e = ERR_PROVIDER;
		else
			memcpy(out + done, t, take);
		done += take;
	}
out:
	EVP_MAC_CTX_free(c);
	EVP_MAC_free(mac);
	wipe(prk, sizeof(prk));
	wipe(t, sizeof(t));
	if (e == OK)
		return OK;
	wipe(out, n);
	return fail(e);
}

/* HMAC under the hash asked for; its length, 0 when that fails. */
static size_t
hmac_by(enum host_hash hash, struct span key, struct span in,
    uint8_t out[static SHA512_LEN])
{
	switch (hash) {
	case HOST_SHA1:
		return host_hmac_sha1(key, in, out) == OK ? HOST_SHA1_LEN : 0;
	case HOST_SHA256:
		return host_hmac_sha256(key, in, out) == OK ? SHA256_LEN : 0;
	case HOST_SHA512:
		return host_hmac_sha512(key, in, out) == OK ? SHA512_LEN : 0;
	default:
		return 0;
	}
}

enum err
host_hotp(enum host_hash hash, struct span key, uint64_t counter,
    unsigned digits, char out[static 9])
{
	uint8_t message[8], mac[SHA512_LEN];
	struct wr w = wr_init(message, sizeof(message));
	struct rd r;
	uint32_t code;
	size_t n;

	if (digits < 6 || digits > 8)
		return ERR_ARG;
	wr_u64(&w, counter);
	n = hmac_by(hash, key, SPAN_OF(message), mac);
	if (n == 0)
		return ERR_PROVIDER;
	/* RFC 4226 5.3: 31 bits from where the last four bits point. */
	r = rd_init(span_sub(SPAN_OF(mac), mac[n - 1] & 0x0f, 4));
	code = rd_u32(&r) & 0x7fffffff;
	out[digits] = '\0';
	for (; digits > 0; code /= 10)
		out[--digits] = (char)('0' + code % 10);
	wipe(mac, sizeof(mac));
	return OK;
}
