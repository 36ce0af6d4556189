/*
 * stored.c: the rows of stored.def, and rows of the database as JSON by what
 * the queries' own tables say about their columns, so that a table is one row
 * of each def file and no code.
 */
#include "server/stored.h"

#include "store/query.h"
#include "wire/json.h"

#define FIELD(column, why) { #column, why, false },
#define SECRET(column, why) { #column, why, true },
#define STORED(table, how, kept, ...) \
	static const struct stored_field fields_##table[] = { __VA_ARGS__ };
#include "server/stored.def"
#undef STORED
#undef SECRET
#undef FIELD

#define KEYED true
#define COUNTED false
static const struct stored_table tables[] = {
#define STORED(table, how, kept, ...) { #table, kept, how, Q_stored_##table, \
	fields_##table, sizeof(fields_##table) / sizeof(fields_##table[0]) },
#include "server/stored.def"
#undef STORED
};
#undef COUNTED
#undef KEYED

#define TABLES_N (sizeof(tables) / sizeof(tables[0]))

const struct stored_table *
stored_tables(size_t *n_out)
{
	*n_out = TABLES_N;
	return tables;
}

enum err
stored_count(struct txn *t, size_t table, const struct user_id *user,
    uint64_t *n_out)
{
	/* All count queries have the same parameters and columns. */
	static const unsigned counts[TABLES_N] = {
#define STORED(table, how, kept, ...) Q_count_##table,
#include "server/stored.def"
#undef STORED
	};
	struct q_count_users_out out;

	TRY(query_one(t, counts[table], &(struct q_count_users_in){ *user },
	    &out));
	*n_out = out.n;
	return OK;
}

/* ---- rows ---- */

static void
put_bytes(struct wr *w, enum kind kind, struct span s)
{
	if (kind == KIND_JSON)
		wr_span(w, s);
	else if (kind == KIND_BYTES)
		json_put_b64(w, s);
	else
		json_put_str(w, s);
}

/* One column. A zero of a kind that may be NULL stands for NULL (kinds.h). */
static void
put_value(struct wr *w, const struct kind_info *k, const uint8_t *p)
{
	struct any_id id;
	struct span s;
	uint64_t n = 0;
	uint32_t n32;
	bool b;

	switch (k->kind) {
	case KIND_BOOL:
		memcpy(&b, p, sizeof(b));
		json_put_bool(w, b);
		return;
	case KIND_ID:
		memcpy(&id, p, sizeof(id));
		if (k->nullable && ID_IS_ZERO(id))
			wr_str(w, "null");
		else
			json_put_id(w, id.b);
		return;
	case KIND_U32:
		memcpy(&n32, p, sizeof(n32));
		n = n32;
		break;
	case KIND_U64:
	case KIND_TIME:
		memcpy(&n, p, sizeof(n));
		break;
	case KIND_TEXT:
	case KIND_BYTES:
	case KIND_JSON:
	case KIND_IP:
		memcpy(&s, p, sizeof(s));
		if (k->nullable && s.p == NULL)
			wr_str(w, "null");
		else
			put_bytes(w, k->kind, s);
		return;
	}
	if (k->nullable && n == 0)
		wr_str(w, "null");
	else if (k->kind == KIND_TIME)
		json_put_time(w, n);
	else
		json_put_u64(w, n);
}

enum err
stored_row(const struct stored_table *table, const void *row, struct wr *w)
{
	const struct query_field *f;
	size_t n;

	f = query_row(table->query)->out(&n);
	for (size_t i = 0; i < n; i++) {
		wr_u8(w, i == 0 ? '{' : ',');
		json_put_name(w, f[i].name);
		put_value(w, &kind_rows[f[i].row],
		    (const uint8_t *)row + f[i].at);
	}
	wr_str(w, "}\n");
	return wr_ok(w) ? OK : ERR_SPACE;
}

uint64_t
stored_key(const struct stored_table *table, const void *row)
{
	const struct query_field *f;
	uint64_t key;
	size_t n;

	f = query_row(table->query)->out(&n);
	memcpy(&key, (const uint8_t *)row + f[0].at, sizeof(key));
	return key;
}
