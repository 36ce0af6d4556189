/*
 * attach.c: sealed files, see attach.h.
 */
#include "core/attach.h"

#include "core/pad.h"
#include "crypto/hkdf.h"

#define LABEL "NJ1 att"
#define OKM_LEN (AES256_KEY_LEN + 7 + SHA256_LEN)
_Static_assert(OKM_LEN == 71, "docs/protocol.md, Attachments");

enum err
attach_init(struct attach *a, const struct provider *p,
    const uint8_t key[static ATTACH_KEY_LEN])
{
	uint8_t okm[OKM_LEN];
	struct rd r = rd_init(SPAN_OF(okm));
	enum err e = hkdf_derive(p, (struct span){ 0 },
	    span_of(key, ATTACH_KEY_LEN), SPAN(LABEL), okm, sizeof(okm));

	*a = (struct attach){ .p = p };
	if (e == OK) {
		rd_bytes(&r, a->ek, sizeof(a->ek));
		rd_bytes(&r, a->np, sizeof(a->np));
		rd_bytes(&r, a->commit, sizeof(a->commit));
	}
	wipe(okm, sizeof(okm));
	return e;
}

void
attach_wipe(struct attach *a)
{
	wipe(a, sizeof(*a));
}

/* Padmé (docs/protocol.md, Padding), in 64 bits also where size_t has 32. */
static uint64_t
padme(uint64_t n)
{
	uint64_t e = 0, s = 1, unit;

	while (n >> (e + 1) != 0)
		e++;
	while (e >> s != 0)
		s++;
	unit = (uint64_t)1 << (e - s);
	return (n + unit - 1) / unit * unit;
}

uint64_t
attach_padded(uint64_t file_bytes)
{
	if (file_bytes > ATTACH_FILE_MAX)
		return 0;
	return file_bytes <= ATTACH_PADDED_MIN ? ATTACH_PADDED_MIN :
	    padme(file_bytes);
}

uint32_t
attach_chunks(uint64_t padded)
{
	return (uint32_t)((padded + ATTACH_CHUNK_LEN - 1) / ATTACH_CHUNK_LEN);
}

uint64_t
attach_blob(uint64_t padded)
{
	return SHA256_LEN + padded + (uint64_t)attach_chunks(padded) *
	    GCM_TAG_LEN;
}

size_t
attach_chunk_len(uint64_t padded, uint32_t i)
{
	uint64_t from = (uint64_t)i * ATTACH_CHUNK_LEN;

	if (from >= padded)
		return 0;
	return padded - from < ATTACH_CHUNK_LEN ? (size_t)(padded - from) :
	    ATTACH_CHUNK_LEN;
}

#define AD_LEN (sizeof(LABEL) - 1 + 4)

static void
nonce_and_ad(const struct attach *a, uint64_t padded, uint32_t i,
    uint8_t nonce[static GCM_NONCE_LEN], uint8_t ad[static AD_LEN])
{
	struct wr w = wr_init(nonce, GCM_NONCE_LEN);

	wr_bytes(&w, a->np, sizeof(a->np));
	wr_u32(&w, i);
	wr_u8(&w, i + 1 == attach_chunks(padded));
	w = wr_init(ad, AD_LEN);
	wr_span(&w, SPAN(LABEL));
	wr_u32(&w, ATTACH_CHUNK_LEN);
}

enum err
attach_seal(const struct attach *a, uint64_t padded, uint32_t i,
    struct span plain, uint8_t *out)
{
	uint8_t nonce[GCM_NONCE_LEN], ad[AD_LEN];

	if (plain.n == 0 || plain.n != attach_chunk_len(padded, i))
		return ERR_ARG;
	nonce_and_ad(a, padded, i, nonce, ad);
	return a->p->gcm_seal(a->p->ctx, a->ek, nonce, SPAN_OF(ad), plain,
	    out);
}

enum err
attach_open(const struct attach *a, uint64_t padded, uint32_t i,
    struct span sealed, uint8_t *out)
{
	uint8_t nonce[GCM_NONCE_LEN], ad[AD_LEN];
	size_t n = attach_chunk_len(padded, i);

	if (n == 0 || sealed.n != n + GCM_TAG_LEN)
		return ERR_FORMAT;
	nonce_and_ad(a, padded, i, nonce, ad);
	return a->p->gcm_open(a->p->ctx, a->ek, nonce, SPAN_OF(ad), sealed,
	    out);
}

enum err
attach_check_commit(const struct attach *a,
    const uint8_t commit[static SHA256_LEN])
{
	return ct_eq(a->commit, commit, SHA256_LEN) ? OK : ERR_NO_KEY;
}
