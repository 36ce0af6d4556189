/*
 * cert.c: codec and checks of device certificates, see cert.h.
 */
#include "pub/cert.h"

#include "crypto/hash.h"
#include "crypto/strict.h"

#define CERT_VERSION 1

static bool
suites_are_distinct(const struct cert *c)
{
	for (uint8_t i = 0; i < c->suites_n; i++)
		for (uint8_t k = 0; k < i; k++)
			if (c->suites[i] == c->suites[k])
				return false;
	return true;
}

/* What decode demands beyond lengths, and encode of its caller. */
static bool
is_well_formed(const struct cert *c)
{
	return c->device >= 1 && (c->flags & ~DEVICE_FLAGS) == 0 &&
	    c->suites_n >= 1 && c->suites_n <= CERT_SUITES_MAX &&
	    suites_are_distinct(c) && c->vmin >= 1 && c->vmin <= c->vmax;
}

static void
read_body(struct rd *r, struct cert *c)
{
	rd_bytes(r, c->account.b, ID_LEN);
	rd_bytes(r, c->aik_hash, sizeof(c->aik_hash));
	c->device = rd_u32(r);
	c->created_ms = rd_u64(r);
	c->flags = rd_u8(r);
	rd_bytes(r, c->dsk, sizeof(c->dsk));
	rd_bytes(r, c->ikx, sizeof(c->ikx));
	rd_bytes(r, c->ikk, sizeof(c->ikk));
	c->suites_n = rd_u8(r);
	if (c->suites_n > CERT_SUITES_MAX) {
		r->bad = true;
		return;
	}
	for (uint8_t i = 0; i < c->suites_n; i++)
		c->suites[i] = rd_u16(r);
	c->vmin = rd_u8(r);
	c->vmax = rd_u8(r);
}

enum err
cert_decode(struct span bytes, struct cert *out)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	if (!r.bad && version != CERT_VERSION)
		return ERR_VERSION;
	read_body(&r, out);
	if (rd_done(&r) && is_well_formed(out))
		return OK;
	memset(out, 0, sizeof(*out));
	return ERR_FORMAT;
}

enum err
cert_encode(const struct cert *c, struct wr *w)
{
	if (!is_well_formed(c))
		return ERR_ARG;
	wr_u8(w, CERT_VERSION);
	wr_bytes(w, c->account.b, ID_LEN);
	wr_bytes(w, c->aik_hash, sizeof(c->aik_hash));
	wr_u32(w, c->device);
	wr_u64(w, c->created_ms);
	wr_u8(w, c->flags);
	wr_bytes(w, c->dsk, sizeof(c->dsk));
	wr_bytes(w, c->ikx, sizeof(c->ikx));
	wr_bytes(w, c->ikk, sizeof(c->ikk));
	wr_u8(w, c->suites_n);
	for (uint8_t i = 0; i < c->suites_n; i++)
		wr_u16(w, c->suites[i]);
	wr_u8(w, c->vmin);
	wr_u8(w, c->vmax);
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
cert_check(const struct cert *c)
{
	/*
	 * docs/protocol.md, Keys: every X25519 value that is received MUST be
	 * canonical, every ML-KEM key MUST pass the modulus check.
	 */
	if (!strict_x25519(c->ikx) || !strict_mlkem(c->ikk))
		return ERR_FORMAT;
	return c->vmin <= 1 ? OK : ERR_VERSION;
}

enum err
cert_hash(const struct provider *p, struct span bytes,
    uint8_t out[static SHA256_LEN])
{
	return hash_tuple1(p, "NJ1 cert", bytes, out);
}

enum err
cert_aik_hash(const struct provider *p,
    const uint8_t aik[static COMPOSITE_PUB_LEN], uint8_t out[static SHA256_LEN])
{
	return hash_tuple1(p, "NJ1 aik", span_of(aik, COMPOSITE_PUB_LEN), out);
}

bool
cert_has_suite(const struct cert *c, uint16_t suite)
{
	for (uint8_t i = 0; i < c->suites_n; i++)
		if (c->suites[i] == suite)
			return true;
	return false;
}
