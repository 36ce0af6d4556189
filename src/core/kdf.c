/*
 * kdf.c: the key derivations of the ratchet, see kdf.h.
 */
#include "core/kdf.h"

#include "crypto/hkdf.h"

enum err
kdf_root(const struct provider *p, uint8_t rk[static KEY_LEN],
    const uint8_t dh[static X25519_LEN], const uint8_t *pq, uint32_t epoch,
    uint8_t ck_out[static KEY_LEN])
{
	uint8_t okm[2 * KEY_LEN], e4[4];
	struct wr w = wr_init(e4, sizeof(e4));
	struct span ikm[2] = { span_of(dh, X25519_LEN),
	    span_of(pq, pq == NULL ? 0 : MLKEM_SS_LEN) };
	struct span info[2] = { SPAN("NJ1 root"), SPAN_OF(e4) };
	enum err e;

	wr_u32(&w, epoch);
	e = hkdf_derive_parts(p, span_of(rk, KEY_LEN), ikm, 2, info, 2, okm,
	    sizeof(okm));
	memset(ck_out, 0, KEY_LEN);
	if (e == OK) {
		memcpy(rk, okm, KEY_LEN);
		memcpy(ck_out, okm + KEY_LEN, KEY_LEN);
	}
	wipe(okm, sizeof(okm));
	return e;
}

enum err
kdf_message_key(const struct provider *p, const uint8_t ck[static KEY_LEN],
    uint8_t mk_out[static KEY_LEN])
{
	static const uint8_t one = 1;
	struct span part = span_of(&one, 1);

	return p->hmac_sha256(p->ctx, span_of(ck, KEY_LEN), &part, 1, mk_out);
}

enum err
kdf_chain_step(const struct provider *p, uint8_t ck[static KEY_LEN])
{
	static const uint8_t two = 2;
	struct span part = span_of(&two, 1);

	return p->hmac_sha256(p->ctx, span_of(ck, KEY_LEN), &part, 1, ck);
}

enum err
kdf_seal_key(const struct provider *p, const uint8_t mk[static KEY_LEN],
    const uint8_t salt[static SALT_LEN],
    uint8_t key_out[static AES256_KEY_LEN],
    uint8_t nonce_out[static GCM_NONCE_LEN])
{
	uint8_t okm[AES256_KEY_LEN + GCM_NONCE_LEN];
	struct span info[2] = { SPAN("NJ1 msg"), span_of(salt, SALT_LEN) };
	enum err e = hkdf_expand(p, span_of(mk, KEY_LEN), info, 2, okm,
	    sizeof(okm));

	memcpy(key_out, okm, AES256_KEY_LEN);
	memcpy(nonce_out, okm + AES256_KEY_LEN, GCM_NONCE_LEN);
	wipe(okm, sizeof(okm));
	return e;
}
