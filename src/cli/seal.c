/*
 * seal.c: see seal.h.
 */
#include "cli/seal.h"

#include "crypto/hkdf.h"

#define DERIVED_LEN (AES256_KEY_LEN + GCM_NONCE_LEN)
#define AD_MAX (1 + SEAL_NAME_MAX + 8)
_Static_assert(DERIVED_LEN == 44, "docs/protocol.md, State at rest");

static enum err
derive(const struct provider *pv, const struct seal_key *k,
    const uint8_t *salt, uint8_t out[static DERIVED_LEN])
{
	return hkdf_derive(pv, span_of(salt, SEAL_SALT_LEN), SPAN_OF(k->b),
	    SPAN("NJ1 store"), out, DERIVED_LEN);
}

/* The last 8 bytes are the generation, so no length is needed. */
static enum err
make_ad(const struct seal_place *at, struct wr *w)
{
	wr_u8(w, at->kind);
	wr_span(w, at->key);
	wr_u64(w, at->generation);
	return wr_ok(w) ? OK : ERR_ARG;
}

enum err
seal_close(const struct provider *pv, const struct seal_key *k,
    const struct seal_place *at, struct span value, struct buf *out)
{
	uint8_t derived[DERIVED_LEN], ad[AD_MAX];
	struct wr w = wr_init(ad, sizeof(ad));
	TRY(make_ad(at, &w));
	TRY(buf_reserve(out, value.n + SEAL_OVERHEAD));
	uint8_t *salt = out->p + out->n;
	TRY(pv->random(pv->ctx, salt, SEAL_SALT_LEN));
	enum err e = derive(pv, k, salt, derived);
	if (e == OK)
		e = pv->gcm_seal(pv->ctx, derived, derived + AES256_KEY_LEN,
		    wr_done(&w), value, salt + SEAL_SALT_LEN);
	if (e == OK)
		out->n += value.n + SEAL_OVERHEAD;
	wipe(derived, sizeof(derived));
	return e;
}

enum err
seal_open(const struct provider *pv, const struct seal_key *k,
    const struct seal_place *at, struct span sealed, uint8_t *value_out,
    size_t *n_out)
{
	uint8_t derived[DERIVED_LEN], ad[AD_MAX];
	struct wr w = wr_init(ad, sizeof(ad));
	TRY(make_ad(at, &w));
	if (sealed.n < SEAL_OVERHEAD)
		return ERR_AUTH;
	enum err e = derive(pv, k, sealed.p, derived);
	if (e == OK)
		e = pv->gcm_open(pv->ctx, derived, derived + AES256_KEY_LEN,
		    wr_done(&w), span_sub(sealed, SEAL_SALT_LEN, sealed.n),
		    value_out);
	if (e == OK)
		*n_out = sealed.n - SEAL_OVERHEAD;
	wipe(derived, sizeof(derived));
	return e;
}

enum err
seal_id(const struct provider *pv, const struct seal_key *k,
    uint8_t out[static SEAL_ID_LEN])
{
	return hkdf_derive(pv, (struct span){ 0 }, SPAN_OF(k->b),
	    SPAN("NJ1 profile id"), out, SEAL_ID_LEN);
}
