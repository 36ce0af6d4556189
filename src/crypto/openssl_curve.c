/*
 * openssl_curve.c: X25519, Ed25519 and P-256 of the native provider. What is
 * stricter here than in OpenSSL is in strict.c; it comes before OpenSSL sees
 * the value.
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl_private.h"
#include "crypto/strict.h"

/* The raw public key of a cached private one. */
static enum err
raw_pub(struct openssl *o, enum key_type type, const uint8_t *seed,
    uint8_t *out)
{
	struct key *k;
	size_t n = 32;

	TRY(openssl_keys_get(o, type, seed, &k));
	if (EVP_PKEY_get_raw_public_key(k->pkey, out, &n) != 1)
		return openssl_fail(ERR_PROVIDER);
	return OK;
}

static enum err
do_x25519_pub(void *ctx, const uint8_t priv[X25519_LEN],
    uint8_t pub_out[X25519_LEN])
{
	return raw_pub((struct openssl *)ctx, KEY_X25519, priv, pub_out);
}

static enum err
do_x25519(void *ctx, const uint8_t priv[X25519_LEN],
    const uint8_t pub[X25519_LEN], uint8_t out[X25519_LEN])
{
	static const uint8_t zeros[X25519_LEN];
	struct openssl *o = (struct openssl *)ctx;
	EVP_PKEY *peer = NULL;
	struct key *k;
	size_t n = X25519_LEN;
	enum err e;

	if (!strict_x25519(pub)) {
		e = ERR_AUTH;
		goto out;
	}
	e = openssl_keys_get(o, KEY_X25519, priv, &k);
	if (e != OK)
		goto out;
	peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, pub,
	    X25519_LEN);
	if (peer == NULL || EVP_PKEY_derive_set_peer_ex(k->op, peer, 0) != 1) {
		e = openssl_fail(ERR_PROVIDER);
		goto out;
	}
	/* RFC 7748 6.1: OpenSSL fails on the all-zero value; we make sure. */
	if (EVP_PKEY_derive(k->op, out, &n) != 1 || ct_eq(out, zeros, n))
		e = openssl_fail(ERR_AUTH);
out:
	EVP_PKEY_free(peer);
	if (e != OK)
		wipe(out, X25519_LEN);
	return e;
}

static enum err
do_ed25519_pub(void *ctx, const uint8_t seed[ED25519_SEED_LEN],
    uint8_t pub_out[ED25519_PUB_LEN])
{
	return raw_pub((struct openssl *)ctx, KEY_ED25519, seed, pub_out);
}

static enum err
do_ed25519_sign(void *ctx, const uint8_t seed[ED25519_SEED_LEN],
    struct span msg, uint8_t sig_out[ED25519_SIG_LEN])
{
	struct openssl *o = (struct openssl *)ctx;
	struct key *k;
	size_t n = ED25519_SIG_LEN;

	TRY(openssl_keys_get(o, KEY_ED25519, seed, &k));
	if (EVP_PKEY_sign_message_init(k->op, o->ed25519, NULL) != 1 ||
	    EVP_PKEY_sign(k->op, sig_out, &n, msg.p, msg.n) != 1)
		return openssl_fail(ERR_PROVIDER);
	return OK;
}

static enum err
do_ed25519_verify(void *ctx, const uint8_t pub[ED25519_PUB_LEN],
    struct span msg, const uint8_t sig[ED25519_SIG_LEN])
{
	struct openssl *o = (struct openssl *)ctx;

	if (!strict_ed25519(pub, sig))
		return ERR_AUTH;
	/* OpenSSL compares R with [S]B - [h]A byte for byte: cofactorless. */
	return openssl_verify("ED25519", span_of(pub, ED25519_PUB_LEN),
	    o->ed25519, NULL, msg, span_of(sig, ED25519_SIG_LEN));
}

static enum err
do_p256_pub(void *ctx, const uint8_t priv[P256_PRIV_LEN],
    uint8_t pub_out[P256_PUB_LEN])
{
	struct key *k;
	size_t n;

	TRY(openssl_keys_get((struct openssl *)ctx, KEY_P256, priv, &k));
	if (EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY,
	    pub_out, P256_PUB_LEN, &n) != 1 || n != P256_PUB_LEN)
		return openssl_fail(ERR_PROVIDER);
	return OK;
}

/* The key of an uncompressed point; NULL when it is not on the curve. */
static EVP_PKEY *
p256_peer(const uint8_t pub[P256_PUB_LEN])
{
	EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char group[] = "P-256";
	uint8_t copy[P256_PUB_LEN];
	OSSL_PARAM params[3];
	EVP_PKEY *k = NULL;

	memcpy(copy, pub, sizeof(copy));	/* OSSL_PARAM takes no const */
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
	    copy, sizeof(copy));
	params[2] = OSSL_PARAM_construct_end();
	if (from == NULL || EVP_PKEY_fromdata_init(from) != 1 ||
	    EVP_PKEY_fromdata(from, &k, EVP_PKEY_PUBLIC_KEY, params) != 1)
		k = NULL;
	EVP_PKEY_CTX_free(from);
	return k;
}

static enum err
do_p256_ecdh(void *ctx, const uint8_t priv[P256_PRIV_LEN],
    const uint8_t pub[P256_PUB_LEN], uint8_t z_out[P256_Z_LEN])
{
	struct openssl *o = (struct openssl *)ctx;
	EVP_PKEY *peer = NULL;
	struct key *k;
	size_t n = P256_Z_LEN;
	enum err e;

	/* SEC 1 2.3.3: 04 is the uncompressed form; 06 and 07 are hybrids. */
	if (pub[0] == 0x04)
		peer = p256_peer(pub);
	if (peer == NULL) {
		e = openssl_fail(ERR_FORMAT);
		goto out;
	}
	e = openssl_keys_get(o, KEY_P256, priv, &k);
	if (e != OK)
		goto out;
	/* The cofactor is 1: a point on the curve has the full order. */
	if (EVP_PKEY_derive_set_peer_ex(k->op, peer, 0) != 1 ||
	    EVP_PKEY_derive(k->op, z_out, &n) != 1 || n != P256_Z_LEN)
		e = openssl_fail(ERR_PROVIDER);
out:
	EVP_PKEY_free(peer);
	if (e != OK)
		wipe(z_out, P256_Z_LEN);
	return e;
}

void
openssl_curve_table(struct provider *p)
{
	p->x25519_pub = do_x25519_pub;
	p->x25519 = do_x25519;
	p->ed25519_pub = do_ed25519_pub;
	p->ed25519_sign = do_ed25519_sign;
	p->ed25519_verify = do_ed25519_verify;
	p->p256_pub = do_p256_pub;
	p->p256_ecdh = do_p256_ecdh;
}
