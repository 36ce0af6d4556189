/*
 * host.h: cryptography that programs need around the protocol (passwords,
 * tokens, certificates, the older algorithms that others' keys use), straight
 * from OpenSSL and libcrypt. Not for the freestanding layers: these functions
 * use the heap and the system's randomness. Thread-safe: no state is kept.
 */
#ifndef CRYPTO_HOST_H
#define CRYPTO_HOST_H

#include "crypto/provider.h"

/*
 * The first call of every program, before any other use of OpenSSL (threads,
 * TLS): loads no openssl.cnf, whose providers may belong to another OpenSSL.
 * ERR_PROVIDER. Calling it again does nothing.
 */
MUST_USE enum err host_init(void);

/* ---- hashes, MACs (host.c) ------------------------------------------- */

#define HOST_SHA1_LEN 20

MUST_USE enum err host_sha256(struct span in, uint8_t out[static SHA256_LEN]);
/* RFC 2104; HS256 of RFC 7518 3.2 is host_hmac_sha256 of the signing input. */
MUST_USE enum err host_hmac_sha1(struct span key, struct span in,
    uint8_t out[static HOST_SHA1_LEN]);
MUST_USE enum err host_hmac_sha256(struct span key, struct span in,
    uint8_t out[static SHA256_LEN]);
MUST_USE enum err host_hmac_sha512(struct span key, struct span in,
    uint8_t out[static SHA512_LEN]);
/* RFC 8018 5.2. ERR_ARG: 0 or more than 10,000,000 iterations, n 0 or > 1024. */
MUST_USE enum err host_pbkdf2_sha256(struct span password, struct span salt,
    uint32_t iterations, uint8_t *out, size_t n);
MUST_USE enum err host_pbkdf2_sha512(struct span password, struct span salt,
    uint32_t iterations, uint8_t *out, size_t n);
/* RFC 5869 with SHA-512, for keys of others. n <= 255 * 64, else ERR_ARG. */
MUST_USE enum err host_hkdf_sha512(struct span salt, struct span ikm,
    struct span info, uint8_t *out, size_t n);
enum host_hash { HOST_SHA1, HOST_SHA256, HOST_SHA512 };
/*
 * RFC 4226 5.3: 6 to 8 digits of HMAC(key, counter), and a NUL; authenticator
 * apps take HOST_SHA1. RFC 6238: the counter is the Unix time / 30 s. ERR_ARG.
 */
MUST_USE enum err host_hotp(enum host_hash hash, struct span key,
    uint64_t counter, unsigned digits, char out[static 9]);

/* ---- passwords (host_password.c) ------------------------------------- */

#define HOST_PASSWORD_MAX 1024		/* bytes; longer ones are refused */
#define HOST_PHC_MAX 160		/* text of a kept hash, with its NUL */
/* What new hashes are made with (RFC 9106 4, second choice). */
#define HOST_ARGON_M_KIB 65536
#define HOST_ARGON_T 3
#define HOST_ARGON_P 4
#define HOST_ARGON_SALT_LEN 16
#define HOST_ARGON_OUT_LEN 32

/* RFC 9106 3.1; secret and ad are usually empty. */
struct host_argon {
	struct span password, salt, secret, ad;
	uint32_t m_kib, t, p;
};

/*
 * host_argon2id(in, out, n):
 * The bare function, on one thread. out is zeroed unless OK.
 * ERR_ARG: outside of m 8..4194304 KiB, t 1..64, p 1..64, m >= 8p, a salt of
 * 8..64 bytes, n 4..1024.  ERR_NOMEM.
 */
MUST_USE enum err host_argon2id(const struct host_argon *in, uint8_t *out,
    size_t n);

/*
 * host_password_hash(password, phc_out):
 * Argon2id with a random salt, as a PHC string
 * "$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>" (base64 without padding).
 * Takes 64 MiB and tenths of a second: for the work pool.
 *   phc_out  out  text with a NUL; empty unless OK
 * ERR_TOO_LARGE: password longer than HOST_PASSWORD_MAX.  ERR_PROVIDER.
 */
MUST_USE enum err host_password_hash(struct span password,
    char phc_out[static HOST_PHC_MAX]);

/*
 * host_password_verify(password, phc):
 * Checks against a kept hash: Argon2id (v=19; m 8..1048576 KiB, t 1..16,
 * p 1..16, m >= 8p, salt 8..64, hash 16..64 bytes), or bcrypt ($2a$, $2b$,
 * $2y$; cost 4..16), which has been imported.
 * ERR_INVALID_CREDENTIALS: another password (or one with a NUL, or too long).
 * ERR_FORMAT: phc is none of these forms or outside its bounds.
 * ERR_PROVIDER.
 */
MUST_USE enum err host_password_verify(struct span password, struct span phc);

/*
 * Does the work of host_password_verify for an account that does not exist,
 * so that its absence does not show in the time. ERR_INVALID_CREDENTIALS.
 */
MUST_USE enum err host_password_absent(struct span password);

