/*
 * Tests of openssl.c: each primitive against a published answer, then what it
 * has to refuse. The big sets (Wycheproof, ACVP) run in nightjar-vectors.
 */
#include "base/text.h"
#include "crypto/openssl_private.h"
#include "crypto/test_native.h"

static void
hex(const char *text, uint8_t *out)
{
	assert_true(hex_decode(span_str(text), out));
}

/* FIPS 180-4: SHA-256("abc"), whole and in parts with empty ones. */
static void
test_openssl_sha256_parts_are_concatenated(void **state)
{
	struct span whole = SPAN("abc");
	struct span parts[4] = { SPAN("a"), { NULL, 0 }, SPAN("bc"), SPAN("") };
	uint8_t want[SHA256_LEN], got[SHA256_LEN];

	(void)state;
	hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    want);
	assert_int_equal(p.sha256(p.ctx, &whole, 1, got), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(p.sha256(p.ctx, parts, 4, got), OK);
	assert_memory_equal(got, want, sizeof(want));
}

static void
test_openssl_sha512_of_nothing(void **state)
{
	uint8_t want[SHA512_LEN], got[SHA512_LEN];

	(void)state;
	hex("cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
	    want);
	assert_int_equal(p.sha512(p.ctx, NULL, 0, got), OK);
	assert_memory_equal(got, want, sizeof(want));
}

/* RFC 4231 4.3 (short key) and 4.7 (a key longer than a block). */
static void
test_openssl_hmac_rfc4231(void **state)
{
	struct span msg = SPAN("what do ya want for nothing?");
	struct span longer = SPAN("Test Using Larger Than Block-Size Key - "
	    "Hash Key First");
	uint8_t key[131], want[SHA256_LEN], got[SHA256_LEN];

	(void)state;
	hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	    want);
	assert_int_equal(p.hmac_sha256(p.ctx, SPAN("Jefe"), &msg, 1, got), OK);
	assert_memory_equal(got, want, sizeof(want));
	memset(key, 0xaa, sizeof(key));
	hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
	    want);
	assert_int_equal(p.hmac_sha256(p.ctx, SPAN_OF(key), &longer, 1, got),
	    OK);
	assert_memory_equal(got, want, sizeof(want));
}

/* RFC 2104 2: zero padding makes the empty key and zeros one key. */
static void
test_openssl_hmac_empty_key_is_zeros_and_out_may_be_key(void **state)
{
	uint8_t zeros[64] = { 0 }, a[SHA256_LEN], b[SHA256_LEN];
	struct span msg = SPAN("m");

	(void)state;
	assert_int_equal(p.hmac_sha256(p.ctx, (struct span){ NULL, 0 }, &msg, 1,
	    a), OK);
	assert_int_equal(p.hmac_sha256(p.ctx, SPAN_OF(zeros), &msg, 1, b), OK);
	assert_memory_equal(a, b, sizeof(a));
	memset(b, 0, sizeof(b));
	assert_int_equal(p.hmac_sha256(p.ctx, SPAN_OF(b), &msg, 1, b), OK);
	assert_memory_equal(a, b, sizeof(a));
}

/* SP 800-38D, the specification's test case 16 (AES-256, with AAD). */
static void
test_openssl_gcm_known_answer(void **state)
{
	uint8_t key[32], nonce[12], ad[20], in[60], want[76], got[76], back[60];

	(void)state;
	hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	    key);
	hex("cafebabefacedbaddecaf888", nonce);
	hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", ad);
	hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39", in);
	hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b", want);
	assert_int_equal(p.gcm_seal(p.ctx, key, nonce, SPAN_OF(ad), SPAN_OF(in),
	    got), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, SPAN_OF(ad),
	    SPAN_OF(want), back), OK);
	assert_memory_equal(back, in, sizeof(in));
	/* In place, both ways. */
	memcpy(got, in, sizeof(in));
	assert_int_equal(p.gcm_seal(p.ctx, key, nonce, SPAN_OF(ad),
	    span_of(got, sizeof(in)), got), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, SPAN_OF(ad),
	    SPAN_OF(got), got), OK);
	assert_memory_equal(got, in, sizeof(in));
}

