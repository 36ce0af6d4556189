/*
 * openapi.h: the REST interface as an OpenAPI document (version 3.1.0,
 * https://spec.openapis.org/oas/v3.1.0), from the tables that the server runs
 * on: names.def, ops.def, rates.def, err.def and the records of shapes.def. It
 * is made once, at start.
 */
#ifndef SERVER_OPENAPI_H
#define SERVER_OPENAPI_H

#include "server/call.h"

#define OPENAPI_MAX ((size_t)1 << 20)

/* Writes the document; w turns bad when it has no room. */
void openapi_write(struct wr *w);

/* ---- schemas of records (openapi_schema.c) ---- */

/*
 * The schema of one member. null: it may be null, too.
 * The forms are those of JSON Schema 2020-12.
 */
void openapi_schema_row(const struct shape_row *r, bool null, struct wr *w);
/*
 * The schema of a record without those of its members for which skip(arg, row)
 * is true; skip may be NULL.
 */
typedef bool (*openapi_skip_fn)(const void *arg, const struct shape_row *r);
void openapi_schema(const struct shape *s, openapi_skip_fn skip,
    const void *arg, struct wr *w);
/* {"$ref":"#/components/schemas/<name>"} */
void openapi_ref(const struct shape *s, struct wr *w);

#define OPENAPI_SHAPES_MAX 512
/* Records that the document refers to, by their place in shape_at. */
struct openapi_used { bool all[OPENAPI_SHAPES_MAX]; };
/* Marks a record and all that it contains. */
void openapi_use(struct openapi_used *u, const struct shape *s);
/* "name":{schema},... of those that are marked. */
void openapi_schemas(const struct openapi_used *u, struct wr *w);

#endif
