/*
 * host_sign.c: signing keys of our own, for tokens: RS256 and EdDSA.
 * exports host_signer_*
 *
 * Implementation notes: a key knows its one algorithm, and nothing that comes
 * with a signature can choose another (RFC 8725 3.1).
 */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/host.h"

#define RSA_BITS_NEW 3072

struct host_signer {
	EVP_PKEY *key;
	enum host_signer_kind kind;
	bool is_private;
};

static enum err
fail(enum err e)
{
	ERR_clear_error();
	return e;
}

/* A PEM text that asks for a passphrase is none of ours: nobody is asked. */
static int
no_passphrase(char *out, int n, int writing, void *arg)
{
	(void)out;
	(void)n;
	(void)writing;
	(void)arg;
	return -1;
}

enum err
host_signer_make(enum host_signer_kind kind, struct buf *pem_out)
{
	EVP_PKEY *k = kind == HOST_SIGNER_RS256 ? EVP_RSA_gen(RSA_BITS_NEW) :
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	enum err e = ERR_PROVIDER;
	char *text = NULL;
	long n;

	if (k == NULL || bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, k, NULL, NULL, 0, NULL,
	    NULL) != 1)
		goto out;
	n = BIO_get_mem_data(bio, &text);
	e = n > 0 ? buf_add(pem_out, text, (size_t)n) : ERR_PROVIDER;
	wipe(text, n > 0 ? (size_t)n : 0);
out:
	BIO_free(bio);
	EVP_PKEY_free(k);
	return e == OK ? OK : fail(e);
}

static EVP_PKEY *
read_private(struct span pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = bio == NULL ? NULL :
	    PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	return k;
}

static EVP_PKEY *
read_public(struct span pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = bio == NULL ? NULL :
	    PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	return k;
}

/* RFC 7518 3.3: a key of 2048 bits or larger; above 4096 it is too slow. */
static bool
kind_of(const EVP_PKEY *k, enum host_signer_kind *out)
{
	if (EVP_PKEY_is_a(k, "ED25519")) {
		*out = HOST_SIGNER_EDDSA;
		return true;
	}
	*out = HOST_SIGNER_RS256;
	return EVP_PKEY_is_a(k, "RSA") && EVP_PKEY_get_bits(k) >= 2048 &&
	    EVP_PKEY_get_bits(k) <= HOST_RSA_BYTES_MAX * 8;
}

enum err
host_signer_open(struct span pem, struct host_signer **out)
{
	enum host_signer_kind kind;
	bool is_private = true;
	EVP_PKEY *k;

	*out = NULL;
	if (pem.n == 0 || pem.n > HOST_SIGNER_PEM_MAX)
		return ERR_FORMAT;
	k = read_private(pem);
	if (k == NULL) {
		is_private = false;
		k = read_public(pem);
	}
	if (k == NULL || !kind_of(k, &kind)) {
		EVP_PKEY_free(k);
		return fail(ERR_FORMAT);
	}
	ERR_clear_error();
	*out = calloc(1, sizeof(**out));
	if (*out == NULL) {
		EVP_PKEY_free(k);
		return ERR_NOMEM;
	}
	**out = (struct host_signer){ k, kind, is_private };
	return OK;
}

void
host_signer_close(struct host_signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	free(s);
}

enum host_signer_kind
host_signer_kind(const struct host_signer *s)
{
	return s->kind;
}

bool
host_signer_is_private(const struct host_signer *s)
{
	return s->is_private;
}

/* RFC 8032 5.1 hashes by itself. */
static const char *
digest(const struct host_signer *s)
{
	return s->kind == HOST_SIGNER_RS256 ? "SHA256" : NULL;
}

enum err
host_signer_sign(const struct host_signer *s, struct span msg,
    uint8_t out[static HOST_SIG_MAX], size_t *n_out)
{
	size_t n = HOST_SIG_MAX;
	enum err e = ERR_PROVIDER;
	EVP_MD_CTX *c;

	if (!s->is_private)
		return ERR_ARG;
	c = EVP_MD_CTX_new();
	if (c != NULL && EVP_DigestSignInit_ex(c, NULL, digest(s), NULL, NULL,
	    s->key, NULL) == 1 &&
	    EVP_DigestSign(c, out, &n, msg.p, msg.n) == 1) {
		*n_out = n;
		e = OK;
	}
	EVP_MD_CTX_free(c);
	return e == OK ? OK : fail(e);
}

enum err
host_signer_verify(const struct host_signer *s, struct span msg,
    struct span sig)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	enum err e = ERR_PROVIDER;

	if (c != NULL && EVP_DigestVerifyInit_ex(c, NULL, digest(s), NULL,
	    NULL, s->key, NULL) == 1)
		e = EVP_DigestVerify(c, sig.p, sig.n, msg.p, msg.n) == 1 ?
		    OK : ERR_AUTH;
	EVP_MD_CTX_free(c);
	return e == OK ? OK : fail(e);
}

static bool
number(const EVP_PKEY *k, const char *name, uint8_t *out, size_t max,
    size_t *n_out)
{
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(k, name, &n) == 1 &&
	    BN_num_bytes(n) > 0 && (size_t)BN_num_bytes(n) <= max;

	if (ok)
		*n_out = (size_t)BN_bn2bin(n, out);
	BN_free(n);
	return ok;
}

enum err
host_signer_public(const struct host_signer *s, struct host_signer_public *out)
{
	size_t n = sizeof(out->x);

	memset(out, 0, sizeof(*out));
	if (s->kind == HOST_SIGNER_EDDSA)
		return EVP_PKEY_get_raw_public_key(s->key, out->x, &n) == 1 &&
		    n == sizeof(out->x) ? OK : fail(ERR_PROVIDER);
	return number(s->key, OSSL_PKEY_PARAM_RSA_N, out->n, sizeof(out->n),
	    &out->n_n) && number(s->key, OSSL_PKEY_PARAM_RSA_E, out->e,
	    sizeof(out->e), &out->e_n) ? OK : fail(ERR_PROVIDER);
}
