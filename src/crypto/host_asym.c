/*
 * host_asym.c: signatures and key wrapping with keys of others, as DER:
 * RS256 and ES256 (tokens, passkeys), RSA-OAEP (the rsa suite, key service).
 * Algorithm and size of a key are checked before it is used.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/host.h"

enum { DER_MAX = 16384 };

static enum err
fail(enum err e)
{
	ERR_clear_error();
	return e;
}

/* The whole of a DER SPKI; NULL when it is none or has a tail. */
static EVP_PKEY *
spki_decode(struct span spki)
{
	const unsigned char *at = spki.p;
	EVP_PKEY *k;

	if (spki.n == 0 || spki.n > DER_MAX)
		return NULL;
	k = d2i_PUBKEY(NULL, &at, (long)spki.n);
	if (k != NULL && at == spki.p + spki.n)
		return k;
	EVP_PKEY_free(k);
	return NULL;
}

static EVP_PKEY *
pkcs8_decode(struct span der)
{
	const unsigned char *at = der.p;
	EVP_PKEY *k;

	if (der.n == 0 || der.n > DER_MAX)
		return NULL;
	k = d2i_AutoPrivateKey(NULL, &at, (long)der.n);
	if (k != NULL && at == der.p + der.n)
		return k;
	EVP_PKEY_free(k);
	return NULL;
}

static bool
is_rsa(const EVP_PKEY *k)
{
	return EVP_PKEY_is_a(k, "RSA") && EVP_PKEY_get_bits(k) >= 2048 &&
	    EVP_PKEY_get_bits(k) <= 4096;
}

/* RFC 5480 2.1.1: the curve by name; parameters of one's own are refused. */
static bool
is_p256(const EVP_PKEY *k)
{
	char group[32];
	int is_explicit = 1;

	return EVP_PKEY_is_a(k, "EC") && EVP_PKEY_get_int_param(k,
	    OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
	    &is_explicit) == 1 && is_explicit == 0 &&
	    EVP_PKEY_get_group_name(k, group, sizeof(group), NULL) == 1 &&
	    strcmp(group, "prime256v1") == 0;
}

/* SHA-256 and the key's own scheme; for RSA that is PKCS #1 v1.5. */
static enum err
verify(EVP_PKEY *k, struct span msg, struct span sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	enum err e = ERR_PROVIDER;

	if (c != NULL && EVP_DigestVerifyInit_ex(c, NULL, "SHA256", NULL, NULL,
	    k, NULL) == 1)
		e = EVP_DigestVerify(c, sig.p, sig.n, msg.n > 0 ? msg.p :
		    (const uint8_t *)"", msg.n) == 1 ? OK : ERR_AUTH;
	EVP_MD_CTX_free(c);
	return e == OK ? OK : fail(e);
}

/* Verifies under a public key that has to be of the kind that `is` says. */
static enum err
verify_spki(struct span spki, bool (*is)(const EVP_PKEY *), struct span msg,
    struct span sig)
{
	EVP_PKEY *k = spki_decode(spki);
	enum err e = ERR_FORMAT;

	if (k != NULL && is(k))
		e = verify(k, msg, sig);
	EVP_PKEY_free(k);
	return e == OK ? OK : fail(e);
}

enum err
host_rs256_verify(struct span spki, struct span msg, struct span sig)
{
	return verify_spki(spki, is_rsa, msg, sig);
}

enum err
host_es256_verify_der(struct span spki, struct span msg, struct span sig)
{
	return verify_spki(spki, is_p256, msg, sig);
}

enum err
host_es256_verify(struct span spki, struct span msg, struct span sig)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = NULL, *s = NULL;
	unsigned char *der = NULL;
	enum err e = ERR_AUTH;
	int n;

	/* RFC 7518 3.4: exactly r || s of 32 bytes each. */
	if (sig.n != 64)
		goto out;
	e = ERR_PROVIDER;
	r = BN_bin2bn(sig.p, 32, NULL);
	s = BN_bin2bn(sig.p + 32, 32, NULL);
	if (pair == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(pair, r, s) != 1)
		goto out;
	r = s = NULL;			/* the pair owns them now */
	n = i2d_ECDSA_SIG(pair, &der);
	if (n > 0)
		e = host_es256_verify_der(spki, msg, span_of(der, (size_t)n));
