/*
 * composites.c: the examples of draft-ietf-lamps-pq-composite-sigs. Of its
 * algorithms ours is id-MLDSA65-Ed25519-SHA512; others do not apply.
 */
#include "crypto/composite.h"
#include "vectors/schema.h"

struct example {
	struct span msg, context, pub, priv, sig, sig_context;
};

static bool
recognise(const struct vector_file *f)
{
	yyjson_val *first = yyjson_arr_get_first(
	    yyjson_obj_get(f->root, "tests"));

	return yyjson_is_str(yyjson_obj_get(f->root, "m")) &&
	    yyjson_is_str(yyjson_obj_get(f->root, "ctx")) &&
	    yyjson_is_str(yyjson_obj_get(first, "s")) &&
	    yyjson_is_str(yyjson_obj_get(first, "sWithContext"));
}

static bool
example_of(const struct vector_file *f, yyjson_val *test, struct example *x)
{
	return field_base64(f, f->root, "m", &x->msg) &&
	    field_base64(f, f->root, "ctx", &x->context) &&
	    field_base64(f, test, "pk", &x->pub) &&
	    field_base64(f, test, "sk", &x->priv) &&
	    field_base64(f, test, "s", &x->sig) &&
	    field_base64(f, test, "sWithContext", &x->sig_context) &&
	    x->pub.n == COMPOSITE_PUB_LEN && x->priv.n == COMPOSITE_PRIV_LEN &&
	    x->sig.n == COMPOSITE_SIG_LEN &&
	    x->sig_context.n == COMPOSITE_SIG_LEN;
}

static void
verify_all(const struct vector_file *f, const struct example *x,
    struct tally *t)
{
	const struct provider *p = f->provider;
	struct span none = { NULL, 0 };
	struct composite_sig bad;

	tally_err(t, "verify", composite_verify(p, x->pub.p, none, x->msg,
	    x->sig.p), OK);
	tally_err(t, "verify with context", composite_verify(p, x->pub.p,
	    x->context, x->msg, x->sig_context.p), OK);
	tally_err(t, "verify with another context", composite_verify(p,
	    x->pub.p, x->context, x->msg, x->sig.p), ERR_AUTH);
	/* Each half alone has to hold. */
	memcpy(bad.b, x->sig.p, sizeof(bad.b));
	bad.b[7] ^= 1;
	tally_err(t, "verify with a bad ML-DSA half", composite_verify(p,
	    x->pub.p, none, x->msg, bad.b), ERR_AUTH);
	bad.b[7] ^= 1;
	bad.b[MLDSA_SIG_LEN + 7] ^= 1;
	tally_err(t, "verify with a bad Ed25519 half", composite_verify(p,
	    x->pub.p, none, x->msg, bad.b), ERR_AUTH);
}

static void
sign_all(const struct vector_file *f, const struct example *x,
    struct tally *t)
{
	const struct provider *p = f->provider;
	struct composite_priv priv;
	struct composite_pub pub;
	struct composite_sig sig;
	enum err e;

	memcpy(priv.b, x->priv.p, sizeof(priv.b));
	e = composite_make_pub(p, &priv, &pub);
	if (e == OK && memcmp(pub.b, x->pub.p, sizeof(pub.b)) != 0)
		tally_fail(t, "public key", "another result");
	else
		tally_err(t, "public key", e, OK);
	e = composite_sign(p, &priv, x->context, x->msg, NULL, &sig);
	if (e == OK)
		e = composite_verify(p, x->pub.p, x->context, x->msg, sig.b);
	tally_err(t, "sign and verify", e, OK);
	/* The Ed25519 half has no randomness: it is the one of the example. */
	if (memcmp(sig.b + MLDSA_SIG_LEN, x->sig_context.p + MLDSA_SIG_LEN,
	    ED25519_SIG_LEN) == 0)
		tally_pass(t);
	else
		tally_fail(t, "sign", "another Ed25519 half");
	wipe(&priv, sizeof(priv));
}

static void
run(const struct vector_file *f, struct tally *t)
{
	yyjson_arr_iter tests;
	yyjson_val *test;
	struct example x;
	const char *id;

	yyjson_arr_iter_init(yyjson_obj_get(f->root, "tests"), &tests);
	while ((test = yyjson_arr_iter_next(&tests)) != NULL) {
		struct arena_mark mark = arena_mark(f->arena);

		if (!field_str(test, "tcId", &id)) {
			tally_fail(t, "?", "a case without tcId");
		} else if (strcmp(id, "id-MLDSA65-Ed25519-SHA512") != 0) {
			tally_skip(t);
		} else if (!example_of(f, test, &x)) {
			tally_fail(t, id, "the case is malformed");
		} else {
			verify_all(f, &x, t);
			sign_all(f, &x, t);
		}
		arena_reset(f->arena, mark);
	}
}

const struct vector_schema composite_schema = {
	"composite signatures", recognise, run
};
