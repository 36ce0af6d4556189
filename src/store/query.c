/*
 * query.c: runs the rows of queries.def on whichever engine the transaction's
 * connection has. Statements are prepared when first used and kept. Runs on
 * store threads; one transaction, one thread.
 */
#include <assert.h>

#include "store/query.h"
#include "store/txn_private.h"

/* The fields of each query, by functions: offsetof wants a struct's name. */
#define P(k, field) { #field, KIND_ROW_##k, offsetof(S, field) },
#define NO_PARAMS
#define END { NULL, KIND_ROW_MAX, 0 }
#define FIELDS(name, side, ...) \
static const struct query_field * \
side##_##name(size_t *n_out) \
{ \
	typedef struct q_##name##_##side S; \
	static const struct query_field f[] = { __VA_ARGS__ END }; \
	_Static_assert(sizeof(f) / sizeof(f[0]) <= QUERY_FIELDS_MAX + 1, \
	    "too many fields"); \
	(void)sizeof(S); \
	*n_out = sizeof(f) / sizeof(f[0]) - 1; \
	return f; \
}
#define ONE(name, sql, i, o) FIELDS(name, in, i) FIELDS(name, out, o)
#define MANY(name, sql, i, o) FIELDS(name, in, i) FIELDS(name, out, o)
#define EXEC_ONE(name, sql, i, o) FIELDS(name, in, i) FIELDS(name, out, o)
#define EXEC(name, sql, i) FIELDS(name, in, i)
#include "store/queries.def"
#undef ONE
#undef MANY
#undef EXEC
#undef EXEC_ONE

