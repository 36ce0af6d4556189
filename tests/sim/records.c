/*
 * records.c: a treap whose nodes are shared between versions. What a key's
 * priority is comes from the key, so a set of records has one shape.
 */
#include <assert.h>
#include <stdlib.h>

#include "sim/records.h"

/* A record, shared by all nodes that hold it. */
struct record_cell {
	unsigned refs;
	uint32_t priority;
	uint8_t kind;
	size_t key_n, value_n;
	uint8_t bytes[];
};

struct record_node {
	unsigned refs;
	struct record_cell *cell;
	struct record_node *left, *right;
};

static struct record_cell *
cell_new(uint8_t kind, struct span key, struct span value)
{
	struct record_cell *c = malloc(sizeof(*c) + key.n + value.n);
	uint32_t h = 2166136261u ^ kind;

	assert(c != NULL);
	for (size_t i = 0; i < key.n; i++)
		h = (h ^ key.p[i]) * 16777619u;
	h ^= h >> 15;
	h *= 0x85ebca6bu;
	*c = (struct record_cell){ 1, h ^ (h >> 13), kind, key.n, value.n };
	if (key.n > 0)
		memcpy(c->bytes, key.p, key.n);
	if (value.n > 0)
		memcpy(c->bytes + key.n, value.p, value.n);
	return c;
}

static void
cell_unref(struct record_cell *c)
{
	if (--c->refs == 0)
		free(c);
}

static struct span
cell_key(const struct record_cell *c)
{
	return span_of(c->bytes, c->key_n);
}

static struct span
cell_value(const struct record_cell *c)
{
	return span_of(c->bytes + c->key_n, c->value_n);
}

static int
compare(uint8_t kind, struct span key, const struct record_cell *c)
{
	return kind != c->kind ? (kind < c->kind ? -1 : 1) :
	    span_cmp(key, cell_key(c));
}

/* Takes the references that it is given. */
static records
node_new(struct record_cell *c, records left, records right)
{
	struct record_node *n = malloc(sizeof(*n));

	assert(n != NULL);
	*n = (struct record_node){ 1, c, left, right };
	return n;
}

records
records_ref(records r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void
records_unref(records r)
{
	if (r == NULL || --r->refs > 0)
		return;
	records_unref(r->left);
	records_unref(r->right);
	cell_unref(r->cell);
	free(r);
}

static struct record_cell *
cell_ref(struct record_cell *c)
{
	c->refs++;
	return c;
}

/* Takes the reference to c. */
static records
put(records r, uint8_t kind, struct span key, struct record_cell *c)
{
	records n, child;
	int order;

	if (r == NULL)
		return node_new(c, NULL, NULL);
	order = compare(kind, key, r->cell);
	if (order == 0)
		return node_new(c, records_ref(r->left),
		    records_ref(r->right));
	n = node_new(cell_ref(r->cell), NULL, NULL);
	child = put(order < 0 ? r->left : r->right, kind, key, c);
	if (order < 0) {
		n->left = child;
		n->right = records_ref(r->right);
		if (child->cell->priority > n->cell->priority) {
			n->left = child->right;
			child->right = n;
			return child;
		}
	} else {
		n->left = records_ref(r->left);
		n->right = child;
		if (child->cell->priority > n->cell->priority) {
			n->right = child->left;
			child->left = n;
			return child;
		}
	}
	return n;
}

records
records_put(records r, uint8_t kind, struct span key, struct span value)
{
	return put(r, kind, key, cell_new(kind, key, value));
}

static records
merge(records a, records b)
{
	if (a == NULL || b == NULL)
		return records_ref(a == NULL ? b : a);
	if (a->cell->priority > b->cell->priority)
		return node_new(cell_ref(a->cell), records_ref(a->left),
		    merge(a->right, b));
	return node_new(cell_ref(b->cell), merge(a, b->left),
	    records_ref(b->right));
}

records
records_del(records r, uint8_t kind, struct span key)
{
	int order;

	if (r == NULL)
		return NULL;
	order = compare(kind, key, r->cell);
	if (order == 0)
		return merge(r->left, r->right);
	if (order < 0)
		return node_new(cell_ref(r->cell),
		    records_del(r->left, kind, key), records_ref(r->right));
	return node_new(cell_ref(r->cell), records_ref(r->left),
	    records_del(r->right, kind, key));
}

enum err
records_load(records r, uint8_t kind, struct span key, struct arena *a,
    struct span *value_out)
{
	while (r != NULL) {
		int order = compare(kind, key, r->cell);

		if (order == 0)
			return arena_dup(a, cell_value(r->cell), value_out);
		r = order < 0 ? r->left : r->right;
	}
	return ERR_NOT_FOUND;
}

/* The least key that is greater than `from`, or at least it where it may be. */
static const struct record_cell *
after(records r, uint8_t kind, struct span from, bool may_be)
{
	const struct record_cell *best = NULL;

	while (r != NULL) {
		int order = compare(kind, from, r->cell);

		if (order < 0 || (order == 0 && may_be)) {
			best = r->cell;
			r = r->left;
		} else {
			r = r->right;
		}
	}
	return best;
}

static const struct record_cell *
before(records r, uint8_t kind, struct span from)
{
	const struct record_cell *best = NULL;

	while (r != NULL) {
		if (compare(kind, from, r->cell) > 0) {
			best = r->cell;
			r = r->right;
		} else {
			r = r->left;
		}
	}
	return best;
}

/* The last one of the prefix: what is before the first key after all of it. */
static const struct record_cell *
last(records r, uint8_t kind, struct span prefix)
{
	uint8_t end[64];
	size_t n = prefix.n;

	assert(n <= sizeof(end));
	if (n > 0)
		memcpy(end, prefix.p, n);
	while (n > 0 && end[n - 1] == 0xff)
		n--;
	if (n == 0)
		return before(r, (uint8_t)(kind + 1), (struct span){ NULL, 0 });
	end[n - 1]++;
	return before(r, kind, span_of(end, n));
}

enum err
records_seek(records r, uint8_t kind, struct span prefix, struct span from,
    bool back, struct arena *a, struct span *key_out, struct span *value_out)
{
	const struct record_cell *c;

	if (back)
		c = from.n == 0 ? last(r, kind, prefix) :
		    before(r, kind, from);
	else if (span_cmp(from, prefix) < 0)
		c = after(r, kind, prefix, true);
	else
		c = after(r, kind, from, from.n == 0);
	if (c == NULL || c->kind != kind || !span_starts(cell_key(c), prefix))
		return ERR_NOT_FOUND;
	TRY(arena_dup(a, cell_key(c), key_out));
	return arena_dup(a, cell_value(c), value_out);
}
