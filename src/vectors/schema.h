/*
 * schema.h: what each kind of test vector file brings to nightjar-vectors. A
 * file is recognised by what it holds, never by its name; each of its cases
 * runs through the provider's table (or the core) and is counted once in the
 * tally. Kinds are registered in schemas.def, first match wins.
 */
#ifndef VECTORS_SCHEMA_H
#define VECTORS_SCHEMA_H

#include <yyjson.h>

#include "base/arena.h"
#include "crypto/provider.h"

#define TALLY_FAILURES_MAX 64		/* of a file; the rest is counted */
#define TALLY_REASON_MAX 160

struct failure {
	char text[TALLY_REASON_MAX];	/* "<case id>: <reason>" */
};

/* Counts of one file. */
struct tally {
	unsigned long passed, failed, not_applicable;
	struct failure failures[TALLY_FAILURES_MAX];
	size_t n_failures;
};

struct vector_file {
	const char *path;
	struct span text;		/* the whole file */
	yyjson_val *root;		/* NULL when it is no JSON */
	struct arena *arena;		/* for what a case decodes */
	const struct provider *provider;
};

struct vector_schema {
	const char *name;		/* "wycheproof aead" */
	bool (*recognise)(const struct vector_file *f);
	/* Counts every case of the file; resets the arena between cases. */
	void (*run)(const struct vector_file *f, struct tally *t);
};

void tally_pass(struct tally *t);
void tally_skip(struct tally *t);	/* not applicable here */
/* id names the case: "17", "keygen/3", "frames[12]". */
__attribute__((format(printf, 3, 4)))
void tally_fail(struct tally *t, const char *id, const char *fmt, ...);
/* Passes when got is want, else fails with what got and want are. */
void tally_err(struct tally *t, const char *id, enum err got, enum err want);

/*
 * Members of a JSON object. False (and *out untouched) when the member is
 * missing, has another type or does not decode; bytes are in f's arena.
 */
bool field_str(yyjson_val *obj, const char *key, const char **out);
bool field_u64(yyjson_val *obj, const char *key, uint64_t *out);
bool field_bool(yyjson_val *obj, const char *key, bool *out);
bool field_hex(const struct vector_file *f, yyjson_val *obj, const char *key,
    struct span *out);
bool field_base64(const struct vector_file *f, yyjson_val *obj,
    const char *key, struct span *out);
bool field_base64url(const struct vector_file *f, yyjson_val *obj,
    const char *key, struct span *out);
/* field_hex of exactly n bytes. */
bool field_hex_n(const struct vector_file *f, yyjson_val *obj,
    const char *key, size_t n, const uint8_t **out);

#endif
