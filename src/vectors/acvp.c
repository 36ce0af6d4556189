/*
 * acvp.c: files of NIST's ACVP server for FIPS 203 and FIPS 204 (question and
 * answer joined): ML-KEM-768 keyGen and encapDecap, ML-DSA-65 keyGen, sigGen
 * and sigVer. The signature files exercise the internal interface, where the
 * message is M' itself.
 */
#include <stdio.h>

#include "vectors/expanded.h"
#include "vectors/schema.h"

/* What came of a case: an error, and whether the result is the given one. */
struct result {
	enum err e;
	bool same;
	bool malformed;
};

static const struct result malformed = { .malformed = true };

typedef struct result case_fn(const struct vector_file *f, yyjson_val *group,
    yyjson_val *test);

static bool
same(const uint8_t *got, size_t n, struct span want)
{
	return span_eq(span_of(got, n), want);
}

static struct result
kem_keygen(const struct vector_file *f, yyjson_val *group, yyjson_val *test)
{
	const struct provider *p = f->provider;
	uint8_t seed[MLKEM_SEED_LEN], got_ek[MLKEM_EK_LEN];
	uint8_t got_dk[EXPANDED_MLKEM_DK_LEN];
	const uint8_t *d, *z;
	struct span ek, dk;
	struct result r = { 0 };

	(void)group;
	if (!field_hex_n(f, test, "d", 32, &d) ||
	    !field_hex_n(f, test, "z", 32, &z) ||
	    !field_hex(f, test, "ek", &ek) || !field_hex(f, test, "dk", &dk))
		return malformed;
	memcpy(seed, d, 32);
	memcpy(seed + 32, z, 32);
	r.e = p->mlkem_pub(p->ctx, seed, got_ek);
	if (r.e == OK)
		r.e = expanded_mlkem_dk(seed, got_dk);
	r.same = r.e == OK && same(got_ek, sizeof(got_ek), ek) &&
	    same(got_dk, sizeof(got_dk), dk);
	return r;
}

static struct result
kem_encaps(const struct vector_file *f, yyjson_val *test)
{
	const struct provider *p = f->provider;
	uint8_t got_ct[MLKEM_CT_LEN], got[MLKEM_SS_LEN];
	const uint8_t *ek, *m;
	struct span ct, ss;
	struct result r = { 0 };

	if (!field_hex_n(f, test, "ek", MLKEM_EK_LEN, &ek) ||
	    !field_hex_n(f, test, "m", 32, &m) ||
	    !field_hex(f, test, "c", &ct) || !field_hex(f, test, "k", &ss))
		return malformed;
	r.e = p->mlkem_encaps(p->ctx, ek, m, got_ct, got);
	r.same = r.e == OK && same(got_ct, sizeof(got_ct), ct) &&
	    same(got, sizeof(got), ss);
	return r;
}

static struct result
kem_encap_decap(const struct vector_file *f, yyjson_val *group,
    yyjson_val *test)
{
	uint8_t got[MLKEM_SS_LEN];
	struct span dk, ct, ss;
	struct result r = { 0 };
	const char *function;

	if (!field_str(group, "function", &function))
		return malformed;
	if (strcmp(function, "encapsulation") == 0)
		return kem_encaps(f, test);
	/* The decapsulation key is the group's and expanded. */
	if (!field_hex(f, group, "dk", &dk) || !field_hex(f, test, "c", &ct) ||
	    !field_hex(f, test, "k", &ss))
		return malformed;
	r.e = expanded_mlkem_decaps(dk, ct, got);
	r.same = r.e == OK && same(got, sizeof(got), ss);
	return r;
}

static struct result
dsa_keygen(const struct vector_file *f, yyjson_val *group, yyjson_val *test)
{
	const struct provider *p = f->provider;
	uint8_t got_pub[MLDSA_PUB_LEN], got_sk[EXPANDED_MLDSA_SK_LEN];
	struct span pub, sk;
	const uint8_t *seed;
	struct result r = { 0 };

	(void)group;
	if (!field_hex_n(f, test, "seed", MLDSA_SEED_LEN, &seed) ||
	    !field_hex(f, test, "pk", &pub) || !field_hex(f, test, "sk", &sk))
		return malformed;
	r.e = p->mldsa_pub(p->ctx, seed, got_pub);
	if (r.e == OK)
		r.e = expanded_mldsa_sk(seed, got_sk);
	r.same = r.e == OK && same(got_pub, sizeof(got_pub), pub) &&
	    same(got_sk, sizeof(got_sk), sk);
	return r;
}

