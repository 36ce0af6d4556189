/*
 * wycheproof.c: files of C2SP/wycheproof. The file's own `schema` and
 * `algorithm` say what its cases are; a case's `result` what should happen:
 *   valid       accepted, with the given result
 *   invalid     refused
 *   acceptable  refused, or accepted with the given result
 * An error of the library (out of memory and the like) is never right.
 */
#include <stdio.h>

#include "vectors/wycheproof_private.h"

struct kind {
	const char *schema;
	const char *algorithm;
	wycheproof_case_fn *run;	/* NULL: not applicable here */
};

static const struct kind kinds[] = {
	{ "aead_test_schema_v1.json", "AES-GCM", wycheproof_sym_aead },
	{ "ecdh_ecpoint_test_schema_v1.json", "ECDH",
	    wycheproof_asym_ecdh_point },
	{ "ecdh_test_schema_v1.json", "ECDH", wycheproof_asym_ecdh_asn },
	{ "ecdh_webcrypto_test_schema_v1.json", "ECDH",
	    wycheproof_asym_ecdh_web },
	{ "ecdsa_p1363_verify_schema_v1.json", "ECDSA",
	    wycheproof_asym_ecdsa_p1363 },
	{ "ecdsa_verify_schema_v1.json", "ECDSA", wycheproof_asym_ecdsa },
	{ "eddsa_verify_schema_v1.json", "EDDSA", wycheproof_asym_ed25519 },
	{ "hkdf_test_schema_v1.json", "HKDF-SHA-256", wycheproof_sym_hkdf },
	{ "hkdf_test_schema_v1.json", "HKDF-SHA-512", wycheproof_sym_hkdf },
	{ "mac_test_schema_v1.json", "HMACSHA1", wycheproof_sym_mac },
	{ "mac_test_schema_v1.json", "HMACSHA256", wycheproof_sym_mac },
	{ "mac_test_schema_v1.json", "HMACSHA512", wycheproof_sym_mac },
	{ "mldsa_sign_noseed_schema.json", "ML-DSA-65",
	    wycheproof_pq_dsa_expanded },
	{ "mldsa_sign_seed_schema.json", "ML-DSA-65", wycheproof_pq_dsa_seed },
	{ "mldsa_verify_schema.json", "ML-DSA-65", wycheproof_pq_dsa_verify },
	{ "mlkem_encaps_test_schema.json", "ML-KEM", wycheproof_pq_kem_encaps },
	{ "mlkem_keygen_seed_test_schema.json", "ML-KEM",
	    wycheproof_pq_kem_keygen },
	{ "mlkem_semi_expanded_decaps_test_schema.json", "ML-KEM",
	    wycheproof_pq_kem_expanded },
	{ "mlkem_test_schema.json", "ML-KEM", wycheproof_pq_kem },
	{ "pbkdf_test_schema.json", "PBKDF2-HMACSHA256", wycheproof_sym_pbkdf },
	{ "pbkdf_test_schema.json", "PBKDF2-HMACSHA512", wycheproof_sym_pbkdf },
	{ "rsaes_oaep_decrypt_schema_v1.json", "RSAES-OAEP",
	    wycheproof_asym_oaep },
	{ "rsassa_pkcs1_verify_schema_v1.json", "RSASSA-PKCS1-v1_5",
	    wycheproof_asym_rs256 },
	{ "xdh_comp_schema_v1.json", "XDH", wycheproof_asym_x25519 },
};

enum outcome
wycheproof_outcome(enum err e, bool same)
{
	switch ((int)e) {
	case OK:
		return same ? DID_ACCEPT : DID_DIFFER;
	case ERR_PROVIDER:
	case ERR_NOMEM:
	case ERR_INTERNAL:
		return DID_BREAK;
	default:
		return DID_REFUSE;
	}
}

bool
wycheproof_same(const uint8_t *got, size_t n, struct span want)
{
	return span_eq(span_of(got, n), want);
}

enum outcome
wycheproof_result(enum err e, const uint8_t *got, size_t n, struct span want)
{
	/* After an error the output is not looked at. */
	return wycheproof_outcome(e, e == OK && wycheproof_same(got, n, want));
}

static void
judge(struct tally *t, const char *id, const char *result, enum outcome o)
{
	bool valid = strcmp(result, "valid") == 0;
	bool invalid = strcmp(result, "invalid") == 0;

	if (o == IS_NOT_APPLICABLE)
		tally_skip(t);
	else if (o == IS_MALFORMED || (!valid && !invalid &&
	    strcmp(result, "acceptable") != 0))
		tally_fail(t, id, "the case is malformed");
	else if (o == DID_BREAK)
		tally_fail(t, id, "the library failed");
	else if (o == DID_DIFFER)
		tally_fail(t, id, "another result (%s)", result);
	else if (valid && o == DID_REFUSE)
		tally_fail(t, id, "refused, is valid");
	else if (invalid && o == DID_ACCEPT)
		tally_fail(t, id, "accepted, is invalid");
	else
		tally_pass(t);
}

static const struct kind *
kind_of(yyjson_val *root)
{
	const char *schema, *algorithm;
	size_t i;

	if (!field_str(root, "schema", &schema) ||
	    !field_str(root, "algorithm", &algorithm))
		return NULL;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(schema, kinds[i].schema) == 0 &&
		    strcmp(algorithm, kinds[i].algorithm) == 0)
			return &kinds[i];
	return NULL;
}

static bool
recognise(const struct vector_file *f)
{
	const char *schema;

	return field_str(f->root, "schema", &schema) &&
	    yyjson_is_arr(yyjson_obj_get(f->root, "testGroups"));
}

static void
run_case(const struct vector_file *f, const struct kind *kind,
    yyjson_val *group, yyjson_val *test, struct tally *t)
{
	struct arena_mark mark = arena_mark(f->arena);
	const char *result;
	uint64_t number;
	char id[24];

	if (kind == NULL) {
		tally_skip(t);
		return;
	}
	if (!field_u64(test, "tcId", &number) ||
	    !field_str(test, "result", &result)) {
		tally_fail(t, "?", "a case without tcId or result");
		return;
	}
	snprintf(id, sizeof(id), "%llu", (unsigned long long)number);
	judge(t, id, result, kind->run(f, group, test));
	arena_reset(f->arena, mark);
}

static void
run(const struct vector_file *f, struct tally *t)
{
	const struct kind *kind = kind_of(f->root);
	yyjson_val *group, *test;
	yyjson_arr_iter groups, tests;
	uint64_t n = 0, want;

	yyjson_arr_iter_init(yyjson_obj_get(f->root, "testGroups"), &groups);
	while ((group = yyjson_arr_iter_next(&groups)) != NULL) {
		yyjson_arr_iter_init(yyjson_obj_get(group, "tests"), &tests);
		for (; (test = yyjson_arr_iter_next(&tests)) != NULL; n++)
			run_case(f, kind, group, test, t);
	}
	/* A file cut short, or a group without its list, must not pass. */
	if (!field_u64(f->root, "numberOfTests", &want) || n != want)
		tally_fail(t, "numberOfTests", "%llu cases found",
		    (unsigned long long)n);
}

const struct vector_schema wycheproof_schema = { "wycheproof", recognise, run };
