/*
 * wycheproof_sym.c: AES-GCM, HMAC, HKDF, PBKDF2.
 */
#include "crypto/hkdf.h"
#include "crypto/host.h"
#include "vectors/wycheproof_private.h"

CASE(wycheproof_sym_aead)
{
	const struct provider *p = f->provider;
	uint64_t iv_bits, key_bits, tag_bits;
	struct span key, iv, ad, msg, ct, tag, sealed;
	uint8_t *joined, *out;
	struct wr w;
	enum err e;

	if (!field_u64(group, "ivSize", &iv_bits) ||
	    !field_u64(group, "keySize", &key_bits) ||
	    !field_u64(group, "tagSize", &tag_bits) ||
	    !field_hex(f, test, "key", &key) || !field_hex(f, test, "iv", &iv) ||
	    !field_hex(f, test, "aad", &ad) ||
	    !field_hex(f, test, "msg", &msg) || !field_hex(f, test, "ct", &ct) ||
	    !field_hex(f, test, "tag", &tag))
		return IS_MALFORMED;
	/* The provider has one size of key, nonce and tag. */
	if (key_bits != 256 || iv_bits != 96 || tag_bits != 128)
		return IS_NOT_APPLICABLE;
	if (key.n != AES256_KEY_LEN || iv.n != GCM_NONCE_LEN ||
	    tag.n != GCM_TAG_LEN)
		return IS_MALFORMED;
	joined = arena_bytes(f->arena, ct.n + tag.n);
	out = arena_bytes(f->arena, msg.n + GCM_TAG_LEN);
	if (joined == NULL || out == NULL)
		return DID_BREAK;
	w = wr_init(joined, ct.n + tag.n);
	wr_span(&w, ct);
	wr_span(&w, tag);
	sealed = wr_done(&w);
	e = p->gcm_open(p->ctx, key.p, iv.p, ad, sealed, out);
	if (e != OK)
		return wycheproof_outcome(e, false);
	if (!wycheproof_same(out, ct.n, msg))
		return DID_DIFFER;
	e = p->gcm_seal(p->ctx, key.p, iv.p, ad, msg, out);
	return wycheproof_result(e, out, msg.n + GCM_TAG_LEN,
	    sealed);
}

/* The algorithm that the whole file is about. */
static bool
is_algorithm(const struct vector_file *f, const char *name)
{
	const char *algorithm;

	return field_str(f->root, "algorithm", &algorithm) &&
	    strcmp(algorithm, name) == 0;
}

CASE(wycheproof_sym_hkdf)
{
	struct span ikm, salt, info, okm;
	uint64_t size;
	uint8_t *out;
	enum err e;

	(void)group;
	if (!field_hex(f, test, "ikm", &ikm) ||
	    !field_hex(f, test, "salt", &salt) ||
	    !field_hex(f, test, "info", &info) ||
	    !field_u64(test, "size", &size) || !field_hex(f, test, "okm", &okm))
		return IS_MALFORMED;
	if (size > 1 << 20 || (out = arena_bytes(f->arena, size)) == NULL)
		return DID_BREAK;
	e = is_algorithm(f, "HKDF-SHA-256") ?
	    hkdf_derive(f->provider, salt, ikm, info, out, size) :
	    host_hkdf_sha512(salt, ikm, info, out, size);
	return wycheproof_result(e, out, size, okm);
}

CASE(wycheproof_sym_mac)
{
	const struct provider *p = f->provider;
	struct span key, msg, tag;
	uint8_t out[SHA512_LEN];
	uint64_t tag_bits;
	size_t full;
	enum err e;

	if (!field_u64(group, "tagSize", &tag_bits) ||
	    !field_hex(f, test, "key", &key) ||
	    !field_hex(f, test, "msg", &msg) ||
	    !field_hex(f, test, "tag", &tag))
		return IS_MALFORMED;
	if (is_algorithm(f, "HMACSHA1")) {
		full = HOST_SHA1_LEN;
		e = host_hmac_sha1(key, msg, out);
	} else if (is_algorithm(f, "HMACSHA256")) {
		uint8_t by_host[SHA256_LEN];

		full = SHA256_LEN;
		e = p->hmac_sha256(p->ctx, key, &msg, 1, out);
		/* The program's own function has to agree. */
		if (e == OK && (host_hmac_sha256(key, msg, by_host) != OK ||
		    memcmp(by_host, out, full) != 0))
			return DID_BREAK;
	} else {
		full = SHA512_LEN;
		e = host_hmac_sha512(key, msg, out);
	}
	if (e != OK || tag_bits / 8 > full)
		return DID_BREAK;
	/* Checking a tag is comparing it: another one is a refusal. */
	return wycheproof_same(out, tag_bits / 8, tag) ? DID_ACCEPT :
	    DID_REFUSE;
}

CASE(wycheproof_sym_pbkdf)
{
	struct span password, salt, dk;
	uint64_t iterations, n;
	uint8_t *out;
	enum err e;

	(void)group;
	if (!field_hex(f, test, "password", &password) ||
	    !field_hex(f, test, "salt", &salt) ||
	    !field_u64(test, "iterationCount", &iterations) ||
	    !field_u64(test, "dkLen", &n) || !field_hex(f, test, "dk", &dk) ||
	    iterations > UINT32_MAX)
		return IS_MALFORMED;
	if (n > 1024 || (out = arena_bytes(f->arena, n)) == NULL)
		return DID_BREAK;
	e = is_algorithm(f, "PBKDF2-HMACSHA256") ?
	    host_pbkdf2_sha256(password, salt, (uint32_t)iterations, out, n) :
	    host_pbkdf2_sha512(password, salt, (uint32_t)iterations, out, n);
	return wycheproof_result(e, out, n, dk);
}
