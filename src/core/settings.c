/*
 * settings.c: sealed settings of an account, see settings.h.
 */
#include "core/settings.h"

#include "core/pad.h"
#include "crypto/hkdf.h"

#define TYPE_SETTINGS 0x10
#define SETTINGS_VERSION 1
#define SALT_LEN 32
#define HEAD_LEN (2 + SALT_LEN)
#define LABEL "NJ1 settings"
#define DERIVED_LEN (AES256_KEY_LEN + GCM_NONCE_LEN)
#define AD_LEN (sizeof(LABEL) - 1 + ID_LEN + 8 + HEAD_LEN)
_Static_assert(HEAD_LEN + GCM_TAG_LEN == SETTINGS_OVERHEAD,
    "docs/protocol.md, Settings");

static enum err
derive(const struct provider *p, const uint8_t *secret, const uint8_t *salt,
    uint8_t out[static DERIVED_LEN])
{
	struct span ikm = span_of(secret, SETTINGS_SECRET_LEN);
	struct span info[2] = { SPAN(LABEL), span_of(salt, SALT_LEN) };

	return hkdf_derive_parts(p, (struct span){ 0 }, &ikm, 1, info, 2, out,
	    DERIVED_LEN);
}

static struct span
make_ad(const struct user_id *account, uint64_t version, struct span head,
    uint8_t mem[static AD_LEN])
{
	struct wr w = wr_init(mem, AD_LEN);

	wr_span(&w, SPAN(LABEL));
	wr_bytes(&w, account->b, ID_LEN);
	wr_u64(&w, version);
	wr_span(&w, head);
	return wr_done(&w);
}

enum err
settings_seal(const struct provider *p,
    const uint8_t secret[static SETTINGS_SECRET_LEN],
    const struct user_id *account, uint64_t version, struct span plain,
    struct wr *w)
{
	uint8_t derived[DERIVED_LEN], ad[AD_LEN];
	size_t from = w->n, at, n;
	uint8_t *salt;
	struct span head;
	enum err e;

	if (plain.n > SETTINGS_PLAIN_MAX)
		return ERR_TOO_LARGE;
	n = pad_len(plain.n);
	wr_u8(w, TYPE_SETTINGS);
	wr_u8(w, SETTINGS_VERSION);
	salt = wr_room(w, SALT_LEN);
	at = w->n;
	/* Padded where it will be sealed, in place. */
	TRY(pad_write(w, plain));
	wr_zeros(w, GCM_TAG_LEN);
	if (!wr_ok(w) || salt == NULL)
		return ERR_SPACE;
	TRY(p->random(p->ctx, salt, SALT_LEN));
	head = span_sub(wr_done(w), from, HEAD_LEN);
	e = derive(p, secret, salt, derived);
	if (e == OK)
		e = p->gcm_seal(p->ctx, derived, &derived[AES256_KEY_LEN],
		    make_ad(account, version, head, ad),
		    span_sub(wr_done(w), at, n), &w->p[at]);
	wipe(derived, sizeof(derived));
	if (e != OK)
		wipe(&w->p[at], n);
	return e;
}

enum err
settings_open(const struct provider *p,
    const uint8_t secret[static SETTINGS_SECRET_LEN],
    const struct user_id *account, uint64_t version, struct span sealed,
    uint8_t *mem, struct span *plain_out)
{
	uint8_t derived[DERIVED_LEN], ad[AD_LEN];
	struct span head = span_sub(sealed, 0, HEAD_LEN);
	struct span body = span_sub(sealed, HEAD_LEN, sealed.n);
	enum err e;

	if (sealed.n >= 2 && sealed.p[0] == TYPE_SETTINGS &&
	    sealed.p[1] != SETTINGS_VERSION)
		return ERR_VERSION;
	if (sealed.n < SETTINGS_OVERHEAD || sealed.n > SETTINGS_SEALED_MAX ||
	    sealed.p[0] != TYPE_SETTINGS)
		return ERR_FORMAT;
	e = derive(p, secret, span_sub(head, 2, SALT_LEN).p, derived);
	if (e == OK)
		e = p->gcm_open(p->ctx, derived, &derived[AES256_KEY_LEN],
		    make_ad(account, version, head, ad), body, mem);
	wipe(derived, sizeof(derived));
	if (e != OK)
		return e;
	return pad_read(span_of(mem, body.n - GCM_TAG_LEN), plain_out);
}