static void
test_openssl_gcm_empty_text_and_ad(void **state)
{
	uint8_t key[32] = { 0 }, nonce[12] = { 0 }, tag[16], want[16], none[1];
	struct span nothing = { NULL, 0 };

	(void)state;
	hex("530f8afbc74536b9a963b4f1c4cb738b", want);	/* test case 13 */
	assert_int_equal(p.gcm_seal(p.ctx, key, nonce, nothing, nothing, tag),
	    OK);
	assert_memory_equal(tag, want, sizeof(want));
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, nothing, SPAN_OF(tag),
	    none), OK);
}

/* SP 800-38D 7.2: any changed bit is FAIL, and no plaintext comes out. */
static void
test_openssl_gcm_open_refuses_every_changed_byte(void **state)
{
	uint8_t key[32] = { 7 }, nonce[12] = { 8 }, ad[5] = { 9 };
	uint8_t in[40] = { 1, 2, 3 }, c[56], bad[56], out[40], zeros[40] = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(p.gcm_seal(p.ctx, key, nonce, SPAN_OF(ad), SPAN_OF(in),
	    c), OK);
	for (i = 0; i < sizeof(c); i++) {
		memcpy(bad, c, sizeof(c));
		bad[i] ^= 0x80;
		memset(out, 0xaa, sizeof(out));
		assert_int_equal(p.gcm_open(p.ctx, key, nonce, SPAN_OF(ad),
		    SPAN_OF(bad), out), ERR_AUTH);
		assert_memory_equal(out, zeros, sizeof(out));
	}
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, span_of(ad, 4),
	    SPAN_OF(c), out), ERR_AUTH);
	nonce[11] ^= 1;
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, SPAN_OF(ad), SPAN_OF(c),
	    out), ERR_AUTH);
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, SPAN_OF(ad),
	    span_of(c, 15), out), ERR_AUTH);
}

/* RFC 7748 5.2: one and a thousand iterations (also: eviction from the cache). */
static void
test_openssl_x25519_iterates_as_rfc7748_says(void **state)
{
	uint8_t k[32] = { 9 }, u[32] = { 9 }, r[32], want[32];
	int i;

	(void)state;
	for (i = 1; i <= 1000; i++) {
		assert_int_equal(p.x25519(p.ctx, k, u, r), OK);
		memcpy(u, k, sizeof(u));
		memcpy(k, r, sizeof(k));
		if (i == 1) {
			hex("422c8e7a6227d7bca1350b3e2bb7279f"
			    "7897b87bb6854b783c60e80311ae3079", want);
			assert_memory_equal(k, want, sizeof(want));
		}
	}
	hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
	    want);
	assert_memory_equal(k, want, sizeof(want));
}

static void
test_openssl_x25519_pub_agrees_with_the_base_point(void **state)
{
	uint8_t base[32] = { 9 }, priv[32] = { 1, 2, 3 }, a[32], b[32];

	(void)state;
	assert_int_equal(p.x25519_pub(p.ctx, priv, a), OK);
	assert_int_equal(p.x25519(p.ctx, priv, base, b), OK);
	assert_memory_equal(a, b, sizeof(a));
}

/* RFC 7748 6.1: the all-zero value is refused; docs/protocol.md, "Keys". */
static void
test_openssl_x25519_refuses_low_order_and_non_canonical(void **state)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0900000000000000000000000000000000000000000000000000000000000080",
	};
	uint8_t priv[32] = { 42 }, pub[32], out[32], zeros[32] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hex(bad[i], pub);
		memset(out, 0xaa, sizeof(out));
		assert_int_equal(p.x25519(p.ctx, priv, pub, out), ERR_AUTH);
		assert_memory_equal(out, zeros, sizeof(out));
	}
}

