/*
 * tls_cert.c: the self-signed certificate of a first start, and the
 * fingerprint by which clients pin one. At start-up and in the CLI.
 * exports tls_*
 */
#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/sys.h"
#include "net/tls.h"

static bool
add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *x;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	if ((x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	ok = X509_add_ext(cert, x, -1) == 1;
	X509_EXTENSION_free(x);
	return ok;
}

/*
 * "a,127.0.0.1" as "DNS:a,IP:127.0.0.1" (RFC 5280 4.2.1.6). Only characters
 * of names and addresses, as OpenSSL would read others as syntax.
 */
static enum err
alt_names(const char *names, struct buf *out)
{
	char one[256];
	struct sys_addr a;
	bool is_ip;

	while (*names != '\0') {
		size_t n = strspn(names, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*");

		if (n == 0 || n >= sizeof one)
			return ERR_ARG;
		memcpy(one, names, n);
		one[n] = '\0';
		names += n;
		if (*names == ',' && names[1] != '\0')
			names++;
		else if (*names != '\0')
			return ERR_ARG;
		is_ip = sys_addr_decode(one, 0, &a);
		if (!is_ip && strchr(one, ':') != NULL)
			return ERR_ARG;
		if (out->n > 0)
			TRY(buf_add_str(out, ","));
		TRY(buf_add_str(out, is_ip ? "IP:" : "DNS:"));
		TRY(buf_add_str(out, one));
	}
	return out->n > 0 ? buf_add(out, "", 1) : ERR_ARG;
}

static bool
set_serial(X509 *cert)
{
	uint8_t raw[16];
	BIGNUM *n;
	bool ok;

	sys_random(raw, sizeof raw);
	raw[0] &= 0x7f;		/* positive (RFC 5280 4.1.2.2) */
	raw[0] |= 0x40;
	n = BN_bin2bn(raw, sizeof raw, NULL);
	ok = n != NULL && BN_to_ASN1_INTEGER(n,
	    X509_get_serialNumber(cert)) != NULL;
	BN_free(n);
	return ok;
}

static bool
fill(X509 *cert, EVP_PKEY *key, const char *alt, unsigned days)
{
	X509_NAME *name = X509_get_subject_name(cert);
	static const unsigned char cn[] = "Nightjar";

	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	    set_serial(cert) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -86400L) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(cert), (int)days, 0,
	    NULL) != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, cn, -1, -1,
	    0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1 &&
	    X509_set_pubkey(cert, key) == 1 &&
	    add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(cert, NID_ext_key_usage, "serverAuth") &&
	    add_extension(cert, NID_subject_alt_name, alt) &&
	    X509_sign(cert, key, EVP_sha256()) > 0;
}

/* Moves what a memory BIO holds into out. */
static enum err
take_bio(BIO *b, struct buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);

	return n <= 0 ? ERR_PROVIDER : buf_add(out, p, (size_t)n);
}

enum err
tls_self_signed(const char *names, unsigned days, struct buf *cert_pem,
    struct buf *key_pem)
{
	struct buf alt;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	BIO *cert_bio = NULL, *key_bio = NULL;
	enum err e;

	if (days < 1 || days > 36500)
		return ERR_ARG;
	TRY(tls_setup());
	buf_init(&alt, 4096);
	if ((e = alt_names(names, &alt)) != OK)
		goto out;
	e = ERR_PROVIDER;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	cert = X509_new();
	cert_bio = BIO_new(BIO_s_mem());
	key_bio = BIO_new(BIO_s_secmem());
	if (key == NULL || cert == NULL || cert_bio == NULL || key_bio == NULL)
		goto out;
	if (!fill(cert, key, (const char *)alt.p, days) ||
	    PEM_write_bio_X509(cert_bio, cert) != 1 ||
	    PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL,
	    NULL) != 1)
		goto out;
	if ((e = take_bio(cert_bio, cert_pem)) == OK)
		e = take_bio(key_bio, key_pem);
out:
	BIO_free(key_bio);
	BIO_free(cert_bio);
	X509_free(cert);
	EVP_PKEY_free(key);
	buf_fini(&alt);
	ERR_clear_error();
	return e;
}

enum err
tls_fingerprint(struct span cert_pem, uint8_t sha256[static 32])
{
	enum err e = ERR_FORMAT;
	unsigned n = 0;
	X509 *cert;
	BIO *b;

	TRY(tls_setup());
	if (cert_pem.n > INT_MAX)
		return ERR_TOO_LARGE;
	if ((b = BIO_new_mem_buf(cert_pem.p, (int)cert_pem.n)) == NULL)
		return ERR_NOMEM;
	cert = PEM_read_bio_X509(b, NULL, NULL, NULL);
	if (cert != NULL &&
	    X509_digest(cert, EVP_sha256(), sha256, &n) == 1 && n == 32)
		e = OK;
	X509_free(cert);
	BIO_free(b);
	ERR_clear_error();
	return e;
}

enum err
tls_sha1(struct span in, uint8_t out[20])
{
	size_t n = 0;

	TRY(tls_setup());
	return EVP_Q_digest(NULL, "SHA1", NULL, in.p, in.n, out, &n) == 1 &&
	    n == 20 ? OK : ERR_PROVIDER;
}