out:
	OPENSSL_free(der);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return e == OK ? OK : fail(e);
}

/* OAEP with SHA-256 for hash and MGF1, and the label. */
static bool
oaep_setup(EVP_PKEY_CTX *c, struct span label)
{
	void *copy = NULL;

	if (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha256()) != 1)
		return false;
	if (label.n == 0)
		return true;
	if (label.n > INT32_MAX)
		return false;
	copy = OPENSSL_memdup(label.p, label.n);
	if (copy != NULL &&
	    EVP_PKEY_CTX_set0_rsa_oaep_label(c, copy, (int)label.n) == 1)
		return true;
	OPENSSL_free(copy);
	return false;
}

enum err
host_oaep_wrap(struct span spki, struct span label, struct span in,
    uint8_t out[static HOST_RSA_BYTES_MAX], size_t *n_out)
{
	EVP_PKEY *k = spki_decode(spki);
	EVP_PKEY_CTX *c = NULL;
	size_t n = HOST_RSA_BYTES_MAX;
	enum err e = ERR_FORMAT;

	if (k == NULL || !is_rsa(k))
		goto out;
	e = ERR_TOO_LARGE;
	/* RFC 8017 7.1.1: mLen <= k - 2hLen - 2. */
	if (in.n + 2 * SHA256_LEN + 2 > (size_t)EVP_PKEY_get_size(k))
		goto out;
	e = ERR_PROVIDER;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	if (c == NULL || EVP_PKEY_encrypt_init(c) != 1 ||
	    !oaep_setup(c, label) || EVP_PKEY_encrypt(c, out, &n,
	    in.n > 0 ? in.p : (const uint8_t *)"", in.n) != 1)
		goto out;
	*n_out = n;
	e = OK;
out:
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(k);
	return e == OK ? OK : fail(e);
}

enum err
host_oaep_unwrap(struct span pkcs8, struct span label, struct span in,
    uint8_t out[static HOST_RSA_BYTES_MAX], size_t *n_out)
{
	EVP_PKEY *k = pkcs8_decode(pkcs8);
	EVP_PKEY_CTX *c = NULL;
	size_t n = HOST_RSA_BYTES_MAX;
	enum err e = ERR_FORMAT;

	if (k == NULL || !is_rsa(k))
		goto out;
	e = ERR_PROVIDER;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	if (c == NULL || EVP_PKEY_decrypt_init(c) != 1 ||
	    !oaep_setup(c, label))
		goto out;
	/* RFC 8017 7.1.2: one error, whatever was wrong with the text. */
	e = EVP_PKEY_decrypt(c, out, &n, in.p, in.n) == 1 ? OK : ERR_DECRYPT;
	if (e == OK)
		*n_out = n;
out:
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(k);
	if (e == OK)
		return OK;
	wipe(out, HOST_RSA_BYTES_MAX);
	return fail(e);
}

enum err
host_p256_from_spki(struct span spki, uint8_t pub_out[static P256_PUB_LEN])
{
	EVP_PKEY *k = spki_decode(spki);
	size_t n = 0;
	enum err e = ERR_FORMAT;

	if (k != NULL && is_p256(k) && EVP_PKEY_get_octet_string_param(k,
	    OSSL_PKEY_PARAM_PUB_KEY, pub_out, P256_PUB_LEN, &n) == 1 &&
	    n == P256_PUB_LEN && pub_out[0] == 0x04)
		e = OK;
	EVP_PKEY_free(k);
	if (e == OK)
		return OK;
	memset(pub_out, 0, P256_PUB_LEN);
	return fail(e);
}
