/*
 * verification.c: signed verified marks, see verification.h.
 */
#include "pub/verification.h"

#define VERIFICATION_VERSION 1
#define CONTEXT SPAN("NJ1/verified")

static bool
is_well_formed(const struct verification *v)
{
	return v->device >= 1 && (v->method == VERIFICATION_NUMBER ||
	    v->method == VERIFICATION_CODE) && !ID_EQ(v->account, v->peer);
}

enum err
verification_decode(struct span bytes, struct verification *out)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r), flags;

	memset(out, 0, sizeof(*out));
	if (!r.bad && version != VERIFICATION_VERSION)
		return ERR_VERSION;
	rd_bytes(&r, out->account.b, ID_LEN);
	out->device = rd_u32(&r);
	rd_bytes(&r, out->cert_hash, SHA256_LEN);
	rd_bytes(&r, out->peer.b, ID_LEN);
	rd_bytes(&r, out->peer_aik_hash, SHA256_LEN);
	out->method = rd_u8(&r);
	flags = rd_u8(&r);
	out->withdrawn = (flags & VERIFICATION_WITHDRAWN) != 0;
	out->time_ms = rd_u64(&r);
	(void)rd_span(&r, COMPOSITE_SIG_LEN);
	if (rd_done(&r) && is_well_formed(out) &&
	    (flags & ~VERIFICATION_WITHDRAWN) == 0)
		return OK;
	memset(out, 0, sizeof(*out));
	return ERR_FORMAT;
}

enum err
verification_encode(const struct verification *v, struct wr *w)
{
	if (!is_well_formed(v))
		return ERR_ARG;
	wr_u8(w, VERIFICATION_VERSION);
	wr_bytes(w, v->account.b, ID_LEN);
	wr_u32(w, v->device);
	wr_bytes(w, v->cert_hash, SHA256_LEN);
	wr_bytes(w, v->peer.b, ID_LEN);
	wr_bytes(w, v->peer_aik_hash, SHA256_LEN);
	wr_u8(w, v->method);
	wr_u8(w, v->withdrawn ? VERIFICATION_WITHDRAWN : 0);
	wr_u64(w, v->time_ms);
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
verification_sign(const struct provider *p, const struct composite_priv *dsk,
    const struct verification *v, struct wr *w)
{
	struct composite_sig sig;
	size_t from = w->n;

	TRY(verification_encode(v, w));
	TRY(composite_sign(p, dsk, CONTEXT,
	    span_sub(wr_done(w), from, VERIFICATION_BODY_LEN), NULL, &sig));
	wr_bytes(w, sig.b, sizeof(sig.b));
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
verification_verify(const struct provider *p, struct span bytes,
    const struct cert *c, const uint8_t cert_hash[static SHA256_LEN],
    struct verification *out)
{
	enum err e = OK;

	TRY(verification_decode(bytes, out));
	if (!ID_EQ(out->account, c->account) || out->device != c->device)
		e = ERR_FORBIDDEN;
	else if (memcmp(out->cert_hash, cert_hash, SHA256_LEN) != 0)
		e = ERR_UNTRUSTED;
	if (e == OK)
		e = composite_verify(p, c->dsk, CONTEXT,
		    span_sub(bytes, 0, VERIFICATION_BODY_LEN),
		    span_sub(bytes, VERIFICATION_BODY_LEN,
		    COMPOSITE_SIG_LEN).p);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

bool
verification_replaces(const struct verification *a,
    const struct verification *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms > b->time_ms;
	return a->withdrawn && !b->withdrawn;
}
