/*
 * openssl.c: the native provider's life, randomness, hashes, HMAC, AES-GCM.
 * One object a thread. What is fetched or allocated is so once, in open; no
 * function here allocates afterwards.
 */
#include "crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include "crypto/host.h"
#include "crypto/openssl_private.h"

/*
 * Implementation notes
 *
 * A context that was used keeps secrets: the chaining value of a hash (for
 * HMAC that is the next key), the key schedule of a cipher. So each function
 * puts its context back to a public state before it returns: an initialised
 * hash, a cipher under the zero key. That costs 20 and 70 ns.
 *
 * HMAC is the composition of RFC 2104 over two runs of one hash context:
 * OpenSSL's EVP_MAC takes 0.40 us for a short message when it has to forget
 * its key, this 0.21 us.
 */
#define SHA256_BLOCK 64

enum err
openssl_fail(enum err e)
{
	ERR_clear_error();
	return e;
}

enum err
openssl_verify(const char *type, struct span pub, EVP_SIGNATURE *alg,
    const OSSL_PARAM *params, struct span msg, struct span sig)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, type, NULL,
	    pub.p, pub.n);
	EVP_PKEY_CTX *op = NULL;
	enum err e = ERR_PROVIDER;

	if (key == NULL)
		goto out;
	op = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (op == NULL || EVP_PKEY_verify_message_init(op, alg, params) != 1)
		goto out;
	e = EVP_PKEY_verify(op, sig.p, sig.n, msg.p, msg.n) == 1 ?
	    OK : ERR_AUTH;
out:
	EVP_PKEY_CTX_free(op);
	EVP_PKEY_free(key);
	return e == OK ? OK : openssl_fail(e);
}

static enum err
do_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	while (n > 0) {
		size_t take = n < OPENSSL_INPUT_MAX ? n : OPENSSL_INPUT_MAX;

		if (RAND_priv_bytes(out, (int)take) != 1)
			return openssl_fail(ERR_PROVIDER);
		out += take;
		n -= take;
	}
	return OK;
}

static bool
add_parts(EVP_MD_CTX *c, const struct span *parts, size_t n_parts)
{
	size_t i;

	for (i = 0; i < n_parts; i++)
		if (parts[i].n > 0 &&
		    EVP_DigestUpdate(c, parts[i].p, parts[i].n) != 1)
			return false;
	return true;
}

static enum err
hash(EVP_MD_CTX *c, const EVP_MD *md, const struct span *parts, size_t n_parts,
    uint8_t *out)
{
	bool good = EVP_DigestInit_ex2(c, md, NULL) == 1 &&
	    add_parts(c, parts, n_parts) &&
	    EVP_DigestFinal_ex(c, out, NULL) == 1 &&
	    EVP_DigestInit_ex2(c, md, NULL) == 1;	/* forgets */

	return good ? OK : openssl_fail(ERR_PROVIDER);
}

static enum err
do_sha256(void *ctx, const struct span *parts, size_t n_parts,
    uint8_t out[SHA256_LEN])
{
	struct openssl *o = (struct openssl *)ctx;

	return hash(o->md256, o->sha256, parts, n_parts, out);
}

static enum err
do_sha512(void *ctx, const struct span *parts, size_t n_parts,
    uint8_t out[SHA512_LEN])
{
	struct openssl *o = (struct openssl *)ctx;
	enum err e = hash(o->md512, o->sha512, parts, n_parts, out);

	/* Unlike SHA-256's, its block buffer survives initialisation. */
	if (EVP_MD_CTX_reset(o->md512) != 1)
		e = openssl_fail(ERR_PROVIDER);
	return e;
}

/* H((key ^ pad) || parts), the two halves of RFC 2104. */
static bool
hmac_pass(struct openssl *o, uint8_t block[SHA256_BLOCK], uint8_t pad,
    const struct span *parts, size_t n_parts, uint8_t *out)
{
	size_t i;

	for (i = 0; i < SHA256_BLOCK; i++)
		block[i] ^= pad;
	return EVP_DigestInit_ex2(o->md256, o->sha256, NULL) == 1 &&
	    EVP_DigestUpdate(o->md256, block, SHA256_BLOCK) == 1 &&
	    add_parts(o->md256, parts, n_parts) &&
	    EVP_DigestFinal_ex(o->md256, out, NULL) == 1;
}

