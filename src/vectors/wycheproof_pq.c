/*
 * wycheproof_pq.c: ML-KEM-768 and ML-DSA-65. Keys that are seeds go through
 * the provider, expanded ones and the internal interface through expanded.c.
 */
#include "vectors/expanded.h"
#include "vectors/wycheproof_private.h"

/* The groups name their parameter set; ours is one. */
static bool
is_768(yyjson_val *group)
{
	const char *set;

	return field_str(group, "parameterSet", &set) &&
	    strcmp(set, "ML-KEM-768") == 0;
}

CASE(wycheproof_pq_kem)
{
	const struct provider *p = f->provider;
	struct span seed, ek, ct, ss;
	uint8_t got_ek[MLKEM_EK_LEN], got[MLKEM_SS_LEN];
	enum err e;

	if (!field_hex(f, test, "seed", &seed) || !field_hex(f, test, "c", &ct) ||
	    !field_hex(f, test, "K", &ss))
		return IS_MALFORMED;
	if (!is_768(group))
		return IS_NOT_APPLICABLE;
	if (seed.n != MLKEM_SEED_LEN || ct.n != MLKEM_CT_LEN)
		return DID_REFUSE;
	if (field_hex(f, test, "ek", &ek)) {
		e = p->mlkem_pub(p->ctx, seed.p, got_ek);
		if (e != OK)
			return wycheproof_outcome(e, false);
		if (!wycheproof_same(got_ek, sizeof(got_ek), ek))
			return DID_DIFFER;
	}
	e = p->mlkem_decaps(p->ctx, seed.p, ct.p, got);
	return wycheproof_result(e, got, sizeof(got), ss);
}

CASE(wycheproof_pq_kem_keygen)
{
	const struct provider *p = f->provider;
	uint8_t got_ek[MLKEM_EK_LEN], got_dk[EXPANDED_MLKEM_DK_LEN];
	struct span seed, ek, dk;
	enum err e;

	if (!field_hex(f, test, "seed", &seed) ||
	    !field_hex(f, test, "ek", &ek) || !field_hex(f, test, "dk", &dk))
		return IS_MALFORMED;
	if (!is_768(group))
		return IS_NOT_APPLICABLE;
	if (seed.n != MLKEM_SEED_LEN)
		return DID_REFUSE;
	e = p->mlkem_pub(p->ctx, seed.p, got_ek);
	if (e == OK)
		e = expanded_mlkem_dk(seed.p, got_dk);
	return wycheproof_outcome(e, e == OK &&
	    wycheproof_same(got_ek, sizeof(got_ek), ek) &&
	    wycheproof_same(got_dk, sizeof(got_dk), dk));
}

CASE(wycheproof_pq_kem_encaps)
{
	const struct provider *p = f->provider;
	struct span m, ek, ct, ss;
	uint8_t got_ct[MLKEM_CT_LEN], got[MLKEM_SS_LEN];
	enum err e;

	if (!field_hex(f, test, "m", &m) || !field_hex(f, test, "ek", &ek) ||
	    !field_hex(f, test, "c", &ct) || !field_hex(f, test, "K", &ss))
		return IS_MALFORMED;
	if (!is_768(group))
		return IS_NOT_APPLICABLE;
	if (m.n != 32 || ek.n != MLKEM_EK_LEN)
		return DID_REFUSE;
	e = p->mlkem_check(p->ctx, ek.p);
	if (e != p->mlkem_encaps(p->ctx, ek.p, m.p, got_ct, got))
		return DID_BREAK;	/* the check alone has to agree */
	return wycheproof_outcome(e, e == OK &&
	    wycheproof_same(got_ct, sizeof(got_ct), ct) &&
	    wycheproof_same(got, sizeof(got), ss));
}

CASE(wycheproof_pq_kem_expanded)
{
	struct span dk, ct, ss;
	uint8_t got[MLKEM_SS_LEN];
	enum err e;

	if (!field_hex(f, test, "dk", &dk) || !field_hex(f, test, "c", &ct))
		return IS_MALFORMED;
	if (!is_768(group))
		return IS_NOT_APPLICABLE;
	e = expanded_mlkem_decaps(dk, ct, got);
	return wycheproof_outcome(e, e == OK && field_hex(f, test, "K", &ss) &&
	    wycheproof_same(got, sizeof(got), ss));
}

/* What signing cases share: context, message or mu, randomness. */
struct signing {
	struct span context, msg;
	const uint8_t *rnd;
	enum expanded_mode mode;
};

static bool
signing_of(const struct vector_file *f, yyjson_val *test, struct signing *out)
{
	static const uint8_t zeros[32];
	bool has_msg = yyjson_obj_get(test, "msg") != NULL;

	*out = (struct signing){ .rnd = zeros,
	    .mode = has_msg ? EXPANDED_PURE : EXPANDED_MU };
	if (yyjson_obj_get(test, "ctx") != NULL &&
	    !field_hex(f, test, "ctx", &out->context))
		return false;
	if (yyjson_obj_get(test, "rnd") != NULL &&
	    !field_hex_n(f, test, "rnd", 32, &out->rnd))
		return false;
	return field_hex(f, test, has_msg ? "msg" : "mu", &out->msg);
}

CASE(wycheproof_pq_dsa_seed)
{
	const struct provider *p = f->provider;
	uint8_t got_pub[MLDSA_PUB_LEN], got[MLDSA_SIG_LEN];
	struct span seed, pub, sig;
	struct signing s;
	enum err e;

	if (!field_hex(f, group, "privateSeed", &seed) ||
	    !field_hex(f, test, "sig", &sig) || !signing_of(f, test, &s))
		return IS_MALFORMED;
	if (seed.n != MLDSA_SEED_LEN)
		return DID_REFUSE;
	if (field_hex(f, group, "publicKey", &pub) && pub.n > 0) {
		e = p->mldsa_pub(p->ctx, seed.p, got_pub);
		if (e != OK || !wycheproof_same(got_pub, sizeof(got_pub), pub))
			return wycheproof_outcome(e, false);
	}
	e = s.mode == EXPANDED_PURE ?
	    p->mldsa_sign(p->ctx, seed.p, s.context, s.msg, s.rnd, got) :
	    expanded_mldsa_sign(seed, s.mode, s.context, s.msg, s.rnd, got);
	return wycheproof_result(e, got, sizeof(got), sig);
}

CASE(wycheproof_pq_dsa_expanded)
{
	uint8_t got[MLDSA_SIG_LEN];
	struct span key, sig;
	struct signing s;
	enum err e;

	if (!field_hex(f, group, "privateKey", &key) ||
	    !field_hex(f, test, "sig", &sig) || !signing_of(f, test, &s))
		return IS_MALFORMED;
	e = expanded_mldsa_sign(key, s.mode, s.context, s.msg, s.rnd, got);
	return wycheproof_result(e, got, sizeof(got), sig);
}

CASE(wycheproof_pq_dsa_verify)
{
	const struct provider *p = f->provider;
	struct span pub, msg, sig, context = { NULL, 0 };

	if (!field_hex(f, group, "publicKey", &pub) ||
	    !field_hex(f, test, "msg", &msg) ||
	    !field_hex(f, test, "sig", &sig) ||
	    (yyjson_obj_get(test, "ctx") != NULL &&
	    !field_hex(f, test, "ctx", &context)))
		return IS_MALFORMED;
	if (pub.n != MLDSA_PUB_LEN || sig.n != MLDSA_SIG_LEN)
		return DID_REFUSE;
	return wycheproof_outcome(p->mldsa_verify(p->ctx, pub.p, context, msg,
	    sig.p), true);
}