static struct result
dsa_sign(const struct vector_file *f, yyjson_val *group, yyjson_val *test)
{
	static const uint8_t zeros[32];
	uint8_t got[MLDSA_SIG_LEN];
	const uint8_t *rnd = zeros;
	struct span sk, msg, sig;
	struct result r = { 0 };
	bool deterministic;

	if (!field_bool(group, "deterministic", &deterministic) ||
	    !field_hex(f, test, "sk", &sk) ||
	    !field_hex(f, test, "message", &msg) ||
	    !field_hex(f, test, "signature", &sig) ||
	    (!deterministic && !field_hex_n(f, test, "rnd", 32, &rnd)))
		return malformed;
	r.e = expanded_mldsa_sign(sk, EXPANDED_INTERNAL, (struct span){ 0 },
	    msg, rnd, got);
	r.same = r.e == OK && same(got, sizeof(got), sig);
	return r;
}

static struct result
dsa_verify(const struct vector_file *f, yyjson_val *group, yyjson_val *test)
{
	struct span pub, msg, sig;
	bool good;
	enum err e;

	if (!field_hex(f, group, "pk", &pub) ||
	    !field_hex(f, test, "message", &msg) ||
	    !field_hex(f, test, "signature", &sig) ||
	    !field_bool(test, "testPassed", &good))
		return malformed;
	e = expanded_mldsa_verify(pub, EXPANDED_INTERNAL, msg, sig);
	if (e == OK || e == ERR_AUTH)
		return (struct result){ .same = (e == OK) == good };
	return (struct result){ .e = e };
}

static const struct kind {
	const char *algorithm, *mode, *set;
	case_fn *run;
} kinds[] = {
	{ "ML-DSA", "keyGen", "ML-DSA-65", dsa_keygen },
	{ "ML-DSA", "sigGen", "ML-DSA-65", dsa_sign },
	{ "ML-DSA", "sigVer", "ML-DSA-65", dsa_verify },
	{ "ML-KEM", "encapDecap", "ML-KEM-768", kem_encap_decap },
	{ "ML-KEM", "keyGen", "ML-KEM-768", kem_keygen },
};

/* NULL: not ours (another parameter set, another algorithm). */
static case_fn *
case_of(yyjson_val *root, yyjson_val *group)
{
	const char *algorithm, *mode, *set;
	size_t i;

	if (!field_str(root, "algorithm", &algorithm) ||
	    !field_str(root, "mode", &mode) ||
	    !field_str(group, "parameterSet", &set))
		return NULL;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(algorithm, kinds[i].algorithm) == 0 &&
		    strcmp(mode, kinds[i].mode) == 0 &&
		    strcmp(set, kinds[i].set) == 0)
			return kinds[i].run;
	return NULL;
}

static void
run_case(const struct vector_file *f, yyjson_val *group, yyjson_val *test,
    struct tally *t)
{
	struct arena_mark mark = arena_mark(f->arena);
	case_fn *fn = case_of(f->root, group);
	struct result r;
	uint64_t number = 0;
	char id[24];

	if (fn == NULL) {
		tally_skip(t);
		return;
	}
	r = field_u64(test, "tcId", &number) ? fn(f, group, test) : malformed;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)number);
	if (r.malformed)
		tally_fail(t, id, "the case is malformed");
	else if (r.e != OK)
		tally_fail(t, id, "gave %s", err_name(r.e));
	else if (!r.same)
		tally_fail(t, id, "another result");
	else
		tally_pass(t);
	arena_reset(f->arena, mark);
}

static bool
recognise(const struct vector_file *f)
{
	const char *text;

	return yyjson_obj_get(f->root, "vsId") != NULL &&
	    field_str(f->root, "mode", &text) &&
	    field_str(f->root, "revision", &text) &&
	    yyjson_is_arr(yyjson_obj_get(f->root, "testGroups"));
}

static void
run(const struct vector_file *f, struct tally *t)
{
	yyjson_val *group, *test;
	yyjson_arr_iter groups, tests;
	size_t n = 0;

	yyjson_arr_iter_init(yyjson_obj_get(f->root, "testGroups"), &groups);
	while ((group = yyjson_arr_iter_next(&groups)) != NULL) {
		yyjson_arr_iter_init(yyjson_obj_get(group, "tests"), &tests);
		for (; (test = yyjson_arr_iter_next(&tests)) != NULL; n++)
			run_case(f, group, test, t);
	}
	if (n == 0)
		tally_fail(t, "file", "has no cases");
}

const struct vector_schema acvp_schema = { "acvp", recognise, run };
