/*
 * wycheproof_asym.c: X25519, Ed25519, P-256 (ECDH in three encodings, ECDSA in
 * two), RSA (OAEP, RS256).
 */
#include "crypto/host.h"
#include "vectors/wycheproof_private.h"

CASE(wycheproof_asym_x25519)
{
	const struct provider *p = f->provider;
	struct span pub, priv, shared;
	uint8_t out[X25519_LEN];
	enum err e;

	(void)group;
	if (!field_hex(f, test, "public", &pub) ||
	    !field_hex(f, test, "private", &priv) ||
	    !field_hex(f, test, "shared", &shared))
		return IS_MALFORMED;
	if (pub.n != X25519_LEN || priv.n != X25519_LEN)
		return DID_REFUSE;
	e = p->x25519(p->ctx, priv.p, pub.p, out);
	return wycheproof_result(e, out, sizeof(out), shared);
}

CASE(wycheproof_asym_ed25519)
{
	const struct provider *p = f->provider;
	struct span pub, msg, sig;

	if (!field_hex(f, yyjson_obj_get(group, "publicKey"), "pk", &pub) ||
	    !field_hex(f, test, "msg", &msg) ||
	    !field_hex(f, test, "sig", &sig))
		return IS_MALFORMED;
	if (pub.n != ED25519_PUB_LEN || sig.n != ED25519_SIG_LEN)
		return DID_REFUSE;
	return wycheproof_outcome(p->ed25519_verify(p->ctx, pub.p, msg, sig.p),
	    true);
}

/* A scalar as 32 bytes: integers in the files have 0 or more zeros in front. */
static bool
scalar(struct span in, uint8_t out[static P256_PRIV_LEN])
{
	while (in.n > 0 && in.p[0] == 0)
		in = span_sub(in, 1, in.n);
	if (in.n > P256_PRIV_LEN)
		return false;
	memset(out, 0, P256_PRIV_LEN);
	if (in.n > 0)
		memcpy(out + P256_PRIV_LEN - in.n, in.p, in.n);
	return true;
}

static enum outcome
ecdh(const struct vector_file *f, struct span priv, struct span point,
    struct span shared)
{
	const struct provider *p = f->provider;
	uint8_t d[P256_PRIV_LEN], z[P256_Z_LEN];
	enum err e;

	if (!scalar(priv, d))
		return IS_MALFORMED;
	/* Compressed points are no form of ours. */
	if (point.n != P256_PUB_LEN)
		return DID_REFUSE;
	e = p->p256_ecdh(p->ctx, d, point.p, z);
	return wycheproof_result(e, z, sizeof(z), shared);
}

CASE(wycheproof_asym_ecdh_point)
{
	struct span pub, priv, shared;

	(void)group;
	if (!field_hex(f, test, "public", &pub) ||
	    !field_hex(f, test, "private", &priv) ||
	    !field_hex(f, test, "shared", &shared))
		return IS_MALFORMED;
	return ecdh(f, priv, pub, shared);
}

CASE(wycheproof_asym_ecdh_asn)
{
	struct span pub, priv, shared;
	uint8_t point[P256_PUB_LEN];
	enum err e;

	(void)group;
	if (!field_hex(f, test, "public", &pub) ||
	    !field_hex(f, test, "private", &priv) ||
	    !field_hex(f, test, "shared", &shared))
		return IS_MALFORMED;
	e = host_p256_from_spki(pub, point);
	if (e != OK)
		return wycheproof_outcome(e, false);
	return ecdh(f, priv, SPAN_OF(point), shared);
}

CASE(wycheproof_asym_ecdh_web)
{
	yyjson_val *jwk = yyjson_obj_get(test, "public");
	struct span x, y, d, shared;
	uint8_t point[P256_PUB_LEN];
	struct wr w = wr_init(point, sizeof(point));
	const char *curve;

	(void)group;
	if (!field_str(jwk, "crv", &curve) ||
	    !field_base64url(f, jwk, "x", &x) ||
	    !field_base64url(f, jwk, "y", &y) ||
	    !field_base64url(f, yyjson_obj_get(test, "private"), "d", &d) ||
	    !field_hex(f, test, "shared", &shared))
		return IS_MALFORMED;
	/* RFC 7518 6.2.1: a coordinate has the full size of the field. */
	if (strcmp(curve, "P-256") != 0 || x.n != 32 || y.n != 32)
		return DID_REFUSE;
	wr_u8(&w, 0x04);
	wr_span(&w, x);
	wr_span(&w, y);
	return ecdh(f, d, wr_done(&w), shared);
}

typedef enum err verify_fn(struct span spki, struct span msg, struct span sig);

static enum outcome
verify(const struct vector_file *f, yyjson_val *group, yyjson_val *test,
    verify_fn *fn)
{
	struct span spki, msg, sig;

	if (!field_hex(f, group, "publicKeyDer", &spki) ||
	    !field_hex(f, test, "msg", &msg) ||
	    !field_hex(f, test, "sig", &sig))
		return IS_MALFORMED;
	return wycheproof_outcome(fn(spki, msg, sig), true);
}

CASE(wycheproof_asym_ecdsa)
{
	return verify(f, group, test, host_es256_verify_der);
}

CASE(wycheproof_asym_ecdsa_p1363)
{
	return verify(f, group, test, host_es256_verify);
}

CASE(wycheproof_asym_rs256)
{
	return verify(f, group, test, host_rs256_verify);
}

CASE(wycheproof_asym_oaep)
{
	struct span pkcs8, label, ct, msg;
	uint8_t out[HOST_RSA_BYTES_MAX];
	size_t n = 0;
	enum err e;

	if (!field_hex(f, group, "privateKeyPkcs8", &pkcs8) ||
	    !field_hex(f, test, "label", &label) ||
	    !field_hex(f, test, "ct", &ct) || !field_hex(f, test, "msg", &msg))
		return IS_MALFORMED;
	e = host_oaep_unwrap(pkcs8, label, ct, out, &n);
	return wycheproof_result(e, out, n, msg);
}
