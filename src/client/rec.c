/*
 * rec.c: the step's view of the records: a sorted array of what was read or
 * changed, over what the host holds. It lives in the step's arena and is
 * dropped with it; so a step that fails has changed nothing.
 */
#include "client/rec.h"

#define REC_ENTRIES_MAX 100000u		/* of one step: far beyond any page */

void
rec_init(struct rec *r, const struct client_host *host, struct arena *a)
{
	*r = (struct rec){ .host = host, .a = a };
}

static int
rec_cmp(const struct rec_entry *e, uint8_t kind, struct span key)
{
	if (e->kind != kind)
		return e->kind < kind ? -1 : 1;
	return span_cmp(e->key, key);
}

/* Index of the first entry that is not below (kind, key). */
static size_t
rec_lower(const struct rec *r, uint8_t kind, struct span key)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rec_cmp(&r->e[mid], kind, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct rec_entry *
rec_find(const struct rec *r, uint8_t kind, struct span key)
{
	size_t i = rec_lower(r, kind, key);

	if (i < r->n && rec_cmp(&r->e[i], kind, key) == 0)
		return &r->e[i];
	return NULL;
}

static enum err
rec_grow(struct rec *r)
{
	size_t cap = r->cap ? 2 * r->cap : 64;
	struct rec_entry *e;

	if (r->n < r->cap)
		return OK;
	if (cap > REC_ENTRIES_MAX)
		return ERR_TOO_LARGE;
	e = arena_alloc(r->a, cap * sizeof(*e));
	if (e == NULL)
		return ERR_TOO_LARGE;
	if (r->n != 0)
		memcpy(e, r->e, r->n * sizeof(*e));
	r->e = e;
	r->cap = cap;
	return OK;
}

/* The entry of (kind, key), made (absent, clean) where there is none. */
static enum err
rec_enter(struct rec *r, uint8_t kind, struct span key,
    struct rec_entry **out)
{
	size_t i = rec_lower(r, kind, key);
	struct span copy;

	if (i < r->n && rec_cmp(&r->e[i], kind, key) == 0) {
		*out = &r->e[i];
		return OK;
	}
	TRY(rec_grow(r));
	TRY(arena_dup(r->a, key, &copy));
	memmove(&r->e[i + 1], &r->e[i], (r->n - i) * sizeof(*r->e));
	r->e[i] = (struct rec_entry){ .kind = kind, .key = copy };
	r->n++;
	*out = &r->e[i];
	return OK;
}

enum err
rec_get(struct rec *r, uint8_t k, struct span key,
    struct span *value_out)
{
	struct rec_entry *e = rec_find(r, k, key);
	struct span value;
	enum err err;

	if (e == NULL) {
		err = r->host->load(r->host->ctx, k, key, r->a,
		    &value);
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
		TRY(rec_enter(r, k, key, &e));
		e->present = err == OK;
		if (err == OK)
			e->value = value;
	}
	if (!e->present)
		return ERR_NOT_FOUND;
	*value_out = e->value;
	return OK;
}

bool
rec_has(struct rec *r, uint8_t k, struct span key, enum err *e)
{
	struct span value;

	*e = rec_get(r, k, key, &value);
	if (*e == OK)
		return true;
	if (*e == ERR_NOT_FOUND)
		*e = OK;
	return false;
}

enum err
rec_put(struct rec *r, uint8_t k, struct span key, struct span value)
{
	struct rec_entry *e;
	struct span copy;

	TRY(arena_dup(r->a, value, &copy));
	TRY(rec_enter(r, k, key, &e));
	if (!e->dirty)
		r->dirty_n++;
	e->dirty = e->present = true;
	e->value = copy;
	return OK;
}

enum err
rec_del(struct rec *r, uint8_t k, struct span key)
{
	struct rec_entry *e;

	TRY(rec_enter(r, k, key, &e));
	if (!e->dirty)
		r->dirty_n++;
	e->dirty = true;
	e->present = false;
	e->value = (struct span){ NULL, 0 };
	return OK;
}

/* Does an entry count for a seek: of this kind and prefix, beyond `from`? */
static bool
rec_counts(const struct rec_entry *e, uint8_t kind, struct span prefix,
    struct span from, bool back)
{
	int order;

	if (!e->dirty || !e->present || e->kind != kind ||
	    !span_starts(e->key, prefix))
		return false;
	if (from.n == 0)
		return true;
	order = span_cmp(e->key, from);
	return back ? order < 0 : order > 0;
}

/* The nearest changed and present entry beyond `from`, or NULL. */
static const struct rec_entry *
rec_near(const struct rec *r, uint8_t kind, struct span prefix,
    struct span from, bool back)
{
	size_t lo = rec_lower(r, kind, prefix), i;

	if (!back) {
		if (from.n != 0 && span_cmp(from, prefix) > 0)
			lo = rec_lower(r, kind, from);
		for (i = lo; i < r->n; i++) {
			if (r->e[i].kind != kind ||
			    !span_starts(r->e[i].key, prefix))
				return NULL;
			if (rec_counts(&r->e[i], kind, prefix, from, back))
				return &r->e[i];
		}
		return NULL;
	}
	/* From behind: all that is before `from`, or all of the kind. */
	i = from.n != 0 ? rec_lower(r, kind, from) :
	    rec_lower(r, (uint8_t)(kind + 1), (struct span){ NULL, 0 });
	while (i-- > lo)
		if (rec_counts(&r->e[i], kind, prefix, from, back))
			return &r->e[i];
	return NULL;
}

enum err
rec_seek(struct rec *r, uint8_t k, struct span prefix, struct span from,
    bool back, struct span *key_out, struct span *value_out)
{
	const struct rec_entry *near = rec_near(r, k, prefix, from,
	    back);
	const struct rec_entry *e;
	struct span key = from, value;
	enum err err;
	int order;

	for (;;) {
		err = r->host->seek(r->host->ctx, k, prefix, key,
		    back, r->a, &key, &value);
		if (err == ERR_NOT_FOUND)
			break;
		if (err != OK)
			return err;
		/* What the step changed holds, not what the host has. */
		e = rec_find(r, k, key);
		if (e == NULL || !e->dirty)
			break;
		if (key.n == 0) {	/* a kind with that one record */
			err = ERR_NOT_FOUND;
			break;
		}
	}
	if (err == OK && near != NULL) {
		order = span_cmp(near->key, key);
		if (back ? order > 0 : order < 0)
			err = ERR_NOT_FOUND;
	}
	if (err == OK) {
		*key_out = key;
		*value_out = value;
		return OK;
	}
	if (near == NULL)
		return ERR_NOT_FOUND;
	*key_out = near->key;
	*value_out = near->value;
	return OK;
}

struct rec_key
rec_key(void)
{
	return (struct rec_key){ .n = 0 };
}

void
rec_key_bytes(struct rec_key *k, struct span s)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	w.n = k->n;
	wr_span(&w, s);
	k->n = w.n;
}

void
rec_key_id(struct rec_key *k, const uint8_t id[static ID_LEN])
{
	rec_key_bytes(k, span_of(id, ID_LEN));
}

void
rec_key_u8(struct rec_key *k, uint8_t v)
{
	rec_key_bytes(k, span_of(&v, 1));
}

void
rec_key_u32(struct rec_key *k, uint32_t v)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	w.n = k->n;
	wr_u32(&w, v);
	k->n = w.n;
}

void
rec_key_u64(struct rec_key *k, uint64_t v)
{
	struct wr w = wr_init(k->b, sizeof(k->b));

	w.n = k->n;
	wr_u64(&w, v);
	k->n = w.n;
}

struct span
rec_key_span(const struct rec_key *k)
{
	return span_of(k->b, k->n);
}