/* True, with its cost, when the kept hash is bcrypt that can be verified. */
bool host_password_is_bcrypt(struct span phc, uint32_t *cost_out);
/* True when the kept hash is Argon2id with today's parameters. */
bool host_password_is_current(struct span phc);

/* ---- certificates (host_cert.c) -------------------------------------- */

#define HOST_CERT_PEM_MAX 4096
#define HOST_KEY_PEM_MAX 1024
#define HOST_CERT_NAMES_MAX 16
#define HOST_CERT_DAYS 825

struct host_cert {
	char cert_pem[HOST_CERT_PEM_MAX];	/* text with a NUL */
	char key_pem[HOST_KEY_PEM_MAX];		/* PKCS #8; wiped by the caller */
	uint8_t sha256[SHA256_LEN];		/* of the DER: what clients pin */
};

/*
 * host_cert_make(names, n_names, now_unix_ms, out):
 * A self-signed server certificate: ECDSA P-256, random serial, valid from an
 * hour ago for HOST_CERT_DAYS, for localhost, 127.0.0.1, ::1 and the names
 * (host names or addresses in text) given.
 *   out  out  all zero unless OK
 * ERR_ARG: more than HOST_CERT_NAMES_MAX names, or a name that is neither a
 * host name nor an address.  ERR_PROVIDER.
 */
MUST_USE enum err host_cert_make(const struct span *names, size_t n_names,
    uint64_t now_unix_ms, struct host_cert *out);

/* ---- others' public keys (host_asym.c) ------------------------------- */

#define HOST_RSA_BYTES_MAX 512		/* 4096 bits */

/* RSA PKCS #1 v1.5 with SHA-256 (RS256); spki is DER. ERR_AUTH, ERR_FORMAT. */
MUST_USE enum err host_rs256_verify(struct span spki, struct span msg,
    struct span sig);
/*
 * ECDSA P-256 with SHA-256 over a DER signature, or over r || s (ES256, 64
 * bytes). spki is DER. ERR_AUTH: bad signature.  ERR_FORMAT: no P-256 key.
 */
MUST_USE enum err host_es256_verify_der(struct span spki, struct span msg,
    struct span sig);
MUST_USE enum err host_es256_verify(struct span spki, struct span msg,
    struct span sig);
/*
 * RSA-OAEP with SHA-256 and MGF1-SHA-256. 2048 to 4096 bits. wrap: spki is DER;
 * *n_out is the length of the modulus. unwrap: pkcs8 is DER; every failure
 * that depends on the ciphertext is ERR_DECRYPT.
 */
MUST_USE enum err host_oaep_wrap(struct span spki, struct span label,
    struct span in, uint8_t out[static HOST_RSA_BYTES_MAX], size_t *n_out);
MUST_USE enum err host_oaep_unwrap(struct span pkcs8, struct span label,
    struct span in, uint8_t out[static HOST_RSA_BYTES_MAX], size_t *n_out);
/* The point of a DER SPKI of P-256, uncompressed. ERR_FORMAT. */
MUST_USE enum err host_p256_from_spki(struct span spki,
    uint8_t pub_out[static P256_PUB_LEN]);

/* ---- signing keys of our own (host_sign.c) --------------------------- */

#define HOST_SIG_MAX HOST_RSA_BYTES_MAX
#define HOST_SIGNER_PEM_MAX 16384

/* RS256: RFC 7518 3.3. EDDSA: Ed25519, RFC 8037 3.1. */
enum host_signer_kind { HOST_SIGNER_RS256, HOST_SIGNER_EDDSA };

/* One key: a private one, or the public part alone. Immutable; any thread. */
struct host_signer;

/*
 * A new private key (RSA: 3072 bits, some tenths of a second) as PEM of PKCS
 * #8, added to pem_out, which the caller wipes. ERR_PROVIDER, ERR_NOMEM.
 */
MUST_USE enum err host_signer_make(enum host_signer_kind kind,
    struct buf *pem_out);
/*
 * From PEM, "PRIVATE KEY" or "PUBLIC KEY", without a passphrase: Ed25519, or
 * RSA of 2048 to 4096 bits. ERR_FORMAT: anything else.  ERR_NOMEM.
 */
MUST_USE enum err host_signer_open(struct span pem, struct host_signer **out);
void host_signer_close(struct host_signer *s);	/* NULL does nothing */
enum host_signer_kind host_signer_kind(const struct host_signer *s);
bool host_signer_is_private(const struct host_signer *s);
/* ERR_ARG: the key is public.  ERR_PROVIDER. */
MUST_USE enum err host_signer_sign(const struct host_signer *s,
    struct span msg, uint8_t out[static HOST_SIG_MAX], size_t *n_out);
/* ERR_AUTH. */
MUST_USE enum err host_signer_verify(const struct host_signer *s,
    struct span msg, struct span sig);
/* What a JWK names: RSA n and e, big-endian, no leading zero; Ed25519 x. */
struct host_signer_public {
	uint8_t n[HOST_RSA_BYTES_MAX], e[8], x[32];
	size_t n_n, e_n;
};
MUST_USE enum err host_signer_public(const struct host_signer *s,
    struct host_signer_public *out);

#endif