static const struct query rows[QUERY_MAX] = {
#define ROW(name, sql, form) { #name, sql, form, in_##name, NULL, 0 },
#define ROW_OUT(name, sql, form) \
	{ #name, sql, form, in_##name, out_##name, \
	    sizeof(struct q_##name##_out) },
#define ONE(name, sql, i, o) ROW_OUT(name, sql, QUERY_ONE)
#define MANY(name, sql, i, o) ROW_OUT(name, sql, QUERY_MANY)
#define EXEC_ONE(name, sql, i, o) ROW_OUT(name, sql, QUERY_EXEC_ONE)
#define EXEC(name, sql, i) ROW(name, sql, QUERY_EXEC)
#include "store/queries.def"
};

const struct query *
query_row(unsigned id)
{
	assert(id < QUERY_MAX);
	return &rows[id];
}

unsigned
query_count(void)
{
	return QUERY_MAX;
}

/* A field of a parameter struct as a value. */
static struct value
field_value(const struct query_field *f, const void *in)
{
	const struct kind_info *k = &kind_rows[f->row];
	const uint8_t *p = (const uint8_t *)in + f->at;
	struct value v = { .kind = k->kind };
	uint32_t u32;
	bool b;

	switch (k->kind) {
	case KIND_BOOL:
		memcpy(&b, p, sizeof(b));
		v.n = b;
		break;
	case KIND_U32:
		memcpy(&u32, p, sizeof(u32));
		v.n = u32;
		break;
	case KIND_U64:
	case KIND_TIME:
		memcpy(&v.n, p, sizeof(v.n));
		break;
	case KIND_ID:
		v.s = span_of(p, ID_LEN);
		v.is_null = k->nullable && id_is_zero(p);
		return v;
	case KIND_TEXT:
	case KIND_BYTES:
	case KIND_JSON:
	case KIND_IP:
		memcpy(&v.s, p, sizeof(v.s));
		v.is_null = k->nullable && v.s.p == NULL;
		return v;
	}
	v.is_null = k->nullable && v.n == 0;
	return v;
}

/* A value into a field of a row; text and bytes are copied. */
static enum err
field_take(const struct query_field *f, const struct value *v,
    struct arena *a, void *out)
{
	const struct kind_info *k = &kind_rows[f->row];
	uint8_t *p = (uint8_t *)out + f->at;
	struct span s = { NULL, 0 };
	uint32_t u32 = (uint32_t)v->n;
	bool b = v->n != 0;

	switch (k->kind) {
	case KIND_BOOL:
		memcpy(p, &b, sizeof(b));
		return OK;
	case KIND_U32:
		if (v->n > UINT32_MAX)
			return ERR_STORE;
		memcpy(p, &u32, sizeof(u32));
		return OK;
	case KIND_U64:
	case KIND_TIME:
		memcpy(p, &v->n, sizeof(v->n));
		return OK;
	case KIND_ID:
		memset(p, 0, ID_LEN);
		if (v->is_null)
			return OK;
		if (v->s.n != ID_LEN)
			return ERR_STORE;
		memcpy(p, v->s.p, ID_LEN);
		return OK;
	case KIND_TEXT:
	case KIND_BYTES:
	case KIND_JSON:
	case KIND_IP:
		break;
	}
	if (!v->is_null) {
		/* Empty is not NULL: it has a pointer. */
		static const uint8_t empty[1];

		if (v->s.n == 0)
			s.p = empty;
		else
			TRY(arena_dup(a, v->s, &s));
	}
	memcpy(p, &s, sizeof(s));
	return OK;
}

static enum err
take_row(struct txn *t, unsigned id, struct stmt *st, void *out)
{
	const struct query_field *f;
	struct value v;
	size_t n;

	f = rows[id].out(&n);
	for (unsigned i = 0; i < n; i++) {
		t->l->d->column(st, i, kind_rows[f[i].row].kind, &v);
		TRY(field_take(&f[i], &v, t->arena, out));
	}
	return OK;
}

/* Prepared, bound, ready to step. */
static enum err
begin(struct txn *t, unsigned id, const void *in, struct stmt **out)
{
	const struct query *q = query_row(id);
	bool writes = q->form == QUERY_EXEC || q->form == QUERY_EXEC_ONE;
	const struct query_field *f;
	struct link *l = t->l;
	struct value v;
	size_t n;
	enum err e;

	assert(!writes || t->can_write);
	assert(!l->is_open[id]);
	TRY(txn_enter(t, writes));
	if (l->stmts[id] == NULL)
		TRY(l->d->prepare(l->db, q->sql, &l->stmts[id]));
	f = q->in(&n);
	for (unsigned i = 0; i < n; i++) {
		v = field_value(&f[i], in);
		e = l->d->bind(l->stmts[id], i, &v);
		if (e != OK)
			return e;
	}
	*out = l->stmts[id];
	return OK;
}

/* What an error of the engine means for the transaction. */
static enum err
judge(struct txn *t, enum err e)
{
	if (txn_is_lost(e) && t->lost == OK)
		t->lost = e;
	return e;
}

enum err
query_exec(struct txn *t, unsigned id, const void *in, uint64_t *rows_out)
{
	struct stmt *st;
	uint64_t n;
	bool row;
	enum err e;

	TRY(begin(t, id, in, &st));
	e = t->l->d->step(st, &row);
	n = t->l->d->reset(st);
	if (e != OK)
		return judge(t, e);
	if (n > 0)
		t->wrote = true;
	if (rows_out != NULL)
		*rows_out = n;
	return OK;
}

enum err
query_one(struct txn *t, unsigned id, const void *in, void *out)
{
	bool writes = rows[id].form == QUERY_EXEC_ONE, row, more = false;
	const struct driver *d = t->l->d;
	struct stmt *st;
	enum err e;

	TRY(begin(t, id, in, &st));
	e = d->step(st, &row);
	if (e == OK && row) {
		if (writes)
			t->wrote = true;
		e = take_row(t, id, st, out);
		/* A write is complete only once it is run to its end. */
		while (e == OK && writes) {
			e = d->step(st, &more);
			if (!more)
				break;
		}
	} else if (e == OK) {
		e = ERR_NOT_FOUND;
	}
	d->reset(st);
	return e == ERR_NOT_FOUND ? e : judge(t, e);
}

/*
 * A cursor's parameters are looked at with every step, and who opens one in
 * a TRY() has given them up by then: so they are kept in the arena. (What
 * spans refer to stays the caller's.)
 */
static enum err
keep(struct txn *t, unsigned id, const void *in, const void **out)
{
	const struct query_field *f;
	size_t n, size = 0;

	f = query_row(id)->in(&n);
	for (size_t i = 0; i < n; i++)
		if (f[i].at + kind_rows[f[i].row].bytes > size)
			size = f[i].at + kind_rows[f[i].row].bytes;
	*out = in;
	if (size == 0)
		return OK;
	void *copy = arena_alloc(t->arena, size);
	if (copy == NULL)
		return ERR_TOO_LARGE;
	memcpy(copy, in, size);
	*out = copy;
	return OK;
}

enum err
query_open(struct txn *t, unsigned id, const void *in, struct cursor *c)
{
	struct stmt *st;

	TRY(keep(t, id, in, &in));
	TRY(begin(t, id, in, &st));
	t->l->is_open[id] = true;
	t->l->open_n++;
	*c = (struct cursor){ t, st, id };
	return OK;
}

enum err
query_next(struct cursor *c, void *out)
{
	enum err e;
	bool row;

	assert(c->t != NULL);
	e = c->t->l->d->step(c->stmt, &row);
	if (e != OK)
		(void)judge(c->t, e);
	else if (row)
		e = take_row(c->t, c->id, c->stmt, out);
	else
		e = ERR_NOT_FOUND;
	if (e != OK)
		query_close(c);
	return e;
}

void
query_close(struct cursor *c)
{
	struct link *l;

	if (c->t == NULL)
		return;
	l = c->t->l;
	if (l->is_open[c->id]) {
		l->d->reset(c->stmt);
		l->is_open[c->id] = false;
		l->open_n--;
	}
	*c = (struct cursor){ NULL, NULL, 0 };
}