static const char *const ed_seed =
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
static const char *const ed_pub =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
static const char *const ed_sig =
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

/* RFC 8032 7.1, test 1: the empty message. */
static void
test_openssl_ed25519_rfc8032(void **state)
{
	uint8_t seed[32], pub[32], want[64], got[64];
	struct span nothing = { NULL, 0 };

	(void)state;
	hex(ed_seed, seed);
	hex(ed_pub, want);
	assert_int_equal(p.ed25519_pub(p.ctx, seed, pub), OK);
	assert_memory_equal(pub, want, sizeof(pub));
	hex(ed_sig, want);
	assert_int_equal(p.ed25519_sign(p.ctx, seed, nothing, got), OK);
	assert_memory_equal(got, want, sizeof(got));
	assert_int_equal(p.ed25519_verify(p.ctx, pub, nothing, got), OK);
}

/* RFC 8032 8.4: S + L is the same scalar, and refused. */
static void
test_openssl_ed25519_refuses_malleated_and_changed_signatures(void **state)
{
	uint8_t pub[32], sig[64], l[32], bad[64];
	struct span nothing = { NULL, 0 };
	unsigned carry = 0;
	size_t i;

	(void)state;
	hex(ed_pub, pub);
	hex(ed_sig, sig);
	hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
	    l);
	memcpy(bad, sig, sizeof(bad));
	for (i = 0; i < 32; i++) {
		carry += (unsigned)bad[32 + i] + l[i];
		bad[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(p.ed25519_verify(p.ctx, pub, nothing, bad), ERR_AUTH);
	for (i = 0; i < sizeof(sig); i++) {
		memcpy(bad, sig, sizeof(bad));
		bad[i] ^= 1;
		assert_int_equal(p.ed25519_verify(p.ctx, pub, nothing, bad),
		    ERR_AUTH);
	}
	assert_int_equal(p.ed25519_verify(p.ctx, pub, SPAN("x"), sig),
	    ERR_AUTH);
}

/*
 * A = R = the neutral element, S = 0: the equation holds for every message,
 * and OpenSSL alone says yes. docs/protocol.md, "Keys", strict Ed25519.
 */
static void
test_openssl_ed25519_refuses_small_order_keys(void **state)
{
	uint8_t pub[32] = { 1 }, sig[64] = { 1 };

	(void)state;
	assert_int_equal(p.ed25519_verify(p.ctx, pub, SPAN("any"), sig),
	    ERR_AUTH);
	sig[0] = 5;
	assert_int_equal(p.ed25519_verify(p.ctx, pub, SPAN("any"), sig),
	    ERR_AUTH);
}

/* RFC 5903 8.1. */
static void
test_openssl_p256_rfc5903(void **state)
{
	uint8_t i[32], r[32], gi[65], gr[65], want[65], z[32];

	(void)state;
	hex("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	    i);
	hex("c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	    r);
	hex("04"
	    "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	    "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	    want);
	assert_int_equal(p.p256_pub(p.ctx, i, gi), OK);
	assert_memory_equal(gi, want, sizeof(want));
	assert_int_equal(p.p256_pub(p.ctx, r, gr), OK);
	hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
	    want);
	assert_int_equal(p.p256_ecdh(p.ctx, i, gr, z), OK);
	assert_memory_equal(z, want, sizeof(z));
	assert_int_equal(p.p256_ecdh(p.ctx, r, gi, z), OK);
	assert_memory_equal(z, want, sizeof(z));
}

/* SP 800-56A 5.6.2.3.4 (point on the curve), 5.6.1.2 (range of the scalar). */
static void
test_openssl_p256_refuses_bad_points_and_scalars(void **state)
{
	uint8_t priv[32] = { 0 }, pub[65], bad[65], z[32], zeros[32] = { 0 };

	(void)state;
	priv[31] = 5;
	assert_int_equal(p.p256_pub(p.ctx, priv, pub), OK);
	memcpy(bad, pub, sizeof(bad));
	bad[64] ^= 1;				/* not on the curve */
	memset(z, 0xaa, sizeof(z));
	assert_int_equal(p.p256_ecdh(p.ctx, priv, bad, z), ERR_FORMAT);
	assert_memory_equal(z, zeros, sizeof(z));
	memcpy(bad, pub, sizeof(bad));
	bad[0] = 0x06 | (pub[64] & 1);		/* the hybrid form */
	assert_int_equal(p.p256_ecdh(p.ctx, priv, bad, z), ERR_FORMAT);
	memset(bad, 0, sizeof(bad));		/* the point at infinity */
	assert_int_equal(p.p256_ecdh(p.ctx, priv, bad, z), ERR_FORMAT);
	memset(priv, 0, sizeof(priv));
	assert_int_equal(p.p256_pub(p.ctx, priv, pub), ERR_FORMAT);
	hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	    priv);				/* n itself */
	assert_int_equal(p.p256_pub(p.ctx, priv, pub), ERR_FORMAT);
}

static void
test_openssl_mlkem_both_sides_agree(void **state)
{
	uint8_t seed[64] = { 1, 2 }, m[32] = { 3 }, ek[MLKEM_EK_LEN];
	uint8_t ct[MLKEM_CT_LEN], ct2[MLKEM_CT_LEN], a[32], b[32];

	(void)state;
	assert_int_equal(p.mlkem_pub(p.ctx, seed, ek), OK);
	assert_int_equal(p.mlkem_check(p.ctx, ek), OK);
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, m, ct, a), OK);
	assert_int_equal(p.mlkem_decaps(p.ctx, seed, ct, b), OK);
	assert_memory_equal(a, b, sizeof(a));
	/* Named randomness determines the ciphertext, the system's does not. */
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, m, ct2, a), OK);
	assert_memory_equal(ct, ct2, sizeof(ct));
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, NULL, ct2, a), OK);
	assert_memory_not_equal(ct, ct2, sizeof(ct));
	assert_int_equal(p.mlkem_decaps(p.ctx, seed, ct2, b), OK);
	assert_memory_equal(a, b, sizeof(a));
}

