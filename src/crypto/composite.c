/*
 * composite.c: id-MLDSA65-Ed25519-SHA512. M' is short (at most 381 bytes), so
 * it is built on the stack and both halves sign the same bytes.
 */
#include "crypto/composite.h"

#define PREFIX "CompositeAlgorithmSignatures2025"
#define LABEL "COMPSIG-MLDSA65-Ed25519-SHA512"
#define CONTEXT_MAX 255
#define MPRIME_MAX (sizeof(PREFIX) - 1 + sizeof(LABEL) - 1 + 1 + \
	CONTEXT_MAX + SHA512_LEN)

static enum err
make_mprime(const struct provider *p, struct span context, struct span msg,
    uint8_t out[static MPRIME_MAX], struct span *mprime_out)
{
	struct wr w = wr_init(out, MPRIME_MAX);
	uint8_t digest[SHA512_LEN];

	if (context.n > CONTEXT_MAX)
		return ERR_ARG;
	TRY(p->sha512(p->ctx, &msg, 1, digest));
	wr_span(&w, SPAN(PREFIX));
	wr_span(&w, SPAN(LABEL));
	wr_u8(&w, (uint8_t)context.n);
	wr_span(&w, context);
	wr_bytes(&w, digest, sizeof(digest));
	*mprime_out = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_INTERNAL;
}

enum err
composite_generate(const struct provider *p, struct composite_priv *priv_out)
{
	enum err e = p->random(p->ctx, priv_out->b, sizeof(priv_out->b));

	if (e != OK)
		wipe(priv_out, sizeof(*priv_out));
	return e;
}

enum err
composite_make_pub(const struct provider *p, const struct composite_priv *priv,
    struct composite_pub *pub_out)
{
	enum err e;

	e = p->mldsa_pub(p->ctx, priv->b, pub_out->b);
	if (e == OK)
		e = p->ed25519_pub(p->ctx, priv->b + MLDSA_SEED_LEN,
		    pub_out->b + MLDSA_PUB_LEN);
	if (e != OK)
		memset(pub_out, 0, sizeof(*pub_out));
	return e;
}

enum err
composite_sign(const struct provider *p, const struct composite_priv *priv,
    struct span context, struct span msg, const uint8_t *rnd,
    struct composite_sig *sig_out)
{
	uint8_t scratch[MPRIME_MAX];
	struct span mprime;
	enum err e;

	e = make_mprime(p, context, msg, scratch, &mprime);
	if (e == OK)
		e = p->mldsa_sign(p->ctx, priv->b, SPAN(LABEL), mprime, rnd,
		    sig_out->b);
	if (e == OK)
		e = p->ed25519_sign(p->ctx, priv->b + MLDSA_SEED_LEN, mprime,
		    sig_out->b + MLDSA_SIG_LEN);
	if (e != OK)
		memset(sig_out, 0, sizeof(*sig_out));
	return e;
}

enum err
composite_verify(const struct provider *p,
    const uint8_t pub[static COMPOSITE_PUB_LEN], struct span context,
    struct span msg, const uint8_t sig[static COMPOSITE_SIG_LEN])
{
	uint8_t scratch[MPRIME_MAX];
	struct span mprime;

	TRY(make_mprime(p, context, msg, scratch, &mprime));
	/* The cheaper half first: a forgery costs the less. */
	TRY(p->ed25519_verify(p->ctx, pub + MLDSA_PUB_LEN, mprime,
	    sig + MLDSA_SIG_LEN));
	return p->mldsa_verify(p->ctx, pub, SPAN(LABEL), mprime, sig);
}
