/*
 * cctv.c: files of C2SP/CCTV. `ed25519` is one list of signatures at the edges
 * of what implementations accept, each with flags that say which edge; our
 * strict predicate follows from the flags. `ML-KEM` is text, "name = hex" a
 * line: a key, an encapsulation and its secret.
 */
#include <stdio.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "vectors/expanded.h"
#include "vectors/schema.h"

static bool
is_ed25519(const struct vector_file *f)
{
	yyjson_val *first = yyjson_arr_get_first(f->root);

	return yyjson_is_str(yyjson_obj_get(first, "key")) &&
	    yyjson_is_str(yyjson_obj_get(first, "sig")) &&
	    yyjson_is_str(yyjson_obj_get(first, "msg")) &&
	    yyjson_obj_get(first, "flags") != NULL;
}

/*
 * The flags under which a strict, cofactorless verifier refuses. What is left
 * (low_order_component_A and _R: mixed order, with the equation fulfilled) it
 * accepts. reencoded_k comes only with non-canonical values.
 */
static bool
is_refused_by(const char *flag)
{
	static const char *const flags[] = {
		"low_order_A", "low_order_R", "low_order_residue",
		"non_canonical_A", "non_canonical_R", "reencoded_k",
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flag, flags[i]) == 0)
			return true;
	return false;
}

static void
ed25519_case(const struct vector_file *f, yyjson_val *test, struct tally *t)
{
	const struct provider *p = f->provider;
	yyjson_val *flag, *msg = yyjson_obj_get(test, "msg");
	yyjson_arr_iter flags;
	const uint8_t *key, *sig;
	enum err want = OK;
	uint64_t number = 0;
	char id[24];

	if (!field_u64(test, "number", &number) || !yyjson_is_str(msg) ||
	    !field_hex_n(f, test, "key", ED25519_PUB_LEN, &key) ||
	    !field_hex_n(f, test, "sig", ED25519_SIG_LEN, &sig)) {
		tally_fail(t, "?", "the case is malformed");
		return;
	}
	yyjson_arr_iter_init(yyjson_obj_get(test, "flags"), &flags);
	while ((flag = yyjson_arr_iter_next(&flags)) != NULL)
		if (yyjson_is_str(flag) && is_refused_by(yyjson_get_str(flag)))
			want = ERR_AUTH;
	snprintf(id, sizeof(id), "%llu", (unsigned long long)number);
	tally_err(t, id, p->ed25519_verify(p->ctx, key,
	    span_of(yyjson_get_str(msg), yyjson_get_len(msg)), sig), want);
}

static void
run_ed25519(const struct vector_file *f, struct tally *t)
{
	yyjson_arr_iter tests;
	yyjson_val *test;

	yyjson_arr_iter_init(f->root, &tests);
	while ((test = yyjson_arr_iter_next(&tests)) != NULL) {
		struct arena_mark mark = arena_mark(f->arena);

		ed25519_case(f, test, t);
		arena_reset(f->arena, mark);
	}
}

const struct vector_schema cctv_ed25519_schema = {
	"cctv ed25519", is_ed25519, run_ed25519
};

/* The n bytes of the line "<name> = <hex>"; false when there is none. */
static bool
line(const struct vector_file *f, struct span name, uint8_t *out, size_t n)
{
	struct span rest = f->text;

	while (rest.n > 0) {
		struct span at = span_sub(rest, 0, span_find(rest, '\n'));

		rest = span_sub(rest, at.n + 1, rest.n);
		if (!span_starts(at, name))
			continue;
		at = span_sub(at, name.n, at.n);
		if (span_starts(at, SPAN(" = ")) && at.n == 3 + 2 * n)
			return hex_decode(span_sub(at, 3, at.n), out);
	}
	return false;
}

struct kem {
	uint8_t seed[MLKEM_SEED_LEN], m[32], ek[MLKEM_EK_LEN];
	uint8_t dk[EXPANDED_MLKEM_DK_LEN], ct[MLKEM_CT_LEN], ss[MLKEM_SS_LEN];
};

static bool
kem_of(const struct vector_file *f, struct kem *k)
{
	return line(f, SPAN("d"), k->seed, 32) &&
	    line(f, SPAN("z"), k->seed + 32, 32) &&
	    line(f, SPAN("ek"), k->ek, sizeof(k->ek)) &&
	    line(f, SPAN("dk"), k->dk, sizeof(k->dk)) &&
	    line(f, SPAN("m"), k->m, sizeof(k->m)) &&
	    line(f, SPAN("K"), k->ss, sizeof(k->ss)) &&
	    line(f, SPAN("c"), k->ct, sizeof(k->ct));
}

static bool
is_mlkem(const struct vector_file *f)
{
	struct kem k;

	return f->root == NULL && kem_of(f, &k);
}

static void
compare(struct tally *t, const char *id, enum err e, const uint8_t *got,
    const uint8_t *want, size_t n)
{
	if (e != OK)
		tally_fail(t, id, "gave %s", err_name(e));
	else if (memcmp(got, want, n) != 0)
		tally_fail(t, id, "another result");
	else
		tally_pass(t);
}

/*
 * FIPS 203 5.1 hashes d || k; its draft, which these files may be older than,
 * hashed d alone. Then another key belongs to the seed: only what is done with
 * the given keys applies.
 */
static bool
is_of_draft(const struct kem *k)
{
	uint8_t g[64];

	return EVP_Q_digest(NULL, "SHA3-512", NULL, k->seed, 32, g, NULL) == 1 &&
	    memcmp(g, k->ek + MLKEM_EK_LEN - 32, 32) == 0;
}

static void
run_seed(const struct vector_file *f, const struct kem *want, struct tally *t)
{
	const struct provider *p = f->provider;
	struct kem got;
	enum err e;

	e = p->mlkem_pub(p->ctx, want->seed, got.ek);
	compare(t, "ek", e, got.ek, want->ek, sizeof(want->ek));
	e = expanded_mlkem_dk(want->seed, got.dk);
	compare(t, "dk", e, got.dk, want->dk, sizeof(want->dk));
	e = p->mlkem_decaps(p->ctx, want->seed, want->ct, got.ss);
	compare(t, "decaps", e, got.ss, want->ss, sizeof(want->ss));
}

static void
run_mlkem(const struct vector_file *f, struct tally *t)
{
	const struct provider *p = f->provider;
	struct kem want, got;
	enum err e;

	if (!kem_of(f, &want)) {
		tally_fail(t, "file", "is malformed");
		return;
	}
	if (is_of_draft(&want))
		tally_skip(t);
	else
		run_seed(f, &want, t);
	e = p->mlkem_encaps(p->ctx, want.ek, want.m, got.ct, got.ss);
	compare(t, "c", e, got.ct, want.ct, sizeof(want.ct));
	compare(t, "K", e, got.ss, want.ss, sizeof(want.ss));
	e = expanded_mlkem_decaps(SPAN_OF(want.dk), SPAN_OF(want.ct), got.ss);
	compare(t, "decaps with dk", e, got.ss, want.ss, sizeof(want.ss));
}

const struct vector_schema cctv_mlkem_schema = {
	"cctv ML-KEM", is_mlkem, run_mlkem
};