/* FIPS 203 6.3: implicit rejection gives another, but constant, secret. */
static void
test_openssl_mlkem_changed_ciphertext_gives_another_secret(void **state)
{
	uint8_t seed[64] = { 1, 2 }, ek[MLKEM_EK_LEN], ct[MLKEM_CT_LEN];
	uint8_t a[32], b[32], c[32];

	(void)state;
	assert_int_equal(p.mlkem_pub(p.ctx, seed, ek), OK);
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, NULL, ct, a), OK);
	ct[100] ^= 1;
	assert_int_equal(p.mlkem_decaps(p.ctx, seed, ct, b), OK);
	assert_int_equal(p.mlkem_decaps(p.ctx, seed, ct, c), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_equal(b, c, sizeof(b));
}

/* FIPS 203 7.2: the modulus check. */
static void
test_openssl_mlkem_refuses_coefficients_beyond_q(void **state)
{
	uint8_t seed[64] = { 1 }, ek[MLKEM_EK_LEN], ct[MLKEM_CT_LEN], ss[32];
	uint8_t zeros[32] = { 0 };

	(void)state;
	assert_int_equal(p.mlkem_pub(p.ctx, seed, ek), OK);
	ek[1151] = 0xd0;	/* the last coefficient: 0xd01 = 3329 = q */
	ek[1150] = (uint8_t)((ek[1150] & 0x0f) | 0x10);
	memset(ss, 0xaa, sizeof(ss));
	assert_int_equal(p.mlkem_check(p.ctx, ek), ERR_FORMAT);
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, NULL, ct, ss), ERR_FORMAT);
	assert_memory_equal(ss, zeros, sizeof(ss));
}

