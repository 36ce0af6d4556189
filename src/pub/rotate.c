/*
 * rotate.c: renewals of an account key, see rotate.h.
 */
#include "pub/rotate.h"

#define ROTATE_VERSION 1
#define CONTEXT SPAN("NJ1/aik-rotate")

static bool
is_well_formed(const struct rotate *r)
{
	/* Version 1 is an account's first list: nothing can follow into it. */
	return r->version >= 2 &&
	    memcmp(r->old_aik, r->new_aik, COMPOSITE_PUB_LEN) != 0;
}

enum err
rotate_decode(struct span bytes, struct rotate *out)
{
	struct rd r = rd_init(bytes);
	uint8_t version = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	if (!r.bad && version != ROTATE_VERSION)
		return ERR_VERSION;
	rd_bytes(&r, out->account.b, ID_LEN);
	rd_bytes(&r, out->old_aik, COMPOSITE_PUB_LEN);
	rd_bytes(&r, out->new_aik, COMPOSITE_PUB_LEN);
	out->version = rd_u64(&r);
	out->time_ms = rd_u64(&r);
	(void)rd_span(&r, 2 * (size_t)COMPOSITE_SIG_LEN);
	if (rd_done(&r) && is_well_formed(out))
		return OK;
	memset(out, 0, sizeof(*out));
	return ERR_FORMAT;
}

enum err
rotate_encode(const struct rotate *r, struct wr *w)
{
	if (!is_well_formed(r))
		return ERR_ARG;
	wr_u8(w, ROTATE_VERSION);
	wr_bytes(w, r->account.b, ID_LEN);
	wr_bytes(w, r->old_aik, COMPOSITE_PUB_LEN);
	wr_bytes(w, r->new_aik, COMPOSITE_PUB_LEN);
	wr_u64(w, r->version);
	wr_u64(w, r->time_ms);
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
rotate_sign(const struct provider *p, const struct composite_priv *old_aik,
    const struct composite_priv *new_aik, const struct rotate *r, struct wr *w)
{
	struct composite_sig sig;
	struct span body;
	size_t from = w->n;

	TRY(rotate_encode(r, w));
	body = span_sub(wr_done(w), from, ROTATE_BODY_LEN);
	TRY(composite_sign(p, old_aik, CONTEXT, body, NULL, &sig));
	wr_bytes(w, sig.b, sizeof(sig.b));
	TRY(composite_sign(p, new_aik, CONTEXT, body, NULL, &sig));
	wr_bytes(w, sig.b, sizeof(sig.b));
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
rotate_verify(const struct provider *p, struct span bytes,
    const struct user_id *account, struct rotate *out)
{
	struct span body, old_sig, new_sig;
	enum err e;

	TRY(rotate_decode(bytes, out));
	body = span_sub(bytes, 0, ROTATE_BODY_LEN);
	old_sig = span_sub(bytes, ROTATE_BODY_LEN, COMPOSITE_SIG_LEN);
	new_sig = span_sub(bytes, ROTATE_BODY_LEN + COMPOSITE_SIG_LEN,
	    COMPOSITE_SIG_LEN);
	e = ID_EQ(out->account, *account) ? OK : ERR_FORBIDDEN;
	/* docs/protocol.md, Renewing the account key: both signatures. */
	if (e == OK)
		e = composite_verify(p, out->old_aik, CONTEXT, body,
		    old_sig.p);
	if (e == OK)
		e = composite_verify(p, out->new_aik, CONTEXT, body,
		    new_sig.p);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

bool
rotate_conflicts(const struct rotate *a, const struct rotate *b)
{
	return ID_EQ(a->account, b->account) &&
	    memcmp(a->old_aik, b->old_aik, COMPOSITE_PUB_LEN) == 0 &&
	    memcmp(a->new_aik, b->new_aik, COMPOSITE_PUB_LEN) != 0;
}

enum err
rotate_succeeds(const struct rotate *r, const struct devlist *known,
    const uint8_t known_hash[static SHA256_LEN], const struct devlist *next,
    const uint8_t next_hash[static SHA256_LEN])
{
	if (!ID_EQ(r->account, known->account))
		return ERR_FORBIDDEN;
	if (memcmp(r->old_aik, known->aik, COMPOSITE_PUB_LEN) != 0 ||
	    memcmp(r->new_aik, next->aik, COMPOSITE_PUB_LEN) != 0 ||
	    r->version != next->version)
		return ERR_UNTRUSTED;
	if (next->version <= known->version ||
	    next->version - known->version != 1)
		return ERR_LIST_CONFLICT;
	return devlist_follow_renewed(known, known_hash, next, next_hash);
}

/* Keys and version alone, of the renewals that verified. */
struct hop {
	const uint8_t *from, *to;	/* account keys, in the signed bytes */
	uint64_t version;
};

static bool
same_key(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, COMPOSITE_PUB_LEN) == 0;
}

static bool
contradict(const struct hop *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (same_key(h[i].from, h[k].from) &&
			    !same_key(h[i].to, h[k].to))
				return true;
	return false;
}

/* The lowest version from which a renewal leads on from this key. */
static const struct hop *
leads_on(const struct hop *h, size_t n, const uint8_t *key, uint64_t above)
{
	const struct hop *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (same_key(h[i].from, key) && h[i].version > above &&
		    (best == NULL || h[i].version < best->version))
			best = &h[i];
	return best;
}

enum err
rotate_lead(const struct provider *p, const struct span *rotations, size_t n,
    const struct devlist *known, const struct devlist *next)
{
	struct hop hops[ROTATE_CHAIN_MAX];
	const struct hop *hop;
	const uint8_t *key = known->aik;
	uint64_t version = known->version;
	struct rotate r;

	if (n > ROTATE_CHAIN_MAX)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < n; i++) {
		TRY(rotate_verify(p, rotations[i], &known->account, &r));
		hops[i].from = span_sub(rotations[i], 1 + ID_LEN,
		    COMPOSITE_PUB_LEN).p;
		hops[i].to = span_sub(rotations[i], 1 + ID_LEN +
		    COMPOSITE_PUB_LEN, COMPOSITE_PUB_LEN).p;
		hops[i].version = r.version;
	}
	if (contradict(hops, n))
		return ERR_CONFLICT;
	/* Versions grow with each step, so this ends. */
	while (!same_key(key, next->aik)) {
		hop = leads_on(hops, n, key, version);
		if (hop == NULL || hop->version > next->version)
			return ERR_IDENTITY_CHANGED;
		key = hop->to;
		version = hop->version;
	}
	return OK;
}
