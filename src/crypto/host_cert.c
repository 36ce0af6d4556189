/*
 * host_cert.c: the certificate that a server makes for itself on its first
 * start (X.509 v3, RFC 5280), for browsers on the same machine and for
 * clients that pin it.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "crypto/host.h"

#define NAME_MAX_BYTES 253	/* RFC 1035 2.3.4, without the last dot */
#define DAY_S 86400

/* Letters, digits, hyphens and dots; a leading "*." for a wildcard. */
static bool
is_host_name(struct span s)
{
	size_t i, label = 0;

	if (span_starts(s, SPAN("*.")))
		s = span_sub(s, 2, s.n);
	if (s.n == 0 || s.n > NAME_MAX_BYTES)
		return false;
	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool alnum = (c >= '0' && c <= '9') ||
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (c == '.') {
			if (label == 0 || s.p[i - 1] == '-')
				return false;
			label = 0;
		} else if (alnum || (c == '-' && label > 0)) {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0 && s.p[s.n - 1] != '-';
}

/* The bytes of an IPv4 or IPv6 address in text; 0 when it is none. */
static size_t
parse_address(struct span s, uint8_t out[static 16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text) || span_find(s, 0) != s.n)
		return 0;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static bool
push_name(GENERAL_NAMES *names, int type, const void *p, size_t n)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *s = type == GEN_DNS ? ASN1_IA5STRING_new() :
	    ASN1_OCTET_STRING_new();

	if (g == NULL || s == NULL || ASN1_STRING_set(s, p, (int)n) != 1) {
		ASN1_STRING_free(s);
		GENERAL_NAME_free(g);
		return false;
	}
	GENERAL_NAME_set0_value(g, type, s);
	if (sk_GENERAL_NAME_push(names, g) > 0)
		return true;
	GENERAL_NAME_free(g);
	return false;
}

/* ERR_ARG for a name that is neither a host name nor an address. */
static enum err
add_name(GENERAL_NAMES *names, struct span s)
{
	uint8_t address[16];
	size_t n = parse_address(s, address);
	bool good;

	if (n > 0)
		good = push_name(names, GEN_IPADD, address, n);
	else if (is_host_name(s))
		good = push_name(names, GEN_DNS, s.p, s.n);
	else
		return ERR_ARG;
	return good ? OK : ERR_PROVIDER;
}

static enum err
add_names(X509 *x, const struct span *names, size_t n_names)
{
	GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
	enum err e = all != NULL ? OK : ERR_PROVIDER;
	size_t i;

	if (e == OK)
		e = add_name(all, SPAN("localhost"));
	if (e == OK)
		e = add_name(all, SPAN("127.0.0.1"));
	if (e == OK)
		e = add_name(all, SPAN("::1"));
	for (i = 0; e == OK && i < n_names; i++)
		e = add_name(all, names[i]);
	if (e == OK && X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0,
	    X509V3_ADD_DEFAULT) != 1)
		e = ERR_PROVIDER;
	GENERAL_NAMES_free(all);
	return e;
}

static bool
add_text_ext(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);
	bool good = ext != NULL && X509_add_ext(x, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return good;
}

/* RFC 5280 4.1.2.2: positive, unpredictable, at most 20 octets. */
static bool
set_serial(X509 *x)
{
	uint8_t bytes[16];
	BIGNUM *n;
	bool good;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	good = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return good;
}

static bool
set_times(X509 *x, uint64_t now_unix_ms)
{
	time_t from = (time_t)(now_unix_ms / 1000) - 3600;

	return X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &from) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), HOST_CERT_DAYS, 0,
		&from) != NULL;
}

static bool
set_subject(X509 *x)
{
	static const unsigned char name[] = "Nightjar";
	X509_NAME *subject = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name,
	    -1, -1, 0) == 1 && X509_set_issuer_name(x, subject) == 1;
}

/* What a BIO holds, as text with a NUL; false when it is too long. */
static bool
take_text(BIO *b, char *out, size_t cap)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);

	if (n <= 0 || (size_t)n >= cap)
		return false;
	memcpy(out, p, (size_t)n);
	out[n] = '\0';
	return true;
}

static bool
write_pems(X509 *x, EVP_PKEY *key, struct host_cert *out)
{
	BIO *cert = BIO_new(BIO_s_mem()), *priv = BIO_new(BIO_s_secmem());
	bool good = cert != NULL && priv != NULL &&
	    PEM_write_bio_X509(cert, x) == 1 &&
	    PEM_write_bio_PKCS8PrivateKey(priv, key, NULL, NULL, 0, NULL,
		NULL) == 1 &&
	    take_text(cert, out->cert_pem, sizeof(out->cert_pem)) &&
	    take_text(priv, out->key_pem, sizeof(out->key_pem)) &&
	    X509_digest(x, EVP_sha256(), out->sha256, NULL) == 1;

	BIO_free(cert);
	BIO_free(priv);
	return good;
}

enum err
host_cert_make(const struct span *names, size_t n_names, uint64_t now_unix_ms,
    struct host_cert *out)
{
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	enum err e = ERR_ARG;

	memset(out, 0, sizeof(*out));
	if (n_names > HOST_CERT_NAMES_MAX)
		goto out;
	e = ERR_PROVIDER;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	x = X509_new();
	if (key == NULL || x == NULL || X509_set_version(x, 2) != 1 ||
	    !set_serial(x) || !set_times(x, now_unix_ms) || !set_subject(x) ||
	    X509_set_pubkey(x, key) != 1)
		goto out;
	e = add_names(x, names, n_names);
	if (e != OK)
		goto out;
	e = ERR_PROVIDER;
	if (add_text_ext(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_text_ext(x, NID_key_usage, "critical,digitalSignature") &&
	    add_text_ext(x, NID_ext_key_usage, "serverAuth") &&
	    X509_sign(x, key, EVP_sha256()) > 0 && write_pems(x, key, out))
		e = OK;
out:
	X509_free(x);
	EVP_PKEY_free(key);
	if (e != OK) {
		wipe(out, sizeof(*out));
		ERR_clear_error();
	}
	return e;
}