static void
test_openssl_mldsa_signs_and_binds_its_context(void **state)
{
	static uint8_t seed[32] = { 5 }, pub[MLDSA_PUB_LEN];
	static uint8_t a[MLDSA_SIG_LEN], b[MLDSA_SIG_LEN], rnd[32];
	static uint8_t long_ctx[256];
	struct span msg = SPAN("message"), ctx = SPAN("NJ1/devlist");

	(void)state;
	assert_int_equal(p.mldsa_pub(p.ctx, seed, pub), OK);
	assert_int_equal(p.mldsa_sign(p.ctx, seed, ctx, msg, rnd, a), OK);
	assert_int_equal(p.mldsa_sign(p.ctx, seed, ctx, msg, rnd, b), OK);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(p.mldsa_verify(p.ctx, pub, ctx, msg, a), OK);
	/* Hedged: another signature, valid too. */
	assert_int_equal(p.mldsa_sign(p.ctx, seed, ctx, msg, NULL, b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(p.mldsa_verify(p.ctx, pub, ctx, msg, b), OK);
	rnd[0] = 1;
	assert_int_equal(p.mldsa_sign(p.ctx, seed, ctx, msg, rnd, b), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	/* FIPS 204 5.3: the context is part of what is signed. */
	assert_int_equal(p.mldsa_verify(p.ctx, pub, SPAN("NJ1/prekeys"), msg,
	    a), ERR_AUTH);
	assert_int_equal(p.mldsa_verify(p.ctx, pub, SPAN(""), msg, a),
	    ERR_AUTH);
	assert_int_equal(p.mldsa_verify(p.ctx, pub, ctx, SPAN("messagf"), a),
	    ERR_AUTH);
	a[0] ^= 1;
	assert_int_equal(p.mldsa_verify(p.ctx, pub, ctx, msg, a), ERR_AUTH);
	assert_int_equal(p.mldsa_sign(p.ctx, seed, SPAN_OF(long_ctx), msg, rnd,
	    b), ERR_ARG);
	assert_int_equal(p.mldsa_verify(p.ctx, pub, SPAN_OF(long_ctx), msg, b),
	    ERR_ARG);
}

static void
test_openssl_mldsa_empty_message_and_context(void **state)
{
	static uint8_t seed[32] = { 6 }, pub[MLDSA_PUB_LEN], a[MLDSA_SIG_LEN];
	struct span nothing = { NULL, 0 };

	(void)state;
	assert_int_equal(p.mldsa_pub(p.ctx, seed, pub), OK);
	assert_int_equal(p.mldsa_sign(p.ctx, seed, nothing, nothing, NULL, a),
	    OK);
	assert_int_equal(p.mldsa_verify(p.ctx, pub, nothing, nothing, a), OK);
}

static void
test_openssl_random_does_not_repeat(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_int_equal(p.random(p.ctx, a, sizeof(a)), OK);
	assert_int_equal(p.random(p.ctx, b, sizeof(b)), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(p.random(p.ctx, NULL, 0), OK);
}

/* RFC 9106 5.3 has a secret; this is the reference program's own answer. */
static void
test_openssl_argon2id(void **state)
{
	uint8_t want[32], got[32];

	(void)state;
	hex("9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
	    want);
	assert_int_equal(p.argon2id(p.ctx, SPAN("password"), SPAN("somesalt"),
	    256, 2, 1, got, sizeof(got)), OK);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(p.argon2id(p.ctx, SPAN("password"), SPAN("short"),
	    256, 2, 1, got, sizeof(got)), ERR_ARG);
}

/* The same bytes may be a key of two kinds: the cache keeps them apart. */
static void
test_openssl_cache_tells_kinds_apart(void **state)
{
	uint8_t seed[32], x[32], e[32], want[32];

	(void)state;
	hex(ed_seed, seed);
	hex(ed_pub, want);
	assert_int_equal(p.x25519_pub(p.ctx, seed, x), OK);
	assert_int_equal(p.ed25519_pub(p.ctx, seed, e), OK);
	assert_memory_equal(e, want, sizeof(e));
	assert_memory_not_equal(x, e, sizeof(x));
}

/* A wrong answer from a stale entry would differ from a fresh provider's. */
static void
test_openssl_cache_evicts_the_oldest_and_stays_right(void **state)
{
	struct openssl *o = (struct openssl *)p.ctx;
	uint8_t keep[32] = { 77 }, seed[32] = { 0 }, pub[32], want[32], got[32];
	struct key *k;
	int i;

	(void)state;
	assert_int_equal(p.x25519_pub(p.ctx, keep, want), OK);
	for (i = 0; i < 3 * OPENSSL_KEYS_MAX; i++) {
		seed[0] = (uint8_t)i;
		assert_int_equal(p.x25519_pub(p.ctx, seed, pub), OK);
		assert_int_equal(p.x25519_pub(p.ctx, keep, got), OK);
		assert_memory_equal(got, want, sizeof(got));
	}
	seed[0] = 0;
	for (k = o->keys; k < o->keys + OPENSSL_KEYS_MAX; k++)
		assert_false(k->type == KEY_X25519 &&
		    memcmp(k->seed, seed, sizeof(seed)) == 0);
}

static void
test_openssl_close_of_a_zeroed_provider_does_nothing(void **state)
{
	struct provider none = { 0 };

	(void)state;
	openssl_provider_close(&none);
	openssl_provider_forget(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_sha256_parts_are_concatenated),
		cmocka_unit_test(test_openssl_sha512_of_nothing),
		cmocka_unit_test(test_openssl_hmac_rfc4231),
		cmocka_unit_test(
		    test_openssl_hmac_empty_key_is_zeros_and_out_may_be_key),
		cmocka_unit_test(test_openssl_gcm_known_answer),
		cmocka_unit_test(test_openssl_gcm_empty_text_and_ad),
		cmocka_unit_test(
		    test_openssl_gcm_open_refuses_every_changed_byte),
		cmocka_unit_test(test_openssl_x25519_iterates_as_rfc7748_says),
		cmocka_unit_test(
		    test_openssl_x25519_pub_agrees_with_the_base_point),
		cmocka_unit_test(
		    test_openssl_x25519_refuses_low_order_and_non_canonical),
		cmocka_unit_test(test_openssl_ed25519_rfc8032),
		cmocka_unit_test(
	    test_openssl_ed25519_refuses_malleated_and_changed_signatures),
		cmocka_unit_test(test_openssl_ed25519_refuses_small_order_keys),
		cmocka_unit_test(test_openssl_p256_rfc5903),
		cmocka_unit_test(
		    test_openssl_p256_refuses_bad_points_and_scalars),
		cmocka_unit_test(test_openssl_mlkem_both_sides_agree),
		cmocka_unit_test(
		    test_openssl_mlkem_changed_ciphertext_gives_another_secret),
		cmocka_unit_test(
		    test_openssl_mlkem_refuses_coefficients_beyond_q),
		cmocka_unit_test(
		    test_openssl_mldsa_signs_and_binds_its_context),
		cmocka_unit_test(test_openssl_mldsa_empty_message_and_context),
		cmocka_unit_test(test_openssl_random_does_not_repeat),
		cmocka_unit_test(test_openssl_argon2id),
		cmocka_unit_test(test_openssl_cache_tells_kinds_apart),
		cmocka_unit_test(
		    test_openssl_cache_evicts_the_oldest_and_stays_right),
		cmocka_unit_test(
		    test_openssl_close_of_a_zeroed_provider_does_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
