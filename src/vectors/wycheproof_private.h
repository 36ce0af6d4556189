/*
 * wycheproof_private.h: how the files of one source share the work.
 * wycheproof.c walks groups and judges; the kinds of cases are in
 * wycheproof_sym.c (ciphers, MACs, derivation), wycheproof_asym.c (curves,
 * RSA) and wycheproof_pq.c (ML-KEM, ML-DSA).
 */
#ifndef VECTORS_WYCHEPROOF_PRIVATE_H
#define VECTORS_WYCHEPROOF_PRIVATE_H

#include "vectors/schema.h"

/* What a primitive did with a case. */
enum outcome {
	DID_ACCEPT,		/* and the result is the expected one */
	DID_REFUSE,		/* with an error of the input */
	DID_DIFFER,		/* accepted, with another result */
	DID_BREAK,		/* an error of the library */
	IS_MALFORMED,		/* the case lacks something */
	IS_NOT_APPLICABLE
};

/* From an error and whether the result is the expected one. */
enum outcome wycheproof_outcome(enum err e, bool same);
/* Equal spans. */
bool wycheproof_same(const uint8_t *got, size_t n, struct span want);
/* Both of it. */
enum outcome wycheproof_result(enum err e, const uint8_t *got, size_t n,
    struct span want);

#define CASE(name) enum outcome name(const struct vector_file *f, \
	yyjson_val *group, yyjson_val *test)
typedef CASE(wycheproof_case_fn);

wycheproof_case_fn wycheproof_sym_aead, wycheproof_sym_hkdf,
    wycheproof_sym_mac, wycheproof_sym_pbkdf;
wycheproof_case_fn wycheproof_asym_x25519, wycheproof_asym_ed25519,
    wycheproof_asym_ecdh_point, wycheproof_asym_ecdh_asn,
    wycheproof_asym_ecdh_web, wycheproof_asym_ecdsa,
    wycheproof_asym_ecdsa_p1363, wycheproof_asym_oaep, wycheproof_asym_rs256;
wycheproof_case_fn wycheproof_pq_kem, wycheproof_pq_kem_keygen,
    wycheproof_pq_kem_encaps, wycheproof_pq_kem_expanded,
    wycheproof_pq_dsa_seed, wycheproof_pq_dsa_expanded,
    wycheproof_pq_dsa_verify;

#endif