static enum err
do_hmac_sha256(void *ctx, struct span key, const struct span *parts,
    size_t n_parts, uint8_t out[SHA256_LEN])
{
	struct openssl *o = (struct openssl *)ctx;
	uint8_t block[SHA256_BLOCK] = { 0 }, inner[SHA256_LEN];
	struct span inner_span = SPAN_OF(inner);
	bool good;

	/* RFC 2104 2: a key longer than a block is hashed first. */
	if (key.n > SHA256_BLOCK)
		TRY(hash(o->md256, o->sha256, &key, 1, block));
	else if (key.n > 0)
		memcpy(block, key.p, key.n);
	good = hmac_pass(o, block, 0x36, parts, n_parts, inner) &&
	    hmac_pass(o, block, 0x36 ^ 0x5c, &inner_span, 1, out) &&
	    EVP_DigestInit_ex2(o->md256, o->sha256, NULL) == 1;
	wipe(block, sizeof(block));
	wipe(inner, sizeof(inner));
	return good ? OK : openssl_fail(ERR_PROVIDER);
}

static const uint8_t zero_key[AES256_KEY_LEN];

/* One part through a cipher; EVP wants no NULL for an empty one. */
static bool
cipher_part(EVP_CIPHER_CTX *c, uint8_t *out, struct span in)
{
	int n;

	return in.n == 0 ||
	    (EVP_CipherUpdate(c, out, &n, in.p, (int)in.n) == 1 &&
	    (size_t)n == in.n);
}

static enum err
do_gcm_seal(void *ctx, const uint8_t key[AES256_KEY_LEN],
    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
    uint8_t *out)
{
	struct openssl *o = (struct openssl *)ctx;
	uint8_t end[16];
	bool good;
	int n;

	if (ad.n > OPENSSL_INPUT_MAX || in.n > OPENSSL_INPUT_MAX)
		return ERR_TOO_LARGE;
	good = EVP_EncryptInit_ex2(o->seal, NULL, key, nonce, NULL) == 1 &&
	    cipher_part(o->seal, NULL, ad) && cipher_part(o->seal, out, in) &&
	    EVP_EncryptFinal_ex(o->seal, end, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(o->seal, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN,
		out + in.n) == 1;
	good &= EVP_EncryptInit_ex2(o->seal, NULL, zero_key, NULL, NULL) == 1;
	if (!good)
		wipe(out, in.n + GCM_TAG_LEN);
	return good ? OK : openssl_fail(ERR_PROVIDER);
}

static enum err
do_gcm_open(void *ctx, const uint8_t key[AES256_KEY_LEN],
    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
    uint8_t *out)
{
	struct openssl *o = (struct openssl *)ctx;
	uint8_t tag[GCM_TAG_LEN], end[16];
	struct span text;
	enum err e = ERR_PROVIDER;
	int n;

	if (ad.n > OPENSSL_INPUT_MAX || in.n > OPENSSL_INPUT_MAX)
		return ERR_TOO_LARGE;
	if (in.n < GCM_TAG_LEN)
		return ERR_AUTH;
	text = span_of(in.p, in.n - GCM_TAG_LEN);
	memcpy(tag, in.p + text.n, sizeof(tag));
	if (EVP_DecryptInit_ex2(o->open, NULL, key, nonce, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(o->open, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN,
		tag) == 1 &&
	    cipher_part(o->open, NULL, ad) && cipher_part(o->open, out, text))
		e = EVP_DecryptFinal_ex(o->open, end, &n) == 1 ? OK : ERR_AUTH;
	if (EVP_DecryptInit_ex2(o->open, NULL, zero_key, NULL, NULL) != 1)
		e = ERR_PROVIDER;
	if (e == OK)
		return OK;
	wipe(out, text.n);
	return openssl_fail(e);
}

static enum err
do_argon2id(void *ctx, struct span password, struct span salt, uint32_t m_kib,
    uint32_t t, uint32_t p, uint8_t *out, size_t n)
{
	(void)ctx;
	return host_argon2id(&(struct host_argon){ .password = password,
	    .salt = salt, .m_kib = m_kib, .t = t, .p = p }, out, n);
}

static void
do_forget(void *ctx, struct span seed)
{
	openssl_keys_forget((struct openssl *)ctx, seed);
}

/* A context for EVP_PKEY_fromdata of one algorithm; NULL when it is lacking. */
static EVP_PKEY_CTX *
from_ctx(const char *name)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);

	if (c != NULL && EVP_PKEY_fromdata_init(c) == 1)
		return c;
	EVP_PKEY_CTX_free(c);
	return NULL;
}

static bool
state_open(struct openssl *o)
{
	o->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	o->sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	o->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	o->ed25519 = EVP_SIGNATURE_fetch(NULL, "ED25519", NULL);
	o->mldsa = EVP_SIGNATURE_fetch(NULL, "ML-DSA-65", NULL);
	o->mlkem_from = from_ctx("ML-KEM-768");
	o->mldsa_from = from_ctx("ML-DSA-65");
	o->md256 = EVP_MD_CTX_new();
	o->md512 = EVP_MD_CTX_new();
	o->seal = EVP_CIPHER_CTX_new();
	o->open = EVP_CIPHER_CTX_new();
	return o->sha256 != NULL && o->sha512 != NULL && o->gcm != NULL &&
	    o->ed25519 != NULL && o->mldsa != NULL && o->mlkem_from != NULL &&
	    o->mldsa_from != NULL && o->md256 != NULL && o->md512 != NULL &&
	    o->seal != NULL && o->open != NULL &&
	    EVP_DigestInit_ex2(o->md256, o->sha256, NULL) == 1 &&
	    EVP_DigestInit_ex2(o->md512, o->sha512, NULL) == 1 &&
	    EVP_EncryptInit_ex2(o->seal, o->gcm, zero_key, NULL, NULL) == 1 &&
	    EVP_DecryptInit_ex2(o->open, o->gcm, zero_key, NULL, NULL) == 1;
}

void
openssl_provider_close(struct provider *p)
{
	struct openssl *o = (struct openssl *)p->ctx;

	if (o == NULL)
		return;
	openssl_keys_clear(o);
	EVP_MD_CTX_free(o->md256);
	EVP_MD_CTX_free(o->md512);
	EVP_CIPHER_CTX_free(o->seal);
	EVP_CIPHER_CTX_free(o->open);
	EVP_PKEY_CTX_free(o->mlkem_from);
	EVP_PKEY_CTX_free(o->mldsa_from);
	EVP_SIGNATURE_free(o->ed25519);
	EVP_SIGNATURE_free(o->mldsa);
	EVP_MD_free(o->sha256);
	EVP_MD_free(o->sha512);
	EVP_CIPHER_free(o->gcm);
	OPENSSL_clear_free(o, sizeof(*o));
	memset(p, 0, sizeof(*p));
}

enum err
openssl_provider_open(struct provider *out)
{
	struct openssl *o = (struct openssl *)OPENSSL_zalloc(sizeof(*o));

	memset(out, 0, sizeof(*out));
	if (o == NULL)
		return openssl_fail(ERR_NOMEM);
	*out = (struct provider){
		.ctx = o,
		.random = do_random,
		.sha256 = do_sha256, .sha512 = do_sha512,
		.hmac_sha256 = do_hmac_sha256,
		.gcm_seal = do_gcm_seal, .gcm_open = do_gcm_open,
		.argon2id = do_argon2id,
		.forget = do_forget,
	};
	openssl_curve_table(out);
	openssl_pq_table(out);
	if (state_open(o))
		return OK;
	openssl_provider_close(out);
	return openssl_fail(ERR_PROVIDER);
}

void
openssl_provider_forget(struct provider *p)
{
	if (p->ctx != NULL)
		openssl_keys_clear((struct openssl *)p->ctx);
}
